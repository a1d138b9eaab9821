#pragma once

// Trains the model of engine/listen/answer_model.h: rows of inputs with what was the truth of their
// scene, by stochastic gradient descent (Adam). Deterministic from its seed, one thread.

#include <cstdint>
#include <vector>

#include "engine/listen/answer_model.h"

namespace outpace::bench {

struct AmdRow {
  listen::AnswerInputs inputs;
  float truth = 0;   // 1: a machine
  float weight = 1;  // in the loss
};

struct AmdTraining {
  int epochs = 6;
  double rate = 2e-3;  // of the first step; falls to a twentieth along a cosine
  double weight_decay = 1e-4;
  double input_noise =
      0.15;  // standard deviations added to each input: so that none is trusted blindly
  uint64_t seed = 1;
};

listen::AnswerModel TrainAmd(const std::vector<AmdRow>& rows, const AmdTraining& training);

}  // namespace outpace::bench
