// What agents may do and what happens when their phone, their screen or they themselves go away.

#include "controller_bench.h"
#include "gmock/gmock.h"
#include "tests/fakes/dnc_entries.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Code = absl::StatusCode;
using State = agent::AgentState;

class PreviewTest : public ControllerTest {
 protected:
  PreviewTest() { settings.dial_method = campaign::DialMethod::kPreview; }
  // One lead on a1's screen.
  AttemptId Offer() {
    LogIn("a1");
    Tick();
    EXPECT_THAT(screens.pops, SizeIs(1));
    return screens.pops.empty() ? AttemptId() : screens.pops.back().attempt;
  }
  // Offered and dialed; the order.
  call::DialOrder OfferAndDial() {
    const AttemptId attempt = Offer();
    EXPECT_TRUE(controller.AnswerPreview("a1", attempt, true).ok());
    Pass(absl::Milliseconds(5));
    EXPECT_THAT(Dials(), SizeIs(1));
    return Dials().empty() ? call::DialOrder() : Dials().back();
  }
};

TEST_F(ControllerTest, LoginSaysWhatIsWrong) {
  Start(0);
  EXPECT_EQ(controller.Login("nobody", "C", "").code(), Code::kNotFound);
  EXPECT_EQ(controller.Login("a1", "X", "").code(), Code::kNotFound);
  EXPECT_EQ(controller.Login("a1", "C", "tel:123").code(), Code::kInvalidArgument);
  campaign::AgentRecord bare;
  bare.user = "bare";
  controller.PutAgent(bare);
  EXPECT_THAT(controller.Login("bare", "C", "").message(), HasSubstr("sip:bare@"));
  EXPECT_TRUE(controller.Login("a1", "C", "").ok());
  EXPECT_TRUE(controller.Login("a1", "C", "").ok()) << "a reloaded page";
  EXPECT_THAT(Of<call::DialOrder>(), SizeIs(1)) << "one line an agent";
  campaign::CampaignSettings other = settings;
  other.id = "D";
  controller.PutCampaign(other);
  EXPECT_EQ(controller.Login("a1", "D", "").code(), Code::kFailedPrecondition);
  EXPECT_TRUE(controller.Logout("a1").ok());
  EXPECT_TRUE(controller.Login("a1", "D", "").ok());
}

TEST_F(ControllerTest, WhoIsNotLoggedInMayDoNothing) {
  Start(0);
  EXPECT_EQ(controller.SetReady("a1").code(), Code::kFailedPrecondition);
  EXPECT_EQ(controller.SetNotReady("a1", "").code(), Code::kFailedPrecondition);
  EXPECT_EQ(controller.HangUp("a1").code(), Code::kFailedPrecondition);
  EXPECT_EQ(controller.Logout("a1").code(), Code::kFailedPrecondition);
  EXPECT_EQ(controller.AnswerPreview("a1", AttemptId(1), true).code(), Code::kFailedPrecondition);
  controller.ScreenLost("a1");
  controller.ScreenConnected("a1");
  LogIn("a1");
  EXPECT_EQ(controller.HangUp("a1").code(), Code::kFailedPrecondition) << "no customer";
}

TEST_F(ControllerTest, ThePhoneIsRungWhereTheAgentSays) {
  Start(0);
  ASSERT_TRUE(controller.Login("a1", "C", "sip:desk7@127.0.0.9:5999;transport=udp").ok());
  ASSERT_THAT(Of<call::DialOrder>(), SizeIs(1));
  const call::DialOrder order = Of<call::DialOrder>()[0];
  EXPECT_EQ(order.kind, call::LegKind::kAgent);
  EXPECT_EQ(order.trunk, call::kAgentTrunk);
  EXPECT_EQ(order.request_uri, "sip:desk7@127.0.0.9:5999;transport=udp");
  EXPECT_EQ(order.route_uri, "sip:127.0.0.9:5999");
}

TEST_F(ControllerTest, NoCallBeforeThePhoneIsUp) {
  Start(2);
  ASSERT_TRUE(controller.Login("a1", "C", "").ok());
  ASSERT_TRUE(controller.SetReady("a1").ok());
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), IsEmpty());
  Answer(AgentLeg("a1"));
  Tick();
  EXPECT_THAT(Dials(), SizeIs(1));
}

