#pragma once

// Copies of a whole store, each as it is at one moment. The engine may go on meanwhile.
//
// A checkpoint is a store of its own in a new directory: made of links where that is on the same
// file system, so it costs nothing at first and is no protection against a broken disk. Backups are
// copies in a directory elsewhere; of several there only what differs is kept twice. All of them
// are for their owner only to read, whatever the umask; a directory of backups that is there
// already keeps its own mode. docs/IMPORTING.md, section Backup, is for who runs them.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/store/rocks_lead_store.h"

namespace outpace::store {

struct BackupInfo {
  uint32_t number = 0;  // rises with each backup of a directory
  absl::Time at;
  uint64_t bytes = 0;  // of the store; less on disk where backups share files
};

// What was committed before the call is in the copy, here and in a backup.
// `directory` must not exist, or be empty. AlreadyExists, Unavailable (disk), PermissionDenied.
absl::Status MakeCheckpoint(const RocksLeadStore& store, const std::string& directory);

// Goes through the store as RocksLeadStore::Verify() does, in a checkpoint of its own within the
// store's directory (kVerifyName), as what is written meanwhile would look like damage. One at a
// time.
absl::Status VerifyStore(const RocksLeadStore& store);

// Adds a backup to `directory`, which is made when it is not there, and checks what was written
// against its checksums.
absl::StatusOr<BackupInfo> MakeBackup(const RocksLeadStore& store, const std::string& directory);

// By rising number. Writes nothing. NotFound: no backups there.
absl::StatusOr<std::vector<BackupInfo>> ListBackups(const std::string& directory);

// Puts a backup (0: the latest) where `path` is, after it has been read against its checksums and
// gone through as RocksLeadStore::Verify() does; one of an older schema is brought up to date on
// the way (migrate.h). The store that was there is kept beside it, under `*kept` (empty: there was
// none). Nothing has changed when it fails. FailedPrecondition: a program uses the store. NotFound:
// no such backup. DataLoss: the backup is damaged.
absl::StatusOr<BackupInfo> RestoreBackup(const std::string& directory, uint32_t number,
                                         const std::string& path, absl::Time now,
                                         std::string* kept);

}  // namespace outpace::store
