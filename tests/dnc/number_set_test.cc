#include "dnc/number_set.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <set>
#include <thread>
#include <vector>

#include "dnc/number_block.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::dnc {
namespace {

// A stretch of every form and around the counts where the form changes.
TEST(Block, EveryFormHoldsWhatItWasMadeOf) {
  Rng rng(1);
  std::set<Block::Form> forms;
  for (const size_t count :
       {1, 2, 319, 320, 321, 800, 1'100, 1'300, 2'000, 2'800, 3'500, 4'000, 30'000, 65'536}) {
    std::vector<uint16_t> lows(kBlockNumbers);
    for (size_t i = 0; i < lows.size(); ++i) lows[i] = static_cast<uint16_t>(i);
    for (size_t i = 0; i < count; ++i) std::swap(lows[i], lows[i + rng.Below(lows.size() - i)]);
    lows.resize(count);
    std::sort(lows.begin(), lows.end());
    Block::Form form = Block::Form::kList;
    Block* const block = Block::Make(lows, form);
    forms.insert(form);
    EXPECT_EQ(block->count(), count);
    std::vector<uint16_t> back;
    block->AppendTo(form, back);
    EXPECT_EQ(back, lows) << count;
    std::vector<uint16_t> found;
    for (uint32_t low = 0; low < kBlockNumbers; ++low) {
      if (block->Contains(form, static_cast<uint16_t>(low)))
        found.push_back(static_cast<uint16_t>(low));
    }
    EXPECT_EQ(found, lows) << count;
    EXPECT_LE(block->BytesUsed(form), 16 + kBlockNumbers / 8);
    ASSERT_TRUE(block->Release());
    Block::Free(block);
  }
  EXPECT_EQ(forms.size(), 4u);
}

// Numbers that crowd some cells and leave others empty: what spills over is found all the same.
TEST(Block, CrowdedCellsSpill) {
  for (const uint32_t cells : {1u, 2u, 40u, 60u, 80u, 255u}) {
    for (const uint32_t crowd : {6u, 7u, 8u, 9u, 14u, 15u, 16u, 17u, 40u, 256u}) {
      std::vector<uint16_t> lows;
      for (uint32_t cell = 0; cell < 256; ++cell) {
        const uint32_t count = cell < cells ? crowd : 5;
        for (uint32_t i = 0; i < count; ++i) {
          lows.push_back(static_cast<uint16_t>(cell << 8 | (256 / count * i)));
        }
      }
      Block::Form form = Block::Form::kList;
      Block* const block = Block::Make(lows, form);
      std::vector<uint16_t> back;
      block->AppendTo(form, back);
      EXPECT_EQ(back, lows);
      for (uint32_t low = 0; low < kBlockNumbers; ++low) {
        const auto asked = static_cast<uint16_t>(low);
        ASSERT_EQ(block->Contains(form, asked), std::binary_search(lows.begin(), lows.end(), asked))
            << cells << " " << crowd << " " << low;
      }
      Block::Free(block);
    }
  }
}

// Of one stretch, from empty to full to empty again, one number at a time in random order.
TEST(NumberSet, GrowsAndShrinksThroughEveryForm) {
  Rng rng(2);
  std::vector<uint64_t> order;
  for (uint64_t i = 0; i < 12'000; ++i) order.push_back((uint64_t{190'000} << 16) + i * 5);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[rng.Below(i)]);
  NumberSet set;
  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_FALSE(set.Contains(order[i]));
    EXPECT_TRUE(set.Add(order[i]));
    EXPECT_FALSE(set.Add(order[i]));
    EXPECT_TRUE(set.Contains(order[i]));
    EXPECT_EQ(set.size(), i + 1);
  }
  for (const uint64_t number : order) EXPECT_FALSE(set.Contains(number + 1));
  for (size_t i = 0; i < order.size(); ++i) {
    EXPECT_TRUE(set.Remove(order[i]));
    EXPECT_FALSE(set.Remove(order[i]));
    EXPECT_FALSE(set.Contains(order[i]));
  }
  EXPECT_EQ(set.size(), 0u);
}

