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
  // The same as linear samples, for who mixes or encodes it.
  absl::Span<const int16_t> Linear(size_t first, size_t count) const {
    return absl::MakeConstSpan(linear_).subspan(std::min(first, linear_.size()), count);
  }
  // One octet a sample: `count` from `first` on, fewer at the end, none beyond it.
  absl::Span<const uint8_t> Samples(codec::Law law, size_t first, size_t count) const {
    const absl::Span<const uint8_t> octets = law == codec::Law::kMu ? mu_ : a_;
    return octets.subspan(std::min(first, octets.size()), count);
  }

 private:
  std::vector<int16_t> linear_;
  std::vector<uint8_t> mu_;
  std::vector<uint8_t> a_;
};

// Three rising tones and a pause, 1.3 s. It tells the called person that nobody is there, no more:
// it names no seller and no number, so it does not make an abandoned call lawful
// (16 CFR 310.4(b)(4)(iii)). Configure a recording.
std::vector<int16_t> BuiltInSafeHarborTones();

// A soft figure of plucked tones, 8 s, that can be repeated for ever.
std::vector<int16_t> BuiltInHoldMusic();
// The tones of `digits` (ITU-T Q.23) for a far end that takes no telephone-event: 100 ms each, 60
// ms between. What is no digit is passed over.
std::vector<int16_t> DigitTones(absl::string_view digits);

struct PromptFiles {
  std::string safe_harbor_wav;  // empty: built-in tones
  std::string hold_music_wav;   // empty: built-in
  std::string directory;        // empty: no more prompts; else each *.wav in it is one
};

// All prompts of an engine.
class PromptSet {
 public:
  // Errors as LoadWav, NotFound for a directory that is none, InvalidArgument for more files than
  // call::Prompt can number.
  static absl::StatusOr<PromptSet> Load(const PromptFiles& files);
  // Silence for one that is not there.
  const PromptAudio& Get(call::Prompt prompt) const;
  // Of the directory's files, without ".wav": the n-th is Prompt(kFirstLoaded + n).
  const std::vector<std::string>& Names() const { return names_; }

 private:
  std::vector<PromptAudio> prompts_;  // by the number of call::Prompt
  std::vector<std::string> names_;
};

}  // namespace outpace::media
