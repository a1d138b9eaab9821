// Calls that a trunk offers us: taken, refused, withdrawn, and every way their first seconds can go
// wrong.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/engine/call/call_shard_bench.h"

namespace outpace::call {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CallShardIncomingTest : public CallShardTest {
 protected:
  void Offer(uint64_t call, const std::string& sdp = "their offer") {
    shard_->OnIncoming({.call = call,
                        .trunk = 0,
                        .call_id = "x",
                        .from_user = "+12025550100",
                        .to_user = "+12025550199",
                        .sdp = sdp});
  }
  void Take(LegId leg, uint64_t call) { Post(TakeCall{.leg = leg, .call = call}); }
};

TEST_F(CallShardIncomingTest, TakenAndUpWithTheAck) {
  Offer(9);
  const auto offers = sink_.Of<CallOffered>();
  ASSERT_THAT(offers, SizeIs(1));
  EXPECT_EQ(offers[0].shard, 3);
  EXPECT_EQ(offers[0].call, 9u);
  EXPECT_EQ(offers[0].trunk, 0);
  EXPECT_EQ(offers[0].caller, "+12025550100");
  EXPECT_EQ(offers[0].called, "+12025550199");

  Take(Leg(0), 9);
  EXPECT_EQ(media_.remotes.at(Leg(0)), "their offer");
  EXPECT_EQ(signaling_.accepted_sdp, "local 0") << "our answer to their offer";
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAccepting);
  shard_->OnIncomingUp(Leg(0), {}, "");
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);
  Post(HangUp{.leg = Leg(0)});
  shard_->OnByeDone(Leg(0));
  // The journal has it before the controller does.
  EXPECT_THAT(trail_, ElementsAre("offered 9", "accept 0 9", "opened 0", "answered 0", "bye 0",
                                  "close 0", "ended 0", "closed 0", "forget 0", "freed 0"));
  EXPECT_EQ(shard_->stats().offered, 1u);
  EXPECT_EQ(shard_->trunk(0).calls(), 0) << "calls from outside are no part of our limit";
}

// The offer is ours in the 200, their answer comes in the ACK.
TEST_F(CallShardIncomingTest, WithoutAnOfferOursIsAnsweredInTheAck) {
  Offer(9, "");
  Take(Leg(0), 9);
  EXPECT_EQ(signaling_.accepted_sdp, "offer 0");
  shard_->OnIncomingUp(Leg(0), {}, "their answer");
  EXPECT_EQ(media_.remotes.at(Leg(0)), "their answer");
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);
}

TEST_F(CallShardIncomingTest, AnAckWithoutMediaIsEnded) {
  Offer(1, "");
  Take(Leg(0), 1);
  shard_->OnIncomingUp(Leg(0), {}, "");
  EXPECT_EQ(Ended().q850_cause, 88) << "incompatible destination";
  Offer(2, "");
  Take(Leg(1), 2);
  shard_->OnIncomingUp(Leg(1), {}, "no audio");
  EXPECT_THAT(signaling_.bye_causes, ElementsAre(88, 88));
  EXPECT_THAT(sink_.Of<LegAnswered>(), IsEmpty());
  shard_->OnByeDone(Leg(0));
  shard_->OnByeDone(Leg(1));
  EXPECT_EQ(shard_->stats().legs_live, 0u);
  EXPECT_THAT(media_.open, IsEmpty());
}

TEST_F(CallShardIncomingTest, AnOfferWithoutUsableAudioIsRefused) {
  Offer(9, "no audio");
  Take(Leg(0), 9);
  EXPECT_THAT(trail_, ElementsAre("offered 9", "refuse 9 488", "close 0", "ended 0", "freed 0"));
  EXPECT_FALSE(Ended().invite_sent);
}

TEST_F(CallShardIncomingTest, WithoutAPortItIsRefused) {
  Offer(9);
  media_.next_open = absl::ResourceExhaustedError("no port");
  Take(Leg(0), 9);
  EXPECT_THAT(trail_, ElementsAre("offered 9", "refuse 9 503", "ended 0", "freed 0"));
}

