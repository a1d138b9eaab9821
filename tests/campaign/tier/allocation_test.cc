// Scoring takes nothing from the heap: ten million leads are scored beside the dialing.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "campaign/tier/model.h"
#include "campaign/tier/tier_rules.h"

namespace {
std::atomic<int64_t> allocations{0};
}  // namespace

// Of the whole test program: counts, and does what the default does. Inlined, g++ 12 would take the
// pair for a mismatched one.
[[gnu::noinline]] void* operator new(size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace outpace::tier {
namespace {

TEST(TierAllocation, ScoringAndDecidingTakeNothingFromTheHeap) {
  const LeadField fields[] = {{"company", "Northern Plains Plumbing & Supply Company"},
                              {"capital", "5000000"},
                              {"city", "深圳市南山区科技园南路18号"}};
  const LeadView lead = {.fields = fields,
                         .attempt = 2,
                         .hour = 10,
                         .weekday = 1,
                         .last_status = "NA",
                         .caller_id = "+14155550100",
                         .list = "a list with a long name"};
  TierModel model({.features = {.profile = {"company"}}});
  for (int i = 0; i < 100; ++i) model.Learn(lead, {.contact = i % 2 == 0, .success = i % 10 == 0});
  TierBoard board({{.last_status = {"CALLBK"}, .field = "city", .values = {"Bern"}}}, 0.2);
  board.Saw(0.1);
  const int64_t before = allocations.load();
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const double score = model.Score(lead).per_agent_minute;
    sum += score + board.Decide(LeadId(7), lead, score).share_above;
  }
  const int64_t after_scoring = allocations.load();
  model.Learn(lead, {.contact = true, .success = true});
  const int64_t after = allocations.load();
  EXPECT_GT(sum, 0);
  EXPECT_EQ(after_scoring - before, 0);
  EXPECT_EQ(after - after_scoring, 0);
}

}  // namespace
}  // namespace outpace::tier
