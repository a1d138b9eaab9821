#pragma once

// What becomes of the roster's changes: activities (campaign/activity.h) that wait to be written.
// Each change is noted once, however often it is told; who is logged in is said again every
// campaign::kActivityRepeat. Controller's loop only.

#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/activity.h"
#include "campaign/lead_store.h"
#include "engine/agent/roster.h"

namespace outpace::runtime {

class ActivityBook {
 public:
  // The agent's record as it is now, which it has been since `since`. An agent's activities never
  // go back in time: after the wall clock was set back they stand still until it has caught up.
  void Note(const agent::AgentRecord& record, absl::Time since, absl::Time now);
  // The engine before this one was last known to run at `at`, and did not log its agents out.
  void NoteEngineEnded(absl::Time at);
  // Says again what those logged in are doing, if it is time.
  void RepeatIfDue(absl::Time now);

  // Whether there is something to write: news, or that the engine still runs, which is written
  // every campaign::kActivitiesKnownEvery.
  bool HasNews(absl::Time now) const;
  // Moves what waits into the batch, and up to when it is all. Not into one that may be refused.
  void MoveInto(campaign::StoreBatch& batch, absl::Time now);
  // The engine ends in order, all agents are logged out: the last batch says so, and nothing more
  // is news.
  void End(campaign::StoreBatch& batch);

  // The agent's activity as noted last; null: not logged in.
  const campaign::AgentActivity* Last(const AgentId& agent) const;

 private:
  absl::btree_map<AgentId, campaign::AgentActivity> last_;  // of those logged in
  std::vector<campaign::AgentActivity> news_;
  absl::Time known_ = absl::InfinitePast();     // as written last
  absl::Time repeated_ = absl::InfinitePast();  // everybody was said again then
  bool ended_ = false;
};

// What the roster's state is called in an activity.
std::string ActivityState(agent::AgentState state);

// The last instant at which the engine that wrote this store is known to have run, if it left
// agents logged in: what it said last of that, or of an agent, whichever is later. It may have run
// for kActivitiesKnownEvery longer. InfiniteFuture: it has ended in order.
absl::StatusOr<absl::Time> LastKnownRunning(const campaign::LeadStore& store);

}  // namespace outpace::runtime
