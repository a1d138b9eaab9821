#include "engine/runtime/abandon_windows.h"

#include "campaign/calling_window.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using campaign::AbandonWindow;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'049'600);  // 2023-11-15 12:00 UTC

campaign::Attempt Answered(absl::Time at, const std::string& status) {
  campaign::Attempt attempt;
  attempt.open = false;
  attempt.dialed_at = at - absl::Seconds(10);
  attempt.answered_at = at;
  attempt.status = status;
  if (status == "DROP") {
    attempt.abandoned = true;
  } else {
    attempt.connected_at = at;
  }
  return attempt;
}

TEST(WindowRules, TheRegulationThenTheClient) {
  campaign::CampaignSettings settings;
  ASSERT_EQ(WindowRulesOf(settings).size(), 1u);
  EXPECT_EQ(WindowRulesOf(settings)[0].name, "regulation");
  EXPECT_EQ(WindowRulesOf(settings)[0].window, AbandonWindow::kDay);
  EXPECT_DOUBLE_EQ(WindowRulesOf(settings)[0].ratio_max, 0.03);
  settings.dial_method = campaign::DialMethod::kAdaptAverage;
  settings.client_dropped_percentage = 1;
  settings.client_window = AbandonWindow::kRolling24h;
  const std::vector<WindowRule> rules = WindowRulesOf(settings);
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].window, AbandonWindow::kCampaign);
  EXPECT_EQ(rules[1].name, "client");
  EXPECT_EQ(rules[1].window, AbandonWindow::kRolling24h);
  EXPECT_DOUBLE_EQ(rules[1].ratio_max, 0.01);
}

TEST(Windows, BeginWhereTheirRuleSays) {
  const absl::TimeZone nepal = *campaign::FindTimeZone("Asia/Kathmandu");  // UTC+5:45
  EXPECT_EQ(WindowStart(AbandonWindow::kDay, kNoon, nepal, absl::InfinitePast()),
            kNoon - absl::Hours(17) - absl::Minutes(45));
  EXPECT_EQ(WindowStart(AbandonWindow::kRolling24h, kNoon, nepal, absl::InfinitePast()),
            kNoon - absl::Hours(24));
  EXPECT_EQ(WindowStart(AbandonWindow::kRolling30d, kNoon, nepal, absl::InfinitePast()),
            kNoon - absl::Hours(720));
  EXPECT_EQ(WindowStart(AbandonWindow::kCampaign, kNoon, nepal, absl::InfinitePast()), kNoon);
  EXPECT_EQ(WindowStart(AbandonWindow::kCampaign, kNoon, nepal, kNoon - absl::Hours(9)),
            kNoon - absl::Hours(9));
  EXPECT_EQ(RollingLength(AbandonWindow::kRolling30d), absl::Hours(720));
  EXPECT_EQ(RollingLength(AbandonWindow::kDay), absl::InfiniteDuration());
  EXPECT_EQ(RollingLength(AbandonWindow::kCampaign), absl::InfiniteDuration());
}

TEST(Windows, PeriodsOfThirtyDaysSinceTheFirstCall) {
  EXPECT_EQ(PeriodStart(absl::InfinitePast(), kNoon), absl::InfinitePast());
  EXPECT_EQ(PeriodStart(kNoon, kNoon), kNoon);
  EXPECT_EQ(PeriodStart(kNoon, kNoon + kCampaignPeriod - absl::Seconds(1)), kNoon);
  EXPECT_EQ(PeriodStart(kNoon, kNoon + kCampaignPeriod), kNoon + kCampaignPeriod);
  EXPECT_EQ(PeriodStart(kNoon, kNoon + 3 * kCampaignPeriod + absl::Hours(5)),
            kNoon + 3 * kCampaignPeriod);
  EXPECT_EQ(PeriodStart(kNoon, kNoon - absl::Hours(1)), kNoon) << "a clock that stepped back";
}

TEST(Windows, ReachIsTheFurthestOfThem) {
  campaign::CampaignSettings settings;
  EXPECT_EQ(WindowsReach(settings, kNoon, absl::InfinitePast()), kNoon - absl::Hours(12));
  settings.client_dropped_percentage = 2;
  settings.client_window = AbandonWindow::kRolling30d;
  EXPECT_EQ(WindowsReach(settings, kNoon, absl::InfinitePast()), kNoon - absl::Hours(720));
  settings.client_dropped_percentage = 0;
  EXPECT_EQ(WindowsReach(settings, kNoon, absl::InfinitePast()), kNoon - absl::Hours(12));
}

