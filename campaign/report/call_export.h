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

enum class ExportFormat { kCsv, kJsonLines, kXlsx };
// "csv", "jsonl", "xlsx".
absl::string_view ExportFormatName(ExportFormat format);
absl::StatusOr<ExportFormat> ParseExportFormat(absl::string_view name);

struct ExportOptions {
  absl::Time from, to;             // dialed_at in [from, to)
  absl::TimeZone zone;             // for the times written
  CampaignId campaign;             // empty: all
  bool bom = false;                // CSV: UTF-8 byte order mark, for spreadsheets
  std::string layout = "outpace";  // call_layouts.h
  ExportFormat format = ExportFormat::kCsv;
  bool zstd = false;  // CSV, JSON lines: compressed, RFC 8878
  int threads = 2;    // that read and format, 1 to 16
};

// The call result export: one row an attempt by rising id, columns in a fixed order
// (docs/EXPORT.md). Text that a spreadsheet would run as a formula is neutralised with a leading
// apostrophe in CSV. Same range, same bytes. Calls `write` with pieces of the file, in order and
// one at a time, on any of its threads; stops and returns its error. The result is the number of
// rows. Bytes differ between two exports of one range only where leads have changed in between:
// docs/EXPORT.md says which columns are as of the call and which as of the export. CSV and JSON
// lines; for spreadsheets see xlsx_export.h. Holds some megabytes a thread, and eight bytes a call.
absl::StatusOr<int64_t> ExportCalls(const campaign::LeadStore& store, const ExportOptions& options,
                                    const std::function<absl::Status(absl::string_view)>& write);

// The columns of layout `outpace`, in their order.
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