TEST_F(ControllerTest, APhoneThatDropsIsRungAgain) {
  Start(0);
  const LegId first = LogIn("a1");
  End(first, call::CallOutcome::kAnswered);
  ASSERT_THAT(screens.notices, SizeIs(1));
  EXPECT_THAT(screens.notices[0], HasSubstr("rung again"));
  Pass(absl::Milliseconds(1100));
  const LegId second = AgentLeg("a1");
  EXPECT_NE(second, first);
  Answer(second);
  EXPECT_TRUE(controller.roster().Find("a1")->phone_up);
}

TEST_F(ControllerTest, ACustomerIsNotKeptOnADeadPhone) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(AgentLeg("a1"), call::CallOutcome::kAnswered);
  EXPECT_TRUE(WasHungUp(dial.leg));
  End(dial.leg, call::CallOutcome::kAnswered, false);
  EXPECT_EQ(StateOf("a1"), State::kWrapUp);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "NI").ok());
}

TEST_F(ControllerTest, APhoneThatDropsBeforeTheBridgeIsAnAbandonedCall) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Answer(dial.leg);
  ASSERT_EQ(StateOf("a1"), State::kReserved);
  End(AgentLeg("a1"), call::CallOutcome::kAnswered);
  ASSERT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "DROP");
  EXPECT_TRUE(Stored(dial.attempt).abandoned);
}

TEST_F(ControllerTest, LogoutWhileConnecting) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Answer(dial.leg);
  ASSERT_TRUE(controller.Logout("a1").ok());
  ASSERT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  EXPECT_EQ(Of<call::PlayThenHangUp>()[0].leg, dial.leg);
  EXPECT_TRUE(WasHungUp(AgentLeg("a1")));
  EXPECT_THAT(screens.logged_out, ElementsAre("a1"));
  // The shard had bridged them already: too late.
  Connected(dial.leg, AgentLeg("a1"));
  EXPECT_THAT(screens.pops, IsEmpty());
  EXPECT_EQ(Figures().today.connected, 0);
  End(AgentLeg("a1"), call::CallOutcome::kAnswered, false);
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "DROP");
  EXPECT_EQ(Figures().today.abandoned, 1);
}

TEST_F(ControllerTest, ACallerWhoHangsUpBeforeTheBridgeFreesTheAgent) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Answer(dial.leg);
  End(dial.leg, call::CallOutcome::kAnswered);
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "PDROP");
  EXPECT_FALSE(Stored(dial.attempt).abandoned);
}

TEST_F(ControllerTest, LogoutWhileTalkingEndsTheCall) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.Logout("a1").ok());
  EXPECT_TRUE(WasHungUp(dial.leg));
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "DISPO");
  EXPECT_EQ(Stored(dial.attempt).agent, "a1");
  // Nobody else may, and the agent still may say what came of it.
  EXPECT_EQ(Dispose("a2", dial.attempt, "SALE").code(), Code::kPermissionDenied);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "SALE").ok());
  EXPECT_EQ(Stored(dial.attempt).status, "SALE");
  EXPECT_EQ(StoredLead(1).status, "SALE");
}

// What happens to the lead between the reading and the writing of a late disposition.
TEST_F(ControllerTest, ALateDispositionLosesNothingThatIsWrittenMeanwhile) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.Logout("a1").ok());
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  store.hold_commits = true;
  auto answer = std::make_shared<absl::Status>(absl::UnknownError("no answer yet"));
  controller.Dispose("a1", dial.attempt, "SALE", "", absl::InfinitePast(),
                     [answer](absl::Status stored) { *answer = std::move(stored); });
  Pass(absl::Milliseconds(10));
  ASSERT_EQ(store.commits_held(), 1u);
  campaign::StoreBatch batch;
  batch.leads = {StoredLead(1)};
  batch.leads[0].rank = 7;
  ASSERT_TRUE(leads.Commit(batch).ok());
  store.LetCommits();
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(answer->ok()) << *answer;
  EXPECT_EQ(StoredLead(1).status, "SALE");
  EXPECT_EQ(StoredLead(1).rank, 7);
}

