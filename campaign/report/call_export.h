#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"

namespace outpace::report {

struct ExportOptions {
  absl::Time from, to;  // dialed_at in [from, to)
  absl::TimeZone zone;  // for the times written
  CampaignId campaign;  // empty: all
  bool bom = false;     // UTF-8 byte order mark, for spreadsheets
};

// The call result export: one row an attempt, columns in a fixed order (docs/EXPORT.md), VICIdial's
// Export Calls Report columns first, ours after them. Text that a spreadsheet would run as a
// formula is neutralised with a leading apostrophe. Same range, same bytes. Calls `write` with
// pieces of the file; stops and returns its error. The result is the number of rows. Bytes differ
// between two exports of one range only where leads have changed in between: docs/EXPORT.md says
// which columns are as of the call and which as of the export.
absl::StatusOr<int64_t> ExportCalls(const campaign::LeadStore& store, const ExportOptions& options,
                                    const std::function<absl::Status(absl::string_view)>& write);

// The columns, in their order.
std::vector<std::string> ExportColumns();

// The figures of the same range, folded from the same attempts.
// Definitions in docs/EXPORT.md; attempts that were refused before the INVITE left count as
// trunk_faults only. talk_time is the sum of connected to ended.
struct DaySummary {
  int64_t attempts = 0, answered = 0, connected = 0, abandoned = 0, machines = 0, no_answer = 0,
          busy = 0, invalid = 0, unreachable = 0, rejected = 0, trunk_faults = 0, unknown = 0,
          sales = 0, dispositions = 0, open = 0;
  absl::Duration talk_time;
  double AbandonRatio() const;  // abandoned / (answered by a person), 0 without answers
};
absl::StatusOr<DaySummary> SummarizeCalls(const campaign::LeadStore& store,
                                          const ExportOptions& options);

}  // namespace outpace::report
