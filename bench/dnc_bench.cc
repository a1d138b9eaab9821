// Do-not-call sets at the size of a national list: 50 million numbers drawn from the 2.6 billion
// that North America's plan has room for, beside the hash set one would use without thinking.
//
//   bench/dnc_bench                 all rows; needs 2 GiB for the hash set
//   bench/dnc_bench --benchmark_filter=Dnc

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "dnc/dnc_set.h"
#include "engine/base/rng.h"

namespace outpace::dnc {
namespace {

constexpr size_t kListed = 50'000'000;
constexpr size_t kAsked = 4 << 20;

// NPA-NXX-XXXX with 335 area codes and 792 exchanges.
uint64_t RandomNumber(Rng& rng) {
  const uint64_t area = 201 + rng.Below(335) * 2;
  const uint64_t exchange = 200 + rng.Below(792);
  return 10'000'000'000 + area * 10'000'000 + exchange * 10'000 + rng.Below(10'000);
}

const std::vector<uint64_t>& Listed() {
  static const auto* const numbers = [] {
    auto* out = new std::vector<uint64_t>(kListed);
    Rng rng(50);
    for (uint64_t& number : *out) number = RandomNumber(rng);
    return out;
  }();
  return *numbers;
}

// Half of them listed; `sorted` as an import asks that goes through its rows in order of numbers.
std::vector<uint64_t> Asked(bool sorted) {
  Rng rng(51);
  std::vector<uint64_t> out(kAsked);
  for (uint64_t& number : out) {
    number = rng.Chance(0.5) ? Listed()[rng.Below(kListed)] : RandomNumber(rng);
  }
  if (sorted) std::sort(out.begin(), out.end());
  return out;
}

const DncSet& FullSet() {
  static const auto* const set = [] {
    auto* out = new DncSet();
    out->AddMany(Listed(), "");
    return out;
  }();
  return *set;
}

const absl::flat_hash_set<uint64_t>& FullHashSet() {
  static const auto* const set =
      new absl::flat_hash_set<uint64_t>(Listed().begin(), Listed().end());
  return *set;
}

template <typename Contains>
void Lookups(benchmark::State& state, const Contains& contains) {
  const std::vector<uint64_t> asked = Asked(state.range(0) != 0);
  size_t at = 0, found = 0;
  for (auto _ : state) {
    found += contains(asked[at]) ? 1 : 0;
    at = at + 1 == asked.size() ? 0 : at + 1;
  }
  benchmark::DoNotOptimize(found);
  state.SetItemsProcessed(state.iterations());
}

void BM_DncMatch(benchmark::State& state) {
  const DncSet& set = FullSet();
  Lookups(state,
          [&](uint64_t number) { return set.Match(E164(number), "DEMO") != DncMatch::kNone; });
  state.counters["MB"] = static_cast<double>(set.BytesUsed()) / 1e6;
  state.counters["bytes_a_number"] =
      static_cast<double>(set.BytesUsed()) / static_cast<double>(set.size());
}
BENCHMARK(BM_DncMatch)->ArgName("sorted")->Arg(0)->Arg(1);

// With a thousand erased people: every number not listed is hashed too.
void BM_DncMatchWithErased(benchmark::State& state) {
  DncSet set = FullSet();
  for (uint64_t i = 0; i < 1'000; ++i) set.AddErased(set.ErasedHash(E164(12'125'550'000 + i)));
  Lookups(state,
          [&](uint64_t number) { return set.Match(E164(number), "DEMO") != DncMatch::kNone; });
}
BENCHMARK(BM_DncMatchWithErased)->ArgName("sorted")->Arg(0);

void BM_HashSetContains(benchmark::State& state) {
  const absl::flat_hash_set<uint64_t>& set = FullHashSet();
  Lookups(state, [&](uint64_t number) { return set.contains(number); });
  state.counters["MB"] = static_cast<double>(set.capacity()) * 9 / 1e6;
}
BENCHMARK(BM_HashSetContains)->ArgName("sorted")->Arg(0)->Arg(1);

// Items are numbers.
void BM_DncBuild(benchmark::State& state) {
  std::vector<uint64_t> numbers = Listed();
  if (state.range(0) != 0) std::sort(numbers.begin(), numbers.end());
  for (auto _ : state) {
    DncSet set;
    set.AddMany(numbers, "");
    benchmark::DoNotOptimize(set.size());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(numbers.size()));
}
BENCHMARK(BM_DncBuild)->ArgName("sorted")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

void BM_HashSetBuild(benchmark::State& state) {
  for (auto _ : state) {
    const absl::flat_hash_set<uint64_t> set(Listed().begin(), Listed().end());
    benchmark::DoNotOptimize(set.size());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kListed));
}
BENCHMARK(BM_HashSetBuild)->Unit(benchmark::kMillisecond);

// One number in and out again, while the set is full.
void BM_DncAddRemove(benchmark::State& state) {
  DncSet set = FullSet();
  Rng rng(52);
  for (auto _ : state) {
    const E164 phone(RandomNumber(rng));
    set.Add(phone, "");
    set.Remove(phone, "");
  }
  state.SetItemsProcessed(state.iterations() * 2);
}
BENCHMARK(BM_DncAddRemove);

// A snapshot for another thread.
void BM_DncCopy(benchmark::State& state) {
  const DncSet& set = FullSet();
  for (auto _ : state) {
    DncSet copy = set;
    benchmark::DoNotOptimize(copy.size());
  }
}
BENCHMARK(BM_DncCopy);

}  // namespace
}  // namespace outpace::dnc
