#include "engine/call/call_shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/engine/call/call_shard_bench.h"

namespace outpace::call {
namespace {

using ::testing::ElementsAre;

TEST_F(CallShardTest, AnsweredAndHungUpByUs) {
  Dial(Leg(0));
  EXPECT_EQ(signaling_.invites.at(0).sdp_offer, "offer 0");
  world_.RunFor(absl::Seconds(3));
  shard_->OnProvisional(Leg(0), 100, "");
  shard_->OnProvisional(Leg(0), 180, "");
  shard_->OnAnswer(Leg(0), {}, "sdp");
  EXPECT_EQ(media_.remotes.at(Leg(0)), "sdp");
  Post(HangUp{.leg = Leg(0), .q850_cause = 31});
  shard_->OnByeDone(Leg(0));
  // The journal knows the dialog before the ACK leaves, and 100 is no progress.
  EXPECT_THAT(trail_,
              ElementsAre("invite 0", "progress 0", "opened 0", "ack 0", "answered 0", "bye 0",
                          "close 0", "ended 0", "closed 0", "forget 0", "freed 0"));
  EXPECT_EQ(Ended().outcome, CallOutcome::kAnswered);
  EXPECT_FALSE(Ended().by_far_end);
  EXPECT_EQ(Ended().q850_cause, 31);
  EXPECT_THAT(signaling_.bye_causes, ElementsAre(31));
  EXPECT_EQ(sink_.Of<LegAnswered>().at(0).at - sink_.Of<LegProgress>().at(0).at,
            absl::ZeroDuration());
  EXPECT_EQ(shard_->stats().legs_live, 0u);
  EXPECT_EQ(shard_->trunk(0).calls(), 0);
  EXPECT_EQ(shard_->trunk(0).answered(), 1u);
}

TEST_F(CallShardTest, HungUpByTheFarEnd) {
  Up(Leg(0));
  shard_->OnBye(Leg(0), 16);
  EXPECT_THAT(trail_, ElementsAre("close 0", "ended 0", "closed 0", "forget 0", "freed 0"));
  EXPECT_TRUE(Ended().by_far_end);
  EXPECT_EQ(Ended().q850_cause, 16);
}

TEST_F(CallShardTest, ByesThatCross) {
  Up(Leg(0));
  Post(HangUp{.leg = Leg(0)});
  shard_->OnBye(Leg(0), 16);
  EXPECT_EQ(sink_.Of<LegEnded>().size(), 1u);
  EXPECT_EQ(sink_.Of<LegFreed>().size(), 1u);
  shard_->OnByeDone(Leg(0));  // late
  EXPECT_EQ(shard_->stats().stale, 1u);
  EXPECT_EQ(sink_.Of<LegFreed>().size(), 1u);
}

TEST_F(CallShardTest, ByeNeverAnswered) {
  Up(Leg(0));
  Post(HangUp{.leg = Leg(0)});
  EXPECT_EQ(sink_.Of<LegEnded>().size(), 1u);  // reported at once: the call is over for the agent
  world_.RunFor(absl::Seconds(4.9));
  EXPECT_TRUE(sink_.Of<LegFreed>().empty());
  world_.RunFor(absl::Seconds(0.2));
  EXPECT_EQ(sink_.Of<LegFreed>().size(), 1u);
  EXPECT_TRUE(journal_.open.empty());
  EXPECT_EQ(shard_->stats().guards, 1u);
}

TEST_F(CallShardTest, FailureResponses) {
  Dial(Leg(0));
  shard_->OnFailure(Leg(0), {.status = 486, .q850_cause = 17});
  EXPECT_THAT(trail_, ElementsAre("invite 0", "close 0", "ended 0", "forget 0", "freed 0"));
  EXPECT_EQ(Ended().outcome, CallOutcome::kBusy);
  EXPECT_EQ(Ended().sip_status, 486);
  EXPECT_FALSE(Ended().trunk_fault);

  Dial(Leg(0, 2));
  shard_->OnProvisional(Leg(0, 2), 183, "");
  shard_->OnFailure(Leg(0, 2), {.status = 503, .retry_after = absl::Seconds(9)});
  EXPECT_EQ(Ended().outcome, CallOutcome::kCongestion);
  EXPECT_TRUE(Ended().trunk_fault);
  EXPECT_TRUE(Ended().invite_sent);
  EXPECT_EQ(Ended().retry_after, absl::Seconds(9));
}

TEST_F(CallShardTest, RingLimitCancelsAndReportsNoAnswer) {
  Dial(Leg(0));
  shard_->OnProvisional(Leg(0), 180, "");
  trail_.clear();
  world_.RunFor(absl::Seconds(29.9));
  EXPECT_TRUE(trail_.empty());
  world_.RunFor(absl::Seconds(0.2));
  EXPECT_THAT(trail_, ElementsAre("cancel 0"));  // not reported before the final response
  shard_->OnFailure(Leg(0), {.status = 487});
  EXPECT_THAT(trail_, ElementsAre("cancel 0", "close 0", "ended 0", "forget 0", "freed 0"));
  EXPECT_EQ(Ended().outcome, CallOutcome::kNoAnswer);
  EXPECT_FALSE(Ended().by_far_end);
  EXPECT_FALSE(Ended().crossed_answer);
}

TEST_F(CallShardTest, HangUpWhileRingingIsCancelled) {
  Dial(Leg(0));
  shard_->OnProvisional(Leg(0), 180, "");
  Post(HangUp{.leg = Leg(0)});
  shard_->OnFailure(Leg(0), {.status = 487});
  EXPECT_EQ(Ended().outcome, CallOutcome::kCancelled);
}

TEST_F(CallShardTest, BusyThatCrossesOurCancelIsStillBusy) {
  Dial(Leg(0));
  shard_->OnProvisional(Leg(0), 180, "");
  Post(HangUp{.leg = Leg(0)});
  shard_->OnFailure(Leg(0), {.status = 486});
  EXPECT_EQ(Ended().outcome, CallOutcome::kBusy);
}

TEST_F(CallShardTest, AnswerThatCrossesOurCancel) {
  Dial(Leg(0));
  shard_->OnProvisional(Leg(0), 180, "");
  world_.RunFor(absl::Seconds(31));
  trail_.clear();
  shard_->OnAnswer(Leg(0), {}, "sdp");
  EXPECT_THAT(trail_, ElementsAre("opened 0", "ack 0", "bye 0", "close 0", "ended 0"));
  EXPECT_EQ(Ended().outcome, CallOutcome::kNoAnswer);
  EXPECT_TRUE(Ended().crossed_answer);
  EXPECT_FALSE(Ended().by_far_end);
  shard_->OnByeDone(Leg(0));
  EXPECT_EQ(sink_.Of<LegEnded>().size(), 1u);
  EXPECT_EQ(sink_.Of<LegFreed>().size(), 1u);
  EXPECT_TRUE(sink_.Of<LegAnswered>().empty());
  EXPECT_TRUE(journal_.open.empty());
  EXPECT_EQ(shard_->stats().crossed_answers, 1u);
}

TEST_F(CallShardTest, Lost487) {
  Dial(Leg(0));
  shard_->OnProvisional(Leg(0), 180, "");
  Post(HangUp{.leg = Leg(0)});
  world_.RunFor(absl::Seconds(4.9));
  EXPECT_TRUE(sink_.Of<LegEnded>().empty());
  world_.RunFor(absl::Seconds(0.2));
  EXPECT_EQ(Ended().outcome, CallOutcome::kCancelled);
  EXPECT_EQ(sink_.Of<LegFreed>().size(), 1u);
  shard_->OnAnswer(Leg(0), {}, "sdp");  // a stack that lets it through does no harm
  EXPECT_TRUE(journal_.open.empty());
}

TEST_F(CallShardTest, GivingUpBeforeAnyProvisionalHoldsTheCancelBack) {
  Dial(Leg(0));
  Post(HangUp{.leg = Leg(0)});
  EXPECT_THAT(trail_, ElementsAre("invite 0"));
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kGivenUp);
  EXPECT_THAT(signaling_.given_up, ElementsAre(Leg(0))) << "a challenge must not bring a second";
  shard_->OnProvisional(Leg(0), 100, "");
  EXPECT_THAT(trail_, ElementsAre("invite 0", "cancel 0"));
  shard_->OnProvisional(Leg(0), 180, "");
  shard_->OnFailure(Leg(0), {.status = 487});
  EXPECT_EQ(Ended().outcome, CallOutcome::kCancelled);
  EXPECT_TRUE(sink_.Of<LegProgress>().empty());
}

// All in one turn of the shard's loop, as after a time without one.
TEST_F(CallShardTest, AFenceIsReachedBehindWhatWasPostedBeforeIt) {
  DialOrder order;
  order.leg = Leg(0);
  order.ids.call_id = "op-1";
  order.ring_time_max = absl::Seconds(30);
  ASSERT_TRUE(shard_->Post(order).ok());
  ASSERT_TRUE(shard_->Post(HangUp{.leg = Leg(0)}).ok());
  ASSERT_TRUE(shard_->Post(Fence{.id = 7}).ok());
  order.leg = Leg(1);
  order.ids.call_id = "op-2";
  ASSERT_TRUE(shard_->Post(order).ok());
  EXPECT_THAT(trail_, ElementsAre());
  world_.RunFor(absl::ZeroDuration());
  EXPECT_THAT(trail_, ElementsAre("invite 0", "fence 7", "invite 1"));
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kGivenUp);
}

