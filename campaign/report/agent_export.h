#pragma once

// Agents' figures of a range as a table: VICIdial's agent_stats_export columns first, ours after
// them. Definitions beside the columns; what the times mean: agent_times.h.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/lead_store.h"
#include "campaign/report/call_export.h"
#include "campaign/report/event_source.h"

namespace outpace::report {

// One row an agent, by user. Of `options` range, zone, campaign, format and bom count; CSV or JSON
// lines, in one piece with zstd. The result is the number of rows.
absl::StatusOr<int64_t> ExportAgents(const campaign::LeadStore& store, const EventSource& source,
                                     const ExportOptions& options,
                                     const std::function<absl::Status(absl::string_view)>& write);

// As CallSideCar().
std::string AgentSideCar(const ExportOptions& options);

}  // namespace outpace::report
