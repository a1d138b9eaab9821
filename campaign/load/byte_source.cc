#include "campaign/load/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace outpace::load {
namespace {

class ViewSource final : public ByteSource {
 public:
  explicit ViewSource(absl::string_view bytes) : bytes_(bytes) {}
  uint64_t size() const override { return bytes_.size(); }
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> to) const override {
    if (offset >= bytes_.size()) return 0;
    const absl::string_view part = bytes_.substr(offset, to.size());
    std::copy(part.begin(), part.end(), to.begin());
    return part.size();
  }

 private:
  const absl::string_view bytes_;
};

class FileSource final : public ByteSource {
 public:
  FileSource(int descriptor, uint64_t size) : descriptor_(descriptor), size_(size) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { ::close(descriptor_); }

  uint64_t size() const override { return size_; }
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> to) const override {
    const size_t wanted =
        offset >= size_ ? 0 : static_cast<size_t>(std::min<uint64_t>(to.size(), size_ - offset));
    size_t got = 0;
    while (got < wanted) {
      const ssize_t n =
          ::pread(descriptor_, to.data() + got, wanted - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        return absl::UnavailableError(absl::StrCat("file: cannot be read: ", std::strerror(errno)));
      }
      if (n == 0) {
        return absl::DataLossError("file: became shorter while it was read; load it again");
      }
      got += static_cast<size_t>(n);
    }
    return got;
  }

 private:
  const int descriptor_;
  const uint64_t size_;  // when it was opened; what is appended later is not read
};

}  // namespace

std::unique_ptr<ByteSource> MemorySource(absl::string_view bytes) {
  return std::make_unique<ViewSource>(bytes);
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenFileSource(const std::string& path) {
  // Not blocking: opening a pipe would wait for its other end.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    const std::string why = absl::StrCat(path, ": ", std::strerror(errno));
    if (errno == ENOENT || errno == ENOTDIR) {
      return absl::NotFoundError(absl::StrCat(why, "; check the path"));
    }
    if (errno == EACCES || errno == EPERM) {
      return absl::PermissionDeniedError(
          absl::StrCat(why, "; give this user the right to read it"));
    }
    return absl::UnavailableError(why);
  }
  struct stat facts = {};
  if (::fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
    ::close(descriptor);
    return absl::InvalidArgumentError(absl::StrCat(path, ": is no file; save the list to one"));
  }
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<FileSource>(descriptor, static_cast<uint64_t>(facts.st_size));
}

}  // namespace outpace::load
