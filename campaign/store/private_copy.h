#pragma once

// Directories with a copy of a store in them, where names and numbers are: nobody but their owner
// may look in, not even while they are made, and what has taken its place stays there over a power
// cut. On the machine's own files, not those of a rocksdb::Env.

#include <string>

#include "absl/status/status.h"

namespace rocksdb {
class DB;
}  // namespace rocksdb

namespace outpace::store {

// Makes `directory` with mode 0700; one that is there gets that mode. Errors: FileError().
absl::Status MakePrivateDirectory(const std::string& directory);

// What was made, renamed or removed in `directory` is on the disk when it returns.
absl::Status SyncDirectory(const std::string& directory);
// The directory that `path` is in.
std::string ParentOf(const std::string& path);

// A copy of the database as it is, by links where that is on the same file system. `sequence` is
// put into its kSequenceFileName; empty: none. `directory` must not exist, or be empty; it appears
// as a whole or not at all, but for a "<directory>.making" after a kill, which the next call
// removes.
absl::Status CheckpointTo(rocksdb::DB& db, const std::string& directory,
                          const std::string& sequence);

// Puts the directory `fresh` where `path` is, and what was there under `kept`, which must not
// exist. At no moment is nothing at `path`, where the file system can exchange two names
// (renameat2). Where it cannot (`may_exchange` false: a test), there is such a moment, and opening
// a store tells it from one that was never made. After an error all is as it was, but for one of the
// last step, the sync of the directory around them: then the two have changed places.
absl::Status PlaceDirectory(const std::string& fresh, const std::string& path,
                            const std::string& kept, bool may_exchange = true);

// Names that a store is kept under beside its own for a while: RestoreBackup().
inline constexpr char kRestoredSuffix[] = ".restored";
inline constexpr char kBeforeSuffix[] = ".before-";

}  // namespace outpace::store
