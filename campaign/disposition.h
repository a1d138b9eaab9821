#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::campaign {

// A status with the flags every report of the field is built on (VICIdial's names and defaults).
struct Disposition {
  absl::string_view status;   // "SALE"
  absl::string_view name;     // "Sale Made"
  absl::string_view name_zh;  // "成交"
  char hotkey = 0;            // on the agent's keyboard; 0: not selectable by the agent
  bool human_answered = false, sale = false, dnc = false, customer_contact = false;
  bool not_interested = false, unworkable = false, scheduled_callback = false, completed = false;
  bool answering_machine = false;
  bool selectable() const { return hotkey != 0; }
};
const std::vector<Disposition>& Dispositions();                // in the order agents see them
const Disposition* FindDisposition(absl::string_view status);  // nullptr: no such status

// Status of an attempt that met no agent, from CallOutcomeName: NA, AB, ADC, ADCT, DROP, ...
absl::string_view StatusOfOutcome(absl::string_view outcome, bool answered, bool abandoned);

}  // namespace outpace::campaign
