#pragma once

// The keys of encrypted recordings. They lie in a file outside the recordings directory, so that a
// copy or a backup of the recordings alone is worth nothing: one key a line, 64 hexadecimal digits;
// '#' begins a comment. The first encrypts, all decrypt: a key is changed by putting a new line
// first. A file names its key by the key's hash.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::record {

using KeyId = std::array<uint8_t, 8>;

struct Key {
  std::array<uint8_t, 32> octets{};
  KeyId id{};
  Key() = default;
  Key(const Key&) = default;
  Key& operator=(const Key&) = default;
  ~Key();  // wipes
};

class KeyRing {
 public:
  KeyRing() = default;  // no keys
  // InvalidArgument names the line; never what it holds.
  static absl::StatusOr<KeyRing> Parse(absl::string_view text);
  // Reads `path`. FailedPrecondition: it lies inside one of `forbidden` (directories; links are
  // followed), or others than its owner may read it; the message says what to do. NotFound,
  // PermissionDenied.
  static absl::StatusOr<KeyRing> Load(const std::string& path,
                                      const std::vector<std::string>& forbidden);

  bool empty() const { return keys_.empty(); }
  const Key& first() const { return keys_.front(); }  // not when empty
  const Key* Find(const KeyId& id) const;             // nullptr: not here

 private:
  std::vector<Key> keys_;
};

std::string KeyIdText(const KeyId& id);  // 16 hexadecimal digits

// A line for a key file, with a comment that names its id.
std::string NewKeyLine();

}  // namespace outpace::record
