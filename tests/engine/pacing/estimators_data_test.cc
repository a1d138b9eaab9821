// DurationLaw on real durations: services of a bank's call centre (tests/data/callcenter_log) and
// talks of an outbound campaign (tests/data/bank_marketing). What the look-ahead asks of a law is
// P(ends within h | has lasted e), so that is what is compared, with people who were not learned
// from; beside it stand the two laws one would fit by hand, an exponential and a lognormal.

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "engine/base/rng.h"
#include "engine/pacing/estimators.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

constexpr double kForever = 1e6;  // as `passed`: all of the age is new to the law

LogBins Bins() { return LogBins(0.25, 16, 2); }  // as the Pacer's talk law

DurationLaw TalkLaw(double memory) {
  DurationLaw law(Bins(), 1, memory);
  const DurationLaw::PriorEnd prior = {1, 60};
  law.SetPrior({&prior, 1}, 1800, 3);
  return law;
}

struct Service {
  int day = 0;
  double start_s = 0;
  double length_s = 0;
  std::string type;
};

struct Contact {
  double length_s = 0;
  bool yes = false;
};

std::vector<std::vector<std::string>> ReadRows(absl::string_view name, size_t columns) {
  std::ifstream in(absl::StrCat(OUTPACE_TEST_DATA "/", name));
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(in, line);  // the header
  while (std::getline(in, line)) {
    rows.push_back(absl::StrSplit(line, ','));
    EXPECT_EQ(rows.back().size(), columns) << name << ": row " << rows.size();
  }
  return rows;
}

double Number(absl::string_view text) {
  double value = -1;
  EXPECT_TRUE(absl::SimpleAtod(text, &value)) << text;
  return value;
}

std::vector<Service> Services() {
  std::vector<Service> services;
  for (const auto& row : ReadRows("callcenter_log/services.csv", 4)) {
    services.push_back({static_cast<int>(Number(row[0])), Number(row[1]), Number(row[2]), row[3]});
  }
  EXPECT_EQ(services.size(), 5783u);
  return services;
}

std::vector<Contact> Contacts() {
  std::vector<Contact> contacts;
  for (const auto& row : ReadRows("bank_marketing/contacts.csv", 3)) {
    contacts.push_back({Number(row[1]), row[2] == "1"});
  }
  EXPECT_EQ(contacts.size(), 4000u);
  return contacts;
}

std::vector<double> Lengths(const std::vector<Service>& services, absl::string_view type = "") {
  std::vector<double> lengths;
  for (const Service& s : services) {
    if (type.empty() || s.type == type) lengths.push_back(s.length_s);
  }
  return lengths;
}

