#pragma once

// Comfort noise (RFC 3389): what a far end that stops sending in pauses says about its background,
// and noise like it. Total silence in a pause sounds like a dead line.

#include <array>
#include <cstdint>

#include "absl/types/span.h"

namespace outpace::media {

// Static payload type of CN at 8000 Hz (RFC 3551 table 4).
inline constexpr uint8_t kComfortNoiseType = 13;

// Noise of one stream; no allocation; single thread. The same payloads give the same samples.
class ComfortNoise {
 public:
  static constexpr size_t kOrderMax = 12;

  // Takes a CN payload: the level in -dBov (0..127), then reflection coefficients (RFC 3389 3);
  // those beyond the twelfth are passed over. Nothing happens when it is empty.
  void Take(absl::Span<const uint8_t> payload);
  // No noise from here on.
  void Clear() { level_ = 0; }
  bool on() const { return level_ > 0; }
  // Overwrites `out` with noise; zero when nothing was taken.
  void Fill(absl::Span<int16_t> out);

 private:
  double level_ = 0;  // root mean square
  double gain_ = 0;   // of the excitation, so that the filter's output has that level
  size_t order_ = 0;
  std::array<double, kOrderMax> reflection_{};
  std::array<double, kOrderMax + 1> state_{};
  uint32_t seed_ = 0x2545f491;
};

// Level of `frame` in -dBov, 0 (full scale) to 127 (silence): the payload of a CN packet of ours.
uint8_t NoiseLevel(absl::Span<const int16_t> frame);

}  // namespace outpace::media
