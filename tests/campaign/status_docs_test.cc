// docs/STATUSES.md shows the table of every campaign as it is, in English and in Chinese.

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/disposition.h"
#include "campaign/status_columns.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

std::string PageOf(const char* name) {
  std::ifstream file(absl::StrCat(OUTPACE_SOURCE_DIR, "/docs/", name));
  return {std::istreambuf_iterator<char>(file), {}};
}

// "| `NA` | No Answer AutoDial | | unreached | | 1800 × 3 | B |"
std::string LineOf(const Disposition& row, bool zh) {
  std::vector<absl::string_view> flags;
  for (const auto& [name, member] : StatusFlags()) {
    if (row.*member) flags.push_back(name);
  }
  const NextStep& next = row.next;
  std::string then = next.final               ? "final"
                     : row.scheduled_callback ? "at its time"
                     : next.tries > 0
                         ? absl::StrCat(absl::ToInt64Seconds(next.delay), " s × ", next.tries)
                         : "rests";
  if (next.dnc != DncStep::kNone) absl::StrAppend(&then, ", dnc ", StatusCell(row, "dnc"));
  return absl::StrCat("| `", row.status, "` | ", zh ? row.name_zh : row.name, " | ",
                      zh ? std::string(CategoryNameZh(row.category)) : row.category, " | ",
                      row.hotkey == 0 ? "" : absl::StrCat("`", std::string(1, row.hotkey), "`"),
                      " | ", absl::StrJoin(flags, ", "), " | ", then, " | ",
                      StatusCell(row, "tier"), " |");
}

TEST(StatusDocs, TheTableIsAsItIs) {
  for (const bool zh : {false, true}) {
    const std::string page = PageOf(zh ? "STATUSES.zh-CN.md" : "STATUSES.md");
    std::string table;
    for (const Disposition& row : Dispositions()) {
      absl::StrAppend(&table, table.empty() ? "" : "\n", LineOf(row, zh));
    }
    EXPECT_THAT(page, testing::HasSubstr(table)) << "the table is:\n" << table;
  }
}

TEST(StatusDocs, EveryColumnIsTold) {
  for (const char* name : {"STATUSES.md", "STATUSES.zh-CN.md"}) {
    const std::string page = PageOf(name);
    for (const std::string& column : StatusColumns()) {
      EXPECT_THAT(page, testing::HasSubstr(absl::StrCat("`", column, "`"))) << name;
    }
  }
}

}  // namespace
}  // namespace outpace::campaign
