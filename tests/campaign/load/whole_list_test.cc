// Lists from their octets to leads and back to a file of what was left out: what docs/LIST-FILES.md
// promises to the person who has the file.

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "campaign/load/encoding.h"
#include "campaign/load/open_list.h"
#include "campaign/load/reject_file.h"
#include "gmock/gmock.h"
#include "tests/campaign/load/load_fixture.h"

namespace outpace::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class WholeListTest : public LoadTest {
 protected:
  // Loads, and writes what was left out into `written`.
  absl::StatusOr<LoadReport> LoadWithRejects(absl::string_view bytes) {
    written.clear();
    rejects.clear();
    std::unique_ptr<RejectWriter> writer;
    LoadHooks hooks;
    hooks.on_shape = [&](const FileShape& shape) {
      auto made = RejectWriter::Make(shape, [this](absl::string_view octets) {
        written.append(octets.data(), octets.size());
      });
      ASSERT_TRUE(made.ok()) << made.status();
      writer = *std::move(made);
    };
    hooks.on_reject = [&](const Reject& reject) {
      rejects.push_back(reject);
      writer->Add(reject);
    };
    return LoadLeads(*MemorySource(bytes), options, dnc, *store, clock, hooks);
  }

  static std::string Encoded(absl::string_view text, absl::string_view encoding) {
    std::string out;
    (*TextEncoder::Make(encoding))->Append(text, out);
    return out;
  }

  std::string written;
};

TEST_F(WholeListTest, TheChineseFileOfThePage) {
  options.country = "CN";
  options.filter = "registered_capital >= 500万";
  const auto report = LoadWithRejects(Encoded(
      "企业名称,法定代表人,注册资本,成立日期,所属省份,所属城市,电话,更多电话\r\n"
      "云帆网络科技有限公司,李雷,500万元人民币,2009-03-12,广东省,深圳市,13800000001,0755-55550100；"
      "13800000009\r\n"
      "明辉贸易有限公司,韩梅梅,80万,2015-07-01,上海市,上海市,021-55550100,\r\n"
      "远航物流有限公司,王伟,900万,2016-02-30,上海市,上海市,12,\r\n",
      "gb18030"));
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->encoding, "gb18030");
  EXPECT_GT(report->encoding_confidence, 0.9);
  EXPECT_THAT(report->warnings, ElementsAre(HasSubstr("W_ENCODING_GUESSED")));
  EXPECT_EQ(report->counts.accepted, 1u);
  EXPECT_EQ(report->counts.filtered, 1u);
  EXPECT_EQ(report->counts.rejected, 1u);
  const campaign::Lead lead = Leads().at(0);
  EXPECT_EQ(lead.phone, E164(8613800000001));
  EXPECT_EQ(lead.alt_phone, E164(8675555550100));
  EXPECT_EQ(lead.Field("alt_phones"), "+8613800000009");
  EXPECT_EQ(lead.Field("company"), "云帆网络科技有限公司");
  EXPECT_EQ(lead.Field("founded"), "2009-03-12");
  // What was left out comes back in the same encoding, octet for octet.
  EXPECT_TRUE(absl::StartsWith(
      written, Encoded("outpace_line,outpace_reason,企业名称,法定代表人", "gb18030")));
  EXPECT_THAT(written,
              HasSubstr(Encoded(",远航物流有限公司,王伟,900万,2016-02-30,上海市,上海市,12,\r\n",
                                "gb18030")));
}

TEST_F(WholeListTest, TheVicidialFileOfThePage) {
  const auto report = LoadWithRejects(
      "100001|web|101|1|2025550101|Mr|Frank||Smith|105 Fifth "
      "St|||Washington|DC||20001|USA|M|1970-01-01|2025550102|frank@example.com||called in May\n"
      "100002|web|101|1|2025550103|Ms|Ann|B|Lee|||2025550104|Washington|DC||20001|USA|F|1980-02-29|"
      "|"
      "||\n");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->layout, "standard");
  EXPECT_EQ(report->counts.accepted, 2u);
  const std::vector<campaign::Lead> leads = Leads();
  EXPECT_EQ(leads[0].Field("vendor_lead_code"), "100001");
  EXPECT_EQ(leads[0].fields.count("date_of_birth"), 0u);
  EXPECT_EQ(leads[0].alt_phone, E164(12025550102));
  EXPECT_EQ(leads[1].Field("date_of_birth"), "1980-02-29");
  EXPECT_EQ(leads[1].alt_phone, E164(12025550104));
  EXPECT_EQ(leads[1].Field("address3"), "2025550104");
}

