#pragma once

#include "absl/strings/string_view.h"

namespace outpace::agent {

// The six states of an agent. One function assigns them (Roster::Apply) by the table below.
enum class AgentState { kLoggedOut, kNotReady, kAvailable, kReserved, kOnCall, kWrapUp };
enum class AgentEvent {
  kLogin,      // authenticated, phone leg asked for
  kReady,      // agent asks for calls
  kNotReady,   // pause
  kReserve,    // the controller picked this agent for an answered call, or for a preview
  kConnect,    // bridged
  kRelease,    // the reserved call went away before the bridge
  kCallEnded,  // either side hung up
  kDispose,    // disposition stored: wrap-up ends
  kLogout,     // by hand, by a supervisor, or because browser or phone leg are gone
};
struct AgentTransition {
  AgentState from;
  AgentEvent on;
  AgentState to;
};
// Next state, or nullptr when the event is not legal here: counted, nothing happens.
const AgentTransition* FindTransition(AgentState from, AgentEvent on);
absl::string_view AgentStateName(AgentState state);  // "READY", "INCALL", ... as the field says

}  // namespace outpace::agent
