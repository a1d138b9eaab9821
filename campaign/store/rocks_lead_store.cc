// The writing half. Callers of Commit queue up; whoever gets the write mutex first takes the
// batches of all who wait, reads the old records they replace (the indexes need them), and writes
// everything as one RocksDB batch with one sync. The others then find their work done. So an index
// can never disagree with its record, and a sync is shared by all who came during the one before.

#include "campaign/store/rocks_lead_store.h"

#include <rocksdb/write_batch.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/lead_reader.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/phone_index.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_due.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/rocks_scan.h"
#include "engine/base/check.h"

namespace outpace::store {
namespace {

using campaign::Attempt;
using campaign::Lead;
using campaign::StoreBatch;

constexpr size_t kGroupMax = 64;  // batches a write; bounds how long the first of them waits
constexpr uint64_t kAttemptIdsAhead = 1000;

struct AttemptEntries {
  bool exists = false;
  bool open = false;
  absl::Time dialed_at;
};

struct RecordingEntries {
  std::vector<std::string> keys;  // of its indexes
  bool erased = false;
};

}  // namespace

// As stored. The texts' mark tells whether they must be written again.
struct RocksLeadStore::LeadEntries {
  bool exists = false;
  CampaignId campaign;
  ListId list;
  std::vector<DueEntry> due;
  uint64_t due_version = 0;  // of the plans `due` follows
  E164 phone, alt;           // none: without an entry
  std::string phone_value;
  TextsMark texts;
  // What a place in the due index may hang on, of the lead's texts.
  bool has_texts = false;
  std::string owner, last_name;

  // `lead` has its texts if its place hangs on them.
  static LeadEntries Of(const Lead& lead, const TextsMark& texts, const RocksDue& due) {
    LeadEntries entries;
    entries.exists = true;
    entries.campaign = lead.campaign;
    entries.list = lead.list;
    entries.due = due.EntriesOf(lead);
    entries.due_version = due.version();
    entries.phone = lead.phone;
    if (HasAltEntry(lead)) entries.alt = lead.alt_phone;
    entries.phone_value = PhoneValue(lead);
    entries.texts = texts;
    entries.has_texts = lead.has_fields;
    entries.owner = lead.owner;
    entries.last_name = lead.Field("last_name");
    return entries;
  }
};

struct RocksLeadStore::Request {
  const StoreBatch* batch;
  bool sync;
  bool done = false;
  absl::Status result;
};

struct RocksLeadStore::Overlay {
  absl::flat_hash_map<LeadId, LeadEntries> leads;
  absl::flat_hash_map<AttemptId, AttemptEntries> attempts;
  absl::flat_hash_map<AttemptId, RecordingEntries> recordings;
  absl::btree_map<ListId, campaign::List> lists;
  absl::btree_map<ListId, int64_t> gone;  // leads of this batch alone
  const Overlay* below = nullptr;         // what the batches before this one have made

  const LeadEntries* Find(LeadId id) const { return FindIn(&Overlay::leads, id); }
  const AttemptEntries* Find(AttemptId id) const { return FindIn(&Overlay::attempts, id); }
  const RecordingEntries* FindRecording(AttemptId id) const {
    return FindIn(&Overlay::recordings, id);
  }
  const campaign::List* Find(ListId id) const { return FindIn(&Overlay::lists, id); }
  void MergeInto(Overlay& base) {
    for (auto& [id, list] : lists) base.lists[id] = std::move(list);
    for (auto& [id, entries] : leads) base.leads[id] = std::move(entries);
    for (auto& [id, entries] : attempts) base.attempts[id] = entries;
    for (auto& [id, entries] : recordings) base.recordings[id] = std::move(entries);
  }

 private:
  template <typename Map, typename Id>
  const typename Map::mapped_type* FindIn(Map Overlay::*map, Id id) const {
    if (const auto it = (this->*map).find(id); it != (this->*map).end()) return &it->second;
    return below != nullptr ? below->FindIn(map, id) : nullptr;
  }
};

// A lead whose intent was just stored is written again when its call ends, seconds later. What the
// indexes hold of it is remembered until then, so that its result need not read and decode the old
// record first. Bounded: the one written longest ago makes room, and is read like any other.
struct RocksLeadStore::Recent {
  static constexpr size_t kLeadsMax = 32'768;
  Overlay overlay;
  std::deque<LeadId> by_age;

