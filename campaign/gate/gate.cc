// The rules are asked one after another and every one that holds a lead back is told, since a
// manager who asks "why is this lead not dialed?" wants the whole answer. Nothing here writes,
// waits or reads a clock.

#include "campaign/gate/gate.h"

#include <algorithm>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "campaign/gate/consent.h"
#include "campaign/gate/switched_off.h"
#include "campaign/home_place.h"
#include "campaign/number_info.h"
#include "campaign/number_plan.h"
#include "campaign/retry_rule.h"

namespace outpace::gate {
namespace {

using campaign::CampaignSettings;
using campaign::Lead;

// 16 CFR 310.4(b)(4)(ii): an unanswered call rings at least fifteen seconds (or four rings).
constexpr absl::Duration kRingTimeMin = absl::Seconds(15);

void Hold(Verdict& verdict, Rule rule, absl::Time until, std::string text) {
  if (internal::IsSwitchedOff(rule)) return;
  verdict.reasons.push_back(ReasonOf(rule, std::move(text), until));
}

void Hold(Verdict& verdict, Rule rule, std::vector<rules::Held> held) {
  if (internal::IsSwitchedOff(rule)) return;
  for (rules::Held& one : held) {
    verdict.reasons.push_back(
        Reason{rule, std::move(one.text), one.until, one.rule->id, one.rule->source});
  }
}

// Start of the next day on the campaign's calendar: when the counter of attempts begins anew.
absl::Time NextDay(absl::Time now, absl::TimeZone zone) {
  const absl::CivilDay today(zone.At(now).cs);
  return absl::FromCivil(today + 1, zone);
}

// Tries allowed over the lead's life: the campaign's limit, or the file's own smaller one.
int CallCountLimit(const Lead& lead, const CampaignSettings& settings) {
  const int limit = settings.call_count_limit;
  return lead.max_attempts > 0 ? std::min(limit, lead.max_attempts) : limit;
}

// Who has asked not to be called is a person, whichever number was rung (16 CFR
// 310.4(b)(1)(iii)(A)). Registries and ranges list numbers.
bool IsWish(const dnc::DncHit& hit) {
  const bool asked = hit.match == dnc::DncMatch::kSystem || hit.match == dnc::DncMatch::kClient ||
                     hit.match == dnc::DncMatch::kCampaign || hit.match == dnc::DncMatch::kErased;
  return asked && hit.range.digits == 0;
}

bool IsSecond(const Lead& lead, E164 number) { return number != lead.phone && lead.phone.valid(); }

void CheckDnc(const GateInput& in, const dnc::DncSet& dnc, absl::Time now, Verdict& verdict) {
  const dnc::DncAsker asker = AskerOf(in.settings, now);
  for (const dnc::DncHit& hit : dnc.Find(in.number, asker)) {
    const absl::string_view subject = hit.range.digits == 0 ? "The number is " : "Its range is ";
    Hold(verdict, RuleOf(hit.match), absl::InfiniteFuture(),
         hit.match == dnc::DncMatch::kErased
             ? "The number is that of an erased person."
             : absl::StrCat(subject, DncReason(hit.match),
                            hit.list.empty() ? "" : absl::StrCat(" (", hit.list, ")"), "."));
  }
  if (!IsSecond(in.lead, in.number)) return;
  for (const dnc::DncHit& hit : dnc.Find(in.lead.phone, asker)) {
    if (!IsWish(hit)) continue;
    Hold(verdict, RuleOf(hit.match), absl::InfiniteFuture(),
         absl::StrCat("The lead's first number is ", DncReason(hit.match),
                      hit.list.empty() ? "" : absl::StrCat(" (", hit.list, ")"),
                      "; its second is not dialed either."));
  }
}

// Where the person may be, as far as number and address tell.
struct Whereabouts {
  // Of the number, and of an address in another state than the number's.
  absl::InlinedVector<absl::TimeZone, 4> zones;
  bool zones_known = false;  // there is one at least, and each has a name we know
  campaign::NumberInfo number;
  absl::InlinedVector<rules::Place, 3> places;  // the number's own first
};

void AddZones(const std::vector<std::string>& names, Whereabouts& where) {
  for (const std::string& name : names) {
    const absl::StatusOr<absl::TimeZone> zone = campaign::FindTimeZone(name);
    if (!zone.ok()) {
      where.zones_known = false;
      return;
    }
    if (std::find(where.zones.begin(), where.zones.end(), *zone) == where.zones.end()) {
      where.zones.push_back(*zone);
    }
  }
}

Whereabouts Locate(const GateInput& in) {
  Whereabouts where;
  where.number = campaign::Describe(in.number);
  where.places.push_back({where.number.region, where.number.area});
  where.zones_known = !in.lead.time_zones.empty();
  AddZones(in.lead.time_zones, where);
  if (in.number != in.lead.phone) {
    // The lead's zones are those of its main number; the alternate may lie elsewhere.
    const std::vector<std::string> of_alternate = campaign::TimeZonesOf(in.number);
    where.zones_known = where.zones_known && !of_alternate.empty();
    AddZones(of_alternate, where);
  }
  if (!in.lead.has_fields) return where;
  for (const campaign::HomePlace& home : campaign::HomePlacesOf(in.lead)) {
    // Number and address agree: the number's own zones are the more exact ones.
    if (home.region == where.number.region && home.area == where.number.area) continue;
    where.places.push_back({home.region, home.area});
    AddZones(campaign::ZonesOfPlace(home), where);
  }
  return where;
}

void CheckWindow(const GateInput& in, const Whereabouts& where, absl::Time now, Verdict& verdict) {
  if (!where.zones_known) {
    return Hold(verdict, Rule::kZoneUnknown, absl::InfiniteFuture(),
                "The time zone of the number is not known, so no hour is certain to be allowed.");
  }
  const campaign::CallingWindow& window = in.settings.local_call_time;
  const bool open = std::all_of(where.zones.begin(), where.zones.end(),
                                [&](absl::TimeZone zone) { return window.Contains(now, zone); });
  if (open) return;
  const std::vector<absl::TimeZone> zones(where.zones.begin(), where.zones.end());
  Hold(verdict, Rule::kCallingWindow, window.NextOpen(now, zones),
       zones.size() == 1
           ? absl::StrCat("It is ", absl::FormatTime("%a %H:%M", now, zones[0]), " in ",
                          zones[0].name(), ", outside ", window.ToString(), ".")
           : absl::StrCat("The person may be in ", zones.size(),
                          " time zones and not all of them are inside ", window.ToString(), "."));
}

void CheckDestination(const GateInput& in, Verdict& verdict) {
  if (!IsBarredDestination(in.number, in.settings)) return;
  const campaign::PhoneFault fault = campaign::FaultOf(in.number);
  Hold(verdict, Rule::kDestination, absl::InfiniteFuture(),
       fault == campaign::PhoneFault::kNone
           ? std::string("The number lies outside the campaign's allowed_destinations.")
           : absl::StrCat("The number is premium, special or off the plan of its country (",
                          campaign::PhoneFaultCode(fault), ")."));
}

// Caps and rests, counted over all numbers of the lead: another number of the same person is no way
// around them.
void CheckHistory(const GateInput& in, const Whereabouts& where, absl::Time now, Verdict& verdict) {
  const rules::RuleSet& rules = in.policy.rules();
  if (rules.HistoryNeeded() == absl::ZeroDuration()) return;
  if (std::string fault = in.policy.HistoryFault(in.history, now); !fault.empty()) {
    return Hold(verdict, Rule::kComplianceUnknown, absl::InfiniteFuture(), std::move(fault));
  }
  absl::InlinedVector<E164, 3> numbers = {in.number};
  for (const E164 number : {in.lead.phone, in.lead.alt_phone}) {
    if (!number.valid()) continue;
    if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
      numbers.push_back(number);
    }
  }
  NumberHistory::Attempts history;
  in.history.Find(numbers, history);
  if (history.empty()) return;
  std::vector<rules::Held> held =
      rules.CheckCaps(history, now, in.history.MarkOf(in.settings.id), where.zones, where.places);
  const auto rests = std::stable_partition(held.begin(), held.end(), [](const rules::Held& one) {
    return std::holds_alternative<rules::CapRule>(one.rule->value);
  });
  Hold(verdict, Rule::kRestPeriod,
       {std::make_move_iterator(rests), std::make_move_iterator(held.end())});
  held.erase(rests, held.end());
  Hold(verdict, Rule::kFrequencyCap, std::move(held));
}

// The sets of rules that the campaign has chosen.
void CheckCompliance(const GateInput& in, const Whereabouts& where, const dnc::DncSet& dnc,
                     absl::Time now, Verdict& verdict) {
  if (!in.policy.fault().empty()) {
    return Hold(verdict, Rule::kComplianceUnknown, absl::InfiniteFuture(), in.policy.fault());
  }
  const rules::RuleSet& rules = in.policy.rules();
  if (rules.empty()) {
    if (in.settings.compliance.empty()) return;
    return Hold(verdict, Rule::kComplianceUnknown, absl::InfiniteFuture(),
                "The campaign's sets of rules have not been read.");
  }
  const auto zones =
      where.zones_known ? absl::MakeConstSpan(where.zones) : absl::Span<const absl::TimeZone>();
  if (!rules.IsOpen(now, zones, where.places)) {
    rules::WindowVerdict window = rules.CheckWindow(now, zones, where.places);
    // Each rule tells when it alone opens; the lead is due when all are open at once.
    for (rules::Held& held : window.held) held.until = std::max(held.until, window.next_open);
    const auto holidays =
        std::stable_partition(window.held.begin(), window.held.end(), [](const rules::Held& one) {
          return std::holds_alternative<rules::WindowRule>(one.rule->value);
        });
    Hold(verdict, Rule::kLegalHoliday,
         {std::make_move_iterator(holidays), std::make_move_iterator(window.held.end())});
    window.held.erase(holidays, window.held.end());
    Hold(verdict, Rule::kLegalWindow, std::move(window.held));
  }
  CheckHistory(in, where, now, verdict);
  if (rules.AsksConsent() && !in.texts_follow) {
    const rules::Consent consent = in.lead.has_fields ? ConsentOf(in.lead) : rules::Consent();
    Hold(verdict, Rule::kConsent,
         rules.CheckConsent(consent, where.number.type, now, where.places));
  }
  Hold(verdict, Rule::kNumberBlocked,
       rules.CheckNumber(in.number, where.number.type, now, where.places));
  if (in.settings.use_dnc_registries) {
    Hold(verdict, Rule::kRegistryAge,
         rules.CheckRegistry(RegistryTaken(dnc, where.number.region), now, where.places));
  }
  Hold(verdict, Rule::kRingTimeTooShort,
       rules.CheckRing(std::min(in.settings.dial_timeout, in.settings.min_ring_seconds), now,
                       where.places));
}

}  // namespace

