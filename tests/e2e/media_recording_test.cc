// Recordings as a quality manager meets them: who is on which side, what a pause leaves out, what
// a crash leaves behind, and that nobody can change a file unnoticed.

#include <cmath>
#include <cstdio>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/media_fixture.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::Eq;
using ::testing::HasSubstr;

class MediaRecordingTest : public MediaTest {
 protected:
  void BeginTalk(std::vector<std::string> settings) {
    settings.push_back("amd_mode=OFF");
    ASSERT_NO_FATAL_FAILURE(BeginCall(settings));
    pop_ = TakePop();
    ASSERT_FALSE(pop_.is_null());
    EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
    EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  }
  std::string attempt() const { return absl::StrCat(pop_["attempt"].get<uint64_t>()); }
  void Record(const std::string& action, const std::string& then) {
    Do("recording", {{"action", action}});
    TakeAudio("recording", then);
  }
  // `outpace recording list --json` with these options.
  json List(const std::vector<std::string>& options = {}) {
    std::vector<std::string> line = {"recording", "list", "--json"};
    line.insert(line.end(), options.begin(), options.end());
    const json answer = json::parse(engine_.Must(line), nullptr, /*allow_exceptions=*/false);
    return answer.is_object() ? answer.value("recordings", json::array()) : json::array();
  }
  // The record of the only recording, once there is one.
  json OnlyRecord() {
    json record;
    EXPECT_TRUE(engine_.WaitUntil(kSoon, [&] {
      const json list = List();
      if (list.size() != 1) return false;
      record = list[0];
      return true;
    })) << "no record of a recording";
    return record;
  }
  std::string FileOf(const json& record) {
    return absl::StrCat(engine_.dir() / "data", "/recordings/", record.value("file", "?"));
  }
  Stereo Read(const std::string& path) {
    auto audio = ReadStereoWav(path);
    EXPECT_TRUE(audio.ok()) << audio.status();
    return audio.ok() ? *std::move(audio) : Stereo();
  }
  Stereo Export() {
    const std::string out = engine_.dir() / "exported.wav";
    EXPECT_THAT(engine_.Must({"recording", "export", "--attempt", attempt(), "--out", out}),
                HasSubstr("left the customer, right the agent"));
    return Read(out);
  }
  // The customer on the left and the agent on the right, from 200 ms after the start to 200 ms
  // before the end, and nobody anywhere else.
  void ExpectSides(const Stereo& audio) {
    const size_t skip = SamplesIn(absl::Milliseconds(200));
    EXPECT_EQ(MismatchAnywhere(audio.left, {Source::kLead}, skip), "");
    EXPECT_EQ(MismatchAnywhere(audio.right, {Source::kAgent}, skip), "");
  }

  json pop_;
};

