#pragma once

// The columns of reports: name, heading, unit and definition in English and Chinese, and how the
// value comes from the sums. A column means the same in every report that has it. docs/REPORTS.md
// is held to these words by a test.

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "campaign/report/figures.h"

namespace outpace::report {

struct Words {
  absl::string_view en, zh;
};

enum class Unit {
  kText,
  kCount,    // a whole number
  kPercent,  // 0..100
  kTime,     // seconds in all, shown as h:mm:ss
  kSeconds,  // a mean, shown with one decimal
  kNumber,   // two decimals
  kMoney,    // in the currency of the trunks' tariffs, four decimals
};
absl::string_view UnitName(Unit unit);  // "text", "count", "percent", "seconds", "number", "money"

struct ColumnSpec {
  absl::string_view id;
  Words heading;
  Unit unit = Unit::kText;
  Words definition;
  // Of a row and the sums of its whole table; null: what the row is about (a key).
  double (*value)(const Sums& row, const Sums& all) = nullptr;
};

// All of them; ids differ.
const std::vector<ColumnSpec>& AllColumns();
// Checked: there is one of this id.
const ColumnSpec& ColumnOf(absl::string_view id);
// The columns that its definition speaks of, and those that theirs do.
std::vector<absl::string_view> UsedBy(absl::string_view id);

}  // namespace outpace::report
