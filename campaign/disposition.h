#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::campaign {

// Where a status puts its lead for the next attempt.
enum class TierMove { kB, kA, kKeep };
// Which of the lead's numbers is dialed next.
enum class NextNumber { kMain, kAlt };
// On which do-not-call list a status puts the number that was dialed.
enum class DncStep {
  kNone,
  kCampaign,  // the campaign's own
  kClient,    // that of the campaign's client_id, and the campaign's own
  kSystem,    // the house's, and the campaign's own
};

// What a status does to the lead that it was given (retry_rule.h; docs/STATUSES.md).
struct NextStep {
  // The lead rests so long and comes back, `tries` times; of a callback: how long it rests when its
  // agent gave no time. 120 s .. 7 d, or zero with no tries.
  absl::Duration delay;
  int tries = 0;     // 1..10; 0: it does not come back by itself
  std::string then;  // status of the lead when the tries are used up; empty: it keeps this one
  // kAlt: lead has a second number, and this was the first: that one is dialed next, after
  // `number_delay` (0..7 d), once; only then do delay and tries count.
  NextNumber number = NextNumber::kMain;
  absl::Duration number_delay;
  TierMove tier = TierMove::kB;
  DncStep dnc = DncStep::kNone;
  bool final =
      false;  // nothing brings the lead back: no rule of the campaign, no reset of the list
  friend bool operator==(const NextStep&, const NextStep&) = default;
};

// A status with the flags every report of the field is built on (VICIdial's names and defaults).
struct Disposition {
  std::string status;       // "SALE": 1..6 of A-Z a-z 0-9 _ -
  std::string name;         // "Sale Made"
  std::string name_zh;      // "成交"
  std::string category;     // "success"; see CategoryNameZh()
  char hotkey = 0;          // on the agent's keyboard, 0-9 a-z; 0: none
  bool selectable = false;  // by the agent
  bool human_answered = false, sale = false, dnc = false, customer_contact = false;
  bool not_interested = false, unworkable = false, scheduled_callback = false, completed = false;
  bool answering_machine = false;
  NextStep next;
  friend bool operator==(const Disposition&, const Disposition&) = default;
};

// The ten flags by their names in the field's tables.
struct StatusFlag {
  absl::string_view name;  // "human_answered"
  bool Disposition::*member;
};
const std::vector<StatusFlag>& StatusFlags();

// The statuses every campaign has, unless it says otherwise (status_set.h).
const std::vector<Disposition>& Dispositions();
const Disposition* FindDisposition(absl::string_view status);  // nullptr: no such status
// Whether the engine gives this status by itself; an agent never does.
bool IsEngineStatus(absl::string_view status);
// "成功" of "success"; the category itself, where it is one's own.
absl::string_view CategoryNameZh(absl::string_view category);

// Status of an attempt that met no agent, from CallOutcomeName: NA, AB, ADC, ADCT, DROP, ...
absl::string_view StatusOfOutcome(absl::string_view outcome, bool answered, bool abandoned);

}  // namespace outpace::campaign
