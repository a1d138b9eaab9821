// What the due index is given later, between two commits, a step at a time: leads whose time has
// come move from WAITING to READY, and another order of a campaign is built up beside the present
// one. Each step is one write, and what is left to do follows from what is stored, so a crash
// between two steps costs nothing. Steps are not synced; a change of plan is, because files of a
// bulk load, which the log does not hold back, are laid out by it.

#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/snapshot.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/lead_reader.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_due.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/rocks_lead_store.h"

namespace outpace::store {
namespace {

// Leads a step: a few milliseconds, for which a commit may have to wait.
constexpr size_t kPromoteMost = 1000;
constexpr size_t kBuildMost = 500;

absl::Status Told(const rocksdb::Status& status) {
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

}  // namespace

absl::StatusOr<bool> RocksLeadStore::Tend(const campaign::DueQuery& query) {
  const CampaignId& campaign = query.campaign;
  const auto idle = [&](const DuePlan& plan) {
    const bool waits =
        plan.order != campaign::LeadOrder::kDue &&
        due_->WaitingFront(campaign, plan.generation).order <= OrderedMicros(query.now);
    return plan.order == query.order && !plan.building && !waits;
  };
  if (idle(due_->PlanOf(campaign))) return false;
  absl::MutexLock lock(&write_mutex_);
  if (absl::Status status = Writable(); !status.ok()) return status;
  DuePlan plan = due_->PlanOf(campaign);
  const campaign::LeadOrder next = plan.building ? plan.next_order : plan.order;
  if (next != query.order && !due_->Pinned(campaign)) {
    if (absl::Status status = ChangePlan(query, plan); !status.ok()) return status;
  }
  absl::StatusOr<bool> promoting = false;
  if (plan.order != campaign::LeadOrder::kDue) promoting = Promote(query, plan);
  if (!promoting.ok()) return promoting;
  absl::StatusOr<bool> building = false;
  if (plan.building) building = Build(query, plan);
  if (!building.ok()) return building;
  return *promoting || *building;
}

// Begins to build the order wanted; or gives up what is being built, when it is wanted no more.
absl::Status RocksLeadStore::ChangePlan(const campaign::DueQuery& query, DuePlan& plan) {
  const CampaignId& campaign = query.campaign;
  const std::string stale = DuePrefixOf(campaign, plan.generation ^ 1);
  rocksdb::WriteBatch batch;
  if (plan.building) {
    absl::Status status = Told(batch.DeleteRange((*db_)[kDue], stale, AfterPrefix(stale)));
    if (!status.ok()) return status;
  }
  plan.building = plan.order != query.order;
  plan.next_order = query.order;
  plan.cursor.clear();
  if (absl::Status s = due_->PutPlan(campaign, plan, batch); !s.ok()) return s;
  if (absl::Status s = Write(batch, /*sync=*/true); !s.ok()) return s;
  due_->SetPlan(campaign, plan);
  return absl::OkStatus();
}

// Moves the longest due first. True: others are due.
absl::StatusOr<bool> RocksLeadStore::Promote(const campaign::DueQuery& query, const DuePlan& plan) {
  const RocksDb& db = *db_;
  const std::string bucket = WaitingBucket(query.campaign, plan.generation);
  const std::string end = AfterPrefix(bucket);
  const rocksdb::Slice upper(end);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db.db->NewIterator(options, db[kDue]));
  const uint64_t now = OrderedMicros(query.now);
  const DueTail from = due_->WaitingFront(query.campaign, plan.generation);
  rocksdb::WriteBatch batch;
  std::vector<DueEntry> promoted;
  DueTail tail{UINT64_MAX, UINT64_MAX};
  bool due = false;
  rocksdb::Status status;
  for (it->Seek(JoinTail(bucket, from)); it->Valid(); it->Next()) {
    SplitTail(View(it->key()), tail);
    due = tail.order <= now;
    if (!due || promoted.size() == kPromoteMost) break;
    const DueEntry waiting{std::string(View(it->key())), std::string(View(it->value()))};
    promoted.push_back({PromotedKey(waiting), ""});
    if (status.ok()) status = batch.Delete(db[kDue], waiting.key);
    if (status.ok()) status = batch.Put(db[kDue], promoted.back().key, "");
    due = false;
  }
  if (!it->status().ok()) return ReadError(db, it->status());
  if (!status.ok()) return Told(status);
  if (!promoted.empty()) {
    if (absl::Status written = Write(batch, /*sync=*/false); !written.ok()) return written;
    due_->Written(query.campaign, promoted);
  }
  due_->RaiseWaiting(query.campaign, plan.generation, it->Valid() ? tail : DueTail{UINT64_MAX, 0});
  return due;
}

// The next leads behind plan.cursor, which moves on: those that wait first, then those that are
// ready, because a lead that is promoted meanwhile goes from the one to the other. True: there are
// more.
absl::StatusOr<bool> RocksLeadStore::NextToBuild(const CampaignId& campaign, DuePlan& plan,
                                                 std::vector<uint64_t>& ids) const {
  const RocksDb& db = *db_;
  const std::string parts[] = {WaitingBucket(campaign, plan.generation),
                               ReadyPart(campaign, plan.generation)};
  const bool first_done = absl::StartsWith(plan.cursor, parts[1]);
  for (size_t part = first_done ? 1 : 0; part < 2; ++part) {
    const std::string end = AfterPrefix(parts[part]);
    const rocksdb::Slice upper(end);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &upper;
    const std::unique_ptr<rocksdb::Iterator> it(db.db->NewIterator(options, db[kDue]));
    // The cursor's own entry is done; the octet after it leads to the next.
    const bool within = absl::StartsWith(plan.cursor, parts[part]);
    for (it->Seek(within ? plan.cursor + std::string(1, '\0') : parts[part]); it->Valid();
         it->Next()) {
      if (ids.size() == kBuildMost) return true;
      DueTail tail;
      SplitTail(View(it->key()), tail);
      ids.push_back(tail.lead);
      plan.cursor = std::string(View(it->key()));
    }
    if (!it->status().ok()) return ReadError(db, it->status());
  }
  return false;
}

// A lead that is written while this goes on gets its new entry with that write, so what stands
// behind the cursor is all there is to do. True: there is more to do.
absl::StatusOr<bool> RocksLeadStore::Build(const campaign::DueQuery& query, DuePlan plan) {
  const RocksDb& db = *db_;
  std::vector<uint64_t> ids;
  const absl::StatusOr<bool> more = NextToBuild(query.campaign, plan, ids);
  if (!more.ok()) return more;
  rocksdb::WriteBatch batch;
  const std::string next_prefix = DuePrefixOf(query.campaign, plan.generation ^ 1);
  rocksdb::Status status;
  rocksdb::ManagedSnapshot snapshot(db.db.get());
  rocksdb::ReadOptions options;
  options.snapshot = snapshot.snapshot();
  const absl::Status read = ReadLeads(
      db, *dictionary_, ids, options, campaign::NeedsTexts(plan.next_order),
      [&](campaign::Lead& lead) {
        DueEntry entry;
        SetDueEntry(next_prefix, plan.next_order, DueFactsOf(lead, plan.next_order), entry);
        if (status.ok()) status = batch.Put(db[kDue], entry.key, entry.value);
        return true;
      });
  if (!read.ok()) return read;
  const bool done = !*more && !due_->Pinned(query.campaign);
  if (done) {
    const std::string prefix = DuePrefixOf(query.campaign, plan.generation);
    if (status.ok()) status = batch.DeleteRange(db[kDue], prefix, AfterPrefix(prefix));
    plan.order = plan.next_order;
    plan.generation ^= 1;
    plan.building = false;
    plan.cursor.clear();
  }
  if (!status.ok()) return Told(status);
  if (absl::Status s = due_->PutPlan(query.campaign, plan, batch); !s.ok()) return s;
  if (absl::Status s = Write(batch, /*sync=*/done); !s.ok()) return s;
  due_->SetPlan(query.campaign, plan);
  // In the new index leads may be WAITING whose time had come before: the next step looks.
  return *more || done;
}

}  // namespace outpace::store