std::vector<double> Lengths(const std::vector<Contact>& contacts) {
  std::vector<double> lengths;
  for (const Contact& c : contacts) lengths.push_back(c.length_s);
  return lengths;
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

// P(ends within `ahead` | lasted `age`) in a sample, and how many lasted.
struct Share {
  double p = 0;
  double at_risk = 0;
};
Share EmpiricalEnds(const std::vector<double>& sample, double age, double ahead) {
  Share share;
  for (const double s : sample) {
    if (s <= age) continue;
    ++share.at_risk;
    if (s <= age + ahead) ++share.p;
  }
  if (share.at_risk > 0) share.p /= share.at_risk;
  return share;
}

double NormalTail(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

// Distance of a law from a sample over the ages at which at least 100 are left: largest and root
// mean square, in probability.
struct Distance {
  double largest = 0;
  double rms = 0;
};
template <typename Law>
Distance DistanceOf(const std::vector<double>& sample, Law ends_within) {
  Distance distance;
  double cells = 0;
  for (const double age : {0.0, 10.0, 30.0, 60.0, 120.0, 240.0, 480.0, 800.0}) {
    for (const double ahead : {5.0, 13.0, 30.0, 60.0, 180.0}) {
      const Share share = EmpiricalEnds(sample, age, ahead);
      if (share.at_risk < 100) continue;
      const double error = std::abs(ends_within(age, ahead) - share.p);
      distance.largest = std::max(distance.largest, error);
      distance.rms += error * error;
      ++cells;
    }
  }
  distance.rms = std::sqrt(distance.rms / cells);
  return distance;
}

struct Comparison {
  Distance learned;
  Distance exponential;
  Distance lognormal;
};
Comparison Compare(const std::vector<double>& train, const std::vector<double>& test) {
  DurationLaw law = TalkLaw(1e6);
  double sum_log = 0;
  double sum_log2 = 0;
  double count = 0;
  for (const double s : train) {
    law.Observe(0, s, kForever);
    if (s <= 0) continue;
    const double l = std::log(s);
    sum_log += l;
    sum_log2 += l * l;
    ++count;
  }
  law.Refresh();
  const double mean = Mean(train);
  const double mu = sum_log / count;
  const double sigma = std::sqrt(sum_log2 / count - mu * mu);
  const auto lognormal_tail = [&](double age) {
    return age > 0 ? NormalTail((std::log(age) - mu) / sigma) : 1.0;
  };
  Comparison comparison;
  comparison.learned =
      DistanceOf(test, [&](double age, double ahead) { return law.EndsWithin(age, ahead); });
  comparison.exponential =
      DistanceOf(test, [&](double, double ahead) { return -std::expm1(-ahead / mean); });
  comparison.lognormal = DistanceOf(test, [&](double age, double ahead) {
    return 1 - lognormal_tail(age + ahead) / lognormal_tail(age);
  });
  return comparison;
}

// In thousandths, since RecordProperty() keeps no fractions.
int Thousandths(double value) { return static_cast<int>(std::lround(1000 * value)); }

void Record(const Comparison& c) {
  testing::Test::RecordProperty("largest_error_x1000", Thousandths(c.learned.largest));
  testing::Test::RecordProperty("largest_error_exponential_x1000",
                                Thousandths(c.exponential.largest));
  testing::Test::RecordProperty("largest_error_lognormal_x1000", Thousandths(c.lognormal.largest));
  testing::Test::RecordProperty("rms_error_x1000", Thousandths(c.learned.rms));
  testing::Test::RecordProperty("rms_to_exponential_x1000",
                                Thousandths(c.learned.rms / c.exponential.rms));
  testing::Test::RecordProperty("rms_to_lognormal_x1000",
                                Thousandths(c.learned.rms / c.lognormal.rms));
}

void SplitByTurns(const std::vector<double>& all, std::vector<double>& train,
                  std::vector<double>& test) {
  for (size_t i = 0; i < all.size(); ++i) (i % 2 == 0 ? train : test).push_back(all[i]);
}

TEST(DurationLawOnCallCenter, IsNearTheHeldOutHalfAndNearerThanAnExponential) {
  std::vector<double> train;
  std::vector<double> test;
  SplitByTurns(Lengths(Services()), train, test);
  const Comparison c = Compare(train, test);
  Record(c);
  EXPECT_LT(c.learned.largest, 0.06);
  EXPECT_LT(c.learned.rms, 0.02);
  EXPECT_LT(c.learned.rms, 0.5 * c.exponential.rms);
  EXPECT_LT(c.learned.largest, c.exponential.largest);
  EXPECT_LT(c.learned.rms, c.lognormal.rms);
}

TEST(DurationLawOnOutboundTalks, IsNearTheHeldOutHalfAndNearerThanAnExponential) {
  std::vector<double> train;
  std::vector<double> test;
  SplitByTurns(Lengths(Contacts()), train, test);
  const Comparison c = Compare(train, test);
  Record(c);
  EXPECT_LT(c.learned.largest, 0.06);
  EXPECT_LT(c.learned.rms, 0.02);
  EXPECT_LT(c.learned.rms, 0.5 * c.exponential.rms);
  EXPECT_LT(c.learned.largest, c.exponential.largest);
  EXPECT_LT(c.learned.rms, c.lognormal.rms);
}

// Both sets have more calls that go on and on than an exponential of the same mean has. A law that
// missed it would expect an agent who has talked for ten minutes to be free soon, and dial for him.
TEST(DurationLawOnCallCenter, KnowsThatLongCallsStayLong) {
  std::vector<double> train;
  std::vector<double> test;
  SplitByTurns(Lengths(Services()), train, test);
  DurationLaw law = TalkLaw(1e6);
  for (const double s : train) law.Observe(0, s, kForever);
  law.Refresh();
  const double exponential = -std::expm1(-60 / Mean(train));
  const Share early = EmpiricalEnds(test, 60, 60);
  const Share late = EmpiricalEnds(test, 600, 60);
  ASSERT_GT(late.at_risk, 80);
  EXPECT_LT(late.p, 0.85 * exponential);  // the data have it
  EXPECT_GT(early.p, exponential);
  EXPECT_NEAR(law.EndsWithin(60, 60), early.p, 0.03);
  EXPECT_NEAR(law.EndsWithin(600, 60), late.p, 3 * std::sqrt(late.p / late.at_risk));
  EXPECT_LT(law.EndsWithin(600, 60), 0.85 * exponential);
  EXPECT_NEAR(law.MeanAge(), Mean(test), 0.06 * Mean(test));
}

// Two days are learned; on two later days every minute or two each call in progress is asked how
// likely it is over within a ring time, half a minute, a minute. Of those who were given a forecast
// of p, a share of p must have ended, at every age.
TEST(DurationLawOnCallCenter, ResidualLifeForecastsAreCalibrated) {
  const std::vector<Service> services = Services();
  DurationLaw law = TalkLaw(1e6);
  for (const Service& s : services) {
    if (s.day <= 2) law.Observe(0, s.length_s, kForever);
  }
  law.Refresh();
  struct Group {
    double asked = 0;
    double forecast = 0;
    double ended = 0;
  };
  constexpr double kAges[] = {15, 30, 60, 120, 240, 480, 1e9};  // upper ends of the groups
  double worst = 0;
  for (const double ahead : {13.0, 30.0, 60.0}) {
    std::array<Group, std::size(kAges)> groups;
    for (const Service& s : services) {
      if (s.day <= 2) continue;
      // Instants at whole multiples of `ahead` + 60 s: no end is counted twice.
      const double step = ahead + 60;
      for (double at = std::ceil(s.start_s / step) * step; at < s.start_s + s.length_s;
           at += step) {
        const double age = at - s.start_s;
        const auto* group = std::upper_bound(std::begin(kAges), std::end(kAges) - 1, age);
        Group& g = groups[static_cast<size_t>(group - kAges)];
        ++g.asked;
        g.forecast += law.EndsWithin(age, ahead);
        if (s.length_s <= age + ahead) ++g.ended;
      }
    }
    for (size_t i = 0; i < groups.size(); ++i) {
      const Group& g = groups[i];
      ASSERT_GT(g.asked, 150) << i;
      const double forecast = g.forecast / g.asked;
      const double sd = std::sqrt(forecast * (1 - forecast) / g.asked);
      EXPECT_NEAR(g.ended / g.asked, forecast, 0.02 + 2.5 * sd)
          << "ages up to " << kAges[i] << ", " << ahead << " s ahead, " << g.asked << " asked";
      worst = std::max(worst, std::abs(g.ended / g.asked - forecast));
    }
  }
  RecordProperty("largest_miscalibration_x1000", Thousandths(worst));
}

// Whoever looks at a floor at some instant sees short calls ended and long ones still going on.
// Here every call of 5 minutes is cut off at the end of the 5 minutes, wherever it stands, over and
// over. The law must be that of the whole calls; the ended ones alone are far too short.
TEST(DurationLawOnCallCenter, CallsStillInProgressDoNotBiasTheLaw) {
  constexpr double kWindow = 300;
  DurationLaw law = TalkLaw(1e6);
  DurationLaw ended_only = TalkLaw(1e6);
  std::vector<double> whole;
  double cut_off = 0;
  for (const Service& s : Services()) {
    const double seen = kWindow - std::fmod(s.start_s, kWindow);  // follow-up left to this call
    whole.push_back(s.length_s);
    if (s.length_s <= seen) {
      law.Observe(0, s.length_s, kForever);
      ended_only.Observe(0, s.length_s, kForever);
    } else {
      law.Spend({&seen, 1}, kForever);
      ++cut_off;
    }
  }
  law.Refresh();
  ended_only.Refresh();
  EXPECT_GT(cut_off, 0.4 * static_cast<double>(whole.size()));
  for (const double age : {0.0, 30.0, 60.0, 120.0, 180.0}) {
    const Share share = EmpiricalEnds(whole, age, 60);
    SCOPED_TRACE(absl::StrCat("age ", age));
    EXPECT_NEAR(law.EndsWithin(age, 60), share.p, 0.03);
    EXPECT_GT(ended_only.EndsWithin(age, 60), share.p + 0.12);
  }
}

// With the memory of the Pacer through four days, each call forecast before it is learned: every
// morning and every afternoon is met, though they differ (mornings are longer) and Sunday differs
// from Tuesday.
TEST(DurationLawOnCallCenter, FollowsMorningsAndAfternoons) {
  const std::vector<Service> services = Services();
  DurationLaw law = TalkLaw(250);
  double worst = 0;
  for (size_t i = 0; i < services.size();) {
    const int day = services[i].day;
    const bool morning = services[i].start_s < 13 * 3600;
    double asked = 0;
    double forecast = 0;
    double ended = 0;
    for (; i < services.size() && services[i].day == day &&
           (services[i].start_s < 13 * 3600) == morning;
         ++i) {
      if (i % 10 == 0) law.Refresh();
      if (i >= 100) {
        ++asked;
        forecast += law.EndsWithin(0, 120);
        if (services[i].length_s <= 120) ++ended;
      }
      law.Observe(0, services[i].length_s, kForever);
    }
    // Chance alone: of the half day's calls, and of the 250 that the law remembers.
    const double error = std::abs(ended - forecast) / asked;
    EXPECT_LT(error, 2 * std::sqrt(0.25 / asked + 0.25 / 250))
        << "day " << day << (morning ? " morning" : " afternoon") << ", " << asked << " calls";
    worst = std::max(worst, error);
  }
  RecordProperty("largest_error_of_a_half_day_x1000", Thousandths(worst));
}

// A floor that goes over from short calls (new customers, mean 119 s) to long ones (stock trading,
// 236 s). From 200 of those on, each is forecast before it is learned: a law that forgets is right
// on average, a law that does not still has the old calls in it.
TEST(DurationLawOnCallCenter, ForgetsTheCallsOfBeforeAShift) {
  const std::vector<Service> services = Services();
  const std::vector<double> before = Lengths(services, "NW");
  const std::vector<double> after = Lengths(services, "NE");
  ASSERT_GT(before.size(), 600u);
  ASSERT_GT(after.size(), 500u);
  for (const double ahead : {60.0, 120.0, 240.0}) {
    DurationLaw law = TalkLaw(100);
    DurationLaw keeps_all = TalkLaw(1e6);
    const auto observe = [&](double length) {
      law.Observe(0, length, kForever);
      keeps_all.Observe(0, length, kForever);
    };
    for (const double s : before) observe(s);
    double asked = 0;
    double forecast = 0;
    double forecast_all = 0;
    double ended = 0;
    for (size_t i = 0; i < after.size(); ++i) {
      if (i >= 200) {
        law.Refresh();
        keeps_all.Refresh();
        ++asked;
        forecast += law.EndsWithin(0, ahead);
        forecast_all += keeps_all.EndsWithin(0, ahead);
        if (after[i] <= ahead) ++ended;
      }
      observe(after[i]);
    }
    const double share = ended / asked;
    SCOPED_TRACE(absl::StrCat(ahead, " s: ", EmpiricalEnds(before, 0, ahead).p, " before, ", share,
                              " after"));
    ASSERT_GT(EmpiricalEnds(before, 0, ahead).p, share + 0.15);
    EXPECT_NEAR(forecast / asked, share, 0.04);
    EXPECT_GT(forecast_all / asked, share + 0.08);
  }
}

// A contact that ends in a yes takes nearly twice as long as one that ends in a no, as a dial that
// is answered takes longer than one that fails. Twenty minutes after the first launch a fifth of
// the contacts are still open, and the share among those that have ended is too low; by launch
// cohort, which is what the law counts, it is right. (Launched in an order without drift.)
TEST(DurationLawOnOutboundTalks, CountsTheShareOfYesByLaunchCohort) {
  constexpr double kLength = 1200;
  const std::vector<Contact> contacts = Contacts();
  DurationLaw law(Bins(), 2, 1e6);
  const std::array<DurationLaw::PriorEnd, 2> prior = {{{0.5, 60}, {0.5, 60}}};
  law.SetPrior(prior, 1800, 8);
  double yes = 0;
  double ended = 0;
  double ended_yes = 0;
  for (size_t i = 0; i < contacts.size(); ++i) {
    const Contact& c = contacts[i * 1327 % contacts.size()];
    const double seen =
        kLength * (1 - static_cast<double>(i) / static_cast<double>(contacts.size()));
    if (c.yes) ++yes;
    if (c.length_s <= seen) {
      law.Observe(c.yes ? 0 : 1, c.length_s, kForever);
      ++ended;
      if (c.yes) ++ended_yes;
    } else {
      law.Spend({&seen, 1}, kForever);
    }
  }
  law.Refresh();
  const double truth = yes / static_cast<double>(contacts.size());
  RecordProperty("share_x1000", Thousandths(truth));
  RecordProperty("share_by_cohort_x1000", Thousandths(law.Share(0)));
  RecordProperty("share_of_ended_x1000", Thousandths(ended_yes / ended));
  EXPECT_NEAR(law.Share(0), truth, 0.02);
  EXPECT_LT(ended_yes / ended, truth - 0.03);
  EXPECT_NEAR(law.Share(0) + law.Share(1), 1, 1e-9);
}

// In the order of the file the share of yes climbs from 9 % to 55 %: the law's share, each contact
// forecast before it is learned, goes with it.
TEST(DurationLawOnOutboundTalks, FollowsAShareThatClimbs) {
  const std::vector<Contact> contacts = Contacts();
  DurationLaw law(Bins(), 2, 200);
  const std::array<DurationLaw::PriorEnd, 2> prior = {{{0.3, 60}, {0.7, 60}}};
  law.SetPrior(prior, 1800, 8);
  DurationLaw keeps_all = law;
  keeps_all.SetMemory(1e6);
  constexpr size_t kBlock = 500;
  double worst = 0;
  for (size_t block = 0; block < contacts.size() / kBlock; ++block) {
    double yes = 0;
    double forecast = 0;
    double forecast_all = 0;
    for (size_t i = block * kBlock; i < (block + 1) * kBlock; ++i) {
      if (i % 10 == 0) {
        law.Refresh();
        keeps_all.Refresh();
      }
      forecast += law.Share(0);
      forecast_all += keeps_all.Share(0);
      if (contacts[i].yes) ++yes;
      law.Observe(contacts[i].yes ? 0 : 1, contacts[i].length_s, kForever);
      keeps_all.Observe(contacts[i].yes ? 0 : 1, contacts[i].length_s, kForever);
    }
    SCOPED_TRACE(absl::StrCat("block ", block, ": ", yes / kBlock));
    EXPECT_NEAR(forecast / kBlock, yes / kBlock, 0.08);
    if (block >= 5) {
      EXPECT_LT(forecast_all / kBlock, yes / kBlock - 0.1);
    }
    worst = std::max(worst, std::abs(forecast - yes) / kBlock);
  }
  RecordProperty("largest_error_of_a_block_x1000", Thousandths(worst));
}

}  // namespace
}  // namespace outpace::pacing
