// What `outpace campaign funnel` costs on many leads: a pass over the store on one thread and on
// two, with the rules asked of every lead, beside what it would cost to ask the gate of one lead
// after another (ForEachLead and gate::Decide, on the first of them). One lead in five has been
// tried before, so that part of the records lies in newer tables, as it does when dialing. While a
// pass is under way another thread writes results as a dialer does; how long its commits take is
// shown with and without the pass.
//
//   funnel_bench [--leads 10000000] [--baseline 1000000] [--runs 7] [--hour 10]
//                [--dir <directory>]
//
// --hour: of New York; 6 is before any window opens, 10 has half of the leads inside theirs.

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/gate/funnel.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::bench {
namespace {

using campaign::Lead;
using campaign::StoreBatch;
using store::RocksLeadStore;

constexpr char kCampaign[] = "BENCH";
constexpr uint64_t kLists = 5;  // the last of them is off
// Tuesday 10:00 in New York: 09:00-21:00 is open there and in Chicago, and not yet farther west.
const absl::Time kNow = absl::FromUnixSeconds(1'792'504'800);
const std::vector<std::string> kZones[] = {{"America/New_York"},
                                           {"America/Chicago"},
                                           {"America/Los_Angeles"},
                                           {"America/Denver", "America/Boise"}};

double Seconds(clockid_t clock) {
  timespec now{};
  OUTPACE_CHECK(::clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}
double Wall() { return Seconds(CLOCK_MONOTONIC); }
double Cpu() { return Seconds(CLOCK_PROCESS_CPUTIME_ID); }

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "funnel_bench: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}
template <typename T>
T Value(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

double Quantile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto place = static_cast<size_t>(share * static_cast<double>(values.size()));
  return values[std::min(place, values.size() - 1)];
}

// Numbers on the plan, all different up to 56 million; zones are given apart from them.
E164 PhoneOf(uint64_t lead) {
  static constexpr uint64_t kAreas[] = {212, 312, 213, 303, 718, 773, 323, 720};
  const uint64_t area = kAreas[lead / 7'000'000 % std::size(kAreas)];
  return E164(10'000'000'000 + area * 10'000'000 + (300 + lead / 10'000 % 700) * 10'000 +
              lead % 10'000);
}

void LoadList(RocksLeadStore& store, uint64_t list, uint64_t leads) {
  campaign::BulkOptions options;
  options.import = ImportId(list);
  options.list = ListId(list);
  options.campaign = kCampaign;
  options.entry_date = kNow - absl::Hours(24);
  options.layout = {{"first_name"}, {"company"}};
  const std::unique_ptr<campaign::LeadBulk> bulk = Value(store.BeginBulk(options));
  uint32_t zones[4];
  for (size_t i = 0; i < 4; ++i) zones[i] = Value(store.InternZones(kZones[i]));
  constexpr uint64_t kChunk = 50'000;
  std::vector<std::string> texts(kChunk);
  std::vector<campaign::BulkLead> chunk;
  for (uint64_t done = 0; done < leads;) {
    const uint64_t n = std::min(kChunk, leads - done);
    const uint64_t first = Value(store.ReserveLeadIds(n));
    chunk.clear();
    for (uint64_t i = 0; i < n; ++i) {
      texts[i].clear();
      campaign::AppendFieldText("Ann", texts[i]);
      campaign::AppendFieldText(absl::StrCat("Company number ", done + i), texts[i]);
      campaign::BulkLead lead;
      lead.phone = PhoneOf(first + i);
      lead.zones = zones[(done + i) * 7919 % 4];
      lead.fields = texts[i];
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

// What calls have made of every fifth lead.
void CallSome(RocksLeadStore& store, uint64_t leads) {
  static const char* const kStatuses[] = {"NA", "B", "AA", "SALE", "NI", "CALLBK", "ADC"};
  Rng rng(1);
  StoreBatch batch;
  for (uint64_t id = 1; id <= leads; id += 5) {
    Lead lead = *Value(store.GetLead(LeadId(id)));
    lead.has_fields = false;
    lead.status = kStatuses[rng.Below(7)];
    lead.called_count = static_cast<int>(1 + rng.Below(4));
    lead.last_call_time = kNow - absl::Minutes(static_cast<int>(rng.Below(3000)));
    lead.next_call_time = lead.status == "SALE"
                              ? absl::InfiniteFuture()
                              : lead.last_call_time + absl::Hours(static_cast<int>(rng.Below(72)));
    batch.leads.push_back(std::move(lead));
    if (batch.leads.size() == 2000 || id + 5 > leads) {
      Check(store.CommitUnsynced(batch));
      batch = StoreBatch();
    }
  }
  Check(store.SyncWrites());
}

// Writes ten leads every ten milliseconds and keeps what each commit took.
class Dialer {
 public:
  explicit Dialer(RocksLeadStore& store) : store_(store), thread_([this] { Run(); }) {}
  std::vector<double> Stop() {
    stop_ = true;
    thread_.join();
    return std::move(took_);
  }

 private:
  void Run() {
    Rng rng(2);
    while (!stop_) {
      StoreBatch batch;
      for (int i = 0; i < 10; ++i) {
        Lead lead = *Value(store_.GetLead(LeadId(1 + rng.Below(100'000))));
        lead.has_fields = false;
        batch.leads.push_back(std::move(lead));
      }
      const double began = Wall();
      Check(store_.Commit(batch));
      took_.push_back((Wall() - began) * 1e3);
      const timespec span{0, 10'000'000};
      ::nanosleep(&span, nullptr);
    }
  }
  RocksLeadStore& store_;
  std::atomic<bool> stop_{false};
  std::vector<double> took_;
  std::thread thread_;
};

gate::Funnel Count(const RocksLeadStore& store, const gate::FunnelScene& scene, size_t threads) {
  std::vector<std::unique_ptr<gate::FunnelCounter>> counters;
  std::vector<campaign::LeadVisitor*> visitors;
  for (size_t i = 0; i < threads; ++i) {
    counters.push_back(std::make_unique<gate::FunnelCounter>(scene, nullptr));
    visitors.push_back(counters.back().get());
  }
  // As the engine does it: after those that dial.
  std::thread([&] {
    ::setpriority(PRIO_PROCESS, 0, 10);
    Check(store.ScanLeads(kCampaign, visitors));
  }).join();
  gate::Funnel funnel;
  for (const auto& counter : counters) funnel.Add(counter->Result());
  return funnel;
}

void Measure(const RocksLeadStore& store, const gate::FunnelScene& scene, size_t threads,
             int runs) {
  std::vector<double> wall, cpu;
  int64_t leads = 0;
  for (int i = 0; i < runs; ++i) {
    const double wall_at = Wall(), cpu_at = Cpu();
    leads = Count(store, scene, threads).leads;
    wall.push_back(Wall() - wall_at);
    cpu.push_back(Cpu() - cpu_at);
  }
  absl::PrintF(
      "funnel, %d thread%s: %d leads, %d runs: wall p50 %.2f s, min %.2f, max %.2f; CPU "
      "p50 %.2f s, %.0f ns a lead\n",
      threads, threads == 1 ? "" : "s", leads, runs, Quantile(wall, 0.5), Quantile(wall, 0),
      Quantile(wall, 1), Quantile(cpu, 0.5), Quantile(cpu, 0.5) / static_cast<double>(leads) * 1e9);
  std::fflush(stdout);
}

void MeasureBaseline(const RocksLeadStore& store, const gate::FunnelScene& scene, uint64_t most) {
  const double wall_at = Wall(), cpu_at = Cpu();
  uint64_t asked = 0, allowed = 0;
  Check(store.ForEachLead([&](const Lead& lead) {
    gate::GateInput input{.lead = lead,
                          .number = lead.phone,
                          .settings = scene.settings,
                          .policy = scene.policy,
                          .history = scene.history};
    input.list_active = !scene.lists_off.contains(lead.list);
    const gate::Verdict verdict = gate::Decide(input, scene.dnc, scene.now);
    if (verdict.allowed() && gate::NotTaken(lead, scene.settings).empty()) ++allowed;
    return ++asked < most;
  }));
  const double wall = Wall() - wall_at, cpu = Cpu() - cpu_at;
  absl::PrintF(
      "baseline, ForEachLead and gate::Decide: %d leads (%d allowed): wall %.2f s, CPU "
      "%.2f s, %.0f ns a lead\n",
      asked, allowed, wall, cpu, cpu / static_cast<double>(asked) * 1e9);
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  uint64_t leads = 10'000'000, baseline = 1'000'000;
  int runs = 7, hour = 10;
  std::string directory;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    const bool good = name == "--leads"      ? absl::SimpleAtoi(value, &leads)
                      : name == "--baseline" ? absl::SimpleAtoi(value, &baseline)
                      : name == "--runs"     ? absl::SimpleAtoi(value, &runs)
                      : name == "--hour"     ? absl::SimpleAtoi(value, &hour)
                                             : name == "--dir" && !value.empty();
    if (!good) {
      std::fprintf(stderr, "funnel_bench: %s %s?\n", name.c_str(), value.c_str());
      return 2;
    }
    if (name == "--dir") directory = value;
  }
  const bool temporary = directory.empty();
  if (temporary) {
    std::string pattern = (std::filesystem::temp_directory_path() / "funnel-XXXXXX").string();
    OUTPACE_CHECK(::mkdtemp(pattern.data()) != nullptr);
    directory = pattern;
  }
  RocksLeadStore::Options options;
  options.path = directory + "/store";
  options.now = kNow;
  const bool is_new = !std::filesystem::exists(options.path + "/CURRENT");
  std::unique_ptr<RocksLeadStore> store = Value(RocksLeadStore::Open(options));
  campaign::CampaignSettings settings;
  settings.id = kCampaign;
  settings.active = true;
  Check(settings.Set("local_call_time", "09:00-21:00"));
  settings.report_zone = *campaign::FindTimeZone("America/New_York");
  if (is_new) {
    const double began = Wall();
    StoreBatch batch;
    batch.campaigns = {settings};
    for (uint64_t id = 1; id <= kLists; ++id) {
      campaign::List list;
      list.id = ListId(id);
      list.campaign = kCampaign;
      batch.lists.push_back(list);
    }
    Check(store->Commit(batch));
    for (uint64_t id = 1; id <= kLists; ++id) LoadList(*store, id, leads / kLists);
    CallSome(*store, leads / kLists * kLists);
    absl::PrintF("made %d leads in %.0f s\n", leads, Wall() - began);
  }
  // One number in twenty is listed, and a million that are no lead's.
  dnc::DncSet dnc;
  Rng rng(3);
  std::vector<uint64_t> numbers;
  for (uint64_t id = 7; id <= leads; id += 20) numbers.push_back(PhoneOf(id).value());
  for (int i = 0; i < 1'000'000; ++i) numbers.push_back(13'000'000'000 + rng.Below(900'000'000));
  dnc.AddMany(numbers, "");
  const gate::Policy policy(settings, rules::RuleBook::InForce());
  gate::NumberHistory history;
  history.set_from(kNow - absl::Hours(24 * 60));
  gate::FunnelScene scene{.settings = settings,
                          .policy = policy,
                          .history = history,
                          .dnc = dnc,
                          .now = kNow + absl::Hours(hour - 10)};
  scene.lists_off.insert(ListId(kLists));
  for (uint64_t id = 1; id < 200 * 5; id += 5) scene.in_hopper.insert(LeadId(id));
  for (uint64_t id = 2; id < 100 * 5; id += 5) {
    scene.in_call.insert(LeadId(id));
    scene.numbers_in_call.insert(PhoneOf(id));
  }
  for (uint64_t id = 1; id < 100'000; id += 2) scene.tried_out_today.insert(LeadId(id));

  const gate::Funnel funnel = Count(*store, scene, 2);  // and the page cache is warm
  absl::PrintF("%d leads: %d in a call, %d in the hopper, %d dialable\n", funnel.leads,
               funnel.in_call, funnel.in_hopper, funnel.dialable);
  for (const gate::FunnelRow& row : funnel.Rows()) {
    absl::PrintF("  %-20s %9d %9d %9d\n", row.rule, row.first, row.held, row.alone);
  }
  for (size_t i = 0; i < gate::kSoonnesses; ++i) {
    absl::PrintF("  %-20s %9d\n", gate::SoonnessName(static_cast<gate::Soonness>(i)),
                 funnel.when[i]);
  }
  absl::PrintF("  next %s\n", absl::FormatTime(funnel.next, settings.report_zone));
  MeasureBaseline(*store, scene, baseline);
  Measure(*store, scene, 1, runs);
  Measure(*store, scene, 2, runs);
  for (const bool counting : {false, true}) {
    Dialer dialer(*store);
    for (const double end = Wall() + 5; Wall() < end;) {
      if (counting) {
        Count(*store, scene, 2);
      } else {
        const timespec span{0, 100'000'000};
        ::nanosleep(&span, nullptr);
      }
    }
    const std::vector<double> took = dialer.Stop();
    absl::PrintF("commits %s: %d, p50 %.2f ms, p99 %.2f ms, max %.2f ms\n",
                 counting ? "while it counts" : "without it", took.size(), Quantile(took, 0.5),
                 Quantile(took, 0.99), Quantile(took, 1));
  }
  store.reset();
  if (temporary) std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int argc, char** argv) { return outpace::bench::Main(argc, argv); }
