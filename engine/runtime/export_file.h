#pragma once

// One export as a file with its side-car, for who orders it now and for schedules.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "campaign/lead_store.h"
#include "campaign/report/call_export.h"
#include "campaign/report/lead_export.h"
#include "engine/base/clock.h"

namespace outpace::runtime {

// The days, zone and campaign that `arguments` name ("day": 2026-11-21, today or yesterday; "from"
// and "to"; "zone"; "campaign") into `options`. InvalidArgument.
absl::Status ReadExportRange(const nlohmann::ordered_json& arguments, const Clock& clock,
                             report::ExportOptions& options);

struct ExportOrder {
  std::string what;            // calls, abandons, agents, leads
  report::ExportOptions rows;  // of all but leads
  report::LeadExportOptions leads;
  std::string encoding = "utf-8";  // of leads
};

// From the arguments of "export.calls" and so on (docs/EXPORT.md). What is not said of format and
// compression, the name of the file says: .xlsx, .jsonl, .zst. InvalidArgument, NotFound.
absl::StatusOr<ExportOrder> ReadExportOrder(const std::string& what,
                                            const nlohmann::ordered_json& arguments,
                                            const std::string& path,
                                            const campaign::LeadStore& store, const Clock& clock);

struct ExportWritten {
  int64_t rows = 0;
  uint64_t lost_characters = 0;  // that the encoding does not have
};

// Writes `path` and `path`.columns.json, each of which appears whole or not at all, on threads of a
// low priority, so that whoever dials goes first. Waits for them.
absl::StatusOr<ExportWritten> WriteExport(const campaign::LeadStore& store,
                                          const ExportOrder& order, const std::string& path);

// "export.events": the event log of the days that `arguments` name into the file of "path", which
// appears whole or not at all. At a low priority; waits. InvalidArgument: a campaign is named;
// agents' times are not of one alone.
absl::StatusOr<nlohmann::ordered_json> ExportEvents(const campaign::LeadStore& store,
                                                    const Clock& clock,
                                                    const nlohmann::ordered_json& arguments);

}  // namespace outpace::runtime
