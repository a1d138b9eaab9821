#pragma once

// One campaign's pacing: what has happened goes in as attempts and agents change state, and
// Decide() says how many legs to place now. It owns the learned laws (estimators.h), the
// abandonment budget (abandon_budget.h) and the rule (lookahead.h); the time is an argument, so an
// hour of dialing replays to the same decisions.

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"
#include "engine/pacing/abandon_budget.h"
#include "engine/pacing/estimators.h"
#include "engine/pacing/lookahead.h"

namespace outpace::pacing {

enum class DialMethod {
  kManual,       // the agent dials; no leg is placed here
  kPreview,      // the agent looks at the lead first; no leg is placed here
  kProgressive,  // one line for each free agent
  kRatio,        // dial_level lines for each agent who is free or talking
  kPredictive,   // look-ahead within the abandonment cap
};

struct PacerSettings {
  DialMethod method = DialMethod::kProgressive;
  double dial_level = 1;            // kRatio: lines per agent, taken as 1..dial_level_max
  double dial_level_max = 10;       // most lines (ringing, waiting, talking) per agent, any method
  double abandon_ratio_max = 0.03;  // 16 CFR 310.4(b)(4)(i); in (0, 1)
  absl::Duration answer_limit = absl::Seconds(2);    // answer to agent, then the call is abandoned
  absl::Duration ring_time_max = absl::Seconds(26);  // INVITE to giving up
  int lines_max = 1'000'000;                         // most lines of the campaign at once
};

// How an attempt ended without reaching an agent.
enum class AttemptResult {
  kPerson,   // answered by a person, lost before the answer limit (the caller hung up)
  kMachine,  // a machine, found by AMD or by early media
  kNoAnswer,
  kBusy,
  kInvalid,     // vacant number
  kOther,       // rejected, unreachable, unknown
  kTrunkFault,  // congestion, no capacity: says nothing of the list and is not counted in the mix
  kCancelled,   // withdrawn by us before the ring limit: counts as ringing time only
};

// What bound the number of legs.
enum class Limit {
  kNone,         // nothing to decide yet
  kMethod,       // manual or preview
  kAgents,       // no agent logged in, or one line per free agent is out (progressive)
  kLevel,        // dial_level or dial_level_max
  kAbandonment,  // the next dial's P_ab is above theta
  kBudget,       // the window's abandonment budget is spent: progressive until it recovers
  kLines,        // lines_free or lines_max
  kTrunkRate,    // trunk_tokens
  kHopper,       // leads_ready
  kBurst,        // rate limit per agent: no catch-up burst after a stall
};
// "none", "method", "agents", "level", "abandonment", "budget", "lines", "trunk_rate", "hopper",
// "burst": the names of the boards.
absl::string_view LimitName(Limit limit);

struct PacerAgents {
  int idle = 0;                                // ready, no call reserved for them
  absl::Span<const absl::Duration> talk_ages;  // of each agent on a call, time since connected
  absl::Span<const absl::Duration>
      wrap_ages;  // of each agent in wrap-up who will be ready after it
};

struct PacerLimits {
  int lines_free = 0;
  int trunk_tokens = 0;  // legs the trunks' rate limit (CPS) lets through now
  int leads_ready = 0;
};

struct Decision {
  int legs_to_place = 0;
  Limit limit = Limit::kNone;
  double p_abandon = 0;             // of the dial that would come next (predictive)
  double theta = 0;                 // what is allowed for it
  double agents_expected_free = 0;  // free now or within a ring time, minus waiting calls
  double answers_expected = 0;      // from the dials in flight within a ring time
  double answer_ratio = 0;          // share of dials answered and presented to an agent, learned
  double dial_level = 0;            // lines per logged-in agent after this decision
};

// Learned figures for boards and logs.
struct PacerSnapshot {
  double answer_ratio = 0;              // answered by what reaches agents / dialed
  std::array<double, kRingEnds> mix{};  // share of each RingEnd; sums to 1
  absl::Duration ring_time_mean;        // INVITE to answer
  absl::Duration talk_time_mean;
  absl::Duration wrap_time_mean;
  AbandonCounts window;        // persons and abandoned calls of the window
  int in_flight = 0;           // dialed, neither answered nor resolved
  int64_t callers_gone = 0;    // hung up while waiting, before the answer limit
  int64_t events_unknown = 0;  // named an attempt that is not in that state: counted, ignored
};

// Controller thread only. Copyable: a copy decides as the original would.
class Pacer {
 public:
  explicit Pacer(const PacerSettings& settings);
  // Takes effect at the next Decide(); what was learned is kept.
  void UpdateSettings(const PacerSettings& settings);

