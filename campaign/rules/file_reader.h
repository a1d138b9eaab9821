#pragma once

// Reads the text of one jurisdiction. docs/COMPLIANCE.md has the keys.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "campaign/rules/rule_book.h"

namespace outpace::rules::internal {

// Appends "name:line: ..." to `faults` for each fault; the value is of use only without any.
Jurisdiction ReadJurisdiction(absl::string_view text, absl::string_view name,
                              std::vector<std::string>* faults);

}  // namespace outpace::rules::internal
