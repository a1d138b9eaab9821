#include "engine/sim/scenario.h"

#include <algorithm>

namespace outpace::sim {

double DelayLaw::Draw(Rng& rng) const {
  switch (kind) {
    case Kind::kConstant:
      return fixed_s + mean_s;
    case Kind::kExponential:
      return fixed_s + rng.Exponential(mean_s);
    case Kind::kErlang: {
      double sum = fixed_s;
      for (int i = 0; i < stages; ++i) sum += rng.Exponential(mean_s / stages);
      return sum;
    }
    case Kind::kLognormal:
      return fixed_s + rng.Lognormal(mean_s, cv);
    case Kind::kUniform:
      return std::max(0.0, fixed_s + mean_s * (1 + cv * (2 * rng.Uniform() - 1)));
    case Kind::kSamples:
      return fixed_s + samples[rng.Below(samples.size())];
  }
  return fixed_s;
}

double DelayLaw::Mean() const {
  if (kind != Kind::kSamples) return fixed_s + mean_s;
  double sum = 0;
  for (const double s : samples) sum += s;
  return fixed_s + (samples.empty() ? 0 : sum / static_cast<double>(samples.size()));
}

}  // namespace outpace::sim
