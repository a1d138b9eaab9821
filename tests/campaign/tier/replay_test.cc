// Real contacts replayed: a cut of the UCI file (tests/data/bank_marketing). The whole file's
// figures are bench/tier/tier_quality's; what is held here is that the model finds what is there
// and nothing where there is nothing.

#include "bench/tier/tier_replay.h"
#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

constexpr const char* kFile = OUTPACE_TEST_DATA "/bank_marketing/replay.csv";

TEST(Replay, FindsTheBetterLeadsInsideEachBlockOfDate) {
  const auto contacts = ReadBankContacts(kFile, true);
  ASSERT_TRUE(contacts.ok()) << contacts.status();
  ASSERT_EQ(contacts->size(), 2904u);
  for (const bool frozen : {false, true}) {
    ReplayOptions options;
    options.frozen = frozen;
    const BlockFigures f = Judge(*contacts, Replay(*contacts, options), 300, 0.2, 1);
    EXPECT_GT(f.low, 1.35) << frozen;
    EXPECT_GT(f.auc_mean, 0.6) << frozen;
    EXPECT_EQ(f.blocks, 10);
  }
}

TEST(Replay, FindsNothingWhereNothingIs) {
  const auto contacts = ReadBankContacts(kFile, true);
  ASSERT_TRUE(contacts.ok());
  for (const int around : {0, 15, 60}) {
    double ratio = 0;
    const int seeds = 8;
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      const auto drawn = WithoutStructure(*contacts, 300, around, seed);
      ratio += Judge(drawn, Replay(drawn, {}), 300, 0.2, 1).ratio / seeds;
    }
    EXPECT_NEAR(ratio, 1, 0.06) << around;
  }
}

TEST(Replay, IsTheSameEveryTime) {
  const auto contacts = ReadBankContacts(kFile, true);
  ASSERT_TRUE(contacts.ok());
  EXPECT_EQ(Replay(*contacts, {}), Replay(*contacts, {}));
}

TEST(Judge, ComparesInsideBlocksOnly) {
  // A score that is nothing but the date: pooled it would look perfect.
  std::vector<BankContact> contacts(400);
  std::vector<double> scores(400);
  for (size_t i = 0; i < 400; ++i) {
    contacts[i].success = i >= 200 ? i % 2 == 0 : i % 10 == 0;
    scores[i] = i >= 200 ? 1 : 0;
  }
  const BlockFigures f = Judge(contacts, scores, 100, 0.2, 1);
  EXPECT_DOUBLE_EQ(f.auc, 0.5);
  EXPECT_LT(f.low, 1);
  EXPECT_GT(f.high, 1);
  EXPECT_EQ(f.a, 80);
  EXPECT_EQ(f.b, 320);
}

TEST(Judge, KnowsAPerfectScore) {
  std::vector<BankContact> contacts(100);
  std::vector<double> scores(100);
  for (size_t i = 0; i < 100; ++i) {
    contacts[i].success = i % 4 == 0;
    scores[i] = contacts[i].success ? 1 : 0;
  }
  const BlockFigures f = Judge(contacts, scores, 100, 0.2, 1);
  EXPECT_DOUBLE_EQ(f.auc, 1);
  EXPECT_EQ(f.a_success, 20);
  EXPECT_EQ(f.b_success, 5);
  EXPECT_DOUBLE_EQ(f.ratio, (20.0 / 20) / (5.0 / 80));
}

}  // namespace
}  // namespace outpace::tier
