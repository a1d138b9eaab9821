#pragma once

// The machine's own files, and a process that kills itself at a chosen one of its writes: kill -9
// between any two things it does to the disk, at the same place every time.

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

namespace outpace::store {

// Counts what changes files or directories from 1. Thread safe.
class KillCounter {
 public:
  void KillAt(int64_t k) { kill_at_ = k; }  // 0: never
  int64_t count() const { return count_; }
  void Count() {
    if (++count_ == kill_at_) ::kill(::getpid(), SIGKILL);
  }

 private:
  std::atomic<int64_t> count_{0}, kill_at_{0};
};

class KillingFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  KillingFile(std::unique_ptr<rocksdb::FSWritableFile> file, KillCounter& counter)
      : FSWritableFileOwnerWrapper(std::move(file)), counter_(counter) {}
  using FSWritableFileOwnerWrapper::Append;
  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* dbg) override {
    counter_.Count();
    return FSWritableFileOwnerWrapper::Append(data, options, dbg);
  }
  rocksdb::IOStatus Sync(const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override {
    counter_.Count();
    return FSWritableFileOwnerWrapper::Sync(options, dbg);
  }

 private:
  KillCounter& counter_;
};

class KillingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit KillingFileSystem(KillCounter& counter)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), counter_(counter) {}
  const char* Name() const override { return "KillingFileSystem"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* dbg) override {
    counter_.Count();
    return Wrap(FileSystemWrapper::NewWritableFile(name, options, file, dbg), file);
  }
  rocksdb::IOStatus ReopenWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* dbg) override {
    counter_.Count();
    return Wrap(FileSystemWrapper::ReopenWritableFile(name, options, file, dbg), file);
  }
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* dbg) override {
    counter_.Count();
    return FileSystemWrapper::RenameFile(from, to, options, dbg);
  }
  rocksdb::IOStatus LinkFile(const std::string& from, const std::string& to,
                             const rocksdb::IOOptions& options,
                             rocksdb::IODebugContext* dbg) override {
    counter_.Count();
    return FileSystemWrapper::LinkFile(from, to, options, dbg);
  }
  rocksdb::IOStatus DeleteFile(const std::string& name, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* dbg) override {
    counter_.Count();
    return FileSystemWrapper::DeleteFile(name, options, dbg);
  }

 private:
  rocksdb::IOStatus Wrap(rocksdb::IOStatus status, std::unique_ptr<rocksdb::FSWritableFile>* file) {
    if (status.ok()) *file = std::make_unique<KillingFile>(std::move(*file), counter_);
    return status;
  }

  KillCounter& counter_;
};

}  // namespace outpace::store
