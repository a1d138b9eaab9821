// What an export of calls costs: a day of calls and their leads in a store on disk, exported whole
// in the layout of VICIdial's report and in the full one, beside two things it can be measured by:
// reading the same calls and leads one by one as objects (what an export without the views of
// campaign/attempt_scan.h has to do), and writing the same bytes without making them. With
// --commits, also what a dialer's synced writes wait while an export runs and while none does.
//
//   export_bench [--calls N] [--leads N] [--threads N] [--random] [--dir DIR] [--keep] [--commits]
//
// Calls come as a dialer makes them: the list from top to bottom, then again those that were not
// reached; with --random in no order at all, the worst for the reading of leads.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "bench/import/cost.h"
#include "campaign/report/call_export.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::bench {
namespace {

using campaign::Attempt;
using campaign::LeadStore;

struct Setup {
  uint64_t calls = 5'000'000, leads = 3'000'000;
  int threads = 2;
  bool random = false, keep = false, commits = false;
  std::string dir = "/tmp/export_bench";
};

const absl::Time kDay = absl::FromCivil(absl::CivilSecond(2026, 3, 9), absl::UTCTimeZone());

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

const char* Pick(Rng& rng, std::initializer_list<const char*> from) {
  return from.begin()[rng.Below(from.size())];
}

void LoadLeads(const Setup& setup, LeadStore& store) {
  campaign::StoreBatch batch;
  batch.lists = {{ListId(101), "March, part 1", "DEMO", true, 0}};
  for (int i = 0; i < 200; ++i) {
    batch.agents.push_back({absl::StrCat("agent", i), absl::StrCat("Anna Example ", i), "", ""});
  }
  Check(store.Commit(batch));
  const auto first = store.ReserveLeadIds(setup.leads);
  Check(first.status());
  OUTPACE_CHECK(*first == 1);
  campaign::BulkOptions options;
  options.import = ImportId(1);
  options.list = ListId(101);
  options.campaign = "DEMO";
  options.entry_date = kDay - absl::Hours(40);
  for (const char* name : {"vendor_lead_code", "source_id", "phone_code", "first_name", "last_name",
                           "address1", "city", "state", "postal_code", "country_code", "gender",
                           "date_of_birth", "email", "comments", "owner"}) {
    options.layout.push_back({name, campaign::FieldType::kText});
  }
  auto bulk = store.BeginBulk(options);
  Check(bulk.status());
  std::vector<uint32_t> zones;
  for (const char* zone :
       {"America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"}) {
    zones.push_back(*store.InternZones({zone}));
  }
  Rng rng(1);
  constexpr size_t kStep = 10'000;
  for (uint64_t begin = 0; begin < setup.leads; begin += kStep) {
    const size_t n = std::min<uint64_t>(kStep, setup.leads - begin);
    std::vector<std::string> texts(n);
    std::vector<campaign::BulkLead> leads(n);
    for (size_t i = 0; i < n; ++i) {
      const uint64_t id = begin + i + 1;
      const std::string last = Pick(rng, {"Smith", "Johnson", "Fernandez", "O'Neil", "Li"});
      for (const std::string& text :
           {absl::StrCat("V", 10'000'000 + id), std::string("fair"), std::string("1"),
            std::string(Pick(rng, {"Ann", "Robert", "Guadalupe", "Wei"})), last,
            absl::StrCat(1 + rng.Below(9999), " North Main Street, Apt ", rng.Below(90)),
            std::string(Pick(rng, {"Springfield", "San Antonio", "New York"})),
            std::string(Pick(rng, {"NY", "TX", "IL"})), absl::StrCat(10'000 + rng.Below(89'999)),
            std::string("USA"), std::string(Pick(rng, {"M", "F", "U"})),
            absl::StrFormat("19%02d-%02d-%02d", 30 + rng.Below(70), 1 + rng.Below(12),
                            1 + rng.Below(28)),
            absl::StrCat(last, id, "@example.com"),
            std::string(rng.Below(4) == 0 ? "asked for a call after five, \"not before\"" : ""),
            std::string("north")}) {
        campaign::AppendFieldText(text, texts[i]);
      }
      leads[i].phone = E164(12'120'000'000 + id);
      leads[i].zones = zones[rng.Below(zones.size())];
      leads[i].fields = texts[i];
    }
    Check((*bulk)->Add(LeadId(begin + 1), leads));
  }
  campaign::Import import;
  import.id = ImportId(1);
  import.list = ListId(101);
  Check((*bulk)->Publish(import));
}

Attempt MakeCall(uint64_t id, uint64_t lead, int pass, uint64_t calls, Rng& rng) {
  Attempt a;
  a.id = AttemptId(id);
  a.lead = LeadId(lead);
  a.list = ListId(101);
  a.campaign = "DEMO";
  a.number_of_try = pass;
  a.dialed = E164(12'120'000'000 + lead);
  a.caller_id = E164(12'125'550'000 + rng.Below(40));
  a.trunk = Pick(rng, {"carrier-a", "carrier-b"});
  a.call_id = absl::StrFormat("%016x-%d@192.0.2.10", rng.Below(UINT64_MAX), id);
  a.from_tag = absl::StrFormat("%016x", rng.Below(UINT64_MAX));
  a.branch = absl::StrFormat("z9hG4bK%016x", rng.Below(UINT64_MAX));
  a.route_uri = "sip:192.0.2.20:5060;lr";
  a.request_uri = absl::StrCat("sip:+", a.dialed.Digits(), "@192.0.2.20");
  a.from_uri = absl::StrCat("sip:+", a.caller_id.Digits(), "@192.0.2.10");
  a.open = false;
  a.last_status = pass == 1 ? "NEW" : "NA";
  a.dialed_at = kDay + absl::Microseconds(static_cast<int64_t>(86'000'000'000 / calls * id));
  a.ringing_at = a.dialed_at + absl::Milliseconds(900 + rng.Below(3000));
  const uint64_t what = rng.Below(100);
  if (what < 30) {
    a.outcome = "answered";
    a.sip_status = 200;
    a.q850_cause = 16;
    a.answered_at = a.ringing_at + absl::Milliseconds(2000 + rng.Below(15'000));
    a.amd = what < 12 ? "machine" : "human";
    a.amd_confidence = 80 + static_cast<int>(rng.Below(20));
    a.amd_ms = 1200 + static_cast<int>(rng.Below(1500));
    a.amd_features = absl::StrFormat("speech_ms=%d pauses=%d words=%d initial_ms=%d",
                                     rng.Below(3000), rng.Below(5), rng.Below(9), rng.Below(900));
    a.ended_at = a.answered_at + absl::Seconds(4);
    a.billed_seconds = 6;
    a.cost_micros = 1'400;
    a.status = "AA";
    a.term_reason = "SYSTEM";
    if (what >= 12) {
      a.agent = absl::StrCat("agent", rng.Below(200));
      a.connected_at = a.answered_at + absl::Milliseconds(rng.Below(300));
      a.ended_at = a.connected_at + absl::Milliseconds(5000 + rng.Below(200'000));
      a.status = Pick(rng, {"SALE", "NI", "DEC", "CALLBK", "NP"});
      a.term_reason = Pick(rng, {"CALLER", "AGENT"});
      if (rng.Below(5) == 0) a.note = "will think about it; wants the price list by mail";
    }
    a.disposed_at = a.ended_at + absl::Seconds(6);
  } else {
    a.outcome = what < 80 ? "no_answer" : what < 90 ? "busy" : "invalid";
    a.sip_status = what < 80 ? 487 : what < 90 ? 486 : 404;
    a.status = what < 80 ? "NA" : what < 90 ? "AB" : "ADC";
    a.term_reason = "NONE";
    a.heard = "ringback";
    a.ended_at = a.dialed_at + absl::Seconds(24);
    a.disposed_at = a.ended_at;
  }
  return a;
}

void MakeCalls(const Setup& setup, LeadStore& store) {
  Rng rng(2);
  const auto first = store.ReserveAttemptIds(setup.calls);
  Check(first.status());
  campaign::StoreBatch batch;
  uint64_t lead = 0;
  int pass = 1;
  for (uint64_t i = 0; i < setup.calls; ++i) {
    lead += pass == 1 ? 1 : 1 + rng.Below(2);
    if (lead > setup.leads) {
      lead = 1;
      ++pass;
    }
    // The hopper is refilled by hundreds, and calls overtake each other within.
    const uint64_t near = lead + rng.Below(100);
    const uint64_t chosen = setup.random         ? 1 + rng.Below(setup.leads)
                            : near > setup.leads ? lead
                                                 : near;
    batch.attempts.push_back(MakeCall(*first + i, chosen, pass, setup.calls, rng));
    if (batch.attempts.size() < 5000 && i + 1 < setup.calls) continue;
    Check(store.CommitUnsynced(batch));
    batch.attempts.clear();
  }
  Check(store.SyncWrites());
}

// A file that is written piece by piece.
class File {
 public:
  explicit File(const std::string& path)
      : fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600)) {
    OUTPACE_CHECK(fd_ >= 0);
  }
  ~File() { ::close(fd_); }
  absl::Status Write(absl::string_view bytes) {
    bytes_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
      if (put < 0) return absl::UnavailableError(std::strerror(errno));
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return absl::OkStatus();
  }
  uint64_t bytes() const { return bytes_; }

 private:
  const int fd_;
  uint64_t bytes_ = 0;
};

report::ExportOptions Options(const Setup& setup, const std::string& layout) {
  report::ExportOptions options;
  options.from = kDay;
  options.to = kDay + absl::Hours(24);
  options.zone = absl::UTCTimeZone();
  Check(absl::LoadTimeZone("America/New_York", &options.zone)
            ? absl::OkStatus()
            : absl::NotFoundError("no time zones"));
  options.layout = layout;
  options.threads = setup.threads;
  return options;
}

// Every call with its lead, one by one.
absl::Status ReadOneByOne(const LeadStore& store, absl::Time to, uint64_t& rows) {
  absl::Status status;
  const absl::Status read = store.ForEachAttempt(kDay, to, [&](const Attempt& attempt) {
    const auto lead = store.GetLead(attempt.lead);
    status = lead.status();
    ++rows;
    return status.ok();
  });
  return read.ok() ? status : read;
}

// What synced writes of a call wait, a hundred a second, until `stop`: milliseconds.
std::vector<double> Commits(LeadStore& store, const std::atomic<bool>& stop) {
  Rng rng(3);
  std::vector<double> waits;
  uint64_t id = *store.ReserveAttemptIds(100'000);
  auto next = std::chrono::steady_clock::now();
  while (!stop) {
    campaign::StoreBatch batch;
    batch.attempts = {MakeCall(id++, 1 + rng.Below(1000), 9, 1'000'000'000, rng)};
    batch.attempts[0].dialed_at = kDay + absl::Hours(30);
    const auto begin = std::chrono::steady_clock::now();
    Check(store.Commit(batch));
    waits.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
            .count());
    next += std::chrono::milliseconds(10);
    std::this_thread::sleep_until(next);
  }
  std::sort(waits.begin(), waits.end());
  return waits;
}

void PrintWaits(const char* when, const std::vector<double>& waits) {
  if (waits.empty()) return;
  const auto at = [&](double share) {
    return waits[std::min(waits.size() - 1,
                          static_cast<size_t>(share * static_cast<double>(waits.size())))];
  };
  std::printf("commits %s: %zu, p50 %.2f ms, p99 %.2f ms, most %.2f ms\n", when, waits.size(),
              at(0.5), at(0.99), waits.back());
}

void MeasureCommits(const Setup& setup, LeadStore& store) {
  for (int round = 0; round < 2; ++round) {
    for (const bool beside : {false, true}) {
      std::atomic<bool> stop{false};
      std::thread work([&] {
        // As the engine runs an export: behind everything else.
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), 15);
        if (beside) {
          File file(absl::StrCat(setup.dir, "/beside.csv"));
          Check(
              report::ExportCalls(store, Options(setup, "vicidial"), [&](absl::string_view piece) {
                return file.Write(piece);
              }).status());
        } else {
          std::this_thread::sleep_for(std::chrono::seconds(10));
        }
        stop = true;
      });
      PrintWaits(beside ? "beside an export" : "without", Commits(store, stop));
      work.join();
    }
  }
}

int Main(const Setup& setup) {
  const bool there = std::filesystem::exists(setup.dir + "/store");
  std::filesystem::create_directories(setup.dir);
  store::RocksLeadStore::Options options;
  options.path = setup.dir + "/store";
  auto store = store::RocksLeadStore::Open(options);
  Check(store.status());
  if (!there) {
    std::fprintf(stderr, "writing %llu leads and %llu calls ...\n",
                 static_cast<unsigned long long>(setup.leads),
                 static_cast<unsigned long long>(setup.calls));
    LoadLeads(setup, **store);
    MakeCalls(setup, **store);
  }
  CostTable costs(setup.calls);
  std::string bytes;
  for (const std::string layout : {"vicidial", "outpace"}) {
    uint64_t size = 0;
    Check(costs.Measure(absl::StrCat("export ", layout), [&]() -> absl::Status {
      File file(absl::StrCat(setup.dir, "/", layout, ".csv"));
      const auto rows =
          report::ExportCalls(**store, Options(setup, layout),
                              [&](absl::string_view piece) { return file.Write(piece); });
      if (!rows.ok()) return rows.status();
      OUTPACE_CHECK(static_cast<uint64_t>(*rows) == setup.calls);
      size = file.bytes();
      return absl::OkStatus();
    }));
    Check(costs.Measure(absl::StrCat("its bytes written only, ", layout), [&] {
      File file(absl::StrCat(setup.dir, "/copy.csv"));
      const std::string piece(1 << 20, 'x');
      for (uint64_t left = size; left > 0;) {
        const uint64_t n = std::min<uint64_t>(left, piece.size());
        Check(file.Write(absl::string_view(piece).substr(0, n)));
        left -= n;
      }
      return absl::OkStatus();
    }));
    absl::StrAppend(&bytes, layout, ": ", size >> 20, " MiB\n");
  }
  std::printf("%llu calls of %llu leads%s, %d threads\n%s%s",
              static_cast<unsigned long long>(setup.calls),
              static_cast<unsigned long long>(setup.leads),
              setup.random ? " at random" : " in the order of the list", setup.threads,
              bytes.c_str(), costs.Text().c_str());
  for (const std::string layout : {"vicidial", "outpace"}) {
    const Cost cost = costs.Median(absl::StrCat("export ", layout));
    std::printf("%s: %.0f rows/s\n", layout.c_str(),
                static_cast<double>(setup.calls) / cost.wall_s);
  }
  // A twentieth of the day is enough to know its pace.
  CostTable slow(setup.calls / 20);
  uint64_t rows = 0;
  Check(slow.Measure("read one by one, one thread", [&] {
    return ReadOneByOne(**store, kDay + absl::Seconds(86'000) / 20, rows);
  }));
  std::printf("read one by one, of %llu calls: %.0f rows/s\n",
              static_cast<unsigned long long>(rows),
              static_cast<double>(rows) / slow.Median("read one by one, one thread").wall_s);
  if (setup.commits) MeasureCommits(setup, **store);
  store->reset();
  if (!setup.keep) std::filesystem::remove_all(setup.dir);
  return 0;
}

}  // namespace
}  // namespace outpace::bench

int main(int argc, char** argv) {
  outpace::bench::Setup setup;
  for (int i = 1; i < argc; ++i) {
    const absl::string_view word = argv[i];
    const auto number = [&](auto& value) {
      return i + 1 < argc && absl::SimpleAtoi(argv[++i], &value);
    };
    bool good = true;
    if (word == "--calls") {
      good = number(setup.calls);
    } else if (word == "--leads") {
      good = number(setup.leads);
    } else if (word == "--threads") {
      good = number(setup.threads);
    } else if (word == "--random") {
      setup.random = true;
    } else if (word == "--keep") {
      setup.keep = true;
    } else if (word == "--commits") {
      setup.commits = true;
    } else if (word == "--dir" && i + 1 < argc) {
      setup.dir = argv[++i];
    } else {
      good = false;
    }
    if (!good) {
      std::fprintf(stderr,
                   "export_bench [--calls N] [--leads N] [--threads N] [--random] [--dir DIR] "
                   "[--keep] [--commits]\n");
      return 2;
    }
  }
  return outpace::bench::Main(setup);
}
