// What the controller does with what is heard on calls, and with the buttons that change how they
// sound.

#include <memory>
#include <utility>

#include "engine/record/recorder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/controller_bench.h"

namespace outpace::runtime {
namespace {

using campaign::AmdMode;
using campaign::MachineAction;
using campaign::RecordingMode;
using listen::Sound;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SilentTap final : public record::RecordingTap {
 public:
  void Write(record::Side, int64_t, codec::Law, absl::Span<const uint8_t>) override {}
  void Write(record::Side, int64_t, absl::Span<const int16_t>) override {}
  void Pause(int64_t) override {}
  void Resume(int64_t) override {}
  bool paused() const override { return false; }
  void Close(int64_t) override {}
};

class FakeRecorder final : public record::Recorder {
 public:
  absl::StatusOr<std::unique_ptr<record::RecordingTap>> Open(
      const record::RecordingOrder& order) override {
    if (!next_open.ok()) return next_open;
    orders.push_back(order);
    return std::make_unique<SilentTap>();
  }
  record::RecorderStats Stats() const override { return {}; }
  void Stored(AttemptId attempt) override { stored.push_back(attempt); }
  void Stop() override {}

  std::vector<record::RecordingOrder> orders;
  std::vector<AttemptId> stored;
  absl::Status next_open;
};

FakeRecorder* NewRecorder(std::unique_ptr<FakeRecorder>& owner) {
  owner = std::make_unique<FakeRecorder>();
  return owner.get();
}

class ControllerMediaTest : public ::testing::Test {
 protected:
  ControllerMediaTest() {
    ControllerOptions options = ControllerBench::Options();
    options.prompts = {{"vm", call::Prompt{10}}, {"sorry", call::Prompt{11}}};
    options.recorder = NewRecorder(recorder_);
    bench_ = std::make_unique<ControllerBench>(options);
    bench_->settings.amd_audit_percentage = 0;
  }
  void TearDown() override { EXPECT_EQ(b().controller.CheckInvariants(), ""); }
  ControllerBench& b() { return *bench_; }
  campaign::CampaignSettings& settings() { return b().settings; }

  void Hear(LegId leg, Sound sound, std::string name = "") {
    listen::Heard heard;
    heard.sound = sound;
    heard.confidence = 0.97f;
    heard.after = absl::Milliseconds(1180);
    heard.name = std::move(name);
    heard.features[0] = 820;
    b().Say(call::LegHeard{leg, heard, b().world.now()});
  }
  // The actions ordered on `leg` that are a T.
  template <typename T>
  std::vector<T> Done(LegId leg) {
    std::vector<T> found;
    for (const call::MediaOrder& order : b().Of<call::MediaOrder>()) {
      const T* action = std::get_if<T>(&order.action);
      if (order.leg == leg && action != nullptr) found.push_back(*action);
    }
    return found;
  }
  void End(const call::DialOrder& dial) {
    b().End(dial.leg, call::CallOutcome::kAnswered, false);
    b().Pass(absl::Milliseconds(20));
  }
  campaign::Attempt EndAndLoad(const call::DialOrder& dial) {
    End(dial);
    return b().Stored(dial.attempt);
  }

 private:
  std::unique_ptr<FakeRecorder> recorder_;
  std::unique_ptr<ControllerBench> bench_;