TEST_F(CallShardIncomingTest, RefusedOnce) {
  Offer(9);
  Post(RefuseCall{.call = 9, .status = 486});
  Post(RefuseCall{.call = 9, .status = 486});
  shard_->OnIncomingGone(9);
  EXPECT_THAT(trail_, ElementsAre("offered 9", "refuse 9 486"));
}

TEST_F(CallShardIncomingTest, WithdrawnBeforeAnybodyTookIt) {
  Offer(9);
  shard_->OnIncomingGone(9);
  EXPECT_THAT(sink_.Of<CallWithdrawn>(), SizeIs(1));
  // The controller's word was on its way: it hears that the caller has gone, and has its leg back.
  Take(Leg(0), 9);
  Post(RefuseCall{.call = 9});
  EXPECT_THAT(trail_, ElementsAre("offered 9", "withdrawn 9", "ended 0", "freed 0"));
  EXPECT_FALSE(Ended().invite_sent);
}

TEST_F(CallShardIncomingTest, TakenTwiceIsTakenOnce) {
  Offer(9);
  Take(Leg(0), 9);
  Take(Leg(1), 9);
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAccepting);
  EXPECT_EQ(Ended().leg, Leg(1));
  EXPECT_THAT(sink_.Of<LegFreed>(), SizeIs(1));
}

// Signalling knew of the end first.
TEST_F(CallShardIncomingTest, TakenTooLate) {
  Offer(9);
  signaling_.next_accept = absl::NotFoundError("gone");
  Take(Leg(0), 9);
  EXPECT_THAT(trail_, ElementsAre("offered 9", "close 0", "ended 0", "freed 0"));
  EXPECT_FALSE(Ended().invite_sent);
}

TEST_F(CallShardIncomingTest, TheAckNeverComes) {
  Offer(9);
  Take(Leg(0), 9);
  trail_.clear();
  shard_->OnFailure(Leg(0), {.status = 408, .local = true});
  EXPECT_THAT(trail_, ElementsAre("close 0", "ended 0", "forget 0", "freed 0"));
  EXPECT_EQ(Ended().sip_status, 0);
  EXPECT_EQ(shard_->trunk(0).failures(), 0u) << "one lost caller is no silence of the trunk";
}

TEST_F(CallShardIncomingTest, TheByeComesBeforeTheAck) {
  Offer(9);
  Take(Leg(0), 9);
  shard_->OnBye(Leg(0), 16);
  EXPECT_TRUE(Ended().by_far_end);
  EXPECT_THAT(sink_.Of<LegAnswered>(), IsEmpty());
  shard_->OnIncomingUp(Leg(0), {}, "");  // late
  EXPECT_EQ(shard_->stats().stale, 1u);
  EXPECT_TRUE(journal_.open.empty());
  EXPECT_EQ(shard_->stats().legs_live, 0u);
}

TEST_F(CallShardIncomingTest, HungUpBeforeTheAck) {
  Offer(9);
  Take(Leg(0), 9);
  Post(HangUp{.leg = Leg(0)});
  EXPECT_THAT(signaling_.bye_causes, ElementsAre(16));
  shard_->OnIncomingUp(Leg(0), {}, "");  // the ACK crossed our BYE
  EXPECT_THAT(sink_.Of<LegAnswered>(), IsEmpty());
  shard_->OnByeDone(Leg(0));
  EXPECT_EQ(shard_->stats().legs_live, 0u);
}

// A caller who was put through is a leg like any other.
TEST_F(CallShardIncomingTest, BridgedWithAnAgent) {
  Up(Leg(0), kAgentTrunk);
  Offer(9);
  Take(Leg(1), 9);
  shard_->OnIncomingUp(Leg(1), {}, "");
  Post(Connect{.lead = Leg(1), .agent = Leg(0)});
  EXPECT_EQ(shard_->state(Leg(1)), LegState::kBridged);
  shard_->OnBye(Leg(1), 16);
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);
}

}  // namespace
}  // namespace outpace::call
