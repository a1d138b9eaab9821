#include "engine/runtime/attempt_history.h"

#include <algorithm>

#include "campaign/gate/policy.h"

namespace outpace::runtime {

absl::Duration HistoryReach(absl::Span<const campaign::CampaignSettings> campaigns) {
  absl::Duration reach;
  for (const campaign::CampaignSettings& settings : campaigns) {
    const gate::Policy policy(settings, rules::RuleBook::InForce());
    reach = std::max(reach, policy.rules().HistoryNeeded());
  }
  return reach;
}

absl::StatusOr<gate::NumberHistory> ReadHistory(const campaign::LeadStore& store,
                                                absl::Duration reach, absl::Time now,
                                                absl::Time to) {
  gate::NumberHistory history;
  if (reach == absl::ZeroDuration()) return history;
  const absl::Time from = now - reach - gate::NumberHistory::kSlack;
  const auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  const campaign::StatusBook statuses = campaign::StatusesOf(*campaigns);
  absl::Status read = store.ForEachAttempt(from, to, [&](const campaign::Attempt& attempt) {
    history.Add(attempt, statuses.Of(attempt.campaign));
    return true;
  });
  if (!read.ok()) return read;
  history.set_from(from);
  return history;
}

}  // namespace outpace::runtime
