// One attempt at a time, step by step: what must be on disk before a call leaves, what the gate may
// still stop, and what the person who answers gets.

#include "campaign/retry_rule.h"
#include "controller_bench.h"
#include "gmock/gmock.h"
#include "tests/fakes/dnc_entries.h"
#include "tests/fakes/registry.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(ControllerTest, DialsOnlyOnceTheIntentIsOnDisk) {
  Start(1);
  LogIn("a1");
  store.hold_commits = true;
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(store.commits_held(), 1u);
  EXPECT_EQ(Figures().ringing, 1);  // counted, so that no second one is placed meanwhile
  store.LetCommits();
  Pass(absl::Milliseconds(5));
  ASSERT_THAT(Dials(), SizeIs(1));
  const call::DialOrder dial = Dials()[0];
  EXPECT_EQ(dial.request_uri, "sip:+13035550001@192.0.2.10:5060");
  EXPECT_EQ(dial.route_uri, "sip:192.0.2.10:5060");
  EXPECT_THAT(dial.ids.call_id, HasSubstr(absl::StrCat("op-", dial.attempt.value(), "-")));
  EXPECT_EQ(dial.ring_time_max, absl::Seconds(26));
  // Should the engine die now, the number rests for a day.
  EXPECT_EQ(StoredLead(1).next_call_time,
            Stored(dial.attempt).dialed_at + absl::Hours(campaign::kUnknownRestHours));
}

TEST_F(ControllerTest, AnIntentThatCannotBeStoredIsNotDialed) {
  Start(3);
  LogIn("a1");
  leads.FailCommitAt(1);
  Pass(absl::Seconds(2));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_THAT(controller.Board().stopped_reason, HasSubstr("the store cannot be written"));
  EXPECT_THAT(Figures().idle_reason, HasSubstr("the store cannot be written"));
  EXPECT_EQ(Figures().today.attempts, 0);
  EXPECT_EQ(controller.Board().trunks[0].calls, 0);
}

// Between the intent and the order a number may be put on the list: the disk can be slow.
TEST_F(ControllerTest, DncAddedWhileTheIntentIsWrittenHoldsTheCall) {
  Start(1);
  LogIn("a1");
  store.hold_commits = true;
  Tick();
  ASSERT_EQ(store.commits_held(), 1u);
  absl::Status added = absl::UnknownError("");
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()},
                    [&](absl::Status status) { added = status; });
  store.LetCommits();
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(added.ok());
  EXPECT_THAT(Dials(), IsEmpty());
  // The lead is as before but for its do-not-call status: no try is counted.
  EXPECT_EQ(StoredLead(1).called_count, 0);
  EXPECT_EQ(StoredLead(1).status, "DNCL");
  EXPECT_EQ(StoredLead(1).hold_until, absl::InfiniteFuture());
  const campaign::Attempt attempt = Stored(AttemptId(1));
  EXPECT_FALSE(attempt.open);
  EXPECT_FALSE(attempt.sent);
  EXPECT_EQ(Figures().today.attempts, 0);
  EXPECT_EQ(Figures().ringing, 0);
}

TEST_F(ControllerTest, APausedCampaignHoldsWhatWasNotSentYet) {
  Start(1);
  LogIn("a1");
  store.hold_commits = true;
  Tick();
  settings.active = false;
  controller.PutCampaign(settings);
  store.LetCommits();
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(StoredLead(1).called_count, 0);
  EXPECT_EQ(StoredLead(1).status, "NEW");
}

// The second look counts exactly as the first: the attempt under way is not taken off twice.
TEST_F(ControllerTest, ALimitLoweredWhileTheIntentIsWrittenHoldsTheCall) {
  campaign::Lead tried = Lead(1);
  tried.called_count = 2;
  campaign::StoreBatch batch;
  batch.leads.push_back(tried);
  ASSERT_TRUE(leads.Commit(batch).ok());
  settings.call_count_limit = 3;
  Start(0);
  LogIn("a1");
  store.hold_commits = true;
  Tick();
  ASSERT_EQ(store.commits_held(), 1u);
  settings.call_count_limit = 2;
  controller.PutCampaign(settings);
  store.LetCommits();
  Pass(absl::Milliseconds(10));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(StoredLead(1).called_count, 2);
}

