// National numbering plans. Only what a plan is certain of is refused: lengths, ranges that cannot
// exist, service and premium numbers. Which ranges are assigned changes every month, so an area
// code nobody here has heard of is not wrong, it is new. docs/decisions/number-tables.md says why
// this is not libphonenumber, which is asked for all other countries.

#include <algorithm>
#include <array>
#include <charconv>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "campaign/number_foreign.h"
#include "campaign/number_plan.h"
#include "campaign/number_plan_internal.h"

namespace outpace::campaign::internal {
namespace {

using P = PhoneFault;

Parsed Wrong(PhoneFault fault, absl::string_view reason) {
  Parsed out;
  out.fault = fault;
  out.reason = reason;
  return out;
}

// `d`: the national number behind `calling_code`, whose plan has found it good.
Parsed Right(uint64_t calling_code, Digits d, bool repaired) {
  Parsed out;
  out.number = E164(calling_code * kPowersOfTen[d.size()] + d.value());
  out.repaired = repaired;
  return out;
}

// North America: NXX-NXX-XXXX, where N is 2..9, N11 is a service and N9X is kept back
// (ATIS-0300055).
Parsed NorthAmerican(Digits d, bool repaired) {
  if (d.size() == 7) return Wrong(P::kLength, "7 digits, the area code is missing");
  if (d.size() != 10) return Wrong(P::kLength, "not 10 digits (US, CA)");
  if (d[0] < '2' || d[1] == '9' || (d[1] == '1' && d[2] == '1')) {
    return Wrong(P::kLength, "no such area code (US, CA)");
  }
  if (d[3] < '2' || (d[4] == '1' && d[5] == '1')) {
    return Wrong(P::kLength, "no such exchange (US, CA)");
  }
  const absl::string_view exchange = d.text().substr(3, 3);
  if (d.StartsWith("900") || exchange == "976") {
    return Wrong(P::kDestination, "premium rate (US, CA)");
  }
  if (d.value() % 10'000'000 == 555'1212) return Wrong(P::kSpecial, "directory assistance");
  return Right(1, d, repaired);
}

// United Kingdom, without the trunk 0: nine or ten digits (Ofcom, National Telephone Numbering
// Plan).
Parsed British(Digits d, bool repaired) {
  if (d.empty()) return Wrong(P::kLength, "not 9 or 10 digits (GB)");
  // Some towns of area codes 01xxx (not 011x and 01x1), and old 0800 numbers.
  const bool nine =
      d.size() == 9 && ((d[0] == '1' && d[1] != '1' && d[2] != '1') || d.StartsWith("800"));
  if (d.size() != 10 && !nine) return Wrong(P::kLength, "not 9 or 10 digits (GB)");
  if (d[0] == '0' || d[0] == '4' || d[0] == '6') return Wrong(P::kLength, "no such range (GB)");
  if (d[0] == '9' || d.StartsWith("87")) return Wrong(P::kDestination, "premium rate (GB)");
  if (d.StartsWith("70") || (d.StartsWith("76") && !d.StartsWith("7624"))) {
    return Wrong(P::kDestination, "personal or pager number (GB)");
  }
  return Right(44, d, repaired);
}

// China, without the trunk 0: mobiles 1[3-9] and nine digits; fixed lines by the length of the area
// code: 10 and 2X are cities with eight digits behind, all others have three digits and seven or
// eight.
Parsed Chinese(Digits d, bool repaired) {
  if (d.size() == 11 && d[0] == '1' && d[1] >= '3') return Right(86, d, repaired);
  if (d.size() == 10 && (d.StartsWith("400") || d.StartsWith("800"))) {
    return Wrong(P::kSpecial, "400 or 800 service number (CN)");
  }
  if (d.StartsWith("95") && (d.size() == 5 || d.size() == 8)) {
    return Wrong(P::kSpecial, "95 service number of a company (CN)");
  }
  const bool city = d.StartsWith("10") || d.StartsWith("2");
  if (city && d.size() == 10 && d[2] >= '2') return Right(86, d, repaired);
  if (!d.empty() && d[0] >= '3' && (d.size() == 10 || d.size() == 11) && d[3] >= '2') {
    return Right(86, d, repaired);
  }
  return Wrong(P::kLength, "neither a mobile of 11 digits nor a fixed line with area code (CN)");
}

Parsed HongKong(Digits d, bool repaired) {
  if (d.size() != 8) return Wrong(P::kLength, "not 8 digits (HK)");
  if (d[0] < '2') return Wrong(P::kLength, "no such range (HK)");
  if (d.StartsWith("900")) return Wrong(P::kDestination, "premium rate (HK)");
  return Right(852, d, repaired);
}

// Australia, without the trunk 0 (ACMA, Telecommunications Numbering Plan 2015).
Parsed Australian(Digits d, bool repaired) {
  if (d.StartsWith("190")) return Wrong(P::kDestination, "premium rate (AU)");
  if (d.StartsWith("13") || d.StartsWith("180")) {
    return Wrong(P::kSpecial, "13, 1300 or 1800 service number (AU)");
  }
  if (d.size() != 9) return Wrong(P::kLength, "not 9 digits behind the 0 (AU)");
  if (d[0] != '2' && d[0] != '3' && d[0] != '4' && d[0] != '5' && d[0] != '7' && d[0] != '8') {
    return Wrong(P::kLength, "no such area code (AU)");
  }
  return Right(61, d, repaired);
}

struct Plan {
  int code;
  absl::string_view calling_code;
  absl::string_view international;  // prefix dialed before a country code
  uint64_t international_worth;     // of its digits
  bool trunk_zero;
  Parsed (*national)(Digits digits, bool repaired);
};
constexpr Plan kPlans[] = {
    {1, "1", "011", 11, false, NorthAmerican}, {44, "44", "00", 0, true, British},
    {86, "86", "00", 0, true, Chinese},        {852, "852", "00", 0, false, HongKong},
    {61, "61", "0011", 11, true, Australian},
};

// "86", "10", ... of digits written with "+" or an international prefix.
Parsed International(Digits d) {
  if (d.size() < 7) return Wrong(P::kLength, "too short");
  for (const Plan& plan : kPlans) {
    if (!d.StartsWith(plan.calling_code)) continue;
    d.Drop(plan.calling_code.size(), static_cast<uint64_t>(plan.code));
    // "+44 (0)20 ...": exactly one trunk zero behind the country code is taken for what it is.
    const bool zero = plan.trunk_zero && d[0] == '0';
    if (zero) d.Drop(1, 0);
    return plan.national(d, zero);
  }
  if (d[0] == '0' || !IsCountry(d)) {
    return Wrong(P::kDestination, "no country's number (satellite, premium or unknown code)");
  }
  if (d.size() < 8) return Wrong(P::kLength, "too short");
  if (d.size() > 15) return Wrong(P::kLength, "too long");
  return ParseForeign(d.text(), 0);
}

// Digits without "+" in a file whose home has this plan.
Parsed National(const Plan& plan, Digits d) {
  if (d[0] == '0') {
    for (const auto& [prefix, worth] : {std::pair(plan.international, plan.international_worth),
                                        std::pair(absl::string_view("00"), uint64_t{0})}) {
      if (!d.StartsWith(prefix) || d.size() <= prefix.size()) continue;
      d.Drop(prefix.size(), worth);
      return International(d);
    }
  }
  if (!plan.trunk_zero) {
    // North America dials 1 in front, which is also the country code.
    if ((plan.code == 1 || plan.code == 852) && d.size() == 11 && d.StartsWith(plan.calling_code)) {
      d.Drop(plan.calling_code.size(), static_cast<uint64_t>(plan.code));
    }
    return plan.national(d, false);
  }
  const bool china = plan.code == 86;
  if (d[0] == '0') {
    d.Drop(1, 0);
    // Before 2000 a mobile of another city was dialed with 0; the habit lives on in lists.
    return plan.national(d, china && d.size() == 11 && d[0] == '1');
  }
  if (china) {
    if (d.size() == 11 && d[0] == '1') return Chinese(d, false);
    if (d.size() == 10 && !d.StartsWith("400") && !d.StartsWith("800")) {
      return Wrong(P::kAmbiguous, "10 digits: a fixed line without its 0 or a cut mobile (CN)");
    }
    if (d.size() == 16 && d.StartsWith("179")) {
      return Wrong(P::kAmbiguous, "an IP-call prefix stands in front (CN)");
    }
  }
  if (d.size() > 10 && d.StartsWith(plan.calling_code)) {
    const Parsed with_code = International(d);
    if (with_code.fault == P::kNone) return with_code;
    // No area code begins with 86: what was cut is no fixed line.
    if (china && d.size() == 11) {
      return Wrong(P::kAmbiguous, "begins with 86 and is too short behind it (CN)");
    }
  }
  // A spreadsheet has eaten the trunk zero.
  return plan.national(d, true);
}

bool IsOneDigitOverAndOver(absl::string_view text) {
  return text.size() >= 7 &&
         std::all_of(text.begin() + 1, text.end(), [&](char c) { return c == text[0]; });
}

}  // namespace

Parsed ParseDigits(Digits digits, bool international, int home) {
  if (digits.empty()) return Wrong(P::kEmpty, "no digits");
  if (IsOneDigitOverAndOver(digits.text())) return Wrong(P::kLength, "one digit over and over");
  if (international) return International(digits);
  if (digits.size() < 3) return Wrong(P::kLength, "too short");
  constexpr size_t kShortMost = 6;
  const bool is_short = digits.size() <= kShortMost;
  const Parsed short_number = Wrong(P::kSpecial, "emergency, service or short number");
  for (const Plan& plan : kPlans) {
    if (plan.code == home) return is_short ? short_number : National(plan, digits);
  }
  if (is_short) {
    // Some small countries have numbers of six digits (Andorra, Greenland); none has fewer that
    // come to the eight digits of E.164 and are no service.
    if (digits.size() < kShortMost || home == 0) return short_number;
    const Parsed whole = ParseForeign(digits.text(), home);
    return whole.fault == P::kNone ? whole : short_number;
  }
  if (digits.StartsWith("00")) {
    digits.Drop(2, 0);
    return International(digits);
  }
  if (home == 0) return Wrong(P::kAmbiguous, "no country code, and no country is given for it");
  return ParseForeign(digits.text(), home);
}

}  // namespace outpace::campaign::internal

namespace outpace::campaign {

PhoneFault FaultOf(E164 number) {
  if (!number.valid()) return PhoneFault::kEmpty;
  std::array<char, 24> buffer{};
  const char* const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number.value()).ptr;
  internal::Digits d(absl::string_view(buffer.data(), static_cast<size_t>(end - buffer.data())),
                     number.value());
  if (d.size() < 8 || d.size() > 15) return PhoneFault::kLength;
  for (const internal::Plan& plan : internal::kPlans) {
    if (!d.StartsWith(plan.calling_code)) continue;
    d.Drop(plan.calling_code.size(), static_cast<uint64_t>(plan.code));
    return plan.national(d, false).fault;
  }
  return internal::IsCountry(d) ? PhoneFault::kNone : PhoneFault::kDestination;
}

}  // namespace outpace::campaign
