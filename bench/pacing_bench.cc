// Cost of one pacing decision in a campaign that has learned its laws and is busy, and of the
// Erlang formulas. The targets are 20 us at 50 agents, 500 us at 5,000, and no allocation: the
// counter allocs_per_decision counts every call of operator new.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "engine/base/rng.h"
#include "engine/pacing/erlang.h"
#include "engine/pacing/pacer.h"

namespace {

std::atomic<int64_t> g_allocations{0};

void* Allocate(size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  void* p = std::malloc(size == 0 ? 1 : size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

// The other forms of new and delete that this program reaches end in these. Over-aligned types are
// not counted: there are none in the pacing code.
void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t) noexcept { std::free(p); }

namespace outpace::pacing {
namespace {

// Sets the counter from what was allocated between its construction and Report().
class AllocationCount {
 public:
  AllocationCount() : before_(g_allocations.load(std::memory_order_relaxed)) {}
  void Report(const char* name, benchmark::State& state) const {
    const int64_t counted = g_allocations.load(std::memory_order_relaxed) - before_;
    state.counters[name] =
        benchmark::Counter(static_cast<double>(counted), benchmark::Counter::kAvgIterations);
  }

 private:
  int64_t before_;
};

struct Campaign {
  explicit Campaign(int agents, int leads_with_forecast = 0)
      : pacer({.method = DialMethod::kPredictive}) {
    Rng rng(1);
    double now_s = 0;
    idle = 1;
    pacer.Decide(Input(), Time(0));
    for (int i = 0; i < 2000; ++i) {
      const AttemptId attempt(++id);
      pacer.OnDialed(attempt, {}, Time(now_s));
      now_s += 11;
      if (rng.Chance(0.2)) {
        pacer.OnAnswered(attempt, Time(now_s));
        pacer.OnConnected(attempt, Time(now_s));
        pacer.OnTalkEnded(attempt, absl::Seconds(rng.Lognormal(150, 0.8)), Time(now_s));
        pacer.OnWrapEnded(absl::Seconds(rng.Lognormal(30, 0.5)), Time(now_s));
      } else {
        pacer.OnResolved(attempt, AttemptResult::kNoAnswer, Time(now_s));
      }
    }
    now = Time(now_s + 26);
    // The base scenario in steady state: half a dial in flight per agent, one agent in 20 free.
    for (int i = 0; i < agents / 2; ++i) {
      pacer.OnDialed(AttemptId(++id), {}, Time(now_s + 26 * rng.Uniform()));
    }
    idle = agents / 20;
    for (int i = idle; i < agents; ++i) {
      (i % 6 == 0 ? wrap_ages : talk_ages).push_back(absl::Seconds(rng.Exponential(60)));
    }
    for (int i = 0; i < leads_with_forecast; ++i) {
      next.push_back({.segment = 1, .answer_chance = 0.05 + 0.4 * rng.Uniform()});
    }
  }
  PacingInput Input() const {
    PacingInput input;
    input.agents_idle = idle;
    input.talk_ages = talk_ages;
    input.wrap_ages = wrap_ages;
    input.lines_free = 100'000;
    input.trunk_tokens = 100'000;
    input.leads_ready = next.empty() ? 10 : static_cast<int>(next.size());
    input.next = next;
    return input;
  }
  static MonoTime Time(double seconds) { return MonoTime() + absl::Seconds(seconds); }

  Pacer pacer;
  std::vector<absl::Duration> talk_ages;
  std::vector<absl::Duration> wrap_ages;
  std::vector<LeadTraits> next;
  int idle = 0;
  uint64_t id = 0;
  MonoTime now;
};

// One decision each `step` after the last; what it says is not dialed, so that the state stays that
// of a campaign in flight.
void RunDecisions(Campaign& campaign, absl::Duration step, benchmark::State& state) {
  // The first ones size the scratch space.
  for (int i = 0; i < 20; ++i) {
    campaign.now = campaign.now + step;
    benchmark::DoNotOptimize(campaign.pacer.Decide(campaign.Input(), campaign.now));
  }
  const AllocationCount allocations;
  for (auto _ : state) {
    campaign.now = campaign.now + step;
    benchmark::DoNotOptimize(campaign.pacer.Decide(campaign.Input(), campaign.now));
  }
  allocations.Report("allocs_per_decision", state);
}

// Every decision 50 ms after the last: one in ten rebuilds the tables, as when events come 20 a
// second.
void BM_Decide(benchmark::State& state) {
  Campaign campaign(static_cast<int>(state.range(0)));
  RunDecisions(campaign, absl::Milliseconds(50), state);
}
BENCHMARK(BM_Decide)->Arg(5)->Arg(20)->Arg(50)->Arg(100)->Arg(500)->Arg(1000)->Arg(5000)->Unit(
    benchmark::kMicrosecond);

// Every decision rebuilds the tables.
void BM_DecideWithRefresh(benchmark::State& state) {
  Campaign campaign(static_cast<int>(state.range(0)));
  RunDecisions(campaign, absl::Milliseconds(500), state);
}
BENCHMARK(BM_DecideWithRefresh)->Arg(50)->Arg(500)->Arg(5000)->Unit(benchmark::kMicrosecond);

// A hundred leads with forecasts to choose among.
void BM_DecideAmongLeads(benchmark::State& state) {
  Campaign campaign(static_cast<int>(state.range(0)), 100);
  RunDecisions(campaign, absl::Milliseconds(50), state);
}
BENCHMARK(BM_DecideAmongLeads)->Arg(5)->Arg(50)->Arg(5000)->Unit(benchmark::kMicrosecond);

// One dial from launch to no answer.
void BM_AttemptEvents(benchmark::State& state) {
  Campaign campaign(50);
  const AllocationCount allocations;
  for (auto _ : state) {
    const AttemptId attempt(++campaign.id);
    campaign.pacer.OnDialed(attempt, {}, campaign.now);
    campaign.now = campaign.now + absl::Milliseconds(100);
    campaign.pacer.OnResolved(attempt, AttemptResult::kNoAnswer, campaign.now);
  }
  allocations.Report("allocs_per_attempt", state);
  state.SetItemsProcessed(state.iterations());  // attempts per second
}
BENCHMARK(BM_AttemptEvents);

// One call from launch to the end of its wrap-up.
void BM_CallEvents(benchmark::State& state) {
  Campaign campaign(50);
  const AllocationCount allocations;
  for (auto _ : state) {
    const AttemptId attempt(++campaign.id);
    campaign.pacer.OnDialed(attempt, {}, campaign.now);
    campaign.now = campaign.now + absl::Milliseconds(100);
    campaign.pacer.OnAnswered(attempt, campaign.now);
    campaign.pacer.OnConnected(attempt, campaign.now);
    campaign.pacer.OnTalkEnded(attempt, absl::Seconds(150), campaign.now);
    campaign.pacer.OnWrapEnded(absl::Seconds(30), campaign.now);
  }
  allocations.Report("allocs_per_call", state);
  state.SetItemsProcessed(state.iterations());  // calls per second
}
BENCHMARK(BM_CallEvents);

constexpr double kPatience = 2.0 / 180;

// At 97 % of capacity, where the sums are longest.
double LoadOf(int servers) { return 0.97 * servers; }

void BM_ErlangB(benchmark::State& state) {
  const auto servers = static_cast<int>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(ErlangB(servers, LoadOf(servers)));
}
BENCHMARK(BM_ErlangB)->Arg(50)->Arg(1000)->Arg(10'000);

void BM_ErlangA(benchmark::State& state) {
  const auto servers = static_cast<int>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(ErlangA(servers, LoadOf(servers), kPatience));
}
BENCHMARK(BM_ErlangA)->Arg(50)->Arg(1000)->Arg(10'000);

void BM_ErlangWithPatience(benchmark::State& state) {
  const auto servers = static_cast<int>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(ErlangWithPatience(servers, LoadOf(servers), kPatience));
  }
}
BENCHMARK(BM_ErlangWithPatience)->Arg(50)->Arg(1000)->Arg(10'000);

void BM_MaxLoad(benchmark::State& state) {
  const auto servers = static_cast<int>(state.range(0));
  const AllocationCount allocations;
  for (auto _ : state) {
    benchmark::DoNotOptimize(MaxLoad(Waiting::kFixed, servers, kPatience, 0.03));
  }
  allocations.Report("allocs_per_answer", state);
}
BENCHMARK(BM_MaxLoad)->Arg(50)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void BM_MinServers(benchmark::State& state) {
  const auto load = static_cast<double>(state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(MinServers(Waiting::kFixed, load, kPatience, 0.03));
  }
}
BENCHMARK(BM_MinServers)->Arg(50)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace outpace::pacing