TEST_F(ControllerTest, TheGateAsksAgainBeforeTheIntent) {
  Start(1);
  Tick();  // into the hopper, while nobody is ready
  EXPECT_EQ(Figures().hopper, 1);
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()}, [](absl::Status) {});
  Pass(absl::Milliseconds(5));
  const int64_t writes = leads.commits();
  LogIn("a1");
  Tick();
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_EQ(leads.commits(), writes + 1) << "the hold, and no intent";
  EXPECT_EQ(StoredLead(1).status, "DNCL");
  EXPECT_THAT(leads.OpenAttempts().value(), IsEmpty());
  EXPECT_EQ(Figures().today.attempts, 0);
}

TEST_F(ControllerTest, WhatTheGateRefusesNeverComesIntoTheHopper) {
  state.dnc.Add(Lead(1).phone, "");
  state.dnc.Add(Lead(2).phone, "C");
  state.dnc.Add(Lead(3).phone, "OTHER");
  Start(3);
  Tick();
  EXPECT_EQ(Figures().hopper, 1);  // the other campaign's list does not bind this one
  EXPECT_EQ(StoredLead(1).status, "DNCL");
  EXPECT_EQ(StoredLead(2).status, "DNCC");
  EXPECT_EQ(StoredLead(3).status, "NEW");
}

TEST_F(ControllerTest, DncCancelsWhoIsBeingRung) {
  Start(1);
  const call::DialOrder dial = DialOne();
  controller.AddDnc({Lead(1).phone, dnc::CampaignScope("OTHER"), "test", world.clock().Wall()},
                    [](absl::Status) {});
  EXPECT_FALSE(WasHungUp(dial.leg));
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()}, [](absl::Status) {});
  EXPECT_TRUE(WasHungUp(dial.leg)) << "at once, not when the entry is on disk";
  End(dial.leg, call::CallOutcome::kCancelled, false);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).outcome, "cancelled");
}

// The order may still lie in the shard's mailbox when the entry is on disk: its INVITE would leave
// behind the acknowledgement.
TEST_F(ControllerTest, DncIsAcknowledgedBehindTheShard) {
  Start(2);
  hold_fences = true;
  const call::DialOrder dial = DialOne();
  absl::Status added = absl::UnknownError("not yet"), other = added;
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()},
                    [&](absl::Status status) { added = status; });
  controller.AddDnc({Lead(2).phone, {}, "test", world.clock().Wall()},
                    [&](absl::Status status) { other = status; });
  Pass(absl::Seconds(1));
  EXPECT_TRUE(other.ok()) << "nobody rings that number: there is nothing to wait for";
  EXPECT_EQ(fakes::DncEntriesIn(leads).size(), 2u);
  EXPECT_FALSE(added.ok()) << "stored, but the order may not have been taken back yet";
  ASSERT_THAT(Of<call::Fence>(), SizeIs(1));
  EXPECT_TRUE(std::holds_alternative<call::Fence>(posted.back()) && WasHungUp(dial.leg));
  LetFences();
  Pass(absl::Milliseconds(1));
  EXPECT_TRUE(added.ok());
  End(dial.leg, call::CallOutcome::kCancelled, false);
}

// And the other way round.
TEST_F(ControllerTest, DncIsAcknowledgedBehindTheDisk) {
  Start(1);
  const call::DialOrder dial = DialOne();
  store.hold_commits = true;
  absl::Status added = absl::UnknownError("not yet");
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()},
                    [&](absl::Status status) { added = status; });
  Pass(absl::Milliseconds(50));
  EXPECT_FALSE(added.ok());
  store.LetCommits();
  Pass(absl::Milliseconds(2));
  EXPECT_TRUE(added.ok());
  End(dial.leg, call::CallOutcome::kCancelled, false);
}

// A full mailbox: cancel and fence wait for the next tick, the fence behind the cancel.
TEST_F(ControllerTest, DncWaitsForAShardThatTakesNothing) {
  Start(1);
  const call::DialOrder dial = DialOne();
  post_result = absl::ResourceExhaustedError("mailbox full");
  absl::Status added = absl::UnknownError("not yet");
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()},
                    [&](absl::Status status) { added = status; });
  Pass(absl::Milliseconds(50));
  EXPECT_FALSE(added.ok());
  EXPECT_FALSE(WasHungUp(dial.leg));
  post_result = absl::OkStatus();
  Tick();
  EXPECT_TRUE(WasHungUp(dial.leg));
  EXPECT_TRUE(std::holds_alternative<call::Fence>(posted.back()));
  EXPECT_TRUE(added.ok());
  End(dial.leg, call::CallOutcome::kCancelled, false);
}

