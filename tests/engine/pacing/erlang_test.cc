#include "engine/pacing/erlang.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

// Erlang B as it is defined: (a^N / N!) / sum a^k / k!, in long double with logarithms.
double ErlangBSum(int servers, double load) {
  const long double log_load = std::log(static_cast<long double>(load));
  const auto log_term = [&](int k) { return k * log_load - std::lgamma(k + 1.0L); };
  long double sum = 0;
  for (int k = 0; k <= servers; ++k) sum += std::exp(log_term(k) - log_term(servers));
  return static_cast<double>(1 / sum);
}

TEST(ErlangB, MatchesPublishedTables) {
  EXPECT_NEAR(ErlangB(1, 1), 0.5, 1e-15);
  EXPECT_NEAR(ErlangB(2, 1), 0.2, 1e-15);
  EXPECT_NEAR(ErlangB(5, 3), 0.110054, 1e-6);
  EXPECT_NEAR(ErlangB(10, 5), 0.018385, 1e-6);
  // Traffic tables: the load that loses 1 % (three digits are printed).
  EXPECT_NEAR(ErlangB(10, 4.46), 0.01, 5e-5);
  EXPECT_NEAR(ErlangB(20, 12.0), 0.01, 5e-4);
  EXPECT_NEAR(ErlangB(100, 84.1), 0.01, 1e-4);
}

TEST(ErlangB, MatchesTheDefinition) {
  for (const int servers : {1, 2, 7, 30, 100, 400}) {
    for (const double share : {0.3, 0.8, 1.0, 1.3}) {
      const double load = share * servers;
      EXPECT_NEAR(ErlangB(servers, load), ErlangBSum(servers, load), 1e-10)
          << servers << " servers, load " << load;
    }
  }
}

TEST(ErlangB, IsStableForLargeGroups) {
  // At load = servers B tends to sqrt(2 / (pi N)) (Jagerman 1974); the next term is of order 1 / N.
  EXPECT_NEAR(ErlangB(10'000, 10'000), std::sqrt(2 / (M_PI * 10'000)), 1e-4);
  EXPECT_NEAR(ErlangB(10'000, 20'000), 0.5, 1e-4);
  EXPECT_EQ(ErlangB(10'000, 0), 0);
  EXPECT_LT(ErlangB(10'000, 100), 1e-300);
}

TEST(ErlangC, MatchesPublishedTables) {
  EXPECT_NEAR(ErlangC(1, 0.7), 0.7, 1e-15);  // M/M/1: the load itself
  EXPECT_NEAR(ErlangC(2, 1), 1.0 / 3, 1e-15);
  EXPECT_NEAR(ErlangC(10, 8), 0.409180, 1e-6);
  EXPECT_EQ(ErlangC(10, 10), 1);
  EXPECT_EQ(ErlangC(10, 12), 1);
  EXPECT_NEAR(ErlangCWaitTail(10, 8, 0.5), 0.409180 * std::exp(-1.0), 1e-6);
}

// M/M/N+D from the balance equations, without the closed form: the states 0..N-1 in proportion to
// a^k / k!, then the density of the virtual waiting time w, a e^{(a-N) w} up to D and, since nobody
// who would wait longer joins, a e^{(a-N) D} e^{-N (w - D)} beyond; all integrals by Simpson's
// rule.
PatienceResult PatienceByIntegration(int servers, double load, double patience) {
  long double below = 0;  // relative to state N - 1
  long double term = 1;
  for (int k = servers - 1; k >= 0; --k) {
    below += term;
    term *= k / static_cast<long double>(load);
  }
  const auto density = [&](long double w) {
    return load * (w <= patience ? std::exp((load - servers) * w)
                                 : std::exp((load - servers) * static_cast<long double>(patience) -
                                            servers * (w - static_cast<long double>(patience))));
  };
  const auto simpson = [&](long double from, long double to) {
    constexpr int kParts = 20'000;
    const long double h = (to - from) / kParts;
    long double sum = density(from) + density(to);
    for (int i = 1; i < kParts; ++i) sum += density(from + i * h) * (i % 2 == 1 ? 4 : 2);
    return sum * h / 3;
  };
  // Just beyond D, so that the integrand is one function on each side.
  const long double within = patience > 0 ? simpson(0, patience) : 0.0L;
  const long double beyond =
      simpson(std::nextafter(static_cast<long double>(patience), 1e9L), patience + 40.0L / servers);
  const long double whole = below + within + beyond;
  PatienceResult result;
  result.p_abandon = static_cast<double>(beyond / whole);
  result.p_wait = static_cast<double>((within + beyond) / whole);
  return result;
}

TEST(ErlangWithPatience, MatchesTheBalanceEquations) {
  for (const int servers : {1, 5, 50, 300}) {
    for (const double share : {0.4, 0.95, 1.0, 1.2}) {
      for (const double patience : {0.0, 2.0 / 180, 0.2}) {
        const double load = share * servers;
        const PatienceResult exact = ErlangWithPatience(servers, load, patience);
        const PatienceResult integral = PatienceByIntegration(servers, load, patience);
        SCOPED_TRACE(absl::StrCat(servers, " servers, load ", load, ", patience ", patience));
        EXPECT_NEAR(exact.p_abandon, integral.p_abandon, 1e-10);
        EXPECT_NEAR(exact.p_wait, integral.p_wait, 1e-10);
      }
    }
  }
}

TEST(ErlangWithPatience, IsErlangBWithoutPatienceAndErlangCWithAllOfIt) {
  EXPECT_NEAR(ErlangWithPatience(10, 8, 0).p_abandon, ErlangB(10, 8), 1e-12);
  EXPECT_NEAR(ErlangWithPatience(10, 8, 0).p_wait, ErlangB(10, 8), 1e-12);
  EXPECT_NEAR(ErlangWithPatience(10, 8, 1000).p_wait, ErlangC(10, 8), 1e-12);
  EXPECT_NEAR(ErlangWithPatience(10, 8, 1000).p_abandon, 0, 1e-12);
}

TEST(ErlangWithPatience, IsStableForLargeGroupsAndHeavyOverload) {
  // Twice the load the servers can carry: half is lost, whatever the patience.
  const PatienceResult heavy = ErlangWithPatience(10'000, 20'000, 60.0 / 180);
  EXPECT_NEAR(heavy.p_abandon, 0.5, 1e-9);
  EXPECT_NEAR(heavy.occupancy, 1, 1e-9);
  const PatienceResult light = ErlangWithPatience(10'000, 100, 60.0 / 180);
  EXPECT_NEAR(light.p_abandon, 0, 1e-12);
  EXPECT_NEAR(light.occupancy, 0.01, 1e-12);
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
    const double lost_at_once = MaxLoadForAbandonment(n, 0, 0.03) * 0.97 / n;
    const double lost_after_2s = MaxLoadForAbandonment(n, 2.0 / 180, 0.03) * 0.97 / n;
    const double waits_for_ever = MaxLoadForWaitTail(n, 2.0 / 180, 0.03);
    EXPECT_NEAR(100 * lost_at_once, row.erlang_b, 0.06);
    EXPECT_NEAR(100 * lost_after_2s, row.patience, 0.06);
    EXPECT_NEAR(100 * ErlangWithPatience(n, waits_for_ever, 2.0 / 180).occupancy, row.erlang_c,
                0.06);
  }
}

}  // namespace
}  // namespace outpace::pacing
