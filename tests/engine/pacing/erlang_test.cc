#include "engine/pacing/erlang.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

// Three kinds of evidence: figures as printed in the literature; the same queues solved another way
// (exact recursions and birth and death chains summed as logarithms, in long double) to 1e-10 of
// the value; and what must hold whatever the figures (monotone, limits, absurd input).

namespace outpace::pacing {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinite = std::numeric_limits<double>::infinity();

// Every size up to 200 with a few loads, then the large ones.
struct Case {
  int servers;
  double load;
};
std::vector<Case> Cases() {
  std::vector<int> sizes;
  for (int n = 1; n <= 200; ++n) sizes.push_back(n);
  sizes.insert(sizes.end(), {1000, 10'000});
  std::vector<Case> cases;
  for (const int n : sizes) {
    for (const double share : {0.3, 0.7, 0.95, 1.0, 1 + 1e-6, 1.02, 1.5}) {
      cases.push_back({n, share * n});
    }
  }
  return cases;
}

void ExpectSame(double value, long double exact, absl::string_view what) {
  if (exact < 1e-290L) {
    EXPECT_LT(value, 1e-280) << what;
  } else {
    EXPECT_NEAR(value, static_cast<double>(exact), 1e-10 * static_cast<double>(exact)) << what;
  }
}

// A birth and death chain from its rates, as logarithms of the weights of its states: up with
// `load`, down with `down(k)` in state k. Ends where the states above `servers` no longer matter.
template <typename Down>
std::vector<long double> Chain(int servers, double load, Down down) {
  std::vector<long double> log_weight = {0};
  const long double log_load = std::log(static_cast<long double>(load));
  long double best_above = -std::numeric_limits<long double>::infinity();
  for (int k = 1;; ++k) {
    log_weight.push_back(log_weight.back() + log_load - std::log(down(k)));
    if (k < servers) continue;
    best_above = std::max(best_above, log_weight.back());
    if (log_weight.back() < best_above - 60) break;
  }
  const long double best = *std::max_element(log_weight.begin(), log_weight.end());
  for (long double& w : log_weight) w = std::exp(w - best);
  return log_weight;
}

struct ChainResult {
  long double p_wait = 0;
  long double queue = 0;  // mean number waiting
  long double busy = 0;   // mean number of servers in use
};
ChainResult Summed(const std::vector<long double>& weights, int servers) {
  ChainResult result;
  long double whole = 0;
  // Small terms first.
  for (size_t i = weights.size(); i-- > 0;) {
    const auto k = static_cast<int>(i);
    whole += weights[i];
    if (k >= servers) result.p_wait += weights[i];
    if (k >= servers) result.queue += weights[i] * (k - servers);
    result.busy += weights[i] * std::min(k, servers);
  }
  result.p_wait /= whole;
  result.queue /= whole;
  result.busy /= whole;
  return result;
}

// (a^N / N!) / sum over k <= N of a^k / k!, as logarithms.
long double LogErlangBInverse(int servers, double load) {
  const long double log_load = std::log(static_cast<long double>(load));
  const auto log_term = [&](int k) { return k * log_load - std::lgamma(k + 1.0L); };
  long double sum = 0;
  const long double best = log_term(std::min(servers, static_cast<int>(load)));
  for (int k = 0; k <= servers; ++k) sum += std::exp(log_term(k) - best);
  return std::log(sum) + best - log_term(servers);
}

TEST(ErlangB, MatchesPublishedTables) {
  EXPECT_NEAR(ErlangB(1, 1), 0.5, 1e-15);
  EXPECT_NEAR(ErlangB(2, 1), 0.2, 1e-15);
  EXPECT_NEAR(ErlangB(5, 3), 0.110054, 1e-6);
  EXPECT_NEAR(ErlangB(10, 5), 0.018385, 1e-6);
  // The Erlang B table of the traffic handbooks: the load at which 0.1, 1, 2 and 5 % are lost.
  struct Row {
    int servers;
    double loads[4];
    double printed;  // half of the last digit
  };
  constexpr double kLost[] = {0.001, 0.01, 0.02, 0.05};
  for (const Row& row :
       {Row{5, {0.762, 1.361, 1.657, 2.219}, 6e-4}, Row{10, {3.092, 4.461, 5.084, 6.216}, 6e-4},
        Row{20, {9.41, 12.03, 13.18, 15.25}, 6e-3}, Row{50, {32.51, 37.90, 40.26, 44.53}, 6e-3},
        Row{100, {75.24, 84.06, 87.97, 95.24}, 6e-3}}) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(MaxLoad(Waiting::kNone, row.servers, 0, kLost[i]), row.loads[i], row.printed)
          << row.servers << " servers, " << kLost[i];
    }
  }
  // Westbay's calculator manual: 15 lines and 1 % carry 8.108 erlangs.
  EXPECT_NEAR(MaxLoad(Waiting::kNone, 15, 0, 0.01), 8.108, 5e-4);
}

TEST(ErlangC, MatchesPublishedTables) {
  EXPECT_NEAR(ErlangC(1, 0.7), 0.7, 1e-15);  // M/M/1: the load itself
  EXPECT_NEAR(ErlangC(2, 1), 1.0 / 3, 1e-15);
  EXPECT_NEAR(ErlangC(10, 8), 0.409180, 1e-6);
  EXPECT_EQ(ErlangC(10, 10), 1);
  EXPECT_EQ(ErlangC(10, 12), 1);
  EXPECT_NEAR(ErlangCWaitTail(10, 8, 0.5), 0.409180 * std::exp(-1.0), 1e-6);
  // M. Tanner's worked example: 360 calls in half an hour, 240 s each, 55 agents: 23.9 % wait,
  // 8.2 s on average, 84.6 % are answered within 15 s.
  EXPECT_NEAR(ErlangC(55, 48), 0.2387, 5e-5);
  EXPECT_NEAR(240 * ErlangA(55, 48, kInfinite).mean_wait, 8.184, 5e-4);
  EXPECT_NEAR(1 - ErlangCWaitTail(55, 48, 15.0 / 240), 0.8459, 5e-5);
}

// Garnett, Mandelbaum and Reiman (M&SOM 4, 2002): 50 agents, 48 calls a minute of one minute each.
// If nobody hangs up, 20.8 s to answer at 96 % occupancy; with a mean patience of two minutes 3.1 %
// abandon, 3.7 s, 93 %.
TEST(ErlangA, MatchesThePublishedExample) {
  const QueueState patient = ErlangA(50, 48, kInfinite);
  EXPECT_EQ(patient.p_abandon, 0);
  EXPECT_NEAR(60 * patient.mean_wait, 20.8, 0.05);
  EXPECT_NEAR(patient.occupancy, 0.96, 1e-12);
  const QueueState state = ErlangA(50, 48, 2);
  EXPECT_NEAR(state.p_abandon, 0.031, 5e-4);
  EXPECT_NEAR(60 * state.mean_wait, 3.7, 0.05);
  EXPECT_NEAR(state.occupancy, 0.93, 5e-3);
}

TEST(ErlangB, MatchesTheRecursionAndTheLogarithmicSum) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(absl::StrCat(c.servers, " servers, load ", c.load));
    long double b = 1;
    for (int k = 1; k <= c.servers; ++k) b = c.load * b / (k + c.load * b);
    ExpectSame(ErlangB(c.servers, c.load), b, "recursion");
    ExpectSame(ErlangB(c.servers, c.load), std::exp(-LogErlangBInverse(c.servers, c.load)), "sum");
  }
}

