#pragma once

// Fax machines and modems by the tones they answer or call with.

#include "engine/listen/answer_tone.h"
#include "engine/listen/heard.h"

namespace outpace::listen {

// CNG (ITU-T T.30 4.2.3): 1100 Hz +/- 38 for 0.5 s every 3.5 s. CED (T.30 4.2.2), ANS (V.25) and
// ANSam (V.8): 2100 Hz +/- 15 for 2.6 s and more, with phase reversals every 450 ms or without.
class FaxTones {
 public:
  // The fit of the next 20 ms. `spoken`: somebody has been heard before. True once the tone is
  // told: half a second of 2100 Hz, one burst of 1100 Hz, or two where somebody spoke, since a
  // voicemail may beep at 1100 Hz.
  bool Feed(const ToneFit& fit, bool spoken);

 private:
  int frames_ = 0;
  int answer_frames_ = 0;  // of 2100 Hz
  int answer_misses_ = 0;  // in a row
  int calling_frames_ = 0;
  int calling_end_ = -1;  // of the last burst of CNG, in frames; -1: none
};

}  // namespace outpace::listen
