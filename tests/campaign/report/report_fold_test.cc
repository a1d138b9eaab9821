#include "campaign/report/report_fold.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/activity.h"
#include "campaign/report/agent_times.h"
#include "campaign/report/call_export.h"
#include "campaign/report/report_cells.h"
#include "campaign/report/report_run.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/base/rng.h"

namespace outpace::report {
namespace {

using campaign::AgentActivity;
using campaign::Attempt;
using campaign::StoreBatch;
namespace activity = campaign::activity;

absl::TimeZone Zone(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone));
  return zone;
}

// Noon of a Monday in New York, UTC-4.
absl::Time Noon() {
  return absl::FromCivil(absl::CivilSecond(2026, 3, 9, 12, 0, 0), Zone("America/New_York"));
}

ReportContext Day() {
  ReportContext context;
  context.zone = Zone("America/New_York");
  context.from = absl::FromCivil(absl::CivilDay(2026, 3, 9), context.zone);
  context.to = absl::FromCivil(absl::CivilDay(2026, 3, 10), context.zone);
  context.list_names = {{101, "March"}, {102, "April"}};
  context.agent_names = {{"a1", "Anna"}, {"a2", "Ben"}};
  context.clients = {{"DEMO", "ACME"}, {"OTHER", "甲方"}};
  return context;
}

Attempt Call(uint64_t id, absl::Duration after_noon, const char* outcome, const char* status) {
  Attempt a;
  a.id = AttemptId(id);
  a.lead = LeadId(id);
  a.list = ListId(101);
  a.campaign = "DEMO";
  a.trunk = "carrier";
  a.open = false;
  a.outcome = outcome;
  a.status = status;
  a.dialed_at = Noon() + after_noon;
  a.ended_at = a.dialed_at + absl::Seconds(20);
  return a;
}

// Rings after 2 s, is answered after 10 s; `talk` in all, of which the first second without agent.
Attempt Taken(uint64_t id, absl::Duration after_noon, const char* status, const char* agent,
              absl::Duration talk, absl::Duration wrap) {
  Attempt a = Call(id, after_noon, "answered", status);
  a.sip_status = 200;
  a.q850_cause = 16;
  a.agent = agent;
  a.ringing_at = a.dialed_at + absl::Seconds(2);
  a.answered_at = a.dialed_at + absl::Seconds(10);
  a.connected_at = a.answered_at + absl::Seconds(1);
  a.ended_at = a.answered_at + talk;
  a.disposed_at = a.ended_at + wrap;
  return a;
}

