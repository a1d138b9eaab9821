#include "campaign/report/csv_writer.h"

#include "absl/strings/match.h"

namespace outpace::report {
namespace {

constexpr size_t kPiece = 64 << 10;

bool NeedsQuotes(absl::string_view text) {
  // A blank at either end is kept by RFC 4180 but cut by many readers, unless quoted.
  return !text.empty() && (text.find_first_of(",\"\r\n\t;") != absl::string_view::npos ||
                           text.front() == ' ' || text.back() == ' ');
}

}  // namespace

bool LooksLikeFormula(absl::string_view text) {
  for (const absl::string_view start :
       {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"}) {
    if (absl::StartsWith(text, start)) return true;
  }
  return false;
}

void CsvWriter::Text(absl::string_view text) { Cell(LooksLikeFormula(text) ? "'" : "", text); }

void CsvWriter::Cell(absl::string_view prefix, absl::string_view text) {
  if (row_begun_) buffer_.push_back(',');
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
  buffer_.append("\r\n");
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
