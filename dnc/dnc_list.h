#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "dnc/number_set.h"
#include "dnc/prefix_set.h"

namespace outpace::dnc {

// The entries of one scope: numbers and ranges, some of which end by themselves. One thread writes,
// or several read; a copy is a snapshot, which costs a pointer a page and the ranges and ends.
class DncList {
 public:
  // Again with another end: the later one counts.
  void Add(uint64_t number, absl::Time expires);
  void AddMany(absl::Span<const uint64_t> numbers);  // for good
  void AddRange(Prefix prefix, absl::Time expires);
  void Remove(uint64_t number);
  void RemoveRange(Prefix prefix);

  // What it costs: of NumberSet, and 1 ns while there are no ranges.
  bool Contains(uint64_t number, absl::Time now) const {
    return numbers_.Contains(number) && InForce(number, now);
  }
  // The range that holds the number; digits 0: none.
  Prefix RangeOf(uint64_t number, absl::Time now) const;
  bool HasRange(Prefix prefix) const { return ranges_.Contains(prefix); }
  // Of an entry that is in the list; InfiniteFuture: it stands for good.
  absl::Time EndOf(uint64_t number) const;
  absl::Time EndOf(Prefix range) const;

  size_t size() const { return numbers_.size() + ranges_.size(); }
  size_t BytesUsed() const { return numbers_.BytesUsed(); }

 private:
  // Ends by key: a number, or a range's digits with the highest bit set.
  bool InForce(uint64_t key, absl::Time now) const {
    if (ends_.empty()) return true;
    const auto it = ends_.find(key);
    return it == ends_.end() || now < it->second;
  }
  // `is_new`: it was not in before.
  void SetEnd(uint64_t key, absl::Time expires, bool is_new);

  NumberSet numbers_;
  PrefixSet ranges_;
  absl::flat_hash_map<uint64_t, absl::Time> ends_;  // of what does not stand for good
};

}  // namespace outpace::dnc
