#pragma once

// Audio ready to be sent: coded in both laws and cut into 20 ms frames at start, so that playing is
// a pointer and a count, and a thousand legs hear one copy.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/call/media_plane.h"
#include "engine/codec/g711.h"

namespace outpace::media {

inline constexpr size_t kFrameSamples = 160;  // 20 ms at 8 kHz; one octet a sample in G.711

// Immutable once built; any thread may read it.
class PromptAudio {
 public:
  PromptAudio() = default;
  // The last frame is filled up with silence.
  explicit PromptAudio(const std::vector<int16_t>& samples);
  size_t frames() const { return mu_.size() / kFrameSamples; }
  // One octet a sample: `count` from `first` on, fewer at the end, none beyond it.
  absl::Span<const uint8_t> Samples(codec::Law law, size_t first, size_t count) const {
    const absl::Span<const uint8_t> octets = law == codec::Law::kMu ? mu_ : a_;
    return octets.subspan(std::min(first, octets.size()), count);
  }

 private:
  std::vector<uint8_t> mu_;
  std::vector<uint8_t> a_;
};

// Three rising tones and a pause, 1.3 s. It tells the called person that nobody is there, no more:
// it names no seller and no number, so it does not make an abandoned call lawful
// (16 CFR 310.4(b)(4)(iii)). Configure a recording.
std::vector<int16_t> BuiltInSafeHarborTones();

// All prompts of an engine.
class PromptSet {
 public:
  // `safe_harbor_wav` empty: the built-in tones. Errors as LoadWav.
  static absl::StatusOr<PromptSet> Load(const std::string& safe_harbor_wav);
  const PromptAudio& Get(call::Prompt prompt) const {
    return prompt == call::Prompt::kSafeHarbor ? safe_harbor_ : silence_;
  }

 private:
  PromptAudio safe_harbor_;
  PromptAudio silence_;  // 2 s
};

}  // namespace outpace::media
