#include "campaign/report/call_layouts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "campaign/load/byte_source.h"
#include "campaign/load/xlsx_reader.h"
#include "campaign/report/agent_export.h"
#include "campaign/report/call_export.h"
#include "campaign/report/csv_writer.h"
#include "campaign/report/ordered_output.h"
#include "campaign/report/row_format.h"
#include "campaign/report/side_car.h"
#include "campaign/report/xlsx_export.h"
#include "campaign/store/memory_lead_store.h"

namespace outpace::report {
namespace {

using campaign::Attempt;
using campaign::Lead;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Table = std::vector<std::vector<std::string>>;

const absl::Time kDay =
    absl::FromCivil(absl::CivilSecond(2026, 3, 9, 14, 0, 0), absl::UTCTimeZone());

ExportOptions Options(absl::string_view layout) {
  ExportOptions options;
  options.from = kDay - absl::Hours(12);
  options.to = kDay + absl::Hours(12);
  options.zone = absl::UTCTimeZone();
  options.layout = std::string(layout);
  return options;
}

std::string Export(const campaign::LeadStore& store, const ExportOptions& options) {
  std::string bytes;
  const auto rows = ExportCalls(store, options, [&](absl::string_view piece) {
    absl::StrAppend(&bytes, piece);
    return absl::OkStatus();
  });
  EXPECT_TRUE(rows.ok()) << rows.status();
  return bytes;
}

// A reader of its own, so that the writer is not judged by itself. Lines end with CRLF.
Table ReadCsv(absl::string_view bytes, char separator) {
  Table rows;
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
    } else if (c == '"') {
      quoted = true;
    } else if (c == separator) {
      row.push_back(std::exchange(cell, ""));
    } else if (c == '\r') {
      row.push_back(std::exchange(cell, ""));
    } else if (c == '\n') {
      rows.push_back(std::exchange(row, {}));
    } else {
      cell.push_back(c);
    }
  }
  return rows;
}

char SeparatorOf(absl::string_view layout) { return (*FindCallLayout(layout))->separator; }

Table ExportTable(const campaign::LeadStore& store, absl::string_view layout) {
  return ReadCsv(Export(store, Options(layout)), SeparatorOf(layout));
}

// A sale, an abandoned call, and one that nobody took.
campaign::StoreBatch ThreeCalls() {
  campaign::StoreBatch day;
  day.lists = {{ListId(101), "March", "DEMO", true, 1}};
  day.lists[0].description = "from the fair";
  day.agents = {{"a1", "Ann Lee", "", ""}};
  Lead lead;
  lead.id = LeadId(7);
  lead.list = ListId(101);
  lead.campaign = "DEMO";
  lead.phone = E164(12125550107);
  lead.entry_date = kDay - absl::Hours(48);
  lead.last_call_time = kDay + absl::Minutes(3);
  lead.called_count = 3;
  lead.time_zones = {"America/New_York"};
  lead.owner = "north";
  lead.fields = {{"first_name", "王"}, {"last_name", "=1+1"}, {"vendor_lead_code", "V-1"}};
  day.leads = {lead};
  Attempt sale;
  sale.id = AttemptId(1);
  sale.lead = lead.id;
  sale.list = ListId(101);
  sale.campaign = "DEMO";
  sale.dialed = lead.phone;
  sale.caller_id = E164(12125550000);
  sale.open = false;
  sale.outcome = "answered";
  sale.status = "SALE";
  sale.term_reason = "AGENT";
  sale.agent = "a1";
  sale.dialed_at = kDay + absl::Minutes(1);
  sale.ringing_at = sale.dialed_at + absl::Seconds(2);
  sale.answered_at = sale.dialed_at + absl::Seconds(10);
  sale.connected_at = sale.answered_at + absl::Milliseconds(1500);
  sale.ended_at = sale.connected_at + absl::Seconds(3723);
  sale.disposed_at = sale.ended_at + absl::Seconds(8);
  sale.holds = 2;
  sale.held = absl::Seconds(61);
  sale.conferences = 1;
  sale.billed_seconds = 3726;
  sale.cost_micros = 1'234'567;
  sale.score = 0.0125;
  sale.scorer = "champion";
  sale.last_status = "NA";
  Attempt drop = sale;
  drop.id = AttemptId(2);
  drop.agent.clear();
  drop.status = "DROP";
  drop.term_reason = "ABANDON";
  drop.abandoned = drop.message_played = true;
  drop.connected_at = absl::InfinitePast();
  drop.greeting_start_ms = 200;
  drop.greeting_end_ms = 900;
  drop.dropped_at = drop.answered_at + absl::Milliseconds(2400);
  drop.ended_at = drop.dropped_at + absl::Seconds(9);
  drop.disposed_at = drop.ended_at;
  drop.holds = drop.conferences = drop.billed_seconds = 0;
  drop.held = absl::ZeroDuration();
  drop.cost_micros = -500;
  Attempt missed;
  missed.id = AttemptId(3);
  missed.lead = lead.id;
  missed.list = ListId(101);
  missed.campaign = "DEMO";
  missed.dialed = lead.phone;
  missed.open = false;
  missed.outcome = "no_answer";
  missed.status = "NA";
  missed.term_reason = "NONE";
  missed.dialed_at = kDay + absl::Minutes(3);
  missed.ended_at = missed.dialed_at + absl::Seconds(25);
  day.attempts = {sale, drop, missed};
  return day;
}

