#pragma once

// The field coding under codec.h: a writer and a reader of tagged fields.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace outpace::store {

void AppendVarint(uint64_t value, std::string& to);
// Takes a varint off the front. False if cut or longer than 64 bits.
bool TakeVarint(absl::string_view& from, uint64_t& value);

// Small magnitudes of either sign become small varints.
inline uint64_t ZigZag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
inline int64_t UnZigZag(uint64_t v) {
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}

class FieldWriter {
 public:
  explicit FieldWriter(uint8_t major) : bytes_(1, static_cast<char>(major)) {}
  // Left out when zero or empty: a reader starts from the default.
  void Number(uint32_t field, uint64_t value);
  void Signed(uint32_t field, int64_t value) { Number(field, ZigZag(value)); }
  void Text(uint32_t field, absl::string_view value);
  // Written even when zero or empty: for fields whose default is something else, and for lists.
  void NumberAlways(uint32_t field, uint64_t value);
  void TextAlways(uint32_t field, absl::string_view value);
  void Pair(uint32_t field, absl::string_view key, absl::string_view value);
  std::string Finish() &&;  // adds the checksum

 private:
  std::string bytes_;
};

// One field as read; `number` or `text` by kind.
struct Field {
  uint32_t id = 0;
  bool is_text = false;
  uint64_t number = 0;
  absl::string_view text;
};

class FieldReader {
 public:
  // Checks size, checksum and major version first: status() says what is wrong.
  FieldReader(absl::string_view bytes, uint8_t major);
  // False at the end or at damage; status() tells which.
  bool Next(Field& field);
  // Damage found by the caller: a value out of its range, or of the wrong kind.
  void Fail(absl::string_view what);
  const absl::Status& status() const { return status_; }

  // Values of a field with a check of kind and range; on failure Fail() is called.
  uint64_t Number(const Field& field, uint64_t max = UINT64_MAX);
  int64_t Signed(const Field& field, int64_t min = INT64_MIN, int64_t max = INT64_MAX);
  std::string Text(const Field& field);
  absl::string_view View(const Field& field);  // into the record
  bool Pair(const Field& field, std::string& key, std::string& value);

 private:
  absl::string_view rest_;
  absl::Status status_;
};

}  // namespace outpace::store
