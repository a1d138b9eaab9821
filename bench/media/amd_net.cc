#include "bench/media/amd_net.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::bench {
namespace {

using listen::AnswerModel;
using listen::kAnswerInputs;
constexpr size_t kFirst = AnswerModel::kFirst;
constexpr size_t kSecond = AnswerModel::kSecond;

// Every weight of the model in one row, so that a step of Adam is one loop.
constexpr size_t kFirstAt = 0;
constexpr size_t kFirstBiasAt = kFirstAt + kAnswerInputs * kFirst;
constexpr size_t kSecondAt = kFirstBiasAt + kFirst;
constexpr size_t kSecondBiasAt = kSecondAt + kFirst * kSecond;
constexpr size_t kThirdAt = kSecondBiasAt + kSecond;
constexpr size_t kThirdBiasAt = kThirdAt + kSecond;
constexpr size_t kWeights = kThirdBiasAt + 16;  // one used

struct Net {
  std::vector<float> w = std::vector<float>(kWeights);
  std::vector<float> gradient = std::vector<float>(kWeights);

  // Adds the gradient of one row's weighted log loss.
  void Learn(const std::array<float, kAnswerInputs>& x, float truth, float weight) {
    std::array<float, kFirst> a;
    std::copy_n(&w[kFirstBiasAt], kFirst, a.begin());
    for (size_t i = 0; i < kAnswerInputs; ++i) {
      const float* const row = &w[kFirstAt + i * kFirst];
      for (size_t j = 0; j < kFirst; ++j) a[j] += x[i] * row[j];
    }
    for (float& v : a) v = std::max(v, 0.0f);
    std::array<float, kSecond> b;
    std::copy_n(&w[kSecondBiasAt], kSecond, b.begin());
    for (size_t i = 0; i < kFirst; ++i) {
      const float* const row = &w[kSecondAt + i * kSecond];
      for (size_t j = 0; j < kSecond; ++j) b[j] += a[i] * row[j];
    }
    float logit = w[kThirdBiasAt];
    for (size_t i = 0; i < kSecond; ++i) {
      b[i] = std::max(b[i], 0.0f);
      logit += b[i] * w[kThirdAt + i];
    }
    const float error = (1 / (1 + std::exp(-logit)) - truth) * weight;
    gradient[kThirdBiasAt] += error;
    std::array<float, kSecond> down_b;
    for (size_t i = 0; i < kSecond; ++i) {
      gradient[kThirdAt + i] += error * b[i];
      down_b[i] = b[i] > 0 ? error * w[kThirdAt + i] : 0;
      gradient[kSecondBiasAt + i] += down_b[i];
    }
    std::array<float, kFirst> down_a{};
    for (size_t i = 0; i < kFirst; ++i) {
      if (a[i] <= 0) continue;
      const float* const row = &w[kSecondAt + i * kSecond];
      float* const slope = &gradient[kSecondAt + i * kSecond];
      float sum = 0;
      for (size_t j = 0; j < kSecond; ++j) {
        slope[j] += a[i] * down_b[j];
        sum += row[j] * down_b[j];
      }
      down_a[i] = sum;
      gradient[kFirstBiasAt + i] += sum;
    }
    for (size_t i = 0; i < kAnswerInputs; ++i) {
      float* const slope = &gradient[kFirstAt + i * kFirst];
      for (size_t j = 0; j < kFirst; ++j) slope[j] += x[i] * down_a[j];
    }
  }
};

float FastNormal(Rng& rng) {
  const uint64_t bits = rng.Next();
  float sum = 0;
  for (int i = 0; i < 4; ++i) sum += static_cast<float>((bits >> (16 * i)) & 0xffff);
  return (sum / 65536.0f - 2.0f) * 1.7321f;
}

void Standardize(const std::vector<AmdRow>& rows, AnswerModel& model) {
  std::array<double, kAnswerInputs> sum{};
  std::array<double, kAnswerInputs> squares{};
  for (const AmdRow& row : rows) {
    for (size_t i = 0; i < kAnswerInputs; ++i) {
      sum[i] += row.inputs[i];
      squares[i] += static_cast<double>(row.inputs[i]) * row.inputs[i];
    }
  }
  const auto n = static_cast<double>(rows.size());
  for (size_t i = 0; i < kAnswerInputs; ++i) {
    const double mean = sum[i] / n;
    model.mean[i] = static_cast<float>(mean);
    model.inverse_deviation[i] =
        static_cast<float>(1 / std::sqrt(std::max(squares[i] / n - mean * mean, 1e-4)));
  }
}

void Unpack(const std::vector<float>& w, AnswerModel& model) {
  for (size_t i = 0; i < kAnswerInputs; ++i) {
    std::copy_n(&w[kFirstAt + i * kFirst], kFirst, model.first[i].begin());
  }
  std::copy_n(&w[kFirstBiasAt], kFirst, model.first_bias.begin());
  for (size_t i = 0; i < kFirst; ++i) {
    std::copy_n(&w[kSecondAt + i * kSecond], kSecond, model.second[i].begin());
  }
  std::copy_n(&w[kSecondBiasAt], kSecond, model.second_bias.begin());
  std::copy_n(&w[kThirdAt], kSecond, model.third.begin());
  model.third_bias = w[kThirdBiasAt];
}

}  // namespace