bool IsBarredDestination(E164 number, const CampaignSettings& settings) {
  const std::vector<std::string>& allowed = settings.allowed_destinations;
  return campaign::FaultOf(number) != campaign::PhoneFault::kNone ||
         (!allowed.empty() && !campaign::IsDestination(number, allowed));
}

dnc::DncAsker AskerOf(const CampaignSettings& settings, absl::Time now) {
  return {.campaign = settings.id,
          .client = settings.client_id,
          .use_system = settings.use_internal_dnc,
          .use_campaign = settings.use_campaign_dnc,
          .use_registries = settings.use_dnc_registries,
          .now = now};
}

Rule RuleOf(dnc::DncMatch match) {
  switch (match) {
    case dnc::DncMatch::kLitigator:
      return Rule::kDncLitigator;
    case dnc::DncMatch::kState:
      return Rule::kDncState;
    case dnc::DncMatch::kRegistry:
      return Rule::kDncRegistry;
    case dnc::DncMatch::kClient:
      return Rule::kDncClient;
    case dnc::DncMatch::kCampaign:
      return Rule::kDncCampaign;
    case dnc::DncMatch::kErased:  // who has asked for more than a campaign's setting can take back
    case dnc::DncMatch::kSystem:
    case dnc::DncMatch::kNone:
      return Rule::kDncSystem;
  }
  return Rule::kDncSystem;
}

