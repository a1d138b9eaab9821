#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "campaign/report/report.h"
#include "campaign/report/report_cells.h"
#include "campaign/report/report_chart.h"
#include "campaign/report/report_fold.h"

namespace outpace::report {
namespace {

// Texts as strangers write them into names of lists and agents.
constexpr absl::string_view kHostile[] = {"<script>alert(1)</script>",
                                          "\"><img src=x onerror=alert(1)>",
                                          "' onmouseover='alert(1)",
                                          "</style><svg onload=alert(1)>",
                                          "&lt;script&gt;",
                                          "\x1b[31mred\x07",
                                          "]]>",
                                          "王小明\xff",
                                          "=HYPERLINK(\"http://x\")"};

Report Hostile(absl::string_view text) {
  Report report;
  report.name = "campaign";
  report.title = {"Report", "报表"};
  report.zone = absl::UTCTimeZone();
  report.from = absl::FromUnixSeconds(1773014400);
  report.to = report.from + absl::Hours(24);
  report.campaign = std::string(text);
  report.notes = {{std::string(text), std::string(text)}};
  Table table;
  table.id = "t";
  table.title = {"Table", "表"};
  table.keys = 1;
  table.columns = {{.id = "name", .heading = {"NAME", "名称"}, .definition = {"a name", "名称"}},
                   {.id = "status:x",
                    .heading = {std::string(text), std::string(text)},
                    .unit = Unit::kCount,
                    .definition = {"of this", "此项"}}};
  table.rows = {{{.text = std::string(text)}, {.number = 1234567}}};
  report.tables.push_back(table);
  Chart chart;
  chart.title = {"Chart", "图"};
  chart.labels = {std::string(text)};
  chart.series = {{.name = {std::string(text), std::string(text)}, .values = {3}}};
  report.charts.push_back(chart);
  chart.kind = Chart::Kind::kLines;
  report.charts.push_back(chart);
  return report;
}

TEST(ReportHtml, TextsFromOutsideStayTexts) {
  for (const absl::string_view text : kHostile) {
    SCOPED_TRACE(text);
    const std::string html = ReportHtml(Hostile(text), Language::kEnglish);
    const std::string quiet = ReportHtml(Hostile("quiet"), Language::kEnglish);
    // No tag or quote more than the same report has with a quiet text.
    for (const char c : {'<', '>', '"', '\''}) {
      EXPECT_EQ(std::count(html.begin(), html.end(), c), std::count(quiet.begin(), quiet.end(), c));
    }
    for (const char c : html) EXPECT_FALSE(c == '\x1b' || c == '\x07');
  }
}

TEST(ReportHtml, AsksForNothingFromOutside) {
  const std::string html = ReportHtml(Hostile("x"), Language::kChinese);
  EXPECT_TRUE(absl::StrContains(html, "default-src 'none'"));
  EXPECT_TRUE(absl::StrContains(html, "lang=\"zh-CN\""));
  for (const absl::string_view word : {"<script", "<link", "<img", "src=", "@import", "url("}) {
    EXPECT_FALSE(absl::StrContains(html, word)) << word;
  }
  // The only address is the name of SVG.
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(html, "http")).size(), 1 + 2u + 1u);
}

TEST(ReportText, NothingThatATerminalObeys) {
  for (const absl::string_view text : kHostile) {
    const std::string out = ReportText(Hostile(text), Language::kEnglish);
    for (const char c : out) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  }
}

TEST(ReportText, ColumnsAreAlignedWithWideCharactersToo) {
  Report report = Hostile("x");
  Table& table = report.tables[0];
  table.rows = {{{.text = "王小明"}, {.number = 1}}, {{.text = "ab"}, {.number = 1234567}}};
  const std::string out = ReportText(report, Language::kChinese);
  std::vector<size_t> widths;
  for (const absl::string_view line : absl::StrSplit(out, '\n')) {
    if (absl::StrContains(line, "王小明") || absl::StrContains(line, "ab ")) {
      widths.push_back(TextWidth(line));
    }
  }
  ASSERT_EQ(widths.size(), 2u);
  EXPECT_EQ(widths[0], widths[1]);
  EXPECT_TRUE(absl::StrContains(out, "1,234,567"));
}

