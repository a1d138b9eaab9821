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

}  // namespace
}  // namespace outpace::runtime
