#pragma once

// Every scenario by every rule by every seed, on a few threads. A run depends on its scenario, rule
// and seed alone, and results stand in the order of the settings: the figures are the same on any
// number of threads (but for the CPU time, which is measured).

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bench/pacing/floor.h"
#include "bench/pacing/hindsight.h"
#include "engine/sim/scenario.h"

namespace outpace::lab {

struct SuitePolicy {
  absl::string_view name;   // in files and options
  absl::string_view label;  // in tables and plots
  bool hindsight = false;   // needs a row of the hindsight table
  bool response = false;    // its response to a step is looked at
  // An empty maker: the scenario's row lacks the knob.
  Floor::PolicyMaker (*make)(const Hindsight* row) = nullptr;
};

// All of them, the project's own ("outpace") first.
absl::Span<const SuitePolicy> SuitePolicies();
const SuitePolicy* FindSuitePolicy(absl::string_view name);  // nullptr: none of that name

struct SuiteSettings {
  std::vector<sim::Scenario> scenarios;
  std::vector<const SuitePolicy*> policies;
  HindsightTable hindsight;
  int seeds = 10;  // 1, 2, ...
  int threads = 2;
  // CPU seconds the calling thread has used, to time decisions; nullptr: they are not timed.
  double (*cpu_seconds)() = nullptr;
  // After each run, from any thread, one at a time.
  std::function<void(size_t done, size_t all)> on_progress;
};

// One minute of one campaign, from the beginning of the warm-up.
struct MinuteCount {
  int connected = 0;
  int abandoned = 0;
};

// One campaign of one run.
struct Run {
  size_t scenario = 0;  // index in the settings
  size_t policy = 0;
  uint64_t seed = 0;
  int repeat = 0;
  size_t campaign = 0;
  double abandon_ratio_max = 0;
  FloorResult result;
  std::vector<MinuteCount> minutes;
  double timed_s = 0;  // CPU of the decisions that were timed
  int64_t timed = 0;
};

// By scenario, policy, seed, repeat and campaign. Pairs that lack their row in the hindsight table
// are left out.
std::vector<Run> RunSuite(const SuiteSettings& settings);

// How occupancy comes back after a step of the answer rate: S10 for sixteen hours, minutes
// aligned on the steps, over all steps of that direction and all seeds.
struct Response {
  size_t policy = 0;  // index in the settings
  double from = 0;    // answer rates before and after the step
  double to = 0;
  int steps = 0;
  int first_minute = 0;           // of the vectors, from the step; < 0
  std::vector<double> occupancy;  // of each minute, share
  std::vector<double> abandoned;  // of each minute, share of its persons
  double steady = 0;              // its own mean from minute 25 on
  double reference = 0;           // the frontier's; its own where the frontier was not run
  // From the first minute on from which, for ten minutes, the mean of three minutes stays within 1
  // point of the reference; < 0: not within the phase.
  int minutes_to_settle = -1;
  // The first minute at which it is there, whether it stays or not; < 0: never.
  int minutes_to_reach = -1;
};
// Of the rules that SuitePolicy::response marks. Empty when `scenario` has no steps: it wants one
// campaign whose phases are of 40 minutes or more and set different answer rates.
std::vector<Response> RunResponse(const SuiteSettings& settings, const sim::Scenario& scenario);
// First minute from which the mean of three minutes is within 1 point of the reference for `stay`
// minutes; -1: none.
int MinutesToSettle(absl::Span<const double> occupancy, double reference, size_t stay = 10);

// The two-minute subset: fewer scenarios, shorter, fewer seeds, three rules.
SuiteSettings QuickSettings(const std::vector<sim::Scenario>& all);
// What the subset holds the project's rule to.
struct QuickLimit {
  absl::string_view scenario;
  double occupancy_min;   // percent
  double abandoned_max;   // percent, pooled
  double over_share_max;  // percent of runs above the cap
};
absl::Span<const QuickLimit> QuickLimits();

}  // namespace outpace::lab
