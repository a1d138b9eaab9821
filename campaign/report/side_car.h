#pragma once

// What lies beside an export: which range it holds, and what each of its columns means.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "campaign/report/call_export.h"
#include "campaign/report/lead_export.h"

namespace outpace::report {

// JSON, as docs/EXPORT.md has it. The same range gives the same bytes: no time of writing is in it.
// InvalidArgument: no such layout.
absl::StatusOr<std::string> CallSideCar(const ExportOptions& options);
// `columns`: of the file, in their order.
std::string LeadSideCar(const LeadExportOptions& options, const std::vector<std::string>& columns);

}  // namespace outpace::report
