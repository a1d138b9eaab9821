#include "engine/media/prompt.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/codec/wav.h"

namespace outpace::media {
namespace {

constexpr double kRate = 8000;

void AppendTone(double hertz, size_t length, std::vector<int16_t>& out) {
  constexpr double kLevel = 8000;  // about -12 dB of full scale: plain, not loud
  constexpr size_t kRamp = 80;     // 10 ms in and out, so that it does not click
  for (size_t i = 0; i < length; ++i) {
    const double edge = static_cast<double>(std::min({i, length - 1 - i, kRamp})) / kRamp;
    const double phase = 2 * M_PI * hertz * static_cast<double>(i) / kRate;
    out.push_back(static_cast<int16_t>(std::lround(kLevel * edge * std::sin(phase))));
  }
}

}  // namespace

PromptAudio::PromptAudio(const std::vector<int16_t>& samples) {
  const size_t count = (samples.size() + kFrameSamples - 1) / kFrameSamples * kFrameSamples;
  mu_.assign(count, codec::kMuSilence);
  a_.assign(count, codec::kASilence);
  std::transform(samples.begin(), samples.end(), mu_.begin(), codec::LinearToMu);
  std::transform(samples.begin(), samples.end(), a_.begin(), codec::LinearToA);
}

std::vector<int16_t> BuiltInSafeHarborTones() {
  std::vector<int16_t> samples;
  for (const double hertz : {440.0, 554.4, 659.3}) {
    AppendTone(hertz, 2400, samples);         // 300 ms
    samples.resize(samples.size() + 400, 0);  // 50 ms
  }
  samples.resize(samples.size() + 2000, 0);  // 250 ms
  return samples;
}

absl::StatusOr<PromptSet> PromptSet::Load(const std::string& safe_harbor_wav) {
  PromptSet set;
  set.silence_ = PromptAudio(std::vector<int16_t>(2 * 8000, 0));
  if (safe_harbor_wav.empty()) {
    set.safe_harbor_ = PromptAudio(BuiltInSafeHarborTones());
  } else {
    absl::StatusOr<std::vector<int16_t>> samples = codec::LoadWav(safe_harbor_wav);
    if (!samples.ok()) return samples.status();
    set.safe_harbor_ = PromptAudio(*samples);
  }
  return set;
}

}  // namespace outpace::media
