#pragma once
#include <vector>

#include "engine/sim/scenario.h"
namespace outpace::lab {
std::vector<sim::Scenario> AllScenarios();
}
