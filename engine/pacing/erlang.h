#pragma once

// Queueing formulas for a dialer without feedback: calls come as a Poisson stream whatever the
// agents do, and handle times are exponential. They answer "how many agents for this load" and give
// the feed-forward operating point and the sanity limits of large groups. They do not pace: a
// dialer that sees which agents are free right now does far better than these
// (docs/decisions/pacing-lookahead.md).
//
// The four formulas differ only in how long a caller waits who finds all servers busy: not at all
// (Erlang B), an exponential time (Erlang A), a fixed time (M/M/N+D, the law of a call that is
// abandoned after the answer limit), for ever (Erlang C). No factorial and no power is formed, only
// ratios of neighbouring states starting from the likeliest one, so that all of them are good to
// some 1e-12 relative from 1 server to more than 10,000; what is below 1e-300 is 0.
//
// Units: `load` is offered traffic in erlangs (answers per second x mean handle time); `patience`,
// `wait` and mean_wait are in mean handle times (2 s at a handle time of 180 s is 2/180).
//
// Whatever is passed in, the answer is a number that errs to the careful side:
//   servers < 1      nobody serves: every call is lost or waits out its patience
//   load             negative is 0; NaN is infinite; infinite: every call is lost, servers are busy
//   patience, wait   negative and NaN are 0; above 1e6 is infinite: nobody leaves
//   targets          NaN and negative are 0, which only no load at all meets

#include <optional>

namespace outpace::pacing {

// How long a caller waits who finds all servers busy.
enum class Waiting {
  kNone,         // leaves at once: Erlang B
  kExponential,  // `patience` is the mean: Erlang A (Palm), M/M/N+M
  kFixed,        // exactly `patience`: M/M/N+D
  kForever,      // Erlang C
};

// Steady state of one group, per call offered.
struct QueueState {
  double p_abandon = 0;  // share of calls lost
  double p_wait = 0;     // share of calls that found all servers busy
  double mean_wait = 0;  // of all calls, served or lost; infinite where the queue has no end
  double occupancy = 0;  // share of the servers' time in use
};

// Erlang B: the share of calls that find all servers busy and are lost at once.
//   1 / B = 1 + N/a + N(N-1)/a^2 + ...
double ErlangB(int servers, double load);

// Erlang C: the share of calls that wait when all callers wait for ever.
//   C = N B / (N - a + a B); 1 when load >= servers: the queue grows without end.
double ErlangC(int servers, double load);

// Share of calls that wait longer than `wait` when all callers wait for ever: C e^{-(N - a) wait}.
// 1 when load >= servers.
double ErlangCWaitTail(int servers, double load, double wait);

// Erlang A, from its birth and death process: up with rate a, down with k in state k <= N and with
// N + (k - N) / patience above (Palm 1957; Garnett, Mandelbaum, Reiman 2002).
QueueState ErlangA(int servers, double load, double patience);

// M/M/N+D (Baccelli and Hebuterne 1981). With eps = 1/B_{N-1}, x = a - N,
// J = (e^{xd} - 1)/x + e^{xd}/N:
//   P_ab = (1 + x J) / (eps + a J),  P_wait = a J / (eps + a J).
QueueState ErlangWithPatience(int servers, double load, double patience);

// The figure a target is set for. kNone: blocked. kExponential, kFixed: abandoned. kForever: waits
// longer than `patience`, which nobody leaves for. Grows with the load, falls with servers and
// patience.
double ShareLost(Waiting waiting, int servers, double load, double patience);

// Largest load (erlangs) with ShareLost() <= share_max, to 13 digits. 0 without servers or with a
// target of 0; infinite with a target of 1 or more.
double MaxLoad(Waiting waiting, int servers, double patience, double share_max);

// Smallest number of servers with ShareLost() <= share_max; 0 for no load or a target of 1 or more.
// nullopt where kServersMax are not enough, which a target of 0 and an infinite load always need.
inline constexpr int kServersMax = 1'000'000;
std::optional<int> MinServers(Waiting waiting, double load, double patience, double share_max);

}  // namespace outpace::pacing
