#include "engine/pacing/estimators.h"

#include <cmath>
#include <limits>

#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

constexpr double kForever = 1e6;  // as `passed`: all of the age is new to the law

LogBins Bins() { return LogBins(1.0 / 16, 14, 3); }

TEST(LogBins, FindsTheBinOfEachAge) {
  const LogBins bins = Bins();
  for (size_t bin = 0; bin < bins.size(); ++bin) {
    EXPECT_EQ(bins.Find(bins.edge(bin)), bin);
    if (bin + 1 < bins.size()) {
      EXPECT_EQ(bins.Find(std::nextafter(bins.edge(bin + 1), 0)), bin);
    }
  }
  EXPECT_EQ(bins.Find(-1), 0u);
  EXPECT_EQ(bins.Find(std::numeric_limits<double>::quiet_NaN()), 0u);
  EXPECT_EQ(bins.Find(1e300), bins.size() - 1);
  EXPECT_EQ(bins.Find(std::numeric_limits<double>::infinity()), bins.size() - 1);
}

TEST(DurationLaw, LearnsALognormalLaw) {
  DurationLaw law(Bins(), 1, 1e6);
  const DurationLaw::PriorEnd prior = {1, 40};
  law.SetPrior({&prior, 1}, 600, 3);
  Rng rng(1);
  std::vector<double> sample(20'000);
  for (double& s : sample) {
    s = rng.Lognormal(150, 0.8);
    law.Observe(0, s, kForever);
  }
  law.Refresh();
  EXPECT_NEAR(law.MeanAge(), 150, 3);
  for (const double age : {5.0, 60.0, 150.0, 400.0}) {
    for (const double ahead : {2.0, 13.0, 60.0}) {
      double alive = 0;
      double ends = 0;
      for (const double s : sample) {
        if (s <= age) continue;
        ++alive;
        if (s <= age + ahead) ++ends;
      }
      EXPECT_NEAR(law.EndsWithin(age, ahead), ends / alive, 0.012) << age << " + " << ahead;
    }
  }
  EXPECT_NEAR(law.EndsWithin(0, law.Quantile(0.5)), 0.5, 0.01);
  EXPECT_NEAR(law.Share(0), 1, 1e-9);
}

TEST(DurationLaw, CompetingEndsHaveTheirShares) {
  DurationLaw law(Bins(), 3, 1e6);
  const std::array<DurationLaw::PriorEnd, 3> prior = {{{0.4, 5}, {0.3, 5}, {0.3, 10}}};
  law.SetPrior(prior, 26, 5);
  Rng rng(2);
  for (int i = 0; i < 20'000; ++i) {
    const double u = rng.Uniform();
    if (u < 0.2) {
      law.Observe(0, 2 + 18 * rng.Uniform(), kForever);
    } else if (u < 0.35) {
      law.Observe(1, rng.Exponential(1), kForever);
    } else {
      law.Observe(2, 26, kForever);
    }
  }
  law.Refresh();
  EXPECT_NEAR(law.Share(0), 0.20, 0.01);
  EXPECT_NEAR(law.Share(1), 0.15, 0.01);
  EXPECT_NEAR(law.Share(2), 0.65, 0.01);
  EXPECT_NEAR(law.MeanAge(), 11, 0.4);
  // After 20 s of ringing nobody answers any more.
  EXPECT_NEAR(law.EndsWithin(0, 100), 0.2, 0.01);
  EXPECT_LT(law.EndsWithin(20, 100), 0.01);
}

// The trap of a cold start (docs/PACING.md): failures come back within a second, persons after ten.
// Two seconds after 1000 dials every result is a failure; the dials still ringing must keep the
// answer ratio from falling to nothing.
TEST(DurationLaw, DialsInFlightKeepFastFailuresFromHidingTheAnswers) {
  DurationLaw law(Bins(), 2, 1e6);
  const std::array<DurationLaw::PriorEnd, 2> prior = {{{0.3, 8}, {0.7, 15}}};
  law.SetPrior(prior, 26, 8);
  for (int i = 0; i < 300; ++i) law.Observe(1, 0.5 + 0.004 * i, kForever);
  const std::vector<double> ringing(700, 2.0);
  law.Spend(ringing, kForever);
  law.Refresh();
  EXPECT_GT(law.Share(0), 0.15);  // counted as they resolve it would be 8 * 0.3 / 308 = 0.008
  EXPECT_NEAR(law.Share(1) + law.Share(0), 1, 1e-9);
}

// Time spent in instalments, with ends in between, gives the law that the whole ages give.
TEST(DurationLaw, SpendingInInstalmentsCountsEachSecondOnce) {
  DurationLaw whole(Bins(), 1, 1e9);
  DurationLaw parts(Bins(), 1, 1e9);
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    const double age = rng.Exponential(20);
    whole.Observe(0, age, kForever);
    double spent = 0;
    for (; spent + 1.7 < age; spent += 1.7) {
      const double now = spent + 1.7;
      parts.Spend({&now, 1}, 1.7);
    }
    parts.Observe(0, age, age - spent);
  }
  whole.Refresh();
  parts.Refresh();
  for (const double age : {0.5, 5.0, 30.0}) {
    EXPECT_NEAR(whole.EndsWithin(age, 10), parts.EndsWithin(age, 10), 1e-6);
  }
}

