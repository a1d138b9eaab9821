#pragma once

// Sound in place of a lost packet, after ITU-T G.711 appendix I in its simplest form: the last
// pitch period goes on, at full strength for 10 ms, then fades to nothing within 60 ms, for a tone
// held longer than that sounds like a machine. The first samples that come after a loss are faded
// in over what would have gone on, so that the seam does not click.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace outpace::codec {

// For codecs without concealment of their own. 3 to 6 KiB; no allocation after the first packets.
class Concealment {
 public:
  explicit Concealment(int rate);
  // Decoded samples that were just appended at the end of `out`, the last `count` of it.
  void Decoded(std::vector<int16_t>& out, size_t count);
  // Appends `samples` samples.
  void Conceal(size_t samples, std::vector<int16_t>& out);

 private:
  void FindPitch();
  int16_t Next();
  void Remember(absl::Span<const int16_t> samples);

  const size_t rate_;
  std::vector<int16_t> history_;  // the last 35 ms, oldest first
  std::vector<int16_t> period_;   // what is repeated
  size_t made_ = 0;               // samples made up since the last that were heard; 0: none
};

}  // namespace outpace::codec
