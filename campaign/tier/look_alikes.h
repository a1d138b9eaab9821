#pragma once

// The last attempts at leads of the same profile: two people at one company, or a list that holds
// one person twice under two numbers. How long ago such an attempt was, and what became of it, says
// something of the lead that the lead's own fields do not.
//
// Bounded: sets of four profiles; in a full set the one not seen for longest makes room. "Ago" is
// counted in attempts, not in time, so that it means the same at any rate of dialing.

#include <array>
#include <cstdint>
#include <vector>

#include "campaign/tier/bytes.h"

namespace outpace::tier {

struct Alike {
  uint32_t at = 0;  // the attempt's number, from 1; 0: none
  uint8_t attempt = 0;
  bool contact = false, success = false;
  uint16_t rest = 0;  // fingerprint of the fields outside the profile
};

class LookAlikes {
 public:
  static constexpr int kKept = 3;  // newest first
  using Last = std::array<Alike, kKept>;

  explicit LookAlikes(int set_bits = 14);    // 4 << set_bits profiles
  const Last* Find(uint64_t profile) const;  // nullptr: none known
  // An attempt ended; `alike.at` is filled in here. Profile 0: only counted.
  void Learn(uint64_t profile, Alike alike);
  uint32_t attempts() const { return attempts_; }

  void Save(ByteWriter* out) const;
  bool Load(ByteReader* in);

 private:
  struct Entry {
    uint64_t profile = 0;
    Last last;
  };
  size_t SetOf(uint64_t profile) const { return (profile >> shift_) * 4; }

  int shift_;
  uint32_t attempts_ = 0;
  std::vector<Entry> entries_;
};

// Attempts ago, in ten steps that get wider: 1, 2, 3, to 6, to 12, to 24, to 60, to 200, to 1000.
constexpr int AgoStep(uint32_t ago) {
  constexpr uint32_t kUpTo[] = {1, 2, 3, 6, 12, 24, 60, 200, 1000};
  int step = 0;
  while (step < 9 && ago > kUpTo[step]) ++step;
  return step;
}

}  // namespace outpace::tier