// The day that figures are computed from by hand below.
StoreBatch HandMadeDay() {
  StoreBatch day;
  // A sale: 61 s, of which 60 with the agent, wrap-up 30 s; 2 minutes billed at 0.6 a minute.
  Attempt sale = Taken(1, absl::Minutes(1), "SALE", "a1", absl::Seconds(61), absl::Seconds(30));
  sale.billed_seconds = 120;
  sale.cost_micros = 1'200'000;
  sale.holds = 2;
  sale.held = absl::Seconds(9);
  // Not interested: 31 s, 30 with the agent, wrap-up 10 s; the second try.
  Attempt no = Taken(2, absl::Minutes(2), "NI", "a2", absl::Seconds(31), absl::Seconds(10));
  no.number_of_try = 2;
  // The agent found a machine: 5 s, 4 with the agent: a short call. Wrap-up 5 s.
  Attempt machine = Taken(3, absl::Minutes(16), "A", "a1", absl::Seconds(5), absl::Seconds(5));
  // Given up: answered for 8 s.
  Attempt drop = Call(4, absl::Minutes(17), "answered", "DROP");
  drop.abandoned = true;
  drop.sip_status = 200;
  drop.answered_at = drop.dialed_at + absl::Seconds(4);
  drop.ended_at = drop.dialed_at + absl::Seconds(12);
  // Hung up before an agent was there, after one second.
  Attempt early = Call(5, absl::Minutes(18), "answered", "PDROP");
  early.sip_status = 200;
  early.answered_at = early.dialed_at + absl::Seconds(4);
  early.ended_at = early.dialed_at + absl::Seconds(5);
  Attempt no_answer = Call(6, absl::Minutes(19), "no_answer", "NA");
  no_answer.sip_status = 487;
  no_answer.ringing_at = no_answer.dialed_at + absl::Seconds(4);
  no_answer.ended_at = no_answer.ringing_at + absl::Seconds(24);
  Attempt busy = Call(7, absl::Minutes(31), "busy", "AB");
  busy.sip_status = 486;
  busy.q850_cause = 17;
  busy.list = ListId(102);
  Attempt vacant = Call(8, absl::Minutes(32), "invalid", "ADC");
  vacant.sip_status = 404;
  vacant.q850_cause = 1;
  vacant.campaign = "OTHER";
  vacant.number_of_try = 7;
  Attempt open = Call(9, absl::Minutes(33), "", "");
  open.open = true;
  Attempt unsent = Call(10, absl::Minutes(34), "no_trunk", "LRERR");
  unsent.sent = false;
  unsent.trunk_fault = true;
  Attempt inbound = Taken(11, absl::Minutes(35), "SALE", "a1", absl::Seconds(21), absl::Seconds(0));
  inbound.inbound = true;
  day.attempts = {sale, no, machine, drop, early, no_answer, busy, vacant, open, unsent, inbound};

  const auto at = [&](int minute, const char* agent, absl::string_view state,
                      const char* code = "") {
    AgentActivity a;
    a.at = Noon() + absl::Minutes(minute);
    a.agent = agent;
    a.campaign = "DEMO";
    a.state = std::string(state);
    a.code = code;
    day.activities.push_back(a);
  };
  // a1: in from 12:00 to 13:00: 1 min before ready, 9 + 20 waiting, 10 talking, 5 wrap, 15 lunch.
  at(0, "a1", activity::kLogin);
  at(1, "a1", activity::kReady);
  at(10, "a1", activity::kInCall);
  at(20, "a1", activity::kDispo);
  at(25, "a1", activity::kPaused, "LUNCH");
  at(40, "a1", activity::kReady);
  at(60, "a1", activity::kLoggedOut);
  // a2: in from 12:10 to 12:40, all of it ready or reserved.
  at(10, "a2", activity::kLogin);
  at(10, "a2", activity::kReady);
  at(30, "a2", activity::kReserved);
  at(40, "a2", activity::kLoggedOut);
  return day;
}

Report Make(const char* name, const StoreBatch& day, const ReportContext& context) {
  store::MemoryLeadStore store;
  EXPECT_TRUE(store.Commit(day).ok());
  const ReportSpec* spec = FindReport(name);
  EXPECT_NE(spec, nullptr);
  auto report = RunReport(store, *spec, context, 2);
  EXPECT_TRUE(report.ok()) << report.status();
  return *std::move(report);
}

const Table& TableIn(const Report& report, absl::string_view id) {
  for (const Table& table : report.tables) {
    if (table.id == id) return table;
  }
  ADD_FAILURE() << "no table " << id;
  return report.tables.front();
}

// The row whose keys are these texts.
std::map<std::string, double> RowIn(const Report& report, absl::string_view id,
                                    const std::vector<std::string>& keys) {
  const Table& table = TableIn(report, id);
  for (const std::vector<Cell>& row : table.rows) {
    bool same = true;
    for (size_t i = 0; i < keys.size(); ++i) same &= row[i].text == keys[i];
    if (!same) continue;
    std::map<std::string, double> named;
    EXPECT_EQ(row.size(), table.columns.size());
    for (size_t c = table.keys; c < row.size(); ++c) named[table.columns[c].id] = row[c].number;
    return named;
  }
  ADD_FAILURE() << "no row " << keys[0] << " in " << id;
  return {};
}

