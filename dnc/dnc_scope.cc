#include "dnc/dnc_scope.h"

#include <array>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace outpace::dnc {
namespace {

struct LevelText {
  absl::string_view name;
  bool has_id;
};
// By level.
constexpr std::array<LevelText, 5> kLevels = {{
    {"system", false},
    {"litigator", false},
    {"state", true},
    {"client", true},
    {"campaign", true},
}};

}  // namespace

absl::StatusOr<DncScope> DncScope::Parse(absl::string_view text) {
  const size_t colon = text.find(':');
  const absl::string_view name = text.substr(0, colon);
  const absl::string_view id =
      colon == absl::string_view::npos ? absl::string_view() : text.substr(colon + 1);
  for (size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i].name == name && kLevels[i].has_id == !id.empty()) {
      return DncScope{static_cast<DncLevel>(i), std::string(id)};
    }
  }
  return absl::InvalidArgumentError(
      "a do-not-call list is one of: system, litigator, state:FL, client:ID, campaign:ID");
}

std::string DncScope::ToString() const {
  const LevelText& text = kLevels[static_cast<size_t>(level)];
  return text.has_id ? absl::StrCat(text.name, ":", id) : std::string(text.name);
}

}  // namespace outpace::dnc
