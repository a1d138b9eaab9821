// What a campaign's own statuses do in the controller: which an agent may choose, what they put on
// which list, and the second number as the next one, through the whole gate.

#include "campaign/retry_rule.h"
#include "campaign/status_columns.h"
#include "controller_bench.h"
#include "dnc/dnc_scope.h"
#include "gmock/gmock.h"

namespace outpace::runtime {
namespace {

using ::testing::SizeIs;
using Code = absl::StatusCode;

const E164 kSecond(13035559999);

class ControllerStatusesTest : public ControllerTest {
 protected:
  // The status as it is, with these cells changed.
  void Change(const char* status,
              std::initializer_list<std::pair<const char*, const char*>> cells) {
    const campaign::Disposition* known = settings.statuses.Find(status);
    campaign::Disposition row = known == nullptr ? campaign::Disposition() : *known;
    row.status = status;
    if (known == nullptr) {
      row.name = status;
      row.selectable = true;
    }
    for (const auto& [column, value] : cells) {
      ASSERT_TRUE(campaign::SetStatusCell(column, value, row).ok()) << column;
    }
    settings.statuses.Put(row);
  }
  // One lead that has a second number, and a campaign that dials it when nobody answers the first.
  void StartWithTwoNumbers(E164 second = kSecond) {
    campaign::Lead lead = Lead(1);
    lead.alt_phone = second;
    campaign::StoreBatch batch;
    batch.leads.push_back(lead);
    ASSERT_TRUE(leads.Commit(batch).ok());
    Start(0);
  }
  void NobodyAnswers() {
    End(Dials().back().leg, call::CallOutcome::kNoAnswer);
    Pass(absl::Milliseconds(20));
  }
};

TEST_F(ControllerStatusesTest, AnAgentChoosesFromTheCampaignsOwn) {
  Change("HOT", {{"human_answered", "Y"}, {"tier", "A"}, {"delay", "7200"}, {"tries", "1"}});
  Change("XFER", {{"selectable", "N"}, {"hotkey", ""}});
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  EXPECT_EQ(Dispose("a1", dial.attempt, "XFER").code(), Code::kInvalidArgument) << "hidden";
  EXPECT_EQ(Dispose("a1", dial.attempt, "DISPO").code(), Code::kInvalidArgument);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "HOT").ok());
  EXPECT_EQ(StoredLead(1).status, "HOT");
  EXPECT_EQ(StoredLead(1).tier, campaign::Tier::kA);
  EXPECT_EQ(StoredLead(1).next_call_time, Stored(dial.attempt).ended_at + absl::Hours(2));
}

TEST_F(ControllerStatusesTest, AChangeCountsFromTheNextDispositionOn) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  EXPECT_EQ(Dispose("a1", dial.attempt, "HOT").code(), Code::kInvalidArgument);
  Change("HOT", {{"human_answered", "Y"}, {"sale", "Y"}, {"final", "Y"}});
  controller.PutCampaign(settings);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "HOT").ok());
  EXPECT_EQ(StoredLead(1).next_call_time, absl::InfiniteFuture());
  EXPECT_EQ(Figures().today.sales, 1);
}

TEST_F(ControllerStatusesTest, WhoIsListedIsListedWhereTheStatusSays) {
  settings.client_id = "ACME";
  Change("NOCALL", {{"human_answered", "Y"}, {"dnc_flag", "Y"}, {"dnc", "client"}, {"final", "Y"}});
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "NOCALL").ok());
  std::vector<std::string> scopes;
  const auto listed = leads.DncOf(Lead(1).phone);
  for (const campaign::DncEntry& entry : *listed) {
    scopes.push_back(entry.scope.ToString());
  }
  EXPECT_THAT(scopes, ::testing::UnorderedElementsAre("client:ACME", "campaign:C"));
}

TEST_F(ControllerStatusesTest, TheSecondNumberIsDialedOnceAPass) {
  Change("NA", {{"next", "alt"}, {"next_delay", "60"}, {"delay", "600"}, {"tries", "1"}});
  StartWithTwoNumbers();
  LogIn("a1");
  Tick();
  ASSERT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(Dials()[0].request_uri, "sip:+13035550001@192.0.2.10:5060");
  EXPECT_FALSE(Stored(Dials()[0].attempt).alt);
  NobodyAnswers();
  EXPECT_EQ(StoredLead(1).status, "NA");
  Pass(absl::Seconds(50));
  EXPECT_THAT(Dials(), SizeIs(1)) << "next_delay";
  Pass(absl::Seconds(15));
  ASSERT_THAT(Dials(), SizeIs(2));
  EXPECT_EQ(Dials()[1].request_uri, absl::StrCat("sip:", kSecond.ToString(), "@192.0.2.10:5060"));
  const campaign::Attempt second = Stored(Dials()[1].attempt);
  EXPECT_TRUE(second.alt);
  EXPECT_EQ(second.dialed, kSecond);
  EXPECT_EQ(second.number_of_try, 2);
  NobodyAnswers();
  EXPECT_EQ(campaign::NumberToDial(StoredLead(1)), Lead(1).phone) << "a new pass begins";
  Pass(absl::Seconds(500));
  EXPECT_THAT(Dials(), SizeIs(2)) << "now the delay of the recycle rule";
  Pass(absl::Seconds(120));
  ASSERT_THAT(Dials(), SizeIs(3));
  EXPECT_EQ(Dials()[2].request_uri, "sip:+13035550001@192.0.2.10:5060");
}