TEST_F(CallShardTest, AnswerAfterGivingUpBeforeAnyProvisional) {
  Dial(Leg(0));
  Post(HangUp{.leg = Leg(0)});
  shard_->OnAnswer(Leg(0), {}, "sdp");
  EXPECT_TRUE(Ended().crossed_answer);
  EXPECT_EQ(Ended().outcome, CallOutcome::kCancelled);
}

TEST_F(CallShardTest, SilenceIsTheTrunksFaultAndOpensTheBreaker) {
  Dial(Leg(0));
  Dial(Leg(1));
  world_.RunFor(absl::Seconds(5.1));
  EXPECT_EQ(sink_.Of<TrunkState>().size(), 1u);
  EXPECT_TRUE(sink_.Of<TrunkState>().at(0).open);
  world_.RunFor(absl::Seconds(5));
  ASSERT_EQ(sink_.Of<LegEnded>().size(), 2u);
  EXPECT_EQ(Ended().outcome, CallOutcome::kCongestion);
  EXPECT_TRUE(Ended().trunk_fault);
  EXPECT_TRUE(Ended().invite_sent);
  EXPECT_EQ(shard_->trunk(0).failures(), 2u);  // each leg once
}

TEST_F(CallShardTest, A100AloneIsNotSilence) {
  Dial(Leg(0));
  shard_->OnProvisional(Leg(0), 100, "");
  world_.RunFor(absl::Seconds(20));
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kRinging);
}

