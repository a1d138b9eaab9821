// A filter that runs takes nothing from the heap.

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <vector>

#include "campaign/filter/filter.h"

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

namespace outpace::filter {
namespace {

TEST(FilterAllocation, RunsWithoutAllocation) {
  const FieldTypes types = {{"company", campaign::FieldType::kText},
                            {"address1", campaign::FieldType::kText},
                            {"注册资本", campaign::FieldType::kNumber},
                            {"entry_date", campaign::FieldType::kDate},
                            {"consent", campaign::FieldType::kFlag}};
  const auto filter = Filter::Parse(
      "注册资本 >= 500万 and not address1 endswith any (\"室\", \"号\") and company contains \"É\" "
      "and "
      "entry_date > today - 30 days and consent in (Y) and address1 matches \"^[^x]+路\"",
      types, absl::CivilDay(2026, 11, 22));
  ASSERT_TRUE(filter.ok()) << filter.status();
  ASSERT_EQ(filter->fields().size(), 5u);
  const std::vector<absl::string_view> values = {"￥5,000万元", "深圳市南山区科技园南路18",
                                                 "Société é", "2026-11-20", "是"};
  ASSERT_EQ(filter->DroppedBy(values), -1);  // the first run makes room
  const int64_t before = allocations.load();
  int dropped = 0;
  for (int i = 0; i < 1'000; ++i) dropped += filter->DroppedBy(values);
  const int64_t after = allocations.load();
  EXPECT_EQ(dropped, -1'000);
  EXPECT_EQ(after - before, 0);
}

}  // namespace
}  // namespace outpace::filter
