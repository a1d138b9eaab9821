#pragma once

// Brings a store of an older schema version to the present one.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace outpace::store {

struct MigrationOptions {
  std::string path;                       // of the store
  absl::Time now = absl::InfinitePast();  // for the lock file
  // Leads done, and how many there are by the database's own estimate. May be null.
  std::function<void(uint64_t done, uint64_t about)> progress;
  rocksdb::Env* env = nullptr;  // tests; not owned
  size_t leads_a_write = 1000;
};

// Where the store as it was is kept: made of links to its files, so it costs space only as the
// store changes. To be removed by the operator when all is well; to go back, take its place. One of
// an earlier migration that is still there gets ".1", ".2", ... behind its name.
std::string CheckpointBeforeMigration(const std::string& path);

// Schema 1 had one record a lead and no numbers of alt_phone in the index. Makes the checkpoint
// first, then rewrites lead by lead in writes of a bounded size, each with the place to go on from:
// a migration that was cut off anywhere goes on when it is called again, and until it is done the
// store can be opened by no program. OK without doing anything on a store that is up to date.
//
// FailedPrecondition: in use, no store of ours, or of a newer version. NotFound: no store.
// DataLoss: a damaged record, named; the store stays as it is, half done, and the checkpoint whole.
// Unavailable: the disk.
absl::Status MigrateStore(const MigrationOptions& options);

}  // namespace outpace::store
