#include "engine/pacing/erlang.h"

#include <cmath>

#include "engine/base/check.h"

namespace outpace::pacing {
namespace {

// Largest x in [0, high] with share(x) <= limit, for a share that grows with x.
template <typename Share>
double LargestBelow(double high, double limit, Share share) {
  double low = 0;
  for (int i = 0; i < 200 && high - low > 1e-13 * high; ++i) {
    const double middle = low + (high - low) / 2;
    (share(middle) <= limit ? low : high) = middle;
  }
  return low;
}

}  // namespace

double ErlangB(int servers, double load) {
  OUTPACE_CHECK(servers >= 0 && load >= 0);
  double b = 1;
  for (int k = 1; k <= servers; ++k) b = load * b / (k + load * b);
  return b;
}

double ErlangC(int servers, double load) {
  if (load >= servers) return 1;
  const double b = ErlangB(servers, load);
  return servers * b / (servers - load * (1 - b));
}

double ErlangCWaitTail(int servers, double load, double wait) {
  OUTPACE_CHECK(wait >= 0);
  if (load >= servers) return 1;
  return ErlangC(servers, load) * std::exp(-(servers - load) * wait);
}

PatienceResult ErlangWithPatience(int servers, double load, double patience) {
  OUTPACE_CHECK(servers >= 1 && load >= 0 && patience >= 0);
  const double b = ErlangB(servers - 1, load);
  if (load <= 0 || b <= 0) return {0, 0, load / servers};
  const double eps = 1 / b;
  const double x = load - servers;
  // In overload e^{xd} can exceed any double; every term is then divided by it.
  const double scale = x > 0 ? std::exp(-x * patience) : 1;
  const double grown = x > 0 ? 1 : std::exp(x * patience);
  const double step = x > 0 ? -std::expm1(-x * patience) : std::expm1(x * patience);
  const double j = (std::abs(x) < 1e-12 ? patience : step / x) + grown / servers;
  // Below capacity 1 + x J cancels to about e^{xd} a / N; that form is exact: x (e^{xd} - 1)/x + 1
  // is e^{xd}, and x e^{xd} / N + e^{xd} is e^{xd} a / N. The same holds, scaled, above capacity.
  const double lost = grown * load / servers;
  const double sum = eps * scale + load * j;
  PatienceResult result;
  result.p_abandon = lost / sum;
  result.p_wait = load * j / sum;
  result.occupancy = load * (1 - result.p_abandon) / servers;
  return result;
}

double MaxLoadForAbandonment(int servers, double patience, double p_abandon_max) {
  OUTPACE_CHECK(p_abandon_max > 0 && p_abandon_max < 1);
  // All that is not lost is served by at most `servers`, so a (1 - P_ab) <= N bounds the search.
  const double high = servers / (1 - p_abandon_max) + 1;
  return LargestBelow(high, p_abandon_max, [&](double load) {
    return ErlangWithPatience(servers, load, patience).p_abandon;
  });
}

double MaxLoadForWaitTail(int servers, double wait, double p_wait_max) {
  OUTPACE_CHECK(p_wait_max > 0 && p_wait_max < 1);
  return LargestBelow(servers, p_wait_max,
                      [&](double load) { return ErlangCWaitTail(servers, load, wait); });
}

}  // namespace outpace::pacing
