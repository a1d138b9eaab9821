#pragma once

// What is known of an answer so far, as numbers: how long somebody has spoken and paused, in how
// many words, how voiced, with how much movement in pitch, level and spectrum. The model
// (answer_model.h) judges by these, in training as in a call.
//
// What is not among them is left out on purpose: loudness, noise, the spectrum itself and the
// height of the voice. They tell one recording from another and so help with speakers a model was
// trained on; with others they mislead (docs/decisions/amd.md has the figures).

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/listen/answer_tone.h"
#include "engine/listen/heard.h"
#include "engine/listen/speech_features.h"

namespace outpace::listen {

inline constexpr size_t kAnswerInputs = 29;
using AnswerInputs = std::array<float, kAnswerInputs>;

class AnswerFeatures {
 public:
  // The next frame, from the answer on.
  void Add(Frame frame);

  int frames() const { return frames_; }                 // heard so far, 20 ms each
  bool spoken() const { return run_.onset_frame >= 0; }  // somebody has begun to speak
  int onset_frame() const { return run_.onset_frame; }   // the first of speech; -1: none yet
  int pause_frames() const;  // since the last of speech; 0 while it lasts
  int speech_frames() const { return run_.speech_frames; }
  const SpeechFrame& last() const { return last_; }
  const ToneFit& tone() const { return tone_; }  // of the last frame

  // What the model takes, all of order 1. Only when spoken().
  void Fill(AnswerInputs& out) const;
  // What goes into the call record; see FeatureName().
  Features ForRecord() const;

 private:
  // Sums over the speech so far. Copied when a word begins, so that what turns out to be a click, a
  // tone or a step of the noise can be forgotten.
  struct Run {
    int onset_frame = -1;
    int speech_frames = 0;
    int words = 0;
    int word_start = 0;
    int last_speech = 0;
    int first_word = 0;
    int last_word = 0;
    int longest_word = 0;
    int longest_pause = 0;
    int last_pause = 0;
    float level_sum = 0;
    float level_squares = 0;
    float level_max = -96;
    float flux = 0;
    float voicing_sum = 0;
    int voiced_frames = 0;
    int pitch_frames = 0;
    float pitch_sum = 0;
    float pitch_squares = 0;
    float pitch_steps = 0;
    int pitch_step_count = 0;
    float pitch_last = 0;  // octaves; 0: the last frame was not voiced
    int dips = 0;          // valleys of the level: syllables less one
    float dip_low = 0;
    float dip_high = -96;
    bool dip_falling = false;
    float pause_level_sum = 0;
    int pause_level_frames = 0;
    float tail_sum = 0;  // level of the 60 ms after a word, against the word's
    int tail_frames = 0;
  };

  void TrackTone(Frame frame);
  bool InTone() const;
  bool IsSpeech() const;
  void TrackNoise(bool speech);
  void TrackNoiseStep(bool speech);
  void BeginWord();
  void EndWord();
  void Forget();
  void AddSpeech();
  void AddPause();

  SpeechAnalyzer analyzer_;
  SpeechFrame last_;
  SpeechFrame before_;
  SpeechAnalyzer::Pitch pitch_;
  ToneFit tone_;
  int frames_ = 0;
  float noise_db_ = -62;
  float lead_noise_db_ = -62;  // before anybody spoke
  float peak_db_ = -96;
  bool in_word_ = false;
  int word_speech_frames_ = 0;
  int tone_frames_ = 0;  // in a row, of one steady tone
  int tone_total_ = 0;
  int steady_frames_ = 0;  // in a row of a noise's evenness
  float steady_db_ = 0;
  // Means over the last 100 ms or so of speech.
  float recent_db_ = 0;
  float recent_voicing_ = 0;
  float recent_flux_ = 0;
  float recent_tilt_ = 0;
  Run run_;
  Run before_word_;
};

}  // namespace outpace::listen
