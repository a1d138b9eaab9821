#include "engine/record/key_ring.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::record {
namespace {

constexpr absl::string_view kIdLabel = "outpace recording key id 1";
constexpr size_t kFileMax = 64 << 10;

KeyId IdOf(const std::array<uint8_t, 32>& octets) {
  std::string text(kIdLabel);
  text.append(reinterpret_cast<const char*>(octets.data()), octets.size());
  uint8_t hash[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), hash);
  ::explicit_bzero(text.data(), text.size());
  KeyId id;
  std::copy_n(hash, id.size(), id.begin());
  return id;
}

std::string RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real == nullptr ? std::string() : std::string(real.get());
}

absl::Status KeyFileError(const std::string& path, int error) {
  const std::string text = absl::StrCat("recordings: key file ", path, ": ", std::strerror(error));
  if (error == ENOENT) {
    return absl::NotFoundError(text + "; make one with: outpace recording key new --out FILE");
  }
  return absl::PermissionDeniedError(text + "; the engine's user must be able to read it");
}

}  // namespace

Key::~Key() { ::explicit_bzero(octets.data(), octets.size()); }

std::string KeyIdText(const KeyId& id) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(id.data()), id.size()});
}

const Key* KeyRing::Find(const KeyId& id) const {
  const auto it =
      std::find_if(keys_.begin(), keys_.end(), [&](const Key& key) { return key.id == id; });
  return it == keys_.end() ? nullptr : &*it;
}

absl::StatusOr<KeyRing> KeyRing::Parse(absl::string_view text) {
  KeyRing ring;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (line.size() != 64 || !std::all_of(line.begin(), line.end(), [](char c) {
          return absl::ascii_isxdigit(static_cast<unsigned char>(c));
        })) {
      return absl::InvalidArgumentError(absl::StrCat(
          "recordings: key file line ", number,
          ": a key is 64 hexadecimal digits; make one with: outpace recording key new"));
    }
    Key key;
    std::string octets = absl::HexStringToBytes(line);
    std::copy_n(octets.begin(), key.octets.size(), key.octets.begin());
    ::explicit_bzero(octets.data(), octets.size());
    key.id = IdOf(key.octets);
    ring.keys_.push_back(key);
  }
  if (ring.empty()) {
    return absl::InvalidArgumentError(
        "recordings: the key file holds no key; make one with: outpace recording key new");
  }
  return ring;
}

absl::StatusOr<KeyRing> KeyRing::Load(const std::string& path,
                                      const std::vector<std::string>& forbidden) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return KeyFileError(path, errno);
  struct stat info {};
  std::string text(kFileMax, '\0');
  const bool regular = ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
  const ssize_t got = regular ? ::read(fd, text.data(), text.size()) : -1;
  const int error = errno;
  ::close(fd);
  if (!regular) {
    return absl::InvalidArgumentError(
        absl::StrCat("recordings: key file ", path, " is no plain file"));
  }
  if (got < 0) return KeyFileError(path, error);
  if ((info.st_mode & 077) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("recordings: key file ", path,
                     " may be read by others than its owner; run: chmod 600 ", path));
  }
  const std::string real = RealPath(path);
  for (const std::string& directory : forbidden) {
    const std::string home = RealPath(directory);
    if (!home.empty() && absl::StartsWith(real, home == "/" ? home : home + "/")) {
      return absl::FailedPreconditionError(absl::StrCat(
          "recordings: key file ", path, " lies inside ", directory,
          ": whoever copies the recordings copies it too; move it elsewhere, say to /etc/outpace"));
    }
  }
  auto ring = Parse(absl::string_view(text).substr(0, static_cast<size_t>(got)));
  ::explicit_bzero(text.data(), text.size());
  return ring;
}

std::string NewKeyLine() {
  Key key;
  OUTPACE_CHECK(::RAND_bytes(key.octets.data(), static_cast<int>(key.octets.size())) == 1);
  return absl::StrCat(
      absl::BytesToHexString({reinterpret_cast<const char*>(key.octets.data()), key.octets.size()}),
      "  # key ", KeyIdText(IdOf(key.octets)), "\n");
}

}  // namespace outpace::record
