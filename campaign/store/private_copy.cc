#include "campaign/store/private_copy.h"

#include <fcntl.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/checkpoint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/process_lock.h"
#include "campaign/store/rocks_db.h"

namespace outpace::store {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kOwnerOnly = 0700;

absl::Status Rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return absl::OkStatus();
  return FileError("rename", from, errno);
}

void RemoveAll(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

absl::Status MakePrivateDirectory(const std::string& directory) {
  if (::mkdir(directory.c_str(), kOwnerOnly) == 0) return absl::OkStatus();
  if (errno != EEXIST) return FileError("make", directory, errno);
  if (::chmod(directory.c_str(), kOwnerOnly) == 0) return absl::OkStatus();
  return FileError("keep others from", directory, errno);
}

absl::Status SyncDirectory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FileError("open", directory, errno);
  const int error_number = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  return error_number == 0 ? absl::OkStatus() : FileError("sync", directory, error_number);
}

std::string ParentOf(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

absl::Status CheckpointTo(rocksdb::DB& db, const std::string& directory,
                          const std::string& sequence) {
  // RocksDB makes the directory itself, for all to read: so that is done within a private one.
  const std::string making = absl::StrCat(directory, ".making");
  RemoveAll(making);
  const auto remove = absl::MakeCleanup([&making] { RemoveAll(making); });
  if (absl::Status s = MakePrivateDirectory(making); !s.ok()) return s;
  const std::string inner = absl::StrCat(making, "/store");
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(&db, &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(inner);
  if (status.ok() && !sequence.empty()) {
    status = rocksdb::WriteStringToFile(rocksdb::Env::Default(), sequence,
                                        absl::StrCat(inner, "/", kSequenceFileName),
                                        /*should_sync=*/true);
  }
  if (!status.ok()) {
    return absl::UnavailableError(
        absl::StrCat(directory, ": ", status.ToString(),
                     "; look at the disk's space and the rights of the directory"));
  }
  if (absl::Status s = MakePrivateDirectory(inner); !s.ok()) return s;
  if (absl::Status s = SyncDirectory(inner); !s.ok()) return s;
  if (absl::Status s = Rename(inner, directory); !s.ok()) return s;
  return SyncDirectory(ParentOf(directory));
}

absl::Status PlaceDirectory(const std::string& fresh, const std::string& path,
                            const std::string& kept, bool may_exchange) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return FileError("look at", path, errno);
    if (absl::Status s = Rename(fresh, path); !s.ok()) return s;
    return SyncDirectory(ParentOf(path));
  }
  // The fresh one takes the name of the other first: cut off there, nothing is lost or hidden.
  bool exchanged = false;
  if (may_exchange) {
    if (absl::Status s = Rename(fresh, kept); !s.ok()) return s;
    exchanged = ::renameat2(AT_FDCWD, kept.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0;
    if (!exchanged) {
      if (absl::Status s = Rename(kept, fresh); !s.ok()) return s;
    }
  }
  if (!exchanged) {
    if (absl::Status s = Rename(path, kept); !s.ok()) return s;
    if (absl::Status s = Rename(fresh, path); !s.ok()) {
      Rename(kept, path).IgnoreError();  // the first error is the one to tell
      return s;
    }
  }
  return SyncDirectory(ParentOf(path));
}

}  // namespace outpace::store
