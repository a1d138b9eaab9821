#include "campaign/tier/features.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

std::set<uint32_t> SinglesOf(const FeatureMaker& maker, const LeadView& lead) {
  FeatureList list;
  maker.Make(lead, &list);
  return {list.slot.begin(), list.slot.begin() + list.singles};
}

std::set<uint32_t> SinglesOfField(const FeatureMaker& maker, absl::string_view value) {
  const LeadField field = {"capital", value};
  return SinglesOf(maker, {.fields = absl::MakeConstSpan(&field, 1)});
}

TEST(FeatureMaker, NumbersCloseToEachOtherShareABinAndCodesDoNot) {
  const FeatureMaker maker({});
  EXPECT_EQ(SinglesOfField(maker, "1000"), SinglesOfField(maker, "1010"));
  EXPECT_NE(SinglesOfField(maker, "1000"), SinglesOfField(maker, "2000"));
  EXPECT_NE(SinglesOfField(maker, "1"), SinglesOfField(maker, "2"));
  EXPECT_NE(SinglesOfField(maker, "5"), SinglesOfField(maker, "-5"));
  EXPECT_EQ(SinglesOfField(maker, "2.0"), SinglesOfField(maker, "2"));
  // A postal code with a leading zero, an identifier of ten digits, a word: names.
  EXPECT_NE(SinglesOfField(maker, "01000"), SinglesOfField(maker, "01010"));
  EXPECT_NE(SinglesOfField(maker, "4155550100"), SinglesOfField(maker, "4155550101"));
  EXPECT_NE(SinglesOfField(maker, "1e3"), SinglesOfField(maker, "1000"));
  const FeatureMaker named({.names = {"capital"}});
  EXPECT_NE(SinglesOfField(named, "1000"), SinglesOfField(named, "1010"));
}

TEST(FeatureMaker, TheSameValueInAnotherColumnIsAnotherFact) {
  const FeatureMaker maker({});
  const LeadField state = {"state", "CA"}, country = {"country", "CA"};
  EXPECT_NE(SinglesOf(maker, {.fields = absl::MakeConstSpan(&state, 1)}),
            SinglesOf(maker, {.fields = absl::MakeConstSpan(&country, 1)}));
  EXPECT_TRUE(SinglesOfField(maker, "").empty());
}

TEST(FeatureMaker, ANumbersStandingFollowsTheLeadsTriedLately) {
  FeatureMaker maker({.standing = 20});
  const auto learn = [&](int value) {
    const std::string text = absl::StrCat(value);
    const LeadField field = {"capital", text};
    maker.Learn({.fields = absl::MakeConstSpan(&field, 1)}, true, false);
  };
  for (int i = 0; i < 200; ++i) learn(90 + i % 20);
  const std::set<uint32_t> among_hundreds = SinglesOfField(maker, "150");
  for (int i = 0; i < 200; ++i) learn(190 + i % 20);
  // 150 is far above the first leads and far below the later ones; its own bin stays.
  const std::set<uint32_t> among_two_hundreds = SinglesOfField(maker, "150");
  EXPECT_NE(among_hundreds, among_two_hundreds);
  std::set<uint32_t> kept;
  std::set_intersection(among_hundreds.begin(), among_hundreds.end(), among_two_hundreds.begin(),
                        among_two_hundreds.end(), std::inserter(kept, kept.end()));
  EXPECT_EQ(kept.size(), 1u);
}

TEST(FeatureMaker, PairsOfTheFirstFactsAreFeatures) {
  FeatureList list;
  const LeadField fields[] = {{"a", "x"}, {"b", "y"}, {"c", "z"}};
  FeatureMaker({.cross_max = 3}).Make({.fields = fields}, &list);
  EXPECT_EQ(list.singles, 3);
  EXPECT_EQ(list.crosses, 6);
  EXPECT_EQ(list.size, 6);
  FeatureMaker({.cross_max = 2}).Make({.fields = fields}, &list);
  EXPECT_EQ(list.crosses, 4);
}