TEST_F(CallShardTest, OpenBreakerRefusesUntilAProbeGetsThrough) {
  Dial(Leg(0));
  Dial(Leg(1));
  shard_->OnFailure(Leg(0), {.status = 503});
  shard_->OnFailure(Leg(1), {.status = 503});
  trail_.clear();
  Dial(Leg(2));
  EXPECT_THAT(trail_, ElementsAre("ended 2", "freed 2"));
  EXPECT_EQ(Ended().outcome, CallOutcome::kNoTrunk);
  EXPECT_FALSE(Ended().invite_sent);
  EXPECT_TRUE(Ended().trunk_fault);
  EXPECT_EQ(Ended().retry_after, absl::Seconds(5));

  // The controller hears that it may try without asking: a timer ends the back-off.
  trail_.clear();
  world_.RunFor(absl::Seconds(6));
  EXPECT_THAT(trail_, ElementsAre("trunk 0 probing"));
  Dial(Leg(3));
  Dial(Leg(4));
  shard_->OnProvisional(Leg(3), 180, "");
  Dial(Leg(5));
  EXPECT_THAT(trail_, ElementsAre("trunk 0 probing", "invite 3", "ended 4", "freed 4",
                                  "trunk 0 closed", "progress 3", "invite 5"));
}

TEST_F(CallShardTest, NoPortMeansNothingLeft) {
  media_.next_open = absl::ResourceExhaustedError("no port");
  Dial(Leg(0));
  EXPECT_THAT(trail_, ElementsAre("ended 0", "freed 0"));
  EXPECT_FALSE(Ended().invite_sent);
  EXPECT_EQ(Ended().outcome, CallOutcome::kNoTrunk);
  EXPECT_EQ(shard_->trunk(0).calls(), 0);
  EXPECT_EQ(shard_->trunk(0).attempts(), 0u);
  EXPECT_EQ(shard_->stats().refused, 1u);
}

TEST_F(CallShardTest, StackThatRefusesClosesTheMedia) {
  signaling_.next_invite = absl::UnavailableError("full");
  Dial(Leg(0));
  EXPECT_THAT(trail_, ElementsAre("close 0", "ended 0", "freed 0"));
  EXPECT_FALSE(Ended().invite_sent);
  EXPECT_TRUE(media_.open.empty());
  Dial(Leg(0, 2));  // the slot is good again
  EXPECT_EQ(shard_->state(Leg(0, 2)), LegState::kCalling);
}

