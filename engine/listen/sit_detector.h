#pragma once

// Special information tones: three rising tones in front of an announcement (ITU-T E.180: 950, 1400
// and 1800 Hz, 330 ms each). In North America the first two are high or low, short or long, and so
// say why the call failed (Bellcore SR-2275); elsewhere the three say only that it did.

#include <optional>

#include "absl/types/span.h"
#include "engine/listen/tone_runs.h"

namespace outpace::listen {

struct SitHeard {
  Sound sound = Sound::kNone;  // one of the four kSit...
  bool information = false;    // the plain tone of ITU-T E.180: why is for the announcement to say
};

// Whether the newest three tones of `runs` are one. Nothing until the third is long enough to tell.
std::optional<SitHeard> FindSit(absl::Span<const ToneRun> runs);

// One of Bellcore's, for tests and the bench that make them.
struct SitCode {
  const char* name;
  Sound sound;
  bool high[2];     // the first and second: 985.2 rather than 913.8 Hz, 1428.5 rather than 1370.6
  bool is_long[2];  // 380 rather than 274 ms
};
inline constexpr float kSitLowHz[] = {913.8f, 1370.6f}, kSitHighHz[] = {985.2f, 1428.5f};
inline constexpr float kSitThirdHz = 1776.7f, kSitShortMs = 274, kSitLongMs = 380;
absl::Span<const SitCode> SitCodes();

}  // namespace outpace::listen
