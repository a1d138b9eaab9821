#include "engine/listen/tone_analysis.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace outpace::listen {
namespace {

// Four lanes: what every 64-bit x86 and ARM has. Sums in lanes also round alike everywhere.
using Lanes = float __attribute__((vector_size(16)));
using Samples = int16_t __attribute__((vector_size(8)));

Lanes Load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}
float Sum(Lanes lanes) { return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]); }

constexpr size_t kLag = 4;
constexpr size_t kHumLag = 3;
constexpr float kPi = 3.14159265f;
// What is left over, as a share of the signal: 25 dB of noise are 0.003, voiced speech 0.03 up.
constexpr float kNoiseShareMax = 0.04f;
constexpr float kPureNoiseShareMax = 0.02f;
// Below it the lag of 4 measures the frequency, above it the lag of 1.
constexpr float kLowBandHz = 850;

float Angle(float cosine) { return std::acos(std::clamp(cosine, -1.0f, 1.0f)); }

}  // namespace

ToneFrame AnalyseTone(Frame frame, float energy_min) {
  ToneFrame result;
  alignas(16) float x[kFrameSamples + 4] = {};
  Lanes energy{};
  for (size_t i = 0; i < kFrameSamples; i += 4) {
    Samples samples;
    std::memcpy(&samples, frame.data() + i, sizeof(samples));
    const Lanes lanes = __builtin_convertvector(samples, Lanes);
    std::memcpy(x + i, &lanes, sizeof(lanes));
    energy += lanes * lanes;
  }
  result.energy = Sum(energy) / static_cast<float>(kFrameSamples);
  if (result.energy < energy_min) return result;

  // Hum and the low tone of Japan's ringback (400 + 15 Hz) go; of the plans' tones 4 dB at most.
  for (size_t i = 0; i < kFrameSamples; i += 4) {
    const Lanes lanes = Load(x + i + kHumLag) - Load(x + i);
    std::memcpy(x + i, &lanes, sizeof(lanes));
  }
  Lanes vv{}, uv{}, uu{}, yv{}, yu{}, yy{}, wv{};
  for (size_t n = 2 * kLag; n + 2 * kLag + kHumLag < kFrameSamples; n += 4) {
    const Lanes v = Load(x + n);
    const Lanes u = Load(x + n + kLag) + Load(x + n - kLag);
    const Lanes y = Load(x + n + 2 * kLag) + Load(x + n - 2 * kLag);
    const Lanes w = Load(x + n + 1) + Load(x + n - 1);
    vv += v * v;
    uv += u * v;
    uu += u * u;
    yv += y * v;
    yu += y * u;
    yy += y * y;
    wv += w * v;
  }
  const float svv = Sum(vv), suv = Sum(uv), suu = Sum(uu), syv = Sum(yv), syu = Sum(yu);
  if (svv <= 0) return result;

  // Two tones: least squares of y on u and v, held up where one tone makes u and v the same.
  const float hold = 1e-4f * svv;
  const float det = (suu + hold) * (svv + hold) - suv * suv;
  const float a = (syu * (svv + hold) - syv * suv) / det;
  const float b = (syv * (suu + hold) - syu * suv) / det;
  const float rest =
      Sum(yy) - 2 * a * syu - 2 * b * syv + a * a * suu + 2 * a * b * suv + b * b * svv;
  const float noise = std::max(0.0f, rest) / (2 + 2 * a * a + b * b) / svv;
  result.rest = noise;
  result.tonal = noise < kNoiseShareMax;
  if (!result.tonal) return result;

  const float c = suv / svv;
  const float pure_noise = std::max(0.0f, suu - c * suv) / (2 + c * c) / svv;
  result.pure = pure_noise < kPureNoiseShareMax;
  // Noise is in svv but not in the products beside it.
  const float whole = 1 / std::max(0.5f, 1 - noise);
  const float coarse = Angle(Sum(wv) / (2 * svv) * whole) * kSampleRate / (2 * kPi);
  result.hz = coarse < kLowBandHz ? Angle(c / 2 * whole) * kSampleRate / (2 * kPi * kLag) : coarse;
  return result;
}

}  // namespace outpace::listen
