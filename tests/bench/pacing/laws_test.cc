#include <algorithm>
#include <vector>

#include "bench/pacing/rule_laws.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"
#include "tests/bench/pacing/floors.h"

namespace outpace::lab {
namespace {

using sim::DelayLaw;
using Kind = DelayLaw::Kind;

TEST(Cdf, IsTheLawOfTheDraws) {
  const std::vector<DelayLaw> laws = {
      {.kind = Kind::kConstant, .fixed_s = 1, .mean_s = 4, .samples = {}},
      {.kind = Kind::kExponential, .fixed_s = 2, .mean_s = 9, .samples = {}},
      {.kind = Kind::kErlang, .fixed_s = 2, .mean_s = 9, .stages = 3, .samples = {}},
      {.kind = Kind::kLognormal, .fixed_s = 1, .mean_s = 20, .cv = 1.3, .samples = {}},
      {.kind = Kind::kUniform, .fixed_s = 1, .mean_s = 10, .cv = 0.5, .samples = {}},
      {.kind = Kind::kSamples, .fixed_s = 1, .samples = {3, 5, 5, 8, 30}}};
  for (const DelayLaw& law : laws) {
    Rng rng(11);
    std::vector<double> draws(40'000);
    for (double& draw : draws) draw = law.Draw(rng);
    for (double at = 0.25; at < 60; at += 1.5) {
      const auto below =
          std::count_if(draws.begin(), draws.end(), [at](double draw) { return draw <= at; });
      EXPECT_NEAR(Cdf(law, at), static_cast<double>(below) / 40'000, 0.01)
          << static_cast<int>(law.kind) << " at " << at;
    }
  }
}

// Frequencies of drawn calls against the tables, at an age that some have not reached.
TEST(TrueLaws, AgreeWithDrawnCallsOfAgentsAtWork) {
  sim::Scenario scenario = BaseScenario(10, absl::Hours(1));
  sim::ScenarioCampaign& c = scenario.campaigns[0];
  c.amd.present = false;  // machines reach agents and leave them early
  const TrueLaws laws(c);
  Rng rng(5);
  for (const double age : {2.0, 40.0, 200.0}) {
    int there = 0;
    TrueLaws::Row free{};
    const TrueLaws::Row& deadlines = laws.Deadlines(0);
    while (there < 20'000) {
      const bool person =
          rng.Chance(laws.AnswerRatio(0) > 0 ? 0.2 * 0.9862 / laws.AnswerRatio(0) : 0);
      const double talk = person ? c.talk.Draw(rng) : c.machine_talk.Draw(rng);
      const double wrap = person ? c.wrap.Draw(rng) : 0;
      if (talk <= age) continue;
      ++there;
      for (size_t j = 0; j < free.size(); ++j) {
        free[j] += talk + wrap <= age + deadlines[j] ? 1.0 / 20'000 : 0;
      }
    }
    const TrueLaws::Row& row = laws.FreesFromTalk(0, 0, absl::Seconds(age));
    for (size_t j = 0; j < free.size(); ++j) EXPECT_NEAR(row[j], free[j], 0.012) << age << " " << j;
  }
}

TEST(TrueLaws, AgreeWithDrawnDials) {
  sim::Scenario scenario = BaseScenario(10, absl::Hours(1));
  const sim::ScenarioCampaign& c = scenario.campaigns[0];
  const TrueLaws laws(c);
  const TrueLaws::Row& deadlines = laws.Deadlines(0);
  Rng rng(6);
  for (const double age : {0.0, 6.0, 15.0}) {
    int there = 0;
    TrueLaws::Row answered{};
    while (there < 20'000) {
      const double u = rng.Uniform();
      const double ring = u < 0.2    ? c.person_ring.Draw(rng)
                          : u < 0.55 ? c.machine_ring.Draw(rng)
                          : u < 0.85 ? 26.0
                                     : c.fail_delay.Draw(rng);
      const double ends = std::min(ring, 26.0);
      if (ends <= age) continue;
      ++there;
      const bool person = u < 0.2 && ring < 26;
      for (size_t j = 0; j < answered.size(); ++j) {
        // Ring time looked at: the deadline less the answer limit of 2 s.
        answered[j] += person && ends <= age + deadlines[j] - 2 ? 1.0 / 20'000 : 0;
      }
    }
    const TrueLaws::Row& row = laws.Answers(0, 0, absl::Seconds(age));
    for (size_t j = 0; j < row.size(); ++j) EXPECT_NEAR(row[j], answered[j], 0.012) << age;
  }
  EXPECT_NEAR(laws.AnswerRatio(0), 0.1972, 0.001);
  EXPECT_DOUBLE_EQ(laws.HandleMean(0), 180);
}

TEST(TrueLaws, FollowThePhases) {
  sim::Scenario scenario = BaseScenario(10, absl::Hours(1));
  sim::ScenarioCampaign& c = scenario.campaigns[0];
  c.phases.resize(3);
  for (sim::ScenarioPhase& phase : c.phases) phase.length = absl::Minutes(10);
  c.phases[1].mix = sim::OutcomeMix{0.4, 0.2, 0.3, 0.1};
  c.phases[1].talk_scale = 0.5;
  c.phases[2].answer_delay_extra = absl::Seconds(8);
  c.phases[2].congestion = 0.5;
  const TrueLaws laws(c);
  const auto at = [](double minutes) { return MonoTime() + absl::Minutes(minutes); };
  EXPECT_EQ(laws.PhaseAt(at(0)), 0u);
  EXPECT_EQ(laws.PhaseAt(at(9.99)), 0u);
  EXPECT_EQ(laws.PhaseAt(at(10)), 1u);
  EXPECT_EQ(laws.PhaseAt(at(25)), 2u);
  EXPECT_EQ(laws.PhaseAt(at(30)), 0u);
  EXPECT_TRUE(laws.talk_varies());
  EXPECT_NEAR(laws.AnswerRatio(1), 2 * laws.AnswerRatio(0), 1e-12);
  EXPECT_LT(laws.AnswerRatio(2), laws.AnswerRatio(0) / 2);
  EXPECT_NEAR(laws.HandleMean(1), 105, 1e-9);
  // Later by less than eight seconds at the end, where the ring limit cuts.
  EXPECT_NEAR(laws.Deadlines(2)[0], laws.Deadlines(0)[0] + 8, 0.5);
  for (size_t j = 1; j < pacing::kRingPoints; ++j) {
    EXPECT_GT(laws.Deadlines(2)[j], laws.Deadlines(0)[j] + 2);
  }
  // Nobody answers in the first ten seconds when answers come eight seconds late, after two.
  EXPECT_EQ(laws.Answers(2, 0, absl::ZeroDuration())[0], 0);
  EXPECT_GT(laws.Answers(2, 2, absl::ZeroDuration())[0], 0.01);
  EXPECT_GT(laws.FreesFromTalk(1, 0, absl::Seconds(60))[1],
            laws.FreesFromTalk(0, 0, absl::Seconds(60))[1]);
}

TEST(TrueLaws, AmdLetsThroughWhatItTakesForPersons) {
  sim::Scenario scenario = BaseScenario(10, absl::Hours(1));
  sim::ScenarioCampaign& c = scenario.campaigns[0];
  c.amd = {.present = true, .delay = absl::Seconds(1.5), .caught = 0.93, .false_positive = 0.01};
  const TrueLaws laws(c);
  // Machines answer later than persons.
  const double early = laws.PassesAmd(0, absl::Seconds(5));
  const double late = laws.PassesAmd(0, absl::Seconds(22));
  EXPECT_GT(early, 0.6);
  EXPECT_LT(late, 0.35);
  EXPECT_GT(late, 0.07);
  EXPECT_NEAR(laws.AnswerRatio(0), 0.1972 * 0.99 + 0.35 * 0.07 * 0.86, 0.004);
}

}  // namespace
}  // namespace outpace::lab
