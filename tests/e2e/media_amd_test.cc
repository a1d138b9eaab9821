// Who answered, with recordings of people and machines as the far end's audio: a person reaches the
// agent, a machine costs nobody's time, a message reaches the machine after its beep.

#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/e2e/media_fixture.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// tests/data/audio/scenes.csv tells what is said in them and when.
constexpr char kPerson[] = "scenes/h006_two_words.wav";
constexpr char kVoicemail[] = "scenes/m004_voicemail_beep.wav";
constexpr absl::Duration kBeepBegins = absl::Milliseconds(3240);
constexpr absl::Duration kVoicemailLength = absl::Milliseconds(5160);

class MediaAmdTest : public MediaTest {
 protected:
  // A callee who answers at once with this sound, and an agent who is ready.
  void BeginCallTo(const std::vector<int16_t>& sound, const std::vector<std::string>& settings) {
    callee_ = std::make_unique<Callee>(engine_.far_end_port(), Callee::Manner::kAnswer);
    callee_->WhenCalled([this, sound](const std::string&) { lead().Play(sound); });
    std::vector<std::string> all = {"amd_audit_percentage=0"};  // each verdict is acted on
    all.insert(all.end(), settings.begin(), settings.end());
    ASSERT_NO_FATAL_FAILURE(Begin(all));
    ASSERT_NO_FATAL_FAILURE(LogIn());
    StartDialing();
  }
  void ExpectAgentFree() {
    EXPECT_TRUE(desk_->WaitForState("READY", kSoon)) << "without wrap-up";
    engine_.WaitForBoard("one agent who is ready", kSoon, [](const json& b) {
      return b["campaigns"][0]["agents"]["ready"] == 1 &&
             b["campaigns"][0]["calls"]["talking"] == 0;
    });
  }
  void ExpectMachine(const CsvRow& call, const std::string& status) {
    EXPECT_EQ(call.at("status"), status);
    EXPECT_EQ(call.at("lead_status_now"), status);
    EXPECT_EQ(call.at("amd"), "machine");
    EXPECT_GE(std::stoi(call.at("amd_confidence")), 50);
    EXPECT_GT(std::stoi(call.at("amd_ms")), 0);
    EXPECT_THAT(call.at("amd_features"), HasSubstr("="));
    EXPECT_EQ(call.at("abandoned"), "N") << "no person was there to be abandoned";
    EXPECT_EQ(call.at("outcome"), "answered");
  }
};

