#include "engine/pacing/erlang.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace outpace::pacing {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kPatienceMax = 1e6;
constexpr double kNothing = 1e-300;  // smaller weights would lose digits as denormal numbers
// A sum of falling terms ends where a term adds less than this: the ratios of the terms fall too,
// so all that would follow is within some sqrt(N) such terms.
constexpr double kNegligible = 1e-20;

double SaneLoad(double load) { return std::isnan(load) ? kInfinite : std::max(load, 0.0); }
double SanePatience(double patience) {
  if (!(patience > 0)) return 0;
  return patience > kPatienceMax ? kInfinite : patience;
}

// Servers that never rest: what they do not serve is lost, and a caller who waits to the end of a
// finite patience has waited about that.
QueueState Overwhelmed(double patience) { return {1, 1, patience, 1}; }
QueueState NoServers(double patience) { return {1, 1, patience, 0}; }

// Nobody ever leaves.
QueueState ErlangCState(int servers, double load) {
  QueueState state;
  if (load >= servers) {
    state = {1 - servers / load, 1, kInfinite, 1};  // the queue grows by what is not served
  } else {
    state.p_wait = ErlangC(servers, load);
    state.mean_wait = state.p_wait / (servers - load);
    state.occupancy = load / servers;
  }
  return state;
}

// Integral over s in [0, 1] of s e^{ys}, times e^{-y} where y > 0.
double RampedExponential(double y) {
  if (std::abs(y) >= 1) {
    return (y > 0 ? y - 1 + std::exp(-y) : std::exp(y) * (y - 1) + 1) / (y * y);
  }
  double term = 1;
  double sum = 0.5;
  for (int k = 1; k <= 20; ++k) {
    term *= y / k;
    sum += term / (k + 2);
  }
  return y > 0 ? sum * std::exp(-y) : sum;
}

// Largest x in [0, high] with share(x) <= limit, for a share that grows with x.
template <typename Share>
double LargestBelow(double high, double limit, Share share) {
  double low = 0;
  for (int i = 0; i < 400 && high - low > 1e-13 * high; ++i) {
    const double middle = low + (high - low) / 2;
    (share(middle) <= limit ? low : high) = middle;
  }
  return low;
}

}  // namespace

double ErlangB(int servers, double load) {
  load = SaneLoad(load);
  if (servers <= 0 || std::isinf(load)) return 1;
  // Each term is the weight of a state relative to the full one. They rise down to the state
  // `load`, then fall; the rise passes every double only where B is below 1e-300.
  double sum = 1;
  double term = 1;
  for (int k = servers; k > 0; --k) {
    term *= k / load;
    sum += term;
    if (sum > 1 / kNothing) return 0;
    if (term < kNegligible * sum) break;
  }
  return 1 / sum;
}

double ErlangC(int servers, double load) {
  load = SaneLoad(load);
  if (load >= servers) return 1;
  const double b = ErlangB(servers, load);
  return servers * b / (servers - load + load * b);
}

double ErlangCWaitTail(int servers, double load, double wait) {
  load = SaneLoad(load);
  if (load >= servers) return 1;
  return ErlangC(servers, load) * std::exp(-(servers - load) * SanePatience(wait));
}

QueueState ErlangA(int servers, double load, double patience) {
  load = SaneLoad(load);
  patience = SanePatience(patience);
  if (servers <= 0) return NoServers(patience);
  if (std::isinf(load)) return Overwhelmed(patience);
  if (std::isinf(patience)) return ErlangCState(servers, load);
  if (load <= 0) return {};
  // Were the servers always busy, the number waiting would be Poisson of mean (a - N) patience less
  // what it is short of zero. Where zero is 40 standard deviations away, no server is ever idle.
  const double held = load * patience;
  if ((load - servers) * patience > 40 * std::sqrt(held) + 40) {
    const double p_abandon = 1 - servers / load;
    return {p_abandon, 1, p_abandon * patience, 1};
  }

  // Weights of the states relative to the likeliest, the last whose rate down is at most `load`:
  // first from it upwards, then from it downwards. `j` waiting: rate up / rate down out of the next
  // state is a / (N + (j+1) / patience), and of the calls that come then, (j+1) / (N patience +
  // j+1) will have left: both written so that a patience of 0 needs no case of its own.
  const double n = servers;
  const double mode =
      load < n ? std::floor(load) : n + std::floor(std::max(0.0, (load - n) * patience));
  double below = 0;  // weight of the states with a server free
  double above = 0;  // of the others
  double lost = 0;   // of the others, each x the share that will leave
  double weight = 1;
  double k = mode;
  for (; k < n && weight > kNothing; ++k) {
    below += weight;
    weight *= load / (k + 1);
  }
  if (weight > kNothing) {
    for (double j = k - n;; ++j) {
      above += weight;
      lost += weight * (j + 1) / (n * patience + j + 1);
      weight *= held / (n * patience + j + 1);
      if (weight < kNegligible * above) break;
    }
  }
  weight = 1;
  for (k = mode; k > 0; --k) {
    weight *= (k > n ? n + (k - n) / patience : k) / load;
    const double j = k - 1 - n;
    (j < 0 ? below : above) += weight;
    if (j >= 0) lost += weight * (j + 1) / (n * patience + j + 1);
    if (weight < kNegligible * (below + above)) break;
  }
  QueueState state;
  state.p_abandon = lost / (below + above);
  state.p_wait = above / (below + above);
  state.mean_wait = state.p_abandon * patience;  // Little: calls that leave do so at 1 / patience
  state.occupancy = std::min(1.0, load * (1 - state.p_abandon) / n);
  return state;
}

