#pragma once

// When a write of the MANIFEST fails, nobody knows whether the entry is on the disk: the next
// opening finds out. RocksDB 7.8.3 takes that into account for its own flushes and compactions, but
// not for files it was given: it deletes them again, and if the entry is on the disk after all, the
// store names files that are gone and cannot be opened any more (found by BulkFailingDisk). So
// after such a failure no data file is deleted; opening removes those that are in no MANIFEST.

#include <rocksdb/env.h>

#include <memory>

namespace outpace::store {

// `base`, with that rule. The result must outlive all that uses it, `base` the result.
std::unique_ptr<rocksdb::Env> NewGuardedEnv(rocksdb::Env* base);

}  // namespace outpace::store
