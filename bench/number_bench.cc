// What a cell of a lead file costs on its way to a number, and what the number then tells.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/number_info.h"
#include "campaign/number_plan.h"
#include "engine/base/rng.h"

namespace outpace::campaign {
namespace {

constexpr size_t kCells = 65'536;

enum Country { kUs, kCn, kGb };
const char* const kIso[] = {"US", "CN", "GB"};

// A good number of the country, in E.164.
uint64_t RandomNumber(Rng& rng, int64_t country) {
  switch (country) {
    case kUs:
      return 10'000'000'000 + (201 + rng.Below(780)) * 10'000'000 +
             (200 + rng.Below(790)) * 10'000 + rng.Below(10'000);
    case kCn:
      return 8'613'000'000'000 + rng.Below(7'000'000'000);
    default:
      return rng.Chance(0.5) ? 447'400'000'000 + rng.Below(500'000'000)
                             : 441'200'000'000 + rng.Below(799'999'999);
  }
}

// As files have it: the national form, bare or with the punctuation people use.
std::vector<std::string> Cells(int64_t country, bool punctuated) {
  Rng rng(1);
  std::vector<std::string> out;
  while (out.size() < kCells) {
    std::string digits = E164(RandomNumber(rng, country)).Digits();
    digits.erase(0, country == kUs ? 1 : 2);
    if (country == kGb) digits = absl::StrCat("0", digits);
    if (punctuated) {
      const absl::string_view d = digits;
      digits = country == kUs
                   ? absl::StrCat("(", d.substr(0, 3), ") ", d.substr(3, 3), "-", d.substr(6))
                   : absl::StrCat(d.substr(0, 3), " ", d.substr(3, 4), " ", d.substr(7));
    }
    if (ReadPhone(digits, kIso[country]).fault == PhoneFault::kNone) out.push_back(digits);
  }
  return out;
}

void BM_ReadPhone(benchmark::State& state) {
  const std::vector<std::string> cells = Cells(state.range(0), state.range(1) != 0);
  const char* const country = kIso[state.range(0)];
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ReadPhone(cells[at++ % kCells], country));
  }
  state.SetLabel(country);
}
BENCHMARK(BM_ReadPhone)
    ->ArgNames({"country", "punctuated"})
    ->ArgsProduct({{kUs, kCn, kGb}, {0, 1}});

void BM_ReadPlainPhone(benchmark::State& state) {
  const std::vector<std::string> cells = Cells(state.range(0), state.range(1) != 0);
  const int home = CallingCode(kIso[state.range(0)]);
  size_t at = 0;
  E164 number;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ReadPlainPhone(cells[at++ % kCells], home, number));
    benchmark::DoNotOptimize(number);
  }
  state.SetLabel(kIso[state.range(0)]);
}
BENCHMARK(BM_ReadPlainPhone)
    ->ArgNames({"country", "punctuated"})
    ->ArgsProduct({{kUs, kCn, kGb}, {0, 1}});

// What needs the long way: an extension behind the number.
void BM_ReadPhoneWithExtension(benchmark::State& state) {
  std::vector<std::string> cells = Cells(kUs, true);
  for (std::string& cell : cells) cell += " x123";
  size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ReadPhone(cells[at++ % kCells], "US"));
}
BENCHMARK(BM_ReadPhoneWithExtension);

// A country whose plan is libphonenumber's.
void BM_ReadPhoneOfAnotherCountry(benchmark::State& state) {
  Rng rng(1);
  std::vector<std::string> cells;
  while (cells.size() < kCells)
    cells.push_back(absl::StrCat("+4930", 10'000'000 + rng.Below(9'000'000)));
  size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ReadPhone(cells[at++ % kCells], "DE"));
}
BENCHMARK(BM_ReadPhoneOfAnotherCountry);

std::vector<E164> Numbers(int64_t country) {
  Rng rng(2);
  std::vector<E164> out;
  while (out.size() < kCells) out.push_back(E164(RandomNumber(rng, country)));
  return out;
}

void BM_Describe(benchmark::State& state) {
  const std::vector<E164> numbers = Numbers(state.range(0));
  size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(Describe(numbers[at++ % kCells]));
  state.SetLabel(kIso[state.range(0)]);
}
BENCHMARK(BM_Describe)->ArgName("country")->Arg(kUs)->Arg(kCn)->Arg(kGb);

void BM_ZoneSetOf(benchmark::State& state) {
  const std::vector<E164> numbers = Numbers(state.range(0));
  size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(ZoneSetOf(numbers[at++ % kCells]));
  state.SetLabel(kIso[state.range(0)]);
}
BENCHMARK(BM_ZoneSetOf)->ArgName("country")->Arg(kUs)->Arg(kCn)->Arg(kGb);

}  // namespace
}  // namespace outpace::campaign
