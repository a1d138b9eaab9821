#include "campaign/gate/policy.h"

#include <algorithm>
#include <memory>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace outpace::gate {

Policy::Policy(const campaign::CampaignSettings& settings, const rules::RuleBook& book) {
  if (settings.compliance.empty()) return;
  auto set = rules::RuleSet::Combine(book, settings.compliance);
  if (set.ok()) {
    rules_ = *std::move(set);
  } else {
    fault_ = absl::StrCat("compliance: ", set.status().message(), ".");
  }
}

std::string Policy::Standstill(const campaign::CampaignSettings& settings, const dnc::DncSet& dnc,
                               const NumberHistory& history, absl::Time now) const {
  if (!fault_.empty()) return fault_;
  if (std::string unknown = HistoryFault(history, now); !unknown.empty()) return unknown;
  if (!settings.use_dnc_registries) return "";
  for (const rules::Rule& rule : rules_.rules()) {
    if (!std::holds_alternative<rules::RegistryRule>(rule.value) || rule.areas.empty()) continue;
    // The rule's first area is the country whose register it means; others are its territories.
    const absl::string_view region = absl::string_view(rule.areas.front()).substr(0, 2);
    const rules::Place place = {region, ""};
    const auto held = rules_.CheckRegistry(RegistryTaken(dnc, region), now, {&place, 1});
    if (!held.empty()) return held.front().text;
  }
  return "";
}

std::string Policy::HistoryFault(const NumberHistory& history, absl::Time now) const {
  const absl::Duration reach = rules_.HistoryNeeded();
  if (reach == absl::ZeroDuration() || history.Covers(reach, now)) return "";
  return absl::StrCat("The rules count the attempts of the last ", absl::ToInt64Hours(reach),
                      " hours, and not all of them are known.");
}

absl::Time RegistryTaken(const dnc::DncSet& dnc, absl::string_view region) {
  absl::Time oldest = absl::InfiniteFuture();
  for (const auto& registry : dnc.registries()) {
    const absl::string_view name = registry->info().name;
    const bool british = region == "GB" && absl::StartsWithIgnoreCase(name, "uk-");
    const bool of_region = region.empty() || british ||
                           (name.size() > region.size() && name[region.size()] == '-' &&
                            absl::StartsWithIgnoreCase(name, region));
    if (!of_region) continue;
    oldest = std::min(oldest, absl::UnixEpoch() + absl::Hours(24) * (registry->info().obtained -
                                                                     absl::CivilDay(1970)));
  }
  return oldest == absl::InfiniteFuture() ? absl::InfinitePast() : oldest;
}

}  // namespace outpace::gate
