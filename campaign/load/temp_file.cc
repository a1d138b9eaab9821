#include "campaign/load/temp_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::load {
namespace {

constexpr size_t kBufferBytes = 256 * 1024;

class TempSource final : public ByteSource {
 public:
  explicit TempSource(std::unique_ptr<TempFile> file) : file_(std::move(file)) {}
  uint64_t size() const override { return file_->size(); }
  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> to) const override {
    return file_->Read(offset, to);
  }

 private:
  const std::unique_ptr<TempFile> file_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TempFile>> TempFile::Make(const std::string& directory) {
  std::string name = directory;
  if (name.empty()) {
    const char* const set = std::getenv("TMPDIR");
    name = set != nullptr && *set != '\0' ? set : "/tmp";
  }
  int descriptor = ::open(name.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0) {  // a file system without such files, or no such directory
    const std::string folder = name;
    name += "/outpace-XXXXXX";
    descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor < 0) {
      return absl::UnavailableError(absl::StrCat("no temporary file can be made in ", folder, ": ",
                                                 std::strerror(errno), "; set TMPDIR"));
    }
    ::unlink(name.c_str());
  }
  return std::unique_ptr<TempFile>(new TempFile(descriptor));
}

TempFile::~TempFile() {
  if (mapped_ != nullptr) ::munmap(mapped_, mapped_size_);
  ::close(descriptor_);
}

void TempFile::Append(absl::string_view octets) {
  buffer_.append(octets.data(), octets.size());
  if (buffer_.size() >= kBufferBytes) Flush();
}

void TempFile::Flush() {
  size_t done = 0;
  while (done < buffer_.size() && error_ == 0) {
    const ssize_t n = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (n < 0 && errno == EINTR) continue;
    // A write that takes nothing would be tried for ever.
    if (n <= 0) error_ = n < 0 ? errno : EIO;
    if (n > 0) done += static_cast<size_t>(n);
  }
  written_ += buffer_.size();
  buffer_.clear();
}

absl::Status TempFile::Finish() {
  Flush();
  if (error_ == 0) return absl::OkStatus();
  const std::string text =
      absl::StrCat("a temporary file of ", written_ >> 20,
                   " MiB cannot be written: ", std::strerror(error_), "; set TMPDIR");
  const bool full = error_ == ENOSPC || error_ == EDQUOT || error_ == EFBIG;
  return full ? absl::ResourceExhaustedError(text) : absl::UnavailableError(text);
}

absl::StatusOr<absl::string_view> TempFile::Map() {
  if (written_ == 0) return absl::string_view();
  if (mapped_ == nullptr) {
    void* const at = ::mmap(nullptr, written_, PROT_READ, MAP_SHARED, descriptor_, 0);
    if (at == MAP_FAILED) {
      return absl::UnavailableError(
          absl::StrCat("a temporary file cannot be mapped: ", std::strerror(errno)));
    }
    mapped_ = at;
    mapped_size_ = written_;
  }
  return absl::string_view(static_cast<const char*>(mapped_), mapped_size_);
}

std::unique_ptr<ByteSource> TempFile::IntoSource(std::unique_ptr<TempFile> file) {
  return std::make_unique<TempSource>(std::move(file));
}

absl::StatusOr<size_t> TempFile::Read(uint64_t offset, absl::Span<char> to) const {
  const size_t wanted = offset >= written_
                            ? 0
                            : static_cast<size_t>(std::min<uint64_t>(to.size(), written_ - offset));
  size_t got = 0;
  while (got < wanted) {
    const ssize_t n =
        ::pread(descriptor_, to.data() + got, wanted - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return absl::UnavailableError("a temporary file cannot be read");
    got += static_cast<size_t>(n);
  }
  return got;
}

}  // namespace outpace::load
