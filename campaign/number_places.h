#pragma once

// The tables of towns and carriers behind Describe().

#include <string>

#include "absl/status/status.h"

namespace outpace::campaign::internal {

// Puts the tables of `directory` in force, laid over the built-in ones; see LoadNumberTables().
absl::Status LoadPlaceTables(const std::string& directory);

}  // namespace outpace::campaign::internal
