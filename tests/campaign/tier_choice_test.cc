#include "campaign/tier_choice.h"

#include "campaign/settings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TierRules, AreReadInTheirOrderWithAllTheyAskFor) {
  const auto rules = ParseTierRules(
      "CALLBK|NP=>A; state=AK|HI=>B;attempt >= 5 => B; status=NA & 省份=江苏| & attempt=2=>A ; "
      "=>B");
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_THAT(*rules,
              ElementsAre(TierRule{.last_status = {"CALLBK", "NP"}},
                          TierRule{.field = "state", .values = {"AK", "HI"}, .tier = Tier::kB},
                          TierRule{.attempt_min = 5, .tier = Tier::kB},
                          TierRule{.last_status = {"NA"},
                                   .field = "省份",
                                   .values = {"江苏", ""},
                                   .attempt_min = 2,
                                   .attempt_max = 2},
                          TierRule{.tier = Tier::kB}));
}

TEST(TierRules, SurviveTheWayThroughText) {
  const auto rules =
      ParseTierRules("CALLBK|NP=>A; state=AK| & attempt<=3=>B; attempt>=2&attempt<=4=>A; =>B");
  ASSERT_TRUE(rules.ok()) << rules.status();
  const auto again = ParseTierRules(TierRulesText(*rules));
  ASSERT_TRUE(again.ok()) << TierRulesText(*rules);
  EXPECT_EQ(*again, *rules);
}

TEST(TierRules, NoneIsNone) {
  EXPECT_TRUE(ParseTierRules("")->empty());
  EXPECT_TRUE(ParseTierRules(" ; ")->empty());
}

class TierRuleFaults : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(TierRuleFaults, AreToldWithTheRule) {
  const auto rules = ParseTierRules(GetParam().first);
  ASSERT_FALSE(rules.ok());
  EXPECT_THAT(std::string(rules.status().message()), HasSubstr(GetParam().second));
  EXPECT_THAT(std::string(rules.status().message()), HasSubstr("a rule is written"));
}

INSTANTIATE_TEST_SUITE_P(
    All, TierRuleFaults,
    testing::Values(std::pair{"CALLBK", "no tier"}, std::pair{"NA=>A=>B", "two"},
                    std::pair{"NA=>C", "A or B"}, std::pair{"TOOLONG7=>A", "1 to 6"},
                    std::pair{"NA & B=>A", "twice"}, std::pair{"a=1 & b=2=>A", "one field"},
                    std::pair{"attempt>=0=>A", "1 to 1000"}, std::pair{"attempt<3=>A", "1 to 1000"},
                    std::pair{"attempt>=4&attempt<=3=>A", "no attempt"},
                    std::pair{"=x=>A", "has a name"}));

TEST(TierFieldChoice, LeavesOutWhoTheyAreUnlessAsked) {
  const TierFields usual;
  for (const char* field : {"first_name", "address1", "email", "gender", "date_of_birth", "title"})
    EXPECT_FALSE(usual.Allows(field)) << field;
  for (const char* field : {"city", "state", "job", "年龄"}) EXPECT_TRUE(usual.Allows(field));
  const auto changed = ParseTierFields("+gender, -city");
  ASSERT_TRUE(changed.ok());
  EXPECT_TRUE(changed->Allows("gender"));
  EXPECT_FALSE(changed->Allows("city"));
  EXPECT_TRUE(changed->Allows("state"));
  const auto only = ParseTierFields("age,job");
  ASSERT_TRUE(only.ok());
  EXPECT_TRUE(only->Allows("job"));
  EXPECT_FALSE(only->Allows("state"));
  EXPECT_EQ(*ParseTierFields(changed->ToString()), *changed);
  EXPECT_FALSE(ParseTierFields("age,+job").ok());
  EXPECT_FALSE(ParseTierFields("a=b").ok());
}

TEST(TierSettings, SurviveTheWayThroughText) {
  CampaignSettings settings;
  settings.id = "DEMO";
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"tier_mode", "SCORE"},
                                                        {"tier_a_percentage", "25"},
                                                        {"tier_explore_percentage", "5"},
                                                        {"tier_rules", "CALLBK=>A; attempt>=5=>B"},
                                                        {"tier_fields", "-city"},
                                                        {"tier_profile", "company,city"}}) {
    ASSERT_TRUE(settings.Set(name, value).ok()) << name;
    EXPECT_EQ(settings.ToMap()[name], value);
  }
  const auto again = CampaignSettings::FromMap(settings.ToMap());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->tier_rules, settings.tier_rules);
  EXPECT_EQ(again->tier_profile, settings.tier_profile);
  EXPECT_EQ(again->tier_mode, TierMode::kScore);
  EXPECT_FALSE(settings.Set("tier_mode", "MAYBE").ok());
  EXPECT_FALSE(settings.Set("tier_a_percentage", "60").ok());
  EXPECT_FALSE(settings.Set("tier_profile", "+city").ok());
}

}  // namespace
}  // namespace outpace::campaign
