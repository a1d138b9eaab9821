// The hopper as the pacer's list to pick from.

#include "engine/runtime/hopper.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

campaign::Lead LeadOf(uint64_t id, uint64_t list = 101, campaign::Tier tier = campaign::Tier::kA) {
  campaign::Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(list);
  lead.tier = tier;
  return lead;
}

std::vector<uint64_t> Ids(const std::vector<campaign::Lead>& leads) {
  std::vector<uint64_t> ids;
  for (const campaign::Lead& lead : leads) ids.push_back(lead.id.value());
  return ids;
}

std::vector<uint64_t> Rest(Hopper& hopper) {
  std::vector<uint64_t> ids;
  while (hopper.size() > 0) ids.push_back(hopper.Pop().id.value());
  return ids;
}

void Fill(Hopper& hopper, uint64_t count) {
  std::vector<campaign::Lead> leads;
  for (uint64_t id = 1; id <= count; ++id) leads.push_back(LeadOf(id));
  hopper.Add(std::move(leads));
}

MonoTime At(absl::Duration d) { return MonoTime() + d; }

TEST(Segment, OneForEachListAndTierAndNeverNone) {
  std::set<uint32_t> seen;
  for (uint64_t list = 0; list < 1000; ++list) {
    for (const campaign::Tier tier : {campaign::Tier::kA, campaign::Tier::kB}) {
      EXPECT_NE(SegmentOf(ListId(list), tier), 0u);
      seen.insert(SegmentOf(ListId(list), tier));
    }
  }
  EXPECT_EQ(seen.size(), 2000u);
  // Kept with what was learned of it: the same in every build.
  EXPECT_EQ(SegmentOf(ListId(101), campaign::Tier::kA), 2611028060u);
}

TEST(HopperPicks, TraitsOfTheFirstLeads) {
  Hopper hopper;
  hopper.Add({LeadOf(1, 7), LeadOf(2, 8), LeadOf(3, 7, campaign::Tier::kB)});
  std::vector<pacing::LeadTraits> traits(9);
  hopper.Traits(100, traits);
  ASSERT_EQ(traits.size(), 3u);
  EXPECT_EQ(traits[0].segment, SegmentOf(ListId(7), campaign::Tier::kA));
  EXPECT_EQ(traits[1].segment, SegmentOf(ListId(8), campaign::Tier::kA));
  EXPECT_EQ(traits[2].segment, SegmentOf(ListId(7), campaign::Tier::kB));
  EXPECT_EQ(traits[0].answer_chance, 0);
  hopper.Traits(2, traits);
  EXPECT_EQ(traits.size(), 2u);
}

TEST(HopperPicks, TakenInTheirOrderAndTheRestKeepsIts) {
  Hopper hopper;
  Fill(hopper, 6);
  EXPECT_THAT(Ids(hopper.TakeAt({}, At(absl::Seconds(1)))), IsEmpty());
  const std::vector<uint32_t> picks = {4, 0, 2};
  EXPECT_THAT(Ids(hopper.TakeAt(picks, At(absl::Seconds(1)))), ElementsAre(5, 1, 3));
  EXPECT_TRUE(hopper.Holds(LeadId(5))) << "under way";
  EXPECT_THAT(Rest(hopper), ElementsAre(2, 4, 6));
}

TEST(HopperPicks, WhoWasPassedOverForFiveMinutesComesFirst) {
  Hopper hopper;
  Fill(hopper, 8);
  const std::vector<uint32_t> third = {2};
  EXPECT_THAT(Ids(hopper.TakeAt(third, At(absl::ZeroDuration()))), ElementsAre(3));  // over 1, 2
  const std::vector<uint32_t> fourth = {3};
  EXPECT_THAT(Ids(hopper.TakeAt(fourth, At(absl::Minutes(2)))), ElementsAre(5));  // over 1, 2, 4
  // Five minutes after the first time 1 and 2 are due; 4 is not.
  const std::vector<uint32_t> last_two = {4, 3};
  EXPECT_THAT(Ids(hopper.TakeAt(last_two, At(absl::Minutes(5)))), ElementsAre(1, 2));
  EXPECT_THAT(Ids(hopper.TakeAt(third, At(absl::Minutes(7)))), ElementsAre(4));
  EXPECT_THAT(Rest(hopper), ElementsAre(6, 7, 8));
}

TEST(HopperPicks, AnOverdueLeadThatIsPickedIsTakenOnce) {
  Hopper hopper;
  Fill(hopper, 4);
  const std::vector<uint32_t> second = {1};
  hopper.TakeAt(second, At(absl::ZeroDuration()));
  const std::vector<uint32_t> picks = {2, 0};
  EXPECT_THAT(Ids(hopper.TakeAt(picks, At(absl::Minutes(6)))), ElementsAre(1, 4));
  EXPECT_THAT(Rest(hopper), ElementsAre(3));
}

TEST(HopperPicks, WaitingAloneIsNotBeingPassedOver) {
  Hopper hopper;
  Fill(hopper, 3);
  const std::vector<uint32_t> first = {0};
  hopper.TakeAt(first, At(absl::ZeroDuration()));
  const std::vector<uint32_t> last = {1};
  EXPECT_THAT(Ids(hopper.TakeAt(last, At(absl::Hours(1)))), ElementsAre(3));
}

// Whatever is picked, no lead is taken twice or lost, and none waits behind picks for much longer
// than five minutes.
TEST(HopperPicks, PropertyNothingIsLostAndNothingIsLeftBehind) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    Hopper hopper;
    uint64_t next = 1;
    std::set<uint64_t> taken;
    MonoTime now;
    for (int step = 0; step < 300; ++step) {
      now = now + absl::Seconds(5);
      while (hopper.size() < 40) hopper.Add({LeadOf(next++)});
      // A picker with a taste: never the oldest ten.
      std::vector<uint32_t> picks;
      for (uint32_t place = 10; place < 40 && picks.size() < 3; ++place) {
        if (rng.Chance(0.2)) picks.push_back(place);
      }
      for (const campaign::Lead& lead : hopper.TakeAt(picks, now)) {
        ASSERT_TRUE(taken.insert(lead.id.value()).second);
      }
    }
    // Of the first ten, passed over from the first step on, none is left after 25 minutes.
    for (uint64_t id = 1; id <= 10; ++id) EXPECT_TRUE(taken.contains(id)) << id;
    while (hopper.size() > 0) ASSERT_TRUE(taken.insert(hopper.Pop().id.value()).second);
    EXPECT_EQ(taken.size(), next - 1);
  }
}

}  // namespace
}  // namespace outpace::runtime
