#include "bench/pacing/rules.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/pacing/optimum.h"
#include "bench/pacing/rule_laws.h"
#include "bench/pacing/tuning.h"
#include "engine/base/rng.h"
#include "engine/pacing/erlang.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/bench/pacing/floors.h"

namespace outpace::lab {
namespace {

using testing::AllOf;
using testing::DoubleNear;
using testing::Ge;
using testing::Le;

std::vector<std::pair<std::string, Floor::PolicyMaker>> BlindRules() {
  VicidialSettings ratio;
  ratio.method = VicidialMethod::kRatio;
  ratio.level = 3;
  VicidialSettings average;
  average.method = VicidialMethod::kAverage;
  average.available_only = true;
  VicidialSettings tapered;
  tapered.method = VicidialMethod::kTapered;
  tapered.intensity = -20;
  return {{"progressive", Progressive()},
          {"lines", LinesPerAgent(2.7)},
          {"ratio", Vicidial(ratio)},
          {"hard", Vicidial({})},
          {"average", Vicidial(average)},
          {"tapered", Vicidial(tapered)},
          {"issabel", Issabel()},
          {"poisson", OpenLoop()},
          {"even", OpenLoop({.poisson = false})},
          {"look-ahead", TrueLookahead(0.03)}};
}

std::vector<std::pair<std::string, Floor::PolicyMaker>> AllRules() {
  auto rules = BlindRules();
  rules.emplace_back("finish times", TrueLookahead(0.03, Foresight::kFinishTimes));
  rules.emplace_back("who answers", TrueLookahead(0.03, Foresight::kWhoAnswers));
  return rules;
}

MonoTime At(double seconds) { return MonoTime() + absl::Seconds(seconds); }

TEST(RulesProperty, NeverAboveALimitAndNothingWithoutAgents) {
  const sim::Scenario scenario = BaseScenario(5, absl::Hours(1));
  for (const auto& [name, make] : BlindRules()) {
    const Floor floor(scenario, 1, make);
    // The floor's own has dialed already.
    const std::unique_ptr<pacing::Policy> fresh = make(floor, 0);
    pacing::Policy& policy = *fresh;
    Rng rng(7);
    uint64_t id = 0;
    int64_t placed = 0;
    for (int step = 0; step < 3000; ++step) {
      SCOPED_TRACE(absl::StrCat(name, " step ", step));
      const MonoTime now = At(0.7 * step);
      const bool agents = rng.Chance(0.8);
      std::vector<absl::Duration> talk(agents ? rng.Below(5) : 0);
      std::vector<absl::Duration> wrap(agents ? rng.Below(3) : 0);
      for (absl::Duration& age : talk) age = absl::Seconds(rng.Exponential(150));
      for (absl::Duration& age : wrap) age = absl::Seconds(rng.Exponential(30));
      pacing::PacingInput input;
      input.agents_idle = agents ? static_cast<int>(rng.Below(6)) : 0;
      input.talk_ages = talk;
      input.wrap_ages = wrap;
      input.calls_waiting = static_cast<int>(rng.Below(2));
      input.lines_free = static_cast<int>(rng.Below(20)) - 2;
      input.trunk_tokens = static_cast<int>(rng.Below(15));
      input.leads_ready = static_cast<int>(rng.Below(30));
      const std::vector<pacing::LeadTraits> next(static_cast<size_t>(input.leads_ready));
      if (rng.Chance(0.5)) input.next = next;
      const pacing::Decision decision = policy.Decide(input, now);
      ASSERT_GE(decision.legs_to_place, 0);
      ASSERT_LE(decision.legs_to_place,
                std::max(0, std::min({input.lines_free, input.trunk_tokens, input.leads_ready})));
      if (input.agents_idle + talk.size() + wrap.size() == 0) {
        ASSERT_EQ(decision.legs_to_place, 0);
      }
      if (!input.next.empty()) {
        ASSERT_EQ(decision.picks.size(), static_cast<size_t>(decision.legs_to_place));
        for (size_t i = 0; i < decision.picks.size(); ++i) ASSERT_EQ(decision.picks[i], i);
      }
      for (int i = 0; i < decision.legs_to_place; ++i) {
        policy.OnDialed(AttemptId(++id), {}, now);
        if (rng.Chance(0.2)) {
          policy.OnAnswered(AttemptId(id), now);
          policy.OnConnected(AttemptId(id), now);
          policy.OnTalkEnded(AttemptId(id), absl::Seconds(100), now);
        } else {
          policy.OnResolved(AttemptId(id), pacing::AttemptResult::kNoAnswer, now);
        }
      }
      placed += decision.legs_to_place;
    }
    EXPECT_GT(placed, 30) << name;
  }
}

TEST(Rules, KeepToLinesRateAndListOnTheFloor) {
  sim::Scenario scenario = BaseScenario(20, absl::Minutes(30));
  scenario.warm_up = absl::ZeroDuration();
  scenario.campaigns[0].lines_max = 30;
  scenario.campaigns[0].calls_per_second = 2;
  scenario.campaigns[0].leads = 700;
  for (const auto& [name, make] : AllRules()) {
    Floor floor(scenario, 3, make);
    floor.Run();
    EXPECT_LE(floor.result().lines_peak, 30) << name;
    EXPECT_LE(floor.result().dials_per_second_peak, 4) << name;
    EXPECT_LE(floor.result().dials, 700) << name;
    EXPECT_GT(floor.result().dials, 200) << name;
  }
}

// E[dial] - p h is what failed tries take; a renewal argument gives 66.8 %.
TEST(Progressive, HasTheOccupancyOfOneLineAnAgentAtAnySize) {
  for (const int agents : {5, 50}) {
    const sim::Scenario scenario = BaseScenario(agents, absl::Hours(500) / agents);
    Floor floor(scenario, 2, Progressive());
    floor.Run();
    EXPECT_NEAR(floor.result().occupancy(), 0.668, 0.007) << agents;
    EXPECT_EQ(floor.result().abandoned, 0) << agents;
    EXPECT_GT(floor.result().persons, 5000) << agents;
  }
}

TEST(LinesPerAgent, TradesAbandonmentForOccupancy) {
  const sim::Scenario scenario = BaseScenario(10, absl::Hours(15));
  TuningSettings one;
  one.seeds = {1};
  double occupancy = 0.6;
  double ratio = -1;
  for (const double lines : {1.0, 1.5, 2.0, 3.0}) {
    const Pooled pooled = RunPooled(scenario, LinesPerAgent(lines), one);
    EXPECT_GT(pooled.occupancy(), occupancy + 0.02) << lines;
    EXPECT_GT(pooled.ratio(), ratio) << lines;
    occupancy = pooled.occupancy();
    ratio = pooled.ratio();
  }
  EXPECT_NEAR(occupancy, 0.868, 0.01);
  EXPECT_NEAR(ratio, 0.063, 0.01);
}

// The floor itself: a Poisson stream that looks at nothing makes it M/M/N+D.
TEST(OpenLoop, MakesTheFloorAQueueWithPatience) {
  sim::Scenario scenario = MarkovScenario(20, absl::Hours(60));
  TuningSettings seeds;
  seeds.seeds = {1, 2};
  const Pooled pooled = RunPooled(scenario, OpenLoop(), seeds);
  const double load = pacing::MaxLoad(pacing::Waiting::kFixed, 20, 2.0 / 180, 0.03);
  const pacing::QueueState exact = pacing::ErlangWithPatience(20, load, 2.0 / 180);
  EXPECT_GT(pooled.persons, 25'000);
  EXPECT_NEAR(pooled.ratio(), 0.03, 0.005);
  EXPECT_NEAR(pooled.occupancy(), exact.occupancy, 0.012);
  const Pooled even = RunPooled(scenario, OpenLoop({.poisson = false}), seeds);
  EXPECT_LT(even.ratio(), pooled.ratio());
}

TEST(Vicidial, DialLoopKeepsLevelTimesAgentsOut) {
  const sim::Scenario scenario = BaseScenario(6, absl::Hours(1));
  VicidialSettings settings;
  settings.method = VicidialMethod::kRatio;
  settings.level = 3;
  settings.available_only = true;
  settings.diff_target = -1;
  const Floor floor(scenario, 1, Vicidial(settings));
  const std::unique_ptr<pacing::Policy> fresh = Vicidial(settings)(floor, 0);
  pacing::Policy& policy = *fresh;
  pacing::PacingInput input;
  input.agents_idle = 5;
  input.lines_free = input.trunk_tokens = input.leads_ready = 1000;
  EXPECT_EQ(policy.Decide(input, At(0)).legs_to_place, 12);  // 3 x (5 - 1)
  for (uint64_t id = 1; id <= 12; ++id) policy.OnDialed(AttemptId(id), {}, At(0));
  for (uint64_t id = 1; id <= 4; ++id) {
    policy.OnResolved(AttemptId(id), pacing::AttemptResult::kBusy, At(1));
  }
  EXPECT_EQ(policy.Decide(input, At(1)).legs_to_place, 0) << "only every 2.5 s";
  EXPECT_EQ(policy.Decide(input, At(2.5)).legs_to_place, 4);
}

TEST(Vicidial, AllAgentTallyCountsThoseInCall) {
  const sim::Scenario scenario = BaseScenario(6, absl::Hours(1));
  VicidialSettings settings;
  settings.method = VicidialMethod::kRatio;
  settings.level = 1.5;
  const Floor floor(scenario, 1, Vicidial(settings));
  const std::unique_ptr<pacing::Policy> fresh = Vicidial(settings)(floor, 0);
  pacing::Policy& policy = *fresh;
  for (uint64_t id = 1; id <= 4; ++id) {
    policy.OnDialed(AttemptId(id), {}, At(0));
    policy.OnAnswered(AttemptId(id), At(0));
    policy.OnConnected(AttemptId(id), At(0));
  }
  const std::vector<absl::Duration> talk(4, absl::Seconds(1));
  pacing::PacingInput input;
  input.agents_idle = 2;
  input.talk_ages = talk;
  input.lines_free = input.trunk_tokens = input.leads_ready = 1000;
  EXPECT_EQ(policy.Decide(input, At(1)).legs_to_place, 5);  // 1.5 x (2 + 4) - 4 in call
}

TEST(Vicidial, LevelRisesWithFreeAgentsToItsMaximumAndTapersToOne) {
  const sim::Scenario scenario = BaseScenario(10, absl::Hours(1));
  pacing::PacingInput input;
  input.agents_idle = 10;
  input.lines_free = input.trunk_tokens = input.leads_ready = 1000;
  // Half of 200 calls dropped: over any limit, under "50 calls today" until the statistics are due.
  const auto run = [&](VicidialMethod method, absl::Duration starts_at) {
    VicidialSettings settings;
    settings.method = method;
    settings.starts_at = starts_at;
    settings.level_max = 4;
    const Floor floor(scenario, 1, Vicidial(settings));
    const std::unique_ptr<pacing::Policy> fresh = Vicidial(settings)(floor, 0);
    pacing::Policy& policy = *fresh;
    int before = 0;
    for (double t = 0; t <= 50; t += 0.5)
      before = std::max(before, policy.Decide(input, At(t)).legs_to_place);
    for (uint64_t id = 1; id <= 200; ++id) {
      policy.OnDialed(AttemptId(id), {}, At(50));
      policy.OnAnswered(AttemptId(id), At(50));
      if (id % 2 == 0) {
        policy.OnAbandoned(AttemptId(id), At(52));
      } else {
        policy.OnConnected(AttemptId(id), At(51));
        policy.OnTalkEnded(AttemptId(id), absl::Seconds(1), At(52));
      }
    }
    int after = 0;
    for (double t = 52; t <= 75; t += 0.5) policy.Decide(input, At(t));
    for (double t = 75; t <= 77.5; t += 0.5)
      after = std::max(after, policy.Decide(input, At(t)).legs_to_place);
    return std::pair(before, after);
  };
  EXPECT_EQ(run(VicidialMethod::kHardLimit, absl::Hours(9)), std::pair(40, 10));
  EXPECT_EQ(run(VicidialMethod::kAverage, absl::Hours(9)), std::pair(40, 20));
  // 21:00 - 09:01: more than ten "hours" left, so at full speed; 21:00 - 16:01 is 499 of 1000.
  EXPECT_EQ(run(VicidialMethod::kTapered, absl::Hours(9)), std::pair(40, 40));
  EXPECT_EQ(run(VicidialMethod::kTapered, absl::Hours(16)), std::pair(40, 20));
  EXPECT_EQ(run(VicidialMethod::kTapered, absl::Hours(21)), std::pair(40, 10));
}

TEST(Vicidial, DefaultOscillatesAndStaysNearOneToOne) {
  const sim::Scenario scenario = BaseScenario(50, absl::Hours(8));
  Floor floor(scenario, 1, Vicidial({}));
  floor.Run();
  EXPECT_NEAR(floor.result().occupancy(), 0.67, 0.015);
  EXPECT_THAT(floor.result().ratio(), AllOf(Ge(0.015), Le(0.045)));
}

TEST(Issabel, IsNearlyProgressiveInLargeGroups) {
  const sim::Scenario scenario = BaseScenario(50, absl::Hours(8));
  Floor floor(scenario, 1, Issabel());
  floor.Run();
  EXPECT_NEAR(floor.result().occupancy(), 0.692, 0.01);
  EXPECT_LT(floor.result().ratio(), 0.001);
}

TEST(TrueLookahead, IsTheOptimumWhereThatIsKnown) {
  // All times exponential stages: nothing that does not see the future can do better.
  const sim::Scenario scenario = MarkovScenario(5, absl::Hours(50));
  TuningSettings seeds;
  seeds.seeds = {1, 2};
  const Tuned tuned = TuneTheta(scenario, seeds);
  OptimumSettings settings;
  settings.agents = 5;
  settings.ring_s = 11;
  settings.ring_stages = 2;
  const double bound = SolveOptimum(settings).occupancy;
  EXPECT_LE(tuned.result.ratio(), 0.03);
  EXPECT_THAT(tuned.result.occupancy(), AllOf(Ge(bound - 0.012), Le(bound + 0.006)));
}

TEST(TrueLookahead, BeatsTheBestLinesPerAgentAndForesightBeatsIt) {
  const sim::Scenario scenario = BaseScenario(10, absl::Hours(24));
  TuningSettings seeds;
  seeds.seeds = {1};
  const Tuned look = TuneTheta(scenario, seeds);
  const Tuned lines = TuneLines(scenario, seeds);
  EXPECT_LE(look.result.ratio(), 0.03);
  EXPECT_LE(lines.result.ratio(), 0.03);
  EXPECT_GT(look.result.occupancy(), lines.result.occupancy() + 0.01);
  EXPECT_NEAR(look.result.occupancy(), 0.852, 0.008);
  const Tuned finish = TuneTheta(scenario, seeds, Foresight::kFinishTimes);
  EXPECT_GT(finish.result.occupancy(), look.result.occupancy() + 0.004);
  const Tuned answers = TuneTheta(scenario, seeds, Foresight::kWhoAnswers);
  EXPECT_LE(answers.result.ratio(), 0.03);
  EXPECT_NEAR(answers.result.occupancy(), 0.945, 0.012);
}

}  // namespace
}  // namespace outpace::lab
