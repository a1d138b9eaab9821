#include "campaign/store/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace outpace::store {
namespace {

using nlohmann::json;

std::string ReadAll(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(n));
    if (text.size() > 65536) return text;  // no lock file of ours is that long
  }
}

// This process's command line, its arguments parted by blanks.
std::string CommandLine() {
  const int fd = ::open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  std::string text = ReadAll(fd);
  ::close(fd);
  std::replace(text.begin(), text.end(), '\0', ' ');
  return std::string(absl::StripSuffix(text, " ")).substr(0, 512);
}

std::string HostName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string Describe(absl::Time now) {
  json who = {{"pid", ::getpid()}, {"host", HostName()}, {"command", CommandLine()}};
  if (now != absl::InfinitePast()) {
    who["since"] = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", now, absl::UTCTimeZone());
  }
  return who.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

// Who holds the lock, in words; the file may be empty for the instant in which its owner starts.
std::string Holder(int fd) {
  const json who = json::parse(ReadAll(fd), nullptr, /*allow_exceptions=*/false);
  if (!who.is_object()) return "another process that is just starting";
  const auto text = [&who](const char* name) {
    const auto it = who.find(name);
    return it != who.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  std::string holder = "another process";
  if (const auto pid = who.find("pid"); pid != who.end() && pid->is_number_integer()) {
    holder = absl::StrCat("process ", pid->get<int64_t>());
  }
  if (const std::string host = text("host"); !host.empty() && host != HostName()) {
    absl::StrAppend(&holder, " on ", host);
  }
  if (const std::string since = text("since"); !since.empty()) {
    absl::StrAppend(&holder, " since ", since);
  }
  if (const std::string command = text("command"); !command.empty()) {
    absl::StrAppend(&holder, " (", command, ")");
  }
  return holder;
}

}  // namespace

absl::Status FileError(absl::string_view what, const std::string& path, int error_number) {
  const std::string reason = absl::StrCat("store: cannot ", what, " ", path, ": ",
                                          std::system_category().message(error_number));
  switch (error_number) {
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          reason, "; give user id ", ::geteuid(),
          " the right to read and write there (chown or chmod), or name another data directory"));
    case EROFS:
      return absl::PermissionDeniedError(absl::StrCat(
          reason, "; mount the file system for writing, or name another data directory"));
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(
          absl::StrCat(reason, "; check the path of the data directory in the configuration"));
    case ENOSPC:
    case EDQUOT:
      return absl::UnavailableError(
          absl::StrCat(reason, "; free space on that disk and start again"));
    case EMFILE:
    case ENFILE:
      return absl::UnavailableError(
          absl::StrCat(reason, "; raise the limit on open files (ulimit -n) and start again"));
    default:
      return absl::UnavailableError(
          absl::StrCat(reason, "; look at the disk and the system log, then start again"));
  }
}

absl::StatusOr<std::unique_ptr<ProcessLock>> ProcessLock::Acquire(const std::string& directory,
                                                                  absl::Time now) {
  const std::string path = absl::StrCat(directory, "/", kLockFileName);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return FileError("open the lock file", path, errno);
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const int error_number = errno;
    if (error_number == EINTR) continue;
    absl::Status status =
        error_number == EWOULDBLOCK
            ? absl::FailedPreconditionError(
                  absl::StrCat("store: ", directory, " is in use by ", Holder(fd),
                               "; stop that process, or give this one a data directory of its own"))
            : FileError("lock", path, error_number);
    ::close(fd);
    return status;
  }
  std::unique_ptr<ProcessLock> lock(new ProcessLock(fd));
  const std::string text = Describe(now);
  if (::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return FileError("write", path, errno);
  }
  return lock;
}

ProcessLock::~ProcessLock() {
  // The file stays: removing it would let a third opener lock a new file beside one still waiting.
  // Emptied first, so that nobody reads of a process that is gone; failing at that does no harm.
  if (::ftruncate(fd_, 0) != 0) errno = 0;
  ::close(fd_);
}

}  // namespace outpace::store