std::vector<Reason> NotTaken(const Lead& lead, const CampaignSettings& settings) {
  const auto has = [&lead](const std::vector<std::string>& statuses) {
    return statuses.empty() ||
           std::find(statuses.begin(), statuses.end(), lead.status) != statuses.end();
  };
  std::vector<Reason> reasons;
  const auto hold = [&reasons](Rule rule, std::string text) {
    reasons.push_back(ReasonOf(rule, std::move(text), absl::InfiniteFuture()));
  };
  if (!has(settings.DialedStatuses())) {
    hold(Rule::kDialStatuses,
         absl::StrCat("Status ", lead.status, " is not among dial_statuses of ", settings.id, "."));
  }
  const auto& mix = settings.list_order_mix;
  if (!mix.empty() && std::none_of(mix.begin(), mix.end(), [&](const campaign::ListShare& share) {
        return share.list == lead.list && has(share.statuses);
      })) {
    hold(Rule::kListMix, absl::StrCat("List ", lead.list.value(), " has no share of such leads in ",
                                      "list_order_mix of ", settings.id, "."));
  }
  return reasons;
}

bool IsListed(const Lead& lead, E164 number, const CampaignSettings& settings,
              const dnc::DncSet& dnc, absl::Time now) {
  const dnc::DncAsker asker = AskerOf(settings, now);
  if (!dnc.Find(number, asker).empty()) return true;
  if (!IsSecond(lead, number)) return false;
  const dnc::DncHits hits = dnc.Find(lead.phone, asker);
  return std::any_of(hits.begin(), hits.end(), IsWish);
}

