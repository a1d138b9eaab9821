#include "engine/runtime/abandon_windows.h"

#include "campaign/calling_window.h"
#include "engine/runtime/abandon_ledger.h"
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

TEST(ContractsOf, TheRegulationTheClientAndAllOthers) {
  campaign::CampaignSettings settings;
  settings.drop_call_seconds = absl::Milliseconds(1500);
  ASSERT_EQ(ContractsOf(settings).size(), 1u);
  EXPECT_EQ(ContractsOf(settings)[0].name, "regulation");
  EXPECT_EQ(ContractsOf(settings)[0].window, AbandonWindow::kDay);
  EXPECT_DOUBLE_EQ(ContractsOf(settings)[0].limit, 3);
  settings.dial_method = campaign::DialMethod::kAdaptAverage;
  settings.client_dropped_percentage = 1;
  settings.client_window = AbandonWindow::kRolling24h;
  ASSERT_TRUE(settings.Set("abandon_contracts", "ofcom, own{limit=2 window=month}, gone").ok());
  const std::vector<campaign::AbandonContract> contracts = ContractsOf(settings);
  ASSERT_EQ(contracts.size(), 5u);
  EXPECT_EQ(contracts[0].window, AbandonWindow::kCampaign);
  EXPECT_EQ(contracts[1].name, "client");
  EXPECT_EQ(contracts[1].window, AbandonWindow::kRolling24h);
  EXPECT_DOUBLE_EQ(contracts[1].limit, 1);
  for (int i : {0, 1}) {
    EXPECT_EQ(campaign::AbandonContractTerms(contracts[i]).substr(0, 63),
              "start=answer seconds=1.5 numerator=dropped denominator=estimate");
  }
  EXPECT_EQ(contracts[2].start, campaign::ContractStart::kGreetingStart) << "as its rule says";
  EXPECT_EQ(contracts[3].window, AbandonWindow::kMonth);
  EXPECT_EQ(campaign::AbandonContractTerms(contracts[4]),
            "start=answer seconds=2 numerator=late denominator=persons window=day limit=3")
      << "its rule is not in force: the careful side";
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

// Clocks are changed at midnight in some zones, and months have other lengths.
TEST(Windows, DaysAndMonthsAreThoseOfTheZone) {
  const absl::TimeZone beirut = *campaign::FindTimeZone("Asia/Beirut");
  const auto at = [&](int month, int day, int hour, int minute) {
    return absl::FromCivil(absl::CivilMinute(2026, month, day, hour, minute), beirut);
  };
  const auto day_of = [&](absl::Time now) {
    return WindowStart(AbandonWindow::kDay, now, beirut, absl::InfinitePast());
  };
  // On 29 March 2026 the hour from 00:00 on is left out there.
  const absl::Time first = at(3, 29, 1, 0);
  EXPECT_EQ(day_of(first), first);
  EXPECT_EQ(day_of(first - absl::Seconds(1)), at(3, 28, 0, 0));
  EXPECT_EQ(WindowEnd(AbandonWindow::kDay, day_of(first), first, beirut), at(3, 30, 0, 0));
  EXPECT_EQ(at(3, 30, 0, 0) - first, absl::Hours(23));
  const absl::Time march = WindowStart(AbandonWindow::kMonth, first, beirut, absl::InfinitePast());
  EXPECT_EQ(march, at(3, 1, 0, 0));
  EXPECT_EQ(WindowEnd(AbandonWindow::kMonth, march, first, beirut), at(4, 1, 0, 0));
  EXPECT_EQ(WindowEnd(AbandonWindow::kCampaign, march, first, beirut), march + absl::Hours(720));
  EXPECT_EQ(WindowEnd(AbandonWindow::kRolling24h, march, first, beirut), first);
}

// A hundred answers an hour and six hours to go.
TEST(AnswersToCome, ForecastsTheShiftOnTheCarefulSide) {
  campaign::CampaignSettings settings;
  settings.dial_method = campaign::DialMethod::kAdaptTapered;
  settings.adaptive_latest_server_time = 1800;
  AbandonLedger ledger;
  ledger.SetContracts(ContractsOf(settings), absl::UTCTimeZone());
  for (int i = 0; i < 100; ++i) ledger.AddRecord(Answered(kNoon - absl::Minutes(20), "NI"));
  ledger.AddRecord(Answered(kNoon - absl::Minutes(20), "A"));
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
