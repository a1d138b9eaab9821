// The set of hostile list files in tests/data/csv-hostile: every file is loaded as an operator
// would, and every one of its judged rows is compared with what the set says a careful importer
// does.

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"
#include "tests/campaign/load/load_fixture.h"

namespace outpace::load {
namespace {

using nlohmann::json;

constexpr char kFolder[] = OUTPACE_TEST_DATA "/csv-hostile/";

class HostileTest : public LoadTest {
 protected:
  void SetUp() override {
    LoadTest::SetUp();
    manifest = json::parse(ReadFile(absl::StrCat(kFolder, "manifest.json")));
    options.country = "CN";
    options.destinations = {"86", "1", "44"};
  }

  void UseDncOf58() {
    for (const uint64_t number :
         {8613800000001, 8613800000002, 8613800000003, 8613800000004, 12025550150}) {
      dnc.Add(E164(number), "");
    }
  }

  // The encoding an operator names after having looked at the preview.
  static std::string Confirmed(const std::string& encoding) {
    if (absl::StartsWith(encoding, "gb18030")) return "gb18030";
    if (absl::StartsWith(encoding, "windows-1252")) return "windows-1252";
    return "utf-8";
  }

  // Compares the last load with the judged rows; returns how many agree.
  int CheckRows(const json& rows) {
    std::map<uint64_t, const Reject*> by_row;
    for (const Reject& reject : rejects) by_row[reject.row_number] = &reject;
    std::map<std::string, std::string> loaded;  // number -> extension
    for (const campaign::Lead& lead : Leads()) {
      loaded[lead.phone.ToString()] = lead.Field("extension");
    }
    int agreed = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      const std::string verdict = rows[i]["verdict"];
      const std::string value = rows[i]["value"];
      const auto reject = by_row.find(i + 1);
      const std::string code = reject == by_row.end() ? "" : reject->second->code;
      bool good = false;
      for (absl::string_view wanted : absl::StrSplit(value, '|')) {
        if (absl::StartsWith(wanted, "E_")) {
          good = good || code == wanted;
          continue;
        }
        if (verdict == "dup") good = good || code == "DUPLICATE_FILE";
        if (verdict == "dnc") good = good || code == "DNC";
        const std::pair<std::string, std::string> parts =
            absl::StrSplit(wanted, absl::MaxSplits(" ext ", 1));
        const auto lead = loaded.find(parts.first);
        if (absl::StartsWith(verdict, "ok") && code.empty()) {
          good = good || (lead != loaded.end() && lead->second == parts.second);
        }
      }
      EXPECT_TRUE(good) << rows[i] << " was " << (code.empty() ? "loaded" : code);
      agreed += good;
    }
    return agreed;
  }

