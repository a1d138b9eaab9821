// Where a dialer may call: an allow-list of calling codes, since a lead file is the cheapest way to
// make a dialer ring premium numbers on an island that shares a country code.

#include "campaign/number_plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "campaign/number_zones.h"

namespace outpace::campaign {
namespace {

// Whether an area code that is in no table lies nowhere: toll-free 800 822 833 ..., personal 5XX
// (any that is free may become one, and a call to it costs what its owner likes), 600 622 633 ...,
// 700, 710, 900. 811 is a service code.
bool IsNonGeographic(absl::string_view area) {
  if (area[0] == '5') return true;
  if (area[1] == area[2] && (area[0] == '8' || area[0] == '6')) return true;
  return area == "700" || area == "710" || area == "900";
}

// An area code nobody has told of is taken for a new one of the mainland, where most are opened.
// Those of the islands are all in the table.
bool IsMainland(E164 number, absl::string_view area) {
  const internal::AreaFacts* const facts = internal::FindArea(number);
  if (facts == nullptr) return !IsNonGeographic(area);
  return facts->country == "US" || facts->country == "CA";
}

}  // namespace

bool IsDestination(E164 number, const std::vector<std::string>& calling_codes) {
  std::array<char, 24> buffer{};
  const char* const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number.value()).ptr;
  const absl::string_view digits(buffer.data(), static_cast<size_t>(end - buffer.data()));
  return std::any_of(calling_codes.begin(), calling_codes.end(), [&](absl::string_view code) {
    absl::ConsumePrefix(&code, "+");
    if (code.empty() || !absl::StartsWith(digits, code)) return false;
    return code != "1" || IsMainland(number, digits.substr(1, 3));
  });
}

}  // namespace outpace::campaign
