#include "campaign/rules/rule_book.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/rules/rule_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(BuiltInRules, AreReadWithoutAFaultAndNameTheirSources) {
  const absl::StatusOr<RuleBook> book = RuleBook::Load("");
  ASSERT_TRUE(book.ok()) << book.status();
  std::set<std::string> ids;
  for (const Jurisdiction& each : book->all()) {
    ids.insert(each.id);
    EXPECT_TRUE(each.built_in);
    EXPECT_FALSE(each.rules.empty()) << each.id;
    for (const Rule& rule : each.rules) {
      EXPECT_FALSE(rule.source.empty()) << rule.id;
      EXPECT_FALSE(ValueText(rule.value).empty()) << rule.id;
      // Who says that it was read says where, but for what is nobody's text.
      if (rule.evidence == Evidence::kRead && rule.id != "destinations:uncovered") {
        EXPECT_FALSE(rule.url.empty()) << rule.id;
      }
    }
  }
  for (const char* id : {"us-tsr", "us-tcpa", "us-reg-f", "us-states", "uk-ofcom", "ca-crtc",
                         "de-uwg", "fr", "au", "in", "cn"}) {
    EXPECT_TRUE(ids.contains(id)) << id;
    EXPECT_NE(book->Find(id), nullptr);
  }
  EXPECT_EQ(book->Find("nowhere"), nullptr);
}

TEST(RuleFile, TellsEveryFaultWithItsLine) {
  const absl::Status status = RuleBook::Parse({{"x.toml", R"(id = "x y"
version = "soon"
title = "X"
color = "red"
[[window]]
id = "x:window"
areas = ["usa"]
open = ["Mon-Fri 21:00-09:00", 8]
source = "S"
status = "sure"
hour = 3
[[cap]]
id = "cap"
areas = ["US"]
max = 0
days = 7
hours = 24
status = "read"
[[holidays]]
id = "x:holidays"
areas = ["US"]
days = [{ on = "32-13", name = "Never" }, { on = "12-25", nam = "Christmas" }]
source = "S"
status = "read"
[[consent]]
id = "x:window"
areas = ["US"]
basis = "nod"
types = ["cell"]
source = "S"
status = "read"
)"}}).status();
  ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  const std::string text(status.message());
  for (const char* fault :
       {"x.toml:1: id:", "x.toml:2: version:", "x.toml:4: unknown key 'color'", "x.toml:7: areas:",
        "x.toml:8: open:", "x.toml:10: status:", "x.toml:11: unknown key 'hour'", "x.toml:13: id:",
        "x.toml:15: max:", "x.toml:12: write either 'hours'", "x.toml:12: 'source' is missing",
        "x.toml:22: on: \"32-13\"", "x.toml:22: unknown key 'nam'", "x.toml:22: 'name' is missing",
        "x.toml:28: basis:", "x.toml:29: types:", "x.toml:25: id 'x:window' is there twice"}) {
    EXPECT_THAT(text, HasSubstr(fault));
  }
}

// Places that no number lies in and days that never come: such a rule would protect nobody.
TEST(RuleFile, ARuleThatNeverHoldsIsAFault) {
  const auto with = [](absl::string_view areas, absl::string_view term = "") {
    return RuleBook::Parse({{"x.toml", absl::StrCat(R"(id = "x"
version = "2026-11-22"
title = "X"
[[ring]]
id = "x:ring"
areas = )",
                                                    areas, "\n", term, R"(
seconds = 15
source = "S"
status = "from memory, check"
)")}}).status();
  };
  for (const char* good : {R"(["GB"])", R"(["US", "US-FL"])", R"(["CN-广东"])", R"(["*"])",
                           R"(["GB-ENG", "CA-NS"])"}) {
    EXPECT_TRUE(with(good).ok()) << good << " " << with(good);
  }
  for (const char* bad :
       {R"(["UK"])", R"(["XX"])", R"(["US-fl"])", R"(["US-"])", R"(["US- FL"])", R"(["USA"])"}) {
    EXPECT_THAT(std::string(with(bad).message()), HasSubstr("x.toml:6: areas:")) << bad;
  }
  EXPECT_THAT(std::string(with(R"(["*", "US"])").message()), HasSubstr("stands alone"));
  EXPECT_TRUE(with(R"(["US"])", "from = \"2026-01-01\"\nuntil = \"2026-01-02\"").ok());
  EXPECT_THAT(
      std::string(with(R"(["US"])", "from = \"2026-01-01\"\nuntil = \"2026-01-01\"").message()),
      HasSubstr("x.toml:8: until:"));
}

TEST(RuleFile, ABrokenFileIsAFaultOfItsOwnLine) {
  EXPECT_THAT(
      std::string(RuleBook::Parse({{"x.toml", "id = \"x\"\nversion ="}}).status().message()),
      HasSubstr("x.toml:2:"));
}

TEST(RuleBook, AnOperatorsFileTakesThePlaceOfTheOneWithItsId) {
  const std::filesystem::path directory =
      std::filesystem::path(testing::TempDir()) / "operators_rules";
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  const auto write = [&](const char* name, const std::string& id, const char* rule) {
    std::ofstream(directory / name)
        << "id = \"" << id << "\"\nversion = \"2027-01-01\"\ntitle = \"Ours\"\n[[window]]\nid = \""
        << rule << "\"\nareas = [\"US\"]\nopen = [\"10:00-12:00\"]\nsource = \"counsel\"\n"
        << "status = \"read\"\n";
  };
  write("mine.toml", "us-tsr", "us-tsr:window");
  write("other.toml", "house", "house:window");
  absl::StatusOr<RuleBook> book = RuleBook::Load(directory.string());
  ASSERT_TRUE(book.ok()) << book.status();
  const Jurisdiction* tsr = book->Find("us-tsr");
  ASSERT_NE(tsr, nullptr);
  EXPECT_FALSE(tsr->built_in);
  EXPECT_EQ(tsr->rules.size(), 1u) << "the file replaces, it does not add";
  EXPECT_EQ(tsr->version, "2027-01-01");
  ASSERT_NE(book->Find("house"), nullptr);
  EXPECT_TRUE(book->Find("fr")->built_in);

  const auto set = RuleSet::Combine(*book, {"us-tsr", "house", "us-tsr"});
  ASSERT_TRUE(set.ok());
  EXPECT_THAT(set->ids(), ElementsAre("us-tsr", "house"));
  EXPECT_EQ(set->version(), "us-tsr@2027-01-01 house@2027-01-01");

  write("third.toml", "third", "house:window");
  EXPECT_THAT(std::string(RuleBook::Load(directory.string()).status().message()),
              HasSubstr("'house:window' is in house and in third"));
  write("third.toml", "house", "third:window");
  EXPECT_THAT(std::string(RuleBook::Load(directory.string()).status().message()),
              HasSubstr("another file has the id 'house' too"));
  EXPECT_EQ(RuleBook::Load((directory / "absent").string()).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST(RuleSet, CombineNamesWhatIsNotThere) {
  const absl::Status status = RuleSet::Combine(RuleBook::BuiltIn(), {"us-tsr", "narnia"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"narnia\""));
  EXPECT_THAT(std::string(status.message()), HasSubstr("us-states"));
}

}  // namespace
}  // namespace outpace::rules
