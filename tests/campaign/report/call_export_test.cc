#include "campaign/report/call_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/disposition.h"
#include "campaign/report/call_columns.h"
#include "campaign/report/csv_writer.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/base/rng.h"

namespace outpace::report {
namespace {

using campaign::Attempt;
using campaign::Lead;
using campaign::StoreBatch;

const absl::Time kDay =
    absl::FromCivil(absl::CivilSecond(2026, 3, 9, 14, 0, 0), absl::UTCTimeZone());

absl::TimeZone NewYork() {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone("America/New_York", &zone));
  return zone;
}

ExportOptions WholeDay() {
  ExportOptions options;
  options.from = kDay - absl::Hours(12);
  options.to = kDay + absl::Hours(12);
  options.zone = NewYork();
  return options;
}

std::string Export(const campaign::LeadStore& store, const ExportOptions& options) {
  std::string bytes;
  const absl::StatusOr<int64_t> rows = ExportCalls(store, options, [&](absl::string_view piece) {
    absl::StrAppend(&bytes, piece);
    return absl::OkStatus();
  });
  EXPECT_TRUE(rows.ok()) << rows.status();
  return bytes;
}

// An RFC 4180 reader of its own, so that the writer is not judged by itself.
std::vector<std::vector<std::string>> ReadCsv(absl::string_view bytes) {
  std::vector<std::vector<std::string>> rows;
  std::vector<std::string> row;
  std::string cell;
  bool quoted = false;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (quoted) {
      if (c != '"') {
        cell.push_back(c);
      } else if (i + 1 < bytes.size() && bytes[i + 1] == '"') {
        cell.push_back(bytes[++i]);
      } else {
        quoted = false;
      }
    } else if (c == '"' && cell.empty()) {
      quoted = true;
    } else if (c == ',') {
      row.push_back(std::exchange(cell, ""));
    } else if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') {
      ++i;
      row.push_back(std::exchange(cell, ""));
      rows.push_back(std::exchange(row, {}));
    } else {
      EXPECT_TRUE(c != '\n' && c != '\r' && c != '"') << "stray byte at " << i;
      cell.push_back(c);
    }
  }
  EXPECT_TRUE(row.empty() && cell.empty()) << "the file does not end with CRLF";
  return rows;
}

// Rows by column name, without the header.
std::vector<std::map<std::string, std::string>> ReadRows(absl::string_view bytes) {
  const auto rows = ReadCsv(bytes);
  std::vector<std::map<std::string, std::string>> named;
  for (size_t r = 1; r < rows.size(); ++r) {
    EXPECT_EQ(rows[r].size(), rows[0].size());
    named.emplace_back();
    for (size_t c = 0; c < rows[r].size(); ++c) named.back()[rows[0][c]] = rows[r][c];
  }
  return named;
}

