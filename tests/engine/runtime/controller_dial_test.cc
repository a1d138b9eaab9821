// How many, over whose share of the trunk; and what becomes of calls that ring for agents who have
// left.

#include <algorithm>
#include <map>

#include "controller_bench.h"
#include "gmock/gmock.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ControllerDialTest : public ControllerTest {
 protected:
  // Campaign C of the bench and a second one, D, both at a fixed level that always wants more; with
  // `each` leads.
  void StartTwo(const std::string& trunk, int each) {
    settings.trunk = trunk;
    settings.dial_method = campaign::DialMethod::kRatio;
    settings.auto_dial_level = 20;
    other_ = settings;
    other_.id = "D";
    PrepareSettings();
    campaign::StoreBatch batch;
    for (int i = 0; i < each; ++i) {
      campaign::Lead lead = Lead(1000 + static_cast<uint64_t>(i));
      lead.campaign = "D";
      lead.list = ListId(102);
      batch.leads.push_back(lead);
    }
    ASSERT_TRUE(leads.Commit(batch).ok());
    state.campaigns.push_back(other_);
    Start(each);
  }
  virtual void PrepareSettings() {}

  void LogInTo(const AgentId& agent, const CampaignId& campaign) {
    ASSERT_TRUE(controller.Login(agent, campaign, "").ok());
    controller.ScreenConnected(agent);
    Answer(AgentLeg(agent));
    ASSERT_TRUE(controller.SetReady(agent).ok());
  }
  // Every call that was placed since the last look is busy.
  void EndNewDials() {
    const std::vector<call::DialOrder> dials = Dials();
    for (; ended_ < dials.size(); ++ended_) {
      ++placed_[Stored(dials[ended_].attempt).campaign];
      End(dials[ended_].leg, call::CallOutcome::kBusy);
    }
  }
  void Ring(const std::vector<call::DialOrder>& dials) {
    for (const call::DialOrder& dial : dials) Say(call::LegProgress{dial.leg, 180, world.now()});
  }

  campaign::CampaignSettings other_;
  size_t ended_ = 0;
  std::map<CampaignId, int> placed_;
};

class ControllerShareTest : public ControllerDialTest {
 protected:
  void PrepareSettings() override {
    settings.campaign_weight = 75;
    other_.campaign_weight = 25;
  }
};

// One call in five seconds, and both campaigns want all of them.
TEST_F(ControllerShareTest, ATrunkThatIsShortIsSharedByWeight) {
  StartTwo("slow", 60);
  LogInTo("a1", "C");
  LogInTo("a2", "D");
  for (int i = 0; i < 2000; ++i) {
    Pass(absl::Milliseconds(100));
    EndNewDials();
  }
  EXPECT_NEAR(placed_["C"] + placed_["D"], 40, 1);
  EXPECT_NEAR(placed_["C"], 30, 2);
  EXPECT_NEAR(placed_["D"], 10, 2);
  // The one that is short of it says so.
  const auto why = controller.Why("D", 600);
  ASSERT_TRUE(why.ok());
  EXPECT_TRUE(why->latest.trunk_shared);
  EXPECT_EQ(why->latest.decision.limit, pacing::Limit::kTrunkRate);
}

// What one campaign does not need the other may have, to the last call.
TEST_F(ControllerShareTest, NothingIsKeptForWhoDoesNotDial) {
  StartTwo("slow", 60);
  LogInTo("a2", "D");
  for (int i = 0; i < 1000; ++i) {
    Pass(absl::Milliseconds(100));
    EndNewDials();
  }
  EXPECT_NEAR(placed_["D"], 20, 1);
  EXPECT_EQ(placed_["C"], 0);
}

// Agents of C get free all the time, and each time the pacer is asked: D, which is heard at ticks
// only, still gets its quarter.
TEST_F(ControllerShareTest, EventsBetweenTicksDoNotEatTheOthersShare) {
  StartTwo("slow", 60);
  LogInTo("a1", "C");
  LogInTo("a2", "D");
  for (int i = 0; i < 10'000; ++i) {
    Pass(absl::Milliseconds(20));
    ASSERT_TRUE(controller.SetNotReady("a1", "").ok());
    ASSERT_TRUE(controller.SetReady("a1").ok());
    EndNewDials();
  }
  EXPECT_NEAR(placed_["C"] + placed_["D"], 40, 1);
  EXPECT_NEAR(placed_["D"], 10, 2);
}

