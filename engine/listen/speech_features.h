#pragma once

// What one frame of audio sounds like: its level, its spectrum in six bands, how voiced it is and
// at which pitch. Everything is drawn from one short autocorrelation, which integer SIMD makes
// cheap: an engine listens to every answered call, and 30 us of CPU a second of audio leave about
// ten machine cycles a sample.

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/listen/heard.h"

namespace outpace::listen {

inline constexpr size_t kSpeechBands = 6;
// Middle of each band in Hz, within what a telephone passes.
inline constexpr std::array<float, kSpeechBands> kSpeechBandHz = {350, 750, 1200, 1750, 2400, 3100};

struct SpeechFrame {
  float level_db = -96;                        // dBFS of the frame; a full-scale square wave is 0
  std::array<float, kSpeechBands> bands_db{};  // against the frame's level; -30 at the least
  float tilt = 0;       // first autocorrelation coefficient, -1..1: near 1 low and voiced, low hiss
  float purity_db = 0;  // how much of the frame one steady tone explains; speech rarely passes 20
  float pair_purity_db = 0;  // the same for two tones; a vowel reaches that now and then
};

// One stream's frames in order. No allocation.
class SpeechAnalyzer {
 public:
  SpeechFrame Analyze(Frame frame);

  // How periodic the last 40 ms were (0..1) and at which pitch (71..400 Hz); after Analyze(), for
  // those frames where it is wanted: this costs as much as the rest.
  struct Pitch {
    float voicing = 0;
    float hz = 0;
  };
  Pitch FindPitch() const;

 private:
  static constexpr size_t kLags = 12;
  static constexpr size_t kHistory = 16;  // samples kept of the last frame, >= kLags
  static constexpr size_t kSlow = 128;    // samples at 2 kHz: 64 ms

  alignas(16) std::array<int16_t, kHistory + kFrameSamples> samples_{};
  alignas(16) std::array<int16_t, kSlow> slow_{};
};

}  // namespace outpace::listen
