#pragma once

// The pacing rule itself. A dial launched now is answered, if at all, one ring time u from now. It
// is abandoned when by then the other dials in flight have been answered often enough to take every
// agent who is free now or gets free in time:
//
//   P_ab(u) = P(A(u) >= K + C(u))
//     K     agents free now, minus answered calls that wait for one
//     A(u)  dials in flight answered within u: a sum of independent Bernoulli(q_i)
//     C(u)  busy agents who are free before u plus the answer limit: a sum of Bernoulli(c_i)
//
// The ring time is not known beforehand, so P_ab is the mean over its distribution, taken at the
// middle of four slices: three would do in steady state, the thin fourth is for a start from all
// agents free, when nobody will finish to catch the last, late answers. Dials are launched one by
// one while P_ab <= theta, and each is added to A for the next. This file does the arithmetic only;
// where q, c and theta come from is estimators.h and abandon_budget.h.

#include <array>
#include <vector>

#include "absl/types/span.h"

namespace outpace::pacing {

inline constexpr int kRingPoints = 4;
inline constexpr std::array<double, kRingPoints> kRingQuantiles = {5.0 / 30, 15.0 / 30, 24.0 / 30,
                                                                   29.0 / 30};
inline constexpr std::array<double, kRingPoints> kRingWeights = {10.0 / 30, 10.0 / 30, 8.0 / 30,
                                                                 2.0 / 30};

// Up to this many agents the Bernoulli sums are convolved; above, the normal approximation is
// enough. At 5 agents it would refuse even the first dial for a lone idle agent.
inline constexpr int kAgentsExactMax = 60;

// What is expected within one ring time u. All are probabilities in [0, 1].
struct RingPoint {
  absl::Span<const double> answers;  // q_i of each dial in flight
  absl::Span<const double> frees;    // c_i of each busy agent
  double new_dial = 0;               // q of a dial launched now
};

struct LookaheadResult {
  int dials = 0;                    // to launch now
  double p_abandon = 0;             // P_ab of the dial that would come next
  double answers_expected = 0;      // mean of A over the ring points, before the new dials
  double agents_expected_free = 0;  // mean of K + C over the ring points
};

// Keeps its scratch memory from call to call; nothing else. One thread.
class Lookahead {
 public:
  using Chances = std::array<double, kRingPoints>;  // q of one new dial at each ring point

  // Takes stock: `agents_free` is K (may be negative: more calls wait than agents are free),
  // `exact` asks for the convolution.
  void Begin(int agents_free, const std::array<RingPoint, kRingPoints>& points, bool exact);
  // P_ab of a dial launched next.
  double Risk() const;
  // One more dial is launched.
  void Add(const Chances& dial);

  // All at once for leads that are alike (RingPoint::new_dial): launches at most `dials_max` (>= 0)
  // while the risk is at most `theta`. A `theta` below 0 launches nothing.
  LookaheadResult Launch(int agents_free, const std::array<RingPoint, kRingPoints>& points,
                         double theta, int dials_max, bool exact);

 private:
  bool exact_ = true;
  int agents_free_ = 0;
  std::array<std::vector<double>, kRingPoints> answers_;
  std::array<std::vector<double>, kRingPoints> frees_;
  // Mean and variance of K + C - A, for the normal approximation.
  std::array<double, kRingPoints> mean_{};
  std::array<double, kRingPoints> variance_{};
};

// Adds an independent Bernoulli(p) to the count whose probabilities are `pmf` (pmf[k] = P(X = k)).
// Drops a top end below 1e-14, so that the work follows the spread and not the number of terms.
void AddBernoulli(std::vector<double>& pmf, double p);

// P(A >= K + C) for independent counts with these probabilities. `agents_free` (K) may be negative.
double ProbabilityAtLeast(absl::Span<const double> answers, absl::Span<const double> frees,
                          int agents_free);

}  // namespace outpace::pacing
