#pragma once

// A status as named cells of text: for its table as a file, for `outpace status set`, and for the
// store. One list of columns, so that these cannot disagree.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "campaign/disposition.h"

namespace outpace::campaign {

// "status", "name", "name_zh", "category", "hotkey", the ten flags ("dnc_flag" the one of them),
// "delay" (seconds), "tries", "then", "next" (main, alt), "next_delay" (seconds), "tier" (A, B,
// keep), "dnc" (campaign, client, system or empty), "final".
std::vector<std::string> StatusColumns();
// "Y" and "N" for flags. The column must be one of StatusColumns().
std::string StatusCell(const Disposition& row, absl::string_view column);
// InvalidArgument says what may stand there, with an example; the row is as it was then.
absl::Status SetStatusCell(absl::string_view column, absl::string_view value, Disposition& row);
// 1..6 of A-Z a-z 0-9 _ -
bool IsStatusName(absl::string_view text);

}  // namespace outpace::campaign
