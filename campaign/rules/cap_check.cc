// Caps and rests: what earlier attempts to a number still allow.

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "campaign/rules/rule_set.h"
#include "campaign/rules/zone_walk.h"

namespace outpace::rules {
namespace {

bool Counts(const CapRule& cap, const PastAttempt& attempt, uint32_t campaign) {
  return (!cap.answered_only || attempt.answered) &&
         (!cap.campaign_only || attempt.campaign == campaign);
}

bool Follows(After after, const PastAttempt& attempt) {
  switch (after) {
    case After::kAttempt:
      return true;
    case After::kAnswer:
      return attempt.answered;
    case After::kAbandoned:
      return attempt.abandoned;
    case After::kMachine:
      return attempt.machine;
    case After::kConversation:
      return attempt.conversation;
    case After::kRefusal:
      return attempt.refused;
  }
  return false;
}

// When an attempt no longer weighs: `hours` later, or when `days` local days are over of which its
// own is the first, in the zone where that is last.
absl::Time WeighsUntil(absl::Time at, int hours, int days, absl::Span<const absl::TimeZone> zones) {
  if (days == 0) return at + absl::Hours(hours);
  absl::Time until = absl::InfinitePast();
  for (const absl::TimeZone& zone : zones) {
    until = std::max(until, internal::StartOfDay(absl::ToCivilDay(at, zone) + days, zone));
  }
  return until;
}

// Somebody's day: where the number lies is not known.
absl::Span<const absl::TimeZone> Anywhere() {
  static const std::array<absl::TimeZone, 3> zones = {
      absl::FixedTimeZone(-12 * 3600), absl::UTCTimeZone(), absl::FixedTimeZone(14 * 3600)};
  return zones;
}

}  // namespace

std::vector<Held> RuleSet::CheckCaps(absl::Span<const PastAttempt> history, absl::Time now,
                                     uint32_t campaign, absl::Span<const absl::TimeZone> zones,
                                     absl::Span<const Place> places) const {
  std::vector<Held> held;
  if (history.empty()) return held;
  static constexpr Place kUnknown;
  if (places.empty()) places = absl::Span<const Place>(&kUnknown, 1);
  if (zones.empty()) zones = Anywhere();
  ForEach(&PlaceRules::caps, now, places, [&](const Rule& rule) {
    const auto& cap = std::get<CapRule>(rule.value);
    // The attempt that fills the cap is the max-th newest: while it weighs, the cap is full.
    int count = 0;
    for (const PastAttempt& attempt : history) {
      if (!Counts(cap, attempt, campaign) || ++count < cap.max) continue;
      const absl::Time until = WeighsUntil(std::min(attempt.at, now), cap.hours, cap.days, zones);
      if (until > now) {
        held.push_back(
            {&rule,
             absl::StrCat("The limit is reached: ", ValueText(rule.value), " (", rule.source, ")."),
             until});
      }
      break;
    }
  });
  ForEach(&PlaceRules::rests, now, places, [&](const Rule& rule) {
    const auto& rest = std::get<RestRule>(rule.value);
    for (const PastAttempt& attempt : history) {
      if (!Follows(rest.after, attempt)) continue;
      const absl::Time until = WeighsUntil(std::min(attempt.at, now), rest.hours, rest.days, zones);
      if (until > now) {
        held.push_back(
            {&rule,
             absl::StrCat("The number rests: ", ValueText(rule.value), " (", rule.source, ")."),
             until});
      }
      break;
    }
  });
  return held;
}

}  // namespace outpace::rules
