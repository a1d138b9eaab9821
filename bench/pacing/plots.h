#pragma once

// The charts of the suite's report.

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "bench/pacing/cells.h"
#include "bench/pacing/suite.h"

namespace outpace::lab {

struct Plot {
  std::string name;  // of the file, without ".svg"
  std::string caption;
  std::string svg;
};

// Everything a report is made of.
struct SuiteResults {
  SuiteSettings settings;
  std::vector<Run> runs;
  std::vector<Cell> cells;
  std::vector<Response> responses;
  std::vector<Figure> figures;
};

// Occupancy against the number of agents, base scenario, with the optimum of the control problem.
Plot PlotSizes(const SuiteResults& results);
// Occupancy of each scenario and rule, and the gap to the frontier.
Plot PlotScenarios(const SuiteResults& results);
// Abandonment of each whole half hour of one scenario, a strip for each rule.
Plot PlotHalfHours(const SuiteResults& results, absl::string_view scenario);
// Occupancy and abandonment by the minute around a step of the answer rate.
Plot PlotResponse(const SuiteResults& results);

// Those for which there are runs.
std::vector<Plot> MakePlots(const SuiteResults& results);

}  // namespace outpace::lab
