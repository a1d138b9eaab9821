#pragma once

// A RocksDB database of ours: its column families, its settings, how it is opened and how its
// errors are told. Included by the .cc files of the RocksDB store only.

#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "campaign/store/process_lock.h"
#include "campaign/store/rocks_lead_store.h"

namespace outpace::store {

// Column families; few, since each costs memory and time at opening. The order is that of kNames.
enum Family {
  kMeta,      // RocksDB's "default": schema, id counters, lists, campaigns, agents, named values
  kLeads,     // lead id -> hot record (lead_record.h)
  kDue,       // due key -> nothing; of a WAITING one, of the READY key it is to be (due_index.h)
  kPhone,     // phone, lead id -> phone_index.h
  kAttempts,  // attempt id -> attempt
  kTimes,     // dialed_at, attempt id -> nothing
  kOpen,      // attempt id -> nothing: intents without a result
  kDnc,       // list, phone or range -> entry
  kTexts,     // lead id -> texts record (lead_record.h)
  kFamilies,
};

// Kinds of keys in kMeta: the first byte.
inline constexpr char kListPrefix = 'l';
inline constexpr char kCampaignPrefix = 'c';
inline constexpr char kAgentPrefix = 'a';
inline constexpr char kValuePrefix = 'v';
// Recordings and activities lie in kMeta too: a column family more would be one that older
// programs, and stores made by them, do not have.
inline constexpr char kRecordingPrefix = 'r';       // attempt id -> recording
inline constexpr char kRecordingIndexPrefix = 'R';  // rocks_keys.h
inline constexpr char kActivityPrefix = 'A';        // rocks_keys.h; what agents did, by time
inline constexpr char kImportPrefix = 'i';          // import id -> import
inline constexpr char kZonesPrefix = 'z';           // number (4 bytes) -> dictionary.h
inline constexpr char kLayoutPrefix = 'L';          // number (4 bytes) -> dictionary.h
inline constexpr char kSchemaKey[] = "s:schema";
// Id of the last lead done, while the store is being migrated (migrate.h).
inline constexpr char kMigrationKey[] = "s:migrating";
inline constexpr char kLeadIdsKey[] = "s:next_lead_id";
inline constexpr char kAttemptIdsKey[] = "s:next_attempt_id";
inline constexpr char kLoadsKey[] = "s:loads";  // how many bulk loads were published

// Every write puts its number under this key into every column family, so that families that do not
// belong together (a MANIFEST cut short brings some of them back older) are told at opening.
// It is before all other keys of a family: scans of a whole family start at kFirstKey.
inline constexpr absl::string_view kStampKey("\0", 1);
inline constexpr absl::string_view kFirstKey("\0\0", 2);
// Beside the database's own files: the number of the last write at the last opening, closing or
// bulk load, and the number of bulk loads. A store that comes back with less has lost files. Loads
// are counted too because they leave nothing in the journal: later writes would hide that one is
// missing.
inline constexpr char kSequenceFileName[] = "outpace.sequence";
// Directory of the load under way, in the store's own; removed when the store is opened.
inline constexpr char kStagingName[] = "staging";
// The same for the copy that is being looked through (VerifyStore()).
inline constexpr char kVerifyName[] = "verify";

// Raised when older programs must not touch the data: a new index, another key.
inline constexpr int kSchemaVersion = 2;

// What RocksDB reports on its own threads.
struct Watch {
  std::atomic<bool> failed{false};  // a flush, compaction or log write has failed
  absl::Mutex mutex;
  std::string reason ABSL_GUARDED_BY(mutex);
  std::atomic<int64_t> journal_bytes_dropped{0};
};

struct RocksDb {
  std::string path;
  bool read_only = false;
  // Destroyed in reverse order: the database goes before what it uses.
  std::unique_ptr<ProcessLock> lock;
  std::shared_ptr<Watch> watch;
  std::unique_ptr<rocksdb::Env> guarded_env;  // manifest_guard.h
  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilies> families{};
  rocksdb::Env* env = nullptr;  // that one
  uint64_t sequence = 0;        // number of the last write; the writer's
  uint64_t loads = 0;           // bulk loads published; the writer's
  int schema = kSchemaVersion;
  bool migrating = false;  // a migration was begun and is not done

  RocksDb() = default;
  RocksDb(const RocksDb&) = delete;
  RocksDb& operator=(const RocksDb&) = delete;
  ~RocksDb();
  rocksdb::ColumnFamilyHandle* operator[](Family family) const { return families[family]; }
};

// What for. Only a store of the present schema can be opened as kStore; the others are the steps of
// a migration: kAsItIs makes no families (those it has not are null), kToMigrate makes them.
enum class OpenAs { kStore, kAsItIs, kToMigrate };

absl::StatusOr<std::unique_ptr<RocksDb>> OpenRocksDb(const RocksStoreOptions& options,
                                                     OpenAs as = OpenAs::kStore);

// Puts `number`, that of the write, under kStampKey of every family.
rocksdb::Status AddStamps(const RocksDb& db, uint64_t number, rocksdb::WriteBatch& batch);

// Writes down db.sequence and db.loads in kSequenceFileName, synced.
absl::Status SaveSequence(const RocksDb& db);

// A failed read. Corruption: DataLoss; the rest: Unavailable; both with the remedy.
absl::Status ReadError(const RocksDb& db, const rocksdb::Status& status);

inline absl::string_view View(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
inline rocksdb::Slice SliceOf(absl::string_view text) { return {text.data(), text.size()}; }

}  // namespace outpace::store
