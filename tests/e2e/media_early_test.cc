// What the network says before the answer, as audio behind a 183: dead numbers end in seconds and
// are disposed of by what was said; whoever rings or plays music to the caller is left to ring.

#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/e2e/media_fixture.h"
#include "tools/farend/audio.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr absl::Duration kDeadWithin = absl::Seconds(3);
constexpr char kVacant[] = "early/clips/zh_ivr_ivr-phone_is_unassigned.wav";  // 空号
constexpr char kBusyVoice[] = "early/clips/zh_ivr_ivr-user_busy.wav";         // 用户忙
constexpr char kStranger[] = "early/clips/asterisk_en_agent-loggedoff.wav";

struct Beat {
  double low_hz, high_hz;  // 0: none
  int ms;
};
std::vector<int16_t> Tones(const std::vector<Beat>& beats, int times) {
  std::vector<int16_t> samples;
  for (int n = 0; n < times; ++n) {
    for (const Beat& beat : beats) {
      const size_t length = SamplesIn(absl::Milliseconds(beat.ms));
      for (size_t i = 0; i < length; ++i) {
        const double t = 2 * M_PI * static_cast<double>(i) / kSamplesPerSecond;
        const double sum = (beat.low_hz > 0 ? std::sin(beat.low_hz * t) : 0) +
                           (beat.high_hz > 0 ? std::sin(beat.high_hz * t) : 0);
        samples.push_back(static_cast<int16_t>(4000 * sum));
      }
    }
  }
  return samples;
}
// North America's, as the number dialed is (ITU-T E.180 supplement 2; Bellcore SR-2275 6.1).
std::vector<int16_t> Ringback() { return Tones({{440, 480, 2000}, {0, 0, 4000}}, 5); }
std::vector<int16_t> Busy() { return Tones({{480, 620, 500}, {0, 0, 500}}, 20); }
std::vector<int16_t> Reorder() { return Tones({{480, 620, 250}, {0, 0, 250}}, 40); }
std::vector<int16_t> VacantCode() {
  return Tones({{985.2, 0, 380}, {1370.6, 0, 274}, {1776.7, 0, 380}, {0, 0, 1000}}, 3);
}

class MediaEarlyTest : public MediaTest {
 protected:
  void BeginCallTo(const std::vector<int16_t>& sound) {
    callee_ = std::make_unique<Callee>(engine_.far_end_port(), Callee::Manner::kEarlyMedia);
    callee_->WhenCalled([this, sound](const std::string&) { lead().Play(sound); });
    ASSERT_NO_FATAL_FAILURE(Begin({}));
    ASSERT_NO_FATAL_FAILURE(LogIn());
    StartDialing();
    ASSERT_TRUE(callee_->WaitForCall(kSoon));
  }
  // The engine gave up by itself, soon, and disposed of the lead by what was heard.
  void ExpectDead(const std::string& status, const std::string& heard) {
    ASSERT_TRUE(callee_->WaitUntilCancelled(kSoon));
    const absl::Duration took = callee_->ended() - callee_->invited();
    std::printf("%s: cancelled %s after the INVITE\n", heard.c_str(),
                absl::FormatDuration(absl::Floor(took, absl::Milliseconds(1))).c_str());
    EXPECT_LT(took, kDeadWithin);
    const CsvRow call = ClosedCall();
    EXPECT_EQ(call.at("heard"), heard);
    EXPECT_EQ(call.at("status"), status);
    EXPECT_EQ(call.at("lead_status_now"), status);
    EXPECT_EQ(call.at("answered_ms"), "");
    EXPECT_EQ(call.at("trunk_fault"), "N");
    EXPECT_EQ(desk_->Seen("pop"), 0u);
  }
  // It goes on for `how_long`; then the person answers, and is heard.
  void ExpectLeftAlone(absl::Duration how_long, const std::string& heard) {
    EXPECT_FALSE(callee_->WaitUntilCancelled(how_long));
    lead().Say(Source::kLead);
    callee_->Answer();
    const json pop = TakePop();
    ASSERT_FALSE(pop.is_null());
    EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
    EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
    HangUpAndDispose(pop);
    const CsvRow call = ClosedCall();
    EXPECT_EQ(call.at("status"), "SALE");
    EXPECT_EQ(call.at("heard"), heard);
  }
  // `outpace media learn`: what the operator would do with a sample of the carrier.
  void Learn(const std::string& announcement_class, const std::string& clip) {
    const std::string set = engine_.dir() / "carrier.ofp";
    const CommandResult learned =
        RunOutpace({"media", "learn", "--set", set, "--class", announcement_class,
                    absl::StrCat(OUTPACE_SOURCE_DIR, "/tests/data/audio/", clip)});
    ASSERT_EQ(learned.code, 0) << learned.err;
    if (!taught_) engine_.AddMediaConfig(absl::StrCat("announcements_file = \"", set, "\""));
    taught_ = true;
  }
  bool taught_ = false;
};

