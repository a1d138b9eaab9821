// Cost of one pacing decision in a campaign that has learned its laws and is busy. The target is
// 20 us at 50 agents.

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "engine/base/rng.h"
#include "engine/pacing/lookahead.h"
#include "engine/pacing/pacer.h"

namespace outpace::pacing {
namespace {

struct Campaign {
  explicit Campaign(int agents) : pacer({.method = DialMethod::kPredictive}) {
    Rng rng(1);
    uint64_t id = 0;
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
  }
  PacingInput Input() const {
    PacingInput input;
    input.agents_idle = idle;
    input.talk_ages = talk_ages;
    input.wrap_ages = wrap_ages;
    input.lines_free = 1000;
    input.trunk_tokens = 1000;
    input.leads_ready = 10;
    return input;
  }
  static MonoTime Time(double seconds) { return MonoTime() + absl::Seconds(seconds); }

  Pacer pacer;
  std::vector<absl::Duration> talk_ages;
  std::vector<absl::Duration> wrap_ages;
  int idle = 0;
  MonoTime now;
};

// Every decision 50 ms after the last: one in ten rebuilds the tables, as when events come 20 a
// second.
void BM_Decide(benchmark::State& state) {
  Campaign campaign(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    campaign.now = campaign.now + absl::Milliseconds(50);
    // No leads: the state stays that of a campaign in flight.
    benchmark::DoNotOptimize(campaign.pacer.Decide(campaign.Input(), campaign.now));
  }
}
BENCHMARK(BM_Decide)->Arg(5)->Arg(20)->Arg(50)->Arg(100)->Arg(500)->Arg(5000)->Unit(
    benchmark::kMicrosecond);

// Every decision rebuilds the tables.
void BM_DecideWithRefresh(benchmark::State& state) {
  Campaign campaign(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    campaign.now = campaign.now + absl::Milliseconds(500);
    benchmark::DoNotOptimize(campaign.pacer.Decide(campaign.Input(), campaign.now));
  }
}
BENCHMARK(BM_DecideWithRefresh)->Arg(50)->Arg(500)->Unit(benchmark::kMicrosecond);

void BM_AttemptEvents(benchmark::State& state) {
  Campaign campaign(50);
  uint64_t id = 1'000'000;
  for (auto _ : state) {
    const AttemptId attempt(++id);
    campaign.pacer.OnDialed(attempt, {}, campaign.now);
    campaign.now = campaign.now + absl::Milliseconds(100);
    campaign.pacer.OnResolved(attempt, AttemptResult::kNoAnswer, campaign.now);
  }
  state.SetItemsProcessed(state.iterations());  // attempts per second
}
BENCHMARK(BM_AttemptEvents);

}  // namespace
}  // namespace outpace::pacing
