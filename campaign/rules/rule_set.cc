#include "campaign/rules/rule_set.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/rules/zone_walk.h"

namespace outpace::rules {
namespace {

constexpr absl::Duration kHorizon = absl::Hours(24 * 400);
constexpr Place kUnknown;

// No place at all is one of which nothing is known.
absl::Span<const Place> PlacesOr(absl::Span<const Place> places) {
  return places.empty() ? absl::Span<const Place>(&kUnknown, 1) : places;
}

struct LocalMinute {
  explicit LocalMinute(const absl::CivilSecond& local)
      : day(local), minute(local.hour() * 60 + local.minute()) {}
  absl::CivilDay day;
  int minute;
};

std::string ClosedText(const Rule& rule, const LocalMinute& local, absl::TimeZone zone) {
  if (const auto* holidays = std::get_if<HolidayRule>(&rule.value)) {
    for (const Holiday& holiday : holidays->days) {
      if (holiday.Falls(local.day)) {
        return absl::StrCat("It is ", holiday.name(), " in ", zone.name(), " (", rule.source, ").");
      }
    }
  }
  return absl::StrCat(
      "It is ", absl::FormatCivilTime(absl::CivilMinute(local.day) + local.minute).substr(11),
      " on ",
      absl::FormatTime("%a", absl::FromCivil(local.day, absl::UTCTimeZone()), absl::UTCTimeZone()),
      " in ", zone.name(), ", outside ", ValueText(rule.value), " (", rule.source, ").");
}

}  // namespace

absl::StatusOr<RuleSet> RuleSet::Combine(const RuleBook& book, absl::Span<const std::string> ids) {
  RuleSet set;
  std::vector<std::string> missing;
  for (const std::string& id : ids) {
    if (std::find(set.ids_.begin(), set.ids_.end(), id) != set.ids_.end()) continue;
    const Jurisdiction* jurisdiction = book.Find(id);
    if (jurisdiction == nullptr) {
      missing.push_back(absl::StrCat("\"", id, "\""));
      continue;
    }
    set.ids_.push_back(id);
    absl::StrAppend(&set.version_, set.version_.empty() ? "" : " ", id, "@", jurisdiction->version);
    set.rules_.insert(set.rules_.end(), jurisdiction->rules.begin(), jurisdiction->rules.end());
  }
  if (!missing.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "no set of rules ", absl::StrJoin(missing, ", "), "; the sets are ",
        absl::StrJoin(book.all(), ", ",
                      [](std::string* out, const Jurisdiction& each) { out->append(each.id); })));
  }
  std::vector<uint32_t> all;
  for (uint32_t i = 0; i < set.rules_.size(); ++i) {
    const Rule& rule = set.rules_[i];
    all.push_back(i);
    for (const std::string& area : rule.areas) set.regions_.push_back(area.substr(0, 2));
    set.asks_consent_ = set.asks_consent_ || std::holds_alternative<ConsentRule>(rule.value);
    int hours = 0, days = 0;
    if (const auto* cap = std::get_if<CapRule>(&rule.value)) {
      hours = cap->hours, days = cap->days;
    } else if (const auto* rest = std::get_if<RestRule>(&rule.value)) {
      hours = rest->hours, days = rest->days;
    }
    // A local day may have 25 hours, and its zone is not looked at here.
    set.history_needed_ =
        std::max(set.history_needed_, days > 0 ? absl::Hours(24 * (days + 2)) : absl::Hours(hours));
  }
  set.by_place_ = PlaceTable<PlaceRules>(set.rules_, all, [&](std::vector<uint32_t> holding) {
    PlaceRules out;
    for (const uint32_t index : holding) {
      const RuleValue& value = set.rules_[index].value;
      if (std::holds_alternative<CapRule>(value)) out.caps.push_back(index);
      if (std::holds_alternative<RestRule>(value)) out.rests.push_back(index);
      if (std::holds_alternative<ConsentRule>(value)) out.consents.push_back(index);
      if (std::holds_alternative<RingRule>(value)) out.rings.push_back(index);
      if (std::holds_alternative<RegistryRule>(value)) out.registries.push_back(index);
      if (std::holds_alternative<BlockRule>(value)) out.blocks.push_back(index);
    }
    return out;
  });
  set.calendars_ = CalendarTable(set.rules_);
  return set;
}

