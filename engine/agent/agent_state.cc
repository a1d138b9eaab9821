#include "engine/agent/agent_state.h"

#include "engine/base/check.h"

namespace outpace::agent {
namespace {

using S = AgentState;
using E = AgentEvent;

constexpr AgentTransition kTransitions[] = {
    {S::kLoggedOut, E::kLogin, S::kNotReady},
    {S::kNotReady, E::kReady, S::kAvailable},
    {S::kAvailable, E::kNotReady, S::kNotReady},
    {S::kAvailable, E::kReserve, S::kReserved},
    {S::kReserved, E::kConnect, S::kOnCall},
    {S::kReserved, E::kRelease, S::kAvailable},
    {S::kOnCall, E::kCallEnded, S::kWrapUp},
    {S::kWrapUp, E::kDispose, S::kAvailable},
    // Out of any state: the browser or the phone may go at any time.
    {S::kNotReady, E::kLogout, S::kLoggedOut},
    {S::kAvailable, E::kLogout, S::kLoggedOut},
    {S::kReserved, E::kLogout, S::kLoggedOut},
    {S::kOnCall, E::kLogout, S::kLoggedOut},
    {S::kWrapUp, E::kLogout, S::kLoggedOut},
};

}  // namespace

const AgentTransition* FindTransition(AgentState from, AgentEvent on) {
  for (const AgentTransition& row : kTransitions) {
    if (row.from == from && row.on == on) return &row;
  }
  return nullptr;
}

absl::string_view AgentStateName(AgentState state) {
  switch (state) {
    case AgentState::kLoggedOut:
      return "LOGGEDOUT";
    case AgentState::kNotReady:
      return "PAUSED";
    case AgentState::kAvailable:
      return "READY";
    case AgentState::kReserved:
      return "RESERVED";
    case AgentState::kOnCall:
      return "INCALL";
    case AgentState::kWrapUp:
      return "DISPO";
  }
  OUTPACE_CHECK(false);
  return "";
}

}  // namespace outpace::agent
