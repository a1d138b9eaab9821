#pragma once

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "campaign/lead.h"
#include "engine/base/ids.h"

namespace outpace::runtime {

// The leads a campaign dials next, best first: a short queue in memory, so that a call decision
// never waits for the disk. Knows which leads are out (queued or under way), because the store
// still calls them due until their intent is written.
class Hopper {
 public:
  size_t size() const { return queue_.size(); }
  bool Holds(LeadId lead) const { return out_.contains(lead); }
  // Leads already here or under way are passed over. Order is kept.
  void Add(std::vector<campaign::Lead> leads) {
    for (campaign::Lead& lead : leads) {
      if (out_.insert(lead.id).second) queue_.push_back(std::move(lead));
    }
  }
  // Only when size() > 0. The lead stays "out" until Release().
  campaign::Lead Pop() {
    campaign::Lead lead = std::move(queue_.front());
    queue_.pop_front();
    return lead;
  }
  void PutBack(campaign::Lead lead) { queue_.push_front(std::move(lead)); }
  void Release(LeadId lead) {
    out_.erase(lead);
    if (reading_) released_.insert(lead);
  }
  size_t out() const { return out_.size(); }
  // Around a read of the store. A lead that is released in between may be in its answer as it was
  // before its attempt; EndRead() names these. They are due again, if at all, by the next read.
  void BeginRead() { reading_ = true; }
  absl::flat_hash_set<LeadId> EndRead() {
    reading_ = false;
    return std::exchange(released_, {});
  }
  // Takes a waiting lead out again; nothing when it is under way or not here.
  void Drop(LeadId lead) {
    const auto it =
        std::find_if(queue_.begin(), queue_.end(),
                     [lead](const campaign::Lead& queued) { return queued.id == lead; });
    if (it == queue_.end()) return;
    queue_.erase(it);
    Release(lead);
  }
  // Forgets what waits; leads under way stay known.
  void Clear() {
    for (const campaign::Lead& lead : queue_) out_.erase(lead.id);
    queue_.clear();
  }

 private:
  std::deque<campaign::Lead> queue_;
  absl::flat_hash_set<LeadId> out_;
  bool reading_ = false;
  absl::flat_hash_set<LeadId> released_;
};

}  // namespace outpace::runtime
