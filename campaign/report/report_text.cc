// A report for a terminal.

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/report/report.h"
#include "campaign/report/report_cells.h"

namespace outpace::report {
namespace {

constexpr size_t kGap = 2;

std::string Padded(absl::string_view text, size_t width, bool right) {
  const std::string blanks(width - std::min(width, TextWidth(text)), ' ');
  return right ? absl::StrCat(blanks, text) : absl::StrCat(text, blanks);
}

void EndLine(std::string line, std::string& out) {
  line.erase(line.find_last_not_of(' ') + 1);
  absl::StrAppend(&out, line, "\n");
}

// Words of English are parted at blanks, Chinese anywhere.
void Wrap(absl::string_view text, size_t indent, size_t width, std::string& out) {
  std::string line(indent, ' ');
  bool begun = false;
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (begun && TextWidth(line) + 1 + TextWidth(word) > width) {
      EndLine(std::move(line), out);
      line = std::string(indent + 2, ' ');
      begun = false;
    }
    absl::StrAppend(&line, begun ? " " : "", word);
    begun = true;
  }
  EndLine(std::move(line), out);
}

void Define(const Table& table, Language language, size_t width, std::set<std::string>& told,
            std::string& out) {
  std::vector<Column> columns = table.columns;
  columns.insert(columns.end(), table.spoken_of.begin(), table.spoken_of.end());
  for (const Column& column : columns) {
    const std::string& heading = column.heading.In(language);
    // A column says what it means once in a report.
    if (!told.insert(column.id.substr(0, column.id.find(':'))).second) continue;
    const size_t colon = column.id.find(':');
    const bool each = colon != std::string::npos;
    const std::string name = !each                            ? heading
                             : language == Language::kChinese ? "其余各列"
                                                              : "each further column";
    Wrap(absl::StrCat(name, language == Language::kChinese ? ":" : ": ",
                      Printable(column.definition.In(language))),
         2, width, out);
  }
}

void PutSheet(const Table& table, Language language, std::string& out) {
  size_t name_width = 0, value_width = 0;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    name_width = std::max(name_width, TextWidth(table.columns[c].heading.In(language)));
    value_width = std::max(value_width, TextWidth(ShownCell(table, 0, c, language)));
  }
  for (size_t c = 0; c < table.columns.size(); ++c) {
    EndLine(absl::StrCat("  ", Padded(table.columns[c].heading.In(language), name_width, false),
                         std::string(kGap, ' '),
                         Padded(ShownCell(table, 0, c, language), value_width, true)),
            out);
  }
}

void PutRows(const Table& table, Language language, size_t width, std::string& out) {
  std::vector<std::vector<std::string>> cells;
  std::vector<size_t> widths;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    widths.push_back(TextWidth(Printable(table.columns[c].heading.In(language))));
  }
  for (size_t r = 0; r < table.rows.size(); ++r) {
    cells.emplace_back();
    for (size_t c = 0; c < table.columns.size(); ++c) {
      cells.back().push_back(Printable(ShownCell(table, r, c, language)));
      widths[c] = std::max(widths[c], TextWidth(cells.back().back()));
    }
  }
  size_t key_width = 0;
  for (size_t c = 0; c < table.keys; ++c) key_width += widths[c] + kGap;
  const auto put = [&](auto&& text_of, size_t first, size_t last) {
    std::string line;
    const auto add = [&](size_t c) {
      absl::StrAppend(&line, line.empty() ? "" : std::string(kGap, ' '),
                      Padded(text_of(c), widths[c], table.columns[c].unit != Unit::kText));
    };
    for (size_t c = 0; c < table.keys; ++c) add(c);
    for (size_t c = first; c < last; ++c) add(c);
    EndLine(std::move(line), out);
  };
  for (size_t first = table.keys; first < table.columns.size();) {
    size_t last = first, taken = key_width;
    while (last < table.columns.size() && (last == first || taken + widths[last] <= width)) {
      taken += widths[last++] + kGap;
    }
    if (first != table.keys) absl::StrAppend(&out, "\n");
    put([&](size_t c) { return Printable(table.columns[c].heading.In(language)); }, first, last);
    for (const std::vector<std::string>& row : cells) {
      put([&](size_t c) { return row[c]; }, first, last);
    }
    first = last;
  }
}

}  // namespace

std::string ReportText(const Report& report, Language language, size_t width) {
  const bool zh = language == Language::kChinese;
  std::string out = absl::StrCat(report.title.In(language), "  ", RangeText(report, language));
  if (!report.campaign.empty()) {
    absl::StrAppend(&out, zh ? "  项目 " : "  campaign ", Printable(report.campaign));
  }
  if (!report.list.empty()) absl::StrAppend(&out, zh ? "  名单 " : "  list ", report.list);
  absl::StrAppend(&out, "\n");
  for (const Bilingual& note : report.notes) Wrap(Printable(note.In(language)), 0, width, out);
  std::set<std::string> told;
  for (const Table& table : report.tables) {
    absl::StrAppend(&out, "\n== ", table.title.In(language), "\n");
    if (table.sheet && !table.rows.empty()) {
      PutSheet(table, language, out);
    } else {
      PutRows(table, language, width, out);
    }
    absl::StrAppend(&out, "\n");
    Define(table, language, width, told, out);
  }
  return out;
}

}  // namespace outpace::report
