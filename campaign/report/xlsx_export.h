#pragma once

// An export of calls as a workbook: sheets of rows, and one of sums with charts. The only place
// with libxlsxwriter's headers is its .cc.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "campaign/lead_store.h"
#include "campaign/report/call_export.h"

namespace outpace::report {

// Writes the rows of ExportCalls() to `path`, made or emptied; temporary files lie in the same
// directory. Of its sheets the first sums up calls by status and by hour of the day, with a chart
// of each; the rows follow, `sheet_rows` a sheet at most (a sheet of Excel has 1,048,576 rows).
// Numbers are numbers, dates are dates of the zone, all else is text, whatever it looks like:
// nothing is ever a formula or a link. Nothing in the file says when it was written. Memory does
// not grow with the rows, but for eight bytes a call. ResourceExhausted: the disk.
absl::StatusOr<int64_t> ExportCallsXlsx(const campaign::LeadStore& store,
                                        const ExportOptions& options, const std::string& path,
                                        int64_t sheet_rows = 1'048'575);

}  // namespace outpace::report
