#pragma once

// What the engine makes of a leg's audio: what the network says before the answer (call progress),
// and who answered (answering-machine detection). Plain values; the detectors are in this folder,
// the media thread feeds them, call shard and controller act on what they say.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace outpace::listen {

// All detectors take linear audio at this rate, a frame at a time.
inline constexpr int kSampleRate = 8000;
inline constexpr size_t kFrameSamples = 160;  // 20 ms
using Frame = absl::Span<const int16_t>;      // exactly kFrameSamples

enum class Sound : uint8_t {
  kNone,  // nothing that could be told
  // Before the answer.
  kRingback,
  kBusyTone,
  kCongestionTone,  // reorder, fast busy
  kSitVacant,       // special information tones: vacant code,
  kSitIntercept,    // number changed,
  kSitNoCircuit,    // no circuit,
  kSitReorder,      // and the rest of ITU-T E.180 / Bellcore SR-2275, also national "info" tones
  kAnnouncement,    // a network announcement of the fingerprint set; Heard::name says which
  kSpeechOrMusic,   // a voice or music nobody taught us: 彩铃, an unknown announcement
  // After the answer.
  kHuman,
  kMachine,  // answering machine, voicemail, or a network announcement behind a 200
  kFax,      // CNG or CED (ITU-T T.30), or a modem's answer tone (V.25)
  kSilence,  // nothing was said in the time allowed
  kBeep,     // the tone after which a voicemail records
};
inline constexpr int kSoundCount = 15;
absl::string_view SoundName(Sound sound);  // "ringback", "busy_tone", ..., "human"

// What an answer was judged by, kept in the call record so that a verdict can be looked into.
// Times in ms since listening began.
inline constexpr size_t kFeatureCount = 16;
using Features = std::array<float, kFeatureCount>;
absl::string_view FeatureName(size_t index);  // "speech_ms", ...

struct Heard {
  Sound sound = Sound::kNone;
  float confidence = 0;    // 0..1: how sure, by the detector's own measured errors
  absl::Duration after{};  // audio listened to until this verdict
  std::string name{};      // kAnnouncement: the class in the fingerprint set ("vacant_number")
  bool by_beep = false;    // kMachine: its beep gave it away, and has just ended
  bool last = true;        // false: listening goes on, and may bring another verdict
  Features features{};     // kHuman, kMachine, kSilence
};

}  // namespace outpace::listen
