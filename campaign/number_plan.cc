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

using internal::Parsed;
using P = PhoneFault;

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

Parsed Wrong(PhoneFault fault, absl::string_view reason) {
  Parsed out;
  out.fault = fault;
  out.reason = reason;
  return out;
}

Parsed Right(absl::string_view calling_code, absl::string_view national, bool repaired = false) {
  if (calling_code.size() + national.size() > 15) return Wrong(P::kLength, "too long");
  uint64_t value = 0;
  for (absl::string_view part : {calling_code, national}) {
    for (const char c : part) value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  Parsed out;
  out.number = E164(value);
  out.repaired = repaired;
  return out;
}

// North America: NXX-NXX-XXXX, where N is 2..9, N11 is a service and N9X is kept back
// (ATIS-0300055).
Parsed NorthAmerican(absl::string_view d, bool repaired = false) {
  if (d.size() == 7) return Wrong(P::kLength, "7 digits, the area code is missing");
  if (d.size() != 10) return Wrong(P::kLength, "not 10 digits (US, CA)");
  const absl::string_view area = d.substr(0, 3), exchange = d.substr(3, 3);
  if (area[0] < '2' || area[1] == '9' || absl::EndsWith(area, "11")) {
    return Wrong(P::kLength, "no such area code (US, CA)");
  }
  if (exchange[0] < '2' || absl::EndsWith(exchange, "11")) {
    return Wrong(P::kLength, "no such exchange (US, CA)");
  }
  if (area == "900" || exchange == "976") return Wrong(P::kDestination, "premium rate (US, CA)");
  if (exchange == "555" && d.substr(6) == "1212") {
    return Wrong(P::kSpecial, "directory assistance");
  }
  return Right("1", d, repaired);
}

// United Kingdom, without the trunk 0: nine or ten digits (Ofcom, National Telephone Numbering
// Plan).
Parsed British(absl::string_view d, bool repaired = false) {
  if (d.empty()) return Wrong(P::kLength, "not 9 or 10 digits (GB)");
  const bool nine = d.size() == 9 && (d[0] == '1' || d[0] == '8' || d[0] == '5');
  if (d.size() != 10 && !nine) return Wrong(P::kLength, "not 9 or 10 digits (GB)");
  if (d[0] == '0' || d[0] == '4' || d[0] == '6') return Wrong(P::kLength, "no such range (GB)");
  if (d[0] == '9' || absl::StartsWith(d, "87")) return Wrong(P::kDestination, "premium rate (GB)");
  if (absl::StartsWith(d, "70") || (absl::StartsWith(d, "76") && !absl::StartsWith(d, "7624"))) {
    return Wrong(P::kDestination, "personal or pager number (GB)");
  }
  return Right("44", d, repaired);
}

// China, without the trunk 0: mobiles 1[3-9] and nine digits; fixed lines by the length of the area
// code: 10 and 2X are cities with eight digits behind, all others have three digits and seven or
// eight.
Parsed Chinese(absl::string_view d, bool repaired = false) {
  if (d.size() == 11 && d[0] == '1' && d[1] >= '3') return Right("86", d, repaired);
  if (d.size() == 10 && (absl::StartsWith(d, "400") || absl::StartsWith(d, "800"))) {
    return Wrong(P::kSpecial, "400 or 800 service number (CN)");
  }
  const bool city = absl::StartsWith(d, "10") || absl::StartsWith(d, "2");
  if (city && d.size() == 10 && d[2] >= '2') return Right("86", d, repaired);
  if (!d.empty() && d[0] >= '3' && (d.size() == 10 || d.size() == 11) && d[3] >= '2') {
    return Right("86", d, repaired);
  }
  return Wrong(P::kLength, "neither a mobile of 11 digits nor a fixed line with area code (CN)");
}

Parsed HongKong(absl::string_view d, bool repaired = false) {
  if (d.size() != 8) return Wrong(P::kLength, "not 8 digits (HK)");
  if (d[0] < '2') return Wrong(P::kLength, "no such range (HK)");
  if (absl::StartsWith(d, "900")) return Wrong(P::kDestination, "premium rate (HK)");
  return Right("852", d, repaired);
}

// Australia, without the trunk 0 (ACMA, Telecommunications Numbering Plan 2015).
Parsed Australian(absl::string_view d, bool repaired = false) {
  if (absl::StartsWith(d, "190")) return Wrong(P::kDestination, "premium rate (AU)");
  if (absl::StartsWith(d, "13") || absl::StartsWith(d, "180")) {
    return Wrong(P::kSpecial, "13, 1300 or 1800 service number (AU)");
  }
  if (d.size() != 9) return Wrong(P::kLength, "not 9 digits behind the 0 (AU)");
  if (d[0] != '2' && d[0] != '3' && d[0] != '4' && d[0] != '5' && d[0] != '7' && d[0] != '8') {
    return Wrong(P::kLength, "no such area code (AU)");
  }
  return Right("61", d, repaired);
}

struct Plan {
  absl::string_view iso;
  int code;
  absl::string_view calling_code;
  absl::string_view international;  // prefix dialed before a country code
  bool trunk_zero;
  Parsed (*national)(absl::string_view digits, bool repaired);
};
constexpr Plan kPlans[] = {
    {"US", 1, "1", "011", false, NorthAmerican}, {"GB", 44, "44", "00", true, British},
    {"CN", 86, "86", "00", true, Chinese},       {"HK", 852, "852", "00", false, HongKong},
    {"AU", 61, "61", "0011", true, Australian},
};

// "86", "10", ... of digits written with "+" or an international prefix.
Parsed International(absl::string_view d) {
  if (d.size() < 7) return Wrong(P::kLength, "too short");
  for (const Plan& plan : kPlans) {
    if (!absl::StartsWith(d, plan.calling_code)) continue;
    d.remove_prefix(plan.calling_code.size());
    // "+44 (0)20 ...": exactly one trunk zero behind the country code is taken for what it is.
    const bool zero = plan.trunk_zero && absl::ConsumePrefix(&d, "0");
    return plan.national(d, zero);
  }
  if (d[0] == '0' || FindPrefix(d) == nullptr) {
    return Wrong(P::kDestination, "no country's number (satellite, premium or unknown code)");
  }
  if (d.size() < 8) return Wrong(P::kLength, "too short");
  return Right("", d);
}

// Digits without "+" in a file whose home has this plan.
Parsed National(const Plan& plan, absl::string_view d) {
  for (absl::string_view prefix : {plan.international, absl::string_view("00")}) {
    if (absl::StartsWith(d, prefix) && d.size() > prefix.size()) {
      return International(d.substr(prefix.size()));
    }
  }
  if (!plan.trunk_zero) {
    // North America dials 1 in front, which is also the country code.
    if (plan.calling_code == "1" && d.size() == 11 && d[0] == '1')
      return plan.national(d.substr(1), false);
    if (plan.calling_code == "852" && d.size() == 11 && absl::StartsWith(d, "852")) {
      return plan.national(d.substr(3), false);
    }
    return plan.national(d, false);
  }
  const bool china = plan.calling_code == "86";
  if (d[0] == '0') {
    const absl::string_view rest = d.substr(1);
    // Before 2000 a mobile of another city was dialed with 0; the habit lives on in lists.
    return plan.national(rest, china && rest.size() == 11 && rest[0] == '1');
  }
  if (china) {
    if (d.size() == 11 && d[0] == '1') return Chinese(d, false);
    if (d.size() == 10 && !absl::StartsWith(d, "400") && !absl::StartsWith(d, "800")) {
      return Wrong(P::kAmbiguous, "10 digits: a fixed line without its 0 or a cut mobile (CN)");
    }
    if (d.size() == 16 && absl::StartsWith(d, "179")) {
      return Wrong(P::kAmbiguous, "an IP-call prefix stands in front (CN)");
    }
  }
  if (absl::StartsWith(d, plan.calling_code) && d.size() > 10) {
    const Parsed with_code = International(d);
    if (with_code.fault == P::kNone) return with_code;
  }
  if (china) return Chinese(d, false);
  // A spreadsheet has eaten the trunk zero.
  return plan.national(d, true);
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

Parsed ParseDigits(absl::string_view digits, bool international, int home) {
  if (digits.empty()) return Wrong(P::kEmpty, "no digits");
  if (digits.size() > 20) return Wrong(P::kLength, "more digits than any number has");
  if (digits.size() >= 7 && digits.find_first_not_of(digits[0]) == absl::string_view::npos) {
    return Wrong(P::kLength, "one digit over and over");
  }
  if (international) return International(digits);
  if (digits.size() < 3) return Wrong(P::kLength, "too short");
  if (digits.size() <= 6) return Wrong(P::kSpecial, "emergency, service or short number");
  for (const Plan& plan : kPlans) {
    if (plan.code == home) return National(plan, digits);
  }
  if (absl::StartsWith(digits, "00")) return International(digits.substr(2));
  if (home == 0) return Wrong(P::kAmbiguous, "no country code, and no country is given for it");
  if (digits[0] == '0') {
    // Some countries drop the zero from abroad and some keep it: we have no table of that.
    return Wrong(P::kAmbiguous, "a leading 0 in a country whose plan is not known in detail");
  }
  if (digits.size() < 5) return Wrong(P::kLength, "too short");
  return International(absl::StrCat(home, digits));
}

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
  for (const Plan& plan : kPlans) {
    if (country == plan.iso || country == plan.calling_code) return plan.code;
  }
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
