#pragma once

// Figures of the suite: runs pooled over seeds into one cell for each scenario and rule, and what
// is read off the whole table.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "bench/pacing/suite.h"

namespace outpace::lab {

// Quantile 0.975 of Student's t with n >= 1 degrees of freedom, to 4 digits.
double StudentT975(int n);
// Half the width of the 95 % confidence interval of the mean of independent values; NaN for fewer
// than two.
double HalfWidth95(absl::Span<const double> values);

// Shares are 0..1; NaN: not defined (no whole half hour, one seed, the frontier was not run).
struct Cell {
  size_t scenario = 0;
  size_t policy = 0;
  int seeds = 0;
  int runs = 0;  // campaigns
  double occupancy = 0;
  double occupancy_half = 0;  // half of the 95 % interval, over seeds
  double abandoned = 0;
  double abandoned_half = 0;
  int64_t persons = 0;
  double runs_over = 0;        // share of runs above their cap
  int half_hours = 0;          // whole ones
  double half_hours_over = 0;  // share of them above 5 %
  double half_hour_worst = 0;  // abandonment
  double dials_per_answer = 0;
  double answers_per_dial = 0;  // "answers per lead dialed": each lead is dialed once
  int lines_peak = 0;
  int dials_per_second_peak = 0;
  double wait_s = 0;  // answer to agent, mean over connected persons
  int64_t decisions = 0;
  double decision_us = 0;  // CPU
  double gap = 0;          // frontier - this, share of occupancy, on the same seeds
  double gap_half = 0;
  double closed = 0;  // (this - c*) / (d - c*)
};

std::vector<Cell> MakeCells(const SuiteSettings& settings, absl::Span<const Run> runs);
// nullptr: not among them.
const Cell* FindCell(const SuiteSettings& settings, absl::Span<const Cell> cells,
                     absl::string_view scenario, absl::string_view policy);

// One figure that the project holds itself to, as measured.
struct Figure {
  std::string what;
  double value = 0;  // in `unit`; NaN: there is none
  std::string unit;
  std::string target;
  bool met = false;
  bool missing = false;  // the runs for it were not made
  std::string note;      // which scenario, which runs
};
std::vector<Figure> MakeFigures(const SuiteSettings& settings, absl::Span<const Cell> cells,
                                absl::Span<const Response> responses);

}  // namespace outpace::lab
