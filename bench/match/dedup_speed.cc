// Fuzzy duplicates among many company names: time on the wall and of the processor, memory, pairs
// compared, how much of the truth was found; beside it what comparing each name with each would
// take, from a sample in the same run.
//
//   dedup_speed [--names 1000000] [--threads 2] [--brands tests/data/zh_company_names/...utf8.csv]

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "bench/match/company_list.h"
#include "bench/match/truth_sets.h"
#include "campaign/match/edit_distance.h"
#include "campaign/match/match.h"

namespace outpace::match {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double PeakMiB() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::vector<std::string> ReadBrands(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> brands;
  std::string line;
  for (bool heading = true; std::getline(file, line); heading = false) {
    absl::string_view brand = line;
    absl::ConsumeSuffix(&brand, "\r");
    if (!heading && !brand.empty()) brands.emplace_back(brand);
  }
  return brands;
}

// Nanoseconds for one comparison of two names with Jaro-Winkler, nothing else: the least that an
// all-pairs comparison costs.
double NaiveNanoseconds(const std::vector<std::string>& names) {
  constexpr size_t kNames = 2000;
  const size_t n = std::min(kNames, names.size());
  double sum = 0;
  const double before = CpuSeconds();
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < i; ++j) sum += JaroWinkler(names[i], names[j]);
  }
  const double pairs = static_cast<double>(n) * static_cast<double>(n - 1) / 2;
  // The sum is used, so that the work is not optimised away.
  return sum < 0 ? 0 : (CpuSeconds() - before) * 1e9 / pairs;
}

int Main(int argc, char** argv) {
  size_t count = 1'000'000;
  int threads = 2;
  std::string brands_path = "tests/data/zh_company_names/names_gb18030_as_utf8.csv";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--names") == 0) {
      if (!absl::SimpleAtoi(argv[i + 1], &count)) return 2;
    } else if (std::strcmp(argv[i], "--threads") == 0) {
      if (!absl::SimpleAtoi(argv[i + 1], &threads)) return 2;
    } else if (std::strcmp(argv[i], "--brands") == 0) {
      brands_path = argv[i + 1];
    }
  }
  const std::vector<std::string> brands = ReadBrands(brands_path);
  if (brands.empty()) {
    std::fprintf(stderr, "dedup_speed: no brands in %s\n", brands_path.c_str());
    return 1;
  }
  TruthSet set;
  CompanyList list = MakeCompanyList(brands, count, 1);
  set.entity = std::move(list.entity);
  set.kind = Kind::kCompany;
  set.records.resize(list.names.size());
  for (size_t i = 0; i < list.names.size(); ++i) set.records[i].company = list.names[i];
  const double naive = NaiveNanoseconds(list.names);
  std::printf("%zu names on %zu brands, %.0f MiB before\n", list.names.size(), brands.size(),
              PeakMiB());
  Options options;
  options.kind = Kind::kCompany;
  options.threads = threads;
  const double cpu_before = CpuSeconds();
  const auto begin = std::chrono::steady_clock::now();
  const auto result = FindDuplicates(set.records, options);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  const double cpu = CpuSeconds() - cpu_before;
  const auto n = static_cast<double>(list.names.size());
  const Quality quality = PairQuality(set, result->group);
  std::printf(
      "wall %.1f s, CPU %.1f s on %d threads, peak %.0f MiB\n"
      "%llu pairs compared (%.1f a name), %llu blocks, %llu cut; %zu pairs over the threshold\n"
      "truth: P %.4f  R %.4f  F1 %.4f\n"
      "naive: %.0f ns a pair, each with each: %.0f hours of CPU (%.0f times as much)\n",
      wall.count(), cpu, threads, PeakMiB(), static_cast<unsigned long long>(result->compared),
      static_cast<double>(result->compared) / n, static_cast<unsigned long long>(result->blocks),
      static_cast<unsigned long long>(result->blocks_cut), result->pairs.size(), quality.precision,
      quality.recall, quality.F1(), naive, naive * n * (n - 1) / 2 * 1e-9 / 3600,
      naive * n * (n - 1) / 2 * 1e-9 / cpu);
  return 0;
}

}  // namespace
}  // namespace outpace::match

int main(int argc, char** argv) { return outpace::match::Main(argc, argv); }
