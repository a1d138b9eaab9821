#include "engine/runtime/tier_json.h"

#include <cmath>

namespace outpace::runtime {
namespace {

using Json = nlohmann::ordered_json;

// JSON has no infinity; an end of an interval that is not known is null.
Json Finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json ArmJson(const tier::ArmCounts& arm) {
  return {{"attempts", arm.attempts}, {"successes", arm.successes}};
}

Json RatioJson(const tier::Ratio& ratio, double p_value) {
  return {{"ratio", Finite(ratio.ratio)},
          {"low", Finite(ratio.low)},
          {"high", Finite(ratio.high)},
          {"p_value", p_value}};
}

Json ChoiceJson(const tier::ScorerChoice& choice) {
  return {{"fields", choice.fields.ToString()}, {"profile", choice.profile}};
}

}  // namespace

Json TierJson(const tier::TierReport& report) {
  Json json = {{"tier_mode", campaign::TierModeName(report.mode)},
               {"attempts", report.attempts},
               {"contacts", report.contacts},
               {"successes", report.successes},
               {"a", ArmJson(report.a)},
               {"b_drawn", ArmJson(report.drawn_b)},
               {"lift", RatioJson(report.ratio, report.p_value)},
               {"due", report.due},
               {"shortlist", report.shortlist},
               {"pass_ms", absl::ToInt64Milliseconds(report.pass_took)},
               {"champion", ChoiceJson(report.champion)},
               {"trial", Json()},
               {"last_trial", report.last_trial}};
  if (report.passed_at != absl::InfinitePast()) {
    json["passed_at_ms"] = absl::ToUnixMillis(report.passed_at);
  }
  if (report.trial) {
    json["trial"] = {{"challenger", ChoiceJson(report.challenger)},
                     {"champion_arm", ArmJson(report.champion_arm)},
                     {"challenger_arm", ArmJson(report.challenger_arm)},
                     {"lift", RatioJson(report.trial_ratio, report.trial_p_value)}};
  }
  return json;
}

Json TierExplanationJson(const tier::TierExplanation& told) {
  Json json = {{"tier", campaign::TierName(told.pick.tier)},
               {"rule", told.rule},
               {"drawn_at_random", told.pick.explored},
               {"scorer", told.pick.challenger ? "challenger" : "champion"},
               {"score", told.score.per_agent_minute},
               {"p_contact", told.score.contact},
               {"p_success", told.score.success},
               {"share_above", told.share_above},
               {"best_hour", told.best_hour},
               {"reasons", Json::array()}};
  for (const tier::Reason& reason : told.reasons) {
    json["reasons"].push_back(
        {{"feature", reason.feature}, {"contact", reason.contact}, {"success", reason.success}});
  }
  return json;
}

}  // namespace outpace::runtime
