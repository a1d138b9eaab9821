// Calls from outside: which are taken, what their callers hear, and what they must not touch.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/controller_bench.h"

namespace outpace::runtime {
namespace {

using call::CallOutcome;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kOurs[] = "+12025550199";

class InboundTest : public ::testing::Test, public ControllerBench {
 protected:
  explicit InboundTest(uint32_t legs_max = 40) : ControllerBench(InboundOptions(legs_max)) {}
  void TearDown() override { EXPECT_EQ(controller.CheckInvariants(), ""); }

  static ControllerOptions InboundOptions(uint32_t legs_max) {
    ControllerOptions options = Options();
    options.trunks[0].inbound = {{.number = kOurs, .campaign = "C"}, {.number = "88001"}};
    options.legs_max = legs_max;
    return options;
  }
  void Offer(uint64_t call, const std::string& called = kOurs, uint16_t trunk = 0) {
    call::CallOffered offer;
    offer.call = call;
    offer.trunk = trunk;
    offer.caller = "+13035550001";
    offer.called = called;
    Say(offer);
  }
  // The leg that the last call was taken as.
  LegId TakenLeg() const {
    const auto taken = Of<call::TakeCall>();
    return taken.empty() ? LegId() : taken.back().leg;
  }
  // The statuses of all refusals, in order.
  std::vector<int> Refusals() const {
    std::vector<int> statuses;
    for (const call::RefuseCall& refused : Of<call::RefuseCall>()) {
      statuses.push_back(refused.status);
    }
    return statuses;
  }
};

TEST_F(InboundTest, ACallerHearsTheMessage) {
  Start(0);
  Offer(7);
  ASSERT_THAT(Of<call::TakeCall>(), SizeIs(1));
  EXPECT_EQ(Of<call::TakeCall>()[0].call, 7u);
  const LegId leg = TakenLeg();
  EXPECT_THAT(Of<call::PlayThenHangUp>(), IsEmpty());  // not before the ACK
  Answer(leg);
  const auto prompts = Of<call::PlayThenHangUp>();
  ASSERT_THAT(prompts, SizeIs(1));
  EXPECT_EQ(prompts[0].leg, leg);
  EXPECT_EQ(prompts[0].prompt, call::Prompt::kSafeHarbor);
  Say(call::PromptFinished{leg, world.now()});
  End(leg, CallOutcome::kAnswered, false);
  EXPECT_EQ(controller.CheckInvariants(), "");
  // Nothing of it is a call that we placed.
  EXPECT_EQ(Figures().today.attempts, 0);
  EXPECT_EQ(Figures().today.answered, 0);
  EXPECT_EQ(Figures().today.abandoned, 0);
  const TrunkFigures trunk = controller.Board().trunks.at(0);
  EXPECT_EQ(trunk.calls, 0);
  EXPECT_EQ(trunk.answered, 0);
}

TEST_F(InboundTest, TheNumberIsKnownWithAndWithoutPlus) {
  Start(0);
  Offer(1, "12025550199");
  Offer(2, "+88001");
  Offer(3, "88001");
  EXPECT_THAT(Of<call::TakeCall>(), SizeIs(3));
  EXPECT_THAT(Refusals(), IsEmpty());
}

TEST_F(InboundTest, OtherNumbersAndOtherTrunksAreRefused) {
  Start(0);
  Offer(1, "+12025550198");
  Offer(2, "2025550199");  // the country code is part of the number
  Offer(3, "");
  Offer(4, "+");
  Offer(5, kOurs, 1);   // a number of the other trunk
  Offer(6, kOurs, 99);  // no such trunk
  EXPECT_THAT(Of<call::TakeCall>(), IsEmpty());
  EXPECT_THAT(Refusals(), ElementsAre(404, 404, 404, 404, 404, 404));
  EXPECT_EQ(Of<call::RefuseCall>()[4].call, 5u);
}

// The shard tells of the withdrawal, and then that it could not take what had gone.
TEST_F(InboundTest, ACallerWhoGaveUpAsTheCallWasTakenIsForgotten) {
  Start(0);
  Offer(7);
  const LegId leg = TakenLeg();
  Say(call::CallWithdrawn{7});
  call::LegEnded ended;
  ended.leg = leg;
  ended.outcome = CallOutcome::kNoTrunk;
  ended.invite_sent = false;
  ended.trunk_fault = true;
  End(ended);
  EXPECT_THAT(Of<call::PlayThenHangUp>(), IsEmpty());
  Offer(8);
  // The slot came back, with its next generation.
  EXPECT_EQ(TakenLeg().index, leg.index);
  EXPECT_GT(TakenLeg().generation, leg.generation);
}

TEST_F(InboundTest, ACallerMayHangUpBeforeTheAckAndDuringTheMessage) {
  Start(0);
  Offer(1);
  End(TakenLeg(), CallOutcome::kAnswered);
  EXPECT_THAT(Of<call::PlayThenHangUp>(), IsEmpty());
  Offer(2);
  const LegId second = TakenLeg();
  Answer(second);
  End(second, CallOutcome::kAnswered);
  // What comes late for a leg that is gone finds nobody.
  Answer(second);
  Say(call::PromptFinished{second, world.now()});
  EXPECT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  EXPECT_THAT(Refusals(), IsEmpty());
}

TEST_F(InboundTest, OnlySoManyAtOnceAreTaken) {
  Start(0);
  for (uint64_t call = 1; call <= 21; ++call) Offer(call);
  EXPECT_THAT(Of<call::TakeCall>(), SizeIs(20));
  EXPECT_THAT(Refusals(), ElementsAre(503));
  End(TakenLeg(), CallOutcome::kAnswered);
  Offer(22);
  EXPECT_THAT(Of<call::TakeCall>(), SizeIs(21));
}

class FewLegsTest : public InboundTest {
 protected:
  FewLegsTest() : InboundTest(8) {}
};

// One line is an agent's; of the seven left callers may have three.
TEST_F(FewLegsTest, HalfOfTheFreeLegsStaysForTheCampaigns) {
  Start(0);
  LogIn("a1");
  for (uint64_t call = 1; call <= 5; ++call) Offer(call);
  Pass(absl::Milliseconds(5));
  EXPECT_THAT(Of<call::TakeCall>(), SizeIs(3));
  EXPECT_THAT(Refusals(), ElementsAre(503, 503));
}

// A caller is nobody's lead here: an agent who waits stays with the campaign.
TEST_F(InboundTest, DialingGoesOnBeside) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Offer(7);
  const LegId leg = TakenLeg();
  EXPECT_NE(leg.index, dial.leg.index);
  Answer(leg);
  Answer(dial.leg);
  Connected(dial.leg, AgentLeg("a1"));
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kOnCall);
  End(leg, CallOutcome::kAnswered, false);
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kOnCall);
  EXPECT_EQ(Figures().today.answered, 1);
  End(dial.leg, CallOutcome::kAnswered);
}

