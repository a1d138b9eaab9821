#pragma once

// Which keys (numbers, mostly) stood in an earlier row of the same file, and in which line: exact,
// for files of any length in bounded memory. A filter of two octets a row tells for certain that a
// key is new, which most are; the few others are looked up among all keys so far. These are kept
// without any order, only spread over buckets by their hash, and full pages of a bucket move to a
// temporary file: adding a key touches one cache line, and there is nothing to sort or to merge.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "campaign/load/temp_file.h"

namespace outpace::load {

// What makes rows double: a number, and where more than it is asked for, a hash of the rest.
struct SeenKey {
  uint64_t number = 0;
  uint64_t text = 0;  // XXH3 of a name or title; compared only where the number is the same
  uint64_t line = 0;  // of the row
};

// A set that may say "perhaps" for one in some hundred of what it does not hold, never "no" for
// what it holds (split block Bloom filter: Putze, Sanders, Singler 2007; the block of eight words
// as in Apache Parquet).
class KeyFilter {
 public:
  // For `keys` keys at two octets each, 256 MiB at most.
  explicit KeyFilter(uint64_t keys);
  void Add(uint64_t hash);
  bool MayHold(uint64_t hash) const;
  void Prefetch(uint64_t hash) const { __builtin_prefetch(&BlockOf(hash)); }
  static uint64_t HashOf(uint64_t number, uint64_t text);

 private:
  struct alignas(32) Block {
    uint32_t words[8] = {};
  };
  const Block& BlockOf(uint64_t hash) const {
    return blocks_[static_cast<size_t>((hash >> 32) * blocks_.size() >> 32)];
  }
  std::vector<Block> blocks_;
};

class SeenKeys {
 public:
  // `rows`: how many keys will come, about. `directory`: for the temporary file, which is made when
  // it is needed, has no name and goes with this object.
  SeenKeys(uint64_t rows, std::string directory);
  ~SeenKeys();
  SeenKeys(const SeenKeys&) = delete;
  SeenKeys& operator=(const SeenKeys&) = delete;

  // For each of `keys` in order: earlier[i] is the line of the first key before it that is the
  // same, 0 if it is new. `earlier` is resized. ResourceExhausted, Unavailable: the temporary file.
  absl::Status CheckAndAdd(absl::Span<const SeenKey> keys, std::vector<uint64_t>& earlier);

 private:
  static constexpr size_t kPageKeys = 64;
  struct Bucket {
    std::vector<SeenKey> latest;  // up to a page
    std::vector<uint32_t> pages;  // of the file, oldest first
  };
  // The line of the first key like `key`; 0 if there is none.
  absl::Status Find(const SeenKey& key, const Bucket& bucket, uint64_t& line) const;
  // Moves a full page of `bucket` towards the file.
  absl::Status Spill(Bucket& bucket);

  KeyFilter filter_;
  std::vector<Bucket> buckets_;
  const std::string directory_;
  std::unique_ptr<TempFile> file_;  // from the first full pages on
  uint32_t pages_ = 0;              // given out
  std::vector<SeenKey> outbox_;     // the last of them, not yet in the file
  std::vector<uint64_t> hashes_;
};

}  // namespace outpace::load
