#pragma once

// Which leads a refill takes out of the due index: a merge of its buckets.

#include <rocksdb/iterator.h>
#include <rocksdb/options.h>

#include <compare>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "campaign/lead_store.h"
#include "campaign/store/refill_lanes.h"
#include "campaign/store/rocks_due.h"

namespace outpace::store {

// One refill, on any thread; reads `options.snapshot`.
//
// A bucket is opened, which costs a seek, only when its front is the best place left: buckets
// whose leads are not reached, not due yet or of lists that are off are not touched.
class RocksRefill {
 public:
  // `known`: as BeginRead() gave it for the plan's generation, or null: the buckets are looked for.
  RocksRefill(const RocksDb& db, const campaign::DueQuery& query, const DuePlan& plan,
              const rocksdb::ReadOptions& options, const DueFronts* known);

  // The leads, best first.
  absl::StatusOr<std::vector<uint64_t>> Run();

  // For EndRead(), after Run().
  const DueFronts& first() const { return first_; }
  const std::vector<std::string>& empty() const { return empty_; }

 private:
  // Where a lead stands among all of its campaign.
  struct Place {
    uint8_t tier = 0, rank = 0;
    uint64_t order = 0, lead = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  struct Bucket {
    std::string name, end;
    rocksdb::Slice upper;  // of `end`
    DueTail front;
    ListId list;
    size_t lane = 0;
    std::unique_ptr<rocksdb::Iterator> it;  // null: not opened
  };
  // A bucket's next lead (before it is opened: no better one is in it), or a single lead.
  struct Candidate {
    Place place;
    Bucket* bucket;  // null: the lead alone
    friend bool operator>(const Candidate& a, const Candidate& b) { return a.place > b.place; }
  };
  using Heap = std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>>;

  absl::Status Discover();
  absl::Status AddWaiting();
  void AddBucket(const std::string& name, DueTail front);
  bool Take(size_t lane, uint64_t& lead);
  bool Open(Bucket& bucket);
  // The bucket's next due lead onto the heap of its lane. `opening`: it is the bucket's first.
  void Push(Bucket& bucket, bool opening);
  bool Dialed(ListId list);

  const RocksDb& db_;
  const campaign::DueQuery& query_;
  const DuePlan& plan_;
  const rocksdb::ReadOptions options_;
  const DueFronts* const known_;
  const std::string ready_, waiting_;
  const uint64_t now_;
  RefillLanes lanes_;
  std::vector<std::unique_ptr<Bucket>> buckets_;
  std::vector<Heap> heaps_;  // by lane
  absl::flat_hash_map<ListId, bool> dialed_;
  absl::Status status_;
  DueFronts first_;
  std::vector<std::string> empty_;
};

}  // namespace outpace::store
