#pragma once

// A set of telephone numbers, exact both ways, in two to four bytes a number at the density of a
// national do-not-call list. Numbers are kept by stretches of 65,536 (number_block.h), 64 of which
// hang in a page, and pages in a small hash table. A copy shares everything with its original, and
// whoever writes copies first what is shared: one stretch and one page. So a copy is a snapshot
// that costs a pointer a page and never changes under its readers.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
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

  // Of 50 million: 80 ns when the numbers asked for are random, 9 ns when they come in order.
  bool Contains(uint64_t number) const;
  // True: the set has changed. 0.1 us; 2-10 us where a stretch or, after a copy, its page is
  // written anew.
  bool Add(uint64_t number);
  bool Remove(uint64_t number);
  // In any order and with doubles; 5 ns a number when sorted, 60-100 ns when not. Needs 64 MiB
  // beside the set while it runs if the numbers are not sorted.
  void AddMany(absl::Span<const uint64_t> numbers);

  // In ascending order; `high`: the numbers' bits from the sixteenth up.
  void ForEachBlock(
      absl::FunctionRef<void(uint64_t high, Block::Form form, const Block& block)> visit) const;
  size_t size() const { return size_; }
  size_t BytesUsed() const;  // what it has allocated, shared or not

 private:
  class Slot;
  struct Page;
  struct Entry {
    uint64_t key = 0;  // of the page, plus one; 0: free
    Page* page = nullptr;
  };

  size_t Probe(uint64_t page_key) const;
  // The place of a stretch in a page that is ours alone.
  Slot& OwnSlot(uint64_t high);
  void Grow();
  void Replace(Slot& slot, absl::Span<const uint16_t> lows);
  // `lows`: sorted, without doubles.
  void Merge(uint64_t high, absl::Span<const uint16_t> lows);
  void AddSorted(absl::Span<const uint64_t> numbers);

  // Open addressing with linear probing, half empty at least; empty until the first number.
  std::vector<Entry> pages_;
  size_t pages_used_ = 0;
  size_t size_ = 0;
};

}  // namespace outpace::dnc