TEST_F(ControllerTest, ALateDispositionBringsNoErasedLeadBack) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.Logout("a1").ok());
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  store.hold_commits = true;
  auto answer = std::make_shared<absl::Status>(absl::UnknownError("no answer yet"));
  controller.Dispose("a1", dial.attempt, "SALE", "", absl::InfinitePast(),
                     [answer](absl::Status stored) { *answer = std::move(stored); });
  Pass(absl::Milliseconds(10));
  ASSERT_EQ(store.commits_held(), 1u);
  campaign::StoreBatch batch;
  batch.leads_removed = {LeadId(1)};
  ASSERT_TRUE(leads.Commit(batch).ok());
  store.LetCommits();
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(answer->code(), Code::kNotFound) << *answer;
  EXPECT_FALSE(leads.GetLead(LeadId(1))->has_value());
}

// Out and in again before the call is down: the new session owes nothing for the old call.
TEST_F(ControllerTest, BackBeforeTheOldCallIsDown) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.Logout("a1").ok());
  ASSERT_TRUE(controller.Login("a1", "C", "").ok());
  ASSERT_TRUE(controller.SetReady("a1").ok());
  End(dial.leg, call::CallOutcome::kAnswered, false);
  EXPECT_EQ(controller.CheckInvariants(), "");
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "DISPO");
}

TEST_F(ControllerTest, HangUpThenDispositionThenTheNextCall) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  EXPECT_EQ(Dispose("a1", dial.attempt, "SALE").code(), Code::kFailedPrecondition)
      << "still talking";
  Pass(absl::Seconds(7));
  ASSERT_TRUE(controller.HangUp("a1").ok());
  EXPECT_TRUE(WasHungUp(dial.leg));
  End(dial.leg, call::CallOutcome::kAnswered, false);
  EXPECT_EQ(StateOf("a1"), State::kWrapUp);
  ASSERT_THAT(screens.ended, SizeIs(1));
  EXPECT_EQ(screens.ended[0].substr(0, 11), absl::StrCat("a1 ", dial.attempt.value(), " AGENT "));
  EXPECT_EQ(Dispose("a1", dial.attempt, "INCALL").code(), Code::kInvalidArgument);
  EXPECT_EQ(Dispose("a1", dial.attempt, "NOPE").code(), Code::kInvalidArgument);
  EXPECT_EQ(Dispose("a2", dial.attempt, "SALE").code(), Code::kPermissionDenied);
  EXPECT_EQ(Dispose("a1", AttemptId(999), "SALE").code(), Code::kNotFound);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "SALE").ok());
  const campaign::Attempt attempt = Stored(dial.attempt);
  EXPECT_EQ(attempt.status, "SALE");
  EXPECT_EQ(attempt.note, "note");
  EXPECT_EQ(attempt.term_reason, "AGENT");
  EXPECT_FALSE(attempt.open);
  EXPECT_EQ(StoredLead(1).status, "SALE");
  EXPECT_EQ(Figures().today.sales, 1);
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
  Tick();
  EXPECT_THAT(Dials(), SizeIs(2));
  // Said again, and said otherwise.
  EXPECT_TRUE(Dispose("a1", dial.attempt, "SALE").ok());
  EXPECT_EQ(Dispose("a1", dial.attempt, "NI").code(), Code::kFailedPrecondition);
  EXPECT_EQ(Figures().today.sales, 1);
}

TEST_F(ControllerTest, ADispositionIsAnsweredWhenItIsOnDisk) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(5));
  store.hold_commits = true;
  std::vector<absl::Status> answers;
  const auto dispose = [&](const std::string& status) {
    controller.Dispose("a1", dial.attempt, status, "", absl::InfinitePast(),
                       [&](absl::Status stored) { answers.push_back(std::move(stored)); });
  };
  dispose("SALE");
  dispose("SALE");  // an impatient finger
  dispose("NI");    // another key
  Pass(absl::Seconds(5));
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_EQ(StateOf("a1"), State::kWrapUp);
  store.LetCommits();
  Pass(absl::Milliseconds(20));
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_TRUE(answers[0].ok());
  EXPECT_TRUE(answers[1].ok());
  EXPECT_EQ(answers[2].code(), Code::kFailedPrecondition);
  EXPECT_EQ(Stored(dial.attempt).status, "SALE");
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
}

