#pragma once

// Signals that can be told apart after any number of codecs, mixes and files: each party of a test
// speaks in two tones of its own, so that "who is heard here" is measured, not guessed.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace outpace::e2e {

inline constexpr int kSamplesPerSecond = 8000;
size_t SamplesIn(absl::Duration length);
absl::Duration LengthOf(size_t samples);

// Whoever or whatever makes a sound in these tests.
enum class Source {
  kLead,
  kNextLead,
  kAgent,
  kSupervisor,
  kThird,
  kMusic,
  kMessage,  // voicemail message
  kWhisper,
  kSafeHarbor,
};
inline constexpr int kSourceCount = 9;
absl::string_view SourceName(Source source);

// Its two tones, each at -18 dBFS, faded in and out over 5 ms.
std::vector<int16_t> ToneOf(Source source, absl::Duration length);
// 100 ms of them that can be repeated without a seam.
std::vector<int16_t> ToneLoop(Source source);
// How loud `source` is in these samples (20 ms or more, better 100), in dBFS: of its two tones the
// weaker one, so that no single tone of another signal is taken for it. -120 for nothing.
double LevelOf(Source source, absl::Span<const int16_t> samples);
// Said aloud: above kPresent. Not there: below kAbsent; what codecs and switching leave is lower.
inline constexpr double kPresent = -30;
inline constexpr double kAbsent = -42;

// "" when these samples hold each of `present` and no other source; else what is heard instead.
std::string Mismatch(absl::Span<const int16_t> samples, const std::vector<Source>& present);
// The same for each 100 ms of them. `skip` samples at the beginning and the end are not looked at.
std::string MismatchAnywhere(absl::Span<const int16_t> samples, const std::vector<Source>& present,
                             size_t skip = 0);
// The loudest 100 ms of `source`, dBFS.
double LoudestOf(Source source, absl::Span<const int16_t> samples);
// Of all samples, dBFS; -120 for silence.
double PowerOf(absl::Span<const int16_t> samples);

// Where `clip` lies in `audio`, and how alike they are there: 1 is the same but for loudness.
struct Match {
  size_t at = 0;
  double likeness = 0;
};
Match FindClip(absl::Span<const int16_t> audio, absl::Span<const int16_t> clip);

std::vector<int16_t> Silence(absl::Duration length);
std::vector<int16_t> Join(const std::vector<std::vector<int16_t>>& parts);

// 8 kHz, 16 bit, mono.
void WriteWav(const std::string& path, absl::Span<const int16_t> samples);

// A recording as any player would see it. Channels of equal length.
struct Stereo {
  std::vector<int16_t> left, right;
};
// InvalidArgument: not a stereo RIFF/WAVE of 8 kHz and 16-bit PCM or mu-law whose sizes fit the
// file. Written from the format's description alone, so that it shares no mistake with the engine.
absl::StatusOr<Stereo> ReadStereoWav(const std::string& path);

}  // namespace outpace::e2e
