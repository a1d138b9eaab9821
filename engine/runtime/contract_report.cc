#include "engine/runtime/contract_report.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/attempt_scan.h"
#include "engine/runtime/abandon_ledger.h"
#include "engine/runtime/abandon_windows.h"

namespace outpace::runtime {
namespace {

using campaign::AbandonContract;
using campaign::AbandonWindow;
using campaign::CallFacts;

// A call is answered some time after it was dialed, and calls are found by the latter.
constexpr absl::Duration kAnswerAfterDial = absl::Hours(1);
// Answers are kept to the millisecond: the last instant of a range that ends at midnight.
constexpr absl::Duration kInstant = absl::Milliseconds(1);

absl::Time TimeOf(int64_t micros) {
  return micros == campaign::kNeverMicros ? absl::InfinitePast() : absl::FromUnixMicros(micros);
}

// Facts of one campaign's calls.
struct CampaignFacts {
  const campaign::CampaignSettings* settings = nullptr;
  absl::Time first_call = absl::InfinitePast();
  std::vector<CallFacts> facts;
};

class FactsVisitor final : public campaign::AttemptVisitor {
 public:
  explicit FactsVisitor(std::vector<CampaignFacts> of) : campaigns(std::move(of)) {
    for (size_t i = 0; i < campaigns.size(); ++i) index_[campaigns[i].settings->id] = i;
  }
  absl::Status Visit(uint64_t, absl::Span<const campaign::AttemptView> attempts,
                     absl::Span<const campaign::Recording* const>) override {
    for (const campaign::AttemptView& call : attempts) {
      if (call.answered_micros == campaign::kNeverMicros) continue;
      const auto found = index_.find(call.campaign);
      if (found == index_.end()) continue;
      CampaignFacts& of = campaigns[found->second];
      // All that FactsOf() asks for, in a record that is used again: nothing is allocated.
      record_.sent = call.sent;
      record_.inbound = call.inbound;
      record_.open = call.open;
      record_.abandoned = call.abandoned;
      record_.status.assign(call.status.data(), call.status.size());
      record_.greeting_start_ms = call.greeting_start_ms;
      record_.greeting_end_ms = call.greeting_end_ms;
      record_.answered_at = TimeOf(call.answered_micros);
      record_.connected_at = TimeOf(call.connected_micros);
      record_.ended_at = TimeOf(call.ended_micros);
      if (const auto known = FactsOrNone(record_, of.settings->statuses)) {
        of.facts.push_back(*known);
      }
    }
    return absl::OkStatus();
  }
  std::vector<CampaignFacts> campaigns;

