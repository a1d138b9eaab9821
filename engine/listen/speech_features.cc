#include "engine/listen/speech_features.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/base/check.h"

namespace outpace::listen {
namespace {

// log2 by the exponent and a quadratic through the mantissa: within 0.01, which is 0.03 dB.
float FastLog2(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  const float exponent = static_cast<float>(static_cast<int>(bits >> 23) - 128);
  const float m = std::bit_cast<float>((bits & 0x007fffffu) | 0x3f800000u);
  return exponent + (-0.33582878f * m + 2.0f) * m - 0.65871759f;
}
float Decibel(float power) { return 3.0103f * FastLog2(std::max(power, 1e-12f)); }

// A band's share of the power is a sum over the autocorrelation (Blackman and Tukey), each lag
// weighted by a Hann window and the cosine of the band's frequency.
// Lags outside and bands inside, filled up to eight: sums side by side, for SIMD.
constexpr size_t kBandColumns = 8;
static_assert(kSpeechBands <= kBandColumns);
template <size_t kLags>
struct BandWeights {
  alignas(16) std::array<std::array<float, kBandColumns>, kLags + 1> weight{};
  BandWeights() {
    for (size_t lag = 0; lag <= kLags; ++lag) {
      const double window = 0.5 + 0.5 * std::cos(M_PI * static_cast<double>(lag) / (kLags + 1));
      for (size_t band = 0; band < kSpeechBands; ++band) {
        const double angle = 2 * M_PI * kSpeechBandHz[band] / kSampleRate;
        weight[lag][band] = static_cast<float>((lag == 0 ? 1 : 2) * window *
                                               std::cos(angle * static_cast<double>(lag)));
      }
    }
  }
};

// A fixed number of products, so that the compiler makes them multiply-and-add of eight at a time.
template <size_t kCount>
int32_t Dot(const int16_t* a, const int16_t* b) {
  int32_t sum = 0;
  for (size_t i = 0; i < kCount; ++i) sum += static_cast<int32_t>(a[i]) * b[i];
  return sum;
}

// What the best predictors over two and four samples leave of the frame (Levinson and Durbin): a
// sinusoid needs two.
template <size_t kCount>
void Purity(const std::array<float, kCount>& r, SpeechFrame& out) {
  std::array<float, 5> a{1};
  float error = r[0];
  for (size_t order = 1; order <= 4; ++order) {
    float sum = 0;
    for (size_t i = 0; i < order; ++i) sum += a[i] * r[order - i];
    const float reflection = std::clamp(-sum / error, -0.9999f, 0.9999f);
    const std::array<float, 5> old = a;
    for (size_t i = 1; i <= order; ++i) a[i] = old[i] + reflection * old[order - i];
    error *= 1 - reflection * reflection;
    if (order == 2) out.purity_db = -Decibel(std::max(error / r[0], 1e-5f));
  }
  out.pair_purity_db = -Decibel(std::max(error / r[0], 1e-5f));
}

}  // namespace

SpeechFrame SpeechAnalyzer::Analyze(Frame frame) {
  OUTPACE_CHECK(frame.size() == kFrameSamples);
  static const BandWeights<kLags> kWeights;
  // Block floating point: with 12 bits a sample, 160 products fit 32 bits, and a quiet frame keeps
  // all it has. The history moves with the frame.
  uint16_t all = 0;
  for (const int16_t sample : frame) all = static_cast<uint16_t>(all | (sample ^ (sample >> 15)));
  for (size_t i = 0; i < kHistory; ++i) {
    const int16_t sample = samples_[kFrameSamples + i];
    samples_[i] = sample;
    all = static_cast<uint16_t>(all | (sample ^ (sample >> 15)));
  }
  std::copy(frame.begin(), frame.end(), samples_.begin() + kHistory);
  const int shift = std::max(0, static_cast<int>(std::bit_width(all)) - 11);
  alignas(16) std::array<int16_t, kHistory + kFrameSamples> scaled;
  for (size_t i = 0; i < scaled.size(); ++i) {
    scaled[i] = static_cast<int16_t>(samples_[i] >> shift);
  }
  std::array<float, kLags + 1> r;
  const int16_t* const now = scaled.data() + kHistory;
  for (size_t lag = 0; lag <= kLags; ++lag) {
    r[lag] = static_cast<float>(Dot<kFrameSamples>(now, now - lag));
  }

  std::copy(slow_.begin() + kFrameSamples / 4, slow_.end(), slow_.begin());
  for (size_t i = 0; i < kFrameSamples / 4; ++i) {
    const int16_t* const four = frame.data() + 4 * i;
    slow_[kSlow - kFrameSamples / 4 + i] =
        static_cast<int16_t>((four[0] + four[1] + four[2] + four[3]) / 32);
  }

  SpeechFrame out;
  if (r[0] <= 0) {
    out.bands_db.fill(-30);
    return out;
  }
  const float scale = static_cast<float>(1 << (2 * shift));
  out.level_db = Decibel(r[0] * scale / (kFrameSamples * 32768.0f * 32768.0f));
  const float inverse = 1 / r[0];
  out.tilt = r[1] * inverse;
  alignas(16) std::array<float, kBandColumns> power{};
  for (size_t lag = 0; lag <= kLags; ++lag) {
    for (size_t band = 0; band < kBandColumns; ++band) {
      power[band] += kWeights.weight[lag][band] * r[lag];
    }
  }
  for (size_t band = 0; band < kSpeechBands; ++band) {
    out.bands_db[band] = Decibel(std::max(power[band] * inverse, 1e-3f));
  }
  Purity(r, out);
  return out;
}

SpeechAnalyzer::Pitch SpeechAnalyzer::FindPitch() const {
  // At 2 kHz: the last 80 samples (40 ms) against those 5 to 28 samples (400 to 71 Hz) before.
  constexpr size_t kWindow = 80;
  constexpr size_t kLagMin = 5;
  constexpr size_t kLagMax = 28;
  static_assert(kWindow + kLagMax <= kSlow);
  const int16_t* const now = slow_.data() + kSlow - kWindow;
  const auto energy = static_cast<float>(Dot<kWindow>(now, now)) + 1;
  std::array<float, kLagMax + 2> match{};
  for (size_t lag = kLagMin - 1; lag <= kLagMax; ++lag) {
    match[lag] = static_cast<float>(Dot<kWindow>(now, now - lag));
  }
  // Past the first lobe: low formants would else pass for a high pitch. Of two multiples of one
  // period the shorter wins by a small handicap of the longer.
  Pitch pitch;
  float best = 0;
  for (size_t lag = kLagMin; lag < kLagMax; ++lag) {
    if (match[lag] < match[lag - 1] || match[lag] < match[lag + 1]) continue;
    // The peak between the lags, by the parabola through three of them.
    const float bend = match[lag - 1] - 2 * match[lag] + match[lag + 1];
    const float rise = match[lag - 1] - match[lag + 1];
    const float offset = bend < 0 ? 0.5f * rise / bend : 0;
    const float peak = match[lag] - 0.25f * rise * offset;
    const float period = static_cast<float>(lag) + offset;
    const float worth = peak * (1 - 0.013f * period);
    if (worth <= best) continue;
    best = worth;
    const float before = static_cast<float>(Dot<kWindow>(now - lag, now - lag)) + 1;
    pitch.voicing = std::clamp(peak / std::sqrt(energy * before), 0.0f, 1.0f);
    pitch.hz = kSampleRate / 4.0f / period;
  }
  return pitch;
}

}  // namespace outpace::listen
