#pragma once

// What the renderers of reports have in common.

#include <string>

#include "absl/strings/string_view.h"
#include "campaign/report/report.h"

namespace outpace::report {

// Of cell `column` in row `row` of the table, in the language's words for TOTAL and LIFE.
std::string ShownCell(const Table& table, size_t row, size_t column, Language language);

// Columns a text takes on a terminal: two for wide characters (UAX #11), none for marks.
size_t TextWidth(absl::string_view utf8);

// Without control characters, which a terminal would obey; broken UTF-8 as '?'.
std::string Printable(absl::string_view utf8);

}  // namespace outpace::report
