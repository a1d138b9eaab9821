#include "engine/listen/answer_tone.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "engine/base/check.h"

namespace outpace::listen {
namespace {

constexpr float kLevelMin = -45;    // dBFS
constexpr float kPairHandicap = 4;  // dB more wanted of two, which explain more of anything

// Two tones less than 50 Hz apart (a ring of 440 and 480) pass for one that beats: as pure as one,
// but in the valley of the beat without power at its middle.
constexpr float kBeatSnr = 30;

using Four = float __attribute__((vector_size(16)));
Four Load(const float* from) {
  Four four;
  std::memcpy(&four, from, sizeof(four));
  return four;
}
float Sum(Four four) { return (four[0] + four[1]) + (four[2] + four[3]); }

float Hertz(float cosine) {
  return std::acos(std::clamp(cosine, -1.0f, 1.0f)) * kSampleRate / (2 * static_cast<float>(M_PI));
}
// The share of the frame's power that a sinusoid of this frequency carries (Goertzel). Every fourth
// sample is a signal of its own at four times the angle; the four are run side by side and turned
// into phase at the end.
float ShareOf(const std::array<float, kFrameSamples>& x, float cosine, float power) {
  const float sine = std::sqrt(std::max(1 - cosine * cosine, 0.0f));
  const float cosine2 = 2 * cosine * cosine - 1;
  const float sine2 = 2 * sine * cosine;
  const float cosine4 = 2 * cosine2 * cosine2 - 1;
  const float sine4 = 2 * sine2 * cosine2;
  Four one{};
  Four two{};
  for (size_t i = 0; i < kFrameSamples; i += 4) {
    const Four now = Load(&x[i]) + 2 * cosine4 * one - two;
    two = one;
    one = now;
  }
  const Four real = one - cosine4 * two;
  const Four imaginary = sine4 * two;
  // Sample p of four comes p samples later: turned back by p times the angle.
  const float cosine3 = cosine * cosine2 - sine * sine2;
  const float sine3 = sine * cosine2 + cosine * sine2;
  const Four turn_real = {1, cosine, cosine2, cosine3};
  const Four turn_imaginary = {0, -sine, -sine2, -sine3};
  const float sum_real = Sum(real * turn_real - imaginary * turn_imaginary);
  const float sum_imaginary = Sum(real * turn_imaginary + imaginary * turn_real);
  const float peak = sum_real * sum_real + sum_imaginary * sum_imaginary;
  return 2 * peak / (kFrameSamples * kFrameSamples * power);
}
float Decibel(float ratio) { return 10 * std::log10(std::max(ratio, 1e-10f)); }

}  // namespace

// A sinusoid obeys x[n] + x[n-2] = 2 cos(w) x[n-1], and a sum of two a like rule over five samples.
// Least squares give the coefficients; what they leave over is the noise, enlarged by the rule's
// own gain.
ToneFit FitTones(Frame frame) {
  OUTPACE_CHECK(frame.size() == kFrameSamples);
  std::array<float, kFrameSamples> x;
  float power = 0;
  for (size_t i = 0; i < kFrameSamples; ++i) {
    x[i] = static_cast<float>(frame[i]) / 32768.0f;
    power += x[i] * x[i];
  }
  power /= kFrameSamples;
  ToneFit fit;
  fit.level_db = Decibel(power);
  if (fit.level_db < kLevelMin) return fit;

  // Sums of products of u = x[i] + x[i-4], v = x[i-1] + x[i-3] and w = x[i-2], four at a time.
  Four sum_uu{}, sum_uv{}, sum_uw{}, sum_vv{}, sum_vw{}, sum_ww{};
  for (size_t i = 4; i < kFrameSamples; i += 4) {
    const Four u = Load(&x[i]) + Load(&x[i - 4]);
    const Four v = Load(&x[i - 1]) + Load(&x[i - 3]);
    const Four w = Load(&x[i - 2]);
    sum_uu += u * u;
    sum_uv += u * v;
    sum_uw += u * w;
    sum_vv += v * v;
    sum_vw += v * w;
    sum_ww += w * w;
  }
  const float uu = Sum(sum_uu);
  const float uv = Sum(sum_uv);
  const float uw = Sum(sum_uw);
  const float vv = Sum(sum_vv);
  const float vw = Sum(sum_vw);
  const float ww = Sum(sum_ww);
  constexpr float kCount = kFrameSamples - 4;
  const float twice_cosine = vw / std::max(ww, 1e-9f);
  const float one_left = std::max(vv - twice_cosine * vw, 0.0f) / kCount;
  const float one_snr =
      Decibel(power * (2 + twice_cosine * twice_cosine) / std::max(one_left, 1e-10f));

  const float share = one_snr >= kToneSnrMin ? ShareOf(x, twice_cosine / 2, power) : 0;
  if (one_snr >= kBeatSnr || share >= kToneShareMin) {
    fit.share = share;
    fit.tones = 1;
    fit.low_hz = fit.high_hz = Hertz(twice_cosine / 2);
    fit.snr_db = one_snr;
    return fit;
  }

  const float determinant = vv * ww - vw * vw;
  if (determinant <= 1e-6f * vv * ww) return fit;
  const float a = (uv * ww - uw * vw) / determinant;
  const float b = (uw * vv - uv * vw) / determinant;
  const float left = std::max(uu - a * uv - b * uw, 0.0f) / kCount;
  const float sum = a / 2;
  const float product = (-b - 2) / 4;
  const float root = sum * sum - 4 * product;
  if (root <= 0) return fit;
  const float low = (sum + std::sqrt(root)) / 2;  // cosines fall as frequencies rise
  const float high = (sum - std::sqrt(root)) / 2;
  if (low >= 1 || high <= -1) return fit;
  const float pair_snr = Decibel(power * (2 + 2 * a * a + b * b) / std::max(left, 1e-10f));
  if (pair_snr < kToneSnrMin + kPairHandicap) return fit;
  fit.share = ShareOf(x, low, power) + ShareOf(x, high, power);
  if (fit.share < kToneShareMin) return fit;
  fit.tones = 2;
  fit.low_hz = Hertz(low);
  fit.high_hz = Hertz(high);
  fit.snr_db = pair_snr;
  return fit;
}

}  // namespace outpace::listen