  void Take(Overlay& written) {
    for (auto& [id, entries] : written.leads) {
      if (overlay.leads.insert_or_assign(id, std::move(entries)).second) by_age.push_back(id);
    }
    for (const auto& [id, entries] : written.attempts) {
      if (entries.open) {
        overlay.attempts.insert_or_assign(id, entries);
      } else {
        overlay.attempts.erase(id);
      }
    }
    while (by_age.size() > kLeadsMax) {
      overlay.leads.erase(by_age.front());
      by_age.pop_front();
    }
    if (overlay.attempts.size() > kLeadsMax) overlay.attempts.clear();
  }
  // Written over by what is not remembered.
  void Forget(const Overlay& written) {
    for (const auto& [id, entries] : written.leads) overlay.leads.erase(id);
    for (const auto& [id, entries] : written.attempts) overlay.attempts.erase(id);
  }
};

RocksLeadStore::RocksLeadStore(std::unique_ptr<RocksDb> db)
    : db_(std::move(db)),
      due_(std::make_unique<RocksDue>(*db_)),
      dictionary_(std::make_unique<Dictionary>()),
      recent_(std::make_unique<Recent>()) {}

// A store closed in order leaves nothing in its log: the next start has nothing to replay, and
// damage to the log cannot cost a record.
RocksLeadStore::~RocksLeadStore() {
  absl::MutexLock lock(&write_mutex_);
  if (db_->read_only || !Writable().ok()) return;
  const std::vector<rocksdb::ColumnFamilyHandle*> families(db_->families.begin(),
                                                           db_->families.end());
  if (db_->db->Flush(rocksdb::FlushOptions(), families).ok()) {
    SaveSequence(*db_).IgnoreError();  // it only says less than it might
  }
}

absl::StatusOr<std::unique_ptr<RocksLeadStore>> RocksLeadStore::Open(const Options& given) {
  Options options = given;
  while (options.path.size() > 1 && options.path.back() == '/') options.path.pop_back();
  absl::StatusOr<std::unique_ptr<RocksDb>> db = OpenRocksDb(options);
  // A reader beside a running engine may find a file gone that was there when it read the list of
  // files, or families read a moment apart; the next look sees a later, whole state.
  for (int tries = 1; options.read_only && tries < 5 && !db.ok() &&
                      (absl::IsDataLoss(db.status()) || absl::IsUnavailable(db.status()));
       ++tries) {
    db = OpenRocksDb(options);
  }
  if (!db.ok()) return db.status();
  std::unique_ptr<RocksLeadStore> store(new RocksLeadStore(*std::move(db)));
  if (absl::Status status = store->LoadIds(); !status.ok()) return status;
  if (absl::Status status = store->LoadDictionary(); !status.ok()) return status;
  if (absl::Status status = store->due_->Load(); !status.ok()) return status;
  return store;
}

rocksdb::DB* RocksLeadStore::db() const { return db_->db.get(); }

int64_t RocksLeadStore::journal_bytes_dropped() const {
  return db_->watch->journal_bytes_dropped.load();
}

absl::Status RocksLeadStore::LoadIds() {
  absl::MutexLock lock(&write_mutex_);
  for (auto [key, block] : {std::pair<const char*, IdBlock*>{kLeadIdsKey, &lead_ids_},
                            {kAttemptIdsKey, &attempt_ids_}}) {
    std::string bytes;
    const rocksdb::Status status = db_->db->Get(rocksdb::ReadOptions(), key, &bytes);
    if (status.IsNotFound()) continue;
    if (!status.ok()) return ReadError(*db_, status);
    absl::StatusOr<std::string> text = DecodeText(bytes);
    if (!text.ok()) return text.status();
    if (!absl::SimpleAtoi(*text, &block->next) || block->next == 0) {
      return absl::DataLossError(
          absl::StrCat("store: the id counter of ", db_->path, " is damaged; restore a backup"));
    }
    block->end = block->next;
  }
  return absl::OkStatus();
}

absl::Status RocksLeadStore::Commit(const StoreBatch& batch) {
  return Submit(batch, /*sync=*/true);
}

absl::Status RocksLeadStore::CommitUnsynced(const StoreBatch& batch) {
  return Submit(batch, /*sync=*/false);
}

absl::Status RocksLeadStore::SyncWrites() {
  absl::MutexLock lock(&write_mutex_);
  if (absl::Status status = Writable(); !status.ok()) return status;
  const rocksdb::Status status = db_->db->SyncWAL();
  return status.ok() ? absl::OkStatus() : Poison(status.ToString());
}

absl::Status RocksLeadStore::Submit(const StoreBatch& batch, bool sync) {
  if (absl::Status status = CheckBatch(batch); !status.ok()) return status;
  Request request{&batch, sync, false, absl::OkStatus()};
  {
    absl::MutexLock lock(&queue_mutex_);
    queue_.push_back(&request);
  }
  absl::MutexLock lock(&write_mutex_);
  while (!request.done) WriteGroup();
  return request.result;
}

absl::Status RocksLeadStore::Writable() {
  if (db_->read_only) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: ", db_->path, " was opened for reading only"));
  }
  if (poison_.ok() && db_->watch->failed) {
    absl::MutexLock lock(&db_->watch->mutex);
    return Poison(db_->watch->reason);
  }
  return poison_;
}