QueueState ErlangWithPatience(int servers, double load, double patience) {
  load = SaneLoad(load);
  patience = SanePatience(patience);
  if (servers <= 0) return NoServers(patience);
  if (std::isinf(load)) return Overwhelmed(patience);
  if (std::isinf(patience)) return ErlangCState(servers, load);
  const double n = servers;
  const double b = ErlangB(servers - 1, load);
  if (load <= 0 || b <= 0) return {0, 0, 0, load / n};
  const double eps = 1 / b;
  const double x = load - n;
  // In overload e^{xd} can exceed any double; every term is then divided by it.
  const double scale = x > 0 ? std::exp(-x * patience) : 1;
  const double grown = x > 0 ? 1 : std::exp(x * patience);
  const double step = x > 0 ? -std::expm1(-x * patience) : std::expm1(x * patience);
  const double j = (std::abs(x) < 1e-12 ? patience : step / x) + grown / n;
  // Below capacity 1 + x J cancels to about e^{xd} a / N; that form is exact: x (e^{xd} - 1)/x + 1
  // is e^{xd}, and x e^{xd} / N + e^{xd} is e^{xd} a / N. The same holds, scaled, above capacity.
  const double lost = grown * load / n;
  const double sum = eps * scale + load * j;
  // Callers wait their virtual wait w, of density a e^{xw} / sum, or `patience`, if that is less.
  const double waited = patience * (patience * RampedExponential(x * patience) + grown / n);
  QueueState state;
  state.p_abandon = lost / sum;
  state.p_wait = load * j / sum;
  state.mean_wait = load * waited / sum;
  state.occupancy = std::min(1.0, load * (1 - state.p_abandon) / n);
  return state;
}

double ShareLost(Waiting waiting, int servers, double load, double patience) {
  switch (waiting) {
    case Waiting::kNone:
      return ErlangB(servers, load);
    case Waiting::kExponential:
      return ErlangA(servers, load, patience).p_abandon;
    case Waiting::kFixed:
      return ErlangWithPatience(servers, load, patience).p_abandon;
    case Waiting::kForever:
      return ErlangCWaitTail(servers, load, patience);
  }
  return 1;
}

double MaxLoad(Waiting waiting, int servers, double patience, double share_max) {
  if (share_max >= 1) return kInfinite;
  if (servers <= 0 || !(share_max > 0)) return 0;
  // All that is not lost is served by at most `servers`, so a (1 - P_ab) <= N bounds the search.
  const double high =
      waiting == Waiting::kForever ? servers : servers / (1 - share_max) * (1 + 1e-9);
  return LargestBelow(high, share_max,
                      [&](double load) { return ShareLost(waiting, servers, load, patience); });
}

std::optional<int> MinServers(Waiting waiting, double load, double patience, double share_max) {
  load = SaneLoad(load);
  if (load <= 0 || share_max >= 1) return 0;
  if (!(share_max > 0)) return std::nullopt;
  const auto meets = [&](int servers) {
    return ShareLost(waiting, servers, load, patience) <= share_max;
  };
  if (!meets(kServersMax)) return std::nullopt;
  int enough = 1;
  int too_few = 0;
  while (!meets(enough)) {
    too_few = enough;
    enough = std::min(2 * enough, kServersMax);
  }
  while (enough - too_few > 1) {
    const int middle = too_few + (enough - too_few) / 2;
    (meets(middle) ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace outpace::pacing