TEST_F(CallShardTest, AnswerWithoutUsableAudio) {
  Dial(Leg(0));
  shard_->OnProvisional(Leg(0), 180, "");
  trail_.clear();
  shard_->OnAnswer(Leg(0), {}, "no audio");
  EXPECT_THAT(trail_, ElementsAre("opened 0", "ack 0", "bye 0", "close 0", "ended 0"));
  EXPECT_EQ(Ended().outcome, CallOutcome::kMedia);
  EXPECT_FALSE(Ended().crossed_answer);
  EXPECT_THAT(signaling_.bye_causes, ElementsAre(88));
  shard_->OnByeDone(Leg(0));
  EXPECT_TRUE(journal_.open.empty());
}

TEST_F(CallShardTest, SdpOf183ServesA200WithoutSdp) {
  Dial(Leg(0));
  shard_->OnProvisional(Leg(0), 183, "early");
  EXPECT_EQ(media_.remotes.at(Leg(0)), "early");
  shard_->OnAnswer(Leg(0), {}, "");
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);

  Dial(Leg(1));
  shard_->OnProvisional(Leg(1), 180, "");
  shard_->OnAnswer(Leg(1), {}, "");
  EXPECT_EQ(Ended().outcome, CallOutcome::kMedia);
}

TEST_F(CallShardTest, LateProvisionalDoesNotMoveTheMedia) {
  Up(Leg(0));
  shard_->OnProvisional(Leg(0), 183, "elsewhere");
  EXPECT_EQ(media_.remotes.at(Leg(0)), "sdp");
  EXPECT_EQ(shard_->stats().ignored, 1u);
}

TEST_F(CallShardTest, ConnectBridgesAtOnce) {
  Up(Leg(0));
  Up(Leg(1), kAgentTrunk);
  Post(Connect{.lead = Leg(0), .agent = Leg(1)});
  EXPECT_THAT(trail_, ElementsAre("bridge 0 1", "connected 0 1"));
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kBridged);
  EXPECT_EQ(shard_->state(Leg(1)), LegState::kBridged);
}

TEST_F(CallShardTest, LeadHangsUpAndTheAgentsLegStays) {
  Up(Leg(0));
  Up(Leg(1), kAgentTrunk);
  Post(Connect{.lead = Leg(0), .agent = Leg(1)});
  trail_.clear();
  shard_->OnBye(Leg(0), 16);
  EXPECT_THAT(trail_,
              ElementsAre("unbridge 0", "close 0", "ended 0", "closed 0", "forget 0", "freed 0"));
  EXPECT_EQ(shard_->state(Leg(1)), LegState::kAnswered);
  // And takes the next call.
  Up(Leg(0, 2));
  Post(Connect{.lead = Leg(0, 2), .agent = Leg(1)});
  EXPECT_THAT(trail_, ElementsAre("bridge 0 1", "connected 0 1"));
}

TEST_F(CallShardTest, AgentsPhoneHangsUpAndTheLeadStays) {
  Up(Leg(0));
  Up(Leg(1), kAgentTrunk);
  Post(Connect{.lead = Leg(0), .agent = Leg(1)});
  shard_->OnBye(Leg(1), 16);
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);
  EXPECT_EQ(sink_.Of<LegEnded>().size(), 1u);
  EXPECT_EQ(Ended().leg, Leg(1));
}

TEST_F(CallShardTest, HangUpOfABridgedLegPartsItFirst) {
  Up(Leg(0));
  Up(Leg(1), kAgentTrunk);
  Post(Connect{.lead = Leg(0), .agent = Leg(1)});
  trail_.clear();
  Post(HangUp{.leg = Leg(0)});
  EXPECT_THAT(trail_, ElementsAre("unbridge 0", "bye 0", "close 0", "ended 0"));
  EXPECT_EQ(shard_->state(Leg(1)), LegState::kAnswered);
}

TEST_F(CallShardTest, DisconnectPartsAndBothStay) {
  Up(Leg(0));
  Up(Leg(1), kAgentTrunk);
  Post(Connect{.lead = Leg(0), .agent = Leg(1)});
  trail_.clear();
  Post(Disconnect{.leg = Leg(1)});
  EXPECT_THAT(trail_, ElementsAre("unbridge 1"));
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);
  EXPECT_EQ(shard_->state(Leg(1)), LegState::kAnswered);
  Post(Disconnect{.leg = Leg(1)});  // twice is a counted no-op
  EXPECT_EQ(shard_->stats().ignored, 1u);
}