TEST_F(ControllerTest, ARegistryCancelsWhoIsBeingRung) {
  Start(1);
  const call::DialOrder dial = DialOne();
  controller.SetRegistries({fakes::RegistryOf(E164(12025550999))});
  EXPECT_FALSE(WasHungUp(dial.leg));
  controller.SetRegistries({fakes::RegistryOf(Lead(1).phone)});
  EXPECT_TRUE(WasHungUp(dial.leg));
}

// Who imports a registry, or erases a person, is told behind the shard too.
TEST_F(ControllerTest, RegistriesAndErasuresAreAcknowledgedBehindTheShard) {
  Start(2);
  LogIn("a1");
  LogIn("a2");
  Pass(absl::Seconds(1));
  ASSERT_THAT(Dials(), SizeIs(2));
  hold_fences = true;
  int told = 0;
  const auto tell = [&](absl::Status status) { told += status.ok() ? 1 : 100; };
  controller.SetRegistries({fakes::RegistryOf(E164(12025550999))}, tell);
  EXPECT_EQ(told, 1) << "nobody of it is rung";
  controller.SetRegistries({fakes::RegistryOf(Stored(Dials().at(0).attempt).dialed)}, tell);
  EXPECT_EQ(told, 1);
  const E164 person = Stored(Dials().at(1).attempt).dialed;
  ErasedPeople people;
  people.has_key = true;
  dnc::DncSet keyed;
  keyed.SetHashKey(people.key);
  people.hashes.push_back(keyed.ErasedHash(person));
  controller.PutErased(people, person, tell);
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(WasHungUp(Dials().at(0).leg) && WasHungUp(Dials().at(1).leg));
  LetFences();
  Pass(absl::Milliseconds(1));
  EXPECT_EQ(told, 3);
}

TEST_F(ControllerTest, ARegistryOfTheStartHoldsItsNumbers) {
  state.registries = {fakes::RegistryOf(Lead(1).phone)};
  Start(2);
  Tick();
  EXPECT_EQ(Figures().hopper, 1);
  EXPECT_EQ(StoredLead(1).status, "DNCL");
  EXPECT_EQ(StoredLead(2).status, "NEW");
}

TEST_F(ControllerTest, DncDoesNotCutOffAConversation) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()}, [](absl::Status) {});
  EXPECT_FALSE(WasHungUp(dial.leg));
}

// The entry that was added last wins, in memory as in the store.
TEST_F(ControllerTest, DncAddedDuringARemovalStays) {
  Start(0);
  const campaign::DncEntry entry{Lead(1).phone, {}, "test", world.clock().Wall()};
  controller.AddDnc(entry, [](absl::Status) {});
  Pass(absl::Milliseconds(5));
  store.hold_commits = true;
  controller.RemoveDnc(entry, [](absl::Status) {});
  controller.AddDnc(entry, [](absl::Status) {});
  store.LetCommits();
  Pass(absl::Milliseconds(5));
  EXPECT_TRUE(controller.dnc().Has(entry.phone, dnc::DncScope()));
  EXPECT_THAT(fakes::DncEntriesIn(leads), SizeIs(1));
  controller.RemoveDnc(entry, [](absl::Status) {});
  Pass(absl::Milliseconds(5));
  EXPECT_FALSE(controller.dnc().Has(entry.phone, dnc::DncScope()));
  EXPECT_THAT(fakes::DncEntriesIn(leads), IsEmpty());
}

TEST_F(ControllerTest, ARemovalThatIsNotStoredIsNotInForce) {
  Start(0);
  const campaign::DncEntry entry{Lead(1).phone, {}, "test", world.clock().Wall()};
  controller.AddDnc(entry, [](absl::Status) {});
  Pass(absl::Milliseconds(5));
  leads.FailCommitAt(1);
  absl::Status removed;
  controller.RemoveDnc(entry, [&](absl::Status status) { removed = status; });
  Pass(absl::Milliseconds(5));
  EXPECT_FALSE(removed.ok());
  EXPECT_TRUE(controller.dnc().Has(entry.phone, dnc::DncScope()));
}

