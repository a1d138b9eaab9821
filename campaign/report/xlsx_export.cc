#include "campaign/report/xlsx_export.h"

#include <xlsxwriter.h>

#include <array>
#include <cstdio>
#include <map>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/report/call_layouts.h"
#include "campaign/report/call_rows.h"
#include "campaign/report/row_format.h"

namespace outpace::report {
namespace {

constexpr size_t kTextMax = 32'767;  // octets; Excel's limit is as many characters

absl::Status ErrorOf(lxw_error error) {
  if (error == LXW_NO_ERROR) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("xlsx: ", lxw_strerror(error)));
}

std::string SheetFolder(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// Names of sheets and headings in the language of the layout.
struct Words {
  const char *sums, *rows, *status, *name, *calls, *hour, *total;
};
constexpr Words kEnglish = {"Summary", "Calls", "Status", "Name", "Calls", "Hour", "All calls"};
constexpr Words kChinese = {"汇总", "明细", "结果代码", "通话结果", "通话数", "小时", "全部通话"};

class Workbook {
 public:
  Workbook(const std::string& path, const CallLayout& layout, const ExportOptions& options,
           int64_t sheet_rows)
      : layout_(layout),
        options_(options),
        sheet_rows_(sheet_rows),
        words_(layout.name == "cn" ? kChinese : kEnglish),
        folder_(SheetFolder(path)) {
    lxw_workbook_options how{};
    how.constant_memory = LXW_TRUE;
    how.use_zip64 = LXW_TRUE;
    how.tmpdir = folder_.data();
    book_ = workbook_new_opt(path.c_str(), &how);
  }
  ~Workbook() {
    if (book_ != nullptr) lxw_workbook_free(book_);
  }

  absl::Status Begin() {
    if (book_ == nullptr) return absl::ResourceExhaustedError("xlsx: cannot be begun");
    // The library would put the present time here.
    lxw_doc_properties about{};
    about.created =
        options_.from == absl::InfinitePast() ? time_t{946'684'800} : absl::ToTimeT(options_.from);
    if (absl::Status s = ErrorOf(workbook_set_properties(book_, &about)); !s.ok()) return s;
    bold_ = workbook_add_format(book_);
    format_set_bold(bold_);
    date_ = workbook_add_format(book_);
    format_set_num_format(date_, "yyyy-mm-dd hh:mm:ss");
    sums_ = workbook_add_worksheet(book_, words_.sums);
    return AddSheet();
  }

  absl::Status Row(const CallRow& row) {
    if (in_sheet_ == sheet_rows_) {
      if (absl::Status s = AddSheet(); !s.ok()) return s;
    }
    ++in_sheet_;
    const auto at = static_cast<lxw_row_t>(in_sheet_);
    for (size_t i = 0; i < layout_.columns.size(); ++i) {
      const CallColumn& column = *layout_.columns[i].column;
      const absl::string_view text = CellText(column, row, scratch_);
      if (text.empty()) continue;
      const absl::Status s = ErrorOf(Write(at, static_cast<lxw_col_t>(i), column.type, text));
      if (!s.ok()) return s;
    }
    const absl::string_view name = CellText(*FindCallColumn("status_name"), row, scratch_);
    Status& sum = statuses_[std::string(row.attempt.status)];
    ++sum.calls;
    if (sum.name.empty()) sum.name = ValidUtf8(name, kTextMax);
    if (const int hour = row.context.dates.Hour(row.attempt.dialed_micros); hour >= 0) {
      ++hours_[static_cast<size_t>(hour)];
    }
    ++rows_;
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> Finish() {
    if (absl::Status s = WriteSums(); !s.ok()) return s;
    lxw_workbook* const book = book_;
    book_ = nullptr;  // freed by closing it, whatever comes of it
    if (absl::Status s = ErrorOf(workbook_close(book)); !s.ok()) return s;
    return rows_;
  }

 private:
  struct Status {
    int64_t calls = 0;
    std::string name;
  };

  absl::Status AddSheet() {
    ++sheets_;
    const std::string name = sheets_ == 1 ? words_.rows : absl::StrCat(words_.rows, " ", sheets_);
    sheet_ = workbook_add_worksheet(book_, name.c_str());
    if (sheet_ == nullptr) return absl::ResourceExhaustedError("xlsx: no further sheet");
    in_sheet_ = 0;
    worksheet_freeze_panes(sheet_, 1, 0);
    for (size_t i = 0; i < layout_.columns.size(); ++i) {
      const auto column = static_cast<lxw_col_t>(i);
      if (layout_.columns[i].column->type == CellType::kDate) {
        worksheet_set_column(sheet_, column, column, 19, nullptr);
      }
      const lxw_error error = worksheet_write_string(
          sheet_, 0, column, std::string(layout_.columns[i].header).c_str(), bold_);
      if (absl::Status s = ErrorOf(error); !s.ok()) return s;
    }
    return absl::OkStatus();
  }

  lxw_error Write(lxw_row_t row, lxw_col_t column, CellType type, absl::string_view text) {
    double number = 0;
    if (type == CellType::kNumber && absl::SimpleAtod(text, &number)) {
      return worksheet_write_number(sheet_, row, column, number, nullptr);
    }
    lxw_datetime when{};
    if (type == CellType::kDate &&
        std::sscanf(std::string(text).c_str(), "%d-%d-%d %d:%d:%lf", &when.year, &when.month,
                    &when.day, &when.hour, &when.min, &when.sec) == 6) {
      return worksheet_write_datetime(sheet_, row, column, &when, date_);
    }
    return worksheet_write_string(sheet_, row, column, ValidUtf8(text, kTextMax).c_str(), nullptr);
  }

  absl::Status WriteSums() {
    lxw_row_t row = 0;
    lxw_error error = LXW_NO_ERROR;
    const auto text = [&](lxw_col_t column, const std::string& value, lxw_format* format) {
      if (error == LXW_NO_ERROR) {
        error = worksheet_write_string(sums_, row, column, value.c_str(), format);
      }
    };
    const auto number = [&](lxw_col_t column, int64_t value) {
      if (error == LXW_NO_ERROR) {
        error = worksheet_write_number(sums_, row, column, static_cast<double>(value), nullptr);
      }
    };
    text(0, words_.total, bold_);
    number(2, rows_);
    row = 2;
    text(0, words_.status, bold_);
    text(1, words_.name, bold_);
    text(2, words_.calls, bold_);
    const lxw_row_t first_status = ++row;
    for (const auto& [status, sum] : statuses_) {
      text(0, ValidUtf8(status, kTextMax), nullptr);
      text(1, sum.name, nullptr);
      number(2, sum.calls);
      ++row;
    }
    const lxw_row_t last_status = row - 1;
    ++row;
    text(0, words_.hour, bold_);
    text(2, words_.calls, bold_);
    const lxw_row_t first_hour = ++row;
    for (size_t hour = 0; hour < hours_.size(); ++hour, ++row) {
      number(0, static_cast<int64_t>(hour));
      number(2, hours_[hour]);
    }
    if (error == LXW_NO_ERROR && last_status >= first_status) {
      error = AddChart(LXW_CHART_BAR, words_.status, first_status, last_status, 0);
    }
    if (error == LXW_NO_ERROR) {
      error = AddChart(LXW_CHART_COLUMN, words_.hour, first_hour, first_hour + 23, 20);
    }
    return ErrorOf(error);
  }

  lxw_error AddChart(uint8_t type, const char* title, lxw_row_t first, lxw_row_t last,
                     lxw_row_t at) {
    lxw_chart* const chart = workbook_add_chart(book_, type);
    if (chart == nullptr) return LXW_ERROR_MEMORY_MALLOC_FAILED;
    lxw_chart_series* const series = chart_add_series(chart, nullptr, nullptr);
    chart_series_set_categories(series, words_.sums, first, 0, last, 0);
    chart_series_set_values(series, words_.sums, first, 2, last, 2);
    chart_title_set_name(chart, title);
    chart_legend_set_position(chart, LXW_CHART_LEGEND_NONE);
    return worksheet_insert_chart(sums_, at, 4, chart);
  }

  const CallLayout& layout_;
  const ExportOptions& options_;
  const int64_t sheet_rows_;
  const Words& words_;
  std::string folder_;
  lxw_workbook* book_ = nullptr;
  lxw_worksheet *sums_ = nullptr, *sheet_ = nullptr;
  lxw_format *bold_ = nullptr, *date_ = nullptr;
  int64_t rows_ = 0, in_sheet_ = 0;
  int sheets_ = 0;
  std::map<std::string, Status> statuses_;
  std::array<int64_t, 24> hours_{};
  std::string scratch_;
};

class WorkbookRows final : public RowVisitor {
 public:
  explicit WorkbookRows(Workbook& book) : book_(book) {}
  void Row(const CallRow& row) override {
    if (status_.ok()) status_ = book_.Row(row);
  }
  absl::Status EndPiece(uint64_t) override { return status_; }

 private:
  Workbook& book_;
  absl::Status status_;
};

}  // namespace

absl::StatusOr<int64_t> ExportCallsXlsx(const campaign::LeadStore& store,
                                        const ExportOptions& options, const std::string& path,
                                        int64_t sheet_rows) {
  const absl::StatusOr<const CallLayout*> layout = FindCallLayout(options.layout);
  if (!layout.ok()) return layout.status();
  Workbook book(path, **layout, options, sheet_rows);
  if (absl::Status s = book.Begin(); !s.ok()) return s;
  // One thread: the library's work is most of it, and rows come in their order.
  WorkbookRows rows(book);
  if (absl::Status s = ReadCallRows(store, options, {&rows}); !s.ok()) return s;
  return book.Finish();
}

}  // namespace outpace::report
