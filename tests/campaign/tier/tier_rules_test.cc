#include "campaign/tier/tier_rules.h"

#include <cmath>
#include <functional>

#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

using campaign::Tier;

TEST(TierRules, TheFirstThatAppliesDecides) {
  const std::vector<TierRule> rules = {
      {.field = "state", .values = {"AK", "HI"}, .tier = Tier::kB},
      {.last_status = {"CALLBK", "A"}, .tier = Tier::kA},
      {.attempt_min = 5, .tier = Tier::kB},
  };
  const LeadField alaska = {"state", "AK"};
  EXPECT_EQ(
      TierByRules(rules, {.fields = absl::MakeConstSpan(&alaska, 1), .last_status = "CALLBK"}),
      Tier::kB);
  EXPECT_EQ(TierByRules(rules, {.attempt = 7, .last_status = "CALLBK"}), Tier::kA);
  EXPECT_EQ(TierByRules(rules, {.attempt = 7}), Tier::kB);
  EXPECT_EQ(TierByRules(rules, {.attempt = 4, .last_status = "NA"}), std::nullopt);
  EXPECT_EQ(TierByRules({}, {}), std::nullopt);
}

TEST(TierRules, EveryConditionThatIsSetMustHold) {
  const TierRule rule = {.last_status = {"NA"}, .field = "city", .values = {""}, .attempt_max = 3};
  const LeadField city = {"city", "Bern"};
  EXPECT_TRUE(Applies(rule, {.attempt = 3, .last_status = "NA"}));  // no city is an empty one
  EXPECT_FALSE(Applies(rule, {.attempt = 4, .last_status = "NA"}));
  EXPECT_FALSE(Applies(rule, {.attempt = 3, .last_status = "B"}));
  EXPECT_FALSE(
      Applies(rule, {.fields = absl::MakeConstSpan(&city, 1), .attempt = 3, .last_status = "NA"}));
  EXPECT_TRUE(Applies({}, LeadView()));
}

double ShareOfA(TierBoard& board, const std::function<double()>& score, int leads) {
  int a = 0;
  for (int i = 0; i < leads; ++i) {
    const double s = score();
    a += board.Decide(LeadId(static_cast<uint64_t>(i + 1)), {}, s).tier == Tier::kA ? 1 : 0;
    board.Saw(s);
  }
  return static_cast<double>(a) / leads;
}

TEST(TierBoard, AIsTheTopShareOfTheScoresOfLate) {
  Rng rng(1);
  TierBoard board({}, 0.2);
  EXPECT_NEAR(ShareOfA(
                  board, [&] { return rng.Lognormal(0.01, 1); }, 20'000),
              0.2, 0.02);
  // All scores fall to a tenth: after a while the best fifth of those is A.
  ShareOfA(
      board, [&] { return rng.Lognormal(0.001, 1); }, 100'000);
  EXPECT_NEAR(ShareOfA(
                  board, [&] { return rng.Lognormal(0.001, 1); }, 20'000),
              0.2, 0.02);
}

TEST(TierBoard, EqualScoresAreSplitByTheLeadAndTheSameWayEachTime) {
  TierBoard board({}, 0.2);
  EXPECT_NEAR(ShareOfA(
                  board, [] { return 0.05; }, 20'000),
              0.2, 0.02);
  for (uint64_t id = 1; id < 100; ++id) {
    EXPECT_EQ(board.Decide(LeadId(id), {}, 0.05).tier, board.Decide(LeadId(id), {}, 0.05).tier);
  }
}

TEST(TierBoard, ARuleComesBeforeTheScoreAndIsNamed) {
  TierBoard board({{.last_status = {"CALLBK"}, .tier = Tier::kA}}, 0.2);
  for (int i = 1; i <= 1000; ++i) board.Saw(i / 1000.0);
  const TierDecision ruled = board.Decide(LeadId(1), {.last_status = "CALLBK"}, 0.001);
  EXPECT_EQ(ruled.tier, Tier::kA);
  EXPECT_EQ(ruled.rule, 0);
  EXPECT_GT(ruled.share_above, 0.9);
  EXPECT_EQ(board.Decide(LeadId(1), {}, 0.001).tier, Tier::kB);
  EXPECT_EQ(board.Decide(LeadId(1), {}, 0.99).tier, Tier::kA);
}

TEST(TierBoard, RemembersOverARestart) {
  TierBoard board({}, 0.3), loaded({}, 0.3);
  Rng rng(2);
  for (int i = 0; i < 5000; ++i) board.Saw(rng.Uniform());
  ASSERT_TRUE(loaded.Load(board.Save()).ok());
  EXPECT_EQ(loaded.Save(), board.Save());
  EXPECT_EQ(loaded.Decide(LeadId(7), {}, 0.6).share_above,
            board.Decide(LeadId(7), {}, 0.6).share_above);
  EXPECT_EQ(loaded.Load("x").code(), absl::StatusCode::kDataLoss);
}

TEST(RunningQuantile, KnowsTheSharesOfAKnownLaw) {
  RunningQuantile quantile;
  EXPECT_EQ(quantile.ShareAbove(1, 0.5), 0);
  Rng rng(3);
  for (int i = 0; i < 50'000; ++i) quantile.Add(rng.Exponential(1));
  for (const double x : {0.1, 0.5, 1.0, 2.0}) {
    EXPECT_NEAR(quantile.ShareAbove(x, 0.5), std::exp(-x), 0.03) << x;
  }
  quantile.Add(0);  // counted at the bottom, never a crash
  quantile.Add(-1);
  EXPECT_NEAR(quantile.ShareAbove(1e-9, 1), 1, 1e-9);
}

TEST(RunningQuantile, WeightsNeverOverflow) {
  RunningQuantile quantile(100);
  for (int i = 0; i < 100'000; ++i) quantile.Add(i % 2 == 0 ? 1 : 10);
  EXPECT_NEAR(quantile.ShareAbove(5, 0.5), 0.5, 0.02);
}

}  // namespace
}  // namespace outpace::tier
