#pragma once

// What agents did with their time: the fold of their activities into spans, and of spans and calls
// into one row an agent. Pure: no clock, no store. Definitions as VICIdial's agent reports use the
// words; docs/EXPORT.md repeats them for those who read the figures.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/activity.h"
#include "campaign/attempt.h"
#include "campaign/report/event_source.h"

namespace outpace::report {

// A stretch of time that an agent spent in one state, cut to the range asked for.
struct AgentSpan {
  AgentId agent;
  CampaignId campaign;
  std::string state;  // campaign::activity
  std::string code;   // of a pause
  AttemptId attempt;
  absl::Time from, to;
  bool begins = false;  // in the range; else it was under way at its start
  int session = 0;      // of this agent, counted up: spans of one login have the same
  absl::Duration length() const { return to - from; }
};

// Activities in, spans out.
class AgentSpans {
 public:
  // `visit` gets each span that has a part in [from, to), or begins there; of one agent by time.
  AgentSpans(absl::Time from, absl::Time to, std::function<void(const AgentSpan&)> visit)
      : from_(from), to_(to), visit_(std::move(visit)) {}

  // In the order of EventSource::ForEachActivity(), from campaign::kActivityLookBack before the
  // range on. A record that says again what is known changes nothing.
  void Add(const campaign::AgentActivity& activity);
  // What is still open lasts until `known_until`, or the range's end if that is sooner.
  void Finish(absl::Time known_until);

 private:
  struct Open {
    campaign::AgentActivity since;  // state empty: logged out
    int session = 0;
  };
  void Close(Open& open, absl::Time at);

  const absl::Time from_, to_;
  const std::function<void(const AgentSpan&)> visit_;
  absl::btree_map<AgentId, Open> agents_;
};

// One agent's figures of a range. Spans count with the part that lies in it.
struct AgentTimes {
  AgentId agent;
  // From login to the first READY (code LOGIN), and all pauses.
  absl::Duration pause = absl::ZeroDuration();
  absl::Duration wait = absl::ZeroDuration();   // READY, and RESERVED: a call on its way, a preview
  absl::Duration talk = absl::ZeroDuration();   // INCALL: bridged to a customer, hold included
  absl::Duration dispo = absl::ZeroDuration();  // DISPO: wrap-up, from the hang-up on
  // VICIdial's DEAD is the time from the customer's hang-up to the agent's. Here wrap-up begins
  // with the hang-up, whoever hung up, so it is 0 by construction, and CUSTOMER (talk - dead) is
  // talk.
  static constexpr absl::Duration dead() { return absl::ZeroDuration(); }
  absl::Duration login() const { return pause + wait + talk + dispo; }

  // Logins, and pauses, that have a part in the range. A pause whose code is changed is two.
  int sessions = 0;
  int pauses = 0;
  std::map<std::string, absl::Duration> pause_by_code;  // LOGIN too; empty: none was given
  std::map<std::string, int> pauses_by_code;

  // Of the attempts: those that this agent was bridged to within the range (connected_at), calls
  // from outside included.
  int calls = 0;
  std::map<std::string, int> statuses;  // of these; empty: no disposition yet
  int holds = 0;
  absl::Duration held = absl::ZeroDuration();  // part of talk
  int conferences = 0;

  // Quotients; 0 where they would be by 0.
  absl::Duration talk_mean() const;     // talk / calls
  absl::Duration wait_mean() const;     // wait / calls
  absl::Duration dispo_mean() const;    // dispo / calls
  absl::Duration pause_mean() const;    // pause / pauses
  absl::Duration session_mean() const;  // login / sessions
  double pause_ratio() const;           // pause / login, [0, 1]
  double pauses_a_session() const;      // pauses / sessions
  double occupancy() const;             // (talk + dispo) / (wait + talk + dispo), [0, 1]
};

class AgentTimesFold {
 public:
  // `campaign`: only what was done for it; empty: all.
  AgentTimesFold(absl::Time from, absl::Time to, CampaignId campaign);
  // spans_ calls this.
  AgentTimesFold(const AgentTimesFold&) = delete;
  AgentTimesFold& operator=(const AgentTimesFold&) = delete;

  void Add(const campaign::AgentActivity& activity) { spans_.Add(activity); }  // as AgentSpans
  void Add(const campaign::Attempt& attempt);                                  // in any order
  // By agent; those with a call or a span. The fold is used up.
  std::vector<AgentTimes> Finish(absl::Time known_until);

 private:
  void AddSpan(const AgentSpan& span);

  const absl::Time from_, to_;
  const CampaignId campaign_;
  AgentSpans spans_;
  absl::btree_map<AgentId, AgentTimes> times_;
  absl::btree_set<std::pair<AgentId, int>> sessions_;
};

// Share of `times` in the calls of all agents of the same fold, [0, 1] (VICIdial: pct_of_queue).
double ShareOfCalls(const AgentTimes& times, const std::vector<AgentTimes>& all);

// Reads what the fold needs: activities from campaign::kActivityLookBack before `from` on, and
// attempts from an hour before, since the call may have been placed then.
absl::StatusOr<std::vector<AgentTimes>> ReadAgentTimes(const EventSource& source, absl::Time from,
                                                       absl::Time to, const CampaignId& campaign);

}  // namespace outpace::report
