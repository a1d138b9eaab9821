// The sample lists of the demo, loaded as the demo does, against truth.csv, which their generator
// wrote from its own knowledge of the numbering plans.

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "campaign/calling_window.h"
#include "campaign/number_plan.h"
#include "gmock/gmock.h"
#include "tests/campaign/load/load_fixture.h"

namespace outpace::load {
namespace {

struct Truth {
  std::set<std::string> zones;
  bool dnc = false;
};

class SampleListTest : public LoadTest {
 protected:
  static std::string Sample(absl::string_view name) {
    return ReadFile(absl::StrCat(OUTPACE_SOURCE_DIR, "/tools/demo.d/", name));
  }

  void SetUp() override {
    LoadTest::SetUp();
    const std::string text = Sample("truth.csv");
    for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      const std::vector<absl::string_view> cells = absl::StrSplit(line, ',');
      if (cells[0] == "number") continue;
      truth[std::string(cells[0])] = {absl::StrSplit(cells[1], ' '), cells[2] == "1"};
    }
  }

  void AddDnc() {
    const std::string text = Sample("dnc.csv");
    for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      if (line == "phone") continue;
      const absl::StatusOr<E164> number = campaign::NormalizePhone(line, "");
      ASSERT_TRUE(number.ok()) << number.status();
      dnc.Add(*number, "");
    }
  }

  void LoadAll() {
    for (const auto& [file, country, layout, encoding] :
         std::vector<std::tuple<std::string, std::string, std::string, std::string>>{
             {"leads_us_uk.csv", "US", "header", "utf-8"},
             {"leads_au_gb18030.csv", "AU", "header", "gb18030"},
             {"leads_vicidial.txt", "US", "standard", "utf-8"}}) {
      SCOPED_TRACE(file);
      options.country = country;
      const absl::StatusOr<LoadReport> report = Load(Sample(file));
      ASSERT_TRUE(report.ok()) << report.status();
      EXPECT_EQ(report->layout, layout);
      EXPECT_EQ(report->encoding, encoding);
      reports.push_back(*report);
    }
  }

  std::map<std::string, Truth> truth;
  std::vector<LoadReport> reports;
};

TEST_F(SampleListTest, LoadsExactlyTheNumbersOfTheTruth) {
  AddDnc();
  EXPECT_EQ(dnc.size(), 400u);
  LoadAll();
  ASSERT_EQ(reports.size(), 3u);
  size_t listed = 0;
  for (const auto& [number, t] : truth) listed += t.dnc;
  EXPECT_EQ(listed, 150u);
  uint64_t rows = 0, dnc_rows = 0, repeats = 0, invalid = 0;
  for (const LoadReport& report : reports) {
    rows += report.counts.rows;
    dnc_rows += report.counts.dnc;
    repeats += report.counts.duplicates_in_file + report.counts.duplicates_in_store;
    invalid += report.counts.rejected;
  }
  EXPECT_EQ(rows, 4463u + 3066u + 1155u);
  EXPECT_EQ(invalid, 85u + 58u + 22u);
  // A listed number that is repeated counts as listed each time.
  EXPECT_GE(dnc_rows, 150u);
  EXPECT_EQ(dnc_rows + repeats, 150u + 128u + 88u + 33u);
  std::set<std::string> loaded;
  for (const campaign::Lead& lead : Leads()) loaded.insert(lead.phone.ToString());
  EXPECT_EQ(loaded.size(), truth.size() - listed);
  for (const std::string& number : loaded) EXPECT_EQ(truth.count(number), 1u);
}

TEST_F(SampleListTest, NoZoneOfTheTruthIsForgotten) {
  for (const auto& [number, t] : truth) {
    const std::vector<std::string> zones = campaign::TimeZonesOf(*ParseE164(number));
    const std::set<std::string> ours(zones.begin(), zones.end());
    // Equal clocks may go by another name (Hobart for Melbourne), so names are only compared one
    // way.
    EXPECT_TRUE(std::includes(ours.begin(), ours.end(), t.zones.begin(), t.zones.end()))
        << absl::StrJoin(t.zones, " ") << " against " << absl::StrJoin(zones, " ");
  }
}

TEST_F(SampleListTest, EveryNumberIsReservedForFiction) {
  AddDnc();
  LoadAll();
  std::vector<std::string> numbers;
  for (const auto& [number, t] : truth) numbers.push_back(number);
  for (const campaign::Lead& lead : Leads()) numbers.push_back(lead.phone.ToString());
  const testing::Matcher<std::string> fiction = testing::AnyOf(
      testing::MatchesRegex("\\+1[0-9][0-9][0-9]55501[0-9][0-9]"),
      testing::MatchesRegex("\\+44(11[345678]|121|131|141|151|161)496[0-9][0-9][0-9][0-9]"),
      testing::MatchesRegex("\\+44(207946|191498|292018)0[0-9][0-9][0-9]"),
      testing::MatchesRegex("\\+447700900[0-9][0-9][0-9]"),
      testing::MatchesRegex("\\+61[2378](5550|7010)[0-9][0-9][0-9][0-9]"));
  for (const std::string& number : numbers) EXPECT_THAT(number, fiction);
}

// Whenever the demo is started, there is work to do and there are leads that must not be rung.
TEST_F(SampleListTest, EveryHourOfTheDayHasLeadsInsideAndOutsideTheWindow) {
  AddDnc();
  LoadAll();
  const campaign::CallingWindow window;  // 09:00-21:00
  std::map<std::vector<std::string>, int> groups;
  for (const campaign::Lead& lead : Leads()) ++groups[lead.time_zones];
  for (const absl::CivilHour day :
       {absl::CivilHour(2026, 1, 14), absl::CivilHour(2026, 3, 18), absl::CivilHour(2026, 7, 15),
        absl::CivilHour(2026, 10, 14), absl::CivilHour(2026, 11, 4)}) {
    for (int hour = 0; hour < 24; ++hour) {
      const absl::Time now = absl::FromCivil(day + hour, absl::UTCTimeZone()) + absl::Minutes(30);
      int inside = 0, outside = 0;
      for (const auto& [names, count] : groups) {
        std::vector<absl::TimeZone> zones;
        for (const std::string& name : names) zones.push_back(*campaign::FindTimeZone(name));
        (window.ContainsInAll(now, zones) ? inside : outside) += count;
      }
      EXPECT_GE(inside, 1500) << absl::FormatCivilTime(day + hour);
      EXPECT_GE(outside, 500) << absl::FormatCivilTime(day + hour);
    }
  }
}

}  // namespace
}  // namespace outpace::load
