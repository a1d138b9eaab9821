#pragma once

// How a campaign's leads come into tiers A and B, as a manager writes it. What is learned of them,
// and how the tiers are drawn from it, is the work of campaign/tier.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/lead.h"

namespace outpace::campaign {

enum class TierMode {
  kStatus,  // STATUS: a lead's last disposition decides alone (retry_rule.h)
  kScore,   // SCORE: rules first, then the score learned from the campaign's own results
};
absl::string_view TierModeName(TierMode mode);

// "A lead whose last status is CALLBK is A", "a lead with state=AK is B". Every condition that is
// set must hold; a rule without one applies to every lead.
struct TierRule {
  std::vector<std::string> last_status = {};  // one of these; empty: any
  std::string field = {};                     // a field's name; empty: no condition on fields
  std::vector<std::string> values = {};       // that field is exactly one of these
  int attempt_min = 0, attempt_max = 0;       // of the next attempt; 0: no limit
  Tier tier = Tier::kA;
  friend bool operator==(const TierRule&, const TierRule&) = default;
};

// Rules in their order, the first that applies decides:
// "CALLBK|NP=>A; state=AK|HI=>B; attempt>=5=>B; status=NA & attempt<=2 => A". InvalidArgument says
// which rule is wrong and how it is written.
absl::StatusOr<std::vector<TierRule>> ParseTierRules(absl::string_view text);
std::string TierRulesText(const std::vector<TierRule>& rules);
// "CALLBK|NP=>A": one rule.
std::string TierRuleText(const TierRule& rule);

// Which fields of a lead may be looked at when it is scored. Without names: all but those that name
// a person or a place too exactly to be seen twice (names, street, e-mail, keys, remarks), and sex,
// title and date of birth, by which nobody is to be chosen unless the manager says so.
struct TierFields {
  std::vector<std::string> only = {};  // these alone; empty: the usual ones,
  std::vector<std::string> more = {};  // and these,
  std::vector<std::string> less = {};  // but these
  bool Allows(absl::string_view field) const;
  std::string ToString() const;
  friend bool operator==(const TierFields&, const TierFields&) = default;
};
// "age,job": these alone. "+gender,-city": the usual ones, with and without. Empty: the usual ones.
absl::StatusOr<TierFields> ParseTierFields(absl::string_view text);

}  // namespace outpace::campaign
