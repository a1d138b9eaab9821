// A national registry at full size: 250 M of the 2.65 thousand million numbers that North America's
// plan has room for (335 area codes of 791 exchanges). Built from a sorted text file, opened, and
// asked for random numbers, beside what one would use instead. A row's lookups are timed by the
// thousand; the median of those is p50.
//
//   registry_bench [--numbers 250000000] [--dir DIR] [--rows registry,hash,roaring,search]

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <roaring/roaring64map.hh>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "campaign/registry_line.h"
#include "dnc/registry_file.h"
#include "dnc/registry_text.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::dnc {
namespace {

constexpr uint64_t kPlanNumbers = uint64_t{335} * 791 * 10'000;
constexpr size_t kAsked = 8 << 20;
constexpr size_t kBatch = 1000;

// Of those from 200 to 999 that can be an exchange or an area code (no N11, no N9X, ...).
uint64_t Allowed(uint64_t index, bool area) {
  static const auto* const codes = [] {
    auto* out = new std::array<std::vector<uint64_t>, 2>();
    for (uint64_t code = 200; code < 1000; ++code) {
      const auto reads = [](const std::string& text) {
        return campaign::RegistryNumber(text, "US").value() != 0;
      };
      if (reads(absl::StrCat("202", code, "0123")) && code % 100 != 11) (*out)[0].push_back(code);
      if (reads(absl::StrCat(code, "2340123"))) (*out)[1].push_back(code);
    }
    return out;
  }();
  return (*codes)[area ? 1 : 0][index];
}

uint64_t PlanNumber(uint64_t index) {
  const uint64_t area = Allowed(index / 7'910'000, true);
  const uint64_t exchange = Allowed(index / 10'000 % 791, false);
  return 10'000'000'000 + area * 10'000'000 + exchange * 10'000 + index % 10'000;
}

struct Cost {
  double cpu = 0, wall = 0;  // s
};
double CpuNow() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
template <typename Work>
Cost Timed(const Work& work) {
  const double cpu = CpuNow();
  const absl::Time wall = absl::Now();
  work();
  return {CpuNow() - cpu, absl::ToDoubleSeconds(absl::Now() - wall)};
}

struct Lookups {
  double p50 = 0, p99 = 0, mean = 0;  // ns of CPU
  size_t found = 0;
};
template <typename Contains>
Lookups Ask(const std::vector<uint64_t>& asked, const Contains& contains) {
  Lookups out;
  for (size_t i = 0; i < asked.size(); ++i) out.found += contains(asked[i]) ? 1 : 0;  // warm
  std::vector<double> batches;
  for (size_t at = 0; at + kBatch <= asked.size(); at += kBatch) {
    size_t found = 0;
    const double before = CpuNow();
    for (size_t i = at; i < at + kBatch; ++i) found += contains(asked[i]) ? 1 : 0;
    batches.push_back((CpuNow() - before) * 1e9 / kBatch);
    OUTPACE_CHECK(found <= kBatch);
  }
  double sum = 0;
  for (const double batch : batches) sum += batch;
  std::sort(batches.begin(), batches.end());
  out.p50 = batches[batches.size() / 2];
  out.p99 = batches[batches.size() * 99 / 100];
  out.mean = sum / static_cast<double>(batches.size());
  return out;
}

struct Options {
  uint64_t numbers = 250'000'000;
  std::string directory = std::filesystem::temp_directory_path().string();
  std::string rows = "registry,hash,roaring,search";
};

class Bench {
 public:
  // `directory`: empty, and removed by the caller.
  Bench(Options options, std::string directory)
      : options_(std::move(options)), directory_(std::move(directory)) {}

  void Run() {
    MakeList();
    const double listed = static_cast<double>(list_.size());
    const double share = listed / static_cast<double>(kPlanNumbers);
    const double bits = -std::log2(share) - (1 - share) / share * std::log2(1 - share);
    absl::PrintF("%d of %d numbers listed; %d asked, half of them listed\n", list_.size(),
                 kPlanNumbers, asked_.size());
    absl::PrintF("information bound: %.2f bits = %.3f bytes a number, %.0f MB\n\n", bits, bits / 8,
                 bits / 8 * listed / 1e6);
    absl::PrintF("%-28s %8s %8s %9s %9s %9s\n", "", "MB", "B/number", "p50 ns", "p99 ns",
                 "mean ns");
    if (Has("registry")) Registry();
    if (Has("search")) {
      Row("binary search", 8 * listed, Ask(asked_, [this](uint64_t number) {
            return std::binary_search(list_.begin(), list_.end(), number);
          }));
    }
    if (Has("roaring")) Roaring();
    if (Has("hash")) {
      const absl::flat_hash_set<uint64_t> set(list_.begin(), list_.end());
      Row("absl::flat_hash_set", 9.0 * static_cast<double>(set.capacity()),
          Ask(asked_, [&set](uint64_t number) { return set.contains(number); }));
    }
  }

 private:
  bool Has(absl::string_view row) const { return absl::StrContains(options_.rows, row); }

  // Sorted, without doubles, as many as wanted but for chance; every number of the plan as likely.
  void MakeList() {
    Rng rng(250);
    list_.reserve(options_.numbers + options_.numbers / 100 + 1000);
    const double miss = std::log1p(-static_cast<double>(options_.numbers) / kPlanNumbers);
    for (uint64_t index = 0;; ++index) {
      index += static_cast<uint64_t>(std::log(1 - rng.Uniform()) / miss);  // a geometric gap
      if (index >= kPlanNumbers) break;
      list_.push_back(PlanNumber(index));
    }
    asked_.resize(kAsked);
    for (uint64_t& number : asked_) {
      number =
          rng.Chance(0.5) ? list_[rng.Below(list_.size())] : PlanNumber(rng.Below(kPlanNumbers));
    }
  }

  void Row(absl::string_view name, double bytes, const Lookups& lookups) const {
    absl::PrintF("%-28s %8.0f %8.2f %9.1f %9.1f %9.1f  (%d found)\n", name, bytes / 1e6,
                 bytes / static_cast<double>(list_.size()), lookups.p50, lookups.p99, lookups.mean,
                 lookups.found);
    std::fflush(stdout);
  }

  void Registry() {
    const std::string text = absl::StrCat(directory_, "/list.txt");
    const std::string path = absl::StrCat(directory_, "/us.dnc");
    WriteText(text);
    const Cost built = Timed([&] {
      NumberSet set;
      const auto lines = ReadRegistryText(
          text, [](absl::string_view line) { return campaign::RegistryNumber(line, "US").value(); },
          set);
      OUTPACE_CHECK(lines.ok());
      // But for some that nobody can have, 555-1212 for one.
      OUTPACE_CHECK(set.size() + list_.size() / 10'000 >= list_.size());
      const RegistryInfo info{"us", "registry_bench", absl::CivilDay(2026, 11, 1)};
      OUTPACE_CHECK(WriteRegistryFile(set, info, path).ok());
    });
    std::shared_ptr<const RegistryFile> file;
    const Cost opened = Timed([&] {
      auto registry = RegistryFile::Open(path);
      OUTPACE_CHECK(registry.ok());
      file = *std::move(registry);
    });
    Row("registry file, mapped", static_cast<double>(file->BytesMapped()),
        Ask(asked_, [&file](uint64_t number) { return file->Contains(number); }));
    const Cost verified = Timed([&] { OUTPACE_CHECK(file->Verify().ok()); });
    absl::PrintF(
        "  built from %.2f GB of sorted text: %.1f s CPU, %.1f s wall; opened %.1f ms; "
        "verified %.2f s\n",
        static_cast<double>(std::filesystem::file_size(text)) / 1e9, built.cpu, built.wall,
        opened.wall * 1e3, verified.wall);
  }

  // As the registry gives it out: "202,5550143".
  void WriteText(const std::string& path) const {
    std::FILE* const out = std::fopen(path.c_str(), "w");
    OUTPACE_CHECK(out != nullptr);
    for (const uint64_t number : list_) {
      std::fprintf(out, "%03d,%07d\n", static_cast<int>(number / 10'000'000 % 1000),
                   static_cast<int>(number % 10'000'000));
    }
    OUTPACE_CHECK(std::fclose(out) == 0);
  }

  void Roaring() {
    Roaring64Map set;
    set.addMany(list_.size(), reinterpret_cast<const unsigned long*>(list_.data()));
    set.runOptimize();
    set.shrinkToFit();
    Row("CRoaring", static_cast<double>(set.getSizeInBytes()),
        Ask(asked_, [&set](uint64_t number) { return set.contains(uint64_t{number}); }));
  }

  Options options_;
  std::string directory_;
  std::vector<uint64_t> list_, asked_;
};

}  // namespace
}  // namespace outpace::dnc

static volatile sig_atomic_t running = 0;

int main(int argc, char** argv) {
  outpace::dnc::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i], value = argv[i + 1];
    if (name == "--numbers" && absl::SimpleAtoi(value, &options.numbers)) continue;
    if (name == "--dir") options.directory = value;
    if (name == "--rows") options.rows = value;
  }
  std::string directory = absl::StrCat(options.directory, "/registry-bench-XXXXXX");
  OUTPACE_CHECK(::mkdtemp(directory.data()) != nullptr);
  // In a child, so that its gigabytes are removed when it is interrupted, or killed for its memory.
  const pid_t child = ::fork();
  OUTPACE_CHECK(child >= 0);
  if (child == 0) {
    outpace::dnc::Bench(std::move(options), directory).Run();
    return 0;
  }
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    running = child;
    std::signal(signal, [](int what) { ::kill(running, what); });
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  std::filesystem::remove_all(directory);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
