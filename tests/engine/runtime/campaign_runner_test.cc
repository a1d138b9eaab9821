#include "engine/runtime/campaign_runner.h"

#include "absl/strings/str_cat.h"
#include "engine/runtime/abandon_windows.h"
#include "engine/runtime/hopper.h"
#include "engine/runtime/leg_slots.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::UnorderedElementsAre;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'049'600);  // 2023-11-15 12:00 UTC

campaign::Lead LeadOf(uint64_t id) {
  campaign::Lead lead;
  lead.id = LeadId(id);
  return lead;
}

campaign::Attempt AttemptOf(uint64_t lead) {
  campaign::Attempt attempt;
  attempt.lead = LeadId(lead);
  attempt.open = false;
  attempt.dialed_at = kNoon;
  return attempt;
}

TEST(Hopper, KeepsTheOrderAndHoldsEachLeadOnce) {
  Hopper hopper;
  hopper.Add({LeadOf(3), LeadOf(1), LeadOf(3)});
  hopper.Add({LeadOf(1), LeadOf(2)});
  ASSERT_EQ(hopper.size(), 3u);
  EXPECT_EQ(hopper.out(), 3u);
  EXPECT_EQ(hopper.Pop().id, LeadId(3));
  EXPECT_TRUE(hopper.Holds(LeadId(3))) << "under way";
  hopper.Add({LeadOf(3)});
  EXPECT_EQ(hopper.size(), 2u);
  hopper.Release(LeadId(3));
  hopper.Add({LeadOf(3)});
  EXPECT_EQ(hopper.Pop().id, LeadId(1));
  EXPECT_EQ(hopper.Pop().id, LeadId(2));
  EXPECT_EQ(hopper.Pop().id, LeadId(3));
  EXPECT_EQ(hopper.size(), 0u);
}

TEST(Hopper, WhatIsPutBackIsNext) {
  Hopper hopper;
  hopper.Add({LeadOf(1), LeadOf(2)});
  hopper.PutBack(hopper.Pop());
  EXPECT_EQ(hopper.out(), 2u);
  EXPECT_EQ(hopper.Pop().id, LeadId(1));
}

TEST(Hopper, ClearForgetsOnlyWhatWaits) {
  Hopper hopper;
  hopper.Add({LeadOf(1), LeadOf(2), LeadOf(3)});
  hopper.Pop();
  hopper.Clear();
  EXPECT_EQ(hopper.size(), 0u);
  EXPECT_TRUE(hopper.Holds(LeadId(1)));
  EXPECT_FALSE(hopper.Holds(LeadId(2)));
}

TEST(Hopper, NamesWhatWasReleasedDuringARead) {
  Hopper hopper;
  hopper.Add({LeadOf(1), LeadOf(2), LeadOf(3)});
  while (hopper.size() > 0) hopper.Pop();
  hopper.Release(LeadId(1));
  hopper.BeginRead();
  hopper.Release(LeadId(2));
  EXPECT_THAT(hopper.EndRead(), UnorderedElementsAre(LeadId(2)));
  hopper.Release(LeadId(3));
  hopper.BeginRead();
  EXPECT_TRUE(hopper.EndRead().empty());
}

TEST(LegSlots, AStaleIdFindsNobody) {
  LegSlots slots(3, 2);
  EXPECT_EQ(slots.free(), 2u);
  const LegId first = slots.Take(AttemptId(7));
  EXPECT_EQ(first.shard, 3);
  EXPECT_TRUE(first.valid());
  EXPECT_EQ(std::get<AttemptId>(slots.OwnerOf(first)), AttemptId(7));
  const LegId agent = slots.Take(AgentId("a1"));
  EXPECT_EQ(std::get<AgentId>(slots.OwnerOf(agent)), "a1");
  EXPECT_NE(agent.index, first.index);
  EXPECT_FALSE(slots.Take(AttemptId(9)).valid()) << "all in use";
  EXPECT_EQ(slots.busy(), 2u);

  slots.Free(first);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(slots.OwnerOf(first)));
  const LegId again = slots.Take(AttemptId(8));
  EXPECT_EQ(again.index, first.index);
  EXPECT_GT(again.generation, first.generation);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(slots.OwnerOf(first)));
  slots.Free(first);  // late: does not take the slot from its new owner
  slots.Disown(first);
  EXPECT_EQ(std::get<AttemptId>(slots.OwnerOf(again)), AttemptId(8));
  EXPECT_EQ(slots.free(), 0u);
}