TEST(DurationLaw, ForgetsTheOldLaw) {
  DurationLaw law(Bins(), 1, 200);
  const DurationLaw::PriorEnd prior = {1, 40};
  law.SetPrior({&prior, 1}, 600, 3);
  for (int i = 0; i < 2000; ++i) law.Observe(0, 100, kForever);
  for (int i = 0; i < 800; ++i) law.Observe(0, 20, kForever);
  law.Refresh();
  EXPECT_NEAR(law.MeanAge(), 20, 3);
  EXPECT_NEAR(law.Weight(0), 200, 2);
}

TEST(DurationLaw, ManyObservationsDoNotOverflowTheScale) {
  DurationLaw law(Bins(), 1, 10);
  for (int i = 0; i < 5000; ++i) law.Observe(0, 10, kForever);
  law.Refresh();
  EXPECT_NEAR(law.Weight(0), 10, 0.5);
  EXPECT_NEAR(law.MeanAge(), 10, 1);
}

TEST(DurationLaw, AbsurdAgesAreTakenAsZeroOrVeryOld) {
  DurationLaw law(Bins(), 1, 100);
  for (const double age : {-5.0, std::numeric_limits<double>::quiet_NaN(),
                           std::numeric_limits<double>::infinity(), 1e300}) {
    law.Observe(0, age, age);
    law.Spend({&age, 1}, age);
  }
  law.Refresh();
  for (const double age : {0.0, 3.0, 1e9}) {
    const double p = law.EndsWithin(age, 5);
    EXPECT_TRUE(p >= 0 && p <= 1) << age;
  }
  EXPECT_TRUE(std::isfinite(law.MeanAge()));
}

TEST(DurationLaw, ReclassifyMovesAnEnd) {
  DurationLaw law(Bins(), 2, 1e6);
  for (int i = 0; i < 10; ++i) law.Observe(0, 5, kForever);
  for (int i = 0; i < 4; ++i) law.Reclassify(0, 1, 5);
  law.Refresh();
  EXPECT_NEAR(law.Share(0), 0.6, 1e-4);
  EXPECT_NEAR(law.Share(1), 0.4, 1e-4);
}

TEST(DurationLaw, SavesAndLoads) {
  DurationLaw law(Bins(), 2, 500);
  Rng rng(4);
  for (int i = 0; i < 300; ++i) law.Observe(rng.Below(2), rng.Exponential(9), kForever);
  law.Refresh();
  std::vector<double> saved;
  law.Save(saved);
  ASSERT_EQ(saved.size(), law.SavedSize());
  DurationLaw loaded(Bins(), 2, 500);
  ASSERT_TRUE(loaded.Load(saved));
  EXPECT_NEAR(loaded.EndsWithin(4, 8), law.EndsWithin(4, 8), 1e-12);
  for (const double bad : {-1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    std::vector<double> damaged = saved;
    damaged[7] = bad;
    EXPECT_FALSE(loaded.Load(damaged));
  }
  saved.pop_back();
  EXPECT_FALSE(loaded.Load(saved));
}

TEST(FillFreeAfterTalk, IsTheSumOfTwoExponentials) {
  DurationLaw talk(LogBins(1.0 / 16, 16, 3), 1, 1e6);
  DurationLaw wrap(LogBins(1.0 / 16, 16, 3), 1, 1e6);
  Rng rng(5);
  for (int i = 0; i < 50'000; ++i) {
    talk.Observe(0, rng.Exponential(60), kForever);
    wrap.Observe(0, rng.Exponential(10), kForever);
  }
  talk.Refresh();
  wrap.Refresh();
  for (const double ahead : {5.0, 15.0, 40.0}) {
    // Hypoexponential law with rates 1/60 and 1/10.
    const double exact = 1 - (60 * std::exp(-ahead / 60) - 10 * std::exp(-ahead / 10)) / (60 - 10);
    std::vector<double> table;
    FillFreeAfterTalk(talk, wrap, ahead, table);
    EXPECT_NEAR(table[talk.bins().Find(32)], exact, 0.012) << ahead;
  }
}

}  // namespace
}  // namespace outpace::pacing
