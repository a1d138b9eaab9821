#pragma once

#include <cstdint>

namespace outpace {

// The project's own random numbers: absl::BitGen differs from run to run and std distributions from
// library to library, while one seed here gives the same dialing hour on every machine.
// xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64. Not for secrets. One thread.
class Rng {
 public:
  explicit Rng(uint64_t seed);
  uint64_t Next();                           // uniform over all 64-bit values
  double Uniform();                          // [0, 1)
  uint64_t Below(uint64_t n);                // [0, n), n > 0, without modulo bias
  bool Chance(double p);                     // true with probability p in [0, 1]
  double Exponential(double mean);           // mean > 0
  double Normal();                           // mean 0, standard deviation 1 (Box-Muller)
  double Lognormal(double mean, double cv);  // mean > 0, coefficient of variation >= 0
  Rng Fork();                                // an independent stream

 private:
  uint64_t s_[4];
};

}  // namespace outpace
