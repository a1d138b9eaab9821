// The chosen sets of rules on their way through the dialer: what stands still, what is held back
// and until when, and that earlier attempts of all campaigns are known after a restart too.

#include "engine/runtime/attempt_history.h"
#include "gmock/gmock.h"
#include "tests/engine/runtime/controller_bench.h"
#include "tests/fakes/registry.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ControllerComplianceTest : public ControllerTest {
 protected:
  void Choose(const std::string& sets) {
    ASSERT_TRUE(settings.Set("compliance", sets).ok());
    settings.use_dnc_registries = false;
    state.history.set_from(absl::InfinitePast());
  }
  campaign::Attempt Earlier(absl::Duration ago, const std::string& status, uint64_t lead = 1) {
    campaign::Attempt attempt;
    attempt.id = AttemptId(1'000'000 + ++earlier_);
    attempt.lead = LeadId(lead);
    attempt.campaign = "OTHER";
    attempt.dialed = Lead(lead).phone;
    attempt.dialed_at = world.clock().Wall() - ago;
    attempt.open = false;
    attempt.status = status;
    return attempt;
  }

 private:
  uint64_t earlier_ = 0;
};

TEST_F(ControllerComplianceTest, WithoutTheRegisterTheCampaignStandsStillAndHoldsNoLead) {
  Choose("us-tsr");
  settings.use_dnc_registries = true;
  Start(1);
  LogIn("a1");
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_THAT(Figures().idle_reason, HasSubstr("There is no copy of the do-not-call register"));
  EXPECT_EQ(StoredLead(1).hold_until, absl::InfinitePast());
  controller.SetRegistries(
      {fakes::RegistryOf(E164(12125550199), "us-national", absl::CivilDay(2023, 11, 1))});
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), SizeIs(1));
}

TEST_F(ControllerComplianceTest, ARegisterThatIsTooOldStopsTheDialing) {
  Choose("us-tsr");
  settings.use_dnc_registries = true;
  state.registries = {
      fakes::RegistryOf(E164(12125550199), "us-national", absl::CivilDay(2023, 10, 1))};
  Start(1);
  LogIn("a1");
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_THAT(Figures().idle_reason, HasSubstr("more than 31 days old"));
}

TEST_F(ControllerComplianceTest, ACapCountsTheCallsOfOtherCampaigns) {
  Choose("us-reg-f");
  for (int i = 0; i < 7; ++i) state.history.Add(Earlier(absl::Hours(20 * i + 1), "NA"));
  Start(2);
  LogIn("a1");
  Pass(absl::Seconds(3));
  ASSERT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(Stored(Dials()[0].attempt).lead, LeadId(2));
  // Until the oldest of the seven no longer counts: local days, where the number lies.
  const absl::Time until = StoredLead(1).hold_until;
  EXPECT_GT(until, world.clock().Wall());
  EXPECT_LT(until, world.clock().Wall() + absl::Hours(7 * 24));
}

TEST_F(ControllerComplianceTest, OneCallFillsTheCapForTheNextLeadOfTheNumber) {
  Choose("us-reg-f");
  for (int i = 0; i < 6; ++i) state.history.Add(Earlier(absl::Hours(20 * i + 1), "NA"));
  Start(1);
  const call::DialOrder dial = DialOne();
  End(dial.leg, call::CallOutcome::kNoAnswer);
  Pass(absl::Seconds(1));
  campaign::Lead twin = Lead(1);
  twin.id = LeadId(9);
  campaign::StoreBatch batch;
  batch.leads.push_back(twin);
  ASSERT_TRUE(leads.Commit(batch).ok());
  controller.LeadsChanged("C");
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), SizeIs(1)) << "the same number by another lead";
  EXPECT_GT(StoredLead(9).hold_until, world.clock().Wall());
}

TEST_F(ControllerComplianceTest, ATrunkThatLosesACallDoesNotUseUpTheCap) {
  settings.trunk = "carrier,slow";
  Choose("us-reg-f");
  for (int i = 0; i < 6; ++i) state.history.Add(Earlier(absl::Hours(20 * i + 1), "NA"));
  Start(1);
  Pass(absl::Seconds(6));  // a call of the slow trunk's rate
  const call::DialOrder dial = DialOne();
  call::LegEnded lost;
  lost.leg = dial.leg;
  lost.outcome = call::CallOutcome::kCongestion;
  lost.sip_status = 503;
  lost.trunk_fault = true;
  lost.by_far_end = lost.by_response = true;
  End(lost);
  Pass(absl::Seconds(2));
  ASSERT_THAT(Dials(), SizeIs(2)) << "the next trunk takes it at once";
}