bool RuleSet::InForce(const Rule& rule, absl::Time now) {
  if (rule.from == absl::CivilDay::min() && rule.until == absl::CivilDay::max()) return true;
  // In force as soon as it is so anywhere on earth, and until it is so nowhere.
  const absl::TimeZone utc = absl::UTCTimeZone();
  return rule.from <= absl::ToCivilDay(now + absl::Hours(14), utc) &&
         rule.until > absl::ToCivilDay(now - absl::Hours(12), utc);
}

bool RuleSet::IsOpen(absl::Time now, absl::Span<const absl::TimeZone> zones,
                     absl::Span<const Place> places) const {
  if (calendars_.empty()) return true;
  places = PlacesOr(places);
  for (const Place& place : places) {
    const Calendar& calendar = calendars_.Find(place);
    if (calendar.always_open()) continue;
    if (zones.empty()) return false;
    for (const absl::TimeZone& zone : zones) {
      const LocalMinute local(zone.At(now).cs);
      if (!calendar.IsOpen(local.day, local.minute)) return false;
    }
  }
  return true;
}

WindowVerdict RuleSet::CheckWindow(absl::Time now, absl::Span<const absl::TimeZone> zones,
                                   absl::Span<const Place> places) const {
  WindowVerdict verdict;
  verdict.next_open = now;
  if (IsOpen(now, zones, places)) return verdict;

  places = PlacesOr(places);
  const absl::Time limit = now + kHorizon;
  std::vector<const Calendar*> calendars;
  for (const Place& place : places) {
    const Calendar& calendar = calendars_.Find(place);
    if (!calendar.always_open()) calendars.push_back(&calendar);
  }
  if (zones.empty()) {
    verdict.next_open = absl::InfiniteFuture();
    verdict.held.push_back({&rules_[calendars.front()->rules().front()],
                            "The time zone of the number is not known, so no hour is certain.",
                            absl::InfiniteFuture()});
    return verdict;
  }
  for (const Calendar* calendar : calendars) {
    for (const absl::TimeZone& zone : zones) {
      const LocalMinute local(zone.At(now).cs);
      for (const uint32_t index : calendar->ClosedBy(rules_, local.day, local.minute)) {
        const Rule* rule = &rules_[index];
        const absl::Time until = internal::FirstOpen(
            [rule](absl::CivilMinute at) { return NextOpenOf(*rule, at); }, now, zone, limit);
        auto known = std::find_if(verdict.held.begin(), verdict.held.end(),
                                  [rule](const Held& held) { return held.rule == rule; });
        if (known == verdict.held.end()) {
          verdict.held.push_back({rule, ClosedText(*rule, local, zone), until});
        } else {
          known->until = std::max(known->until, until);
        }
      }
    }
  }
  // Each zone and each place in turn moves the instant on to where it is open itself, until one
  // instant satisfies them all.
  absl::Time at = now;
  for (bool moved = true; moved && at != absl::InfiniteFuture();) {
    moved = false;
    for (const Calendar* calendar : calendars) {
      for (const absl::TimeZone& zone : zones) {
        const absl::Time open = internal::FirstOpen(
            [calendar](absl::CivilMinute minute) { return calendar->NextOpen(minute); }, at, zone,
            limit);
        moved = moved || open != at;
        at = open;
        if (at == absl::InfiniteFuture()) break;
      }
      if (at == absl::InfiniteFuture()) break;
    }
  }
  verdict.next_open = at;
  return verdict;
}

