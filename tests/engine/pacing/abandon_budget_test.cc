#include "engine/pacing/abandon_budget.h"

#include <cmath>
#include <limits>

#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

const Contract kThreePercent = {"law", 0.03, absl::InfiniteDuration()};

MonoTime At(absl::Duration t) { return MonoTime() + t; }

TEST(EstimateAbandoned, TakesMachinesOut) {
  const AbandonCounts counts = {
      .served = 100, .machines = 20, .ended = 80, .abandoned = 4, .amd_machines = 0};
  // 80 are over: 20 machines, 60 persons. Of the 20 still open a quarter is taken as machines, and
  // of the abandoned a quarter less one standard error of it.
  const double error = std::sqrt(0.25 * 0.75 / 80);
  const AbandonEstimate estimate = EstimateAbandoned(counts, 0.005);
  EXPECT_NEAR(estimate.abandoned, 4 * (0.75 + error), 1e-9);
  EXPECT_NEAR(estimate.persons, 60 + 15 + estimate.abandoned, 1e-9);
  EXPECT_EQ(EstimateAbandoned({}, 0.005).Ratio(), 0);
}

TEST(EstimateAbandoned, CountsPersonsWhomAmdTookForMachines) {
  AbandonCounts counts = {
      .served = 995, .machines = 0, .ended = 995, .abandoned = 0, .amd_machines = 500};
  EXPECT_NEAR(EstimateAbandoned(counts, 0.005).abandoned, 5, 1e-9);
  EXPECT_NEAR(EstimateAbandoned(counts, 0.005).persons, 1000, 1e-9);
  counts.amd_machines = 0;  // no AMD in use
  EXPECT_EQ(EstimateAbandoned(counts, 0.005).abandoned, 0);
}

TEST(AbandonBudget, FallsToALittleAtTheLimitAndRecovers) {
  AbandonBudget budget({&kThreePercent, 1});
  budget.SetAgents(20);
  for (int i = 0; i < 100; ++i) budget.OnServed();
  const double before = budget.Theta();
  for (int i = 0; i < 4; ++i) budget.OnAbandoned();  // 4 of 104: over the cap
  EXPECT_TRUE(budget.Spent());
  EXPECT_LT(budget.Theta(), 0.4 * before);
  EXPECT_GT(budget.Theta(), 0);
  for (int i = 0; i < 200; ++i) budget.OnServed();
  EXPECT_FALSE(budget.Spent());
  EXPECT_GT(budget.Theta(), 0.5 * before);
}

TEST(AbandonBudget, WaitingCallsAreHeldAgainstIt) {
  AbandonBudget budget({&kThreePercent, 1});
  for (int i = 0; i < 100; ++i) budget.OnServed();
  const double before = budget.Aim();
  budget.SetAtRisk(1);
  EXPECT_LT(budget.Aim(), before);
  budget.SetAtRisk(10);
  EXPECT_TRUE(budget.Spent());
  budget.SetAtRisk(0);
  EXPECT_EQ(budget.Aim(), before);
}

// If the ratio that results were just the aim, campaigns of any length would keep the cap.
TEST(AbandonBudget, CampaignsThatEndAtAnyTimeKeepTheCap) {
  for (const int answers : {100, 180, 600, 3000}) {
    int over = 0;
    double used = 0;
    for (uint64_t seed = 0; seed < 300; ++seed) {
      Rng rng(seed);
      AbandonBudget budget({&kThreePercent, 1});
      for (int i = 0; i < answers; ++i) {
        if (rng.Chance(budget.Aim())) {
          budget.OnAbandoned();
        } else {
          budget.OnServed();
        }
      }
      if (budget.Estimate().Ratio() > 0.03) ++over;
      used += budget.Estimate().Ratio() / 300;
    }
    EXPECT_LE(over, 12) << answers << " answers";  // 4 %
    // The longer the window, the more of the budget is used.
    EXPECT_GE(used, answers >= 3000 ? 0.027 : answers >= 600 ? 0.021 : 0);
  }
}

