#pragma once

// What agents did, as it happened: one record for each change of an agent's state. With the
// attempts it is all that a report on agents is computed from.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// From `at` on the agent is in `state`, until its next record. Records are only added, never
// changed; they name no customer but by the attempt.
struct AgentActivity {
  absl::Time at = absl::InfinitePast();  // wall clock, kept to the microsecond
  AgentId agent;                         // empty: all agents, see activity::kEngineEnded
  CampaignId campaign;                   // of the session; empty: none
  std::string state;                     // one of those below
  std::string code;                      // of a pause: why ("BREAK"); empty: none was given
  AttemptId attempt;                     // whose call it is; none: outside a call
  friend bool operator==(const AgentActivity&, const AgentActivity&) = default;
};

// The states. kReady, kPaused, kReserved, kInCall and kDispo are the roster's names of them
// (engine/agent/agent_state.h).
namespace activity {
inline constexpr absl::string_view kLogin = "LOGIN";  // a session begins; not ready yet
inline constexpr absl::string_view kReady = "READY";
inline constexpr absl::string_view kPaused = "PAUSED";
inline constexpr absl::string_view kReserved = "RESERVED";  // a call or a preview is on its way
inline constexpr absl::string_view kInCall = "INCALL";
inline constexpr absl::string_view kDispo = "DISPO";  // wrap-up
inline constexpr absl::string_view kLoggedOut = "LOGGED OUT";
// Written by the next start of the engine: the one before it ended without logging its agents out.
// All sessions end here; `at` is the last instant at which it is known to have run.
inline constexpr absl::string_view kEngineEnded = "ENGINE ENDED";
}  // namespace activity

}  // namespace outpace::campaign
