#include "engine/runtime/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::runtime {
namespace {

absl::Status FileError(const std::string& path, absl::string_view doing) {
  const std::string text = absl::StrCat(path, ": cannot be ", doing, ": ", std::strerror(errno));
  if (errno == ENOENT) return absl::NotFoundError(text + "; check the path");
  if (errno == EACCES || errno == EPERM) {
    return absl::PermissionDeniedError(text + "; give this user the right to it");
  }
  if (errno == ENOSPC) return absl::ResourceExhaustedError(text + "; free some space");
  return absl::UnavailableError(text);
}

constexpr size_t kBufferBytes = 1 << 18;

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return FileError(path, "opened");
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
    ::close(fd);
    return absl::InvalidArgumentError(absl::StrCat(path, ": is a directory; name a file"));
  }
  std::string bytes;
  bytes.reserve(static_cast<size_t>(info.st_size));
  char buffer[1 << 16];
  ssize_t got = 0;
  while ((got = ::read(fd, buffer, sizeof buffer)) > 0)
    bytes.append(buffer, static_cast<size_t>(got));
  const absl::Status status = got < 0 ? FileError(path, "read") : absl::OkStatus();
  ::close(fd);
  if (!status.ok()) return status;
  return bytes;
}

AtomicFile::AtomicFile(std::string path, int fd)
    : path_(std::move(path)), temporary_(path_ + ".part"), fd_(fd) {}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

absl::StatusOr<std::unique_ptr<AtomicFile>> AtomicFile::Create(const std::string& path) {
  const int fd = ::open((path + ".part").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return FileError(path, "written");
  return std::unique_ptr<AtomicFile>(new AtomicFile(path, fd));
}

absl::Status AtomicFile::Write(absl::string_view bytes) {
  buffer_.append(bytes.data(), bytes.size());
  return buffer_.size() < kBufferBytes ? absl::OkStatus() : Flush();
}

absl::Status AtomicFile::Flush() {
  absl::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t put = ::write(fd_, rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return FileError(temporary_, "written");
    rest.remove_prefix(static_cast<size_t>(put));
  }
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status AtomicFile::Sync() {
  if (absl::Status status = Flush(); !status.ok()) return status;
  return ::fsync(fd_) == 0 ? absl::OkStatus() : FileError(temporary_, "synced");
}

absl::Status AtomicFile::Commit() {
  if (absl::Status status = Sync(); !status.ok()) return status;
  ::close(std::exchange(fd_, -1));
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const absl::Status status = FileError(path_, "replaced");
    ::unlink(temporary_.c_str());
    return status;
  }
  return absl::OkStatus();
}

}  // namespace outpace::runtime
