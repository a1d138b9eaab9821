#pragma once

// "Best in hindsight": the knob of a rule with which it would have done best on these very runs,
// under the cap. No dialer can know it beforehand; it makes a comparison generous to the other
// rules and gives the frontier its exact abandonment. Deterministic: the same arguments give the
// same result on any number of threads.

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "bench/pacing/floor.h"
#include "bench/pacing/rules.h"

namespace outpace::lab {

// Runs task(0) .. task(count - 1) on at most `threads` (>= 1) threads. Tasks may start in any
// order.
void RunParallel(size_t count, int threads, const std::function<void(size_t)>& task);

// Several runs of one rule, added up over seeds, repeats and campaigns.
struct Pooled {
  double busy_s = 0;
  double logged_s = 0;
  int64_t persons = 0;
  int64_t abandoned = 0;
  double worst_ratio = 0;  // of the scenario's campaigns, each pooled over its runs
  int runs = 0;            // campaigns run
  int runs_over = 0;       // of those: abandonment above the campaign's cap
  double occupancy() const { return logged_s > 0 ? busy_s / logged_s : 0; }
  double ratio() const {
    return persons > 0 ? static_cast<double>(abandoned) / static_cast<double>(persons) : 0;
  }
  double share_over() const { return runs > 0 ? static_cast<double>(runs_over) / runs : 0; }
};

struct TuningSettings {
  std::vector<uint64_t> seeds = {1, 2, 3};
  int threads = 2;
  // The cap on the pooled abandonment; 0: that of the scenario's first campaign.
  double abandon_ratio_max = 0;
  // Also at most this share of the runs above the cap: 1 asks for nothing (S18 asks for 0.01).
  double share_over_max = 1;
};

// The seed of a repeat: independent campaigns of the same seed differ in it (Scenario::repeats).
uint64_t RepeatSeed(uint64_t seed, int repeat);

// Runs the scenario once for each seed and repeat.
Pooled RunPooled(const sim::Scenario& scenario, const Floor::PolicyMaker& make,
                 const TuningSettings& settings);

struct Tuned {
  double knob = 0;  // theta, or lines per free agent
  Pooled result;
};

// The largest theta within the cap: bisection on log theta, each step on the same seeds.
Tuned TuneTheta(const sim::Scenario& scenario, const TuningSettings& settings,
                Foresight foresight = Foresight::kNone);
// The number of lines per free agent (1 .. 60) within the cap that keeps agents busiest.
Tuned TuneLines(const sim::Scenario& scenario, const TuningSettings& settings);

struct TunedVicidial {
  VicidialSettings knobs;
  Pooled result;
};
// The best of VICIdial's settings: available-only tally with maximum levels of 1.5 to 30, and the
// all-agent tally with 1.1 to 3 and difference targets of 0 to -3: 53 settings on the first seed,
// the best eight on all seeds, then the neighbours of the best two.
TunedVicidial TuneVicidial(const sim::Scenario& scenario, const TuningSettings& settings);

}  // namespace outpace::lab
