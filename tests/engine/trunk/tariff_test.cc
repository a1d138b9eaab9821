#include "engine/trunk/tariff.h"

#include <gtest/gtest.h>

namespace outpace::trunk {
namespace {

TEST(Tariff, SecondsAreRoundedUpByTheIncrements) {
  const auto billed = [](int first, int then, absl::Duration answered) {
    return BilledSeconds({.first = first, .then = then}, answered);
  };
  EXPECT_EQ(billed(1, 1, absl::ZeroDuration()), 1) << "an answer is charged";
  EXPECT_EQ(billed(1, 1, absl::Milliseconds(1)), 1);
  EXPECT_EQ(billed(1, 1, absl::Seconds(1)), 1);
  EXPECT_EQ(billed(1, 1, absl::Milliseconds(1001)), 2);
  EXPECT_EQ(billed(60, 60, absl::Seconds(3)), 60);
  EXPECT_EQ(billed(60, 60, absl::Seconds(60)), 60);
  EXPECT_EQ(billed(60, 60, absl::Seconds(61)), 120);
  EXPECT_EQ(billed(60, 6, absl::Seconds(60)), 60);
  EXPECT_EQ(billed(60, 6, absl::Milliseconds(60'001)), 66);
  EXPECT_EQ(billed(60, 6, absl::Seconds(66)), 66);
  EXPECT_EQ(billed(6, 6, absl::Seconds(13)), 18);
  EXPECT_EQ(billed(30, 6, absl::Seconds(-5)), 30) << "the end crossed the answer";
}

TEST(Tariff, CostsAreInMillionths) {
  EXPECT_EQ(CostMicros(0.006, 60), 6'000);
  EXPECT_EQ(CostMicros(0.006, 66), 6'600);
  EXPECT_EQ(CostMicros(0.01, 1), 167);
  EXPECT_EQ(CostMicros(0, 3600), 0);
  EXPECT_EQ(CostMicros(1000, 86'400), 1'440'000'000'000);
}

}  // namespace
}  // namespace outpace::trunk
