// A controller that starts on what a dead one left behind.

#include "controller_bench.h"
#include "gmock/gmock.h"

namespace outpace::runtime {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class RecoveryTest : public ControllerTest {
 protected:
  // An attempt of the predecessor at lead `id`, as its intent was stored.
  campaign::Attempt Left(uint64_t id) {
    campaign::Attempt attempt;
    attempt.id = AttemptId(id);
    attempt.lead = LeadId(id);
    attempt.list = ListId(101);
    attempt.campaign = "C";
    attempt.dialed = Lead(id).phone;
    attempt.trunk = "carrier";
    attempt.call_id = absl::StrCat("op-", id, "-x");
    attempt.from_tag = absl::StrCat("tag", id);
    attempt.branch = absl::StrCat("z9hG4bK-", id);
    attempt.route_uri = "sip:192.0.2.10:5060";
    attempt.request_uri = absl::StrCat("sip:+1303555000", id, "@192.0.2.10:5060");
    attempt.from_uri = "sip:anonymous@127.0.0.1:5080";
    attempt.dialed_at = world.clock().Wall() - absl::Seconds(10);
    return attempt;
  }
  void Leave(const campaign::Attempt& attempt) {
    campaign::Lead lead = Lead(attempt.lead.value());
    lead.status = "INCALL";
    lead.called_count = 1;
    lead.next_call_time = attempt.dialed_at + absl::Hours(24);
    campaign::StoreBatch batch;
    batch.leads.push_back(lead);
    batch.attempts.push_back(attempt);
    ASSERT_TRUE(leads.Commit(batch).ok());
    state.open_attempts.push_back(attempt);
    state.open_leads.push_back(lead);
    state.attempts_today.push_back(attempt);
    state.next_attempt = 1000;
  }
  static call::DialogState DialogOf(const campaign::Attempt& attempt) {
    call::DialogState dialog;
    dialog.call_id = attempt.call_id;
    return dialog;
  }
};

TEST_F(RecoveryTest, CancelsWhatWasRinging) {
  const campaign::Attempt left = Left(1);
  Leave(left);
  Start(0);
  ASSERT_THAT(Of<call::EndOrphanInvite>(), SizeIs(1));
  EXPECT_THAT(Of<call::EndOrphanDialog>(), IsEmpty());
  const call::Signaling::OrphanInvite invite = Of<call::EndOrphanInvite>()[0].invite;
  EXPECT_EQ(invite.ids.call_id, left.call_id);
  EXPECT_EQ(invite.ids.from_tag, left.from_tag);
  EXPECT_EQ(invite.ids.branch, left.branch);
  EXPECT_EQ(invite.route_uri, left.route_uri);
  EXPECT_EQ(invite.request_uri, left.request_uri);
  EXPECT_EQ(invite.from_uri, left.from_uri);
  const campaign::Attempt closed = Stored(AttemptId(1));
  EXPECT_FALSE(closed.open);
  EXPECT_EQ(closed.status, "UNKN");
  EXPECT_EQ(closed.outcome, "unknown");
  EXPECT_EQ(closed.term_reason, "SYSTEM");
  EXPECT_EQ(StoredLead(1).status, "UNKN");
  LogIn("a1");
  Pass(absl::Hours(3));
  EXPECT_THAT(Dials(), IsEmpty()) << "the number rests for a day";
}

TEST_F(RecoveryTest, EndsWhatWasUp) {
  const campaign::Attempt left = Left(1);
  Leave(left);
  state.open_dialogs.push_back(DialogOf(left));
  call::DialogState line;
  line.call_id = "op-agent-1";
  state.open_dialogs.push_back(line);
  Start(0);
  ASSERT_THAT(Of<call::EndOrphanDialog>(), SizeIs(2));
  EXPECT_EQ(Of<call::EndOrphanDialog>()[0].dialog.call_id, left.call_id);
  EXPECT_EQ(Of<call::EndOrphanDialog>()[1].dialog.call_id, "op-agent-1");
  EXPECT_THAT(Of<call::EndOrphanInvite>(), IsEmpty());
  EXPECT_EQ(Stored(AttemptId(1)).outcome, "unknown");
}

// What the day has lost already is held against it: a restart is no way to a new budget.
TEST_F(RecoveryTest, TheAbandonmentBudgetOfTheDayIsSpent) {
  settings.dial_method = campaign::DialMethod::kAdaptHardLimit;
  for (uint64_t id = 1; id <= 20; ++id) {
    campaign::Attempt done = Left(id);
    done.open = false;
    done.outcome = "answered";
    done.answered_at = done.ended_at = done.dialed_at + absl::Seconds(5);
    done.abandoned = id <= 2;
    if (id > 2) done.connected_at = done.answered_at;
    done.status = id <= 2 ? "DROP" : "NI";
    state.attempts_today.push_back(done);
  }
  state.next_attempt = 1000;
  Start(0);
  EXPECT_EQ(Figures().today.AbandonRatio(), 0.1);
  campaign::StoreBatch batch;
  for (uint64_t i = 1; i <= 20; ++i) batch.leads.push_back(Lead(100 + i));
  ASSERT_TRUE(leads.Commit(batch).ok());
  controller.LeadsChanged("C");
  LogIn("a1");
  LogIn("a2");
  Pass(absl::Seconds(2));
  EXPECT_EQ(Dials().size(), 2u) << "one line an agent while nothing may be lost";
  const pacing::Decision decision = controller.Why("C", 0)->latest.decision;
  EXPECT_NEAR(decision.abandoned, 2, 0.01);
  EXPECT_LT(decision.budget_left, 1);
}

// The same with calls that the crash itself cut off.
TEST_F(RecoveryTest, CallsCutOffByTheCrashSpendTheBudgetToo) {
  settings.dial_method = campaign::DialMethod::kAdaptHardLimit;
  for (uint64_t id = 1; id <= 2; ++id) {
    const campaign::Attempt left = Left(id);
    Leave(left);
    state.open_dialogs.push_back(DialogOf(left));
  }
  Start(0);
  EXPECT_EQ(Figures().today.AbandonRatio(), 1);
  LogIn("a1");
  Pass(absl::Seconds(1));
  const pacing::Decision decision = controller.Why("C", 0)->latest.decision;
  EXPECT_NEAR(decision.abandoned, 2, 0.01);
  EXPECT_LT(decision.budget_left, 1);
}

TEST_F(RecoveryTest, ACallThatWasOverIsNotTouchedAgain) {
  campaign::Attempt left = Left(1);
  left.agent = "a1";
  left.connected_at = left.dialed_at + absl::Seconds(3);
  left.ended_at = left.dialed_at + absl::Seconds(8);
  left.outcome = "answered";
  left.term_reason = "CALLER";
  Leave(left);
  Start(0);
  EXPECT_THAT(Of<call::EndOrphanInvite>(), IsEmpty());
  const campaign::Attempt closed = Stored(AttemptId(1));
  EXPECT_FALSE(closed.open);
  EXPECT_EQ(closed.outcome, "answered");
  EXPECT_EQ(closed.term_reason, "CALLER");
  EXPECT_EQ(closed.status, "");
  // The agent was about to say what came of it, and still can.
  EXPECT_EQ(Dispose("a2", AttemptId(1), "SALE").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(Dispose("a1", AttemptId(1), "SALE").ok());
  EXPECT_EQ(Stored(AttemptId(1)).status, "SALE");
  EXPECT_EQ(StoredLead(1).status, "SALE");
}

TEST_F(RecoveryTest, TriesOfTodayCountOnce) {
  settings.daily_call_count_limit = 2;
  campaign::Attempt earlier = Left(1);
  earlier.open = false;
  earlier.status = "AB";
  earlier.outcome = "busy";
  earlier.ended_at = earlier.dialed_at + absl::Seconds(1);
  state.attempts_today.push_back(earlier);
  campaign::Attempt unsent = earlier;
  unsent.id = AttemptId(2);
  unsent.sent = false;
  state.attempts_today.push_back(unsent);
  campaign::Attempt yesterday = earlier;
  yesterday.id = AttemptId(3);
  yesterday.dialed_at -= absl::Hours(24);
  state.attempts_today.push_back(yesterday);
  state.next_attempt = 1000;
  Start(1);
  EXPECT_EQ(Figures().today.attempts, 1);
  LogIn("a1");
  Pass(absl::Seconds(1));
  ASSERT_THAT(Dials(), SizeIs(1)) << "one of two tries was used";
  EXPECT_EQ(Dials()[0].attempt, AttemptId(1000)) << "ids go on behind the predecessor's";
  End(Dials()[0].leg, call::CallOutcome::kBusy);
  Pass(absl::Hours(2));
  EXPECT_THAT(Dials(), SizeIs(1)) << "and now both";
}

TEST_F(RecoveryTest, TheDaysAbandonmentIsRemembered) {
  for (uint64_t id = 1; id <= 4; ++id) {
    campaign::Attempt done = Left(id);
    done.open = false;
    done.outcome = "answered";
    done.answered_at = done.ended_at = done.dialed_at + absl::Seconds(5);
    if (id == 1) {
      done.abandoned = true;
      done.status = "DROP";
    } else {
      done.connected_at = done.answered_at;
      done.agent = "a1";
      done.status = id == 2 ? "SALE" : "NI";
    }
    state.attempts_today.push_back(done);
  }
  Start(0);
  EXPECT_EQ(Figures().today.answered, 4);
  EXPECT_EQ(Figures().today.connected, 3);
  EXPECT_EQ(Figures().today.abandoned, 1);
  EXPECT_EQ(Figures().today.sales, 1);
  EXPECT_EQ(Figures().today.AbandonRatio(), 0.25);
}

TEST_F(RecoveryTest, WhatThePacerLearnedComesBack) {
  state.learned["C"] = "no numbers";
  Start(0);  // refused with a log line, and no harm
  const std::map<CampaignId, std::string> learned = controller.Learned();
  ASSERT_EQ(learned.size(), 1u);
  CampaignRunner runner(settings);
  EXPECT_TRUE(runner.LoadLearned(learned.at("C")).ok());
}

}  // namespace
}  // namespace outpace::runtime
