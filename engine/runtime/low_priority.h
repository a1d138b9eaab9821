#pragma once

#include <functional>

#include "absl/status/status.h"

namespace outpace::runtime {

// Runs `work` on a thread of its own, and the threads it starts, behind everything else, and
// returns when it is done: exports and reports while calls are placed. Any thread that may wait.
absl::Status AtLowPriority(const std::function<absl::Status()>& work);

}  // namespace outpace::runtime
