#include "engine/pacing/answer_model.h"

#include <cmath>

#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

TEST(RatioTracker, SettlesOnTheRatio) {
  Rng rng(1);
  RatioTracker tracker(0.35, 3);
  for (int i = 0; i < 20'000; ++i) tracker.Update(rng.Chance(0.2 * 0.5) ? 1 : 0, 0.5);
  EXPECT_NEAR(tracker.ratio(), 0.2, 0.03);
  EXPECT_GT(tracker.weight(), 60);
}

TEST(RatioTracker, FollowsAStepWithinSomeAnswers) {
  Rng rng(2);
  RatioTracker tracker(0.2, 3);
  for (int i = 0; i < 10'000; ++i) tracker.Update(rng.Chance(0.1) ? 1 : 0, 0.5);
  // Three times as many: after 60 answers most of it is known; it falls again likewise.
  for (int i = 0; i < 200; ++i) tracker.Update(rng.Chance(0.3) ? 1 : 0, 0.5);
  EXPECT_NEAR(tracker.ratio(), 0.6, 0.13);
  for (int i = 0; i < 600; ++i) tracker.Update(rng.Chance(0.1) ? 1 : 0, 0.5);
  EXPECT_NEAR(tracker.ratio(), 0.2, 0.06);
}

TEST(RatioTracker, ASteadyHourIsAveragedLong) {
  // The estimate of a steady ratio must be much calmer than that of the last 12 answers (29 %).
  Rng rng(3);
  RatioTracker tracker(0.2, 3);
  double sum = 0, squares = 0;
  int n = 0;
  for (int i = 0; i < 60'000; ++i) {
    tracker.Update(rng.Chance(0.1) ? 1 : 0, 0.5);
    if (i < 10'000) continue;
    sum += tracker.ratio();
    squares += tracker.ratio() * tracker.ratio();
    ++n;
  }
  const double mean = sum / n;
  EXPECT_NEAR(mean, 0.2, 0.01);
  EXPECT_LT(std::sqrt(squares / n - mean * mean) / mean, 0.12);
}

TEST(RatioTracker, NeverZeroAndStateComesBack) {
  RatioTracker tracker(0.2, 3);
  for (int i = 0; i < 10'000; ++i) tracker.Update(0, 1);
  EXPECT_GT(tracker.ratio(), 0);
  EXPECT_LT(tracker.ratio(), 0.01);
  std::vector<double> state;
  tracker.Save(state);
  RatioTracker loaded(0.9, 1);
  ASSERT_TRUE(loaded.Load(state));
  EXPECT_EQ(loaded.ratio(), tracker.ratio());
  state[2] = 7;
  EXPECT_FALSE(loaded.Load(state));
}

// A ring law that has seen enough: answers at about 8 s, 20 % of all.
DurationLaw KnownRing() {
  DurationLaw ring(LogBins(1.0 / 16, 12, 3), kRingEnds, 1000);
  Rng rng(4);
  for (int i = 0; i < 2000; ++i) {
    const bool answer = rng.Chance(0.2);
    const double age = answer ? 2 + rng.Exponential(3) + rng.Exponential(3) : 26;
    ring.Observe(answer ? 0 : 2, age, age);
  }
  ring.Refresh();
  return ring;
}

// Dials `n` leads and lives through their ringing in steps of half a second.
void Dial(AnswerModel& model, const DurationLaw& ring, Rng& rng, const LeadTraits& lead, double p,
          int n) {
  for (int i = 0; i < n; ++i) {
    const LeadPlace place = model.PlaceOf(lead);
    const bool answer = rng.Chance(p);
    const double end = answer ? 2 + rng.Exponential(3) + rng.Exponential(3) : 26;
    for (double age = 0; age < end; age += 0.5) {
      model.Spend(ring, place, age, std::min(end, age + 0.5));
      if (age + 0.5 >= end && answer) model.OnPerson(place);
      model.Refresh(ring, false);
    }
  }
}

TEST(AnswerModel, SegmentsPartFromTheCampaign) {
  const DurationLaw ring = KnownRing();
  AnswerModel model;
  Rng rng(5);
  Dial(model, ring, rng, {}, 0.2, 200);
  EXPECT_NEAR(model.campaign_ratio(), 0.2, 0.05);
  // A new segment is what the campaign is, until it shows otherwise.
  EXPECT_NEAR(model.Chance(LeadTraits{.segment = 7}), model.campaign_ratio(), 1e-9);
  Dial(model, ring, rng, {.segment = 7}, 0.5, 200);
  Dial(model, ring, rng, {.segment = 8}, 0.05, 400);
  EXPECT_NEAR(model.Chance(LeadTraits{.segment = 7}), 0.5, 0.1);
  EXPECT_NEAR(model.Chance(LeadTraits{.segment = 8}), 0.05, 0.025);
}

TEST(AnswerModel, LearnsTheLevelOfForecasts) {
  // The forecasts say 40 % and 10 %; in truth half of that answers.
  const DurationLaw ring = KnownRing();
  AnswerModel model;
  Rng rng(6);
  for (int i = 0; i < 200; ++i) {
    Dial(model, ring, rng, {.segment = 0, .answer_chance = 0.4}, 0.2, 1);
    Dial(model, ring, rng, {.segment = 0, .answer_chance = 0.1}, 0.05, 1);
  }
  EXPECT_NEAR(model.Chance(LeadTraits{.segment = 0, .answer_chance = 0.4}), 0.2, 0.05);
  EXPECT_NEAR(model.Chance(LeadTraits{.segment = 0, .answer_chance = 0.1}), 0.05, 0.0125);
  EXPECT_LE(model.Chance(LeadTraits{.segment = 0, .answer_chance = 1e9}), 0.98);
}

TEST(AnswerModel, SavedStateComesBackAndDamageIsRefused) {
  const DurationLaw ring = KnownRing();
  AnswerModel model;
  Rng rng(7);
  Dial(model, ring, rng, {.segment = 9}, 0.5, 100);
  std::vector<double> state;
  model.Save(state);
  AnswerModel loaded;
  ASSERT_TRUE(loaded.Load(state));
  EXPECT_EQ(loaded.Chance(LeadTraits{.segment = 9}), model.Chance(LeadTraits{.segment = 9}));
  for (const double damage : {-1.0, 1e9, std::nan("")}) {
    std::vector<double> damaged = state;
    damaged[0] = damage;
    EXPECT_FALSE(AnswerModel().Load(damaged));
  }
  state.pop_back();
  EXPECT_FALSE(AnswerModel().Load(state));
}

}  // namespace
}  // namespace outpace::pacing
