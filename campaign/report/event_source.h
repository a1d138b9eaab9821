#pragma once

// Where reports read what happened: the store, or an event log that was exported from it
// (event_log.h). Both show the same records.

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/activity.h"
#include "campaign/attempt.h"
#include "campaign/lead_store.h"

namespace outpace::report {

class EventSource {
 public:
  virtual ~EventSource() = default;

  // Attempts with dialed_at in [from, to), by rising id. Return false to stop.
  virtual absl::Status ForEachAttempt(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::Attempt&)>& visit) const = 0;
  // Activities with `at` in [from, to), by time. Return false to stop.
  virtual absl::Status ForEachActivity(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::AgentActivity&)>& visit) const = 0;
  // Until when an agent whose last record is not a logout is known to have been as that says.
  // InfiniteFuture: the engine has logged everybody out.
  virtual absl::StatusOr<absl::Time> KnownUntil() const = 0;
};

// The store as it is now; it outlives this.
class StoredEvents final : public EventSource {
 public:
  explicit StoredEvents(const campaign::LeadStore& store) : store_(store) {}
  absl::Status ForEachAttempt(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::Attempt&)>& visit) const override;
  absl::Status ForEachActivity(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::AgentActivity&)>& visit) const override;
  absl::StatusOr<absl::Time> KnownUntil() const override;

 private:
  const campaign::LeadStore& store_;
};

}  // namespace outpace::report
