#include "bench/pacing/optimum.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/base/check.h"

namespace outpace::lab {
namespace {

// Relative value iteration on the uniformised chain. V(b, n1, n2) is the value right after dialing,
// U(b, n1, n2) = max over n1' >= n1 of V(b, n1', n2) the value right before. With one ring stage
// n1 is a single 0 and n2 takes the dialing.
class Solver {
 public:
  explicit Solver(const OptimumSettings& settings);

  // Upper end of g(c), per second.
  double Gain(double multiplier);
  int64_t sweeps() const { return sweeps_; }
  // Lines the best rule has out with `busy` agents on a call, by the last Gain().
  int LinesOut(int busy) const;
  int lowest() const { return low_; }

 private:
  // Rows are (b, n1); n2 is innermost.
  size_t At(size_t b, size_t n1) const { return (b * firsts_ + n1) * seconds_; }
  void DialAtWill();
  void Sweep(double multiplier);

  OptimumSettings settings_;
  bool two_stages_;
  int low_;                     // fewest busy agents looked at; fewer than that do not happen
  size_t levels_;               // values of b
  size_t firsts_;               // values of n1
  size_t seconds_;              // values of n2
  double rate_;                 // of the uniformised chain
  std::vector<double> accept_;  // by b: P(an answer is served)
  std::vector<double> v_;
  std::vector<double> u_;
  std::vector<double> next_;
  int64_t sweeps_ = 0;
};

Solver::Solver(const OptimumSettings& settings)
    : settings_(settings), two_stages_(settings.ring_stages == 2) {
  const double n = settings.agents;
  const double mean_free = n * settings.patience_s / settings.handle_s;
  const int spread = static_cast<int>(std::ceil(10 + 3.5 * std::sqrt(n)));
  low_ = std::max(0, settings.agents - spread);
  for (int b = low_; b < settings.agents; ++b) accept_.push_back(1);
  double term = std::exp(-mean_free);
  double at_least = 1 - term;  // P(Poisson >= 1), then 2, ...
  for (int k = 1; at_least > 1e-3; ++k) {
    accept_.push_back(at_least);
    term *= mean_free / k;
    at_least -= term;
  }
  accept_.push_back(0);
  levels_ = accept_.size();
  // In flight: what keeps up with the agents who finish, and what fills those who are free.
  const double steady = n * settings.ring_s / (settings.handle_s * settings.answer_ratio);
  const double fill = 0.7 * std::min(n, 10 + 2.5 * std::sqrt(n)) / settings.answer_ratio;
  const auto lines = static_cast<size_t>(std::ceil(1.5 * steady + fill)) + 2;
  firsts_ = two_stages_ ? lines + 1 : 1;
  // Dials reach the second stage one by one.
  seconds_ = two_stages_ ? static_cast<size_t>(std::ceil(0.7 * static_cast<double>(lines))) + 3
                         : lines + 1;
  const double stage = static_cast<double>(settings.ring_stages) / settings.ring_s;
  rate_ = n / settings.handle_s + stage * static_cast<double>(two_stages_ ? firsts_ - 1 : 0) +
          stage * static_cast<double>(seconds_ - 1);
  v_.assign(levels_ * firsts_ * seconds_, 0);
  u_ = next_ = v_;
}

void Solver::DialAtWill() {
  for (size_t b = 0; b < levels_; ++b) {
    if (!two_stages_) {
      double* u = &u_[At(b, 0)];
      const double* v = &v_[At(b, 0)];
      u[seconds_ - 1] = v[seconds_ - 1];
      for (size_t n = seconds_ - 1; n-- > 0;) u[n] = std::max(v[n], u[n + 1]);
      continue;
    }
    for (size_t n1 = firsts_; n1-- > 0;) {
      double* u = &u_[At(b, n1)];
      const double* v = &v_[At(b, n1)];
      const double* more = n1 + 1 < firsts_ ? &u_[At(b, n1 + 1)] : v;
      for (size_t n2 = 0; n2 < seconds_; ++n2) u[n2] = std::max(v[n2], more[n2]);
    }
  }
}

void Solver::Sweep(double multiplier) {
  DialAtWill();
  const double p = settings_.answer_ratio;
  const double stage = static_cast<double>(settings_.ring_stages) / settings_.ring_s / rate_;
  const double credit = multiplier * settings_.abandon_ratio_max;
  for (size_t b = 0; b < levels_; ++b) {
    const double busy = std::min<double>(low_ + static_cast<double>(b), settings_.agents);
    const double ends = busy / settings_.handle_s / rate_;
    const double taken = accept_[b];
    const size_t below = b > 0 ? b - 1 : 0;
    const size_t above = b + 1 < levels_ ? b + 1 : b;
    for (size_t n1 = 0; n1 < firsts_; ++n1) {
      const double* same = &u_[At(b, n1)];
      const double* freed = &u_[At(below, n1)];
      const double* filled = &u_[At(above, n1)];
      const double* moved = n1 > 0 ? &u_[At(b, n1 - 1)] : nullptr;
      const double first = two_stages_ ? stage * static_cast<double>(n1) : 0;
      double* out = &next_[At(b, n1)];
      for (size_t n2 = 0; n2 < seconds_; ++n2) {
        const double second = stage * static_cast<double>(n2);
        // Where nothing happens there is a chance to dial, too: without one the state with no dials
        // out would keep itself for ever.
        double sum = same[n2] * (1 - ends - first - second) + ends * freed[n2];
        if (first > 0) sum += first * moved[std::min(n2 + 1, seconds_ - 1)];
        if (n2 > 0) {
          const double answered =
              taken * (1 + filled[n2 - 1]) + (1 - taken) * (same[n2 - 1] - multiplier) + credit;
          sum += second * (p * answered + (1 - p) * same[n2 - 1]);
        }
        out[n2] = sum;
      }
    }
  }
  ++sweeps_;
}

double Solver::Gain(double multiplier) {
  constexpr int kSweepsMax = 2'000'000;
  const double narrow = settings_.precision * settings_.agents / settings_.handle_s / rate_;
  for (int sweep = 1;; ++sweep) {
    Sweep(multiplier);
    if (sweep % 50 != 0) {
      v_.swap(next_);
      continue;
    }
    double least = next_[0] - v_[0];
    double most = least;
    for (size_t i = 1; i < v_.size(); ++i) {
      const double gained = next_[i] - v_[i];
      least = std::min(least, gained);
      most = std::max(most, gained);
    }
    const double origin = next_[0];
    for (double& value : next_) value -= origin;
    v_.swap(next_);
    if (most - least <= narrow) return most * rate_;
    OUTPACE_CHECK(sweep < kSweepsMax);
  }
}

int Solver::LinesOut(int busy) const {
  const auto b = static_cast<size_t>(std::max(busy - low_, 0));
  size_t best = 0;
  const size_t choices = two_stages_ ? firsts_ : seconds_;
  const auto value = [&](size_t lines) {
    return two_stages_ ? v_[At(b, lines)] : v_[At(b, 0) + lines];
  };
  for (size_t lines = 1; lines < choices; ++lines) {
    if (value(lines) > value(best)) best = lines;
  }
  return static_cast<int>(best);
}

}  // namespace

OptimumResult SolveOptimum(const OptimumSettings& settings) {
  OUTPACE_CHECK(settings.agents >= 1 && settings.ring_s > 0 && settings.handle_s > 0);
  OUTPACE_CHECK(settings.answer_ratio > 0 && settings.answer_ratio <= 1);
  OUTPACE_CHECK(settings.ring_stages == 1 || settings.ring_stages == 2);
  Solver solver(settings);
  // g is convex in c: golden section on log c. The values of one multiplier start the next.
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(0.01);
  double high = std::log(100.0);
  double left = high - ratio * (high - low);
  double right = low + ratio * (high - low);
  double at_left = solver.Gain(std::exp(left));
  double at_right = solver.Gain(std::exp(right));
  while (high - low > 0.1) {
    if (at_left <= at_right) {
      high = right;
      right = left;
      at_right = at_left;
      left = high - ratio * (high - low);
      at_left = solver.Gain(std::exp(left));
    } else {
      low = left;
      left = right;
      at_left = at_right;
      right = low + ratio * (high - low);
      at_right = solver.Gain(std::exp(right));
    }
  }
  OptimumResult result;
  result.multiplier = std::exp((low + high) / 2);
  const double gain = std::min({solver.Gain(result.multiplier), at_left, at_right});
  result.occupancy = gain * settings.handle_s / settings.agents;
  result.sweeps = solver.sweeps();
  result.lines_when_empty = solver.LinesOut(solver.lowest());
  result.lines_when_full = solver.LinesOut(settings.agents);
  return result;
}

}  // namespace outpace::lab