TEST_F(ControllerComplianceTest, ConsentIsReadWithTheTextsBeforeTheLeadIsOffered) {
  Choose("us-consent");
  store.texts_apart = true;
  campaign::StoreBatch batch;
  campaign::Lead agreed = Lead(5);
  agreed.fields = {{"consent", "written"}};
  batch.leads.push_back(agreed);
  ASSERT_TRUE(leads.Commit(batch).ok());
  Start(1);
  LogIn("a1");
  Pass(absl::Seconds(3));
  ASSERT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(Stored(Dials()[0].attempt).lead, LeadId(5));
  EXPECT_EQ(StoredLead(1).hold_until, absl::InfiniteFuture());
  EXPECT_EQ(StoredLead(1).called_count, 0);
}

TEST_F(ControllerComplianceTest, AttemptsThatAreNotKnownStopTheDialingUntilTheyAre) {
  Choose("us-reg-f");
  state.history = gate::NumberHistory();
  Start(1);
  LogIn("a1");
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_THAT(Figures().idle_reason, HasSubstr("not all of them are known"));
  gate::NumberHistory older;
  older.set_from(world.clock().Wall() - absl::Hours(24 * 30));
  controller.AddOlder(older);
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), SizeIs(1));
}

// The rules of a running campaign are changed: the counting begins at that moment, and what was
// before is read and handed over.
TEST_F(ControllerComplianceTest, RulesChosenLaterCountWhatWasBefore) {
  settings.trunk = "";
  Start(1);
  settings.trunk = "carrier";
  ASSERT_TRUE(settings.Set("compliance", "us-reg-f").ok());
  settings.use_dnc_registries = false;
  const absl::Time known = controller.HistoryFrom(HistoryReach({&settings, 1}));
  EXPECT_EQ(known, world.clock().Wall());
  campaign::StoreBatch batch;
  for (int i = 0; i < 7; ++i) batch.attempts.push_back(Earlier(absl::Hours(20 * i + 1), "NA"));
  ASSERT_TRUE(leads.Commit(batch).ok());
  const auto older = ReadHistory(leads, HistoryReach({&settings, 1}), world.clock().Wall(), known);
  ASSERT_TRUE(older.ok()) << older.status();
  EXPECT_EQ(older->size(), 7u);
  controller.AddOlder(*older);
  controller.PutCampaign(settings);
  LogIn("a1");
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_GT(StoredLead(1).hold_until, world.clock().Wall());
}

class ClockTest : public ::testing::Test, public ControllerBench {
 protected:
  ClockTest() : ControllerBench(Heard()) {}
  static ControllerOptions Heard() {
    ControllerOptions options = Options();
    options.clock_set_back = [](absl::Duration by) { steps().push_back(by); };
    return options;
  }
  static std::vector<absl::Duration>& steps() {
    static auto& steps = *new std::vector<absl::Duration>;
    return steps;
  }
};

TEST_F(ClockTest, AClockThatIsSetBackIsTold) {
  steps().clear();
  Start(1);
  Pass(absl::Minutes(1));
  world.clock().StepWall(absl::Hours(24));
  Pass(absl::Seconds(1));
  EXPECT_THAT(steps(), IsEmpty()) << "forward: what is held comes earlier by itself";
  world.clock().StepWall(-absl::Hours(24));
  Pass(absl::Seconds(1));
  ASSERT_THAT(steps(), SizeIs(1));
  EXPECT_EQ(steps()[0], absl::Hours(24));
  world.clock().StepWall(-absl::Seconds(1));
  Pass(absl::Seconds(1));
  EXPECT_THAT(steps(), SizeIs(1)) << "NTP";
}

TEST(AttemptHistory, NothingIsReadWithoutRulesThatLookBack) {
  campaign::CampaignSettings settings;
  EXPECT_EQ(HistoryReach({&settings, 1}), absl::ZeroDuration());
  ASSERT_TRUE(settings.Set("compliance", "us-reg-f").ok());
  EXPECT_GE(HistoryReach({&settings, 1}), absl::Hours(7 * 24));
}

}  // namespace
}  // namespace outpace::runtime