class ControllerPriorityTest : public ControllerDialTest {
 protected:
  void PrepareSettings() override {
    other_.campaign_priority = 1;
    other_.campaign_weight = 1;
  }
};

TEST_F(ControllerPriorityTest, AHigherPriorityIsServedFirst) {
  StartTwo("slow", 12);
  LogInTo("a1", "C");
  LogInTo("a2", "D");
  for (int i = 0; i < 500; ++i) {
    Pass(absl::Milliseconds(100));
    EndNewDials();
  }
  EXPECT_EQ(placed_["C"], 0);
  EXPECT_NEAR(placed_["D"], 10, 1);
  // D has dialed all it has: C's turn.
  for (int i = 0; i < 500; ++i) {
    Pass(absl::Milliseconds(100));
    EndNewDials();
  }
  EXPECT_EQ(placed_["D"], 12);
  EXPECT_GE(placed_["C"], 6);
}

class ControllerLinesTest : public ControllerDialTest {};

// Three lines, and nobody ever answers or ends: neither campaign may hold them all.
TEST_F(ControllerLinesTest, LinesAreSharedAsTheyAreHeld) {
  StartTwo("slow", 30);
  LogInTo("a1", "C");
  LogInTo("a2", "D");
  Pass(absl::Seconds(60));
  std::map<CampaignId, int> held;
  for (const call::DialOrder& dial : Dials()) ++held[Stored(dial.attempt).campaign];
  EXPECT_EQ(held["C"] + held["D"], 3);
  EXPECT_GE(held["C"], 1);
  EXPECT_GE(held["D"], 1);
}

class ControllerRatioTest : public ControllerDialTest {
 protected:
  void StartRatio(double level, bool available_only, int count) {
    settings.dial_method = campaign::DialMethod::kRatio;
    settings.auto_dial_level = level;
    settings.available_only_ratio_tally = available_only;
    Start(count);
  }
  // a1 talks; how many calls are placed for it in ten seconds?
  size_t DialsBesidesATalk() {
    LogIn("a1");
    Tick();
    const std::vector<call::DialOrder> first = Dials();
    EXPECT_THAT(first, testing::Not(IsEmpty()));
    Answer(first[0].leg);
    Connected(first[0].leg, AgentLeg("a1"));
    for (size_t i = 1; i < first.size(); ++i) End(first[i].leg, call::CallOutcome::kBusy);
    const size_t before = Dials().size();
    Pass(absl::Seconds(10));
    return Dials().size() - before;
  }
};

TEST_F(ControllerRatioTest, AFixedLevelCountsTalkingAgents) {
  StartRatio(2, false, 30);
  EXPECT_EQ(DialsBesidesATalk(), 1u);
}

TEST_F(ControllerRatioTest, AvailableOnlyCountsFreeAgents) {
  StartRatio(2, true, 30);
  EXPECT_EQ(DialsBesidesATalk(), 0u);
  const size_t before = Dials().size();
  LogIn("a2");
  Pass(absl::Seconds(10));
  EXPECT_EQ(Dials().size() - before, 2u);
}

TEST_F(ControllerRatioTest, WhoGoesOnABreakAfterThisCallIsNotDialedFor) {
  StartRatio(2, false, 30);
  LogIn("a1");
  Tick();
  const std::vector<call::DialOrder> first = Dials();
  Answer(first.at(0).leg);
  Connected(first[0].leg, AgentLeg("a1"));
  ASSERT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
  for (size_t i = 1; i < first.size(); ++i) End(first[i].leg, call::CallOutcome::kBusy);
  Pass(absl::Seconds(10));
  EXPECT_EQ(Dials().size(), first.size());
  ASSERT_TRUE(controller.SetReady("a1").ok());  // changed their mind
  Pass(absl::Seconds(2));
  EXPECT_EQ(Dials().size(), first.size() + 1);
}