TEST_F(CallShardTest, ConnectThatCannotBe) {
  Up(Leg(0));
  Dial(Leg(1), kAgentTrunk);
  trail_.clear();
  Post(Connect{.lead = Leg(0), .agent = Leg(1)});     // the agent's phone still rings
  Post(Connect{.lead = Leg(0), .agent = Leg(9)});     // no such leg
  Post(Connect{.lead = Leg(0), .agent = Leg(0)});     // with itself
  Post(Connect{.lead = Leg(1), .agent = Leg(0)});     // the lead is not up
  Post(Connect{.lead = Leg(0, 7), .agent = Leg(1)});  // another generation
  EXPECT_TRUE(trail_.empty());
  EXPECT_EQ(shard_->stats().connects_ignored, 4u);
  shard_->OnAnswer(Leg(1), {}, "sdp");
  Up(Leg(2));
  Post(Connect{.lead = Leg(0), .agent = Leg(1)});
  trail_.clear();
  Post(Connect{.lead = Leg(2), .agent = Leg(1)});  // the agent is taken
  EXPECT_TRUE(trail_.empty());
  EXPECT_EQ(shard_->stats().connects_ignored, 5u);
}

TEST_F(CallShardTest, AgentOfAnotherShard) {
  Up(Leg(0));
  const LegId agent{4, 1, 1};
  Post(Connect{.lead = Leg(0), .agent = agent});
  EXPECT_THAT(trail_, ElementsAre("bridge 0 1", "connected 0 1"));
  trail_.clear();
  shard_->OnBye(Leg(0), 16);
  EXPECT_EQ(trail_.at(0), "unbridge 0");
  EXPECT_EQ(shard_->stats().stale, 0u);
}

TEST_F(CallShardTest, PromptThenHangUp) {
  Up(Leg(0));
  Post(PlayThenHangUp{.leg = Leg(0)});
  world_.RunFor(absl::Seconds(5));
  shard_->OnPromptDone(Leg(0));
  shard_->OnByeDone(Leg(0));
  EXPECT_THAT(trail_, ElementsAre("play 0", "prompt_finished 0", "bye 0", "close 0", "ended 0",
                                  "closed 0", "forget 0", "freed 0"));
  EXPECT_EQ(Ended().outcome, CallOutcome::kAnswered);
}

TEST_F(CallShardTest, PromptWhoseEndIsNeverTold) {
  Up(Leg(0));
  Post(PlayThenHangUp{.leg = Leg(0)});
  world_.RunFor(absl::Seconds(119));
  EXPECT_THAT(trail_, ElementsAre("play 0"));  // a message may wait 20 s for its beep
  world_.RunFor(absl::Seconds(2));
  EXPECT_THAT(trail_, ElementsAre("play 0", "bye 0", "close 0", "ended 0"));
}

TEST_F(CallShardTest, FarEndHangsUpDuringThePrompt) {
  Up(Leg(0));
  Post(PlayThenHangUp{.leg = Leg(0)});
  shard_->OnBye(Leg(0), 16);
  EXPECT_TRUE(Ended().by_far_end);
  shard_->OnPromptDone(Leg(0));
  EXPECT_TRUE(sink_.Of<PromptFinished>().empty());
  EXPECT_EQ(shard_->stats().stale, 1u);
}

TEST_F(CallShardTest, MediaLostEndsTheCall) {
  Up(Leg(0));
  shard_->OnFirstMedia(Leg(0), world_.now());
  shard_->OnMediaLost(Leg(0));
  EXPECT_THAT(trail_, ElementsAre("bye 0", "close 0", "ended 0"));
  EXPECT_EQ(Ended().q850_cause, 102);
  EXPECT_FALSE(Ended().by_far_end);
}

TEST_F(CallShardTest, ReinviteIsAnsweredOnlyWhileUp) {
  Dial(Leg(0));
  EXPECT_EQ(shard_->OnReinvite(Leg(0), "sdp"), "");
  shard_->OnAnswer(Leg(0), {}, "sdp");
  EXPECT_EQ(shard_->OnReinvite(Leg(0), "hold"), "local 0");
  EXPECT_EQ(media_.remotes.at(Leg(0)), "hold");
  EXPECT_EQ(shard_->OnReinvite(Leg(0), ""), "local 0");  // late offer
  EXPECT_EQ(shard_->OnReinvite(Leg(0), "no audio"), "");
  EXPECT_EQ(shard_->OnReinvite(Leg(9), "sdp"), "");
}

