#pragma once

// The part of a sound that survives a telephone line: how the balance between neighbouring bands
// changes from one moment to the next (after Haitsma and Kalker, ISMIR 2002). Each frame of 20 ms
// gives 24 bits, one for each pair of neighbours among 25 bands from 300 to 3100 Hz: did the lower
// one gain on the upper one over the last 40 ms? Level, the line's frequency response and the law
// of G.711 drop out. Bits whose change was too small to trust are marked, so that pauses, steady
// tones and noise say nothing.

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/listen/heard.h"

namespace outpace::listen {

inline constexpr size_t kBands = 25;
inline constexpr size_t kBits = kBands - 1;

struct SubPrint {
  uint32_t bits = 0;  // of kBits
  uint32_t sure = 0;  // those worth comparing
};

class BandAnalyser {
 public:
  // The next frame's bits; all unsure when it is quiet.
  SubPrint Feed(Frame frame);

 private:
  static constexpr size_t kWindow = 256;  // 32 ms
  void Spectrum(std::array<float, kBands>& energies) const;

  alignas(16) std::array<float, kWindow> window_{};  // the newest samples
  std::array<float, kBands> last_energies_{};
  std::array<std::array<float, kBits>, 2> last_balance_{};
  float loud_ = 0;  // energy of the loudest frame lately
};

}  // namespace outpace::listen
