#include "campaign/report/csv_writer.h"

#include "absl/strings/match.h"

namespace outpace::report {
namespace {

constexpr size_t kPiece = 64 << 10;

}  // namespace

bool LooksLikeFormula(absl::string_view text) {
  for (const absl::string_view start :
       {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"}) {
    if (absl::StartsWith(text, start)) return true;
  }
  return false;
}

void CsvWriter::Text(absl::string_view text) {
  Cell(!style_.formulas && LooksLikeFormula(text) ? "'" : "", text);
}

bool CsvWriter::NeedsQuotes(absl::string_view text) const {
  if (text.empty()) return false;
  // A blank at either end is kept by RFC 4180 but cut by many readers, unless quoted.
  if (text.front() == ' ' || text.back() == ' ') return true;
  if (text.find_first_of("\"\r\n\t") != absl::string_view::npos) return true;
  // A spreadsheet may take a file with commas for one with semicolons.
  return absl::StrContains(text, style_.separator) ||
         (style_.separator == ',' && absl::StrContains(text, ';'));
}

void CsvWriter::Cell(absl::string_view prefix, absl::string_view text) {
  if (row_begun_) buffer_.push_back(style_.separator);
  row_begun_ = true;
  const bool quoted = NeedsQuotes(text);
  if (quoted) buffer_.push_back('"');
  buffer_.append(prefix.data(), prefix.size());
  for (const char c : text) {
    if (c == '"') buffer_.push_back('"');
    buffer_.push_back(c);
  }
  if (quoted) buffer_.push_back('"');
}

absl::Status CsvWriter::EndRow() {
  buffer_.append(style_.line_end.data(), style_.line_end.size());
  row_begun_ = false;
  return buffer_.size() >= kPiece ? Finish() : absl::OkStatus();
}

absl::Status CsvWriter::Finish() {
  if (buffer_.empty()) return absl::OkStatus();
  const absl::Status status = write_(buffer_);
  buffer_.clear();
  return status;
}

}  // namespace outpace::report
