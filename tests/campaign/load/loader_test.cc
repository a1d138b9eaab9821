#include "campaign/load/loader.h"

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "campaign/load/csv_reader.h"
#include "campaign/load/encoding.h"
#include "gmock/gmock.h"
#include "tests/campaign/load/load_fixture.h"

namespace outpace::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LoaderTest : public LoadTest {};

TEST_F(LoaderTest, ChineseHeadersAndFields) {
  options.country = "CN";
  const auto report = Load(
      "公司,姓名,手机号,性别,城市,备注,电话\n甲乙公司,李雷,13800000001,男,北京,优先,010-"
      "55550100\n");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->columns, ElementsAre("company", "name", "phone_number", "gender", "city",
                                           "comments", "alt_phone"));
  const campaign::Lead lead = Leads().at(0);
  EXPECT_EQ(lead.phone, E164(8613800000001));
  EXPECT_EQ(lead.alt_phone, E164(861055550100));
  EXPECT_EQ(lead.Field("first_name"), "李雷");
  EXPECT_EQ(lead.Field("gender"), "M");
  EXPECT_EQ(lead.Field("company"), "甲乙公司");
  EXPECT_EQ(lead.campaign, "DEMO");
  EXPECT_EQ(lead.list, ListId(7));
  EXPECT_EQ(lead.entry_date, clock.wall);
  EXPECT_THAT(lead.time_zones, ElementsAre("Asia/Shanghai"));
}

TEST_F(LoaderTest, NamesAreSplitAsTheyAreWritten) {
  ASSERT_TRUE(
      Load("phone,name\n2025550101,\"Lee, Ann\"\n2025550102,Ann Mary Lee\n2025550103,Cher\n").ok());
  EXPECT_EQ(Leads()[0].Field("last_name"), "Lee");
  EXPECT_EQ(Leads()[0].Field("first_name"), "Ann");
  EXPECT_EQ(Leads()[1].Field("first_name"), "Ann Mary");
  EXPECT_EQ(Leads()[1].Field("last_name"), "Lee");
  EXPECT_EQ(Leads()[1].Field("name"), "Ann Mary Lee");
  EXPECT_EQ(Leads()[2].Field("first_name"), "Cher");
}

constexpr char kStandardRow[] =
    "100001|src|999|1|2025550101|Mr|Ann|B|Lee|1 Main St|||Boston|MA||02101|USA|F|1970-01-01|"
    "2025550102|a@example.com|secret|hello";

