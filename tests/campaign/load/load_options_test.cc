// What the options of a load do: which doubles count, filters, types, dry runs, the same file
// again, progress, cancelling.

#include <atomic>
#include <iterator>
#include <map>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "tests/campaign/load/load_fixture.h"

namespace outpace::load {
namespace {

using testing::HasSubstr;

class LoadOptionsTest : public LoadTest {
 protected:
  // Loads a file that is no other one, and may be loaded again.
  LoadReport LoadNow(absl::string_view bytes) {
    options.again = true;
    absl::StatusOr<LoadReport> report = Load(bytes);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *report : LoadReport();
  }
};

TEST_F(LoadOptionsTest, DoublesAreNamed) {
  ASSERT_EQ(LoadNow("phone\n2025550101\n").counts.accepted, 1u);
  const LeadId lead = Leads()[0].id;
  LoadNow("phone,name\n2025550102,a\n2025550101,b\n\n(202) 555-0102,c\n");
  ASSERT_EQ(rejects.size(), 2u);
  EXPECT_EQ(rejects[0].code, "DUPLICATE_STORE");
  EXPECT_EQ(rejects[0].duplicate_of, lead);
  EXPECT_EQ(rejects[1].code, "DUPLICATE_FILE");
  EXPECT_EQ(rejects[1].duplicate_of_line, 2u);
}

TEST_F(LoadOptionsTest, OldLeadsAreNoDoublesBehindTheWindow) {
  LoadNow("phone\n2025550101\n");
  const absl::Time loaded = clock.wall;
  options.duplicates_days = 30;
  clock.wall = loaded + absl::Hours(24 * 30);
  EXPECT_EQ(LoadNow("phone\n2025550101\n").counts.duplicates_in_store, 1u);
  clock.wall = loaded + absl::Hours(24 * 30) + absl::Seconds(1);
  EXPECT_EQ(LoadNow("phone\n2025550101\n").counts.accepted, 1u);
  EXPECT_EQ(LoadNow("phone\n2025550101\n").counts.duplicates_in_store, 1u) << "the new one counts";
}

TEST_F(LoadOptionsTest, AlternateNumbersCountWhenAskedFor) {
  LoadNow("phone,alt_phone\n2025550101,2025550102\n");
  EXPECT_EQ(LoadNow("phone\n2025550102\n").counts.accepted, 1u);
  options.duplicates_alt = true;
  EXPECT_EQ(
      LoadNow("phone,alt_phone\n2025550103,2025550104\n2025550104,\n").counts.duplicates_in_file,
      1u);
  EXPECT_EQ(LoadNow("phone\n2025550104\n").counts.duplicates_in_store, 1u);
  // The alternate number of a row that is not loaded has nobody to double.
  EXPECT_EQ(LoadNow("phone,alt_phone\n2025550101,2025550105\n2025550105,\n").counts.accepted, 1u);
}

TEST_F(LoadOptionsTest, NameAndPhone) {
  options.duplicate_key = DuplicateKey::kNamePhone;
  EXPECT_EQ(LoadNow("phone,first name,last name\n2025550101,Ann,Lee\n2025550101,Bob,Lee\n"
                    "2025550101,ANN,lee\n")
                .counts.duplicates_in_file,
            1u);
  const LoadReport report = LoadNow("phone,name\n2025550101,Ann Lee\n2025550101,Ann Li\n");
  EXPECT_EQ(report.counts.duplicates_in_store, 1u);
  EXPECT_EQ(report.counts.accepted, 1u);
}

TEST_F(LoadOptionsTest, TitleAndAlternateNumber) {
  options.duplicate_key = DuplicateKey::kTitleAltPhone;
  EXPECT_EQ(LoadNow("phone,alt_phone,title\n2025550101,2025550109,Dr\n2025550102,2025550109,Dr\n"
                    "2025550103,2025550109,Mr\n2025550104,,Dr\n2025550105,,Dr\n")
                .counts.duplicates_in_file,
            1u);
  EXPECT_EQ(LoadNow("phone,alt_phone,title\n2025550106,2025550109,dr\n").counts.duplicates_in_store,
            1u);
}

TEST_F(LoadOptionsTest, AFilterTellsItsClauses) {
  options.filter = "capital >= 500 and number_region = \"US\" and not city contains \"x\"";
  options.columns = {{"Capital", "capital:number"}};
  const LoadReport report = LoadNow(
      "phone,Capital,city\n2025550101,500,a\n2025550102,\"1,000\",x\n2025550103,499,x\n"
      "+442079460018,600,b\n2025550105,900,c\n");
  EXPECT_EQ(report.counts.accepted, 2u);
  EXPECT_EQ(report.counts.filtered, 3u);
  ASSERT_EQ(report.by_clause.size(), 3u);
  for (const auto& [clause, rows] : report.by_clause) EXPECT_EQ(rows, 1u) << clause;
  EXPECT_EQ(report.by_code.at("FILTER"), 3u);
  EXPECT_EQ(rejects[0].clause, 2);
  EXPECT_THAT(rejects[0].reason, HasSubstr("contains"));
  options.filter = "captal >= 500";
  const absl::Status status = Load("phone,capital\n2025550101,1\n").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("capital")) << "the nearest name is told";
}

// As the campaign's own filter: a day begins where its report_zone says.
TEST_F(LoadOptionsTest, TodayIsThatOfTheCampaign) {
  const absl::string_view file = "phone,renewal\n2025550101,2026-01-15\n2025550102,2026-01-16\n";
  options.columns = {{"renewal", "renewal:date"}};
  options.filter = "renewal = today";
  clock.wall = absl::FromCivil(absl::CivilSecond(2026, 1, 15, 17, 0, 0), absl::UTCTimeZone());
  EXPECT_EQ(LoadNow(file).counts.accepted, 1u);
  EXPECT_EQ(Leads().back().phone, E164(12025550101));
  Reset();
  options.zone = absl::FixedTimeZone(8 * 3600);
  EXPECT_EQ(LoadNow(file).counts.accepted, 1u);
  EXPECT_EQ(Leads().back().phone, E164(12025550102));
}

// What must be there before the leads is made in the publishing hook, and only then.
TEST_F(LoadOptionsTest, WhatComesBeforeTheLeadsIsMadeWhenTheyArePublished) {
  options.list = ListId(8);
  int asked = 0;
  bool refuse = false;
  LoadHooks hooks;
  hooks.on_publish = [&](const std::function<absl::Status()>& publish) {
    ++asked;
    EXPECT_TRUE(Leads().empty());
    if (refuse) return absl::ResourceExhaustedError("no room");
    campaign::StoreBatch batch;
    batch.lists.push_back({.id = ListId(8), .name = "new", .campaign = "DEMO"});
    EXPECT_TRUE(store->Commit(batch).ok());
    return publish();
  };
  const auto load = [&](absl::string_view bytes) {
    return LoadLeads(*MemorySource(bytes), options, dnc, *store, clock, hooks).status();
  };
  EXPECT_FALSE(load("name\nAnn\n").ok());
  options.filter = "no such field = 1";
  EXPECT_FALSE(load("phone\n2025550101\n").ok());
  options.filter.clear();
  options.hold_guesses = true;
  EXPECT_TRUE(load("2025550101,Ann\n").ok());
  const std::atomic<bool> cancel{true};
  hooks.cancel = &cancel;
  EXPECT_TRUE(absl::IsCancelled(load("phone\n2025550101\n")));
  hooks.cancel = nullptr;
  EXPECT_EQ(asked, 0);
  refuse = true;
  EXPECT_TRUE(absl::IsResourceExhausted(load("phone\n2025550101\n")));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(store->Lists()->size(), 1u);
  EXPECT_TRUE(store->Imports()->empty());
  refuse = false;
  const absl::Status status = load("phone\n2025550101\n");
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(store->Lists()->at(1).leads, 1);
  EXPECT_EQ(Leads().size(), 1u);
}

// A row that was filtered or is not to be called does not keep out a later one with its number.
TEST_F(LoadOptionsTest, ARowThatIsLeftOutDoublesNothing) {
  options.filter = "city = \"a\"";
  EXPECT_EQ(LoadNow("phone,city\n2025550101,b\n2025550101,a\n").counts.accepted, 1u);
}

TEST_F(LoadOptionsTest, ATypeThatWasNamedIsChecked) {
  options.columns = {{"Founded", "founded:date"}, {"Staff", "staff:number"}, {"VIP", "vip:flag"}};
  const LoadReport report = LoadNow(
      "phone,Founded,Staff,VIP\n2025550101,2001-02-03,12,Y\n2025550102,2001-02-30,12,Y\n"
      "2025550103,,1e3x,N\n2025550104,,,maybe\n2025550105,,,\n");
  EXPECT_EQ(report.counts.accepted, 2u);
  EXPECT_EQ(report.by_code.at("E_FIELD_TYPE"), 3u);
  EXPECT_EQ(rejects[0].column, "Founded");
  EXPECT_EQ(rejects[0].reason, "not a date");
  EXPECT_EQ(Leads()[0].Field("staff"), "12");
}

TEST_F(LoadOptionsTest, TheSameFileAgainChangesNothing) {
  const char file[] = "phone\n2025550101\n12\n";
  const absl::StatusOr<LoadReport> first = Load(file);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->import, ImportId(1));
  EXPECT_EQ(store->Imports()->at(0).counts.rejected, 1u);
  EXPECT_EQ(store->Imports()->at(0).first_lead, Leads()[0].id);
  std::vector<Reject> told;
  const absl::StatusOr<LoadReport> again = LoadInto(*store, file, options, told);
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->already_imported);
  EXPECT_EQ(again->import, ImportId(1));
  EXPECT_EQ(again->counts.accepted, 1u);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(store->Imports()->size(), 1u);
  options.again = true;
  const absl::StatusOr<LoadReport> forced = LoadInto(*store, file, options, told);
  EXPECT_FALSE(forced->already_imported);
  EXPECT_EQ(forced->counts.duplicates_in_store, 1u);
  EXPECT_EQ(forced->import, ImportId(2));
  options.again = false;
  options.scrub_dnc = false;
  EXPECT_FALSE(LoadInto(*store, file, options, told)->already_imported) << "other options";
  EXPECT_EQ(Leads().size(), 1u);
}