class Layouts : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(store_.Commit(ThreeCalls()).ok()); }
  store::MemoryLeadStore store_;
};

TEST_F(Layouts, VicidialIsItsReport) {
  const std::string bytes = Export(store_, Options("vicidial"));
  EXPECT_EQ(bytes.substr(0, bytes.find('\r')), absl::StrJoin({"call_date",
                                                              "phone_number_dialed",
                                                              "status",
                                                              "user",
                                                              "full_name",
                                                              "campaign_id",
                                                              "vendor_lead_code",
                                                              "source_id",
                                                              "list_id",
                                                              "gmt_offset_now",
                                                              "phone_code",
                                                              "phone_number",
                                                              "title",
                                                              "first_name",
                                                              "middle_initial",
                                                              "last_name",
                                                              "address1",
                                                              "address2",
                                                              "address3",
                                                              "city",
                                                              "state",
                                                              "province",
                                                              "postal_code",
                                                              "country_code",
                                                              "gender",
                                                              "date_of_birth",
                                                              "alt_phone",
                                                              "email",
                                                              "security_phrase",
                                                              "comments",
                                                              "length_in_sec",
                                                              "user_group",
                                                              "alt_dial",
                                                              "rank",
                                                              "owner",
                                                              "lead_id",
                                                              "list_name",
                                                              "list_description",
                                                              "status_name"},
                                                             "\t"));
  const Table rows = ReadCsv(bytes, '\t');
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[1][0], "2026-03-09 14:01:00");
  EXPECT_EQ(rows[1][15], "'=1+1");
  EXPECT_EQ(rows[1][37], "from the fair");
  EXPECT_EQ(rows[1][38], "Sale Made");
}

TEST_F(Layouts, TheExtendedFormAddsItsSix) {
  const Table plain = ExportTable(store_, "vicidial");
  const Table rows = ExportTable(store_, "vicidial-extended");
  ASSERT_EQ(rows.size(), plain.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), plain[i].size() + 6);
    EXPECT_TRUE(std::equal(plain[i].begin(), plain[i].end(), rows[i].begin()));
  }
  const auto last = [](const std::vector<std::string>& row) {
    return std::vector<std::string>(row.end() - 6, row.end());
  };
  EXPECT_THAT(last(rows[0]), ElementsAre("entry_date", "called_count", "last_local_call_time",
                                         "modify_date", "called_since_last_reset", "term_reason"));
  EXPECT_THAT(last(rows[1]), ElementsAre("2026-03-07 14:00:00", "3", "2026-03-09 10:03:00",
                                         "2026-03-09 14:03:00", "Y", "AGENT"));
}