TEST_F(LoaderTest, VicidialStandardByItsPositions) {
  const auto report = Load(absl::StrCat(kStandardRow, "\n"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->layout, "standard");
  const campaign::Lead lead = Leads().at(0);
  EXPECT_EQ(lead.phone, E164(12025550101));
  EXPECT_EQ(lead.alt_phone, E164(12025550102));
  EXPECT_EQ(lead.Field("vendor_lead_code"), "100001");
  EXPECT_EQ(lead.Field("comments"), "hello");
  EXPECT_EQ(lead.Field("state"), "MA");
  EXPECT_EQ(lead.Field("date_of_birth"), "") << "1970-01-01 means unknown";
  EXPECT_EQ(lead.list, ListId(7)) << "the file's list_id does not choose the list";
}

TEST_F(LoaderTest, VicidialWithRankAndOwner) {
  ASSERT_TRUE(Load(absl::StrCat(kStandardRow, "|5|bob\n")).ok());
  EXPECT_EQ(Leads().at(0).rank, 5);
  EXPECT_EQ(Leads().at(0).owner, "bob");
  Reset();
  const auto report = Load(
      absl::StrCat(kStandardRow, "|3|SALE|2025-01-01 00:00:00|-7|eve|2025550103_1_work!x_1_y\n"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->layout, "stdrankowner");
  EXPECT_EQ(Leads().at(0).rank, -7);
  EXPECT_EQ(Leads().at(0).owner, "eve");
  EXPECT_EQ(Leads().at(0).status, "NEW");
  EXPECT_EQ(Leads().at(0).called_count, 0);
}

TEST_F(LoaderTest, VicidialDownloadWithHeader) {
  options.hold_guesses = true;
  const auto report = Load(
      "lead_id\tentry_date\tstatus\tuser\tvendor_lead_code\tlist_id\tgmt_offset_now\t"
      "called_since_last_reset\tphone_code\tphone_number\tfirst_name\tcalled_count\trank\n"
      "55\t2025-01-01\tSALE\tx\t9\t101\t-5.00\tN\t44\t02079460018\tAnn\t7\t4\n");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->held) << "a layout everybody has is no guess";
  EXPECT_EQ(Leads().at(0).phone, E164(442079460018));
  EXPECT_EQ(Leads().at(0).called_count, 0);
  EXPECT_EQ(Leads().at(0).rank, 4);
}

TEST_F(LoaderTest, ColumnsMayBeNamedByTheOperator) {
  options.columns = {{"Kontakt Nr", "phone_number"}, {"Anm.", "comments"}};
  ASSERT_TRUE(Load("Kontakt Nr;Anm.\n+4930901820;gut\n").ok());
  EXPECT_EQ(Leads().at(0).Field("comments"), "gut");
  options.columns = {{"x", "next_call_time"}};
  EXPECT_FALSE(Load("phone,x\n2025550101,0\n").ok());
}

TEST_F(LoaderTest, AFurtherColumnKeepsItsName) {
  const auto report = Load("phone,Favourite Colour\n2025550101,red\n");
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(Leads().at(0).Field("favourite_colour"), "red");
  EXPECT_THAT(report->warnings, testing::Contains(HasSubstr("Favourite Colour")));
}

TEST_F(LoaderTest, ErrorsTeach) {
  EXPECT_THAT(std::string(Load("").status().message()), HasSubstr("E_EMPTY_FILE"));
  const auto no_phone = Load("name,city\nAnn,Boston\n");
  EXPECT_THAT(std::string(no_phone.status().message()), HasSubstr("found: name, city"));
  EXPECT_THAT(std::string(no_phone.status().message()), HasSubstr("手机号"));
  EXPECT_THAT(std::string(Load("PK\x03\x04zzzzzz").status().message()), HasSubstr(".xlsx"));
  options.layout = "fancy";
  EXPECT_THAT(std::string(Load("phone\n1\n").status().message()), HasSubstr("stdrankowner"));
  options.layout = "header";
  EXPECT_THAT(std::string(Load("5551234567,Ann\n").status().message()),
              testing::Not(HasSubstr("5551234567")));
  options.layout = "auto";
  options.list = ListId(8);
  EXPECT_EQ(Load("phone\n2025550101\n").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(LoaderTest, ReasonsNameTheColumnAndNeverTheValue) {
  ASSERT_TRUE(
      Load("name,Mobile\nAnn,20255501\nBob,2025550102\n\n\"Two\nlines\",9112025550148\n").ok());
  ASSERT_EQ(rejects.size(), 2u);
  EXPECT_EQ(rejects[0].line, 2u);
  EXPECT_EQ(rejects[0].row_number, 1u);
  EXPECT_EQ(rejects[0].column, "Mobile");
  EXPECT_EQ(rejects[0].code, "E_PHONE_LENGTH");
  EXPECT_THAT(rejects[0].reason, testing::Not(HasSubstr("20255501")));
  EXPECT_EQ(rejects[1].line, 5u) << "blank lines and line ends in quotes are lines of the file";
  EXPECT_EQ(rejects[1].row_number, 3u);
  EXPECT_EQ(rejects[1].row, "\"Two\nlines\",9112025550148");
}

TEST_F(LoaderTest, DuplicatesByTheChosenWidth) {
  campaign::StoreBatch batch;
  batch.lists.push_back({.id = ListId(9), .name = "other", .campaign = "DEMO"});
  batch.lists.push_back({.id = ListId(11), .name = "foreign", .campaign = "OTHER"});
  ASSERT_TRUE(store->Commit(batch).ok());
  const char file[] = "phone\n2025550101\n+1 202 555 0101\n";
  const auto load = [&](uint64_t list, const char* campaign, DuplicateCheck check) {
    options.list = ListId(list);
    options.campaign = campaign;
    options.duplicates = check;
    options.again = true;
    return Load(file).value();
  };
  LoadReport report = load(7, "DEMO", DuplicateCheck::kList);
  EXPECT_EQ(report.counts.accepted, 1u);
  EXPECT_EQ(report.counts.duplicates_in_file, 1u);
  EXPECT_EQ(load(7, "DEMO", DuplicateCheck::kList).counts.duplicates_in_store, 1u);
  EXPECT_EQ(load(9, "DEMO", DuplicateCheck::kCampaign).counts.duplicates_in_store, 1u);
  EXPECT_EQ(load(9, "DEMO", DuplicateCheck::kList).counts.accepted, 1u);
  EXPECT_EQ(load(11, "OTHER", DuplicateCheck::kSystem).counts.duplicates_in_store, 1u);
  EXPECT_EQ(load(11, "OTHER", DuplicateCheck::kCampaign).counts.accepted, 1u);
  EXPECT_EQ(load(11, "OTHER", DuplicateCheck::kNone).counts.accepted, 2u);
}

TEST_F(LoaderTest, DncIsScrubbedUnlessToldNotTo) {
  dnc.Add(E164(12025550101), "");
  dnc.Add(E164(12025550102), "DEMO");
  dnc.Add(E164(12025550103), "OTHER");
  const char file[] = "phone\n2025550101\n2025550102\n2025550103\n";
  EXPECT_EQ(Load(file)->counts.dnc, 2u);
  EXPECT_EQ(rejects.at(0).code, "DNC");
  Reset();
  options.scrub_dnc = false;
  EXPECT_EQ(Load(file)->counts.accepted, 3u);
}

TEST_F(LoaderTest, AnErasedPersonIsNeverLoaded) {
  ASSERT_TRUE(dnc.AddErased(dnc.ErasedHash(E164(12025550101))));
  for (const bool scrub : {true, false}) {
    Reset();
    options.scrub_dnc = scrub;
    const auto report = Load("phone\n2025550101\n2025550102\n");
    EXPECT_EQ(report->counts.dnc, 1u);
    EXPECT_EQ(report->counts.accepted, 1u);
    EXPECT_EQ(rejects.at(0).reason, "erased person");
  }
}

TEST_F(LoaderTest, AnErasedPersonDoesNotComeBackAsAFurtherNumber) {
  ASSERT_TRUE(dnc.AddErased(dnc.ErasedHash(E164(12025550101))));
  const absl::string_view headers[] = {"alt_phone", "phone2", "alt_phones", "address3"};
  for (const absl::string_view header : headers) {
    Reset();
    const auto report = Load(absl::StrCat("phone,", header, "\n2025550102,2025550101\n"));
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_EQ(report->counts.accepted, 1u) << header;
    const campaign::Lead lead = Leads()[0];
    EXPECT_FALSE(lead.alt_phone.valid()) << header;
    for (const auto& [name, text] : lead.fields) {
      EXPECT_EQ(text.find("2025550101"), std::string::npos) << name;
    }
    EXPECT_THAT(report->warnings, ElementsAre(HasSubstr("W_ALT_PHONE"))) << header;
  }
  Reset();
  ASSERT_TRUE(Load("phone,alt_phone\n2025550102,2025550103;2025550101;2025550104\n").ok());
  EXPECT_EQ(Leads()[0].alt_phone, E164(12025550103));
  EXPECT_EQ(Leads()[0].Field("alt_phones"), "+12025550104");
}

TEST_F(LoaderTest, AnErasedPersonIsNotPromotedToTheNumberToDial) {
  ASSERT_TRUE(dnc.AddErased(dnc.ErasedHash(E164(12025550101))));
  const auto report =
      Load("phone,alt_phone,phone2\n,2025550101,2025550102\n,2025550101,\n,,2025550101\n,,\n");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->counts.accepted, 1u);
  EXPECT_EQ(Leads()[0].phone, E164(12025550102));
  EXPECT_EQ(report->counts.dnc, 2u);
  ASSERT_EQ(rejects.size(), 3u);
  EXPECT_EQ(rejects[0].reason, "erased person");
  EXPECT_EQ(rejects[1].reason, "erased person");
  EXPECT_EQ(rejects[2].code, "E_PHONE_EMPTY");
}

TEST_F(LoaderTest, ColumnsOfOneMeaningKeepWhatTheyHold) {
  const std::pair<std::string, std::string> kHeaders[] = {
      {"备注", "comments"}, {"address", "address1"}, {"company_name", "company"}};
  for (const auto& [first, second] : kHeaders) {
    Reset();
    ASSERT_TRUE(Load(absl::StrCat("phone,", first, ",", second, "\n2025550101,one,two\n")).ok());
    EXPECT_EQ(Leads()[0].Field(second), "one");
    EXPECT_EQ(Leads()[0].Field(second + "_2"), "two");
  }
}

std::string Numbered(int count) {
  std::string out = "phone,name\n";
  for (int i = 0; i < count; ++i) absl::StrAppend(&out, 2125550000 + i * 7919LL % 1000000, ",n\n");
  return out;
}

TEST_F(LoaderTest, ManyBatchesAndTheListsCount) {
  const auto report = Load(Numbered(7001));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->counts.rows, 7001u);
  const auto lists = store->Lists();
  EXPECT_EQ(lists->at(0).leads, static_cast<int64_t>(report->counts.accepted));
  std::set<uint64_t> ids;
  for (const campaign::Lead& lead : Leads()) ids.insert(lead.id.value());
  EXPECT_EQ(ids.size(), report->counts.accepted);
}

// A load that fails at any write leaves nothing, and the same load again is whole.
TEST_F(LoaderTest, ALoadThatWasCutOffLeavesNothingAndIsRunAgain) {
  const std::string file = Numbered(9000);
  const uint64_t wanted = Load(file)->counts.accepted;
  std::vector<Reject> told;
  int failed = 0;
  for (int64_t k = 1;; ++k) {
    SCOPED_TRACE(k);
    Reset();
    store->FailCommitAt(k);
    const absl::StatusOr<LoadReport> cut = LoadInto(*store, file, options, told);
    store->Restart();
    if (cut.ok()) break;
    ++failed;
    EXPECT_TRUE(Leads().empty());
    EXPECT_EQ(store->Lists()->at(0).leads, 0);
    const auto again = Load(file);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_FALSE(again->already_imported);
    EXPECT_EQ(again->counts.duplicates_in_store, 0u);
    EXPECT_EQ(again->counts.accepted, wanted);
  }
  EXPECT_GE(failed, 1);
}

TEST_F(LoaderTest, RejectsAreAllToldAndTheFirstThousandKept) {
  std::string file = "phone\n";
  for (int i = 0; i < 1500; ++i) file += "12\n";
  const auto report = Load(file);
  EXPECT_EQ(report->counts.rejected, 1500u);
  EXPECT_EQ(report->rejects.size(), 1000u);
  EXPECT_EQ(report->by_code.at("E_PHONE_LENGTH"), 1500u);
}

TEST_F(LoaderTest, CallbackTimesInTheLeadsZone) {
  ASSERT_TRUE(Load("phone,time zone,callback\n"
                   "2025550101,America/New_York,2026-06-01 10:00\n"
                   "2025550102,America/New_York,2026-11-01 01:30:00\n"
                   "2025550103,America/New_York,2026-03-08 02:30\n"
                   "2025550104,,2026-03-08T07:30:00+08:00\n")
                  .ok());
  const auto utc = [](int month, int day, int hour, int minute) {
    return absl::FromCivil(absl::CivilSecond(2026, month, day, hour, minute, 0),
                           absl::UTCTimeZone());
  };
  const std::vector<campaign::Lead> leads = Leads();
  EXPECT_EQ(leads[0].next_call_time, utc(6, 1, 14, 0));
  EXPECT_EQ(leads[0].status, "CALLBK");
  EXPECT_EQ(leads[1].next_call_time, utc(11, 1, 5, 30)) << "the earlier of the two";
  EXPECT_EQ(leads[2].next_call_time, utc(3, 8, 7, 0)) << "the first instant behind the gap";
  EXPECT_EQ(leads[3].next_call_time, utc(3, 7, 23, 30));
}

// The company names of the shared corpus, which have every kind of two-octet character in them.
TEST_F(LoaderTest, Gb18030NamesComeOutExactly) {
  const std::string gb = ReadFile(OUTPACE_TEST_DATA "/zh_company_names/names_gb18030.csv");
  const std::string utf8 =
      ReadFile(OUTPACE_TEST_DATA "/zh_company_names/names_gb18030_as_utf8.csv");
  const std::unique_ptr<ByteSource> source = MemorySource(gb);
  const auto encoding = DetectEncoding(*source, "auto");
  ASSERT_TRUE(encoding.ok()) << encoding.status();
  EXPECT_EQ(encoding->name, "gb18030");
  EXPECT_TRUE(encoding->guessed);
  StreamDecoder decoder(*source, *encoding);
  std::string text, block(1000, '\0');
  for (size_t size = 1; size > 0;) {
    const auto decoded = decoder.Next(absl::MakeSpan(block));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    size = decoded->size;
    text.append(block, 0, size);
  }
  EXPECT_EQ(absl::StrReplaceAll(text, {{"\r\n", "\n"}}),
            absl::StrReplaceAll(utf8, {{"\r\n", "\n"}}));
}

TEST(CheckUtf8, IsStrict) {
  EXPECT_EQ(CheckUtf8("plain, and 李雷, and 👨"), Utf8::kValid);
  EXPECT_EQ(CheckUtf8("\xC0\xAF"), Utf8::kInvalid);          // overlong
  EXPECT_EQ(CheckUtf8("\xE0\x80\xAF"), Utf8::kInvalid);      // overlong
  EXPECT_EQ(CheckUtf8("\xED\xA0\x80"), Utf8::kInvalid);      // surrogate
  EXPECT_EQ(CheckUtf8("\xF4\x90\x80\x80"), Utf8::kInvalid);  // above U+10FFFF
  EXPECT_EQ(CheckUtf8("abc\xE6\x9D"), Utf8::kCutAtEnd);
  EXPECT_EQ(CheckUtf8("abc\xE6\x9D,"), Utf8::kInvalid);
}

TEST(CsvReader, LinesAreCountedThroughQuotesAndEveryLineEnd) {
  CsvReader csv("a,\"b\r\nc\nd\re\"\r\n\n\r\nf\rg\n", ',');
  Row row;
  ASSERT_TRUE(csv.Next(row));
  EXPECT_EQ(row.fields[1], "b\r\nc\nd\re");
  ASSERT_TRUE(csv.Next(row));
  EXPECT_EQ(row.fields[0], "f");
  EXPECT_EQ(row.line, 7u);
  ASSERT_TRUE(csv.Next(row));
  EXPECT_EQ(row.line, 8u);
  EXPECT_FALSE(csv.Next(row));
  EXPECT_EQ(csv.blank_lines(), 2u);
}

TEST(SniffSeparator, FromTheFirstLineOutsideQuotes) {
  size_t skip = 0;
  EXPECT_EQ(SniffSeparator("phone;\"a,b,c\"\n1;2\n", skip), ';');
  EXPECT_EQ(SniffSeparator("\n\n a\tb\n", skip), '\t');
  EXPECT_EQ(SniffSeparator("a|b\n", skip), '|');
  EXPECT_EQ(SniffSeparator("phone\n1;2\n", skip), ',');
  EXPECT_EQ(skip, 0u);
  EXPECT_EQ(SniffSeparator("sep=|\r\na|b\n", skip), '|');
  EXPECT_EQ(skip, 7u);
}

}  // namespace
}  // namespace outpace::load