TEST_F(MediaEarlyTest, VacantNumberByItsInformationTones) {
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(VacantCode()));
  ExpectDead("ADC", "sit_vacant");
}

TEST_F(MediaEarlyTest, BusyTone) {
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(Busy()));
  ExpectDead("AB", "busy_tone");
}

TEST_F(MediaEarlyTest, RingbackIsLeftToRing) {
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(Ringback()));
  // Two rings of two seconds: the second ends 8 s after the first began.
  ExpectLeftAlone(absl::Milliseconds(8500), "ringback");
}

TEST_F(MediaEarlyTest, MusicInsteadOfRingbackIsLeftToRing) {
  const auto music = farend::LoadClip("music");  // 彩铃
  ASSERT_TRUE(music.ok()) << music.status();
  std::vector<int16_t> samples;
  for (const char octet : (*music)->ulaw) {
    samples.push_back(farend::DecodeUlaw(static_cast<uint8_t>(octet)));
  }
  ASSERT_GT(samples.size(), 8000u);
  while (samples.size() < SamplesIn(absl::Seconds(8))) {
    samples.insert(samples.end(), samples.begin(), samples.begin() + 8000);
  }
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(samples));
  ExpectLeftAlone(absl::Seconds(6), "speech_or_music");
}

TEST_F(MediaEarlyTest, AnnouncementsThatWereTaught) {
  ASSERT_NO_FATAL_FAILURE(Learn("vacant_number", kVacant));
  ASSERT_NO_FATAL_FAILURE(Learn("busy", kBusyVoice));
  // As a carrier plays it: from somewhere in the middle, and again and again.
  std::vector<int16_t> clip = Join({LoadClip(kVacant), Silence(absl::Milliseconds(700))});
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(Join({clip, clip, clip})));
  ExpectDead("ADC", "announcement:vacant_number");
}

TEST_F(MediaEarlyTest, AVoiceThatNobodyTaughtIsLeftAlone) {
  ASSERT_NO_FATAL_FAILURE(Learn("vacant_number", kVacant));
  ASSERT_NO_FATAL_FAILURE(Learn("busy", kBusyVoice));
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(LoadClip(kStranger)));
  ExpectLeftAlone(absl::Seconds(4), "speech_or_music");
}

// Congestion on the trunk is the trunk's fault, not the lead's: the lead stays as it was.
TEST_F(MediaEarlyTest, CongestionToneIsTheTrunksFault) {
  ASSERT_NO_FATAL_FAILURE(BeginCallTo(Reorder()));
  ASSERT_TRUE(callee_->WaitUntilCancelled(kSoon));
  EXPECT_LT(callee_->ended() - callee_->invited(), kDeadWithin);
  EXPECT_TRUE(engine_.WaitUntil(kSoon, [&] {
    const std::vector<CsvRow> rows = engine_.ExportCalls();
    return !rows.empty() && rows[0].at("heard") == "congestion_tone" &&
           rows[0].at("trunk_fault") == "Y";
  }));
}

}  // namespace
}  // namespace outpace::e2e
