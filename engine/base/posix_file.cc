#include "engine/base/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace outpace {

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

absl::Status FileError(absl::string_view whose, absl::string_view path, absl::string_view doing,
                       int error) {
  const std::string text = absl::StrCat(whose, whose.empty() ? "" : ": ", path, " cannot be ",
                                        doing, ": ", std::strerror(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(text + "; check the path");
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(text + "; give this user the right to it");
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return absl::ResourceExhaustedError(text + "; free space on that disk");
    case EEXIST:
      return absl::AlreadyExistsError(text);
    case EISDIR:
    case ELOOP:
    case ENOTDIR:
      return absl::FailedPreconditionError(
          text +
          "; a part of the path is a link, or a directory where a file must be, or the "
          "reverse: move it away");
    default:
      return absl::UnavailableError(text + "; look at the disk and the system log");
  }
}

int WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return 0;
}

std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

absl::Status SyncDirectory(absl::string_view whose, const std::string& directory) {
  const Descriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return FileError(whose, directory, "opened", errno);
  // EINVAL: a file system that knows no such thing, and keeps its names by other means.
  if (::fsync(fd.get()) == 0 || errno == EINVAL) return absl::OkStatus();
  return FileError(whose, directory, "synced", errno);
}

absl::Status MakeDirectories(absl::string_view whose, const std::string& path, unsigned mode) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), mode) == 0) {
      if (absl::Status s = SyncDirectory(whose, DirectoryOf(part)); !s.ok()) return s;
    } else if (errno != EEXIST) {
      return FileError(whose, part, "made", errno);
    }
    if (slash == std::string::npos) return absl::OkStatus();
  }
}

}  // namespace outpace