TEST_F(MediaAmdTest, APersonStaysWithTheAgent) {
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(LoadClip(kPerson), {"cpd_amd_action=DISPO"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_LT(agent().WaitForSound(0, kSoon) - callee_->answered(), absl::Seconds(2));
  EXPECT_TRUE(lead().WaitUntilPlayed(kSoon));
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  HangUpAndDispose(pop);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "SALE");
  EXPECT_EQ(call.at("amd"), "human");
  EXPECT_LE(std::stoi(call.at("amd_ms")), 2500);
  EXPECT_THAT(call.at("amd_features"), HasSubstr("="));
}

TEST_F(MediaAmdTest, AMachineIsHungUpOnAndTheAgentIsFree) {
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(LoadClip(kVoicemail), {"cpd_amd_action=DISPO"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon));
  EXPECT_LT(callee_->ended() - callee_->answered(), absl::Seconds(4))
      << "long before its greeting ends";
  const json notice = desk_->Take("notice", kSoon);
  EXPECT_THAT(notice.value("message", ""), HasSubstr("machine"));
  ExpectAgentFree();
  const CsvRow call = ClosedCall();
  ExpectMachine(call, "AA");
  EXPECT_EQ(call.at("term_reason"), "SYSTEM");
  std::printf("machine found %s ms after the answer\n", call.at("amd_ms").c_str());
}

TEST_F(MediaAmdTest, BlockingTheAgentMeetsAPersonAfterTheVerdictOnly) {
  ASSERT_NO_FATAL_FAILURE(
      BeginCallTo(LoadClip(kPerson), {"amd_mode=BLOCKING", "cpd_amd_action=DISPO"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_TRUE(lead().WaitUntilPlayed(kSoon));
  lead().Say(Source::kLead);
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  HangUpAndDispose(pop);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("amd"), "human");
  // The detector's clock is the audio, whose first packet comes with the answer.
  const int64_t waited = std::stoll(call.at("connected_ms")) - std::stoll(call.at("answered_ms"));
  EXPECT_GE(waited, std::stoll(call.at("amd_ms")) - 40);
  EXPECT_LE(waited, std::stoll(call.at("amd_ms")) + 700);
}

TEST_F(MediaAmdTest, BlockingNoAgentEverHearsAMachine) {
  ASSERT_NO_FATAL_FAILURE(
      BeginCallTo(LoadClip(kVoicemail), {"amd_mode=BLOCKING", "cpd_amd_action=DISPO"}));
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon));
  const CsvRow call = ClosedCall();
  ExpectMachine(call, "AA");
  EXPECT_EQ(call.at("user"), "");
  EXPECT_EQ(desk_->Seen("pop"), 0u);
  EXPECT_LT(PowerOf(agent().HeardSince(0)), -90) << "the agent's line was silent all the time";
}

TEST_F(MediaAmdTest, AMessageIsLeftAfterTheBeep) {
  ASSERT_NO_FATAL_FAILURE(
      BeginCallTo(Join({LoadClip(kVoicemail)}), {"cpd_amd_action=MESSAGE", "am_message=message"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  ExpectAgentFree();
  ASSERT_TRUE(callee_->WaitUntilUp(absl::ZeroDuration())) << "the machine is still greeting";
  const Voice::Place begin = lead().Now();
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon)) << "after the message we hang up";
  // The whole message, once, as it lies on the disk.
  const std::vector<int16_t> heard = lead().HeardSince(0);
  const std::vector<int16_t> message = ToneOf(Source::kMessage, absl::Seconds(2));
  EXPECT_GT(LoudestOf(Source::kMessage, heard), kPresent);
  const std::vector<int16_t> since = lead().HeardSince(begin);
  const auto ear = absl::MakeConstSpan(message);
  const Match start = FindClip(since, ear.first(400));
  EXPECT_GT(start.likeness, 0.98);
  ASSERT_GE(since.size(), start.at + message.size() - 320);
  EXPECT_EQ(MismatchAnywhere(absl::MakeConstSpan(since).subspan(start.at, message.size() - 320),
                             {Source::kMessage}, 160),
            "");
  // And not before the beep: the machine would not have recorded its beginning.
  const absl::Time said = lead().WaitForSound(begin, absl::ZeroDuration());
  EXPECT_GE(said - callee_->answered(), kBeepBegins);
  EXPECT_LE(said - callee_->answered(), kVoicemailLength);
  const CsvRow call = ClosedCall();
  ExpectMachine(call, "AL");
}

TEST_F(MediaAmdTest, TheAgentsScreenSaysMachineAndTheAgentDropsTheMessage) {
  ASSERT_NO_FATAL_FAILURE(
      BeginCallTo(LoadClip(kVoicemail), {"cpd_amd_action=FLAG", "am_message=message"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  TakeAudio("machine", true);
  EXPECT_EQ(desk_->Seen("call_ended"), 0u) << "the agent decides";
  EXPECT_TRUE(lead().WaitUntilPlayed(kSoon));
  Do("voicemail");
  const Voice::Place begin = lead().Now();
  ExpectAgentFree();
  EXPECT_EQ(lead().WaitToHear({Source::kMessage}), "");
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon));
  EXPECT_GT(lead().LoudestSince(begin, Source::kMessage), kPresent);
  ExpectMachine(ClosedCall(), "AL");
}

// A share of the calls that a verdict would end goes to agents all the same, or nobody would ever
// learn of its errors: the agent is told nothing, and what was heard is kept.
TEST_F(MediaAmdTest, AnAuditedMachineIsLeftToTheAgentAndItsClipIsKept) {
  ASSERT_NO_FATAL_FAILURE(
      BeginCallTo(LoadClip(kVoicemail), {"cpd_amd_action=DISPO", "amd_audit_percentage=100",
                                         "amd_clips=Y", "campaign_recording=ALLCALLS"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_TRUE(lead().WaitUntilPlayed(kSoon));
  EXPECT_EQ(desk_->Seen("call_ended"), 0u);
  HangUpAndDispose(pop, "A");
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "A");
  EXPECT_EQ(call.at("amd"), "machine");
  // The recording holds the call from the answer on, with the first word, and knows its agent.
  json list;
  EXPECT_TRUE(engine_.WaitUntil(kSoon, [&] {
    const json answer =
        json::parse(engine_.Must({"recording", "list", "--json", "--agent", "anna"}), nullptr,
                    /*allow_exceptions=*/false);
    list = answer.is_object() ? answer.value("recordings", json::array()) : json::array();
    return list.size() == 1;
  }));
  ASSERT_EQ(list.size(), 1u);
  const auto audio = ReadStereoWav(
      absl::StrCat(engine_.dir() / "data", "/recordings/", list[0].value("file", "?")));
  ASSERT_TRUE(audio.ok()) << audio.status();
  const std::vector<int16_t> clip = LoadClip(kVoicemail);
  constexpr size_t kSpeech = 5000, kPiece = 2000;  // within the first words
  const Match match = FindClip(absl::MakeConstSpan(audio->left).first(16'000),
                               absl::MakeConstSpan(clip).subspan(kSpeech, kPiece));
  EXPECT_GT(match.likeness, 0.95);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(LengthOf(match.at)),
              absl::ToDoubleMilliseconds(LengthOf(kSpeech)), 120);
}

// A fax calls out with 1100 Hz or answers with 2100 Hz (ITU-T T.30).
TEST_F(MediaAmdTest, AFaxIsHungUpOn) {
  std::vector<int16_t> answer_tone = Silence(absl::Milliseconds(300));
  for (int i = 0; i < 3 * kSamplesPerSecond; ++i) {
    answer_tone.push_back(
        static_cast<int16_t>(4000 * std::sin(2 * M_PI * 2100 * i / kSamplesPerSecond)));
  }
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(answer_tone, {"cpd_amd_action=FLAG"}));
  ASSERT_FALSE(TakePop().is_null());
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon));
  ExpectAgentFree();
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "AFAX");
  EXPECT_EQ(call.at("amd"), "fax");
}

// Whoever says nothing may be a person: the agent has the call and keeps it.
TEST_F(MediaAmdTest, SilenceIsLeftToTheAgent) {
  ASSERT_NO_FATAL_FAILURE(BeginCallTo({}, {"cpd_amd_action=DISPO", "amd_decide_seconds=1"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  EXPECT_EQ(lead().KeepsHearing({Source::kAgent}, absl::Seconds(4)), "");
  HangUpAndDispose(pop, "NI");
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "NI");
  EXPECT_NE(call.at("amd"), "machine");
}

}  // namespace
}  // namespace outpace::e2e
