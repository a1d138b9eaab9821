#pragma once

// The one compliance gate. Every call attempt passes it immediately before its intent is stored and
// again before its INVITE leaves; nothing dials around it. Pure over the snapshots it is given.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
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
  kLeadFilter,  // the campaign's lead_filter_id; not asked here but where leads enter the hopper
  // Of NotTaken(): the store does not offer such leads.
  kDialStatuses,
  kListMix,
};
// The status of a lead that a do-not-call rule has closed, "DNCL" (of everybody here) or "DNCC" (of
// the client or campaign); empty for the other rules.
absl::string_view DncStatus(Rule rule);
absl::string_view RuleName(Rule rule);  // "dnc_system": in records, metrics and `lead why`

struct Reason {
  Rule rule;
  std::string text;  // one sentence for people, no number in it
  absl::Time until;  // when the rule stops holding the lead back; InfiniteFuture if never
};
struct Verdict {
  bool allowed() const { return reasons.empty(); }
  std::vector<Reason> reasons;  // all of them, not only the first
};

// As whom a campaign asks the do-not-call set, and the rule that a hit of it falls under.
dnc::DncAsker AskerOf(const campaign::CampaignSettings& settings, absl::Time now);
Rule RuleOf(dnc::DncMatch match);

struct GateInput {
  const campaign::Lead& lead;
  E164 number;  // the number about to be rung (main or alternate)
  const campaign::CampaignSettings& settings;
  bool list_active = true;
  int attempts_today = 0;       // at this lead, on the campaign's day
  bool number_in_call = false;  // another attempt to the same number is under way
  // The intent is stored: the lead is INCALL and not due by design; those two rules are passed
  // over, and called_count and attempts_today already hold this attempt.
  bool after_intent = false;
};

// Decides for one attempt at `now`. 1-2 us; never allocates when allowed.
Verdict Decide(const GateInput& input, const dnc::DncSet& dnc, absl::Time now);

// Why the campaign's dial_statuses and list_order_mix leave a lead out of every refill of the
// hopper; empty: they do not.
std::vector<Reason> NotTaken(const campaign::Lead& lead,
                             const campaign::CampaignSettings& settings);

}  // namespace outpace::gate
