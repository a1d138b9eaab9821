// An order turns what it sorts by into 64 bits that rise with it; UP takes the complement.

#include "campaign/lead_order.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "campaign/calling_window.h"

namespace outpace::campaign {
namespace {

constexpr std::array<absl::string_view, kLeadOrders> kNames = {"DUE",
                                                               "DOWN",
                                                               "UP",
                                                               "DOWN PHONE",
                                                               "UP PHONE",
                                                               "DOWN LAST NAME",
                                                               "UP LAST NAME",
                                                               "DOWN COUNT",
                                                               "UP COUNT",
                                                               "DOWN RANK",
                                                               "UP RANK",
                                                               "DOWN OWNER",
                                                               "UP OWNER",
                                                               "DOWN TIMEZONE",
                                                               "UP TIMEZONE",
                                                               "DOWN LAST CALL TIME",
                                                               "UP LAST CALL TIME",
                                                               "RANDOM"};

constexpr absl::string_view kOrdinals[] = {"2nd", "3rd", "4th", "5th", "6th"};

// Signed numbers in unsigned order.
uint64_t Ordered(int64_t value) { return static_cast<uint64_t>(value) ^ (uint64_t{1} << 63); }

// The first eight octets, big endian, capitals as small letters; short ones are filled with NUL.
uint64_t TextNumber(absl::string_view text) {
  uint64_t number = 0;
  for (size_t i = 0; i < 8; ++i) {
    const unsigned char octet = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
    number = number << 8 | static_cast<unsigned char>(absl::ascii_tolower(octet));
  }
  return number;
}

// The finishing step of splitmix64: a permutation that leaves no trace of the order of its inputs.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

absl::string_view LeadOrderName(LeadOrder order) { return kNames[static_cast<size_t>(order)]; }

std::string LeadOrderChoice::ToString() const {
  if (nth_new == 0) return std::string(LeadOrderName(order));
  return absl::StrCat(LeadOrderName(order), " ", kOrdinals[nth_new - 2], " NEW");
}

absl::StatusOr<LeadOrderChoice> ParseLeadOrder(absl::string_view text) {
  LeadOrderChoice choice;
  absl::string_view name = absl::StripAsciiWhitespace(text);
  for (size_t i = 0; i < std::size(kOrdinals); ++i) {
    const std::string suffix = absl::StrCat(" ", kOrdinals[i], " NEW");
    if (absl::EndsWithIgnoreCase(name, suffix)) {
      choice.nth_new = static_cast<int>(i) + 2;
      name = absl::StripTrailingAsciiWhitespace(name.substr(0, name.size() - suffix.size()));
      break;
    }
  }
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (absl::EqualsIgnoreCase(name, kNames[i])) {
      choice.order = static_cast<LeadOrder>(i);
      return choice;
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text.substr(0, 40), "\" is not one of ", absl::StrJoin(kNames, ", "),
                   ", each alone or followed by \"2nd NEW\" to \"6th NEW\""));
}

uint64_t OrderValue(LeadOrder order, const OrderFacts& facts) {
  switch (order) {
    case LeadOrder::kDue:
      return Ordered(facts.due_micros);
    case LeadOrder::kDown:
    case LeadOrder::kDownRank:
    case LeadOrder::kUpRank:
      return facts.id.value();
    case LeadOrder::kUp:
      return ~facts.id.value();
    case LeadOrder::kDownPhone:
      return facts.phone.value();
    case LeadOrder::kUpPhone:
      return ~facts.phone.value();
    case LeadOrder::kDownLastName:
      return TextNumber(facts.last_name);
    case LeadOrder::kUpLastName:
      return ~TextNumber(facts.last_name);
    case LeadOrder::kDownCount:
      return Ordered(facts.called_count);
    case LeadOrder::kUpCount:
      return ~Ordered(facts.called_count);
    case LeadOrder::kDownOwner:
      return TextNumber(facts.owner);
    case LeadOrder::kUpOwner:
      return ~TextNumber(facts.owner);
    case LeadOrder::kDownTimeZone:
      return Ordered(facts.zone_seconds);
    case LeadOrder::kUpTimeZone:
      return ~Ordered(facts.zone_seconds);
    case LeadOrder::kDownLastCallTime:
      return Ordered(facts.last_call_micros);
    case LeadOrder::kUpLastCallTime:
      return ~Ordered(facts.last_call_micros);
    case LeadOrder::kRandom:
      return Mix(facts.id.value() + (static_cast<uint64_t>(facts.called_count) << 48));
  }
  return 0;
}

bool NeedsTexts(LeadOrder order) {
  return order == LeadOrder::kDownLastName || order == LeadOrder::kUpLastName ||
         order == LeadOrder::kDownOwner || order == LeadOrder::kUpOwner;
}

bool NeedsZones(LeadOrder order) {
  return order == LeadOrder::kDownTimeZone || order == LeadOrder::kUpTimeZone;
}

int32_t ZoneSeconds(const std::vector<std::string>& zones) {
  if (zones.empty()) return 0;
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(zones.front());
  if (!zone.ok()) return 0;
  // A place does not move with the season: of the two half-years, the one without summer time.
  static const absl::Time january =
      absl::FromCivil(absl::CivilDay(2024, 1, 15), absl::UTCTimeZone());
  static const absl::Time july = absl::FromCivil(absl::CivilDay(2024, 7, 15), absl::UTCTimeZone());
  return std::min(zone->At(january).offset, zone->At(july).offset);
}

}  // namespace outpace::campaign
