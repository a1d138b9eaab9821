// What call records and agents' activities say beside the events of the call.

#include "absl/strings/str_cat.h"
#include "campaign/activity_log.h"
#include "controller_bench.h"
#include "gmock/gmock.h"

namespace outpace::runtime {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RecordsTest : public ControllerTest {
 protected:
  // "a1 READY", "a1 PAUSED LUNCH", "a1 INCALL #7".
  std::vector<std::string> Activities() const {
    std::vector<std::string> lines;
    EXPECT_TRUE(leads
                    .ForEachActivity(absl::InfinitePast(), absl::InfiniteFuture(),
                                     [&](const campaign::AgentActivity& a) {
                                       lines.push_back(absl::StrCat(a.agent, " ", a.state,
                                                                    a.code.empty() ? "" : " ",
                                                                    a.code));
                                       if (a.attempt.valid()) {
                                         absl::StrAppend(&lines.back(), " #", a.attempt.value());
                                       }
                                       return true;
                                     })
                    .ok());
    return lines;
  }
  std::string TermReasonAfter(const call::DialOrder& dial, bool by_far_end) {
    End(dial.leg, call::CallOutcome::kAnswered, by_far_end);
    Pass(absl::Milliseconds(10));
    return Stored(dial.attempt).term_reason;
  }
};

TEST_F(RecordsTest, AnAgentsDayIsRecorded) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  const std::string call = absl::StrCat(" #", dial.attempt.value());
  Pass(absl::Seconds(7));
  ASSERT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Seconds(3));
  ASSERT_TRUE(Dispose("a1", dial.attempt, "SALE").ok());
  Pass(absl::Seconds(60));
  ASSERT_TRUE(controller.SetReady("a1").ok());
  Pass(absl::Seconds(1));
  ASSERT_TRUE(controller.Logout("a1").ok());
  Tick();
  EXPECT_THAT(Activities(),
              ElementsAre("a1 LOGIN", "a1 READY", "a1 RESERVED" + call, "a1 INCALL" + call,
                          "a1 DISPO" + call, "a1 PAUSED LUNCH", "a1 READY", "a1 LOGGED OUT"));
  std::vector<campaign::AgentActivity> all;
  ASSERT_TRUE(leads
                  .ForEachActivity(absl::InfinitePast(), absl::InfiniteFuture(),
                                   [&](const campaign::AgentActivity& a) {
                                     all.push_back(a);
                                     return true;
                                   })
                  .ok());
  const auto near = [](absl::Duration d, absl::Duration expected) {
    return absl::AbsDuration(d - expected) < absl::Milliseconds(50);
  };
  EXPECT_TRUE(near(all[4].at - all[3].at, absl::Seconds(7)));
  EXPECT_TRUE(near(all[5].at - all[4].at, absl::Seconds(3)));
  EXPECT_TRUE(near(all[6].at - all[5].at, absl::Seconds(60)));
  EXPECT_EQ(all[3].campaign, "C");
  EXPECT_EQ(controller.CheckInvariants(), "");
}

// A call and its agent: one write, so that they agree after a crash.
TEST_F(RecordsTest, WhatACallBringsIsWrittenWithIt) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Tick();
  Answer(dial.leg);
  Connected(dial.leg, AgentLeg("a1"));
  Pass(absl::Milliseconds(2));  // no tick
  EXPECT_NE(Stored(dial.attempt).connected_at, absl::InfinitePast());
  EXPECT_THAT(Activities(), Contains(absl::StrCat("a1 INCALL #", dial.attempt.value())));
}

TEST_F(RecordsTest, WhatAPredecessorLeftOpenEnds) {
  const absl::Time known = world.clock().Wall() - absl::Minutes(3);
  campaign::StoreBatch left;
  left.activities = {{known - absl::Minutes(1), "a1", "C", "READY", "", AttemptId()}};
  left.meta[campaign::kActivitiesKnownKey] = campaign::ActivitiesKnown(known);
  ASSERT_TRUE(leads.Commit(left).ok());
  state.last_known_running = *LastKnownRunning(leads);
  Start(0);
  Tick();
  EXPECT_THAT(Activities(), ElementsAre("a1 READY", " ENGINE ENDED"));
  absl::Time at;
  ASSERT_TRUE(leads
                  .ForEachActivity(known, absl::InfiniteFuture(),
                                   [&](const campaign::AgentActivity& a) {
                                     at = a.at;
                                     return true;
                                   })
                  .ok());
  EXPECT_EQ(at, known);
  EXPECT_GT(*LastKnownRunning(leads), known) << "this engine runs";
}

TEST_F(RecordsTest, AnEndInOrderLeavesNothingOpen) {
  Start(0);
  const LegId line = LogIn("a1");
  Tick();
  bool drained = false;
  controller.Drain([&] { drained = true; });
  End(line, call::CallOutcome::kAnswered, false);
  Tick();
  EXPECT_TRUE(drained);
  EXPECT_THAT(Activities(), ElementsAre("a1 LOGIN", "a1 READY", "a1 LOGGED OUT"));
  EXPECT_EQ(*LastKnownRunning(leads), absl::InfiniteFuture());
  Pass(absl::Seconds(30));
  EXPECT_EQ(*LastKnownRunning(leads), absl::InfiniteFuture()) << "ticks after it say nothing";
}

