#include "tests/fakes/crash_env.h"

#include <rocksdb/file_system.h>
#include <rocksdb/system_clock.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace outpace::fakes {
namespace {

using rocksdb::FileLock;
using rocksdb::FileOptions;
using rocksdb::FSDirectory;
using rocksdb::FSRandomAccessFile;
using rocksdb::FSSequentialFile;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

struct File {
  std::string data;
  size_t synced = 0;  // bytes of `data` that a power cut leaves
};
using FilePtr = std::shared_ptr<File>;

// RocksDB names the same file "/store/x" and "/store//x".
std::string Clean(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out.push_back(c);
  }
  if (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}
std::string DirectoryOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

class Lock final : public FileLock {
 public:
  explicit Lock(std::string p) : path(std::move(p)) {}
  const std::string path;
};

}  // namespace

class CrashFileSystem final : public rocksdb::FileSystem,
                              public std::enable_shared_from_this<CrashFileSystem> {
 public:
  const char* Name() const override { return "CrashFileSystem"; }

  // Counts one operation that changes the disk, and says whether it fails. Lock held.
  IOStatus Count(bool is_sync, int64_t bytes = 0) {
    ++operations;
    if (is_sync) ++syncs;
    if (crash_at > 0 && operations >= crash_at) crashed = true;
    if (crashed) return IOStatus::IOError("the power is gone");
    const int64_t now = fail_syncs_only ? (is_sync ? syncs : -1) : operations;
    if (fail_at > 0 && now == fail_at) {
      failed = true;
      return IOStatus::IOError("input/output error");
    }
    if (free_space >= 0 && bytes > free_space) return IOStatus::NoSpace("no space left on device");
    if (free_space >= 0) free_space -= bytes;
    return IOStatus::OK();
  }

  IOStatus NewSequentialFile(const std::string& name, const FileOptions&,
                             std::unique_ptr<FSSequentialFile>* result, IODebugContext*) override;
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions&,
                               std::unique_ptr<FSRandomAccessFile>* result,
                               IODebugContext*) override;
  IOStatus NewWritableFile(const std::string& name, const FileOptions&,
                           std::unique_ptr<FSWritableFile>* result, IODebugContext*) override;
  IOStatus NewDirectory(const std::string& name, const IOOptions&,
                        std::unique_ptr<FSDirectory>* result, IODebugContext*) override;

  IOStatus FileExists(const std::string& name, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(mutex);
    const std::string path = Clean(name);
    return live.count(path) > 0 || directories.count(path) > 0 ? IOStatus::OK()
                                                               : IOStatus::NotFound(path);
  }
  IOStatus GetChildren(const std::string& name, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    const std::lock_guard lock(mutex);
    const std::string directory = Clean(name);
    result->clear();
    if (directories.count(directory) == 0) return IOStatus::NotFound(directory);
    for (const auto& [path, file] : live) {
      if (DirectoryOf(path) == directory) result->push_back(path.substr(directory.size() + 1));
    }
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(mutex);
    if (IOStatus s = Count(false); !s.ok()) return s;
    return live.erase(Clean(name)) > 0 ? IOStatus::OK() : IOStatus::NotFound(name);
  }
  IOStatus CreateDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(mutex);
    directories.insert(Clean(name));
    return IOStatus::OK();
  }
  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions& o,
                              IODebugContext* dbg) override {
    return CreateDir(name, o, dbg);
  }
  IOStatus DeleteDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(mutex);
    directories.erase(Clean(name));
    return IOStatus::OK();
  }
  IOStatus GetFileSize(const std::string& name, const IOOptions&, uint64_t* size,
                       IODebugContext*) override {
    const std::lock_guard lock(mutex);
    const auto it = live.find(Clean(name));
    if (it == live.end()) return IOStatus::NotFound(name);
    *size = it->second->data.size();
    return IOStatus::OK();
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    const std::lock_guard lock(mutex);
    if (IOStatus s = Count(false); !s.ok()) return s;
    const auto it = live.find(Clean(from));
    if (it == live.end()) return IOStatus::NotFound(from);
    FilePtr file = it->second;
    live.erase(it);
    live[Clean(to)] = std::move(file);
    return IOStatus::OK();
  }
  IOStatus LockFile(const std::string& name, const IOOptions&, FileLock** lock,
                    IODebugContext*) override {
    const std::lock_guard guard(mutex);
    if (!locked.insert(Clean(name)).second) return IOStatus::IOError("lock", name);
    *lock = new Lock(Clean(name));
    return IOStatus::OK();
  }
  IOStatus UnlockFile(FileLock* lock, const IOOptions&, IODebugContext*) override {
    const std::lock_guard guard(mutex);
    locked.erase(static_cast<Lock*>(lock)->path);
    delete lock;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
    *path = "/test";
    return IOStatus::OK();
  }
  // RocksDB's own log would shift the count of operations from run to run.
  IOStatus NewLogger(const std::string&, const IOOptions&, std::shared_ptr<rocksdb::Logger>*,
                     IODebugContext*) override {
    return IOStatus::NotSupported("no log");
  }
  IOStatus GetAbsolutePath(const std::string& name, const IOOptions&, std::string* path,
                           IODebugContext*) override {
    *path = Clean(name);
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& name, const IOOptions&, bool* is_directory,
                       IODebugContext*) override {
    const std::lock_guard lock(mutex);
    *is_directory = directories.count(Clean(name)) > 0;
    return IOStatus::OK();
  }

  void Reboot(Rng* torn) {
    const std::lock_guard lock(mutex);
    if (torn != nullptr) {
      for (const auto& [path, file] : live) {
        if (durable.count(path) == 0 && torn->Chance(0.5)) durable[path] = file;
      }
    }
    std::set<File*> done;
    for (const auto& [path, file] : durable) {
      if (!done.insert(file.get()).second) continue;
      const size_t loose = file->data.size() - file->synced;
      const size_t kept = torn != nullptr ? static_cast<size_t>(torn->Below(loose + 1)) : 0;
      file->data.resize(file->synced + kept);
      if (kept > 1 && torn->Chance(0.5)) {  // a block in the middle never reached the disk
        const size_t from = static_cast<size_t>(torn->Below(kept));
        const size_t size = 1 + static_cast<size_t>(torn->Below(kept - from));
        std::fill_n(file->data.begin() + static_cast<ptrdiff_t>(file->synced + from), size, '\0');
      }
      file->synced = file->data.size();
    }
    live = durable;
    locked.clear();
    crashed = failed = false;
    crash_at = fail_at = 0;
    free_space = -1;
  }

  mutable std::mutex mutex;
  std::map<std::string, FilePtr> live, durable;
  std::set<std::string> directories, locked;
  int64_t operations = 0, syncs = 0, crash_at = 0, fail_at = 0, free_space = -1;
  bool crashed = false, failed = false, fail_syncs_only = false;
};