TEST_F(ControllerTest, NobodyIsDialedTwiceAtOnce) {
  Start(2);
  LogIn("a1");
  LogIn("a2");
  LogIn("a3");
  Pass(absl::Seconds(10));
  ASSERT_THAT(Dials(), SizeIs(2));
  EXPECT_NE(Dials()[0].request_uri, Dials()[1].request_uri);
}

// Two leads with one number: the second waits until the first call is over.
TEST_F(ControllerTest, OneNumberIsNotInTwoCalls) {
  campaign::Lead twin = Lead(2);
  twin.phone = Lead(1).phone;
  campaign::StoreBatch batch;
  batch.leads = {Lead(1), twin};
  ASSERT_TRUE(leads.Commit(batch).ok());
  Start(0);
  LogIn("a1");
  LogIn("a2");
  Pass(absl::Seconds(5));
  ASSERT_THAT(Dials(), SizeIs(1));
  End(Dials()[0].leg, call::CallOutcome::kBusy);
  Pass(absl::Seconds(40));
  ASSERT_THAT(Dials(), SizeIs(2));
  EXPECT_EQ(Dials()[1].request_uri, Dials()[0].request_uri);
}

// A slow read of the store that began before an attempt and answers after it still shows the lead
// as it was. Believing it would ring the person again at once.
TEST_F(ControllerTest, AStaleReadDoesNotBringALeadBack) {
  settings.daily_call_count_limit = 10;
  settings.hopper_level = 8;  // refilled as soon as half of it is used
  Start(5);
  Tick();
  EXPECT_EQ(Figures().hopper, 5);
  store.hold_fetches = true;
  store.hold_commits = true;
  LogIn("a1");
  Tick();  // the refill reads all five leads, for the intent at one of them is not stored yet ...
  ASSERT_EQ(store.fetches_held(), 1u);
  store.LetCommits();
  Pass(absl::Milliseconds(5));
  ASSERT_THAT(Dials(), SizeIs(1));
  const call::DialOrder dial = Dials()[0];
  End(dial.leg, call::CallOutcome::kInvalid);
  Pass(absl::Milliseconds(20));  // ... the number turns out vacant, which is stored ...
  ASSERT_EQ(StoredLead(1).status, "ADC");
  store.LetFetches();  // ... and now the refill answers.
  for (int i = 0; i < 20; ++i) {
    Pass(absl::Seconds(1));
    for (const call::DialOrder& order : Dials()) {
      if (order.attempt == dial.attempt) continue;
      ASSERT_NE(order.request_uri, dial.request_uri) << "a vacant number was rung again";
      if (Stored(order.attempt).open) End(order.leg, call::CallOutcome::kNoAnswer);
    }
  }
  EXPECT_THAT(Dials(), SizeIs(5));
}

// The same where the lead is called after the gate has seen it and before its texts are there.
TEST_F(ControllerTest, ALeadCalledWhileItsTextsAreReadDoesNotComeBack) {
  settings.daily_call_count_limit = 10;
  settings.hopper_level = 8;
  store.texts_apart = true;
  Start(5);
  Tick();
  Pass(absl::Milliseconds(5));
  EXPECT_EQ(Figures().hopper, 5);
  store.hold_texts = true;
  LogIn("a1");
  Tick();
  Pass(absl::Milliseconds(5));
  ASSERT_THAT(Dials(), SizeIs(1));
  const call::DialOrder dial = Dials()[0];
  End(dial.leg, call::CallOutcome::kInvalid);
  Pass(absl::Milliseconds(20));
  ASSERT_EQ(StoredLead(1).status, "ADC");
  store.LetFetches();
  for (int i = 0; i < 20; ++i) {
    Pass(absl::Seconds(1));
    for (const call::DialOrder& order : Dials()) {
      if (order.attempt == dial.attempt) continue;
      ASSERT_NE(order.request_uri, dial.request_uri) << "a vacant number was rung again";
      if (Stored(order.attempt).open) End(order.leg, call::CallOutcome::kNoAnswer);
    }
  }
  EXPECT_THAT(Dials(), SizeIs(5));
}

