#pragma once

// Proof that the tests would notice: a check of the gate that is switched off must turn one of them
// red. Only a program built with OUTPACE_GATE_MUTANTS can switch one off (tests/campaign/gate); in
// the engine this is a constant.

#include "campaign/gate/gate.h"

namespace outpace::gate::internal {

#ifdef OUTPACE_GATE_MUTANTS
bool IsSwitchedOff(Rule rule);
#else
constexpr bool IsSwitchedOff(Rule) { return false; }
#endif

}  // namespace outpace::gate::internal
