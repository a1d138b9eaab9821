// Limits on abandoned calls in the life of a call: until when somebody waits, what is then heard,
// and as what the call is counted, also by a controller that starts after a crash.

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/engine/runtime/controller_bench.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ControllerOptions WithPrompts() {
  ControllerOptions options = ControllerBench::Options();
  options.prompts = {{"usual", call::Prompt{10}}, {"of_acme", call::Prompt{11}}};
  return options;
}

class ContractsTest : public ::testing::Test, public ControllerBench {
 protected:
  ContractsTest() : ControllerBench(WithPrompts()) {
    settings.drop_call_seconds = absl::Seconds(20);  // the contracts are the stricter
    settings.safe_harbor_audio = "usual";
  }
  void TearDown() override { EXPECT_EQ(controller.CheckInvariants(), ""); }

  void Contracts(const std::string& text) {
    ASSERT_TRUE(settings.Set("abandon_contracts", text).ok());
  }
  // Somebody has answered, and no agent is there any more.
  call::DialOrder AnswerWithoutAgent() {
    const call::DialOrder dial = DialOne();
    EXPECT_TRUE(controller.SetNotReady("a1", "LUNCH").ok());
    Answer(dial.leg);
    return dial;
  }
  // A greeting from `start` to `end`, told when `pause` more had passed.
  void Greets(LegId leg, int start_ms, int end_ms, int pause_ms) {
    listen::Heard heard;
    heard.sound = listen::Sound::kHuman;
    heard.confidence = 0.9f;
    heard.after = absl::Milliseconds(end_ms + pause_ms);
    for (size_t i = 0; i < heard.features.size(); ++i) {
      const absl::string_view name = listen::FeatureName(i);
      if (name == "lead_ms") heard.features[i] = static_cast<float>(start_ms);
      if (name == "speech_ms") heard.features[i] = static_cast<float>(end_ms - start_ms);
      if (name == "pause_ms") heard.features[i] = static_cast<float>(pause_ms);
    }
    Say(call::LegHeard{leg, heard, world.now()});
  }
  // From now until the message is ordered, to the hundredth of a second.
  absl::Duration UntilMessage() {
    const MonoTime from = world.now();
    while (Of<call::PlayThenHangUp>().empty() && world.now() - from < absl::Seconds(30)) {
      Pass(absl::Milliseconds(10));
    }
    return world.now() - from;
  }
  ContractFigures Contract(const std::string& name) {
    const auto answer = controller.Contracts("C");
    EXPECT_TRUE(answer.ok());
    for (const ContractFigures& figures : answer->figures) {
      if (figures.name == name) return figures;
    }
    ADD_FAILURE() << name;
    return {};
  }
};

// 16 CFR 310.4(b)(4)(iii), Ofcom: the message within two seconds. Where nobody listens, of the
// answer.
TEST_F(ContractsTest, TheMessageBeginsWithinTheSecondsOfTheAnswer) {
  settings.amd_mode = campaign::AmdMode::kOff;
  Contracts("tsr, acme{seconds=3 message=of_acme}");
  Start(1);
  const call::DialOrder dial = AnswerWithoutAgent();
  const absl::Duration waited = UntilMessage();
  EXPECT_LE(waited, absl::Seconds(2));
  EXPECT_GE(waited, absl::Milliseconds(1800)) << "not before it must";
  ASSERT_THAT(Of<call::PlayThenHangUp>(), SizeIs(1));
  EXPECT_EQ(Of<call::PlayThenHangUp>()[0].prompt, call::Prompt{11}) << "the contract's own message";
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  const campaign::Attempt stored = Stored(dial.attempt);
  EXPECT_TRUE(stored.abandoned);
  EXPECT_LE(stored.dropped_at - stored.answered_at, absl::Seconds(2));
  EXPECT_EQ(Contract("tsr").abandoned, 1);
  EXPECT_EQ(Contract("acme").abandoned, 1);
}

// Of the end of the greeting, where it is heard: agents have that much longer.
TEST_F(ContractsTest, TheSecondsCountFromTheGreetingThatIsHeard) {
  Contracts("tsr");
  Start(1);
  const call::DialOrder dial = AnswerWithoutAgent();
  Pass(absl::Milliseconds(1300));
  Greets(dial.leg, 300, 1100, 200);
  const absl::Duration waited = absl::Milliseconds(1300) + UntilMessage();
  EXPECT_LE(waited, absl::Milliseconds(3100));
  EXPECT_GE(waited, absl::Milliseconds(2900));
  EXPECT_EQ(Of<call::PlayThenHangUp>().at(0).prompt, call::Prompt{10}) << "the campaign's message";
  End(dial.leg, call::CallOutcome::kAnswered, false);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).greeting_start_ms, 300);
  EXPECT_EQ(Stored(dial.attempt).greeting_end_ms, 1100);
}

TEST_F(ContractsTest, OfSeveralTheEarliestCounts) {
  Contracts("tsr, ofcom");
  Start(1);
  const call::DialOrder dial = AnswerWithoutAgent();
  Pass(absl::Milliseconds(1300));
  Greets(dial.leg, 300, 1100, 200);
  const absl::Duration waited = absl::Milliseconds(1300) + UntilMessage();
  EXPECT_LE(waited, absl::Milliseconds(2300)) << "two seconds of the greeting's start";
  EXPECT_GE(waited, absl::Milliseconds(2100));
}

