#pragma once

// The measurements: each starts the process under test beside a far end of this program, lets it
// come to a steady state, and reads the far end's log and the kernel's figures over a window.

#include <string>

#include "absl/status/statusor.h"
#include "bench/sip/row.h"

namespace outpace::bench {

struct RunOptions {
  std::string engine;  // path of `outpace`
  std::string self;    // path of this program, which is also the bare client
  double rate = 50;
  double seconds = 20;
  int ring_ms = 400;  // under 300 the pacer takes the answers for a trunk that answers everything
  int hold_ms = 2'000;
  int held = 0;       // calls held at once before the window, to see what each takes; 0: no
  int flood = 0;      // strangers' messages a second during the window
  double silent = 0;  // calls a second ordered on a second trunk that answers nothing
  // What the engine needs for a rate; see PlanFor().
  double agents_per_cps = 1.15;
  int fds_per_leg = 2;
  double port_rest_s = 5;
  std::string more_media;  // lines for [media] of the engine's configuration
  std::string perf;        // file for `perf record` of the window; empty: none
};

// Also fills in what the options `held`, `flood` and `silent` ask for; their results are in the
// row's note, the held calls' memory in its column.
absl::StatusOr<Row> RunNta(const RunOptions& options);
// The campaign's agents all have a long call each, so that every further call is answered, waits
// for an agent and is ended by the far end before one is free: one leg a call.
absl::StatusOr<Row> RunOneLeg(const RunOptions& options);
// Each call is bridged to an agent's nailed-up line; the far end hangs up, the agent disposes at
// once.
absl::StatusOr<Row> RunBridged(const RunOptions& options);

}  // namespace outpace::bench
