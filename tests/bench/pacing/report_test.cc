// The figures of the suite and the files it writes, on runs made by hand whose results are known.

#include "bench/pacing/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "bench/pacing/cells.h"
#include "bench/pacing/hindsight.h"
#include "bench/pacing/plots.h"
#include "bench/pacing/scenarios.h"
#include "bench/pacing/suite.h"
#include "bench/pacing/svg.h"

namespace outpace::lab {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

// Fields of one line; quoted ones without their quotes.
std::vector<std::string> Fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[i++];
      } else {
        quoted = !quoted;
      }
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

// The value of a column in the n-th row, from 1.
std::string Column(const std::string& csv, size_t row, const std::string& name) {
  const std::vector<std::string> lines = Lines(csv);
  const std::vector<std::string> names = Fields(lines.at(0));
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return Fields(lines.at(row)).at(i);
  }
  return "no such column";
}

struct Made {
  double busy_s;
  double logged_s;
  int persons;
  int abandoned;
  std::vector<HalfHour> half_hours;
};

Run MakeRun(size_t policy, uint64_t seed, const Made& made) {
  Run run;
  run.policy = policy;
  run.seed = seed;
  run.abandon_ratio_max = 0.03;
  run.result.busy_s = made.busy_s;
  run.result.logged_s = made.logged_s;
  run.result.persons = made.persons;
  run.result.abandoned = made.abandoned;
  run.result.answers = made.persons;
  run.result.dials = 5 * made.persons;
  run.result.wait_s = 0.25 * (made.persons - made.abandoned);
  run.result.decisions = 1000;
  run.result.lines_peak = static_cast<int>(seed) * 10;
  run.result.half_hours = made.half_hours;
  run.timed = 100;
  run.timed_s = 100 * 12e-6;
  return run;
}

// Outpace 90, 92 and 91 %, the frontier 93, 94 and 92 %, the best VICIdial setting 85 %.
SuiteResults Sample() {
  SuiteResults results;
  sim::Scenario scenario;
  scenario.id = "S01";
  scenario.title = "fifty, \"base\" & <more>";
  scenario.length = absl::Minutes(75);  // two whole half hours
  scenario.campaigns.resize(1);
  results.settings.scenarios = {scenario};
  results.settings.seeds = 3;
  for (const char* name : {"outpace", "frontier", "vicidial_best"}) {
    results.settings.policies.push_back(FindSuitePolicy(name));
  }
  results.runs = {
      MakeRun(0, 1, {900, 1000, 200, 4, {{100, 4}, {100, 0}, {3, 3}}}),
      MakeRun(0, 2, {920, 1000, 200, 8, {{100, 6}, {100, 2}}}),
      MakeRun(0, 3, {910, 1000, 200, 6, {{100, 5}, {100, 1}}}),
      MakeRun(1, 1, {930, 1000, 200, 6, {{100, 3}, {100, 3}}}),
      MakeRun(1, 2, {940, 1000, 200, 6, {{100, 3}, {100, 3}}}),
      MakeRun(1, 3, {920, 1000, 200, 6, {{100, 3}, {100, 3}}}),
      MakeRun(2, 1, {850, 1000, 200, 4, {{100, 2}, {100, 2}}}),
      MakeRun(2, 2, {850, 1000, 200, 4, {{100, 2}, {100, 2}}}),
      MakeRun(2, 3, {850, 1000, 200, 4, {{100, 2}, {100, 2}}}),
  };
  results.cells = MakeCells(results.settings, results.runs);
  results.figures = MakeFigures(results.settings, results.cells, results.responses);
  return results;
}

TEST(Statistics, StudentQuantilesAsInTables) {
  EXPECT_NEAR(StudentT975(1), 12.706, 5e-4);
  EXPECT_NEAR(StudentT975(4), 2.776, 5e-4);
  EXPECT_NEAR(StudentT975(9), 2.262, 5e-4);
  EXPECT_NEAR(StudentT975(20), 2.086, 5e-4);
  EXPECT_NEAR(StudentT975(21), 2.080, 5e-4);
  EXPECT_NEAR(StudentT975(29), 2.045, 5e-4);
  EXPECT_NEAR(StudentT975(60), 2.000, 5e-4);
  EXPECT_NEAR(StudentT975(199), 1.972, 5e-4);
}

