#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead.h"
#include "campaign/tier/campaign_tiers.h"
#include "engine/base/check.h"
#include "engine/base/clock.h"
#include "engine/base/ids.h"
#include "engine/pacing/policy.h"

namespace outpace::runtime {

// Leads that share an answer ratio: those of one list in one tier. The number is a mix of both, the
// same in every run and never 0 (which means "none"), so that what is learned of it can be kept.
uint32_t SegmentOf(ListId list, campaign::Tier tier);

// The leads a campaign dials next, best first: a short queue in memory, so that a call decision
// never waits for the disk. Knows which leads are out (queued or under way), because the store
// still calls them due until their intent is written.
//
// The pacer may pick leads out of the order (TakeAt). A lead that others are picked over is not
// left behind for ever: once it has been passed over for kPassedOverMax it is taken before any
// pick.
class Hopper {
 public:
  static constexpr absl::Duration kPassedOverMax = absl::Minutes(5);

  size_t size() const { return queue_.size(); }
  bool Holds(LeadId lead) const { return out_.contains(lead); }
  // Leads already here or under way are passed over. Order is kept.
  void Add(std::vector<campaign::Lead> leads) {
    for (campaign::Lead& lead : leads) {
      if (out_.insert(lead.id).second)
        queue_.push_back({TraitsOf(lead), {}, false, std::move(lead)});
    }
  }
  // What waits and what is new in the order of `ranked`; such as wait and are not named stay in
  // front. New leads that are already under way are passed over; behind the first `most` the queue
  // ends.
  void Arrange(std::vector<tier::RankedLead> ranked, size_t most);
  // What waits, best first.
  std::vector<campaign::Lead> Waiting() const {
    std::vector<campaign::Lead> leads;
    for (const Place& place : queue_) leads.push_back(place.lead);
    return leads;
  }
  // Why a lead that is out was picked; null: it was not scored.
  const tier::Pick* PickOf(LeadId lead) const {
    const auto found = picks_.find(lead);
    return found == picks_.end() ? nullptr : &found->second;
  }
  // Only when size() > 0. The lead stays "out" until Release().
  campaign::Lead Pop() {
    campaign::Lead lead = std::move(queue_.front().lead);
    queue_.pop_front();
    return lead;
  }
  void PutBack(campaign::Lead lead) {
    queue_.push_front({TraitsOf(lead), {}, false, std::move(lead)});
  }

  static pacing::LeadTraits TraitsOf(const campaign::Lead& lead) {
    return {.segment = SegmentOf(lead.list, lead.tier), .answer_chance = 0};
  }
  // The traits of the first leads, in their order, `most` at most, into `traits`.
  void Traits(size_t most, std::vector<pacing::LeadTraits>& traits) const {
    traits.clear();
    for (size_t i = 0; i < std::min(most, queue_.size()); ++i) traits.push_back(queue_[i].traits);
  }
  // Takes the leads at these places, in this order; like Pop() for each. Each place is below size()
  // and named once. Leads that stay in front of a place that is taken are passed over from `now`
  // on; such as have been for kPassedOverMax come first, in place of the last of the picks.
  std::vector<campaign::Lead> TakeAt(absl::Span<const uint32_t> picks, MonoTime now);

  void Release(LeadId lead) {
    out_.erase(lead);
    picks_.erase(lead);
    if (reading_) released_.insert(lead);
  }
  size_t out() const { return out_.size(); }
  // Around a read of the store. A lead that is released in between may be in its answer as it was
  // before its attempt; EndRead() names these. They are due again, if at all, by the next read.
  void BeginRead() { reading_ = true; }
  bool ReleasedInRead(LeadId lead) const { return released_.contains(lead); }
  absl::flat_hash_set<LeadId> EndRead() {
    reading_ = false;
    return std::exchange(released_, {});
  }
  // A lead that is under way without having waited here: out until Release().
  void Hold(LeadId lead) { out_.insert(lead); }
  // Takes a waiting lead out again; nothing when it is under way or not here.
  void Drop(LeadId lead) {
    const auto it = std::find_if(queue_.begin(), queue_.end(),
                                 [lead](const Place& queued) { return queued.lead.id == lead; });
    if (it == queue_.end()) return;
    queue_.erase(it);
    Release(lead);
  }
  // Drop() for each waiting lead that `which` is true of.
  template <typename Which>
  void DropIf(const Which& which) {
    std::erase_if(queue_, [&](const Place& waiting) {
      if (!which(waiting.lead.id)) return false;
      Release(waiting.lead.id);
      return true;
    });
  }
  // Those that wait, in their order.
  std::vector<LeadId> WaitingIds() const {
    std::vector<LeadId> ids;
    for (const Place& waiting : queue_) ids.push_back(waiting.lead.id);
    return ids;
  }
  // Those that wait and those under way, in no order.
  const absl::flat_hash_set<LeadId>& Out() const { return out_; }
  // Forgets what waits; leads under way stay known.
  void Clear() {
    for (const Place& place : queue_) {
      const LeadId id = place.lead.id;
      Release(id);  // a refill under way does not bring it back
    }
    queue_.clear();
  }

 private:
  struct Place {
    pacing::LeadTraits traits;
    MonoTime passed_since;  // first pick over it; counts when `passed`
    bool passed = false;
    campaign::Lead lead;
  };
  std::deque<Place> queue_;
  absl::flat_hash_set<LeadId> out_;
  absl::flat_hash_map<LeadId, tier::Pick> picks_;  // of leads that are out
  bool reading_ = false;
  absl::flat_hash_set<LeadId> released_;
};

}  // namespace outpace::runtime
