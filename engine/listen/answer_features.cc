#include "engine/listen/answer_features.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace outpace::listen {
namespace {

constexpr float kNoiseFloorMin = -62;   // dBFS; digital silence counts as this
constexpr float kOverNoise = 9;         // dB above the noise: speech
constexpr float kSpeechLevelMin = -50;  // dBFS
constexpr float kUnderPeak = 30;        // dB below the loudest so far: not speech any more
constexpr int kWordGap = 5;             // frames without speech that end a word
constexpr int kClickFrames = 2;         // a word of no more is a click
constexpr float kToneGate = 12;         // dB of pair purity below which no tone is looked for
constexpr float kToneSteady = 0.01f;    // share by which a steady tone may move
constexpr float kToneLevelStep = 4;     // dB; the beat of two near tones is within
constexpr int kToneFrames = 6;          // so long steady: no voice
constexpr int kLowToneFrames = 8;       // where a voice may be held
constexpr float kLowTone = 640;         // Hz
constexpr int kNoiseStepFrames = 15;    // so long within kNoiseSpread of a mean and unvoiced: noise
constexpr float kNoiseSpread = 2.5f;    // dB
constexpr float kVoiced = 0.55f;
constexpr float kDip = 4;  // dB down and up again: a valley between syllables
constexpr float kSecondsPerFrame = 0.02f;

float Deviation(float sum, float squares, int count) {
  if (count < 2) return 0;
  const float n = static_cast<float>(count);
  const float mean = sum / n;
  return std::sqrt(std::max(squares / n - mean * mean, 0.0f));
}
float Mean(float sum, int count) { return count > 0 ? sum / static_cast<float>(count) : 0; }
// Seconds, with what lies above two of them pressed together: 0..4.
float Seconds(int frames) {
  const float s = static_cast<float>(frames) * kSecondsPerFrame;
  return s <= 2 ? s : std::min(4.0f, 2 + (s - 2) * 0.25f);
}

}  // namespace

int AnswerFeatures::pause_frames() const { return spoken() ? frames_ - 1 - run_.last_speech : 0; }

void AnswerFeatures::Add(Frame frame) {
  before_ = last_;
  last_ = analyzer_.Analyze(frame);
  if (frames_ == 0) noise_db_ = std::clamp(last_.level_db, kNoiseFloorMin, kSpeechLevelMin);
  TrackTone(frame);
  const bool speech = IsSpeech();
  pitch_ = speech ? analyzer_.FindPitch() : SpeechAnalyzer::Pitch{};
  if (speech) {
    if (!in_word_) BeginWord();
    AddSpeech();
  } else {
    if (in_word_ && frames_ - run_.last_speech > kWordGap) EndWord();
    if (spoken()) AddPause();
  }
  TrackNoise(speech);
  TrackNoiseStep(speech);
  ++frames_;
}

bool AnswerFeatures::IsSpeech() const {
  if (InTone()) return false;
  const float level = last_.level_db + (in_word_ ? 2.0f : 0.0f);
  return level > noise_db_ + kOverNoise && level > kSpeechLevelMin && level > peak_db_ - kUnderPeak;
}

void AnswerFeatures::TrackNoise(bool speech) {
  const float level = std::max(last_.level_db, kNoiseFloorMin);
  if (level < noise_db_) {
    noise_db_ += 0.3f * (level - noise_db_);
  } else {
    noise_db_ += speech ? 0.01f : 0.1f * (level - noise_db_);
  }
  if (!spoken()) lead_noise_db_ = noise_db_;
}

void AnswerFeatures::TrackTone(Frame frame) {
  const ToneFit before = tone_;
  tone_ = last_.pair_purity_db > kToneGate ? FitTones(frame) : ToneFit();
  const bool same = tone_.tones > 0 && tone_.tones == before.tones &&
                    std::fabs(tone_.low_hz - before.low_hz) < kToneSteady * before.low_hz &&
                    std::fabs(tone_.high_hz - before.high_hz) < kToneSteady * before.high_hz &&
                    std::fabs(tone_.level_db - before.level_db) < kToneLevelStep;
  tone_frames_ = same ? tone_frames_ + 1 : 0;
  if (!InTone()) return;
  ++tone_total_;
  if (in_word_) Forget();
}

