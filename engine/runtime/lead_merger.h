#pragma once

// Merges of leads in the store: made, listed, taken back. Each merge is written together with what
// its leads were before (meta "dedup.merge.<number>"), so there is never one that cannot be undone.

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "campaign/lead_store.h"
#include "campaign/match/lead_merge.h"
#include "engine/base/clock.h"
#include "engine/runtime/admin.h"

namespace outpace::runtime {

// Leads that are one, and why somebody thinks so ("score 0.98").
struct MergeOrder {
  std::vector<LeadId> leads;
  std::string reason;
};

struct MergeCounts {
  uint64_t merges = 0;
  uint64_t leads = 0;    // that took part
  uint64_t skipped = 0;  // orders left out: their leads are in a call, gone, or merged already
};

// Pairs of leads, the lower id first.
using LeadPairs = std::set<std::pair<LeadId, LeadId>>;

// One thread at a time. What is passed in outlives it.
class LeadMerger {
 public:
  // `mutex` is held from reading what is kept of merges to writing it; null: nobody else merges.
  LeadMerger(campaign::LeadStore& store, const Clock& clock, const AdminHooks& hooks,
             absl::Mutex* mutex = nullptr)
      : store_(store), clock_(clock), hooks_(hooks), mutex_(mutex) {}

  // In portions; each is on disk before the next begins. No lead may be in two orders.
  absl::StatusOr<MergeCounts> Merge(absl::Span<const MergeOrder> orders);
  // Takes a merge back (match::UndoChange). NotFound; FailedPrecondition: it was undone already, a
  // later merge has one of its leads, or one of them is in a call. Returns the merge.
  absl::StatusOr<match::Merge> Undo(uint64_t number);
  // The newest `most`, newest first. `lead`: only those it took part in; none: all.
  absl::StatusOr<std::vector<match::Merge>> History(uint64_t most, LeadId lead) const;

  // A person is erased, with the number and these leads: of every merge that one of the leads took
  // part in, or that knows the number, taken back or not, only number and time stay, since each
  // lead of a merge may have the others' names and numbers. Durable. The named values it wrote.
  absl::StatusOr<std::vector<std::string>> Forget(const absl::flat_hash_set<LeadId>& leads,
                                                  E164 phone);

  // Pairs that somebody said are two: not shown and not merged again.
  absl::StatusOr<LeadPairs> Apart() const;
  absl::Status KeepApart(const LeadPairs& pairs);

 private:
  // Keeps the engine from these leads while `work` changes them; `work` is told those in a call.
  absl::Status WhileWithdrawn(std::vector<LeadId> leads,
                              const std::function<absl::Status(const std::vector<LeadId>&)>& work);
  absl::Status MergePortion(absl::Span<const MergeOrder> orders, MergeCounts& counts,
                            std::set<CampaignId>& campaigns);
  absl::StatusOr<uint64_t> LastNumber() const;
  absl::StatusOr<match::Merge> Read(uint64_t number) const;

  campaign::LeadStore& store_;
  const Clock& clock_;
  const AdminHooks& hooks_;
  absl::Mutex* const mutex_;
};

}  // namespace outpace::runtime
