#pragma once

// The best any dialer can do that does not know who will answer and when agents finish: the optimal
// control of a call floor whose times are exponential, so that the number of busy agents and of
// dials in flight is all there is to know. Used to hold the look-ahead rule, and with it the
// frontier, against something that is exact.
//
// State: b calls in the system (busy agents, and beyond N callers who wait and will be served), n
// dials in flight. Any number of lines may be dialed at any time. A dial ends after an exponential
// time (or two stages of it), and is then answered by a person with probability p. Served and
// abandoned calls are weighed with a multiplier c:
//
//   g(c) = max E[served - c (abandoned - alpha answered)] per second
//
// Every rule with abandoned <= alpha answered has a term of c that is not negative, so its rate of
// served calls is at most g(c), for each c >= 0: occupancy <= min_c g(c) tau / N (weak duality,
// attained by mixing two rules).
//
// Patience: a caller who finds k - 1 others waiting is served if k calls end within D, which for N
// exponential services has the Erlang probability P(Poisson(N D / tau) >= k). Such a caller waits
// in the system, the others are abandoned at once. What this leaves out is that time already
// waited is known.

#include <cstdint>

namespace outpace::lab {

struct OptimumSettings {
  int agents = 5;
  double answer_ratio = 0.2;        // p, (0, 1]
  double ring_s = 12;               // h, mean; > 0
  int ring_stages = 1;              // 1 or 2
  double handle_s = 180;            // tau, mean
  double patience_s = 2;            // D
  double abandon_ratio_max = 0.03;  // alpha
  // Iterations stop when the gain is known to this share of full occupancy.
  double precision = 1e-4;
};

struct OptimumResult {
  double occupancy = 0;   // the bound, a share
  double multiplier = 0;  // c that attains it
  int64_t sweeps = 0;     // of value iteration, all multipliers together
  // Most lines the best rule has out with no agent and with all agents busy, at that multiplier.
  int lines_when_empty = 0;
  int lines_when_full = 0;
};

// Work grows with agents^2 (one stage) or agents^3 (two); two stages are meant for up to 50 agents.
OptimumResult SolveOptimum(const OptimumSettings& settings);

}  // namespace outpace::lab
