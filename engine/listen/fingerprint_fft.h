#pragma once

#include <cstddef>

namespace outpace::listen {

// Squared magnitudes of the first 128 bins (31.25 Hz apart) of 256 real samples; bin 0 is left out
// and reads 0. Both 16-byte aligned.
void PowerSpectrum256(const float* samples, float* power);

}  // namespace outpace::listen