TEST(LegSlots, ADisownedLegKeepsItsSlotUntilItIsFreed) {
  LegSlots slots(0, 1);
  const LegId leg = slots.Take(AttemptId(7));
  slots.Disown(leg);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(slots.OwnerOf(leg)));
  EXPECT_FALSE(slots.Take(AttemptId(8)).valid());
  slots.Free(leg);
  slots.Free(leg);  // twice is once
  EXPECT_EQ(slots.free(), 1u);
}

TEST(LegSlots, ForeignIdsAreNobodys) {
  LegSlots slots(0, 2);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(slots.OwnerOf(LegId{0, 99, 1})));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(slots.OwnerOf(LegId())));
  slots.Free(LegId{0, 99, 1});
  EXPECT_EQ(slots.free(), 2u);
}

TEST(DelayHistogram, QuantilesToATenthOfAMillisecond) {
  DelayHistogram delays;
  EXPECT_EQ(delays.QuantileMs(0.5), 0);
  for (int i = 1; i <= 100; ++i) delays.Add(absl::Milliseconds(i));
  EXPECT_NEAR(delays.QuantileMs(0), 1, 0.11);
  EXPECT_NEAR(delays.QuantileMs(0.5), 50, 0.11);
  EXPECT_NEAR(delays.QuantileMs(0.99), 99, 0.11);
  EXPECT_NEAR(delays.QuantileMs(1), 100, 0.11);
}

TEST(DelayHistogram, TakesWhatIsOutOfRange) {
  DelayHistogram delays;
  delays.Add(-absl::Seconds(1));  // two threads' clocks
  EXPECT_NEAR(delays.QuantileMs(0.5), 0.1, 0.001);
  delays.Add(absl::Hours(1));
  delays.Add(absl::InfiniteDuration());
  EXPECT_NEAR(delays.QuantileMs(1), 3000, 0.2);  // all beyond the last bucket are in it
}

TEST(CampaignRunner, CountsRecordsOfToday) {
  CampaignRunner runner{campaign::CampaignSettings()};
  runner.RollDay(kNoon);
  campaign::Attempt attempt = AttemptOf(1);
  runner.CountRecord(attempt);  // nobody answered
  attempt.answered_at = kNoon;
  attempt.abandoned = true;
  attempt.status = "DROP";
  runner.CountRecord(attempt);
  attempt.abandoned = false;
  attempt.connected_at = kNoon;
  attempt.status = "SALE";
  runner.CountRecord(attempt);
  attempt.status = "A";
  runner.CountRecord(attempt);
  attempt.open = true;  // still in wrap-up
  attempt.status = "";
  runner.CountRecord(attempt);
  EXPECT_EQ(runner.today.attempts, 5);
  EXPECT_EQ(runner.today.answered, 4);
  EXPECT_EQ(runner.today.connected, 3);
  EXPECT_EQ(runner.today.abandoned, 1);
  EXPECT_EQ(runner.today.sales, 1);
  EXPECT_EQ(runner.today.machines, 1);
  EXPECT_EQ(runner.AttemptsToday(LeadId(1)), 5);
  EXPECT_EQ(runner.AttemptsToday(LeadId(2)), 0);
  // 1 of (3 connected - 1 machine) + 1.
  EXPECT_DOUBLE_EQ(runner.today.AbandonRatio(), 1.0 / 3);
}

