#pragma once

#include <string>

#include "absl/status/status.h"
#include "campaign/report/report.h"

namespace outpace::report {

// Writes a workbook (ECMA-376) to `path`, which it creates: a sheet a table, with a filter, its
// definitions and its charts below. Texts are texts, whatever they look like; numbers are numbers,
// times parts of a day, as spreadsheets keep them. The same report is the same file. Unavailable:
// the disk.
absl::Status WriteReportXlsx(const Report& report, Language language, const std::string& path);

}  // namespace outpace::report
