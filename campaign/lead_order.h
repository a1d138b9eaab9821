#pragma once

// In which order the leads of a campaign are dialed: VICIdial's lead_order. A lead's tier comes
// first and its rank second in every order; within these an order gives each lead a number of 64
// bits, smaller first, and leads of the same number go by their id. The store keeps its index of
// dialable leads by that number, so that a refill reads the leads it wants and no others.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/lead.h"
#include "engine/base/e164.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// VICIdial's names: DOWN rises (the first record first), UP falls.
enum class LeadOrder : uint8_t {
  kDue,               // DUE: longest due first, new leads before all others
  kDown,              // DOWN: by lead id
  kUp,                // UP
  kDownPhone,         // DOWN PHONE: by the number's digits
  kUpPhone,           // UP PHONE
  kDownLastName,      // DOWN LAST NAME: by its first eight octets, capitals as small letters
  kUpLastName,        // UP LAST NAME
  kDownCount,         // DOWN COUNT: fewest tries first
  kUpCount,           // UP COUNT
  kDownRank,          // DOWN RANK: lowest rank first; the only order that turns the rank round
  kUpRank,            // UP RANK: highest rank first, as in every other order
  kDownOwner,         // DOWN OWNER: by its first eight octets, as a last name
  kUpOwner,           // UP OWNER
  kDownTimeZone,      // DOWN TIMEZONE: westernmost first, by the first zone's standard time
  kUpTimeZone,        // UP TIMEZONE
  kDownLastCallTime,  // DOWN LAST CALL TIME: never called first, then longest ago
  kUpLastCallTime,    // UP LAST CALL TIME
  kRandom,            // RANDOM: shuffled by id and number of tries, the same in every run
};
inline constexpr int kLeadOrders = static_cast<int>(LeadOrder::kRandom) + 1;

absl::string_view LeadOrderName(LeadOrder order);  // "DOWN LAST NAME"

// The setting's whole text: "DOWN COUNT 3rd NEW" is every third lead a new one.
struct LeadOrderChoice {
  LeadOrder order = LeadOrder::kDue;
  int nth_new = 0;  // 2..6; 0: new leads stand where the order puts them
  std::string ToString() const;
  friend bool operator==(const LeadOrderChoice&, const LeadOrderChoice&) = default;
};
// Capitals do not matter. InvalidArgument lists the orders.
absl::StatusOr<LeadOrderChoice> ParseLeadOrder(absl::string_view text);

// What of a lead an order may look at.
struct OrderFacts {
  LeadId id;
  E164 phone;
  int called_count = 0;
  int64_t due_micros = INT64_MIN;        // since 1970 UTC; INT64_MIN: at once
  int64_t last_call_micros = INT64_MIN;  // INT64_MIN: never
  int32_t zone_seconds = 0;              // ZoneSeconds() of the lead's zones
  absl::string_view last_name, owner;    // read when NeedsTexts()
};

// The number by which `order` sorts the lead. Pure.
uint64_t OrderValue(LeadOrder order, const OrderFacts& facts);

// Whether the order looks at last_name or owner, which are not among a lead's hot fields.
bool NeedsTexts(LeadOrder order);
// Whether the order looks at time zones.
bool NeedsZones(LeadOrder order);

// Standard time of the first of these zones, in seconds east of UTC; unknown or none: 0.
int32_t ZoneSeconds(const std::vector<std::string>& zones);

}  // namespace outpace::campaign
