#include "bench/pacing/hindsight.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace outpace::lab {
namespace {

constexpr absl::string_view kHeader =
    "scenario,fingerprint,theta,lines,vicidial_available_only,vicidial_level_max,"
    "vicidial_diff_target,theta_finish,theta_answers";

}  // namespace

std::string Fingerprint(const sim::Scenario& scenario) {
  sim::Scenario plain = scenario;
  plain.title.clear();
  plain.reference_frontier = 0;
  plain.reference_vicidial_best = 0;
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : sim::FormatScenario(plain)) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  return absl::StrFormat("%016x", hash);
}

absl::StatusOr<HindsightTable> ParseHindsight(absl::string_view csv) {
  HindsightTable table;
  int line = 0;
  for (absl::string_view text : absl::StrSplit(csv, '\n')) {
    ++line;
    text = absl::StripAsciiWhitespace(text);
    if (text.empty() || text.front() == '#' || text == kHeader) continue;
    const std::vector<std::string> fields = absl::StrSplit(text, ',');
    Hindsight row;
    bool ok =
        fields.size() == 9 && fields[1].size() == 16 && (fields[4] == "0" || fields[4] == "1");
    ok = ok && absl::SimpleAtod(fields[2], &row.theta) && row.theta > 0 && row.theta < 1;
    ok = ok && absl::SimpleAtod(fields[3], &row.lines) && row.lines > 0 && row.lines <= 1000;
    ok = ok && absl::SimpleAtod(fields[5], &row.vicidial.level_max) &&
         row.vicidial.level_max >= 1 && row.vicidial.level_max <= 1000;
    ok = ok && absl::SimpleAtod(fields[6], &row.vicidial.diff_target) &&
         row.vicidial.diff_target >= -100 && row.vicidial.diff_target <= 100;
    ok = ok && absl::SimpleAtod(fields[7], &row.theta_finish) && row.theta_finish >= 0 &&
         row.theta_finish < 1;
    ok = ok && absl::SimpleAtod(fields[8], &row.theta_answers) && row.theta_answers >= 0 &&
         row.theta_answers < 1;
    if (!ok) {
      return absl::InvalidArgumentError(absl::StrCat("line ", line, ": not a row of ", kHeader));
    }
    row.fingerprint = fields[1];
    row.vicidial.available_only = fields[4] == "1";
    table[fields[0]] = row;
  }
  return table;
}

std::string FormatHindsight(const HindsightTable& table) {
  std::string out = absl::StrCat(
      "# Knobs found in hindsight by `pacing_suite --tune`: see bench/pacing/tuning.h\n", kHeader,
      "\n");
  for (const auto& [id, row] : table) {
    absl::StrAppendFormat(&out, "%s,%s,%.7g,%.7g,%d,%.7g,%.7g,%.7g,%.7g\n", id, row.fingerprint,
                          row.theta, row.lines, row.vicidial.available_only ? 1 : 0,
                          row.vicidial.level_max, row.vicidial.diff_target, row.theta_finish,
                          row.theta_answers);
  }
  return out;
}

Hindsight FindHindsight(const sim::Scenario& scenario, const TuningSettings& settings,
                        bool foresight) {
  Hindsight found;
  found.fingerprint = Fingerprint(scenario);
  found.theta = TuneTheta(scenario, settings).knob;
  found.lines = TuneLines(scenario, settings).knob;
  found.vicidial = TuneVicidial(scenario, settings).knobs;
  if (foresight) {
    found.theta_finish = TuneTheta(scenario, settings, Foresight::kFinishTimes).knob;
    found.theta_answers = TuneTheta(scenario, settings, Foresight::kWhoAnswers).knob;
  }
  return found;
}

}  // namespace outpace::lab
