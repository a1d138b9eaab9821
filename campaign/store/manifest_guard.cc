#include "campaign/store/manifest_guard.h"

#include <rocksdb/file_system.h>

#include <atomic>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace outpace::store {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::FSWritableFileOwnerWrapper;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

using Flag = std::shared_ptr<std::atomic<bool>>;  // a write of the MANIFEST has failed

bool IsManifest(absl::string_view path) {
  return absl::StartsWith(path.substr(path.rfind('/') + 1), "MANIFEST-");
}

class Manifest final : public FSWritableFileOwnerWrapper {
 public:
  Manifest(std::unique_ptr<FSWritableFile> file, Flag failed)
      : FSWritableFileOwnerWrapper(std::move(file)), failed_(std::move(failed)) {}

  using FSWritableFileOwnerWrapper::Append;
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* dbg) override {
    return Watched(FSWritableFileOwnerWrapper::Append(data, options, dbg));
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* dbg) override {
    return Watched(FSWritableFileOwnerWrapper::Flush(options, dbg));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    return Watched(FSWritableFileOwnerWrapper::Sync(options, dbg));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return Watched(FSWritableFileOwnerWrapper::Fsync(options, dbg));
  }

 private:
  IOStatus Watched(IOStatus status) {
    if (!status.ok()) *failed_ = true;
    return status;
  }

  const Flag failed_;
};

class GuardedFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;
  const char* Name() const override { return "OutpaceGuardedFileSystem"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* file, IODebugContext* dbg) override {
    IOStatus status = FileSystemWrapper::NewWritableFile(name, options, file, dbg);
    if (status.ok() && IsManifest(name)) {
      *file = std::make_unique<Manifest>(std::move(*file), failed_);
    }
    return status;
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions& options,
                      IODebugContext* dbg) override {
    if (*failed_ && absl::EndsWith(name, ".sst")) return IOStatus::OK();
    return FileSystemWrapper::DeleteFile(name, options, dbg);
  }

 private:
  const Flag failed_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace

std::unique_ptr<rocksdb::Env> NewGuardedEnv(rocksdb::Env* base) {
  return rocksdb::NewCompositeEnv(std::make_shared<GuardedFileSystem>(base->GetFileSystem()));
}

}  // namespace outpace::store
