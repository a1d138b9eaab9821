// National numbering plans, and the zones a number may lie in. Only what a plan is certain of is
// refused: lengths, ranges that cannot exist, service and premium numbers. Which ranges are
// assigned changes every month, so an area code this table has never heard of is not wrong, it is
// new, and its number is dialed only when the window is open in every zone of its country.
// docs/decisions/number-tables.md says why this is not libphonenumber.

#include "campaign/number_plan.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/number_plan_internal.h"

namespace outpace::campaign {
namespace {

constexpr absl::string_view kZoneSets[] = {
#include "campaign/zone_set_table.inc"
};

struct AreaCode {
  int code;
  int zones;      // index into kZoneSets
  bool us_or_ca;  // false: an island that shares +1
};
constexpr AreaCode kAreaCodes[] = {
#include "campaign/nanp_table.inc"
};

struct PrefixZones {
  uint64_t prefix;
  int zones;
};
constexpr PrefixZones kPrefixes[] = {
#include "campaign/tz_prefix_table.inc"
};

struct Region {
  absl::string_view iso;
  int calling_code;
};
constexpr Region kRegions[] = {
#include "campaign/region_table.inc"
};
constexpr Region kRegionAliases[] = {
    {"USA", 1},  {"CAN", 1},   {"GBR", 44}, {"UK", 44},  {"CHN", 86},
    {"PRC", 86}, {"HKG", 852}, {"AUS", 61}, {"NZL", 64}, {"IRL", 353},
};

// The six zones whose hours span the mainland of the United States and Canada: a window that is
// open in all of them is open everywhere between Newfoundland and the Pacific.
constexpr absl::string_view kNorthAmerica =
    "America/Chicago America/Denver America/Los_Angeles America/New_York America/Phoenix "
    "America/St_Johns";
constexpr absl::string_view kAustralia =
    "Australia/Adelaide Australia/Brisbane Australia/Darwin Australia/Perth Australia/Sydney";

const AreaCode* FindAreaCode(absl::string_view digits) {
  const int code = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
  const AreaCode* const at =
      std::lower_bound(std::begin(kAreaCodes), std::end(kAreaCodes), code,
                       [](const AreaCode& row, int wanted) { return row.code < wanted; });
  return at != std::end(kAreaCodes) && at->code == code ? at : nullptr;
}

// Toll-free, personal and other area codes that lie nowhere.
bool IsNonGeographic(absl::string_view area) {
  if (area[1] == area[2] && (area[0] == '8' || area[0] == '5' || area[0] == '6')) {
    // 800 822 833 844 855 866 877 888, 500 522 533 ..., 600 622 633 ...; 811 is a service code.
    return true;
  }
  return area == "700" || area == "710" || absl::StartsWith(area, "52") || area == "900";
}

// The zones of the longest known prefix; nullptr if there is none.
const PrefixZones* FindPrefix(absl::string_view digits) {
  // The table is in order of the prefixes as text, so it is kept by first digits; 767 rows and a
  // binary search a length: at most seven.
  static const auto* const by_value = [] {
    auto* rows = new std::vector<PrefixZones>(std::begin(kPrefixes), std::end(kPrefixes));
    std::sort(rows->begin(), rows->end(),
              [](const PrefixZones& a, const PrefixZones& b) { return a.prefix < b.prefix; });
    return rows;
  }();
  size_t length = std::min<size_t>(digits.size(), 7);
  uint64_t value = 0;
  for (size_t i = 0; i < length; ++i) value = value * 10 + static_cast<uint64_t>(digits[i] - '0');
  for (; length > 0; --length, value /= 10) {
    const auto at = std::lower_bound(
        by_value->begin(), by_value->end(), value,
        [](const PrefixZones& row, uint64_t wanted) { return row.prefix < wanted; });
    if (at != by_value->end() && at->prefix == value) return &*at;
  }
  return nullptr;
}

std::vector<std::string> SplitZones(absl::string_view set) { return absl::StrSplit(set, ' '); }

absl::string_view AustralianZones(absl::string_view d) {
  switch (d[0]) {
    case '2':  // New South Wales and the capital; Lord Howe Island has its own half hour
      return absl::StartsWith(d, "26563") ? "Australia/Lord_Howe Australia/Sydney"
                                          : "Australia/Sydney";
    case '3':
      return "Australia/Hobart Australia/Melbourne";
    case '7':  // Queensland has no summer time; 07 5 reaches into New South Wales, which has
      return absl::StartsWith(d, "75") ? "Australia/Brisbane Australia/Sydney"
                                       : "Australia/Brisbane";
    case '8':
      if (absl::StartsWith(d, "890")) return "Australia/Darwin Australia/Eucla Australia/Perth";
      if (absl::StartsWith(d, "889")) return "Australia/Adelaide Australia/Darwin";
      if (absl::StartsWith(d, "880")) return "Australia/Adelaide Australia/Broken_Hill";
      return "Australia/Adelaide Australia/Darwin Australia/Perth";
    default:  // mobiles move
      return kAustralia;
  }
}

}  // namespace

namespace internal {
bool IsCountry(Digits international) { return FindPrefix(international.text()) != nullptr; }
}  // namespace internal

std::string CountryOf(E164 number) {
  // The table has several countries of one calling code; these are those meant.
  static constexpr Region kLargest[] = {{"US", 1},   {"RU", 7},   {"IT", 39},  {"GB", 44},
                                        {"NO", 47},  {"AU", 61},  {"FI", 358}, {"MA", 212},
                                        {"GP", 590}, {"RE", 262}, {"SH", 290}, {"CW", 599}};
  const std::string digits = number.Digits();
  for (size_t length = 3; length > 0; --length) {
    int code = 0;
    if (digits.size() < length || !absl::SimpleAtoi(digits.substr(0, length), &code)) continue;
    for (const Region& region : kLargest) {
      if (region.calling_code == code) return absl::AsciiStrToLower(region.iso);
    }
    for (const Region& region : kRegions) {
      if (region.calling_code == code) return absl::AsciiStrToLower(region.iso);
    }
  }
  return "";
}

int CallingCode(absl::string_view country) {
  // Nearly all files name one of these, once a row.
  if (country == "CN" || country == "86") return 86;
  if (country == "US" || country == "1") return 1;
  if (country == "GB" || country == "44") return 44;
  int code = 0;
  if (absl::SimpleAtoi(country, &code)) {
    if (code == 1 || code == 44 || code == 86 || code == 852 || code == 61) return code;
    for (const Region& region : kRegions) {
      if (region.calling_code == code) return code;
    }
    // "1876": an area code behind the 1 is still North America.
    return country.size() == 4 && country[0] == '1' ? 1 : 0;
  }
  const std::string upper = absl::AsciiStrToUpper(country);
  for (const Region& region : kRegionAliases) {
    if (region.iso == upper) return region.calling_code;
  }
  const Region* const at =
      std::lower_bound(std::begin(kRegions), std::end(kRegions), absl::string_view(upper),
                       [](const Region& row, absl::string_view iso) { return row.iso < iso; });
  return at != std::end(kRegions) && at->iso == upper ? at->calling_code : 0;
}

std::vector<std::string> TimeZonesOf(E164 number) {
  if (!number.valid()) return {};
  const std::string text = number.Digits();
  absl::string_view d = text;
  if (d[0] == '1') {
    if (d.size() != 11) return {};
    const AreaCode* const area = FindAreaCode(d.substr(1));
    if (area == nullptr) return SplitZones(kNorthAmerica);
    return SplitZones(kZoneSets[area->zones]);
  }
  // One clock for the kingdom, Man and the Channel Islands.
  if (absl::StartsWith(d, "44")) return {"Europe/London"};
  if (absl::StartsWith(d, "86")) return {"Asia/Shanghai"};
  if (absl::StartsWith(d, "852")) return {"Asia/Hong_Kong"};
  if (absl::ConsumePrefix(&d, "61")) {
    if (d.empty()) return {};
    return SplitZones(AustralianZones(d));
  }
  const PrefixZones* const row = FindPrefix(d);
  if (row == nullptr) return {};
  return SplitZones(kZoneSets[row->zones]);
}

bool IsDestination(E164 number, const std::vector<std::string>& calling_codes) {
  const std::string digits = number.Digits();
  return std::any_of(calling_codes.begin(), calling_codes.end(), [&](absl::string_view code) {
    absl::ConsumePrefix(&code, "+");
    if (code.empty() || !absl::StartsWith(digits, code)) return false;
    if (code != "1") return true;
    const absl::string_view area = absl::string_view(digits).substr(1, 3);
    const AreaCode* const row = FindAreaCode(area);
    return row == nullptr ? !IsNonGeographic(area) : row->us_or_ca;
  });
}

}  // namespace outpace::campaign
