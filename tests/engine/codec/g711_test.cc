#include "engine/codec/g711.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <vector>

namespace outpace::codec {
namespace {

// ITU-T G.711 (11/1988), tables 1a to 2b: decoder output values at the ends of segments, times 4
// (mu-law) and times 8 (A-law) to fill 16 bits. Octets as sent (mu-law inverted, A-law XOR 0x55).
TEST(G711, DecodesTheRecommendationsValues) {
  const std::array<std::pair<uint8_t, int>, 10> mu = {{{0x80, 8031 * 4},
                                                       {0x8f, 4191 * 4},
                                                       {0x9f, 2079 * 4},
                                                       {0xaf, 1023 * 4},
                                                       {0xbf, 495 * 4},
                                                       {0xcf, 231 * 4},
                                                       {0xdf, 99 * 4},
                                                       {0xef, 33 * 4},
                                                       {0xfe, 2 * 4},
                                                       {0xff, 0}}};
  for (const auto& [octet, value] : mu) {
    EXPECT_EQ(MuToLinear(octet), value) << int{octet};
    EXPECT_EQ(MuToLinear(octet & 0x7f), -value) << int{octet};
  }
  // A-law: the character signal as transmitted has its even bits inverted.
  const std::array<std::pair<uint8_t, int>, 9> a = {{{0xaa, 4032 * 8},
                                                     {0xa5, 2112 * 8},
                                                     {0xb5, 1056 * 8},
                                                     {0x85, 528 * 8},
                                                     {0x95, 264 * 8},
                                                     {0xe5, 132 * 8},
                                                     {0xf5, 66 * 8},
                                                     {0xc5, 33 * 8},
                                                     {0xd5, 1 * 8}}};
  for (const auto& [octet, value] : a) {
    EXPECT_EQ(AToLinear(octet), value) << int{octet};
    EXPECT_EQ(AToLinear(octet & 0x7f), -value) << int{octet};
  }
}

// ITU-T G.711 5: a code word goes through decoder and coder unchanged.
TEST(G711, CodingIsTheInverseOfDecoding) {
  for (int octet = 0; octet < 256; ++octet) {
    const auto o = static_cast<uint8_t>(octet);
    EXPECT_EQ(LinearToA(AToLinear(o)), o);
    if (o == 0x7f) continue;  // minus zero decodes to zero
    EXPECT_EQ(LinearToMu(MuToLinear(o)), o);
  }
}

TEST(G711, EverySampleIsCodedToTheNearestValueOfItsSegment) {
  for (int sample = -32768; sample <= 32767; ++sample) {
    const auto s = static_cast<int16_t>(sample);
    // Half a step of the largest segment (1024 wide) at most, and 3 % above the noise floor; beyond
    // the top of the scale the largest value.
    const int limit = std::max(16, std::abs(sample) / 30 + 8);
    const int clipped_mu = std::min(std::abs(sample), 32124 + 512);
    EXPECT_NEAR(std::abs(MuToLinear(LinearToMu(s))), clipped_mu, limit) << sample;
    EXPECT_NEAR(AToLinear(LinearToA(s)), std::min(sample, 32767), limit) << sample;
    if (std::abs(sample) <= 8) continue;
    EXPECT_EQ(MuToLinear(LinearToMu(s)) < 0, sample < 0) << sample;
  }
}

// ITU-T G.711 table 3 gives the A-law of each mu-law; ours goes by way of the linear value and may
// differ by one step where two are equally near. Checked here against the table's positive half.
TEST(G711, TranscodingFollowsTheRecommendationsTable) {
  constexpr std::array<uint8_t, 128> kMuToA = {
      1,   1,   2,   2,   3,   3,   4,   4,   5,   5,   6,   6,   7,   7,   8,   8,   9,   10,  11,
      12,  13,  14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,  27,  29,  31,  33,  34,
      35,  36,  37,  38,  39,  40,  41,  42,  43,  44,  46,  48,  49,  50,  51,  52,  53,  54,  55,
      56,  57,  58,  59,  60,  61,  62,  64,  65,  66,  67,  68,  69,  70,  71,  72,  73,  74,  75,
      76,  77,  78,  79,  80,  82,  83,  84,  85,  86,  87,  88,  89,  90,  91,  92,  93,  94,  95,
      96,  97,  98,  99,  100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114,
      115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128};
  for (size_t level = 0; level < 128; ++level) {
    std::vector<uint8_t> octet = {static_cast<uint8_t>(0xff - level)};  // rising level, positive
    Transcode(Law::kMu, Law::kA, absl::MakeSpan(octet));
    const int number = ((octet[0] ^ 0x55) & 0x7f) + 1;  // the table counts from 1
    EXPECT_TRUE((octet[0] & 0x80) != 0) << level;
    EXPECT_NEAR(number, kMuToA[level], 1) << level;
  }
}

TEST(G711, SameLawIsLeftAlone) {
  std::vector<uint8_t> octets = {0, 0x7f, 0x80, 0xff};
  const std::vector<uint8_t> before = octets;
  Transcode(Law::kMu, Law::kMu, absl::MakeSpan(octets));
  Transcode(Law::kA, Law::kA, absl::MakeSpan(octets));
  EXPECT_EQ(octets, before);
}

TEST(G711, SilenceStaysSilence) {
  EXPECT_EQ(LinearToMu(0), kMuSilence);
  EXPECT_EQ(LinearToA(0), kASilence);
}

}  // namespace
}  // namespace outpace::codec
