// Bulk loads, seen from the store: what they need before they begin, and how their files are taken
// over. RocksDB takes files of all families over in one entry of its MANIFEST, so a load is in the
// store as a whole or not at all. What changes with it, the import's record, the list's count and
// the stamps, goes with it as small files of its own: there is no step between two states.

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/bulk_file.h"
#include "campaign/store/codec.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/lead_keys.h"
#include "campaign/store/lead_reader.h"
#include "campaign/store/rocks_bulk.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_due.h"
#include "campaign/store/rocks_keys.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {
namespace {

absl::Status IdsInUse(uint64_t id) {
  return absl::FailedPreconditionError(
      absl::StrCat("store: a load has lead id ", id, ", which a stored lead has already"));
}

// No lead has any of the ids of the load, and no two of its leads have the same one.
absl::Status CheckIdsAreNew(const RocksDb& db, std::vector<std::pair<uint64_t, uint64_t>> ranges) {
  std::sort(ranges.begin(), ranges.end());
  const std::unique_ptr<rocksdb::Iterator> it(
      db.db->NewIterator(rocksdb::ReadOptions(), db[kLeads]));
  for (size_t i = 0; i < ranges.size(); ++i) {
    const auto [first, last] = ranges[i];
    if (i > 0 && first <= ranges[i - 1].second) return IdsInUse(first);
    it->Seek(IdKey(first));
    if (it->Valid() && ReadBig64(View(it->key())) <= last) return IdsInUse(first);
    if (!it->status().ok()) return ReadError(db, it->status());
  }
  return absl::OkStatus();
}

// A file of a few entries, in key order.
absl::StatusOr<std::string> WriteSmallFile(const RocksDb& db, Family family,
                                           const std::map<std::string, std::string>& entries) {
  BulkFile file(db, family, absl::StrCat(db.path, "/", kStagingName, "/publish-", family, ".sst"));
  for (const auto& [key, value] : entries) {
    if (absl::Status status = file.Put(key, value); !status.ok()) return status;
  }
  bool made = false;
  if (absl::Status status = file.Finish(made); !status.ok()) return status;
  return file.path();
}

}  // namespace

absl::Status RocksLeadStore::LoadDictionary() {
  if (absl::Status status = ReadDictionary(*db_, *dictionary_); !status.ok()) return status;
  absl::MutexLock lock(&write_mutex_);
  zones_synced_ = dictionary_->view()->zones.size();
  return absl::OkStatus();
}

absl::StatusOr<uint32_t> RocksLeadStore::InternZones(const std::vector<std::string>& zones) {
  absl::MutexLock lock(&write_mutex_);
  if (absl::Status status = Writable(); !status.ok()) return status;
  uint32_t number = 0;
  rocksdb::WriteBatch batch;
  if (!dictionary_->FindZones(zones, number)) {
    number = dictionary_->AddZones(zones);
    const rocksdb::Status status =
        batch.Put((*db_)[kMeta], DictionaryKey(kZonesPrefix, number), EncodeZones(zones));
    if (!status.ok()) return absl::InternalError(status.ToString());
  } else if (number <= zones_synced_) {
    return number;
  }  // else of a write that was not synced yet: this one takes it along
  if (absl::Status status = Write(batch, /*sync=*/true); !status.ok()) return status;
  return number;
}

absl::StatusOr<uint32_t> RocksLeadStore::InternLayout(const campaign::FieldLayout& layout) {
  absl::MutexLock lock(&write_mutex_);
  if (absl::Status status = Writable(); !status.ok()) return status;
  uint32_t number = 0;
  if (dictionary_->FindLayout(layout, number)) return number;
  number = dictionary_->AddLayout(layout);
  rocksdb::WriteBatch batch;
  const rocksdb::Status status =
      batch.Put((*db_)[kMeta], DictionaryKey(kLayoutPrefix, number), EncodeLayout(layout));
  if (!status.ok()) return absl::InternalError(status.ToString());
  if (absl::Status s = Write(batch, /*sync=*/true); !s.ok()) return s;
  return number;
}

