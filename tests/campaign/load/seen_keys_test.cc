#include "campaign/load/seen_keys.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::load {
namespace {

// Against a map: with a hint far too small for the keys, so that the filter is full, buckets
// overflow and pages move to the file.
void CheckAgainstMap(uint64_t hint, uint64_t keys, uint64_t numbers, uint64_t texts) {
  SeenKeys seen(hint, "");
  std::map<std::pair<uint64_t, uint64_t>, uint64_t> first;
  Rng rng(hint + keys);
  uint64_t line = 0, doubles = 0;
  std::vector<SeenKey> batch;
  std::vector<uint64_t> earlier;
  while (line < keys) {
    batch.clear();
    for (uint64_t i = 0, n = rng.Below(3000); i < n; ++i) {
      batch.push_back({1 + rng.Below(numbers), texts == 0 ? 0 : rng.Below(texts), ++line});
    }
    ASSERT_TRUE(seen.CheckAndAdd(batch, earlier).ok());
    ASSERT_EQ(earlier.size(), batch.size());
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto [at, is_new] = first.try_emplace({batch[i].number, batch[i].text}, batch[i].line);
      ASSERT_EQ(earlier[i], is_new ? 0 : at->second) << batch[i].line;
      doubles += !is_new;
    }
  }
  EXPECT_GT(doubles, keys / 100);
}

TEST(SeenKeys, ExactInMemory) { CheckAgainstMap(20'000, 20'000, 40'000, 0); }
TEST(SeenKeys, ExactWhenTheHintWasFarTooSmall) { CheckAgainstMap(10, 30'000, 60'000, 0); }
TEST(SeenKeys, ExactThroughTheFile) { CheckAgainstMap(5'000, 200'000, 1'000'000, 0); }
TEST(SeenKeys, NumbersAloneAreNotTheKey) { CheckAgainstMap(50'000, 50'000, 5'000, 20); }

TEST(SeenKeys, ADirectoryThatIsNotThereIsToldWhenItIsNeeded) {
  SeenKeys seen(10, "/no/such/directory");
  std::vector<SeenKey> keys;
  std::vector<uint64_t> earlier;
  for (uint64_t i = 1; i <= 1000; ++i) keys.push_back({i, 0, i});
  ASSERT_TRUE(seen.CheckAndAdd(keys, earlier).ok());
  keys.clear();
  for (uint64_t i = 1001; i <= 50'000; ++i) keys.push_back({i, 0, i});
  EXPECT_EQ(seen.CheckAndAdd(keys, earlier).code(), absl::StatusCode::kUnavailable);
}

TEST(KeyFilter, NeverForgetsAndSeldomErrs) {
  KeyFilter filter(100'000);
  for (uint64_t i = 0; i < 100'000; ++i) filter.Add(KeyFilter::HashOf(13'800'000'000 + i, 0));
  int wrong = 0;
  for (uint64_t i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(filter.MayHold(KeyFilter::HashOf(13'800'000'000 + i, 0)));
    wrong += filter.MayHold(KeyFilter::HashOf(13'900'000'000 + i, 0));
  }
  EXPECT_LT(wrong, 1000);
}

}  // namespace
}  // namespace outpace::load
