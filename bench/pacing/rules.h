#pragma once

// The rules of other dialers, and rules that know what no dialer can know: what the project's own
// rule is measured against. The former are written from published descriptions, the latter mark
// how far feedback can go: the frontier (true laws, hindsight in theta) and, beyond it, what it is
// worth to know when agents finish and who will answer.
//
// Each function returns a maker for Floor. The makers may be copied and used from several threads;
// what they make belongs to one floor.

#include <cstdint>

#include "absl/time/time.h"
#include "bench/pacing/floor.h"

namespace outpace::lab {

// One line for each free agent.
Floor::PolicyMaker Progressive();

// `lines` (>= 0, any real) lines for each free agent are kept out; parts of a line part of the
// time.
Floor::PolicyMaker LinesPerAgent(double lines);

// VICIdial's names. Ratios are percent there and shares here.
enum class VicidialMethod { kRatio, kHardLimit, kAverage, kTapered };

struct VicidialSettings {
  VicidialMethod method = VicidialMethod::kHardLimit;
  double level = 1;                 // auto dial level; the adaptive methods start from it
  double level_max = 3;             // adaptive maximum level
  double diff_target = 0;           // adaptive dial level difference target, agents
  bool available_only = false;      // available-only tally: count free agents only
  double intensity = 0;             // adaptive intensity, percent, -99 .. 99
  double dropped_share_max = 0.03;  // adaptive dropped percentage
  // The drop share's form for the United Kingdom: of the dropped calls as many were machines as of
  // those that agents took. False: every drop counts as a person, which is only right where no
  // machine gets past the trunk.
  bool machines_among_drops = true;
  absl::Duration dial_loop = absl::Seconds(2.5);
  absl::Duration level_loop = absl::Seconds(15);
  absl::Duration statistics_every = absl::Minutes(1);  // drop statistics
  absl::Duration starts_at = absl::Hours(9);  // time of day of the first decision; counts restart
                                              // at midnight
  int latest_server_time = 2100;              // HHMM, kTapered
};
Floor::PolicyMaker Vicidial(const VicidialSettings& settings);

struct IssabelSettings {
  absl::Duration review = absl::Seconds(3);
  double qos = 0.97;       // a busy agent counts from this quantile of talk time
  bool overcommit = true;  // divide by the answer ratio
  int completed_min = 10;  // calls before it predicts at all
  double answer_ratio_min = 0.2;
};
Floor::PolicyMaker Issabel(const IssabelSettings& settings = {});

struct OpenLoopSettings {
  double abandon_ratio_max = 0.03;
  bool poisson = true;  // false: evenly spaced dials
  uint64_t seed = 1;
};
// Dials at the constant rate at which M/M/N+D loses abandon_ratio_max, for the agents who are
// logged in, given the true answer ratio and handle time; looks at nothing else.
Floor::PolicyMaker OpenLoop(const OpenLoopSettings& settings = {});

enum class Foresight { kNone, kFinishTimes, kWhoAnswers };
// The look-ahead rule of engine/pacing/lookahead.h with the true laws of the scenario in place of
// estimates, and a constant theta (> 0). With foresight it also knows when each agent gets free, or
// which leads will answer (not when).
Floor::PolicyMaker TrueLookahead(double theta, Foresight foresight = Foresight::kNone);

}  // namespace outpace::lab
