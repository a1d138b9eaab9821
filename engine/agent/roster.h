#pragma once

// Who is at work, in which state and since when. The controller owns the one roster and asks it for
// the agent who gets the next call; states change in Apply() only, by the table of agent_state.h.
// All times are passed in. One thread: the controller's.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/agent/agent_state.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"

namespace outpace::agent {

// Time spent in each state while logged in, summed over the day.
struct StateTimes {
  absl::Duration paused;
  absl::Duration ready;
  absl::Duration reserved;
  absl::Duration talk;
  absl::Duration wrap;
  absl::Duration logged_in() const { return paused + ready + reserved + talk + wrap; }
  // (talk + wrap) / (ready + reserved + talk + wrap): of the time an agent offered to work, the
  // share spent working. In [0, 1]; 0 when nothing was offered yet.
  double occupancy() const;
  StateTimes& operator+=(const StateTimes& other);
};

struct AgentRecord {
  AgentId id;
  CampaignId campaign;
  AgentState state = AgentState::kLoggedOut;
  MonoTime since;          // of the state
  MonoTime waiting_since;  // in the queue for calls; kept when a reserved call goes away
  LegId phone;             // the agent's nailed-up leg; none: generation 0
  bool phone_up = false;
  AttemptId attempt;  // reserved, on the line, or in wrap-up
  int calls_today = 0;
  std::string pause_code;     // why not ready; empty otherwise
  bool pause_wanted = false;  // asked for during a call: not ready after wrap-up
  StateTimes times;           // up to `since`
};

struct CampaignCounts {
  int logged_in = 0;
  int paused = 0;
  int ready = 0;        // waiting for a call
  int ready_phone = 0;  // of these, with the phone leg up: can be given one
  int reserved = 0;
  int talking = 0;
  int wrapping = 0;
  int leaving = 0;  // of the three above, those who asked for a pause after the present call
  friend bool operator==(const CampaignCounts&, const CampaignCounts&) = default;
};

class Roster {
 public:
  // Adds an agent, logged out. AlreadyExists for a known id.
  absl::Status Add(const AgentId& id, const CampaignId& campaign, MonoTime now);
  // NotFound; FailedPrecondition unless logged out.
  absl::Status Remove(const AgentId& id);
  // Moves the agent to another campaign. NotFound; FailedPrecondition unless logged out.
  absl::Status SetCampaign(const AgentId& id, const CampaignId& campaign);

  // The only function that changes a state. NotFound for an unknown agent; FailedPrecondition when
  // the table has no row: counted, nothing happens. kReserve wants the attempt: use Reserve().
  // An agent whose pause was asked for during a call goes from kDispose (or kRelease) on to
  // kNotReady.
  absl::Status Apply(const AgentId& id, AgentEvent event, MonoTime now);
  // kReserve for one attempt, which stays the agent's until the state is neither reserved, on call
  // nor wrap-up.
  absl::Status Reserve(const AgentId& id, AttemptId attempt, MonoTime now);
  // Pause: at once when available, after the call or wrap-up when not. `code` as the user gave it.
  absl::Status Pause(const AgentId& id, absl::string_view code, MonoTime now);
  // Ready; takes back a pause that was asked for during a call.
  absl::Status Ready(const AgentId& id, MonoTime now);

  // The agent's phone leg; an invalid leg takes it away. `up`: answered.
  absl::Status SetPhone(const AgentId& id, LegId leg, bool up);

  // nullptr: unknown. The pointer is good until the next change of the roster.
  const AgentRecord* Find(const AgentId& id) const;
  const AgentRecord* FindByPhone(LegId leg) const;
  // The available agent with the phone up who has waited longest (ties: lower id), or nullptr.
  const AgentRecord* PickLongestWaiting(const CampaignId& campaign) const;

  CampaignCounts Counts(const CampaignId& campaign) const;
  // How long each call, or each wrap-up, of the campaign has lasted at `now`, in id order. Agents
  // who asked for a pause after it are left out: they will not be free then.
  std::vector<absl::Duration> TalkAges(const CampaignId& campaign, MonoTime now) const;
  std::vector<absl::Duration> WrapAges(const CampaignId& campaign, MonoTime now) const;
  // Times up to `now`, the present state included; of all agents of the campaign together.
  StateTimes TimesOf(const CampaignId& campaign, MonoTime now) const;
  static StateTimes TimesOf(const AgentRecord& agent, MonoTime now);
  // A new day: calls and times start from zero; states stay.
  void StartDay(MonoTime now);

  // All agents in id order.
  const absl::btree_map<AgentId, AgentRecord>& agents() const { return agents_; }
  uint64_t illegal_events() const { return illegal_events_; }

 private:
  struct Campaign {
    CampaignCounts counts;
    absl::btree_set<std::pair<MonoTime, AgentId>> waiting;  // available and phone up
    absl::btree_set<AgentId> members;
    // Since when, of those who will stay: a decision about the next dials looks at all of them.
    absl::btree_map<AgentId, MonoTime> talking, wrapping;
  };
  AgentRecord* Get(const AgentId& id);
  // Takes the agent out of its campaign's counts and queue, and puts it back: around every change.
  void Leave(const AgentRecord& agent);
  void Enter(const AgentRecord& agent);
  void SetState(AgentRecord& agent, AgentState to, bool keeps_place, MonoTime now);
  // The map above that the agent belongs in; nullptr: none.
  static absl::btree_map<AgentId, MonoTime>* BusyIn(Campaign& campaign, const AgentRecord& agent);
  static std::vector<absl::Duration> Ages(const absl::btree_map<AgentId, MonoTime>& since,
                                          MonoTime now);

  absl::btree_map<AgentId, AgentRecord> agents_;
  absl::btree_map<CampaignId, Campaign> campaigns_;
  absl::flat_hash_map<LegId, AgentId> by_phone_;  // looked up, never walked
  uint64_t illegal_events_ = 0;
};

}  // namespace outpace::agent
