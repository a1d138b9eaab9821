#include "campaign/field_type.h"

#include <array>

namespace outpace::campaign {
namespace {
constexpr std::array<const char*, 4> kNames = {"text", "number", "date", "flag"};
}  // namespace

absl::string_view FieldTypeName(FieldType type) { return kNames[static_cast<size_t>(type)]; }

bool ParseFieldType(absl::string_view name, FieldType& type) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name != kNames[i]) continue;
    type = static_cast<FieldType>(i);
    return true;
  }
  return false;
}

}  // namespace outpace::campaign
