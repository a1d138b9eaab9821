#pragma once

// Rows of an export of calls as text: CSV or JSON lines. Pure; any thread.

#include <string>

#include "absl/strings/string_view.h"
#include "campaign/report/call_layouts.h"
#include "campaign/report/call_row.h"

namespace outpace::report {

// The header row; with CRLF.
void AppendCsvHeader(const CallLayout& layout, std::string& to);
void AppendCsvRow(const CallLayout& layout, const CallRow& row, std::string& to);
// An object a line: numbers as numbers, what is empty as null, all else as text.
void AppendJsonRow(const CallLayout& layout, const CallRow& row, std::string& to);

// A JSON string with its quotes; what is no UTF-8 becomes U+FFFD.
void AppendJsonString(absl::string_view text, std::string& to);
// The value of a cell as text, into row.context.scratch or where it is.
absl::string_view CellText(const CallColumn& column, const CallRow& row, std::string& scratch);
// `text` cut to whole characters of `bytes` octets at most; what is no UTF-8 becomes U+FFFD.
std::string ValidUtf8(absl::string_view text, size_t bytes);

}  // namespace outpace::report
