#include "engine/listen/answer_model.h"

#include <algorithm>

namespace outpace::listen {

float AnswerModel::Logit(const AnswerInputs& inputs) const {
  // Sums run over the outputs inside: a fixed number of them side by side, which is what SIMD
  // takes.
  alignas(16) std::array<float, kFirst> a = first_bias;
  for (size_t i = 0; i < kAnswerInputs; ++i) {
    const float x = std::clamp((inputs[i] - mean[i]) * inverse_deviation[i], -4.0f, 4.0f);
    for (size_t j = 0; j < kFirst; ++j) a[j] += x * first[i][j];
  }
  alignas(16) std::array<float, kSecond> b = second_bias;
  for (size_t i = 0; i < kFirst; ++i) {
    const float x = std::max(a[i], 0.0f);
    for (size_t j = 0; j < kSecond; ++j) b[j] += x * second[i][j];
  }
  float logit = third_bias;
  for (size_t i = 0; i < kSecond; ++i) logit += std::max(b[i], 0.0f) * third[i];
  return logit * calibration_slope + calibration_offset;
}

const AnswerModel& BuiltInAnswerModel() {
  static constexpr AnswerModel kModel = {
#include "engine/listen/answer_model_weights.inc"
  };
  return kModel;
}

}  // namespace outpace::listen
