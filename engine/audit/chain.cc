#include "engine/audit/chain.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/audit/event.h"
#include "engine/base/check.h"
#include "engine/base/posix_file.h"

namespace outpace::audit {
namespace {

constexpr size_t kDigits = 64;
constexpr absl::string_view kHeadStart = "{\"seq\":";

std::string Hex(const uint8_t (&digest)[SHA256_DIGEST_LENGTH]) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(digest), sizeof digest});
}

bool IsLowerHex(absl::string_view text) {
  return text.size() == kDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

absl::Status KeyError(const std::string& path, int error) {
  const std::string text = absl::StrCat("audit: key file ", path, ": ", std::strerror(error));
  if (error == ENOENT) {
    return absl::NotFoundError(
        text + "; put back the key that the log was sealed with, or name it in audit.key_file");
  }
  return absl::PermissionDeniedError(text + "; the engine's user must be able to use it");
}

}  // namespace

std::string ChainHash(absl::string_view previous, absl::string_view body) {
  const std::string text = absl::StrCat(previous, "\n", body);
  uint8_t digest[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest);
  return Hex(digest);
}

SealKey::~SealKey() { ::explicit_bzero(octets_.data(), octets_.size()); }

absl::StatusOr<SealKey> SealKey::Parse(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  if (text.size() != kDigits || !std::all_of(text.begin(), text.end(), [](char c) {
        return absl::ascii_isxdigit(static_cast<unsigned char>(c));
      })) {
    return absl::InvalidArgumentError("audit: the key file must hold 64 hexadecimal digits");
  }
  SealKey key;
  key.octets_ = absl::HexStringToBytes(text);
  return key;
}

absl::StatusOr<SealKey> SealKey::Load(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return KeyError(path, errno);
  struct stat info {};
  char text[kDigits + 16];
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t got = regular ? ::read(fd, text, sizeof text) : -1;
  const int error = errno;
  ::close(fd);
  if (!regular) {
    return absl::InvalidArgumentError(absl::StrCat("audit: key file ", path, " is no plain file"));
  }
  if (got < 0) return KeyError(path, error);
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "audit: key file ", path, " may be read by others than its owner; run: chmod 600 ", path));
  }
  auto key = Parse({text, static_cast<size_t>(got)});
  ::explicit_bzero(text, sizeof text);
  if (!key.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(key.status().message(), ", and ", path, " does not: put back a copy of it"));
  }
  return key;
}

absl::StatusOr<SealKey> SealKey::LoadOrMake(const std::string& path, bool* made) {
  *made = false;
  auto loaded = Load(path);
  if (!absl::IsNotFound(loaded.status())) return loaded;
  // Whole under its name or not there: half a key would lock its owner out.
  const std::string part = path + ".part";
  ::unlink(part.c_str());
  const Descriptor fd(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd.get() < 0) return KeyError(part, errno);
  SealKey key;
  OUTPACE_CHECK(::RAND_bytes(reinterpret_cast<uint8_t*>(key.octets_.data()),
                             static_cast<int>(key.octets_.size())) == 1);
  std::string line = absl::BytesToHexString(key.octets_) + "\n";
  int error = WriteAll(fd.get(), line);
  ::explicit_bzero(line.data(), line.size());
  if (error == 0 && ::fsync(fd.get()) != 0) error = errno;
  // Never over a key that has come meanwhile.
  if (error == 0 && ::link(part.c_str(), path.c_str()) != 0) error = errno;
  ::unlink(part.c_str());
  if (error != 0) return KeyError(path, error);
  if (absl::Status s = SyncDirectory("audit", DirectoryOf(path)); !s.ok()) return s;
  *made = true;
  return key;
}

std::string SealKey::Seal(absl::string_view text) const {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  unsigned int size = 0;
  OUTPACE_CHECK(::HMAC(::EVP_sha256(), octets_.data(), static_cast<int>(octets_.size()),
                       reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest,
                       &size) != nullptr &&
                size == sizeof digest);
  return Hex(digest);
}

// The words in front keep a seal of one kind from being shown as one of the other.
std::string SealKey::SealEvent(absl::string_view hash) const {
  return Seal(absl::StrCat("outpace audit event 1\n", hash));
}
std::string SealKey::SealHead(uint64_t seq, absl::string_view hash) const {
  return Seal(absl::StrCat("outpace audit head 1\n", seq, "\n", hash));
}

std::string SealKey::MarkOf(absl::string_view text) const {
  return Seal(absl::StrCat("outpace audit mark 1\n", text)).substr(0, 32);
}

std::string HeadLine(const Head& head, const SealKey& key) {
  return LineOf(absl::StrCat(kHeadStart, head.seq), head.hash, key.SealHead(head.seq, head.hash));
}

absl::StatusOr<Head> ParseHeadLine(absl::string_view text, const SealKey* key) {
  const absl::Status changed = absl::DataLossError("the head is not as it was written");
  if (!absl::ConsumeSuffix(&text, "\n")) return changed;
  const auto parts = SplitLine(text);
  if (!parts.ok()) return changed;
  Head head;
  absl::string_view seq = parts->body;
  if (!absl::ConsumePrefix(&seq, kHeadStart) || !absl::SimpleAtoi(seq, &head.seq) ||
      absl::StrCat(head.seq) != seq) {
    return changed;
  }
  head.hash = std::string(parts->hash);
  if (key != nullptr && key->SealHead(head.seq, head.hash) != parts->seal) {
    return absl::DataLossError("the head's seal does not fit its text and the key");
  }
  return head;
}

absl::StatusOr<Head> ParseHeadNote(absl::string_view text) {
  Head head;
  const size_t colon = text.find(':');
  if (colon != absl::string_view::npos && absl::SimpleAtoi(text.substr(0, colon), &head.seq) &&
      head.seq > 0 && IsLowerHex(text.substr(colon + 1))) {
    head.hash = std::string(text.substr(colon + 1));
    return head;
  }
  return absl::InvalidArgumentError(
      "audit: a head is SEQ:HASH, a number and 64 hexadecimal digits, as `outpace audit head` "
      "prints it");
}

}  // namespace outpace::audit