 protected:
  FakeRecorder& recorder() { return *recorder_; }
};

TEST_F(ControllerMediaTest, OrdersSayWhatToListenFor) {
  settings().amd_decide_seconds = absl::Seconds(3);
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  EXPECT_EQ(dial.early_country, "us");
  ASSERT_TRUE(dial.answer_tuning.has_value());
  EXPECT_EQ(dial.answer_tuning->decide_within, absl::Seconds(3));
  EXPECT_FALSE(b().Of<call::DialOrder>()[0].answer_tuning.has_value()) << "an agent's own phone";
}

TEST_F(ControllerMediaTest, NothingIsListenedToWhereTheCampaignSaysSo) {
  settings().early_media_detection = false;
  settings().amd_mode = AmdMode::kOff;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  EXPECT_FALSE(dial.early_country.has_value());
  EXPECT_FALSE(dial.answer_tuning.has_value());
}

TEST_F(ControllerMediaTest, ANetworkThatSaysTheNumberIsVacantMakesItInvalid) {
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  call::LegEnded ended;  // we cancelled; the network's last word is 487
  ended.leg = dial.leg;
  ended.outcome = call::CallOutcome::kCancelled;
  ended.sip_status = 487;
  ended.heard.sound = Sound::kSitVacant;
  b().End(ended);
  b().Pass(absl::Milliseconds(20));
  const campaign::Attempt attempt = b().Stored(dial.attempt);
  EXPECT_EQ(attempt.status, "ADC");
  EXPECT_EQ(attempt.outcome, "invalid");
  EXPECT_EQ(attempt.heard, "sit_vacant");
}

TEST_F(ControllerMediaTest, RingbackThenOurOwnRingLimitStaysNoAnswer) {
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  call::LegEnded ended;
  ended.leg = dial.leg;
  ended.outcome = call::CallOutcome::kNoAnswer;
  ended.sip_status = 487;
  ended.heard.sound = Sound::kRingback;
  b().End(ended);
  b().Pass(absl::Milliseconds(20));
  EXPECT_EQ(b().Stored(dial.attempt).status, "NA");
  EXPECT_EQ(b().Stored(dial.attempt).heard, "ringback");
}

TEST_F(ControllerMediaTest, FlagShowsTheMachineAndLeavesTheCallToTheAgent) {
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kMachine);
  ASSERT_FALSE(b().screens.audios["a1"].empty());
  EXPECT_TRUE(b().screens.audios["a1"].back().machine);
  EXPECT_FALSE(b().WasHungUp(dial.leg));
  EXPECT_EQ(b().StateOf("a1"), agent::AgentState::kOnCall);
  b().End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(b().Dispose("a1", dial.attempt, "A").ok());
  const campaign::Attempt attempt = b().Stored(dial.attempt);
  EXPECT_EQ(attempt.amd, "machine");
  EXPECT_EQ(attempt.amd_confidence, 97);
  EXPECT_EQ(attempt.amd_ms, 1180);
  EXPECT_THAT(attempt.amd_features, HasSubstr("=820"));
  EXPECT_EQ(attempt.status, "A") << "the agent's word";
}

TEST_F(ControllerMediaTest, ALateMachineEndsTheCallAndFreesTheAgentAtOnce) {
  settings().cpd_amd_action = MachineAction::kDispo;
  b().Start(2);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kHuman);
  EXPECT_EQ(b().StateOf("a1"), agent::AgentState::kOnCall);
  Hear(dial.leg, Sound::kMachine);  // second thoughts
  EXPECT_TRUE(b().WasHungUp(dial.leg));
  EXPECT_EQ(b().StateOf("a1"), agent::AgentState::kAvailable);
  const campaign::Attempt attempt = EndAndLoad(dial);
  EXPECT_EQ(attempt.status, "AA");
  EXPECT_EQ(attempt.term_reason, "SYSTEM");
  EXPECT_FALSE(attempt.abandoned);
  EXPECT_EQ(b().Figures().today.machines, 1) << "no part of the abandoned calls' base";
}

TEST_F(ControllerMediaTest, AVerdictThatStandsKeepsItsFirstTime) {
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kHuman);
  listen::Heard again;
  again.sound = Sound::kHuman;
  again.after = absl::Seconds(7);
  b().Say(call::LegHeard{dial.leg, again, b().world.now()});
  b().End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(b().Dispose("a1", dial.attempt, "SALE").ok());
  EXPECT_EQ(b().Stored(dial.attempt).amd_ms, 1180);
}