TEST(CampaignRunner, TheDayTurnsAtMidnightOfItsZone) {
  campaign::CampaignSettings settings;
  settings.report_zone = absl::FixedTimeZone(-5 * 3600);
  CampaignRunner runner(settings);
  runner.RollDay(kNoon);  // 07:00 there
  runner.CountRecord(AttemptOf(1));
  runner.RollDay(kNoon + absl::Hours(16));  // 23:00
  EXPECT_EQ(runner.today.attempts, 1);
  runner.RollDay(kNoon + absl::Hours(17));
  EXPECT_EQ(runner.today.attempts, 0);
  EXPECT_EQ(runner.AttemptsToday(LeadId(1)), 0);
  EXPECT_EQ(runner.pacer.budget().counts().served, 0);
  runner.UncountAttempt(LeadId(1));  // of yesterday
  EXPECT_EQ(runner.AttemptsToday(LeadId(1)), 0);
  EXPECT_EQ(runner.today.attempts, 0);
}

TEST(CampaignRunner, UncountTakesBackOneTry) {
  CampaignRunner runner{campaign::CampaignSettings()};
  runner.RollDay(kNoon);
  runner.CountRecord(AttemptOf(1));
  runner.CountRecord(AttemptOf(1));
  runner.UncountAttempt(LeadId(1));
  EXPECT_EQ(runner.AttemptsToday(LeadId(1)), 1);
  EXPECT_EQ(runner.today.attempts, 1);
}