TEST_F(ControllerTest, ScreensHaveTheTextsOfLeadsThatWereReadWithoutThem) {
  store.texts_apart = true;
  Start(3);
  LogIn("a1");
  Pass(absl::Seconds(1));
  ASSERT_THAT(Dials(), SizeIs(1));
  const call::DialOrder dial = Dials()[0];
  Answer(dial.leg);
  Connected(dial.leg, AgentLeg("a1"));
  ASSERT_THAT(screens.pops, SizeIs(1));
  EXPECT_TRUE(screens.pops[0].has_texts);
}

TEST_F(ControllerTest, AnsweredGoesToTheAgentWhoWaitedLongest) {
  Start(1);
  LogIn("a2");
  Pass(absl::Seconds(1));
  ASSERT_THAT(Dials(), SizeIs(1));
  LogIn("a1");
  const call::DialOrder dial = Dials()[0];
  Answer(dial.leg);
  const std::vector<call::Connect> connects = Of<call::Connect>();
  ASSERT_THAT(connects, SizeIs(1));
  EXPECT_EQ(connects[0].lead, dial.leg);
  EXPECT_EQ(connects[0].agent, AgentLeg("a2"));
  EXPECT_EQ(StateOf("a2"), agent::AgentState::kReserved);
  EXPECT_THAT(screens.pops, IsEmpty());
  Pass(absl::Milliseconds(3));
  Connected(dial.leg, AgentLeg("a2"));
  EXPECT_EQ(StateOf("a2"), agent::AgentState::kOnCall);
  ASSERT_THAT(screens.pops, SizeIs(1));
  EXPECT_EQ(screens.pops[0].agent, "a2");
  EXPECT_EQ(screens.pops[0].lead, LeadId(1));
  EXPECT_FALSE(screens.pops[0].preview);
  EXPECT_NEAR(controller.Board().connect_p50_ms, 3, 0.2);
  // Who has the call is on disk soon, for a restarted engine.
  Pass(absl::Milliseconds(5));
  EXPECT_EQ(Stored(dial.attempt).agent, "a2");
  EXPECT_TRUE(Stored(dial.attempt).open);
}

TEST_F(ControllerTest, AnsweredAndNobodyFreeIsAbandonedExactlyAtTheLimit) {
  Start(1);
  const call::DialOrder dial = DialOne();
  ASSERT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
  Answer(dial.leg);
  EXPECT_EQ(Figures().waiting, 1);
  Pass(absl::Seconds(2) - absl::Milliseconds(1));
  EXPECT_THAT(Of<call::PlayThenHangUp>(), IsEmpty());
  Pass(absl::Milliseconds(1));
  ASSERT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  EXPECT_EQ(Of<call::PlayThenHangUp>()[0].leg, dial.leg);
  EXPECT_EQ(Of<call::PlayThenHangUp>()[0].prompt, call::Prompt::kSafeHarbor);
  EXPECT_EQ(Figures().waiting, 0);
  EXPECT_EQ(Figures().today.abandoned, 1);
  // Too late for an agent now: the message is not cut off.
  ASSERT_TRUE(controller.SetReady("a1").ok());
  EXPECT_THAT(Of<call::Connect>(), IsEmpty());
  Say(call::PromptFinished{dial.leg, world.now()});
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  const campaign::Attempt attempt = Stored(dial.attempt);
  EXPECT_TRUE(attempt.abandoned);
  EXPECT_TRUE(attempt.message_played);
  EXPECT_EQ(attempt.status, "DROP");
  EXPECT_EQ(attempt.term_reason, "ABANDON");
  EXPECT_EQ(StoredLead(1).next_call_time, attempt.ended_at + absl::Hours(72));
  EXPECT_EQ(Figures().today.AbandonRatio(), 1.0);
}

// The limit counts from the answer, not from when the controller hears of it.
TEST_F(ControllerTest, TheLimitCountsFromTheAnswerItself) {
  Start(1);
  const call::DialOrder dial = DialOne();
  ASSERT_TRUE(controller.SetNotReady("a1", "").ok());
  const MonoTime answered = world.now();
  Pass(absl::Milliseconds(1500));
  Say(call::LegAnswered{dial.leg, answered});
  Pass(absl::Milliseconds(499));
  EXPECT_THAT(Of<call::PlayThenHangUp>(), IsEmpty());
  Pass(absl::Milliseconds(1));
  EXPECT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
}

