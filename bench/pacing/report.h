#pragma once

// What the suite leaves behind: CSV files, a page with charts and tables, and the lines printed at
// the end.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "bench/pacing/plots.h"

namespace outpace::lab {

// A field as RFC 4180 wants it: in quotes where it holds a comma, a quote or a line break.
std::string CsvField(absl::string_view text);

// One row a scenario and rule. Shares are in percent, empty: not defined.
std::string CellsCsv(const SuiteResults& results);
// One row for each half hour of each run; the last one of a run may be shorter.
std::string HalfHoursCsv(const SuiteResults& results);
// One row for each minute around the steps.
std::string ResponseCsv(const SuiteResults& results);

// For a terminal.
std::string CellsText(const SuiteResults& results);
std::string FiguresText(absl::Span<const Figure> figures);

// One file, complete in itself: no script, no font, no image from elsewhere.
std::string ReportHtml(const SuiteResults& results, absl::Span<const Plot> plots);

// What of QuickLimits() the results miss, a line each; empty: all is met. A scenario that was not
// run counts as missed.
std::string QuickFaults(const SuiteResults& results);

}  // namespace outpace::lab