// DNC said by the agent: listed at once, stored with the result.
TEST_F(ControllerTest, TheAgentsDncIsInForceAndStored) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(5));
  EXPECT_TRUE(Dispose("a1", dial.attempt, "DNC").ok());
  EXPECT_TRUE(controller.dnc().Has(Lead(1).phone, dnc::DncScope()));
  // For all campaigns, and for this one even if it does not look at the system-wide list.
  EXPECT_TRUE(controller.dnc().Has(Lead(1).phone, dnc::CampaignScope("C")));
  ASSERT_THAT(fakes::DncEntriesIn(leads), SizeIs(2));
  EXPECT_EQ(fakes::DncEntriesIn(leads)[0].source, "agent a1");
}

// The agent was slow, and by then the same number was rung again: as lead of another list, or by
// another campaign.
TEST_F(ControllerTest, ALateDncCancelsACallToTheSameNumber) {
  campaign::Lead again = Lead(2);
  again.phone = Lead(1).phone;
  campaign::StoreBatch batch;
  batch.leads.push_back(again);
  Start(1);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.Logout("a1").ok());
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  ASSERT_EQ(Stored(dial.attempt).status, "DISPO");
  ASSERT_TRUE(leads.Commit(batch).ok());
  controller.LeadsChanged("C");
  LogIn("a2");
  Pass(absl::Seconds(3));  // read, and dialed
  ASSERT_THAT(Dials(), SizeIs(2));
  hold_fences = true;
  auto answer = std::make_shared<absl::Status>(absl::UnknownError("no answer yet"));
  controller.Dispose("a1", dial.attempt, "DNC", "", absl::InfinitePast(),
                     [answer](absl::Status stored) { *answer = std::move(stored); });
  Pass(absl::Milliseconds(50));
  EXPECT_TRUE(WasHungUp(Dials()[1].leg));
  EXPECT_FALSE(answer->ok()) << "the second call's INVITE may be on its way to the shard";
  LetFences();
  Pass(absl::Milliseconds(1));
  EXPECT_TRUE(answer->ok()) << *answer;
  End(Dials()[1].leg, call::CallOutcome::kCancelled, false);
}

TEST_F(ControllerTest, WhatIsKnownOfACallIsStoredAsItGoesOn) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  Pass(absl::Seconds(3));
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(5));
  // The agent types; an engine that dies now still knows how the call went and whose it was.
  const campaign::Attempt attempt = Stored(dial.attempt);
  EXPECT_TRUE(attempt.open);
  EXPECT_EQ(attempt.outcome, "answered");
  EXPECT_EQ(attempt.agent, "a1");
  EXPECT_EQ(attempt.term_reason, "CALLER");
  EXPECT_NEAR(absl::ToDoubleSeconds(attempt.ended_at - attempt.connected_at), 3, 0.001);
}

TEST_F(ControllerTest, WrapUpThatRunsOutPausesTheAgent) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Seconds(29));
  EXPECT_EQ(StateOf("a1"), State::kWrapUp);
  Pass(absl::Seconds(2));
  EXPECT_EQ(StateOf("a1"), State::kNotReady);
  EXPECT_EQ(controller.roster().Find("a1")->pause_code, "DISPO");
  EXPECT_EQ(Stored(dial.attempt).status, "DISPO");
  EXPECT_THAT(Dials(), SizeIs(1)) << "who is not at the desk gets no further call";
  EXPECT_TRUE(Dispose("a1", dial.attempt, "A").ok()) << "late, and better than nothing";
  EXPECT_EQ(Stored(dial.attempt).status, "A");
  EXPECT_EQ(Dispose("a1", dial.attempt, "SALE").code(), Code::kFailedPrecondition);
}

