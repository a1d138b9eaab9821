#include "campaign/gate/funnel.h"

#include <algorithm>

#include "campaign/calling_window.h"

namespace outpace::gate {
namespace {

using campaign::LeadGlance;

constexpr Rule kOrder[] = {
    Rule::kFinalStatus,  Rule::kDncSystem,        Rule::kDncLitigator,
    Rule::kDncState,     Rule::kDncRegistry,      Rule::kDncClient,
    Rule::kDncCampaign,  Rule::kCallCountLimit,   Rule::kZoneUnknown,
    Rule::kDestination,  Rule::kNumberBlocked,    Rule::kConsent,
    Rule::kDialStatuses, Rule::kListMix,          Rule::kListInactive,
    Rule::kLeadFilter,   Rule::kRingTimeTooShort, Rule::kComplianceUnknown,
    Rule::kRegistryAge,  Rule::kCampaignInactive, Rule::kFrequencyCap,
    Rule::kRestPeriod,   Rule::kDailyLimit,       Rule::kNotDueYet,
    Rule::kLegalHoliday, Rule::kLegalWindow,      Rule::kCallingWindow,
    Rule::kNumberInCall,
};

// The rules that time alone ends, for which a lead's next moment can be told.
constexpr RuleBits kPassing =
    BitOf(Rule::kDailyLimit) | BitOf(Rule::kNotDueYet) | BitOf(Rule::kCallingWindow) |
    BitOf(Rule::kNumberInCall) | BitOf(Rule::kLegalWindow) | BitOf(Rule::kLegalHoliday) |
    BitOf(Rule::kFrequencyCap) | BitOf(Rule::kRestPeriod) | BitOf(Rule::kLeadFilter);
// What the gate says of zones and place, of a lot, and of the attempts at a number; the rest is
// looked up for each lead.
constexpr RuleBits kOfHours = BitOf(Rule::kCallingWindow) | BitOf(Rule::kZoneUnknown) |
                              BitOf(Rule::kLegalWindow) | BitOf(Rule::kLegalHoliday) |
                              BitOf(Rule::kRegistryAge) | BitOf(Rule::kRingTimeTooShort) |
                              BitOf(Rule::kComplianceUnknown);
constexpr RuleBits kOfLot = BitOf(Rule::kFinalStatus) | BitOf(Rule::kCallCountLimit) |
                            BitOf(Rule::kCampaignInactive) | BitOf(Rule::kListInactive) |
                            BitOf(Rule::kDialStatuses) | BitOf(Rule::kListMix);
constexpr RuleBits kCaps = BitOf(Rule::kFrequencyCap) | BitOf(Rule::kRestPeriod);
// Windows of two kinds that are never open at once are asked in turn so often at most.
constexpr int kTurnsMost = 1000;

constexpr int64_t kMicrosAMinute = 60'000'000;

// As the store keeps instants: the ends of int64 are infinite.
int64_t MicrosOf(absl::Time time) {
  if (time == absl::InfiniteFuture()) return INT64_MAX;
  if (time == absl::InfinitePast()) return INT64_MIN;
  return absl::ToUnixMicros(time);
}
absl::Time TimeOf(int64_t micros) {
  if (micros == INT64_MAX) return absl::InfiniteFuture();
  if (micros == INT64_MIN) return absl::InfinitePast();
  return absl::FromUnixMicros(micros);
}

RuleBits BitsOf(const std::vector<Reason>& reasons) {
  RuleBits bits = 0;
  for (const Reason& reason : reasons) bits |= BitOf(reason.rule);
  return bits;
}

absl::Time Midnight(absl::Time now, absl::TimeZone zone) {
  return absl::FromCivil(absl::CivilDay(zone.At(now).cs) + 1, zone);
}

}  // namespace

absl::Span<const Rule> FunnelOrder() { return kOrder; }

absl::string_view SoonnessName(Soonness soonness) {
  static constexpr absl::string_view kNames[kSoonnesses] = {
      "now", "within_15_min", "within_1_h", "within_4_h", "today", "later", "never"};
  return kNames[static_cast<size_t>(soonness)];
}

void Funnel::Add(const Funnel& other) {
  leads += other.leads;
  in_call += other.in_call;
  in_hopper += other.in_hopper;
  dialable += other.dialable;
  held_earlier += other.held_earlier;
  for (const auto& [rules, count] : other.held) held[rules] += count;
  for (size_t i = 0; i < kSoonnesses; ++i) when[i] += other.when[i];
  next = std::min(next, other.next);
}

std::vector<FunnelRow> Funnel::Rows() const {
  std::vector<FunnelRow> rows;
  RuleBits before = 0;
  for (const Rule rule : kOrder) {
    FunnelRow row{RuleName(rule)};
    for (const auto& [rules, count] : held) {
      if ((rules & BitOf(rule)) == 0) continue;
      row.held += count;
      if ((rules & before) == 0) row.first += count;
      if (rules == BitOf(rule)) row.alone += count;
    }
    before |= BitOf(rule);
    if (row.held > 0) rows.push_back(row);
  }
  if (held_earlier > 0) rows.push_back({"held_earlier", held_earlier, held_earlier, held_earlier});
  return rows;
}

FunnelCounter::FunnelCounter(const FunnelScene& scene, FilterQuestion filter)
    : scene_(scene),
      filter_(std::move(filter)),
      asker_(AskerOf(scene.settings, scene.now)),
      has_rules_(!scene.policy.rules().empty()),
      counts_attempts_(scene.policy.rules().HistoryNeeded() > absl::ZeroDuration() &&
                       scene.policy.HistoryFault(scene.history, scene.now).empty()),
      now_micros_(MicrosOf(scene.now)),
      midnight_micros_(MicrosOf(Midnight(scene.now, scene.settings.report_zone))) {
  probe_.campaign = scene.settings.id;
  probe_.has_fields = false;
}

GateInput FunnelCounter::InputFor(const campaign::Lead& lead) const {
  GateInput input{.lead = lead,
                  .number = lead.phone,
                  .settings = scene_.settings,
                  .policy = scene_.policy,
                  .history = scene_.history};
  input.texts_follow = !lead.has_fields;
  return input;
}

// What the gate has against a lead that is new but for what it shares with its lot.
RuleBits FunnelCounter::RulesOfLot(const LeadGlance& lead) {
  if (has_last_lot_ && std::get<0>(last_lot_) == lead.list &&
      std::get<1>(last_lot_) == lead.status && std::get<2>(last_lot_) == lead.called_count &&
      std::get<3>(last_lot_) == lead.max_attempts) {
    return last_lot_rules_;
  }
  std::get<0>(last_lot_) = lead.list;
  std::get<1>(last_lot_).assign(lead.status.data(), lead.status.size());
  std::get<2>(last_lot_) = lead.called_count;
  std::get<3>(last_lot_) = lead.max_attempts;
  has_last_lot_ = true;
  const auto known = lots_.find(last_lot_);
  if (known != lots_.end()) return last_lot_rules_ = known->second;
  probe_.list = lead.list;
  probe_.status = std::get<1>(last_lot_);
  probe_.called_count = lead.called_count;
  probe_.max_attempts = lead.max_attempts;
  GateInput input = InputFor(probe_);
  input.list_active = !scene_.lists_off.contains(lead.list);
  last_lot_rules_ = kOfLot & (BitsOf(Decide(input, no_dnc_, scene_.now).reasons) |
                              BitsOf(NotTaken(probe_, scene_.settings)));
  lots_[last_lot_] = last_lot_rules_;
  return last_lot_rules_;
}

FunnelCounter::Hours& FunnelCounter::HoursOf(const LeadGlance& lead) {
  if (has_rules_) number_ = campaign::Describe(lead.phone);
  const auto [it, is_new] =
      hours_.try_emplace(HoursKey(lead.zones, number_.type, number_.region, number_.area));
  Hours& hours = it->second;
  if (!is_new) return hours;
  probe_.phone = lead.phone;
  probe_.time_zones = *lead.zone_names;
  hours.rules = kOfHours & BitsOf(Decide(InputFor(probe_), scene_.dnc, scene_.now).reasons);
  hours.place = {number_.region, number_.area};
  if ((hours.rules & BitOf(Rule::kZoneUnknown)) != 0) {
    hours.opens = false;
    return hours;
  }
  for (const std::string& name : probe_.time_zones) {
    if (const auto zone = campaign::FindTimeZone(name); zone.ok()) hours.zones.push_back(*zone);
  }
  hours.opens = NextOpen(hours, scene_.now) != absl::InfiniteFuture();
  return hours;
}

// First instant at or after `from` at which the campaign's own window and those of its rules are
// open.
absl::Time FunnelCounter::NextOpen(const Hours& hours, absl::Time from) const {
  for (int i = 0; i < kTurnsMost; ++i) {
    from = scene_.settings.local_call_time.NextOpen(from, hours.zones);
    if (!has_rules_ || from == absl::InfiniteFuture()) return from;
    const absl::Time lawful =
        scene_.policy.rules().CheckWindow(from, hours.zones, {&hours.place, 1}).next_open;
    if (lawful == from) return from;
    from = lawful;
  }
  return absl::InfiniteFuture();
}

// Windows open and close with whole minutes, in whatever zone.
void FunnelCounter::FindOpenMinutes(Hours& hours) const {
  const int64_t first = now_micros_ / kMicrosAMinute;
  // As far as the table of When() tells times apart.
  const int64_t end = std::max(midnight_micros_, now_micros_ + 240 * kMicrosAMinute);
  const auto minutes = static_cast<size_t>(end / kMicrosAMinute - first + 1);
  hours.open_at.assign(minutes, -1);
  int16_t next = -1;
  for (size_t i = minutes; i-- > 0;) {
    const absl::Time at = absl::FromUnixMicros((first + static_cast<int64_t>(i)) * kMicrosAMinute);
    if (scene_.settings.local_call_time.ContainsInAll(at, hours.zones) &&
        (!has_rules_ || scene_.policy.rules().IsOpen(at, hours.zones, {&hours.place, 1}))) {
      next = static_cast<int16_t>(i);
    }
    hours.open_at[i] = next;
  }
}

FunnelCounter::Held FunnelCounter::HeldBy(const LeadGlance& lead, const Hours& hours) {
  Held held;
  RuleBits& rules = held.rules;
  rules = RulesOfLot(lead) | hours.rules;
  const auto hold = [&held](Rule rule, int64_t until_micros) {
    held.rules |= BitOf(rule);
    held.until_micros = std::max(held.until_micros, until_micros);
  };
  if (lead.next_call_micros == INT64_MAX) {
    hold(Rule::kFinalStatus, INT64_MAX);
  } else if (lead.next_call_micros > now_micros_ && (rules & BitOf(Rule::kFinalStatus)) == 0) {
    hold(Rule::kNotDueYet, lead.next_call_micros);
  }
  for (const dnc::DncHit& hit : scene_.dnc.Find(lead.phone, asker_)) {
    rules |= BitOf(RuleOf(hit.match));
  }
  if (IsBarredDestination(lead.phone, scene_.settings)) rules |= BitOf(Rule::kDestination);
  if (has_rules_ && !scene_.policy.rules()
                         .CheckNumber(lead.phone, number_.type, scene_.now, {&hours.place, 1})
                         .empty()) {
    rules |= BitOf(Rule::kNumberBlocked);
  }
  if (counts_attempts_) AddCaps(lead, held);
  if (scene_.settings.daily_call_count_limit <= 0 || scene_.tried_out_today.contains(lead.id)) {
    hold(Rule::kDailyLimit, midnight_micros_);
  }
  if (scene_.numbers_in_call.contains(lead.phone)) {
    hold(Rule::kNumberInCall,
         now_micros_ + absl::ToInt64Microseconds(scene_.settings.dial_timeout));
  }
  return held;
}

void FunnelCounter::AddCaps(const LeadGlance& lead, Held& held) {
  NumberHistory::Attempts attempts;
  scene_.history.Find({&lead.phone, 1}, attempts);
  if (attempts.empty()) return;
  probe_.phone = lead.phone;
  probe_.time_zones = *lead.zone_names;
  for (const Reason& reason : Decide(InputFor(probe_), no_dnc_, scene_.now).reasons) {
    if ((BitOf(reason.rule) & kCaps) == 0) continue;
    held.rules |= BitOf(reason.rule);
    held.until_micros = std::max(held.until_micros, MicrosOf(reason.until));
  }
}

Soonness FunnelCounter::SoonnessOf(int64_t micros) const {
  if (micros == INT64_MAX) return Soonness::kNever;
  const int64_t wait = micros - now_micros_;
  if (wait <= 0) return Soonness::kNow;
  if (wait <= 15 * kMicrosAMinute) return Soonness::kQuarterHour;
  if (wait <= 60 * kMicrosAMinute) return Soonness::kHour;
  if (wait <= 240 * kMicrosAMinute) return Soonness::kFourHours;
  return micros < midnight_micros_ ? Soonness::kToday : Soonness::kLater;
}

// The windows are asked last: they have to be open when all else has passed.
Soonness FunnelCounter::When(const LeadGlance& lead, const Held& held, Hours& hours) const {
  if ((held.rules & ~kPassing) != 0 || !hours.opens) return Soonness::kNever;
  const int64_t from = std::max({now_micros_, lead.hold_until_micros, held.until_micros});
  if (from == INT64_MAX) return Soonness::kNever;
  hours.waits_from_micros = std::min(hours.waits_from_micros, from);
  if (hours.open_at.empty()) FindOpenMinutes(hours);
  const int64_t first = now_micros_ / kMicrosAMinute;
  const int64_t minute = from / kMicrosAMinute - first;
  if (minute >= static_cast<int64_t>(hours.open_at.size())) return Soonness::kLater;
  const int16_t open = hours.open_at[static_cast<size_t>(minute)];
  if (open < 0) return Soonness::kLater;
  return SoonnessOf(std::max(from, (first + open) * kMicrosAMinute));
}

absl::Status FunnelCounter::AskWhole(const campaign::Lead& lead, RuleBits& rules, Soonness& when) {
  const GateInput input = InputFor(lead);
  absl::Time at = scene_.now;
  rules = BitsOf(Decide(input, scene_.dnc, at).reasons);
  if (rules == 0) {
    absl::StatusOr<std::optional<Reason>> reason = std::optional<Reason>();
    if (filter_ != nullptr) reason = filter_(lead);
    if (!reason.ok()) return reason.status();
    if (reason->has_value()) {
      rules = BitOf(Rule::kLeadFilter);
      at = (*reason)->until;
    } else if (lead.hold_until <= scene_.now || scene_.in_hopper.contains(lead.id)) {
      return absl::OkStatus();
    }
  }
  at = std::max(at, lead.hold_until);
  // Asked again whenever the gate says that it may be dialed.
  for (int i = 0; at != absl::InfiniteFuture(); ++i) {
    const Verdict verdict = Decide(input, scene_.dnc, at);
    if (verdict.allowed()) break;
    for (const Reason& reason : verdict.reasons) at = std::max(at, reason.until);
    if (i == kTurnsMost) at = absl::InfiniteFuture();
  }
  when = SoonnessOf(MicrosOf(at));
  if (at > scene_.now) funnel_.next = std::min(funnel_.next, at);
  return absl::OkStatus();
}

absl::Status FunnelCounter::Visit(const LeadGlance& lead, campaign::WholeLead whole) {
  ++funnel_.leads;
  if (!scene_.in_call.empty() && scene_.in_call.contains(lead.id)) {
    ++funnel_.in_call;
    return absl::OkStatus();
  }
  Hours& hours = HoursOf(lead);
  Held held = HeldBy(lead, hours);
  Soonness when = Soonness::kNow;
  if (held.rules != 0) {
    when = When(lead, held, hours);
  } else {
    const absl::StatusOr<campaign::Lead> all = whole();
    if (!all.ok()) return all.status();
    if (absl::Status s = AskWhole(*all, held.rules, when); !s.ok()) return s;
  }
  if (held.rules != 0) {
    ++held_[held.rules];
  } else if (scene_.in_hopper.contains(lead.id)) {
    ++funnel_.in_hopper;
  } else if (lead.hold_until_micros > now_micros_) {
    ++funnel_.held_earlier;
  } else {
    ++funnel_.dialable;
  }
  ++funnel_.when[static_cast<size_t>(when)];
  return absl::OkStatus();
}

Funnel FunnelCounter::Result() const {
  Funnel result = funnel_;
  for (const auto& [rules, count] : held_) result.held[rules] = count;
  for (const auto& [key, hours] : hours_) {
    if (hours.waits_from_micros == INT64_MAX) continue;
    result.next = std::min(result.next, NextOpen(hours, TimeOf(hours.waits_from_micros)));
  }
  return result;
}

}  // namespace outpace::gate