TEST(FeatureMaker, AsManyFieldsAsAFileHasFitIn) {
  std::vector<std::string> names, values;
  for (int i = 0; i < 200; ++i) {
    names.push_back(absl::StrCat("column ", i));
    values.push_back(absl::StrCat(i * 3));
  }
  std::vector<LeadField> fields;
  for (size_t i = 0; i < names.size(); ++i) fields.push_back({names[i], values[i]});
  FeatureMaker maker({.cross_max = 20, .profile = {"column 1"}});
  const LeadView lead = {.fields = fields,
                         .attempt = 3,
                         .hour = 10,
                         .weekday = 2,
                         .last_status = "NA",
                         .caller_id = "+14155550100",
                         .list = "1"};
  FeatureList list;
  for (int i = 0; i < 5; ++i) {
    maker.Learn(lead, true, false);
    maker.Make(lead, &list);
  }
  EXPECT_LE(list.size, FeatureList::kMax);
  for (int i = 0; i < list.size; ++i) {
    EXPECT_LT(list.slot[static_cast<size_t>(i)], 1u << 18);
    EXPECT_FALSE(maker.Name(lead, list, i).empty());
  }
}

TEST(FeatureMaker, NamesSayWhatAFeatureIsAndNeverANumber) {
  const LeadField fields[] = {{"job", "retired"}, {"age", "70"}};
  FeatureMaker maker({.profile = {"job"}});
  const LeadView lead = {.fields = fields, .hour = 9, .caller_id = "+14155550100"};
  maker.Learn(lead, true, true);
  FeatureList list;
  maker.Make(lead, &list);
  std::vector<std::string> names;
  for (int i = 0; i < list.size; ++i) names.push_back(maker.Name(lead, list, i));
  EXPECT_THAT(names, testing::Contains("job=retired"));
  EXPECT_THAT(names, testing::Contains("job=retired + age=70"));
  EXPECT_THAT(names, testing::Contains("age=70 (as the leads tried lately)"));
  EXPECT_THAT(names, testing::Contains("look-alike 1: what became of it"));
  EXPECT_THAT(names, testing::Each(testing::Not(testing::HasSubstr("4155550100"))));
}

TEST(LookAlikes, AreTheLeadsOfTheSameProfileNewestFirst) {
  LookAlikes alikes(2);
  EXPECT_EQ(alikes.Find(11), nullptr);
  alikes.Learn(11, {.attempt = 1, .contact = true});
  alikes.Learn(0, {});  // a lead without a profile only counts
  alikes.Learn(11, {.attempt = 2, .contact = true, .success = true});
  const LookAlikes::Last* last = alikes.Find(11);
  ASSERT_NE(last, nullptr);
  EXPECT_EQ((*last)[0].at, 3u);
  EXPECT_TRUE((*last)[0].success);
  EXPECT_EQ((*last)[1].at, 1u);
  EXPECT_EQ((*last)[2].at, 0u);
}

TEST(LookAlikes, TheOneNotSeenForLongestMakesRoom) {
  LookAlikes alikes(1);  // two sets of four; profiles below 2^63 share the first
  for (uint64_t profile = 1; profile <= 4; ++profile) alikes.Learn(profile, {});
  alikes.Learn(1, {});
  alikes.Learn(5, {});
  EXPECT_NE(alikes.Find(1), nullptr);
  EXPECT_EQ(alikes.Find(2), nullptr);
  EXPECT_NE(alikes.Find(5), nullptr);
}

TEST(LookAlikes, StepsOfAgoGetWider) {
  EXPECT_EQ(AgoStep(1), 0);
  EXPECT_EQ(AgoStep(4), 3);
  EXPECT_EQ(AgoStep(1000), 8);
  EXPECT_EQ(AgoStep(1001), 9);
  EXPECT_EQ(AgoStep(UINT32_MAX), 9);
}

}  // namespace
}  // namespace outpace::tier
