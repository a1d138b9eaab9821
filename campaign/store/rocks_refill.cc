#include "campaign/store/rocks_refill.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/due_index.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_keys.h"

namespace outpace::store {
namespace {

// WAITING entries whose time has come and that the writer has not moved yet: as many are merged in
// place. Of more, those that have been due longest; the writer moves the rest in the meantime.
constexpr size_t kWaitingMost = 2048;

absl::Status Damaged(const RocksDb& db) {
  return absl::DataLossError(absl::StrCat("store: ", db.path,
                                          ": a key of the due index is damaged; restore the last "
                                          "backup"));
}

}  // namespace

RocksRefill::RocksRefill(const RocksDb& db, const campaign::DueQuery& query, const DuePlan& plan,
                         const rocksdb::ReadOptions& options, const DueFronts* known)
    : db_(db),
      query_(query),
      plan_(plan),
      options_(options),
      known_(known),
      ready_(ReadyPart(query.campaign, plan.generation)),
      waiting_(WaitingBucket(query.campaign, plan.generation)),
      now_(OrderedMicros(query.now)),
      lanes_(query),
      heaps_(lanes_.lanes()) {}

absl::StatusOr<std::vector<uint64_t>> RocksRefill::Run() {
  if (known_ == nullptr) {
    if (absl::Status status = Discover(); !status.ok()) return status;
  }
  for (const auto& [name, front] : known_ != nullptr ? *known_ : first_) {
    if (name != waiting_) AddBucket(name, front);
  }
  if (plan_.order != campaign::LeadOrder::kDue) {
    if (absl::Status status = AddWaiting(); !status.ok()) return status;
  }
  std::vector<uint64_t> leads;
  lanes_.Fill([&](size_t lane) {
    uint64_t lead = 0;
    if (!status_.ok() || !Take(lane, lead)) return false;
    leads.push_back(lead);
    return true;
  });
  if (!status_.ok()) return status_;
  return leads;
}

// One seek a bucket: from the first entry of each to behind its last.
absl::Status RocksRefill::Discover() {
  rocksdb::ReadOptions options = options_;
  const std::string end = AfterPrefix(waiting_);
  const rocksdb::Slice upper(end);
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db_.db->NewIterator(options, db_[kDue]));
  for (it->Seek(ready_); it->Valid();) {
    DueTail tail;
    const std::string bucket(SplitTail(View(it->key()), tail));
    first_.insert_or_assign(bucket, tail);
    it->Seek(AfterPrefix(bucket));
  }
  return it->status().ok() ? absl::OkStatus() : ReadError(db_, it->status());
}

void RocksRefill::AddBucket(const std::string& name, DueTail front) {
  const bool by_time = plan_.order == campaign::LeadOrder::kDue;
  if (by_time && front.order > now_) return;
  const std::string key = JoinTail(name, front);
  ReadyKey parts;
  if (!ParseReadyKey(key, ready_.size() - 1, parts)) {
    status_ = Damaged(db_);
    return;
  }
  const size_t lane = lanes_.LaneOf(parts.list, parts.status);
  if (lane == RefillLanes::kNone) return;
  auto bucket = std::make_unique<Bucket>();
  bucket->name = name;
  bucket->front = front;
  bucket->list = parts.list;
  bucket->lane = lane;
  heaps_[lane].push({{parts.tier, parts.rank_place, front.order, front.lead}, bucket.get()});
  buckets_.push_back(std::move(bucket));
}

absl::Status RocksRefill::AddWaiting() {
  DueTail from;
  if (known_ != nullptr) {
    const auto front = known_->find(waiting_);
    if (front == known_->end()) return absl::OkStatus();
    from = front->second;
  }
  rocksdb::ReadOptions options = options_;
  const std::string end = AfterPrefix(waiting_);
  const rocksdb::Slice upper(end);
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db_.db->NewIterator(options, db_[kDue]));
  size_t read = 0;
  for (it->Seek(JoinTail(waiting_, from)); it->Valid() && read < kWaitingMost; it->Next(), ++read) {
    DueTail tail;
    SplitTail(View(it->key()), tail);
    if (read == 0) first_.insert_or_assign(waiting_, tail);
    if (tail.order > now_) break;
    const DueEntry entry{std::string(View(it->key())), std::string(View(it->value()))};
    const std::string key = PromotedKey(entry);
    ReadyKey parts;
    if (!ParseReadyKey(key, ready_.size() - 1, parts)) return Damaged(db_);
    const size_t lane = lanes_.LaneOf(parts.list, parts.status);
    if (lane == RefillLanes::kNone || !Dialed(parts.list)) continue;
    heaps_[lane].push({{parts.tier, parts.rank_place, parts.order, parts.lead.value()}, nullptr});
  }
  if (!it->status().ok()) return ReadError(db_, it->status());
  if (read == 0 && !it->Valid()) empty_.push_back(waiting_);
  return status_;
}

bool RocksRefill::Dialed(ListId list) {
  const auto [known, added] = dialed_.try_emplace(list, true);
  if (!added) return known->second;
  rocksdb::PinnableSlice bytes;
  const std::string key = absl::StrCat(std::string(1, kListPrefix), IdKey(list.value()));
  const rocksdb::Status got = db_.db->Get(options_, db_[kMeta], key, &bytes);
  if (got.IsNotFound()) return true;
  if (!got.ok()) {
    status_ = ReadError(db_, got);
    return known->second = false;
  }
  const absl::StatusOr<campaign::List> record = DecodeList(View(bytes));
  if (!record.ok()) {
    status_ = record.status();
    return known->second = false;
  }
  return known->second = record->dialed(query_.now);
}

bool RocksRefill::Open(Bucket& bucket) {
  if (!Dialed(bucket.list)) return false;
  rocksdb::ReadOptions options = options_;
  bucket.end = AfterPrefix(bucket.name);
  bucket.upper = bucket.end;
  options.iterate_upper_bound = &bucket.upper;
  bucket.it.reset(db_.db->NewIterator(options, db_[kDue]));
  bucket.it->Seek(JoinTail(bucket.name, bucket.front));
  return true;
}

void RocksRefill::Push(Bucket& bucket, bool opening) {
  if (!bucket.it->Valid()) {
    if (!bucket.it->status().ok()) {
      status_ = ReadError(db_, bucket.it->status());
    } else if (opening) {
      empty_.push_back(bucket.name);
    }
    return;
  }
  const absl::string_view key = View(bucket.it->key());
  ReadyKey parts;
  if (!ParseReadyKey(key, ready_.size() - 1, parts)) {
    status_ = Damaged(db_);
    return;
  }
  if (opening) first_.insert_or_assign(bucket.name, DueTail{parts.order, parts.lead.value()});
  if (plan_.order == campaign::LeadOrder::kDue && parts.order > now_) return;
  heaps_[bucket.lane].push(
      {{parts.tier, parts.rank_place, parts.order, parts.lead.value()}, &bucket});
}

bool RocksRefill::Take(size_t lane, uint64_t& lead) {
  Heap& heap = heaps_[lane];
  while (status_.ok() && !heap.empty()) {
    const Candidate best = heap.top();
    heap.pop();
    Bucket* bucket = best.bucket;
    if (bucket != nullptr && bucket->it == nullptr) {
      if (Open(*bucket)) Push(*bucket, /*opening=*/true);
      continue;
    }
    lead = best.place.lead;
    if (bucket != nullptr) {
      bucket->it->Next();
      Push(*bucket, /*opening=*/false);
    }
    return true;
  }
  return false;
}

}  // namespace outpace::store