TEST_F(ControllerTest, AWaitingCallGoesToWhoGetsReadyInTime) {
  Start(1);
  const call::DialOrder dial = DialOne();
  ASSERT_TRUE(controller.SetNotReady("a1", "").ok());
  Answer(dial.leg);
  Pass(absl::Milliseconds(1900));
  ASSERT_TRUE(controller.SetReady("a1").ok());
  ASSERT_THAT(Of<call::Connect>(), SizeIs(1));
  Connected(dial.leg, AgentLeg("a1"));
  Pass(absl::Seconds(5));
  EXPECT_THAT(Of<call::PlayThenHangUp>(), IsEmpty());
  EXPECT_EQ(Figures().today.abandoned, 0);
  EXPECT_EQ(Figures().today.connected, 1);
}

TEST_F(ControllerTest, ACallerWhoHangsUpWhileWaitingIsNotAbandoned) {
  Start(1);
  const call::DialOrder dial = DialOne();
  ASSERT_TRUE(controller.SetNotReady("a1", "").ok());
  Answer(dial.leg);
  Pass(absl::Seconds(1));
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Seconds(5));
  const campaign::Attempt attempt = Stored(dial.attempt);
  EXPECT_EQ(attempt.status, "PDROP");
  EXPECT_EQ(attempt.term_reason, "CALLER");
  EXPECT_FALSE(attempt.abandoned);
  EXPECT_EQ(StoredLead(1).next_call_time, attempt.ended_at + absl::Hours(72)) << "it rests as one";
  EXPECT_THAT(Of<call::PlayThenHangUp>(), IsEmpty());
  EXPECT_EQ(Figures().today.abandoned, 0);
  EXPECT_EQ(Figures().waiting, 0);
}

// Somebody picked up just as we gave up, and met a BYE: answered and no agent (messages.h).
TEST_F(ControllerTest, AnAnswerThatCrossedOurCancelIsAnAbandonedCall) {
  Start(1);
  const call::DialOrder dial = DialOne();
  Pass(absl::Seconds(26));
  call::LegEnded ended;
  ended.leg = dial.leg;
  ended.outcome = call::CallOutcome::kNoAnswer;
  ended.sip_status = 200;
  ended.crossed_answer = true;
  End(ended);
  Pass(absl::Milliseconds(10));
  const campaign::Attempt attempt = Stored(dial.attempt);
  EXPECT_TRUE(attempt.abandoned);
  EXPECT_EQ(attempt.status, "DROP");
  EXPECT_NE(attempt.answered_at, absl::InfinitePast());
  EXPECT_EQ(Figures().today.answered, 1);
  EXPECT_EQ(Figures().today.abandoned, 1);
  EXPECT_EQ(StoredLead(1).next_call_time, attempt.ended_at + absl::Hours(72));
}

TEST_F(ControllerTest, EachOutcomeHasItsStatus) {
  const std::pair<call::CallOutcome, std::string> kCases[] = {
      {call::CallOutcome::kNoAnswer, "NA"}, {call::CallOutcome::kBusy, "AB"},
      {call::CallOutcome::kInvalid, "ADC"}, {call::CallOutcome::kUnreachable, "ADCT"},
      {call::CallOutcome::kRejected, "NA"}, {call::CallOutcome::kMedia, "LRERR"},
  };
  Start(static_cast<int>(std::size(kCases)));
  LogIn("a1");
  for (const auto& [outcome, status] : kCases) {
    Pass(absl::Seconds(1));
    const call::DialOrder dial = Dials().back();
    End(dial.leg, outcome);
    Pass(absl::Milliseconds(10));
    EXPECT_EQ(Stored(dial.attempt).status, status);
    EXPECT_EQ(Stored(dial.attempt).term_reason, "NONE");
    EXPECT_FALSE(Stored(dial.attempt).open);
    EXPECT_EQ(StoredLead(Stored(dial.attempt).lead.value()).called_count, 1);
  }
}

