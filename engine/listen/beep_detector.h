#pragma once

#include "absl/time/time.h"
#include "engine/listen/answer_tone.h"
#include "engine/listen/heard.h"
#include "engine/listen/speech_features.h"

namespace outpace::listen {

// The tone after which a voicemail records: one steady frequency (or two) of 0.1 to 3 s after a
// voice, not a ringback or a busy cadence (those come back), and not a held vowel.
class BeepDetector {
 public:
  BeepDetector() = default;
  // `voice_heard`: a machine is known to have spoken, the beep may be the first that comes.
  explicit BeepDetector(bool voice_heard);
  // `frame`: the next 20 ms. True once, when the beep has ended: now is the time to speak.
  bool Feed(Frame frame);
  // The same for who has the frame's level (dBFS) and its tones already.
  bool Feed(float level_db, const ToneFit& fit);
  absl::Duration length() const;  // of the beep heard

 private:
  bool IsBeep() const;

  SpeechAnalyzer analyzer_;
  ToneFit tone_;          // the tone being heard, by its first frame
  float tone_level_ = 0;  // dBFS, of its last frame
  int tone_frames_ = 0;   // 0: none
  int after_frames_ = 0;  // since the tone stopped being steady
  int voice_frames_ = 0;  // of a voice or music so far
  int waiting_ = 0;       // frames left in which a busy tone would come back
  int length_frames_ = 0;
  bool heard_ = false;
};

}  // namespace outpace::listen
