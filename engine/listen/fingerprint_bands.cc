#include "engine/listen/fingerprint_bands.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "engine/listen/fingerprint_fft.h"

namespace outpace::listen {
namespace {

constexpr double kPi = 3.14159265358979323846;
// A frame below this is no sound at all (about -65 dBm0).
constexpr float kEnergyMin = 80;
// Bands this far below the loudest frame lately are taken for noise (-33 dB): their changes vanish
// in it.
constexpr float kNoiseShare = 5e-4f;
constexpr float kLoudDecay = 0.995f;  // each 20 ms: half in 3 s
// Changes of balance worth a bit, in powers of two (0.4: 1.2 dB).
constexpr float kSureChange = 0.4f;

struct Shape {
  alignas(16) std::array<float, 256> window{};  // Hann
  std::array<uint8_t, kBands + 1> edge{};       // bins
  Shape() {
    for (size_t i = 0; i < window.size(); ++i) {
      window[i] = static_cast<float>(
          0.5 - 0.5 * std::cos(2 * kPi * (static_cast<double>(i) + 0.5) / 256.0));
    }
    const auto mel = [](double hz) { return 2595 * std::log10(1 + hz / 700); };
    for (size_t i = 0; i <= kBands; ++i) {
      const double at = mel(300) + (mel(3100) - mel(300)) * static_cast<double>(i) / kBands;
      edge[i] = static_cast<uint8_t>(
          std::lround(700 * (std::pow(10, at / 2595) - 1) / (kSampleRate / 256.0)));
    }
  }
};
const Shape& TheShape() {
  static const Shape kShape;
  return kShape;
}

// log2 to 0.01, for x > 0.
float Log2(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const float exponent = static_cast<float>(static_cast<int>(bits >> 23) - 127);
  const float m = std::bit_cast<float>((bits & 0x7fffffu) | 0x3f800000u);
  return exponent + (-0.33582878f * m + 2.0f) * m - 1.66417122f + 0.0075f;
}

}  // namespace

void BandAnalyser::Spectrum(std::array<float, kBands>& energies) const {
  const Shape& shape = TheShape();
  alignas(16) std::array<float, kWindow> windowed;
  alignas(16) std::array<float, kWindow / 2> power;
  for (size_t i = 0; i < kWindow; ++i) windowed[i] = window_[i] * shape.window[i];
  PowerSpectrum256(windowed.data(), power.data());
  for (size_t b = 0; b < kBands; ++b) {
    float sum = 0;
    for (size_t bin = shape.edge[b]; bin < shape.edge[b + 1]; ++bin) sum += power[bin];
    energies[b] = sum;
  }
}

SubPrint BandAnalyser::Feed(Frame frame) {
  std::memmove(window_.data(), window_.data() + kFrameSamples,
               (kWindow - kFrameSamples) * sizeof(float));
  float* const fresh = window_.data() + kWindow - kFrameSamples;
  float energy = 0;
  for (size_t i = 0; i < kFrameSamples; ++i) {
    fresh[i] = static_cast<float>(frame.data()[i]);
    energy += fresh[i] * fresh[i];
  }
  SubPrint print;
  std::array<float, kBands> energies{};
  if (energy >= kEnergyMin * kFrameSamples) Spectrum(energies);

  float total = 0;
  std::array<float, kBands> both;
  for (size_t b = 0; b < kBands; ++b) {
    both[b] = energies[b] + last_energies_[b];
    total += both[b];
  }
  loud_ = std::max(loud_ * kLoudDecay, total);
  const float floor = loud_ * kNoiseShare + 1;
  std::array<float, kBands> level;
  for (size_t b = 0; b < kBands; ++b) level[b] = Log2(both[b] + floor);
  std::array<float, kBits> balance;
  for (size_t b = 0; b < kBits; ++b) {
    balance[b] = level[b] - level[b + 1];
    const float change = balance[b] - last_balance_[1][b];
    print.bits |= static_cast<uint32_t>(change > 0) << b;
    print.sure |= static_cast<uint32_t>(std::abs(change) > kSureChange) << b;
  }
  last_energies_ = energies;
  last_balance_[1] = last_balance_[0];
  last_balance_[0] = balance;
  return print;
}

}  // namespace outpace::listen