TEST_F(InboundTest, DrainWaitsForCallersAndTakesNoMore) {
  Start(0);
  Offer(1);
  const LegId leg = TakenLeg();
  Answer(leg);
  bool drained = false;
  controller.Drain([&] { drained = true; });
  Offer(2);
  EXPECT_THAT(Refusals(), ElementsAre(503));
  EXPECT_FALSE(drained);
  End(leg, CallOutcome::kAnswered, false);
  EXPECT_TRUE(drained);
}

TEST_F(InboundTest, AnEndThatCannotWaitHangsUpCallers) {
  Start(0);
  Offer(1);
  const LegId leg = TakenLeg();
  bool drained = false;
  controller.Drain([&] { drained = true; });
  controller.HangUpAll();
  EXPECT_TRUE(WasHungUp(leg));
  End(leg, CallOutcome::kAnswered, false);
  EXPECT_TRUE(drained);
}

// A full mailbox delays the answer to an offer; it is not lost.
TEST_F(InboundTest, AnAnswerThatFindsTheMailboxFullComesLater) {
  Start(0);
  post_result = absl::ResourceExhaustedError("call shard mailbox full");
  Offer(1);
  Offer(2, "+12025550198");
  EXPECT_THAT(Of<call::TakeCall>(), IsEmpty());
  post_result = absl::OkStatus();
  Tick();
  EXPECT_THAT(Of<call::TakeCall>(), SizeIs(1));
  EXPECT_THAT(Refusals(), ElementsAre(404));
  End(TakenLeg(), CallOutcome::kAnswered);
}