TEST_F(WholeListTest, NamedLayoutsOfVicidial) {
  const std::pair<const char*, const char*> kFiles[] = {
      {"minicsv",
       "\"105 Fifth St\",\"Washington\",\"Frank Smith\",\"2025550101\",\"DC\",\"20001\"\n"},
      {"minicsv02",
       "\"Frank Smith\",\"105 Fifth St\",\"Washington\",\"DC\",\"20001\",\"202-555-0101\"\n"},
      {"sctab08", "DC\tFrank Smith\t202 5550101\t\t105 Fifth St\t\tWashington\t20001\n"},
      {"sccsv11",
       "DC,16700,Frank Smith,105 Fifth St,,Washington,X,(202) 555-0101,,20001,Comments\n"}};
  for (const auto& [layout, file] : kFiles) {
    Reset();
    options.layout = layout;
    const auto report = LoadWithRejects(file);
    ASSERT_TRUE(report.ok()) << layout << report.status();
    ASSERT_EQ(report->counts.accepted, 1u) << layout << written;
    const campaign::Lead lead = Leads()[0];
    EXPECT_EQ(lead.phone, E164(12025550101)) << layout;
    EXPECT_EQ(lead.Field("last_name"), "Smith") << layout;
    EXPECT_EQ(lead.Field("address1"), "105 Fifth St") << layout;
    EXPECT_EQ(lead.Field("city"), "Washington") << layout;
    EXPECT_EQ(lead.Field("postal_code"), "20001") << layout;
  }
}

TEST_F(WholeListTest, SevenNumbersOfOneDebtor) {
  options.layout = "dccsv10";
  const auto report = LoadWithRejects(
      "\"100998\",\"ANGELA    \",\"SMITH     \",\"2025550101\",\"2025550102\",\"2025550103\",\"0\","
      "\"2025550104\",\"2025550105\",\"0\",\n");
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->counts.accepted, 1u) << written;
  EXPECT_EQ(Leads()[0].alt_phone, E164(12025550102));
  EXPECT_EQ(Leads()[0].Field("alt_phones"), "+12025550103;+12025550104;+12025550105");
}

TEST_F(WholeListTest, ASpreadsheet) {
  options.country = "CN";
  const auto opened = OpenList(OUTPACE_TEST_DATA "/xlsx/leads-openpyxl.xlsx", {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  const auto report = LoadLeads(*opened->source, options, dnc, *store, clock, LoadHooks());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->counts.accepted, 3u);
  EXPECT_EQ(report->blank_lines, 1u);
  const campaign::Lead lead = Leads()[0];
  EXPECT_EQ(lead.phone, E164(8613800000001));
  EXPECT_EQ(lead.Field("postal_code"), "001007");
  EXPECT_EQ(lead.Field("registered_capital_wan"), "500");
  EXPECT_EQ(lead.alt_phone, E164(861055550100));
}

// A template for text files may be used for a spreadsheet of the same columns.
TEST_F(WholeListTest, ASpreadsheetIsReadAsWhatItBecameWhateverWasNamed) {
  options.country = "CN";
  options.encoding = "gb18030";
  options.separator = ';';
  const auto opened = OpenList(OUTPACE_TEST_DATA "/xlsx/leads-openpyxl.xlsx", {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  const auto report =
      LoadLeads(*opened->source, OptionsFor(*opened, options), dnc, *store, clock, LoadHooks());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->encoding, "utf-8");
  EXPECT_EQ(report->counts.accepted, 3u);
  EXPECT_EQ(Leads()[0].Field("registered_capital_wan"), "500");
  OpenedList text;
  text.format = "csv";
  EXPECT_EQ(OptionsFor(text, options).encoding, "gb18030");
  EXPECT_EQ(OptionsFor(text, options).separator, ';');
}

// A row of 23 columns with two more would be one of 25, with a rank and an owner.
TEST_F(WholeListTest, ACorrectedFileWithoutAHeaderIsLoadedAsItIs) {
  options.layout = "standard";
  const auto first = LoadWithRejects("7|||1|123||Ann|||||||||||||||||\n");
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->counts.rejected, 1u);
  const std::string corrected = absl::StrReplaceAll(written, {{"|1|123|", "|1|2025550101|"}});
  const auto second = LoadWithRejects(corrected);  // with the same options
  ASSERT_TRUE(second.ok()) << second.status();
  ASSERT_EQ(second->counts.accepted, 1u) << written;
  EXPECT_EQ(Leads()[0].Field("vendor_lead_code"), "7");
  EXPECT_EQ(Leads()[0].Field("first_name"), "Ann");
  EXPECT_EQ(Leads()[0].owner, "");
  EXPECT_EQ(Leads()[0].rank, 0);
}

// Nobody corrects anything: every row is left out again, none is lost, none slips in, and the
// reject file of the reject file holds the same rows. Over every hostile file.
TEST_F(WholeListTest, RejectFilesLoadedAgainChangeNothing) {
  options.country = "CN";
  options.destinations = {"86", "1", "44"};
  options.again = true;  // two of these files may be the same
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(OUTPACE_TEST_DATA "/csv-hostile")) {
    const std::string path = entry.path().string();
    if (!absl::EndsWith(path, ".csv")) continue;
    SCOPED_TRACE(entry.path().filename().string());
    Reset();
    options.encoding = "auto";
    const auto report = LoadWithRejects(ReadFile(path));
    if (!report.ok() || rejects.empty()) continue;
    const std::string once = written;
    const size_t left_out = rejects.size();
    // The rows that are left may be too few to guess from.
    options.encoding = report->encoding;
    const auto again = LoadWithRejects(once);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->counts.accepted, 0u) << once.substr(0, 2000);
    EXPECT_EQ(rejects.size(), left_out);
    const std::string twice = written;
    ASSERT_TRUE(LoadWithRejects(twice).ok());
    EXPECT_EQ(rejects.size(), left_out);
    ++files;
  }
  EXPECT_GE(files, 25);
}

}  // namespace
}  // namespace outpace::load
