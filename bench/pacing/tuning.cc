#include "bench/pacing/tuning.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <utility>

#include "engine/base/check.h"

namespace outpace::lab {
namespace {

double Cap(const sim::Scenario& scenario, const TuningSettings& settings) {
  return settings.abandon_ratio_max > 0 ? settings.abandon_ratio_max
                                        : scenario.campaigns[0].abandon_ratio_max;
}

bool Within(const Pooled& pooled, const sim::Scenario& scenario, const TuningSettings& settings) {
  return pooled.worst_ratio <= Cap(scenario, settings) &&
         pooled.share_over() <= settings.share_over_max;
}

// The best knob within the cap, for a rule that abandons more and idles less with a larger knob:
// bisects the logarithm of [low, high] until the bracket is narrower than `narrow`. Chance makes
// abandonment rise unevenly, so a few larger knobs are tried then. `low` if nothing is within.
template <typename Make>
Tuned Largest(const sim::Scenario& scenario, const TuningSettings& settings, double low,
              double high, double narrow, const Make& make) {
  const auto run = [&](double knob) {
    return Tuned{knob, RunPooled(scenario, make(knob), settings)};
  };
  const double lowest = low;
  Tuned best;
  const auto try_knob = [&](double knob) {
    const Tuned tried = run(knob);
    if (!Within(tried.result, scenario, settings)) return false;
    if (best.knob == 0 || tried.result.occupancy() >= best.result.occupancy()) best = tried;
    return true;
  };
  while (std::log(high / low) > narrow) {
    const double middle = std::sqrt(low * high);
    (try_knob(middle) ? low : high) = middle;
  }
  if (best.knob == 0) return run(lowest);
  const double bracket = low;
  for (const double factor : {1.03, 1.06, 1.1, 1.15}) try_knob(bracket * factor);
  return best;
}

struct Grid {
  std::vector<VicidialSettings> settings;
  void AvailableOnly(double level_max) {
    VicidialSettings one;
    one.available_only = true;
    one.level_max = level_max;
    settings.push_back(one);
  }
  void AllAgents(double level_max, double diff_target) {
    VicidialSettings one;
    one.level_max = level_max;
    one.diff_target = diff_target;
    settings.push_back(one);
  }
};

Grid WholeGrid() {
  Grid grid;
  for (const double max : {1.5, 1.75, 2.0, 2.25, 2.5,  3.0,  3.5,  4.0,  4.5,  5.0, 5.5,
                           6.0, 7.0,  8.5, 10.0, 12.0, 14.0, 17.0, 21.0, 25.0, 30.0}) {
    grid.AvailableOnly(max);
  }
  for (const double max : {1.1, 1.2, 1.3, 1.5, 1.7, 2.0, 2.5, 3.0}) {
    for (const double diff : {0.0, -1.0, -2.0, -3.0}) grid.AllAgents(max, diff);
  }
  return grid;
}

// Settings near `best`.
Grid FineGrid(const VicidialSettings& best) {
  Grid grid;
  if (best.available_only) {
    for (const double factor : {0.8, 0.85, 0.9, 0.95, 1.04, 1.08, 1.12, 1.16, 1.2}) {
      grid.AvailableOnly(best.level_max * factor);
    }
    return grid;
  }
  for (const double extra : {0.7, 1.0, 1.4}) {
    for (const double diff : {-1.0, 0.0, 1.0}) {
      grid.AllAgents(1 + (best.level_max - 1) * extra, std::min(0.0, best.diff_target + diff));
    }
  }
  return grid;
}

}  // namespace

void RunParallel(size_t count, int threads, const std::function<void(size_t)>& task) {
  OUTPACE_CHECK(threads >= 1);
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < count; i = next++) task(i);
  };
  std::vector<std::thread> helpers;
  const size_t most = std::min(count, static_cast<size_t>(threads));
  for (size_t t = 1; t < most; ++t) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
}

uint64_t RepeatSeed(uint64_t seed, int repeat) {
  return seed + 1'000'003 * static_cast<uint64_t>(repeat);
}

