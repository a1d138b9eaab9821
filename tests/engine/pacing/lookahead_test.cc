#include "engine/pacing/lookahead.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

// P(A >= K + C) by going through every outcome of every dial and agent.
double ByEnumeration(const std::vector<double>& answers, const std::vector<double>& frees, int k) {
  const size_t n = answers.size() + frees.size();
  double sum = 0;
  for (uint32_t outcome = 0; outcome < (1u << n); ++outcome) {
    double p = 1;
    int balance = -k;  // A - C - K
    for (size_t i = 0; i < n; ++i) {
      const bool is_answer = i < answers.size();
      const double chance = is_answer ? answers[i] : frees[i - answers.size()];
      const bool happens = (outcome >> i & 1) != 0;
      p *= happens ? chance : 1 - chance;
      if (happens) balance += is_answer ? 1 : -1;
    }
    if (balance >= 0) sum += p;
  }
  return sum;
}

std::vector<double> RandomChances(Rng& rng, size_t n) {
  std::vector<double> chances(n);
  for (double& c : chances) c = rng.Uniform();
  return chances;
}

std::array<RingPoint, kRingPoints> SamePoints(const std::vector<double>& answers,
                                              const std::vector<double>& frees, double new_dial) {
  std::array<RingPoint, kRingPoints> points;
  points.fill({answers, frees, new_dial});
  return points;
}

TEST(Lookahead, ConvolutionIsExact) {
  Rng rng(1);
  Lookahead lookahead;
  for (int i = 0; i < 100; ++i) {
    const auto answers = RandomChances(rng, rng.Below(7));
    const auto frees = RandomChances(rng, rng.Below(6));
    for (int k = -2; k <= 4; ++k) {
      const auto result = lookahead.Launch(k, SamePoints(answers, frees, 0.2), -1, 100, true);
      EXPECT_EQ(result.dials, 0);
      EXPECT_NEAR(result.p_abandon, ByEnumeration(answers, frees, k), 1e-12);
    }
  }
}

TEST(Lookahead, LaunchesTheMostDialsWhoseRiskIsAllowed) {
  Rng rng(2);
  Lookahead lookahead;
  for (int i = 0; i < 50; ++i) {
    auto answers = RandomChances(rng, rng.Below(4));
    const auto frees = RandomChances(rng, rng.Below(4));
    const int k = static_cast<int>(rng.Below(3));
    const double q = 0.1 + 0.5 * rng.Uniform();
    const double theta = 0.2 * rng.Uniform();
    const auto result = lookahead.Launch(k, SamePoints(answers, frees, q), theta, 6, true);
    for (int dial = 0; dial < result.dials; ++dial) {
      EXPECT_LE(ByEnumeration(answers, frees, k), theta);
      answers.push_back(q);
    }
    EXPECT_NEAR(result.p_abandon, ByEnumeration(answers, frees, k), 1e-12);
    if (result.dials < 6) {
      EXPECT_GT(result.p_abandon, theta);
    }
  }
}

TEST(Lookahead, NormalApproximationAgreesForLargeCounts) {
  Rng rng(3);
  Lookahead lookahead;
  for (int i = 0; i < 20; ++i) {
    std::vector<double> answers(300);
    std::vector<double> frees(200);
    for (double& q : answers) q = 0.3 * rng.Uniform();
    for (double& c : frees) c = 0.2 * rng.Uniform();
    const auto points = SamePoints(answers, frees, 0.2);
    const int k = 20 + static_cast<int>(rng.Below(25));
    const auto exact = lookahead.Launch(k, points, 0.02, 500, true);
    const auto normal = lookahead.Launch(k, points, 0.02, 500, false);
    EXPECT_NEAR(exact.dials, normal.dials, 2) << "k=" << k;
    EXPECT_NEAR(lookahead.Launch(k, points, -1, 0, true).p_abandon,
                lookahead.Launch(k, points, -1, 0, false).p_abandon, 5e-3);
  }
}

TEST(Lookahead, ALoneFreeAgentMayBeDialedFor) {
  Lookahead lookahead;
  const std::vector<double> none;
  // Nothing in flight and one agent free: the first dial cannot be abandoned, the second can.
  const auto result = lookahead.Launch(1, SamePoints(none, none, 0.2), 0.03, 10, true);
  EXPECT_EQ(result.dials, 1);
  EXPECT_NEAR(result.p_abandon, 0.2, 1e-12);
}

TEST(Lookahead, IsMonotone) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    Lookahead lookahead;
    auto answers = RandomChances(rng, rng.Below(30));
    auto frees = RandomChances(rng, rng.Below(30));
    for (double& c : frees) c *= 0.3;
    const int k = static_cast<int>(rng.Below(10)) - 2;
    const double theta = 0.1 * rng.Uniform();
    const auto dials = [&](int free, double allowed) {
      return lookahead.Launch(free, SamePoints(answers, frees, 0.25), allowed, 100, true).dials;
    };
    const int before = dials(k, theta);
    EXPECT_GE(dials(k + 1, theta), before);
    EXPECT_GE(dials(k, theta * 2), before);
    frees.push_back(0.4);
    EXPECT_GE(dials(k, theta), before);
    frees.pop_back();
    answers.push_back(0.4);
    EXPECT_LE(dials(k, theta), before);
  }
}

}  // namespace
}  // namespace outpace::pacing