  // Each OnDialed is followed by one of OnAnswered and OnResolved, each OnAnswered by one of
  // OnConnected, OnAbandoned and OnResolved. An event for an attempt in another state is ignored
  // and counted. `now` does not go back.
  void OnDialed(AttemptId id, MonoTime now);
  // Answered: a person until told otherwise.
  void OnAnswered(AttemptId id, MonoTime now);
  // Ended without an answer; or, after OnAnswered, kMachine: AMD found a machine, kPerson: the
  // caller hung up while waiting and before the answer limit, which is not an abandoned call.
  void OnResolved(AttemptId id, AttemptResult result, MonoTime now);
  void OnConnected(AttemptId id, MonoTime now);
  // Answered and met by no agent within the answer limit.
  void OnAbandoned(AttemptId id, MonoTime now);
  // The agent's disposition says that a connected call was a machine. At most once an attempt.
  void OnWasMachine(AttemptId id);
  void OnTalkEnded(AttemptId id, absl::Duration talk, MonoTime now);
  void OnWrapEnded(absl::Duration wrap, MonoTime now);

  // Legs to place now. Call when an agent gets free, when an attempt resolves, and every 0.5 to 1
  // s. `calls_waiting`: answered calls without an agent, in AMD or queued. Negative inputs count as
  // 0. Never more than any of `limits` allows; 0 without agents. The caller reports each leg it
  // then places with OnDialed.
  Decision Decide(const PacerAgents& agents, int calls_waiting, const PacerLimits& limits,
                  MonoTime now);

  PacerSnapshot Snapshot() const;
  // The abandonment window: StartWindow() at its beginning (day, month or campaign, as the
  // campaign's rule says), SetCounts() with what the store knows after a restart.
  AbandonBudget& budget() { return budget_; }
  const AbandonBudget& budget() const { return budget_; }

  // What was learned, as plain numbers to be stored and given to LoadState() after a restart.
  // Dials in flight are not part of it. InvalidArgument, and no change, if `state` cannot be one.
  std::vector<double> SaveState() const;
  absl::Status LoadState(absl::Span<const double> state);

 private:
  struct InFlight {
    AttemptId id;
    MonoTime dialed;
  };
  // What a leg limit leaves of the wish, noting which limit bound it.
  static void Cap(int most, Limit limit, Decision& decision);

  bool TakeInFlight(AttemptId id, MonoTime now, double& age_s);
  bool TakeAnswered(AttemptId id, double* ring_s);
  void Learn(const PacerAgents& agents, MonoTime now);  // spends the time, every kRefreshEvery
  void BuildTables();
  double AnswerFactor() const;
  double SinceSpent(MonoTime now, double age_s) const;
  // Leaves legs_to_place as it is when the look-ahead was stopped by `legs_most` and not by the
  // risk.
  void DecidePredictive(int free_now, int agents_all, int legs_floor, int legs_most,
                        Decision& decision);
  int BurstAllowance(int agents_all, MonoTime now);

  PacerSettings settings_;
  DurationLaw ring_;
  DurationLaw talk_;
  DurationLaw wrap_;
  AbandonBudget budget_;
  Lookahead lookahead_;

  // A vector in an order that depends on the events alone (sums of doubles depend on the order),
  // and the place of each id in it.
  std::vector<InFlight> in_flight_;
  absl::flat_hash_map<AttemptId, size_t> in_flight_index_;
  absl::flat_hash_map<AttemptId, double> answered_;  // not yet connected; its ring time, seconds
  int64_t callers_gone_ = 0;
  int64_t events_unknown_ = 0;

  bool spent_once_ = false;  // when the laws were last told of the time passed
  MonoTime spent_;
  bool tables_stale_ = true;
  // Drift: answers seen and answers expected from the law, over about the last kDriftMemory
  // answers.
  double drift_seen_ = 0;
  double drift_expected_ = 0;
  double burst_tokens_ = 0;
  MonoTime burst_filled_;
  bool burst_started_ = false;

  // Tables over the bins of age, one for each ring point: q of a dial, c of a talking agent, c of
  // an agent in wrap-up. Rebuilt by Refresh(), read by interpolation.
  std::array<std::vector<double>, kRingPoints> dial_table_;
  std::array<std::vector<double>, kRingPoints> talk_table_;
  std::array<std::vector<double>, kRingPoints> wrap_table_;
  std::array<double, kRingPoints> new_dial_{};

  std::array<std::vector<double>, kRingPoints> answers_;  // scratch of one decision
  std::array<std::vector<double>, kRingPoints> frees_;
  std::vector<double> dial_ages_;
  std::vector<double> talk_ages_;
  std::vector<double> wrap_ages_;
};

}  // namespace outpace::pacing
