#pragma once

// Steps between local time and instants that hold on the days when clocks are moved as well.

#include <algorithm>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace outpace::rules::internal {

// When the zone's clock is moved next, after `now`; InfiniteFuture: never again.
absl::Time NextChange(absl::Time now, absl::TimeZone zone);

// The first instant of a local day: midnight, the earlier one if it comes twice, or where the clock
// lands if it jumps over midnight.
absl::Time StartOfDay(absl::CivilDay day, absl::TimeZone zone);

// First instant at or after `now` that is open by that zone's clock; InfiniteFuture if there is
// none until `limit`. `next_open`: the first open minute of local time at or after one,
// CivilMinute::max() if there is none.
template <typename NextOpen>
absl::Time FirstOpen(NextOpen next_open, absl::Time now, absl::TimeZone zone, absl::Time limit) {
  // From one change of the clock to the next local time runs as time does, so the next open minute
  // is the answer if it comes before the change; else one looks anew from there.
  for (absl::Time at = now; at <= limit;) {
    const absl::CivilSecond local = zone.At(at).cs;
    const absl::CivilMinute minute(local);
    const absl::CivilMinute open = next_open(minute);
    if (open == minute) return at;
    const absl::Time change = NextChange(at, zone);
    if (open != absl::CivilMinute::max()) {
      const absl::Time then = at + absl::Seconds(absl::CivilSecond(open) - local);
      if (then < change) return then <= limit ? then : absl::InfiniteFuture();
    }
    at = std::max(change, at + absl::Seconds(1));
  }
  return absl::InfiniteFuture();
}

}  // namespace outpace::rules::internal
