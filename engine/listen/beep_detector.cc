#include "engine/listen/beep_detector.h"

#include <cmath>

namespace outpace::listen {
namespace {

constexpr float kGate = 12;         // dB of pair purity below which no tone is looked for
constexpr float kSteady = 0.015f;   // share by which a tone's frequency may move
constexpr float kLevelStep = 6;     // dB by which its level may move from frame to frame
constexpr int kFramesMin = 5;       // 0.1 s
constexpr int kFramesMax = 150;     // 3 s
constexpr int kLowFramesMin = 10;   // 0.2 s, of a tone a voice may hold
constexpr int kRingFramesMin = 45;  // 0.9 s
constexpr float kHzMin = 330;
constexpr float kHzMax = 3000;
constexpr float kDrop = 8;             // dB by which what follows is below the tone
constexpr int kEdgeFrames = 3;         // within which it falls
constexpr float kVoiceLevelMin = -45;  // dBFS
constexpr int kVoiceFramesMin = 15;    // of a voice before the beep: 0.3 s
constexpr int kConfirmFrames = 40;     // 0.8 s: busy and congestion come back within

// Dial, ringback and busy tones of two frequencies (North America, ITU-T E.180 supplement 2).
bool IsProgressPair(const ToneFit& fit) {
  return fit.tones == 2 && fit.low_hz > 300 && fit.high_hz < 640;
}
bool IsDtmf(const ToneFit& fit) {
  return fit.tones == 2 && fit.low_hz > 680 && fit.low_hz < 960 && fit.high_hz > 1180 &&
         fit.high_hz < 1660;
}
// What most plans ring and engage with: such a tone counts only if it does not come back, and not
// if it is as long as a ring. A held vowel may pass for a short one.
bool MayBeProgress(const ToneFit& fit) { return fit.low_hz < 640; }
bool IsRing(const ToneFit& fit, int frames) {
  return fit.low_hz > 380 && fit.low_hz < 500 && frames >= kRingFramesMin;
}

}  // namespace

BeepDetector::BeepDetector(bool voice_heard) : voice_frames_(voice_heard ? kVoiceFramesMin : 0) {}

bool BeepDetector::Feed(Frame frame) {
  const SpeechFrame sound = analyzer_.Analyze(frame);
  return Feed(sound.level_db, sound.pair_purity_db > kGate ? FitTones(frame) : ToneFit());
}

bool BeepDetector::Feed(float level_db, const ToneFit& fit) {
  if (heard_) return false;
  const bool usable =
      fit.tones > 0 && fit.share >= kToneShareMin && fit.low_hz > kHzMin && fit.high_hz < kHzMax;
  const bool same = usable && tone_frames_ > 0 && fit.tones == tone_.tones &&
                    std::fabs(fit.low_hz - tone_.low_hz) < kSteady * tone_.low_hz &&
                    std::fabs(fit.high_hz - tone_.high_hz) < kSteady * tone_.high_hz &&
                    std::fabs(fit.level_db - tone_level_) < kLevelStep;
  if (same) {
    ++tone_frames_;
    after_frames_ = 0;
    tone_level_ = fit.level_db;
    if (tone_frames_ >= kFramesMin) waiting_ = 0;  // it came back, or goes on as a melody
  } else if (tone_frames_ >= kFramesMin && ++after_frames_ <= kEdgeFrames) {
    // The frame in which it stops is half tone. Silence has to follow at once.
    if (level_db < tone_level_ - kDrop) {
      if (IsBeep()) {
        length_frames_ = tone_frames_;
        heard_ = !MayBeProgress(tone_);
        waiting_ = heard_ ? 0 : kConfirmFrames;
      }
      tone_frames_ = 0;
    }
  } else {
    tone_ = fit;
    tone_level_ = fit.level_db;
    tone_frames_ = usable ? 1 : 0;
    after_frames_ = 0;
  }
  if (level_db > kVoiceLevelMin && fit.tones == 0) ++voice_frames_;
  if (waiting_ > 0 && --waiting_ == 0) heard_ = true;
  return heard_;
}

// Of a steady tone that has stopped short.
bool BeepDetector::IsBeep() const {
  if (tone_frames_ > kFramesMax || voice_frames_ < kVoiceFramesMin) return false;
  if (MayBeProgress(tone_) && tone_frames_ < kLowFramesMin) return false;
  return !IsProgressPair(tone_) && !IsDtmf(tone_) && !IsRing(tone_, tone_frames_);
}

absl::Duration BeepDetector::length() const { return absl::Milliseconds(20) * length_frames_; }

}  // namespace outpace::listen