TEST(Statistics, HalfWidthOfKnownValues) {
  // Mean 3, s = sqrt(2.5), 4 degrees of freedom: 2.7764 sqrt(2.5 / 5).
  EXPECT_NEAR(HalfWidth95({1, 2, 3, 4, 5}), 1.9632, 1e-4);
  EXPECT_NEAR(HalfWidth95({1, 2}), 12.7062 * 0.5, 1e-4);
  EXPECT_EQ(HalfWidth95({7, 7, 7}), 0);
  EXPECT_TRUE(std::isnan(HalfWidth95({7})));
  EXPECT_TRUE(std::isnan(HalfWidth95({})));
}

TEST(Cells, ArePooledOverSeeds) {
  const SuiteResults results = Sample();
  ASSERT_THAT(results.cells, SizeIs(3));
  const Cell& own = results.cells[0];
  EXPECT_EQ(own.seeds, 3);
  EXPECT_EQ(own.runs, 3);
  EXPECT_DOUBLE_EQ(own.occupancy, 0.91);
  // Of 90, 92, 91: s = 1, 2 degrees of freedom.
  EXPECT_NEAR(own.occupancy_half, 0.01 * 4.3027 / std::sqrt(3), 1e-6);
  EXPECT_DOUBLE_EQ(own.abandoned, 0.03);
  EXPECT_NEAR(own.abandoned_half, 0.01 * 4.3027 / std::sqrt(3), 1e-6);
  EXPECT_DOUBLE_EQ(own.runs_over, 1.0 / 3);  // 4 %; 3 % is not over
  // The third piece of the first run is no whole half hour.
  EXPECT_EQ(own.half_hours, 6);
  EXPECT_DOUBLE_EQ(own.half_hours_over, 1.0 / 6);  // 5 % is not over 5 %
  EXPECT_DOUBLE_EQ(own.half_hour_worst, 0.06);
  EXPECT_DOUBLE_EQ(own.dials_per_answer, 5);
  EXPECT_DOUBLE_EQ(own.answers_per_dial, 0.2);
  EXPECT_EQ(own.lines_peak, 30);
  EXPECT_DOUBLE_EQ(own.wait_s, 0.25);
  EXPECT_EQ(own.decisions, 3000);
  EXPECT_NEAR(own.decision_us, 12, 1e-9);
  EXPECT_NEAR(own.gap, 0.02, 1e-12);
  // Gaps on the same seeds: 3, 2 and 1 points.
  EXPECT_NEAR(own.gap_half, 0.01 * 4.3027 / std::sqrt(3), 1e-6);
  EXPECT_NEAR(own.closed, 6.0 / 8, 1e-12);
  EXPECT_NEAR(results.cells[2].closed, 0, 1e-12);
}

TEST(Cells, WithoutTheFrontierThereIsNoGap) {
  SuiteResults results = Sample();
  results.runs.erase(results.runs.begin() + 3, results.runs.begin() + 6);
  results.cells = MakeCells(results.settings, results.runs);
  EXPECT_TRUE(std::isnan(results.cells[0].gap));
  EXPECT_TRUE(std::isnan(results.cells[0].closed));
  EXPECT_EQ(Column(CellsCsv(results), 1, "gap"), "");
}

TEST(Figures, SayWhatIsMetAndWhatCouldNotBeMeasured) {
  SuiteResults results = Sample();
  const std::string text = FiguresText(results.figures);
  EXPECT_THAT(text, HasSubstr("missed  mean gap to the frontier (d)"));
  EXPECT_THAT(text, HasSubstr("met     worst half hour at 50 agents (S01)"));
  EXPECT_THAT(text, HasSubstr("met     least lead in occupancy over (c*)"));
  Response response;
  response.from = 0.1;
  response.to = 0.35;
  response.minutes_to_settle = 3;
  EXPECT_THAT(FiguresText(MakeFigures(results.settings, results.cells, {response})),
              HasSubstr("met     answer rate 10 to 35 %: within 1 point after"));
  response.minutes_to_settle = -1;
  EXPECT_THAT(FiguresText(MakeFigures(results.settings, results.cells, {response})),
              HasSubstr("missed  answer rate 10 to 35 %: within 1 point after"));
  results.runs.resize(3);
  results.cells = MakeCells(results.settings, results.runs);
  EXPECT_THAT(FiguresText(MakeFigures(results.settings, results.cells, {})),
              HasSubstr("not run mean gap to the frontier (d)"));
}

