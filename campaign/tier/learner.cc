#include "campaign/tier/learner.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace outpace::tier {
namespace {

constexpr size_t kFadingSteps = 1 << 13;  // a share not seen for longer is taken as none
constexpr double kBaseLimit = 9;          // log odds: one in 8,000
constexpr double kBaseMeanRate = 0.0001;  // the long mean reaches back some 10,000 outcomes

}  // namespace

double Logistic(double x) { return 1 / (1 + std::exp(-x)); }

Learner::Learner(const LearnerSettings& settings)
    : settings_(settings),
      base_(settings.base),
      base_mean_(settings.base),
      weights_(size_t{1} << settings.slot_bits) {
  OUTPACE_CHECK(settings.slot_bits >= 8 && settings.slot_bits <= 24);
  OUTPACE_CHECK(settings.forget > 0 && settings.forget <= 1);
  OUTPACE_CHECK(settings.window >= 2);
  fading_.resize(kFadingSteps);
  for (size_t i = 0; i < fading_.size(); ++i) {
    fading_[i] = static_cast<float>(std::pow(1 - 1 / settings.window, static_cast<double>(i)));
  }
}

double Learner::Margin(const FeatureList& features) const {
  double sum = -level_;
  for (int i = 0; i < features.size; ++i) sum += Part(features, i);
  return sum;
}

float Learner::Faded(uint32_t outcomes) const {
  return outcomes < fading_.size() ? fading_[outcomes] : 0;
}

void Learner::Step(const FeatureList& features, int from, int to, double rate, float gradient) {
  const float forget = static_cast<float>(settings_.forget);
  const float fresh = static_cast<float>(1 / settings_.window);
  const uint32_t now = static_cast<uint32_t>(learned_);
  for (int i = from; i < to; ++i) {
    Weight& weight = weights_[features.slot[static_cast<size_t>(i)]];
    const float share = weight.share * Faded(now - weight.learned);
    const float own = gradient * (1 - share);
    weight.squares = std::max(1.0f, weight.squares * forget + own * own);
    const float step = static_cast<float>(rate) * own / std::sqrt(weight.squares);
    weight.value -= step;
    level_ -= step * share;
    weight.share = share * (1 - fresh) + fresh;
    weight.learned = now + 1;
  }
}

void Learner::Learn(const FeatureList& features, bool outcome) {
  const double error = Logistic(base_ + Margin(features)) - (outcome ? 1 : 0);
  const float gradient = static_cast<float>(error);
  Step(features, 0, features.singles, settings_.rate_single, gradient);
  Step(features, features.singles, features.crosses, settings_.rate_cross, gradient);
  Step(features, features.crosses, features.size, settings_.rate_alike, gradient);
  level_ += Margin(features) / settings_.window;
  base_ = std::clamp(base_ - settings_.rate_base * error, -kBaseLimit, kBaseLimit);
  ++learned_;
  const double weight = std::max(kBaseMeanRate, 1 / static_cast<double>(learned_));
  base_mean_ += weight * (base_ - base_mean_);
}

void Learner::Save(ByteWriter* out) const {
  out->Put(base_);
  out->Put(base_mean_);
  out->Put(level_);
  out->Put(learned_);
  const auto used = [](const Weight& w) { return w.share != 0; };
  uint32_t count = 0;
  for (const Weight& weight : weights_) count += used(weight) ? 1 : 0;
  out->Put(count);
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (!used(weights_[i])) continue;
    out->Put(static_cast<uint32_t>(i));
    out->Put(weights_[i].value);
    out->Put(weights_[i].squares);
    out->Put(weights_[i].share);
    out->Put(weights_[i].learned);
  }
}

bool Learner::Load(ByteReader* in) {
  Learner fresh(settings_);
  fresh.base_ = in->Get<double>();
  fresh.base_mean_ = in->Get<double>();
  fresh.level_ = in->Get<double>();
  fresh.learned_ = in->Get<uint64_t>();
  const uint32_t count = in->GetCount(20);
  bool good =
      std::isfinite(fresh.base_) && std::isfinite(fresh.base_mean_) && std::isfinite(fresh.level_);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t slot = in->Get<uint32_t>();
    if (slot >= fresh.weights_.size()) return false;
    Weight& weight = fresh.weights_[slot];
    weight.value = in->Get<float>();
    weight.squares = in->Get<float>();
    weight.share = in->Get<float>();
    weight.learned = in->Get<uint32_t>();
    good = good && std::isfinite(weight.value) && weight.squares >= 1 && weight.share > 0 &&
           weight.share <= 1.01f;
  }
  if (!good || !in->ok()) return false;
  *this = std::move(fresh);
  return true;
}

}  // namespace outpace::tier
