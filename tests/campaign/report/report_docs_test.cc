// docs/REPORTS.md has every report, table and column in the words of the code.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "campaign/report/report_fold.h"

namespace outpace::report {
namespace {

constexpr absl::string_view kBegin = "<!-- made from the code: begin -->\n";
constexpr absl::string_view kEnd = "<!-- made from the code: end -->\n";

std::string In(const Words& words, Language language) {
  return std::string(language == Language::kChinese ? words.zh : words.en);
}

std::string Block(Language language) {
  const bool zh = language == Language::kChinese;
  std::string out;
  for (const ReportSpec& report : AllReports()) {
    absl::StrAppend(&out, "### `", report.name, "`", zh ? ":" : ": ", In(report.title, language),
                    "\n\n", zh ? "| 表 | 列 |\n" : "| Table | Columns |\n", "|---|---|\n");
    for (const TableSpec& table : report.tables) {
      absl::StrAppend(&out, "| ", In(table.title, language), " | ");
      std::string sep;
      for (const auto* ids : {&table.keys, &table.columns}) {
        for (const absl::string_view id : *ids) {
          absl::StrAppend(&out, sep, In(ColumnOf(id).heading, language));
          sep = zh ? "、" : ", ";
        }
      }
      if (table.pivot == By::kAgentStatus) {
        absl::StrAppend(&out, sep, zh ? "每个状态一列" : "a column for each status");
      } else if (table.pivot == By::kAgentPause) {
        absl::StrAppend(&out, sep, zh ? "每个示忙原因一列" : "a column for each pause code");
      }
      absl::StrAppend(&out, " |\n");
    }
    absl::StrAppend(&out, "\n");
  }
  absl::StrAppend(&out,
                  zh ? "### 口径\n\n| 列 | id | 单位 | 口径 |\n"
                     : "### Definitions\n\n| Column | id | Unit | Definition |\n",
                  "|---|---|---|---|\n");
  for (const ColumnSpec& column : AllColumns()) {
    absl::StrAppend(&out, "| ", In(column.heading, language), " | `", column.id, "` | ",
                    UnitName(column.unit), " | ", In(column.definition, language), " |\n");
  }
  return out;
}

void Hold(const std::string& path, Language language) {
  std::ifstream file(path, std::ios::binary);
  std::string page((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t begin = page.find(std::string(kBegin)), end = page.find(std::string(kEnd));
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos && begin < end) << path;
  const size_t from = begin + kBegin.size();
  const std::string block = Block(language);
  if (std::getenv("OUTPACE_UPDATE_GOLDEN") != nullptr) {
    page.replace(from, end - from, block);
    std::ofstream(path, std::ios::binary) << page;
    return;
  }
  EXPECT_EQ(page.substr(from, end - from), block)
      << path << ": if the change is meant, run this test with OUTPACE_UPDATE_GOLDEN=1";
}

TEST(ReportDocs, ThePageSaysWhatTheCodeSays) {
  Hold(OUTPACE_SOURCE_DIR "/docs/REPORTS.md", Language::kEnglish);
  Hold(OUTPACE_SOURCE_DIR "/docs/REPORTS.zh-CN.md", Language::kChinese);
}

}  // namespace
}  // namespace outpace::report
