#pragma once

// One data directory, one engine: two dialers on one list would ring people twice. RocksDB has a
// lock of its own, but it cannot say who holds it; this one can.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::store {

// Holds <directory>/outpace.lock by flock(2) until destroyed or the process dies, however it dies.
// The file says in JSON who holds it: pid, host, since, command.
class ProcessLock {
 public:
  // Never waits. FailedPrecondition when another opener holds it, with pid, since when and command;
  // PermissionDenied or Unavailable, with the remedy, when the file cannot be written.
  // `now` is only written down; InfinitePast: not known.
  static absl::StatusOr<std::unique_ptr<ProcessLock>> Acquire(const std::string& directory,
                                                              absl::Time now);
  ~ProcessLock();
  ProcessLock(const ProcessLock&) = delete;
  ProcessLock& operator=(const ProcessLock&) = delete;

 private:
  explicit ProcessLock(int fd) : fd_(fd) {}
  int fd_;
};

inline constexpr char kLockFileName[] = "outpace.lock";

// The failure of a system call on a file of the store, with what to do about it: `what` names the
// step, `path` the file. ENOENT: NotFound; EACCES, EPERM, EROFS: PermissionDenied; ENOSPC and
// others: Unavailable.
absl::Status FileError(absl::string_view what, const std::string& path, int error_number);

}  // namespace outpace::store
