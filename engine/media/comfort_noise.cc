#include "engine/media/comfort_noise.h"

#include <algorithm>
#include <cmath>

namespace outpace::media {
namespace {

constexpr double kOverload = 32768;      // 0 dBov: the level of a square wave of full scale
constexpr double kReflectionMax = 0.98;  // a filter that rings for ever is not background noise

}  // namespace

void ComfortNoise::Take(absl::Span<const uint8_t> payload) {
  if (payload.empty()) return;
  level_ = kOverload * std::pow(10.0, -(payload[0] & 0x7f) / 20.0);
  order_ = std::min(payload.size() - 1, kOrderMax);
  gain_ = level_;
  for (size_t i = 0; i < order_; ++i) {
    // RFC 3389 3.2: 127 is 0, steps of 1/128.
    const double k = std::clamp((payload[i + 1] - 127) / 128.0, -kReflectionMax, kReflectionMax);
    reflection_[i] = k;
    gain_ *= std::sqrt(1 - k * k);
  }
  state_.fill(0);
}

void ComfortNoise::Fill(absl::Span<int16_t> out) {
  if (!on()) {
    std::fill(out.begin(), out.end(), int16_t{0});
    return;
  }
  // Even noise between -1 and 1 has a root mean square of 1 / sqrt(3).
  const double scale = gain_ * std::sqrt(3.0) / 2147483648.0;
  for (int16_t& sample : out) {
    seed_ = seed_ * 1664525U + 1013904223U;
    double forward = scale * static_cast<double>(static_cast<int32_t>(seed_));
    // All-pole lattice; state_[i] is the backward residual of stage i one sample ago.
    for (size_t i = order_; i > 0; --i) {
      forward -= reflection_[i - 1] * state_[i - 1];
      state_[i] = state_[i - 1] + reflection_[i - 1] * forward;
    }
    state_[0] = forward;
    sample = static_cast<int16_t>(std::clamp(forward, -32768.0, 32767.0));
  }
}

uint8_t NoiseLevel(absl::Span<const int16_t> frame) {
  double energy = 0;
  for (const int16_t sample : frame) energy += static_cast<double>(sample) * sample;
  if (energy <= 0) return 127;
  const double rms = std::sqrt(energy / static_cast<double>(frame.size()));
  return static_cast<uint8_t>(std::clamp(std::lround(-20 * std::log10(rms / kOverload)), 0L, 127L));
}

}  // namespace outpace::media
