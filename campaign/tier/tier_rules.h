#pragma once

// Which tier a lead is in for its next attempt: explicit rules first, in their order; where none
// applies, A for the leads whose score is in the top share of the scores of late, else B.

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/lead.h"
#include "campaign/tier/features.h"
#include "campaign/tier/running_quantile.h"
#include "campaign/tier_choice.h"
#include "engine/base/ids.h"

namespace outpace::tier {

using campaign::TierRule;

// Whether the rule applies. Pure.
bool Applies(const TierRule& rule, const LeadView& lead);
// The same of a stored lead's next attempt, by all its fields, whatever a score may be made from.
bool Applies(const TierRule& rule, const campaign::Lead& lead);
// The first rule that applies to the lead's next attempt; -1: none does.
int RuleOf(absl::Span<const TierRule> rules, const campaign::Lead& lead);
// The first rule that applies; nullopt: none does.
std::optional<campaign::Tier> TierByRules(absl::Span<const TierRule> rules, const LeadView& lead);

struct TierDecision {
  campaign::Tier tier = campaign::Tier::kB;
  int rule = -1;           // index of the rule that decided; -1: the score
  double share_above = 0;  // of the scores of late
};

// One thread.
class TierBoard {
 public:
  // `share_a`: of the leads no rule decides, (0, 1).
  TierBoard(std::vector<TierRule> rules, double share_a);

  // Scores that tiers are drawn from now on, in place of all before.
  void SetScores(const RunningQuantile& scores) { quantile_ = scores; }
  bool has_scores() const { return quantile_.added() > 0; }
  double share_a() const { return share_a_; }
  // Share of the scores that are above this lead's, [0, 1].
  double ShareAbove(LeadId id, double score) const;
  // Takes a score into the running quantile: each lead that is scored, once a scoring.
  void Saw(double score) { quantile_.Add(score); }
  // Equal scores are told apart by the lead's id, the same way every time.
  TierDecision Decide(LeadId id, const LeadView& lead, double score) const;

  std::string Save() const;  // the quantile; rules and share are settings
  absl::Status Load(absl::string_view bytes);

 private:
  std::vector<TierRule> rules_;
  double share_a_;
  RunningQuantile quantile_;
};

}  // namespace outpace::tier
