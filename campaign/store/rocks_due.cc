#include "campaign/store/rocks_due.h"

#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_keys.h"
#include "engine/base/check.h"

namespace outpace::store {
namespace {

constexpr size_t kTailBytes = 16;

absl::Status Told(const rocksdb::Status& status) {
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

}  // namespace

std::string DuePlanKey(absl::string_view campaign) {
  return absl::StrCat(absl::string_view(&kDuePlanPrefix, 1), campaign);
}

absl::string_view SplitTail(absl::string_view key, DueTail& tail) {
  OUTPACE_CHECK(key.size() >= kTailBytes);
  const absl::string_view last = key.substr(key.size() - kTailBytes);
  tail = {ReadBig64(last), ReadBig64(last.substr(8))};
  return key.substr(0, key.size() - kTailBytes);
}

std::string JoinTail(absl::string_view bucket, DueTail tail) {
  std::string key(bucket);
  AppendBig64(tail.order, key);
  AppendBig64(tail.lead, key);
  return key;
}

absl::Status RocksDue::Load() {
  absl::MutexLock lock(&mutex_);
  const std::string from(1, kDuePlanPrefix);
  const std::string to = AfterPrefix(from);
  const rocksdb::Slice upper(to);
  rocksdb::ReadOptions options;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db_.db->NewIterator(options, db_[kMeta]));
  for (it->Seek(from); it->Valid(); it->Next()) {
    absl::StatusOr<DuePlan> plan = DecodeDuePlan(View(it->value()));
    if (!plan.ok()) return plan.status();
    books_[CampaignId(View(it->key()).substr(1))].plan = *std::move(plan);
  }
  return it->status().ok() ? absl::OkStatus() : ReadError(db_, it->status());
}

uint64_t RocksDue::version() const {
  absl::MutexLock lock(&mutex_);
  return version_;
}

RocksDue::Book& RocksDue::BookOf(const CampaignId& campaign) { return books_[campaign]; }

DuePlan RocksDue::PlanOf(const CampaignId& campaign) const {
  absl::MutexLock lock(&mutex_);
  const auto it = books_.find(campaign);
  return it == books_.end() ? DuePlan() : it->second.plan;
}

bool RocksDue::NeedsTexts(const CampaignId& campaign) const {
  absl::MutexLock lock(&mutex_);
  const auto it = books_.find(campaign);
  if (it == books_.end()) return false;
  const DuePlan& plan = it->second.plan;
  return campaign::NeedsTexts(plan.order) ||
         (plan.building && campaign::NeedsTexts(plan.next_order));
}

std::vector<DueEntry> RocksDue::EntriesOf(const campaign::Lead& lead) const {
  return DueEntriesOf(lead, PlanOf(lead.campaign));
}

absl::Status RocksDue::Replace(const std::vector<DueEntry>& old, const std::vector<DueEntry>& now,
                               rocksdb::WriteBatch& out) const {
  rocksdb::ColumnFamilyHandle* family = db_[kDue];
  rocksdb::Status status;
  const auto same = [](const std::vector<DueEntry>& entries, const DueEntry& entry) {
    return std::find(entries.begin(), entries.end(), entry) != entries.end();
  };
  for (const DueEntry& entry : old) {
    if (same(now, entry)) continue;
    if (status.ok()) status = out.Delete(family, entry.key);
    // Nobody wrote down whether it has been moved.
    if (status.ok() && entry.waiting()) status = out.Delete(family, PromotedKey(entry));
  }
  for (const DueEntry& entry : now) {
    // An entry that stays may have been moved: it is not put back.
    if (!same(old, entry) && status.ok()) status = out.Put(family, entry.key, entry.value);
  }
  return Told(status);
}

void RocksDue::Lower(DueFronts& fronts, absl::string_view bucket, DueTail tail) {
  const auto [it, added] = fronts.try_emplace(std::string(bucket), tail);
  if (!added) it->second = std::min(it->second, tail);
}

void RocksDue::Written(const CampaignId& campaign, const std::vector<DueEntry>& now) {
  absl::MutexLock lock(&mutex_);
  Book& book = BookOf(campaign);
  if (!book.known && !book.reading) return;
  for (const DueEntry& entry : now) {
    if (static_cast<uint8_t>(entry.key[campaign.size() + 1]) != book.plan.generation) continue;
    DueTail tail;
    const absl::string_view bucket = SplitTail(entry.key, tail);
    Lower(book.fronts, bucket, tail);
    if (book.reading) Lower(book.lows, bucket, tail);
  }
}

DuePlan RocksDue::Pin(const CampaignId& campaign) {
  absl::MutexLock lock(&mutex_);
  Book& book = BookOf(campaign);
  ++book.pins;
  return book.plan;
}

void RocksDue::Unpin(const CampaignId& campaign) {
  absl::MutexLock lock(&mutex_);
  Book& book = BookOf(campaign);
  OUTPACE_CHECK(book.pins > 0);
  --book.pins;
}

bool RocksDue::Pinned(const CampaignId& campaign) const {
  absl::MutexLock lock(&mutex_);
  const auto it = books_.find(campaign);
  return it != books_.end() && it->second.pins > 0;
}

void RocksDue::Drop(Book& book) {
  book.known = false;
  book.fronts.clear();
  ++book.epoch;
}

void RocksDue::Ingested(const CampaignId& campaign) {
  absl::MutexLock lock(&mutex_);
  Drop(BookOf(campaign));
}

// A write that the refill's snapshot misses is told to Written() after the snapshot was taken, and
// so while `reading` is set: `lows` keeps it, and the front stays at or below it.
RocksDue::Read RocksDue::BeginRead(const CampaignId& campaign) {
  absl::MutexLock lock(&mutex_);
  Book& book = BookOf(campaign);
  Read read;
  read.known = book.known;
  read.generation = book.plan.generation;
  read.epoch = book.epoch;
  if (book.known) read.fronts = book.fronts;
  read.moves = !book.reading;
  if (read.moves) {
    book.reading = true;
    book.lows.clear();
    if (!book.known) book.fronts.clear();
  }
  return read;
}

void RocksDue::EndRead(const CampaignId& campaign, const Read& read, bool looked,
                       const DueFronts& first, const std::vector<std::string>& empty) {
  if (!read.moves) return;
  absl::MutexLock lock(&mutex_);
  Book& book = BookOf(campaign);
  book.reading = false;
  if (looked && book.epoch == read.epoch) {
    book.known = true;
    for (const std::string& bucket : empty) book.fronts.erase(bucket);
    for (const auto& [bucket, tail] : first) book.fronts.insert_or_assign(bucket, tail);
    for (const auto& [bucket, tail] : book.lows) Lower(book.fronts, bucket, tail);
  } else if (!read.known || book.epoch != read.epoch) {
    Drop(book);  // what Written() noted meanwhile is not all there is
  }
  book.lows.clear();
}

absl::StatusOr<DuePlan> RocksDue::PlanAt(const CampaignId& campaign,
                                         const rocksdb::Snapshot* snapshot) const {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  rocksdb::PinnableSlice bytes;
  const rocksdb::Status status = db_.db->Get(options, db_[kMeta], DuePlanKey(campaign), &bytes);
  if (status.IsNotFound()) return DuePlan();
  if (!status.ok()) return ReadError(db_, status);
  return DecodeDuePlan(View(bytes));
}

absl::Status RocksDue::PutPlan(const CampaignId& campaign, const DuePlan& plan,
                               rocksdb::WriteBatch& out) const {
  return Told(out.Put(db_[kMeta], DuePlanKey(campaign), EncodeDuePlan(plan)));
}

void RocksDue::SetPlan(const CampaignId& campaign, const DuePlan& plan) {
  absl::MutexLock lock(&mutex_);
  Book& book = BookOf(campaign);
  const bool other = plan.generation != book.plan.generation ||
                     plan.building != book.plan.building || plan.order != book.plan.order ||
                     plan.next_order != book.plan.next_order;
  if (plan.generation != book.plan.generation) Drop(book);
  book.plan = plan;
  if (other) ++version_;
}

DueTail RocksDue::WaitingFront(const CampaignId& campaign, uint8_t generation) const {
  absl::MutexLock lock(&mutex_);
  const auto book = books_.find(campaign);
  if (book == books_.end() || !book->second.known || book->second.plan.generation != generation) {
    return DueTail();
  }
  const auto front = book->second.fronts.find(WaitingBucket(campaign, generation));
  // Every bucket is known, and this one has nothing.
  if (front == book->second.fronts.end()) return {UINT64_MAX, UINT64_MAX};
  return front->second;
}

void RocksDue::RaiseWaiting(const CampaignId& campaign, uint8_t generation, DueTail front) {
  absl::MutexLock lock(&mutex_);
  Book& book = BookOf(campaign);
  if (!book.known || book.plan.generation != generation) return;
  const auto it = book.fronts.find(WaitingBucket(campaign, generation));
  if (it != book.fronts.end()) it->second = std::max(it->second, front);
}

}  // namespace outpace::store
