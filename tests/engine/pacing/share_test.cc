#include "engine/pacing/share.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::vector<int> Units(int supply, const std::vector<ShareClaim>& claims) {
  std::vector<int> units;
  for (const ShareGrant& grant : Share(supply, claims)) units.push_back(grant.units);
  return units;
}

TEST(Share, EnoughForAll) {
  EXPECT_THAT(Units(10, {{3, 1}, {0, 9}, {7, 2}}), ElementsAre(3, 0, 7));
  EXPECT_TRUE(Share(10, {}).empty());
}

TEST(Share, ByWeight) {
  EXPECT_THAT(Units(8, {{100, 1}, {100, 3}}), ElementsAre(2, 6));
  EXPECT_THAT(Units(3, {{100, 5}, {100, 5}, {100, 5}}), ElementsAre(1, 1, 1));
}

TEST(Share, WhatOneDoesNotNeedGoesToTheOthers) {
  EXPECT_THAT(Units(10, {{1, 8}, {100, 1}, {100, 1}}), ElementsAre(1, 5, 4));
  EXPECT_THAT(Units(9, {{100, 1}, {2, 1}, {100, 1}}), ElementsAre(4, 2, 3));
}

TEST(Share, PriorityComesBeforeWeight) {
  EXPECT_THAT(Units(10, {{20, 100, 0}, {7, 1, 5}}), ElementsAre(3, 7));
  EXPECT_THAT(Units(5, {{20, 100, -1}, {7, 1, 0}}), ElementsAre(0, 5));
}

TEST(Share, OddInputIsTakenAsTheNearestSound) {
  EXPECT_THAT(Units(-3, {{2, 1}, {2, 1}}), Each(0));
  EXPECT_THAT(Units(2, {{-5, 1}, {2, 0}}), ElementsAre(0, 2));
  EXPECT_THAT(Units(2, {{2, -7}, {2, 1}}), ElementsAre(1, 1));
  EXPECT_THAT(Units(2'000'000'000, {{2'000'000'000, 1}, {2'000'000'000, 1}}),
              ElementsAre(1'000'000'000, 1'000'000'000));
}

// One unit a tick is nobody's third, but after three ticks everybody has had one.
TEST(Share, CreditsMakeUpForWhatATickCouldNotSplit) {
  std::vector<ShareClaim> claims = {{100, 1}, {100, 2}, {100, 3}};
  std::vector<int> sum(3);
  for (int tick = 1; tick <= 600; ++tick) {
    const std::vector<ShareGrant> grants = Share(1, claims);
    for (size_t i = 0; i < 3; ++i) {
      sum[i] += grants[i].units;
      claims[i].credit = grants[i].credit;
      // Never further than one unit from the proportion, at any moment.
      EXPECT_NEAR(sum[i], tick * (static_cast<double>(i) + 1) / 6, 1.01) << tick;
    }
  }
  EXPECT_THAT(sum, ElementsAre(100, 200, 300));
}

TEST(ShareProperty, ExactNeverAboveDemandAndFair) {
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::vector<ShareClaim> claims(rng.Below(9));
    const bool with_credits = rng.Chance(0.5);
    int64_t wanted = 0;
    for (ShareClaim& claim : claims) {
      claim.demand = static_cast<int>(rng.Below(rng.Chance(0.1) ? 100'000 : 30));
      claim.weight = 1 + static_cast<int>(rng.Below(100));
      claim.priority = static_cast<int>(rng.Below(3));
      if (with_credits) claim.credit = 2 * rng.Uniform() - 1;
      wanted += claim.demand;
    }
    const int supply = static_cast<int>(rng.Below(80));
    const std::vector<ShareGrant> grants = Share(supply, claims);
    ASSERT_EQ(grants.size(), claims.size());
    int64_t given = 0;
    for (size_t i = 0; i < claims.size(); ++i) {
      given += grants[i].units;
      ASSERT_GE(grants[i].units, 0);
      ASSERT_LE(grants[i].units, claims[i].demand);
      ASSERT_LE(std::abs(grants[i].credit), 1);
      if (grants[i].units == claims[i].demand) {
        ASSERT_EQ(grants[i].credit, 0);
      }
    }
    ASSERT_EQ(given, std::min<int64_t>(supply, wanted));
    for (size_t i = 0; i < claims.size(); ++i) {
      for (size_t j = 0; j < claims.size(); ++j) {
        // Nobody of a lower priority gets anything while one of a higher goes short.
        if (claims[i].priority > claims[j].priority && grants[i].units < claims[i].demand) {
          ASSERT_EQ(grants[j].units, 0);
        }
        // Without credits: who has the greater weight and is short has no less, but for the one
        // unit that a tie of remainders decides.
        if (!with_credits && claims[i].priority == claims[j].priority &&
            claims[i].weight >= claims[j].weight && grants[i].units < claims[i].demand) {
          ASSERT_GE(grants[i].units, grants[j].units - 1);
        }
      }
    }
    // The same claims give the same grants.
    const std::vector<ShareGrant> again = Share(supply, claims);
    for (size_t i = 0; i < claims.size(); ++i) ASSERT_EQ(again[i].units, grants[i].units);
  }
}

// A larger supply never leaves a priority class with less.
TEST(ShareProperty, MoreSupplyIsNeverLessForAPriority) {
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::vector<ShareClaim> claims(1 + rng.Below(6));
    for (ShareClaim& claim : claims) {
      claim.demand = static_cast<int>(rng.Below(20));
      claim.weight = 1 + static_cast<int>(rng.Below(10));
      claim.priority = static_cast<int>(rng.Below(3));
    }
    std::vector<int> before(3);
    for (int supply = 0; supply < 60; ++supply) {
      std::vector<int> now(3);
      const std::vector<ShareGrant> grants = Share(supply, claims);
      for (size_t i = 0; i < claims.size(); ++i) {
        now[static_cast<size_t>(claims[i].priority)] += grants[i].units;
      }
      for (size_t p = 0; p < 3; ++p) ASSERT_GE(now[p], before[p]);
      before = now;
    }
  }
}

}  // namespace
}  // namespace outpace::pacing
