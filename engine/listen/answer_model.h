#pragma once

// The model that judges an answer by what is known of it so far: two small hidden layers over the
// numbers of answer_features.h. Its weights come from bench/media/amd_train and are compiled in.

#include <array>
#include <cstddef>

#include "engine/listen/answer_features.h"

namespace outpace::listen {

struct AnswerModel {
  static constexpr size_t kFirst = 32;
  static constexpr size_t kSecond = 16;

  alignas(16) std::array<float, kAnswerInputs> mean{};  // of the inputs in training
  alignas(16) std::array<float, kAnswerInputs> inverse_deviation{};
  alignas(16) std::array<std::array<float, kFirst>, kAnswerInputs> first{};  // by input
  alignas(16) std::array<float, kFirst> first_bias{};
  alignas(16) std::array<std::array<float, kSecond>, kFirst> second{};
  alignas(16) std::array<float, kSecond> second_bias{};
  alignas(16) std::array<float, kSecond> third{};
  float third_bias = 0;
  // Logit as trained to logit as measured on speakers held out.
  float calibration_slope = 1;
  float calibration_offset = 0;

  // The probability that a machine answered, as odds in natural logarithm.
  float Logit(const AnswerInputs& inputs) const;
};

const AnswerModel& BuiltInAnswerModel();

}  // namespace outpace::listen
