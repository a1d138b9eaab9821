#pragma once

// CSV for spreadsheets and programs alike: RFC 4180 (commas, CRLF, quotes doubled), and no cell of
// text that a spreadsheet would run as a formula. The text comes from strangers: lead files,
// agents' notes, SIP headers.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace outpace::report {

// Whether a spreadsheet may take the text for a formula: it begins with = + - @, their full-width
// forms (Excel in a Chinese or Japanese locale), a tab, a CR or an LF.
bool LooksLikeFormula(absl::string_view text);

// A cell of text that we made ourselves: quoted where it has to be.
void AppendCsvCell(absl::string_view text, char separator, std::string& to);
// A cell of text from outside: neutralised with a leading apostrophe where it looks like a formula.
void AppendCsvText(absl::string_view text, char separator, std::string& to);

struct CsvStyle {
  char separator = ',';
  absl::string_view line_end = "\r\n";
  bool formulas = false;  // true: texts that look like one are written as they are
};

// Collects cells and rows and hands them on in pieces of about 64 KiB.
class CsvWriter {
 public:
  // `write` outlives the writer. After it has failed nothing more is written.
  explicit CsvWriter(const std::function<absl::Status(absl::string_view)>& write,
                     CsvStyle style = {})
      : write_(write), style_(style) {}

  void Raw(absl::string_view bytes) { buffer_.append(bytes.data(), bytes.size()); }
  // Text from outside: neutralised with a leading apostrophe where it looks like a formula.
  void Text(absl::string_view text);
  // A cell we made ourselves: a number, a time, a name of ours.
  void Plain(absl::string_view text);
  absl::Status EndRow();
  absl::Status Finish();  // hands on what is left

 private:
  void Begin();

  const std::function<absl::Status(absl::string_view)>& write_;
  const CsvStyle style_;
  std::string buffer_;
  bool row_begun_ = false;
};

}  // namespace outpace::report
