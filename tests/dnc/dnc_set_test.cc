#include "dnc/dnc_set.h"

#include <map>
#include <set>

#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::dnc {
namespace {

TEST(DncSet, SystemAndCampaignsAreApart) {
  DncSet set;
  const E164 a(12025550100), b(12025550101);
  set.Add(a, "");
  set.Add(b, "ONE");
  EXPECT_EQ(set.Match(a, "ONE"), DncMatch::kSystem);
  EXPECT_EQ(set.Match(a, "TWO"), DncMatch::kSystem);
  EXPECT_EQ(set.Match(b, "ONE"), DncMatch::kCampaign);
  EXPECT_EQ(set.Match(b, "TWO"), DncMatch::kNone);
  set.Add(a, "ONE");
  set.Remove(a, "");
  EXPECT_EQ(set.Match(a, "ONE"), DncMatch::kCampaign) << "one removal, one entry";
  EXPECT_TRUE(set.InCampaign(a, "ONE"));
  EXPECT_FALSE(set.InSystem(a));
  set.Remove(b, "TWO");
  EXPECT_EQ(set.size(), 2u);
}

// Against a plain set, over many adds and removals: no false answer either way.
TEST(DncSetProperty, AnswersAsASetDoes) {
  Rng rng(7);
  DncSet set;
  std::map<CampaignId, std::set<uint64_t>> model;
  const CampaignId campaigns[] = {"", "ONE", "TWO"};
  for (int i = 0; i < 20'000; ++i) {
    const CampaignId& campaign = campaigns[rng.Below(3)];
    const E164 phone(12025550000 + rng.Below(500));
    if (rng.Chance(0.5)) {
      set.Add(phone, campaign);
      model[campaign].insert(phone.value());
    } else {
      set.Remove(phone, campaign);
      model[campaign].erase(phone.value());
    }
    const E164 asked(12025550000 + rng.Below(500));
    const DncMatch wanted = model[""].count(asked.value()) > 0      ? DncMatch::kSystem
                            : model["ONE"].count(asked.value()) > 0 ? DncMatch::kCampaign
                                                                    : DncMatch::kNone;
    ASSERT_EQ(set.Match(asked, "ONE"), wanted);
  }
  EXPECT_EQ(set.size(), model[""].size() + model["ONE"].size() + model["TWO"].size());
}

}  // namespace
}  // namespace outpace::dnc
