#include "dnc/keyed_hash.h"

#include <bit>
#include <cstddef>

namespace outpace::dnc {
namespace {

uint64_t LittleEndian(const uint8_t* bytes, size_t count) {
  uint64_t out = 0;
  for (size_t i = 0; i < count; ++i) out |= uint64_t{bytes[i]} << (8 * i);
  return out;
}

struct SipState {
  uint64_t v0, v1, v2, v3;

  void Rounds(int count) {
    for (; count > 0; --count) {
      v0 += v1;
      v1 = std::rotl(v1, 13) ^ v0;
      v0 = std::rotl(v0, 32);
      v2 += v3;
      v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3;
      v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1;
      v1 = std::rotl(v1, 17) ^ v2;
      v2 = std::rotl(v2, 32);
    }
  }
  void Absorb(uint64_t word) {
    v3 ^= word;
    Rounds(2);
    v0 ^= word;
  }
  uint64_t Folded() const { return v0 ^ v1 ^ v2 ^ v3; }
};

}  // namespace

absl::uint128 SipHash128(const HashKey& key, absl::string_view bytes) {
  const uint64_t k0 = LittleEndian(key.data(), 8), k1 = LittleEndian(key.data() + 8, 8);
  SipState s{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
             k1 ^ 0x7465646279746573};
  s.v1 ^= 0xee;  // 128 bits of output
  const auto* at = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) s.Absorb(LittleEndian(at, 8));
  s.Absorb(LittleEndian(at, left) | uint64_t{bytes.size()} << 56);
  s.v2 ^= 0xee;
  s.Rounds(4);
  const uint64_t low = s.Folded();
  s.v1 ^= 0xdd;
  s.Rounds(4);
  return absl::MakeUint128(s.Folded(), low);
}

}  // namespace outpace::dnc