TEST_F(MediaRecordingTest, CustomerLeftAgentRightAsLongAsTheCall) {
  ASSERT_NO_FATAL_FAILURE(BeginTalk({"campaign_recording=ALLCALLS"}));
  EXPECT_TRUE(TakeAudio("recording", "on")["may_stop_recording"]);
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}, absl::Milliseconds(1500)), "");
  // A pause in speech of known length, to measure time in the file.
  lead().Hush();
  EXPECT_EQ(agent().WaitToHear({}), "");
  const Voice::Place quiet = agent().Now();
  lead().Play(ToneOf(Source::kLead, absl::Milliseconds(1000)));
  EXPECT_TRUE(lead().WaitUntilPlayed(kSoon));
  EXPECT_EQ(agent().WaitToHear({}), "");
  EXPECT_GT(
      FindClip(agent().HeardSince(quiet), ToneOf(Source::kLead, absl::Milliseconds(250))).likeness,
      0.9);
  HangUpAndDispose(pop_);
  const CsvRow call = ClosedCall();
  const json record = OnlyRecord();
  EXPECT_FALSE(record["cut"]);
  EXPECT_FALSE(record.contains("fault")) << record.dump();
  EXPECT_EQ(record["attempt"], pop_["attempt"]);
  const Stereo audio = Read(FileOf(record));
  ASSERT_GT(audio.left.size(), 16'000u);

  // Lengths: of the file, of its record, of the talk, of a word in it.
  const double talk_ms = std::stod(call.at("talk_seconds")) * 1000;
  const double file_ms = absl::ToDoubleMilliseconds(LengthOf(audio.left.size()));
  EXPECT_NEAR(record["seconds"].get<double>() * 1000, file_ms, 1);
  EXPECT_NEAR(file_ms, talk_ms, 40);
  std::printf("talk %.0f ms, recorded %.0f ms\n", talk_ms, file_ms);
  size_t end = audio.left.size(), begin = 0;
  constexpr int kLoud = 1500;
  while (end > 0 && std::abs(audio.left[end - 1]) < kLoud) --end;
  begin = end;
  for (size_t quiet_samples = 0; begin > 0 && quiet_samples < 800; --begin) {
    quiet_samples = std::abs(audio.left[begin - 1]) < kLoud ? quiet_samples + 1 : 0;
  }
  begin += 800;
  EXPECT_NEAR(absl::ToDoubleMilliseconds(LengthOf(end - begin)), 1000, 40);

  // Sides.
  const size_t skip = SamplesIn(absl::Milliseconds(200));
  EXPECT_EQ(MismatchAnywhere(audio.right, {Source::kAgent}, skip), "");
  EXPECT_EQ(MismatchAnywhere(absl::MakeSpan(audio.left).first(SamplesIn(absl::Seconds(1.5))),
                             {Source::kLead}, skip),
            "");
  EXPECT_LT(LoudestOf(Source::kAgent, audio.left), kAbsent);
  EXPECT_LT(LoudestOf(Source::kLead, audio.right), kAbsent);
  EXPECT_EQ(ClosedCall().at("recording"), record["file"].get<std::string>());
}

TEST_F(MediaRecordingTest, FoundByWhatIsKnownOfItAndGuarded) {
  ASSERT_NO_FATAL_FAILURE(BeginTalk({"campaign_recording=ALLFORCE", "recording_format=ULAW"}));
  EXPECT_FALSE(TakeAudio("recording", "on")["may_stop_recording"]);
  EXPECT_THAT(Refused("recording", {{"action", "stop"}}), HasSubstr("every call to its end"));
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}), "");
  HangUpAndDispose(pop_);
  const json record = OnlyRecord();
  const std::string path = FileOf(record);
  ExpectSides(Read(path));
  const Stereo exported = Export();
  ExpectSides(exported);
  EXPECT_EQ(exported.left, Read(path).left) << "16 bit of the same mu-law";

  const std::string lead_id = absl::StrCat(pop_["lead_id"].get<uint64_t>());
  EXPECT_EQ(List({"--lead", lead_id}).size(), 1u);
  EXPECT_EQ(List({"--lead", "999999"}).size(), 0u);
  EXPECT_EQ(List({"--number", absl::StrCat("+1", kLeadNumber)}).size(), 1u);
  EXPECT_EQ(List({"--number", absl::StrCat("+1", kNextNumber)}).size(), 0u);
  EXPECT_EQ(List({"--agent", "anna"}).size(), 1u);
  EXPECT_EQ(List({"--agent", "berta"}).size(), 0u);
  EXPECT_EQ(List({"--from", "yesterday", "--to", "today"}).size(), 1u);
  EXPECT_THAT(engine_.Must({"recording", "list"}),
              ::testing::AllOf(HasSubstr("anna"), ::testing::Not(HasSubstr(kLeadNumber))));

  EXPECT_THAT(engine_.Must({"recording", "verify", "--from", "yesterday"}),
              HasSubstr("1 recordings are as they were written, 0 are not"));
  std::string bytes = ReadFileOr(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  WriteFileOrDie(path, bytes);
  const CommandResult verified = engine_.Run({"recording", "verify", "--from", "yesterday"});
  EXPECT_EQ(verified.code, 1);
  EXPECT_THAT(verified.out, HasSubstr("is not as it was written"));
  EXPECT_EQ(engine_
                .Run({"recording", "export", "--attempt", attempt(), "--out",
                      engine_.dir() / "changed.wav"})
                .code,
            1);
  engine_.Must({"recording", "erase", "--attempt", attempt(), "--reason", "a test"});
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_THAT(engine_.Must({"recording", "list"}), HasSubstr("erased: a test"));
}