// An error here is final for this process. A failed fsync is never tried again: the kernel may have
// marked the pages clean, and the second fsync would then acknowledge what is not on disk.
absl::Status RocksLeadStore::Poison(const std::string& reason) {
  poison_ = absl::UnavailableError(absl::StrCat("store: ", db_->path,
                                                " takes no more writes after an error: ", reason,
                                                "; free space or repair the disk, then restart the "
                                                "process, which reads back what is stored"));
  return poison_;
}

absl::Status RocksLeadStore::Write(rocksdb::WriteBatch& batch, bool sync) {
  rocksdb::Status status = AddStamps(*db_, db_->sequence + 1, batch);
  rocksdb::WriteOptions options;
  options.sync = sync;
  if (status.ok()) status = db_->db->Write(options, &batch);
  if (!status.ok()) return Poison(status.ToString());
  ++db_->sequence;
  if (sync) zones_synced_ = dictionary_->view()->zones.size();
  return absl::OkStatus();
}

void RocksLeadStore::WriteGroup() {
  std::vector<Request*> group;
  {
    absl::MutexLock lock(&queue_mutex_);
    const size_t n = std::min(queue_.size(), kGroupMax);
    group.assign(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(n));
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<ptrdiff_t>(n));
  }
  OUTPACE_CHECK(!group.empty());
  absl::Status outcome = Writable();
  if (outcome.ok()) {
    rocksdb::WriteBatch batch;
    Overlay overlay;
    overlay.below = &recent_->overlay;
    bool sync = false;
    outcome = AddZones(group, batch);
    for (Request* request : group) {
      // A batch whose old records cannot be read, or have changed, fails by itself; the others go
      // on without it.
      Overlay own;
      own.below = &overlay;
      batch.SetSavePoint();
      request->result = CheckUnchanged(*request->batch, overlay);
      if (request->result.ok()) request->result = AddBatch(*request->batch, batch, own);
      if (request->result.ok()) {
        batch.PopSavePoint().PermitUncheckedError();
        own.MergeInto(overlay);
        sync = sync || request->sync;
      } else {
        batch.RollbackToSavePoint().PermitUncheckedError();
      }
    }
    if (outcome.ok() && (batch.Count() > 0 || sync)) outcome = Write(batch, sync);
    if (outcome.ok()) {
      for (const auto& [id, entries] : overlay.leads) due_->Written(entries.campaign, entries.due);
    }
    // An import writes each lead once: it would only push the others out.
    if (outcome.ok() && sync) recent_->Take(overlay);
    if (outcome.ok() && !sync) recent_->Forget(overlay);
  }
  for (Request* request : group) {
    if (!outcome.ok()) request->result = outcome;
    request->done = true;
  }
}