TEST_F(LoadOptionsTest, ADryRunStoresNothing) {
  options.dry_run = true;
  const LoadReport report = LoadNow("phone\n2025550101\n2025550101\n");
  EXPECT_EQ(report.counts.accepted, 1u);
  EXPECT_EQ(report.counts.duplicates_in_file, 1u);
  EXPECT_FALSE(report.import.valid());
  EXPECT_TRUE(store->Imports()->empty());
}

TEST_F(LoadOptionsTest, SeveralNumbersOfOneLead) {
  options.country = "CN";
  LoadNow(
      "手机,备用电话,其他电话\n13800000001,010-55550100,13900000001；13900000002\n"
      ",13800000003,\n13800000004,13800000004,nobody\n");
  const std::vector<campaign::Lead> leads = Leads();
  ASSERT_EQ(leads.size(), 3u);
  EXPECT_EQ(leads[0].alt_phone, E164(861055550100));
  EXPECT_EQ(leads[0].Field("alt_phones"), "+8613900000001;+8613900000002");
  EXPECT_EQ(leads[1].phone, E164(8613800000003)) << "the first number there is";
  EXPECT_FALSE(leads[2].alt_phone.valid()) << "its own number is no other one";
}

TEST_F(LoadOptionsTest, IdsAreInTheOrderOfTheFile) {
  std::string file = "phone,n\n";
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&file, 2022200000 + i, ",", i, "\n");
  options.piece_octets = 100;
  options.threads = 4;
  const LoadReport report = LoadNow(file);
  int n = 0;
  uint64_t id = store->Imports()->at(0).first_lead.value();
  for (const campaign::Lead& lead : Leads()) {
    EXPECT_EQ(lead.id.value(), id++);
    EXPECT_EQ(lead.Field("n"), absl::StrCat(n++));
    EXPECT_EQ(lead.import, report.import);
  }
  EXPECT_EQ(n, 3000);
}

class TickingClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(100'000'000 * ++ticks); }
  absl::Time Wall() const override { return absl::FromUnixSeconds(1'768'478'400); }
  mutable int64_t ticks = 0;
};

TEST_F(LoadOptionsTest, ProgressIsToldNowAndThenAndEndsWithACancel) {
  std::string file = "phone\n";
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&file, 2022200000 + i, "\n");
  options.piece_octets = 1000;
  options.threads = 1;
  std::atomic<bool> cancel = false;
  std::vector<LoadProgress> told;
  LoadHooks hooks;
  hooks.cancel = &cancel;
  hooks.on_progress = [&](const LoadProgress& progress) { told.push_back(progress); };
  const TickingClock ticking;  // 0.1 s a piece
  absl::StatusOr<LoadReport> report =
      LoadLeads(*MemorySource(file), options, dnc, *store, ticking, hooks);
  ASSERT_TRUE(report.ok());
  EXPECT_GE(told.size(), 3u);
  EXPECT_LE(told.size(), static_cast<size_t>(ticking.ticks / 3 + 1));
  EXPECT_GT(told[0].octets_done, 0u);
  EXPECT_EQ(told[0].octets_total, file.size());
  EXPECT_GT(told[0].rows_per_second, 0);
  EXPECT_LT(told.front().rows, told.back().rows);
  hooks.on_progress = [&](const LoadProgress&) { cancel = true; };
  Reset();
  report = LoadLeads(*MemorySource(file), options, dnc, *store, ticking, hooks);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(Leads().empty());
  EXPECT_TRUE(store->Imports()->empty());
}

