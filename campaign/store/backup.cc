#include "campaign/store/backup.h"

#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/utilities/backup_engine.h>
#include <rocksdb/utilities/checkpoint.h>

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/bulk_file.h"
#include "campaign/store/rocks_db.h"

namespace outpace::store {
namespace {

absl::Status Failed(absl::string_view what, const rocksdb::Status& status) {
  const std::string text = absl::StrCat("store: cannot ", what, ": ", status.ToString());
  if (status.IsNotFound()) return absl::NotFoundError(text);
  if (status.IsCorruption()) {
    return absl::DataLossError(absl::StrCat(text, "; a file is damaged: take another backup"));
  }
  return absl::UnavailableError(
      absl::StrCat(text, "; look at the disk and the rights of the directory"));
}

rocksdb::BackupEngineOptions EngineOptions(const std::string& directory) {
  rocksdb::BackupEngineOptions options(directory);
  options.sync = true;
  return options;
}

absl::Status WriteSynced(const std::string& path, absl::string_view text) {
  const rocksdb::Status status =
      rocksdb::WriteStringToFile(rocksdb::Env::Default(), SliceOf(text), path, true);
  return status.ok() ? absl::OkStatus() : Failed(absl::StrCat("write ", path), status);
}

StoreBackup Told(const rocksdb::BackupInfo& info) {
  return {info.backup_id, absl::FromUnixSeconds(info.timestamp), info.size, info.number_files};
}

using Reader = std::unique_ptr<rocksdb::BackupEngineReadOnly>;
absl::StatusOr<Reader> OpenBackups(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return absl::NotFoundError(absl::StrCat("store: there are no backups in ", directory));
  }
  rocksdb::BackupEngineReadOnly* raw = nullptr;
  const rocksdb::Status status =
      rocksdb::BackupEngineReadOnly::Open(rocksdb::Env::Default(), EngineOptions(directory), &raw);
  if (!status.ok()) return Failed(absl::StrCat("read the backups in ", directory), status);
  return Reader(raw);
}

// Nothing there, or an empty directory.
absl::Status CheckTarget(const std::string& target) {
  std::error_code error;
  if (!std::filesystem::exists(target, error) || std::filesystem::is_empty(target, error)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "store: ", target, " is not empty; name a new directory, or move what is there away"));
}

}  // namespace

// What `outpace.sequence` of a copy may say: the copy is made after this and has at least that.
std::string RocksLeadStore::SequenceText() {
  absl::MutexLock lock(&write_mutex_);
  return absl::StrCat(db_->sequence, " ", db_->loads, "\n");
}

absl::Status RocksLeadStore::MakeCheckpoint(const std::string& directory) {
  rocksdb::Checkpoint* raw = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_->db.get(), &raw);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  if (status.ok()) status = checkpoint->CreateCheckpoint(directory);
  return status.ok() ? absl::OkStatus()
                     : Failed(absl::StrCat("make the checkpoint ", directory), status);
}

absl::StatusOr<StoreBackup> RocksLeadStore::MakeBackup(const std::string& directory,
                                                       uint32_t keep) {
  rocksdb::BackupEngine* raw = nullptr;
  rocksdb::Status status =
      rocksdb::BackupEngine::Open(rocksdb::Env::Default(), EngineOptions(directory), &raw);
  const std::unique_ptr<rocksdb::BackupEngine> engine(raw);
  rocksdb::CreateBackupOptions options;
  options.flush_before_backup = true;
  rocksdb::BackupInfo info;
  if (status.ok()) {
    status = engine->CreateNewBackupWithMetadata(options, db_->db.get(), SequenceText());
  }
  if (status.ok() && keep > 0) status = engine->PurgeOldBackups(keep);
  if (status.ok()) status = engine->GetLatestBackupInfo(&info);
  if (!status.ok()) return Failed(absl::StrCat("back the store up to ", directory), status);
  return Told(info);
}

absl::Status CheckpointStore(RocksLeadStore& store, const std::string& directory) {
  std::error_code error;
  if (std::filesystem::exists(directory, error)) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: ", directory, " is there already; name a new directory"));
  }
  const std::string sequence = store.SequenceText();
  if (absl::Status status = store.MakeCheckpoint(directory); !status.ok()) return status;
  return WriteSynced(absl::StrCat(directory, "/", kSequenceFileName), sequence);
}

absl::StatusOr<StoreBackup> BackupStore(RocksLeadStore& store, const std::string& directory,
                                        uint32_t keep) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("store: cannot make the directory ", directory, ": ", error.message()));
  }
  return store.MakeBackup(directory, keep);
}

absl::StatusOr<std::vector<StoreBackup>> ListBackups(const std::string& directory) {
  const absl::StatusOr<Reader> engine = OpenBackups(directory);
  if (!engine.ok()) return engine.status();
  std::vector<rocksdb::BackupInfo> infos;
  (*engine)->GetBackupInfo(&infos);
  std::vector<StoreBackup> backups;
  for (const rocksdb::BackupInfo& info : infos) backups.push_back(Told(info));
  return backups;
}

absl::Status RestoreStore(const RestoreOptions& options) {
  std::string target = options.target;
  while (target.size() > 1 && target.back() == '/') target.pop_back();
  if (absl::Status status = CheckTarget(target); !status.ok()) return status;
  const absl::StatusOr<Reader> engine = OpenBackups(options.directory);
  if (!engine.ok()) return engine.status();
  rocksdb::BackupInfo info;
  const rocksdb::Status found = options.number == 0
                                    ? (*engine)->GetLatestBackupInfo(&info)
                                    : (*engine)->GetBackupInfo(options.number, &info);
  if (!found.ok()) {
    return Failed(absl::StrCat("find that backup in ", options.directory), found);
  }

  const std::string made = absl::StrCat(target, ".restoring");  // left by a run that was cut off
  if (absl::Status s = RemoveDirectory(rocksdb::Env::Default(), made); !s.ok()) return s;
  rocksdb::Status status = (*engine)->VerifyBackup(info.backup_id, /*verify_with_checksum=*/true);
  if (status.ok()) status = (*engine)->RestoreDBFromBackup(info.backup_id, made, made);
  if (!status.ok()) {
    return Failed(absl::StrCat("restore backup ", info.backup_id, " to ", target), status);
  }
  if (absl::Status s = WriteSynced(absl::StrCat(made, "/", kSequenceFileName), info.app_metadata);
      !s.ok()) {
    return s;
  }
  if (absl::Status s = VerifyStore(made); !s.ok()) return s;
  std::error_code error;
  std::filesystem::permissions(made, std::filesystem::perms::owner_all, error);
  std::filesystem::remove(target, error);  // if it is there, it is empty
  std::filesystem::rename(made, target, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("store: the restored store lies in ", made,
                     " and cannot be put in its place: ", error.message()));
  }
  return absl::OkStatus();
}

absl::Status VerifyStore(const std::string& path) {
  RocksStoreOptions options;
  options.path = path;
  options.read_only = true;
  const auto store = RocksLeadStore::Open(options);
  return store.ok() ? (*store)->Verify() : store.status();
}

}  // namespace outpace::store
