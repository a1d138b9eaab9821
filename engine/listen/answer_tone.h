#pragma once

// One or two steady tones in a frame, and how exactly: for fax tones and the beep of a voicemail.

#include "engine/listen/heard.h"

namespace outpace::listen {

struct ToneFit {
  int tones = 0;     // 0: no tone; 1, 2
  float low_hz = 0;  // the tone, or the lower of two
  float high_hz = 0;
  float share = 0;   // of the frame's power at just these frequencies, 0..1
  float snr_db = 0;  // the tones against all else in the frame
  float level_db = -96;
};

// A frame of which tones make up less than kToneSnrMin over the rest has none. About 1 us.
inline constexpr float kToneSnrMin = 14;  // dB
// Nor has one of which they carry less than this, but for two that beat. A vowel's harmonics are
// more than two.
inline constexpr float kToneShareMin = 0.7f;
ToneFit FitTones(Frame frame);

}  // namespace outpace::listen