// An engine that needs somebody's look takes no calls either: the trunk may send them elsewhere.
TEST_F(InboundTest, NoCallIsTakenOnceDialingHasStopped) {
  Start(1);
  LogIn("a1");
  leads.FailCommitAt(1);
  Pass(absl::Seconds(2));
  ASSERT_NE(controller.Board().stopped_reason, "");
  Offer(1);
  EXPECT_THAT(Of<call::TakeCall>(), IsEmpty());
  EXPECT_THAT(Refusals(), ElementsAre(503));
}

// ---- a caller whom the campaign has rung ----

// Lead 1 has been rung and rests; it calls back.
class CallBackTest : public InboundTest {
 protected:
  void SetUp() override {
    campaign::Lead lead = Lead(1);
    lead.status = "NA";
    lead.called_count = 2;
    lead.last_call_time = world.clock().Wall() - absl::Hours(1);
    lead.next_call_time = world.clock().Wall() + absl::Hours(5);
    campaign::StoreBatch batch;
    batch.leads.push_back(lead);
    ASSERT_TRUE(leads.Commit(batch).ok());
    Start(0);
  }
  void CallBack(uint64_t call = 7, const std::string& caller = "+13035550001") {
    Say(call::CallOffered{.call = call, .trunk = 0, .caller = caller, .called = kOurs});
  }
  // The store has answered.
  void Sink() { Pass(absl::Milliseconds(5)); }
  // Offered, taken, acknowledged. The caller's leg.
  LegId Up() {
    CallBack();
    Sink();
    Answer(TakenLeg());
    return TakenLeg();
  }
  // The campaign's figures and the lead's tries are those of no call at all.
  void ExpectNothingCounted() {
    const CampaignFigures figures = Figures();
    EXPECT_EQ(figures.today.attempts, 0);
    EXPECT_EQ(figures.today.answered, 0);
    EXPECT_EQ(figures.today.connected, 0);
    EXPECT_EQ(figures.today.abandoned, 0);
    EXPECT_EQ(figures.today.dispositions, 0);
    EXPECT_EQ(figures.ringing, 0);
    EXPECT_EQ(controller.Board().trunks.at(0).calls, 0);
    EXPECT_EQ(StoredLead(1).called_count, 2);
  }
};

