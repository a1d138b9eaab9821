// What the rules are called, and where those of the gate's own come from.

#include <array>
#include <utility>

#include "campaign/gate/gate.h"

namespace outpace::gate {
namespace {

struct Named {
  Rule rule;
  absl::string_view name, source;
};
constexpr std::array kNamed = {
    Named{Rule::kDncSystem, "dnc_system", "47 CFR 64.1200(d); use_internal_dnc"},
    Named{Rule::kDncLitigator, "dnc_litigator", "the house's own list; use_internal_dnc"},
    Named{Rule::kDncState, "dnc_state", "the state's do-not-call law; use_dnc_registries"},
    Named{Rule::kDncRegistry, "dnc_registry", "16 CFR 310.4(b)(1)(iii)(B); use_dnc_registries"},
    Named{Rule::kDncClient, "dnc_client", "47 CFR 64.1200(d); client_id, use_campaign_dnc"},
    Named{Rule::kDncCampaign, "dnc_campaign", "47 CFR 64.1200(d); use_campaign_dnc"},
    Named{Rule::kCallingWindow, "calling_window", "16 CFR 310.4(c); local_call_time"},
    Named{Rule::kZoneUnknown, "zone_unknown", "16 CFR 310.4(c); local_call_time"},
    Named{Rule::kCallCountLimit, "call_count_limit", "call_count_limit, and the file's own"},
    Named{Rule::kDailyLimit, "daily_limit", "daily_call_count_limit"},
    Named{Rule::kNotDueYet, "not_due_yet", "recycle, callbacks"},
    Named{Rule::kFinalStatus, "final_status", "the status of the last call"},
    Named{Rule::kCampaignInactive, "campaign_inactive", "active"},
    Named{Rule::kListInactive, "list_inactive", "the list: active, archived, expires"},
    Named{Rule::kNumberInCall, "number_in_call", "one call at a time to a number"},
    Named{Rule::kRingTimeTooShort, "ring_time_too_short", "16 CFR 310.4(b)(4)(ii); dial_timeout"},
    Named{Rule::kDestination, "destination", "numbering plans; allowed_destinations"},
    Named{Rule::kComplianceUnknown, "compliance_unknown", "compliance"},
    Named{Rule::kLegalWindow, "legal_window", "compliance"},
    Named{Rule::kLegalHoliday, "legal_holiday", "compliance"},
    Named{Rule::kFrequencyCap, "frequency_cap", "compliance"},
    Named{Rule::kRestPeriod, "rest_period", "compliance"},
    Named{Rule::kConsent, "consent", "compliance"},
    Named{Rule::kNumberBlocked, "number_blocked", "compliance"},
    Named{Rule::kRegistryAge, "registry_age", "compliance"},
    Named{Rule::kLeadFilter, "lead_filter", "lead_filter_id"},
    Named{Rule::kDialStatuses, "dial_statuses", "dial_statuses"},
    Named{Rule::kListMix, "list_order_mix", "list_order_mix"}};

constexpr bool InOrder() {
  for (size_t i = 0; i < kNamed.size(); ++i) {
    if (kNamed[i].rule != static_cast<Rule>(i)) return false;
  }
  return kNamed.size() == static_cast<size_t>(Rule::kListMix) + 1;
}
static_assert(InOrder(), "a rule has no name here, or stands in another order");

}  // namespace

absl::string_view RuleName(Rule rule) {
  const auto index = static_cast<size_t>(rule);
  return index < kNamed.size() ? kNamed[index].name : "";
}

absl::string_view RuleSource(Rule rule) { return kNamed[static_cast<size_t>(rule)].source; }

Reason ReasonOf(Rule rule, std::string text, absl::Time until) {
  return {rule, std::move(text), until, std::string(RuleName(rule)), std::string(RuleSource(rule))};
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

}  // namespace outpace::gate
