#include "bench/import/cost.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "engine/base/check.h"

namespace outpace::bench {
namespace {

double Seconds(clockid_t clock) {
  timespec now{};
  OUTPACE_CHECK(::clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// The high-water mark of resident memory since it was last set back.
double PeakMiB() {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (!absl::StartsWith(line, "VmHWM:")) continue;
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    double kib = 0;
    if (words.size() > 1 && absl::SimpleAtod(words[1], &kib)) return kib / 1024;
  }
  return 0;
}

void SetPeakBack() { std::ofstream("/proc/self/clear_refs") << "5"; }

double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

}  // namespace

absl::Status CostTable::Measure(const std::string& name,
                                const std::function<absl::Status()>& work) {
  if (costs_.count(name) == 0) names_.push_back(name);
  SetPeakBack();
  const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID), wall = Seconds(CLOCK_MONOTONIC);
  const absl::Status status = work();
  Cost cost;
  cost.cpu_s = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  cost.wall_s = Seconds(CLOCK_MONOTONIC) - wall;
  cost.peak_mib = PeakMiB();
  std::fprintf(stderr, "%s: %.3f us CPU, %.3f us wall a row\n", name.c_str(),
               1e6 * cost.cpu_s / static_cast<double>(rows_),
               1e6 * cost.wall_s / static_cast<double>(rows_));
  costs_[name].push_back(cost);
  return status;
}

Cost CostTable::Median(const std::string& name) const {
  std::vector<double> cpu, wall, peak;
  const auto at = costs_.find(name);
  if (at == costs_.end()) return {};
  for (const Cost& cost : at->second) {
    cpu.push_back(cost.cpu_s);
    wall.push_back(cost.wall_s);
    peak.push_back(cost.peak_mib);
  }
  return {MedianOf(cpu), MedianOf(wall), MedianOf(peak)};
}

double CostTable::CpuMicros(const std::string& name) const {
  return 1e6 * Median(name).cpu_s / static_cast<double>(rows_);
}

std::string CostTable::Text() const {
  std::string out = absl::StrFormat("%-28s %12s %12s %14s %10s\n", "", "us CPU/row", "us wall/row",
                                    "rows/s (wall)", "peak MiB");
  for (const std::string& name : names_) {
    const Cost cost = Median(name);
    absl::StrAppendFormat(&out, "%-28s %12.3f %12.3f %14.0f %10.0f\n", name, CpuMicros(name),
                          1e6 * cost.wall_s / static_cast<double>(rows_),
                          static_cast<double>(rows_) / cost.wall_s, cost.peak_mib);
  }
  return out;
}

}  // namespace outpace::bench