TEST_F(Layouts, Five9HasTheColumnsOfItsCallLog) {
  const Table rows = ExportTable(store_, "five9");
  EXPECT_EQ(absl::StrJoin(rows[0], ","),
            "CALL ID,TIMESTAMP,CAMPAIGN,CALL TYPE,AGENT,AGENT NAME,DISPOSITION,ANI,CUSTOMER "
            "NAME,DNIS,CALL TIME,BILL TIME,COST,IVR TIME,QUEUE WAIT TIME,RING TIME,TALK TIME,HOLD "
            "TIME,PARK TIME,AFTER CALL WORK TIME,TRANSFERS,CONFERENCES,HOLDS,ABANDONED,RECORDINGS");
  EXPECT_EQ(absl::StrJoin(rows[1], ","),
            "1,2026-03-09 14:01:00,DEMO,Outbound,a1,Ann Lee,Sale Made,12125550000,王 =1+1,"
            "12125550107,01:02:14,01:02:04,1.234567,00:00:00,00:00:01,00:00:08,01:02:03,00:01:01,"
            "00:00:00,00:00:08,,1,2,0,");
  EXPECT_EQ(rows[2][12], "-0.000500");
  EXPECT_EQ(rows[2][23], "1");
}

TEST_F(Layouts, ChineseHasChineseHeadersAndWords) {
  const Table rows = ExportTable(store_, "cn");
  const auto at = [&](size_t row, const std::string& header) -> std::string {
    const auto it = std::find(rows[0].begin(), rows[0].end(), header);
    EXPECT_NE(it, rows[0].end()) << header;
    return rows[row][static_cast<size_t>(it - rows[0].begin())];
  };
  EXPECT_EQ(at(1, "呼叫时间"), "2026-03-09 14:01:00");
  EXPECT_EQ(at(1, "接听时间"), "2026-03-09 14:01:10");
  EXPECT_EQ(at(1, "挂机时间"), "2026-03-09 15:03:14");
  EXPECT_EQ(at(1, "通话时长"), "3723.000");
  EXPECT_EQ(at(1, "排队时长"), "1.500");
  EXPECT_EQ(at(1, "挂机方"), "坐席");
  EXPECT_EQ(at(1, "通话结果"), "成交");
  EXPECT_EQ(at(2, "挂机方"), "呼损");
  EXPECT_EQ(at(2, "是否呼损"), "是");
  EXPECT_EQ(at(2, "排队时长"), "11.400") << "no agent came";
  EXPECT_EQ(at(3, "挂机方"), "未接通");
  EXPECT_EQ(at(3, "接听时间"), "");
}

TEST_F(Layouts, AbandonsAreTheAbandonedCallsWithTheirEvidence) {
  const Table rows = ExportTable(store_, "abandons");
  ASSERT_EQ(rows.size(), 2u);
  std::map<std::string, std::string> drop;
  for (size_t i = 0; i < rows[0].size(); ++i) drop[rows[0][i]] = rows[1][i];
  EXPECT_EQ(drop["attempt_id"], "2");
  EXPECT_EQ(drop["answer_to_drop_seconds"], "2.400");
  EXPECT_EQ(drop["greeting_end_ms"], "900");
  EXPECT_EQ(drop["greeting_to_message_seconds"], "1.500");
  EXPECT_EQ(drop["message_played"], "Y");
  EXPECT_EQ(drop["message_seconds"], "9.000");
}

TEST_F(Layouts, NewFieldsOfTheRecordAreTheLastOfTheFullLayout) {
  const Table rows = ExportTable(store_, "outpace");
  const auto last = [](const std::vector<std::string>& row) {
    return std::vector<std::string>(row.end() - 10, row.end());
  };
  EXPECT_THAT(last(rows[0]),
              ElementsAre("last_status", "score", "explored", "scorer", "alt", "holds",
                          "held_seconds", "conferences", "billed_seconds", "cost"));
  EXPECT_THAT(last(rows[1]), ElementsAre("NA", "0.0125", "N", "champion", "N", "2", "61.000", "1",
                                         "3726", "1.234567"));
}

