#include "campaign/gate/switched_off.h"

#include <cstdlib>

namespace outpace::gate::internal {

// The one check whose name stands in OUTPACE_GATE_OFF.
bool IsSwitchedOff(Rule rule) {
  static const char* const off = std::getenv("OUTPACE_GATE_OFF");
  return off != nullptr && RuleName(rule) == off;
}

}  // namespace outpace::gate::internal
