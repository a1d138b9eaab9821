#pragma once

// What the controller keeps of a call's audio, and who else listens to an agent.

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/ids.h"
#include "engine/call/media_action.h"

namespace outpace::runtime {

// As an agent's screen shows it.
struct CallAudio {
  enum class Recording : uint8_t { kOff, kOn, kPaused };
  bool held = false;   // the customer hears music
  bool muted = false;  // the customer does not hear the agent
  Recording recording = Recording::kOff;
  bool may_stop_recording = true;  // else a pause is all
  bool machine = false;            // the detector says so; the agent decides
};

// Somebody beside agent and customer: a supervisor, or a third party that the agent brought in.
using MonitorId = StrongId<struct MonitorTag>;
struct Monitor {
  AgentId agent{};      // whose calls
  std::string phone{};  // sip: URI in agents.phone_networks
  call::MixRole role = call::MixRole::kListener;
  LegId leg{};
  bool joined = false;
  // A third party that the agent brought in goes with this call; none: a supervisor.
  AttemptId call{};
};

// "monitor", "whisper", "barge".
absl::string_view RoleName(call::MixRole role);

}  // namespace outpace::runtime
