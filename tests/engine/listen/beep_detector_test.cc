#include "engine/listen/beep_detector.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/engine/listen/answer_sounds.h"

namespace outpace::listen {
namespace {

// When the beep's end was told, in ms; -1: never.
int BeepAt(const Samples& samples) {
  BeepDetector detector;
  int at = -1;
  ForEachFrame(samples, [&](Frame frame, int ms) {
    if (detector.Feed(frame)) at = ms + 20;
    return at >= 0;
  });
  return at;
}

TEST(BeepDetector, HearsTheBeepEndAfterAVoice) {
  for (const double hz : {400.0, 440.0, 700.0, 1000.0, 1400.0, 2000.0}) {
    for (const double seconds : {0.22, 0.42, 0.8}) {
      SCOPED_TRACE(absl::StrCat(hz, " Hz for ", seconds, " s"));
      const int at = BeepAt(
          SoundMaker().Voice(2).Silence(0.3).Tone(seconds, {hz}).Silence(1.5).Noise(-50).samples());
      // Low tones wait whether they come back: 0.8 s.
      const int end = 2300 + static_cast<int>(seconds * 1000);
      EXPECT_GE(at, end);
      EXPECT_LE(at, end + (hz < 640 ? 900 : 60));
    }
  }
}

TEST(BeepDetector, HearsTwoTonesAndTellsTheLength) {
  const SoundMaker sound =
      SoundMaker().Voice(1).Tone(0.5, {900, 1800}, -20).Silence(0.5).Noise(-48);
  BeepDetector detector;
  bool heard = false;
  ForEachFrame(sound.samples(), [&](Frame frame, int) { return heard = detector.Feed(frame); });
  EXPECT_TRUE(heard);
  EXPECT_GE(detector.length(), absl::Milliseconds(420));
  EXPECT_LE(detector.length(), absl::Milliseconds(520));
}

TEST(BeepDetector, SaysItOnce) {
  BeepDetector detector;
  int count = 0;
  ForEachFrame(SoundMaker()
                   .Voice(1)
                   .Tone(0.4, {1000})
                   .Silence(1)
                   .Voice(1)
                   .Tone(0.4, {1000})
                   .Silence(1)
                   .samples(),
               [&](Frame frame, int) {
                 // Whether it goes on saying so is for whoever asks; from the first on it is over.
                 if (detector.Feed(frame)) ++count;
                 return false;
               });
  EXPECT_EQ(count, 1);
}

TEST(BeepDetector, NeedsNoVoiceOfWhoIsKnownToHaveSpoken) {
  BeepDetector detector(/*voice_heard=*/true);
  int heard_at = -1;
  ForEachFrame(SoundMaker().Silence(0.2).Tone(0.4, {1000}).Silence(1).Noise(-50).samples(),
               [&](Frame frame, int ms) {
                 if (detector.Feed(frame)) heard_at = ms + 20;
                 return heard_at >= 0;
               });
  EXPECT_GE(heard_at, 600);
  EXPECT_LE(heard_at, 660);
}

TEST(BeepDetector, IsNotFooled) {
  EXPECT_EQ(BeepAt(SoundMaker().Tone(0.5, {1000}).Silence(2).samples()), -1) << "no voice before";
  EXPECT_EQ(BeepAt(SoundMaker().Voice(1).Tone(2, {440, 480}).Silence(4).samples()), -1) << "rings";
  EXPECT_EQ(BeepAt(SoundMaker().Voice(1).Tone(1, {425}).Silence(4).samples()), -1) << "rings";
  EXPECT_EQ(BeepAt(SoundMaker().Voice(1).Tone(1, {450}).Silence(4).samples()), -1) << "rings";
  EXPECT_EQ(BeepAt(SoundMaker().Voice(3).samples()), -1) << "a voice";
  EXPECT_EQ(BeepAt(SoundMaker().Voice(1).Music(8).Silence(1).samples()), -1) << "music";
  EXPECT_EQ(BeepAt(SoundMaker().Voice(1).Tone(6, {1000}).Silence(1).samples()), -1) << "too long";
  EXPECT_EQ(BeepAt(SoundMaker().Voice(1).Silence(2).Noise(-40).samples()), -1) << "noise";
}

TEST(BeepDetector, BusyAndCongestionComeBack) {
  for (const double on : {0.25, 0.5}) {
    for (const std::vector<double>& tones :
         {std::vector<double>{425}, std::vector<double>{450}, std::vector<double>{480, 620}}) {
      SoundMaker sound;
      sound.Voice(1);
      for (int i = 0; i < 6; ++i) sound.Tone(on, tones, -20).Silence(on);
      // The line drops in the middle of a cadence, as it does.
      EXPECT_EQ(BeepAt(sound.Tone(on / 2, tones, -20).samples()), -1) << on << " " << tones[0];
    }
  }
}

TEST(BeepDetector, DialedDigitsAreNone) {
  for (const double low : {697.0, 770.0, 852.0, 941.0}) {
    for (const double high : {1209.0, 1336.0, 1477.0, 1633.0}) {
      const SoundMaker sound =
          SoundMaker().Voice(1).Tone(0.15, {low, high}).Silence(0.5).Noise(-50);
      EXPECT_EQ(BeepAt(sound.samples()), -1) << low << " " << high;
    }
  }
}

TEST(BeepDetector, HeldVowelsAreNone) {
  for (double pitch = 100; pitch <= 300; pitch += 25) {
    SoundMaker sound;
    sound.Voice(1, pitch).Tone(0.4, {pitch, 2 * pitch, 3 * pitch, 4 * pitch}, -20).Silence(1);
    EXPECT_EQ(BeepAt(sound.samples()), -1) << pitch;
  }
}

}  // namespace
}  // namespace outpace::listen
