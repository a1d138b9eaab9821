#pragma once

// Which columns an export of calls has, under which headers and in which order.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "campaign/report/call_columns.h"

namespace outpace::report {

struct LayoutColumn {
  absl::string_view header;
  const CallColumn* column;
  absl::string_view header_en = {};      // where `header` is in another language
  absl::string_view definition_zh = {};  // of a Chinese layout
};

struct CallLayout {
  absl::string_view name;
  absl::string_view title;  // what it is, in a line
  char separator;           // of its CSV form
  std::vector<LayoutColumn> columns;
  bool abandoned_only = false;  // only rows of abandoned calls
  bool needs_leads = false, needs_recordings = false;
};

// vicidial, vicidial-extended, five9, cn, outpace, abandons. InvalidArgument: no such layout.
absl::StatusOr<const CallLayout*> FindCallLayout(absl::string_view name);
absl::Span<const CallLayout> CallLayouts();

}  // namespace outpace::report