TEST(ReportFigures, CampaignTotalsByHand) {
  const Report report = Make("campaign", HandMadeDay(), Day());
  auto row = RowIn(report, "totals", {});
  EXPECT_EQ(row["attempts"], 9);  // all but the unsent and the inbound one
  EXPECT_EQ(row["calls"], 8);
  EXPECT_EQ(row["open"], 1);
  EXPECT_EQ(row["answered"], 5);
  EXPECT_DOUBLE_EQ(row["answer_rate"], 62.5);  // 5 / 8
  EXPECT_EQ(row["machines"], 1);
  EXPECT_EQ(row["persons"], 4);
  EXPECT_EQ(row["human_answers"], 4);  // SALE, NI, DROP, PDROP
  EXPECT_EQ(row["connected"], 3);
  EXPECT_EQ(row["drops"], 1);
  EXPECT_DOUBLE_EQ(row["drop_rate"], 25);  // 1 / 4
  EXPECT_EQ(row["no_answer"], 1);
  EXPECT_EQ(row["busy"], 1);
  EXPECT_EQ(row["invalid"], 1);
  EXPECT_EQ(row["sales"], 1);  // not the one of the caller from outside
  EXPECT_DOUBLE_EQ(row["conversion"], 25);
  EXPECT_DOUBLE_EQ(row["total_time"], 61 + 31 + 5 + 8 + 1);
  EXPECT_DOUBLE_EQ(row["avg_time"], 106.0 / 8);
  EXPECT_DOUBLE_EQ(row["login_time"], 90 * 60);  // an hour and half an hour
  EXPECT_DOUBLE_EQ(row["sph"], 1 / 1.5);
}

TEST(ReportFigures, StatusesByHand) {
  const Report report = Make("campaign", HandMadeDay(), Day());
  auto row = RowIn(report, "statuses", {"SALE", "Sale Made"});
  EXPECT_EQ(row["calls"], 1);
  EXPECT_DOUBLE_EQ(row["call_share"], 12.5);
  EXPECT_DOUBLE_EQ(row["total_time"], 61);
  EXPECT_NEAR(row["calls_hour"], 1 / (106.0 / 3600), 1e-9);
  EXPECT_DOUBLE_EQ(row["agent_calls_hour"], 1 / 1.5);
  EXPECT_EQ(RowIn(report, "statuses", {"TOTAL"})["calls"], 8);
  EXPECT_EQ(TableIn(report, "statuses").rows.size(), 9u);  // 8 statuses and the total
  row = RowIn(report, "lists", {"101", "March"});
  EXPECT_EQ(row["calls"], 7);
  EXPECT_EQ(RowIn(report, "lists", {"102", "April"})["calls"], 1);
  EXPECT_EQ(RowIn(report, "carriers", {"carrier"})["faults"], 1);
}

TEST(ReportFigures, AgentsByHand) {
  const Report report = Make("agents", HandMadeDay(), Day());
  auto a1 = RowIn(report, "agents", {"Anna", "a1"});
  EXPECT_EQ(a1["taken"], 3);  // sale, machine, the caller from outside
  EXPECT_EQ(a1["taken_inbound"], 1);
  EXPECT_DOUBLE_EQ(a1["login_time"], 3600);
  EXPECT_DOUBLE_EQ(a1["pause"], 16 * 60);
  EXPECT_DOUBLE_EQ(a1["pause_avg"], 16 * 60 / 3.0);
  EXPECT_DOUBLE_EQ(a1["wait"], 29 * 60);
  EXPECT_DOUBLE_EQ(a1["talk"], 600);
  EXPECT_DOUBLE_EQ(a1["talk_avg"], 200);
  EXPECT_DOUBLE_EQ(a1["dispo"], 300);
  EXPECT_DOUBLE_EQ(a1["dead"], 0);
  EXPECT_DOUBLE_EQ(a1["customer"], 600);
  EXPECT_DOUBLE_EQ(a1["occupancy"], 100 * 15 / 44.0);  // 10 + 5 of 29 + 10 + 5 minutes
  EXPECT_EQ(a1["sales"], 1);
  EXPECT_DOUBLE_EQ(a1["sph"], 1);
  EXPECT_EQ(a1["status:SALE"], 2);
  EXPECT_EQ(a1["status:A"], 1);
  EXPECT_EQ(a1["status:NI"], 0);
  auto a2 = RowIn(report, "agents", {"Ben", "a2"});
  EXPECT_DOUBLE_EQ(a2["wait"], 30 * 60);
  EXPECT_EQ(a2["status:NI"], 1);
  auto all = RowIn(report, "agents", {"TOTAL"});
  EXPECT_EQ(all["taken"], 4);
  EXPECT_EQ(all["status:SALE"], 2);
  auto pauses = RowIn(report, "pauses", {"Anna", "a1"});
  EXPECT_EQ(pauses["sessions"], 1);
  EXPECT_EQ(pauses["pauses"], 2);
  EXPECT_DOUBLE_EQ(pauses["nonpause"], 44 * 60);
  EXPECT_DOUBLE_EQ(pauses["pause:LUNCH"], 15 * 60);
  EXPECT_DOUBLE_EQ(pauses["pause:LOGIN"], 60);
}