TEST_F(ControllerDialTest, LiveLeadsAreThoseInHopperAndCall) {
  Start(3);
  settings.daily_call_count_limit = 1;
  controller.PutCampaign(settings);
  DialOne();
  controller.AddDnc({{E164(12'025'550'177), dnc::CampaignScope("C"), "test", world.clock().Wall()}},
                    [](absl::Status) {});
  const LiveLeads live = controller.LiveLeadsOf("C");
  EXPECT_THAT(live.in_hopper, ElementsAre(LeadId(2), LeadId(3)));
  EXPECT_THAT(live.in_call, ElementsAre(LeadId(1)));
  EXPECT_THAT(live.tried_out_today, ElementsAre(LeadId(1)));
  EXPECT_THAT(live.numbers_in_call, ElementsAre(Lead(1).phone));
  EXPECT_TRUE(live.dnc.Has(E164(12'025'550'177), dnc::CampaignScope("C")));
  EXPECT_THAT(controller.LiveLeadsOf("X").in_hopper, IsEmpty());
}

TEST_F(ControllerDialTest, WhyTellsOfTheLastDecisions) {
  Start(3);
  EXPECT_EQ(controller.Why("X", 5).status().code(), absl::StatusCode::kNotFound);
  DialOne();
  Pass(absl::Seconds(1));
  const auto why = controller.Why("C", 600);
  ASSERT_TRUE(why.ok());
  EXPECT_TRUE(why->decided);
  int placed = 0;
  for (const DecisionRecord& record : why->last) {
    placed += record.placed;
    EXPECT_TRUE(record.decision.picks.empty()) << "good until the next decision only";
  }
  EXPECT_EQ(placed, 1);
  EXPECT_FALSE(why->latest.trunk_shared);
  EXPECT_EQ(why->latest.leads_ready, 2);
  EXPECT_THAT(Figures().why_en.front(), HasSubstr("Placing no call now (1 in the last minute)."));
  EXPECT_EQ(Figures().why_en.size(), Figures().why_zh.size());
  settings.active = false;
  controller.PutCampaign(settings);
  Tick();
  EXPECT_EQ(Figures().why_en.front(), "No call is placed: the campaign is paused.");
}

// ---- Agents who leave ----

TEST_F(ControllerDialTest, ACallForNobodyRingsItsFifteenSecondsAndIsCancelled) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Ring({dial});
  Pass(absl::Seconds(5));
  ASSERT_TRUE(controller.Logout("a1").ok());
  Pass(absl::Seconds(9.8));
  EXPECT_FALSE(WasHungUp(dial.leg)) << "16 CFR 310.4(b)(4)(ii): not before 15 s";
  Pass(absl::Seconds(0.4));
  EXPECT_TRUE(WasHungUp(dial.leg));
  Pass(absl::Seconds(1));
  EXPECT_EQ(std::count_if(posted.begin(), posted.end(),
                          [&](const call::ShardMessage& m) {
                            const auto* order = std::get_if<call::HangUp>(&m);
                            return order != nullptr && order->leg == dial.leg;
                          }),
            1)
      << "once";
  End(dial.leg, call::CallOutcome::kCancelled, false);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "NA");
  EXPECT_FALSE(Stored(dial.attempt).abandoned);
}

// Somebody picks up while the CANCEL is on its way: that is an abandoned call, and counts.
TEST_F(ControllerDialTest, AnAnswerThatCrossesTheCancelIsAbandoned) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Ring({dial});
  ASSERT_TRUE(controller.Logout("a1").ok());
  Pass(absl::Seconds(16));
  ASSERT_TRUE(WasHungUp(dial.leg));
  call::LegEnded ended;
  ended.leg = dial.leg;
  ended.outcome = call::CallOutcome::kCancelled;
  ended.crossed_answer = true;
  End(ended);
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(Stored(dial.attempt).abandoned);
  EXPECT_EQ(Figures().today.abandoned, 1);
}

TEST_F(ControllerDialTest, TheMinimumRingTimeIsASetting) {
  settings.min_ring_seconds = absl::Seconds(20);
  Start(1);
  const call::DialOrder dial = DialOne();
  Ring({dial});
  ASSERT_TRUE(controller.Logout("a1").ok());
  Pass(absl::Seconds(19.8));
  EXPECT_FALSE(WasHungUp(dial.leg));
  Pass(absl::Seconds(0.4));
  EXPECT_TRUE(WasHungUp(dial.leg));
}

// As long as nobody has said that it rings, nothing is known of how long it has.
TEST_F(ControllerDialTest, WhatIsNotKnownToRingIsLeftToItsOwnLimit) {
  Start(1);
  const call::DialOrder dial = DialOne();
  ASSERT_TRUE(controller.Logout("a1").ok());
  Pass(absl::Seconds(25));
  EXPECT_FALSE(WasHungUp(dial.leg));
}

TEST_F(ControllerDialTest, WhoComesBackInTimeGetsTheCall) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Ring({dial});
  ASSERT_TRUE(controller.SetNotReady("a1", "").ok());
  Pass(absl::Seconds(10));
  ASSERT_TRUE(controller.SetReady("a1").ok());
  Pass(absl::Seconds(10));
  EXPECT_FALSE(WasHungUp(dial.leg));
  Answer(dial.leg);
  EXPECT_THAT(Of<call::Connect>(), SizeIs(1));
}

// Three agents, nine calls; two agents leave. The third may hope for as many calls as an answer
// each would take, and the youngest of the others go.
TEST_F(ControllerDialTest, TheYoungestGoFirstAndOnlyTooManyOfThem) {
  settings.dial_method = campaign::DialMethod::kRatio;
  settings.auto_dial_level = 3;
  Start(30);
  for (const char* agent : {"a1", "a2", "a3"}) LogIn(agent);
  std::vector<call::DialOrder> ringing;  // in the order in which they began to ring
  while (ringing.size() < 9) {
    Pass(absl::Milliseconds(500));
    const std::vector<call::DialOrder> dials = Dials();
    ASSERT_LT(world.clock().Wall(), absl::FromUnixSeconds(1'700'000'000) + absl::Seconds(20));
    for (size_t i = ringing.size(); i < dials.size(); ++i) {
      Pass(absl::Milliseconds(10));
      Ring({dials[i]});
      ringing.push_back(dials[i]);
    }
  }
  ASSERT_THAT(ringing, SizeIs(9));
  ASSERT_TRUE(controller.Logout("a1").ok());
  ASSERT_TRUE(controller.Logout("a2").ok());
  Pass(absl::Seconds(8));
  for (const call::DialOrder& dial : ringing) EXPECT_FALSE(WasHungUp(dial.leg));
  Pass(absl::Seconds(9));  // the last of them has rung 15 s
  const auto servable = static_cast<size_t>(std::ceil(1 / Figures().answer_ratio));
  ASSERT_LT(servable, 9u);
  std::vector<bool> gone;
  for (const call::DialOrder& dial : ringing) gone.push_back(WasHungUp(dial.leg));
  // As many as are too many. They went as each reached its fifteen seconds, the older ones while
  // the younger might not go yet; so who is left is whoever the next to leave would have been.
  const auto left = static_cast<size_t>(std::count(gone.begin(), gone.end(), false));
  EXPECT_GE(left, servable);
  EXPECT_LE(left, servable + 1);
}

// All of them have rung long enough when the agents leave: the youngest go, at once.
TEST_F(ControllerDialTest, OfThoseThatMayGoTheYoungestGo) {
  settings.dial_method = campaign::DialMethod::kRatio;
  settings.auto_dial_level = 3;
  settings.dial_timeout = absl::Seconds(60);
  Start(30);
  for (const char* agent : {"a1", "a2", "a3"}) LogIn(agent);
  std::vector<call::DialOrder> ringing;
  while (ringing.size() < 9) {
    Pass(absl::Milliseconds(500));
    const std::vector<call::DialOrder> dials = Dials();
    for (size_t i = ringing.size(); i < dials.size(); ++i) {
      Pass(absl::Milliseconds(10));
      Ring({dials[i]});
      ringing.push_back(dials[i]);
    }
  }
  Pass(absl::Seconds(20));
  ASSERT_TRUE(controller.Logout("a1").ok());
  ASSERT_TRUE(controller.Logout("a2").ok());
  Tick();
  const auto servable = static_cast<size_t>(std::ceil(1 / Figures().answer_ratio));
  ASSERT_LT(servable, 9u);
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ(WasHungUp(ringing[i].leg), i >= servable) << i;
}

// The pacer itself never takes a dial back: without anybody leaving nothing is cancelled.
TEST_F(ControllerDialTest, NothingIsCancelledWhileEverybodyStays) {
  settings.dial_method = campaign::DialMethod::kRatio;
  settings.auto_dial_level = 20;
  settings.dial_timeout = absl::Seconds(60);
  Start(30);
  LogIn("a1");
  Pass(absl::Seconds(15));
  const std::vector<call::DialOrder> ringing = Dials();
  EXPECT_GE(ringing.size(), 8u);
  Ring(ringing);
  Pass(absl::Seconds(30));
  for (const call::DialOrder& dial : ringing) EXPECT_FALSE(WasHungUp(dial.leg));
}

}  // namespace
}  // namespace outpace::runtime
