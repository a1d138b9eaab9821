#pragma once

// A call floor to be simulated, as plain data: agents and their shifts, what the leads do, how long
// everything takes, and how that changes over the day. Read from a scenario file (docs/SCENARIOS.md
// describes the format), used by `outpace simulate` with the whole dialer and by
// bench/pacing_suite with the pacing rules alone.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/rng.h"

namespace outpace::sim {

// A law of durations: `fixed` plus something random.
struct DelayLaw {
  enum class Kind { kConstant, kExponential, kErlang, kLognormal, kUniform, kSamples };
  Kind kind = Kind::kConstant;
  double fixed_s = 0;  // seconds, added to every draw
  double mean_s = 0;   // of the random part; kUniform: its middle
  double cv = 0;       // kLognormal: coefficient of variation; kUniform: half width / middle
  int stages = 1;      // kErlang
  std::vector<double> samples;  // kSamples: drawn with equal chance, seconds
  // Seconds, >= 0.
  double Draw(Rng& rng) const;
  double Mean() const;
};

// What becomes of a dial. The shares are of all dials and sum to 1.
struct OutcomeMix {
  double person = 0.20;
  double machine = 0.35;
  double no_answer = 0.30;
  double fail = 0.15;  // busy, vacant, unreachable, rejected
};

// From its beginning until the next phase; what is not set is as the campaign says.
struct ScenarioPhase {
  absl::Duration length;
  std::optional<OutcomeMix> mix;
  std::optional<uint32_t> segment;    // the list's segment dialed now, told to the dialer
  std::optional<int> agents;          // logged in; who leaves finishes the call first
  double talk_scale = 1;              // of persons' talk
  absl::Duration answer_delay_extra;  // added to every answer
  double congestion = 0;              // share of dials that fail with 503 in 0.3 s
  bool stalled = false;               // the dialer gets no chance to decide (SIGSTOP)
};

// Answering-machine detection, where the dialer has it: decides after `delay`.
struct AmdModel {
  bool present = true;        // false: machines reach agents
  absl::Duration delay;       // from the answer to the verdict
  double caught = 1;          // share of machines found
  double false_positive = 0;  // share of persons taken for machines: they count as abandoned
};

struct ScenarioCampaign {
  std::string id = "SIM";
  int agents = 50;  // of its own, at the start
  OutcomeMix mix;
  DelayLaw person_ring;  // INVITE to answer
  DelayLaw machine_ring;
  DelayLaw fail_delay;
  absl::Duration ring_time_max = absl::Seconds(26);
  DelayLaw talk;          // with persons
  DelayLaw machine_talk;  // until the agent notices
  DelayLaw wrap;          // after persons
  bool wrap_after_machine = false;
  AmdModel amd;
  std::vector<ScenarioPhase> phases;  // in a circle; empty: always the same
  // Every churn_every the number of agents wanted is drawn anew, uniform within +- churn_share.
  double churn_share = 0;
  absl::Duration churn_every;
  int64_t leads = 0;  // 0: the list never ends
  // Beta-distributed answer chance per lead with this correlation of forecast and outcome, told to
  // the dialer; 0: leads are alike.
  double forecast_correlation = 0;
  int lines_max = 0;            // 0: no limit
  double calls_per_second = 0;  // 0: no limit
  double weight = 1;            // share of lines and rate, when they are short
  int priority = 0;             // higher goes first
  double abandon_ratio_max = 0.03;
  absl::Duration answer_limit = absl::Seconds(2);
};

struct Scenario {
  std::string id;  // "S01"
  std::string title;
  std::vector<ScenarioCampaign> campaigns;
  int shared_agents = 0;                       // may take calls of every campaign
  absl::Duration warm_up = absl::Minutes(15);  // not counted
  absl::Duration length = absl::Hours(8);      // counted, after the warm-up
  int repeats = 1;                             // independent campaigns from cold per seed (S18: 20)
  // As the method of comparison sees it (docs/PERFORMANCE.md): reference figures, percent
  // occupancy; 0: none.
  double reference_frontier = 0;
  double reference_vicidial_best = 0;
};

// A scenario file's text. InvalidArgument names the line and what is wrong with it.
absl::StatusOr<Scenario> ParseScenario(absl::string_view text);
// Text that ParseScenario() reads back as the same scenario. Durations to the nanosecond.
std::string FormatScenario(const Scenario& scenario);

}  // namespace outpace::sim