// The settings of before go by drop_call_seconds alone.
TEST_F(ContractsTest, WithoutContractsDropCallSecondsCount) {
  settings.drop_call_seconds = absl::Seconds(4);
  settings.client_dropped_percentage = 1;
  Start(1);
  AnswerWithoutAgent();
  const absl::Duration waited = UntilMessage();
  EXPECT_GE(waited, absl::Milliseconds(3990));
  EXPECT_LE(waited, absl::Milliseconds(4020));
}

// A verdict is not waited for longer than a contract gives from the answer.
TEST_F(ContractsTest, ScreeningEndsInTime) {
  settings.amd_mode = campaign::AmdMode::kBlocking;
  settings.amd_decide_seconds = absl::Seconds(4);
  Contracts("own{start=answer seconds=2}");
  Start(1);
  AnswerWithoutAgent();
  EXPECT_LE(UntilMessage(), absl::Seconds(2));
}

// An agent who comes late saves the call, and for the contract it is abandoned all the same.
TEST_F(ContractsTest, AnAgentWhoIsLateIsTooLateForTheContract) {
  settings.amd_mode = campaign::AmdMode::kOff;
  Contracts("tsr");
  Start(1);
  const call::DialOrder dial = DialOne();
  Answer(dial.leg);
  Pass(absl::Milliseconds(2500));  // the bridge takes its time
  Connected(dial.leg, AgentLeg("a1"));
  EXPECT_EQ(Contract("tsr").abandoned, 1);
  EXPECT_EQ(Contract("tsr").counted, 1);
  EXPECT_EQ(Contract("regulation").abandoned, 0);
  EXPECT_EQ(Contract("regulation").counted, 1);
  End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(Dispose("a1", dial.attempt, "A").ok());
  EXPECT_EQ(Contract("tsr").abandoned, 0) << "it was a machine";
  EXPECT_EQ(Contract("tsr").counted, 0);
}

TEST_F(ContractsTest, WhoHangsUpIsCountedWhereTheContractSaysSo) {
  settings.amd_mode = campaign::AmdMode::kOff;
  Contracts("tsr, all{numerator=unserved}");
  Start(1);
  const call::DialOrder dial = AnswerWithoutAgent();
  Pass(absl::Seconds(1));
  End(dial.leg, call::CallOutcome::kAnswered);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Stored(dial.attempt).status, "PDROP");
  EXPECT_EQ(Contract("tsr").counted, 0);
  EXPECT_EQ(Contract("all").abandoned, 1);
}

// An engine is killed while the message plays: the call is in the store, abandoned at its second.
TEST_F(ContractsTest, AnAbandonedCallIsStoredBeforeItsMessageIsOver) {
  Contracts("crtc");
  Start(1);
  const call::DialOrder dial = AnswerWithoutAgent();
  UntilMessage();
  Pass(absl::Milliseconds(10));
  const campaign::Attempt stored = Stored(dial.attempt);
  EXPECT_TRUE(stored.open);
  EXPECT_TRUE(stored.abandoned);
  EXPECT_NE(stored.dropped_at, absl::InfinitePast());
  End(dial.leg, call::CallOutcome::kAnswered, false);
}

TEST_F(ContractsTest, RecoveryKeepsWhatWasAbandonedBeforeTheCrash) {
  Contracts("crtc");
  campaign::Attempt attempt;
  attempt.id = AttemptId(7);
  attempt.lead = LeadId(1);
  attempt.list = ListId(101);
  attempt.campaign = "C";
  attempt.dialed = Lead(1).phone;
  attempt.trunk = "carrier";
  attempt.call_id = "op-7-abc";
  attempt.dialed_at = world.clock().Wall() - absl::Minutes(3);
  attempt.answered_at = world.clock().Wall() - absl::Minutes(2);
  attempt.dropped_at = attempt.answered_at + absl::Milliseconds(1900);
  attempt.abandoned = true;
  state.open_attempts.push_back(attempt);
  state.open_leads.push_back(Lead(1));
  state.attempts_today.push_back(attempt);
  state.next_attempt = 100;
  Start(1);
  Pass(absl::Milliseconds(10));
  EXPECT_EQ(Contract("crtc").abandoned, 1);
  EXPECT_EQ(Contract("regulation").abandoned, 1);
  EXPECT_EQ(Figures().today.abandoned, 1);
  const campaign::Attempt stored = Stored(AttemptId(7));
  EXPECT_EQ(stored.status, "DROP");
  EXPECT_EQ(stored.answered_at, attempt.answered_at);
  EXPECT_EQ(stored.dropped_at, attempt.dropped_at);
}

// A contract that is added counts the calls that are known.
TEST_F(ContractsTest, ANewContractCountsWhatWasBefore) {
  Start(1);
  const call::DialOrder dial = TalkOne();
  End(dial.leg, call::CallOutcome::kAnswered);
  ASSERT_TRUE(Dispose("a1", dial.attempt, "NI").ok());
  Contracts("ofcom, own{window=rolling_30d limit=1}");
  controller.PutCampaign(settings);
  EXPECT_EQ(Contract("ofcom").counted, 1);
  EXPECT_EQ(Contract("own").counted, 1);
  const auto answer = controller.Contracts("C");
  ASSERT_TRUE(answer.ok());
  const std::string text = ContractsText("C", answer->figures, answer->zone);
  EXPECT_THAT(text, HasSubstr("America/Denver"));
  EXPECT_THAT(text, HasSubstr("ofcom: start=greeting_start seconds=2"));
  EXPECT_THAT(Figures().contracts, SizeIs(3));
  EXPECT_FALSE(controller.Contracts("NONE").ok());
}

}  // namespace
}  // namespace outpace::runtime
