#pragma once

// The due index (due_index.h) on RocksDB: which plan each campaign's index has, what a write of a
// lead changes in it, and where its living entries begin.
//
// Entries go at the front and leave tombstones there, which a scan would wade through. So the
// *front* of every bucket is remembered: a place below which the bucket holds nothing. A refill
// starts at the fronts and moves them up; a write below one moves it down again. Fronts are only
// ever hints in the safe direction, so nothing of them is stored.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "campaign/lead.h"
#include "campaign/store/due_index.h"
#include "engine/base/ids.h"

namespace rocksdb {
class Snapshot;
class WriteBatch;
}  // namespace rocksdb

namespace outpace::store {

struct RocksDb;

// Where an entry stands in its bucket: the last 16 octets of its key.
struct DueTail {
  uint64_t order = 0;  // WAITING: the due time
  uint64_t lead = 0;
  friend auto operator<=>(const DueTail&, const DueTail&) = default;
};
// Cuts a key of the index into its bucket and its place there.
absl::string_view SplitTail(absl::string_view key, DueTail& tail);
std::string JoinTail(absl::string_view bucket, DueTail tail);

// Key of a campaign's plan in the family of small things.
std::string DuePlanKey(absl::string_view campaign);

// Bucket (the key's first part, prefix and all) -> front. The WAITING part is one bucket.
using DueFronts = absl::btree_map<std::string, DueTail>;

// Thread safe. "The writer" is whoever holds the store's write mutex.
class RocksDue {
 public:
  explicit RocksDue(const RocksDb& db) : db_(db) {}

  // Reads the plans; once, before anything else. DataLoss, Unavailable.
  absl::Status Load();

  // --- The writer, for each lead it writes ---

  // Rises when a plan changes: entries computed under an older version say nothing any more.
  uint64_t version() const;
  DuePlan PlanOf(const CampaignId& campaign) const;
  // Whether a lead's place hangs on owner or last_name: a lead that is written without its texts
  // must be given them before EntriesOf().
  bool NeedsTexts(const CampaignId& campaign) const;
  std::vector<DueEntry> EntriesOf(const campaign::Lead& lead) const;
  // Makes of the entries `old`, of the lead as stored, the entries `now`.
  absl::Status Replace(const std::vector<DueEntry>& old, const std::vector<DueEntry>& now,
                       rocksdb::WriteBatch& out) const;
  // After the write, before its Commit returns: entries that are there now.
  void Written(const CampaignId& campaign, const std::vector<DueEntry>& now);

  // --- Bulk loads ---

  // The plan for keys that are written beside the store. Until Unpin() the campaign's index keeps
  // its order and generation. Loads of one campaign may overlap.
  DuePlan Pin(const CampaignId& campaign);
  void Unpin(const CampaignId& campaign);
  bool Pinned(const CampaignId& campaign) const;
  // After the files were taken over: there may be entries anywhere.
  void Ingested(const CampaignId& campaign);

  // --- Refills ---

  // What one refill knows of the fronts. Between BeginRead() and EndRead().
  struct Read {
    bool known = false;  // false: `fronts` is empty and buckets are to be looked for
    bool moves = false;  // this refill may move fronts; one at a time
    uint8_t generation = 0;
    uint64_t epoch = 0;
    DueFronts fronts;
  };
  // Before the snapshot is taken, so that it holds whatever lies below no front.
  Read BeginRead(const CampaignId& campaign);
  // `first`: the first living entry of each bucket that was looked at; a bucket in `empty` had
  // none. Where the fronts were not known, `first` names every bucket. `looked` false: the refill
  // failed, or found another generation than `read` is of, and says nothing.
  void EndRead(const CampaignId& campaign, const Read& read, bool looked, const DueFronts& first,
               const std::vector<std::string>& empty);
  // The plan as of a snapshot.
  absl::StatusOr<DuePlan> PlanAt(const CampaignId& campaign,
                                 const rocksdb::Snapshot* snapshot) const;

  // --- The writer, for what is done in steps (rocks_tend.cc) ---

  // Puts the plan into a write; SetPlan() after it.
  absl::Status PutPlan(const CampaignId& campaign, const DuePlan& plan,
                       rocksdb::WriteBatch& out) const;
  void SetPlan(const CampaignId& campaign, const DuePlan& plan);
  // From where WAITING entries are to be looked for, and up to where there are none any more.
  DueTail WaitingFront(const CampaignId& campaign, uint8_t generation) const;
  void RaiseWaiting(const CampaignId& campaign, uint8_t generation, DueTail front);

 private:
  // What is known of one campaign's buckets.
  struct Book {
    DuePlan plan;
    int pins = 0;
    bool known = false;    // `fronts` has every bucket
    bool reading = false;  // a refill may move them: `lows` is kept
    uint64_t epoch = 0;    // rises when what is known was dropped
    DueFronts fronts;
    DueFronts lows;  // the lowest entry of each bucket written since that refill began
  };
  Book& BookOf(const CampaignId& campaign) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Drop(Book& book);
  static void Lower(DueFronts& fronts, absl::string_view bucket, DueTail tail);

  const RocksDb& db_;
  mutable absl::Mutex mutex_;
  uint64_t version_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<CampaignId, Book> books_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace outpace::store