namespace {

using Disk = std::shared_ptr<CrashFileSystem>;

class Sequential final : public FSSequentialFile {
 public:
  Sequential(Disk disk, FilePtr file) : disk_(std::move(disk)), file_(std::move(file)) {}
  IOStatus Read(size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    const size_t size = std::min(n, file_->data.size() - std::min(at_, file_->data.size()));
    std::memcpy(scratch, file_->data.data() + std::min(at_, file_->data.size()), size);
    at_ += size;
    *result = Slice(scratch, size);
    return IOStatus::OK();
  }
  IOStatus Skip(uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }

 private:
  const Disk disk_;
  const FilePtr file_;
  size_t at_ = 0;
};

class RandomAccess final : public FSRandomAccessFile {
 public:
  RandomAccess(Disk disk, FilePtr file) : disk_(std::move(disk)), file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t n, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    const std::lock_guard lock(disk_->mutex);
    const size_t from = std::min(static_cast<size_t>(offset), file_->data.size());
    const size_t size = std::min(n, file_->data.size() - from);
    std::memcpy(scratch, file_->data.data() + from, size);
    *result = Slice(scratch, size);
    return IOStatus::OK();
  }

 private:
  const Disk disk_;
  const FilePtr file_;
};

class Writable final : public FSWritableFile {
 public:
  Writable(Disk disk, FilePtr file) : disk_(std::move(disk)), file_(std::move(file)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    if (IOStatus s = disk_->Count(false, static_cast<int64_t>(data.size())); !s.ok()) return s;
    file_->data.append(data.data(), data.size());
    return IOStatus::OK();
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    if (IOStatus s = disk_->Count(false); !s.ok()) return s;
    file_->data.resize(size);
    file_->synced = std::min(file_->synced, file_->data.size());
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    if (IOStatus s = disk_->Count(true); !s.ok()) return s;
    file_->synced = file_->data.size();
    return IOStatus::OK();
  }
  bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    return file_->data.size();
  }

 private:
  const Disk disk_;
  const FilePtr file_;
};

class Directory final : public FSDirectory {
 public:
  Directory(Disk disk, std::string path) : disk_(std::move(disk)), path_(std::move(path)) {}
  // Makes the directory's entries of now the ones a power cut leaves: new names, renames,
  // deletions.
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    const std::lock_guard lock(disk_->mutex);
    if (IOStatus s = disk_->Count(true); !s.ok()) return s;
    std::erase_if(disk_->durable,
                  [this](const auto& entry) { return DirectoryOf(entry.first) == path_; });
    for (const auto& [path, file] : disk_->live) {
      if (DirectoryOf(path) == path_) disk_->durable[path] = file;
    }
    return IOStatus::OK();
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  const Disk disk_;
  const std::string path_;
};

}  // namespace

