// The hopper at full size: how long a refill takes out of ten million leads while results are being
// written beside it, in each of a few lead orders; how long another order takes to build; how long
// the store takes to open. A refill is what the engine does: the next leads that are due, without
// their texts, each through the gate. Wall and the refilling thread's own CPU are shown side by
// side; the baseline is the same number of single reads of leads at random.
//
//   hopper_bench [--leads 10000000] [--refill 1000] [--results 2000] [--seconds 60]
//                [--orders DUE,RANDOM] [--dir <directory>] [--keep]

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "campaign/gate/gate.h"
#include "campaign/lead_order.h"
#include "campaign/store/rocks_lead_store.h"
#include "dnc/dnc_set.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::bench {
namespace {

using campaign::DueQuery;
using campaign::Lead;
using campaign::StoreBatch;
using store::RocksLeadStore;

constexpr char kCampaign[] = "BENCH";
constexpr uint64_t kLists = 5;  // the last of them is off
// Tuesday noon in New York: every zone of the leads is inside 08:00-21:00.
const absl::Time kNoon = absl::FromUnixSeconds(1'792'512'000);
const std::vector<std::string> kZones[] = {{"America/New_York"}, {"America/Chicago"}};

struct Options {
  uint64_t leads = 10'000'000;
  size_t refill = 1000;
  int results = 2000;  // a second
  int seconds = 60;    // of each order
  std::vector<std::string> orders = {"DUE", "RANDOM"};
  std::string directory;
  bool keep = false;
};

double Seconds(clockid_t clock) {
  timespec now{};
  OUTPACE_CHECK(::clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
double Wall() { return Seconds(CLOCK_MONOTONIC); }

void Pause(double seconds) {
  if (seconds <= 0) return;
  timespec span{static_cast<time_t>(seconds),
                static_cast<long>((seconds - std::floor(seconds)) * 1e9)};
  ::nanosleep(&span, nullptr);
}

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "hopper_bench: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}
template <typename T>
T Value(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

// Times of one thing, told as percentiles.
class Times {
 public:
  void Add(double wall, double cpu) {
    wall_.push_back(wall);
    cpu_.push_back(cpu);
  }
  void Print(absl::string_view what) {
    absl::PrintF("%-34s %7d %9.2f %9.2f %9.2f %11.2f %9.2f\n", what, wall_.size(), At(wall_, 0.5),
                 At(wall_, 0.99), At(wall_, 1), At(cpu_, 0.5), At(cpu_, 0.99));
    std::fflush(stdout);
  }
  static void PrintHeading() {
    absl::PrintF("%-34s %7s %9s %9s %9s %11s %9s\n", "milliseconds", "runs", "wall p50", "wall p99",
                 "wall max", "cpu p50", "cpu p99");
  }

 private:
  static double At(std::vector<double>& times, double share) {
    if (times.empty()) return 0;
    std::sort(times.begin(), times.end());
    const auto place = static_cast<size_t>(share * static_cast<double>(times.size()));
    return times[std::min(place, times.size() - 1)] * 1e3;
  }
  std::vector<double> wall_, cpu_;
};

class Stopwatch {
 public:
  double wall() const { return Wall() - wall_; }
  double cpu() const { return Seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_; }

 private:
  double wall_ = Wall();
  double cpu_ = Seconds(CLOCK_THREAD_CPUTIME_ID);
};

std::unique_ptr<RocksLeadStore> OpenStore(const Options& options) {
  RocksLeadStore::Options store;
  store.path = absl::StrCat(options.directory, "/store");
  store.now = kNoon;
  return Value(RocksLeadStore::Open(store));
}

// A list's leads: three ranks, two zones, a name and a company as texts.
void LoadList(RocksLeadStore& store, uint64_t list, uint64_t leads, uint64_t& phone) {
  campaign::BulkOptions options;
  options.import = ImportId(list);
  options.list = ListId(list);
  options.campaign = kCampaign;
  options.entry_date = kNoon - absl::Hours(24);
  options.layout = {{"first_name"}, {"last_name"}, {"company"}, {"city"}};
  const std::unique_ptr<campaign::LeadBulk> bulk = Value(store.BeginBulk(options));
  uint32_t zones[2];
  for (size_t i = 0; i < 2; ++i) zones[i] = Value(store.InternZones(kZones[i]));
  constexpr uint64_t kChunk = 50'000;
  std::vector<std::string> texts(kChunk);
  std::vector<campaign::BulkLead> chunk;
  for (uint64_t done = 0; done < leads;) {
    const uint64_t n = std::min(kChunk, leads - done);
    const uint64_t first = Value(store.ReserveLeadIds(n));
    chunk.clear();
    for (uint64_t i = 0; i < n; ++i) {
      std::string& text = texts[i];
      text.clear();
      campaign::AppendFieldText("Ann", text);
      campaign::AppendFieldText(absl::StrCat("Name", (done + i) * 7919 % 100'003), text);
      campaign::AppendFieldText(absl::StrCat("Company number ", done + i), text);
      campaign::AppendFieldText("Springfield", text);
      campaign::BulkLead lead;
      lead.phone = E164(12'000'000'000 + phone++);
      lead.zones = zones[i % 2];
      lead.rank = static_cast<int8_t>(i % 3);
      lead.fields = text;
      chunk.push_back(lead);
    }
    Check(bulk->Add(LeadId(first), chunk));
    done += n;
  }
  campaign::Import import;
  import.id = ImportId(list);
  import.list = ListId(list);
  Check(bulk->Publish(import));
}

void Load(const Options& options) {
  const std::unique_ptr<RocksLeadStore> store = OpenStore(options);
  campaign::CampaignSettings settings;
  settings.id = kCampaign;
  settings.active = true;
  StoreBatch batch;
  batch.campaigns = {settings};
  for (uint64_t id = 1; id <= kLists; ++id) {
    campaign::List list;
    list.id = ListId(id);
    list.campaign = kCampaign;
    list.active = id < kLists;
    batch.lists.push_back(list);
  }
  Check(store->Commit(batch));
  uint64_t phone = 0;
  for (uint64_t id = 1; id <= kLists; ++id) LoadList(*store, id, options.leads / kLists, phone);
}

// Writes what calls come to: for each lead handed over an intent at once, and its result a second
// later, `results` a second, in groups as the engine's writer makes them.
class Dialing {
 public:
  Dialing(RocksLeadStore& store, int results, absl::Time now)
      : store_(store), results_(results), start_(now), thread_([this] { Run(); }) {}
  ~Dialing() { Stop(); }
  // What was handed over and is still waiting is dropped.
  void Stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  void Take(std::vector<Lead> leads) {
    absl::MutexLock lock(&mutex_);
    for (Lead& lead : leads) taken_.push_back(std::move(lead));
  }
  size_t waiting() {
    absl::MutexLock lock(&mutex_);
    return taken_.size();
  }
  int64_t written() const { return written_; }
  Times& commits() { return commits_; }  // once stopped

 private:
  static constexpr double kGroup = 0.005;

  void Run() {
    const double begin = Wall();
    std::deque<std::pair<double, Lead>> ringing;
    uint64_t attempt = 0;
    double owed = 0;
    for (double last = begin; !stop_;) {
      Pause(last + kGroup - Wall());
      const double now = Wall();
      owed += (now - last) * results_;
      last = now;
      StoreBatch batch;
      for (; owed >= 1; owed -= 1) {
        absl::MutexLock lock(&mutex_);
        if (taken_.empty()) break;
        Lead lead = std::move(taken_.front());
        taken_.pop_front();
        lead.status = "INCALL";
        ++lead.called_count;
        lead.next_call_time = start_ + absl::Hours(8);
        batch.leads.push_back(lead);
        batch.attempts.push_back(AttemptOf(lead, ++attempt, true));
        ringing.emplace_back(now, std::move(lead));
      }
      for (; !ringing.empty() && ringing.front().first < now - 1; ringing.pop_front()) {
        Lead& lead = ringing.front().second;
        lead.status = attempt % 3 == 0 ? "AB" : "NA";
        lead.next_call_time = start_ + absl::Seconds(now - begin) + absl::Minutes(30);
        batch.attempts.push_back(AttemptOf(lead, attempt - ringing.size() + 1, false));
        batch.leads.push_back(std::move(lead));
        ++written_;
      }
      if (batch.empty()) continue;
      const Stopwatch watch;
      Check(store_.Commit(batch));
      commits_.Add(watch.wall(), watch.cpu());
    }
  }
  campaign::Attempt AttemptOf(const Lead& lead, uint64_t id, bool open) const {
    campaign::Attempt attempt;
    attempt.id = AttemptId(id);
    attempt.lead = lead.id;
    attempt.list = lead.list;
    attempt.campaign = lead.campaign;
    attempt.dialed = lead.phone;
    attempt.dialed_at = start_;
    attempt.open = open;
    return attempt;
  }

  RocksLeadStore& store_;
  const int results_;
  const absl::Time start_;
  absl::Mutex mutex_;
  std::deque<Lead> taken_;
  std::atomic<bool> stop_{false};
  std::atomic<int64_t> written_{0};
  Times commits_;
  std::thread thread_;
};

// Refills in `order` for the time given, each through the gate.
void MeasureOrder(RocksLeadStore& store, const Options& options, absl::string_view name) {
  campaign::CampaignSettings settings;
  settings.id = kCampaign;
  settings.active = true;
  Check(settings.Set("local_call_time", "08:00-21:00"));
  Check(settings.Set("lead_order", name));
  DueQuery query;
  query.campaign = kCampaign;
  query.now = kNoon;
  query.with_fields = false;
  query.order = settings.lead_order.order;
  query.nth_new = settings.lead_order.nth_new;

  Times refills, with_gate, building;
  Dialing dialing(store, options.results, kNoon);
  const dnc::DncSet dnc;
  const gate::Policy policy;
  const gate::NumberHistory history;
  absl::flat_hash_map<LeadId, double> out;
  double built = 0;
  bool more = true;
  const double begin = Wall();
  int64_t refused = 0, short_refills = 0;
  for (double end = begin + options.seconds; more || Wall() < end;) {
    if (more) {  // the writer's steps, as many as fit beside the refills
      for (const double until = Wall() + 0.1; more && Wall() < until;) {
        const Stopwatch watch;
        more = Value(store.Tend(query));
        building.Add(watch.wall(), watch.cpu());
      }
      if (!more) {
        built = Wall() - begin;
        end = Wall() + options.seconds;
      }
    } else {
      Pause(0.05);
    }
    const double elapsed = Wall() - begin;
    query.now = kNoon + absl::Seconds(elapsed);
    query.limit = options.refill;
    const Stopwatch watch;
    std::vector<Lead> due = Value(store.DueLeads(query));
    const double wall = watch.wall(), cpu = watch.cpu();
    std::vector<Lead> good;
    for (Lead& lead : due) {
      const gate::GateInput input{.lead = lead,
                                  .number = lead.phone,
                                  .settings = settings,
                                  .policy = policy,
                                  .history = history};
      if (gate::Decide(input, dnc, query.now).allowed()) {
        good.push_back(std::move(lead));
      } else {
        ++refused;
      }
    }
    if (!more) {
      refills.Add(wall, cpu);
      with_gate.Add(watch.wall(), watch.cpu());
    }
    if (due.size() < options.refill) ++short_refills;
    // As many as are dialed until the next refill go out of the hopper.
    std::vector<Lead> next;
    for (Lead& lead : good) {
      if (dialing.waiting() + next.size() > static_cast<size_t>(options.results) / 5) break;
      if (const auto it = out.find(lead.id); it != out.end() && it->second > elapsed - 5) continue;
      out[lead.id] = elapsed;
      next.push_back(std::move(lead));
    }
    dialing.Take(std::move(next));
  }
  const double lasted = Wall() - begin;
  dialing.Stop();
  if (built > 0.2) {
    absl::PrintF("%s: built in %.1f s beside dialing\n", name, built);
    building.Print(absl::StrCat(name, ": a step of building"));
  }
  refills.Print(absl::StrCat(name, ": next ", options.refill, " leads"));
  with_gate.Print(absl::StrCat(name, ": the same and the gate"));
  dialing.commits().Print("  a commit beside it");
  absl::PrintF("  %d results written, %.0f a second; refused by the gate %d; short refills %d\n",
               dialing.written(), static_cast<double>(dialing.written()) / lasted, refused,
               short_refills);
}

void MeasureBaseline(const RocksLeadStore& store, const Options& options) {
  Times reads;
  Rng rng(1);
  for (int run = 0; run < 50; ++run) {
    const Stopwatch watch;
    for (size_t i = 0; i < options.refill; ++i) {
      OUTPACE_CHECK(Value(store.GetLead(LeadId(1 + rng.Below(options.leads)))).has_value());
    }
    reads.Add(watch.wall(), watch.cpu());
  }
  reads.Print(absl::StrCat("baseline: ", options.refill, " random GetLead"));
}

double DirectoryMiB(const std::string& path) {
  uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return static_cast<double>(bytes) / (1 << 20);
}

Options ParseOptions(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--keep") {
      options.keep = true;
      continue;
    }
    const std::string value = i + 1 < argc ? argv[++i] : "";
    bool good = !value.empty();
    if (name == "--leads") {
      good = absl::SimpleAtoi(value, &options.leads);
    } else if (name == "--refill") {
      good = absl::SimpleAtoi(value, &options.refill);
    } else if (name == "--results") {
      good = absl::SimpleAtoi(value, &options.results);
    } else if (name == "--seconds") {
      good = absl::SimpleAtoi(value, &options.seconds);
    } else if (name == "--orders") {
      options.orders = absl::StrSplit(value, ',');
    } else if (name == "--dir") {
      options.directory = value;
    } else {
      good = false;
    }
    if (!good) {
      std::fprintf(stderr, "hopper_bench: %s %s?\n", name.c_str(), value.c_str());
      std::exit(2);
    }
  }
  return options;
}

int Main(int argc, char** argv) {
  Options options = ParseOptions(argc, argv);
  const bool temporary = options.directory.empty();
  if (temporary) {
    std::string pattern = (std::filesystem::temp_directory_path() / "hopper-XXXXXX").string();
    OUTPACE_CHECK(::mkdtemp(pattern.data()) != nullptr);
    options.directory = pattern;
  }
  if (!std::filesystem::exists(options.directory + "/store/CURRENT")) {
    const Stopwatch watch;
    Load(options);
    absl::PrintF("loaded %d leads in %.1f s\n", options.leads, watch.wall());
  }
  const double size = DirectoryMiB(options.directory);
  absl::PrintF("store: %.0f MiB, %.1f bytes a lead\n", size,
               size * (1 << 20) / static_cast<double>(options.leads));
  const Stopwatch opening;
  const std::unique_ptr<RocksLeadStore> store = OpenStore(options);
  absl::PrintF("store open: %.2f s wall, %.2f s CPU\n", opening.wall(), opening.cpu());
  Times::PrintHeading();
  MeasureBaseline(*store, options);
  for (const std::string& order : options.orders) MeasureOrder(*store, options, order);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  absl::PrintF("peak memory: %.0f MiB\n", static_cast<double>(usage.ru_maxrss) / 1024);
  if (temporary && !options.keep) std::filesystem::remove_all(options.directory);
  return 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int argc, char** argv) { return outpace::bench::Main(argc, argv); }