TEST_F(ControllerTest, APauseAskedForInACallComesAfterIt) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
  EXPECT_EQ(StateOf("a1"), State::kOnCall);
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(5));
  EXPECT_TRUE(Dispose("a1", dial.attempt, "NI").ok());
  EXPECT_EQ(StateOf("a1"), State::kNotReady);
  EXPECT_EQ(controller.roster().Find("a1")->pause_code, "LUNCH");
}

TEST_F(ControllerTest, AScreenThatComesBackShowsTheCallAgain) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  ASSERT_THAT(screens.pops, SizeIs(1));
  controller.ScreenLost("a1");
  Pass(absl::Seconds(10));
  EXPECT_FALSE(WasHungUp(dial.leg)) << "the call stays up";
  controller.ScreenConnected("a1");
  ASSERT_THAT(screens.pops, SizeIs(2));
  EXPECT_EQ(screens.pops[1].attempt, dial.attempt);
  Pass(absl::Seconds(30));
  EXPECT_FALSE(WasHungUp(dial.leg)) << "the timer was stopped";
  // In wrap-up the screen is told of the end as well.
  End(dial.leg, call::CallOutcome::kAnswered);
  controller.ScreenLost("a1");
  controller.ScreenConnected("a1");
  EXPECT_THAT(screens.pops, SizeIs(3));
  EXPECT_THAT(screens.ended, SizeIs(2));
  Pass(absl::Milliseconds(5));
  EXPECT_TRUE(Dispose("a1", dial.attempt, "NI").ok());
  EXPECT_EQ(StateOf("a1"), State::kAvailable) << "being away is over";
}

TEST_F(ControllerTest, AScreenThatStaysAwayLogsOut) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  controller.ScreenLost("a1");
  Pass(absl::Milliseconds(14'900));
  EXPECT_EQ(StateOf("a1"), State::kOnCall);
  Pass(absl::Milliseconds(200));
  EXPECT_EQ(StateOf("a1"), State::kLoggedOut);
  EXPECT_TRUE(WasHungUp(dial.leg));
  EXPECT_THAT(screens.logged_out, ElementsAre("a1"));
  End(dial.leg, call::CallOutcome::kAnswered, false);
}

TEST_F(ControllerTest, NoCallForALostScreen) {
  Start(2);
  LogIn("a1");
  controller.ScreenLost("a1");
  EXPECT_EQ(StateOf("a1"), State::kNotReady);
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), IsEmpty());
  controller.ScreenConnected("a1");
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
  Tick();
  EXPECT_THAT(Dials(), SizeIs(1));
}

// A reloaded page is no reason to take back the agent's own wish for a break.
TEST_F(ControllerTest, ALostScreenKeepsThePauseTheAgentAskedFor) {
  Start(2);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
  controller.ScreenLost("a1");
  controller.ScreenConnected("a1");
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(5));
  EXPECT_TRUE(Dispose("a1", dial.attempt, "NI").ok());
  EXPECT_EQ(StateOf("a1"), State::kNotReady);
  EXPECT_EQ(controller.roster().Find("a1")->pause_code, "LUNCH");
  // And in a break it stays one.
  controller.ScreenLost("a1");
  controller.ScreenConnected("a1");
  EXPECT_EQ(StateOf("a1"), State::kNotReady);
}

TEST_F(PreviewTest, ShowsFirstAndDialsOnlyWhenTold) {
  Start(2);
  const AttemptId attempt = Offer();
  EXPECT_TRUE(screens.pops[0].preview);
  EXPECT_EQ(StateOf("a1"), State::kReserved);
  Pass(absl::Minutes(5));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(controller.AnswerPreview("a1", AttemptId(attempt.value() + 1), true).code(),
            Code::kFailedPrecondition);
  EXPECT_EQ(controller.AnswerPreview("a2", attempt, true).code(), Code::kFailedPrecondition);
  ASSERT_TRUE(controller.AnswerPreview("a1", attempt, true).ok());
  EXPECT_EQ(controller.AnswerPreview("a1", attempt, true).code(), Code::kFailedPrecondition)
      << "once";
  Pass(absl::Milliseconds(5));
  ASSERT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(Dials()[0].attempt, attempt);
  Answer(Dials()[0].leg);
  ASSERT_THAT(Of<call::Connect>(), SizeIs(1));
  EXPECT_EQ(Of<call::Connect>()[0].agent, AgentLeg("a1"));
  Connected(Dials()[0].leg, AgentLeg("a1"));
  EXPECT_EQ(StateOf("a1"), State::kOnCall);
  ASSERT_THAT(screens.pops, SizeIs(2));
  EXPECT_FALSE(screens.pops[1].preview);
}

