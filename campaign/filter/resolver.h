#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "campaign/filter/ast.h"
#include "campaign/filter/filter.h"
#include "campaign/filter/source_text.h"

namespace outpace::filter {

inline constexpr size_t kFieldsMax = 64;  // different ones in a filter

// Gives every test of `tree` its field's type and number and its values their meaning; `fields`
// gets the names in the order of those numbers. InvalidArgument, with the column: an unknown field
// (the nearest name is told), an operator that does not fit the type, a value of another type, a
// pattern that is none.
absl::Status Resolve(const SourceText& source, const FieldTypes& types, absl::CivilDay today,
                     Node& tree, std::vector<std::string>& fields);

// The day of a relative value: months and years end at the month's last day (31 March - 1 month is
// the last of February).
absl::CivilDay ShiftDay(absl::CivilDay today, int64_t shift, char unit);

}  // namespace outpace::filter
