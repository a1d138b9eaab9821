#include "engine/runtime/rules_text.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using rules::RuleBook;
using rules::RuleSet;
using testing::HasSubstr;
using testing::Not;

TEST(RulesText, ListsEverySetWithItsVersion) {
  const std::string text = RuleListText(RuleBook::BuiltIn());
  for (const rules::Jurisdiction& each : RuleBook::BuiltIn().all()) {
    EXPECT_THAT(text, HasSubstr(each.id));
    EXPECT_THAT(text, HasSubstr(each.title));
  }
  EXPECT_THAT(text, HasSubstr("no legal advice"));
  EXPECT_EQ(RuleListJson(RuleBook::BuiltIn()).size(), RuleBook::BuiltIn().all().size());
}

TEST(RulesText, ShowsEachRuleWithItsSource) {
  const auto set = RuleSet::Combine(RuleBook::BuiltIn(), {"us-tsr", "us-states", "fr"});
  ASSERT_TRUE(set.ok());
  const std::string text = RuleSetText(*set, absl::CivilDay(2026, 11, 22));
  for (const char* part :
       {"Sets: us-tsr@2026-11-22 us-states@", "us-tsr:window", "daily 08:00-21:00",
        "16 CFR 310.4(c)", "us-fl:three-in-a-day", "at most 3 in 24 h", "Fla. Stat. 501.616(6)(b)",
        "Mon-Fri 10:00-13:00, Mon-Fri 14:00-20:00", "none for 61 local days after refusal",
        "from memory, check", " from 2026-08-11", "none on 11 holidays, see below",
        "Lundi de Pâques (Easter+1)", "no legal advice"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  // Columns: each line of the table has its source where the heading says.
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  const size_t column = lines[2].find("SOURCE");
  ASSERT_NE(column, std::string::npos);
  for (const std::string& line : lines) {
    if (line.find("us-tsr:window  ") == std::string::npos) continue;
    EXPECT_EQ(line.find("16 CFR"), column);
  }
  const nlohmann::ordered_json json = RuleSetJson(*set);
  EXPECT_EQ(json["rules"].size(), set->rules().size());
  EXPECT_EQ(json["rules"][0]["source"], "16 CFR 310.4(c)");
}

TEST(RulesText, SaysHowFarListedDatesGo) {
  const auto set = RuleSet::Combine(RuleBook::BuiltIn(), {"cn"});
  ASSERT_TRUE(set.ok());
  EXPECT_THAT(RuleSetText(*set, absl::CivilDay(2026, 11, 22)),
              HasSubstr("dates are listed to 2027-10-03"));
}

TEST(RulesText, RulesWhoseTermIsOverAreLeftOut) {
  const auto book = RuleBook::Parse({{"x.toml", R"(id = "x"
version = "2026-01-01"
title = "X"
[[ring]]
id = "x:old"
areas = ["US"]
seconds = 10
until = "2026-06-01"
source = "S"
status = "read"
[[ring]]
id = "x:new"
areas = ["US"]
seconds = 15
from = "2026-06-01"
source = "S"
status = "read"
)"}});
  ASSERT_TRUE(book.ok()) << book.status();
  const auto set = RuleSet::Combine(*book, {"x"});
  EXPECT_THAT(RuleSetText(*set, absl::CivilDay(2026, 5, 31)), HasSubstr("x:old"));
  EXPECT_THAT(RuleSetText(*set, absl::CivilDay(2026, 6, 1)), Not(HasSubstr("x:old")));
  EXPECT_THAT(RuleSetText(*set, absl::CivilDay(2026, 6, 1)), HasSubstr("x:new"));
}

}  // namespace
}  // namespace outpace::runtime
