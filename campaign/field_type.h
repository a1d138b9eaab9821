#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::campaign {

// What a field of a lead holds. Kept as the text that stood in the file; the type says how it is
// compared and checked.
enum class FieldType : uint8_t {
  kText,
  kNumber,  // decimal; thousands separators, 万 and 亿 are understood: "500万" is 5,000,000
  kDate,    // a day: YYYY-MM-DD
  kFlag,    // Y or N
};
absl::string_view FieldTypeName(FieldType type);  // "text", "number", "date", "flag"
// False when `name` is none of these.
bool ParseFieldType(absl::string_view name, FieldType& type);

struct FieldColumn {
  std::string name;  // "first_name", "registered_capital"
  FieldType type = FieldType::kText;
  friend bool operator==(const FieldColumn&, const FieldColumn&) = default;
};

// The fields of a load's leads, in the order of their texts: stored once, named by every lead.
using FieldLayout = std::vector<FieldColumn>;

}  // namespace outpace::campaign