  json manifest;
};

TEST_F(HostileTest, EveryFileAsItsExpectationSays) {
  int files = 0, rows = 0, rows_agreed = 0;
  for (const json& c : manifest["cases"]) {
    const std::string file = c["file"];
    SCOPED_TRACE(file);
    Reset();
    dnc = dnc::DncSet();
    if (absl::StartsWith(file, "58")) UseDncOf58();
    const std::string bytes = ReadFile(kFolder + file);
    ASSERT_EQ(bytes.size(), c["bytes"].get<size_t>());
    const std::string outcome = c["outcome"];
    options.encoding = "auto";
    options.hold_guesses = true;
    absl::StatusOr<LoadReport> report = Load(bytes);
    if (outcome == "refuse") {
      EXPECT_FALSE(report.ok());
      const absl::string_view message = report.status().message();
      const std::string reason = c["file_reason"];
      // 45 may be refused as no text or for want of a phone column, 05 for its NULs.
      EXPECT_TRUE(absl::StartsWith(message, reason) ||
                  (absl::StartsWith(file, "45") && absl::StartsWith(message, "E_NOT_TEXT")))
          << message;
      ++files;
      continue;
    }
    ASSERT_TRUE(report.ok()) << report.status();
    EXPECT_EQ(report->held, outcome == "hold");
    for (const std::string warning : c["warnings"]) {
      EXPECT_TRUE(std::any_of(report->warnings.begin(), report->warnings.end(),
                              [&](const std::string& w) { return absl::StartsWith(w, warning); }))
          << warning;
    }
    if (outcome == "hold") {
      EXPECT_TRUE(Leads().empty());
      options.encoding = Confirmed(c["encoding"]);
      options.hold_guesses = false;
      report = Load(bytes);
      ASSERT_TRUE(report.ok()) << report.status();
    }
    const json& counts = c["counts"];
    const auto either = counts["either"].get<uint64_t>();
    EXPECT_GE(report->counts.accepted, counts["accepted"].get<uint64_t>());
    EXPECT_LE(report->counts.accepted, counts["accepted"].get<uint64_t>() + either);
    EXPECT_EQ(report->counts.duplicates_in_file, counts["duplicates"].get<uint64_t>());
    EXPECT_EQ(report->counts.dnc, counts["dnc"].get<uint64_t>());
    EXPECT_EQ(report->counts.rows, c["rows"].size());
    const int agreed = CheckRows(c["rows"]);
    rows += static_cast<int>(c["rows"].size());
    rows_agreed += agreed;
    files += !HasFailure() || agreed == static_cast<int>(c["rows"].size());
  }
  RecordProperty("files", files);
  RecordProperty("rows", rows_agreed);
  EXPECT_EQ(files, 67);
  EXPECT_EQ(rows_agreed, rows);
  EXPECT_EQ(rows, 305);
}

TEST_F(HostileTest, NamesSurviveExactly) {
  options.encoding = "windows-1252";
  ASSERT_TRUE(Load(ReadFile(absl::StrCat(kFolder, "09-latin1.csv"))).ok());
  EXPECT_EQ(Leads()[0].Field("name"), "José Núñez");
  Reset();
  options.encoding = "auto";
  ASSERT_TRUE(Load(ReadFile(absl::StrCat(kFolder, "07-gb18030.csv"))).ok());
  EXPECT_EQ(Leads()[0].Field("name"), "李雷");
  Reset();
  ASSERT_TRUE(Load(ReadFile(absl::StrCat(kFolder, "12-quoted-newlines.csv"))).ok());
  EXPECT_EQ(Leads()[0].Field("name"), "Line one\r\nLine two\nLine three");
  EXPECT_EQ(Leads()[1].Field("name"), "He said \"hi\", left");
  EXPECT_EQ(Leads()[3].Field("name"), "\"");
  Reset();
  ASSERT_TRUE(Load(ReadFile(absl::StrCat(kFolder, "03-utf16le-bom.csv"))).ok());
  EXPECT_EQ(Leads()[1].Field("name"), "韩梅梅");
}

TEST_F(HostileTest, HostileHeadersReachNothing) {
  ASSERT_TRUE(Load(ReadFile(absl::StrCat(kFolder, "24-hostile-headers.csv"))).ok());
  ASSERT_EQ(Leads().size(), 1u);
  const campaign::Lead lead = Leads()[0];
  EXPECT_EQ(lead.status, "NEW");
  EXPECT_EQ(lead.called_count, 0);
  EXPECT_NE(lead.id.value(), 999999u);
  EXPECT_EQ(lead.campaign, "DEMO");
  for (const char* name : {"__proto__", "constructor", "id", "status", "dnc", "agent"}) {
    EXPECT_EQ(lead.fields.count(name), 0u) << name;
  }
}

// A file that is cut anywhere is still accounted for row by row, and what was whole in it is
// loaded.
TEST_F(HostileTest, EveryPrefixOfEverySmallFileIsAccountedFor) {
  int loads = 0;
  for (const json& c : manifest["cases"]) {
    const std::string file = c["file"];
    const std::string bytes = ReadFile(kFolder + file);
    if (bytes.size() > 700) continue;
    SCOPED_TRACE(file);
    for (size_t length = 0; length <= bytes.size(); ++length) {
      Reset();
      (void)Load(absl::string_view(bytes).substr(0, length));  // checks its own accounts
      ++loads;
    }
  }
  EXPECT_GT(loads, 8000);
}

}  // namespace
}  // namespace outpace::load