TEST_F(CallBackTest, AKnownCallerReachesTheAgentWhoWaitsLongest) {
  const LegId agent = LogIn("a2");
  Pass(absl::Seconds(1));
  LogIn("a1");
  CallBack();
  EXPECT_THAT(Of<call::TakeCall>(), IsEmpty());  // the store is asked first
  Sink();
  const LegId leg = TakenLeg();
  EXPECT_EQ(StateOf("a2"), agent::AgentState::kReserved);
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kAvailable);
  EXPECT_EQ(controller.CheckInvariants(), "");
  Answer(leg);
  ASSERT_THAT(Of<call::Connect>(), SizeIs(1));
  EXPECT_EQ(Of<call::Connect>()[0].lead, leg);
  EXPECT_EQ(Of<call::Connect>()[0].agent, agent);
  Connected(leg, agent);
  EXPECT_EQ(StateOf("a2"), agent::AgentState::kOnCall);
  ASSERT_THAT(screens.pops, SizeIs(1));
  EXPECT_EQ(screens.pops[0].lead, LeadId(1));
  EXPECT_EQ(screens.pops[0].agent, "a2");
  const AttemptId attempt = screens.pops[0].attempt;
  Pass(absl::Seconds(20));
  EXPECT_TRUE(Stored(attempt).open);
  EXPECT_EQ(controller.CheckInvariants(), "");
  End(leg, CallOutcome::kAnswered);
  EXPECT_EQ(StateOf("a2"), agent::AgentState::kWrapUp);
  EXPECT_THAT(screens.ended, SizeIs(1));
  EXPECT_TRUE(Dispose("a2", attempt, "SALE").ok());
  EXPECT_EQ(StateOf("a2"), agent::AgentState::kAvailable);
  const campaign::Attempt record = Stored(attempt);
  EXPECT_TRUE(record.inbound);
  EXPECT_FALSE(record.open);
  EXPECT_FALSE(record.abandoned);
  EXPECT_EQ(record.status, "SALE");
  EXPECT_EQ(record.agent, "a2");
  EXPECT_EQ(record.dialed, E164(13035550001));
  EXPECT_EQ(record.caller_id, E164(12025550199));
  EXPECT_EQ(record.term_reason, "CALLER");
  EXPECT_GE(record.ended_at - record.connected_at, absl::Seconds(19));
  EXPECT_EQ(StoredLead(1).status, "SALE");
  EXPECT_EQ(StoredLead(1).next_call_time, absl::InfiniteFuture());
  ExpectNothingCounted();
}

TEST_F(CallBackTest, StrangersAndWithheldNumbersHearTheMessage) {
  LogIn("a1");
  uint64_t call = 0;
  for (const char* caller : {"+13035550002", "anonymous", "", "02025550100"}) {
    CallBack(++call, caller);
    Sink();
    ASSERT_THAT(Of<call::TakeCall>(), SizeIs(call)) << caller;
    Answer(TakenLeg());
    EXPECT_THAT(Of<call::PlayThenHangUp>(), SizeIs(call)) << caller;
    End(TakenLeg(), CallOutcome::kAnswered, false);
  }
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kAvailable);
  EXPECT_THAT(screens.pops, IsEmpty());
}

TEST_F(CallBackTest, WithNoAgentFreeTheMessagePlays) {
  LogIn("a1", false);
  const LegId leg = Up();
  EXPECT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  End(leg, CallOutcome::kAnswered, false);
  ExpectNothingCounted();
}

TEST_F(CallBackTest, TheAgentMayGoWhileTheStoreIsAsked) {
  LogIn("a1");
  CallBack();
  EXPECT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
  Sink();
  Answer(TakenLeg());
  EXPECT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  End(TakenLeg(), CallOutcome::kAnswered, false);
}

TEST_F(CallBackTest, TheCallerMayGoWhileTheStoreIsAsked) {
  LogIn("a1");
  CallBack();
  Say(call::CallWithdrawn{7});
  Sink();
  EXPECT_THAT(Of<call::TakeCall>(), IsEmpty());
  EXPECT_THAT(Refusals(), IsEmpty());
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kAvailable);
  CallBack(8);  // and again
  Sink();
  EXPECT_THAT(Of<call::TakeCall>(), SizeIs(1));
  End(TakenLeg(), CallOutcome::kAnswered);
}

TEST_F(CallBackTest, ACallerWhoGoesBeforeTheBridgeLeavesNoTrace) {
  LogIn("a1");
  CallBack();
  Sink();
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kReserved);
  End(TakenLeg(), CallOutcome::kFailed);  // before the ACK
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kAvailable);
  const LegId leg = Up();
  ASSERT_THAT(Of<call::Connect>(), SizeIs(1));
  End(leg, CallOutcome::kAnswered);  // bridge ordered
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kAvailable);
  EXPECT_THAT(screens.pops, IsEmpty());
  EXPECT_EQ(StoredLead(1).status, "NA");
  ExpectNothingCounted();
}

