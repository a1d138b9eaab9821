#pragma once

// The knobs with which the rules "best in hindsight" run, per scenario: found once by
// `pacing_suite --tune`, kept beside the scenario files in hindsight.csv, so that a run of the
// suite does not spend its time on finding them again. Each row carries a fingerprint of the
// scenario it was tuned on.

#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/pacing/rules.h"
#include "bench/pacing/tuning.h"
#include "engine/sim/scenario.h"

namespace outpace::lab {

struct Hindsight {
  std::string fingerprint;
  double theta = 0;  // of the look-ahead with true laws; > 0
  double lines = 0;  // per free agent; > 0
  VicidialSettings vicidial;
  double theta_finish = 0;   // the same knowing when agents finish; 0: not tuned
  double theta_answers = 0;  // the same knowing who answers; 0: not tuned
};

// By scenario id.
using HindsightTable = std::map<std::string, Hindsight>;

// 16 hexadecimal digits of what the scenario does: title and reference figures do not count.
std::string Fingerprint(const sim::Scenario& scenario);

// InvalidArgument names the line.
absl::StatusOr<HindsightTable> ParseHindsight(absl::string_view csv);
std::string FormatHindsight(const HindsightTable& table);

// Finds all knobs of one scenario. `foresight`: those of the rules that see the future, too.
Hindsight FindHindsight(const sim::Scenario& scenario, const TuningSettings& settings,
                        bool foresight);

}  // namespace outpace::lab
