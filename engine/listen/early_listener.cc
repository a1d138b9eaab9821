#include "engine/listen/early_listener.h"

#include <algorithm>
#include <string>

#include "engine/listen/fingerprint_bands.h"
#include "engine/listen/fingerprint_matcher.h"
#include "engine/listen/tone_analysis.h"
#include "engine/listen/tone_detector.h"

namespace outpace::listen {
namespace {

constexpr absl::Duration kFrameTime = absl::Milliseconds(20);
// A voice or music is told as unknown when no announcement was found in so much of it: one that is
// known is found within 2 s.
constexpr int kVoiceFramesMin = 25;        // of sound that is no tone
constexpr int kVoiceWaitFrames = 130;      // since it began
constexpr int kVoiceOverFrames = 50;       // or it has been quiet again for so long
constexpr int kFollowingWaitFrames = 175;  // while a place in a sample is being followed
// Silence in place of a lost packet says nothing of the line's hiss.
constexpr float kLostMax = 100;
constexpr float kHissRest = 0.4f;
constexpr float kFloorRise = 1.03f, kVoiceShare = 2.5f;  // a frame: doubled in half a second; 4 dB
constexpr float kVoiceConfidence = 0.9f;

bool IsTone(Sound sound) {
  switch (sound) {
    case Sound::kRingback:
    case Sound::kBusyTone:
    case Sound::kCongestionTone:
    case Sound::kSitVacant:
    case Sound::kSitIntercept:
    case Sound::kSitNoCircuit:
    case Sound::kSitReorder:
      return true;
    default:
      return false;
  }
}

}  // namespace

struct EarlyListener::State {
  State(absl::string_view country, const FingerprintSet* announcements) : tones(country) {
    if (announcements == nullptr || announcements->data().samples.empty()) return;
    set = &announcements->data();
    matcher.emplace(*set);
  }

  std::optional<Heard> Tell(Heard heard) {
    if (heard.sound == told.sound && heard.name == told.name) return std::nullopt;
    heard.after = kFrameTime * frames;
    heard.last = IsDead(heard);
    told = heard;
    return heard;
  }

  std::optional<Heard> Voice(const ToneFrame& frame) {
    // A hiss is steady, and no sample of it follows from those before; voices and music are
    // neither.
    if (frame.energy > kLostMax) floor = std::min(frame.energy, floor * kFloorRise);
    const bool voice = frame.energy >= ToneRuns::kQuietMax && !frame.tonal && !tones.InTone() &&
                       (frame.rest < kHissRest || frame.energy > floor * kVoiceShare);
    if (voice) {
      ++voice_frames;
      quiet_frames = 0;
    } else if (voice_frames > 0) {
      ++quiet_frames;
    }
    if (voice_frames == 0) return std::nullopt;
    ++voice_age;
    const bool over = quiet_frames >= kVoiceOverFrames;
    const bool following = matcher.has_value() && matcher->Following();
    const bool enough =
        voice_frames >= kVoiceFramesMin &&
        (over || voice_age >= (following ? kFollowingWaitFrames : kVoiceWaitFrames));
    if (over || enough) {
      // Music sounds on: what is told once is not told again until something else was.
      voice_frames = quiet_frames = voice_age = 0;
    }
    if (!enough) return std::nullopt;
    return Tell({.sound = Sound::kSpeechOrMusic, .confidence = kVoiceConfidence});
  }

  ToneDetector tones;
  const FingerprintSet::Data* set = nullptr;
  BandAnalyser bands;
  std::optional<FingerprintMatcher> matcher;
  Heard told;
  int frames = 0;
  float floor = 1e9f;
  int voice_frames = 0, quiet_frames = 0, voice_age = 0;
};

EarlyListener::EarlyListener(absl::string_view country, const FingerprintSet* announcements)
    : state_(std::make_unique<State>(country, announcements)) {}
EarlyListener::~EarlyListener() = default;
EarlyListener::EarlyListener(EarlyListener&&) noexcept = default;
EarlyListener& EarlyListener::operator=(EarlyListener&&) noexcept = default;

std::optional<Heard> EarlyListener::Feed(Frame frame) {
  State& s = *state_;
  if (s.told.sound != Sound::kNone && s.told.last) return std::nullopt;
  ++s.frames;
  const ToneFrame tone = AnalyseTone(frame, ToneRuns::kQuietMax);
  if (s.matcher.has_value()) {
    if (const auto match = s.matcher->Feed(s.bands.Feed(frame))) {
      s.voice_frames = s.quiet_frames = s.voice_age = 0;
      const std::string& name = s.set->samples[match->sample].announcement_class;
      if (s.told.sound != Sound::kAnnouncement || s.told.name != name) {
        return s.Tell(
            {.sound = Sound::kAnnouncement, .confidence = match->confidence, .name = name});
      }
    }
  }
  if (const auto heard = s.tones.Feed(tone)) {
    // The name says of an information tone that it gives no reason.
    return s.Tell({.sound = heard->sound,
                   .confidence = heard->confidence,
                   .name = heard->information ? "info" : ""});
  }
  return s.Voice(tone);
}

bool IsDead(const Heard& heard) {
  if (heard.sound == Sound::kAnnouncement) return heard.name != "wait";
  return IsTone(heard.sound) && heard.sound != Sound::kRingback;
}

}  // namespace outpace::listen
