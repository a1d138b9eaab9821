#include "campaign/tier/tally.h"

#include <cmath>

#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

constexpr int kBits = 8;

// A lead with one fact of its own, one that all leads have, and their cross.
FeatureList Lead(uint32_t slot) {
  FeatureList list;
  list.slot[0] = slot;
  list.slot[1] = 100;
  list.slot[2] = 200 + slot;
  list.singles = 2;
  list.crosses = list.size = 3;
  return list;
}

TEST(Tally, KnowsTheBetterLeadsAfterAFewDozenOutcomes) {
  double apart = 0;
  const int seeds = 20;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Rng rng(seed);
    Tally tally(kBits);
    for (int i = 0; i < 100; ++i) {
      tally.Learn(Lead(1), rng.Chance(0.3));
      tally.Learn(Lead(2), rng.Chance(0.1));
    }
    apart += (tally.Margin(Lead(1)) - tally.Margin(Lead(2))) / seeds;
    EXPECT_EQ(tally.Part(Lead(1), 2), 0);                       // a cross
    EXPECT_LT(std::abs(tally.Part(Lead(1), 1)), 0.02) << seed;  // what all have
  }
  EXPECT_GT(apart, 0.5);
}

TEST(Tally, SaysNothingOfWhatItHasNotSeen) {
  Tally tally(kBits);
  EXPECT_EQ(tally.Margin(Lead(1)), 0);
  for (int i = 0; i < 50; ++i) tally.Learn(Lead(2), i % 3 == 0);
  EXPECT_EQ(tally.Part(Lead(3), 0), 0);
}

// The rate swings, and one kind of lead is mostly tried while it is high: a clock, which an
// expectation taken from the outcomes before alone would book to that kind.
TEST(Tally, ASwingOfTheRateIsNotBookedToTheLeadsTriedInIt) {
  double apart = 0;
  const int seeds = 20;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Rng rng(seed);
    Tally tally(kBits);
    for (int i = 0; i < 4000; ++i) {
      const bool high = i / 60 % 2 == 1;
      const uint32_t slot = rng.Chance(high ? 0.8 : 0.2) ? 1 : 2;
      tally.Learn(Lead(slot), rng.Chance(high ? 0.5 : 0.05));
    }
    apart += (tally.Margin(Lead(1)) - tally.Margin(Lead(2))) / seeds;
  }
  EXPECT_NEAR(apart, 0, 0.35);
}

TEST(Tally, GoesOnAfterLoadAndRefusesWhatIsDamaged) {
  Rng rng(1);
  Tally tally(kBits);
  const auto learn = [](Tally& one, Rng& r) {
    const uint32_t slot = 1 + static_cast<uint32_t>(r.Below(5));
    one.Learn(Lead(slot), r.Chance(0.2));
  };
  const auto bytes = [](const Tally& one) {
    ByteWriter out;
    one.Save(&out);
    return out.Seal(1, 1);
  };
  for (int i = 0; i < 70; ++i) learn(tally, rng);
  const std::string saved = bytes(tally);
  const absl::string_view payload = *Unseal(saved, 1, 1);
  Tally loaded(kBits);
  ByteReader in(payload);
  ASSERT_TRUE(loaded.Load(&in) && in.done());
  Rng twin = rng;
  for (int i = 0; i < 70; ++i) {
    learn(tally, rng);
    learn(loaded, twin);
  }
  EXPECT_EQ(bytes(loaded), bytes(tally));
  for (size_t size = 0; size < payload.size(); size += 7) {
    Tally fresh(kBits);
    ByteReader cut(payload.substr(0, size));
    EXPECT_FALSE(fresh.Load(&cut)) << size;
    EXPECT_EQ(fresh.Margin(Lead(1)), 0);
  }
}

}  // namespace
}  // namespace outpace::tier
