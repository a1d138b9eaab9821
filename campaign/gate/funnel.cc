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
constexpr RuleBits kPassing = BitOf(Rule::kDailyLimit) | BitOf(Rule::kNotDueYet) |
                              BitOf(Rule::kCallingWindow) | BitOf(Rule::kNumberInCall) |
                              BitOf(Rule::kLeadFilter);
// What the gate says of a set of zones, of a lot, and of neither but of each lead.
constexpr RuleBits kOfZones = BitOf(Rule::kCallingWindow) | BitOf(Rule::kZoneUnknown);
constexpr RuleBits kOfLot = BitOf(Rule::kFinalStatus) | BitOf(Rule::kCallCountLimit) |
                            BitOf(Rule::kCampaignInactive) | BitOf(Rule::kListInactive) |
                            BitOf(Rule::kRingTimeTooShort) | BitOf(Rule::kDialStatuses) |
                            BitOf(Rule::kListMix);

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
      now_micros_(MicrosOf(scene.now)),
      midnight_micros_(MicrosOf(Midnight(scene.now, scene.settings.report_zone))) {
  probe_.campaign = scene.settings.id;
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
  probe_.time_zones.clear();
  GateInput input{.lead = probe_,
                  .number = probe_.phone,
                  .settings = scene_.settings,
                  .policy = policy_,
                  .history = history_};
  input.list_active = !scene_.lists_off.contains(lead.list);
  last_lot_rules_ = kOfLot & (BitsOf(Decide(input, no_dnc_, scene_.now).reasons) |
                              BitsOf(NotTaken(probe_, scene_.settings)));
  lots_[last_lot_] = last_lot_rules_;
  return last_lot_rules_;
}

FunnelCounter::Zones& FunnelCounter::ZonesOf(const LeadGlance& lead) {
  const auto [it, is_new] = zones_.try_emplace(lead.zones);
  Zones& zones = it->second;
  if (!is_new) return zones;
  probe_.time_zones = *lead.zone_names;
  const GateInput input{.lead = probe_,
                        .number = probe_.phone,
                        .settings = scene_.settings,
                        .policy = policy_,
                        .history = history_};
  zones.rules = kOfZones & BitsOf(Decide(input, no_dnc_, scene_.now).reasons);
  if ((zones.rules & BitOf(Rule::kZoneUnknown)) != 0) {
    zones.opens = false;
    return zones;
  }
  for (const std::string& name : probe_.time_zones) {
    if (const auto zone = campaign::FindTimeZone(name); zone.ok()) zones.zones.push_back(*zone);
  }
  zones.opens =
      scene_.settings.local_call_time.NextOpen(scene_.now, zones.zones) != absl::InfiniteFuture();
  return zones;
}

// A window opens and closes with whole minutes, in whatever zone.
void FunnelCounter::FindOpenMinutes(Zones& zones) const {
  const int64_t first = now_micros_ / kMicrosAMinute;
  // As far as the table of When() tells times apart.
  const int64_t end = std::max(midnight_micros_, now_micros_ + 240 * kMicrosAMinute);
  const auto minutes = static_cast<size_t>(end / kMicrosAMinute - first + 1);
  zones.open_at.assign(minutes, -1);
  int16_t next = -1;
  for (size_t i = minutes; i-- > 0;) {
    const absl::Time at = absl::FromUnixMicros((first + static_cast<int64_t>(i)) * kMicrosAMinute);
    if (scene_.settings.local_call_time.ContainsInAll(at, zones.zones)) {
      next = static_cast<int16_t>(i);
    }
    zones.open_at[i] = next;
  }
}

RuleBits FunnelCounter::RulesOf(const LeadGlance& lead, const Zones& zones) {
  RuleBits rules = RulesOfLot(lead) | zones.rules;
  if (lead.next_call_micros == INT64_MAX) {
    rules |= BitOf(Rule::kFinalStatus);
  } else if (lead.next_call_micros > now_micros_ && (rules & BitOf(Rule::kFinalStatus)) == 0) {
    rules |= BitOf(Rule::kNotDueYet);
  }
  for (const dnc::DncHit& hit : scene_.dnc.Find(lead.phone, asker_)) {
    rules |= BitOf(RuleOf(hit.match));
  }
  if (IsBarredDestination(lead.phone, scene_.settings)) rules |= BitOf(Rule::kDestination);
  if (scene_.settings.daily_call_count_limit <= 0 || scene_.tried_out_today.contains(lead.id)) {
    rules |= BitOf(Rule::kDailyLimit);
  }
  if (scene_.numbers_in_call.contains(lead.phone)) rules |= BitOf(Rule::kNumberInCall);
  return rules;
}