AnswerModel TrainAmd(const std::vector<AmdRow>& rows, const AmdTraining& training) {
  OUTPACE_CHECK(!rows.empty());
  AnswerModel model;
  Standardize(rows, model);
  Rng rng(training.seed);
  Net net;
  for (size_t i = 0; i < kAnswerInputs * kFirst; ++i) {
    net.w[kFirstAt + i] = static_cast<float>(rng.Normal() * std::sqrt(1.0 / kAnswerInputs));
  }
  for (size_t i = 0; i < kFirst * kSecond; ++i) {
    net.w[kSecondAt + i] = static_cast<float>(rng.Normal() * std::sqrt(2.0 / kFirst));
  }
  for (size_t i = 0; i < kSecond; ++i) {
    net.w[kThirdAt + i] = static_cast<float>(rng.Normal() * std::sqrt(1.0 / kSecond));
  }
  std::vector<float> moment(kWeights);
  std::vector<float> square(kWeights);
  std::vector<uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  constexpr size_t kBatch = 256;
  const size_t batches = (rows.size() + kBatch - 1) / kBatch;
  const double steps = static_cast<double>(batches) * training.epochs;
  const auto noise = static_cast<float>(training.input_noise);
  double step = 0;
  double decay1 = 1;
  double decay2 = 1;
  for (int epoch = 0; epoch < training.epochs; ++epoch) {
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.Below(i)]);
    for (size_t batch = 0; batch < batches; ++batch) {
      std::fill(net.gradient.begin(), net.gradient.end(), 0.0f);
      const size_t end = std::min(rows.size(), (batch + 1) * kBatch);
      float weight = 0;
      for (size_t k = batch * kBatch; k < end; ++k) {
        const AmdRow& row = rows[order[k]];
        std::array<float, kAnswerInputs> x;
        for (size_t i = 0; i < kAnswerInputs; ++i) {
          x[i] = std::clamp((row.inputs[i] - model.mean[i]) * model.inverse_deviation[i], -4.0f,
                            4.0f) +
                 noise * FastNormal(rng);
        }
        net.Learn(x, row.truth, row.weight);
        weight += row.weight;
      }
      step += 1;
      decay1 *= 0.9;
      decay2 *= 0.999;
      const double progress = step / steps;
      const double rate = training.rate * (0.05 + 0.95 * 0.5 * (1 + std::cos(M_PI * progress)));
      const auto pace = static_cast<float>(rate / (1 - decay1));
      const auto unbias = static_cast<float>(1 / (1 - decay2));
      const float scale = 1 / std::max(weight, 1e-6f);
      const auto shrink = static_cast<float>(1 - rate * training.weight_decay * 100);
      for (size_t i = 0; i < kWeights; ++i) {
        const float g = net.gradient[i] * scale;
        moment[i] += 0.1f * (g - moment[i]);
        square[i] += 0.001f * (g * g - square[i]);
        net.w[i] = net.w[i] * shrink - pace * moment[i] / (std::sqrt(square[i] * unbias) + 1e-8f);
      }
    }
  }
  Unpack(net.w, model);
  return model;
}

}  // namespace outpace::bench