TEST_F(RecordsTest, HoldsAreCountedAndTimed) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.SetHold("a1", true).ok());
  Pass(absl::Seconds(10));
  ASSERT_TRUE(controller.SetHold("a1", true).ok()) << "said twice";
  Pass(absl::Seconds(2));
  ASSERT_TRUE(controller.SetHold("a1", false).ok());
  Pass(absl::Seconds(30));
  ASSERT_TRUE(controller.SetHold("a1", false).ok());
  ASSERT_TRUE(controller.SetHold("a1", true).ok());
  Pass(absl::Seconds(5));
  End(dial.leg, call::CallOutcome::kAnswered);  // hung up in the music
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).holds, 2);
  EXPECT_EQ(absl::ToInt64Seconds(Stored(dial.attempt).held), 17);
}

TEST_F(RecordsTest, ThirdPartiesAreCountedOnceTheyHear) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.StartConference("a1", "sip:c@127.0.0.1:5071").ok());
  const LegId third = Of<call::DialOrder>().back().leg;
  ASSERT_TRUE(controller.StartConference("a1", "sip:d@127.0.0.1:5071").ok());
  Answer(third);
  Say(call::LegJoined{third, true});
  ASSERT_TRUE(controller.StartMonitor("a1", "sip:s@127.0.0.1:5072", call::MixRole::kTalker).ok());
  const LegId supervisor = Of<call::DialOrder>().back().leg;
  Answer(supervisor);
  Say(call::LegJoined{supervisor, true});
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).conferences, 1) << "the other did not come; no supervisor counts";
}

TEST_F(RecordsTest, WhoHungUp) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  EXPECT_EQ(TermReasonAfter(dial, true), "CALLER");
}

TEST_F(RecordsTest, TheAgentHungUp) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.HangUp("a1").ok());
  EXPECT_EQ(TermReasonAfter(dial, false), "AGENT");
}

TEST_F(RecordsTest, TheAgentLoggedOut) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  ASSERT_TRUE(controller.Logout("a1").ok());
  EXPECT_EQ(TermReasonAfter(dial, false), "AGENT");
}

TEST_F(RecordsTest, TheAgentPutThePhoneDown) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(AgentLeg("a1"), call::CallOutcome::kAnswered, true);
  EXPECT_TRUE(WasHungUp(dial.leg));
  EXPECT_EQ(TermReasonAfter(dial, false), "AGENT");
}

TEST_F(RecordsTest, TheAgentsPhoneWasLost) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(AgentLeg("a1"), call::CallOutcome::kMedia, false);
  EXPECT_EQ(TermReasonAfter(dial, false), "SYSTEM");
}

TEST_F(RecordsTest, NobodyAskedForTheEnd) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  EXPECT_EQ(TermReasonAfter(dial, false), "SYSTEM") << "e.g. the session was not refreshed";
}

TEST_F(RecordsTest, TheEngineEnded) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  controller.Drain([] {});
  controller.HangUpAll();
  EXPECT_EQ(TermReasonAfter(dial, false), "SYSTEM");
}

class TariffTest : public ::testing::Test {
 protected:
  static ControllerOptions Options() {
    ControllerOptions options = ControllerBench::Options();
    trunk::TrunkSettings& carrier = options.trunks[0];
    carrier.cost_per_minute = 0.02;
    carrier.billing = {.first = 60, .then = 6};
    carrier.prefixes = {{.prefix = "1303", .cost_per_minute = 0.006}, {.prefix = ""}};
    return options;
  }
  ControllerBench b_{Options()};
};

TEST_F(TariffTest, ACallCostsItsTimeAtTheRulesPrice) {
  b_.Start(1);
  const call::DialOrder dial = b_.TalkOne();
  b_.Pass(absl::Milliseconds(60'500));
  b_.End(dial.leg, call::CallOutcome::kAnswered);
  b_.Pass(absl::Milliseconds(10));
  EXPECT_EQ(b_.Stored(dial.attempt).billed_seconds, 66);
  EXPECT_EQ(b_.Stored(dial.attempt).cost_micros, 6'600);
}

TEST_F(TariffTest, WhatNobodyAnsweredCostsNothing) {
  b_.Start(1);
  const call::DialOrder dial = b_.DialOne();
  b_.Pass(absl::Seconds(20));
  b_.End(dial.leg, call::CallOutcome::kNoAnswer);
  b_.Pass(absl::Milliseconds(10));
  EXPECT_EQ(b_.Stored(dial.attempt).billed_seconds, 0);
  EXPECT_EQ(b_.Stored(dial.attempt).cost_micros, 0);
}

TEST_F(TariffTest, AnAnswerThatCrossedOurCancelIsCharged) {
  b_.Start(1);
  const call::DialOrder dial = b_.DialOne();
  call::LegEnded ended;
  ended.leg = dial.leg;
  ended.outcome = call::CallOutcome::kNoAnswer;
  ended.crossed_answer = true;
  b_.End(ended);
  b_.Pass(absl::Milliseconds(10));
  EXPECT_EQ(b_.Stored(dial.attempt).billed_seconds, 60);
  EXPECT_EQ(b_.Stored(dial.attempt).cost_micros, 6'000);
}

using RecordsDeathTest = RecordsTest;

TEST_F(RecordsDeathTest, AClosedRecordIsNotRewritten) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(Dispose("a1", dial.attempt, "SALE").ok());
  campaign::StoreBatch batch;
  batch.attempts = {Stored(dial.attempt)};
  ASSERT_TRUE(leads.Commit(batch).ok());
  batch.attempts[0].status = "NI";
  EXPECT_DEATH(leads.Commit(batch).IgnoreError(), "WhyNotReplace");
}

}  // namespace
}  // namespace outpace::runtime