TEST(AbandonLedger, CountsFromATimeOn) {
  AbandonLedger ledger;
  ledger.AddRecord(Answered(kNoon - absl::Hours(30), "DROP"));
  ledger.AddRecord(Answered(kNoon - absl::Hours(20), "SALE"));
  ledger.AddRecord(Answered(kNoon - absl::Minutes(1), "DROP"));  // of the morning
  ledger.AddRecord(Answered(kNoon, "A"));                        // a machine
  ledger.AddRecord(Answered(kNoon + absl::Minutes(3), "NI"));
  ledger.AddRecord(Answered(absl::InfinitePast(), "NA"));
  campaign::Attempt unsent = Answered(kNoon, "SALE");
  unsent.sent = false;
  ledger.AddRecord(unsent);

  pacing::AbandonCounts counts = ledger.Since(kNoon, 0);
  EXPECT_EQ(counts.served, 2);
  EXPECT_EQ(counts.machines, 1);
  EXPECT_EQ(counts.abandoned, 0);
  EXPECT_EQ(counts.ended, 2);
  counts = ledger.Since(kNoon - absl::Hours(24), 1);
  EXPECT_EQ(counts.served, 3);
  EXPECT_EQ(counts.abandoned, 1);
  EXPECT_EQ(counts.ended, 2) << "one still talks";
  counts = ledger.Since(absl::UnixEpoch(), 99);
  EXPECT_EQ(counts.abandoned, 2);
  EXPECT_EQ(counts.ended, 1) << "never fewer than the machines found";
  EXPECT_EQ(ledger.Since(kNoon + absl::Hours(1), 0).served, 0);
}

TEST(AbandonLedger, AWindowOfADayIsExactInEveryZone) {
  const absl::TimeZone nepal = *campaign::FindTimeZone("Asia/Kathmandu");
  const absl::Time midnight = WindowStart(AbandonWindow::kDay, kNoon, nepal, absl::InfinitePast());
  AbandonLedger ledger;
  ledger.AddAbandoned(midnight - absl::Nanoseconds(1));
  ledger.AddServed(midnight);
  EXPECT_EQ(ledger.Since(midnight, 0).abandoned, 0);
  EXPECT_EQ(ledger.Since(midnight, 0).served, 1);
}

TEST(AbandonLedger, ForgetsWhatNoWindowReaches) {
  AbandonLedger ledger;
  ledger.AddServed(kNoon);
  ledger.AddServed(kNoon + absl::Hours(24 * 30));
  EXPECT_EQ(ledger.Since(absl::UnixEpoch(), 0).served, 2);
  ledger.AddServed(kNoon + absl::Hours(24 * 33));
  EXPECT_EQ(ledger.Since(absl::UnixEpoch(), 0).served, 2);
  ledger.AddServed(kNoon);  // a clock that stepped back: kept for now
  EXPECT_EQ(ledger.Since(absl::UnixEpoch(), 0).served, 3);
}

TEST(AbandonLedger, TakesOverAnOlderOne) {
  AbandonLedger ledger, older;
  ledger.set_from(kNoon);
  ledger.AddServed(kNoon + absl::Hours(1));
  older.set_from(kNoon - absl::Hours(48));
  older.AddAbandoned(kNoon - absl::Hours(40));
  older.AddServed(kNoon - absl::Hours(40));
  ledger.AddOlder(older);
  EXPECT_EQ(ledger.from(), kNoon - absl::Hours(48));
  EXPECT_EQ(ledger.Since(kNoon - absl::Hours(48), 0).served, 2);
  EXPECT_EQ(ledger.Since(kNoon - absl::Hours(48), 0).abandoned, 1);
}

// A hundred answers an hour and six hours to go.
TEST(AnswersToCome, ForecastsTheShiftOnTheCarefulSide) {
  campaign::CampaignSettings settings;
  settings.dial_method = campaign::DialMethod::kAdaptTapered;
  settings.adaptive_latest_server_time = 1800;
  AbandonLedger ledger;
  for (int i = 0; i < 100; ++i) ledger.AddServed(kNoon - absl::Minutes(20));
  EXPECT_NEAR(AnswersToCome(settings, ledger, kNoon), 0.8 * 100 / 1.25 * 6, 1e-9);
  settings.adaptive_latest_server_time = 1330;
  EXPECT_NEAR(AnswersToCome(settings, ledger, kNoon), 0.8 * 100 / 1.25 * 1.5, 1e-9);
  settings.adaptive_latest_server_time = 1200;
  EXPECT_EQ(AnswersToCome(settings, ledger, kNoon), 0) << "the shift is over";
  settings.adaptive_latest_server_time = 2400;
  EXPECT_NEAR(AnswersToCome(settings, ledger, kNoon), 0.8 * 100 / 1.25 * 12, 1e-9);
  EXPECT_EQ(AnswersToCome(settings, ledger, kNoon + absl::Hours(3)), 0) << "nobody answers";
  settings.report_zone = absl::FixedTimeZone(8 * 3600);  // 20:00 there
  EXPECT_NEAR(AnswersToCome(settings, ledger, kNoon), 0.8 * 100 / 1.25 * 4, 1e-9);
  settings.abandon_window = AbandonWindow::kRolling24h;
  EXPECT_EQ(AnswersToCome(settings, ledger, kNoon), 0) << "such a window has no end of the day";
  settings.abandon_window = AbandonWindow::kMethod;
  settings.dial_method = campaign::DialMethod::kAdaptHardLimit;
  EXPECT_EQ(AnswersToCome(settings, ledger, kNoon), 0);
}

}  // namespace
}  // namespace outpace::runtime
