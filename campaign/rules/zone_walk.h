#pragma once

// Steps between local time and instants that hold on the days when clocks are moved as well.

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "campaign/rules/calendar.h"

namespace outpace::rules::internal {

// When the zone's clock is moved next, after `now`; InfiniteFuture: never again.
absl::Time NextChange(absl::Time now, absl::TimeZone zone);

// The first instant of a local day: midnight, the earlier one if it comes twice, or where the clock
// lands if it jumps over midnight.
absl::Time StartOfDay(absl::CivilDay day, absl::TimeZone zone);

// First instant at or after `now` at which the calendar is open by that zone's clock;
// InfiniteFuture if there is none until `limit`.
absl::Time FirstOpen(const Calendar& calendar, absl::Time now, absl::TimeZone zone,
                     absl::Time limit);

}  // namespace outpace::rules::internal