TEST_F(ControllerMediaTest, AMachineWithNobodyFreeIsNotAnAbandonedCall) {
  settings().cpd_amd_action = MachineAction::kDispo;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  ASSERT_TRUE(b().controller.SetNotReady("a1", "LUNCH").ok());
  b().Answer(dial.leg);
  EXPECT_EQ(b().Figures().waiting, 1);
  Hear(dial.leg, Sound::kMachine);
  EXPECT_TRUE(b().WasHungUp(dial.leg));
  EXPECT_EQ(b().Figures().waiting, 0);
  b().Pass(absl::Seconds(3));  // the drop limit has nothing to drop
  EXPECT_THAT(b().Of<call::PlayThenHangUp>(), IsEmpty());
  const campaign::Attempt attempt = EndAndLoad(dial);
  EXPECT_EQ(attempt.status, "AA");
  EXPECT_FALSE(attempt.abandoned);
  EXPECT_EQ(b().Figures().today.abandoned, 0);
}

TEST_F(ControllerMediaTest, AnAuditedVerdictGoesToAnAgentWhoSaysWhoItWas) {
  settings().cpd_amd_action = MachineAction::kDispo;
  settings().amd_audit_percentage = 100;
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kMachine);
  EXPECT_FALSE(b().WasHungUp(dial.leg));
  b().End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(b().Dispose("a1", dial.attempt, "SALE").ok());
  EXPECT_EQ(b().Figures().amd_people, 1);
  EXPECT_EQ(b().Figures().amd_lost, 1) << "a person, taken for a machine";
}

TEST_F(ControllerMediaTest, AgentsTeachTheDetectorOfACampaign) {
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kHuman);
  b().End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(b().Dispose("a1", dial.attempt, "A").ok());
  EXPECT_EQ(b().Figures().amd_machines, 1);
  EXPECT_EQ(b().Figures().amd_missed, 1);
  // What was learned outlives the engine.
  CampaignRunner runner(settings());
  ASSERT_TRUE(runner.LoadLearned(b().controller.Learned().at("C")).ok());
  EXPECT_EQ(runner.Figures().amd_machines, 1);
}

TEST_F(ControllerMediaTest, AClosedRecordingIsStoredWithItsCallAndThenForgottenByTheRecorder) {
  settings().campaign_recording = RecordingMode::kAllCalls;
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  End(dial);
  ASSERT_TRUE(b().Dispose("a1", dial.attempt, "SALE").ok());
  record::RecordingClosed closed;
  closed.attempt = dial.attempt;
  closed.file = "20231114/x.wav";
  closed.sha256 = "ab12";
  closed.length = absl::Seconds(7);
  closed.marks = {{record::Mark::Kind::kPaused, absl::Seconds(1), absl::Seconds(2)}};
  b().controller.OnRecordingClosed(closed);
  b().Pass(absl::Milliseconds(20));
  const auto stored = b().leads.GetRecording(dial.attempt);
  ASSERT_TRUE(stored.ok() && stored->has_value());
  EXPECT_EQ((*stored)->lead, LeadId(1));
  EXPECT_EQ((*stored)->agent, "a1");
  EXPECT_EQ((*stored)->number, b().Lead(1).phone);
  EXPECT_EQ((*stored)->sha256, "ab12");
  ASSERT_THAT((*stored)->gaps, SizeIs(1));
  EXPECT_FALSE((*stored)->gaps[0].lost);
  EXPECT_THAT(recorder().stored, ElementsAre(dial.attempt));
}

TEST_F(ControllerMediaTest, BlockingKeepsTheAgentOutUntilAPersonIsHeard) {
  settings().amd_mode = AmdMode::kBlocking;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  b().Answer(dial.leg);
  EXPECT_THAT(b().Of<call::Connect>(), IsEmpty());
  EXPECT_EQ(b().StateOf("a1"), agent::AgentState::kAvailable);
  b().Pass(absl::Milliseconds(1180));
  Hear(dial.leg, Sound::kHuman);
  ASSERT_THAT(b().Of<call::Connect>(), SizeIs(1));
  b().Pass(absl::Milliseconds(2));
  b().Connected(dial.leg, b().AgentLeg("a1"));
  EXPECT_EQ(b().StateOf("a1"), agent::AgentState::kOnCall);
  EXPECT_NEAR(b().controller.Board().connect_p50_ms, 2, 0.2) << "counted from the verdict";
}