// theta settles where the ratio that results is near the cap, whatever the factor between the two.
TEST(AbandonBudget, FindsTheThetaThatGivesTheAim) {
  for (const double factor : {0.5, 1.5, 4.0}) {
    Rng rng(7);
    AbandonBudget budget({&kThreePercent, 1});
    budget.SetAgents(20);
    double abandoned = 0;
    constexpr int kAnswers = 20'000;
    for (int i = 0; i < kAnswers; ++i) {
      if (rng.Chance(std::min(1.0, factor * budget.Theta()))) {
        budget.OnAbandoned();
        ++abandoned;
      } else {
        budget.OnServed();
      }
    }
    EXPECT_NEAR(abandoned / kAnswers, 0.029, 0.001) << "factor " << factor;
  }
}

// While lines or leads bind, what is lost says nothing of the risk: the factor must not run away.
TEST(AbandonBudget, LearnsOnlyWhileTheRiskBinds) {
  AbandonBudget budget({&kThreePercent, 1});
  budget.SetAgents(20);
  for (int i = 0; i < 300; ++i) budget.OnServed();
  budget.SetBinding(false);
  const double before = budget.Theta() / budget.Aim();
  for (int i = 0; i < 5000; ++i) budget.OnServed();
  EXPECT_NEAR(budget.Theta() / budget.Aim(), before, 1e-9);
  budget.SetBinding(true);
  for (int i = 0; i < 5000; ++i) budget.OnServed();
  EXPECT_GT(budget.Theta() / budget.Aim(), 1.1 * before);
}

TEST(AbandonBudget, TheStrictestContractBinds) {
  const std::vector<Contract> contracts = {{"law", 0.03, absl::InfiniteDuration()},
                                           {"client", 0.01, absl::Hours(24)}};
  AbandonBudget budget(contracts);
  budget.Advance(At(absl::ZeroDuration()));
  for (int i = 0; i < 1000; ++i) budget.OnServed();
  EXPECT_EQ(budget.binding_contract(), 1);
  EXPECT_LE(budget.Aim(), 0.015);
  budget.SetCounts(
      {.served = 1000, .machines = 0, .ended = 1000, .abandoned = 40, .amd_machines = 0}, 0);
  EXPECT_EQ(budget.binding_contract(), 0);
  EXPECT_TRUE(budget.Spent());
}

TEST(AbandonBudget, ARollingWindowForgets) {
  const Contract day = {"day", 0.03, absl::Hours(24)};
  AbandonBudget budget({&day, 1});
  budget.Advance(At(absl::Hours(1)));
  for (int i = 0; i < 200; ++i) budget.OnServed();
  for (int i = 0; i < 10; ++i) budget.OnAbandoned();
  EXPECT_TRUE(budget.Spent());
  budget.Advance(At(absl::Hours(20)));
  for (int i = 0; i < 100; ++i) budget.OnServed();
  EXPECT_EQ(budget.counts().abandoned, 10);
  budget.Advance(At(absl::Hours(25.5)));
  EXPECT_EQ(budget.counts().abandoned, 0);
  EXPECT_EQ(budget.counts().served, 100);
  EXPECT_FALSE(budget.Spent());
  budget.Advance(At(absl::Hours(400)));  // nothing happened for long
  EXPECT_EQ(budget.counts().served, 0);
}

// The clock counts from the machine's start, not from the campaign's.
TEST(AbandonBudget, RestoredCountsSurviveTheFirstLookAtTheClock) {
  const Contract day = {"day", 0.03, absl::Hours(24)};
  AbandonBudget budget({&day, 1});
  budget.SetCounts(
      {.served = 970, .machines = 0, .ended = 970, .abandoned = 40, .amd_machines = 0});
  budget.Advance(At(absl::Hours(1000)));
  EXPECT_EQ(budget.counts().abandoned, 40);
  EXPECT_TRUE(budget.Spent());
}