TEST_F(Layouts, EveryColumnHasItsOwnHeaderAndADefinition) {
  for (const CallLayout& layout : CallLayouts()) {
    std::set<absl::string_view> headers;
    for (const LayoutColumn& column : layout.columns) {
      EXPECT_TRUE(headers.insert(column.header).second) << layout.name << " " << column.header;
      EXPECT_GT(column.column->definition.size(), 8u) << column.header;
      if (layout.name == "cn") {
        EXPECT_FALSE(column.header_en.empty());
        EXPECT_FALSE(column.definition_zh.empty());
      }
    }
  }
  EXPECT_EQ(FindCallLayout("nonsense").status().code(), absl::StatusCode::kInvalidArgument);
}

// Settings of a campaign may rename a status, and add some.
TEST_F(Layouts, NamesOfStatusesAreThoseOfTheCampaign) {
  campaign::CampaignSettings settings;
  settings.id = "DEMO";
  campaign::Disposition row = *campaign::StatusSet::System().Find("SALE");
  row.name = "Order, signed";
  settings.statuses.Put(row);
  campaign::StoreBatch batch;
  batch.campaigns = {settings};
  ASSERT_TRUE(store_.Commit(batch).ok());
  EXPECT_EQ(ExportTable(store_, "vicidial")[1][38], "Order, signed");
}

TEST_F(Layouts, JsonLinesSayTheSameAsCsv) {
  for (const CallLayout& layout : CallLayouts()) {
    const Table rows = ExportTable(store_, layout.name);
    ExportOptions options = Options(layout.name);
    options.format = ExportFormat::kJsonLines;
    std::vector<std::string> lines = absl::StrSplit(Export(store_, options), '\n');
    ASSERT_EQ(lines.size(), rows.size()) << "one a row, and the end";
    for (size_t r = 1; r < rows.size(); ++r) {
      const auto json = nlohmann::ordered_json::parse(lines[r - 1]);
      ASSERT_EQ(json.size(), layout.columns.size());
      size_t c = 0;
      for (const auto& [name, value] : json.items()) {
        EXPECT_EQ(name, layout.columns[c].header);
        const std::string& cell = rows[r][c];
        if (value.is_null()) {
          EXPECT_EQ(cell, "");
        } else if (value.is_number()) {
          EXPECT_EQ(layout.columns[c].column->type, CellType::kNumber);
          EXPECT_DOUBLE_EQ(value.get<double>(), std::stod(cell)) << name;
        } else if (LooksLikeFormula(value.get<std::string>())) {
          EXPECT_EQ(cell, "'" + value.get<std::string>()) << name;
        } else {
          EXPECT_EQ(cell, value.get<std::string>()) << name;
        }
        ++c;
      }
    }
  }
}

std::string Unpacked(const std::string& bytes) {
  std::string text;
  ZSTD_DCtx* const context = ZSTD_createDCtx();
  ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
  char buffer[4096];
  while (in.pos < in.size) {
    ZSTD_outBuffer out = {buffer, sizeof(buffer), 0};
    if (ZSTD_isError(ZSTD_decompressStream(context, &out, &in)) != 0) {
      ADD_FAILURE();
      break;
    }
    text.append(buffer, out.pos);
  }
  ZSTD_freeDCtx(context);
  return text;
}

// Many calls, so that threads have something to get wrong.
campaign::StoreBatch ManyCalls() {
  campaign::StoreBatch day = ThreeCalls();
  for (uint64_t id = 4; id <= 1000; ++id) {
    Attempt attempt = day.attempts[id % 3];
    attempt.id = AttemptId(id);
    day.attempts.push_back(attempt);
  }
  return day;
}

TEST(ExportBytes, AreTheSameWhateverTheThreadsAndTwiceInARow) {
  store::MemoryLeadStore store;
  ASSERT_TRUE(store.Commit(ManyCalls()).ok());
  for (const CallLayout& layout : CallLayouts()) {
    ExportOptions options = Options(layout.name);
    options.threads = 1;
    const std::string plain = Export(store, options);
    for (const int threads : {2, 5}) {
      options.threads = threads;
      EXPECT_TRUE(Export(store, options) == plain) << layout.name;
    }
    options.zstd = true;
    const std::string packed = Export(store, options);
    EXPECT_TRUE(Export(store, options) == packed);
    EXPECT_TRUE(Unpacked(packed) == plain);
  }
}