// To this person it is no abandoned call: we did not ring.
TEST_F(CallBackTest, WhoseAgentGoesHearsTheMessage) {
  LogIn("a1");
  CallBack();
  Sink();
  EXPECT_TRUE(controller.Logout("a1").ok());
  Answer(TakenLeg());
  EXPECT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  End(TakenLeg(), CallOutcome::kAnswered, false);
  LogIn("a2");
  const LegId leg = Up();
  ASSERT_THAT(Of<call::Connect>(), SizeIs(1));
  EXPECT_TRUE(controller.Logout("a2").ok());
  EXPECT_THAT(Of<call::PlayThenHangUp>(), SizeIs(2));
  Connected(leg, AgentLeg("a2"));  // crossed
  End(leg, CallOutcome::kAnswered, false);
  ExpectNothingCounted();
}

TEST_F(CallBackTest, ALateDispositionIsWrittenByTheEngine) {
  LogIn("a1");
  const LegId leg = Up();
  Connected(leg, AgentLeg("a1"));
  EXPECT_TRUE(controller.HangUp("a1").ok());
  EXPECT_TRUE(WasHungUp(leg));
  End(leg, CallOutcome::kAnswered, false);
  Pass(absl::Seconds(31));
  EXPECT_EQ(Stored(screens.pops.at(0).attempt).status, "DISPO");
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kNotReady);
  ExpectNothingCounted();
}

// Who is on the line is not rung, whatever is due.
TEST_F(CallBackTest, NobodyRingsACallerWhoTalks) {
  LogIn("a1");
  const LegId leg = Up();
  Connected(leg, AgentLeg("a1"));
  campaign::Lead same = Lead(2);
  same.phone = Lead(1).phone;
  campaign::StoreBatch batch;
  batch.leads.push_back(same);
  ASSERT_TRUE(leads.Commit(batch).ok());
  controller.LeadsChanged("C");
  LogIn("a2");
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), IsEmpty());
  End(leg, CallOutcome::kAnswered);
}

// The lead is being dialed at this moment: its two calls must not meet.
TEST_F(InboundTest, ACallerWhomWeAreRingingHearsTheMessage) {
  Start(1);
  const call::DialOrder dial = DialOne();
  LogIn("a2");
  Offer(7);
  Pass(absl::Milliseconds(5));
  Answer(TakenLeg());
  EXPECT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  End(TakenLeg(), CallOutcome::kAnswered, false);
  End(dial.leg, CallOutcome::kBusy);
}

TEST_F(CallBackTest, DrainRefusesWhoIsStillLookedFor) {
  LogIn("a1");
  CallBack();
  bool drained = false;
  controller.Drain([&] { drained = true; });
  Sink();
  EXPECT_THAT(Of<call::TakeCall>(), IsEmpty());
  EXPECT_THAT(Refusals(), ElementsAre(503));
  End(AgentLeg("a1"), CallOutcome::kAnswered, false);
  EXPECT_TRUE(drained);
}

// A predecessor died while an agent talked to a caller: no far end is rung or cancelled for it, and
// the agent's word still counts.
TEST_F(InboundTest, RecoveryKnowsCallsFromOutside) {
  campaign::Attempt attempt;
  attempt.id = AttemptId(7);
  attempt.lead = LeadId(1);
  attempt.list = ListId(101);
  attempt.campaign = "C";
  attempt.dialed = Lead(1).phone;
  attempt.inbound = true;
  attempt.agent = "a1";
  attempt.dialed_at = world.clock().Wall() - absl::Minutes(1);
  attempt.answered_at = attempt.connected_at = attempt.dialed_at;
  state.open_attempts = {attempt};
  state.open_leads = {Lead(1)};
  state.attempts_today = {attempt};
  state.next_attempt = 100;
  Start(1);
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(Of<call::EndOrphanInvite>(), IsEmpty());
  EXPECT_TRUE(Dispose("a1", AttemptId(7), "SALE").ok());
  EXPECT_EQ(StoredLead(1).status, "SALE");
  EXPECT_EQ(Figures().today.attempts, 0);
  EXPECT_EQ(Figures().today.connected, 0);
  EXPECT_EQ(Figures().today.dispositions, 0);
}

}  // namespace
}  // namespace outpace::runtime
