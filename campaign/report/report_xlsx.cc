#include "campaign/report/report_xlsx.h"

#include <xlsxwriter.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/report/report_cells.h"

namespace outpace::report {
namespace {

constexpr double kDaySeconds = 86'400;
constexpr double kWidthMax = 40;

struct Formats {
  explicit Formats(lxw_workbook* book) {
    for (const bool bold : {false, true}) {
      for (const Unit unit : {Unit::kText, Unit::kCount, Unit::kPercent, Unit::kTime,
                              Unit::kSeconds, Unit::kNumber, Unit::kMoney}) {
        lxw_format* const format = workbook_add_format(book);
        format_set_num_format(format, CodeOf(unit));
        if (bold) format_set_bold(format);
        if (bold) format_set_top(format, LXW_BORDER_THIN);
        of[{unit, bold}] = format;
      }
    }
    heading = workbook_add_format(book);
    format_set_bold(heading);
    format_set_text_wrap(heading);
    format_set_align(heading, LXW_ALIGN_VERTICAL_TOP);
    format_set_bg_color(heading, 0xE8EEF4);
    format_set_bottom(heading, LXW_BORDER_THIN);
    title = workbook_add_format(book);
    format_set_bold(title);
    format_set_font_size(title, 14);
  }
  static const char* CodeOf(Unit unit) {
    switch (unit) {
      case Unit::kText:
        return "@";
      case Unit::kCount:
        return "#,##0";
      case Unit::kPercent:
        return "0.00%";
      case Unit::kTime:
        return "[h]:mm:ss";
      case Unit::kSeconds:
        return "#,##0.0";
      case Unit::kNumber:
        return "#,##0.00";
      case Unit::kMoney:
        return "#,##0.0000";
    }
    return "General";
  }
  std::map<std::pair<Unit, bool>, lxw_format*> of;
  lxw_format *heading = nullptr, *title = nullptr;
};

double ValueOf(const Cell& cell, Unit unit) {
  if (unit == Unit::kPercent) return cell.number / 100;
  if (unit == Unit::kTime) return cell.number / kDaySeconds;
  return cell.number;
}

// What a spreadsheet takes for the name of a sheet: 31 characters, some not among them.
std::string SheetName(const Table& table, Language language, std::set<std::string>& taken) {
  std::string name;
  for (const char c : table.title.In(language)) {
    if (absl::string_view("[]:*?/\\'").find(c) == absl::string_view::npos) name.push_back(c);
  }
  if (name.empty() || name.size() > 31 || !taken.insert(name).second) {
    name = table.id;
    taken.insert(name);
  }
  return name;
}

class Sheet {
 public:
  Sheet(lxw_worksheet* sheet, const Formats& formats, Language language)
      : sheet_(sheet), formats_(formats), language_(language) {}

  void Put(const Report& report, const Table& table) {
    Write(0, 0, absl::StrCat(report.title.In(language_), ": ", table.title.In(language_)),
          formats_.title);
    Write(1, 0, RangeText(report, language_), nullptr);
    row_ = 2;
    for (const Bilingual& note : report.notes) Write(row_++, 0, note.In(language_), nullptr);
    heading_ = ++row_;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const std::string& heading = table.columns[c].heading.In(language_);
      Write(row_, c, heading, formats_.heading);
      double width = static_cast<double>(TextWidth(heading));
      for (size_t r = 0; r < table.rows.size(); ++r) {
        width = std::max(width, static_cast<double>(TextWidth(ShownCell(table, r, c, language_))));
      }
      worksheet_set_column(sheet_, Col(c), Col(c), std::min(kWidthMax, width + 3), nullptr);
    }
    for (size_t r = 0; r < table.rows.size(); ++r) PutRow(table, r);
    if (!table.rows.empty()) {
      const size_t shown = table.rows.size() - (table.total ? 1 : 0);
      worksheet_autofilter(sheet_, heading_, 0, heading_ + static_cast<lxw_row_t>(shown),
                           Col(table.columns.size() - 1));
    }
    worksheet_freeze_panes(sheet_, heading_ + 1, Col(table.keys));
    worksheet_set_landscape(sheet_);
    worksheet_fit_to_pages(sheet_, 1, 0);
    row_ = heading_ + static_cast<lxw_row_t>(table.rows.size()) + 2;
    std::set<std::string> told;
    std::vector<Column> columns = table.columns;
    columns.insert(columns.end(), table.spoken_of.begin(), table.spoken_of.end());
    for (const Column& column : columns) {
      if (!told.insert(column.id.substr(0, column.id.find(':'))).second) continue;
      const bool each = column.id.find(':') != std::string::npos;
      const bool zh = language_ == Language::kChinese;
      Write(row_, 0,
            !each ? column.heading.In(language_)
            : zh  ? "其余各列"
                  : "each further column",
            nullptr);
      Write(row_++, 1, column.definition.In(language_), nullptr);
    }
    ++row_;
  }
  lxw_row_t row() const { return row_; }
  lxw_row_t heading() const { return heading_; }
  lxw_worksheet* get() const { return sheet_; }