TEST_F(ControllerTest, ACallTheShardRefusedIsNoTry) {
  settings.daily_call_count_limit = 1;
  Start(1);
  call::DialOrder dial = DialOne();
  call::LegEnded refused;
  refused.leg = dial.leg;
  refused.outcome = call::CallOutcome::kNoTrunk;
  refused.invite_sent = false;
  refused.trunk_fault = true;
  End(refused);
  EXPECT_EQ(Figures().today.attempts, 0);
  Pass(absl::Milliseconds(10));
  EXPECT_FALSE(Stored(dial.attempt).sent);
  EXPECT_EQ(StoredLead(1).called_count, 0);
  Pass(absl::Seconds(2));  // still within the daily limit of one
  ASSERT_THAT(Dials(), SizeIs(2));
  End(Dials()[1].leg, call::CallOutcome::kBusy);
  Pass(absl::Hours(3));
  EXPECT_THAT(Dials(), SizeIs(2));
}

// Midnight between the intent and its refusal must not leave the new day with less than nothing.
TEST_F(ControllerTest, ARefusalAfterMidnightGivesNothingBackToTheNewDay) {
  settings.daily_call_count_limit = 1;
  // 15:13:20 in Denver; the campaign's day turns 10 s from now.
  settings.report_zone = absl::FixedTimeZone(-(22 * 3600 + 13 * 60 + 30));
  Start(1);
  call::DialOrder dial = DialOne();
  Pass(absl::Seconds(15));
  call::LegEnded refused;
  refused.leg = dial.leg;
  refused.outcome = call::CallOutcome::kNoTrunk;
  refused.invite_sent = false;
  refused.trunk_fault = true;
  End(refused);
  EXPECT_EQ(Figures().today.attempts, 0);
  Pass(absl::Seconds(2));
  ASSERT_THAT(Dials(), SizeIs(2));
  End(Dials()[1].leg, call::CallOutcome::kBusy);
  Pass(absl::Hours(3));  // well past the recycle delay of a busy line
  EXPECT_THAT(Dials(), SizeIs(2)) << "the daily limit is one";
  EXPECT_EQ(Figures().today.attempts, 1);
}

TEST_F(ControllerTest, AFullShardLeavesTheLeadUnharmed) {
  Start(1);
  LogIn("a1");
  post_result = absl::ResourceExhaustedError("full");
  Tick();
  post_result = absl::OkStatus();
  EXPECT_EQ(StoredLead(1).status == "INCALL", !Dials().empty());
  Pass(absl::Seconds(3));
  ASSERT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(StoredLead(1).called_count, 1);
  EXPECT_EQ(Stored(Dials()[0].attempt).number_of_try, 1);
}

TEST_F(ControllerTest, AnOpenTrunkIsNotDialed) {
  Start(3);
  LogIn("a1");
  Say(call::TrunkState{0, true, false, "no response to 5 INVITEs"});
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), IsEmpty());
  EXPECT_THAT(Figures().idle_reason, HasSubstr("no response to 5 INVITEs"));
  EXPECT_FALSE(controller.Board().trunks[0].up);
  Say(call::TrunkState{0, false, true, ""});
  Pass(absl::Seconds(1));
  EXPECT_THAT(Dials(), SizeIs(1));
  Say(call::TrunkState{7, true, false, "no such trunk"});  // counted as nothing
  EXPECT_TRUE(controller.Board().trunks[0].up);
}

TEST_F(ControllerTest, SaysWhyItDoesNotDial) {
  settings.trunk = "nowhere";
  Start(0);
  Tick();
  EXPECT_EQ(Figures().idle_reason, "trunks: there is no trunk 'nowhere'; there are: carrier, slow");
  settings.trunk = "carrier";
  settings.active = false;
  controller.PutCampaign(settings);
  Tick();
  EXPECT_EQ(Figures().idle_reason, "the campaign is paused");
  settings.active = true;
  controller.PutCampaign(settings);
  Tick();
  EXPECT_EQ(Figures().idle_reason, "no agent is logged in and ready");
  LogIn("a1");
  Pass(absl::Seconds(2));
  EXPECT_THAT(Figures().idle_reason, HasSubstr("no lead is due"));
}

