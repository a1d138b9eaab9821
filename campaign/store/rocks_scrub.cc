// What was removed, taken out of the files. RocksDB keeps a removed or replaced record until a
// compaction meets both it and the note of its removal: for a record that was loaded in bulk, and
// lies at the bottom of the tree, that may be months. Here the ranges of keys concerned are
// compacted to the bottom at once.

#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "campaign/lead_order.h"
#include "campaign/store/due_index.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_due.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {
namespace {

using campaign::LeadOrder;
using Ranges = std::vector<Range>;

// Ranges with no more than this between them are one: a table is not rewritten for each of them.
constexpr uint64_t kGapBytes = 32 << 20;
// Ranges of numbers are this wide, since RocksDB writes the ends of a compaction to its log.
constexpr uint64_t kNumberBlock = 1000;

absl::Status DiskError(const RocksDb& db, const rocksdb::Status& status) {
  return absl::UnavailableError(absl::StrCat(
      "store: ", db.path, ": what was removed is still in its files: ", status.ToString(),
      "; free space or look at the disk"));
}

Range OneKey(const std::string& key) { return {key, key}; }

// Keys that begin with `prefix` and a number near `phone`.
Range NumberBlock(const std::string& prefix, E164 phone) {
  const uint64_t first = phone.value() / kNumberBlock * kNumberBlock;
  return {prefix + IdKey(first), prefix + IdKey(first + kNumberBlock)};
}

// Whether an entry of the due index tells something of the lead: its number, or letters of a name.
bool Tells(LeadOrder order) {
  return campaign::NeedsTexts(order) || order == LeadOrder::kDownPhone ||
         order == LeadOrder::kUpPhone;
}

// In order, those that touch or lie close together as one.
Ranges Joined(const RocksDb& db, Family family, Ranges ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.from < b.from; });
  Ranges joined;
  for (Range& range : ranges) {
    uint64_t between = 0;
    if (!joined.empty() && joined.back().to < range.from) {
      const rocksdb::Range gap(joined.back().to, range.from);
      if (!db.db->GetApproximateSizes(db[family], &gap, 1, &between).ok()) between = UINT64_MAX;
    }
    if (!joined.empty() && between <= kGapBytes) {
      joined.back().to = std::max(joined.back().to, range.to);
    } else {
      joined.push_back(std::move(range));
    }
  }
  return joined;
}

rocksdb::Status Compact(const RocksDb& db, Family family, const rocksdb::Slice* from,
                        const rocksdb::Slice* to) {
  rocksdb::CompactRangeOptions options;
  options.exclusive_manual_compaction = false;  // those the dialing needs go on beside it
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  return db.db->CompactRange(options, db[family], from, to);
}

}  // namespace

absl::Status RocksLeadStore::Scrub(const ScrubOrder& order) const {
  const RocksDb& db = *db_;
  if (db.read_only) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: ", db.path, " was opened for reading only"));
  }
  std::array<Ranges, kFamilies> ranges;
  std::set<E164> numbers(order.numbers.begin(), order.numbers.end());
  std::set<CampaignId> of_leads;
  for (const campaign::Lead& lead : order.leads) {
    const std::string key = IdKey(lead.id.value());
    ranges[kLeads].push_back(OneKey(key));
    ranges[kTexts].push_back(OneKey(key));
    numbers.insert(lead.phone);
    numbers.insert(lead.alt_phone);
    of_leads.insert(lead.campaign);
  }
  numbers.erase(E164());
  for (const CampaignId& campaign : of_leads) {
    // What an earlier order of the campaign has left, and the present index if it tells anything.
    const DuePlan plan = due_->PlanOf(campaign);
    for (const uint8_t generation : {uint8_t{0}, uint8_t{1}}) {
      if (generation == plan.generation && !Tells(plan.order)) continue;
      const std::string prefix = DuePrefixOf(campaign, generation);
      ranges[kDue].push_back({prefix, AfterPrefix(prefix)});
    }
  }
  const absl::StatusOr<std::vector<campaign::CampaignSettings>> campaigns = Campaigns();
  if (!campaigns.ok()) return campaigns.status();
  std::set<CampaignId> of_dnc = {""};
  for (const campaign::CampaignSettings& settings : *campaigns) of_dnc.insert(settings.id);
  for (const E164 phone : numbers) {
    ranges[kPhone].push_back(NumberBlock("", phone));
    ranges[kMeta].push_back(NumberBlock(RecordingsOfNumber(phone).substr(0, 2), phone));
    for (const CampaignId& campaign : of_dnc) {
      ranges[kDnc].push_back(NumberBlock(campaign + std::string(1, '\0'), phone));
    }
  }
  for (const AttemptId attempt : order.attempts) {
    ranges[kAttempts].push_back(OneKey(IdKey(attempt.value())));
    ranges[kMeta].push_back(OneKey(RecordingKey(attempt)));
  }
  for (const std::string& name : order.meta) {
    ranges[kMeta].push_back(OneKey(MetaKey(kValuePrefix, name)));
  }

  const uint64_t removed_at = db.db->GetLatestSequenceNumber();
  const std::vector<rocksdb::ColumnFamilyHandle*> families(db.families.begin(), db.families.end());
  // All of them: the journal's files go when no family needs them any more.
  rocksdb::Status status = db.db->Flush(rocksdb::FlushOptions(), families);
  if (!status.ok()) return DiskError(db, status);
  uint64_t oldest = 0;  // 0: nobody reads as of an earlier moment
  db.db->GetIntProperty(rocksdb::DB::Properties::kOldestSnapshotSequence, &oldest);
  if (oldest > 0 && oldest < removed_at) {
    return absl::AbortedError(
        absl::StrCat("store: ", db.path,
                     ": what was removed is still in its files, as somebody who began before "
                     "reads it (an export, a search); try again when that has ended"));
  }
  for (int i = 0; i < kFamilies && status.ok(); ++i) {
    const auto family = static_cast<Family>(i);
    if (order.everything) {
      status = Compact(db, family, nullptr, nullptr);
      continue;
    }
    for (const Range& range : Joined(db, family, std::move(ranges[i]))) {
      const rocksdb::Slice from(range.from), to(range.to);
      if (status.ok()) status = Compact(db, family, &from, &to);
    }
  }
  return status.ok() ? absl::OkStatus() : DiskError(db, status);
}

}  // namespace outpace::store