TEST_F(ControllerMediaTest, BlockingTakesWhoeverIsNotJudgedInTimeForAPerson) {
  settings().amd_mode = AmdMode::kBlocking;
  settings().cpd_amd_action = MachineAction::kDispo;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  b().Answer(dial.leg);
  b().Pass(absl::Milliseconds(2500));
  EXPECT_THAT(b().Of<call::Connect>(), IsEmpty());
  b().Pass(absl::Milliseconds(300));
  EXPECT_THAT(b().Of<call::Connect>(), SizeIs(1));
}

TEST_F(ControllerMediaTest, BlockingCountsTheDropLimitFromTheVerdict) {
  settings().amd_mode = AmdMode::kBlocking;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  ASSERT_TRUE(b().controller.SetNotReady("a1", "LUNCH").ok());
  b().Answer(dial.leg);
  b().Pass(absl::Seconds(1));
  Hear(dial.leg, Sound::kHuman);
  b().Pass(absl::Milliseconds(1999));
  EXPECT_THAT(b().Of<call::PlayThenHangUp>(), IsEmpty());
  b().Pass(absl::Milliseconds(1));
  EXPECT_THAT(b().Of<call::PlayThenHangUp>(), SizeIs(1));
}

TEST_F(ControllerMediaTest, WhoHangsUpDuringScreeningIsNotAbandoned) {
  settings().amd_mode = AmdMode::kBlocking;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  b().Answer(dial.leg);
  b().End(dial.leg, call::CallOutcome::kAnswered);
  b().Pass(absl::Milliseconds(20));
  EXPECT_EQ(b().Stored(dial.attempt).status, "PDROP");
  EXPECT_FALSE(b().Stored(dial.attempt).abandoned);
}

TEST_F(ControllerMediaTest, AMachineIsToldTheMessageAfterItsBeep) {
  settings().cpd_amd_action = MachineAction::kMessage;
  settings().am_message = "vm";
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kMachine);
  const auto plays = b().Of<call::PlayThenHangUp>();
  ASSERT_THAT(plays, SizeIs(1));
  EXPECT_EQ(plays[0].prompt, call::Prompt{10});
  EXPECT_TRUE(plays[0].after_beep);
  EXPECT_EQ(b().StateOf("a1"), agent::AgentState::kAvailable);
  b().Say(call::PromptFinished{dial.leg, b().world.now()});
  EXPECT_EQ(EndAndLoad(dial).status, "AL");
}

// The detector knew it by its beep: it records already, and there is no second one.
TEST_F(ControllerMediaTest, AMachineFoundByItsBeepIsToldTheMessageAtOnce) {
  settings().cpd_amd_action = MachineAction::kMessage;
  settings().am_message = "vm";
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  listen::Heard heard;
  heard.sound = Sound::kMachine;
  heard.by_beep = true;
  b().Say(call::LegHeard{dial.leg, heard, b().world.now()});
  ASSERT_THAT(b().Of<call::PlayThenHangUp>(), SizeIs(1));
  EXPECT_FALSE(b().Of<call::PlayThenHangUp>()[0].after_beep);
  End(dial);
}

TEST_F(ControllerMediaTest, AMessageCutOffIsNotAMessagePlayed) {
  settings().cpd_amd_action = MachineAction::kMessage;
  settings().am_message = "vm";
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kMachine);
  b().End(dial.leg, call::CallOutcome::kAnswered);
  b().Pass(absl::Milliseconds(20));
  EXPECT_EQ(b().Stored(dial.attempt).status, "AM");
  EXPECT_EQ(b().Stored(dial.attempt).term_reason, "CALLER");
}

