#include "engine/listen/speech_features.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/listen/answer_sounds.h"

namespace outpace::listen {
namespace {

// What the analyzer says of the middle of a steady sound.
struct Analysis {
  SpeechFrame frame;
  SpeechAnalyzer::Pitch pitch;
};
Analysis Middle(const Samples& samples) {
  SpeechAnalyzer analyzer;
  Analysis out;
  const int middle = static_cast<int>(samples.size()) / 16;
  ForEachFrame(samples, [&](Frame frame, int ms) {
    out.frame = analyzer.Analyze(frame);
    out.pitch = analyzer.FindPitch();
    return ms >= middle;
  });
  return out;
}

TEST(SpeechFeatures, LevelInDecibelOfFullScale) {
  for (const double dbfs : {-3.0, -20.0, -40.0, -55.0}) {
    // A sine is 3 dB below its peak.
    EXPECT_NEAR(Middle(SoundMaker().Tone(0.5, {700}, dbfs).samples()).frame.level_db, dbfs - 3, 0.3)
        << dbfs;
  }
  EXPECT_LE(Middle(Samples(4000, 0)).frame.level_db, -90);
  EXPECT_NEAR(Middle(Samples(4000, -32768)).frame.level_db, 0, 0.1);
}

TEST(SpeechFeatures, TheLoudestBandIsTheToneS) {
  for (size_t band = 0; band < kSpeechBands; ++band) {
    const SpeechFrame frame = Middle(SoundMaker().Tone(0.5, {kSpeechBandHz[band]}).samples()).frame;
    const auto loudest = std::max_element(frame.bands_db.begin(), frame.bands_db.end());
    EXPECT_EQ(loudest - frame.bands_db.begin(), static_cast<std::ptrdiff_t>(band));
  }
}

TEST(SpeechFeatures, PurityTellsTonesFromVoicesAndNoise) {
  EXPECT_GT(Middle(SoundMaker().Tone(0.5, {1000}).samples()).frame.purity_db, 25);
  EXPECT_GT(Middle(SoundMaker().Tone(0.5, {700, 1900}).samples()).frame.pair_purity_db, 20);
  EXPECT_LT(Middle(SoundMaker().Silence(0.5).Noise(-30).samples()).frame.pair_purity_db, 3);
}

TEST(SpeechFeatures, PitchOfAVoice) {
  for (const double pitch : {85.0, 120.0, 180.0, 240.0, 320.0}) {
    std::vector<double> harmonics;
    for (int i = 1; i <= 8; ++i) harmonics.push_back(i * pitch);
    const Analysis voice = Middle(SoundMaker().Tone(0.5, harmonics, -30).Noise(-60).samples());
    EXPECT_NEAR(voice.pitch.hz, pitch, 0.04 * pitch);
    EXPECT_GT(voice.pitch.voicing, 0.7f);
  }
  EXPECT_LT(Middle(SoundMaker().Silence(0.5).Noise(-30).samples()).pitch.voicing, 0.55f);
}

TEST(SpeechFeatures, QuietSoundIsAnalyzedAsWellAsLoud) {
  const auto at = [](double dbfs) {
    return Middle(SoundMaker().Tone(0.5, {500, 1500}, dbfs).samples()).frame;
  };
  const SpeechFrame loud = at(-12);
  const SpeechFrame quiet = at(-50);
  for (size_t band = 0; band < kSpeechBands; ++band) {
    EXPECT_NEAR(loud.bands_db[band], quiet.bands_db[band], 1.5) << band;
  }
  EXPECT_NEAR(loud.tilt, quiet.tilt, 0.02);
}

}  // namespace
}  // namespace outpace::listen