std::vector<uint64_t> RandomNumbers(Rng& rng, size_t count) {
  // Thick, thin and scattered stretches; the lowest and the highest values there are.
  std::vector<uint64_t> out = {0, 1, 65'535, 65'536, (uint64_t{1} << 50) - 1};
  while (out.size() < count) {
    switch (rng.Below(4)) {
      case 0:
        out.push_back(12'125'550'000 + rng.Below(20'000));
        break;
      case 1:
        out.push_back(8'613'000'000'000 + rng.Below(7'000'000'000));
        break;
      case 2:
        out.push_back(12'000'000'000 + rng.Below(3'000'000));
        break;
      default:
        out.push_back(rng.Below(uint64_t{1} << 50));
    }
  }
  return out;
}

TEST(NumberSetProperty, AddManyIsAddOfEach) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    Rng rng(seed);
    std::set<uint64_t> model;
    NumberSet set;
    for (int round = 0; round < 4; ++round) {
      std::vector<uint64_t> numbers = RandomNumbers(rng, 30'000);
      if (round % 2 == 1) std::sort(numbers.begin(), numbers.end());
      model.insert(numbers.begin(), numbers.end());
      set.AddMany(numbers);
      ASSERT_EQ(set.size(), model.size()) << seed;
    }
    for (const uint64_t number : model) ASSERT_TRUE(set.Contains(number));
    for (const uint64_t number : RandomNumbers(rng, 100'000)) {
      ASSERT_EQ(set.Contains(number), model.count(number) > 0) << number;
    }
    for (const uint64_t number : model) {
      ASSERT_EQ(set.Contains(number + 1), model.count(number + 1) > 0);
    }
  }
}

// Many snapshots of many ages, all written, each against its own model.
TEST(NumberSetProperty, ACopyIsASnapshot) {
  Rng rng(9);
  std::vector<NumberSet> sets(1);
  std::vector<std::set<uint64_t>> models(1);
  for (int i = 0; i < 40'000; ++i) {
    const size_t at = rng.Below(sets.size());
    const uint64_t number = 12'125'550'000 + rng.Below(100) * 1'000 + rng.Below(100);
    if (i % 2'000 == 0 && sets.size() < 8) {
      sets.push_back(sets[at]);
      models.push_back(models[at]);
    } else if (i % 2'000 == 1'000 && sets.size() > 1) {
      sets.erase(sets.begin() + static_cast<ptrdiff_t>(at));
      models.erase(models.begin() + static_cast<ptrdiff_t>(at));
    } else if (rng.Chance(0.6)) {
      ASSERT_EQ(sets[at].Add(number), models[at].insert(number).second);
    } else {
      ASSERT_EQ(sets[at].Remove(number), models[at].erase(number) > 0);
    }
    if (i % 500 != 0) continue;
    for (size_t s = 0; s < sets.size(); ++s) {
      ASSERT_EQ(sets[s].size(), models[s].size());
      for (int n = 0; n < 100; ++n) {
        const uint64_t asked = 12'125'550'000 + rng.Below(100) * 1'000 + rng.Below(100);
        ASSERT_EQ(sets[s].Contains(asked), models[s].count(asked) > 0);
      }
    }
  }
}

// Readers see their snapshot and nothing of what goes on meanwhile; what the snapshot had is never
// lost, what it had not never comes.
TEST(NumberSet, SnapshotsAreReadWhileTheOriginalIsWritten) {
  constexpr uint64_t kFirst = 12'120'000'000;
  constexpr uint64_t kCount = 200'000;
  NumberSet set;
  std::vector<uint64_t> even;
  for (uint64_t i = 0; i < kCount; i += 2) even.push_back(kFirst + i);
  set.AddMany(even);
  std::atomic<int> wrong{0};
  for (int round = 0; round < 5; ++round) {
    std::vector<std::thread> readers;
    for (int r = 0; r < 3; ++r) {
      readers.emplace_back([snapshot = set, &wrong] {
        for (uint64_t i = 0; i < kCount; ++i) {
          if (snapshot.Contains(kFirst + i) != (i % 2 == 0)) ++wrong;
        }
      });
    }
    Rng rng(static_cast<uint64_t>(round));
    std::vector<uint64_t> changed;
    for (int i = 0; i < 2'000; ++i) {
      const uint64_t number = kFirst + rng.Below(kCount);
      changed.push_back(number);
      number % 2 == 0 ? set.Remove(number) : set.Add(number);
    }
    for (const uint64_t number : changed) number % 2 == 0 ? set.Add(number) : set.Remove(number);
    for (std::thread& reader : readers) reader.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(set.size(), kCount / 2);
}

// At the density of a national list the set takes a quarter of what a hash set does.
TEST(NumberSet, IsSmall) {
  Rng rng(4);
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 200'000; ++i) numbers.push_back(12'000'000'000 + rng.Below(10'500'000));
  NumberSet set;
  set.AddMany(numbers);
  EXPECT_LT(set.BytesUsed(), set.size() * 4);
}

}  // namespace
}  // namespace outpace::dnc