TEST_F(ControllerStatusesTest, ADeadNumberGivesWayToTheOther) {
  Change("ADC", {{"next", "alt"}});
  StartWithTwoNumbers();
  LogIn("a1");
  Tick();
  ASSERT_THAT(Dials(), SizeIs(1));
  End(Dials()[0].leg, call::CallOutcome::kInvalid);
  Pass(absl::Seconds(2));
  ASSERT_THAT(Dials(), SizeIs(2));
  EXPECT_EQ(Stored(Dials()[1].attempt).dialed, kSecond);
  NobodyAnswers();
  EXPECT_EQ(StoredLead(1).status, "NA");
  EXPECT_EQ(campaign::NumberToDial(StoredLead(1)), kSecond) << "the first one is dead";
}

TEST_F(ControllerStatusesTest, AListedSecondNumberIsNotDialedAndTheLeadGoesOn) {
  Change("NA", {{"next", "alt"}, {"delay", "600"}, {"tries", "2"}});
  state.dnc.Add(kSecond, "");
  StartWithTwoNumbers();
  LogIn("a1");
  Tick();
  ASSERT_THAT(Dials(), SizeIs(1));
  NobodyAnswers();
  Pass(absl::Seconds(30));
  EXPECT_THAT(Dials(), SizeIs(1));
  const campaign::Lead rests = StoredLead(1);
  EXPECT_EQ(rests.status, "NA") << "the lead itself is on no list";
  EXPECT_EQ(campaign::NumberToDial(rests), Lead(1).phone);
  EXPECT_EQ(rests.next_call_time, rests.last_call_time + absl::Minutes(10));
  Pass(absl::Minutes(11));
  ASSERT_THAT(Dials(), SizeIs(2));
  EXPECT_EQ(Stored(Dials()[1].attempt).dialed, Lead(1).phone);
}

TEST_F(ControllerStatusesTest, TheSecondNumbersOwnZoneDecides) {
  // 15:13 in Denver is 22:13 in London.
  Change("NA", {{"next", "alt"}, {"delay", "86400"}, {"tries", "1"}});
  StartWithTwoNumbers(E164(442079460000));
  LogIn("a1");
  Tick();
  ASSERT_THAT(Dials(), SizeIs(1));
  NobodyAnswers();
  Pass(absl::Minutes(5));
  EXPECT_THAT(Dials(), SizeIs(1));
  EXPECT_GT(StoredLead(1).hold_until, world.clock().Wall() + absl::Hours(10));
  EXPECT_EQ(campaign::NumberToDial(StoredLead(1)), E164(442079460000)) << "it waits";
}

TEST_F(ControllerStatusesTest, ACallbackComesToTheNumberWhereThePersonWasMet) {
  Change("NA", {{"next", "alt"}, {"delay", "600"}, {"tries", "1"}});
  StartWithTwoNumbers();
  LogIn("a1");
  Tick();
  NobodyAnswers();
  Pass(absl::Seconds(2));
  ASSERT_THAT(Dials(), SizeIs(2));
  const call::DialOrder dial = Dials()[1];
  Answer(dial.leg);
  Connected(dial.leg, AgentLeg("a1"));
  End(dial.leg, call::CallOutcome::kAnswered);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "CALLBK").ok());
  EXPECT_EQ(campaign::NumberToDial(StoredLead(1)), kSecond);
}

// Who asks is a person: neither number is dialed again.
TEST_F(ControllerStatusesTest, AWishSpokenOnTheSecondNumberListsBoth) {
  Change("NA", {{"next", "alt"}, {"delay", "600"}, {"tries", "1"}});
  StartWithTwoNumbers();
  LogIn("a1");
  Tick();
  NobodyAnswers();
  Pass(absl::Seconds(2));
  ASSERT_THAT(Dials(), SizeIs(2));
  const call::DialOrder dial = Dials()[1];
  Answer(dial.leg);
  Connected(dial.leg, AgentLeg("a1"));
  End(dial.leg, call::CallOutcome::kAnswered);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "DNC").ok());
  EXPECT_THAT(*leads.DncOf(kSecond), SizeIs(2));
  EXPECT_THAT(*leads.DncOf(Lead(1).phone), SizeIs(2));
}

TEST_F(ControllerStatusesTest, ListingTheFirstNumberEndsTheRingOfTheSecond) {
  Change("NA", {{"next", "alt"}, {"delay", "600"}, {"tries", "1"}});
  StartWithTwoNumbers();
  LogIn("a1");
  Tick();
  NobodyAnswers();
  Pass(absl::Seconds(2));
  ASSERT_THAT(Dials(), SizeIs(2));
  const size_t before = Of<call::HangUp>().size();
  controller.AddDnc(
      campaign::DncEntry{
          .phone = Lead(1).phone, .scope = {}, .source = "test", .added = world.clock().Wall()},
      nullptr);
  const auto ended = Of<call::HangUp>();
  ASSERT_EQ(ended.size(), before + 1);
  EXPECT_EQ(ended.back().leg, Dials()[1].leg);
}

// What was promised, and what a trunk has failed, is not lost with the second number.
TEST_F(ControllerStatusesTest, WithoutItsSecondNumberALeadKeepsItsPromise) {
  Change("NA", {{"next", "alt"}, {"delay", "600"}, {"tries", "1"}});
  StartWithTwoNumbers();
  LogIn("a1");
  Tick();
  NobodyAnswers();
  campaign::Lead lead = StoredLead(1);
  ASSERT_EQ(campaign::NumberToDial(lead), kSecond);
  lead.next_call_time = world.clock().Wall() + absl::Hours(5);
  for (const char* status : {"CALLBK", "QUEUE"}) {
    lead.status = status;
    const campaign::Lead without = campaign::WithoutSecondNumber(lead, settings);
    EXPECT_EQ(campaign::NumberToDial(without), lead.phone);
    EXPECT_EQ(without.next_call_time, lead.next_call_time) << status;
  }
}

}  // namespace
}  // namespace outpace::runtime
