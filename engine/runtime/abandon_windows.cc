#include "engine/runtime/abandon_windows.h"

#include <algorithm>
#include <utility>

#include "campaign/rules/ready_contracts.h"
#include "engine/runtime/abandon_ledger.h"

namespace outpace::runtime {
namespace {

using campaign::AbandonContract;
using campaign::AbandonWindow;

// Of the answers forecast for the rest of the shift, the share that is relied on: a shift may end
// early and a list run dry.
constexpr double kForecastTrust = 0.8;
constexpr absl::Duration kPaceOver = absl::Minutes(75);

AbandonContract Setting(const campaign::CampaignSettings& settings, const char* name,
                        AbandonWindow window, double percent) {
  AbandonContract contract;
  contract.name = name;
  contract.seconds = settings.drop_call_seconds;
  contract.numerator = campaign::ContractNumerator::kDropped;
  contract.denominator = campaign::ContractDenominator::kEstimate;
  contract.window = window;
  contract.limit = percent;
  return contract;
}

}  // namespace

std::vector<AbandonContract> ContractsOf(const campaign::CampaignSettings& settings) {
  std::vector<AbandonContract> contracts = {Setting(
      settings, "regulation", settings.RegulationWindow(), settings.adaptive_dropped_percentage)};
  if (settings.client_dropped_percentage > 0) {
    contracts.push_back(
        Setting(settings, "client", settings.client_window, settings.client_dropped_percentage));
  }
  const std::vector<AbandonContract> ready =
      settings.abandon_contracts.empty() ? std::vector<AbandonContract>()
                                         : rules::ReadyContracts(rules::RuleBook::InForce());
  for (const AbandonContract& contract : settings.abandon_contracts) {
    const auto found = std::find_if(ready.begin(), ready.end(), [&](const AbandonContract& each) {
      return contract.ready_made && each.name == contract.name;
    });
    contracts.push_back(found == ready.end() ? contract : *found);
  }
  return contracts;
}

absl::Duration RollingLength(AbandonWindow window) {
  if (window == AbandonWindow::kRolling24h) return absl::Hours(24);
  if (window == AbandonWindow::kRolling30d) return absl::Hours(30 * 24);
  return absl::InfiniteDuration();
}

absl::Time PeriodStart(absl::Time first, absl::Time now) {
  if (first == absl::InfinitePast() || now < first + kCampaignPeriod) return first;
  absl::Duration into;
  absl::IDivDuration(now - first, kCampaignPeriod, &into);
  return now - into;
}

absl::Time WindowStart(AbandonWindow window, absl::Time now, absl::TimeZone zone,
                       absl::Time period) {
  switch (window) {
    case AbandonWindow::kMethod:
    case AbandonWindow::kDay:
      return absl::FromCivil(absl::ToCivilDay(now, zone), zone);
    case AbandonWindow::kMonth:
      return absl::FromCivil(absl::CivilDay(absl::ToCivilMonth(now, zone)), zone);
    case AbandonWindow::kCampaign:
      return period == absl::InfinitePast() ? now : period;
    case AbandonWindow::kRolling24h:
    case AbandonWindow::kRolling30d:
      return now - RollingLength(window);
  }
  return now;
}

absl::Time WindowEnd(AbandonWindow window, absl::Time start, absl::Time now, absl::TimeZone zone) {
  switch (window) {
    case AbandonWindow::kMethod:
    case AbandonWindow::kDay:
      return absl::FromCivil(absl::ToCivilDay(start, zone) + 1, zone);
    case AbandonWindow::kMonth:
      return absl::FromCivil(absl::CivilDay(absl::ToCivilMonth(start, zone) + 1), zone);
    case AbandonWindow::kCampaign:
      return start + kCampaignPeriod;
    case AbandonWindow::kRolling24h:
    case AbandonWindow::kRolling30d:
      return now;
  }
  return now;
}

absl::Time WindowsReach(const campaign::CampaignSettings& settings, absl::Time now,
                        absl::Time period) {
  absl::Time reach = now;
  for (const AbandonContract& contract : ContractsOf(settings)) {
    reach = std::min(reach, WindowStart(contract.window, now, settings.report_zone, period));
  }
  return reach;
}

double AnswersToCome(const campaign::CampaignSettings& settings, const AbandonLedger& ledger,
                     absl::Time now) {
  if (settings.dial_method != campaign::DialMethod::kAdaptTapered ||
      settings.RegulationWindow() != AbandonWindow::kDay) {
    return 0;
  }
  const int hhmm = settings.adaptive_latest_server_time;
  const absl::CivilMinute end_of_shift =
      absl::CivilMinute(absl::ToCivilDay(now, settings.report_zone)) + 60 * (hhmm / 100) +
      hhmm % 100;
  const absl::Time end = absl::FromCivil(end_of_shift, settings.report_zone);
  if (now >= end) return 0;
  const pacing::AbandonCounts lately = ledger.Since(0, now - kPaceOver);
  const double persons = lately.served - lately.machines + lately.abandoned;
  return kForecastTrust * persons * absl::FDivDuration(end - now, kPaceOver);
}

}  // namespace outpace::runtime