TEST_F(ControllerMediaTest, TheAgentDropsAVoicemailWithoutWaitingForAnotherBeep) {
  settings().am_message = "vm";
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  ASSERT_TRUE(b().controller.DropVoicemail("a1").ok());
  const auto plays = b().Of<call::PlayThenHangUp>();
  ASSERT_THAT(plays, SizeIs(1));
  EXPECT_FALSE(plays[0].after_beep);
  EXPECT_EQ(b().StateOf("a1"), agent::AgentState::kAvailable);
  EXPECT_FALSE(b().controller.DropVoicemail("a1").ok()) << "no customer any more";
  EXPECT_EQ(EndAndLoad(dial).status, "AM");
  EXPECT_EQ(b().Figures().amd_machines, 0) << "no verdict to learn from";
}

TEST_F(ControllerMediaTest, NoMessageNoVoicemailDrop) {
  b().Start(1);
  b().TalkOne();
  const absl::Status refused = b().controller.DropVoicemail("a1");
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("am_message"));
}

TEST_F(ControllerMediaTest, AFaxIsHungUpOn) {
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kFax);
  EXPECT_TRUE(b().WasHungUp(dial.leg));
  EXPECT_EQ(EndAndLoad(dial).status, "AFAX");
}

TEST_F(ControllerMediaTest, WhoSaysNothingReachesAnAgent) {
  settings().amd_mode = AmdMode::kBlocking;
  settings().cpd_amd_action = MachineAction::kDispo;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  b().Answer(dial.leg);
  Hear(dial.leg, Sound::kSilence);
  EXPECT_THAT(b().Of<call::Connect>(), SizeIs(1));
}

TEST_F(ControllerMediaTest, AMachineAfterTheMessageForPersonsBeganChangesNothing) {
  settings().cpd_amd_action = MachineAction::kDispo;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  ASSERT_TRUE(b().controller.SetNotReady("a1", "LUNCH").ok());
  b().Answer(dial.leg);
  b().Pass(absl::Seconds(2));
  ASSERT_THAT(b().Of<call::PlayThenHangUp>(), SizeIs(1));
  Hear(dial.leg, Sound::kMachine);
  EXPECT_FALSE(b().WasHungUp(dial.leg));
  EXPECT_EQ(EndAndLoad(dial).status, "DROP");
}

TEST_F(ControllerMediaTest, TheCampaignsOwnSafeHarborMessage) {
  settings().safe_harbor_audio = "sorry";
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  ASSERT_TRUE(b().controller.SetNotReady("a1", "LUNCH").ok());
  b().Answer(dial.leg);
  b().Pass(absl::Seconds(2));
  ASSERT_THAT(b().Of<call::PlayThenHangUp>(), SizeIs(1));
  EXPECT_EQ(b().Of<call::PlayThenHangUp>()[0].prompt, call::Prompt{11});
  End(dial);
}

TEST_F(ControllerMediaTest, AKeyInTheMessageForPersonsBlocksTheNumber) {
  settings().safe_harbor_dnc_key = "9";
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  b().Say(call::LegDigit{dial.leg, '9'});  // not in the message yet
  ASSERT_TRUE(b().controller.SetNotReady("a1", "LUNCH").ok());
  b().Answer(dial.leg);
  b().Pass(absl::Seconds(2));
  b().Say(call::LegDigit{dial.leg, '1'});
  EXPECT_FALSE(b().controller.dnc().Has(b().Lead(1).phone, dnc::DncScope()));
  b().Say(call::LegDigit{dial.leg, '9'});
  b().Pass(absl::Milliseconds(20));
  EXPECT_TRUE(b().controller.dnc().Has(b().Lead(1).phone, dnc::DncScope()));
  End(dial);
}

