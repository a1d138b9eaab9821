#pragma once

// A report as a value: tables and charts with the definition of every figure in them, as text in
// English and Chinese. It comes from a fold of calls and agents' time (report_fold.h), and small
// files turn it into text, HTML, a spreadsheet or JSON; none of them computes anything.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "campaign/report/columns.h"

namespace outpace::report {

enum class Language { kEnglish, kChinese };

struct Bilingual {
  std::string en, zh;
  const std::string& In(Language language) const {
    return language == Language::kChinese ? zh : en;
  }
};
Bilingual BilingualOf(const Words& words);

// A text or a number, as its column's unit says. Texts come from outside: whoever writes them out
// makes them harmless for the format.
struct Cell {
  std::string text = {};
  std::string zh = {};  // the text in Chinese, where it is another
  double number = 0;    // kTime, kSeconds: seconds; kPercent: 0..100
  bool operator==(const Cell&) const = default;
};

struct Column {
  std::string id;
  Bilingual heading;
  Unit unit = Unit::kText;
  Bilingual definition;
};

struct Table {
  std::string id;
  Bilingual title;
  std::vector<Column> columns;
  std::vector<Column> spoken_of = {};  // not shown, but definitions of those shown speak of them
  size_t keys = 0;                     // the first columns say what a row is about
  std::vector<std::vector<Cell>> rows;
  bool total = false;  // the last row is that of all
  bool sheet = false;  // one row, shown with a line for each figure
};

struct Series {
  Bilingual name;
  Unit unit = Unit::kCount;
  std::vector<double> values;  // one a label
};
struct Chart {
  enum class Kind { kBars, kLines };
  std::string table = {};  // the id of the one it draws
  Bilingual title;
  Kind kind = Kind::kBars;
  std::vector<std::string> labels;
  std::vector<Series> series;
};

struct Report {
  std::string name;
  Bilingual title;
  absl::Time from, to;  // [from, to)
  absl::TimeZone zone;
  std::string campaign;  // empty: all
  std::string list;      // its number; empty: all
  std::vector<Bilingual> notes;
  std::vector<Table> tables;
  std::vector<Chart> charts;
};

// A cell as people read it: "1,234", "12.34 %", "1:02:03", "12.3".
std::string CellText(const Cell& cell, Unit unit);
// "2026-11-22 00:00 to 2026-11-23 00:00 Asia/Shanghai".
std::string RangeText(const Report& report, Language language);

// Aligned for a terminal of `width` columns: wide characters count two; tables that are wider are
// continued below with their keys repeated. Definitions follow each table.
std::string ReportText(const Report& report, Language language, size_t width = 120);
// One file that asks for nothing from outside; prints well. Every text is escaped.
std::string ReportHtml(const Report& report, Language language);
// Both languages; numbers as numbers.
std::string ReportJson(const Report& report);

}  // namespace outpace::report
