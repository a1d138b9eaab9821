#pragma once

// The scenario files of bench/scenarios, one scenario each (docs/SCENARIOS.md).

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/sim/scenario.h"

namespace outpace::lab {

// Every "*.scenario" of a directory, in the order S01, S02, ..., then F and N, then the others;
// numbers by value. NotFound: no such directory, or none in it. InvalidArgument names the file and
// the line; also for an id that two files have.
absl::StatusOr<std::vector<sim::Scenario>> LoadScenarios(const std::string& directory);

// The project's own, from the source tree.
std::string ScenarioDirectory();
std::vector<sim::Scenario> AllScenarios();

}  // namespace outpace::lab
