#include "campaign/store/store_backup.h"

#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "campaign/store/codec.h"
#include "campaign/store/migrate.h"
#include "campaign/store/private_copy.h"
#include "campaign/store/process_lock.h"
#include "campaign/store/rocks_db.h"
#include "campaign/store/rocks_keys.h"

namespace outpace::store {
namespace {

namespace fs = std::filesystem;

absl::Status Told(const rocksdb::Status& status, const std::string& directory) {
  const std::string text = absl::StrCat(directory, ": ", status.ToString());
  if (status.IsNotFound()) return absl::NotFoundError(text);
  if (status.IsCorruption()) {
    return absl::DataLossError(absl::StrCat(text, "; it is damaged: take another backup"));
  }
  return absl::UnavailableError(
      absl::StrCat(text, "; look at the disk's space and the rights of the directory"));
}

// In a directory of backups, where RocksDB puts what: names and numbers are nobody else's business.
constexpr const char* kBackupParts[] = {"meta", "private", "shared_checksum"};

rocksdb::BackupEngineOptions EngineOptions(const std::string& directory) {
  rocksdb::BackupEngineOptions options(directory);
  options.sync = true;
  options.share_table_files = true;
  return options;
}

// To add a backup. A directory that is there already keeps its mode, the parts in it do not.
absl::StatusOr<std::unique_ptr<rocksdb::BackupEngine>> OpenEngine(const std::string& directory) {
  std::error_code error;
  if (!fs::exists(directory, error)) {
    if (absl::Status s = MakePrivateDirectory(directory); !s.ok()) return s;
  }
  for (const char* part : kBackupParts) {
    if (absl::Status s = MakePrivateDirectory(absl::StrCat(directory, "/", part)); !s.ok()) {
      return s;
    }
  }
  rocksdb::BackupEngine* engine = nullptr;
  const rocksdb::IOStatus status =
      rocksdb::BackupEngine::Open(EngineOptions(directory), rocksdb::Env::Default(), &engine);
  if (!status.ok()) return Told(status, directory);
  return std::unique_ptr<rocksdb::BackupEngine>(engine);
}

absl::Status NoBackups(const std::string& directory) {
  return absl::NotFoundError(
      absl::StrCat(directory, ": no backups are there; make one with: outpace store backup DIR"));
}

// To look at backups: writes nothing, whatever the directory is. NotFound: none are there.
absl::StatusOr<std::unique_ptr<rocksdb::BackupEngineReadOnly>> OpenReader(
    const std::string& directory) {
  std::error_code error;
  if (!fs::is_directory(absl::StrCat(directory, "/meta"), error)) return NoBackups(directory);
  rocksdb::BackupEngineReadOnly* engine = nullptr;
  const rocksdb::IOStatus status = rocksdb::BackupEngineReadOnly::Open(
      EngineOptions(directory), rocksdb::Env::Default(), &engine);
  if (!status.ok()) return Told(status, directory);
  return std::unique_ptr<rocksdb::BackupEngineReadOnly>(engine);
}

BackupInfo InfoOf(const rocksdb::BackupInfo& info) {
  return {info.backup_id, absl::FromUnixSeconds(info.timestamp), info.size};
}

template <typename Engine>
std::vector<BackupInfo> AllOf(const Engine& engine) {
  std::vector<rocksdb::BackupInfo> infos;
  engine.GetBackupInfo(&infos);
  std::vector<BackupInfo> all;
  for (const rocksdb::BackupInfo& info : infos) all.push_back(InfoOf(info));
  std::sort(all.begin(), all.end(),
            [](const BackupInfo& a, const BackupInfo& b) { return a.number < b.number; });
  return all;
}

// What kSequenceFileName of a copy may say that is made after this: it has at least these writes
// and loads.
absl::StatusOr<std::string> SequenceOf(rocksdb::DB& db) {
  std::string stamp, loads;
  for (const auto& [key, value] :
       {std::pair<absl::string_view, std::string*>{kStampKey, &stamp}, {kLoadsKey, &loads}}) {
    const rocksdb::Status status = db.Get(rocksdb::ReadOptions(), SliceOf(key), value);
    if (!status.ok() && !status.IsNotFound()) return Told(status, db.GetName());
  }
  const absl::StatusOr<std::string> count =
      loads.empty() ? absl::StatusOr<std::string>("0") : DecodeText(loads);
  if (!count.ok()) return count.status();
  return absl::StrCat(stamp.size() == 8 ? ReadBig64(stamp) : 0, " ", *count, "\n");
}

absl::Status WriteSequence(const std::string& directory, const std::string& text) {
  const std::string path = absl::StrCat(directory, "/", kSequenceFileName);
  const rocksdb::Status status =
      rocksdb::WriteStringToFile(rocksdb::Env::Default(), text, path, /*should_sync=*/true);
  return status.ok() ? absl::OkStatus() : Told(status, path);
}

// Reads the copy through: what is put in the place of a store is whole.
absl::Status VerifyCopy(const std::string& directory) {
  RocksStoreOptions options;
  options.path = directory;
  options.read_only = true;
  const auto store = RocksLeadStore::Open(options);
  return store.ok() ? (*store)->Verify() : store.status();
}

// A copy of an older schema becomes one of today; what it was is in the backup.
absl::Status BringUpToDate(const std::string& directory, absl::Time now) {
  {
    RocksStoreOptions options;
    options.path = directory;
    options.read_only = true;
    const auto db = OpenRocksDb(options, OpenAs::kAsItIs);
    if (!db.ok()) return db.status();
    if ((*db)->schema == kSchemaVersion && !(*db)->migrating) return absl::OkStatus();
  }
  std::error_code ignored;
  fs::remove_all(CheckpointBeforeMigration(directory), ignored);
  MigrationOptions options;
  options.path = directory;
  options.now = now;
  absl::Status status = MigrateStore(options);
  fs::remove_all(CheckpointBeforeMigration(directory), ignored);
  return status;
}

// Restores into `fresh`, which is whole when it returns OK.
absl::Status RestoreInto(const rocksdb::BackupEngineReadOnly& engine, const std::string& directory,
                         uint32_t number, const std::string& fresh, absl::Time now) {
  rocksdb::IOStatus status = engine.RestoreDBFromBackup(number, fresh, fresh);
  if (!status.ok()) return Told(status, directory);
  rocksdb::BackupInfo info;
  if (const rocksdb::Status found = engine.GetBackupInfo(number, &info); !found.ok()) {
    return Told(found, directory);
  }
  if (absl::Status s = WriteSequence(fresh, info.app_metadata); !s.ok()) return s;
  if (absl::Status s = BringUpToDate(fresh, now); !s.ok()) return s;
  if (absl::Status s = VerifyCopy(fresh); !s.ok()) return s;
  return SyncDirectory(fresh);
}

// A name for the store that is replaced, which nothing has.
std::string NameToKeep(const std::string& path, absl::Time now) {
  const std::string name = absl::StrCat(
      path, kBeforeSuffix, absl::FormatTime("%Y%m%d-%H%M%S", now, absl::UTCTimeZone()));
  std::error_code error;
  std::string free = name;
  for (int i = 2; fs::exists(free, error); ++i) free = absl::StrCat(name, "-", i);
  return free;
}

}  // namespace

absl::Status MakeCheckpoint(const RocksLeadStore& store, const std::string& directory) {
  std::error_code error;
  if (fs::exists(directory, error)) {
    if (!fs::is_directory(directory, error) || !fs::is_empty(directory, error)) {
      return absl::AlreadyExistsError(
          absl::StrCat(directory, ": is there already; name a directory that is not"));
    }
    fs::remove(directory, error);  // RocksDB makes it
  }
  const absl::StatusOr<std::string> sequence = SequenceOf(*store.db());
  if (!sequence.ok()) return sequence.status();
  return CheckpointTo(*store.db(), directory, *sequence);
}

absl::Status VerifyStore(const RocksLeadStore& store) {
  const std::string place = absl::StrCat(store.db()->GetName(), "/", kVerifyName);
  if (absl::Status s = MakePrivateDirectory(place); !s.ok()) return s;
  const auto remove = absl::MakeCleanup([&place] {
    std::error_code ignored;
    fs::remove_all(place, ignored);
  });
  const std::string copy = absl::StrCat(place, "/copy");
  if (absl::Status s = MakeCheckpoint(store, copy); !s.ok()) return s;
  return VerifyCopy(copy);
}

absl::StatusOr<BackupInfo> MakeBackup(const RocksLeadStore& store, const std::string& directory) {
  auto engine = OpenEngine(directory);
  if (!engine.ok()) return engine.status();
  rocksdb::CreateBackupOptions options;
  options.flush_before_backup = true;
  rocksdb::BackupID number = 0;
  const absl::StatusOr<std::string> sequence = SequenceOf(*store.db());
  if (!sequence.ok()) return sequence.status();
  rocksdb::IOStatus status =
      (*engine)->CreateNewBackupWithMetadata(options, store.db(), *sequence, &number);
  if (!status.ok()) return Told(status, directory);
  status = (*engine)->VerifyBackup(number, /*verify_with_checksum=*/true);
  if (!status.ok()) return Told(status, directory);
  for (const BackupInfo& info : AllOf(**engine)) {
    if (info.number == number) return info;
  }
  return absl::DataLossError(absl::StrCat(directory, ": the backup just made is not there"));
}

absl::StatusOr<std::vector<BackupInfo>> ListBackups(const std::string& directory) {
  auto engine = OpenReader(directory);
  if (!engine.ok()) return engine.status();
  std::vector<BackupInfo> all = AllOf(**engine);
  if (all.empty()) return NoBackups(directory);
  return all;
}

absl::StatusOr<BackupInfo> RestoreBackup(const std::string& directory, uint32_t number,
                                         const std::string& path, absl::Time now,
                                         std::string* kept) {
  kept->clear();
  auto all = ListBackups(directory);
  if (!all.ok()) return all.status();
  const BackupInfo wanted = [&] {
    if (number == 0) return all->back();
    const auto found = std::find_if(all->begin(), all->end(), [number](const BackupInfo& info) {
      return info.number == number;
    });
    return found == all->end() ? BackupInfo() : *found;
  }();
  if (wanted.number == 0) {
    return absl::NotFoundError(absl::StrCat(
        directory, ": there is no backup ", number,
        "; there are: ", absl::StrJoin(*all, ", ", [](std::string* out, const BackupInfo& info) {
          absl::StrAppend(out, info.number);
        })));
  }
  auto engine = OpenReader(directory);
  if (!engine.ok()) return engine.status();
  rocksdb::IOStatus status = (*engine)->VerifyBackup(wanted.number, /*verify_with_checksum=*/true);
  if (!status.ok()) return Told(status, directory);
  const std::string fresh = absl::StrCat(path, kRestoredSuffix);
  std::error_code error;
  fs::remove_all(fresh, error);
  if (absl::Status s = MakePrivateDirectory(fresh); !s.ok()) return s;
  auto remove = absl::MakeCleanup([&fresh] {
    std::error_code ignored;
    fs::remove_all(fresh, ignored);
  });
  if (absl::Status s = RestoreInto(**engine, directory, wanted.number, fresh, now); !s.ok()) {
    return s;
  }
  // Until here nothing was touched. A store in use is not replaced.
  std::unique_ptr<ProcessLock> lock;
  std::string name;
  if (fs::exists(path, error)) {
    auto taken = ProcessLock::Acquire(path, now);
    if (!taken.ok()) return taken.status();
    lock = *std::move(taken);
    name = NameToKeep(path, now);
  }
  if (absl::Status s = PlaceDirectory(fresh, path, name); !s.ok()) return s;
  *kept = name;
  std::move(remove).Cancel();
  return wanted;
}

}  // namespace outpace::store