TEST_F(ControllerMediaTest, HoldMuteAndKeys) {
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  const LegId agent = b().AgentLeg("a1");
  ASSERT_TRUE(b().controller.SetHold("a1", true).ok());
  ASSERT_TRUE(b().controller.SetMute("a1", true).ok());
  ASSERT_TRUE(b().controller.SendDigits("a1", "12#").ok());
  ASSERT_THAT(Done<call::Hold>(dial.leg), SizeIs(1));
  EXPECT_TRUE(Done<call::Hold>(dial.leg)[0].held);
  EXPECT_EQ(Done<call::Hold>(dial.leg)[0].music, call::Prompt::kHoldMusic);
  ASSERT_THAT(Done<call::Mute>(agent), SizeIs(1));
  EXPECT_EQ(Done<call::SendDigits>(dial.leg)[0].digits, "12#");
  EXPECT_TRUE(b().screens.audios["a1"].back().held);
  EXPECT_TRUE(b().screens.audios["a1"].back().muted);
  EXPECT_FALSE(b().controller.SendDigits("a1", "5;rm").ok());
  EXPECT_FALSE(b().controller.SendDigits("a1", "").ok());
  // The next customer meets an agent who can be heard.
  b().End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_THAT(Done<call::Mute>(agent), SizeIs(2));
  EXPECT_FALSE(Done<call::Mute>(agent)[1].muted);
  EXPECT_EQ(b().controller.SetHold("a1", true).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ControllerMediaTest, AllCallsAreRecordedFromTheAgentOn) {
  settings().campaign_recording = RecordingMode::kAllCalls;
  settings().recording_format = campaign::RecordingFormat::kUlaw;
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  ASSERT_THAT(recorder().orders, SizeIs(1));
  EXPECT_EQ(recorder().orders[0].attempt, dial.attempt);
  EXPECT_EQ(recorder().orders[0].agent, "a1");
  EXPECT_EQ(recorder().orders[0].format, record::Format::kWavUlaw);
  EXPECT_THAT(Done<call::RecordStart>(dial.leg), SizeIs(1));
  EXPECT_EQ(b().screens.audios["a1"].back().recording, CallAudio::Recording::kOn);
  using Verb = Controller::RecordVerb;
  ASSERT_TRUE(b().controller.Record("a1", Verb::kPause).ok());
  EXPECT_EQ(b().screens.audios["a1"].back().recording, CallAudio::Recording::kPaused);
  ASSERT_TRUE(b().controller.Record("a1", Verb::kResume).ok());
  // One recording a call: stopped, it is silent until it is started again.
  ASSERT_TRUE(b().controller.Record("a1", Verb::kStop).ok());
  EXPECT_EQ(b().screens.audios["a1"].back().recording, CallAudio::Recording::kOff);
  ASSERT_TRUE(b().controller.Record("a1", Verb::kStart).ok());
  EXPECT_THAT(recorder().orders, SizeIs(1));
  const auto pauses = Done<call::RecordPause>(dial.leg);
  ASSERT_THAT(pauses, SizeIs(4));
  EXPECT_TRUE(pauses[2].paused);
  EXPECT_FALSE(pauses[3].paused);
}

TEST_F(ControllerMediaTest, AllForceCannotBeStoppedOnlyPaused) {
  settings().campaign_recording = RecordingMode::kAllForce;
  b().Start(1);
  b().TalkOne();
  EXPECT_FALSE(b().screens.audios["a1"].back().may_stop_recording);
  EXPECT_FALSE(b().controller.Record("a1", Controller::RecordVerb::kStop).ok());
  EXPECT_TRUE(b().controller.Record("a1", Controller::RecordVerb::kPause).ok());
}

TEST_F(ControllerMediaTest, OnDemandAndNever) {
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  EXPECT_THAT(recorder().orders, IsEmpty());
  ASSERT_TRUE(b().controller.Record("a1", Controller::RecordVerb::kStart).ok());
  ASSERT_TRUE(b().controller.Record("a1", Controller::RecordVerb::kStart).ok());
  EXPECT_THAT(recorder().orders, SizeIs(1));
  settings().campaign_recording = RecordingMode::kNever;
  b().controller.PutCampaign(settings());
  EXPECT_FALSE(b().controller.Record("a1", Controller::RecordVerb::kPause).ok());
  End(dial);
}

TEST_F(ControllerMediaTest, WhatAVerdictWasTakenFromIsKept) {
  settings().amd_clips = true;
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  b().Answer(dial.leg);
  EXPECT_THAT(Done<call::RecordStart>(dial.leg), SizeIs(1)) << "from the answer on";
  b().Connected(dial.leg, b().AgentLeg("a1"));
  EXPECT_EQ(b().screens.audios["a1"].back().recording, CallAudio::Recording::kOff);
  Hear(dial.leg, Sound::kHuman);
  ASSERT_THAT(Done<call::RecordPause>(dial.leg), SizeIs(1));
  EXPECT_TRUE(Done<call::RecordPause>(dial.leg)[0].paused);
  // The agent's own recording goes on in the same file.
  ASSERT_TRUE(b().controller.Record("a1", Controller::RecordVerb::kStart).ok());
  ASSERT_THAT(Done<call::RecordPause>(dial.leg), SizeIs(2));
  EXPECT_FALSE(Done<call::RecordPause>(dial.leg)[1].paused);
  EXPECT_THAT(recorder().orders, SizeIs(1));
}

TEST_F(ControllerMediaTest, AClipOfACallThatIsRecordedAnywayIsItsStart) {
  settings().amd_clips = true;
  settings().campaign_recording = RecordingMode::kAllCalls;
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kHuman);
  EXPECT_THAT(recorder().orders, SizeIs(1));
  EXPECT_THAT(Done<call::RecordPause>(dial.leg), IsEmpty());
  EXPECT_EQ(b().screens.audios["a1"].back().recording, CallAudio::Recording::kOn);
}