class Xlsx : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = absl::StrCat(::testing::TempDir(), "/xlsx_export_",
                              ::testing::UnitTest::GetInstance()->random_seed(), "_",
                              reinterpret_cast<uintptr_t>(this));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string Written(const campaign::LeadStore& store, const ExportOptions& options,
                      int64_t sheet_rows = 1'048'575) {
    const std::string path = absl::StrCat(directory_, "/", ++files_, ".xlsx");
    const auto rows = ExportCallsXlsx(store, options, path, sheet_rows);
    EXPECT_TRUE(rows.ok()) << rows.status();
    std::ifstream file(path, std::ios::binary);
    std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_GT(bytes.size(), 1000u);
    return bytes;
  }
  // A sheet as the importer reads it.
  Table Sheet(const std::string& bytes, const std::string& name) {
    const auto source = load::MemorySource(bytes);
    const auto text =
        load::ReadXlsx(*source, {.sheet = name, .temp_directory = directory_, .limits = {}});
    EXPECT_TRUE(text.ok()) << text.status();
    if (!text.ok()) return {};
    std::string csv(text->csv->size(), '\0');
    EXPECT_TRUE(text->csv->Read(0, absl::MakeSpan(csv)).ok());
    std::string lines;
    for (const char c : csv) absl::StrAppend(&lines, c == '\n' ? "\r\n" : std::string(1, c));
    return ReadCsv(lines, ',');
  }
  std::string directory_;
  int files_ = 0;
};

TEST_F(Xlsx, HasTheSameRowsAndNothingThatRuns) {
  store::MemoryLeadStore store;
  ASSERT_TRUE(store.Commit(ThreeCalls()).ok());
  for (const CallLayout& layout : CallLayouts()) {
    const Table csv = ExportTable(store, layout.name);
    const std::string bytes = Written(store, Options(layout.name));
    const Table sheet = Sheet(bytes, layout.name == "cn" ? "明细" : "Calls");
    ASSERT_EQ(sheet.size(), csv.size()) << layout.name;
    for (size_t r = 0; r < csv.size(); ++r) {
      for (size_t c = 0; c < csv[r].size(); ++c) {
        const std::string cell = c < sheet[r].size() ? sheet[r][c] : "";
        if (r > 0 && layout.columns[c].column->type == CellType::kNumber && !csv[r][c].empty()) {
          EXPECT_DOUBLE_EQ(std::stod(cell), std::stod(csv[r][c])) << layout.columns[c].header;
        } else if (csv[r][c] == "'=1+1") {
          EXPECT_EQ(cell, "=1+1") << "text of its own, which needs no apostrophe";
        } else {
          EXPECT_EQ(cell, csv[r][c]) << layout.columns[c].header;
        }
      }
    }
  }
}

TEST_F(Xlsx, SumsUpByStatusAndHour) {
  store::MemoryLeadStore store;
  ASSERT_TRUE(store.Commit(ThreeCalls()).ok());
  const Table sums = Sheet(Written(store, Options("vicidial")), "Summary");
  std::string text;
  for (const auto& row : sums) absl::StrAppend(&text, absl::StrJoin(row, "|"), "\n");
  EXPECT_THAT(text, HasSubstr("All calls||3"));
  EXPECT_THAT(text, HasSubstr("SALE|Sale Made|1"));
  EXPECT_THAT(text, HasSubstr("\n14||3"));
  EXPECT_THAT(text, HasSubstr("\n15||0"));
}

TEST_F(Xlsx, GoesOnOnFurtherSheetsAndIsTheSameBytesTwice) {
  store::MemoryLeadStore store;
  ASSERT_TRUE(store.Commit(ManyCalls()).ok());
  const std::string bytes = Written(store, Options("vicidial"), 400);
  EXPECT_TRUE(Written(store, Options("vicidial"), 400) == bytes);
  EXPECT_EQ(Sheet(bytes, "Calls").size(), 401u);
  EXPECT_EQ(Sheet(bytes, "Calls 2").size(), 401u);
  EXPECT_EQ(Sheet(bytes, "Calls 3").size(), 201u);
}