TEST(Response, SettlesWhenItStaysWithinAPoint) {
  std::vector<double> level(40, 0.94);
  EXPECT_EQ(MinutesToSettle(level, 0.94), 0);
  EXPECT_EQ(MinutesToSettle(level, 0.945), 0);
  EXPECT_EQ(MinutesToSettle(level, 0.952), -1);
  for (size_t m = 0; m < 5; ++m) level[m] = 0.99;
  // The mean of minutes 4, 5 and 6 is 1.7 points above, that of 5, 6 and 7 is right.
  EXPECT_EQ(MinutesToSettle(level, 0.94), 5);
  EXPECT_EQ(MinutesToSettle(level, 0.94, 1), 5);
  // A relapse counts, unless it is asked when it was there first.
  level[12] = 0.80;
  EXPECT_EQ(MinutesToSettle(level, 0.94), 13);
  EXPECT_EQ(MinutesToSettle(level, 0.94, 1), 5);
  EXPECT_EQ(MinutesToSettle(std::vector<double>(5, 0.94), 0.94), -1);
}

TEST(Csv, FieldsAreQuotedWhereTheyMust) {
  EXPECT_EQ(CsvField("S01"), "S01");
  EXPECT_EQ(CsvField("a, b"), "\"a, b\"");
  EXPECT_EQ(CsvField("say \"hello\""), "\"say \"\"hello\"\"\"");
  EXPECT_EQ(CsvField("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(CsvField(""), "");
}

TEST(Csv, EveryRowHasTheColumnsOfTheHeader) {
  const SuiteResults results = Sample();
  for (const std::string& csv : {CellsCsv(results), HalfHoursCsv(results)}) {
    const std::vector<std::string> lines = Lines(csv);
    ASSERT_GE(lines.size(), 4u);
    for (const std::string& line : lines) {
      EXPECT_EQ(Fields(line).size(), Fields(lines[0]).size()) << line;
    }
  }
  const std::string cells = CellsCsv(results);
  EXPECT_EQ(Column(cells, 1, "scenario"), "S01");
  EXPECT_EQ(Column(cells, 1, "title"), "fifty, \"base\" & <more>");
  EXPECT_EQ(Column(cells, 1, "rule"), "outpace");
  EXPECT_EQ(Column(cells, 2, "rule"), "frontier");
  EXPECT_EQ(Column(cells, 1, "occupancy"), "91.000");
  EXPECT_EQ(Column(cells, 1, "occupancy_ci95"), "2.484");
  EXPECT_EQ(Column(cells, 1, "gap"), "2.000");
  EXPECT_EQ(Column(cells, 1, "closed"), "75.0");
  EXPECT_EQ(Column(cells, 1, "reference_frontier"), "");
  const std::string halves = HalfHoursCsv(results);
  EXPECT_THAT(Lines(halves), SizeIs(1 + 7 + 6 + 6));  // all pieces, whole or not
  EXPECT_THAT(Lines(halves)[3], AllOf(StartsWith("S01,outpace,1,0,"), HasSubstr(",2,3,3")));
}

TEST(Page, HoldsEverythingAndNeedsNothing) {
  const SuiteResults results = Sample();
  const std::vector<Plot> plots = MakePlots(results);
  const std::string page = ReportHtml(results, plots);
  EXPECT_THAT(page, StartsWith("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("fifty, &quot;base&quot; &amp; &lt;more&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<more>")));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  const std::string without_namespace =
      absl::StrReplaceAll(page, {{"xmlns=\"http://www.w3.org/2000/svg\"", ""}});
  EXPECT_THAT(without_namespace, Not(HasSubstr("http")));
  ASSERT_THAT(plots, SizeIs(2));  // one scenario of the base: no chart by size; no response
  for (const Plot& plot : plots) {
    EXPECT_THAT(page, HasSubstr(plot.svg));
    EXPECT_THAT(plot.svg, Not(HasSubstr("nan")));
    EXPECT_THAT(plot.svg, Not(HasSubstr("inf")));
  }
}

TEST(Drawing, EscapesAndRoundTicks) {
  EXPECT_EQ(EscapeXml("<a href=\"x\">&</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;");
  const auto labels = [](const std::vector<Tick>& ticks) {
    std::vector<std::string> out;
    for (const Tick& tick : ticks) out.push_back(tick.label);
    return out;
  };
  EXPECT_THAT(labels(RoundTicks(0, 10, 5)), ElementsAre("0", "2", "4", "6", "8", "10"));
  EXPECT_THAT(labels(RoundTicks(-0.5, 1, 3)), ElementsAre("-0.5", "0.0", "0.5", "1.0"));
  EXPECT_THAT(labels(RoundTicks(23, 100, 8)),
              ElementsAre("30", "40", "50", "60", "70", "80", "90", "100"));
  const Scale down{0, 10, 100, 0};
  EXPECT_EQ(down(0), 100);
  EXPECT_EQ(down(2.5), 75);
}

TEST(Hindsight, RowsReadBackAndDamageIsNamed) {
  HindsightTable table;
  sim::Scenario scenario;
  scenario.id = "S10";
  scenario.campaigns.resize(1);
  Hindsight row;
  row.fingerprint = Fingerprint(scenario);
  row.theta = 0.0147;
  row.lines = 5.5;
  row.vicidial.available_only = true;
  row.vicidial.level_max = 4;
  row.vicidial.diff_target = -1;
  row.theta_finish = 0.02;
  table["S10"] = row;
  const std::string text = FormatHindsight(table);
  const absl::StatusOr<HindsightTable> again = ParseHindsight(text);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(FormatHindsight(*again), text);
  EXPECT_EQ(again->at("S10").theta, 0.0147);
  EXPECT_TRUE(again->at("S10").vicidial.available_only);
  EXPECT_EQ(again->at("S10").theta_answers, 0);
  for (const char* bad : {"S10,short,0.1,5,1,4,0,0,0", "S10,0123456789abcdef,0,5,1,4,0,0,0",
                          "S10,0123456789abcdef,0.1,5,2,4,0,0,0", "S10", "S10,,,,,,,,"}) {
    EXPECT_THAT(MessageOf(ParseHindsight(absl::StrCat("# x\n\n", bad, "\n")).status()),
                StartsWith("line 3: "))
        << bad;
  }
  EXPECT_TRUE(ParseHindsight("")->empty());
}

TEST(Hindsight, TheFingerprintIsOfWhatTheScenarioDoes) {
  sim::Scenario scenario = AllScenarios().front();
  const std::string before = Fingerprint(scenario);
  scenario.title = "renamed";
  scenario.reference_frontier = 1;
  EXPECT_EQ(Fingerprint(scenario), before);
  scenario.campaigns[0].talk.cv += 0.01;
  EXPECT_NE(Fingerprint(scenario), before);
}

TEST(Scenarios, StandInTheOrderOfTheirNumbers) {
  std::vector<std::string> ids;
  for (const sim::Scenario& scenario : AllScenarios()) ids.push_back(scenario.id);
  ASSERT_GE(ids.size(), 34u);
  EXPECT_EQ(ids.front(), "S01");
  EXPECT_EQ(ids[23], "S24");
  EXPECT_THAT(std::vector<std::string>(ids.begin() + 24, ids.begin() + 28),
              ElementsAre("F03-5", "F03-10", "F05-5", "F05-10"));
  EXPECT_THAT(std::vector<std::string>(ids.begin() + 28, ids.begin() + 34),
              ElementsAre("N2", "N10", "N20", "N100", "N200", "N1000"));
}

TEST(Scenarios, ADirectoryWithoutThemOrWithABrokenOneIsAnError) {
  EXPECT_EQ(LoadScenarios("no/such/directory").status().code(), absl::StatusCode::kNotFound);
  const std::filesystem::path directory =
      std::filesystem::path(::testing::TempDir()) /
      absl::StrCat("scenarios-", ::testing::UnitTest::GetInstance()->random_seed(), "-",
                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::create_directories(directory);
  EXPECT_EQ(LoadScenarios(directory.string()).status().code(), absl::StatusCode::kNotFound);
  std::ofstream(directory / "a.scenario") << "id = A\n[campaign]\n";
  std::ofstream(directory / "notes.txt") << "not a scenario\n";
  EXPECT_EQ(LoadScenarios(directory.string())->size(), 1u);
  std::ofstream(directory / "b.scenario") << "id = A\n[campaign]\n";
  EXPECT_THAT(MessageOf(LoadScenarios(directory.string()).status()), HasSubstr("have the id A"));
  std::ofstream(directory / "b.scenario") << "id = B\n[campaign]\nagents = many\n";
  EXPECT_THAT(MessageOf(LoadScenarios(directory.string()).status()),
              StartsWith("b.scenario: line 3: "));
  std::filesystem::remove_all(directory);
}

// A short run of the real thing: the same bytes on one thread and on three.
TEST(Suite, DoesNotDependOnTheNumberOfThreads) {
  SuiteSettings settings;
  settings.seeds = 2;
  for (sim::Scenario& scenario : AllScenarios()) {
    if (scenario.id != "S02" && scenario.id != "S24") continue;
    scenario.warm_up = absl::Minutes(5);
    scenario.length = absl::Minutes(25);
    settings.scenarios.push_back(scenario);
  }
  for (const char* name : {"outpace", "vicidial", "frontier"}) {
    settings.policies.push_back(FindSuitePolicy(name));
  }
  Hindsight row;
  row.theta = 0.03;
  settings.hindsight["S02"] = row;  // none for S24: left out there
  std::vector<std::string> written;
  for (const int threads : {1, 3}) {
    SuiteResults results;
    results.settings = settings;
    results.settings.threads = threads;
    size_t told = 0;
    results.settings.on_progress = [&told](size_t done, size_t) { told = done; };
    results.runs = RunSuite(results.settings);
    EXPECT_EQ(told, 10u);
    EXPECT_THAT(results.runs, SizeIs(3 * 2 + 2 * 2 * 3));  // S24 has three campaigns
    results.cells = MakeCells(results.settings, results.runs);
    EXPECT_THAT(results.cells, SizeIs(5));
    for (const Cell& cell : results.cells) {
      EXPECT_GT(cell.occupancy, 0.3);
      EXPECT_LE(cell.occupancy, 1);
      EXPECT_GT(cell.persons, 20);
      EXPECT_TRUE(std::isnan(cell.decision_us));  // no clock was given
    }
    written.push_back(absl::StrCat(CellsCsv(results), HalfHoursCsv(results)));
  }
  EXPECT_EQ(written[0], written[1]);
}

TEST(Suite, PoliciesHaveNamesOfTheirOwn) {
  for (const SuitePolicy& policy : SuitePolicies()) {
    EXPECT_EQ(FindSuitePolicy(policy.name), &policy);
    EXPECT_NE(policy.make, nullptr);
  }
  EXPECT_EQ(SuitePolicies().front().name, "outpace");
  EXPECT_EQ(FindSuitePolicy("magic"), nullptr);
}

TEST(Quick, NamesWhatIsMissed) {
  SuiteResults results;
  results.settings = QuickSettings(AllScenarios());
  EXPECT_EQ(results.settings.scenarios.size(), QuickLimits().size());
  for (size_t s = 0; s < results.settings.scenarios.size(); ++s) {
    Cell cell;
    cell.scenario = s;
    cell.occupancy = 0.99;
    cell.abandoned = 0.02;
    results.cells.push_back(cell);
  }
  EXPECT_EQ(QuickFaults(results), "");
  results.cells[0].abandoned = 0.0301;
  EXPECT_THAT(QuickFaults(results),
              AllOf(HasSubstr("S01: abandoned 3.01 %"), Not(HasSubstr("S02"))));
  results.cells[1].occupancy = 0.5;
  EXPECT_THAT(QuickFaults(results), HasSubstr("S02: occupancy 50.00 %"));
  results.cells[1].occupancy = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(QuickFaults(results), HasSubstr("S02: occupancy"));
  results.cells.pop_back();
  EXPECT_THAT(QuickFaults(results), HasSubstr("not run"));
}

}  // namespace
}  // namespace outpace::lab
