#pragma once

// A logistic regression learned one outcome at a time, with a step size for each weight (AdaGrad:
// Duchi, Hazan, Singer, JMLR 12, 2011), over hashed features.
//
// Three things are its own:
//
//   The base. The success rate of a campaign drifts (the day, the season, the offer) far more than
//   leads differ. The base is an intercept that follows the rate within some dozens of outcomes;
//   weights only learn what it leaves unexplained, that is, how a lead did beside those tried at
//   the same time.
//
//   The mean lead. What nearly all leads have in common (one list, one kind of line) would learn
//   the rate all the same, as a second base. So features are centred: `Margin` is that of the lead
//   less that of the mean lead, kept exactly as weights change, and a feature learns the less the
//   more leads have it. Together: a calendar effect is never taken for a lead effect.
//
//   Forgetting. The sum of squared gradients that AdaGrad divides by decays, so that steps do not
//   shrink for ever and recent outcomes weigh more.

#include <cstdint>
#include <vector>

#include "campaign/tier/bytes.h"
#include "campaign/tier/features.h"

namespace outpace::tier {

struct LearnerSettings {
  int slot_bits = 18;         // as the features have it
  double rate_single = 0.15;  // step sizes, by group of features
  double rate_cross = 0.01;
  double rate_alike = 0.05;
  double forget = 0.999;   // of the sum of squared gradients, each time a weight is used
  double rate_base = 0.4;  // log odds the base moves by, times the outcome's surprise
  double window = 400;     // outcomes over which the mean lead is taken; >= 2
  double base = -2.2;      // log odds before anything is known: one in ten
};

class Learner {
 public:
  explicit Learner(const LearnerSettings& settings);

  // How much likelier than the mean of the leads tried lately, in log odds.
  double Margin(const FeatureList& features) const;
  // What one feature adds to the lead's own side of Margin.
  double Part(const FeatureList& features, int index) const {
    return weights_[features.slot[static_cast<size_t>(index)]].value;
  }
  double base() const { return base_; }            // log odds now
  double base_mean() const { return base_mean_; }  // over some ten thousand outcomes
  uint64_t learned() const { return learned_; }

  void Learn(const FeatureList& features, bool outcome);

  void Save(ByteWriter* out) const;
  bool Load(ByteReader* in);  // false: damaged; the learner is then as good as new

 private:
  struct Weight {
    float value = 0;
    float squares = 1;     // decayed sum of squared gradients, never below one
    float share = 0;       // of the outcomes before `learned` that had the feature, decayed
    uint32_t learned = 0;  // the last of them
  };
  void Step(const FeatureList& features, int from, int to, double rate, float gradient);
  float Faded(uint32_t outcomes) const;  // what is left of a share after so many outcomes

  LearnerSettings settings_;
  double base_, base_mean_;
  double level_ = 0;  // mean margin of the leads tried lately: sum of value times share
  uint64_t learned_ = 0;
  std::vector<float> fading_;  // powers
  std::vector<Weight> weights_;
};

// 1 / (1 + e^-x).
double Logistic(double x);

}  // namespace outpace::tier
