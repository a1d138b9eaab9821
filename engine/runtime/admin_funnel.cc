// "Hopper: 0, why?" for a whole campaign (campaign/gate/funnel.h).

#include <sys/resource.h>

#include <algorithm>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/gate/funnel.h"
#include "campaign/gate/policy.h"
#include "campaign/rules/rules.h"
#include "engine/runtime/admin_impl.h"
#include "engine/runtime/attempt_history.h"
#include "engine/runtime/lead_sieve.h"

namespace outpace::runtime {
namespace {

constexpr unsigned kThreadsMost = 8;
// Of the threads that count, so that those that dial come first where processors are short.
constexpr int kNice = 10;

absl::Status Scan(const campaign::LeadStore& store, const CampaignId& campaign,
                  const std::vector<std::unique_ptr<gate::FunnelCounter>>& counters) {
  std::vector<campaign::LeadVisitor*> visitors;
  for (const auto& counter : counters) visitors.push_back(counter.get());
  absl::Status status;
  // A thread cannot take its niceness back, and those it starts have it too: one of its own.
  std::thread([&] {
    ::setpriority(PRIO_PROCESS, 0, kNice);
    status = store.ScanLeads(campaign, visitors);
  }).join();
  return status;
}

std::string Share(int64_t part, int64_t all) {
  return all == 0 ? ""
                  : absl::StrFormat("%5.1f %%",
                                    100.0 * static_cast<double>(part) / static_cast<double>(all));
}

std::string WordsFor(gate::Soonness soonness) {
  switch (soonness) {
    case gate::Soonness::kNow:
      return "now";
    case gate::Soonness::kQuarterHour:
      return "within 15 minutes";
    case gate::Soonness::kHour:
      return "within 1 hour";
    case gate::Soonness::kFourHours:
      return "within 4 hours";
    case gate::Soonness::kToday:
      return "later today";
    case gate::Soonness::kLater:
      return "another day";
    case gate::Soonness::kNever:
      return "never by themselves";
  }
  return "";
}

std::string FunnelText(const gate::Funnel& funnel, const campaign::CampaignSettings& settings,
                       absl::Time now, bool engine) {
  const absl::TimeZone zone = settings.report_zone;
  std::string text = absl::StrFormat("campaign %s at %s (%s): %d leads\n", settings.id,
                                     TimeText(now, zone), zone.name(), funnel.leads);
  const auto line = [&](absl::string_view what, int64_t leads) {
    absl::StrAppendFormat(&text, "  %-32s %10d  %s\n", what, leads, Share(leads, funnel.leads));
  };
  if (engine) {
    line("in a call", funnel.in_call);
    line("in the hopper", funnel.in_hopper);
    line("dialable, not in the hopper", funnel.dialable);
  } else {
    line("dialable", funnel.dialable);
  }
  line("held back", funnel.leads - funnel.in_call - funnel.in_hopper - funnel.dialable);
  const std::vector<gate::FunnelRow> rows = funnel.Rows();
  if (!rows.empty()) {
    absl::StrAppendFormat(&text, "\n%-22s %10s %10s %10s\n", "HELD BACK BY", "FIRST", "IN ALL",
                          "BY IT ALONE");
    for (const gate::FunnelRow& row : rows) {
      absl::StrAppendFormat(&text, "%-22s %10d %10d %11d\n", row.rule, row.first, row.held,
                            row.alone);
    }
  }
  absl::StrAppendFormat(&text, "\n%-22s %10s\n", "MAY BE DIALED", "LEADS");
  for (size_t i = 0; i < gate::kSoonnesses; ++i) {
    absl::StrAppendFormat(&text, "%-22s %10d\n", WordsFor(static_cast<gate::Soonness>(i)),
                          funnel.when[i]);
  }
  if (funnel.next != absl::InfiniteFuture()) {
    absl::StrAppend(&text, "the next one at ", TimeText(funnel.next, zone), "\n");
  }
  if (!settings.lead_filter_id.empty()) {
    absl::StrAppend(&text, "lead_filter (", settings.lead_filter_id,
                    ") was asked only of leads that nothing else holds back\n");
  }
  if (!engine) absl::StrAppend(&text, "no engine runs: nothing is in a hopper or in a call\n");
  return text;
}

Json FunnelJson(const gate::Funnel& funnel) {
  Json json = {
      {"leads", funnel.leads},       {"in_call", funnel.in_call}, {"in_hopper", funnel.in_hopper},
      {"dialable", funnel.dialable}, {"rules", Json::array()},    {"may_be_dialed", Json::object()},
      {"next_ms", nullptr}};
  for (const gate::FunnelRow& row : funnel.Rows()) {
    json["rules"].push_back({{"rule", std::string(row.rule)},
                             {"first", row.first},
                             {"in_all", row.held},
                             {"alone", row.alone}});
  }
  for (size_t i = 0; i < gate::kSoonnesses; ++i) {
    json["may_be_dialed"][std::string(gate::SoonnessName(static_cast<gate::Soonness>(i)))] =
        funnel.when[i];
  }
  if (funnel.next != absl::InfiniteFuture()) json["next_ms"] = absl::ToUnixMillis(funnel.next);
  return json;
}

}  // namespace

// From the stored attempts, as `lead why` counts them; a running engine knows without reading.
absl::StatusOr<std::vector<LeadId>> Admin::Impl::TriedOutToday(
    const campaign::CampaignSettings& settings, absl::Time now) const {
  std::map<LeadId, int> tries;
  const absl::CivilDay day = absl::ToCivilDay(now, settings.report_zone);
  absl::Status s = store.ForEachAttempt(absl::FromCivil(day, settings.report_zone), now,
                                        [&](const campaign::Attempt& attempt) {
                                          if (attempt.sent && !attempt.inbound) {
                                            ++tries[attempt.lead];
                                          }
                                          return true;
                                        });
  if (!s.ok()) return s;
  std::vector<LeadId> leads;
  for (const auto& [lead, count] : tries) {
    if (count >= settings.daily_call_count_limit) leads.push_back(lead);
  }
  return leads;
}

absl::StatusOr<Json> Admin::Impl::CampaignFunnel(const Json& arguments) {
  auto id = Need(arguments, "id");
  if (!id.ok()) return id.status();
  auto settings = FindCampaign(*id);
  if (!settings.ok()) return settings.status();
  auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  const MonoTime began = clock.Mono();
  const absl::Time now = clock.Wall();

  LiveLeads live;
  if (hooks.live_leads) {
    auto known = hooks.live_leads(*id);
    if (!known.ok()) return known.status();
    live = *std::move(known);
  } else {
    auto dnc = DncInForce();
    if (!dnc.ok()) return dnc.status();
    live.dnc = *std::move(dnc);
    auto tried = TriedOutToday(*settings, now);
    if (!tried.ok()) return tried.status();
    live.tried_out_today = *std::move(tried);
  }
  const gate::Policy policy(*settings, rules::RuleBook::InForce());
  auto history = ReadHistory(store, policy.rules().HistoryNeeded(), now, now + absl::Hours(1));
  if (!history.ok()) return history.status();
  gate::FunnelScene scene{
      .settings = *settings, .policy = policy, .history = *history, .dnc = live.dnc, .now = now};
  for (const campaign::List& list : *lists) {
    if (!list.dialed(now)) scene.lists_off.insert(list.id);
  }
  scene.in_hopper.insert(live.in_hopper.begin(), live.in_hopper.end());
  scene.in_call.insert(live.in_call.begin(), live.in_call.end());
  scene.tried_out_today.insert(live.tried_out_today.begin(), live.tried_out_today.end());
  scene.numbers_in_call.insert(live.numbers_in_call.begin(), live.numbers_in_call.end());

  std::vector<std::unique_ptr<gate::FunnelCounter>> counters;
  for (unsigned i = std::clamp(std::thread::hardware_concurrency(), 1u, kThreadsMost); i > 0; --i) {
    gate::FilterQuestion filter;
    if (!settings->lead_filter_id.empty()) {
      // A sieve is one thread's.
      filter = [sieve = std::make_shared<LeadSieve>(store),
                order = SieveOrder{settings->lead_filter_id, settings->report_zone, now,
                                   settings->statuses}](const campaign::Lead& lead) {
        return sieve->WhyNot(lead, order);
      };
    }
    counters.push_back(std::make_unique<gate::FunnelCounter>(scene, std::move(filter)));
  }
  if (absl::Status s = Scan(store, *id, counters); !s.ok()) return s;
  gate::Funnel funnel;
  for (const auto& counter : counters) funnel.Add(counter->Result());

  const bool engine = hooks.live_leads != nullptr;
  Json answer = Answer(FunnelText(funnel, *settings, now, engine));
  answer["campaign"] = *id;
  answer["now_ms"] = absl::ToUnixMillis(now);
  answer["engine"] = engine;
  answer.update(FunnelJson(funnel));
  answer["lead_filter_id"] = settings->lead_filter_id;
  answer["took_ms"] = absl::ToInt64Milliseconds(clock.Mono() - began);
  return answer;
}

}  // namespace outpace::runtime
