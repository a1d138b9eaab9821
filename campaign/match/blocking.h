#pragma once

// Which pairs are compared at all. Every record gets several keys (what its name sounds like, its
// telephone number, its birth date, its house in its street, ...), and records that share one form
// a block; one key in common is enough, so a slip in one field hides no pair. Beside the blocks all
// records are laid out by name, forwards and backwards, and each is compared with its neighbours.
// A block of a key that very many share is not compared in full, and not dropped either: it is laid
// out by name too, and each of its records compared with the next few.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "campaign/match/prepared.h"

namespace outpace::match {

class Blocking {
 public:
  Blocking(const PreparedList& records, int threads);

  // Candidates for `record`: appended to `out`, in rising order, each once, without `record`. Every
  // pair is found from at least one of its two sides.
  void Candidates(uint32_t record, std::vector<uint32_t>& out) const;

  uint64_t blocks() const { return blocks_; }          // of two records or more
  uint64_t blocks_cut() const { return blocks_cut_; }  // of them too large to compare in full

 private:
  struct Key {
    uint64_t hash;
    uint32_t record;
  };
  // A record's place in a block: it is compared with those behind it, up to `reach`.
  struct Place {
    uint32_t record;
    uint32_t reach;  // index into places_, exclusive
  };
  void AddBlocks(const PreparedList& records, std::vector<Key>& keys);
  void AddOrder(std::vector<uint32_t> order, uint32_t window);
  void IndexPlaces(size_t records);

  std::vector<Place> places_;
  std::vector<uint32_t> first_;      // of a record in by_record_; one more at the end
  std::vector<uint32_t> by_record_;  // indexes into places_
  uint64_t blocks_ = 0, blocks_cut_ = 0;
};

}  // namespace outpace::match
