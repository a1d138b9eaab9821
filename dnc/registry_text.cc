#include "dnc/registry_text.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/posix_file.h"

namespace outpace::dnc {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr size_t kLineMax = 4096;
constexpr size_t kChunk = size_t{4} << 20;  // numbers given to the set at a time
constexpr size_t kRejectedShown = 20;
constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Lines {
 public:
  Lines(absl::FunctionRef<uint64_t(absl::string_view)> read, NumberSet& out)
      : read_(read), out_(out) {}

  void Take(absl::string_view line) {
    ++at_;
    if (at_ == 1 && absl::StartsWith(line, kByteOrderMark)) line.remove_prefix(3);
    if (line.find_first_not_of(" \t") == absl::string_view::npos) return;
    ++counts_.lines;
    if (const uint64_t number = read_(line); number != 0) {
      ++counts_.numbers;
      chunk_.push_back(number);
      if (chunk_.size() == kChunk) Flush();
      return;
    }
    const bool heading =
        counts_.lines == 1 && line.find_first_of("0123456789") == absl::string_view::npos;
    if (heading) return;
    if (++counts_.rejected <= kRejectedShown) counts_.first_rejected.push_back(at_);
  }
  void Flush() {
    out_.AddMany(chunk_);
    chunk_.clear();
  }
  uint64_t at() const { return at_; }
  RegistryLines TakeCounts() { return std::move(counts_); }

 private:
  absl::FunctionRef<uint64_t(absl::string_view)> read_;
  NumberSet& out_;
  std::vector<uint64_t> chunk_;
  uint64_t at_ = 0;  // lines seen, blank ones too
  RegistryLines counts_;
};

// Gives all whole lines of `text` to `lines`; what is left is the beginning of one. CRLF may be cut
// between its two octets: the LF then ends an empty line, which would be counted, so a CR at the
// very end waits for what follows.
size_t TakeWhole(absl::string_view text, Lines& lines) {
  size_t begin = 0;
  size_t lf = text.find('\n');  // the first at `begin` or behind it: looked for once, not by line
  for (;;) {
    if (lf != absl::string_view::npos && lf < begin) lf = text.find('\n', begin);
    const absl::string_view before_lf = text.substr(begin, lf - begin);
    const size_t length = std::min(before_lf.find('\r'), before_lf.size());
    const bool at_cr = length < before_lf.size();
    if (!at_cr && lf == absl::string_view::npos) return begin;
    if (at_cr && begin + length + 1 == text.size()) return begin;
    lines.Take(before_lf.substr(0, length));
    begin += length + (at_cr && text[begin + length + 1] == '\n' ? 2 : 1);
  }
}

}  // namespace

absl::StatusOr<RegistryLines> ReadRegistryText(
    const std::string& path, absl::FunctionRef<uint64_t(absl::string_view line)> read,
    NumberSet& out) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return FileError("", path, "opened", errno);
  Lines lines(read, out);
  std::string buffer;
  for (;;) {
    const size_t kept = buffer.size();
    buffer.resize(kept + kReadBytes);
    const ssize_t got = ::read(fd.get(), buffer.data() + kept, kReadBytes);
    if (got < 0 && errno != EINTR) return FileError("", path, "read", errno);
    buffer.resize(kept + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
    buffer.erase(0, TakeWhole(buffer, lines));
    if (buffer.size() > kLineMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": line ", lines.at() + 1, " is longer than ", kLineMax,
                       " octets; a registry is text with one number a line"));
    }
  }
  if (!buffer.empty() && buffer.back() == '\r') buffer.pop_back();
  if (!buffer.empty()) lines.Take(buffer);
  lines.Flush();
  return lines.TakeCounts();
}

}  // namespace outpace::dnc
