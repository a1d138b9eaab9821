#pragma once

// Splits text into records (RFC 4180, and what people make of it): quoted fields with separators
// and line ends inside, doubled quotes, CRLF, LF or CR. Fields are views of the text; nothing is
// copied but fields with doubled quotes in them.

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "campaign/load/csv_scan.h"

namespace outpace::load {

inline constexpr size_t kFieldBytesMax = 64 * 1024;
inline constexpr size_t kRowBytesMax = 256 * 1024;
inline constexpr size_t kColumnsMax = 256;

enum class RowFault : uint8_t {
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
  uint64_t octets = 0;    // of the whole record: more than raw.size() only when it is a LongRecord
  std::vector<absl::string_view> fields;  // kColumnsMax at most; valid until the next row is read
  RowFault fault = RowFault::kNone;
  bool has_line_end = false;  // false: the last record of a file that does not end in a line end
};

class CsvReader {
 public:
  // `text` must outlive the reader.
  CsvReader(absl::string_view text, char separator)
      : text_(text), separator_(separator), scan_(text, separator) {}
  // False at the end. Lines of blanks are skipped and counted.
  bool Next(Row& row);
  uint64_t blank_lines() const { return blank_lines_; }
  // Octets read so far: where the next record begins, or a blank line before it.
  size_t at() const { return at_; }
  // Line ends read so far.
  uint64_t lines() const { return line_ - 1; }

 private:
  void ReadRow(Row& row);
  // Reads one field from at_; returns with at_ at a separator, a line end or the end.
  absl::string_view ReadQuoted(Row& row);
  absl::string_view ReadPlain(Row& row);
  // The field from `begin` to `end` with its doubled quotes made single ones.
  absl::string_view Unescape(size_t begin, size_t end);
  bool SkipLineEnd();
  bool AtLineEnd() const { return text_[at_] == '\n' || text_[at_] == '\r'; }

  const absl::string_view text_;
  const char separator_;
  CsvScan scan_;
  size_t at_ = 0;
  uint64_t line_ = 1;
  uint64_t blank_lines_ = 0;
  std::deque<std::string> unescaped_;  // of the current row; the first `unescaped_used_` are in use
  size_t unescaped_used_ = 0;
};

// The separator of a file: named by a first line "sep=;" (Excel; `skip` is then its length), else
// the one of , ; tab | that occurs most often outside quotes in the first line that is not blank.
char SniffSeparator(absl::string_view text, size_t& skip);

}  // namespace outpace::load