Lead MakeLead(uint64_t id) {
  Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(101);
  lead.campaign = "DEMO";
  lead.phone = E164(12'125'550'100 + id);
  lead.entry_date = kDay - absl::Hours(48);
  lead.time_zones = {"America/New_York"};
  lead.fields = {{"first_name", "Ann"}, {"last_name", "O'Neil"}, {"vendor_lead_code", "V-1"}};
  return lead;
}

Attempt MakeAttempt(uint64_t id, uint64_t lead) {
  Attempt a;
  a.id = AttemptId(id);
  a.lead = LeadId(lead);
  a.list = ListId(101);
  a.campaign = "DEMO";
  a.dialed = E164(12'125'550'100 + lead);
  a.caller_id = E164(12'125'550'000);
  a.trunk = "carrier";
  a.call_id = absl::StrCat("att-", id, "@192.0.2.10");
  a.open = false;
  a.dialed_at = kDay + absl::Minutes(static_cast<int64_t>(id));
  return a;
}

// One day with one call of each kind.
StoreBatch Day() {
  StoreBatch day;
  day.lists = {{ListId(101), "March \"A\", part 1", "DEMO", true, 6}};
  day.agents = {{"a1", "Zoë Müller", "", ""}, {"a2", "=HYPERLINK(\"x\")", "", ""}};

  Lead plain = MakeLead(1);
  plain.rank = -5;
  plain.called_count = 3;
  plain.status = "SALE";
  plain.alt_phone = E164(12'125'550'999);
  Lead hostile = MakeLead(2);
  hostile.fields["first_name"] = "=cmd|' /C calc'!A0";
  hostile.fields["last_name"] = "-1+1";
  hostile.fields["comments"] = "line one\r\nline \"two\", end";
  hostile.owner = "＝1";
  Lead chinese = MakeLead(3);
  chinese.phone = E164(8613800138000);
  chinese.fields["first_name"] = "王小明";
  chinese.time_zones = {"Asia/Shanghai"};
  day.leads = {plain, hostile, chinese};

  Attempt sale = MakeAttempt(1, 1);
  sale.number_of_try = 3;
  sale.outcome = "answered";
  sale.sip_status = 200;
  sale.q850_cause = 16;
  sale.status = "SALE";
  sale.term_reason = "CALLER";
  sale.agent = "a1";
  sale.note = "+1 for the \"gold\" plan";
  sale.ringing_at = sale.dialed_at + absl::Milliseconds(1500);
  sale.answered_at = sale.dialed_at + absl::Milliseconds(9750);
  sale.connected_at = sale.answered_at + absl::Milliseconds(80);
  sale.ended_at = sale.connected_at + absl::Milliseconds(61'234);
  sale.disposed_at = sale.ended_at + absl::Milliseconds(5001);

  Attempt no_answer = MakeAttempt(2, 2);
  no_answer.outcome = "no_answer";
  no_answer.sip_status = 487;
  no_answer.status = "NA";
  no_answer.term_reason = "NONE";
  no_answer.ringing_at = no_answer.dialed_at + absl::Seconds(2);
  no_answer.ended_at = no_answer.dialed_at + absl::Seconds(26);

  Attempt busy = MakeAttempt(3, 3);
  busy.dialed = E164(8613800138000);
  busy.tier = campaign::Tier::kB;
  busy.outcome = "busy";
  busy.sip_status = 486;
  busy.status = "AB";
  busy.ended_at = busy.dialed_at + absl::Seconds(1);

  Attempt drop = MakeAttempt(4, 1);
  drop.dialed = E164(12'125'550'999);
  drop.outcome = "answered";
  drop.sip_status = 200;
  drop.status = "DROP";
  drop.term_reason = "ABANDON";
  drop.abandoned = drop.message_played = true;
  drop.ringing_at = drop.dialed_at + absl::Seconds(1);
  drop.answered_at = drop.dialed_at + absl::Seconds(4);
  drop.ended_at = drop.dialed_at + absl::Seconds(12);
  drop.disposed_at = drop.ended_at;

  Attempt machine = sale;
  machine.id = AttemptId(5);
  machine.call_id = "att-5@192.0.2.10";
  machine.lead = LeadId(2);
  machine.agent = "a2";
  machine.status = "A";
  machine.note.clear();
  machine.connected_at = machine.answered_at;
  machine.ended_at = machine.connected_at - absl::Seconds(1);  // the wall clock was set back

  Attempt open = MakeAttempt(6, 99);  // its lead is not in the store
  open.open = true;
  open.list = ListId();

  Attempt unsent = MakeAttempt(7, 1);
  unsent.sent = false;
  unsent.outcome = "no_trunk";
  unsent.trunk_fault = true;
  unsent.status = "LRERR";
  unsent.caller_id = E164();

  Attempt callback = sale;
  callback.id = AttemptId(8);
  callback.call_id = "att-8@192.0.2.10";
  callback.campaign = "OTHER";
  callback.agent = "gone";
  callback.status = "CALLBK";
  callback.callback_time = kDay + absl::Hours(30);

  Attempt yesterday = MakeAttempt(9, 1);
  yesterday.dialed_at = kDay - absl::Hours(12) - absl::Microseconds(1);
  day.attempts = {sale, no_answer, busy, drop, machine, open, unsent, callback, yesterday};
  return day;
}

TEST(ExportCalls, IsTheGoldenFile) {
  store::MemoryLeadStore store;
  ASSERT_TRUE(store.Commit(Day()).ok());
  ExportOptions options = WholeDay();
  options.bom = true;
  const std::string bytes = Export(store, options);
  const std::string path = OUTPACE_SOURCE_DIR "/tests/golden/calls.csv";
  if (std::getenv("OUTPACE_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  std::ifstream file(path, std::ios::binary);
  const std::string golden((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
  EXPECT_EQ(bytes, golden) << "docs/EXPORT.md promises these bytes; if the change is meant, run "
                              "this test with OUTPACE_UPDATE_GOLDEN=1 and change the document";
  EXPECT_EQ(Export(store, options), bytes);
}

TEST(ExportCalls, VicidialColumnsComeFirst) {
  const std::vector<std::string> columns = ExportColumns();
  const std::vector<std::string> vicidial = absl::StrSplit(
      "call_date phone_number_dialed status user full_name campaign_id vendor_lead_code source_id "
      "list_id gmt_offset_now phone_code phone_number title first_name middle_initial last_name "
      "address1 address2 address3 city state province postal_code country_code gender "
      "date_of_birth alt_phone email security_phrase comments length_in_sec user_group alt_dial "
      "rank owner lead_id list_name list_description status_name",
      ' ');
  ASSERT_GT(columns.size(), vicidial.size());
  EXPECT_EQ(std::vector<std::string>(columns.begin(),
                                     columns.begin() + static_cast<ptrdiff_t>(vicidial.size())),
            vicidial);
}

TEST(ExportCalls, EveryColumnIsDefinedInTheDocumentInThisOrder) {
  std::ifstream file(OUTPACE_SOURCE_DIR "/docs/EXPORT.md");
  std::vector<std::string> documented;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> cells = absl::StrSplit(line, '|');
    int number = 0;
    if (cells.size() >= 5 && absl::SimpleAtoi(cells[1], &number)) {
      EXPECT_EQ(number, static_cast<int>(documented.size()) + 1);
      const std::vector<std::string> name = absl::StrSplit(cells[2], '`');
      ASSERT_EQ(name.size(), 3u) << line;
      const CallColumn* const column = FindCallColumn(name[1]);
      ASSERT_NE(column, nullptr) << line;
      EXPECT_EQ(cells[3], absl::StrCat(" ", column->definition, " "));
      documented.push_back(name[1]);
    }
  }
  EXPECT_EQ(documented, ExportColumns());
}

TEST(ExportCalls, ValuesMeanWhatTheDocumentSays) {
  store::MemoryLeadStore store;
  ASSERT_TRUE(store.Commit(Day()).ok());
  const auto rows = ReadRows(Export(store, WholeDay()));
  ASSERT_EQ(rows.size(), 8u);
  const auto& sale = rows[0];
  EXPECT_EQ(sale.at("call_date"), "2026-03-09 10:01:00");  // the day after clocks went forward
  EXPECT_EQ(sale.at("gmt_offset_now"), "-4.00");
  EXPECT_EQ(sale.at("phone_number_dialed"), "12125550101");
  EXPECT_EQ(sale.at("full_name"), "Zoë Müller");
  EXPECT_EQ(sale.at("length_in_sec"), "61");
  EXPECT_EQ(sale.at("rank"), "-5");
  EXPECT_EQ(sale.at("alt_dial"), "MAIN");
  EXPECT_EQ(sale.at("list_name"), "March \"A\", part 1");
  EXPECT_EQ(sale.at("status_name"), "Sale Made");
  EXPECT_EQ(sale.at("ring_seconds"), "8.250");
  EXPECT_EQ(sale.at("talk_seconds"), "61.234");
  EXPECT_EQ(sale.at("wrapup_seconds"), "5.001");
  EXPECT_EQ(sale.at("dialed_ms"), absl::StrCat(absl::ToUnixMillis(kDay + absl::Minutes(1))));
  EXPECT_EQ(sale.at("note"), "'+1 for the \"gold\" plan");
  EXPECT_EQ(rows[1].at("first_name"), "'=cmd|' /C calc'!A0");
  EXPECT_EQ(rows[1].at("last_name"), "'-1+1");
  EXPECT_EQ(rows[1].at("owner"), "'＝1");
  EXPECT_EQ(rows[1].at("comments"), "line one\r\nline \"two\", end");
  EXPECT_EQ(rows[1].at("ring_seconds"), "24.000");
  EXPECT_EQ(rows[1].at("talk_seconds"), "");
  EXPECT_EQ(rows[1].at("answered_ms"), "");
  EXPECT_EQ(rows[2].at("gmt_offset_now"), "8.00");
  EXPECT_EQ(rows[2].at("first_name"), "王小明");
  EXPECT_EQ(rows[3].at("abandoned"), "Y");
  EXPECT_EQ(rows[3].at("alt_dial"), "ALT");
  EXPECT_EQ(rows[3].at("wrapup_seconds"), "");  // no agent wrapped up
  EXPECT_EQ(rows[4].at("full_name"), "'=HYPERLINK(\"x\")");
  EXPECT_EQ(rows[4].at("talk_seconds"), "0.000");
  EXPECT_EQ(rows[5].at("open"), "Y");
  EXPECT_EQ(rows[5].at("list_id"), "");
  EXPECT_EQ(rows[5].at("phone_number"), "");
  EXPECT_EQ(rows[5].at("rank"), "");
  EXPECT_EQ(rows[6].at("sent"), "N");
  EXPECT_EQ(rows[6].at("caller_id"), "");
  EXPECT_EQ(rows[7].at("callback_date"), "2026-03-10 16:00:00");
}

TEST(ExportCalls, RangeAndCampaignCutTheRows) {
  store::MemoryLeadStore store;
  ASSERT_TRUE(store.Commit(Day()).ok());
  ExportOptions options = WholeDay();
  options.campaign = "OTHER";
  EXPECT_EQ(ReadRows(Export(store, options)).size(), 1u);
  options.campaign = "DEMO";
  EXPECT_EQ(ReadRows(Export(store, options)).size(), 7u);
  options.campaign = "NONE";
  EXPECT_EQ(ReadCsv(Export(store, options)).size(), 1u);  // the header stands alone
  options = WholeDay();
  options.from = kDay + absl::Minutes(2);  // half open
  options.to = kDay + absl::Minutes(4);
  EXPECT_EQ(ReadRows(Export(store, options)).size(), 2u);
}

TEST(ExportCalls, StopsWithTheWritersError) {
  store::MemoryLeadStore store;
  StoreBatch batch;
  for (uint64_t id = 1; id <= 3000; ++id) {
    batch.attempts.push_back(MakeAttempt(1, 1));
    batch.attempts.back().id = AttemptId(id);
  }
  ASSERT_TRUE(store.Commit(batch).ok());
  int pieces = 0;
  const absl::StatusOr<int64_t> rows = ExportCalls(store, WholeDay(), [&](absl::string_view piece) {
    EXPECT_LE(piece.size(), 70'000u);  // streamed, never the whole file
    return ++pieces == 3 ? absl::UnavailableError("disk full") : absl::OkStatus();
  });
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(pieces, 3);
}

TEST(CsvWriter, NeutralisesFormulasAndNothingElse) {
  for (const char* text : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1",
                           "－1", "＠x", "=cmd|'/C calc'!A0", "-", "="}) {
    EXPECT_TRUE(LooksLikeFormula(text)) << text;
  }
  for (const char* text :
       {"", "1-1", "a=b", " x", "14155550100", "'=1", "王", "~", "\"=1", "#REF!"}) {
    EXPECT_FALSE(LooksLikeFormula(text)) << text;
  }
}

TEST(CsvWriter, WhateverGoesInComesOut) {
  Rng rng(3);
  static constexpr absl::string_view kPieces[] = {",", "\"", "\r\n", "\n", " ",  "a", "王",
                                                  "=", "'",  ";",    "\t", "\r", "-", "\xff"};
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    const std::function<absl::Status(absl::string_view)> keep = [&](absl::string_view piece) {
      absl::StrAppend(&bytes, piece);
      return absl::OkStatus();
    };
    CsvWriter csv(keep);
    std::vector<std::vector<std::string>> rows(1 + rng.Below(4));
    const uint64_t columns = 1 + rng.Below(5);
    for (auto& row : rows) {
      for (uint64_t c = 0; c < columns; ++c) {
        std::string text;
        for (uint64_t n = rng.Below(8); n > 0; --n) {
          absl::StrAppend(&text, kPieces[rng.Below(std::size(kPieces))]);
        }
        csv.Text(text);
        row.push_back(LooksLikeFormula(text) ? absl::StrCat("'", text) : text);
      }
      ASSERT_TRUE(csv.EndRow().ok());
    }
    ASSERT_TRUE(csv.Finish().ok());
    EXPECT_EQ(ReadCsv(bytes), rows);
  }
}

TEST(SummarizeCalls, CountsTheDay) {
  store::MemoryLeadStore store;
  ASSERT_TRUE(store.Commit(Day()).ok());
  const DaySummary sum = *SummarizeCalls(store, WholeDay());
  EXPECT_EQ(sum.attempts, 7);  // eight in the day, one never left
  EXPECT_EQ(sum.answered, 4);
  EXPECT_EQ(sum.connected, 3);
  EXPECT_EQ(sum.machines, 1);
  EXPECT_EQ(sum.abandoned, 1);
  EXPECT_EQ(sum.no_answer, 1);
  EXPECT_EQ(sum.busy, 1);
  EXPECT_EQ(sum.trunk_faults, 1);
  EXPECT_EQ(sum.sales, 1);
  EXPECT_EQ(sum.dispositions, 3);
  EXPECT_EQ(sum.open, 1);
  EXPECT_EQ(sum.talk_time, absl::Milliseconds(2 * 61'234));
  EXPECT_DOUBLE_EQ(sum.AbandonRatio(), 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(DaySummary().AbandonRatio(), 0.0);
  ExportOptions other = WholeDay();
  other.campaign = "OTHER";
  EXPECT_EQ(SummarizeCalls(store, other)->attempts, 1);
}

// The summary and the export of one range are the same calls: an analyst who adds up the file's
// columns gets the summary's figures.
TEST(SummarizeCalls, IsTheSumOfTheExport) {
  static constexpr const char* kOutcomes[] = {"answered", "no_answer",   "busy",     "invalid",
                                              "unknown",  "unreachable", "rejected", "congestion"};
  static constexpr const char* kStatuses[] = {"SALE", "NI", "A", "NA", "DROP", ""};
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    store::MemoryLeadStore store;
    StoreBatch batch;
    for (uint64_t id = 1; id <= 300; ++id) {
      Attempt a = MakeAttempt(id, 1);
      a.outcome = kOutcomes[rng.Below(std::size(kOutcomes))];
      a.status = kStatuses[rng.Below(std::size(kStatuses))];
      a.open = rng.Chance(0.1);
      a.sent = rng.Chance(0.9);
      a.trunk_fault = rng.Chance(0.1);
      a.abandoned = rng.Chance(0.1);
      a.inbound = rng.Chance(0.1);
      if (rng.Chance(0.5)) a.agent = "a1";
      if (a.outcome == "answered") a.answered_at = a.dialed_at + absl::Seconds(5);
      if (rng.Chance(0.5)) a.connected_at = a.dialed_at + absl::Seconds(6);
      if (rng.Chance(0.8)) {
        a.ended_at = a.dialed_at + absl::Milliseconds(6000 + static_cast<int64_t>(rng.Below(99)));
      }
      if (rng.Chance(0.5)) a.disposed_at = a.dialed_at + absl::Seconds(90);
      batch.attempts.push_back(a);
    }
    ASSERT_TRUE(store.Commit(batch).ok());
    const DaySummary sum = *SummarizeCalls(store, WholeDay());
    DaySummary fold;
    double talk_seconds = 0;
    for (const auto& row : ReadRows(Export(store, WholeDay()))) {
      if (row.at("inbound") == "Y") continue;
      fold.trunk_faults += row.at("trunk_fault") == "Y";
      if (row.at("sent") != "Y") continue;
      const bool answered = !row.at("answered_ms").empty() || row.at("outcome") == "answered";
      const campaign::Disposition* disposition = campaign::FindDisposition(row.at("status"));
      ++fold.attempts;
      fold.answered += answered;
      fold.connected += !row.at("connected_ms").empty();
      fold.abandoned += row.at("abandoned") == "Y";
      fold.machines += answered && disposition != nullptr && disposition->answering_machine;
      fold.no_answer += row.at("outcome") == "no_answer";
      fold.busy += row.at("outcome") == "busy";
      fold.invalid += row.at("outcome") == "invalid";
      fold.unreachable += row.at("outcome") == "unreachable";
      fold.rejected += row.at("outcome") == "rejected";
      fold.unknown += row.at("outcome") == "unknown";
      fold.sales += row.at("status") == "SALE";
      fold.dispositions += !row.at("user").empty() && !row.at("disposed_ms").empty();
      fold.open += row.at("open") == "Y";
      double talk = 0;
      if (absl::SimpleAtod(row.at("talk_seconds"), &talk)) talk_seconds += talk;
    }
    EXPECT_EQ(sum.attempts, fold.attempts);
    EXPECT_EQ(sum.answered, fold.answered);
    EXPECT_EQ(sum.connected, fold.connected);
    EXPECT_EQ(sum.abandoned, fold.abandoned);
    EXPECT_EQ(sum.machines, fold.machines);
    EXPECT_EQ(sum.no_answer, fold.no_answer);
    EXPECT_EQ(sum.busy, fold.busy);
    EXPECT_EQ(sum.invalid, fold.invalid);
    EXPECT_EQ(sum.unreachable, fold.unreachable);
    EXPECT_EQ(sum.rejected, fold.rejected);
    EXPECT_EQ(sum.unknown, fold.unknown);
    EXPECT_EQ(sum.trunk_faults, fold.trunk_faults);
    EXPECT_EQ(sum.sales, fold.sales);
    EXPECT_EQ(sum.dispositions, fold.dispositions);
    EXPECT_EQ(sum.open, fold.open);
    EXPECT_NEAR(absl::ToDoubleSeconds(sum.talk_time), talk_seconds, 1e-6);
  }
}

}  // namespace
}  // namespace outpace::report
