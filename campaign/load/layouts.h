#pragma once

// Files whose columns are known by position: the layouts of VICIdial's web form and of its
// command-line loader, named as there. Their order is that of the loader's own help text and
// examples (VICIDIAL_IN_new_leads_file.pl, https://github.com/ccabrerar/vicidial;
// facts only).

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/load/columns.h"

namespace outpace::load {

// "auto", "header", then the layouts by position, for error messages and help.
const std::vector<std::string>& LayoutNames();

// Whether `name` is a layout by position. The columns of such a file come from ColumnsOfLayout().
bool IsPositional(absl::string_view name);

// InvalidArgument when `name` is no layout that can be read; says what to do instead for the ones
// of VICIdial that are not (fixed width, status updates, collection agencies' extracts).
absl::Status CheckLayout(absl::string_view name);

// The columns of layout `name` (positional) for a file whose first row has `count` cells:
// "standard" is 23 columns, 25 with rank and owner, 26 or more with called_count, status,
// entry_date and further numbers. InvalidArgument: the row has too few columns to be of this
// layout.
absl::StatusOr<ColumnMap> ColumnsOfLayout(absl::string_view name, size_t count);

}  // namespace outpace::load
