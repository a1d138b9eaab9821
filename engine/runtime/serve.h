#pragma once

#include "absl/status/status.h"
#include "engine/runtime/config.h"

namespace outpace::runtime {

// Runs the engine until SIGTERM or SIGINT, then drains: no new calls, those under way end by
// themselves for up to config.drain_time; a second signal ends at once. The status says why it
// could not start, with a remedy, or OK after an orderly end.
absl::Status Serve(const Config& config);

}  // namespace outpace::runtime
