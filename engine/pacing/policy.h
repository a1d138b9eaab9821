#pragma once

// What a pacing rule is told and what it answers: the interface between whoever runs the calls (the
// controller, a simulation) and whoever says how many legs to place (Pacer; the rules of other
// dialers in bench/pacing, for comparison). Time is an argument: an hour of dialing replays to the
// same decisions.

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"

namespace outpace::pacing {

// What is known of a lead before it is dialed.
struct LeadTraits {
  // Leads with the same number share an answer ratio that is learned for them: a list, a part of a
  // list, a list at an hour. 0: no segment, the campaign's ratio.
  uint32_t segment = 0;
  // P(answered by a person), a forecast for this very lead (from its tier score), in (0, 1]; 0:
  // none. Only its relation to the other leads' forecasts counts: the level is learned.
  double answer_chance = 0;
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
  kBudget,       // a contract's abandonment budget is spent: little risk until it recovers
  kLines,        // lines_free or lines_max
  kTrunkRate,    // trunk_tokens
  kHopper,       // leads_ready
  kBurst,        // rate limit per agent: no catch-up burst after a stall
  kSafety,       // an input was absurd or the trunk behaves so: progressive (Decision::alarm)
};
// "none", "method", "agents", "level", "abandonment", "budget", "lines", "trunk_rate", "hopper",
// "burst", "safety": the names of the boards.
absl::string_view LimitName(Limit limit);

// Why a decision fell back to progressive dialing.
enum class Alarm {
  kNone,
  kBadInput,        // a count below zero, an age that is negative or not finite
  kClockStep,       // time went back, or stood still while much happened
  kAnswersTooMany,  // nearly every dial is answered at once: a trunk that answers by itself
  kNoPersons,       // AMD calls everyone a machine
};
// "none", "bad_input", "clock_step", "answers_too_many", "no_persons".
absl::string_view AlarmName(Alarm alarm);

// The call floor at one moment. Counts below 0 are taken as 0, and raise an alarm.
struct PacingInput {
  int agents_idle = 0;                         // ready, no call reserved for them
  absl::Span<const absl::Duration> talk_ages;  // of each agent on a call, time since connected
  // Of each agent in wrap-up who will be ready after it. Agents who leave or go on a break after
  // the present call are in neither span.
  absl::Span<const absl::Duration> wrap_ages;
  int calls_waiting = 0;  // answered, to be given to an agent, none free yet
  int calls_in_amd = 0;   // answered, person or machine not yet decided; not in calls_waiting

  int lines_free = 0;
  int trunk_tokens = 0;  // legs the trunks' rate limit (CPS) lets through now
  int leads_ready = 0;
  // The leads that could be dialed now, best first, at most leads_ready of them. Empty: nothing is
  // known of them, all are alike.
  absl::Span<const LeadTraits> next;
};

// How many legs to place, and everything that led to it: what `outpace campaign why` shows.
struct Decision {
  int legs_to_place = 0;
  Limit limit = Limit::kNone;
  Alarm alarm = Alarm::kNone;
  // Which of PacingInput::next to dial, in this order: legs_to_place indices, each once. Empty when
  // `next` was. Valid until the next Decide().
  absl::Span<const uint32_t> picks;

  // Inputs.
  int agents_idle = 0;
  int agents_talking = 0;
  int agents_wrapping = 0;
  int calls_waiting = 0;
  int calls_in_amd = 0;
  int in_flight = 0;  // dialed, neither answered nor resolved

  // Forecast over one ring time, from the dials in flight.
  double agents_expected_free = 0;  // free now or within a ring time, minus waiting calls
  double answers_expected = 0;
  double answer_ratio = 0;      // share of dials answered and presented to an agent, learned
  double machine_estimate = 0;  // share of machines among the answers that reach agents
  absl::Duration ring_time_mean;
  absl::Duration talk_time_mean;
  absl::Duration wrap_time_mean;

  // Risk: dial while p_abandon <= theta.
  double p_abandon = 0;  // of the dial that would come next (predictive)
  double theta = 0;
  double aim = 0;          // abandoned share aimed at over the next answers
  int contract = -1;       // the contract that sets the aim, as numbered in PacerSettings; -1: none
  double budget_left = 0;  // calls that contract may still lose now
  double persons = 0;      // its window: answered by persons,
  double abandoned = 0;    // of those met by nobody
  double dial_level = 0;   // lines per logged-in agent after this decision
};

// One thread. Each OnDialed is followed by one of OnAnswered and OnResolved, each OnAnswered by one
// of OnConnected, OnAbandoned and OnResolved. An event for an attempt in another state is ignored
// and counted by whoever keeps such counts.
class Policy {
 public:
  virtual ~Policy() = default;

  virtual void OnDialed(AttemptId id, const LeadTraits& lead, MonoTime now) = 0;
  // Answered: a person until told otherwise.
  virtual void OnAnswered(AttemptId id, MonoTime now) = 0;
  // Ended without an answer; or, after OnAnswered, kMachine: AMD found a machine, kPerson: the
  // caller hung up while waiting and before the answer limit, which is not an abandoned call.
  virtual void OnResolved(AttemptId id, AttemptResult result, MonoTime now) = 0;
  virtual void OnConnected(AttemptId id, MonoTime now) = 0;
  // Answered and met by no agent within the answer limit.
  virtual void OnAbandoned(AttemptId id, MonoTime now) = 0;
  // The agent's disposition says that a connected call was a machine. At most once an attempt.
  virtual void OnWasMachine(AttemptId id) = 0;
  virtual void OnTalkEnded(AttemptId id, absl::Duration talk, MonoTime now) = 0;
  virtual void OnWrapEnded(absl::Duration wrap, MonoTime now) = 0;

  // Legs to place now. Call when an agent gets free, when an attempt resolves, and every 0.5 to 1
  // s. Never more than any limit of the input allows; 0 without agents. The caller reports each leg
  // it then places with OnDialed.
  virtual Decision Decide(const PacingInput& input, MonoTime now) = 0;
};

}  // namespace outpace::pacing