TEST_F(ControllerMediaTest, ARecordingThatCannotBeginIsToldAndTheCallGoesOn) {
  settings().campaign_recording = RecordingMode::kAllForce;
  recorder().next_open = absl::ResourceExhaustedError("disk full");
  b().Start(1);
  b().TalkOne();
  EXPECT_EQ(b().StateOf("a1"), agent::AgentState::kOnCall);
  EXPECT_THAT(b().screens.notices, ElementsAre(HasSubstr("not recorded")));
}

TEST_F(ControllerMediaTest, ASupervisorIsRungAndJoinedToTheAgent) {
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  const auto id =
      b().controller.StartMonitor("a1", "sip:sup@127.0.0.1:5071", call::MixRole::kCoach);
  ASSERT_TRUE(id.ok()) << id.status();
  const call::DialOrder order = b().Of<call::DialOrder>().back();
  EXPECT_EQ(order.request_uri, "sip:sup@127.0.0.1:5071");
  EXPECT_EQ(order.trunk, call::kAgentTrunk);
  b().Answer(order.leg);
  ASSERT_THAT(Done<call::JoinCall>(order.leg), SizeIs(1));
  EXPECT_EQ(Done<call::JoinCall>(order.leg)[0].with, b().AgentLeg("a1"));
  EXPECT_EQ(Done<call::JoinCall>(order.leg)[0].role, call::MixRole::kCoach);
  b().Say(call::LegJoined{order.leg, true});
  ASSERT_TRUE(b().controller.SetMonitorRole(*id, call::MixRole::kTalker).ok());
  EXPECT_THAT(Done<call::SetRole>(order.leg), SizeIs(1));
  // The call ends; the supervisor stays for the next one.
  b().End(dial.leg, call::CallOutcome::kAnswered);
  EXPECT_THAT(b().controller.monitors(), SizeIs(1));
  ASSERT_TRUE(b().controller.EndMonitor(*id).ok());
  EXPECT_TRUE(b().WasHungUp(order.leg));
  b().End(order.leg, call::CallOutcome::kAnswered, false);
  EXPECT_THAT(b().controller.monitors(), IsEmpty());
  EXPECT_FALSE(b().controller.EndMonitor(*id).ok());
}

