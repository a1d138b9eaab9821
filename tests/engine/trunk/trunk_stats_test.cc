#include "engine/trunk/trunk_stats.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::trunk {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

const MonoTime kStart(5'000'000'000);

TEST(TrunkStats, CountsOneCallOfEachKind) {
  TrunkStats stats(kStart);
  for (int i = 0; i < 4; ++i) stats.OnAttempt(kStart);
  stats.OnProgress(absl::Milliseconds(800), kStart);
  stats.OnAnswer(200, kStart);
  stats.OnFailure(486, 17, false, kStart);
  stats.OnFailure(503, 34, true, kStart);
  stats.OnEnd(absl::Seconds(90), kStart);
  TrunkSnapshot s = stats.Snapshot(kStart + absl::Seconds(7));
  EXPECT_EQ(s.window.attempts, 4);
  EXPECT_EQ(s.window.answered, 1);
  EXPECT_EQ(s.window.failed, 2);
  EXPECT_EQ(s.window.trunk_faults, 1);
  EXPECT_EQ(s.in_progress, 1);
  EXPECT_EQ(s.up, 0);
  EXPECT_DOUBLE_EQ(s.window.asr, 1 / 3.0);
  EXPECT_EQ(s.window.acd, absl::Seconds(90));
  EXPECT_EQ(s.window.pdd_mean, absl::Milliseconds(800));
  EXPECT_THAT(s.window.by_status, ElementsAre(Pair(200, 1), Pair(486, 1), Pair(503, 1)));
  EXPECT_THAT(s.window.by_q850_cause, ElementsAre(Pair(17, 1), Pair(34, 1)));
  EXPECT_EQ(s.faults_in_a_row, 1);
  EXPECT_EQ(s.last_error, "503, Q.850 34");
  EXPECT_EQ(s.last_error_age, absl::Seconds(7));
}

TEST(TrunkStats, NothingYetIsNothing) {
  TrunkStats stats(kStart);
  const TrunkSnapshot s = stats.Snapshot(kStart);
  EXPECT_EQ(s.window.asr, 0);
  EXPECT_EQ(s.window.acd, absl::ZeroDuration());
  EXPECT_EQ(s.window.pdd_p95, absl::ZeroDuration());
  EXPECT_THAT(s.window.by_status, IsEmpty());
  EXPECT_EQ(s.last_error, "");
}

TEST(TrunkStats, FaultsInARowEndWithACallThatGotAnywhere) {
  TrunkStats stats(kStart);
  for (int i = 0; i < 3; ++i) {
    stats.OnAttempt(kStart);
    stats.OnFailure(408, 0, true, kStart);
  }
  EXPECT_EQ(stats.Snapshot(kStart).faults_in_a_row, 3);
  stats.OnAttempt(kStart);
  stats.OnFailure(486, 17, false, kStart);
  EXPECT_EQ(stats.Snapshot(kStart).faults_in_a_row, 0);
  EXPECT_EQ(stats.Snapshot(kStart).last_error, "408");
}

TEST(TrunkStats, TheDayStartsAnewAndCallsInProgressStay) {
  TrunkStats stats(kStart);
  stats.OnAttempt(kStart);
  stats.OnAttempt(kStart);
  stats.OnAnswer(200, kStart);
  stats.StartDay(kStart + absl::Seconds(1));
  TrunkSnapshot s = stats.Snapshot(kStart + absl::Seconds(1));
  EXPECT_EQ(s.today.attempts, 0);
  EXPECT_EQ(s.window.attempts, 2);
  EXPECT_EQ(s.in_progress, 1);
  EXPECT_EQ(s.up, 1);
  stats.OnEnd(absl::Seconds(5), kStart + absl::Seconds(6));
  EXPECT_EQ(stats.Snapshot(kStart + absl::Seconds(6)).today.ended, 1);
}

TEST(TrunkStats, TheWindowForgetsAfterAQuarterOfAnHour) {
  TrunkStats stats(kStart);
  stats.OnAttempt(kStart);
  stats.OnFailure(503, 0, true, kStart);
  EXPECT_EQ(stats.Snapshot(kStart + absl::Minutes(14)).window.failed, 1);
  const TrunkSnapshot s = stats.Snapshot(kStart + absl::Minutes(15));
  EXPECT_EQ(s.window.failed, 0);
  EXPECT_THAT(s.window.by_status, IsEmpty());
  EXPECT_EQ(s.today.failed, 1);
  EXPECT_EQ(s.faults_in_a_row, 1);
  // After a pause of days nothing is left over or below zero.
  stats.OnAttempt(kStart + absl::Hours(72));
  EXPECT_EQ(stats.Snapshot(kStart + absl::Hours(72)).window.attempts, 1);
}

// The sums beside the slices are what adding up the slices would give.
TEST(TrunkStatsProperty, TheWindowIsTheEventsInIt) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    TrunkStats stats(kStart);
    std::vector<std::pair<int64_t, int>> failures;  // slice, status
    MonoTime now = kStart;
    for (int i = 0; i < 2'000; ++i) {
      now = now + absl::Seconds(rng.Exponential(rng.Chance(0.01) ? 300 : 3));
      const int64_t slice = (now - kStart) / absl::Seconds(30);
      const int status = 400 + static_cast<int>(rng.Below(5));
      stats.OnAttempt(now);
      stats.OnFailure(status, 0, false, now);
      failures.emplace_back(slice, status);
      if (i % 50 != 0) continue;
      int64_t expected = 0, expected_404 = 0;
      for (const auto& [when, what] : failures) {
        if (when <= slice - 30) continue;
        ++expected;
        expected_404 += what == 404;
      }
      const TrunkSnapshot s = stats.Snapshot(now);
      ASSERT_EQ(s.window.failed, expected);
      int64_t shown_404 = 0;
      for (const auto& [what, count] : s.window.by_status) shown_404 += what == 404 ? count : 0;
      ASSERT_EQ(shown_404, expected_404);
      ASSERT_EQ(s.today.failed, static_cast<int64_t>(failures.size()));
    }
  }
}

TEST(DelayHistogram, QuantilesAreWithinTheWidthOfTheirClass) {
  Rng rng(3);
  DelayHistogram histogram;
  std::vector<double> seconds;
  for (int i = 0; i < 20'000; ++i) {
    const double s = rng.Lognormal(2.0, 1.2);
    seconds.push_back(s);
    histogram.Add(absl::Seconds(s));
  }
  std::sort(seconds.begin(), seconds.end());
  for (const double q : {0.05, 0.25, 0.5, 0.75, 0.95, 0.99}) {
    const double exact = seconds[static_cast<size_t>(q * 20'000) - 1];
    const double width = exact < 1 ? 0.05 : exact < 3 ? 0.1 : exact < 10 ? 0.5 : 5;
    EXPECT_NEAR(absl::ToDoubleSeconds(histogram.Quantile(q)), exact, width) << q;
  }
  DelayHistogram copy = histogram;
  copy.Add(histogram);
  copy.Subtract(histogram);
  EXPECT_EQ(copy.Quantile(0.5), histogram.Quantile(0.5));
  EXPECT_EQ(copy.Mean(), histogram.Mean());
}

TEST(DelayHistogram, EdgesAreTaken) {
  DelayHistogram histogram;
  histogram.Add(-absl::Seconds(1));
  EXPECT_LE(histogram.Quantile(1), absl::Milliseconds(50));
  DelayHistogram late;
  late.Add(absl::Hours(2));
  EXPECT_EQ(late.Quantile(1), absl::Seconds(60));
}

}  // namespace
}  // namespace outpace::trunk
