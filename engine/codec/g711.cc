#include "engine/codec/g711.h"

namespace outpace::codec {
namespace {

constexpr std::array<uint8_t, 256> TranscodeTable(Law from, Law to) {
  std::array<uint8_t, 256> table{};
  for (int octet = 0; octet < 256; ++octet) {
    table[static_cast<size_t>(octet)] = FromLinear(to, ToLinear(from, static_cast<uint8_t>(octet)));
  }
  return table;
}
constexpr std::array<uint8_t, 256> kMuToA = TranscodeTable(Law::kMu, Law::kA);
constexpr std::array<uint8_t, 256> kAToMu = TranscodeTable(Law::kA, Law::kMu);

static_assert(MuToLinear(0x80) == 32124 && MuToLinear(0x00) == -32124, "G.711 table 2, full scale");
static_assert(AToLinear(0xaa) == 32256 && AToLinear(0x2a) == -32256, "G.711 table 1, full scale");

}  // namespace

void Transcode(Law from, Law to, absl::Span<uint8_t> payload) {
  if (from == to) return;
  const std::array<uint8_t, 256>& table = from == Law::kMu ? kMuToA : kAToMu;
  for (uint8_t& octet : payload) octet = table[octet];
}

}  // namespace outpace::codec
