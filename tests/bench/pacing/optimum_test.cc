#include "bench/pacing/optimum.h"

#include "gtest/gtest.h"

namespace outpace::lab {
namespace {

double Bound(OptimumSettings settings) { return SolveOptimum(settings).occupancy; }

// Figures of an independent solver of the same model.
TEST(Optimum, HasTheKnownValuesForExponentialRings) {
  const struct {
    int agents;
    double occupancy;
  } known[] = {{1, 0.766}, {5, 0.826}, {10, 0.865}, {20, 0.906}};
  for (const auto& row : known) {
    EXPECT_NEAR(Bound({.agents = row.agents}), row.occupancy, 0.003) << row.agents;
  }
}

TEST(Optimum, HasTheKnownValuesForTwoStageRings) {
  EXPECT_NEAR(Bound({.agents = 5, .ring_s = 11, .ring_stages = 2}), 0.833, 0.003);
  EXPECT_NEAR(Bound({.agents = 10, .ring_s = 11, .ring_stages = 2, .precision = 3e-4}), 0.866,
              0.003);
}

TEST(Optimum, HasTheKnownValuesWhereAllAnswer) {
  EXPECT_NEAR(Bound({.agents = 5, .answer_ratio = 1}), 0.940, 0.003);
  EXPECT_NEAR(Bound({.agents = 20, .answer_ratio = 1}), 0.947, 0.003);
}

TEST(Optimum, DialsTwoToThreeLinesAnAgentAndNoneWhenAllAreBusy) {
  const OptimumResult result = SolveOptimum({.agents = 5});
  EXPECT_EQ(result.lines_when_empty, 13);
  EXPECT_EQ(result.lines_when_full, 0);
  EXPECT_GT(result.multiplier, 1);
}

TEST(Optimum, GrowsWithWhatHelps) {
  const OptimumSettings base{.agents = 8, .precision = 3e-4};
  const double bound = Bound(base);
  OptimumSettings better = base;
  better.abandon_ratio_max = 0.05;
  EXPECT_GT(Bound(better), bound + 0.005);
  better = base;
  better.ring_s = 8;
  EXPECT_GT(Bound(better), bound + 0.005);
  better = base;
  better.patience_s = 4;
  EXPECT_GT(Bound(better), bound + 0.001);
  better = base;
  better.answer_ratio = 0.4;
  EXPECT_GT(Bound(better), bound + 0.005);
  OptimumSettings worse = base;
  worse.agents = 7;
  EXPECT_LT(Bound(worse), bound);
  // Without any abandonment there is still one line an agent.
  worse = base;
  worse.abandon_ratio_max = 0;
  EXPECT_GT(Bound(worse), 180 / (180 + 12 / 0.2) - 0.001);
}

}  // namespace
}  // namespace outpace::lab
