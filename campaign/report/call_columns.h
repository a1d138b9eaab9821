#pragma once

// Every column that an export of calls can have, each with what it means: the one table behind
// header, rows, side-car and docs/EXPORT.md. Layouts (call_layouts.h) pick from it.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/report/call_row.h"

namespace outpace::report {

enum class CellType {
  kText,    // from outside: may have to be quoted, and neutralised
  kName,    // ours, of a table that somebody may have edited: may have to be quoted
  kCode,    // ours: letters and digits
  kPhone,   // digits
  kDate,    // "2026-11-22 10:30:00" in the zone of the export
  kNumber,  // decimal
};
absl::string_view CellTypeName(CellType type);

// What a value stands for: the moment of the call, or the moment of the export.
enum class AsOf { kCall, kNow, kNone };
absl::string_view AsOfName(AsOf as_of);  // "call", "now", "-"

struct CallColumn {
  absl::string_view name;
  CellType type;
  AsOf as_of;
  // One of the two is null: texts are shown where they are, all else is written.
  absl::string_view (*view)(const CallRow& row);
  void (*append)(const CallRow& row, std::string& to);
  absl::string_view definition;
};

// In the order of layout `outpace`, then those that only other layouts have, from this one on.
inline constexpr absl::string_view kFirstColumnOfOtherLayouts = "last_local_call_time";
absl::Span<const CallColumn> CallColumns();
// Null: no such column.
const CallColumn* FindCallColumn(absl::string_view name);

}  // namespace outpace::report