bool AnswerFeatures::InTone() const {
  return tone_frames_ >= (tone_.low_hz < kLowTone ? kLowToneFrames : kToneFrames);
}

// Noise that has become louder and stays so is no speech.
void AnswerFeatures::TrackNoiseStep(bool speech) {
  if (speech && pitch_.voicing < kVoiced && std::fabs(last_.level_db - steady_db_) < kNoiseSpread) {
    ++steady_frames_;
    steady_db_ += (last_.level_db - steady_db_) / static_cast<float>(steady_frames_ + 1);
  } else {
    steady_frames_ = 0;
    steady_db_ = last_.level_db;
  }
  if (steady_frames_ >= kNoiseStepFrames) {
    noise_db_ = steady_db_;
    steady_frames_ = 0;
    if (in_word_ && word_speech_frames_ <= kNoiseStepFrames + kWordGap) Forget();
  }
}

void AnswerFeatures::BeginWord() {
  before_word_ = run_;
  in_word_ = true;
  word_speech_frames_ = 0;
  if (!spoken()) {
    run_.onset_frame = frames_;
  } else {
    run_.last_pause = frames_ - run_.last_speech - 1;
    run_.longest_pause = std::max(run_.longest_pause, run_.last_pause);
  }
  run_.word_start = frames_;
  ++run_.words;
}

void AnswerFeatures::EndWord() {
  in_word_ = false;
  if (word_speech_frames_ <= kClickFrames) {
    run_ = before_word_;
    return;
  }
  run_.last_word = run_.last_speech - run_.word_start + 1;
  if (run_.words == 1) run_.first_word = run_.last_word;
}

// The current word was none.
void AnswerFeatures::Forget() {
  in_word_ = false;
  run_ = before_word_;
  peak_db_ = run_.level_max;
}

void AnswerFeatures::AddSpeech() {
  Run& run = run_;
  // A gap within the word joins its frames to it.
  run.last_speech = frames_;
  ++run.speech_frames;
  ++word_speech_frames_;
  const int word = frames_ - run.word_start + 1;
  run.longest_word = std::max(run.longest_word, word);
  const float level = last_.level_db;
  run.level_sum += level;
  run.level_squares += level * level;
  run.level_max = std::max(run.level_max, level);
  peak_db_ = std::max(peak_db_, level);
  if (word > 1) {
    float flux = 0;
    for (size_t i = 0; i < kSpeechBands; ++i) {
      flux += std::fabs(last_.bands_db[i] - before_.bands_db[i]);
    }
    flux /= kSpeechBands;
    run.flux += flux;
    recent_flux_ += 0.25f * (flux - recent_flux_);
  } else {
    recent_db_ = level;
  }
  recent_db_ += 0.25f * (level - recent_db_);
  recent_voicing_ += 0.25f * (pitch_.voicing - recent_voicing_);
  recent_tilt_ += 0.25f * (last_.tilt - recent_tilt_);
  run.voicing_sum += pitch_.voicing;
  if (pitch_.voicing > kVoiced && pitch_.hz > 0) {
    ++run.voiced_frames;
    const float octaves = std::log2(pitch_.hz / 100) + 2;
    if (run.pitch_last > 0 && std::fabs(octaves - run.pitch_last) < 0.3f) {
      ++run.pitch_frames;
      run.pitch_sum += octaves;
      run.pitch_squares += octaves * octaves;
      run.pitch_steps += octaves - run.pitch_last;
      ++run.pitch_step_count;
    }
    run.pitch_last = octaves;
  } else {
    run.pitch_last = 0;
  }
  if (run.dip_falling) {
    run.dip_low = std::min(run.dip_low, level);
    if (level > run.dip_low + kDip) {
      ++run.dips;
      run.dip_falling = false;
      run.dip_high = level;
    }
  } else {
    run.dip_high = std::max(run.dip_high, level);
    if (level < run.dip_high - kDip) {
      run.dip_falling = true;
      run.dip_low = level;
    }
  }
}

