#pragma once

// Queueing formulas for a dialer without feedback: calls come as a Poisson stream whatever the
// agents do. They answer "how many agents for this load" and give the feed-forward operating point
// and the sanity limits of large groups. They do not pace: a dialer that sees which agents are free
// right now does far better than these (docs/decisions/pacing-lookahead.md).
//
// Units: `load` is offered traffic in erlangs (answers per second x mean handle time, >= 0);
// `patience` and `wait` are in mean handle times (2 s at a handle time of 180 s is 2/180).

namespace outpace::pacing {

// Erlang B: the share of calls that find all of `servers` (>= 0) busy and are lost at once.
// B_0 = 1, B_k = a B_{k-1} / (k + a B_{k-1}); no factorial is formed, so it is stable for any size.
double ErlangB(int servers, double load);

// Erlang C: the share of calls that wait when all callers wait for ever: C = N B / (N - a (1 - B)).
// 1 when load >= servers (the queue grows without end).
double ErlangC(int servers, double load);

// Share of calls that wait longer than `wait` when all callers wait for ever:
// C e^{-(N - a) wait}. 1 when load >= servers.
double ErlangCWaitTail(int servers, double load, double wait);

struct PatienceResult {
  double p_abandon = 0;  // share of calls lost because `patience` ran out
  double p_wait = 0;     // share of calls that found all servers busy
  double occupancy = 0;  // share of the servers' time in use
};

// M/M/N+D: exponential handle times, every caller waits exactly `patience` (>= 0) and then is lost
// (Baccelli and Hebuterne 1981). This is the law of abandoned calls with a fixed answer limit.
// With eps = 1/B_{N-1}, x = a - N, J = (e^{xd} - 1)/x + e^{xd}/N (mean handle time = 1):
//   P_ab = (1 + x J) / (eps + a J),  P_wait = a J / (eps + a J).
// `servers` >= 1.
PatienceResult ErlangWithPatience(int servers, double load, double patience);

// Largest load whose M/M/N+D abandonment is at most `p_abandon_max` (in (0, 1)).
double MaxLoadForAbandonment(int servers, double patience, double p_abandon_max);

// Largest load whose Erlang C tail P(W > wait) is at most `p_wait_max` (in (0, 1)).
double MaxLoadForWaitTail(int servers, double wait, double p_wait_max);

}  // namespace outpace::pacing
