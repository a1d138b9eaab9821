// A report as one HTML file: style and charts inline, nothing asked for from outside (its policy
// says so to the browser too), every text escaped. It prints well, so a browser makes the PDF.

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/report/report.h"
#include "campaign/report/report_cells.h"
#include "campaign/report/report_chart.h"

namespace outpace::report {
namespace {

constexpr absl::string_view kStyle = R"css(
:root{color-scheme:light}
body{font:14px/1.45 "Segoe UI","Noto Sans","Noto Sans CJK SC","PingFang SC","Microsoft YaHei",Arial,sans-serif;
margin:0;color:#1d2733;background:#f4f6f8}
main{max-width:1480px;margin:0 auto;padding:24px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:28px 0 8px}
.range{color:#56657a;margin:0 0 12px}.note{color:#7a4b00;margin:4px 0}
.card{background:#fff;border:1px solid #dde3ea;border-radius:8px;padding:14px 16px;margin:0 0 14px}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums;min-width:40%}
th,td{padding:5px 7px;border-bottom:1px solid #e6ebf0;text-align:right;white-space:nowrap}
th{color:#41506a;font-weight:600;font-size:12px;border-bottom:2px solid #cdd6e0;vertical-align:bottom;
white-space:normal;word-break:keep-all}
th[title]{cursor:help}
td.k,th.k{text-align:left}td.t{white-space:normal;min-width:14em;max-width:26em;overflow-wrap:anywhere}
tbody tr:nth-child(even){background:#fafbfc}
tr.total td{font-weight:700;border-top:2px solid #cdd6e0;background:#f0f4f8}
.sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:10px;margin:0}
.sheet div{border:1px solid #e6ebf0;border-radius:6px;padding:8px 10px}
.sheet dt{color:#56657a;font-size:12px}.sheet dd{margin:2px 0 0;font-size:20px;font-weight:600;
font-variant-numeric:tabular-nums}
details{margin:10px 0 0;color:#41506a;font-size:12.5px}summary{cursor:pointer}
details dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:8px 0 0}
details dt{font-weight:600}details dd{margin:0}
svg{max-width:100%;height:auto;display:block}svg text{font-size:11px;fill:#41506a}
.empty{color:#7b8794}
@media print{@page{size:A4 landscape;margin:12mm}body{background:#fff;font-size:10px}
main{max-width:none;padding:0}.card{border:0;padding:0;break-inside:auto}.wide{overflow:visible}
table{font-size:8.5px;width:100%}th,td{padding:2px 4px;white-space:normal}th{font-size:8px}
thead{display:table-header-group}tr{break-inside:avoid}h2{break-after:avoid}
svg{break-inside:avoid;max-height:80mm}.sheet dd{font-size:13px}
details{font-size:8.5px}summary{list-style:none}}
)css";

void PutSheet(const Table& table, Language language, std::string& out) {
  absl::StrAppend(&out, "<dl class=\"sheet\">\n");
  for (size_t c = 0; c < table.columns.size(); ++c) {
    absl::StrAppend(&out, "<div title=\"", Escaped(table.columns[c].definition.In(language)),
                    "\"><dt>", Escaped(table.columns[c].heading.In(language)), "</dt><dd>",
                    Escaped(ShownCell(table, 0, c, language)), "</dd></div>\n");
  }
  absl::StrAppend(&out, "</dl>\n");
}

void PutRows(const Table& table, Language language, std::string& out) {
  absl::StrAppend(&out, "<div class=\"wide\"><table>\n<thead><tr>");
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const Column& column = table.columns[c];
    const bool words = c < table.keys || column.unit == Unit::kText;
    absl::StrAppend(&out, words ? "<th class=\"k\"" : "<th", " title=\"",
                    Escaped(column.definition.In(language)), "\">",
                    Escaped(column.heading.In(language)), "</th>");
  }
  absl::StrAppend(&out, "</tr></thead>\n<tbody>\n");
  for (size_t r = 0; r < table.rows.size(); ++r) {
    const bool total = table.total && r + 1 == table.rows.size();
    absl::StrAppend(&out, total ? "<tr class=\"total\">" : "<tr>");
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const std::string text = ShownCell(table, r, c, language);
      const bool words = c < table.keys || table.columns[c].unit == Unit::kText;
      absl::StrAppend(&out,
                      !words             ? "<td>"
                      : text.size() > 32 ? "<td class=\"k t\">"
                                         : "<td class=\"k\">",
                      Escaped(text), "</td>");
    }
    absl::StrAppend(&out, "</tr>\n");
  }
  absl::StrAppend(&out, "</tbody></table></div>\n");
}

void Define(const Table& table, Language language, std::string& out) {
  const bool zh = language == Language::kChinese;
  absl::StrAppend(&out, "<details open><summary>", zh ? "口径" : "Definitions", "</summary><dl>\n");
  std::set<std::string> told;
  std::vector<Column> columns = table.columns;
  columns.insert(columns.end(), table.spoken_of.begin(), table.spoken_of.end());
  for (const Column& column : columns) {
    const size_t colon = column.id.find(':');
    if (!told.insert(column.id.substr(0, colon)).second) continue;
    const std::string name = colon == std::string::npos ? column.heading.In(language)
                             : zh                       ? "其余各列"
                                                        : "each further column";
    absl::StrAppend(&out, "<dt>", Escaped(name), "</dt><dd>",
                    Escaped(column.definition.In(language)), "</dd>\n");
  }
  absl::StrAppend(&out, "</dl></details>\n");
}

}  // namespace

std::string ReportHtml(const Report& report, Language language) {
  const bool zh = language == Language::kChinese;
  std::string out = absl::StrCat(
      "<!DOCTYPE html>\n<html lang=\"", zh ? "zh-CN" : "en",
      "\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
      Escaped(report.title.In(language)), "</title>\n<style>", kStyle,
      "</style>\n</head>\n<body><main>\n<h1>", Escaped(report.title.In(language)),
      "</h1>\n<p class=\"range\">", Escaped(RangeText(report, language)));
  if (!report.campaign.empty()) {
    absl::StrAppend(&out, zh ? " · 项目 " : " · campaign ", Escaped(report.campaign));
  }
  if (!report.list.empty()) {
    absl::StrAppend(&out, zh ? " · 名单 " : " · list ", Escaped(report.list));
  }
  absl::StrAppend(&out, "</p>\n");
  for (const Bilingual& note : report.notes) {
    absl::StrAppend(&out, "<p class=\"note\">", Escaped(note.In(language)), "</p>\n");
  }
  for (const Chart& chart : report.charts) {
    if (chart.labels.empty()) continue;
    absl::StrAppend(&out, "<section class=\"card\"><h2 style=\"margin-top:0\">",
                    Escaped(chart.title.In(language)), "</h2>\n", ChartSvg(chart, language),
                    "</section>\n");
  }
  for (const Table& table : report.tables) {
    absl::StrAppend(&out, "<h2>", Escaped(table.title.In(language)),
                    "</h2>\n<section class=\"card\">\n");
    if (table.rows.empty()) {
      absl::StrAppend(&out, "<p class=\"empty\">", zh ? "无数据" : "Nothing in this range",
                      "</p>\n");
    } else if (table.sheet) {
      PutSheet(table, language, out);
    } else {
      PutRows(table, language, out);
    }
    Define(table, language, out);
    absl::StrAppend(&out, "</section>\n");
  }
  absl::StrAppend(&out, "</main></body>\n</html>\n");
  return out;
}

}  // namespace outpace::report