Verdict Decide(const GateInput& in, const dnc::DncSet& dnc, absl::Time now) {
  Verdict verdict;
  const CampaignSettings& settings = in.settings;
  const Lead& lead = in.lead;

  const Whereabouts where = Locate(in);

  CheckDnc(in, dnc, now, verdict);
  CheckWindow(in, where, now, verdict);
  CheckDestination(in, verdict);
  CheckCompliance(in, where, dnc, now, verdict);

  // The intent already counts this attempt in called_count and in attempts_today.
  const int tries = lead.called_count - (in.after_intent ? 1 : 0);
  const int tries_today = in.attempts_today - (in.after_intent ? 1 : 0);
  const int limit = CallCountLimit(lead, settings);
  if (tries >= limit) {
    Hold(verdict, Rule::kCallCountLimit, absl::InfiniteFuture(),
         absl::StrCat("The lead has been tried ", tries, " times; the limit is ", limit, "."));
  }
  if (tries_today >= settings.daily_call_count_limit) {
    Hold(verdict, Rule::kDailyLimit, NextDay(now, settings.report_zone),
         absl::StrCat("The lead has been tried ", tries_today, " times today; the limit is ",
                      settings.daily_call_count_limit, "."));
  }
  if (!in.after_intent) {
    if (campaign::IsFinal(lead, settings)) {
      Hold(verdict, Rule::kFinalStatus, absl::InfiniteFuture(),
           absl::StrCat("The lead has the final status ", lead.status, "."));
    } else if (lead.next_call_time > now) {
      Hold(verdict, Rule::kNotDueYet, lead.next_call_time,
           absl::StrCat(
               "The lead rests until ",
               absl::FormatTime("%Y-%m-%d %H:%M", lead.next_call_time, settings.report_zone), " (",
               settings.report_zone.name(), ")."));
    }
  }
  if (!settings.active) {
    Hold(verdict, Rule::kCampaignInactive, absl::InfiniteFuture(),
         absl::StrCat("Campaign ", settings.id, " is not active."));
  }
  if (!in.list_active) {
    Hold(verdict, Rule::kListInactive, absl::InfiniteFuture(),
         absl::StrCat("List ", lead.list.value(), " is not active."));
  }
  if (in.number_in_call) {
    Hold(verdict, Rule::kNumberInCall, now + settings.dial_timeout,
         "Another attempt to the same number is under way.");
  }
  if (settings.dial_timeout < kRingTimeMin) {
    Hold(verdict, Rule::kRingTimeTooShort, absl::InfiniteFuture(),
         "The campaign's dial_timeout is under the 15 seconds an unanswered call must ring.");
  }
  return verdict;
}

}  // namespace outpace::gate
