#include "campaign/report/csv_writer.h"

#include <array>

#include "absl/strings/match.h"

namespace outpace::report {
namespace {

constexpr size_t kPiece = 64 << 10;

// What a byte may ask for: quotes in any file, or in one with commas.
constexpr uint8_t kAlways = 1, kWithCommas = 2;
constexpr std::array<uint8_t, 256> kQuoted = [] {
  std::array<uint8_t, 256> quoted{};
  for (const char c : {'"', '\r', '\n', '\t'}) quoted[static_cast<unsigned char>(c)] = kAlways;
  // A spreadsheet may take a file with commas for one with semicolons.
  quoted[','] = quoted[';'] = kWithCommas;
  return quoted;
}();

bool NeedsQuotes(absl::string_view text, char separator) {
  if (text.empty()) return false;
  // A blank at either end is kept by RFC 4180 but cut by many readers, unless quoted.
  if (text.front() == ' ' || text.back() == ' ') return true;
  uint8_t asked = 0;
  for (const char c : text) asked |= kQuoted[static_cast<unsigned char>(c)];
  if ((asked & kAlways) != 0 || ((asked & kWithCommas) != 0 && separator == ',')) return true;
  return separator != ',' && absl::StrContains(text, separator);
}

void AppendQuoted(absl::string_view prefix, absl::string_view text, std::string& to) {
  to.push_back('"');
  to.append(prefix.data(), prefix.size());
  for (const char c : text) {
    if (c == '"') to.push_back('"');
    to.push_back(c);
  }
  to.push_back('"');
}

}  // namespace

bool LooksLikeFormula(absl::string_view text) {
  if (text.empty()) return false;
  switch (text[0]) {
    case '=':
    case '+':
    case '-':
    case '@':
    case '\t':
    case '\r':
    case '\n':
      return true;
    case '\xef':  // the full-width forms
      for (const absl::string_view start : {"＝", "＋", "－", "＠"}) {
        if (absl::StartsWith(text, start)) return true;
      }
      return false;
    default:
      return false;
  }
}

void AppendCsvCell(absl::string_view text, char separator, std::string& to) {
  if (NeedsQuotes(text, separator)) {
    AppendQuoted("", text, to);
  } else {
    to.append(text.data(), text.size());
  }
}

void AppendCsvText(absl::string_view text, char separator, std::string& to) {
  const bool quoted = NeedsQuotes(text, separator);
  const absl::string_view prefix = LooksLikeFormula(text) ? "'" : "";
  if (quoted) return AppendQuoted(prefix, text, to);
  to.append(prefix.data(), prefix.size());
  to.append(text.data(), text.size());
}

void CsvWriter::Begin() {
  if (row_begun_) buffer_.push_back(style_.separator);
  row_begun_ = true;
}

void CsvWriter::Text(absl::string_view text) {
  if (style_.formulas) return Plain(text);
  Begin();
  AppendCsvText(text, style_.separator, buffer_);
}

void CsvWriter::Plain(absl::string_view text) {
  Begin();
  AppendCsvCell(text, style_.separator, buffer_);
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
