#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/audit/audit_files.h"
#include "engine/base/posix_file.h"

namespace outpace::audit {
namespace {

constexpr char kLockFile[] = "lock";

absl::Status FileError(absl::string_view path, absl::string_view doing, int error) {
  const absl::Status status = outpace::FileError("audit", path, doing, error);
  if (!absl::IsResourceExhausted(status)) return status;
  return absl::ResourceExhaustedError(absl::StrCat(status.message(), ", then start again"));
}

class PosixFile final : public AuditFile {
 public:
  PosixFile(Descriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  absl::Status Append(absl::string_view bytes) override {
    const int error = WriteAll(fd_.get(), bytes);
    return error == 0 ? absl::OkStatus() : FileError(path_, "written", error);
  }
  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> to) override {
    for (;;) {
      const ssize_t got = ::pread(fd_.get(), to.data(), to.size(), static_cast<off_t>(offset));
      if (got >= 0) return static_cast<size_t>(got);
      if (errno != EINTR) return FileError(path_, "read", errno);
    }
  }
  absl::Status Truncate(uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) == 0) return absl::OkStatus();
    return FileError(path_, "cut", errno);
  }
  absl::Status Reserve(uint64_t size) override {
    int result = 0;
    do {
      result = ::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size));
    } while (result != 0 && errno == EINTR);
    if (result == 0 || errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) {
      return absl::OkStatus();
    }
    return FileError(path_, "given room on the disk", errno);
  }
  absl::Status Sync() override {
    return ::fdatasync(fd_.get()) == 0 ? absl::OkStatus() : FileError(path_, "synced", errno);
  }

 private:
  const Descriptor fd_;
  const std::string path_;
};

class PosixFiles final : public AuditFiles {
 public:
  PosixFiles(Descriptor root, std::string directory)
      : root_(std::move(root)), directory_(std::move(directory)) {}

  absl::StatusOr<std::unique_ptr<AuditFile>> Create(const std::string& name) override {
    auto file = OpenFile(name, O_RDWR | O_APPEND | O_CREAT | O_EXCL, "made");
    if (!file.ok()) return file;
    if (absl::Status status = SyncDirectory(); !status.ok()) return status;
    return file;
  }
  absl::StatusOr<std::unique_ptr<AuditFile>> Open(const std::string& name, bool writable) override {
    return OpenFile(name, writable ? O_RDWR | O_APPEND : O_RDONLY, "opened");
  }

  absl::Status Replace(const std::string& name, absl::string_view bytes) override {
    const std::string next = name + ".new";
    auto file = OpenFile(next, O_RDWR | O_CREAT | O_TRUNC, "made");
    if (!file.ok()) return file.status();
    if (absl::Status status = (*file)->Append(bytes); !status.ok()) return status;
    if (absl::Status status = (*file)->Sync(); !status.ok()) return status;
    if (::renameat(root_.get(), next.c_str(), root_.get(), name.c_str()) != 0) {
      return FileError(Full(name), "replaced", errno);
    }
    return SyncDirectory();
  }

  absl::Status Remove(const std::string& name) override {
    if (::unlinkat(root_.get(), name.c_str(), 0) != 0) {
      return FileError(Full(name), "removed", errno);
    }
    return SyncDirectory();
  }

  absl::StatusOr<std::vector<std::string>> List() override {
    const int fd = ::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* const dir = fd < 0 ? nullptr : ::fdopendir(fd);
    if (dir == nullptr) {
      const int error = errno;
      if (fd >= 0) ::close(fd);
      return FileError(directory_, "listed", error);
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(dir)) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(dir);
    std::sort(names.begin(), names.end());
    return names;
  }

  absl::Status Lock() override {
    Descriptor fd(
        ::openat(root_.get(), kLockFile, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd.get() < 0) return FileError(Full(kLockFile), "opened", errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return FileError(Full(kLockFile), "locked", errno);
      return absl::FailedPreconditionError(
          absl::StrCat("audit: ", directory_,
                       " is written by another engine; stop it, or use a directory each"));
    }
    lock_ = std::move(fd);
    return absl::OkStatus();
  }

 private:
  std::string Full(const std::string& name) const { return absl::StrCat(directory_, "/", name); }

  absl::Status SyncDirectory() {
    return ::fsync(root_.get()) == 0 ? absl::OkStatus() : FileError(directory_, "synced", errno);
  }

  absl::StatusOr<std::unique_ptr<AuditFile>> OpenFile(const std::string& name, int flags,
                                                      absl::string_view doing) {
    if (name.empty() || absl::StrContains(name, '/')) return FileError(name, "used", EPERM);
    Descriptor fd(::openat(root_.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd.get() < 0) return FileError(Full(name), doing, errno);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
      return FileError(Full(name), doing, ENOTDIR);
    }
    return std::make_unique<PosixFile>(std::move(fd), Full(name));
  }

  const Descriptor root_;
  const std::string directory_;
  Descriptor lock_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<AuditFiles>> NewPosixAuditFiles(const std::string& directory,
                                                               bool read_only) {
  if (directory.empty()) return absl::InvalidArgumentError("audit: no directory is named");
  if (!read_only) {
    if (absl::Status status = MakeDirectories("audit", directory, 0700); !status.ok())
      return status;
  }
  Descriptor root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0) return FileError(directory, "opened", errno);
  return std::make_unique<PosixFiles>(std::move(root), directory);
}

}  // namespace outpace::audit