Soonness FunnelCounter::SoonnessOf(int64_t micros) const {
  const int64_t wait = micros - now_micros_;
  if (wait <= 0) return Soonness::kNow;
  if (wait <= 15 * kMicrosAMinute) return Soonness::kQuarterHour;
  if (wait <= 60 * kMicrosAMinute) return Soonness::kHour;
  if (wait <= 240 * kMicrosAMinute) return Soonness::kFourHours;
  return micros < midnight_micros_ ? Soonness::kToday : Soonness::kLater;
}

// The window is asked last: it has to be open when all else has passed.
Soonness FunnelCounter::When(const LeadGlance& lead, RuleBits rules, int64_t filter_until_micros,
                             Zones& zones) const {
  if ((rules & ~kPassing) != 0 || !zones.opens) return Soonness::kNever;
  int64_t from = std::max(now_micros_, lead.hold_until_micros);
  const auto has = [rules](Rule rule) { return (rules & BitOf(rule)) != 0; };
  if (has(Rule::kNotDueYet)) from = std::max(from, lead.next_call_micros);
  if (has(Rule::kDailyLimit)) from = std::max(from, midnight_micros_);
  if (has(Rule::kLeadFilter)) from = std::max(from, filter_until_micros);
  if (has(Rule::kNumberInCall)) {
    from = std::max(from, now_micros_ + absl::ToInt64Microseconds(scene_.settings.dial_timeout));
  }
  if (from == INT64_MAX) return Soonness::kNever;
  zones.waits_from_micros = std::min(zones.waits_from_micros, from);
  if (zones.open_at.empty()) FindOpenMinutes(zones);
  const int64_t first = now_micros_ / kMicrosAMinute;
  const int64_t minute = from / kMicrosAMinute - first;
  if (minute >= static_cast<int64_t>(zones.open_at.size())) return Soonness::kLater;
  const int16_t open = zones.open_at[static_cast<size_t>(minute)];
  if (open < 0) return Soonness::kLater;
  return SoonnessOf(std::max(from, (first + open) * kMicrosAMinute));
}

absl::Status FunnelCounter::Visit(const LeadGlance& lead, campaign::WholeLead whole) {
  ++funnel_.leads;
  last_rules_ = 0;
  if (!scene_.in_call.empty() && scene_.in_call.contains(lead.id)) {
    ++funnel_.in_call;
    return absl::OkStatus();
  }
  Zones& zones = ZonesOf(lead);
  RuleBits rules = RulesOf(lead, zones);
  int64_t filter_until = INT64_MIN;
  if (rules == 0 && filter_ != nullptr) {
    const absl::StatusOr<campaign::Lead> all = whole();
    if (!all.ok()) return all.status();
    const absl::StatusOr<std::optional<Reason>> reason = filter_(*all);
    if (!reason.ok()) return reason.status();
    if (reason->has_value()) {
      rules |= BitOf(Rule::kLeadFilter);
      filter_until = MicrosOf((*reason)->until);
    }
  }
  last_rules_ = rules;
  Soonness when = Soonness::kNow;
  if (rules != 0) {
    ++held_[rules];
    when = When(lead, rules, filter_until, zones);
  } else if (scene_.in_hopper.contains(lead.id)) {
    ++funnel_.in_hopper;
  } else if (lead.hold_until_micros > now_micros_) {
    ++funnel_.held_earlier;
    when = When(lead, rules, filter_until, zones);
  } else {
    ++funnel_.dialable;
  }
  ++funnel_.when[static_cast<size_t>(when)];
  return absl::OkStatus();
}

Funnel FunnelCounter::Result() const {
  Funnel result = funnel_;
  for (const auto& [rules, count] : held_) result.held[rules] = count;
  for (const auto& [number, zones] : zones_) {
    if (zones.waits_from_micros == INT64_MAX) continue;
    result.next = std::min(result.next, scene_.settings.local_call_time.NextOpen(
                                            TimeOf(zones.waits_from_micros), zones.zones));
  }
  return result;
}

}  // namespace outpace::gate
