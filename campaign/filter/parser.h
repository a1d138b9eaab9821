#pragma once

#include "absl/status/statusor.h"
#include "campaign/filter/ast.h"
#include "campaign/filter/source_text.h"

namespace outpace::filter {

inline constexpr size_t kTestsMax = 4'096;  // of one filter

// The tree of a filter: `and` in `and` and `or` in `or` are one node, a double `not` is none.
// InvalidArgument: what was expected, and at which column. Fields and values are not looked at.
absl::StatusOr<Node> ParseTree(const SourceText& source);

}  // namespace outpace::filter