std::string Said(const nlohmann::ordered_json& json, const char* name) {
  return json.at(name).get<std::string>();
}

TEST(SideCar, DefinesEveryColumnAndSaysNothingOfNow) {
  for (const CallLayout& layout : CallLayouts()) {
    ExportOptions options = Options(layout.name);
    options.campaign = "DEMO";
    const std::string text = *CallSideCar(options);
    EXPECT_EQ(text, *CallSideCar(options));
    const auto json = nlohmann::ordered_json::parse(text);
    EXPECT_EQ(Said(json, "from"), "2026-03-09T02:00:00+00:00");
    EXPECT_EQ(Said(json, "to"), "2026-03-10T02:00:00+00:00");
    EXPECT_EQ(Said(json, "zone"), "UTC");
    EXPECT_EQ(Said(json, "layout"), layout.name);
    EXPECT_EQ(Said(json, "campaign"), "DEMO");
    EXPECT_THAT(Said(json, "program"), HasSubstr("Outpace "));
    ASSERT_EQ(json["columns"].size(), layout.columns.size());
    for (size_t i = 0; i < layout.columns.size(); ++i) {
      EXPECT_EQ(Said(json["columns"][i], "header"), layout.columns[i].header);
      EXPECT_FALSE(Said(json["columns"][i], "definition").empty());
    }
  }
}

