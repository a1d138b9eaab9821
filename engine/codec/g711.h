#pragma once

// G.711 (ITU-T, 11/1988): the two laws a trunk may speak, as tables. Linear samples are 16 bits
// wide, that is the recommendation's 14-bit (mu-law) and 13-bit (A-law) values moved up, so
// +/-32124 and
// +/-32256 are full scale. Tables are built at compile time; every function is constant time.

#include <array>
#include <bit>
#include <cstdint>

#include "absl/types/span.h"

namespace outpace::codec {

enum class Law : uint8_t { kMu = 0, kA = 8 };  // values: the static payload types of RFC 3551

// The octet that says nothing: G.711 mu-law +0 and A-law +0.
inline constexpr uint8_t kMuSilence = 0xff;
inline constexpr uint8_t kASilence = 0xd5;
constexpr uint8_t SilenceOf(Law law) { return law == Law::kMu ? kMuSilence : kASilence; }

constexpr int16_t MuToLinear(uint8_t octet) {
  const int code = ~octet & 0xff;
  const int magnitude = ((((code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
  return static_cast<int16_t>((code & 0x80) != 0 ? -magnitude : magnitude);
}

constexpr uint8_t LinearToMu(int16_t sample) {
  int magnitude = sample;
  uint8_t sign = 0x80;
  if (magnitude < 0) {
    magnitude = -magnitude;
    sign = 0;
  }
  if (magnitude > 32635) magnitude = 32635;
  magnitude += 0x84;
  const int segment = std::bit_width(static_cast<unsigned>(magnitude)) - 8;
  const int code = (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f);
  return static_cast<uint8_t>(sign | (~code & 0x7f));
}

constexpr int16_t AToLinear(uint8_t octet) {
  const int code = octet ^ 0x55;
  const int segment = (code & 0x70) >> 4;
  int magnitude = ((code & 0x0f) << 4) + 8;
  if (segment > 0) magnitude = (magnitude + 0x100) << (segment - 1);
  return static_cast<int16_t>((code & 0x80) != 0 ? magnitude : -magnitude);
}

constexpr uint8_t LinearToA(int16_t sample) {
  // A-law has no true zero: 0 belongs to the smallest positive step, -1 to the smallest negative.
  int magnitude = sample;
  uint8_t sign = 0x80;
  if (magnitude < 0) {
    magnitude = -magnitude - 1;
    sign = 0;
  }
  const int segment = std::bit_width(static_cast<unsigned>(magnitude) >> 8);
  const int shift = segment == 0 ? 4 : segment + 3;
  const int code = (segment << 4) | ((magnitude >> shift) & 0x0f);
  return static_cast<uint8_t>((sign | code) ^ 0x55);
}

constexpr int16_t ToLinear(Law law, uint8_t octet) {
  return law == Law::kMu ? MuToLinear(octet) : AToLinear(octet);
}
constexpr uint8_t FromLinear(Law law, int16_t sample) {
  return law == Law::kMu ? LinearToMu(sample) : LinearToA(sample);
}

// Rewrites `payload` from one law into the other, one octet a sample. Does nothing if they are
// equal.
void Transcode(Law from, Law to, absl::Span<uint8_t> payload);

}  // namespace outpace::codec
