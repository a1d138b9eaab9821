#include "engine/listen/fax_tones.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/listen/answer_sounds.h"

namespace outpace::listen {
namespace {

int FaxAt(const Samples& samples, bool spoken = false) {
  FaxTones fax;
  int at = -1;
  ForEachFrame(samples, [&](Frame frame, int ms) {
    if (fax.Feed(FitTones(frame), spoken)) at = ms + 20;
    return at >= 0;
  });
  return at;
}

TEST(FaxTones, CallingTone) {
  for (const double hz : {1062.0, 1100.0, 1138.0}) {
    const Samples sound = SoundMaker().Silence(0.7).Tone(0.5, {hz}).Silence(3).Noise(-45).samples();
    EXPECT_GE(FaxAt(sound), 1100) << hz;
    EXPECT_LE(FaxAt(sound), 1300) << hz;
  }
}

TEST(FaxTones, CallingToneAfterAVoiceHasToComeTwice) {
  SoundMaker sound;
  sound.Silence(0.5).Tone(0.5, {1100}).Silence(3).Noise(-50);
  EXPECT_EQ(FaxAt(sound.samples(), true), -1);
  sound.Tone(0.5, {1100}).Silence(1);
  EXPECT_GE(FaxAt(sound.samples(), true), 4400);
}

TEST(FaxTones, AnswerTones) {
  for (const double hz : {2085.0, 2100.0, 2115.0}) {
    const int at = FaxAt(SoundMaker().Silence(0.4).Tone(3, {hz}).Noise(-45).samples());
    EXPECT_GE(at, 880) << hz;
    EXPECT_LE(at, 960) << hz;
  }
}

TEST(FaxTones, AnswerToneWithPhaseReversalsAndModulation) {
  Samples sound;
  for (int i = 0; i < 3 * kSampleRate; ++i) {
    const double t = i / 8000.0;
    const double sign = static_cast<int>(t / 0.45) % 2 == 0 ? 1 : -1;
    const double am = 1 + 0.2 * std::sin(2 * M_PI * 15 * t);  // ITU-T V.8, ANSam
    sound.push_back(
        static_cast<int16_t>(std::lrint(4000 * sign * am * std::sin(2 * M_PI * 2100 * t))));
  }
  const int at = FaxAt(sound);
  EXPECT_GE(at, 500);
  EXPECT_LE(at, 600);
}

TEST(FaxTones, OthersAreNone) {
  EXPECT_EQ(FaxAt(SoundMaker().Tone(2, {2000}).samples()), -1);
  EXPECT_EQ(FaxAt(SoundMaker().Tone(2, {1100}).Silence(1).samples()), -1) << "too long";
  EXPECT_EQ(FaxAt(SoundMaker().Tone(0.2, {1100}).Silence(1).samples()), -1) << "too short";
  EXPECT_EQ(FaxAt(SoundMaker().Voice(4).samples()), -1);
  EXPECT_EQ(FaxAt(SoundMaker().Music(4).samples()), -1);
  EXPECT_EQ(FaxAt(SoundMaker().Tone(1, {697, 1209}).samples()), -1);
}

}  // namespace
}  // namespace outpace::listen
