// What the tiers have learned, shown and explained; a challenger's trial.

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/tier_json.h"
#include "engine/runtime/tier_service.h"

namespace outpace::runtime {
namespace {

constexpr int kReasons = 8;

std::string ChoiceText(const tier::ScorerChoice& choice) {
  const std::string fields = choice.fields.ToString();
  std::string text = absl::StrCat("fields ", fields.empty() ? "as usual" : fields);
  if (!choice.profile.empty()) {
    absl::StrAppend(&text, ", profile ", absl::StrJoin(choice.profile, ","));
  }
  return text;
}

void AppendArm(std::string* text, absl::string_view name, const tier::ArmCounts& arm) {
  absl::StrAppendFormat(
      text, "  %-22s %9d %10d  %s\n", name, arm.attempts, arm.successes,
      arm.attempts == 0 ? "-"
                        : absl::StrFormat("%6.2f %%", 100.0 * static_cast<double>(arm.successes) /
                                                          static_cast<double>(arm.attempts)));
}

void AppendRatio(std::string* text, absl::string_view what, const tier::Ratio& ratio, double p) {
  absl::StrAppendFormat(text, "  %s: %.2f [%.2f, %.2f], 95 %% at all times together; p = %.3g\n",
                        what, ratio.ratio, ratio.low, ratio.high, p);
}

std::string ReportText(const CampaignId& id, const campaign::CampaignSettings& settings,
                       const tier::TierReport& report) {
  std::string text = absl::StrFormat(
      "campaign %s: A is the best %g %% of the leads due; %g %% of the attempts go to leads of B "
      "drawn at random\n"
      "learned from %d attempts: %d contacts, %d successes\n",
      id, settings.tier_a_percentage, settings.tier_explore_percentage, report.attempts,
      report.contacts, report.successes);
  if (report.passed_at == absl::InfinitePast()) {
    absl::StrAppend(&text, "no pass over the leads yet\n");
  } else {
    absl::StrAppendFormat(&text, "last pass %s: %d leads due, %.1f s; shortlist %d\n",
                          TimeText(report.passed_at, settings.report_zone), report.due,
                          absl::ToDoubleSeconds(report.pass_took), report.shortlist);
  }
  if (!settings.tier_rules.empty()) {
    absl::StrAppend(&text, "rules: ", campaign::TierRulesText(settings.tier_rules), "\n");
  }
  absl::StrAppendFormat(&text, "\n  %-22s %9s %10s  %s\n", "ARM", "ATTEMPTS", "SUCCESSES", "RATE");
  AppendArm(&text, "A", report.a);
  AppendArm(&text, "B, drawn at random", report.drawn_b);
  AppendRatio(&text, "A / B", report.ratio, report.p_value);
  if (report.trial) {
    absl::StrAppend(&text,
                    "\ntrial of a challenger, in tier A\n  champion: ", ChoiceText(report.champion),
                    "\n  challenger: ", ChoiceText(report.challenger), "\n");
    AppendArm(&text, "champion", report.champion_arm);
    AppendArm(&text, "challenger", report.challenger_arm);
    AppendRatio(&text, "challenger / champion", report.trial_ratio, report.trial_p_value);
  }
  if (!report.last_trial.empty()) absl::StrAppend(&text, "\nlast trial: ", report.last_trial, "\n");
  return text;
}

std::string ExplanationText(LeadId lead, const tier::TierExplanation& told) {
  std::string text = absl::StrFormat(
      "lead %d: tier %s%s\n"
      "  P(contact) %.3f, P(success | contact) %.3f, expected successes an agent-minute %.4f\n"
      "  %.1f %% of the leads due score higher%s\n"
      "  best hour, in the lead's zone: %d:00\n",
      lead.value(), campaign::TierName(told.pick.tier),
      !told.rule.empty()   ? absl::StrCat(", by the rule: ", told.rule)
      : told.pick.explored ? ", one of those drawn at random"
                           : ", by its score",
      told.score.contact, told.score.success, told.score.per_agent_minute, 100 * told.share_above,
      told.pick.challenger ? " (scored by the challenger)" : "", told.best_hour);
  if (told.reasons.empty()) return text + "  nothing that was learned tells it from others\n";
  absl::StrAppendFormat(&text, "\n  %-44s %9s %9s\n", "WHAT SPEAKS FOR IT (+) OR AGAINST (-)",
                        "CONTACT", "SUCCESS");
  for (const tier::Reason& reason : told.reasons) {
    absl::StrAppendFormat(&text, "  %-44s %+9.2f %+9.2f\n", reason.feature, reason.contact,
                          reason.success);
  }
  return text + "  (log odds: +0.7 doubles the odds, -0.7 halves them)\n";
}

}  // namespace

// Runs `ask` on the tiers of a campaign that scores its leads.
absl::Status Admin::Impl::AskTiers(const campaign::CampaignSettings& settings,
                                   const std::function<absl::Status(tier::CampaignTiers&)>& ask) {
  if (settings.tier_mode != campaign::TierMode::kScore) {
    return absl::FailedPreconditionError(absl::StrCat(
        "campaign ", settings.id, " does not score its leads; begin with: outpace campaign set ",
        settings.id, " tier_mode=SCORE"));
  }
  if (hooks.tiers == nullptr) {
    return absl::FailedPreconditionError(
        "no engine runs: tiers are learned, and told of, by a running one (outpace serve)");
  }
  absl::Status status;
  const absl::Status asked = hooks.tiers->Ask([&](TierDesk& desk) {
    tier::CampaignTiers* tiers = desk.Find(settings.id);
    status = tiers == nullptr
                 ? absl::UnavailableError("the campaign has just begun to score; try again")
                 : ask(*tiers);
  });
  return asked.ok() ? status : asked;
}

absl::StatusOr<Json> Admin::Impl::TierShow(const Json& arguments) {
  auto id = Need(arguments, "id");
  if (!id.ok()) return id.status();
  auto settings = FindCampaign(*id);
  if (!settings.ok()) return settings.status();
  tier::TierReport report;
  if (absl::Status s = AskTiers(*settings,
                                [&](tier::CampaignTiers& tiers) {
                                  report = tiers.Report();
                                  return absl::OkStatus();
                                });
      !s.ok()) {
    return s;
  }
  Json answer = Answer(ReportText(*id, *settings, report));
  answer["campaign"] = *id;
  answer.update(TierJson(report));
  return answer;
}

absl::StatusOr<Json> Admin::Impl::TierExplain(const Json& arguments) {
  auto given = Need(arguments, "lead");
  if (!given.ok()) return given.status();
  uint64_t number = 0;
  if (!absl::SimpleAtoi(*given, &number)) {
    return absl::InvalidArgumentError(
        "the lead is named by its id; find it with: outpace lead search");
  }
  auto lead = store.GetLead(LeadId(number));
  if (!lead.ok()) return lead.status();
  if (!lead->has_value()) return absl::NotFoundError(absl::StrCat("there is no lead ", number));
  auto settings = FindCampaign((*lead)->campaign);
  if (!settings.ok()) return settings.status();
  tier::TierExplanation told;
  if (absl::Status s = AskTiers(*settings,
                                [&](tier::CampaignTiers& tiers) {
                                  told = tiers.Explain(**lead, clock.Wall(), kReasons);
                                  return absl::OkStatus();
                                });
      !s.ok()) {
    return s;
  }
  Json answer = Answer(ExplanationText((*lead)->id, told));
  answer["lead"] = number;
  answer["campaign"] = (*lead)->campaign;
  answer.update(TierExplanationJson(told));
  return answer;
}

absl::StatusOr<Json> Admin::Impl::TierChallenge(const Json& arguments) {
  auto id = Need(arguments, "id");
  if (!id.ok()) return id.status();
  auto settings = FindCampaign(*id);
  if (!settings.ok()) return settings.status();
  tier::ScorerChoice challenger;
  auto fields =
      campaign::ParseTierFields(Text(arguments, "fields", settings->tier_fields.ToString()));
  if (!fields.ok()) return fields.status();
  challenger.fields = *std::move(fields);
  auto profile = campaign::ParseTierFields(
      Text(arguments, "profile", absl::StrJoin(settings->tier_profile, ",")));
  if (!profile.ok()) return profile.status();
  challenger.profile = profile->only;
  double share = 0.5;
  if (const std::string text = Text(arguments, "share"); !text.empty()) {
    if (!absl::SimpleAtod(text, &share) || !(share >= 1 && share <= 99)) {
      return absl::InvalidArgumentError(
          "the challenger's share is a percentage from 1 to 99, such as 50");
    }
    share /= 100;
  }
  // Leads are drawn anew for each trial.
  const auto salt = static_cast<uint64_t>(absl::ToUnixMicros(clock.Wall()));
  if (absl::Status s = AskTiers(
          *settings,
          [&](tier::CampaignTiers& tiers) { return tiers.Challenge(challenger, share, salt); });
      !s.ok()) {
    return s;
  }
  return Answer(absl::StrFormat(
      "campaign %s: a challenger with %s is tried on %g %% of the leads; it takes over by itself "
      "when it is shown to be better (outpace tier show %s)\n",
      *id, ChoiceText(challenger), 100 * share, *id));
}

absl::StatusOr<Json> Admin::Impl::TierEndTrial(const Json& arguments) {
  auto id = Need(arguments, "id");
  if (!id.ok()) return id.status();
  auto settings = FindCampaign(*id);
  if (!settings.ok()) return settings.status();
  if (absl::Status s = AskTiers(
          *settings, [&](tier::CampaignTiers& tiers) { return tiers.EndTrial(clock.Wall()); });
      !s.ok()) {
    return s;
  }
  return Answer(absl::StrCat("campaign ", *id, ": the trial is over, the champion stays\n"));
}

}  // namespace outpace::runtime