Pooled RunPooled(const sim::Scenario& scenario, const Floor::PolicyMaker& make,
                 const TuningSettings& settings) {
  const auto repeats = static_cast<size_t>(std::max(1, scenario.repeats));
  const size_t campaigns = scenario.campaigns.size();
  std::vector<std::vector<FloorResult>> results(settings.seeds.size() * repeats);
  RunParallel(results.size(), settings.threads, [&](size_t i) {
    Floor floor(scenario, RepeatSeed(settings.seeds[i / repeats], static_cast<int>(i % repeats)),
                make);
    floor.Run();
    for (size_t c = 0; c < campaigns; ++c) results[i].push_back(floor.result(c));
  });
  Pooled pooled;
  for (size_t c = 0; c < campaigns; ++c) {
    int64_t persons = 0;
    int64_t abandoned = 0;
    for (const std::vector<FloorResult>& run : results) {
      pooled.busy_s += run[c].busy_s;
      pooled.logged_s += run[c].logged_s;
      persons += run[c].persons;
      abandoned += run[c].abandoned;
      ++pooled.runs;
      if (run[c].ratio() > scenario.campaigns[c].abandon_ratio_max) ++pooled.runs_over;
    }
    pooled.persons += persons;
    pooled.abandoned += abandoned;
    if (persons > 0) {
      pooled.worst_ratio = std::max(pooled.worst_ratio,
                                    static_cast<double>(abandoned) / static_cast<double>(persons));
    }
  }
  return pooled;
}

Tuned TuneTheta(const sim::Scenario& scenario, const TuningSettings& settings,
                Foresight foresight) {
  return Largest(scenario, settings, 5e-4, 0.5, 0.01,
                 [&](double theta) { return TrueLookahead(theta, foresight); });
}

Tuned TuneLines(const sim::Scenario& scenario, const TuningSettings& settings) {
  return Largest(scenario, settings, 1, 60, 0.02,
                 [](double lines) { return LinesPerAgent(lines); });
}

TunedVicidial TuneVicidial(const sim::Scenario& scenario, const TuningSettings& settings) {
  const auto run_all = [&](const Grid& grid, const TuningSettings& how) {
    // One task a setting keeps all threads busy; the runs of a setting follow each other.
    TuningSettings alone = how;
    alone.threads = 1;
    std::vector<TunedVicidial> tried(grid.settings.size());
    RunParallel(tried.size(), how.threads, [&](size_t i) {
      const VicidialSettings& knobs = grid.settings[i];
      tried[i] = {knobs, RunPooled(scenario, Vicidial(knobs), alone)};
    });
    return tried;
  };
  // Best first: occupancy among those within the cap, then those nearest to it. What is a little
  // above the cap on one seed may be within it on all.
  const auto sort = [&](std::vector<TunedVicidial>& tried, double slack) {
    const auto rank = [&](const TunedVicidial& one) {
      const bool within = one.result.worst_ratio <= slack * Cap(scenario, settings) &&
                          (slack > 1 || one.result.share_over() <= settings.share_over_max);
      return std::pair(within, within ? one.result.occupancy() : -one.result.worst_ratio);
    };
    std::stable_sort(tried.begin(), tried.end(),
                     [&](const auto& a, const auto& b) { return rank(a) > rank(b); });
  };
  constexpr size_t kCandidates = 8;
  TuningSettings first = settings;
  first.seeds.resize(1);
  std::vector<TunedVicidial> coarse = run_all(WholeGrid(), first);
  sort(coarse, 1.25);
  Grid candidates;
  for (size_t i = 0; i < kCandidates; ++i) candidates.settings.push_back(coarse[i].knobs);
  std::vector<TunedVicidial> tried = run_all(candidates, settings);
  sort(tried, 1);
  Grid near = FineGrid(tried[0].knobs);
  for (const VicidialSettings& one : FineGrid(tried[1].knobs).settings) {
    near.settings.push_back(one);
  }
  for (const TunedVicidial& one : run_all(near, settings)) tried.push_back(one);
  sort(tried, 1);
  return tried.front();
}

}  // namespace outpace::lab
