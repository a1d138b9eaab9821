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

void Lookahead::Begin(int agents_free, const std::array<RingPoint, kRingPoints>& points,
                      bool exact) {
  exact_ = exact;
  agents_free_ = agents_free;
  for (size_t j = 0; j < kRingPoints; ++j) {
    if (exact) {
      answers_[j].assign(1, 1.0);
      for (const double q : points[j].answers) AddBernoulli(answers_[j], q);
      frees_[j].assign(1, 1.0);
      for (const double c : points[j].frees) AddBernoulli(frees_[j], c);
      continue;
    }
    mean_[j] = agents_free;
    variance_[j] = 0;
    for (const double q : points[j].answers) {
      mean_[j] -= q;
      variance_[j] += q * (1 - q);
    }
    for (const double c : points[j].frees) {
      mean_[j] += c;
      variance_[j] += c * (1 - c);
    }
  }
}

double Lookahead::Risk() const {
  return MeanOverPoints([&](size_t j) {
    if (exact_) return ProbabilityAtLeast(answers_[j], frees_[j], agents_free_);
    return NormalCdf((0.5 - mean_[j]) / std::sqrt(std::max(variance_[j], 1e-12)));
  });
}

void Lookahead::Add(const Chances& dial) {
  for (size_t j = 0; j < kRingPoints; ++j) {
    if (exact_) {
      AddBernoulli(answers_[j], dial[j]);
    } else {
      mean_[j] -= dial[j];
      variance_[j] += dial[j] * (1 - dial[j]);
    }
  }
}

LookaheadResult Lookahead::Launch(int agents_free, const std::array<RingPoint, kRingPoints>& points,
                                  double theta, int dials_max, bool exact) {
  LookaheadResult result;
  result.answers_expected = MeanOverPoints([&](size_t j) { return Sum(points[j].answers); });
  result.agents_expected_free =
      agents_free + MeanOverPoints([&](size_t j) { return Sum(points[j].frees); });
  Chances dial;
  for (size_t j = 0; j < kRingPoints; ++j) dial[j] = points[j].new_dial;
  Begin(agents_free, points, exact);
  for (;; ++result.dials) {
    result.p_abandon = Risk();
    if (result.dials >= dials_max || !(result.p_abandon <= theta)) return result;
    Add(dial);
  }
}

}  // namespace outpace::pacing
