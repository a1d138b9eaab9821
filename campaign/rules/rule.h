#pragma once

// One rule of one jurisdiction, as its TOML file says it (docs/COMPLIANCE.md). Rules are plain
// data; what they forbid at a moment is asked of a RuleSet.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "campaign/abandon_contract.h"
#include "campaign/number_info.h"
#include "campaign/rules/holiday.h"

namespace outpace::rules {

// What was read to write the value down; nothing here is legal advice.
enum class Evidence {
  kRead,       // "read": the clause itself
  kSecondary,  // "secondary": somebody else's account of it
  kMemory,     // "from memory, check"
};
absl::string_view EvidenceName(Evidence evidence);

// Open minutes of local days. Half open: at `end` it is closed.
struct OpenHours {
  uint8_t weekdays = 0x7f;  // bit 0: Monday ... bit 6: Sunday
  int start_minute = 0;     // since local midnight, 0..1440
  int end_minute = 1440;    // > start
};

// Hours in which a person may be rung; closed outside all of them.
struct WindowRule {
  std::vector<OpenHours> open;  // not empty
};
// Days on which nobody is rung.
struct HolidayRule {
  std::vector<Holiday> days;
};
// At most `max` attempts to a number in the last `hours`, or in the last `days` local days, today
// among them. One of the two is 0.
struct CapRule {
  int max = 1;
  int hours = 0, days = 0;
  bool answered_only = false;  // only attempts that somebody answered count
  bool campaign_only = false;  // only attempts of the same campaign count
};
// What an earlier attempt has to have been for a rest to follow it.
enum class After { kAttempt, kAnswer, kAbandoned, kMachine, kConversation, kRefusal };
absl::string_view AfterName(After after);
// No attempt for `hours` after one of the kind, or for `days` local days of which the attempt's own
// is the first. One of the two is 0.
struct RestRule {
  After after = After::kAttempt;
  int hours = 0, days = 0;
};
// What a person has to have agreed to, weakest first.
enum class Basis { kNone, kBusiness, kExpress, kWritten };
absl::string_view BasisName(Basis basis);  // "none", "existing_business", "express", "written"
struct ConsentRule {
  Basis basis = Basis::kExpress;
  int days = 0;                             // a consent older than that is none; 0: it lasts
  std::vector<campaign::NumberType> types;  // only for such numbers; empty: for all
};
// An unanswered call rings at least so long.
struct RingRule {
  int seconds = 15;
};
// The copy of the public do-not-call register is at most so old.
struct RegistryRule {
  int days = 31;
};
// Numbers that are not rung at all.
struct BlockRule {
  std::vector<campaign::NumberType> types;
  std::vector<std::string> prefixes;  // of E.164, without "+"
  bool uncovered = false;             // numbers of regions that no other chosen rule speaks of
};
// A limit on abandoned calls: its values, of which `contract` makes one that a campaign's setting
// abandon_contracts may name (campaign/abandon_contract.h).
struct AbandonRule {
  std::string contract;  // "tsr"; empty: none may name it
  double percent = 3;
  double answer_seconds = 2;  // from `start` to the agent
  campaign::ContractStart start = campaign::ContractStart::kAnswer;
  campaign::ContractNumerator numerator = campaign::ContractNumerator::kLate;
  campaign::ContractDenominator denominator = campaign::ContractDenominator::kPersons;
  campaign::AbandonWindow window = campaign::AbandonWindow::kDay;
};

using RuleValue = std::variant<WindowRule, HolidayRule, CapRule, RestRule, ConsentRule, RingRule,
                               RegistryRule, BlockRule, AbandonRule>;

struct Rule {
  std::string id;                  // "us-fl:window", unlike any other
  std::string set;                 // "us-states": the file it stands in
  std::vector<std::string> areas;  // "US", "US-FL"; empty: everywhere
  // In force on local days from `from` on, before `until`.
  absl::CivilDay from = absl::CivilDay::min(), until = absl::CivilDay::max();
  std::string source;  // regulation and clause
  std::string url;     // where it was read; may be empty
  Evidence evidence = Evidence::kMemory;
  std::string note;  // what the value leaves out; may be empty
  int line = 0;      // in the file
  RuleValue value;

  bool InForce(absl::CivilDay day) const { return from <= day && day < until; }
};
// "window", "holidays", "cap", ...: also the name of its section in the file.
absl::string_view KindName(const RuleValue& value);
// The value in one line: "Mon-Fri 09:00-21:30, Sat-Sun 10:00-18:00".
std::string ValueText(const RuleValue& value);

}  // namespace outpace::rules