TEST(ReportFigures, IntervalsByHand) {
  const Report report = Make("intervals", HandMadeDay(), Day());
  auto first = RowIn(report, "intervals", {"12:00"});
  EXPECT_EQ(first["calls"], 2);
  EXPECT_EQ(first["agent_release"], 2);
  EXPECT_EQ(first["system_release"], 0);
  EXPECT_EQ(first["sales"], 1);
  EXPECT_DOUBLE_EQ(first["login_time"], (15 + 5) * 60);
  EXPECT_DOUBLE_EQ(first["pause"], 60);
  auto second = RowIn(report, "intervals", {"12:15"});
  EXPECT_EQ(second["calls"], 4);  // machine, drop, hung up early, no answer
  EXPECT_EQ(second["system_release"], 3);
  EXPECT_DOUBLE_EQ(second["no_answer_rate"], 25);
  EXPECT_DOUBLE_EQ(second["drop_rate"], 50);  // of two persons
  EXPECT_DOUBLE_EQ(second["pause"], 5 * 60);
  auto third = RowIn(report, "intervals", {"12:30"});
  EXPECT_EQ(third["calls"], 2);
  EXPECT_EQ(third["open"], 1);
  EXPECT_DOUBLE_EQ(third["pause"], 10 * 60);
  auto all = RowIn(report, "intervals", {"TOTAL"});
  EXPECT_EQ(all["calls"], 8);
  EXPECT_DOUBLE_EQ(all["login_time"], 90 * 60);
  ReportContext hours = Day();
  hours.interval = absl::Hours(1);
  EXPECT_EQ(RowIn(Make("intervals", HandMadeDay(), hours), "intervals", {"12:00"})["calls"], 8);
}

TEST(ReportFigures, TrunksAndCausesByHand) {
  const Report report = Make("trunks", HandMadeDay(), Day());
  auto row = RowIn(report, "trunks", {"carrier"});
  EXPECT_EQ(row["attempts"], 9);
  EXPECT_DOUBLE_EQ(row["asr"], 62.5);
  EXPECT_DOUBLE_EQ(row["ner"], 87.5);  // all but the vacant number
  EXPECT_DOUBLE_EQ(row["acd"], 106.0 / 5);
  EXPECT_DOUBLE_EQ(row["pdd"], (3 * 2 + 4) / 4.0);  // three that were taken, one not answered
  EXPECT_EQ(row["short_calls"], 2);                 // the machine and who hung up early
  EXPECT_DOUBLE_EQ(row["short_rate"], 40);
  EXPECT_EQ(row["faults"], 1);
  EXPECT_EQ(row["unsent"], 1);
  EXPECT_DOUBLE_EQ(row["billed_minutes"], 2);
  EXPECT_DOUBLE_EQ(row["cost"], 1.2);
  EXPECT_DOUBLE_EQ(row["cost_per_call"], 0.15);
  const Report causes = Make("causes", HandMadeDay(), Day());
  EXPECT_EQ(RowIn(causes, "causes", {"200", "16 normal call clearing", "answered"})["calls"], 3);
  EXPECT_EQ(RowIn(causes, "causes", {"200", "-", "answered"})["calls"], 2);
  EXPECT_EQ(RowIn(causes, "causes", {"486", "17 user busy", "busy"})["calls"], 1);
}

