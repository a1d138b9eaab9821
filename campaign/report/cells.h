#pragma once

// Cells that exports of calls and of leads have in common.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "campaign/report/figures.h"
#include "engine/base/e164.h"

namespace outpace::report {

// "2026-11-22 10:30:00"; empty for what has not happened.
std::string DateCell(absl::Time time, absl::TimeZone zone);

// Digits without "+"; empty for none.
std::string PhoneCell(E164 phone);

// "-5.00": hours east of UTC at `time` in the first of the zones (VICIdial's form); empty if not
// known.
std::string GmtOffsetCell(const std::vector<std::string>& zones, absl::Time time);

}  // namespace outpace::report
