// What leads by the million cost the store: loading them, publishing, reading the index of numbers,
// opening. CPU is that of the whole process, so RocksDB's own threads count.
//
//   build/release/bench/store/store_bench [leads] [leads a chunk] [threads] [loads]
//
// 1,000,000 leads, chunks of 65,536, 2 threads, 2 loads unless said; files lie in $TMPDIR.

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::store {
namespace {

double Seconds(clockid_t clock) {
  timespec now{};
  OUTPACE_CHECK(::clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Prints what was done since it was made: CPU and wall time, each for one of `n`.
class Step {
 public:
  explicit Step(std::string name) : name_(std::move(name)) {}
  void Done(uint64_t n, const char* of) const {
    const double cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_;
    const double wall = Seconds(CLOCK_MONOTONIC) - wall_;
    std::printf("%-28s %9.3f us CPU %9.3f us wall a %s; %.2f s in all\n", name_.c_str(),
                1e6 * cpu / static_cast<double>(n), 1e6 * wall / static_cast<double>(n), of, wall);
    std::fflush(stdout);
  }

 private:
  const std::string name_;
  const double cpu_ = Seconds(CLOCK_PROCESS_CPUTIME_ID), wall_ = Seconds(CLOCK_MONOTONIC);
};

constexpr const char* kFirst[] = {"Ann", "Maria", "Wei", "James", "Olga", "Chen", "Fatima", "Tom"};
constexpr const char* kLast[] = {"Smith",   "Garcia", "Wang", "Brown",
                                 "Ivanova", "Li",     "Khan", "Lee"};
constexpr const char* kStreet[] = {"High Street", "Main Road", "Nanjing Road", "Church Lane"};

// About 110 octets of texts, as a list of people has.
void MakeLead(Rng& rng, std::string& texts, campaign::BulkLead& lead) {
  texts.clear();
  const auto add = [&texts](absl::string_view text) { campaign::AppendFieldText(text, texts); };
  add(absl::StrCat("V", rng.Below(100'000'000)));
  add(kFirst[rng.Below(std::size(kFirst))]);
  add(kLast[rng.Below(std::size(kLast))]);
  add(absl::StrCat(1 + rng.Below(999), " ", kStreet[rng.Below(std::size(kStreet))]));
  add("Springfield");
  add(absl::StrCat(10'000 + rng.Below(90'000)));
  add(absl::StrCat(kFirst[rng.Below(8)], ".", rng.Below(100'000), "@example.com"));
  add(absl::StrCat(1950 + rng.Below(50), "-0", 1 + rng.Below(9), "-1", rng.Below(10)));
  add("Called before about the offer of spring");
  lead.phone = E164(12'010'000'000 + rng.Below(7'000'000'000));
}

struct Made {
  std::vector<campaign::BulkLead> leads;
  std::vector<std::string> texts;
};

// One chunk is made once and used again with other numbers: making it is not what is measured.
void Load(RocksLeadStore& store, uint64_t import, uint64_t leads, size_t chunk, int threads) {
  campaign::BulkOptions options;
  options.import = ImportId(import);
  options.list = ListId(101);
  options.campaign = "BENCH";
  options.entry_date = absl::FromUnixSeconds(1'790'000'000);
  for (const char* name : {"vendor_lead_code", "first_name", "last_name", "address1", "city",
                           "postal_code", "email", "date_of_birth", "comments"}) {
    options.layout.push_back({name});
  }
  const uint32_t zones = *store.InternZones({"America/New_York"});
  const uint64_t first = *store.ReserveLeadIds(leads);
  auto bulk = store.BeginBulk(options);
  OUTPACE_CHECK(bulk.ok());
  const uint64_t chunks = (leads + chunk - 1) / chunk;
  std::vector<Made> made(static_cast<size_t>(threads));
  for (size_t t = 0; t < made.size(); ++t) {
    Rng rng(import * 100 + t);
    made[t].leads.resize(chunk);
    made[t].texts.resize(chunk);
    for (size_t i = 0; i < chunk; ++i) {
      MakeLead(rng, made[t].texts[i], made[t].leads[i]);
      made[t].leads[i].fields = made[t].texts[i];
      made[t].leads[i].zones = zones;
    }
  }
  std::atomic<uint64_t> next{0};
  const Step add("Add");
  std::vector<std::thread> workers;
  for (size_t t = 0; t < made.size(); ++t) {
    workers.emplace_back([&, t] {
      for (uint64_t c; (c = next.fetch_add(1)) < chunks;) {
        const uint64_t n = std::min<uint64_t>(chunk, leads - c * chunk);
        for (campaign::BulkLead& lead : made[t].leads) {
          lead.phone = E164(12'010'000'000 +
                            (lead.phone.value() * 6364136223846793005u >> 11) % 7'000'000'000);
        }
        const absl::Status status = (*bulk)->Add(LeadId(first + c * chunk),
                                                 absl::MakeConstSpan(made[t].leads).subspan(0, n));
        if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
        OUTPACE_CHECK(status.ok());
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  add.Done(leads, "lead");
  campaign::Import record;
  record.id = options.import;
  record.list = options.list;
  record.campaign = options.campaign;
  record.first_lead = LeadId(first);
  record.started = record.finished = options.entry_date;
  const Step publish("Publish");
  const absl::Status status = (*bulk)->Publish(record);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  OUTPACE_CHECK(status.ok());
  publish.Done(leads, "lead");
}

std::unique_ptr<RocksLeadStore> Open(const std::string& path) {
  RocksLeadStore::Options options;
  options.path = path;
  auto store = RocksLeadStore::Open(options);
  OUTPACE_CHECK(store.ok());
  return *std::move(store);
}

void Read(const RocksLeadStore& store, uint64_t leads) {
  {
    const Step step("ForEachPhone");
    uint64_t entries = 0, sum = 0;
    OUTPACE_CHECK(store
                      .ForEachPhone([&](const campaign::PhoneUse& use) {
                        ++entries;
                        sum += use.phone.value();
                        return true;
                      })
                      .ok());
    OUTPACE_CHECK(sum > 0);
    step.Done(entries, "entry");
  }
  Rng rng(3);
  for (const size_t n : {size_t{1000}, static_cast<size_t>(leads / 2)}) {
    std::vector<E164> asked;
    for (size_t i = 0; i < n; ++i) asked.emplace_back(12'010'000'000 + rng.Below(7'000'000'000));
    std::sort(asked.begin(), asked.end());
    const Step step(absl::StrCat("PhoneUses of ", n));
    OUTPACE_CHECK(store.PhoneUses(asked).ok());
    step.Done(n, "number");
  }
  {
    constexpr uint64_t kReads = 20'000;
    const Step step("GetLead, any");
    for (uint64_t i = 0; i < kReads; ++i) {
      OUTPACE_CHECK(store.GetLead(LeadId(1 + rng.Below(leads)))->has_value());
    }
    step.Done(kReads, "lead");
  }
  {
    const Step step("StatusCounts");
    OUTPACE_CHECK(!store.StatusCounts()->empty());
    step.Done(leads, "lead");
  }
  {
    const Step step("ForEachLead");
    OUTPACE_CHECK(store.ForEachLead([](const campaign::Lead&) { return true; }).ok());
    step.Done(leads, "lead");
  }
}

void Run(uint64_t leads, size_t chunk, int threads, int loads) {
  std::string path = (std::filesystem::temp_directory_path() / "store-bench-XXXXXX").string();
  OUTPACE_CHECK(::mkdtemp(path.data()) != nullptr);
  {
    auto store = Open(path);
    campaign::StoreBatch batch;
    batch.lists.emplace_back();
    batch.lists[0].id = ListId(101);
    batch.lists[0].campaign = "BENCH";
    OUTPACE_CHECK(store->Commit(batch).ok());
    for (int i = 1; i <= loads; ++i) Load(*store, static_cast<uint64_t>(i), leads, chunk, threads);
  }
  const uint64_t all = leads * static_cast<uint64_t>(loads);
  const Step open("Open");
  const auto store = Open(path);
  open.Done(1, "store");
  Read(*store, all);
  uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(path)) {
    if (absl::EndsWith(file.path().string(), ".sst")) bytes += file.file_size();
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("%.1f bytes a lead on disk; resident %ld MiB at most\n",
              static_cast<double>(bytes) / static_cast<double>(all), usage.ru_maxrss >> 10);
  std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace outpace::store

int main(int argc, char** argv) {
  const auto argument = [&](int i, uint64_t otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  outpace::store::Run(argument(1, 1'000'000), argument(2, 65'536), static_cast<int>(argument(3, 2)),
                      static_cast<int>(argument(4, 2)));
}