TEST_F(CallShardTest, StaleGenerationsAreCountedAndDropped) {
  Up(Leg(0, 1));
  shard_->OnBye(Leg(0, 1), 16);
  Dial(Leg(0, 2));
  trail_.clear();
  Post(HangUp{.leg = Leg(0, 1)});
  shard_->OnProvisional(Leg(0, 1), 180, "");
  shard_->OnAnswer(Leg(0, 1), {}, "sdp");
  shard_->OnFailure(Leg(0, 1), {.status = 486});
  shard_->OnBye(Leg(0, 1), 16);
  shard_->OnMediaLost(Leg(0, 1));
  Post(HangUp{.leg = {9, 0, 2}});       // another shard's
  Post(HangUp{.leg = Leg(4'000'000)});  // out of range
  EXPECT_TRUE(trail_.empty());
  EXPECT_EQ(shard_->stats().stale, 8u);
  EXPECT_EQ(shard_->state(Leg(0, 2)), LegState::kCalling);
}

TEST_F(CallShardTest, OrphansAreHandedToTheStack) {
  EndOrphanDialog dialog;
  dialog.dialog.call_id = "op-7";
  Post(std::move(dialog));
  EndOrphanInvite invite;
  invite.invite.ids.call_id = "op-8";
  Post(std::move(invite));
  EXPECT_THAT(trail_, ElementsAre("bye_orphan op-7", "cancel_orphan op-8"));
}

TEST_F(CallShardTest, AgentTrunkHasNoBreaker) {
  for (uint32_t i = 0; i < 10; ++i) {
    Dial(Leg(i), kAgentTrunk);
    shard_->OnFailure(Leg(i), {.status = 503, .retry_after = absl::Seconds(60)});
  }
  EXPECT_EQ(signaling_.invites.size(), 10u);
  EXPECT_TRUE(sink_.Of<TrunkState>().empty());
}

TEST_F(CallShardTest, FullMailboxIsToldAndNothingIsLost) {
  int taken = 0;
  while (shard_->Post(HangUp{.leg = Leg(9)}).ok()) ++taken;
  EXPECT_EQ(taken, 64);
  EXPECT_EQ(shard_->stats().mailbox_full, 1u);
  world_.RunFor(absl::ZeroDuration());
  EXPECT_EQ(shard_->stats().stale, 64u);
  EXPECT_TRUE(shard_->Post(HangUp{.leg = Leg(9)}).ok());
}

TEST_F(CallShardTest, OneWakeUpServesManyMessages) {
  const uint64_t before = world_.events_run();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(shard_->Post(HangUp{.leg = Leg(9)}).ok());
  world_.RunFor(absl::ZeroDuration());
  EXPECT_EQ(world_.events_run() - before, 1u);
  EXPECT_EQ(shard_->stats().stale, 50u);
}

TEST_F(CallShardTest, LostWakeUpIsMadeUpForByTheNextEvent) {
  Up(Leg(0));
  Dial(Leg(1));
  loop_->set_post_limit(0);
  ASSERT_TRUE(shard_->Post(HangUp{.leg = Leg(0)}).ok());
  world_.RunFor(absl::Seconds(1));
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kAnswered);
  EXPECT_EQ(shard_->stats().wakes_lost, 1u);
  shard_->OnProvisional(Leg(1), 180, "");
  EXPECT_EQ(shard_->state(Leg(0)), LegState::kEnding);
}

TEST_F(CallShardTest, DestroyedWithWorkUnderWay) {
  Up(Leg(0));
  Dial(Leg(1));
  ASSERT_TRUE(shard_->Post(HangUp{.leg = Leg(0)}).ok());
  shard_.reset();
  world_.RunFor(absl::Minutes(5));  // neither its wake-up nor its timers find it
  EXPECT_EQ(sink_.Of<LegEnded>().size(), 0u);
}

using CallShardDeathTest = CallShardTest;

TEST_F(CallShardDeathTest, OrderForASlotThatIsTakenIsOurMistake) {
  Dial(Leg(0));
  EXPECT_DEATH(Dial(Leg(0, 2)), "check failed");
}

}  // namespace
}  // namespace outpace::call