// Texts of the hostile list files as names, notes and codes: whatever they hold, the CSV has no
// cell that a spreadsheet would run, and as many cells a row as its header; without the apostrophe
// they come back as they were.
TEST(HostileTexts, RunNowhereAndComeBackAsTheyWere) {
  std::vector<std::string> texts = {"=1+1",  "+1",   "-1",   "@SUM(A1)",
                                    "\t=1",  "\r=1", "\n=1", "＝1",
                                    "＋1",   "－1",  "＠1",  "=HYPERLINK(\"x\",\"y\")",
                                    "a,b;c", "\"",   " =1 ", "'=1"};
  int files = 0;
  for (const auto& file : std::filesystem::directory_iterator(OUTPACE_TEST_DATA "/csv-hostile")) {
    if (file.path().extension() != ".csv" || file.file_size() > 100'000) continue;
    ++files;
    std::ifstream in(file.path(), std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      texts.push_back(line);
      for (const absl::string_view cell : absl::StrSplit(line, absl::ByAnyChar(",;\t|"))) {
        texts.emplace_back(cell);
      }
    }
  }
  EXPECT_GT(files, 10);
  store::MemoryLeadStore store;
  campaign::StoreBatch batch;
  for (size_t i = 0; i < texts.size(); ++i) {
    Lead lead = ThreeCalls().leads[0];
    lead.id = LeadId(i + 1);
    lead.fields = {{"comments", texts[i]}, {"first_name", texts[i]}};
    lead.owner = texts[i];
    batch.leads.push_back(lead);
    Attempt attempt;
    attempt.id = AttemptId(i + 1);
    attempt.lead = lead.id;
    attempt.campaign = "DEMO";
    attempt.dialed_at = kDay;
    attempt.note = attempt.outcome = attempt.heard = attempt.trunk = texts[i];
    batch.attempts.push_back(attempt);
  }
  ASSERT_TRUE(store.Commit(batch).ok());
  for (const CallLayout& layout : CallLayouts()) {
    if (layout.abandoned_only) continue;
    const Table rows = ExportTable(store, layout.name);
    ASSERT_EQ(rows.size(), texts.size() + 1) << layout.name;
    for (size_t r = 1; r < rows.size(); ++r) {
      ASSERT_EQ(rows[r].size(), layout.columns.size()) << layout.name << " " << r;
      for (size_t c = 0; c < rows[r].size(); ++c) {
        const CellType type = layout.columns[c].column->type;
        if (type == CellType::kNumber) {
          EXPECT_EQ(rows[r][c].find_first_not_of("0123456789.-"), std::string::npos);
        } else {
          EXPECT_FALSE(LooksLikeFormula(rows[r][c])) << layout.name << " " << r << " " << c;
        }
        const absl::string_view name = layout.columns[c].column->name;
        if (name != "note" && name != "comments" && name != "owner") continue;
        const std::string& text = texts[r - 1];
        EXPECT_EQ(rows[r][c], LooksLikeFormula(text) ? "'" + text : text);
      }
    }
  }
}

TEST(JsonText, IsAlwaysUtf8) {
  std::string text;
  AppendJsonString("a\"\\\n\x01\xff\xc0\xaf\xed\xa0\x80王\xf4\x90\x80\x80 \xe7\x8e", text);
  const auto json = nlohmann::ordered_json::parse(text);
  EXPECT_THAT(json.get<std::string>(), HasSubstr("王"));
  EXPECT_THAT(json.get<std::string>(), ::testing::StartsWith("a\"\\\n\x01\xef\xbf\xbd"));
  EXPECT_EQ(ValidUtf8("王王", 5), "王") << "no half characters";
}

// Pieces come in any order from several threads; a thread that gives up lets the others go.
TEST(OrderedOutput, PutsPiecesInTheirOrderAndEndsWithAnError) {
  std::string text;
  const std::function<absl::Status(absl::string_view)> write = [&](absl::string_view piece) {
    absl::StrAppend(&text, piece);
    return piece == "49 " ? absl::UnavailableError("full") : absl::OkStatus();
  };
  OrderedOutput output(write, 2);
  std::atomic<uint64_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const uint64_t mine = next.fetch_add(1);
        std::string piece = absl::StrCat(mine, " ");
        if (!output.Put(mine, piece).ok()) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string expected;
  for (int i = 0; i < 50; ++i) absl::StrAppend(&expected, i, " ");
  EXPECT_EQ(text, expected);

  OrderedOutput waiting(write, 0);
  std::thread waiter([&] {
    std::string piece = "late";
    EXPECT_EQ(waiting.Put(1, piece).code(), absl::StatusCode::kAborted);
  });
  waiting.Fail(absl::AbortedError("the first piece never comes"));
  waiter.join();
}

TEST(AgentExport, HasVicidialsColumnsAndTheirFigures) {
  store::MemoryLeadStore store;
  campaign::StoreBatch batch = ThreeCalls();
  const auto at = [&](int minute, const char* state, const char* code = "") {
    batch.activities.push_back({kDay + absl::Minutes(minute), "a1", "DEMO", state, code, {}});
  };
  at(0, "READY");
  at(1, "INCALL");
  at(61, "DISPO");
  at(62, "LOGGED OUT");
  ASSERT_TRUE(store.Commit(batch).ok());
  ExportOptions options = Options("outpace");
  std::string text;
  const auto rows = ExportAgents(store, StoredEvents(store), options, [&](absl::string_view piece) {
    absl::StrAppend(&text, piece);
    return absl::OkStatus();
  });
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(*rows, 1);
  const Table table = ReadCsv(text, ',');
  EXPECT_EQ(absl::StrJoin(table[0], ","),
            "user,full_name,user_group,calls,login_time,total_talk_time,avg_talk_time,avg_wait_"
            "time,pct_of_queue,pause_time,sessions,avg_session,pauses,avg_pause_time,pause_pct,"
            "pauses_per_session,wait_time,talk_time,dispo_time,dead_time,holds,hold_time,"
            "conferences,occupancy_pct");
  EXPECT_EQ(absl::StrJoin(table[1], ","),
            "a1,Ann Lee,,1,01:02:00,01:00:00,01:00:00,00:01:00,100.00,00:00:00,1,01:02:00,0,00:00:"
            "00,0.00,0.00,00:01:00,01:00:00,00:01:00,00:00:00,2,00:01:01,1,98.39");
  const auto json = nlohmann::ordered_json::parse(AgentSideCar(options));
  ASSERT_EQ(json["columns"].size(), table[0].size());
  for (size_t i = 0; i < table[0].size(); ++i) {
    EXPECT_EQ(Said(json["columns"][i], "header"), table[0][i]);
  }
}

}  // namespace
}  // namespace outpace::report
