#pragma once

// What every folder that keeps files of its own needs of the machine: a descriptor that closes
// itself, errors that say what to do, and names that survive a power cut.

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace outpace {

// Owns a file descriptor; -1: none.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();  // closes
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// "audit: /var/x cannot be opened: Permission denied; give this user the right to it". `whose`: the
// part of the program, or empty. NotFound, PermissionDenied, AlreadyExists; ResourceExhausted: the
// disk or the quota is full; FailedPrecondition: a link or a directory where there must be none;
// anything else Unavailable. Never OK, whatever `error` (of errno) is.
absl::Status FileError(absl::string_view whose, absl::string_view path, absl::string_view doing,
                       int error);

// Writes all of it, in as many calls as it takes; 0, or errno.
int WriteAll(int fd, absl::string_view bytes);

// The directory a path lies in, with its last '/'; "." if it names none.
std::string DirectoryOf(const std::string& path);
// What was made, renamed or removed in `directory` is so after a power cut too.
absl::Status SyncDirectory(absl::string_view whose, const std::string& directory);
// mkdir -p for a path the operator has given: links in it are his. Those it makes get `mode` and
// are on stable storage when it returns.
absl::Status MakeDirectories(absl::string_view whose, const std::string& path, unsigned mode);

}  // namespace outpace
