#pragma once

// A set of telephone numbers in about 2.3 bytes each at the density of a national do-not-call list
// (50 M of 2.6 billion numbers: 115 MB), exact both ways. Numbers are kept by stretches of 65,536
// (number_block.h); the stretches hang in 256 hash tables, the shards. A copy shares everything
// with its original, and whoever writes copies first what is shared: one stretch and the directory
// of one shard. So a copy is a snapshot that costs 256 pointers and never changes under its
// readers.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "dnc/number_block.h"

namespace outpace::dnc {

// Values below 2^50. One thread writes or several read one object; copies may go to other threads.
class NumberSet {
 public:
  NumberSet() = default;
  NumberSet(const NumberSet& other);
  NumberSet(NumberSet&& other) noexcept;
  NumberSet& operator=(NumberSet other) noexcept;
  ~NumberSet();

  // 15-50 ns when the numbers asked for are random, half of it when they come in order.
  bool Contains(uint64_t number) const;
  // True: the set has changed. About 1 us; the first write to a shard after a copy 10-50 us more.
  bool Add(uint64_t number);
  bool Remove(uint64_t number);
  // In any order and with doubles; 10 ns a number when sorted, 60-100 ns when not. Needs 64 MiB
  // beside the set while it runs if the numbers are not sorted.
  void AddMany(absl::Span<const uint64_t> numbers);

  size_t size() const { return size_; }
  size_t BytesUsed() const;  // what it has allocated, shared or not

 private:
  struct Slot;
  struct Shard;

  static uint64_t Mix(uint64_t high);
  const Slot* Find(uint64_t high) const;
  // The slot of a stretch in a shard that is ours alone; a new one is empty.
  Slot& FindOrMake(uint64_t high);
  Shard* OwnShard(size_t at);
  void Replace(Slot& slot, absl::Span<const uint16_t> lows);
  // `lows`: sorted, without doubles.
  void Merge(uint64_t high, absl::Span<const uint16_t> lows);
  void AddSorted(absl::Span<const uint64_t> numbers);

  std::vector<Shard*> shards_;  // none until the first number
  size_t size_ = 0;
};

}  // namespace outpace::dnc
