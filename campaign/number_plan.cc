// Where a dialer may call: an allow-list of calling codes, since a lead file is the cheapest way to
// make a dialer ring premium numbers on an island that shares a country code.

#include "campaign/number_plan.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "campaign/number_zones.h"

namespace outpace::campaign {
namespace {

// Area codes of North America that lie nowhere: toll-free 800 822 833 ..., personal 500 522 533
// ..., 600 622 633 ..., 700, 710, 900. 811 is a service code.
bool IsNonGeographic(absl::string_view area) {
  if (area[1] == area[2] && (area[0] == '8' || area[0] == '5' || area[0] == '6')) return true;
  return area == "700" || area == "710" || absl::StartsWith(area, "52") || area == "900";
}

// An area code nobody has told of is new, not foreign: the islands have had theirs since 1999.
bool IsMainland(E164 number, absl::string_view area) {
  const internal::AreaFacts* const facts = internal::FindArea(number);
  if (facts == nullptr) return !IsNonGeographic(area);
  return facts->country == "US" || facts->country == "CA";
}

}  // namespace

bool IsDestination(E164 number, const std::vector<std::string>& calling_codes) {
  const std::string digits = number.Digits();
  return std::any_of(calling_codes.begin(), calling_codes.end(), [&](absl::string_view code) {
    absl::ConsumePrefix(&code, "+");
    if (code.empty() || !absl::StartsWith(digits, code)) return false;
    return code != "1" || IsMainland(number, absl::string_view(digits).substr(1, 3));
  });
}

}  // namespace outpace::campaign
