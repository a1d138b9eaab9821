#pragma once

// Copies of a store, made while the engine runs, and a store made of a copy again. A checkpoint is
// a whole store at once, by links on the same disk. A backup goes to another disk and holds many
// states: files it has already are not copied again, so the second one costs what has changed.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/store/rocks_lead_store.h"

namespace outpace::store {

struct StoreBackup {
  uint32_t number = 0;  // rising
  absl::Time made;      // by the machine's clock
  uint64_t bytes = 0;   // of the store; files that are shared with other backups count for each
  uint32_t files = 0;
};

// A store of its own in `directory`, which must not exist and lie on the same disk: takes no copy,
// a few hundredths of a second and space only as the store changes. What was committed before the
// call is in it. FailedPrecondition: something is there. Unavailable: the disk.
absl::Status CheckpointStore(RocksLeadStore& store, const std::string& directory);

// One backup more in `directory`, made if need be, synced when it returns; then all but the last
// `keep` are removed (0: none). What was committed before the call is in it. One call at a time for
// a directory. Unavailable: either disk. DataLoss: the store or the backups are damaged.
absl::StatusOr<StoreBackup> BackupStore(RocksLeadStore& store, const std::string& directory,
                                        uint32_t keep);

// Those that are whole, oldest first. NotFound: no backups there.
absl::StatusOr<std::vector<StoreBackup>> ListBackups(const std::string& directory);

struct RestoreOptions {
  std::string directory;  // of the backups
  uint32_t number = 0;    // 0: the last one
  std::string target;     // the store's directory; must not exist or be empty
};
// Makes a store of a backup: checks the copy's checksums, copies it beside `target`, reads it
// through as RocksLeadStore::Verify() does, and only then puts it in its place. NotFound: no such
// backup. FailedPrecondition: something is in `target`. DataLoss: the backup is damaged.
// Unavailable: a disk.
absl::Status RestoreStore(const RestoreOptions& options);

// Opens the store for reading, beside a running engine if need be, and verifies it.
absl::Status VerifyStore(const std::string& path);

}  // namespace outpace::store
