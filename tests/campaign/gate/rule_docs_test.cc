// The compliance page names every check of the gate with its source, and tests that exist.

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/gate/gate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::gate {
namespace {

std::string ReadAll(const std::filesystem::path& path) {
  std::ifstream in(path);
  EXPECT_TRUE(in) << path;
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// The last words of "TEST(Suite, Name)" in these folders.
std::set<std::string> TestNames() {
  std::set<std::string> names;
  for (const char* folder : {"tests/campaign/gate", "tests/engine/runtime"}) {
    for (const auto& file :
         std::filesystem::directory_iterator(std::filesystem::path(OUTPACE_SOURCE_DIR) / folder)) {
      if (file.path().extension() != ".cc") continue;
      const std::string text = ReadAll(file.path());
      for (size_t at = text.find("\nTEST"); at != std::string::npos;
           at = text.find("\nTEST", at + 1)) {
        const size_t comma = text.find(',', at), end = text.find(')', at);
        if (comma < end) names.emplace(text.substr(comma + 2, end - comma - 2));
      }
    }
  }
  return names;
}

TEST(RuleDocs, EveryCheckHasItsSourceAndTestsThatExist) {
  const std::set<std::string> tests = TestNames();
  ASSERT_GT(tests.size(), 100u);
  for (const char* page : {"docs/COMPLIANCE.md", "docs/COMPLIANCE.zh-CN.md"}) {
    const std::string text = ReadAll(std::filesystem::path(OUTPACE_SOURCE_DIR) / page);
    for (int i = 0; i < static_cast<int>(kRulesEnd); ++i) {
      const Rule rule = static_cast<Rule>(i);
      const std::string begin = absl::StrCat("\n| `", RuleName(rule), "` | ");
      const size_t at = text.rfind(begin);  // kinds of rules stand above, in a table of their own
      ASSERT_NE(at, std::string::npos) << page << " has no row of " << RuleName(rule);
      const std::string row = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
      const std::vector<std::string> cells = absl::StrSplit(row, " | ");
      ASSERT_EQ(cells.size(), 4u) << row;
      EXPECT_EQ(cells[2], RuleSource(rule)) << page << ": " << RuleName(rule);
      // `Suite.Name` or `Name`; a star stands for a suite.
      const std::vector<std::string> parts = absl::StrSplit(cells[3], '`');
      for (size_t part = 1; part < parts.size(); part += 2) {
        const size_t dot = parts[part].find('.');
        const std::string name =
            dot == std::string::npos ? parts[part] : parts[part].substr(dot + 1);
        if (name == "*" || name == "CheckInvariants" || name == "ControllerAttempts") continue;
        EXPECT_TRUE(tests.contains(name)) << page << ": no test " << parts[part];
      }
    }
  }
}

}  // namespace
}  // namespace outpace::gate
