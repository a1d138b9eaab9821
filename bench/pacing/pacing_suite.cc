// pacing_suite: every scenario by every rule by every seed; tables, charts and a page.
//
//   pacing_suite [--quick] [--scenarios DIR|S01,S02,...] [--policies outpace,frontier,...]
//                [--seeds 10] [--threads 2] [--out DIR]
//   pacing_suite --tune [--scenarios ...] [--seeds 3]      writes DIR/hindsight.csv
//
// Exit code 0; 1 when --quick finds a threshold missed; 2 for a wrong option or file.

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bench/pacing/cells.h"
#include "bench/pacing/hindsight.h"
#include "bench/pacing/plots.h"
#include "bench/pacing/report.h"
#include "bench/pacing/scenarios.h"
#include "bench/pacing/suite.h"

namespace outpace::lab {
namespace {

namespace fs = std::filesystem;

struct Options {
  bool quick = false;
  bool tune = false;
  bool help = false;
  std::string directory = ScenarioDirectory();
  std::vector<std::string> scenarios;  // empty: all
  std::vector<std::string> policies;   // empty: all
  int seeds = 0;                       // 0: as the mode says
  int threads = 2;
  std::string out = "pacing-suite";
};

double ThreadCpuSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double WallSeconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr char kUsage[] =
    "pacing_suite: the scenarios of bench/scenarios by all pacing rules\n"
    "  --quick                the two-minute subset; exit code 1 when a threshold is missed\n"
    "  --scenarios S01,F03-5  only these; a directory: the files there\n"
    "  --policies outpace,... only these rules\n"
    "  --seeds N              1 to 1000 (10; with --quick 3; with --tune 3)\n"
    "  --threads N            1 to 256 (2)\n"
    "  --out DIR              where the files go (pacing-suite)\n"
    "  --tune                 find the knobs of the rules in hindsight, write DIR/hindsight.csv\n"
    "Rules:";

absl::StatusOr<int> Count(const std::string& option, const std::string& text, int most) {
  int value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < 1 || value > most) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, " wants a whole number from 1 to ", most));
  }
  return value;
}

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (option == "--quick") {
      options.quick = true;
    } else if (option == "--tune") {
      options.tune = true;
    } else if (option == "--help" || option == "-h") {
      options.help = true;
    } else if (option == "--scenarios" || option == "--policies" || option == "--seeds" ||
               option == "--threads" || option == "--out") {
      if (i + 1 == arguments.size()) {
        return absl::InvalidArgumentError(absl::StrCat(option, " wants a value"));
      }
      const std::string& value = arguments[++i];
      absl::StatusOr<int> count = 0;
      if (option == "--scenarios" && fs::is_directory(value)) {
        options.directory = value;
      } else if (option == "--scenarios") {
        options.scenarios = absl::StrSplit(value, ',', absl::SkipEmpty());
      } else if (option == "--policies") {
        options.policies = absl::StrSplit(value, ',', absl::SkipEmpty());
      } else if (option == "--seeds") {
        count = Count(option, value, 1000);
        if (count.ok()) options.seeds = *count;
      } else if (option == "--threads") {
        count = Count(option, value, 256);
        if (count.ok()) options.threads = *count;
      } else {
        options.out = value;
      }
      if (!count.ok()) return count.status();
    } else {
      return absl::InvalidArgumentError(absl::StrCat("unknown option ", option));
    }
  }
  return options;
}

absl::StatusOr<HindsightTable> ReadHindsight(const std::string& directory) {
  std::ifstream file(fs::path(directory) / "hindsight.csv");
  if (!file) return HindsightTable();
  absl::StatusOr<HindsightTable> table =
      ParseHindsight(std::string((std::istreambuf_iterator<char>(file)), {}));
  if (!table.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("hindsight.csv: ", table.status().message()));
  }
  return table;
}

absl::Status Write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return absl::UnavailableError(absl::StrCat("cannot write ", path.filename().string()));
  return absl::OkStatus();
}

// The settings that the options ask for.
absl::StatusOr<SuiteSettings> MakeSettings(const Options& options) {
  absl::StatusOr<std::vector<sim::Scenario>> all = LoadScenarios(options.directory);
  if (!all.ok()) return all.status();
  SuiteSettings settings;
  if (options.quick) settings = QuickSettings(*all);
  std::vector<sim::Scenario>& from = options.quick ? settings.scenarios : *all;
  std::vector<sim::Scenario> chosen;
  for (const std::string& id : options.scenarios) {
    const auto found = std::find_if(from.begin(), from.end(),
                                    [&id](const sim::Scenario& s) { return s.id == id; });
    if (found == from.end()) {
      return absl::NotFoundError(absl::StrCat("no scenario is called ", id));
    }
    chosen.push_back(*found);
  }
  settings.scenarios = options.scenarios.empty() ? from : chosen;
  if (!options.policies.empty()) settings.policies.clear();
  for (const std::string& name : options.policies) {
    const SuitePolicy* policy = FindSuitePolicy(name);
    if (policy == nullptr) return absl::NotFoundError(absl::StrCat("no rule is called ", name));
    settings.policies.push_back(policy);
  }
  if (settings.policies.empty()) {
    for (const SuitePolicy& policy : SuitePolicies()) settings.policies.push_back(&policy);
  }
  if (options.seeds > 0) settings.seeds = options.seeds;
  settings.threads = options.threads;
  settings.cpu_seconds = ThreadCpuSeconds;
  absl::StatusOr<HindsightTable> table = ReadHindsight(options.directory);
  if (!table.ok()) return table.status();
  settings.hindsight = *std::move(table);
  for (const sim::Scenario& scenario : *all) {
    const auto row = settings.hindsight.find(scenario.id);
    if (row != settings.hindsight.end() && row->second.fingerprint != Fingerprint(scenario)) {
      std::cerr << "hindsight.csv: " << scenario.id
                << " has changed since it was tuned; run --tune\n";
    }
  }
  return settings;
}

