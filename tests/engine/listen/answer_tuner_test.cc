#include "engine/listen/answer_tuner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/base/rng.h"

namespace outpace::listen {
namespace {

using Truth = AnswerTuner::Truth;

// One answered call of a campaign whose detector is sure of people and machines by normal odds:
// `people_odds` and `machine_odds` are their means, of deviation 1.5.
void LearnCall(AnswerTuner& tuner, Rng& rng, double people_odds, double machine_odds) {
  const bool machine = rng.Chance(0.4);
  const double odds = (machine ? machine_odds : people_odds) + 1.5 * rng.Normal();
  const double p = 1 / (1 + std::exp(-odds));
  const Sound verdict = p >= 0.9 ? Sound::kMachine : Sound::kHuman;
  tuner.Learn(verdict, static_cast<float>(p >= 0.9 ? p : 1 - p),
              machine ? Truth::kMachine : Truth::kPerson);
}
// Share of people who would be called machines at `confidence`.
double LostShare(double confidence, double people_odds) {
  const double odds = std::log(confidence / (1 - confidence));
  return 0.5 * std::erfc((odds - people_odds) / 1.5 / std::sqrt(2.0));
}

TEST(AnswerTuner, StartsCareful) {
  AnswerTuner tuner;
  EXPECT_FLOAT_EQ(tuner.MachineConfidenceMin(), 0.97f);
  for (int i = 0; i < 49; ++i) tuner.Learn(Sound::kHuman, 0.99f, Truth::kPerson);
  EXPECT_FLOAT_EQ(tuner.MachineConfidenceMin(), 0.97f);
  EXPECT_DOUBLE_EQ(tuner.Measured().lost_share, 0);
}

TEST(AnswerTuner, LowersWhatItAsksForWhereNobodyIsLost) {
  AnswerTuner tuner;
  for (int i = 0; i < 500; ++i) tuner.Learn(Sound::kHuman, 0.98f, Truth::kPerson);
  EXPECT_LT(tuner.MachineConfidenceMin(), 0.7f);
  EXPECT_GE(tuner.MachineConfidenceMin(), 0.6f);
}

TEST(AnswerTuner, AsksForMoreWherePeopleAreLost) {
  AnswerTuner tuner;
  for (int i = 0; i < 500; ++i) {
    tuner.Learn(i % 10 == 0 ? Sound::kMachine : Sound::kHuman, 0.93f, Truth::kPerson);
  }
  EXPECT_GT(tuner.MachineConfidenceMin(), 0.93f);
  EXPECT_NEAR(tuner.Measured().lost_share, 0.1, 0.01);
  EXPECT_GT(tuner.Measured().lost_share_bound, 0.1);
}

TEST(AnswerTuner, FailsClosedWhenEvenTheSurestVerdictsAreWrong) {
  AnswerTuner tuner;
  for (int i = 0; i < 300; ++i) tuner.Learn(Sound::kMachine, 0.9999f, Truth::kPerson);
  EXPECT_FLOAT_EQ(tuner.MachineConfidenceMin(), 0.999f);
}

TEST(AnswerTunerProperty, KeepsThePeopleLostUnderTheTarget) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    const double people_odds = -4 + 3 * rng.Uniform();
    AnswerTuner tuner;
    for (int i = 0; i < 5000; ++i) LearnCall(tuner, rng, people_odds, 3);
    const float confidence = tuner.MachineConfidenceMin();
    // The bound is one of 90 %, so a little above the target may happen, and not much above.
    EXPECT_LT(LostShare(confidence, people_odds), 0.025 * 1.35);
    EXPECT_LE(tuner.Expected(confidence).lost_share, 0.025);
  }
}

TEST(AnswerTuner, FollowsACampaignThatChanges) {
  Rng rng(1);
  AnswerTuner tuner;
  for (int i = 0; i < 6000; ++i) LearnCall(tuner, rng, -4, 3);
  const float easy = tuner.MachineConfidenceMin();
  for (int i = 0; i < 12000; ++i) LearnCall(tuner, rng, -0.5, 3);
  EXPECT_GT(tuner.MachineConfidenceMin(), easy + 0.1f);
}

TEST(AnswerTuner, ExpectedErrorsGoOppositeWays) {
  Rng rng(2);
  AnswerTuner tuner;
  for (int i = 0; i < 5000; ++i) LearnCall(tuner, rng, -2, 2);
  AnswerTuner::Errors last = tuner.Expected(0.5f);
  for (const float confidence : {0.7f, 0.8f, 0.9f, 0.95f, 0.99f}) {
    const AnswerTuner::Errors now = tuner.Expected(confidence);
    EXPECT_LE(now.lost_share, last.lost_share);
    EXPECT_GE(now.missed_share, last.missed_share);
    last = now;
  }
}

TEST(AnswerTuner, FewHeavyCallsProveLessThanManyLightOnes) {
  AnswerTuner light;
  AnswerTuner heavy;
  for (int i = 0; i < 400; ++i) light.Learn(Sound::kHuman, 0.9f, Truth::kPerson);
  for (int i = 0; i < 20; ++i) heavy.Learn(Sound::kHuman, 0.9f, Truth::kPerson, 20);
  EXPECT_LT(light.MachineConfidenceMin(), 0.97f);
  EXPECT_FLOAT_EQ(heavy.MachineConfidenceMin(), 0.97f);
}

TEST(AnswerTuner, FaxAndSilenceDoNotCount) {
  AnswerTuner tuner;
  tuner.Learn(Sound::kFax, 1, Truth::kMachine);
  tuner.Learn(Sound::kSilence, 1, Truth::kPerson);
  EXPECT_DOUBLE_EQ(tuner.Measured().people + tuner.Measured().machines, 0);
}

TEST(AnswerTuner, ComesBackFromItsText) {
  Rng rng(3);
  AnswerTuner tuner;
  for (int i = 0; i < 1000; ++i) LearnCall(tuner, rng, -2, 2);
  AnswerTuner again;
  ASSERT_TRUE(again.Load(tuner.Save()).ok());
  EXPECT_EQ(again.Save(), tuner.Save());
  EXPECT_FLOAT_EQ(again.MachineConfidenceMin(), tuner.MachineConfidenceMin());
  EXPECT_NEAR(again.Measured().lost_share, tuner.Measured().lost_share, 1e-6);
}

TEST(AnswerTuner, RefusesWhatItDidNotWrite) {
  AnswerTuner tuner;
  const std::string good = tuner.Save();
  for (const std::string& bad :
       {std::string(), std::string("answer_tuner_0 1 2"), good + " 1",
        good.substr(0, good.size() - 2), absl::StrReplaceAll(good, {{" 0 0", " 0 nan"}}),
        absl::StrReplaceAll(good, {{" 0 0", " 0 -1"}})}) {
    EXPECT_EQ(tuner.Load(bad).code(), absl::StatusCode::kInvalidArgument) << bad.substr(0, 40);
  }
  EXPECT_EQ(tuner.Save(), good);
}

}  // namespace
}  // namespace outpace::listen