TEST(ErlangC, MatchesTheChain) {
  for (const Case& c : Cases()) {
    if (c.load >= c.servers) continue;
    SCOPED_TRACE(absl::StrCat(c.servers, " servers, load ", c.load));
    const ChainResult exact =
        Summed(Chain(c.servers, c.load,
                     [&](int k) { return static_cast<long double>(std::min(k, c.servers)); }),
               c.servers);
    ExpectSame(ErlangC(c.servers, c.load), exact.p_wait, "p_wait");
    const QueueState state = ErlangA(c.servers, c.load, kInfinite);
    ExpectSame(state.p_wait, exact.p_wait, "p_wait without end of patience");
    ExpectSame(state.mean_wait, exact.queue / c.load, "mean wait");
    ExpectSame(state.occupancy, exact.busy / c.servers, "occupancy");
  }
}

TEST(ErlangA, MatchesTheChain) {
  for (const Case& c : Cases()) {
    for (const double patience : {2.0 / 180, 0.3, 1.0, 10.0}) {
      SCOPED_TRACE(absl::StrCat(c.servers, " servers, load ", c.load, ", patience ", patience));
      const ChainResult exact =
          Summed(Chain(c.servers, c.load,
                       [&](int k) {
                         return std::min(k, c.servers) +
                                std::max(0, k - c.servers) / static_cast<long double>(patience);
                       }),
                 c.servers);
      const QueueState state = ErlangA(c.servers, c.load, patience);
      ExpectSame(state.p_wait, exact.p_wait, "p_wait");
      ExpectSame(state.p_abandon, exact.queue / patience / c.load, "p_abandon");
      ExpectSame(state.mean_wait, exact.queue / c.load, "mean_wait");
      ExpectSame(state.occupancy, exact.busy / c.servers, "occupancy");
    }
  }
}

