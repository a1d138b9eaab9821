// What makes it safe to cut off: the checkpoint is made before the first change; every write holds
// whole leads and the id of the last one, so each is of the old schema or of the new one and the
// next run knows which; the schema version is raised by the first write and the cursor removed by
// the last, so that no program takes a store that is half of each for a whole one.

#include "campaign/store/migrate.h"

#include <rocksdb/env.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/dictionary.h"
#include "campaign/store/due_index.h"
#include "campaign/store/lead_reader.h"
#include "campaign/store/lead_record.h"
#include "campaign/store/lead_v1.h"
#include "campaign/store/phone_index.h"
#include "campaign/store/private_copy.h"
#include "campaign/store/process_lock.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_scan.h"

namespace outpace::store {
namespace {

using campaign::Lead;

// Leads that were loaded together have the same fields, so few layouts are needed. Where a store
// was filled with leads of ever new fields, those after so many keep their names beside the texts.
constexpr size_t kLayoutsMax = 256;

absl::Status DiskError(const std::string& path, const rocksdb::Status& status) {
  return absl::UnavailableError(
      absl::StrCat("store: the migration of ", path, " stopped: ", status.ToString(),
                   "; free space or look at the disk, then run it again: it goes on from there"));
}

class Migration {
 public:
  Migration(RocksDb& db, const MigrationOptions& options) : db_(db), options_(options) {}

  absl::Status Run() {
    if (absl::Status status = ReadDictionary(db_, dictionary_); !status.ok()) return status;
    for (const auto& layout : dictionary_.view()->layouts) layout_ = *layout;
    if (absl::Status status = db_.migrating ? ReadCursor() : Begin(); !status.ok()) return status;
    uint64_t about = 0;
    db_.db->GetIntProperty(db_[kLeads], rocksdb::DB::Properties::kEstimateNumKeys, &about);
    for (uint64_t done = 0;;) {
      std::vector<Lead> leads;
      if (absl::Status status = ReadNext(leads); !status.ok()) return status;
      if (leads.empty()) return End();
      if (absl::Status status = WriteLeads(leads); !status.ok()) return status;
      done += leads.size();
      if (options_.progress != nullptr) options_.progress(done, about);
    }
  }

 private:
  absl::Status Write(rocksdb::WriteBatch& batch, bool sync) {
    rocksdb::Status status = AddStamps(db_, db_.sequence + 1, batch);
    rocksdb::WriteOptions synced;
    synced.sync = sync;
    if (status.ok()) status = db_.db->Write(synced, &batch);
    if (!status.ok()) return DiskError(db_.path, status);
    ++db_.sequence;
    return absl::OkStatus();
  }

  // The old entries of the due index have other keys than the new ones: all of them go, and each
  // lead brings its own. Keys of the index of numbers are the same, and are written over.
  absl::Status Begin() {
    rocksdb::WriteBatch batch;
    rocksdb::Status status =
        batch.DeleteRange(db_[kDue], SliceOf(kFirstKey), rocksdb::Slice(std::string(300, '\xff')));
    if (status.ok()) {
      status = batch.Put(db_[kMeta], kSchemaKey, EncodeText(absl::StrCat(kSchemaVersion)));
    }
    if (status.ok()) status = batch.Put(db_[kMeta], kMigrationKey, EncodeText("0"));
    return status.ok() ? Write(batch, /*sync=*/true) : DiskError(db_.path, status);
  }

  absl::Status ReadCursor() {
    std::string bytes;
    const rocksdb::Status status = db_.db->Get(rocksdb::ReadOptions(), kMigrationKey, &bytes);
    if (!status.ok()) return ReadError(db_, status);
    const absl::StatusOr<std::string> text = DecodeText(bytes);
    if (!text.ok()) return text.status();
    if (!absl::SimpleAtoi(*text, &last_)) return absl::DataLossError("store: migration cursor");
    return absl::OkStatus();
  }

  absl::Status ReadNext(std::vector<Lead>& leads) const {
    return Scan(db_, kLeads, {IdKey(last_ + 1), ""}, BulkRead(),
                [&](absl::string_view key, absl::string_view value) -> absl::StatusOr<bool> {
                  absl::StatusOr<Lead> lead = DecodeLeadV1(value);
                  if (!lead.ok()) {
                    return absl::Status(lead.status().code(),
                                        absl::StrCat(lead.status().message(), " (lead ",
                                                     ReadBig64(key), " of ", db_.path, ")"));
                  }
                  leads.push_back(*std::move(lead));
                  return leads.size() < options_.leads_a_write;
                });
  }

  absl::Status WriteLeads(const std::vector<Lead>& leads) {
    rocksdb::WriteBatch batch;
    rocksdb::Status status;
    for (const Lead& lead : leads) {
      if (status.ok()) status = AddLead(lead, batch);
    }
    last_ = leads.back().id.value();
    if (status.ok()) {
      status = batch.Put(db_[kMeta], kMigrationKey, EncodeText(absl::StrCat(last_)));
    }
    return status.ok() ? Write(batch, /*sync=*/false) : DiskError(db_.path, status);
  }

