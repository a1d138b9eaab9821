#include "campaign/load/shape.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/load/layouts.h"
#include "campaign/load/reject_file.h"
#include "campaign/load/utf8.h"
#include "campaign/number_plan.h"

namespace outpace::load {
namespace {

bool LooksLikePhone(absl::string_view cell, absl::string_view country) {
  const campaign::PhoneReading reading = campaign::ReadPhone(cell, country);
  return reading.fault == campaign::PhoneFault::kNone;
}

// Without a header and in no known layout: the first cell that reads as a number is the phone, the
// first other text the name, the rest keeps its position as name.
ColumnMap GuessColumns(const std::vector<std::string>& cells, absl::string_view country) {
  ColumnMap out;
  bool has_name = false;
  for (size_t i = 0; i < cells.size(); ++i) {
    Column column;
    column.header = absl::StrCat("column", i + 1);
    if (!out.has_phone && LooksLikePhone(cells[i], country)) {
      column.kind = ColumnKind::kPhone;
      column.field = "phone_number";
      out.has_phone = true;
    } else if (!has_name && !absl::StripAsciiWhitespace(cells[i]).empty() &&
               !LooksLikePhone(cells[i], country)) {
      column.kind = ColumnKind::kName;
      column.field = "name";
      has_name = true;
    } else {
      column.field = column.header;
    }
    out.columns.push_back(std::move(column));
  }
  return out;
}

absl::Status NoPhoneColumn(const std::vector<std::string>& cells) {
  std::vector<std::string> shown;
  for (const std::string& cell : cells) {
    const absl::string_view text = absl::StripAsciiWhitespace(cell);
    // A cell with digits may be a number somebody forgot the header for: it is not repeated.
    const bool digits = std::count_if(text.begin(), text.end(), [](char c) {
                          return absl::ascii_isdigit(static_cast<unsigned char>(c));
                        }) >= 5;
    const bool is_text = CheckUtf8(text) == Utf8::kValid && text.size() <= 40;
    shown.push_back(digits || !is_text ? "(data)" : absl::Utf8SafeCEscape(text));
    if (shown.size() == 20) break;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("E_NO_PHONE_COLUMN: none of the columns is a telephone number; found: ",
                   absl::StrJoin(shown, ", "), "; known names: ", PhoneAliases(),
                   "; rename the column, or map it: --map \"its name=phone_number\""));
}

}  // namespace

absl::StatusOr<Shape> ShapeOf(const Row& first, const LoadOptions& options) {
  const std::vector<std::string> cells(first.fields.begin(), first.fields.end());
  Shape out;
  if (absl::Status status = CheckLayout(options.layout); !status.ok()) return status;
  // What was rejected and corrected comes back with a header, whatever the file had.
  const bool corrected = IsRejectHeader(cells);
  if (IsPositional(options.layout) && !corrected) {
    absl::StatusOr<ColumnMap> columns = ColumnsOfLayout(options.layout, cells.size());
    if (!columns.ok()) return columns.status();
    out.layout = options.layout;
    out.columns = *std::move(columns);
    return out;
  }
  if (first.fault != RowFault::kNone) {
    return absl::InvalidArgumentError(
        "E_NO_PHONE_COLUMN: the first line cannot be read as a header (a quote is not closed, or "
        "it is too long)");
  }
  absl::StatusOr<ColumnMap> mapped = MapHeader(cells, options.columns);
  const bool readable = CheckUtf8(first.raw) == Utf8::kValid;
  if (!readable && (!mapped.ok() || mapped->has_phone)) {
    mapped = absl::InvalidArgumentError(
        "E_ENCODING: the header holds bytes that are not UTF-8; name the file's encoding (gb18030 "
        "or windows-1252)");
  }
  if (mapped.ok() && mapped->has_phone) {
    out.layout = "header";
    out.header = true;
    out.columns = *mapped;
    return out;
  }
  if (options.layout != "header") {
    if (cells.size() >= 23 && cells.size() <= 29 && LooksLikePhone(cells[4], cells[3])) {
      out.layout = cells.size() >= 28 ? "stdrankowner" : "standard";
      out.columns = ColumnsOfLayout(out.layout, cells.size()).value();
      return out;
    }
    ColumnMap guessed = GuessColumns(cells, options.country);
    if (guessed.has_phone) {
      out.layout = "no header";
      out.columns = std::move(guessed);
      return out;
    }
  }
  if (!mapped.ok()) return mapped.status();
  return NoPhoneColumn(cells);
}

}  // namespace outpace::load
