#pragma once

// A campaign's statuses as a file: written as CSV with a heading, read in any encoding and from a
// spreadsheet too.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/status_set.h"

namespace outpace::runtime {

// UTF-8 with a byte order mark, for spreadsheets. `own_only`: without what every campaign has.
absl::Status WriteStatusFile(const campaign::StatusSet& statuses, bool own_only,
                             const std::string& path);

// The rows of a file. Its heading names columns of StatusColumns(), "status" among them; of a
// column that is missing, and of cells behind a row's end, a row keeps what `known` has for its
// status. InvalidArgument tells all faults at once, a line each with its number in the file.
absl::StatusOr<std::vector<campaign::Disposition>> ReadStatusFile(const std::string& path,
                                                                  const campaign::StatusSet& known);

}  // namespace outpace::runtime
