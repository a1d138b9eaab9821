// Countries and their calling codes (ITU-T E.164 Annex), both ways.

#include "campaign/number_regions.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "campaign/number_plan.h"
#include "campaign/number_tables.h"

namespace outpace::campaign {
namespace internal {
namespace {

struct Region {
  absl::string_view iso;
  int calling_code;
};
constexpr Region kRegions[] = {
#include "campaign/region_table.inc"
};
constexpr Region kAliases[] = {
    {"USA", 1},  {"CAN", 1},   {"GBR", 44}, {"UK", 44},  {"CHN", 86},
    {"PRC", 86}, {"HKG", 852}, {"AUS", 61}, {"NZL", 64}, {"IRL", 353},
};
// The table has several countries of one calling code; these are those meant.
constexpr Region kLargest[] = {{"US", 1},   {"RU", 7},   {"IT", 39},  {"GB", 44},
                               {"NO", 47},  {"AU", 61},  {"FI", 358}, {"MA", 212},
                               {"GP", 590}, {"RE", 262}, {"SH", 290}, {"CW", 599}};

// Calling code -> country.
constexpr std::array<absl::string_view, 1000> kByCode = [] {
  std::array<absl::string_view, 1000> out{};
  for (const Region& region : kRegions) {
    auto& at = out[static_cast<size_t>(region.calling_code)];
    if (at.empty()) at = region.iso;
  }
  for (const Region& region : kLargest) out[static_cast<size_t>(region.calling_code)] = region.iso;
  return out;
}();

int CodeOfName(absl::string_view country) {
  const std::string upper = absl::AsciiStrToUpper(country);
  for (const Region& region : kAliases) {
    if (region.iso == upper) return region.calling_code;
  }
  const Region* const at =
      std::lower_bound(std::begin(kRegions), std::end(kRegions), absl::string_view(upper),
                       [](const Region& row, absl::string_view iso) { return row.iso < iso; });
  return at != std::end(kRegions) && at->iso == upper ? at->calling_code : 0;
}

}  // namespace

absl::string_view RegionOfCallingCode(int code) {
  return code > 0 && code < 1000 ? kByCode[static_cast<size_t>(code)] : absl::string_view();
}

absl::string_view RegionOf(E164 number) {
  if (!number.valid()) return {};
  int code = static_cast<int>(FirstSeven(number.value()) / 10'000);
  for (; code > 0; code /= 10) {
    const absl::string_view region = RegionOfCallingCode(code);
    if (!region.empty()) return region;
  }
  return {};
}

}  // namespace internal

std::string CountryOf(E164 number) { return absl::AsciiStrToLower(internal::RegionOf(number)); }

int CallingCode(absl::string_view country) {
  // Nearly all files name one of these, once a row.
  if (country == "CN" || country == "86") return 86;
  if (country == "US" || country == "1") return 1;
  if (country == "GB" || country == "44") return 44;
  int code = 0;
  if (!absl::SimpleAtoi(country, &code)) return internal::CodeOfName(country);
  if (!internal::RegionOfCallingCode(code).empty()) return code;
  // "1876": an area code behind the 1 is still North America.
  return country.size() == 4 && country[0] == '1' ? 1 : 0;
}

}  // namespace outpace::campaign
