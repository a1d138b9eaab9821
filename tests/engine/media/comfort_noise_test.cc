#include "engine/media/comfort_noise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/base/rng.h"

namespace outpace::media {
namespace {

using ::testing::Each;

std::vector<int16_t> Noise(const std::vector<uint8_t>& payload, size_t samples = 16000) {
  ComfortNoise noise;
  noise.Take(payload);
  std::vector<int16_t> out(samples, 99);
  noise.Fill(absl::MakeSpan(out));
  return out;
}

// Correlation of neighbours, -1..1: above 0 for dull noise, below 0 for hissing.
double Neighbours(const std::vector<int16_t>& samples) {
  double product = 0, energy = 0;
  for (size_t i = 1; i < samples.size(); ++i) {
    product += static_cast<double>(samples[i]) * samples[i - 1];
    energy += static_cast<double>(samples[i]) * samples[i];
  }
  return product / energy;
}

TEST(ComfortNoise, HasTheLevelAskedFor) {
  for (uint8_t level = 20; level < 70; level = static_cast<uint8_t>(level + 10)) {
    EXPECT_NEAR(NoiseLevel(Noise({level})), level, 1) << int{level};
    // Coloured by reflection coefficients it is as strong.
    EXPECT_NEAR(NoiseLevel(Noise({level, 60, 140, 100})), level, 1) << int{level};
  }
}

// RFC 3389 3.2: 127 stands for 0, below it the filter lets the low through.
TEST(ComfortNoise, HasTheColourAskedFor) {
  EXPECT_NEAR(Neighbours(Noise({40})), 0, 0.05);
  EXPECT_NEAR(Neighbours(Noise({40, 127})), 0, 0.05);
  EXPECT_NEAR(Neighbours(Noise({40, 127 - 64})), 0.5, 0.05);
  EXPECT_NEAR(Neighbours(Noise({40, 127 + 64})), -0.5, 0.05);
}

TEST(ComfortNoise, SilenceUntilTakenAndAfterClear) {
  ComfortNoise noise;
  std::vector<int16_t> out(160, 1);
  noise.Fill(absl::MakeSpan(out));
  EXPECT_THAT(out, Each(0));
  noise.Take({});
  EXPECT_FALSE(noise.on());
  noise.Take({std::vector<uint8_t>{30}});
  EXPECT_TRUE(noise.on());
  noise.Clear();
  out.assign(160, 1);
  noise.Fill(absl::MakeSpan(out));
  EXPECT_THAT(out, Each(0));
}

TEST(ComfortNoise, TheSamePayloadGivesTheSameSamples) {
  EXPECT_EQ(Noise({35, 80, 150}), Noise({35, 80, 150}));
}

TEST(ComfortNoise, AnyPayloadStaysBounded) {
  Rng rng(1);
  for (int n = 0; n < 500; ++n) {
    std::vector<uint8_t> payload(rng.Below(40));
    for (uint8_t& octet : payload) octet = static_cast<uint8_t>(rng.Below(256));
    if (!payload.empty()) payload[0] = static_cast<uint8_t>(0x80 | (30 + rng.Below(90)));
    const std::vector<int16_t> out = Noise(payload, 4000);
    // The reserved first bit is not part of the level. Strongly coloured noise wanders.
    if (payload.empty()) continue;
    EXPECT_GE(NoiseLevel(out), (payload[0] & 0x7f) - 6) << n;
  }
}

TEST(NoiseLevel, ReadsDecibelsBelowOverload) {
  EXPECT_EQ(NoiseLevel(std::vector<int16_t>(160, 0)), 127);
  EXPECT_EQ(NoiseLevel({}), 127);
  EXPECT_EQ(NoiseLevel(std::vector<int16_t>(160, -32768)), 0);
  EXPECT_EQ(NoiseLevel(std::vector<int16_t>(160, 3277)), 20);
  EXPECT_EQ(NoiseLevel(std::vector<int16_t>(160, 1)), 90);
}

}  // namespace
}  // namespace outpace::media
