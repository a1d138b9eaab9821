#pragma once

// What a sequence of tones means: ringback, busy, congestion or an information tone, by the plan of
// the called country first and by all the others' when it says nothing. A pattern is held against
// the runs heard at every phase at which listening may have begun; whatever cannot be it any more
// drops out, and when all that is left means the same, that is the verdict.

#include <optional>

#include "absl/strings/string_view.h"
#include "engine/listen/sit_detector.h"
#include "engine/listen/tone_plan.h"
#include "engine/listen/tone_runs.h"

namespace outpace::listen {

struct ToneHeard {
  Sound sound = Sound::kNone;
  float confidence = 0;
  bool information = false;  // kSitReorder: an information tone that does not say why
};

class ToneDetector {
 public:
  // `country`: as in EarlyListener.
  explicit ToneDetector(absl::string_view country) : own_(TonePlanBit(country)) {}

  // The next frame; a verdict when it differs from the one before. No allocation.
  std::optional<ToneHeard> Feed(const ToneFrame& frame);
  // A tone sounds, or the pause of a cadence lasts: not a voice.
  bool InTone() const { return !runs_.runs().empty() && runs_.runs().back().ms > 50; }

 private:
  std::optional<ToneHeard> Judge();

  uint64_t own_;
  ToneRuns runs_;
  Sound told_ = Sound::kNone;
};

}  // namespace outpace::listen