TEST_F(ControllerTest, NeverMoreThanTheTrunkTakes) {
  settings.trunk = "slow";  // one call in five seconds, three at once
  settings.dial_method = campaign::DialMethod::kRatio;
  settings.auto_dial_level = 20;
  settings.adaptive_maximum_level = 20;
  Start(30);
  Pass(absl::Seconds(30));  // no credit is saved up meanwhile
  LogIn("a1");
  LogIn("a2");
  Pass(absl::Milliseconds(4800));
  EXPECT_THAT(Dials(), SizeIs(1));
  Pass(absl::Milliseconds(400));
  EXPECT_THAT(Dials(), SizeIs(2));
  Pass(absl::Minutes(1));
  ASSERT_THAT(Dials(), SizeIs(3));
  EXPECT_EQ(controller.Board().trunks[1].calls, 3);
  EXPECT_EQ(Figures().limit, "lines");
  End(Dials()[0].leg, call::CallOutcome::kBusy);
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), SizeIs(4));
}

TEST_F(ControllerTest, AHalfOpenTrunkGetsOneCallAtATime) {
  settings.dial_method = campaign::DialMethod::kRatio;
  settings.auto_dial_level = 5;
  Start(10);
  Say(call::TrunkState{0, false, true, ""});
  LogIn("a1");
  Pass(absl::Seconds(3));
  ASSERT_THAT(Dials(), SizeIs(1));
  End(Dials()[0].leg, call::CallOutcome::kBusy);
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), SizeIs(2));
  Say(call::TrunkState{0, false, false, ""});
  Pass(absl::Seconds(3));
  EXPECT_GT(Dials().size(), 3u);
}

// A do-not-call entry that crossed the answer: the shard has hung up on a person who said hello.
TEST_F(ControllerTest, HangingUpOnWhoAnsweredIsAnAbandonedCall) {
  Start(1);
  const call::DialOrder dial = DialOne();
  controller.AddDnc({Lead(1).phone, {}, "test", world.clock().Wall()}, [](absl::Status) {});
  ASSERT_TRUE(controller.SetNotReady("a1", "").ok());
  Answer(dial.leg);
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  EXPECT_TRUE(Stored(dial.attempt).abandoned);
  EXPECT_EQ(Stored(dial.attempt).term_reason, "ABANDON");
  EXPECT_EQ(Figures().today.abandoned, 1);
  EXPECT_EQ(Figures().waiting, 0);
}

TEST_F(ControllerTest, LateEventsForLegsThatAreGoneDoNothing) {
  Start(1);
  const call::DialOrder dial = DialOne();
  End(dial.leg, call::CallOutcome::kBusy);
  Pass(absl::Milliseconds(10));
  Answer(dial.leg);
  Connected(dial.leg, AgentLeg("a1"));
  End(dial.leg, call::CallOutcome::kAnswered);
  Say(call::PromptFinished{dial.leg, world.now()});
  Say(call::LegProgress{dial.leg, 180, world.now()});
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "AB");
  EXPECT_EQ(StateOf("a1"), agent::AgentState::kAvailable);
  EXPECT_EQ(Figures().today.answered, 0);
}

TEST_F(ControllerTest, StopsForGoodWhenTheStoreFails) {
  Start(5);
  const call::DialOrder dial = TalkOne();
  Pass(absl::Milliseconds(10));
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(10));
  leads.FailCommitAt(1);
  // The agent is told that the result is not on disk.
  EXPECT_EQ(Dispose("a1", dial.attempt, "SALE").code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(controller.Board().stopped_reason, HasSubstr("the store cannot be written"));
  leads.Restart();
  LogIn("a2");
  Pass(absl::Minutes(1));
  EXPECT_THAT(Dials(), SizeIs(1)) << "a store that failed once is not trusted again";
  ASSERT_TRUE(controller.Logout("a1").ok());
}

TEST_F(ControllerTest, StopsWhenItsAttemptIdsAreUsedUp) {
  state.next_attempt = 41;
  state.end_attempt = 43;
  Start(5);
  LogIn("a1");
  LogIn("a2");
  LogIn("a3");
  Pass(absl::Seconds(5));
  ASSERT_THAT(Dials(), SizeIs(2));
  EXPECT_EQ(Dials()[0].attempt, AttemptId(41));
  EXPECT_EQ(Dials()[1].attempt, AttemptId(42));
  EXPECT_THAT(controller.Board().stopped_reason, HasSubstr("restart"));
}

}  // namespace
}  // namespace outpace::runtime