TEST(ReportFigures, ListsAndPassesByHand) {
  ReportContext context = Day();
  context.inventory[101] = {.leads = 50, .called = 20, .one_offs = 3, .inactive = 4};
  context.inventory[102] = {.leads = 0, .called = 0, .one_offs = 0, .inactive = 0};
  const Report report = Make("lists", HandMadeDay(), context);
  auto row = RowIn(report, "inventory", {"101", "March"});
  EXPECT_EQ(row["inventory_new"], 30);
  EXPECT_DOUBLE_EQ(row["penetration"], 40);
  EXPECT_DOUBLE_EQ(RowIn(report, "inventory", {"102", "April"})["penetration"], 0);
  row = RowIn(report, "passes", {"101", "1st"});
  EXPECT_EQ(row["calls"], 5);          // sale, machine, drop, hung up early, no answer
  EXPECT_EQ(row["human_answers"], 3);  // all but the machine and no answer
  EXPECT_DOUBLE_EQ(row["contact_rate"], 60);
  EXPECT_EQ(row["completed"], 1);
  EXPECT_EQ(RowIn(report, "passes", {"101", "2nd"})["customer_contact"], 1);
  EXPECT_EQ(RowIn(report, "passes", {"101", "6th+"})["unworkable"], 1);
  EXPECT_EQ(RowIn(report, "passes", {"101", "LIFE"})["calls"], 7);
  EXPECT_EQ(RowIn(report, "passes", {"TOTAL"})["calls"], 8);  // LIFE is not counted again
  EXPECT_EQ(RowIn(report, "statuses", {"102", "April", "AB"})["calls"], 1);
}

TEST(ReportFigures, DailyTableAndKeyFiguresByHand) {
  const Report daily = Make("daily-cn", HandMadeDay(), Day());
  auto row = RowIn(daily, "days", {"2026-03-09", "ACME", "DEMO"});
  EXPECT_EQ(row["calls"], 7);
  EXPECT_EQ(row["answered"], 5);
  EXPECT_DOUBLE_EQ(row["answer_rate"], 100 * 5 / 7.0);
  EXPECT_DOUBLE_EQ(row["effective_answer_rate"], 100 * 5 / 7.0);
  EXPECT_DOUBLE_EQ(row["drop_rate"], 25);
  EXPECT_DOUBLE_EQ(row["nuisance_rate"], 50);  // given up, and hung up before
  EXPECT_DOUBLE_EQ(row["talk_call_avg"], (60 + 30 + 4) / 3.0);
  EXPECT_DOUBLE_EQ(row["conversion"], 25);
  EXPECT_DOUBLE_EQ(row["utilization"], 100 * 15 / 90.0);
  row = RowIn(daily, "days", {"TOTAL"});
  EXPECT_DOUBLE_EQ(row["effective_answer_rate"], 100 * 5 / 7.0);  // the vacant number is out
  const Report kpi = Make("kpi", HandMadeDay(), Day());
  row = RowIn(kpi, "kpi", {});
  EXPECT_DOUBLE_EQ(row["occupancy"], 100 * 15 / 74.0);
  EXPECT_EQ(row["taken"], 4);
  // Talk 60 + 30 + 4 + 20, wrap-up 30 + 10 + 5 + 0.
  EXPECT_DOUBLE_EQ(row["aht"], (114 + 45) / 4.0);
  EXPECT_DOUBLE_EQ(row["acw"], 45 / 4.0);
  EXPECT_DOUBLE_EQ(row["ring_time"], (3 * 8 + 24) / 4.0);
  EXPECT_DOUBLE_EQ(row["ring_count"], 2);
  EXPECT_DOUBLE_EQ(row["cost_per_sale"], 1.2);
  EXPECT_EQ(row["holds"], 2);
  EXPECT_DOUBLE_EQ(row["held"], 9);
}