// What is said while the recording is paused (card data) is in no file; silence stands there.
TEST_F(MediaRecordingTest, APauseLeavesSilence) {
  ASSERT_NO_FATAL_FAILURE(BeginTalk({"campaign_recording=ALLFORCE"}));
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}, absl::Milliseconds(800)), "");
  Record("pause", "paused");
  lead().Say(Source::kThird);        // the card's number,
  agent().Say(Source::kSupervisor);  // repeated by the agent
  EXPECT_EQ(agent().WaitToHear({Source::kThird}), "") << "the call itself goes on";
  EXPECT_EQ(lead().WaitToHear({Source::kSupervisor}), "");
  EXPECT_EQ(agent().KeepsHearing({Source::kThird}), "");
  lead().Say(Source::kLead);
  agent().Say(Source::kAgent);
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  Record("resume", "on");
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}, absl::Milliseconds(800)), "");
  HangUpAndDispose(pop_);

  const json record = OnlyRecord();
  const Stereo audio = Read(FileOf(record));
  for (const Source secret : {Source::kThird, Source::kSupervisor}) {
    EXPECT_LT(LoudestOf(secret, audio.left), kAbsent) << SourceName(secret);
    EXPECT_LT(LoudestOf(secret, audio.right), kAbsent) << SourceName(secret);
  }
  ASSERT_EQ(record["gaps"].size(), 1u);
  EXPECT_EQ(record["gaps"][0]["kind"], "paused");
  const double from = record["gaps"][0]["from_seconds"], to = record["gaps"][0]["to_seconds"];
  EXPECT_GT(to - from, 1.5);
  EXPECT_NEAR(record["paused_seconds"].get<double>(), to - from, 0.01);
  const auto at = [](double seconds) { return static_cast<size_t>(seconds * kSamplesPerSecond); };
  ASSERT_LT(at(to) + 800, audio.left.size());
  for (size_t i = at(from) + 1; i < at(to); ++i) {
    ASSERT_LE(std::abs(audio.left[i]) + std::abs(audio.right[i]), 16) << "sample " << i;
  }
  // Before and after it, both are there.
  const size_t skip = SamplesIn(absl::Milliseconds(60));
  for (const auto& [side, who] : {std::pair(absl::MakeConstSpan(audio.left), Source::kLead),
                                  std::pair(absl::MakeConstSpan(audio.right), Source::kAgent)}) {
    EXPECT_EQ(MismatchAnywhere(side.first(at(from)), {who}, 2 * skip), "");
    EXPECT_EQ(MismatchAnywhere(side.subspan(at(to)), {who}, skip), "");
  }
}

// The crash comes while the customer reads out a card: nothing of it is in what is left.
TEST_F(MediaRecordingTest, KilledDuringAPauseNothingOfItIsLeft) {
  ASSERT_NO_FATAL_FAILURE(BeginTalk({"campaign_recording=ALLFORCE"}));
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}, absl::Milliseconds(1500)), "");
  Record("pause", "paused");
  lead().Say(Source::kThird);
  EXPECT_EQ(agent().WaitToHear({Source::kThird}), "");
  EXPECT_EQ(agent().KeepsHearing({Source::kThird}, absl::Milliseconds(1500)), "");
  engine_.Kill();
  const absl::Status restarted = engine_.Restart();
  ASSERT_TRUE(restarted.ok()) << restarted;
  const json record = OnlyRecord();
  EXPECT_TRUE(record["cut"]);
  const Stereo audio = Read(FileOf(record));
  EXPECT_GT(LoudestOf(Source::kLead, audio.left), kPresent) << "what was said before the pause";
  EXPECT_LT(LoudestOf(Source::kThird, audio.left), kAbsent);
  EXPECT_LT(LoudestOf(Source::kThird, audio.right), kAbsent);
  LeaveDesk();
}

