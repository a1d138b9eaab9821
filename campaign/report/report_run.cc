#include "campaign/report/report_run.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/activity_log.h"
#include "campaign/attempt_scan.h"
#include "campaign/lead_scan.h"
#include "campaign/report/agent_times.h"

namespace outpace::report {
namespace {

class FoldVisitor final : public campaign::AttemptVisitor {
 public:
  FoldVisitor(const ReportSpec& spec, const ReportContext& context) : fold(spec, context) {}
  absl::Status Visit(uint64_t, absl::Span<const campaign::AttemptView> attempts,
                     absl::Span<const campaign::Recording* const>) override {
    for (const campaign::AttemptView& attempt : attempts) fold.Add(attempt);
    return absl::OkStatus();
  }
  ReportFold fold;
};

absl::Status FoldTime(const EventSource& events, const ReportContext& context, ReportFold& fold) {
  std::map<std::string, int, std::less<>> sessions;  // the last seen of each agent
  AgentSpans spans(context.from, context.to, [&](const AgentSpan& span) {
    int& session = sessions[span.agent];
    fold.Add(TimeRow{.agent = span.agent,
                     .campaign = span.campaign,
                     .state = span.state,
                     .code = span.code,
                     .from = absl::ToUnixMicros(span.from),
                     .to = absl::ToUnixMicros(span.to),
                     .new_session = std::exchange(session, span.session) != span.session});
  });
  auto known = events.KnownUntil();
  if (!known.ok()) return known.status();
  absl::Status read = events.ForEachActivity(context.from - campaign::kActivityLookBack, context.to,
                                             [&](const campaign::AgentActivity& activity) {
                                               spans.Add(activity);
                                               return true;
                                             });
  if (read.ok()) spans.Finish(*known);
  return read;
}

class InventoryVisitor final : public campaign::LeadVisitor {
 public:
  // By campaign: tries over a lead's life. Outlives this.
  InventoryVisitor(const std::map<uint64_t, int>& limits, uint64_t only)
      : limits_(limits), only_(only) {}
  absl::Status Visit(const campaign::LeadGlance& lead, campaign::WholeLead) override {
    const uint64_t list = lead.list.value();
    if (only_ != 0 && list != only_) return absl::OkStatus();
    Inventory& count = by_list[list];
    ++count.leads;
    count.called += lead.called_count > 0 ? 1 : 0;
    const auto known = limits_.find(list);
    int limit = known == limits_.end() ? 0 : known->second;
    if (lead.max_attempts > 0)
      limit = limit > 0 ? std::min(limit, lead.max_attempts) : lead.max_attempts;
    const bool over =
        lead.next_call_micros == INT64_MAX || (limit > 0 && lead.called_count >= limit);
    count.inactive += over ? 1 : 0;
    count.one_offs += !over && limit > 0 && lead.called_count == limit - 1 ? 1 : 0;
    return absl::OkStatus();
  }
  std::map<uint64_t, Inventory> by_list;

 private:
  const std::map<uint64_t, int>& limits_;
  const uint64_t only_;
};

}  // namespace

absl::Status FillNames(const campaign::LeadStore& store, ReportContext& context) {
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  for (const campaign::List& list : *lists) context.list_names[list.id.value()] = list.name;
  auto agents = store.Agents();
  if (!agents.ok()) return agents.status();
  for (const campaign::AgentRecord& agent : *agents) {
    context.agent_names[agent.user] = agent.full_name;
  }
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  for (const campaign::CampaignSettings& campaign : *campaigns) {
    context.clients[campaign.id] = campaign.client_id;
    context.statuses.Put(campaign.id, campaign.statuses);
  }
  return absl::OkStatus();
}

absl::Status FillInventory(const campaign::LeadStore& store, int threads, ReportContext& context) {
  auto campaigns = store.Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  std::map<uint64_t, int> limits;
  for (const campaign::List& list : *lists) {
    for (const campaign::CampaignSettings& campaign : *campaigns) {
      if (campaign.id == list.campaign) limits[list.id.value()] = campaign.call_count_limit;
    }
  }
  for (const campaign::CampaignSettings& campaign : *campaigns) {
    if (!context.campaign.empty() && campaign.id != context.campaign) continue;
    std::vector<std::unique_ptr<InventoryVisitor>> visitors;
    std::vector<campaign::LeadVisitor*> shown;
    for (int i = 0; i < std::max(1, threads); ++i) {
      visitors.push_back(std::make_unique<InventoryVisitor>(limits, context.list));
      shown.push_back(visitors.back().get());
    }
    if (absl::Status s = store.ScanLeads(campaign.id, shown); !s.ok()) return s;
    for (const auto& visitor : visitors) {
      for (const auto& [list, more] : visitor->by_list) {
        Inventory& sum = context.inventory[list];
        sum.leads += more.leads;
        sum.called += more.called;
        sum.one_offs += more.one_offs;
        sum.inactive += more.inactive;
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Report> RunReport(const campaign::LeadStore& store, const ReportSpec& spec,
                                 const ReportContext& context, int threads) {
  // Agents' time beside the calls; it is about as many records.
  ReportFold time(spec, context);
  absl::Status time_read;
  std::thread beside;
  if (spec.agents_time) {
    beside = std::thread([&] { time_read = FoldTime(StoredEvents(store), context, time); });
  }
  std::vector<std::unique_ptr<FoldVisitor>> visitors;
  std::vector<campaign::AttemptVisitor*> shown;
  for (int i = 0; i < std::max(1, threads); ++i) {
    visitors.push_back(std::make_unique<FoldVisitor>(spec, context));
    shown.push_back(visitors.back().get());
  }
  const absl::Status read = store.ScanAttempts({.from = context.from, .to = context.to}, shown);
  if (beside.joinable()) beside.join();
  if (!read.ok()) return read;
  if (!time_read.ok()) return time_read;
  for (const auto& visitor : visitors) time.Merge(visitor->fold);
  return time.Finish();
}

absl::StatusOr<Report> RunReport(const EventSource& events, const ReportSpec& spec,
                                 const ReportContext& context) {
  ReportFold fold(spec, context);
  if (spec.agents_time) {
    if (absl::Status s = FoldTime(events, context, fold); !s.ok()) return s;
  }
  absl::Status read =
      events.ForEachAttempt(context.from, context.to, [&](const campaign::Attempt& attempt) {
        fold.Add(campaign::ViewOf(attempt));
        return true;
      });
  if (!read.ok()) return read;
  return fold.Finish();
}

}  // namespace outpace::report
