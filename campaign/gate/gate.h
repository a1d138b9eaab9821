#pragma once

// The one compliance gate. Every call attempt passes it immediately before its intent is stored and
// again before its INVITE leaves; nothing dials around it. Pure over the snapshots it is given.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/gate/number_history.h"
#include "campaign/gate/policy.h"
#include "campaign/lead.h"
#include "campaign/settings.h"
#include "dnc/dnc_set.h"
#include "engine/base/e164.h"

namespace outpace::gate {

enum class Rule {
  kDncSystem,
  kDncLitigator,
  kDncState,
  kDncRegistry,
  kDncClient,
  kDncCampaign,
  kCallingWindow,
  kZoneUnknown,
  kCallCountLimit,
  kDailyLimit,
  kNotDueYet,
  kFinalStatus,
  kCampaignInactive,
  kListInactive,
  kNumberInCall,
  kRingTimeTooShort,
  kDestination,  // premium, satellite, special, off every plan, or not among those allowed
  // Of the sets of rules that the campaign has chosen (campaign/rules).
  kComplianceUnknown,  // a set is not there, or what it counts from is not known
  kLegalWindow,
  kLegalHoliday,
  kFrequencyCap,
  kRestPeriod,
  kConsent,
  kNumberBlocked,
  kRegistryAge,
  kLeadFilter,  // the campaign's lead_filter_id; not asked here but where leads enter the hopper
  // Of NotTaken(): the store does not offer such leads.
  kDialStatuses,
  kListMix,
};
// The rules that Decide() asks: those before this one.
inline constexpr Rule kRulesEnd = Rule::kLeadFilter;
// The status of a lead that a do-not-call rule has closed, "DNCL" (of everybody here) or "DNCC" (of
// the client or campaign); empty for the other rules.
absl::string_view DncStatus(Rule rule);
// "dnc_system": in records, metrics and `lead why`; empty for what is no rule.
absl::string_view RuleName(Rule rule);
// Where a rule of the gate's own comes from: a clause, or the campaign's setting. Of a chosen set's
// rules Reason::source has it.
absl::string_view RuleSource(Rule rule);

struct Reason {
  Rule rule;
  std::string text;  // one sentence for people, no number in it
  absl::Time until;  // when the rule stops holding the lead back; InfiniteFuture if never
  // "us-fl:window" of a chosen set, else RuleName(); and regulation and clause, or the setting.
  std::string id, source;
};
// Of a rule of the gate's own.
Reason ReasonOf(Rule rule, std::string text, absl::Time until);

struct Verdict {
  bool allowed() const { return reasons.empty(); }
  std::vector<Reason> reasons;  // all of them, not only the first
};

// As whom a campaign asks the do-not-call set, and the rule that a hit of it falls under.
dnc::DncAsker AskerOf(const campaign::CampaignSettings& settings, absl::Time now);
Rule RuleOf(dnc::DncMatch match);
// Whether kDestination holds the number.
bool IsBarredDestination(E164 number, const campaign::CampaignSettings& settings);

struct GateInput {
  const campaign::Lead& lead;
  E164 number;  // the number about to be rung (main or alternate)
  const campaign::CampaignSettings& settings;
  const Policy& policy;          // of these settings
  const NumberHistory& history;  // attempts before this one
  bool list_active = true;
  int attempts_today = 0;       // at this lead, on the campaign's day
  bool number_in_call = false;  // another attempt to the same number is under way
  // The intent is stored: the lead is INCALL and not due by design; those two rules are passed
  // over, and called_count and attempts_today already hold this attempt.
  bool after_intent = false;
  // The lead comes without its texts, and the gate will be asked again with them before it is
  // dialed: consent and address are looked at then. Else a lead without texts has no consent.
  bool texts_follow = false;
};

// Whether do-not-call lists hold a call to this number of the lead: the number itself, or the wish
// of the person at the lead's first one. As Decide() asks.
bool IsListed(const campaign::Lead& lead, E164 number, const campaign::CampaignSettings& settings,
              const dnc::DncSet& dnc, absl::Time now);

// Decides for one attempt at `now`. Figures: docs/PERFORMANCE.md. No allocation when allowed, but
// for a number with more than eight attempts in the reach of the rules.
Verdict Decide(const GateInput& input, const dnc::DncSet& dnc, absl::Time now);

// Why the campaign's dial_statuses and list_order_mix leave a lead out of every refill of the
// hopper; empty: they do not.
std::vector<Reason> NotTaken(const campaign::Lead& lead,
                             const campaign::CampaignSettings& settings);

}  // namespace outpace::gate