TEST(CampaignRunner, WhatWasLearnedSurvivesAsText) {
  CampaignRunner taught{campaign::CampaignSettings()};
  MonoTime now(1'000'000'000);
  for (uint64_t i = 1; i <= 200; ++i) {
    taught.pacer.OnDialed(AttemptId(i), {}, now);
    now = now + absl::Seconds(7);
    if (i % 3 == 0) {
      taught.pacer.OnAnswered(AttemptId(i), now);
      taught.pacer.OnConnected(AttemptId(i), now);
      taught.pacer.OnTalkEnded(AttemptId(i), absl::Seconds(45), now);
      taught.pacer.OnWrapEnded(absl::Seconds(9), now);
    } else {
      taught.pacer.OnResolved(AttemptId(i), pacing::AttemptResult::kBusy, now);
    }
  }
  CampaignRunner fresh{campaign::CampaignSettings()};
  ASSERT_NE(fresh.SaveLearned(), taught.SaveLearned());
  ASSERT_TRUE(fresh.LoadLearned(taught.SaveLearned()).ok());
  EXPECT_EQ(fresh.SaveLearned(), taught.SaveLearned());
  EXPECT_NEAR(fresh.Figures().answer_ratio, 0.33, 0.03);
  EXPECT_GT(CampaignRunner{campaign::CampaignSettings()}.Figures().talk_mean,
            fresh.Figures().talk_mean);
}

TEST(CampaignRunner, RefusesWhatIsNoLearnedText) {
  CampaignRunner runner{campaign::CampaignSettings()};
  const std::string before = runner.SaveLearned();
  for (const std::string& bad : {std::string("x"), std::string("1 2 three"), std::string("1 2 3"),
                                 std::string("nan"), before + " 1", std::string("\0", 1)}) {
    EXPECT_FALSE(runner.LoadLearned(bad).ok()) << bad;
    EXPECT_EQ(runner.SaveLearned(), before);
  }
}

TEST(CampaignRunner, NewSettingsDropWhatWaitsUnderTheOld) {
  campaign::CampaignSettings settings;
  CampaignRunner runner(settings);
  runner.hopper.Add({LeadOf(1), LeadOf(2)});
  runner.hopper.Pop();
  settings.name = "new";
  runner.UpdateSettings(settings);
  EXPECT_EQ(runner.hopper.size(), 0u);
  EXPECT_TRUE(runner.hopper.Holds(LeadId(1)));
  EXPECT_EQ(runner.Figures().name, "new");
}

TEST(PacerSettings, EachDialMethod) {
  using D = campaign::DialMethod;
  using P = pacing::DialMethod;
  const std::pair<D, P> kMethods[] = {{D::kManual, P::kManual},
                                      {D::kPreview, P::kPreview},
                                      {D::kProgressive, P::kProgressive},
                                      {D::kRatio, P::kRatio},
                                      {D::kAdaptHardLimit, P::kPredictive},
                                      {D::kAdaptTapered, P::kPredictive},
                                      {D::kAdaptAverage, P::kPredictive}};
  for (const auto& [of_campaign, of_pacer] : kMethods) {
    campaign::CampaignSettings settings;
    settings.dial_method = of_campaign;
    settings.auto_dial_level = 2.5;
    settings.adaptive_maximum_level = 4;
    settings.adaptive_dropped_percentage = 1.5;
    settings.drop_call_seconds = absl::Seconds(3);
    settings.dial_timeout = absl::Seconds(20);
    const pacing::PacerSettings pacer = PacerSettingsOf(settings);
    EXPECT_EQ(pacer.method, of_pacer) << campaign::DialMethodName(of_campaign);
    EXPECT_EQ(pacer.dial_level, 2.5);
    EXPECT_EQ(pacer.dial_level_max, 4);
    EXPECT_DOUBLE_EQ(pacer.abandon_ratio_max, 0.015);
    EXPECT_EQ(pacer.answer_limit, absl::Seconds(3));
    EXPECT_EQ(pacer.ring_time_max, absl::Seconds(20));
    EXPECT_EQ(pacer.intensity, 1);
  }
}

TEST(PacerSettings, AFixedLevelIsNotHeldByTheMaximumOfTheOthers) {
  campaign::CampaignSettings settings;
  settings.dial_method = campaign::DialMethod::kRatio;
  settings.auto_dial_level = 8;
  settings.adaptive_maximum_level = 3;
  EXPECT_EQ(PacerSettingsOf(settings).dial_level_max, 8);
  settings.dial_method = campaign::DialMethod::kAdaptHardLimit;
  EXPECT_EQ(PacerSettingsOf(settings).dial_level_max, 3);
}

TEST(PacerSettings, IntensityIsAPercentageOnTop) {
  campaign::CampaignSettings settings;
  for (const auto& [intensity, factor] :
       {std::pair<int, double>{-40, 0.6}, {0, 1.0}, {15, 1.15}, {40, 1.4}}) {
    settings.adaptive_intensity = intensity;
    EXPECT_DOUBLE_EQ(PacerSettingsOf(settings).intensity, factor);
  }
}

TEST(PacerSettings, EachLimitIsAContract) {
  campaign::CampaignSettings settings;
  settings.adaptive_dropped_percentage = 2.5;
  ASSERT_EQ(PacerSettingsOf(settings).contracts.size(), 1u);
  settings.client_dropped_percentage = 1;
  settings.client_window = campaign::AbandonWindow::kRolling24h;
  settings.abandon_window = campaign::AbandonWindow::kRolling30d;
  const std::vector<pacing::Contract> contracts = PacerSettingsOf(settings).contracts;
  ASSERT_EQ(contracts.size(), 2u);
  EXPECT_EQ(contracts[0].name, "regulation");
  EXPECT_DOUBLE_EQ(contracts[0].ratio_max, 0.025);
  EXPECT_EQ(contracts[0].window, absl::Hours(720));
  EXPECT_EQ(contracts[1].name, "client");
  EXPECT_DOUBLE_EQ(contracts[1].ratio_max, 0.01);
  EXPECT_EQ(contracts[1].window, absl::Hours(24));
  settings.client_window = campaign::AbandonWindow::kCampaign;
  EXPECT_EQ(PacerSettingsOf(settings).contracts[1].window, absl::InfiniteDuration());
}

campaign::Attempt TakenAt(absl::Time at, const std::string& status) {
  campaign::Attempt attempt = AttemptOf(1);
  attempt.dialed_at = attempt.answered_at = at;
  attempt.status = status;
  attempt.abandoned = status == "DROP";
  if (!attempt.abandoned) attempt.connected_at = at;
  return attempt;
}

// What is left of each limit after a restart is what the stored attempts of its window say.
TEST(CampaignRunner, BudgetsAreRebuiltWindowByWindow) {
  campaign::CampaignSettings settings;
  settings.client_dropped_percentage = 1;
  settings.client_window = campaign::AbandonWindow::kRolling30d;
  CampaignRunner runner(settings);
  runner.RollDay(kNoon);
  for (int hours : {1, 2, 3, 20, 30, 300}) {
    runner.AddRecord(TakenAt(kNoon - absl::Hours(hours), "SALE"));
  }
  runner.AddRecord(TakenAt(kNoon - absl::Hours(4), "DROP"));
  runner.AddRecord(TakenAt(kNoon - absl::Hours(400), "DROP"));
  runner.AddRecord(TakenAt(kNoon - absl::Hours(5), "A"));
  runner.SetBudgets(kNoon);
  const pacing::AbandonBudget& budget = runner.pacer.budget();
  EXPECT_EQ(budget.counts(0).served, 4);
  EXPECT_EQ(budget.counts(0).machines, 1);
  EXPECT_EQ(budget.counts(0).abandoned, 1);
  EXPECT_EQ(budget.counts(1).served, 7);
  EXPECT_EQ(budget.counts(1).abandoned, 2);
  // Midnight begins the day's anew, and leaves the other.
  EXPECT_TRUE(runner.RollDay(kNoon + absl::Hours(13)));
  EXPECT_EQ(budget.counts(0).served, 0);
  EXPECT_EQ(budget.counts(1).served, 7);
}

// Each contract has its own view of a call, and the pacer is told at once.
TEST(CampaignRunner, ACallIsCountedInTheSenseOfEachContract) {
  campaign::CampaignSettings settings;
  ASSERT_TRUE(settings.Set("abandon_contracts", "tsr, all{numerator=unserved}").ok());
  CampaignRunner runner(settings);
  runner.first_call = kNoon;
  runner.SetBudgets(kNoon);
  const pacing::AbandonBudget& budget = runner.pacer.budget();
  ASSERT_EQ(budget.contracts(), 3u);
  campaign::Attempt attempt = AttemptOf(1);
  attempt.open = true;
  std::optional<campaign::CallFacts> counted;
  runner.CountCall(counted, attempt);
  EXPECT_FALSE(counted) << "not answered";
  attempt.answered_at = kNoon;
  attempt.greeting_start_ms = 200;
  attempt.greeting_end_ms = 900;
  attempt.connected_at = kNoon + absl::Milliseconds(2500);
  runner.CountCall(counted, attempt);
  EXPECT_EQ(budget.counts(0).served, 1) << "the engine did not give it up";
  EXPECT_EQ(budget.counts(1).served, 1) << "in two seconds of the greeting's end";
  EXPECT_EQ(budget.counts(1).ended, 0);
  EXPECT_EQ(budget.counts(2).served, 0);
  EXPECT_EQ(budget.counts(2).abandoned, 1);
  EXPECT_EQ(budget.Estimate(2).persons, 1);
  runner.CountCall(counted, attempt);
  EXPECT_EQ(budget.counts(2).abandoned, 1) << "the same is counted once";
  attempt.open = false;
  attempt.status = "A";
  runner.CountCall(counted, attempt);
  EXPECT_EQ(budget.counts(0).machines, 1);
  EXPECT_EQ(budget.counts(2).abandoned, 0) << "a machine misses no agent";
  EXPECT_EQ(budget.Estimate(1).persons, 0);
}

// The one that leaves least sets the pace and is named.
TEST(CampaignRunner, TheContractThatBindsIsNamed) {
  campaign::CampaignSettings settings;
  settings.adaptive_dropped_percentage = 5;
  ASSERT_TRUE(settings.Set("abandon_contracts", "lax{limit=20}, acme{limit=1}").ok());
  CampaignRunner runner(settings);
  for (int i = 0; i < 300; ++i) runner.AddRecord(TakenAt(kNoon - absl::Minutes(5), "NI"));
  for (int i = 0; i < 3; ++i) runner.AddRecord(TakenAt(kNoon - absl::Minutes(5), "DROP"));
  runner.SetBudgets(kNoon);
  const auto binding = static_cast<size_t>(runner.pacer.budget().binding_contract());
  EXPECT_EQ(PacerSettingsOf(settings).contracts[binding].name, "acme");
  EXPECT_EQ(TermsOf(settings).contracts[binding].name, "acme");
  EXPECT_TRUE(runner.pacer.budget().Spent());
  const std::vector<ContractFigures> figures = runner.Contracts(kNoon);
  ASSERT_EQ(figures.size(), 3u);
  EXPECT_EQ(figures[2].name, "acme");
  EXPECT_EQ(figures[2].counted, 303);
  EXPECT_EQ(figures[2].abandoned, 3);
  EXPECT_NEAR(figures[2].percent, 100 * 3 / 303.0, 1e-9);
  EXPECT_EQ(figures[2].left, 0);
  EXPECT_EQ(figures[2].from, kNoon - absl::Hours(12));
  EXPECT_EQ(figures[2].to, kNoon + absl::Hours(12));
  EXPECT_EQ(figures[1].left, 72) << "(3 + 72) of (303 + 72) is 20 %";
}

TEST(CampaignRunner, ACampaignsWindowBeginsAnewAfterThirtyDays) {
  campaign::CampaignSettings settings;
  settings.dial_method = campaign::DialMethod::kAdaptAverage;
  CampaignRunner runner(settings);
  runner.first_call = kNoon;
  runner.RollDay(kNoon);
  runner.AddRecord(TakenAt(kNoon + absl::Hours(1), "DROP"));
  runner.SetBudgets(kNoon + absl::Hours(2));
  const pacing::AbandonBudget& budget = runner.pacer.budget();
  EXPECT_EQ(budget.counts(0).abandoned, 1);
  runner.RollDay(kNoon + absl::Hours(50));
  EXPECT_EQ(budget.counts(0).abandoned, 1) << "a day is nothing to it";
  runner.RollDay(kNoon + kCampaignPeriod - absl::Seconds(1));
  EXPECT_EQ(budget.counts(0).abandoned, 1);
  runner.RollDay(kNoon + kCampaignPeriod);
  EXPECT_EQ(budget.counts(0).abandoned, 0);
}

TEST(CampaignRunner, ATaperedDayCountsOnTheAnswersToCome) {
  campaign::CampaignSettings settings;
  settings.dial_method = campaign::DialMethod::kAdaptTapered;
  settings.adaptive_latest_server_time = 1800;
  CampaignRunner runner(settings);
  runner.RollDay(kNoon);
  for (int i = 0; i < 100; ++i) runner.AddRecord(TakenAt(kNoon - absl::Minutes(9), "NI"));
  MonoTime now(1'000'000'000'000);
  runner.RefreshBudgets(kNoon, now);
  const pacing::AbandonBudget& budget = runner.pacer.budget();
  EXPECT_NEAR(budget.counts(0).served, 100 + 384, 1e-6);
  // Two minutes later fewer are to come; what is shown counts those who have answered only.
  runner.RefreshBudgets(kNoon + absl::Minutes(2), now + absl::Minutes(2));
  EXPECT_LT(budget.counts(0).served, 100 + 384);
  DecisionRecord record;
  record.decision.contract = 0;
  record.decision.persons = budget.counts(0).served;
  runner.NoteDecision(record, kNoon, now);
  EXPECT_NEAR(runner.decisions.latest()->decision.persons, 100, 1e-6);
  // At the end of the shift nothing is left to hope for.
  runner.RefreshBudgets(kNoon + absl::Hours(6), now + absl::Hours(6));
  EXPECT_NEAR(budget.counts(0).served, 100, 1e-6);
}

}  // namespace
}  // namespace outpace::runtime