// M/M/N+D from the balance equations, without the closed form: the states 0..N-1 in proportion to
// a^k / k!, then the density of the virtual waiting time w, a e^{(a-N) w} up to D and, since nobody
// who would wait longer joins, a e^{(a-N) D} e^{-N (w - D)} beyond; all integrals by Simpson's
// rule. Callers wait w or D, whichever is less.
struct Integrals {
  long double p_abandon = 0;
  long double p_wait = 0;
  long double mean_wait = 0;
};
Integrals PatienceByIntegration(int servers, double load, double patience) {
  const long double below = std::exp(LogErlangBInverse(servers - 1, load));
  const auto d = static_cast<long double>(patience);
  const long double x = static_cast<long double>(load) - servers;
  // Just beyond D, so that the integrand is one function on each side.
  const auto density = [&](long double w) {
    return load * (w <= d ? std::exp(x * w) : std::exp(x * d - servers * (w - d)));
  };
  const auto simpson = [&](long double from, long double to, auto&& f) {
    constexpr int kParts = 20'000;
    const long double h = (to - from) / kParts;
    long double sum = f(from) + f(to);
    for (int i = 1; i < kParts; ++i) sum += f(from + i * h) * (i % 2 == 1 ? 4 : 2);
    return sum * h / 3;
  };
  const long double within = d > 0 ? simpson(0, d, density) : 0.0L;
  const long double beyond = simpson(std::nextafter(d, 1e9L), d + 40.0L / servers, density);
  const long double waited =
      d > 0 ? simpson(0, d, [&](long double w) { return w * density(w); }) : 0.0L;
  const long double whole = below + within + beyond;
  return {beyond / whole, (within + beyond) / whole, (waited + d * beyond) / whole};
}

TEST(ErlangWithPatience, MatchesTheBalanceEquations) {
  for (const int servers : {1, 5, 50, 200, 1000}) {
    for (const double share : {0.4, 0.95, 1.0, 1.2}) {
      for (const double patience : {0.0, 2.0 / 180, 0.2}) {
        const double load = share * servers;
        SCOPED_TRACE(absl::StrCat(servers, " servers, load ", load, ", patience ", patience));
        const Integrals exact = PatienceByIntegration(servers, load, patience);
        const QueueState state = ErlangWithPatience(servers, load, patience);
        ExpectSame(state.p_abandon, exact.p_abandon, "p_abandon");
        ExpectSame(state.p_wait, exact.p_wait, "p_wait");
        ExpectSame(state.mean_wait, exact.mean_wait, "mean_wait");
        ExpectSame(state.occupancy, load * (1 - exact.p_abandon) / servers, "occupancy");
      }
    }
  }
}