TEST_F(PreviewTest, ASkippedLeadRestsAndTheNextIsShown) {
  Start(2);
  const AttemptId attempt = Offer();
  ASSERT_TRUE(controller.AnswerPreview("a1", attempt, false).ok());
  Tick();
  EXPECT_THAT(Dials(), IsEmpty());
  ASSERT_THAT(screens.pops, SizeIs(2));
  EXPECT_EQ(screens.pops[1].lead, LeadId(2));
  EXPECT_EQ(StoredLead(1).called_count, 0);
  EXPECT_NEAR(absl::ToDoubleMinutes(StoredLead(1).hold_until - world.clock().Wall()), 30, 0.1);
  ASSERT_TRUE(controller.AnswerPreview("a1", screens.pops[1].attempt, false).ok());
  Pass(absl::Minutes(31));
  ASSERT_GE(screens.pops.size(), 3u);
  EXPECT_EQ(screens.pops[2].lead, LeadId(1)) << "somebody else may like it later";
}

TEST_F(PreviewTest, PauseAndDrainTakeThePreviewBack) {
  Start(1);
  Offer();
  ASSERT_TRUE(controller.SetNotReady("a1", "").ok());
  EXPECT_EQ(StateOf("a1"), State::kNotReady);
  ASSERT_TRUE(controller.SetReady("a1").ok());
  Pass(absl::Seconds(2));
  ASSERT_THAT(screens.pops, SizeIs(2));
  EXPECT_EQ(screens.pops[1].lead, LeadId(1));
  bool drained = false;
  controller.Drain([&] { drained = true; });
  EXPECT_EQ(controller.AnswerPreview("a1", screens.pops[1].attempt, true).code(),
            Code::kFailedPrecondition);
  End(AgentLeg("a1"), call::CallOutcome::kAnswered, false);
  EXPECT_TRUE(drained);
}

TEST_F(PreviewTest, AnUnansweredPreviewFreesTheAgent) {
  Start(1);
  const call::DialOrder dial = OfferAndDial();
  End(dial.leg, call::CallOutcome::kBusy);
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
  ASSERT_THAT(screens.notices, SizeIs(1));
  EXPECT_THAT(screens.notices[0], HasSubstr("busy"));
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "AB");
  EXPECT_EQ(Stored(dial.attempt).agent, "a1");
}

TEST_F(PreviewTest, AListedNumberIsNotDialedThoughItWasShown) {
  Start(1);
  const AttemptId attempt = Offer();
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()}, [](absl::Status) {});
  EXPECT_EQ(controller.AnswerPreview("a1", attempt, true).code(), Code::kFailedPrecondition);
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
  EXPECT_EQ(StoredLead(1).status, "DNCL");
}

TEST_F(PreviewTest, ATrunkThatWasTakenAwayRefusesThePreview) {
  Start(1);
  const AttemptId attempt = Offer();
  settings.trunk = "nowhere";
  controller.PutCampaign(settings);
  EXPECT_EQ(controller.AnswerPreview("a1", attempt, true).code(), Code::kUnavailable);
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
}

// The agent left between "dial" and the order: the person is not rung for nobody.
TEST_F(PreviewTest, LogoutBeforeTheCallLeavesNothingRinging) {
  Start(1);
  const AttemptId attempt = Offer();
  store.hold_commits = true;
  ASSERT_TRUE(controller.AnswerPreview("a1", attempt, true).ok());
  ASSERT_TRUE(controller.Logout("a1").ok());
  store.LetCommits();
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(StoredLead(1).called_count, 0);
  EXPECT_FALSE(Stored(attempt).sent);
}

