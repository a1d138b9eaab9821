#include "campaign/store/wire.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/crc32c.h"

namespace outpace::store {
namespace {

constexpr size_t kCrcBytes = 4;

uint32_t ReadLittle32(const unsigned char* p) {
  return static_cast<uint32_t>(p[0]) | static_cast<uint32_t>(p[1]) << 8 |
         static_cast<uint32_t>(p[2]) << 16 | static_cast<uint32_t>(p[3]) << 24;
}

}  // namespace

void AppendVarint(uint64_t value, std::string& to) {
  while (value >= 0x80) {
    to.push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  to.push_back(static_cast<char>(value));
}

bool TakeVarint(absl::string_view& from, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < from.size() && i < 10; ++i) {
    const uint64_t byte = static_cast<unsigned char>(from[i]);
    if (i == 9 && byte > 1) return false;  // more than 64 bits
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      from.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

void FieldWriter::NumberAlways(uint32_t field, uint64_t value) {
  AppendVarint(uint64_t{field} * 2, bytes_);
  AppendVarint(value, bytes_);
}

void FieldWriter::Number(uint32_t field, uint64_t value) {
  if (value != 0) NumberAlways(field, value);
}

void FieldWriter::TextAlways(uint32_t field, absl::string_view value) {
  AppendVarint(uint64_t{field} * 2 + 1, bytes_);
  AppendVarint(value.size(), bytes_);
  bytes_.append(value.data(), value.size());
}

void FieldWriter::Text(uint32_t field, absl::string_view value) {
  if (!value.empty()) TextAlways(field, value);
}

void FieldWriter::Pair(uint32_t field, absl::string_view key, absl::string_view value) {
  std::string pair;
  pair.reserve(key.size() + value.size() + 2);
  AppendVarint(key.size(), pair);
  pair.append(key.data(), key.size());
  pair.append(value.data(), value.size());
  TextAlways(field, pair);
}

std::string FieldWriter::Finish() && {
  const uint32_t crc = Crc32c(bytes_);
  for (int shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<char>(crc >> shift));
  return std::move(bytes_);
}

FieldReader::FieldReader(absl::string_view bytes, uint8_t major) {
  if (bytes.size() < 1 + kCrcBytes) {
    Fail(absl::StrCat(bytes.size(), " bytes are too few"));
    return;
  }
  const absl::string_view body = bytes.substr(0, bytes.size() - kCrcBytes);
  const uint32_t stored =
      ReadLittle32(reinterpret_cast<const unsigned char*>(bytes.data()) + body.size());
  if (Crc32c(body) != stored) {
    Fail("its checksum does not match");
    return;
  }
  const auto version = static_cast<uint8_t>(body[0]);
  if (version > major) {
    status_ = absl::FailedPreconditionError(
        absl::StrCat("store: a record is of version ", version, ", this program reads up to ",
                     major, "; run the version of Outpace that wrote it, or a newer one"));
    return;
  }
  if (version != major) {
    Fail(absl::StrCat("version ", version));
    return;
  }
  rest_ = body.substr(1);
}

void FieldReader::Fail(absl::string_view what) {
  if (status_.ok()) {
    status_ = absl::DataLossError(absl::StrCat("store: a record is damaged: ", what));
  }
  rest_ = absl::string_view();
}

bool FieldReader::Next(Field& field) {
  if (rest_.empty()) return false;
  uint64_t tag = 0;
  if (!TakeVarint(rest_, tag) || tag < 2 || tag / 2 > UINT32_MAX) {
    Fail("bad field tag");
    return false;
  }
  field.id = static_cast<uint32_t>(tag / 2);
  field.is_text = (tag & 1) != 0;
  field.text = absl::string_view();
  if (!TakeVarint(rest_, field.number)) {
    Fail(absl::StrCat("field ", field.id, " is cut"));
    return false;
  }
  if (field.is_text) {
    if (field.number > rest_.size()) {
      Fail(absl::StrCat("field ", field.id, " is longer than the record"));
      return false;
    }
    field.text = rest_.substr(0, field.number);
    rest_.remove_prefix(field.number);
  }
  return true;
}

uint64_t FieldReader::Number(const Field& field, uint64_t max) {
  if (!field.is_text && field.number <= max) return field.number;
  Fail(absl::StrCat("field ", field.id, " is out of range"));
  return 0;
}

int64_t FieldReader::Signed(const Field& field, int64_t min, int64_t max) {
  const int64_t value = UnZigZag(field.number);
  if (!field.is_text && value >= min && value <= max) return value;
  Fail(absl::StrCat("field ", field.id, " is out of range"));
  return 0;
}

absl::string_view FieldReader::View(const Field& field) {
  if (!field.is_text) Fail(absl::StrCat("field ", field.id, " is not text"));
  return field.text;
}

std::string FieldReader::Text(const Field& field) { return std::string(View(field)); }

bool FieldReader::Pair(const Field& field, std::string& key, std::string& value) {
  absl::string_view pair = field.text;
  uint64_t length = 0;
  if (!field.is_text || !TakeVarint(pair, length) || length > pair.size()) {
    Fail(absl::StrCat("field ", field.id, " is not a pair"));
    return false;
  }
  key.assign(pair.data(), length);
  value.assign(pair.data() + length, pair.size() - length);
  return true;
}

}  // namespace outpace::store
