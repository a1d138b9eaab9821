#include "campaign/tier/trial.h"

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

Trial RunTrial(uint64_t seed, double ratio, int attempts) {
  Trial trial({.salt = seed});
  Rng rng(seed);
  for (int i = 0; i < attempts && trial.verdict() == Verdict::kRunning; ++i) {
    const Arm arm = trial.ArmOf(LeadId(rng.Below(1'000'000) + 1));
    trial.Learn(arm, rng.Chance(0.1 * (arm == Arm::kChallenger ? ratio : 1)));
  }
  return trial;
}

TEST(TrialProperty, ANoBetterChallengerIsSeldomPromoted) {
  int promoted = 0, kept = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    const Verdict verdict = RunTrial(seed, 1, 20'000).verdict();
    promoted += verdict == Verdict::kPromote ? 1 : 0;
    kept += verdict == Verdict::kKeep ? 1 : 0;
  }
  EXPECT_LE(promoted + kept, 10);  // alpha, over all looks
}

TEST(Trial, DecidesForTheBetterOne) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(RunTrial(seed, 1.5, 100'000).verdict(), Verdict::kPromote) << seed;
    EXPECT_EQ(RunTrial(seed, 0.6, 100'000).verdict(), Verdict::kKeep) << seed;
  }
}

TEST(Trial, EndsWhenThereIsNoDifferenceWorthWaitingFor) {
  Trial trial({.salt = 3, .indifference = 0.2});
  Rng rng(3);
  int attempts = 0;
  while (trial.verdict() == Verdict::kRunning && attempts < 200'000) {
    ++attempts;
    trial.Learn(rng.Chance(0.5) ? Arm::kChallenger : Arm::kChampion, rng.Chance(0.2));
  }
  EXPECT_EQ(trial.verdict(), Verdict::kNoDifference);
}

TEST(Trial, AVerdictIsFinalAndSurvivesARestart) {
  Trial trial = RunTrial(1, 2, 100'000);
  ASSERT_EQ(trial.verdict(), Verdict::kPromote);
  Trial loaded({.salt = 1});
  ASSERT_TRUE(loaded.Load(trial.Save()).ok());
  for (int i = 0; i < 10'000; ++i) loaded.Learn(Arm::kChampion, true);
  EXPECT_EQ(loaded.verdict(), Verdict::kPromote);
  EXPECT_EQ(loaded.champion().attempts, trial.champion().attempts);
  Trial other({.salt = 2});
  EXPECT_EQ(other.Load(trial.Save()).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(other.Load("").code(), absl::StatusCode::kDataLoss);
}

TEST(Trial, SharesOfLeadsAreAsSet) {
  const Trial trial({.salt = 9, .challenger_share = 0.1});
  int challengers = 0;
  for (uint64_t id = 1; id <= 10'000; ++id) {
    challengers += trial.ArmOf(LeadId(id)) == Arm::kChallenger ? 1 : 0;
  }
  EXPECT_NEAR(challengers, 1000, 100);
}

}  // namespace
}  // namespace outpace::tier
