#include "engine/pacing/lookahead.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace outpace::pacing {
namespace {

constexpr double kNegligible = 1e-14;

double Sum(absl::Span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum;
}

double NormalCdf(double z) { return 0.5 * std::erfc(-z * M_SQRT1_2); }

// Mean over the ring points of `value(j)`.
template <typename Value>
double MeanOverPoints(Value value) {
  double sum = 0;
  for (size_t j = 0; j < kRingPoints; ++j) sum += kRingWeights[j] * value(j);
  return sum;
}

}  // namespace

void AddBernoulli(std::vector<double>& pmf, double p) {
  const size_t n = pmf.size();
  pmf.push_back(0);
  double* x = pmf.data();
  const double stay = 1 - p;
  for (size_t k = n; k > 0; --k) x[k] = x[k] * stay + x[k - 1] * p;
  x[0] *= stay;
  while (pmf.size() > 1 && pmf.back() < kNegligible) pmf.pop_back();
}

double ProbabilityAtLeast(absl::Span<const double> answers, absl::Span<const double> frees,
                          int agents_free) {
  // Walks k = K + c downwards from the top, keeping the tail P(A >= k): one pass over both.
  const int top = static_cast<int>(answers.size());
  double tail = 0;
  int k = top;
  double sum = 0;
  for (int c = static_cast<int>(frees.size()) - 1; c >= 0; --c) {
    const int need = agents_free + c;
    if (need >= top) continue;
    for (; k > std::max(need, 0); --k) tail += answers[static_cast<size_t>(k - 1)];
    sum += frees[static_cast<size_t>(c)] * (need <= 0 ? 1.0 : tail);
  }
  return std::clamp(sum, 0.0, 1.0);
}

LookaheadResult Lookahead::Launch(int agents_free, const std::array<RingPoint, kRingPoints>& points,
                                  double theta, int dials_max, bool exact) {
  LookaheadResult result = exact ? LaunchExact(agents_free, points, theta, dials_max)
                                 : LaunchNormal(agents_free, points, theta, dials_max);
  result.answers_expected = MeanOverPoints([&](size_t j) { return Sum(points[j].answers); });
  result.agents_expected_free =
      agents_free + MeanOverPoints([&](size_t j) { return Sum(points[j].frees); });
  return result;
}

LookaheadResult Lookahead::LaunchExact(int agents_free,
                                       const std::array<RingPoint, kRingPoints>& points,
                                       double theta, int dials_max) {
  for (size_t j = 0; j < kRingPoints; ++j) {
    answers_[j].assign(1, 1.0);
    for (const double q : points[j].answers) AddBernoulli(answers_[j], q);
    frees_[j].assign(1, 1.0);
    for (const double c : points[j].frees) AddBernoulli(frees_[j], c);
  }
  LookaheadResult result;
  for (;; ++result.dials) {
    result.p_abandon = MeanOverPoints(
        [&](size_t j) { return ProbabilityAtLeast(answers_[j], frees_[j], agents_free); });
    if (result.dials >= dials_max || !(result.p_abandon <= theta)) return result;
    for (size_t j = 0; j < kRingPoints; ++j) AddBernoulli(answers_[j], points[j].new_dial);
  }
}

LookaheadResult Lookahead::LaunchNormal(int agents_free,
                                        const std::array<RingPoint, kRingPoints>& points,
                                        double theta, int dials_max) {
  // Mean and variance of K + C - A.
  std::array<double, kRingPoints> mean;
  std::array<double, kRingPoints> variance;
  for (size_t j = 0; j < kRingPoints; ++j) {
    mean[j] = agents_free;
    variance[j] = 0;
    for (const double q : points[j].answers) {
      mean[j] -= q;
      variance[j] += q * (1 - q);
    }
    for (const double c : points[j].frees) {
      mean[j] += c;
      variance[j] += c * (1 - c);
    }
  }
  LookaheadResult result;
  for (;; ++result.dials) {
    result.p_abandon = MeanOverPoints([&](size_t j) {
      return NormalCdf((0.5 - mean[j]) / std::sqrt(std::max(variance[j], 1e-12)));
    });
    if (result.dials >= dials_max || !(result.p_abandon <= theta)) return result;
    for (size_t j = 0; j < kRingPoints; ++j) {
      mean[j] -= points[j].new_dial;
      variance[j] += points[j].new_dial * (1 - points[j].new_dial);
    }
  }
}

}  // namespace outpace::pacing