TEST(AbandonBudget, ANewWindowStartsClean) {
  AbandonBudget budget({&kThreePercent, 1});
  for (int i = 0; i < 10; ++i) budget.OnAbandoned();
  EXPECT_TRUE(budget.Spent());
  budget.StartWindow();
  EXPECT_FALSE(budget.Spent());
}

// A contract that is told counts nothing itself, and each is out of its own population.
TEST(AbandonBudget, AContractThatIsToldCountsWhatItIsTold) {
  const Contract contracts[] = {
      {.name = "own", .ratio_max = 0.5},
      {.name = "persons", .ratio_max = 0.03, .population = Population::kPersons, .told = true},
      {.name = "answered", .ratio_max = 0.03, .population = Population::kAnswered, .told = true},
      {.name = "rolling", .ratio_max = 0.5, .window = absl::Hours(1), .told = true}};
  AbandonBudget budget(contracts);
  for (int i = 0; i < 10; ++i) budget.OnServed();
  budget.OnAbandoned();
  EXPECT_EQ(budget.counts(0).served, 10);
  for (size_t i : {1, 2, 3}) {
    EXPECT_EQ(budget.counts(i).served, 0);
    EXPECT_EQ(budget.counts(i).abandoned, 0);
    budget.SetCounts(
        {.served = 300, .machines = 100, .ended = 250, .abandoned = 5, .amd_machines = 95}, i);
  }
  EXPECT_EQ(budget.Estimate(1).persons, 205);
  EXPECT_EQ(budget.Estimate(1).abandoned, 5);
  EXPECT_EQ(budget.Estimate(2).persons, 400);
  EXPECT_EQ(budget.Estimate(2).abandoned, 5);
  EXPECT_LT(budget.Estimate(3).abandoned, 5) << "some were machines, by estimate";
  budget.Advance(At(absl::Hours(1)));
  budget.Advance(At(absl::Hours(9)));
  EXPECT_EQ(budget.counts(3).served, 300) << "its window is moved by who tells";
  // The one out of persons leaves least: 0.03 * 205 - 5.
  EXPECT_EQ(budget.binding_contract(), 1);
  EXPECT_NEAR(budget.Left(), 1.15, 1e-9);
  budget.SetAtRisk(1);
  EXPECT_NEAR(budget.Left(), 0.15, 1e-9) << "who waits is taken for a person";
}

TEST(AbandonBudget, SavedStateComesBack) {
  AbandonBudget budget({&kThreePercent, 1});
  budget.SetAgents(20);
  for (int i = 0; i < 500; ++i) i % 50 == 7 ? budget.OnAbandoned() : budget.OnServed();
  std::vector<double> state;
  budget.Save(state);
  ASSERT_EQ(state.size(), AbandonBudget::kSavedSize);
  AbandonBudget loaded({&kThreePercent, 1});
  loaded.SetAgents(20);
  ASSERT_TRUE(loaded.Load(state));
  EXPECT_EQ(loaded.Theta(), budget.Theta());
  state[3] = std::nan("");
  EXPECT_FALSE(loaded.Load(state));
}

TEST(AbandonBudget, AbsurdNumbersLeaveItSane) {
  const Contract absurd = {"absurd", std::numeric_limits<double>::quiet_NaN(), absl::Hours(-1)};
  AbandonBudget budget({&absurd, 1});
  budget.Advance(At(absl::Hours(1)));
  const double inf = std::numeric_limits<double>::infinity();
  budget.SetCounts({.served = -5,
                    .machines = inf,
                    .ended = std::nan(""),
                    .abandoned = inf,
                    .amd_machines = -inf});
  EXPECT_TRUE(std::isfinite(budget.Aim()));
  EXPECT_TRUE(std::isfinite(budget.Theta()));
  EXPECT_LE(budget.Theta(), 0.5);
  AbandonBudget none({});
  EXPECT_EQ(none.contracts(), 1u);
  EXPECT_GT(none.Aim(), 0);
}

}  // namespace
}  // namespace outpace::pacing
