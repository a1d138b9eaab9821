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
    if (end < text_.size() && text_[end] != '\n' && text_[end] != '\r') break;
    at_ = end;
    if (at_ == text_.size()) return false;
    SkipLineEnd(row);
    ++blank_lines_;
  }
  if (at_ >= text_.size()) return false;
  ReadRow(row);
  return true;
}

void CsvReader::SkipLineEnd(Row& row) {
  if (at_ >= text_.size()) return;
  if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
  ++at_;
  ++line_;
  row.has_line_end = true;
}

void CsvReader::ReadRow(Row& row) {
  const size_t begin = at_;
  row.line = line_;
  row.columns = 0;
  row.fault = RowFault::kNone;
  row.has_line_end = false;
  for (;;) {
    std::string* out = nullptr;
    if (row.columns < kColumnsMax) {
      if (row.fields.size() <= row.columns) row.fields.emplace_back();
      out = &row.fields[row.columns];
      out->clear();
    } else if (row.fault == RowFault::kNone) {
      row.fault = RowFault::kTooManyColumns;
    }
    if (at_ < text_.size() && text_[at_] == '"') {
      ReadQuoted(row, out);
    } else {
      ReadPlain(row, out);
    }
    if (out != nullptr) ++row.columns;
    if (at_ >= text_.size() || AtLineEnd()) break;
    ++at_;  // the separator
  }
  row.raw = text_.substr(begin, at_ - begin);
  if (row.fault == RowFault::kNone && row.raw.size() > kRowBytesMax) {
    row.fault = RowFault::kRowTooLong;
  }
  SkipLineEnd(row);
}

void CsvReader::ReadPlain(Row& row, std::string* out) {
  const size_t begin = at_;
  while (at_ < text_.size() && text_[at_] != separator_ && !AtLineEnd()) ++at_;
  const absl::string_view field = text_.substr(begin, at_ - begin);
  if (field.size() > kFieldBytesMax) {
    if (row.fault == RowFault::kNone) row.fault = RowFault::kFieldTooLong;
  } else if (out != nullptr) {
    out->assign(field.data(), field.size());
  }
}

void CsvReader::ReadQuoted(Row& row, std::string* out) {
  size_t length = 0;
  ++at_;
  for (;;) {
    if (at_ >= text_.size()) {
      row.fault = RowFault::kUnclosedQuote;
      return;
    }
    const char c = text_[at_];
    if (c == '"') {
      if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
      ++at_;  // doubled: one quote
    } else if (c == '\n' || (c == '\r' && (at_ + 1 >= text_.size() || text_[at_ + 1] != '\n'))) {
      ++line_;
    }
    if (++length > kFieldBytesMax) {
      if (row.fault == RowFault::kNone) row.fault = RowFault::kFieldTooLong;
    } else if (out != nullptr) {
      out->push_back(c);
    }
    ++at_;
  }
  ++at_;  // the closing quote
  // Blanks between it and the separator are nothing; anything else is a fault, and the record is
  // skipped to its line's end so that the next one starts clean.
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  if (at_ >= text_.size() || AtLineEnd() || text_[at_] == separator_) return;
  if (row.fault == RowFault::kNone) row.fault = RowFault::kBadQuote;
  while (at_ < text_.size() && !AtLineEnd()) ++at_;
}

char SniffSeparator(absl::string_view text, size_t& skip) {
  skip = 0;
  // "sep=;" on a line of its own.
  if (absl::StartsWithIgnoreCase(text, "sep=") && text.size() >= 6 &&
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
