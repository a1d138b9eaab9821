#pragma once

// How the states of this folder become bytes: little-endian values one after the other, a header
// with the kind and the version in front and a CRC-32C behind, so that a torn or foreign file is
// told as such and never taken for what was learned.

#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::tier {

// CRC-32C (Castagnoli, RFC 3720 B.4), a byte a step: states are written seldom.
uint32_t Crc32c(absl::string_view bytes);

class ByteWriter {
 public:
  template <typename T>
  void Put(T value) {
    static_assert(std::is_arithmetic_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void PutText(absl::string_view text) {
    Put<uint32_t>(static_cast<uint32_t>(text.size()));
    bytes_.append(text.data(), text.size());
  }
  // "OPTR", kind, version, length of the payload, payload, CRC of all before it.
  std::string Seal(uint32_t kind, uint32_t version) const;

 private:
  std::string bytes_;
};

// Reads what ByteWriter wrote; after the end of the bytes every read gives zero and ok() is false.
class ByteReader {
 public:
  explicit ByteReader(absl::string_view payload) : rest_(payload) {}
  template <typename T>
  T Get() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    if (rest_.size() < sizeof value) {
      ok_ = false;
      rest_ = {};
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
    return value;
  }
  std::string GetText() {
    const uint32_t size = Get<uint32_t>();
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return "";
    }
    std::string text(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return text;
  }
  // A count of items of at least `item_bytes` bytes each that the rest can hold; else 0, not ok.
  uint32_t GetCount(size_t item_bytes) {
    const uint32_t count = Get<uint32_t>();
    if (count > rest_.size() / item_bytes) {
      ok_ = false;
      return 0;
    }
    return count;
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  absl::string_view rest_;
  bool ok_ = true;
};

// The payload of sealed bytes, a view into them. DataLoss: torn, changed or of another kind;
// FailedPrecondition: a version this program does not know.
absl::StatusOr<absl::string_view> Unseal(absl::string_view sealed, uint32_t kind, uint32_t version);

}  // namespace outpace::tier
