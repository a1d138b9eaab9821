#pragma once

// Reports as the command line asks for them: which there are, and one of them in a form that people
// or programs read. Only reads, so it may run beside dialing.

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "campaign/lead_store.h"
#include "engine/base/clock.h"

namespace outpace::runtime {

// {"text": a line each, "reports": [{"name", "title", "line"}]}.
nlohmann::ordered_json ListReports();

// {"name": "agents", "day": "2026-11-21", ...}: "day", or "from" and "to"; "zone", "campaign",
// "list", "interval", "format", "lang", "path". The answer's "text" is the report, or with "path"
// a line on the file that has it. InvalidArgument and NotFound are made for people.
absl::StatusOr<nlohmann::ordered_json> MakeReport(const campaign::LeadStore& store,
                                                  const Clock& clock,
                                                  const nlohmann::ordered_json& arguments);

}  // namespace outpace::runtime
