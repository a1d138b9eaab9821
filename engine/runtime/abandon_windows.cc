#include "engine/runtime/abandon_windows.h"

#include <algorithm>

#include "campaign/disposition.h"

namespace outpace::runtime {
namespace {

using campaign::AbandonWindow;

constexpr int64_t kQuarterSeconds = 15 * 60;
constexpr int64_t kQuartersKept = 31 * 24 * 4;

// Of the answers forecast for the rest of the shift, the share that is relied on: a shift may end
// early and a list run dry.
constexpr double kForecastTrust = 0.8;

int64_t QuarterOf(absl::Time time) {
  const int64_t seconds = absl::ToUnixSeconds(time);  // rounds down
  return seconds / kQuarterSeconds - (seconds % kQuarterSeconds < 0 ? 1 : 0);
}

}  // namespace

std::vector<WindowRule> WindowRulesOf(const campaign::CampaignSettings& settings) {
  std::vector<WindowRule> rules = {
      {"regulation", settings.RegulationWindow(), settings.adaptive_dropped_percentage / 100}};
  if (settings.client_dropped_percentage > 0) {
    rules.push_back({"client", settings.client_window, settings.client_dropped_percentage / 100});
  }
  return rules;
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
    case AbandonWindow::kCampaign:
      return period == absl::InfinitePast() ? now : period;
    case AbandonWindow::kRolling24h:
    case AbandonWindow::kRolling30d:
      return now - RollingLength(window);
  }
  return now;
}

absl::Time WindowsReach(const campaign::CampaignSettings& settings, absl::Time now,
                        absl::Time period) {
  absl::Time reach = now;
  for (const WindowRule& rule : WindowRulesOf(settings)) {
    reach = std::min(reach, WindowStart(rule.window, now, settings.report_zone, period));
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
  // The quarter in which the hour begins counts whole, so the pace is that of up to 75 minutes.
  const pacing::AbandonCounts hour = ledger.Since(now - absl::Hours(1), 0);
  const double persons = hour.served - hour.machines + hour.abandoned;
  return kForecastTrust * persons * absl::FDivDuration(end - now, absl::Minutes(75));
}

AbandonLedger::Quarter& AbandonLedger::At(absl::Time time) {
  Quarter& quarter = quarters_[QuarterOf(time)];
  // The newest entry decides what is old; the one just asked for stays.
  const int64_t newest = quarters_.rbegin()->first;
  while (quarters_.begin()->first < newest - kQuartersKept) {
    if (&quarters_.begin()->second == &quarter) break;
    quarters_.erase(quarters_.begin());
  }
  return quarters_[QuarterOf(time)];
}

void AbandonLedger::AddRecord(const campaign::Attempt& attempt) {
  if (!attempt.sent || attempt.inbound || attempt.answered_at == absl::InfinitePast()) return;
  if (attempt.abandoned) AddAbandoned(attempt.answered_at);
  if (attempt.connected_at == absl::InfinitePast()) return;
  AddServed(attempt.answered_at);
  const campaign::Disposition* disposition = campaign::FindDisposition(attempt.status);
  if (disposition != nullptr && disposition->answering_machine) AddMachine(attempt.answered_at);
}

void AbandonLedger::AddOlder(const AbandonLedger& older) {
  for (const auto& [number, quarter] : older.quarters_) {
    Quarter& mine = quarters_[number];
    mine.served += quarter.served;
    mine.machines += quarter.machines;
    mine.abandoned += quarter.abandoned;
  }
  from_ = std::min(from_, older.from_);
}

pacing::AbandonCounts AbandonLedger::Since(absl::Time start, int open) const {
  pacing::AbandonCounts counts;
  for (auto it = quarters_.lower_bound(QuarterOf(start)); it != quarters_.end(); ++it) {
    counts.served += static_cast<double>(it->second.served);
    counts.machines += static_cast<double>(it->second.machines);
    counts.abandoned += static_cast<double>(it->second.abandoned);
  }
  // What the agents have not ended cannot have been called a machine yet.
  counts.ended = std::max(counts.machines, counts.served - std::max(0, open));
  return counts;
}

}  // namespace outpace::runtime