// The same at every size, with the integrals of the exponentials done by hand in long double and
// the states below N as a sum of logarithms.
TEST(ErlangWithPatience, MatchesTheLogarithmicSum) {
  for (const Case& c : Cases()) {
    for (const double patience : {2.0 / 180, 0.1, 1.5}) {
      SCOPED_TRACE(absl::StrCat(c.servers, " servers, load ", c.load, ", patience ", patience));
      const long double x = static_cast<long double>(c.load) - c.servers;
      const long double y = x * patience;
      const long double top = std::max(0.0L, y);  // largest exponent: everything is divided by it
      const long double below = std::exp(LogErlangBInverse(c.servers - 1, c.load) - top);
      const long double within = c.load * (x == 0 ? static_cast<long double>(patience)
                                                  : std::expm1(-std::abs(y)) / -std::abs(x));
      const long double beyond = c.load * std::exp(y - top) / c.servers;
      const QueueState state = ErlangWithPatience(c.servers, c.load, patience);
      const long double whole = below + within + beyond;
      ExpectSame(state.p_abandon, beyond / whole, "p_abandon");
      ExpectSame(state.p_wait, (within + beyond) / whole, "p_wait");
    }
  }
}

TEST(Erlang, TheFourFormulasMeetAtTheirLimits) {
  for (const Case& c : {Case{1, 0.5}, Case{10, 8}, Case{10, 13}, Case{300, 290}}) {
    SCOPED_TRACE(absl::StrCat(c.servers, " servers, load ", c.load));
    const double b = ErlangB(c.servers, c.load);
    for (const QueueState& none :
         {ErlangA(c.servers, c.load, 0), ErlangWithPatience(c.servers, c.load, 0)}) {
      EXPECT_NEAR(none.p_abandon, b, 1e-12);
      EXPECT_NEAR(none.p_wait, b, 1e-12);
      EXPECT_EQ(none.mean_wait, 0);
    }
    // Patience without end: what the servers cannot carry is lost, nothing else; and a patience far
    // beyond any wait comes close.
    const double lost = std::max(0.0, 1 - c.servers / c.load);
    const double waits = ErlangC(c.servers, c.load);
    for (const double patience : {1e5, 1e7, kInfinite}) {
      for (const QueueState& long_wait : {ErlangA(c.servers, c.load, patience),
                                          ErlangWithPatience(c.servers, c.load, patience)}) {
        EXPECT_NEAR(long_wait.p_abandon, lost, 1e-5);
        EXPECT_NEAR(long_wait.p_wait, waits, 1e-3);
      }
    }
  }
  EXPECT_EQ(ErlangA(10, 10, kInfinite).mean_wait, kInfinite);
}