absl::StatusOr<std::unique_ptr<campaign::LeadBulk>> RocksLeadStore::BeginBulk(
    const campaign::BulkOptions& options) {
  if (absl::Status status = CheckBulkOptions(options, *this); !status.ok()) return status;
  const absl::StatusOr<uint32_t> layout = InternLayout(options.layout);
  if (!layout.ok()) return layout.status();
  if (bulk_under_way_.exchange(true)) {
    return absl::FailedPreconditionError(
        "store: another load is under way; wait for its end, or stop it");
  }
  const std::string directory =
      absl::StrCat(db_->path, "/", kStagingName, "/", options.import.value());
  if (absl::Status status = MakeEmptyDirectory(db_->env, directory); !status.ok()) {
    bulk_under_way_ = false;
    return status;
  }
  return std::make_unique<RocksBulk>(
      *db_, directory, options, *layout, *dictionary_, due_->Pin(options.campaign),
      [this](const BulkResult& result, const campaign::Import& import) {
        return PublishBulk(result, import);
      },
      [this, campaign = options.campaign] {
        due_->Unpin(campaign);
        bulk_under_way_ = false;
      });
}

absl::Status RocksLeadStore::PublishBulk(const BulkResult& result, const campaign::Import& import) {
  const RocksDb& db = *db_;
  // Taking files over writes out memtables that hold keys of theirs, while writers wait. Written
  // out before, there is little left in them.
  const std::vector<rocksdb::ColumnFamilyHandle*> families(db.families.begin(), db.families.end());
  if (const rocksdb::Status s = db.db->Flush(rocksdb::FlushOptions(), families); !s.ok()) {
    return absl::UnavailableError(s.ToString());
  }
  absl::MutexLock lock(&write_mutex_);
  if (absl::Status status = Writable(); !status.ok()) return status;
  if (absl::Status status = CheckIdsAreNew(db, result.ids); !status.ok()) return status;

  std::array<std::map<std::string, std::string>, kFamilies> entries;
  for (auto& of_family : entries) of_family[std::string(kStampKey)] = IdKey(db.sequence + 1);
  entries[kMeta][kLoadsKey] = EncodeText(absl::StrCat(db.loads + 1));
  // Asked when the load began, too; somebody may have stored one since.
  const std::string import_key = MetaKey(kImportPrefix, IdKey(import.id.value()));
  std::string bytes;
  const rocksdb::Status there = db.db->Get(rocksdb::ReadOptions(), import_key, &bytes);
  if (there.ok()) return ImportIsThere(import.id);
  if (!there.IsNotFound()) return ReadError(db, there);
  entries[kMeta][import_key] = EncodeImport(import);
  const std::string list_key = MetaKey(kListPrefix, IdKey(import.list.value()));
  if (const rocksdb::Status s = db.db->Get(rocksdb::ReadOptions(), list_key, &bytes); !s.ok()) {
    return s.IsNotFound() ? NoListToLoadInto(import.campaign, import.list) : ReadError(db, s);
  }
  absl::StatusOr<campaign::List> list = DecodeList(bytes);
  if (!list.ok()) return list.status();
  list->leads += static_cast<int64_t>(result.leads);
  entries[kMeta][list_key] = EncodeList(*list);
  // An index that is being built begins again: the load has no entries in it.
  DuePlan plan = due_->PlanOf(list->campaign);
  plan.cursor.clear();
  if (plan.building) entries[kMeta][DuePlanKey(list->campaign)] = EncodeDuePlan(plan);

  std::vector<rocksdb::IngestExternalFileArg> files(kFamilies);
  for (int i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    const absl::StatusOr<std::string> small = WriteSmallFile(db, family, entries[family]);
    if (!small.ok()) return small.status();
    files[i].column_family = db[family];
    files[i].external_files = result.files[i];
    files[i].external_files.push_back(*small);
    files[i].options.move_files = true;
    files[i].options.write_global_seqno = false;
  }
  if (const rocksdb::Status s = db.db->IngestExternalFiles(files); !s.ok()) {
    return Poison(s.ToString());
  }
  ++db_->sequence;
  ++db_->loads;
  due_->SetPlan(list->campaign, plan);
  due_->Ingested(list->campaign);
  // Without it a missing load would not be noticed; the load itself is safe.
  SaveSequence(db).IgnoreError();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<campaign::Import>> RocksLeadStore::Imports() const {
  return ReadAll<campaign::Import>(*db_, kMeta, PrefixRange({kImportPrefix}), DecodeImport);
}

// Layouts are kept in the order of the loads that brought them.
absl::StatusOr<std::map<std::string, campaign::FieldType>> RocksLeadStore::LoadedFields() const {
  std::map<std::string, campaign::FieldType> fields;
  for (const auto& layout : dictionary_->view()->layouts) {
    for (const campaign::FieldColumn& column : *layout) fields[column.name] = column.type;
  }
  return fields;
}

}  // namespace outpace::store