  rocksdb::Status AddLead(const Lead& lead, rocksdb::WriteBatch& batch) {
    rocksdb::Status status;
    const auto put = [&](Family family, const std::string& key, absl::string_view value) {
      if (status.ok()) status = batch.Put(db_[family], key, SliceOf(value));
    };
    uint32_t zones = 0;
    if (!dictionary_.FindZones(lead.time_zones, zones)) {
      zones = dictionary_.AddZones(lead.time_zones);
      put(kMeta, DictionaryKey(kZonesPrefix, zones), EncodeZones(lead.time_zones));
    }
    const std::string key = IdKey(lead.id.value());
    const std::string texts = Texts(lead, put);
    put(kLeads, key, EncodeHot(lead, zones, MarkOf(texts)));
    if (!texts.empty()) put(kTexts, key, texts);
    for (const DueEntry& entry : DueEntriesOf(lead, DuePlan())) put(kDue, entry.key, entry.value);
    const std::string value = PhoneValue(lead);
    if (lead.phone.valid()) put(kPhone, PhoneKey(lead.phone, lead.id), value);
    if (HasAltEntry(lead)) put(kPhone, PhoneKey(lead.alt_phone, lead.id), AltValue(value));
    return status;
  }

  // In the layout at hand; where that has not all the lead's fields, in one that has them besides.
  template <typename Put>
  std::string Texts(const Lead& lead, const Put& put) {
    uint32_t number = 0;
    if (dictionary_.FindLayout(layout_, number)) {
      if (std::optional<std::string> texts = EncodeTexts(lead, number, layout_)) return *texts;
    }
    if (dictionary_.view()->layouts.size() >= kLayoutsMax) return EncodeNamedTexts(lead);
    std::set<std::string> names;
    for (const campaign::FieldColumn& column : layout_) names.insert(column.name);
    const auto add = [&](const std::string& name) {
      if (names.insert(name).second) layout_.push_back({name, campaign::FieldType::kText});
    };
    for (const auto& [name, value] : lead.fields) add(name);
    if (!lead.owner.empty()) add("owner");
    number = dictionary_.AddLayout(layout_);
    put(kMeta, DictionaryKey(kLayoutPrefix, number), EncodeLayout(layout_));
    return EncodeTexts(lead, number, layout_).value();
  }

  absl::Status End() {
    rocksdb::WriteBatch batch;
    const rocksdb::Status status = batch.Delete(db_[kMeta], kMigrationKey);
    if (!status.ok()) return DiskError(db_.path, status);
    if (absl::Status s = Write(batch, /*sync=*/true); !s.ok()) return s;
    const std::vector<rocksdb::ColumnFamilyHandle*> families(db_.families.begin(),
                                                             db_.families.end());
    if (const rocksdb::Status s = db_.db->Flush(rocksdb::FlushOptions(), families); !s.ok()) {
      return DiskError(db_.path, s);
    }
    return SaveSequence(db_);
  }

  RocksDb& db_;
  const MigrationOptions& options_;
  Dictionary dictionary_;
  campaign::FieldLayout layout_;  // of the lead before
  uint64_t last_ = 0;             // id of the last lead done
};

// A copy of the store as it is, by links, with the number of its last write. One that is there
// already is of this migration if that has begun; else it is of an earlier one, or of a run that
// was killed in time, and makes room: it is not the store as it was.
absl::Status MakeCheckpoint(const RocksDb& db, const std::string& directory) {
  std::error_code error;
  if (std::filesystem::exists(directory, error)) {
    if (db.migrating) return absl::OkStatus();
    std::string aside;
    for (int i = 1; aside.empty() || std::filesystem::exists(aside, error); ++i) {
      aside = absl::StrCat(directory, ".", i);
    }
    std::filesystem::rename(directory, aside, error);
    if (error) return FileError("rename", directory, error.value());
  }
  std::string sequence;
  rocksdb::ReadFileToString(db.env, absl::StrCat(db.path, "/", kSequenceFileName), &sequence)
      .PermitUncheckedError();  // a store of that schema may have none
  return CheckpointTo(*db.db, directory, sequence);
}

}  // namespace

std::string CheckpointBeforeMigration(const std::string& path) {
  return absl::StrCat(path, ".schema1");
}

absl::Status MigrateStore(const MigrationOptions& given) {
  MigrationOptions options = given;
  while (options.path.size() > 1 && options.path.back() == '/') options.path.pop_back();
  RocksStoreOptions open;
  open.path = options.path;
  open.create_if_missing = false;
  open.now = options.now;
  open.env = options.env;
  open.memtable_bytes = 16 << 20;
  {
    const auto before = OpenRocksDb(open, OpenAs::kAsItIs);
    if (!before.ok()) return before.status();
    if ((*before)->schema == kSchemaVersion && !(*before)->migrating) return absl::OkStatus();
    if (absl::Status status = MakeCheckpoint(**before, CheckpointBeforeMigration((*before)->path));
        !status.ok()) {
      return status;
    }
  }
  const auto db = OpenRocksDb(open, OpenAs::kToMigrate);
  if (!db.ok()) return db.status();
  return Migration(**db, options).Run();
}

}  // namespace outpace::store
