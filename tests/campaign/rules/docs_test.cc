// The table of docs/COMPLIANCE.md is held to the files of rules.

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/rules/rule_book.h"
#include "gtest/gtest.h"

namespace outpace::rules {
namespace {

std::string Read(absl::string_view path) {
  std::ifstream file(absl::StrCat(OUTPACE_SOURCE_DIR, "/", path));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

TEST(CompliancePage, HasALineForEachRule) {
  const std::string page = Read("docs/COMPLIANCE.md");
  std::string missing;
  for (const Jurisdiction& each : RuleBook::BuiltIn().all()) {
    for (const Rule& rule : each.rules) {
      const std::string line =
          absl::StrCat("| `", rule.id, "` | ",
                       rule.areas.empty() ? "everywhere" : absl::StrJoin(rule.areas, " "), " | ",
                       ValueText(rule.value),
                       rule.from == absl::CivilDay::min()
                           ? ""
                           : absl::StrCat(" from ", absl::FormatCivilTime(rule.from)),
                       " | ", rule.source, " | ", EvidenceName(rule.evidence), " |\n");
      if (!absl::StrContains(page, line)) absl::StrAppend(&missing, line);
    }
  }
  EXPECT_EQ(missing, "") << "docs/COMPLIANCE.md lacks these lines";
}

TEST(CompliancePage, ItsExampleIsAGoodFile) {
  const std::string page = Read("docs/COMPLIANCE.md");
  const size_t begin = page.find("```toml\n");
  ASSERT_NE(begin, std::string::npos);
  const std::string example = page.substr(begin + 8, page.find("```", begin + 8) - begin - 8);
  const absl::StatusOr<RuleBook> book = RuleBook::Parse({{"example.toml", example}});
  ASSERT_TRUE(book.ok()) << book.status();
  ASSERT_EQ(book->all().size(), 1u);
  EXPECT_EQ(book->all()[0].rules.size(), 2u);
}

TEST(CompliancePage, NamesEverySetInBothLanguages) {
  for (const char* path : {"docs/COMPLIANCE.md", "docs/COMPLIANCE.zh-CN.md"}) {
    const std::string page = Read(path);
    for (const Jurisdiction& each : RuleBook::BuiltIn().all()) {
      EXPECT_TRUE(absl::StrContains(page, absl::StrCat("`", each.id, "`")))
          << path << " lacks " << each.id;
    }
  }
}

}  // namespace
}  // namespace outpace::rules
