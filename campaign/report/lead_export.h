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

struct LeadExportOptions {
  // vicidl: VICIdial's list download, tabs and a header row.
  // standard: its 23 columns, '|', no header. stdrankowner: these and called_count, status,
  //   entry_date, rank, owner and the further numbers of a lead.
  // outpace: CSV with a header; vicidl's columns, ours, then every further column of the lists.
  std::string layout = "vicidl";
  ListId list = {};          // none: of all lists
  CampaignId campaign = {};  // empty: of all campaigns
  absl::TimeZone zone = {};  // of entry_date and modify_date
  absl::Time now = {};       // for gmt_offset_now
  bool bom = false;          // UTF-8 byte order mark in front
  // Texts that a spreadsheet would run as a formula as they are. False: with an apostrophe in
  // front, which then comes back with an import.
  bool raw = false;
};

// "vicidl", "standard", "stdrankowner", "outpace".
const std::vector<std::string>& LeadExportLayouts();

// Writes leads by rising id; the result is their number. An import reads what it writes back into
// the same numbers and texts (docs/EXPORT.md). Calls `write` with pieces of about 64 KiB of UTF-8;
// stops and returns its error. InvalidArgument: no such layout. Memory does not grow with the
// number of leads. Layout outpace reads the leads twice: first for the columns that they have.
// `columns`, if not null: the names of the columns, in their order.
absl::StatusOr<int64_t> ExportLeads(const campaign::LeadStore& store,
                                    const LeadExportOptions& options,
                                    const std::function<absl::Status(absl::string_view)>& write,
                                    std::vector<std::string>* columns = nullptr);

}  // namespace outpace::report
