#pragma once

// Is this frame a tone, and of which frequency? By linear prediction, not by a spectrum: samples of
// one or two steady tones obey x[n+8] + x[n-8] = a (x[n+4] + x[n-4]) + b x[n] exactly, whatever
// their phases and levels, and what is left over of the best a and b is noise. Voices leave much.
// The lag of 4 samples puts the tones of the national plans (350 to 620 Hz) where the estimate is
// least moved by noise; a lag of 1 tells them from what folds onto them at that lag, and measures
// the special information tones.

#include "engine/listen/heard.h"

namespace outpace::listen {

struct ToneFrame {
  float energy = 0;  // mean square
  float rest = 1;    // what no tones account for, as a share: 0.003 with 25 dB of noise, 1 of noise
  bool tonal = false;  // one or two steady tones, or one modulated
  bool pure = false;   // one frequency only; otherwise `hz` is the middle of those heard
  float hz = 0;        // only if tonal
};

// 0 dBm0 as the mean square of linear samples: a full-scale sine is +3.14 dBm0 (ITU-T G.711 4).
inline constexpr float kMeanSquare0dBm0 = 2.5e8f;

// A frame below `energy_min` is not looked into.
ToneFrame AnalyseTone(Frame frame, float energy_min);

}  // namespace outpace::listen
