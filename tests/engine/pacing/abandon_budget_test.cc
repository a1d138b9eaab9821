#include "engine/pacing/abandon_budget.h"

#include <cmath>
#include <limits>

#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

TEST(PoissonMeanFor, IsTheInverseOfTheTail) {
  EXPECT_NEAR(PoissonMeanFor(0, 0.01), -std::log(0.99), 1e-9);
  for (const int b : {0, 1, 2, 5, 20, 200}) {
    const double mean = PoissonMeanFor(b, 0.01);
    double below = 0;
    for (int k = 0; k <= b; ++k) below += std::exp(-mean + k * std::log(mean) - std::lgamma(k + 1));
    EXPECT_NEAR(1 - below, 0.01, 1e-6) << b;
  }
  EXPECT_EQ(PoissonMeanFor(-1, 0.01), 0);
}

TEST(AbandonCounts, TakesMachinesOutOfThePersons) {
  AbandonCounts counts = {.served = 100, .machines = 20, .ended = 80, .abandoned = 2};
  // 80 are over: 20 machines, 60 persons. Of the 20 still open a quarter is taken as machines.
  EXPECT_NEAR(counts.Persons(), 60 + 15 + 2, 1e-9);
  EXPECT_NEAR(counts.Ratio(), 2.0 / 77, 1e-9);
  EXPECT_EQ(AbandonCounts{}.Ratio(), 0);
}

TEST(AbandonBudget, StopsAtTheLimitAndRecovers) {
  AbandonBudget budget(0.03);
  budget.SetAgents(20);
  EXPECT_GT(budget.Aim(), 0);
  for (int i = 0; i < 100; ++i) budget.OnServed();
  budget.OnAbandoned();
  budget.OnAbandoned();
  budget.OnAbandoned();
  budget.OnAbandoned();  // 4 of 104: over the cap, and over it still after 33 more answers
  EXPECT_EQ(budget.Aim(), 0);
  EXPECT_EQ(budget.Theta(), 0);
  for (int i = 0; i < 200; ++i) budget.OnServed();
  EXPECT_GT(budget.Aim(), 0);
  EXPECT_GT(budget.Theta(), 0);
}

TEST(AbandonBudget, WaitingCallsAreHeldAgainstIt) {
  AbandonBudget budget(0.03);
  for (int i = 0; i < 100; ++i) budget.OnServed();
  const double before = budget.Aim();
  budget.SetAtRisk(2);
  EXPECT_LT(budget.Aim(), before);
  budget.SetAtRisk(10);
  EXPECT_EQ(budget.Aim(), 0);
  budget.SetAtRisk(0);
  EXPECT_EQ(budget.Aim(), before);
}

// If the ratio that results were just the aim, campaigns of any length would keep the cap.
TEST(AbandonBudget, CampaignsThatEndAtAnyTimeKeepTheCap) {
  for (const int answers : {70, 100, 180, 600, 3000}) {
    int over = 0;
    for (uint64_t seed = 0; seed < 300; ++seed) {
      Rng rng(seed);
      AbandonBudget budget(0.03);
      for (int i = 0; i < answers; ++i) {
        if (rng.Chance(budget.Aim())) {
          budget.OnAbandoned();
        } else {
          budget.OnServed();
        }
      }
      if (budget.counts().Ratio() > 0.03) ++over;
    }
    EXPECT_LE(over, 6) << answers << " answers";  // 2 %
  }
}

// theta settles where the ratio that results is the aim, whatever the factor between the two is.
TEST(AbandonBudget, FindsTheThetaThatGivesTheAim) {
  for (const double factor : {0.5, 1.5, 4.0}) {
    Rng rng(7);
    AbandonBudget budget(0.03);
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
    EXPECT_NEAR(abandoned / kAnswers, 0.0275, 0.0025) << "factor " << factor;
  }
}

TEST(AbandonBudget, ANewWindowStartsClean) {
  AbandonBudget budget(0.03);
  for (int i = 0; i < 10; ++i) budget.OnAbandoned();
  EXPECT_EQ(budget.Aim(), 0);
  budget.StartWindow();
  EXPECT_GT(budget.Aim(), 0);
}

TEST(AbandonBudget, AbsurdNumbersLeaveItSane) {
  AbandonBudget budget(std::numeric_limits<double>::quiet_NaN());
  EXPECT_GT(budget.ratio_max(), 0);
  const double inf = std::numeric_limits<double>::infinity();
  budget.SetCounts({.served = -5, .machines = inf, .ended = std::nan(""), .abandoned = inf});
  EXPECT_TRUE(std::isfinite(budget.Aim()));
  EXPECT_TRUE(std::isfinite(budget.Theta()));
  EXPECT_EQ(budget.Theta(), 0);
}

}  // namespace
}  // namespace outpace::pacing
