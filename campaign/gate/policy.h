#pragma once

// What a campaign's settings ask of each call beside the settings themselves: the rules of the
// jurisdictions it has chosen, worked out once when the settings change.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/gate/number_history.h"
#include "campaign/rules/rules.h"
#include "campaign/settings.h"
#include "dnc/dnc_set.h"

namespace outpace::gate {

// Immutable; any thread.
class Policy {
 public:
  // Of a campaign that has chosen no rules.
  Policy() = default;
  // Of `settings.compliance`. A set that `book` does not have is a fault(), and the gate lets
  // nothing through: rules that cannot be read must not be taken for none.
  Policy(const campaign::CampaignSettings& settings, const rules::RuleBook& book);

  const rules::RuleSet& rules() const { return rules_; }
  const std::string& fault() const { return fault_; }  // empty: there is none
  // Whether a verdict needs the lead's texts: its consent, or where its address lies.
  bool needs_texts() const { return !rules_.empty(); }

  // Why no number at all may be dialed now: a fault(), attempts that the rules count and that are
  // not known, a do-not-call register that a rule asks for and that is missing or too old. Empty:
  // nothing. The gate asks the same for each number; a campaign that asks here first does not hold
  // its leads back one by one.
  std::string Standstill(const campaign::CampaignSettings& settings, const dnc::DncSet& dnc,
                         const NumberHistory& history, absl::Time now) const;
  // Why the attempts that the rules count from are not known; empty: they are.
  std::string HistoryFault(const NumberHistory& history, absl::Time now) const;

 private:
  rules::RuleSet rules_;
  std::string fault_;
};

// When the oldest copy was taken of the registers that are there for a country: those whose name
// begins with its code and "-" ("us-national", "gb-tps"; "uk-" is read as "gb-"). InfinitePast:
// there is none. `region`: ISO 3166, capitals; empty: of all registers.
absl::Time RegistryTaken(const dnc::DncSet& dnc, absl::string_view region);

}  // namespace outpace::gate
