// What a question to the rules costs at each attempt: windows in one and two zones, caps over a
// number's history, and a closed answer with its reasons.

#include <benchmark/benchmark.h>

#include "campaign/calling_window.h"
#include "campaign/rules/rules.h"

namespace outpace::rules {
namespace {

const RuleSet& UnitedStates() {
  static const RuleSet* const set = new RuleSet(
      RuleSet::Combine(RuleBook::BuiltIn(), {"us-tsr", "us-tcpa", "us-states", "us-reg-f"})
          .value());
  return *set;
}

// 2026-07-01T16:00:00Z, open from coast to coast, and four in the morning.
const absl::Time kOpen = absl::FromUnixSeconds(1782921600);
const absl::Time kClosed = kOpen - absl::Hours(8);

void BM_WindowOpen(benchmark::State& state) {
  std::vector<absl::TimeZone> zones = {campaign::FindTimeZone("America/New_York").value(),
                                       campaign::FindTimeZone("America/Chicago").value()};
  zones.resize(static_cast<size_t>(state.range(0)));
  const std::vector<Place> places(static_cast<size_t>(state.range(1)), Place{"US", "FL"});
  absl::Time now = kOpen;
  for (auto _ : state) {
    benchmark::DoNotOptimize(UnitedStates().CheckWindow(now, zones, places));
    now += absl::Milliseconds(1);
  }
}
BENCHMARK(BM_WindowOpen)->Args({1, 1})->Args({2, 1})->Args({2, 2});

void BM_WindowClosed(benchmark::State& state) {
  const std::vector<absl::TimeZone> zones = {campaign::FindTimeZone("America/New_York").value()};
  const std::vector<Place> places = {{"US", "FL"}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(UnitedStates().CheckWindow(kClosed, zones, places));
  }
}
BENCHMARK(BM_WindowClosed);

void BM_Caps(benchmark::State& state) {
  const std::vector<absl::TimeZone> zones = {campaign::FindTimeZone("America/New_York").value()};
  const std::vector<Place> places = {{"US", "FL"}};
  std::vector<PastAttempt> history;
  for (int64_t i = 1; i <= state.range(0); ++i) {
    history.push_back({.at = kOpen - absl::Hours(30 * i)});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(UnitedStates().CheckCaps(history, kOpen, 1, zones, places));
  }
}
BENCHMARK(BM_Caps)->Arg(0)->Arg(2)->Arg(6);

void BM_Combine(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        RuleSet::Combine(RuleBook::BuiltIn(), {"us-tsr", "us-tcpa", "us-states"}));
  }
}
BENCHMARK(BM_Combine);

}  // namespace
}  // namespace outpace::rules