IOStatus CrashFileSystem::NewSequentialFile(const std::string& name, const FileOptions&,
                                            std::unique_ptr<FSSequentialFile>* result,
                                            IODebugContext*) {
  const std::lock_guard lock(mutex);
  const auto it = live.find(Clean(name));
  if (it == live.end()) return IOStatus::PathNotFound(name);
  *result = std::make_unique<Sequential>(shared_from_this(), it->second);
  return IOStatus::OK();
}

IOStatus CrashFileSystem::NewRandomAccessFile(const std::string& name, const FileOptions&,
                                              std::unique_ptr<FSRandomAccessFile>* result,
                                              IODebugContext*) {
  const std::lock_guard lock(mutex);
  const auto it = live.find(Clean(name));
  if (it == live.end()) return IOStatus::PathNotFound(name);
  *result = std::make_unique<RandomAccess>(shared_from_this(), it->second);
  return IOStatus::OK();
}

IOStatus CrashFileSystem::NewWritableFile(const std::string& name, const FileOptions&,
                                          std::unique_ptr<FSWritableFile>* result,
                                          IODebugContext*) {
  const std::lock_guard lock(mutex);
  if (IOStatus s = Count(false); !s.ok()) return s;
  auto file = std::make_shared<File>();
  live[Clean(name)] = file;
  *result = std::make_unique<Writable>(shared_from_this(), std::move(file));
  return IOStatus::OK();
}

IOStatus CrashFileSystem::NewDirectory(const std::string& name, const IOOptions&,
                                       std::unique_ptr<FSDirectory>* result, IODebugContext*) {
  *result = std::make_unique<Directory>(shared_from_this(), Clean(name));
  return IOStatus::OK();
}

namespace {

// After a failed flush RocksDB sleeps for a second; here it only gives up its turn.
class HastyClock final : public rocksdb::SystemClockWrapper {
 public:
  using SystemClockWrapper::SystemClockWrapper;
  const char* Name() const override { return "HastyClock"; }
  void SleepForMicroseconds(int) override { std::this_thread::yield(); }
};

class CrashEnvironment final : public rocksdb::EnvWrapper {
 public:
  explicit CrashEnvironment(const Disk& disk) : EnvWrapper(rocksdb::NewCompositeEnv(disk)) {
    system_clock_ = std::make_shared<HastyClock>(rocksdb::SystemClock::Default());
  }
  const char* Name() const override { return "CrashEnvironment"; }
  void SleepForMicroseconds(int micros) override { system_clock_->SleepForMicroseconds(micros); }
};

}  // namespace

CrashEnv::CrashEnv()
    : files_(std::make_shared<CrashFileSystem>()),
      env_(std::make_unique<CrashEnvironment>(files_)) {}
CrashEnv::~CrashEnv() = default;

int64_t CrashEnv::operations() const {
  const std::lock_guard lock(files_->mutex);
  return files_->operations;
}

void CrashEnv::CrashAt(int64_t k) {
  const std::lock_guard lock(files_->mutex);
  files_->operations = 0;
  files_->crash_at = k;
}

bool CrashEnv::crashed() const {
  const std::lock_guard lock(files_->mutex);
  return files_->crashed;
}

void CrashEnv::FailOnceAt(int64_t k, bool syncs_only) {
  const std::lock_guard lock(files_->mutex);
  files_->operations = files_->syncs = 0;
  files_->fail_at = k;
  files_->failed = false;
  files_->fail_syncs_only = syncs_only;
}

bool CrashEnv::failed() const {
  const std::lock_guard lock(files_->mutex);
  return files_->failed;
}

void CrashEnv::SetFreeSpace(int64_t bytes) {
  const std::lock_guard lock(files_->mutex);
  files_->free_space = bytes;
}

void CrashEnv::Reboot(Rng* torn) { files_->Reboot(torn); }

std::vector<std::string> CrashEnv::Files() const {
  const std::lock_guard lock(files_->mutex);
  std::vector<std::string> paths;
  for (const auto& [path, file] : files_->live) paths.push_back(path);
  return paths;
}

size_t CrashEnv::SizeOf(const std::string& path) const {
  const std::lock_guard lock(files_->mutex);
  return files_->live.at(path)->data.size();
}

void CrashEnv::Flip(const std::string& path, size_t offset, uint8_t mask) {
  const std::lock_guard lock(files_->mutex);
  char& byte = files_->live.at(path)->data.at(offset);
  byte = static_cast<char>(static_cast<uint8_t>(byte) ^ mask);
}

void CrashEnv::Cut(const std::string& path, size_t size) {
  const std::lock_guard lock(files_->mutex);
  File& file = *files_->live.at(path);
  file.data.resize(size);
  file.synced = std::min(file.synced, size);
}

}  // namespace outpace::fakes
