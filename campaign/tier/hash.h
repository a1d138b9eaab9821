#pragma once

// The hash of the hashed features. Absl's own is random by design from run to run, and what is
// learned under a hash is kept on disk: this one is the same in every process. Not for secrets.

#include <cstdint>
#include <cstring>

#include "absl/strings/string_view.h"

namespace outpace::tier {

// Every bit of the result depends on every bit of `x` (Stafford's variant 13 of MurmurHash3's
// finalizer, as in splitmix64).
constexpr uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// An ordered pair of hashes: Combine(a, b) differs from Combine(b, a).
constexpr uint64_t Combine(uint64_t a, uint64_t b) {
  return Mix(a * 0x9e3779b97f4a7c15u + b + 0x632be59bd9b4e019u);
}

// Text of any length; little-endian machines only, as everything the project runs on.
inline uint64_t HashText(absl::string_view text, uint64_t seed = 0) {
  uint64_t hash = seed ^ (text.size() * 0x9e3779b97f4a7c15u);
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    hash = Mix(hash + word);
  }
  uint64_t rest = 0;
  if (at < text.size()) std::memcpy(&rest, text.data() + at, text.size() - at);
  return Mix(hash + rest + 0x2545f4914f6cdd1du);
}

}  // namespace outpace::tier
