#include "engine/runtime/hopper.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using testing::ElementsAre;

campaign::Lead LeadOf(uint64_t id) {
  campaign::Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(1);
  return lead;
}

tier::RankedLead Ranked(uint64_t id, campaign::Tier tier, double score = 1) {
  campaign::Lead lead = LeadOf(id);
  lead.tier = tier;
  return {lead, {.tier = tier, .score = score}};
}

std::vector<uint64_t> Order(const Hopper& hopper) {
  std::vector<uint64_t> ids;
  for (const LeadId id : hopper.WaitingIds()) ids.push_back(id.value());
  return ids;
}

TEST(HopperArrange, PutsWhatWaitsAndWhatIsNewInOneOrder) {
  Hopper hopper;
  hopper.Add({LeadOf(1), LeadOf(2), LeadOf(3)});
  hopper.Arrange({Ranked(9, campaign::Tier::kA), Ranked(3, campaign::Tier::kA),
                  Ranked(1, campaign::Tier::kB), Ranked(2, campaign::Tier::kB)},
                 10);
  EXPECT_THAT(Order(hopper), ElementsAre(9, 3, 1, 2));
  ASSERT_NE(hopper.PickOf(LeadId(3)), nullptr);
  EXPECT_EQ(hopper.PickOf(LeadId(3))->tier, campaign::Tier::kA);
  EXPECT_EQ(hopper.Pop().tier, campaign::Tier::kA);
}

TEST(HopperArrange, NeverBringsALeadBackThatIsUnderWay) {
  Hopper hopper;
  hopper.Add({LeadOf(1), LeadOf(2)});
  const LeadId under_way = hopper.Pop().id;
  hopper.Arrange({Ranked(under_way.value(), campaign::Tier::kA), Ranked(2, campaign::Tier::kA)},
                 10);
  EXPECT_THAT(Order(hopper), ElementsAre(2));
}

TEST(HopperArrange, WhatCameBackMeanwhileStaysInFront) {
  Hopper hopper;
  hopper.Add({LeadOf(1), LeadOf(2)});
  campaign::Lead back = hopper.Pop();
  hopper.PutBack(std::move(back));
  hopper.Arrange({Ranked(5, campaign::Tier::kA), Ranked(2, campaign::Tier::kA)}, 10);
  EXPECT_THAT(Order(hopper), ElementsAre(1, 5, 2));
}

TEST(HopperArrange, EndsTheQueueAndLetsGoOfTheRest) {
  Hopper hopper;
  hopper.Add({LeadOf(1)});
  hopper.Arrange(
      {Ranked(5, campaign::Tier::kA), Ranked(6, campaign::Tier::kA), Ranked(1, campaign::Tier::kB)},
      2);
  EXPECT_THAT(Order(hopper), ElementsAre(5, 6));
  EXPECT_FALSE(hopper.Holds(LeadId(1)));
  EXPECT_EQ(hopper.PickOf(LeadId(1)), nullptr);
  EXPECT_EQ(hopper.out(), 2u);
}

TEST(HopperArrange, APickIsKnownUntilTheLeadIsReleased) {
  Hopper hopper;
  hopper.Arrange({Ranked(5, campaign::Tier::kA, 0.25)}, 2);
  const campaign::Lead lead = hopper.Pop();
  ASSERT_NE(hopper.PickOf(lead.id), nullptr);
  EXPECT_EQ(hopper.PickOf(lead.id)->score, 0.25);
  hopper.Release(lead.id);
  EXPECT_EQ(hopper.PickOf(lead.id), nullptr);
}

}  // namespace
}  // namespace outpace::runtime