TEST(ReportFigures, AbandonmentByHand) {
  const Report report = Make("abandonment", HandMadeDay(), Day());
  auto row = RowIn(report, "days", {"2026-03-09", "DEMO"});
  EXPECT_EQ(row["persons"], 4);
  EXPECT_EQ(row["drops"], 1);
  EXPECT_EQ(row["nuisance"], 2);
}

// `outpace report list` tells the names, so none of them is that.
TEST(ReportSpecs, NamesDifferAndAreNoVerbs) {
  std::set<absl::string_view> names = {"list"};
  for (const ReportSpec& spec : AllReports()) EXPECT_TRUE(names.insert(spec.name).second);
}

TEST(ReportFigures, AnEmptyDayHasZerosAndNothingElse) {
  for (const ReportSpec& spec : AllReports()) {
    SCOPED_TRACE(spec.name);
    const Report report = Make(std::string(spec.name).c_str(), StoreBatch(), Day());
    for (const Table& table : report.tables) {
      for (const std::vector<Cell>& row : table.rows) {
        for (size_t c = table.keys; c < row.size(); ++c) EXPECT_EQ(row[c].number, 0) << table.id;
      }
    }
    for (const Language language : {Language::kEnglish, Language::kChinese}) {
      const std::string text = ReportText(report, language), html = ReportHtml(report, language);
      for (const std::string& out : {text, html}) {
        EXPECT_FALSE(absl::StrContains(out, "nan") || absl::StrContains(out, "inf"));
      }
    }
  }
}

TEST(ReportFold, RangeCampaignAndListCutTheCalls) {
  ReportContext context = Day();
  context.campaign = "OTHER";
  EXPECT_EQ(RowIn(Make("campaign", HandMadeDay(), context), "totals", {})["calls"], 1);
  context.campaign = "DEMO";
  context.list = 102;
  EXPECT_EQ(RowIn(Make("campaign", HandMadeDay(), context), "totals", {})["calls"], 1);
  context = Day();
  context.from = Noon() + absl::Minutes(2);
  context.to = Noon() + absl::Minutes(17);
  EXPECT_EQ(RowIn(Make("campaign", HandMadeDay(), context), "totals", {})["calls"], 2);
}

TEST(ReportFold, DaysAndIntervalsAreThoseOfTheZone) {
  // The clock is set forward at 2:00 of 8 March 2026 in New York: that day has 92 quarters.
  ReportContext context = Day();
  context.from = absl::FromCivil(absl::CivilDay(2026, 3, 8), context.zone);
  StoreBatch day;
  day.attempts.push_back(Call(1, absl::ZeroDuration(), "busy", "AB"));
  day.attempts.back().dialed_at = context.from;
  day.attempts.push_back(Call(2, absl::ZeroDuration(), "busy", "AB"));
  day.attempts.back().dialed_at = context.to - absl::Microseconds(1);
  const Report intervals = Make("intervals", day, context);
  EXPECT_EQ(TableIn(intervals, "intervals").rows.size(), 92u + 96 + 1);
  RowIn(intervals, "intervals", {"2026-03-08 03:00"});
  EXPECT_EQ(RowIn(intervals, "intervals", {"2026-03-09 23:45"})["calls"], 1);
  const Report daily = Make("daily-cn", day, context);
  EXPECT_EQ(RowIn(daily, "days", {"2026-03-08"})["calls"], 1);
  EXPECT_EQ(RowIn(daily, "days", {"2026-03-09"})["calls"], 1);
}

}  // namespace
}  // namespace outpace::report
