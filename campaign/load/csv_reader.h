#pragma once

// Splits text into records (RFC 4180, and what people make of it): quoted fields with separators
// and line ends inside, doubled quotes, CRLF, LF or CR. Every octet is looked at once, so a bomb
// costs no more than its size, and a record that is too large is skipped without being held.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace outpace::load {

inline constexpr size_t kFieldBytesMax = 64 * 1024;
inline constexpr size_t kRowBytesMax = 256 * 1024;
inline constexpr size_t kColumnsMax = 256;

enum class RowFault {
  kNone,
  kUnclosedQuote,   // the rest of the file went into this record
  kBadQuote,        // text behind a closing quote
  kFieldTooLong,    // over kFieldBytesMax
  kTooManyColumns,  // over kColumnsMax
  kRowTooLong,      // over kRowBytesMax
};

struct Row {
  uint64_t line = 0;      // 1-based line on which it begins
  absl::string_view raw;  // as it stands in the text, without its line end
  size_t columns = 0;     // fields[0 .. columns) are this row's; the rest are spare strings
  std::vector<std::string> fields;
  RowFault fault = RowFault::kNone;
  bool has_line_end = false;  // false: the last record of a file that does not end in a line end
};

class CsvReader {
 public:
  // `text` must outlive the reader.
  CsvReader(absl::string_view text, char separator) : text_(text), separator_(separator) {}
  // False at the end. Lines of blanks are skipped and counted.
  bool Next(Row& row);
  uint64_t blank_lines() const { return blank_lines_; }
  // What has not been read yet.
  absl::string_view rest() const { return text_.substr(at_); }

 private:
  void ReadRow(Row& row);
  // Reads one field from at_; returns with at_ at a separator, a line end or the end.
  void ReadQuoted(Row& row, std::string* out);
  void ReadPlain(Row& row, std::string* out);
  void SkipLineEnd(Row& row);
  bool AtLineEnd() const { return text_[at_] == '\n' || text_[at_] == '\r'; }

  absl::string_view text_;
  char separator_;
  size_t at_ = 0;
  uint64_t line_ = 1;
  uint64_t blank_lines_ = 0;
};

// The separator of a file: named by a first line "sep=;" (Excel; `skip` is then its length), else
// the one of , ; tab | that occurs most often outside quotes in the first line that is not blank.
char SniffSeparator(absl::string_view text, size_t& skip);

}  // namespace outpace::load
