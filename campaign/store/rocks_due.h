#pragma once

// The due index (due_index.h) on RocksDB: which plan each campaign's index has, what a write of a
// lead changes in it, and where its living entries begin.
//
// Entries go at the front and leave tombstones there, which a scan would wade through. So the
// *front* of every bucket is remembered: a key below which the bucket holds nothing. A refill
// starts at the front and moves it up; a write below it moves it down again.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "campaign/lead.h"
#include "campaign/store/due_index.h"
#include "engine/base/ids.h"

namespace rocksdb {
class WriteBatch;
}  // namespace rocksdb

namespace outpace::store {

struct RocksDb;

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
  // Into the write that publishes a load, by the writer: an index being built starts anew, since
  // the load has no entries in it.
  absl::Status Published(const CampaignId& campaign, rocksdb::WriteBatch& out);
  // After the files were taken over: there may be entries anywhere.
  void Ingested(const CampaignId& campaign);

  // --- Refills: see rocks_due.cc ---

 private:
  const RocksDb& db_;
};

}  // namespace outpace::store
