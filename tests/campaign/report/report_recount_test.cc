// One report, however it is come by: from the store on one thread or several, from folds of parts
// that are added up, or from the events themselves. And one definition: what the summary of an
// export counts is what reports count.

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/activity.h"
#include "campaign/activity_log.h"
#include "campaign/report/call_export.h"
#include "campaign/report/event_log.h"
#include "campaign/report/event_source.h"
#include "campaign/report/report_run.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/base/rng.h"

namespace outpace::report {
namespace {

using campaign::AgentActivity;
using campaign::Attempt;
using campaign::StoreBatch;
namespace activity = campaign::activity;

const absl::Time kFrom = absl::FromUnixSeconds(1'773'014'400);  // 2026-03-09 00:00 UTC

template <typename T, size_t n>
const T& Any(Rng& rng, const T (&of)[n]) {
  return of[rng.Below(n)];
}

// Whatever may stand in a record, also what makes no sense together.
StoreBatch RandomDay(uint64_t seed, bool with_open) {
  static constexpr const char* kOutcomes[] = {"answered", "no_answer", "busy",      "invalid",
                                              "rejected", "unknown",   "congestion"};
  static constexpr const char* kStatuses[] = {"SALE", "NI", "A",  "DROP", "PDROP", "NA",
                                              "AB",   "DC", "AA", "XFER", "ODD",   ""};
  static constexpr const char* kStates[] = {"LOGIN",  "READY", "PAUSED",    "RESERVED",
                                            "INCALL", "DISPO", "LOGGED OUT"};
  Rng rng(seed);
  const auto seconds = [&](uint64_t most) {
    return absl::Microseconds(static_cast<int64_t>(rng.Below(most * 1'000'000)));
  };
  StoreBatch day;
  for (uint64_t id = 1; id <= 400; ++id) {
    Attempt a;
    a.id = AttemptId(id);
    a.lead = LeadId(1 + rng.Below(50));
    a.list = ListId(101 + rng.Below(3));
    a.campaign = absl::StrCat("C", rng.Below(2));
    a.trunk = absl::StrCat("t", rng.Below(3));
    a.number_of_try = 1 + static_cast<int>(rng.Below(8));
    a.open = with_open && rng.Below(10) == 0;
    a.sent = rng.Below(20) != 0;
    a.inbound = rng.Below(20) == 0;
    a.trunk_fault = rng.Below(10) == 0;
    a.abandoned = rng.Below(10) == 0;
    a.outcome = a.open ? "" : Any(rng, kOutcomes);
    a.status = a.open ? "" : Any(rng, kStatuses);
    a.sip_status = static_cast<int>(rng.Below(4)) * 100;
    a.q850_cause = static_cast<int>(rng.Below(20));
    a.dialed_at = kFrom - absl::Hours(1) + seconds(26 * 3600);
    if (rng.Below(2) == 0) a.ringing_at = a.dialed_at + seconds(5);
    if (a.outcome == "answered" || rng.Below(10) == 0) a.answered_at = a.dialed_at + seconds(30);
    if (a.answered_at != absl::InfinitePast() && rng.Below(2) == 0) {
      a.connected_at = a.answered_at + seconds(2);
      a.agent = absl::StrCat("a", rng.Below(5));
    }
    // Also before the answer: the clock was set back.
    if (!a.open) a.ended_at = a.dialed_at + seconds(90);
    if (!a.open && rng.Below(4) != 0) a.disposed_at = a.ended_at + seconds(30);
    a.cost_micros = static_cast<int64_t>(rng.Below(100'000));
    a.billed_seconds = static_cast<int>(rng.Below(120));
    a.holds = static_cast<int>(rng.Below(3));
    a.held = seconds(9);
    day.attempts.push_back(a);
  }
  for (int i = 0; i < 600; ++i) {
    AgentActivity one;
    one.at = kFrom - absl::Hours(1) + seconds(26 * 3600);
    one.agent = absl::StrCat("a", rng.Below(5));
    one.campaign = absl::StrCat("C", rng.Below(2));
    one.state = Any(rng, kStates);
    one.code = one.state == activity::kPaused ? absl::StrCat("P", rng.Below(3)) : "";
    if (rng.Below(100) == 0) {
      one.agent.clear();
      one.state = std::string(activity::kEngineEnded);
    }
    day.activities.push_back(one);
  }
  day.meta[campaign::kActivitiesKnownKey] = campaign::ActivitiesKnown(kFrom + absl::Hours(23));
  return day;
}

ReportContext Context(uint64_t seed) {
  ReportContext context;
  context.zone = absl::UTCTimeZone();
  context.from = kFrom;
  context.to = kFrom + absl::Hours(24);
  if (seed % 3 == 1) context.campaign = "C1";
  if (seed % 5 == 1) context.list = 102;
  return context;
}

TEST(ReportRecount, StoreThreadsPartsAndEventsGiveTheSame) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    store::MemoryLeadStore store;
    const StoreBatch day = RandomDay(seed, true);
    ASSERT_TRUE(store.Commit(day).ok());
    const ReportContext context = Context(seed);
    // What an event log says, and nothing else.
    std::string bytes;
    ASSERT_TRUE(WriteEventLog(StoredEvents(store), {.from = context.from, .to = context.to},
                              [&](absl::string_view piece) {
                                absl::StrAppend(&bytes, piece);
                                return absl::OkStatus();
                              })
                    .ok());
    std::istringstream in(bytes);
    const auto read = EventLog::Read(in);
    ASSERT_TRUE(read.ok()) << read.status();
    const EventLog& log = *read;
    for (const ReportSpec& spec : AllReports()) {
      SCOPED_TRACE(absl::StrCat("seed=", seed, " ", spec.name));
      auto one = RunReport(store, spec, context, 1);
      auto three = RunReport(store, spec, context, 3);
      auto events = RunReport(StoredEvents(store), spec, context);
      ASSERT_TRUE(one.ok() && three.ok() && events.ok());
      const std::string json = ReportJson(*one);
      EXPECT_EQ(json, ReportJson(*three));
      EXPECT_EQ(json, ReportJson(*events));
      EXPECT_EQ(json, ReportJson(*RunReport(log, spec, context)));
      // The calls shuffled over seven folds.
      Rng rng(seed);
      std::vector<ReportFold> parts(7, ReportFold(spec, context));
      ReportFold whole(spec, context);
      for (const Attempt& attempt : day.attempts) {
        parts[rng.Below(7)].Add(campaign::ViewOf(attempt));
        whole.Add(campaign::ViewOf(attempt));
      }
      ReportFold sum(spec, context);
      for (size_t i = parts.size(); i-- > 0;) sum.Merge(parts[i]);
      EXPECT_EQ(ReportJson(sum.Finish()), ReportJson(whole.Finish()));
    }
  }
}

TEST(ReportRecount, PartsOfATableAddUpToTheWhole) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    store::MemoryLeadStore store;
    ASSERT_TRUE(store.Commit(RandomDay(seed, true)).ok());
    ReportContext context = Context(0);
    std::map<std::string, double> calls;
    for (const ReportSpec& spec : AllReports()) {
      auto report = RunReport(store, spec, context, 2);
      ASSERT_TRUE(report.ok());
      for (const Table& table : report->tables) {
        for (size_t c = table.keys; c < table.columns.size(); ++c) {
          const Column& column = table.columns[c];
          const bool adds = column.unit == Unit::kCount || column.unit == Unit::kTime;
          if (!table.total || !adds) continue;
          double sum = 0;
          for (size_t r = 0; r + 1 < table.rows.size(); ++r) {
            const std::string& pass = table.keys > 1 ? table.rows[r][1].text : "";
            if (pass != "LIFE") sum += table.rows[r][c].number;
          }
          EXPECT_NEAR(sum, table.rows.back()[c].number, 1e-6)
              << spec.name << " " << table.id << " " << column.id;
          if (column.id == "calls") {
            calls[absl::StrCat(spec.name, " ", table.id)] = table.rows.back()[c].number;
          }
        }
      }
    }
    // Every table of every report has the same calls.
    for (const auto& [table, number] : calls) EXPECT_EQ(number, calls.begin()->second) << table;
  }
}

TEST(ReportRecount, TheSummaryOfAnExportCountsTheSame) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    for (const bool with_open : {false, true}) {
      store::MemoryLeadStore store;
      ASSERT_TRUE(store.Commit(RandomDay(seed, with_open)).ok());
      const ReportContext context = Context(0);
      ExportOptions options;
      options.from = context.from;
      options.to = context.to;
      options.zone = context.zone;
      const DaySummary sum = *SummarizeCalls(store, options);
      Sums figures;
      for (const Attempt& attempt : RandomDay(seed, with_open).attempts) {
        if (attempt.dialed_at < context.from || attempt.dialed_at >= context.to) continue;
        figures.Add(campaign::ViewOf(attempt), campaign::FindDisposition(attempt.status));
      }
      EXPECT_EQ(figures[kAttempts], sum.attempts);
      EXPECT_EQ(figures[kOpen], sum.open);
      EXPECT_EQ(figures[kCalls] + figures[kOpen], sum.attempts);
      EXPECT_EQ(figures[kFaults], sum.trunk_faults);
      if (with_open) continue;
      EXPECT_EQ(figures[kAnswered], sum.answered);
      EXPECT_EQ(figures[kConnected], sum.connected);
      EXPECT_EQ(figures[kAbandoned], sum.abandoned);
      EXPECT_EQ(figures[kMachines], sum.machines);
      EXPECT_EQ(figures[kNoAnswer], sum.no_answer);
      EXPECT_EQ(figures[kBusy], sum.busy);
      EXPECT_EQ(figures[kInvalid], sum.invalid);
      EXPECT_EQ(figures[kUnreachable], sum.unreachable);
      EXPECT_EQ(figures[kRejected], sum.rejected);
      EXPECT_EQ(figures[kUnknown], sum.unknown);
      EXPECT_EQ(figures[kSales], sum.sales);
      EXPECT_EQ(figures[kDispositions], sum.dispositions);
      EXPECT_EQ(absl::Microseconds(figures[kTalk]), sum.talk_time);
    }
  }
}

