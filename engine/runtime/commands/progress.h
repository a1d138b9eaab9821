#pragma once

// How far a long job is, on the terminal: one line that is rewritten; where the output is no
// terminal, a line every five seconds. Ctrl-C asks the job to end; a second one ends the command.

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/runtime/commands/admin_door.h"

namespace outpace::runtime {

// "leads.csv  38 %  3,812,004 rows  612,000 a second  0:10 left", of import.progress's answer.
std::string ProgressText(const nlohmann::ordered_json& progress);

// Asks an operation that takes "wait" until nothing else is under way, and returns its answer.
// Cancelled after Ctrl-C.
absl::StatusOr<nlohmann::ordered_json> AskWhenIdle(AdminDoor& door, absl::string_view operation,
                                                   const nlohmann::ordered_json& arguments);

// Starts the job (`operation` answers with its number), when others that are under way have ended,
// and waits for its end; progress goes to standard error. The job's own answer, or the error it
// failed with; Cancelled after Ctrl-C.
absl::StatusOr<nlohmann::ordered_json> RunJob(AdminDoor& door, absl::string_view operation,
                                              const nlohmann::ordered_json& arguments);

}  // namespace outpace::runtime