absl::Status RocksLeadStore::AddBatch(const StoreBatch& batch, rocksdb::WriteBatch& out,
                                      Overlay& overlay) const {
  for (const Lead& lead : batch.leads) {
    if (absl::Status status = AddLead(lead, out, overlay); !status.ok()) return status;
  }
  for (const LeadId id : batch.leads_removed) {
    if (absl::Status status = RemoveLead(id, out, overlay); !status.ok()) return status;
  }
  for (const Attempt& attempt : batch.attempts) {
    if (absl::Status status = AddAttempt(attempt, out, overlay); !status.ok()) return status;
  }
  for (const campaign::Recording& recording : batch.recordings) {
    if (absl::Status status = AddRecording(recording, out, overlay); !status.ok()) return status;
  }
  rocksdb::Status status;
  const auto put = [&](Family family, const std::string& key, const std::string& value) {
    if (status.ok()) status = out.Put((*db_)[family], key, value);
  };
  // Removals first: a number both removed and added stays listed, which is the safe side.
  for (const campaign::DncEntry& entry : batch.dnc_removed) {
    if (status.ok()) status = out.Delete((*db_)[kDnc], DncKey(entry));
  }
  for (const campaign::DncEntry& entry : batch.dnc_added) {
    put(kDnc, DncKey(entry), EncodeDnc(entry));
  }
  if (absl::Status s = AddLists(batch, out, overlay); !s.ok()) return s;
  for (const campaign::Import& import : batch.imports) {
    put(kMeta, MetaKey(kImportPrefix, IdKey(import.id.value())), EncodeImport(import));
  }
  for (const campaign::CampaignSettings& settings : batch.campaigns) {
    put(kMeta, MetaKey(kCampaignPrefix, settings.id), EncodeSettings(settings));
  }
  for (const campaign::AgentRecord& agent : batch.agents) {
    put(kMeta, MetaKey(kAgentPrefix, agent.user), EncodeAgent(agent));
  }
  for (const campaign::AgentActivity& activity : batch.activities) {
    // The write has this number (Write()), and the count of what it holds rises with each record.
    put(kMeta, ActivityKey(activity.at, db_->sequence + 1, out.Count()), EncodeActivity(activity));
  }
  for (const auto& [name, value] : batch.meta) {
    put(kMeta, MetaKey(kValuePrefix, name), EncodeText(value));
  }
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

absl::Status RocksLeadStore::CheckUnchanged(const StoreBatch& batch, const Overlay& group) const {
  const std::shared_ptr<const DictionaryView> known = dictionary_->view();
  for (const Lead& read : batch.unchanged) {
    HotLead hot;
    if (group.leads.contains(read.id)) return LeadHasChanged(read.id);
    const std::string key = IdKey(read.id.value());
    rocksdb::PinnableSlice bytes, texts;
    rocksdb::Status status = db_->db->Get(rocksdb::ReadOptions(), (*db_)[kLeads], key, &bytes);
    if (status.IsNotFound()) return LeadHasChanged(read.id);
    if (!status.ok()) return ReadError(*db_, status);
    if (absl::Status s = DecodeLeadHead(View(bytes), *known, hot); !s.ok()) return s;
    if (read.has_fields) {
      status = db_->db->Get(rocksdb::ReadOptions(), (*db_)[kTexts], key, &texts);
      if (!status.ok() && !status.IsNotFound()) return ReadError(*db_, status);
      if (absl::Status s = AddTexts(View(texts), *known, hot); !s.ok()) return s;
    }
    if (!IsUnchanged(hot.lead, read)) return LeadHasChanged(read.id);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<campaign::List>> RocksLeadStore::StoredList(
    ListId id, const Overlay& overlay) const {
  if (const campaign::List* pending = overlay.Find(id); pending != nullptr) {
    return std::optional<campaign::List>(*pending);
  }
  return ReadOne<campaign::List>(*db_, kMeta, MetaKey(kListPrefix, IdKey(id.value())), DecodeList);
}

// After the leads, whose removals are in `overlay`.
absl::Status RocksLeadStore::AddLists(const StoreBatch& batch, rocksdb::WriteBatch& out,
                                      Overlay& overlay) const {
  absl::btree_map<ListId, campaign::List> changed;
  for (const campaign::List& list : batch.lists) {
    const auto stored = StoredList(list.id, overlay);
    if (!stored.ok()) return stored.status();
    campaign::List& made = changed[list.id] = list;
    if (stored->has_value()) made.leads = (*stored)->leads;
  }
  for (const auto& [id, gone] : overlay.gone) {
    if (!changed.contains(id)) {
      const auto stored = StoredList(id, overlay);
      if (!stored.ok()) return stored.status();
      if (!stored->has_value()) continue;
      changed[id] = **stored;
    }
    changed[id].leads = std::max<int64_t>(0, changed[id].leads - gone);
  }
  for (auto& [id, list] : changed) {
    const rocksdb::Status status =
        out.Put((*db_)[kMeta], MetaKey(kListPrefix, IdKey(id.value())), EncodeList(list));
    if (!status.ok()) return absl::InternalError(status.ToString());
    overlay.lists[id] = std::move(list);
  }
  return absl::OkStatus();
}

absl::Status RocksLeadStore::AddZones(const std::vector<Request*>& group,
                                      rocksdb::WriteBatch& out) {
  rocksdb::Status status;
  for (const Request* request : group) {
    for (const Lead& lead : request->batch->leads) {
      uint32_t number = 0;
      if (dictionary_->FindZones(lead.time_zones, number)) continue;
      number = dictionary_->AddZones(lead.time_zones);
      status =
          out.Put((*db_)[kMeta], DictionaryKey(kZonesPrefix, number), EncodeZones(lead.time_zones));
      if (!status.ok()) return absl::InternalError(status.ToString());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<RocksLeadStore::LeadEntries> RocksLeadStore::StoredEntries(
    LeadId id, const Overlay& overlay) const {
  const LeadEntries* const pending = overlay.Find(id);
  if (pending != nullptr && pending->due_version == due_->version()) return *pending;
  return ReadEntries(id, /*with_texts=*/false);
}

absl::StatusOr<RocksLeadStore::LeadEntries> RocksLeadStore::ReadEntries(LeadId id,
                                                                        bool with_texts) const {
  const std::string key = IdKey(id.value());
  rocksdb::PinnableSlice bytes, texts;
  rocksdb::Status status = db_->db->Get(rocksdb::ReadOptions(), (*db_)[kLeads], key, &bytes);
  if (status.IsNotFound()) {
    LeadEntries none;
    none.due_version = due_->version();
    return none;
  }
  if (!status.ok()) return ReadError(*db_, status);
  const std::shared_ptr<const DictionaryView> known = dictionary_->view();
  HotLead hot;
  if (absl::Status s = DecodeLeadHead(View(bytes), *known, hot); !s.ok()) return s;
  if (with_texts || due_->NeedsTexts(hot.lead.campaign)) {
    status = db_->db->Get(rocksdb::ReadOptions(), (*db_)[kTexts], key, &texts);
    if (!status.ok() && !status.IsNotFound()) return ReadError(*db_, status);
    if (absl::Status s = AddTexts(View(texts), *known, hot); !s.ok()) return s;
  }
  return LeadEntries::Of(hot.lead, hot.texts, *due_);
}

// The entries `lead` is to have. One without texts keeps those that are stored.
absl::StatusOr<RocksLeadStore::LeadEntries> RocksLeadStore::NextEntries(
    const Lead& lead, const TextsMark& mark, const LeadEntries& old) const {
  if (lead.has_fields) return LeadEntries::Of(lead, mark, *due_);
  LeadEntries texts = old;
  if (!texts.has_texts && due_->NeedsTexts(lead.campaign)) {
    absl::StatusOr<LeadEntries> read = ReadEntries(lead.id, /*with_texts=*/true);
    if (!read.ok()) return read.status();
    texts = *std::move(read);
  }
  Lead placed = lead;
  placed.has_fields = texts.has_texts;
  placed.owner = texts.owner;
  placed.fields["last_name"] = texts.last_name;
  return LeadEntries::Of(placed, mark, *due_);
}

absl::Status RocksLeadStore::AddLead(const Lead& lead, rocksdb::WriteBatch& out,
                                     Overlay& overlay) const {
  const RocksDb& db = *db_;
  const std::string key = IdKey(lead.id.value());
  const absl::StatusOr<LeadEntries> old = StoredEntries(lead.id, overlay);
  if (!old.ok()) return old.status();
  rocksdb::Status status;
  const auto put = [&](Family family, const std::string& k, absl::string_view value) {
    if (status.ok()) status = out.Put(db[family], k, SliceOf(value));
  };
  const auto remove = [&](Family family, const std::string& k) {
    if (status.ok()) status = out.Delete(db[family], k);
  };

  TextsMark mark = old->texts;
  if (lead.has_fields) {
    // In the layout it came in, as long as that has all its fields.
    const std::shared_ptr<const DictionaryView> known = dictionary_->view();
    const campaign::FieldLayout* layout = known->Layout(old->texts.layout);
    std::optional<std::string> texts;
    if (layout != nullptr) texts = EncodeTexts(lead, old->texts.layout, *layout);
    if (!texts.has_value()) texts = EncodeNamedTexts(lead);
    mark = MarkOf(*texts);
    if (mark != old->texts && mark.length > 0) put(kTexts, key, *texts);
    if (mark != old->texts && mark.length == 0) remove(kTexts, key);
  }
  uint32_t zones = 0;
  OUTPACE_CHECK(dictionary_->FindZones(lead.time_zones, zones));  // AddZones() has seen it
  put(kLeads, key, EncodeHot(lead, zones, mark));

  absl::StatusOr<LeadEntries> entries = NextEntries(lead, mark, *old);
  if (!entries.ok()) return entries.status();
  if (absl::Status s = due_->Replace(old->due, entries->due, out); !s.ok()) return s;
  const bool same = old->exists && old->phone_value == entries->phone_value;
  if (!same || old->phone != entries->phone || old->alt != entries->alt) {
    for (const E164 phone : {old->phone, old->alt}) {
      if (phone.valid()) remove(kPhone, PhoneKey(phone, lead.id));
    }
    if (entries->phone.valid()) {
      put(kPhone, PhoneKey(entries->phone, lead.id), entries->phone_value);
    }
    if (entries->alt.valid()) {
      put(kPhone, PhoneKey(entries->alt, lead.id), AltValue(entries->phone_value));
    }
  }
  overlay.leads[lead.id] = *std::move(entries);
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

absl::Status RocksLeadStore::RemoveLead(LeadId id, rocksdb::WriteBatch& out,
                                        Overlay& overlay) const {
  const RocksDb& db = *db_;
  const absl::StatusOr<LeadEntries> old = StoredEntries(id, overlay);
  if (!old.ok()) return old.status();
  if (!old->exists) return absl::OkStatus();
  ++overlay.gone[old->list];
  const std::string key = IdKey(id.value());
  rocksdb::Status status = out.Delete(db[kLeads], key);
  if (status.ok() && old->texts.length > 0) status = out.Delete(db[kTexts], key);
  if (absl::Status s = due_->Replace(old->due, {}, out); !s.ok()) return s;
  for (const E164 phone : {old->phone, old->alt}) {
    if (status.ok() && phone.valid()) status = out.Delete(db[kPhone], PhoneKey(phone, id));
  }
  LeadEntries& gone = overlay.leads[id] = LeadEntries();
  gone.due_version = due_->version();
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

absl::Status RocksLeadStore::AddAttempt(const Attempt& attempt, rocksdb::WriteBatch& out,
                                        Overlay& overlay) const {
  const RocksDb& db = *db_;
  const std::string key = IdKey(attempt.id.value());
  AttemptEntries old;
  if (const AttemptEntries* pending = overlay.Find(attempt.id); pending != nullptr) {
    old = *pending;
  } else {
    rocksdb::PinnableSlice bytes;
    const rocksdb::Status status = db.db->Get(rocksdb::ReadOptions(), db[kAttempts], key, &bytes);
    if (status.ok()) {
      const absl::StatusOr<Attempt> stored = DecodeAttempt(View(bytes));
      if (!stored.ok()) return stored.status();
      old = {true, stored->open, stored->dialed_at};
    } else if (!status.IsNotFound()) {
      return ReadError(db, status);
    }
  }
  rocksdb::Status status = out.Put(db[kAttempts], key, EncodeAttempt(attempt));
  if (!old.exists || MicrosOf(old.dialed_at) != MicrosOf(attempt.dialed_at)) {
    if (status.ok() && old.exists) {
      status = out.Delete(db[kTimes], AttemptTimeKey(old.dialed_at, attempt.id));
    }
    if (status.ok()) {
      status = out.Put(db[kTimes], AttemptTimeKey(attempt.dialed_at, attempt.id), "");
    }
  }
  if (attempt.open != old.open && status.ok()) {
    status = attempt.open ? out.Put(db[kOpen], key, "") : out.Delete(db[kOpen], key);
  }
  overlay.attempts[attempt.id] = {true, attempt.open, attempt.dialed_at};
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

absl::Status RocksLeadStore::AddRecording(const campaign::Recording& recording,
                                          rocksdb::WriteBatch& out, Overlay& overlay) const {
  const RocksDb& db = *db_;
  const std::string key = RecordingKey(recording.attempt);
  RecordingEntries old;
  if (const auto* pending = overlay.FindRecording(recording.attempt); pending != nullptr) {
    old = *pending;
  } else {
    rocksdb::PinnableSlice bytes;
    const rocksdb::Status status = db.db->Get(rocksdb::ReadOptions(), db[kMeta], key, &bytes);
    if (status.ok()) {
      const absl::StatusOr<campaign::Recording> stored = DecodeRecording(View(bytes));
      if (!stored.ok()) return stored.status();
      old = {RecordingIndexKeys(*stored), stored->erased()};
    } else if (!status.IsNotFound()) {
      return ReadError(db, status);
    }
  }
  // Told again, or told while it was being erased: it stays erased.
  if (old.erased && !recording.erased()) return absl::OkStatus();
  std::vector<std::string> keys = RecordingIndexKeys(recording);
  rocksdb::Status status = out.Put(db[kMeta], key, EncodeRecording(recording));
  for (const std::string& index : old.keys) {
    if (status.ok() && std::find(keys.begin(), keys.end(), index) == keys.end()) {
      status = out.Delete(db[kMeta], index);
    }
  }
  for (const std::string& index : keys) {
    if (status.ok()) status = out.Put(db[kMeta], index, "");
  }
  overlay.recordings[recording.attempt] = {std::move(keys), recording.erased()};
  return status.ok() ? absl::OkStatus() : absl::InternalError(status.ToString());
}

// Ids between the block's end and what is on disk are lost when the process dies: a gap in the
// numbers, never a number twice.
absl::StatusOr<uint64_t> RocksLeadStore::ReserveIds(const std::string& key, uint64_t count,
                                                    uint64_t ahead, IdBlock& block) {
  if (count == 0) return absl::InvalidArgumentError("store: 0 ids were asked for");
  if (absl::Status status = Writable(); !status.ok()) return status;
  if (block.end - block.next < count) {
    if (count > UINT64_MAX / 4 || block.next > UINT64_MAX / 4) {
      return absl::InvalidArgumentError("store: that many ids do not exist");
    }
    const uint64_t end = block.next + std::max(count, ahead);
    rocksdb::WriteBatch batch;
    const rocksdb::Status put = batch.Put((*db_)[kMeta], key, EncodeText(absl::StrCat(end)));
    if (!put.ok()) return absl::InternalError(put.ToString());
    if (absl::Status status = Write(batch, /*sync=*/true); !status.ok()) return status;
    block.end = end;
  }
  const uint64_t first = block.next;
  block.next += count;
  return first;
}

absl::StatusOr<uint64_t> RocksLeadStore::ReserveLeadIds(uint64_t count) {
  absl::MutexLock lock(&write_mutex_);
  return ReserveIds(kLeadIdsKey, count, /*ahead=*/0, lead_ids_);
}

absl::StatusOr<uint64_t> RocksLeadStore::ReserveAttemptIds(uint64_t count) {
  absl::MutexLock lock(&write_mutex_);
  return ReserveIds(kAttemptIdsKey, count, kAttemptIdsAhead, attempt_ids_);
}

}  // namespace outpace::store
