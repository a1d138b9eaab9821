#pragma once

#include <optional>

#include "absl/time/time.h"
#include "engine/listen/heard.h"

namespace outpace::listen {

// The tone after which a voicemail records: one steady frequency (or two) of 0.1 to 3 s after a
// voice, not a ringback or a busy cadence (those come back), and not a held vowel.
class BeepDetector {
 public:
  // `frame`: the next 20 ms. True once, when the beep has ended: now is the time to speak.
  bool Feed(Frame frame);
  absl::Duration length() const;  // of the beep heard

 private:
  struct Bins {
    float last_peak_hz = 0;
    float level = 0;
    int steady_frames = 0;
    int quiet_frames = 0;
    int gap_frames = 0;
    bool heard = false;
  };
  Bins bins_;
};

}  // namespace outpace::listen