// A row means the same wherever it stands: alone, or among rows that are odd in other ways.
TEST_F(LoadOptionsTest, ARowMeansTheSameAloneAndAmongOthers) {
  const char* const cells[] = {"x",
                               "\"quoted, with \"\"quotes\"\"\"",
                               " padded ",
                               "男",
                               "a\tb",
                               "\x01",
                               "\xE2\x80\xAE"
                               "bidi",
                               "\xC2\xA0",
                               "\xFF",
                               "",
                               "\"line\nend\"",
                               "12",
                               "-99",
                               "1970-01-01",
                               "é"};
  const char* const numbers[] = {
      "2025550101",           "+1 202 555 0102",  "13.8E+9",       "", "911", "2025550103.0",
      "２０２５５５０１０４", "202-555-0105 x12", "+8613800000001"};
  options.duplicates = DuplicateCheck::kNone;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    const std::string header = "phone,name,rank,gender,dob,comments,alt_phone\n";
    std::string file = header;
    std::vector<std::string> rows;
    for (int i = 0; i < 30; ++i) {
      std::string row = numbers[rng.Below(std::size(numbers))];
      for (int cell = 0; cell < 6; ++cell) {
        absl::StrAppend(&row, ",",
                        cell == 5 ? numbers[rng.Below(std::size(numbers))]
                                  : cells[rng.Below(std::size(cells))]);
      }
      rows.push_back(row + "\n");
      file += rows.back();
    }
    options.encoding = "utf-8";
    Reset();
    LoadNow(file);
    std::map<uint64_t, std::string> codes;
    for (const Reject& reject : rejects) codes[reject.row_number] = reject.code + reject.column;
    std::vector<campaign::Lead> together = Leads();
    size_t next = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      Reset();
      LoadNow(header + rows[i]);
      EXPECT_EQ(rejects.empty() ? "" : rejects[0].code + rejects[0].column, codes[i + 1])
          << rows[i];
      if (!rejects.empty()) continue;
      ASSERT_LT(next, together.size());
      EXPECT_EQ(Leads()[0].fields, together[next].fields);
      EXPECT_EQ(Leads()[0].phone, together[next++].phone);
    }
  }
}

}  // namespace
}  // namespace outpace::load
