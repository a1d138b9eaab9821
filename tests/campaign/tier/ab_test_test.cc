#include "campaign/tier/ab_test.h"

#include <cmath>

#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

// Successes in 100 come and go with the hour: what no test of arms may be fooled by.
double RateAt(int attempt) { return 0.05 + 0.25 * (0.5 + 0.5 * std::sin(attempt / 70.0)); }

struct Looks {
  bool rejected = false;        // "the arms differ", at some look
  bool always_in = true;        // the true ratio, at all looks
  bool fixed_rejected = false;  // the same by the interval for one look
  int attempts = 0;             // until rejected
};

// Looks after every attempt.
Looks Simulate(uint64_t seed, double ratio, double share, int attempts) {
  Rng rng(seed);
  SequentialRatio test(0.05);
  Looks run;
  for (int i = 0; i < attempts; ++i) {
    const bool first = rng.Chance(share);
    test.Learn(first, rng.Chance(RateAt(i) * (first ? ratio : 1)), share);
    const Ratio interval = test.Interval();
    if (!run.rejected && test.PValue() <= 0.05) {
      run.rejected = true;
      run.attempts = i + 1;
    }
    if (ratio < interval.low || ratio > interval.high) run.always_in = false;
    if (test.first().successes >= 5 && test.second().successes >= 5) {
      const Ratio fixed = FixedInterval(test.first(), test.second());
      if (fixed.low > 1 || fixed.high < 1) run.fixed_rejected = true;
    }
  }
  return run;
}

TEST(SequentialRatioProperty, LookingAllTheTimeDoesNotRaiseFalseAlarms) {
  for (const double share : {0.5, 0.2, 0.9}) {
    int alarms = 0, fixed_alarms = 0;
    const int runs = 500;
    for (uint64_t seed = 1; seed <= runs; ++seed) {
      const Looks run = Simulate(seed, 1, share, 1500);
      alarms += run.rejected ? 1 : 0;
      fixed_alarms += run.fixed_rejected ? 1 : 0;
    }
    // Three standard errors above 5 % would be 7.1 %; the bound holds for all time, so less is
    // used.
    EXPECT_LE(alarms, runs * 0.05) << share;
    // What an ordinary interval does when it is looked at all the time.
    EXPECT_GT(fixed_alarms, runs * 0.15) << share;
  }
}

TEST(SequentialRatioProperty, TheTrueRatioStaysInTheInterval) {
  for (const double ratio : {0.6, 1.3, 2.0}) {
    int left = 0;
    const int runs = 500;
    for (uint64_t seed = 1; seed <= runs; ++seed) {
      left += Simulate(seed, ratio, 0.4, 1500).always_in ? 0 : 1;
    }
    EXPECT_LE(left, runs * 0.05) << ratio;
  }
}

TEST(SequentialRatio, FindsADifferenceThatIsThere) {
  int found = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) found += Simulate(seed, 1.8, 0.5, 3000).rejected;
  EXPECT_GE(found, 95);
}

TEST(SequentialRatio, FailuresAloneSayNothing) {
  SequentialRatio test;
  for (int i = 0; i < 1000; ++i) test.Learn(i % 2 == 0, false, 0.5);
  EXPECT_EQ(test.PValue(), 1);
  EXPECT_EQ(test.Interval().low, 0);
  EXPECT_TRUE(std::isinf(test.Interval().high));
  EXPECT_EQ(test.first().attempts, 500);
}

// The first arm is dialed in the good hours and seldom in the bad ones: its pooled rate is twice
// the other's, and the arms are the same.
TEST(SequentialRatio, AnArmDialedInTheGoodHoursIsNotTheBetterOne) {
  Rng rng(1);
  SequentialRatio test;
  for (int i = 0; i < 40'000; ++i) {
    const bool good = i / 500 % 2 == 0;
    const double share = good ? 0.8 : 0.2;
    test.Learn(rng.Chance(share), rng.Chance(good ? 0.3 : 0.05), share);
  }
  EXPECT_GT(FixedInterval(test.first(), test.second()).low, 1.5);
  EXPECT_GT(test.PValue(), 0.05);
  EXPECT_LT(test.Interval().low, 1);
  EXPECT_GT(test.Interval().high, 1);
}

TEST(SequentialRatio, GoesOnAfterLoad) {
  Rng rng(2);
  SequentialRatio test;
  for (int i = 0; i < 500; ++i) test.Learn(rng.Chance(0.3), rng.Chance(0.2), 0.3);
  ByteWriter out;
  test.Save(&out);
  const std::string sealed = out.Seal(9, 1);
  SequentialRatio loaded;
  ByteReader in(*Unseal(sealed, 9, 1));
  ASSERT_TRUE(loaded.Load(&in));
  EXPECT_TRUE(in.done());
  for (SequentialRatio* t : {&test, &loaded}) {
    for (int i = 0; i < 50; ++i) t->Learn(i % 3 == 0, true, 0.3);
  }
  EXPECT_EQ(test.PValue(), loaded.PValue());
  EXPECT_EQ(test.Interval().low, loaded.Interval().low);
  ByteReader empty("");
  EXPECT_FALSE(loaded.Load(&empty));
}

TEST(FixedInterval, IsTheOneOfTheBooks) {
  // 30 of 100 beside 10 of 100: ratio 3, log error sqrt(1/30 - 1/100 + 1/10 - 1/100).
  const Ratio r = FixedInterval({100, 30}, {100, 10});
  EXPECT_DOUBLE_EQ(r.ratio, 3);
  EXPECT_NEAR(r.low, 3 * std::exp(-1.96 * std::sqrt(1 / 30.0 + 1 / 10.0 - 0.02)), 1e-12);
  EXPECT_EQ(FixedInterval({0, 0}, {10, 1}).low, 0);
  EXPECT_GT(FixedInterval({100, 30}, {100, 0}).low, 1);
}

TEST(Draw, IsEvenStickyAndNewWithAnotherSalt) {
  int below = 0, both = 0;
  for (uint64_t id = 1; id <= 20'000; ++id) {
    const bool first = Explores(LeadId(id), 1, 0.1);
    EXPECT_EQ(first, Explores(LeadId(id), 1, 0.1));
    below += first ? 1 : 0;
    both += first && Explores(LeadId(id), 2, 0.1) ? 1 : 0;
    EXPECT_TRUE(!first || Explores(LeadId(id), 1, 0.2));  // a larger share keeps those it had
  }
  EXPECT_NEAR(below, 2000, 150);
  EXPECT_NEAR(both, 200, 60);
}

}  // namespace
}  // namespace outpace::tier
