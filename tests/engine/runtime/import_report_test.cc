// The report of a load, word for word, and the words for duplicates.

#include "engine/runtime/import_report.h"

#include <nlohmann/json.hpp>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ImportOutcome Outcome() {
  ImportOutcome outcome;
  outcome.file = "leads.csv";
  outcome.list.id = ListId(101);
  outcome.list.name = "november";
  outcome.list.campaign = "DEMO";
  outcome.took = absl::Milliseconds(2500);
  load::LoadReport& report = outcome.report;
  report.import = ImportId(7);
  report.encoding = "gb18030";
  report.encoding_confidence = 0.97;
  report.layout = "header";
  report.columns = {"phone_number", "name", "company", "registered_capital", "-"};
  report.counts = {.rows = 1'204'310,
                   .accepted = 1'190'000,
                   .duplicates_in_file = 1'000,
                   .duplicates_in_store = 9'000,
                   .dnc = 310,
                   .filtered = 3'950,
                   .rejected = 50};
  report.by_code = {{"E_PHONE_LENGTH", 40}, {"E_PHONE_SCI", 10}, {"FILTER", 3'950}, {"DNC", 310}};
  report.by_clause = {{"registered_capital >= 500万", 3'000},
                      {"not company contains \"电气\"", 950}};
  load::Reject reject;
  reject.line = 18;
  reject.code = "E_PHONE_LENGTH";
  reject.reason = "phone: 7 digits";
  report.rejects = {reject};
  report.blank_lines = 2;
  report.warnings = {"W_ENCODING_GUESSED: not UTF-8, read as gb18030"};
  return outcome;
}

TEST(ImportReport, AddsUpLineByLine) {
  EXPECT_EQ(ImportText(Outcome()),
            "leads.csv -> list 101 (november), campaign DEMO, import 7\n"
            "  encoding   gb18030 (a guess, 97 % sure)   layout header\n"
            "  columns    phone_number name company registered_capital -\n"
            "  rows                        1,204,310\n"
            "    accepted                  1,190,000\n"
            "    duplicates in the file        1,000\n"
            "    duplicates in the store       9,000\n"
            "    do not call                     310\n"
            "    filtered out                  3,950\n"
            "           3,000  not met: registered_capital >= 500万\n"
            "             950  not met: not company contains \"电气\"\n"
            "    rejected                         50\n"
            "              40  E_PHONE_LENGTH  line 18: phone: 7 digits\n"
            "              10  E_PHONE_SCI\n"
            "  blank lines passed over: 2\n"
            "  note: W_ENCODING_GUESSED: not UTF-8, read as gb18030\n"
            "  took 2.5 s, 481,724 rows a second\n"
            "the rows that were left out, with reasons: add --rejects FILE\n"
            "next: outpace list show 101; the wrong file? outpace import undo 7\n");
  const auto json = ImportJson(Outcome());
  EXPECT_EQ(json["rows"], 1'204'310);
  EXPECT_EQ(json["by_clause"][0]["rows"], 3'000);
  EXPECT_EQ(json["first_rejects"][0]["line"], 18);
}

TEST(ImportReport, SaysWhatToDoWhenNothingWasStored) {
  ImportOutcome outcome = Outcome();
  outcome.dry_run = true;
  EXPECT_THAT(ImportText(outcome), HasSubstr("nothing was stored: that was a dry run"));
  EXPECT_THAT(ImportText(outcome), Not(HasSubstr("undo")));
  outcome = Outcome();
  outcome.report.held = true;
  EXPECT_THAT(ImportText(outcome), HasSubstr("--encoding gb18030"));
  outcome = Outcome();
  outcome.report.already_imported = true;
  EXPECT_EQ(
      ImportText(outcome),
      "leads.csv: this very file is in list 101 since import 7 (1,190,000 leads): nothing was "
      "changed; --again loads it nevertheless\n");
  outcome = Outcome();
  outcome.list.active = false;
  EXPECT_THAT(ImportText(outcome), HasSubstr("the list is off: outpace list activate 101"));
}

TEST(ImportReport, KnowsTheWordsForDuplicates) {
  using load::DuplicateCheck;
  using load::DuplicateKey;
  struct Case {
    const char* word;
    DuplicateCheck check;
    DuplicateKey key = DuplicateKey::kPhone;
    bool alt = false;
    int days = 0;
  };
  for (const Case& c :
       {Case{"none", DuplicateCheck::kNone}, Case{"list", DuplicateCheck::kList},
        Case{"campaign", DuplicateCheck::kCampaign}, Case{"DUPSYS", DuplicateCheck::kSystem},
        Case{"dupcamp", DuplicateCheck::kCampaign},
        Case{"DUPCAMP30DAY", DuplicateCheck::kCampaign, DuplicateKey::kPhone, false, 30},
        Case{"DUPSYSALT", DuplicateCheck::kSystem, DuplicateKey::kPhone, true},
        Case{"DUPPHONEALTLIST7DAY", DuplicateCheck::kList, DuplicateKey::kPhone, true, 7},
        Case{"DUPTITLEALTPHONECAMP", DuplicateCheck::kCampaign, DuplicateKey::kTitleAltPhone},
        Case{"DUPNAMEPHONELIST90DAYS", DuplicateCheck::kList, DuplicateKey::kNamePhone, false,
             90}}) {
    load::LoadOptions options;
    options.duplicates_days = 5;
    const absl::Status read = ReadDuplicates(c.word, options);
    EXPECT_TRUE(read.ok()) << c.word << ": " << read;
    EXPECT_EQ(options.duplicates, c.check) << c.word;
    EXPECT_EQ(options.duplicate_key, c.key) << c.word;
    EXPECT_EQ(options.duplicates_alt, c.alt) << c.word;
    EXPECT_EQ(options.duplicates_days, c.days) << c.word;
  }
  for (const char* word : {"", "maybe", "DUP", "DUPCAMP0DAY", "DUPCAMP30", "DUPCAMPDAY", "DUPLISTX",
                           "DUPNAMEPHONELISTALT"}) {
    load::LoadOptions options;
    const absl::Status read = ReadDuplicates(word, options);
    EXPECT_THAT(std::string(read.message()), HasSubstr("DUPCAMP30DAY")) << word;
  }
}

}  // namespace
}  // namespace outpace::runtime
