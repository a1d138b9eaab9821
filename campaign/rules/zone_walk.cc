#include "campaign/rules/zone_walk.h"

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

}  // namespace outpace::rules::internal
