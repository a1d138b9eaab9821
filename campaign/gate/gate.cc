// The rules are asked one after another and every one that holds a lead back is told, since a
// manager who asks "why is this lead not dialed?" wants the whole answer. Nothing here writes,
// waits or reads a clock.

#include "campaign/gate/gate.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/disposition.h"
#include "campaign/number_plan.h"

namespace outpace::gate {
namespace {

using campaign::CampaignSettings;
using campaign::Lead;

// 16 CFR 310.4(b)(4)(ii): an unanswered call rings at least fifteen seconds (or four rings).
constexpr absl::Duration kRingTimeMin = absl::Seconds(15);

void Hold(Verdict& verdict, Rule rule, absl::Time until, std::string text) {
  verdict.reasons.push_back(Reason{rule, std::move(text), until});
}

// Start of the next day on the campaign's calendar: when the counter of attempts begins anew.
absl::Time NextDay(absl::Time now, absl::TimeZone zone) {
  const absl::CivilDay today(zone.At(now).cs);
  return absl::FromCivil(today + 1, zone);
}

// Whether the lead carries a final status: one that no rule brings back.
bool IsFinal(const Lead& lead) {
  if (lead.next_call_time == absl::InfiniteFuture()) return true;
  const campaign::Disposition* disposition = campaign::FindDisposition(lead.status);
  return disposition != nullptr &&
         (disposition->completed || disposition->dnc || disposition->unworkable);
}

// Tries allowed over the lead's life: the campaign's limit, or the file's own smaller one.
int CallCountLimit(const Lead& lead, const CampaignSettings& settings) {
  const int limit = settings.call_count_limit;
  return lead.max_attempts > 0 ? std::min(limit, lead.max_attempts) : limit;
}

void CheckDnc(const GateInput& in, const dnc::DncSet& dnc, absl::Time now, Verdict& verdict) {
  for (const dnc::DncHit& hit : dnc.Find(in.number, AskerOf(in.settings, now))) {
    const absl::string_view subject = hit.range.digits == 0 ? "The number is " : "Its range is ";
    Hold(verdict, RuleOf(hit.match), absl::InfiniteFuture(),
         hit.match == dnc::DncMatch::kErased
             ? "The number is that of an erased person."
             : absl::StrCat(subject, DncReason(hit.match),
                            hit.list.empty() ? "" : absl::StrCat(" (", hit.list, ")"), "."));
  }
}

void HoldZoneUnknown(Verdict& verdict) {
  Hold(verdict, Rule::kZoneUnknown, absl::InfiniteFuture(),
       "The time zone of the number is not known, so no hour is certain to be allowed.");
}

// Whether the window is open in every zone; false in `known` if there is none or one has no such
// name.
bool OpenInAll(const campaign::CallingWindow& window, const std::vector<std::string>& zones,
               absl::Time now, bool& known) {
  bool open = true;
  known = !zones.empty();
  for (const std::string& name : zones) {
    const absl::StatusOr<absl::TimeZone> zone = campaign::FindTimeZone(name);
    if (!zone.ok()) {
      known = false;
      return false;
    }
    open = open && window.Contains(now, *zone);
  }
  return open;
}

void CheckWindow(const GateInput& in, absl::Time now, Verdict& verdict) {
  const campaign::CallingWindow& window = in.settings.local_call_time;
  bool known = false;
  bool open = OpenInAll(window, in.lead.time_zones, now, known);
  std::vector<std::string> of_alternate;
  if (known && in.number != in.lead.phone) {
    // The lead's zones are those of its main number; the alternate may lie elsewhere.
    of_alternate = campaign::TimeZonesOf(in.number);
    open = OpenInAll(window, of_alternate, now, known) && open;
  }
  if (!known) return HoldZoneUnknown(verdict);
  if (open) return;
  std::vector<absl::TimeZone> zones;
  for (const std::vector<std::string>* names :
       {&in.lead.time_zones, &std::as_const(of_alternate)}) {
    for (const std::string& name : *names) zones.push_back(*campaign::FindTimeZone(name));
  }
  Hold(verdict, Rule::kCallingWindow, window.NextOpen(now, zones),
       zones.size() == 1
           ? absl::StrCat("It is ", absl::FormatTime("%a %H:%M", now, zones[0]), " in ",
                          zones[0].name(), ", outside ", window.ToString(), ".")
           : absl::StrCat("The number may lie in ", zones.size(),
                          " time zones and not all of them are inside ", window.ToString(), "."));
}

}  // namespace

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

absl::string_view RuleName(Rule rule) {
  switch (rule) {
    case Rule::kDncSystem:
      return "dnc_system";
    case Rule::kDncLitigator:
      return "dnc_litigator";
    case Rule::kDncState:
      return "dnc_state";
    case Rule::kDncRegistry:
      return "dnc_registry";
    case Rule::kDncClient:
      return "dnc_client";
    case Rule::kDncCampaign:
      return "dnc_campaign";
    case Rule::kCallingWindow:
      return "calling_window";
    case Rule::kZoneUnknown:
      return "zone_unknown";
    case Rule::kCallCountLimit:
      return "call_count_limit";
    case Rule::kDailyLimit:
      return "daily_limit";
    case Rule::kNotDueYet:
      return "not_due_yet";
    case Rule::kFinalStatus:
      return "final_status";
    case Rule::kCampaignInactive:
      return "campaign_inactive";
    case Rule::kListInactive:
      return "list_inactive";
    case Rule::kNumberInCall:
      return "number_in_call";
    case Rule::kRingTimeTooShort:
      return "ring_time_too_short";
    case Rule::kLeadFilter:
      return "lead_filter";
    case Rule::kDialStatuses:
      return "dial_statuses";
    case Rule::kListMix:
      return "list_order_mix";
  }
  return "";
}

absl::string_view DncStatus(Rule rule) {
  switch (rule) {
    case Rule::kDncSystem:
    case Rule::kDncLitigator:
    case Rule::kDncState:
    case Rule::kDncRegistry:
      return "DNCL";
    case Rule::kDncClient:
    case Rule::kDncCampaign:
      return "DNCC";
    default:
      return "";
  }
}

std::vector<Reason> NotTaken(const Lead& lead, const CampaignSettings& settings) {
  const auto has = [&lead](const std::vector<std::string>& statuses) {
    return statuses.empty() ||
           std::find(statuses.begin(), statuses.end(), lead.status) != statuses.end();
  };
  std::vector<Reason> reasons;
  if (!has(settings.DialedStatuses())) {
    reasons.push_back(
        {Rule::kDialStatuses,
         absl::StrCat("Status ", lead.status, " is not among dial_statuses of ", settings.id, "."),
         absl::InfiniteFuture()});
  }
  const auto& mix = settings.list_order_mix;
  if (!mix.empty() && std::none_of(mix.begin(), mix.end(), [&](const campaign::ListShare& share) {
        return share.list == lead.list && has(share.statuses);
      })) {
    reasons.push_back({Rule::kListMix,
                       absl::StrCat("List ", lead.list.value(), " has no share of such leads in ",
                                    "list_order_mix of ", settings.id, "."),
                       absl::InfiniteFuture()});
  }
  return reasons;
}

Verdict Decide(const GateInput& in, const dnc::DncSet& dnc, absl::Time now) {
  Verdict verdict;
  const CampaignSettings& settings = in.settings;
  const Lead& lead = in.lead;

  CheckDnc(in, dnc, now, verdict);
  CheckWindow(in, now, verdict);

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
    if (IsFinal(lead)) {
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
