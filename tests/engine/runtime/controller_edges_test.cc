// What happens at the edges of a controller's life and of its day: silent answers, recovery, an end
// that cannot wait, a clock that steps back.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/controller_bench.h"

namespace outpace::runtime {
namespace {

using ::testing::SizeIs;
using Code = absl::StatusCode;
using State = agent::AgentState;

// A 200 without audio we can use is ended at once: to the person it was a silent call.
TEST_F(ControllerTest, AnAnswerWithoutUsableAudioIsAbandoned) {
  Start(1);
  const call::DialOrder dial = DialOne();
  call::LegEnded ended;
  ended.leg = dial.leg;
  ended.outcome = call::CallOutcome::kMedia;
  ended.sip_status = 200;
  End(ended);
  Pass(absl::Milliseconds(5));
  const campaign::Attempt attempt = Stored(dial.attempt);
  EXPECT_TRUE(attempt.abandoned);
  EXPECT_EQ(attempt.status, "DROP");
  EXPECT_NE(attempt.answered_at, absl::InfinitePast());
  EXPECT_EQ(Figures().today.abandoned, 1);
  EXPECT_GE(StoredLead(1).next_call_time, attempt.ended_at + absl::Hours(72));
}

// A 488 is the far end's refusal: nobody picked up.
TEST_F(ControllerTest, ARefusedOfferIsNoAnswer) {
  Start(1);
  const call::DialOrder dial = DialOne();
  call::LegEnded ended;
  ended.leg = dial.leg;
  ended.outcome = call::CallOutcome::kMedia;
  ended.sip_status = 488;
  End(ended);
  Pass(absl::Milliseconds(5));
  EXPECT_FALSE(Stored(dial.attempt).abandoned);
  EXPECT_EQ(Figures().today.abandoned, 0);
}

campaign::Attempt LeftOpen(uint64_t id, uint64_t lead, E164 number) {
  campaign::Attempt attempt;
  attempt.id = AttemptId(id);
  attempt.lead = LeadId(lead);
  attempt.list = ListId(101);
  attempt.campaign = "C";
  attempt.dialed = number;
  attempt.trunk = "carrier";
  attempt.call_id = absl::StrCat("op-", id, "-abc");
  attempt.dialed_at = absl::FromUnixSeconds(1'700'000'000) - absl::Seconds(20);
  return attempt;
}

// The journal proves an answer, and no agent had the call: it was abandoned, and counts.
TEST_F(ControllerTest, RecoveryCountsAnAnswerThatMetNobody) {
  state.open_attempts.push_back(LeftOpen(7, 1, Lead(1).phone));
  state.open_leads.push_back(Lead(1));
  call::DialogState dialog;
  dialog.call_id = "op-7-abc";
  state.open_dialogs.push_back(dialog);
  state.next_attempt = 100;
  Start(1);
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(Of<call::EndOrphanDialog>(), SizeIs(1));
  EXPECT_THAT(Of<call::EndOrphanInvite>(), SizeIs(0));
  EXPECT_TRUE(Stored(AttemptId(7)).abandoned);
  EXPECT_EQ(Stored(AttemptId(7)).status, "DROP");
  EXPECT_EQ(Figures().today.abandoned, 1);
  EXPECT_GE(StoredLead(1).next_call_time, world.clock().Wall() + absl::Hours(71));
}

// A call an agent had waits for the agent's word; then the engine says DISPO.
TEST_F(ControllerTest, RecoveredCallsGetTheirDispositionInTheEnd) {
  campaign::Attempt attempt = LeftOpen(7, 1, Lead(1).phone);
  attempt.agent = "a1";
  attempt.answered_at = attempt.connected_at = attempt.dialed_at + absl::Seconds(5);
  state.open_attempts = {attempt};
  state.open_leads = {Lead(1)};
  state.next_attempt = 100;
  Start(1);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(AttemptId(7)).status, "");
  Pass(absl::Minutes(11));
  EXPECT_EQ(Stored(AttemptId(7)).status, "DISPO");
  // Late, but the agent's own word still replaces the engine's.
  EXPECT_TRUE(Dispose("a1", AttemptId(7), "SALE").ok());
  EXPECT_EQ(StoredLead(1).status, "SALE");
}

TEST_F(ControllerTest, TwoDispositionsAtOnceAreOne) {
  campaign::Attempt attempt = LeftOpen(7, 1, Lead(1).phone);
  attempt.agent = "a1";
  attempt.answered_at = attempt.connected_at = attempt.dialed_at + absl::Seconds(5);
  state.open_attempts = {attempt};
  state.open_leads = {Lead(1)};
  Start(1);
  Pass(absl::Milliseconds(10));
  std::vector<absl::Status> answers;
  for (const char* status : {"SALE", "NI", "SALE"}) {
    controller.Dispose("a1", AttemptId(7), status, "", absl::InfinitePast(),
                       [&](absl::Status s) { answers.push_back(std::move(s)); });
  }
  Pass(absl::Milliseconds(50));
  ASSERT_THAT(answers, SizeIs(3));
  int good = 0;
  for (const absl::Status& s : answers) good += s.ok() ? 1 : 0;
  EXPECT_EQ(good, 2);  // SALE, and SALE again
  EXPECT_EQ(Stored(AttemptId(7)).status, "SALE");
}

// Time is up after SIGTERM: nothing may be left standing at the far end.
TEST_F(ControllerTest, AnEndThatCannotWaitHangsUpEverything) {
  Start(3);
  const call::DialOrder talking = TalkOne("a1");
  const LegId second = LogIn("a2");
  Pass(absl::Seconds(2));
  ASSERT_THAT(Dials(), SizeIs(2));
  bool drained = false;
  controller.Drain([&] { drained = true; });
  Pass(absl::Seconds(1));
  EXPECT_FALSE(drained);
  controller.HangUpAll();
  Pass(absl::Milliseconds(5));
  for (const LegId leg : {talking.leg, Dials().back().leg, AgentLeg("a1"), second}) {
    EXPECT_TRUE(WasHungUp(leg));
  }
  End(talking.leg, call::CallOutcome::kAnswered, false);
  End(Dials().back().leg, call::CallOutcome::kCancelled, false);
  Pass(absl::Milliseconds(10));
  End(AgentLeg("a1"), call::CallOutcome::kAnswered, false);
  End(second, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(drained);
  EXPECT_EQ(Stored(talking.attempt).status, "DISPO");
}

// A full mailbox delays what ends a call; it does not swallow it.
TEST_F(ControllerTest, AHangUpThatFindsTheMailboxFullComesLater) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  post_result = absl::ResourceExhaustedError("call shard mailbox full");
  EXPECT_TRUE(controller.HangUp("a1").ok());
  Pass(absl::Seconds(1));
  EXPECT_FALSE(WasHungUp(dial.leg));
  post_result = absl::OkStatus();
  Pass(absl::Seconds(1));
  EXPECT_TRUE(WasHungUp(dial.leg));
  End(dial.leg, call::CallOutcome::kAnswered, false);
}

// A clock that steps back over midnight does not hand out yesterday's tries again.
TEST_F(ControllerTest, TheDayNeverGoesBack) {
  CampaignRunner runner(settings);
  const absl::Time noon = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_TRUE(runner.RollDay(noon));
  runner.CountAttempt(LeadId(1));
  EXPECT_FALSE(runner.RollDay(noon - absl::Hours(24)));
  EXPECT_FALSE(runner.RollDay(noon));
  EXPECT_EQ(runner.AttemptsToday(LeadId(1)), 1);
  EXPECT_TRUE(runner.RollDay(noon + absl::Hours(24)));
  EXPECT_EQ(runner.AttemptsToday(LeadId(1)), 0);
}

// Seconds instead of milliseconds would make a call-back of next week due at once.
TEST_F(ControllerTest, ACallbackMustLieAhead) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(5));
  absl::Status answer;
  controller.Dispose("a1", dial.attempt, "CALLBK", "", absl::FromUnixMillis(1'700'600'000),
                     [&](absl::Status s) { answer = std::move(s); });
  Pass(absl::Milliseconds(20));
  EXPECT_EQ(answer.code(), Code::kInvalidArgument);
  EXPECT_EQ(StateOf("a1"), State::kWrapUp);
}

}  // namespace
}  // namespace outpace::runtime