TEST_F(ControllerMediaTest, AThirdPartyGoesWithTheCallItWasBroughtInto) {
  b().Start(2);
  b().LogIn("a1");
  EXPECT_FALSE(b().controller.StartConference("a1", "sip:c@127.0.0.1:5071").ok()) << "no call";
  b().Tick();
  const call::DialOrder dial = b().Dials().back();
  b().Answer(dial.leg);
  b().Connected(dial.leg, b().AgentLeg("a1"));
  const auto third = b().controller.StartConference("a1", "sip:c@127.0.0.1:5071");
  ASSERT_TRUE(third.ok()) << third.status();
  const LegId leg = b().Of<call::DialOrder>().back().leg;
  const auto supervisor =
      b().controller.StartMonitor("a1", "sip:s@127.0.0.1:5072", call::MixRole::kTalker);
  ASSERT_TRUE(supervisor.ok());
  EXPECT_FALSE(b().controller.EndConference("a1", *supervisor).ok()) << "not the agent's to end";
  EXPECT_FALSE(b().controller.EndConference("a2", *third).ok());
  b().End(dial.leg, call::CallOutcome::kAnswered);
  EXPECT_TRUE(b().WasHungUp(leg)) << "the next customer does not meet it";
  EXPECT_FALSE(b().WasHungUp(b().controller.monitors().at(*supervisor).leg));
}

TEST_F(ControllerMediaTest, AMessageThatIsNotThereIsNotPlayed) {
  settings().cpd_amd_action = MachineAction::kMessage;
  settings().am_message = "vn";  // a slip of the pen
  b().Start(2);
  const call::DialOrder dial = b().TalkOne();
  EXPECT_FALSE(b().controller.DropVoicemail("a1").ok());
  Hear(dial.leg, Sound::kMachine);
  EXPECT_THAT(b().Of<call::PlayThenHangUp>(), IsEmpty());
  EXPECT_EQ(EndAndLoad(dial).status, "AA");
}

TEST_F(ControllerMediaTest, WhoLosesTheAgentBeforeTheBridgeHearsTheCampaignsMessage) {
  settings().safe_harbor_audio = "sorry";
  b().Start(1);
  const call::DialOrder dial = b().DialOne();
  b().Answer(dial.leg);
  ASSERT_TRUE(b().controller.Logout("a1").ok());
  ASSERT_THAT(b().Of<call::PlayThenHangUp>(), SizeIs(1));
  EXPECT_EQ(b().Of<call::PlayThenHangUp>()[0].prompt, call::Prompt{11});
  End(dial);
}

TEST_F(ControllerMediaTest, AFaxThatMetAnAgentIsNoPersonServed) {
  b().Start(1);
  const call::DialOrder dial = b().TalkOne();
  Hear(dial.leg, Sound::kFax);
  End(dial);
  EXPECT_EQ(b().Figures().today.machines, 1);
}

TEST_F(ControllerMediaTest, ALogoutEndsWhoListens) {
  b().Start(1);
  b().LogIn("a1");
  ASSERT_TRUE(
      b().controller.StartMonitor("a1", "sip:s@127.0.0.1:5071", call::MixRole::kListener).ok());
  const LegId leg = b().Of<call::DialOrder>().back().leg;
  ASSERT_TRUE(b().controller.Logout("a1").ok());
  EXPECT_TRUE(b().WasHungUp(leg));
}

TEST_F(ControllerMediaTest, NobodyListensToWhoIsNotThereOrThroughATrunk) {
  b().Start(1);
  using call::MixRole;
  EXPECT_FALSE(b().controller.StartMonitor("a1", "sip:s@127.0.0.1:1", MixRole::kListener).ok());
  b().LogIn("a1");
  EXPECT_FALSE(b().controller.StartMonitor("a1", "sip:s@192.0.2.10:5060", MixRole::kTalker).ok());
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(b().controller.StartMonitor("a1", "sip:s@127.0.0.1:1", MixRole::kListener).ok());
  }
  EXPECT_EQ(
      b().controller.StartMonitor("a1", "sip:s@127.0.0.1:1", MixRole::kListener).status().code(),
      absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace outpace::runtime