std::vector<Held> RuleSet::CheckNumber(E164 number, campaign::NumberType type, absl::Time now,
                                       absl::Span<const Place> places) const {
  std::vector<Held> held;
  places = PlacesOr(places);
  std::array<char, 24> buffer{};
  const char* const end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number.value()).ptr;
  const absl::string_view digits(buffer.data(), static_cast<size_t>(end - buffer.data()));
  ForEach(&PlaceRules::blocks, now, places, [&](const Rule& rule) {
    const auto& block = std::get<BlockRule>(rule.value);
    std::string text;
    if (std::find(block.types.begin(), block.types.end(), type) != block.types.end()) {
      text = absl::StrCat("Numbers of type ", campaign::NumberTypeName(type), " are not dialed (",
                          rule.source, ").");
    } else if (std::any_of(
                   block.prefixes.begin(), block.prefixes.end(),
                   [&](const std::string& prefix) { return absl::StartsWith(digits, prefix); })) {
      text = absl::StrCat("The number lies in a range that is not dialed (", rule.source, ").");
    } else if (block.uncovered &&
               std::none_of(regions_.begin(), regions_.end(), [&](const std::string& region) {
                 return region == places.front().region;
               })) {
      text = absl::StrCat("No chosen set of rules speaks of the number's country (", rule.source,
                          ").");
    }
    if (!text.empty()) held.push_back({&rule, std::move(text), absl::InfiniteFuture()});
  });
  return held;
}

std::vector<Held> RuleSet::CheckConsent(const Consent& consent, campaign::NumberType type,
                                        absl::Time now, absl::Span<const Place> places) const {
  std::vector<Held> held;
  places = PlacesOr(places);
  ForEach(&PlaceRules::consents, now, places, [&](const Rule& rule) {
    const auto& asked = std::get<ConsentRule>(rule.value);
    // A number whose type is not known, or not for certain, may be of the type that is asked about.
    using campaign::NumberType;
    const auto about = [&asked](NumberType one) {
      return std::find(asked.types.begin(), asked.types.end(), one) != asked.types.end();
    };
    const bool concerned = asked.types.empty() || type == NumberType::kUnknown || about(type) ||
                           (type == NumberType::kFixedOrMobile &&
                            (about(NumberType::kMobile) || about(NumberType::kFixed)));
    if (!concerned) return;
    if (consent.basis < asked.basis) {
      held.push_back(
          {&rule,
           absl::StrCat("The rule asks for consent (", BasisName(asked.basis), "), and there is ",
                        BasisName(consent.basis), " (", rule.source, ")."),
           absl::InfiniteFuture()});
    } else if (asked.days > 0 && now - consent.given >= absl::Hours(24 * asked.days)) {
      held.push_back(
          {&rule,
           absl::StrCat("The consent is more than ", asked.days, " days old (", rule.source, ")."),
           absl::InfiniteFuture()});
    }
  });
  return held;
}

std::vector<Held> RuleSet::CheckRegistry(absl::Time fetched, absl::Time now,
                                         absl::Span<const Place> places) const {
  std::vector<Held> held;
  places = PlacesOr(places);
  ForEach(&PlaceRules::registries, now, places, [&](const Rule& rule) {
    const int days = std::get<RegistryRule>(rule.value).days;
    if (now - fetched <= absl::Hours(24 * days)) return;
    held.push_back({&rule,
                    absl::StrCat(fetched == absl::InfinitePast()
                                     ? std::string("There is no copy of the do-not-call register")
                                     : absl::StrCat("The copy of the do-not-call register is more "
                                                    "than ",
                                                    days, " days old"),
                                 " (", rule.source, ")."),
                    absl::InfiniteFuture()});
  });
  return held;
}

std::vector<Held> RuleSet::CheckRing(absl::Duration ring, absl::Time now,
                                     absl::Span<const Place> places) const {
  std::vector<Held> held;
  places = PlacesOr(places);
  ForEach(&PlaceRules::rings, now, places, [&](const Rule& rule) {
    const int seconds = std::get<RingRule>(rule.value).seconds;
    if (ring >= absl::Seconds(seconds)) return;
    held.push_back({&rule,
                    absl::StrCat("An unanswered call rings at least ", seconds, " seconds (",
                                 rule.source, ")."),
                    absl::InfiniteFuture()});
  });
  return held;
}

}  // namespace outpace::rules