// The file holds the call as the customer has it: music on the right, and not what the customer
// says to somebody in the room meanwhile.
TEST_F(MediaRecordingTest, OnHoldTheMusicIsRecordedAndTheCustomerIsNot) {
  ASSERT_NO_FATAL_FAILURE(BeginTalk({"campaign_recording=ALLCALLS", "hold_music=music"}));
  Do("hold", {{"on", true}});
  EXPECT_EQ(lead().WaitToHear({Source::kMusic}), "");
  lead().Say(Source::kThird);
  EXPECT_EQ(lead().KeepsHearing({Source::kMusic}), "");
  lead().Say(Source::kLead);
  Do("hold", {{"on", false}});
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  HangUpAndDispose(pop_);
  const Stereo audio = Read(FileOf(OnlyRecord()));
  EXPECT_LT(LoudestOf(Source::kThird, audio.left), kAbsent);
  EXPECT_GT(LoudestOf(Source::kMusic, audio.right), kPresent);
  const size_t tail = SamplesIn(absl::Milliseconds(300));
  ASSERT_GT(audio.left.size(), 2 * tail);
  EXPECT_EQ(
      MismatchAnywhere(absl::MakeConstSpan(audio.left).last(2 * tail).first(tail), {Source::kLead}),
      "");
  EXPECT_EQ(MismatchAnywhere(absl::MakeConstSpan(audio.right).last(2 * tail).first(tail),
                             {Source::kAgent}),
            "");
}

TEST_F(MediaRecordingTest, OnDemandByTheAgentAndNeverWhereItIsForbidden) {
  ASSERT_NO_FATAL_FAILURE(BeginTalk({"campaign_recording=ONDEMAND"}));
  EXPECT_THAT(Refused("recording", {{"action", "pause"}}), HasSubstr("not being recorded"));
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}, absl::Milliseconds(700)), "");
  Record("start", "on");
  lead().Say(Source::kThird);
  EXPECT_EQ(agent().WaitToHear({Source::kThird}), "");
  EXPECT_EQ(agent().KeepsHearing({Source::kThird}, absl::Milliseconds(700)), "");
  Record("stop", "off");
  lead().Say(Source::kNextLead);
  EXPECT_EQ(agent().WaitToHear({Source::kNextLead}), "");
  EXPECT_EQ(agent().KeepsHearing({Source::kNextLead}, absl::Milliseconds(300)), "");
  lead().Say(Source::kLead);
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  Record("start", "on");
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}, absl::Milliseconds(500)), "");
  HangUpAndDispose(pop_);
  // One file a call: what lies between stop and start is a gap in it.
  const json record = OnlyRecord();
  const Stereo audio = Read(FileOf(record));
  EXPECT_GT(LoudestOf(Source::kThird, audio.left), kPresent);
  EXPECT_LT(LoudestOf(Source::kNextLead, audio.left), kAbsent) << "said after the stop";
  EXPECT_EQ(
      MismatchAnywhere(absl::MakeConstSpan(audio.left).last(SamplesIn(absl::Milliseconds(400))),
                       {Source::kLead}, SamplesIn(absl::Milliseconds(60))),
      "");
  EXPECT_GT(record["paused_seconds"].get<double>(), 0.5);
  EXPECT_LT(record["seconds"].get<double>(), std::stod(ClosedCall().at("talk_seconds")))
      << "it begins with the agent's Record";
}

TEST_F(MediaRecordingTest, NeverMeansNever) {
  ASSERT_NO_FATAL_FAILURE(BeginTalk({"campaign_recording=NEVER"}));
  EXPECT_THAT(Refused("recording", {{"action", "start"}}), HasSubstr("does not record"));
  HangUpAndDispose(pop_);
  ClosedCall();
  EXPECT_EQ(List().size(), 0u);
}