// No overflow, no jump where one way of computing takes over from another, and the asymptotic
// values: at load = servers B tends to sqrt(2 / (pi N)) (Jagerman 1974).
TEST(Erlang, IsStableForLargeGroupsAndHeavyOverload) {
  EXPECT_NEAR(ErlangB(10'000, 10'000), std::sqrt(2 / (M_PI * 10'000)), 1e-4);
  EXPECT_NEAR(ErlangB(10'000, 20'000), 0.5, 1e-4);
  EXPECT_EQ(ErlangB(10'000, 0), 0);
  EXPECT_LT(ErlangB(10'000, 100), 1e-290);
  EXPECT_EQ(ErlangA(10'000, 100, 1).p_abandon, 0);
  for (const double patience : {1e-6, 60.0 / 180, 50.0}) {
    for (const QueueState& heavy :
         {ErlangA(10'000, 20'000, patience), ErlangWithPatience(10'000, 20'000, patience)}) {
      EXPECT_NEAR(heavy.p_abandon, 0.5, 1e-4);
      EXPECT_NEAR(heavy.occupancy, 1, 1e-3);
      EXPECT_LE(heavy.occupancy, 1);
    }
  }
  const QueueState light = ErlangWithPatience(10'000, 100, 60.0 / 180);
  EXPECT_NEAR(light.p_abandon, 0, 1e-12);
  EXPECT_NEAR(light.occupancy, 0.01, 1e-12);
  // Where ErlangA() stops summing because no server is ever idle.
  double before = ErlangA(100, 99, 3).p_abandon;
  for (double load = 100; load < 2000; load *= 1.01) {
    const double lost = ErlangA(100, load, 3).p_abandon;
    EXPECT_GT(lost, before) << load;
    EXPECT_LT(lost - before, 0.011) << load;
    before = lost;
  }
  // Sizes far beyond any floor end at once and within bounds.
  for (const double load : {1.0, 1e6, 2147483647.0, 1e15, 1e300}) {
    for (const double patience : {0.0, 1e-3, 1.0, 1e3}) {
      for (const QueueState& state :
           {ErlangA(2147483647, load, patience), ErlangWithPatience(2147483647, load, patience)}) {
        EXPECT_TRUE(state.p_abandon >= 0 && state.p_abandon <= 1) << load << " " << patience;
        EXPECT_TRUE(state.p_wait >= 0 && state.p_wait <= 1) << load << " " << patience;
        EXPECT_TRUE(state.occupancy >= 0 && state.occupancy <= 1) << load << " " << patience;
      }
    }
  }
}

constexpr Waiting kAll[] = {Waiting::kNone, Waiting::kExponential, Waiting::kFixed,
                            Waiting::kForever};

TEST(ShareLost, GrowsWithTheLoadAndFallsWithServersAndPatience) {
  for (const Waiting waiting : kAll) {
    for (const int servers : {1, 3, 12, 50, 400}) {
      for (const double patience : {0.0, 0.01, 0.3, 4.0}) {
        double before = -1;
        for (int i = 1; i <= 30; ++i) {
          const double load = servers * 0.05 * i;
          SCOPED_TRACE(absl::StrCat(static_cast<int>(waiting), ": ", servers, " servers, load ",
                                    load, ", patience ", patience));
          const double lost = ShareLost(waiting, servers, load, patience);
          EXPECT_GE(lost, before * (1 - 1e-12));
          EXPECT_LE(lost, 1);
          EXPECT_LE(ShareLost(waiting, servers + 1, load, patience), lost * (1 + 1e-12));
          EXPECT_LE(ShareLost(waiting, servers, load, patience + 0.1), lost * (1 + 1e-12));
          before = lost;
        }
      }
    }
  }
}

TEST(MaxLoad, IsTheLargestThatMeetsTheTarget) {
  for (const Waiting waiting : kAll) {
    for (const int servers : {1, 7, 60, 1000}) {
      for (const double target : {1e-6, 0.01, 0.03, 0.5, 0.99}) {
        SCOPED_TRACE(absl::StrCat(static_cast<int>(waiting), ": ", servers, ", ", target));
        const double load = MaxLoad(waiting, servers, 2.0 / 180, target);
        EXPECT_LE(ShareLost(waiting, servers, load, 2.0 / 180), target);
        EXPECT_GT(ShareLost(waiting, servers, load * (1 + 1e-9), 2.0 / 180), target);
        EXPECT_LT(MaxLoad(waiting, servers, 2.0 / 180, target * 0.9), load);
        EXPECT_LT(load, MaxLoad(waiting, servers + 1, 2.0 / 180, target));
      }
    }
  }
}

TEST(MinServers, IsTheSmallestThatMeetsTheTarget) {
  for (const Waiting waiting : kAll) {
    for (const double load : {0.01, 0.9, 8.0, 47.3, 1000.0, 9'800.0}) {
      for (const double target : {1e-4, 0.03, 0.2}) {
        SCOPED_TRACE(absl::StrCat(static_cast<int>(waiting), ": ", load, ", ", target));
        const std::optional<int> servers = MinServers(waiting, load, 2.0 / 180, target);
        ASSERT_TRUE(servers.has_value());
        EXPECT_LE(ShareLost(waiting, *servers, load, 2.0 / 180), target);
        EXPECT_GT(ShareLost(waiting, *servers - 1, load, 2.0 / 180), target);
        // And the largest load of that many servers is at least this one.
        EXPECT_GE(MaxLoad(waiting, *servers, 2.0 / 180, target), load * (1 - 1e-12));
      }
    }
  }
  // The 55 agents of the worked example above, for just under its 84.6 % within 15 s.
  EXPECT_EQ(MinServers(Waiting::kForever, 48, 15.0 / 240, 1 - 0.845), 55);
}

TEST(Erlang, AbsurdInputErrsToTheCarefulSide) {
  for (const int servers : {0, -1, std::numeric_limits<int>::min()}) {
    for (const double load : {0.0, 3.0, kNan, kInfinite}) {
      for (const Waiting waiting : kAll) {
        EXPECT_EQ(ShareLost(waiting, servers, load, 0.1), 1);
        EXPECT_EQ(MaxLoad(waiting, servers, 0.1, 0.03), 0);
      }
      EXPECT_EQ(ErlangA(servers, load, 0.1).mean_wait, 0.1);
      EXPECT_EQ(ErlangWithPatience(servers, load, 0.1).occupancy, 0);
      EXPECT_EQ(ErlangC(servers, load), 1);
    }
  }
  for (const Waiting waiting : kAll) {
    SCOPED_TRACE(static_cast<int>(waiting));
    for (const double load : {kNan, kInfinite}) {
      for (const double patience : {0.0, 1.0, kNan, kInfinite}) {
        EXPECT_EQ(ShareLost(waiting, 10, load, patience), 1);
      }
      EXPECT_EQ(MinServers(waiting, load, 0.1, 0.03), std::nullopt);
    }
    for (const double load : {0.0, -1.0, -kInfinite}) {
      EXPECT_EQ(ShareLost(waiting, 10, load, 0.1), 0);
      EXPECT_EQ(MinServers(waiting, load, 0.1, 0.03), 0);
    }
    for (const double patience : {-1.0, kNan, -kInfinite}) {
      EXPECT_EQ(ShareLost(waiting, 10, 8, patience), ShareLost(waiting, 10, 8, 0));
    }
    for (const double target : {0.0, -0.5, kNan, -kInfinite}) {
      EXPECT_EQ(MaxLoad(waiting, 10, 0.1, target), 0);
      EXPECT_EQ(MinServers(waiting, 5, 0.1, target), std::nullopt);
    }
    for (const double target : {1.0, 7.0, kInfinite}) {
      EXPECT_EQ(MaxLoad(waiting, 10, 0.1, target), kInfinite);
      EXPECT_EQ(MinServers(waiting, 5, 0.1, target), 0);
    }
    EXPECT_EQ(MinServers(waiting, 2e6, 0.1, 0.03), std::nullopt);  // more than kServersMax
  }
}

// The occupancy a dialer without feedback reaches within 3 %, at a handle time of 180 s (table of
// docs/PACING.md): this is what the look-ahead is measured against.
TEST(BlindDialer, ReachesTheTabulatedOccupancy) {
  struct Row {
    int agents;
    double erlang_b;
    double patience;
    double erlang_c;
  };
  for (const Row& row :
       {Row{5, 36.4, 36.8, 32.9}, Row{10, 53.6, 54.2, 48.2}, Row{20, 67.9, 68.6, 61.3},
        Row{50, 81.4, 82.2, 74.5}, Row{100, 88.1, 89.0, 81.7}, Row{500, 96.2, 97.1, 92.0}}) {
    const int n = row.agents;
    SCOPED_TRACE(absl::StrCat(n, " agents"));
    const double lost_at_once = MaxLoad(Waiting::kNone, n, 0, 0.03) * 0.97 / n;
    const double lost_after_2s = MaxLoad(Waiting::kFixed, n, 2.0 / 180, 0.03) * 0.97 / n;
    const double waits_for_ever = MaxLoad(Waiting::kForever, n, 2.0 / 180, 0.03);
    EXPECT_NEAR(100 * lost_at_once, row.erlang_b, 0.06);
    EXPECT_NEAR(100 * lost_after_2s, row.patience, 0.06);
    EXPECT_NEAR(100 * ErlangWithPatience(n, waits_for_ever, 2.0 / 180).occupancy, row.erlang_c,
                0.06);
  }
}

}  // namespace
}  // namespace outpace::pacing
