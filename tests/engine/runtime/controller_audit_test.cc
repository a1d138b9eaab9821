// What the controller says in the evidence log, and that it places no call which is not in there.

#include "gmock/gmock.h"
#include "tests/engine/runtime/controller_bench.h"
#include "tests/engine/runtime/fake_audit.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct WithAudit {
  FakeAudit audit;
  ControllerOptions Options() {
    ControllerOptions options = ControllerBench::Options();
    options.audit = &audit;
    options.number_mark = [](E164) { return std::string("marked"); };
    return options;
  }
};

class ControllerAuditTest : public ::testing::Test, public WithAudit, public ControllerBench {
 protected:
  ControllerAuditTest() : ControllerBench(WithAudit::Options()) {}
  void TearDown() override { EXPECT_EQ(controller.CheckInvariants(), ""); }
};

TEST_F(ControllerAuditTest, ACallIsNotedBeforeItIsPlaced) {
  settings.compliance = {"us-tsr"};
  settings.use_dnc_registries = false;
  Start(1);
  const call::DialOrder dial = DialOne();
  ASSERT_THAT(audit.events("call.dialed"), SizeIs(1));
  const audit::Event event = audit.Last("call.dialed");
  EXPECT_EQ(NumberOf(event, "attempt"), static_cast<int64_t>(dial.attempt.value()));
  EXPECT_EQ(NumberOf(event, "lead"), 1);
  EXPECT_EQ(NumberOf(event, "list"), 101);
  EXPECT_EQ(TextOf(event, "campaign"), "C");
  EXPECT_EQ(TextOf(event, "trunk"), "carrier");
  EXPECT_EQ(TextOf(event, "verdict"), "allow");
  EXPECT_THAT(TextOf(event, "rules"), HasSubstr("us-tsr@20"));
  EXPECT_THAT(audit.Text(), ::testing::Not(HasSubstr("303555")));
}

TEST_F(ControllerAuditTest, AFullQueuePutsTheCallOff) {
  Start(1);
  audit.Refuse(absl::ResourceExhaustedError("audit: too many events wait"));
  LogIn("a1");
  Pass(absl::Seconds(1));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(StoredLead(1).called_count, 0);
  audit.Refuse(absl::OkStatus());
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), SizeIs(1));
}

TEST_F(ControllerAuditTest, ALogThatHasFailedStopsDialing) {
  Start(2);
  audit.Break(absl::UnavailableError("audit: input/output error"));
  LogIn("a1");
  Pass(absl::Seconds(1));
  EXPECT_THAT(Dials(), IsEmpty());
  audit.Break(absl::OkStatus());
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), IsEmpty());  // until a restart
  EXPECT_THAT(Figures().idle_reason, HasSubstr("evidence log"));
}

// A full disk is no queue that empties again.
TEST_F(ControllerAuditTest, ALogWithoutRoomStopsDialing) {
  Start(2);
  audit.Break(absl::ResourceExhaustedError("audit: no space left on device"));
  LogIn("a1");
  Pass(absl::Seconds(1));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_THAT(Figures().idle_reason, HasSubstr("no space left"));
}

// What has happened leaves its trace however many wait; a call that has not is put off.
TEST_F(ControllerAuditTest, AnAbandonedCallIsNotedThoughManyWait) {
  Start(2);
  const call::DialOrder dial = DialOne();
  ASSERT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
  audit.LetManyWait();
  Answer(dial.leg);
  Pass(absl::Seconds(3));
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(audit.events("call.abandoned"), SizeIs(1));
  EXPECT_THAT(audit.events("call.dialed"), SizeIs(1));
}

TEST_F(ControllerAuditTest, AnAbandonedCallIsNotedWhenItsRecordIsComplete) {
  settings.safe_harbor_audio = "our_name";
  Start(1);
  const call::DialOrder dial = DialOne();
  ASSERT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
  Answer(dial.leg);
  const absl::Time answered = world.clock().Wall();
  Pass(absl::Seconds(2));
  EXPECT_THAT(audit.events("call.abandoned"), IsEmpty());
  Pass(absl::Seconds(3));
  Say(call::PromptFinished{dial.leg, world.now()});
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  ASSERT_THAT(audit.events("call.abandoned"), SizeIs(1));
  const audit::Event event = audit.Last("call.abandoned");
  EXPECT_EQ(NumberOf(event, "attempt"), static_cast<int64_t>(dial.attempt.value()));
  EXPECT_EQ(TextOf(event, "answered_at").substr(0, 19), audit::TimeText(answered).substr(0, 19));
  EXPECT_EQ(TextOf(event, "message"), "our_name");
  EXPECT_NEAR(static_cast<double>(NumberOf(event, "waited_ms")), 2000, 20);
  EXPECT_EQ(TextOf(event, "contracts"), "regulation");
  EXPECT_EQ(TextOf(event, "greeting_end"), "") << "nobody was heard";
  EXPECT_NEAR(static_cast<double>(NumberOf(event, "duration_ms")), 5000, 20);
  EXPECT_THAT(audit::BodyOf(1, {event.kind, event.actor, event.about, absl::UnixEpoch()}),
              HasSubstr("\"message_played\":true"));
}

// An agent was there, but later than a contract allows: the evidence says for which it counts.
TEST_F(ControllerAuditTest, ACallThatMetItsAgentLateIsNotedForTheContractsItFails) {
  ASSERT_TRUE(settings.Set("abandon_contracts", "tsr, slow{seconds=10}, crtc").ok());
  settings.drop_call_seconds = absl::Seconds(20);
  Start(1);
  const call::DialOrder dial = DialOne();
  Answer(dial.leg);
  Pass(absl::Seconds(3));
  Connected(dial.leg, AgentLeg("a1"));
  End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(Dispose("a1", dial.attempt, "NI").ok());
  ASSERT_THAT(audit.events("call.abandoned"), SizeIs(1));
  const audit::Event event = audit.Last("call.abandoned");
  EXPECT_EQ(TextOf(event, "contracts"), "tsr crtc");
  EXPECT_NEAR(static_cast<double>(NumberOf(event, "waited_ms")), 3000, 20);
  EXPECT_EQ(TextOf(event, "message"), "");
  EXPECT_NE(TextOf(event, "connected_at"), "");
}

TEST_F(ControllerAuditTest, ACallThatMetItsAgentIsNoAbandonedOne) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(Dispose("a1", dial.attempt, "DNC").ok());
  EXPECT_THAT(audit.events("call.abandoned"), IsEmpty());
  const audit::Event event = audit.Last("dnc.added");
  EXPECT_EQ(audit::TextOf(event, "scope"), "system");
  EXPECT_EQ(audit::TextOf(event, "reason"), "disposition DNC");
  EXPECT_EQ(event.actor, "agent a1");
  EXPECT_EQ(TextOf(event, "number_mark"), "marked");
  EXPECT_EQ(NumberOf(event, "lead"), 1);
}

TEST_F(ControllerAuditTest, WhatWasUnderWayWhenAnEngineDiedIsNoted) {
  campaign::Attempt attempt;
  attempt.id = AttemptId(5);
  attempt.lead = LeadId(1);
  attempt.list = ListId(101);
  attempt.campaign = "C";
  attempt.dialed_at = world.clock().Wall();
  state.open_attempts.push_back(attempt);
  state.open_leads.push_back(Lead(1));
  state.next_attempt = 100;
  Start(1);
  const audit::Event event = audit.Last("call.recovered");
  EXPECT_EQ(NumberOf(event, "attempt"), 5);
  EXPECT_EQ(TextOf(event, "status"), "UNKN");
}

}  // namespace
}  // namespace outpace::runtime
