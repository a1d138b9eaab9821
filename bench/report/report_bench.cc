// What a report costs on a day of a million calls and the agents' time that goes with it: wall and
// CPU of reading, folding and writing out, after one warming pass, the median of five.
//
//   build/release/bench/report_bench [calls] [agents] [leads] [threads]
//
// 1,000,000 calls, 500 agents, 1,000,000 leads, 2 threads unless said; files lie in $TMPDIR. CPU is
// that of the whole process, so RocksDB's own threads count.

#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/activity.h"
#include "campaign/report/report_run.h"
#include "campaign/store/rocks_lead_store.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/runtime/contract_report.h"

namespace outpace::report {
namespace {

using campaign::AgentActivity;
using campaign::Attempt;
namespace activity = campaign::activity;

double Seconds(clockid_t clock) {
  timespec now{};
  OUTPACE_CHECK(::clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr int kCampaigns = 4, kLists = 20, kTrunks = 3;

struct Fate {
  int percent;
  const char *outcome, *status;
  int sip, q850;
};
// Of calls that no agent met.
constexpr Fate kFates[] = {{50, "no_answer", "NA", 487, 0},    {12, "busy", "AB", 486, 17},
                           {12, "invalid", "ADC", 404, 1},     {10, "unreachable", "ADCT", 480, 20},
                           {8, "rejected", "NA", 603, 21},     {6, "answered", "AA", 200, 16},
                           {2, "congestion", "LRERR", 503, 34}};
constexpr const char* kSaid[] = {"SALE", "NI", "NI", "NI", "CALLBK", "DEC", "A", "NP", "DNC", "B"};

// Twelve hours of calls, evenly; 28 in 100 come to an agent, 1 in 200 is abandoned.
class Day {
 public:
  Day(absl::Time from, int64_t calls, int agents) : from_(from), calls_(calls), agents_(agents) {}

  void Write(campaign::LeadStore& store, int64_t leads) {
    campaign::StoreBatch batch;
    for (int c = 0; c < kCampaigns; ++c) {
      campaign::CampaignSettings settings;
      settings.id = absl::StrCat("CAMP", c);
      settings.client_id = absl::StrCat("CLIENT", c % 2);
      batch.campaigns.push_back(settings);
    }
    for (int l = 0; l < kLists; ++l) {
      batch.lists.push_back({ListId(101 + static_cast<uint64_t>(l)), absl::StrCat("List ", l),
                             absl::StrCat("CAMP", l % kCampaigns)});
    }
    Login(batch);
    auto first = store.ReserveAttemptIds(static_cast<uint64_t>(calls_));
    OUTPACE_CHECK(first.ok());
    for (int64_t i = 0; i < calls_; ++i) {
      Call(*first + static_cast<uint64_t>(i), i, batch);
      if (batch.attempts.size() >= 4000) Commit(store, batch);
    }
    Commit(store, batch);
    auto lead = store.ReserveLeadIds(static_cast<uint64_t>(leads));
    OUTPACE_CHECK(lead.ok());
    for (int64_t i = 0; i < leads; ++i) {
      batch.leads.push_back(Lead(*lead + static_cast<uint64_t>(i)));
      if (batch.leads.size() >= 4000) Commit(store, batch);
    }
    Commit(store, batch);
    OUTPACE_CHECK(store.SyncWrites().ok());
  }
  int64_t activities() const { return activities_; }

 private:
  static void Commit(campaign::LeadStore& store, campaign::StoreBatch& batch) {
    OUTPACE_CHECK(store.CommitUnsynced(batch).ok());
    batch = campaign::StoreBatch();
  }
  campaign::Lead Lead(uint64_t id) {
    campaign::Lead lead;
    lead.id = LeadId(id);
    lead.list = ListId(101 + id % kLists);
    lead.campaign = absl::StrCat("CAMP", id % kLists % kCampaigns);
    lead.phone = E164(12'120'000'000 + id);
    lead.time_zones = {"America/New_York"};
    lead.entry_date = from_ - absl::Hours(48);
    lead.called_count = static_cast<int>(id % 4);
    return lead;
  }
  void Say(absl::Time at, int agent, absl::string_view state, AttemptId attempt,
           campaign::StoreBatch& batch) {
    ++activities_;
    batch.activities.push_back(AgentActivity{.at = at,
                                             .agent = absl::StrCat("agent", agent),
                                             .campaign = absl::StrCat("CAMP", agent % kCampaigns),
                                             .state = std::string(state),
                                             .code = "",
                                             .attempt = attempt});
  }
  void Login(campaign::StoreBatch& batch) {
    for (int a = 0; a < agents_; ++a) {
      Say(from_ + absl::Hours(8), a, activity::kLogin, AttemptId(), batch);
      Say(from_ + absl::Hours(8) + absl::Seconds(20), a, activity::kReady, AttemptId(), batch);
      Say(from_ + absl::Hours(21), a, activity::kLoggedOut, AttemptId(), batch);
    }
  }
  void Call(uint64_t id, int64_t i, campaign::StoreBatch& batch) {
    Attempt a;
    a.id = AttemptId(id);
    a.lead = LeadId(1 + rng_.Below(1'000'000));
    const uint64_t list = rng_.Below(kLists);
    a.list = ListId(101 + list);
    a.campaign = absl::StrCat("CAMP", list % kCampaigns);
    a.number_of_try = 1 + static_cast<int>(rng_.Below(4));
    a.dialed = E164(12'120'000'000 + a.lead.value());
    a.caller_id = E164(12'125'550'000);
    a.trunk = absl::StrCat("trunk", rng_.Below(kTrunks));
    a.call_id = absl::StrCat("outpace-", id, "-0123456789abcdef@192.0.2.10");
    a.from_tag = absl::StrCat("tag", id);
    a.branch = absl::StrCat("z9hG4bK-", id);
    a.route_uri = "sip:192.0.2.20:5060";
    a.request_uri = absl::StrCat("sip:", a.dialed.Digits(), "@192.0.2.20:5060");
    a.from_uri = "sip:12125550000@192.0.2.10";
    a.open = false;
    a.term_reason = "NONE";
    a.dialed_at = from_ + absl::Hours(8) + absl::Hours(12) * i / calls_;
    a.ringing_at = a.dialed_at + absl::Milliseconds(1500);
    const uint64_t fate = rng_.Below(1000);
    if (fate < 280) {
      Taken(a, batch);
    } else if (fate < 285) {
      a.outcome = "answered";
      a.status = "DROP";
      a.abandoned = true;
      a.sip_status = 200;
      a.answered_at = a.dialed_at + absl::Seconds(9);
      a.dropped_at = a.answered_at + absl::Seconds(2);
      a.ended_at = a.disposed_at = a.answered_at + absl::Seconds(8);
    } else {
      auto left = static_cast<int>(rng_.Below(100));
      const Fate* which = kFates;
      while (left >= which->percent) left -= (which++)->percent;
      a.outcome = which->outcome;
      a.status = which->status;
      a.sip_status = which->sip;
      a.q850_cause = which->q850;
      a.ended_at = a.disposed_at = a.dialed_at + absl::Seconds(5 + static_cast<int>(left));
      if (a.outcome == "answered") a.answered_at = a.dialed_at + absl::Seconds(4);
    }
    batch.attempts.push_back(std::move(a));
  }
  void Taken(Attempt& a, campaign::StoreBatch& batch) {
    const auto agent = static_cast<int>(rng_.Below(static_cast<uint64_t>(agents_)));
    a.agent = absl::StrCat("agent", agent);
    a.outcome = "answered";
    a.status = kSaid[rng_.Below(std::size(kSaid))];
    a.term_reason = "CALLER";
    a.sip_status = 200;
    a.q850_cause = 16;
    a.answered_at = a.dialed_at + absl::Seconds(8);
    a.connected_at = a.answered_at + absl::Milliseconds(120);
    a.ended_at = a.connected_at + absl::Seconds(5 + static_cast<int64_t>(rng_.Below(60)));
    a.disposed_at = a.ended_at + absl::Seconds(5);
    a.billed_seconds = 60;
    a.cost_micros = 6000;
    Say(a.answered_at, agent, activity::kReserved, a.id, batch);
    Say(a.connected_at, agent, activity::kInCall, a.id, batch);
    Say(a.ended_at, agent, activity::kDispo, a.id, batch);
    Say(a.disposed_at, agent, activity::kReady, AttemptId(), batch);
  }

  const absl::Time from_;
  const int64_t calls_;
  const int agents_;
  int64_t activities_ = 0;
  Rng rng_{1};
};

void Measure(const campaign::LeadStore& store, const ReportSpec& spec, absl::Time from,
             int threads) {
  std::vector<std::pair<double, double>> runs;
  size_t bytes = 0;
  for (int i = 0; i < 6; ++i) {
    const double wall = Seconds(CLOCK_MONOTONIC), cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
    ReportContext context;
    context.from = from;
    context.to = from + absl::Hours(24);
    context.zone = absl::UTCTimeZone();
    OUTPACE_CHECK(FillNames(store, context).ok());
    if (spec.name == "lists") OUTPACE_CHECK(FillInventory(store, threads, context).ok());
    if (spec.name == "abandonment") {
      auto campaigns = store.Campaigns();
      OUTPACE_CHECK(campaigns.ok());
      OUTPACE_CHECK(runtime::ContractsInRange(store, *campaigns, context.from, context.to,
                                              context.to, threads)
                        .ok());
    }
    auto report = RunReport(store, spec, context, threads);
    OUTPACE_CHECK(report.ok());
    bytes = ReportHtml(*report, Language::kEnglish).size();
    runs.emplace_back(Seconds(CLOCK_MONOTONIC) - wall, Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
  }
  runs.erase(runs.begin());
  std::sort(runs.begin(), runs.end());
  std::printf("%-12s %7.3f s wall (%.3f to %.3f) %7.3f s CPU  %8zu bytes of HTML\n",
              std::string(spec.name).c_str(), runs[2].first, runs[0].first, runs[4].first,
              runs[2].second, bytes);
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  const auto argument = [&](int i, int64_t otherwise) {
    return argc > i ? std::strtoll(argv[i], nullptr, 10) : otherwise;
  };
  const int64_t calls = argument(1, 1'000'000), leads = argument(3, 1'000'000);
  const auto agents = static_cast<int>(argument(2, 500)),
             threads = static_cast<int>(argument(4, 2));
  const char* const place = std::getenv("TMPDIR");
  std::string path = absl::StrCat(place == nullptr ? "/tmp" : place, "/report_bench-XXXXXX");
  OUTPACE_CHECK(::mkdtemp(path.data()) != nullptr);
  const absl::Time from = absl::FromCivil(absl::CivilDay(2026, 3, 9), absl::UTCTimeZone());
  {
    auto store = store::RocksLeadStore::Open({.path = absl::StrCat(path, "/store")});
    OUTPACE_CHECK(store.ok());
    Day day(from, calls, agents);
    day.Write(**store, leads);
    std::printf("%lld calls, %lld activities of %d agents, %lld leads, %d threads\n",
                static_cast<long long>(calls), static_cast<long long>(day.activities()), agents,
                static_cast<long long>(leads), threads);
    std::fflush(stdout);
    for (const ReportSpec& spec : AllReports()) Measure(**store, spec, from, threads);
  }
  std::filesystem::remove_all(path);
  return 0;
}

}  // namespace
}  // namespace outpace::report

int main(int argc, char** argv) { return outpace::report::Main(argc, argv); }
