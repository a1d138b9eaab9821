// A scenario written in the format that scenario_parser.cc reads.

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/sim/scenario.h"

namespace outpace::sim {
namespace {

// The shortest decimal that reads back as the same number.
std::string Number(double value) {
  for (const int digits : {6, 9, 12, 15, 17}) {
    std::string text = absl::StrFormat("%.*g", digits, value);
    double back = 0;
    if (absl::SimpleAtod(text, &back) && back == value) return text;
  }
  return absl::StrCat(value);
}

std::string Percent(double share) {
  // 0.07 x 100 is not 7: take the percent figure that reads back as this share.
  for (const int digits : {6, 9, 12, 15}) {
    const std::string text = absl::StrFormat("%.*g", digits, share * 100);
    double back = 0;
    if (absl::SimpleAtod(text, &back) && back / 100 == share) return absl::StrCat(text, " %");
  }
  return absl::StrCat(Number(share * 100), " %");
}

std::string Seconds(double seconds) {
  std::string number = Number(seconds);
  // Durations are read without exponents.
  if (absl::StrContains(number, "e")) return absl::FormatDuration(absl::Seconds(seconds));
  return absl::StrCat(number, "s");
}

std::string Law(const DelayLaw& law) {
  using Kind = DelayLaw::Kind;
  if (law.kind == Kind::kConstant) return Seconds(law.fixed_s + law.mean_s);
  std::string out = law.fixed_s > 0 ? absl::StrCat(Seconds(law.fixed_s), " + ") : "";
  switch (law.kind) {
    case Kind::kConstant:
      break;
    case Kind::kExponential:
      absl::StrAppend(&out, "exponential(", Seconds(law.mean_s), ")");
      break;
    case Kind::kErlang:
      absl::StrAppend(&out, "erlang(", law.stages, ", ", Seconds(law.mean_s), ")");
      break;
    case Kind::kLognormal:
      absl::StrAppend(&out, "lognormal(", Seconds(law.mean_s), ", cv ", Number(law.cv), ")");
      break;
    case Kind::kUniform:
      absl::StrAppend(&out, "uniform(", Seconds(law.mean_s * (1 - law.cv)), "..",
                      Seconds(law.mean_s * (1 + law.cv)), ")");
      break;
    case Kind::kSamples:
      absl::StrAppend(
          &out, "samples(",
          absl::StrJoin(law.samples, " ",
                        [](std::string* to, double s) { absl::StrAppend(to, Seconds(s)); }),
          ")");
      break;
  }
  return out;
}

std::string Mix(const OutcomeMix& mix) {
  return absl::StrCat("person ", Percent(mix.person), " machine ", Percent(mix.machine),
                      " no_answer ", Percent(mix.no_answer), " fail ", Percent(mix.fail));
}

std::string Amd(const AmdModel& amd) {
  if (!amd.present) return "none";
  return absl::StrCat("delay ", absl::FormatDuration(amd.delay), " caught ", Percent(amd.caught),
                      " false_positive ", Percent(amd.false_positive));
}

void FormatPhase(const ScenarioPhase& phase, std::string* out) {
  const auto line = [out](absl::string_view key, const std::string& value) {
    absl::StrAppend(out, key, " = ", value, "\n");
  };
  absl::StrAppend(out, "\n[phase ", absl::FormatDuration(phase.length), "]\n");
  if (phase.mix.has_value()) line("outcomes", Mix(*phase.mix));
  if (phase.segment.has_value()) line("segment", absl::StrCat(*phase.segment));
  if (phase.agents.has_value()) line("agents", absl::StrCat(*phase.agents));
  if (phase.talk_scale != 1) line("talk_scale", Number(phase.talk_scale));
  if (phase.answer_delay_extra > absl::ZeroDuration()) {
    line("answer_delay_extra", absl::FormatDuration(phase.answer_delay_extra));
  }
  if (phase.congestion > 0) line("congestion", Percent(phase.congestion));
  if (phase.stalled) line("stalled", "yes");
}

void FormatCampaign(const ScenarioCampaign& c, std::string* out) {
  const auto line = [out](absl::string_view key, const std::string& value) {
    absl::StrAppend(out, key, " = ", value, "\n");
  };
  absl::StrAppend(out, "\n[campaign ", c.id, "]\n");
  line("agents", absl::StrCat(c.agents));
  line("outcomes", Mix(c.mix));
  line("person_ring", Law(c.person_ring));
  line("machine_ring", Law(c.machine_ring));
  line("fail_delay", Law(c.fail_delay));
  line("ring_time_max", absl::FormatDuration(c.ring_time_max));
  line("talk", Law(c.talk));
  line("machine_talk", Law(c.machine_talk));
  line("wrap", Law(c.wrap));
  line("wrap_after_machine", c.wrap_after_machine ? "yes" : "no");
  line("amd", Amd(c.amd));
  if (c.churn_share > 0) {
    line("churn",
         absl::StrCat(Percent(c.churn_share), " every ", absl::FormatDuration(c.churn_every)));
  }
  line("leads", c.leads == 0 ? "endless" : absl::StrCat(c.leads));
  line("forecast_correlation", Number(c.forecast_correlation));
  line("lines_max", c.lines_max == 0 ? "unlimited" : absl::StrCat(c.lines_max));
  line("calls_per_second", c.calls_per_second == 0 ? "unlimited" : Number(c.calls_per_second));
  line("weight", Number(c.weight));
  line("priority", absl::StrCat(c.priority));
  line("abandon_ratio_max", Percent(c.abandon_ratio_max));
  line("answer_limit", absl::FormatDuration(c.answer_limit));
  for (const ScenarioPhase& phase : c.phases) FormatPhase(phase, out);
}

}  // namespace

std::string FormatScenario(const Scenario& s) {
  std::string out = absl::StrCat("id = ", s.id, "\n");
  if (!s.title.empty()) absl::StrAppend(&out, "title = ", s.title, "\n");
  absl::StrAppend(&out, "warm_up = ", absl::FormatDuration(s.warm_up),
                  "\nlength = ", absl::FormatDuration(s.length), "\nrepeats = ", s.repeats,
                  "\nshared_agents = ", s.shared_agents, "\n");
  if (s.reference_frontier > 0) {
    absl::StrAppend(&out, "reference_frontier = ", Number(s.reference_frontier), " %\n");
  }
  if (s.reference_vicidial_best > 0) {
    absl::StrAppend(&out, "reference_vicidial_best = ", Number(s.reference_vicidial_best), " %\n");
  }
  for (const ScenarioCampaign& c : s.campaigns) FormatCampaign(c, &out);
  return out;
}

}  // namespace outpace::sim