 private:
  static lxw_col_t Col(size_t column) { return static_cast<lxw_col_t>(column); }
  void Write(lxw_row_t row, size_t column, absl::string_view text, lxw_format* format) {
    worksheet_write_string(sheet_, row, Col(column), Printable(text).c_str(), format);
  }
  void PutRow(const Table& table, size_t r) {
    const lxw_row_t row = heading_ + 1 + static_cast<lxw_row_t>(r);
    const bool bold = table.total && r + 1 == table.rows.size();
    for (size_t c = 0; c < table.columns.size(); ++c) {
      const Unit unit = table.columns[c].unit;
      lxw_format* const format = formats_.of.at({unit, bold});
      if (unit == Unit::kText) {
        Write(row, c, ShownCell(table, r, c, language_), format);
      } else {
        worksheet_write_number(sheet_, row, Col(c), ValueOf(table.rows[r][c], unit), format);
      }
    }
  }

  lxw_worksheet* const sheet_;
  const Formats& formats_;
  const Language language_;
  lxw_row_t row_ = 0, heading_ = 0;
};

// Under its table, from the table's own cells.
void PutChart(lxw_workbook* book, const std::string& name, const Chart& chart, const Table& table,
              Sheet& sheet, int place, Language language) {
  lxw_chart* const drawn =
      workbook_add_chart(book, chart.kind == Chart::Kind::kLines ? LXW_CHART_LINE : LXW_CHART_BAR);
  const lxw_row_t first = sheet.heading() + 1;
  const lxw_row_t last = sheet.heading() + static_cast<lxw_row_t>(chart.labels.size());
  for (const Series& series : chart.series) {
    for (size_t c = table.keys; c < table.columns.size(); ++c) {
      if (table.columns[c].heading.en != series.name.en) continue;
      const auto column = static_cast<lxw_col_t>(c);
      lxw_chart_series* const line = chart_add_series(drawn, nullptr, nullptr);
      chart_series_set_categories(line, name.c_str(), first, 0, last, 0);
      chart_series_set_values(line, name.c_str(), first, column, last, column);
      chart_series_set_name(line, Printable(series.name.In(language)).c_str());
    }
  }
  chart_title_set_name(drawn, Printable(chart.title.In(language)).c_str());
  if (chart.kind == Chart::Kind::kBars) chart_axis_set_reverse(drawn->y_axis);
  lxw_chart_options options = {};
  options.x_scale = 1.8;
  options.y_scale = 1.3;
  worksheet_insert_chart_opt(sheet.get(), sheet.row() + static_cast<lxw_row_t>(20 * place), 0,
                             drawn, &options);
}

}  // namespace

absl::Status WriteReportXlsx(const Report& report, Language language, const std::string& path) {
  lxw_workbook* const book = workbook_new(path.c_str());
  if (book == nullptr) return absl::InternalError("xlsx: no workbook could be made");
  // Not the moment of writing: the same report is the same file.
  lxw_doc_properties properties = {};
  properties.created = static_cast<time_t>(absl::ToUnixSeconds(report.to));
  workbook_set_properties(book, &properties);
  const Formats formats(book);
  std::set<std::string> taken;
  for (const Table& table : report.tables) {
    const std::string name = SheetName(table, language, taken);
    lxw_worksheet* const made = workbook_add_worksheet(book, name.c_str());
    if (made == nullptr) continue;
    Sheet sheet(made, formats, language);
    sheet.Put(report, table);
    int place = 0;
    for (const Chart& chart : report.charts) {
      if (chart.table == table.id && !chart.labels.empty()) {
        PutChart(book, name, chart, table, sheet, place++, language);
      }
    }
  }
  const lxw_error error = workbook_close(book);
  if (error != LXW_NO_ERROR) {
    return absl::UnavailableError(absl::StrCat(path, ": ", lxw_strerror(error)));
  }
  return absl::OkStatus();
}

}  // namespace outpace::report
