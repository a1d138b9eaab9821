#include "bench/pacing/tuning.h"

#include <atomic>
#include <vector>

#include "gtest/gtest.h"
#include "tests/bench/pacing/floors.h"

namespace outpace::lab {
namespace {

TEST(RunParallel, DoesEachTaskOnce) {
  for (const int threads : {1, 2, 5}) {
    std::vector<std::atomic<int>> done(37);
    RunParallel(done.size(), threads, [&](size_t i) { ++done[i]; });
    for (const std::atomic<int>& count : done) EXPECT_EQ(count, 1);
  }
  RunParallel(0, 2, [](size_t) { FAIL(); });
}

TEST(RunPooled, AddsUpSeedsRepeatsAndCampaigns) {
  sim::Scenario scenario = BaseScenario(5, absl::Hours(1));
  scenario.repeats = 3;
  scenario.campaigns.push_back(scenario.campaigns[0]);
  scenario.campaigns[1].mix.person = 0.4;
  scenario.campaigns[1].mix.no_answer = 0.1;
  TuningSettings settings;
  settings.seeds = {4, 9};
  double busy_s = 0;
  int64_t persons = 0;
  int64_t abandoned[2] = {0, 0};
  int64_t answered[2] = {0, 0};
  int over = 0;
  for (const uint64_t seed : settings.seeds) {
    for (int repeat = 0; repeat < 3; ++repeat) {
      Floor floor(scenario, RepeatSeed(seed, repeat), LinesPerAgent(2));
      floor.Run();
      for (size_t c = 0; c < 2; ++c) {
        busy_s += floor.result(c).busy_s;
        persons += floor.result(c).persons;
        answered[c] += floor.result(c).persons;
        abandoned[c] += floor.result(c).abandoned;
        over += floor.result(c).ratio() > 0.03 ? 1 : 0;
      }
    }
  }
  const Pooled pooled = RunPooled(scenario, LinesPerAgent(2), settings);
  EXPECT_DOUBLE_EQ(pooled.busy_s, busy_s);
  EXPECT_EQ(pooled.persons, persons);
  EXPECT_EQ(pooled.abandoned, abandoned[0] + abandoned[1]);
  EXPECT_EQ(pooled.runs, 12);
  EXPECT_EQ(pooled.runs_over, over);
  EXPECT_GT(over, 0);
  EXPECT_DOUBLE_EQ(pooled.worst_ratio,
                   std::max(static_cast<double>(abandoned[0]) / static_cast<double>(answered[0]),
                            static_cast<double>(abandoned[1]) / static_cast<double>(answered[1])));
}

TEST(Tuning, FindsTheLargestKnobUnderTheCapOnAnyNumberOfThreads) {
  const sim::Scenario scenario = BaseScenario(10, absl::Hours(4));
  TuningSettings settings;
  settings.seeds = {1, 2};
  const Tuned theta = TuneTheta(scenario, settings);
  EXPECT_LE(theta.result.ratio(), 0.03);
  EXPECT_GT(theta.result.ratio(), 0.02);
  EXPECT_GT(RunPooled(scenario, TrueLookahead(theta.knob * 1.5), settings).ratio(), 0.03);
  const Tuned lines = TuneLines(scenario, settings);
  EXPECT_LE(lines.result.ratio(), 0.03);
  EXPECT_GT(lines.knob, 1.5);
  EXPECT_GT(RunPooled(scenario, LinesPerAgent(lines.knob * 1.3), settings).ratio(), 0.03);
  settings.threads = 1;
  const Tuned alone = TuneTheta(scenario, settings);
  EXPECT_EQ(alone.knob, theta.knob);
  EXPECT_EQ(alone.result.busy_s, theta.result.busy_s);
  EXPECT_EQ(alone.result.abandoned, theta.result.abandoned);
}

TEST(Tuning, FindsAVicidialSettingFarBetterThanTheDefault) {
  const sim::Scenario scenario = BaseScenario(20, absl::Hours(4));
  TuningSettings settings;
  settings.seeds = {1, 2};
  const TunedVicidial best = TuneVicidial(scenario, settings);
  EXPECT_LE(best.result.ratio(), 0.03);
  EXPECT_TRUE(best.knobs.available_only);
  EXPECT_NEAR(best.knobs.level_max, 3.2, 1.2);
  EXPECT_GT(best.result.occupancy(),
            RunPooled(scenario, Vicidial({}), settings).occupancy() + 0.12);
  EXPECT_GT(best.result.occupancy(), 0.84);
}

TEST(Tuning, CanKeepEachRunUnderItsCap) {
  sim::Scenario scenario = BaseScenario(10, absl::Hours(1));
  scenario.warm_up = absl::ZeroDuration();
  scenario.repeats = 12;
  TuningSettings settings;
  settings.seeds = {1};
  const Tuned on_average = TuneTheta(scenario, settings);
  settings.share_over_max = 0.05;
  const Tuned each = TuneTheta(scenario, settings);
  EXPECT_GT(on_average.result.share_over(), 0.15);
  EXPECT_LE(each.result.share_over(), 0.05);
  EXPECT_LT(each.knob, on_average.knob);
  EXPECT_LT(each.result.occupancy(), on_average.result.occupancy());
}

}  // namespace
}  // namespace outpace::lab