// kill -9 in the middle of a word: what was said until then can be played, the record says "cut".
TEST_F(MediaRecordingTest, SurvivesTheEnginesDeath) {
  ASSERT_NO_FATAL_FAILURE(BeginTalk({"campaign_recording=ALLCALLS"}));
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}, absl::Seconds(3)), "");
  engine_.Kill();
  const absl::Status restarted = engine_.Restart();
  ASSERT_TRUE(restarted.ok()) << restarted;
  const json record = OnlyRecord();
  EXPECT_TRUE(record["cut"]);
  EXPECT_EQ(record["attempt"], pop_["attempt"]);
  const Stereo audio = Read(FileOf(record));
  const double seconds = absl::ToDoubleSeconds(LengthOf(audio.left.size()));
  EXPECT_GT(seconds, 1.5) << "at most the last blocks are lost";
  std::printf("%.2f s of a call of more than 3 s survived\n", seconds);
  ExpectSides(audio);
  ExpectSides(Export());
  EXPECT_THAT(engine_.Must({"recording", "verify", "--from", "yesterday"}),
              HasSubstr("1 recordings are as they were written, 0 are not"));
  LeaveDesk();  // the session died with the engine
}

// Encrypted, and in the format that keeps least: Opus follows a voice, so these speak in syllables.
TEST_F(MediaRecordingTest, EncryptedAtRestAndExportedAgain) {
  const std::string key = engine_.dir() / "recordings.key";
  engine_.AddConfig(absl::StrCat("[recording]\nkey_file = \"", key, "\""));
  ASSERT_EQ(RunOutpace({"recording", "key", "new", "--out", key}).code, 0);
  ASSERT_NO_FATAL_FAILURE(
      BeginTalk({"campaign_recording=ALLCALLS", "recording_encrypted=Y", "recording_format=OPUS"}));
  const absl::Duration syllable = absl::Milliseconds(240), pause = absl::Milliseconds(120);
  lead().Play(Join({ToneOf(Source::kThird, syllable), Silence(pause)}), true);
  agent().Play(Join({ToneOf(Source::kSupervisor, syllable), Silence(pause)}), true);
  const Voice::Place begin = agent().Now();
  EXPECT_TRUE(agent().WaitForPackets(begin, 100, kSoon));
  HangUpAndDispose(pop_);
  const json record = OnlyRecord();
  EXPECT_TRUE(record["encrypted"]);
  const std::string bytes = ReadFileOr(FileOf(record));
  ASSERT_GT(bytes.size(), 1000u);
  for (const char* plain : {"RIFF", "OggS", "OpusHead", "anna", kLeadNumber}) {
    EXPECT_FALSE(absl::StrContains(bytes, plain)) << plain;
  }
  const Stereo audio = Export();
  const absl::Duration length = LengthOf(audio.left.size());
  EXPECT_NEAR(absl::ToDoubleSeconds(length), record["seconds"].get<double>(), 0.001);
  const size_t piece = SamplesIn(absl::Milliseconds(720));
  ASSERT_GT(audio.left.size(), 2 * piece);
  for (size_t at = audio.left.size() - 2 * piece; at + piece < audio.left.size(); at += piece / 2) {
    const auto left = absl::MakeConstSpan(audio.left).subspan(at, piece);
    const auto right = absl::MakeConstSpan(audio.right).subspan(at, piece);
    EXPECT_GT(LoudestOf(Source::kThird, left), kPresent) << at;
    EXPECT_GT(LoudestOf(Source::kSupervisor, right), kPresent) << at;
    EXPECT_LT(LoudestOf(Source::kSupervisor, left), kAbsent) << at;
    EXPECT_LT(LoudestOf(Source::kThird, right), kAbsent) << at;
  }
  // Without the key it stays what it is.
  std::filesystem::rename(key, key + ".away");
  EXPECT_EQ(engine_
                .Run({"recording", "export", "--attempt", attempt(), "--out",
                      engine_.dir() / "without.wav"})
                .code,
            1);
  std::filesystem::rename(key + ".away", key);
}

}  // namespace
}  // namespace outpace::e2e