absl::Status Tune(const Options& options, const SuiteSettings& settings) {
  HindsightTable table = settings.hindsight;
  TuningSettings tuning;
  tuning.seeds.clear();
  for (int seed = 1; seed <= (options.seeds > 0 ? options.seeds : 3); ++seed) {
    tuning.seeds.push_back(static_cast<uint64_t>(seed));
  }
  tuning.threads = options.threads;
  for (const sim::Scenario& scenario : settings.scenarios) {
    const double before = WallSeconds();
    // Campaigns of an hour each must keep their cap one by one; knowing the future is of interest
    // in the base scenario only.
    tuning.share_over_max = scenario.repeats > 1 && scenario.campaigns[0].leads == 0 ? 0.01 : 1;
    const bool base = scenario.id.front() == 'N' || scenario.id == "S01" || scenario.id == "S02" ||
                      scenario.id == "S04" || scenario.id == "S19";
    const Hindsight row = FindHindsight(scenario, tuning, base);
    table[scenario.id] = row;
    const absl::Status written =
        Write(fs::path(options.out) / "hindsight.csv", FormatHindsight(table));
    if (!written.ok()) return written;
    std::cout << absl::StrFormat(
                     "%-7s theta %.5f, %.2f lines per free agent, %s max %.2f (%.0f s)\n",
                     scenario.id, row.theta, row.lines,
                     row.vicidial.available_only ? "available-only" : "all agents",
                     row.vicidial.level_max, WallSeconds() - before)
              << std::flush;
  }
  return absl::OkStatus();
}

absl::Status WriteAll(const fs::path& out, const SuiteResults& results) {
  const std::vector<Plot> plots = MakePlots(results);
  std::vector<std::pair<std::string, std::string>> files = {
      {"cells.csv", CellsCsv(results)},
      {"half_hours.csv", HalfHoursCsv(results)},
      {"response.csv", ResponseCsv(results)},
      {"report.html", ReportHtml(results, plots)},
  };
  for (const Plot& plot : plots) files.emplace_back(plot.name + ".svg", plot.svg);
  for (const auto& [name, text] : files) {
    const absl::Status status = Write(out / name, text);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Main(const Options& options) {
  absl::StatusOr<SuiteSettings> settings = MakeSettings(options);
  if (!settings.ok()) return settings.status();
  std::error_code error;
  fs::create_directories(options.out, error);
  if (error) return absl::UnavailableError("the directory of --out cannot be made");
  if (options.tune) {
    const absl::Status status = Tune(options, *settings);
    if (!status.ok()) return status;
    return 0;
  }
  const double began = WallSeconds();
  size_t shown = 0;
  settings->on_progress = [&](size_t done, size_t all) {
    if (done * 20 / all == shown && done != all) return;
    shown = done * 20 / all;
    std::cerr << absl::StrFormat("%3d %%  %d of %d runs, %.0f s\n", done * 100 / all, done, all,
                                 WallSeconds() - began);
  };
  SuiteResults results;
  results.runs = RunSuite(*settings);
  shown = 0;
  if (!options.quick) {
    for (const sim::Scenario& scenario : settings->scenarios) {
      if (scenario.id == "S10") results.responses = RunResponse(*settings, scenario);
    }
  }
  results.settings = *std::move(settings);
  results.cells = MakeCells(results.settings, results.runs);
  results.figures = MakeFigures(results.settings, results.cells, results.responses);
  const absl::Status written = WriteAll(options.out, results);
  if (!written.ok()) return written;
  std::cout << CellsText(results) << "\n" << FiguresText(results.figures);
  std::cout << absl::StrFormat("\n%d runs in %.0f s on %d threads\n", results.runs.size(),
                               WallSeconds() - began, results.settings.threads);
  if (!options.quick) return 0;
  const std::string faults = QuickFaults(results);
  std::cout << (faults.empty() ? "quick: all thresholds met\n" : absl::StrCat("quick: ", faults));
  return faults.empty() ? 0 : 1;
}

}  // namespace
}  // namespace outpace::lab

int main(int argc, char** argv) {
  namespace lab = outpace::lab;
  const absl::StatusOr<lab::Options> options =
      lab::ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (options.ok() && options->help) {
    std::cout << lab::kUsage;
    for (const lab::SuitePolicy& policy : lab::SuitePolicies()) std::cout << ' ' << policy.name;
    std::cout << '\n';
    return 0;
  }
  const absl::StatusOr<int> code =
      options.ok() ? lab::Main(*options) : absl::StatusOr<int>(options.status());
  if (!code.ok()) {
    std::cerr << "pacing_suite: " << code.status().message() << '\n';
    return 2;
  }
  return *code;
}
