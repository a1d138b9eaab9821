#pragma once

// What a file's first row tells of all the others: whether it is a header, which column is which.

#include <string>

#include "absl/status/statusor.h"
#include "campaign/load/columns.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/loader.h"

namespace outpace::load {

struct Shape {
  ColumnMap columns;
  std::string layout;   // "header", "standard", ..., "no header"
  bool header = false;  // the first row is one
};

// InvalidArgument when no column can be the number to dial, or the layout that was asked for is not
// this file's; it names the columns found and what they could be called.
absl::StatusOr<Shape> ShapeOf(const Row& first, const LoadOptions& options);

}  // namespace outpace::load