TEST(ReportRecount, InventoryCountsLeadsByHand) {
  store::MemoryLeadStore store;
  StoreBatch batch;
  campaign::CampaignSettings settings;
  settings.id = "DEMO";
  settings.call_count_limit = 3;
  batch.campaigns = {settings};
  batch.lists = {{ListId(101), "March", "DEMO"}, {ListId(102), "April", "DEMO"}};
  const auto lead = [&](uint64_t id, uint64_t list, int called, int max, bool final) {
    campaign::Lead l;
    l.id = LeadId(id);
    l.list = ListId(list);
    l.campaign = "DEMO";
    l.phone = E164(12'025'550'100 + id);
    l.time_zones = {"America/New_York"};
    l.entry_date = kFrom;
    l.called_count = called;
    l.max_attempts = max;
    if (final) l.next_call_time = absl::InfiniteFuture();
    batch.leads.push_back(l);
  };
  lead(1, 101, 0, 0, false);  // not called
  lead(2, 101, 2, 0, false);  // one try left of three
  lead(3, 101, 3, 0, false);  // none left
  lead(4, 101, 1, 0, true);   // final
  lead(5, 101, 1, 2, false);  // one left of its own two
  lead(6, 102, 1, 0, false);
  ASSERT_TRUE(store.Commit(batch).ok());
  ReportContext context = Context(0);
  ASSERT_TRUE(FillInventory(store, 2, context).ok());
  const Inventory& march = context.inventory[101];
  EXPECT_EQ(march.leads, 5);
  EXPECT_EQ(march.called, 4);
  EXPECT_EQ(march.one_offs, 2);
  EXPECT_EQ(march.inactive, 2);
  EXPECT_EQ(context.inventory[102].leads, 1);
  ReportContext only = Context(0);
  only.list = 102;
  ASSERT_TRUE(FillInventory(store, 1, only).ok());
  EXPECT_EQ(only.inventory.size(), 1u);
}

}  // namespace
}  // namespace outpace::report
