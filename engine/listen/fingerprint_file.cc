#include "engine/listen/fingerprint_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace outpace::listen {
namespace {

constexpr absl::string_view kMagic("OPFPRNT\0", 8);
constexpr uint32_t kVersion = 1;
constexpr size_t kHeadBytes = 24;
// 2,000 samples of a minute: 144 MB. Anything longer is no set.
constexpr uint64_t kFileBytesMax = uint64_t{256} << 20;
constexpr uint32_t kFramesMax = 60 * 50;
constexpr uint32_t kSamplesMax = 2000;
constexpr size_t kTextMax = 200;
constexpr size_t kPrintBytes = 6;

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? 0xedb88320u ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}();

uint32_t Crc32(absl::string_view bytes) {
  uint32_t crc = 0xffffffffu;
  for (const char c : bytes) crc = kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}

void Put(std::string& out, uint64_t value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
}

class Reader {
 public:
  explicit Reader(absl::string_view bytes) : left_(bytes) {}
  uint64_t Number(size_t bytes) {
    if (left_.size() < bytes) {
      good_ = false;
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; ++i) {
      value |= uint64_t{static_cast<uint8_t>(left_[i])} << (8 * i);
    }
    left_.remove_prefix(bytes);
    return value;
  }
  std::string Text() {
    const auto length = static_cast<size_t>(Number(2));
    if (!good_ || length == 0 || length > kTextMax || length > left_.size()) {
      good_ = false;
      return "";
    }
    std::string text(left_.substr(0, length));
    left_.remove_prefix(length);
    return text;
  }
  bool good() const { return good_; }
  size_t left() const { return left_.size(); }

 private:
  absl::string_view left_;
  bool good_ = true;
};

absl::Status Damaged(absl::string_view name, absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat(name, ": ", what,
                   "; take it from a backup, or make the set anew from its samples "
                   "with `outpace media learn`"));
}

absl::Status SystemError(const std::string& path, absl::string_view doing) {
  const int error = errno;
  const std::string why =
      absl::StrCat(path, ": the fingerprint set cannot be ", doing, ": ", std::strerror(error));
  return error == ENOENT                     ? absl::NotFoundError(why)
         : error == EACCES || error == EPERM ? absl::PermissionDeniedError(why)
                                             : absl::UnavailableError(why);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

bool WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

std::string EncodeFingerprints(absl::Span<const SamplePrint> samples) {
  std::string body;
  Put(body, samples.size(), 4);
  for (const SamplePrint& sample : samples) {
    Put(body, sample.announcement_class.size(), 2);
    body += sample.announcement_class;
    Put(body, sample.name.size(), 2);
    body += sample.name;
    Put(body, static_cast<uint64_t>(std::llround(sample.seconds * 1000)), 4);
    Put(body, sample.frames, 4);
    for (const SubPrint& print : sample.prints) {
      Put(body, print.bits, 3);
      Put(body, print.sure, 3);
    }
  }
  std::string file(kMagic);
  Put(file, kVersion, 4);
  Put(file, Crc32(body), 4);
  Put(file, body.size(), 8);
  return file + body;
}

absl::StatusOr<std::vector<SamplePrint>> DecodeFingerprints(absl::string_view bytes,
                                                            absl::string_view name) {
  if (bytes.size() < kHeadBytes || bytes.substr(0, kMagic.size()) != kMagic) {
    return Damaged(name, "this is no fingerprint set");
  }
  Reader head(bytes.substr(kMagic.size()));
  const auto version = static_cast<uint32_t>(head.Number(4));
  if (version != kVersion) {
    return Damaged(name, absl::StrCat("written in version ", version,
                                      " of the format, this program "
                                      "reads version ",
                                      kVersion));
  }
  const auto crc = static_cast<uint32_t>(head.Number(4));
  const uint64_t length = head.Number(8);
  const absl::string_view body = bytes.substr(kHeadBytes);
  if (length != body.size()) {
    return Damaged(name, absl::StrCat("cut off or grown: ", body.size(), " octets where ", length,
                                      " were written"));
  }
  if (Crc32(body) != crc) return Damaged(name, "the check sum does not fit: damaged");

  Reader reader(body);
  const auto count = static_cast<uint32_t>(reader.Number(4));
  if (!reader.good() || count > kSamplesMax) return Damaged(name, "too many samples");
  std::vector<SamplePrint> samples;
  const auto& classes = AnnouncementClasses();
  for (uint32_t i = 0; i < count; ++i) {
    SamplePrint sample;
    sample.announcement_class = reader.Text();
    sample.name = reader.Text();
    sample.seconds = static_cast<double>(reader.Number(4)) / 1000;
    sample.frames = static_cast<uint32_t>(reader.Number(4));
    if (!reader.good() || sample.frames == 0 || sample.frames > kFramesMax ||
        reader.left() / kPrintBytes / kOffsets < sample.frames) {
      return Damaged(name, absl::StrCat("sample ", i + 1, " does not fit"));
    }
    if (std::find(classes.begin(), classes.end(), sample.announcement_class) == classes.end()) {
      return Damaged(name,
                     absl::StrCat("sample ", i + 1, " is of a class this program does not know"));
    }
    sample.prints.resize(size_t{sample.frames} * kOffsets);
    for (SubPrint& print : sample.prints) {
      print.bits = static_cast<uint32_t>(reader.Number(3));
      print.sure = static_cast<uint32_t>(reader.Number(3));
    }
    samples.push_back(std::move(sample));
  }
  if (reader.left() > 0) return Damaged(name, "octets after the last sample");
  return samples;
}

absl::StatusOr<std::vector<SamplePrint>> ReadFingerprintFile(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError(path, "opened");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return SystemError(path, "read");
  if (!S_ISREG(info.st_mode) || static_cast<uint64_t>(info.st_size) > kFileBytesMax) {
    return Damaged(path, "this is no fingerprint set");
  }
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError(path, "read");
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  bytes.resize(have);
  return DecodeFingerprints(bytes, path);
}

absl::Status WriteFingerprintFile(const std::string& path, absl::Span<const SamplePrint> samples) {
  const std::string bytes = EncodeFingerprints(samples);
  const std::string beside = absl::StrCat(path, ".", ::getpid(), ".tmp");
  {
    const Descriptor file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.get() < 0) return SystemError(path, "written");
    if (!WriteAll(file.get(), bytes) || ::fsync(file.get()) != 0) {
      const absl::Status status = SystemError(path, "written");
      ::unlink(beside.c_str());
      return status;
    }
  }
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    const absl::Status status = SystemError(path, "written");
    ::unlink(beside.c_str());
    return status;
  }
  // The name too must survive a power cut.
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0 && ::fsync(directory.get()) != 0 && errno != EINVAL) {
    return SystemError(path, "synced");
  }
  return absl::OkStatus();
}

}  // namespace outpace::listen