TEST(ReportText, WideTablesAreContinuedBelow) {
  Report report = Hostile("x");
  Table& table = report.tables[0];
  for (int i = 0; i < 30; ++i) {
    table.columns.push_back({.id = absl::StrCat("status:", i),
                             .heading = {absl::StrCat("STATUS", i), absl::StrCat("状态", i)},
                             .unit = Unit::kCount,
                             .definition = {"", ""}});
    table.rows[0].push_back({.number = 1000.0 + i});
  }
  const std::string out = ReportText(report, Language::kEnglish);
  for (const absl::string_view line : absl::StrSplit(out, '\n')) EXPECT_LE(TextWidth(line), 120u);
  for (int i = 0; i < 30; ++i)
    EXPECT_TRUE(absl::StrContains(out, absl::StrCat("1,0", i + 0 < 10 ? "0" : "", i)));
}

TEST(ReportCells, ReadAsPeopleWriteThem) {
  EXPECT_EQ(CellText({.number = 0}, Unit::kCount), "0");
  EXPECT_EQ(CellText({.number = 999}, Unit::kCount), "999");
  EXPECT_EQ(CellText({.number = 1234567}, Unit::kCount), "1,234,567");
  EXPECT_EQ(CellText({.number = -1234}, Unit::kCount), "-1,234");
  EXPECT_EQ(CellText({.number = 12.345}, Unit::kPercent), "12.35 %");
  EXPECT_EQ(CellText({.number = 3661}, Unit::kTime), "1:01:01");
  EXPECT_EQ(CellText({.number = 100 * 3600}, Unit::kTime), "100:00:00");
  EXPECT_EQ(CellText({.number = 1234.56}, Unit::kSeconds), "1,234.6");
  EXPECT_EQ(CellText({.number = 1234.5}, Unit::kMoney), "1,234.5000");
  EXPECT_EQ(TextWidth("a王b"), 4u);
}

TEST(ReportJson, HasNumbersAsNumbersAndBothLanguages) {
  const auto json = nlohmann::json::parse(ReportJson(Hostile("王\xff")));
  EXPECT_EQ(json["tables"][0]["rows"][0][1], 1234567);
  EXPECT_EQ(json["tables"][0]["columns"][0]["definition"]["en"], "a name");
  EXPECT_EQ(json["tables"][0]["columns"][0]["heading"]["zh"], "名称");
  EXPECT_EQ(json["to_ms"].get<int64_t>() - json["from_ms"].get<int64_t>(), 86'400'000);
}

TEST(ReportSpecs, EveryColumnIsUsedOnceNamedAndDefined) {
  std::set<absl::string_view> ids, used;
  for (const ColumnSpec& column : AllColumns()) {
    EXPECT_TRUE(ids.insert(column.id).second) << column.id;
    for (const absl::string_view text :
         {column.heading.en, column.heading.zh, column.definition.en, column.definition.zh}) {
      EXPECT_FALSE(text.empty()) << column.id;
    }
  }
  for (const ReportSpec& report : AllReports()) {
    for (const TableSpec& table : report.tables) {
      for (const absl::string_view id : table.keys) {
        EXPECT_EQ(ids.count(id), 1u) << id;
        used.insert(id);
      }
      for (const absl::string_view id : table.columns) {
        EXPECT_EQ(ids.count(id), 1u) << id;
        used.insert(id);
        EXPECT_TRUE(table.by == By::kGiven || ColumnOf(id).value != nullptr) << id;
      }
    }
  }
  EXPECT_EQ(used, ids);
}

TEST(ReportSpecs, WhatADefinitionSpeaksOfIsDefinedBesideIt) {
  for (const ColumnSpec& column : AllColumns()) {
    const std::vector<absl::string_view> used = UsedBy(column.id);
    // Headings of several words are named in no other sense.
    for (const ColumnSpec& other : AllColumns()) {
      const std::string heading(other.heading.en);
      if (other.id == column.id || !absl::StrContains(heading, ' ') || other.value == nullptr) {
        continue;
      }
      if (!absl::StrContains(column.definition.en, heading)) continue;
      EXPECT_TRUE(std::find(used.begin(), used.end(), other.id) != used.end())
          << column.id << " speaks of " << other.id;
    }
    for (const absl::string_view id : used) EXPECT_FALSE(ColumnOf(id).definition.en.empty());
  }
  // A rate, its parts, and the parts of these.
  const std::vector<absl::string_view> used = UsedBy("nuisance_rate");
  for (const absl::string_view id : {"nuisance", "persons", "drops", "answered", "machines"}) {
    EXPECT_TRUE(std::find(used.begin(), used.end(), id) != used.end()) << id;
  }
}

}  // namespace
}  // namespace outpace::report
