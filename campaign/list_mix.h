#pragma once

// Shares by list of the leads a campaign dials, and sets of statuses, as a manager writes them.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/base/ids.h"

namespace outpace::campaign {

// A list's part of the leads dialed (VICIdial's list mix).
struct ListShare {
  ListId list;
  int percent = 0;                    // 1..100
  std::vector<std::string> statuses;  // only its leads of these; empty: all
  friend bool operator==(const ListShare&, const ListShare&) = default;
};

// "101:70,102:30", or with statuses "101:50:NEW,101:20:NA+B,102:30". InvalidArgument says what is
// wrong: the form, a list that stands twice for one status, percents that are not 100 together.
absl::StatusOr<std::vector<ListShare>> ParseListMix(absl::string_view text);
std::string ListMixText(const std::vector<ListShare>& mix);

// "NEW,NA,B"; blanks separate too, and VICIdial's closing "-" is passed over. InvalidArgument for
// what cannot be a status, a final one, or one that is named twice.
absl::StatusOr<std::vector<std::string>> ParseDialStatuses(absl::string_view text);

}  // namespace outpace::campaign
