#include "campaign/rules/zone_walk.h"

#include <algorithm>

namespace outpace::rules::internal {

absl::Time NextChange(absl::Time now, absl::TimeZone zone) {
  absl::TimeZone::CivilTransition change;
  if (!zone.NextTransition(now, &change)) return absl::InfiniteFuture();
  // A clock set forward jumps over `from`; one set back shows `to` a second time. Either way that
  // is the local time whose `trans` is the instant of the change.
  return zone.At(change.from < change.to ? change.from : change.to).trans;
}

absl::Time StartOfDay(absl::CivilDay day, absl::TimeZone zone) {
  const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(day));
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

absl::Time FirstOpen(const Calendar& calendar, absl::Time now, absl::TimeZone zone,
                     absl::Time limit) {
  // From one change of the clock to the next local time runs as time does, so the calendar's next
  // open minute is the answer if it comes before the change; else one looks anew from there.
  for (absl::Time at = now; at <= limit;) {
    const absl::CivilSecond local = zone.At(at).cs;
    const absl::CivilMinute minute(local);
    const absl::CivilMinute open = calendar.NextOpen(minute);
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
