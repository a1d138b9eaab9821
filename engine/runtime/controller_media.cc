// What is heard on the legs of calls, and what follows from it.

#include "engine/runtime/controller.h"

namespace outpace::runtime {

void Controller::OnHeard(const call::LegHeard& event) {
  log_.Debug("leg.heard", {{"leg", event.leg.index},
                           {"sound", listen::SoundName(event.heard.sound)},
                           {"after_ms", absl::ToInt64Milliseconds(event.heard.after)}});
}

void Controller::OnDigit(const call::LegDigit& event) {
  log_.Debug("leg.digit", {{"leg", event.leg.index}});
}

void Controller::OnJoined(const call::LegJoined& event) {
  log_.Debug("leg.joined", {{"leg", event.leg.index}, {"joined", event.joined}});
}

}  // namespace outpace::runtime
