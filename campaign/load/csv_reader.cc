#include "campaign/load/csv_reader.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace outpace::load {

bool CsvReader::Next(Row& row) {
  while (at_ < text_.size()) {
    // A line of blanks is no row. Looked at before splitting, so that a line of tabs in a file
    // separated by tabs is blank too.
    size_t end = at_;
    while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\t')) ++end;
    if (end < text_.size() && text_[end] != '\n' && text_[end] != '\r') {
      ReadRow(row);
      return true;
    }
    at_ = end;
    if (SkipLineEnd()) ++blank_lines_;
  }
  return false;
}

bool CsvReader::SkipLineEnd() {
  if (at_ >= text_.size()) return false;
  if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
  ++at_;
  ++line_;
  return true;
}

void CsvReader::ReadRow(Row& row) {
  const size_t begin = at_;
  row.line = line_;
  row.fields.clear();
  row.fault = RowFault::kNone;
  unescaped_used_ = 0;
  for (;;) {
    if (row.fields.size() == kColumnsMax && row.fault == RowFault::kNone) {
      row.fault = RowFault::kTooManyColumns;
    }
    const absl::string_view field =
        at_ < text_.size() && text_[at_] == '"' ? ReadQuoted(row) : ReadPlain(row);
    if (row.fields.size() < kColumnsMax) row.fields.push_back(field);
    if (at_ >= text_.size() || AtLineEnd()) break;
    ++at_;  // the separator
  }
  row.raw = text_.substr(begin, at_ - begin);
  row.octets = row.raw.size();
  if (row.fault == RowFault::kNone && row.raw.size() > kRowBytesMax) {
    row.fault = RowFault::kRowTooLong;
  }
  row.has_line_end = SkipLineEnd();
}

absl::string_view CsvReader::ReadPlain(Row& row) {
  const size_t begin = at_;
  at_ = scan_.Next(begin);
  // A quote inside a field is an octet like any other.
  while (at_ < text_.size() && text_[at_] == '"') at_ = scan_.Next(at_ + 1);
  const absl::string_view field = text_.substr(begin, at_ - begin);
  if (field.size() <= kFieldBytesMax) return field;
  if (row.fault == RowFault::kNone) row.fault = RowFault::kFieldTooLong;
  return {};
}

absl::string_view CsvReader::ReadQuoted(Row& row) {
  const size_t begin = ++at_;
  size_t doubled = 0;
  for (;;) {
    at_ = scan_.Next(at_);
    if (at_ >= text_.size()) {
      row.fault = RowFault::kUnclosedQuote;
      return {};
    }
    const char c = text_[at_];
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (c == '"') {
      if (next != '"') break;
      ++doubled;
      ++at_;
    } else if (c == '\n' || (c == '\r' && next != '\n')) {
      ++line_;
    }
    ++at_;
  }
  const size_t end = at_++;
  if (end - begin - doubled > kFieldBytesMax && row.fault == RowFault::kNone) {
    row.fault = RowFault::kFieldTooLong;
  }
  // Blanks between it and the separator are nothing; anything else is a fault, and the record is
  // skipped to its line's end so that the next one starts clean.
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  if (at_ < text_.size() && !AtLineEnd() && text_[at_] != separator_) {
    if (row.fault == RowFault::kNone) row.fault = RowFault::kBadQuote;
    while (at_ < text_.size() && !AtLineEnd()) at_ = scan_.Next(at_ + 1);
  }
  if (row.fault != RowFault::kNone) return {};
  return doubled == 0 ? text_.substr(begin, end - begin) : Unescape(begin, end);
}

absl::string_view CsvReader::Unescape(size_t begin, size_t end) {
  if (unescaped_.size() == unescaped_used_) unescaped_.emplace_back();
  std::string& out = unescaped_[unescaped_used_++];
  out.clear();
  for (size_t i = begin; i < end; ++i) {
    out.push_back(text_[i]);
    if (text_[i] == '"') ++i;  // its double
  }
  return out;
}

char SniffSeparator(absl::string_view text, size_t& skip) {
  skip = 0;
  // "sep=;" on a line of its own. A quote, a line end or a NUL separates nothing.
  if (absl::StartsWithIgnoreCase(text, "sep=") && text.size() >= 6 &&
      absl::string_view("\"\r\n\0", 4).find(text[4]) == absl::string_view::npos &&
      (text[5] == '\r' || text[5] == '\n')) {
    skip = text[5] == '\r' && text.size() > 6 && text[6] == '\n' ? 7 : 6;
    return text[4];
  }
  constexpr std::array<char, 4> kSeparators = {',', ';', '\t', '|'};
  std::array<size_t, 4> counts = {};
  bool quoted = false, any = false;
  for (const char c : text.substr(0, kRowBytesMax)) {
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == '\n' || c == '\r')) {
      if (any) break;
      counts = {};  // blank lines stand before the first
      continue;
    }
    any = any || !absl::ascii_isspace(static_cast<unsigned char>(c));
    for (size_t i = 0; i < kSeparators.size(); ++i) {
      if (!quoted && c == kSeparators[i]) ++counts[i];
    }
  }
  const auto best = std::max_element(counts.begin(), counts.end());  // the first of equals
  return kSeparators[static_cast<size_t>(best - counts.begin())];
}

}  // namespace outpace::load