 private:
  absl::flat_hash_map<std::string, size_t> index_;
  campaign::Attempt record_;
};

// When figures are taken: the last instant of each day or month for limits by these, and of the
// range.
std::set<absl::Time> Instants(AbandonWindow window, absl::Time from, absl::Time last,
                              absl::TimeZone zone) {
  std::set<absl::Time> instants = {last};
  if (window != AbandonWindow::kDay && window != AbandonWindow::kMonth) return instants;
  const absl::Time start = WindowStart(window, from, zone, absl::InfinitePast());
  for (absl::Time at = WindowEnd(window, start, last, zone); at <= last;
       at = WindowEnd(window, at, last, zone)) {
    instants.insert(at - kInstant);
  }
  return instants;
}

// Fills in the facts, by the time of the answer.
absl::Status ReadFacts(const campaign::LeadStore& store, absl::Time from, absl::Time to,
                       int threads, std::vector<CampaignFacts>& campaigns) {
  std::vector<std::unique_ptr<FactsVisitor>> visitors;
  std::vector<campaign::AttemptVisitor*> shown;
  for (int i = 0; i < std::max(1, threads); ++i) {
    visitors.push_back(std::make_unique<FactsVisitor>(campaigns));
    shown.push_back(visitors.back().get());
  }
  if (absl::Status s = store.ScanAttempts({.from = from, .to = to}, shown); !s.ok()) return s;
  for (size_t i = 0; i < campaigns.size(); ++i) {
    std::vector<CallFacts>& facts = campaigns[i].facts;
    for (const auto& visitor : visitors) {
      const std::vector<CallFacts>& more = visitor->campaigns[i].facts;
      facts.insert(facts.end(), more.begin(), more.end());
    }
    std::sort(facts.begin(), facts.end(),
              [](const CallFacts& a, const CallFacts& b) { return a.answered_ms < b.answered_ms; });
  }
  return absl::OkStatus();
}

// From when on calls are asked for.
absl::Time ReachOf(const campaign::CampaignSettings& settings, absl::Time first_call,
                   absl::Time from, absl::Time last) {
  absl::Time reach = from;
  for (const AbandonContract& contract : ContractsOf(settings)) {
    const bool by_date =
        contract.window == AbandonWindow::kDay || contract.window == AbandonWindow::kMonth;
    reach = std::min(reach, WindowStart(contract.window, by_date ? from : last,
                                        settings.report_zone, PeriodStart(first_call, last)));
    // It counts from its first call on and does not know it: one period is looked through.
    if (contract.window == AbandonWindow::kCampaign && first_call == absl::InfinitePast()) {
      reach = std::min(reach, last - kCampaignPeriod);
    }
  }
  return reach;
}

}  // namespace

std::string FirstCallKey(const CampaignId& campaign) {
  return absl::StrCat("first_call.", campaign);
}

absl::StatusOr<absl::Time> ReadFirstCall(const campaign::LeadStore& store,
                                         const CampaignId& campaign) {
  auto text = store.GetMeta(FirstCallKey(campaign));
  if (!text.ok()) return text.status();
  int64_t millis = 0;
  if (!text->has_value() || !absl::SimpleAtoi(**text, &millis)) return absl::InfinitePast();
  return absl::FromUnixMillis(millis);
}

absl::StatusOr<std::vector<CampaignContracts>> ContractsInRange(
    const campaign::LeadStore& store, absl::Span<const campaign::CampaignSettings> settings,
    absl::Time from, absl::Time to, absl::Time now, int threads) {
  const absl::Time last = std::max(from, std::min(to - kInstant, now));
  std::vector<CampaignFacts> campaigns;
  absl::Time reach = from;
  for (const campaign::CampaignSettings& one : settings) {
    const auto first_call = ReadFirstCall(store, one.id);
    if (!first_call.ok()) return first_call.status();
    campaigns.push_back({.settings = &one, .first_call = *first_call, .facts = {}});
    reach = std::min(reach, ReachOf(one, *first_call, from, last));
  }
  absl::Status read =
      ReadFacts(store, reach - kAnswerAfterDial, last + kInstant, threads, campaigns);
  if (!read.ok()) return read;
  std::vector<CampaignContracts> all;
  for (CampaignFacts& campaign : campaigns) {
    const absl::TimeZone zone = campaign.settings->report_zone;
    const std::vector<CallFacts>& facts = campaign.facts;
    if (campaign.first_call == absl::InfinitePast() && !facts.empty()) {
      campaign.first_call = absl::FromUnixMillis(facts.front().answered_ms);
    }
    CampaignContracts figures = {.campaign = campaign.settings->id, .zone = zone, .figures = {}};
    for (const AbandonContract& contract : ContractsOf(*campaign.settings)) {
      AbandonLedger ledger;
      ledger.SetContracts({contract}, zone);
      auto next = facts.begin();
      for (const absl::Time at : Instants(contract.window, from, last, zone)) {
        for (; next != facts.end() && next->answered_ms <= absl::ToUnixMillis(at); ++next) {
          ledger.Update(std::nullopt, *next);
        }
        ledger.Advance(at, campaign.first_call);
        figures.figures.push_back(
            FiguresOf(contract, ledger.Counts(0), ledger.WindowBegan(0), at, zone));
      }
    }
    all.push_back(std::move(figures));
  }
  return all;
}

}  // namespace outpace::runtime