void AnswerFeatures::AddPause() {
  const int pause = frames_ - run_.last_speech;
  if (pause <= 3) {
    run_.tail_sum += last_.level_db - recent_db_;
    ++run_.tail_frames;
  } else if (pause > kWordGap) {
    run_.pause_level_sum += std::max(last_.level_db, kNoiseFloorMin);
    ++run_.pause_level_frames;
  }
}

void AnswerFeatures::Fill(AnswerInputs& out) const {
  const Run& run = run_;
  const int now = frames_ - 1;
  const int since = now - run.onset_frame + 1;
  const int pause = pause_frames();
  const bool speaking = pause <= kWordGap;
  const int word = speaking ? run.last_speech - run.word_start + 1 : 0;
  const float n = static_cast<float>(std::max(run.speech_frames, 1));
  const float level = run.level_sum / n;
  size_t i = 0;
  out[i++] = Seconds(since);
  out[i++] = Seconds(run.speech_frames);
  out[i++] = Seconds(word);
  out[i++] = Seconds(pause);
  out[i++] = std::sqrt(Seconds(pause));
  out[i++] = Seconds(run.longest_word);
  out[i++] = Seconds(run.longest_pause);
  out[i++] = Seconds(run.last_pause);
  out[i++] = Seconds(run.words > 1 || !speaking ? run.first_word : word);
  out[i++] = Seconds(speaking && run.words == 1 ? word : run.last_word);
  out[i++] = std::min(static_cast<float>(run.words), 8.0f) * 0.25f;
  out[i++] = n / static_cast<float>(since);
  out[i++] = std::sqrt(Seconds(run.speech_frames));
  out[i++] = speaking ? 1.0f : 0.0f;
  out[i++] = static_cast<float>(std::max(0, pause - 10) > 0 ? 1 : 0);
  out[i++] = run.flux / n / 4;
  out[i++] =
      static_cast<float>(run.dips) / (static_cast<float>(since) * kSecondsPerFrame + 0.2f) / 5;
  out[i++] = static_cast<float>(run.dips) / 5;
  out[i++] = run.pause_level_frames > 0
                 ? (Mean(run.pause_level_sum, run.pause_level_frames) - lead_noise_db_) / 10
                 : 0;
  out[i++] = run.voicing_sum / n;
  out[i++] = static_cast<float>(run.voiced_frames) / n;
  out[i++] = Deviation(run.pitch_sum, run.pitch_squares, run.pitch_frames) * 5;
  out[i++] = Mean(run.pitch_steps, run.pitch_step_count) * 20;
  out[i++] = (recent_db_ - level) / 10;
  out[i++] = recent_voicing_;
  out[i++] = recent_flux_ / 4;
  out[i++] = recent_tilt_;
  out[i++] = (last_.level_db - level) / 15;
  out[i++] = Seconds(run.voiced_frames);
  static_assert(kAnswerInputs == 29);
}

Features AnswerFeatures::ForRecord() const {
  const Run& run = run_;
  const auto ms = [](int frames) { return static_cast<float>(frames * 20); };
  const float n = static_cast<float>(std::max(run.speech_frames, 1));
  return {ms(spoken() ? run.onset_frame : frames_),
          ms(run.speech_frames),
          static_cast<float>(run.words),
          ms(run.longest_word),
          ms(run.longest_pause),
          ms(pause_frames()),
          ms(run.first_word),
          spoken() ? run.level_sum / n : last_.level_db,
          noise_db_,
          Deviation(run.level_sum, run.level_squares, run.speech_frames),
          static_cast<float>(run.dips),
          static_cast<float>(run.voiced_frames) / n,
          Deviation(run.pitch_sum, run.pitch_squares, run.pitch_frames) * 12,
          run.flux / n,
          Mean(run.tail_sum, run.tail_frames),
          ms(tone_total_)};
}

}  // namespace outpace::listen
