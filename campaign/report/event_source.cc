#include "campaign/report/event_source.h"

#include "campaign/activity_log.h"

namespace outpace::report {

absl::Status StoredEvents::ForEachAttempt(
    absl::Time from, absl::Time to,
    const std::function<bool(const campaign::Attempt&)>& visit) const {
  return store_.ForEachAttempt(from, to, visit);
}

absl::Status StoredEvents::ForEachActivity(
    absl::Time from, absl::Time to,
    const std::function<bool(const campaign::AgentActivity&)>& visit) const {
  return store_.ForEachActivity(from, to, visit);
}

absl::StatusOr<absl::Time> StoredEvents::KnownUntil() const {
  const auto saved = store_.GetMeta(campaign::kActivitiesKnownKey);
  if (!saved.ok()) return saved.status();
  return campaign::ParseActivitiesKnown(saved->value_or(""));
}

}  // namespace outpace::report
