#include "campaign/load/xlsx_sheet.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/columns.h"

namespace outpace::load {
namespace {

// What a sheet can have (ECMA-376 has no limit; every program that writes them has these).
constexpr uint64_t kRowsMax = 1'048'576;
constexpr size_t kColumnsMaxOfSheet = 16'384;
// Cells of a row are left away beyond this: the loader rejects the row for its length anyway.
constexpr size_t kRowTextMax = 512 * 1024;
constexpr size_t kSpareBytes = 4096;  // what a cell's string may keep for the next row

// How far below the first row a header is looked for.
constexpr size_t kBeginningRows = 10;

// The column of "BC12", from 0; kColumnsMaxOfSheet if it has none.
size_t ColumnOfReference(absl::string_view reference) {
  size_t column = 0;
  for (const char c : reference) {
    const char letter = absl::ascii_toupper(static_cast<unsigned char>(c));
    if (letter < 'A' || letter > 'Z') break;
    column = column * 26 + static_cast<size_t>(letter - 'A' + 1);
    if (column > kColumnsMaxOfSheet) return kColumnsMaxOfSheet;
  }
  return column == 0 ? kColumnsMaxOfSheet : column - 1;
}

void AppendField(absl::string_view field, std::string& line) {
  // Separators other than ours are quoted too, so that none is taken for it; and "sep=" is a word
  // of its own in front of a file.
  const bool quoted = field.find_first_of(",\";\t|") != absl::string_view::npos ||
                      absl::StartsWithIgnoreCase(field, "sep=");
  if (quoted) line += '"';
  for (const char c : field) {
    if (c == '"') line += '"';
    line += c == '\n' || c == '\r' ? ' ' : c;
  }
  if (quoted) line += '"';
}

// Whether a row is a header: several names, one of them that of a telephone column.
bool IsHeader(const std::vector<std::string>& cells) {
  size_t known = 0;
  bool phone = false;
  for (const std::string& cell : cells) {
    if (cell.size() > 64) continue;
    const std::string field = FieldOfHeader(cell);
    known += !field.empty();
    phone = phone || field == "phone_number" || field == "alt_phone";
  }
  return phone && known >= 2;
}

}  // namespace

SheetText::CellType SheetText::TypeOf(absl::string_view t) {
  if (t == "s") return CellType::kShared;
  if (t == "inlineStr") return CellType::kInline;
  if (t == "b") return CellType::kFlag;
  // Results of formulas, errors such as #N/A, and dates in ISO 8601: as they stand.
  if (t == "str" || t == "e" || t == "d") return CellType::kText;
  return CellType::kNumber;
}

absl::Status SheetText::Start(absl::string_view element, const XmlAttributes& attributes) {
  if (element == "row") return StartRow(attributes);
  if (element == "c") return StartCell(attributes);
  if (element == "v") in_value_ = true;
  if (element == "f") has_formula_ = true;
  if (element == "mergeCell") ++merged_;
  if (in_cell_ && type_ == CellType::kInline) rich_.Start(element);
  return absl::OkStatus();
}

absl::Status SheetText::End(absl::string_view element) {
  if (element == "v") in_value_ = false;
  if (in_cell_ && type_ == CellType::kInline && element != "c") rich_.End(element);
  if (element == "c" && in_cell_) return EndCell();
  return element == "row" ? EndRow() : absl::OkStatus();
}

absl::Status SheetText::Text(absl::string_view text) {
  if (in_value_ && value_.size() < kCellBytesMax) value_.append(text.data(), text.size());
  if (in_cell_ && type_ == CellType::kInline) rich_.Text(text);
  return absl::OkStatus();
}

absl::Status SheetText::StartRow(const XmlAttributes& attributes) {
  uint64_t number = row_ + 1;
  const absl::string_view given = attributes.Get("r");
  if (!given.empty() && (!absl::SimpleAtoi(given, &number) || number <= row_)) {
    return XlsxError(absl::StrCat("behind row ", row_, " its rows are out of order"));
  }
  if (number > kRowsMax) return XlsxError("it has more than 1048576 rows");
  row_ = number;
  cells_used_ = row_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status SheetText::StartCell(const XmlAttributes& attributes) {
  const absl::string_view reference = attributes.Get("r");
  const size_t column = reference.empty() ? cells_used_ : ColumnOfReference(reference);
  if (column >= kColumnsMaxOfSheet || column < cells_used_) {
    return XlsxError(absl::StrCat("in row ", row_, " its cells are out of order"));
  }
  column_ = column;
  type_ = TypeOf(attributes.Get("t"));
  style_ = 0;
  const absl::string_view style = attributes.Get("s");
  if (!style.empty() && !absl::SimpleAtoi(style, &style_)) style_ = 0;
  value_.clear();
  in_cell_ = true;
  has_formula_ = false;
  return absl::OkStatus();
}

absl::Status SheetText::EndCell() {
  in_cell_ = false;
  in_value_ = false;
  if (cells_.size() <= column_) cells_.resize(column_ + 1);
  for (size_t i = cells_used_; i < column_; ++i) cells_[i].clear();
  cells_used_ = column_ + 1;
  std::string& cell = cells_[column_];
  switch (type_) {
    case CellType::kShared: {
      uint64_t index = 0;
      if (value_.empty()) {
        cell.clear();
        break;
      }
      if (!absl::SimpleAtoi(value_, &index) || index >= strings_.size()) {
        return XlsxError(absl::StrCat("in row ", row_, " a cell names a text that is not there"));
      }
      const absl::string_view text = strings_.Get(index);
      cell.assign(text.data(), text.size());
      break;
    }
    case CellType::kInline:
      cell = rich_.Take();
      break;
    case CellType::kText:
      cell = value_;
      break;
    case CellType::kFlag:
      cell = value_ == "1" || value_ == "true" ? "TRUE" : value_.empty() ? "" : "FALSE";
      break;
    case CellType::kNumber:
      cell = value_.empty() ? "" : ShowNumber(value_, Format(), workbook_.date1904);
      break;
  }
  row_bytes_ += cell.size();
  if (row_bytes_ > kRowTextMax + kCellBytesMax) cell = std::string();
  formulas_without_value_ += has_formula_ && cell.empty() && value_.empty();
  return absl::OkStatus();
}

absl::Status SheetText::EndRow() {
  while (cells_used_ > 0 && cells_[cells_used_ - 1].empty()) --cells_used_;
  if (cells_used_ == 0) return absl::OkStatus();
  if (!at_beginning_) return WriteRow(row_, cells_, cells_used_);
  beginning_.emplace_back(
      row_, std::vector<std::string>(cells_.begin(),
                                     cells_.begin() + static_cast<ptrdiff_t>(cells_used_)));
  if (IsHeader(beginning_.back().second)) return WriteBeginning(/*header_found=*/true);
  return beginning_.size() < kBeginningRows ? absl::OkStatus() : WriteBeginning(false);
}

absl::Status SheetText::WriteBeginning(bool header_found) {
  at_beginning_ = false;
  if (header_found) {
    title_rows_ = beginning_.size() - 1;
    header_row_ = beginning_.back().first;
    beginning_.erase(beginning_.begin(), beginning_.end() - 1);
  }
  for (auto& [row, cells] : beginning_) {
    if (absl::Status status = WriteRow(row, cells, cells.size()); !status.ok()) return status;
  }
  beginning_.clear();
  return absl::OkStatus();
}

absl::Status SheetText::WriteRow(uint64_t row, std::vector<std::string>& cells, size_t used) {
  line_.assign(static_cast<size_t>(row - 1 - lines_), '\n');
  if (width_ == 0) width_ = used;
  for (size_t i = 0; i < std::max(used, width_); ++i) {
    if (i > 0) line_ += ',';
    if (i >= used) continue;
    AppendField(cells[i], line_);
    if (cells[i].capacity() > kSpareBytes) cells[i] = std::string();
  }
  line_ += '\n';
  out_.Append(line_);
  lines_ = row;
  ++rows_;
  if (out_.size() <= octets_max_) return absl::OkStatus();
  return XlsxError(absl::StrCat("its text is more than ", out_.size() >> 20,
                                " MiB, of a much smaller file: it is hostile"));
}

absl::Status SheetText::Finish() {
  return at_beginning_ ? WriteBeginning(false) : absl::OkStatus();
}

const NumberFormat& SheetText::Format() const {
  static const NumberFormat* const plain = new NumberFormat();
  return style_ < workbook_.formats.size() ? workbook_.formats[style_] : *plain;
}

}  // namespace outpace::load