TEST_F(PreviewTest, LogoutWhileItRingsCancels) {
  Start(1);
  const call::DialOrder dial = OfferAndDial();
  ASSERT_TRUE(controller.Logout("a1").ok());
  EXPECT_TRUE(WasHungUp(dial.leg));
  // Back at once, and something else on the screen: the end of the old call is not its end.
  End(AgentLeg("a1"), call::CallOutcome::kAnswered, false);
  campaign::StoreBatch batch;
  batch.leads.push_back(Lead(2));
  ASSERT_TRUE(leads.Commit(batch).ok());
  controller.LeadsChanged("C");
  LogIn("a1");
  Pass(absl::Seconds(2));
  ASSERT_THAT(screens.pops, SizeIs(2));
  End(dial.leg, call::CallOutcome::kCancelled, false);
  EXPECT_EQ(StateOf("a1"), State::kReserved);
  EXPECT_TRUE(controller.AnswerPreview("a1", screens.pops[1].attempt, true).ok());
}

// Answered, and the agent who wanted the call has no phone any more: anybody else takes it, or the
// person hears the message. Never silence.
TEST_F(PreviewTest, AnAnswerForAnAgentWithoutPhoneIsNotLeftInSilence) {
  Start(1);
  const call::DialOrder dial = OfferAndDial();
  End(AgentLeg("a1"), call::CallOutcome::kAnswered);
  Answer(dial.leg);
  EXPECT_THAT(Of<call::Connect>(), IsEmpty());
  Pass(absl::Seconds(2));
  ASSERT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "DROP");
  EXPECT_EQ(StateOf("a1"), State::kAvailable);
}

TEST_F(PreviewTest, AnAnswerForAnAgentWithoutPhoneGoesToAnother) {
  Start(1);
  const call::DialOrder dial = OfferAndDial();
  LogIn("a2");
  End(AgentLeg("a1"), call::CallOutcome::kAnswered);
  Answer(dial.leg);
  ASSERT_THAT(Of<call::Connect>(), SizeIs(1));
  EXPECT_EQ(Of<call::Connect>()[0].agent, AgentLeg("a2"));
  Connected(dial.leg, AgentLeg("a2"));
  EXPECT_EQ(StateOf("a2"), State::kOnCall);
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(5));
  EXPECT_EQ(Stored(dial.attempt).agent, "a2");
  EXPECT_TRUE(Dispose("a2", dial.attempt, "NI").ok());
}

TEST_F(ControllerTest, DrainLetsCallsEndAndPlacesNone) {
  Start(5);
  const call::DialOrder dial = TalkOne();
  LogIn("a2");
  bool drained = false;
  controller.Drain([&] { drained = true; });
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(Figures().idle_reason, "the engine is draining");
  EXPECT_TRUE(controller.Board().draining);
  EXPECT_EQ(controller.Login("a3", "C", "").code(), Code::kUnavailable);
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(5));
  EXPECT_FALSE(drained);
  EXPECT_TRUE(Dispose("a1", dial.attempt, "SALE").ok());
  EXPECT_TRUE(WasHungUp(AgentLeg("a1")));
  EXPECT_TRUE(WasHungUp(AgentLeg("a2")));
  End(AgentLeg("a1"), call::CallOutcome::kAnswered, false);
  EXPECT_FALSE(drained);
  End(AgentLeg("a2"), call::CallOutcome::kAnswered, false);
  EXPECT_TRUE(drained);
  EXPECT_EQ(StateOf("a1"), State::kLoggedOut);
}

TEST_F(ControllerTest, DrainHoldsAnIntentThatWasNotSentYet) {
  Start(1);
  LogIn("a1");
  store.hold_commits = true;
  Tick();
  bool drained = false;
  controller.Drain([&] { drained = true; });
  store.LetCommits();
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(StoredLead(1).called_count, 0);
  End(AgentLeg("a1"), call::CallOutcome::kAnswered, false);
  EXPECT_TRUE(drained);
}

TEST_F(ControllerTest, DrainWithoutAnythingIsDoneAtOnce) {
  Start(0);
  bool drained = false;
  controller.Drain([&] { drained = true; });
  EXPECT_TRUE(drained);
}

}  // namespace
}  // namespace outpace::runtime
