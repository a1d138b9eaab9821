#pragma once

// What a simulation shows a manager: one table, a column for each way of setting the campaigns, the
// differences to the first; and the same as CSV, with the half hours.

#include <string>
#include <vector>

#include "engine/runtime/simulation_run.h"

namespace outpace::runtime {

struct Variant {
  std::string name;  // "as recorded", "adaptive_dropped_percentage=2"
  ScenarioResult result;
};

// `variants`: at least one; all of the same campaigns. One block for each campaign, and one for all
// together where there are several.
std::string ResultTable(const std::vector<Variant>& variants);
// variant,campaign,period,... one line for each half hour, and one, "total", for all of them.
std::string ResultCsv(const std::vector<Variant>& variants);

}  // namespace outpace::runtime
