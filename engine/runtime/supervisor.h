#pragma once

#include <functional>

#include "absl/time/time.h"

namespace outpace::runtime {

struct SupervisorOptions {
  // A child that lived this long died of something new: it is started again at once.
  absl::Duration healthy_after = absl::Seconds(60);
  absl::Duration backoff_first = absl::Milliseconds(200);  // doubles with each early death
  absl::Duration backoff_max = absl::Seconds(10);
  int early_deaths_max = 20;  // in a row; then the supervisor gives up
};

// Runs `child` in a process of its own and starts it again when a signal kills it: an assertion of
// the SIP stack, a fault, the kernel out of memory. The new process ends the calls that the old one
// left up (dialog journal) and goes on dialing. A child that ends by itself, with whatever exit
// code, is not started again: a configuration error does not get better by repetition.
//
// SIGTERM and SIGINT are passed on. The child dies with its supervisor (PR_SET_PDEATHSIG). Call
// before any thread is started. `child` returns an exit code; it is called in the child only.
// Returns the exit code of the last child, or 128 + signal when it gave up.
int Supervise(const SupervisorOptions& options, const std::function<int()>& child);

}  // namespace outpace::runtime
