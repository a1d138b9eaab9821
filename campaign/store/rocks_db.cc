// Opening, which is where most of a user's trouble with a store shows: so each step that can fail
// says which directory, why, and what to do.

#include "campaign/store/rocks_db.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "campaign/store/bulk_file.h"
#include "campaign/store/codec.h"
#include "campaign/store/manifest_guard.h"
#include "campaign/store/manifest_tail.h"
#include "campaign/store/private_copy.h"
#include "campaign/store/rocks_keys.h"

namespace outpace::store {
namespace {

constexpr const char* kNames[kFamilies] = {"default",       "leads", "due", "phone", "attempts",
                                           "attempt_times", "open",  "dnc", "texts"};

// Passes RocksDB's log on to its file, and counts what recovery throws away: RocksDB opens a store
// whose log is damaged at the end without an error, and says so only there.
class WatchingLogger final : public rocksdb::Logger {
 public:
  WatchingLogger(std::shared_ptr<rocksdb::Logger> file, std::shared_ptr<Watch> watch)
      : rocksdb::Logger(rocksdb::InfoLogLevel::INFO_LEVEL),
        file_(std::move(file)),
        watch_(std::move(watch)) {}

  using rocksdb::Logger::Logv;
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level >= rocksdb::InfoLogLevel::WARN_LEVEL) {
      va_list copy;
      va_copy(copy, arguments);
      char line[512];
      std::vsnprintf(line, sizeof(line), format, copy);
      va_end(copy);
      CountDropped(line);
    }
    if (file_ != nullptr) file_->Logv(level, format, arguments);
  }
  void Logv(const char* format, va_list arguments) override {
    if (file_ != nullptr) file_->Logv(format, arguments);
  }

 private:
  void CountDropped(absl::string_view line) {  // "...: dropping 123 bytes; Corruption: ..."
    constexpr absl::string_view kWord = ": dropping ";
    const size_t at = line.find(kWord);
    if (at == absl::string_view::npos) return;
    line.remove_prefix(at + kWord.size());
    int64_t bytes = 0;
    if (absl::SimpleAtoi(line.substr(0, line.find(' ')), &bytes)) {
      watch_->journal_bytes_dropped += bytes;
    }
  }

  std::shared_ptr<rocksdb::Logger> file_;
  std::shared_ptr<Watch> watch_;
};

// A flush or compaction that fails does not fail the Commit that is under way: this tells the next.
class FailureListener final : public rocksdb::EventListener {
 public:
  explicit FailureListener(std::shared_ptr<Watch> watch) : watch_(std::move(watch)) {}
  void OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) override {
    absl::MutexLock lock(&watch_->mutex);
    if (watch_->reason.empty()) watch_->reason = status->ToString();
    watch_->failed = true;
  }

 private:
  std::shared_ptr<Watch> watch_;
};

rocksdb::ColumnFamilyOptions FamilyOptions(Family family, const RocksStoreOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions cf;
  cf.write_buffer_size = options.memtable_bytes;
  cf.max_write_buffer_number = 3;
  cf.level_compaction_dynamic_level_bytes = true;
  cf.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  // Small blocks where single records are read; the others are mostly scanned.
  table.block_size = 4 << 10;
  if (family == kAttempts || family == kTimes || family == kTexts) table.block_size = 16 << 10;
  table.format_version = 5;
  table.checksum = rocksdb::kXXH3;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  if (family == kLeads || family == kTexts) {
    // Who asks for a lead knows that it is there: filters only help to pass over newer files.
    cf.optimize_filters_for_hits = true;
  }
  if (family == kPhone) {
    // Read from end to end by every load, and seldom by single number.
    cf.compression = rocksdb::kNoCompression;
    table.block_size = 32 << 10;
    table.filter_policy.reset();
  }
  if (family == kDue || family == kOpen) {
    // Entries come and go, always at the front, and a scan wades through the tombstones of those
    // that went: a small memtable and early compaction keep them few (1 M leads dialled through by
    // the hundred: 3 ms of CPU a DueLeads, 6 at worst; 4 and 13 with a full memtable).
    cf.write_buffer_size = std::max<size_t>(options.memtable_bytes / 4, 64 << 10);
    cf.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(4096, 1024, 0.3));
  }
  cf.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return cf;
}

rocksdb::DBOptions DatabaseOptions(const RocksStoreOptions& options, rocksdb::Env* env,
                                   const std::shared_ptr<Watch>& watch) {
  rocksdb::DBOptions db;
  db.env = env;
  db.create_if_missing = !options.read_only;
  db.create_missing_column_families = !options.read_only;
  db.paranoid_checks = true;
  db.track_and_verify_wals_in_manifest = true;
  // A log cut by a power loss ends at its first bad record: what comes back is a prefix of what was
  // written, never something with a hole.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db.max_bgerror_resume_count = 0;  // after an I/O error only a restart tells what is on disk
  db.max_total_wal_size = 64 << 20;
  db.max_background_jobs = 2;
  db.bytes_per_sync = 1 << 20;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.max_log_file_size = 1 << 20;
  db.keep_log_file_num = 4;
  db.info_log_level = rocksdb::InfoLogLevel::INFO_LEVEL;
  std::shared_ptr<rocksdb::Logger> file;
  if (!options.read_only && !rocksdb::CreateLoggerFromOptions(options.path, db, &file).ok()) {
    file = nullptr;  // the store works without a log of its own
  }
  db.info_log = std::make_shared<WatchingLogger>(std::move(file), watch);
  db.listeners.push_back(std::make_shared<FailureListener>(watch));
  return db;
}

// A file that RocksDB or we may leave in a directory before the store in it is complete.
bool IsOurs(absl::string_view name) {
  return name == "." || name == ".." || name == "LOCK" || name == "IDENTITY" ||
         name == kLockFileName || absl::StartsWith(name, "LOG") ||
         absl::StartsWith(name, "MANIFEST-") || absl::StartsWith(name, "OPTIONS-") ||
         name == kSequenceFileName || name == kStagingName || name == kVerifyName ||
         absl::EndsWith(name, ".log") || absl::EndsWith(name, ".dbtmp") ||
         absl::EndsWith(name, ".sst");
}

absl::Status OpenError(const std::string& path, const rocksdb::Status& status) {
  const std::string text = absl::StrCat("store: cannot open ", path, ": ", status.ToString());
  if (status.IsCorruption()) {
    return absl::DataLossError(absl::StrCat(
        text, "; the files are damaged: keep a copy of the directory and restore the last backup"));
  }
  if (absl::StrContains(text, "ock") && absl::StrContains(text, "LOCK")) {
    return absl::FailedPreconditionError(absl::StrCat(
        text, "; a database tool holds it: stop that, or give this program its own directory"));
  }
  if (status.IsInvalidArgument() || status.IsNotSupported()) {
    return absl::FailedPreconditionError(absl::StrCat(
        text,
        "; it was written by another version of Outpace or by another program: run the "
        "version that wrote it, or name another data directory"));
  }
  if (status.IsNoSpace()) {
    return absl::UnavailableError(absl::StrCat(text, "; free space on that disk and start again"));
  }
  return absl::UnavailableError(
      absl::StrCat(text,
                   "; look at the disk, the rights of the files and the system log, then "
                   "start again"));
}

// A power cut while a store is made can leave CURRENT without the MANIFEST it names. Nothing has
// been written to such a store yet, so it is made anew; where any data file has content, it is not
// touched.
absl::Status DropUnbornStore(const std::string& path, rocksdb::Env* env, bool& exists) {
  std::string manifest;
  std::vector<std::string> names;
  if (!rocksdb::ReadFileToString(env, path + "/CURRENT", &manifest).ok() ||
      !env->GetChildren(path, &names).ok()) {
    return absl::OkStatus();
  }
  manifest = std::string(absl::StripAsciiWhitespace(manifest));
  if (env->FileExists(absl::StrCat(path, "/", manifest)).ok()) return absl::OkStatus();
  for (const std::string& name : names) {
    uint64_t bytes = 0;
    const bool data = absl::EndsWith(name, ".log") || absl::EndsWith(name, ".sst") ||
                      absl::StartsWith(name, "MANIFEST-");
    if (data && (!env->GetFileSize(absl::StrCat(path, "/", name), &bytes).ok() || bytes > 0)) {
      return absl::OkStatus();
    }
  }
  if (const rocksdb::Status status = env->DeleteFile(path + "/CURRENT"); !status.ok()) {
    return OpenError(path, status);
  }
  exists = false;
  return absl::OkStatus();
}

// No store is at `path`, but beside it lies one that a restore has put aside, or was about to put
// in its place: an empty store there would hide it.
absl::Status CheckNoRestoreWasCut(const std::string& path) {
  const std::string base = std::filesystem::path(path).filename().string();
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(ParentOf(path), error)) {
    const std::string name = entry.path().filename().string();
    if (name != absl::StrCat(base, kRestoredSuffix) &&
        !absl::StartsWith(name, absl::StrCat(base, kBeforeSuffix))) {
      continue;
    }
    return absl::FailedPreconditionError(absl::StrCat(
        "store: ", path, " is not there, but ", name, " beside it is: a restore was cut off. Run ",
        "the restore again, or rename ", base, kBeforeSuffix, "... to ", base,
        " to have the store as it was before; to begin with an empty one, move them away"));
  }
  return absl::OkStatus();
}

// What is wrong with the directory before RocksDB looks at it. `exists`: a store is there.
absl::Status PrepareDirectory(const RocksStoreOptions& options, rocksdb::Env* env, bool& exists) {
  const std::string& path = options.path;
  if (path.empty()) {
    return absl::InvalidArgumentError(
        "store: no data directory is named; set its path in the configuration");
  }
  const bool create = options.create_if_missing && !options.read_only;
  exists = env->FileExists(path + "/CURRENT").ok();
  if (exists && create) {
    if (absl::Status s = DropUnbornStore(path, env, exists); !s.ok()) return s;
  }
  if (exists) return absl::OkStatus();
  if (options.env != nullptr) {
    return create ? absl::OkStatus()
                  : absl::NotFoundError(absl::StrCat("store: no store in ", path));
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    const int error_number = errno;
    if (error_number != ENOENT || !create) {
      return FileError("open the data directory", path, error_number);
    }
    if (absl::Status s = CheckNoRestoreWasCut(path); !s.ok()) return s;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (::mkdir(path.c_str(), 0700) != 0) {
      return FileError("make the data directory", path, error ? error.value() : errno);
    }
    return absl::OkStatus();
  }
  if (!S_ISDIR(info.st_mode)) return FileError("use as data directory", path, ENOTDIR);
  std::vector<std::string> names;
  if (const rocksdb::Status status = env->GetChildren(path, &names); !status.ok()) {
    return FileError("list the data directory", path, EACCES);
  }
  if (!create) {
    return absl::NotFoundError(absl::StrCat(
        "store: no store in ", path,
        "; check the path of the data directory, or let the engine make a new one there"));
  }
  const auto foreign = std::find_if(names.begin(), names.end(),
                                    [](const std::string& name) { return !IsOurs(name); });
  if (foreign != names.end()) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: ", path, " is not a store and holds other files (", *foreign,
                     "); name an empty or a new directory"));
  }
  return CheckNoRestoreWasCut(path);
}

// Cuts the torn end off the MANIFEST. True if it did: opening may be tried once more. What the
// stamps and the sequence file say afterwards still decides whether the store is whole.
bool CutTornManifest(const std::string& path, rocksdb::Env* env) {
  std::string name, bytes;
  if (!rocksdb::ReadFileToString(env, path + "/CURRENT", &name).ok()) return false;
  const std::string manifest = absl::StrCat(path, "/", absl::StripAsciiWhitespace(name));
  if (!rocksdb::ReadFileToString(env, manifest, &bytes).ok()) return false;
  const std::optional<size_t> end = TornManifestEnd(bytes);
  if (!end.has_value()) return false;
  const std::string cut = absl::StrCat(manifest, ".dbtmp");
  if (!rocksdb::WriteStringToFile(env, rocksdb::Slice(bytes.data(), *end), cut, true).ok() ||
      !env->RenameFile(cut, manifest).ok()) {
    return false;
  }
  std::unique_ptr<rocksdb::Directory> directory;
  return env->NewDirectory(path, &directory).ok() && directory->Fsync().ok();
}

// A number kept as text under a key of kMeta; 0 if there is none.
absl::StatusOr<uint64_t> ReadCount(const RocksDb& store, const char* key) {
  std::string bytes;
  const rocksdb::Status status = store.db->Get(rocksdb::ReadOptions(), key, &bytes);
  if (status.IsNotFound()) return uint64_t{0};
  if (!status.ok()) return ReadError(store, status);
  const absl::StatusOr<std::string> text = DecodeText(bytes);
  if (!text.ok()) return text.status();
  uint64_t count = 0;
  if (!absl::SimpleAtoi(*text, &count)) {
    return absl::DataLossError(absl::StrCat("store: ", store.path, ": the number ", key,
                                            " is damaged; restore the last backup"));
  }
  return count;
}

absl::StatusOr<int> ReadSchema(rocksdb::DB& db) {
  std::string bytes;
  const rocksdb::Status status = db.Get(rocksdb::ReadOptions(), kSchemaKey, &bytes);
  if (status.IsNotFound()) return 0;
  if (!status.ok()) return absl::DataLossError(status.ToString());
  absl::StatusOr<std::string> text = DecodeText(bytes);
  if (!text.ok()) return text.status();
  int version = 0;
  if (!absl::SimpleAtoi(*text, &version) || version < 1) {
    return absl::DataLossError("store: its schema version cannot be read");
  }
  return version;
}

absl::Status Foreign(const std::string& path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat("store: ", path, " is not an Outpace store (",
                                                    why,
                                                    "); name the right directory, or a new one"));
}

absl::Status TooNew(const std::string& path, int version) {
  return absl::FailedPreconditionError(absl::StrCat(
      "store: ", path, " has schema version ", version, " and this program knows ", kSchemaVersion,
      "; it was written by a newer Outpace: run that one, or restore a backup made before the "
      "upgrade"));
}

absl::Status TooOld(const std::string& path, int version) {
  return absl::FailedPreconditionError(
      absl::StrCat("store: ", path, " has schema version ", version, " and this program works on ",
                   kSchemaVersion, "; stop what uses it and run: outpace store migrate"));
}

// Column families we do not know: of a newer version, or another program's database.
// Reads the MANIFEST, and so is the first to find its end torn.
absl::Status CheckFamilies(const std::string& path, const rocksdb::Options& plain, bool may_mend,
                           OpenAs as, std::vector<std::string>& names) {
  rocksdb::Status status = rocksdb::DB::ListColumnFamilies(plain, path, &names);
  if (status.IsCorruption() && may_mend && CutTornManifest(path, plain.env)) {
    status = rocksdb::DB::ListColumnFamilies(plain, path, &names);
  }
  if (!status.ok()) return OpenError(path, status);
  const auto unknown = std::find_if(names.begin(), names.end(), [](const std::string& name) {
    return std::find(std::begin(kNames), std::end(kNames), name) == std::end(kNames);
  });
  const bool whole = std::find(names.begin(), names.end(), kNames[kTexts]) != names.end();
  if (unknown == names.end() && whole) return absl::OkStatus();
  rocksdb::DB* raw = nullptr;
  if (rocksdb::DB::OpenForReadOnly(plain, path, &raw).ok()) {
    const std::unique_ptr<rocksdb::DB> db(raw);
    if (const absl::StatusOr<int> version = ReadSchema(*db); version.ok() && *version > 0) {
      if (*version < kSchemaVersion && as == OpenAs::kStore) return TooOld(path, *version);
      if (*version > kSchemaVersion || unknown != names.end()) return TooNew(path, *version);
    }
  }
  if (unknown == names.end()) return absl::OkStatus();  // its making was interrupted
  return Foreign(path, absl::StrCat("it has the column family \"", *unknown, "\""));
}

// Reads the schema version and whether this program can work with it; 0: none is written yet.
absl::Status CheckSchema(RocksDb& store, OpenAs as) {
  const absl::StatusOr<int> version = ReadSchema(*store.db);
  if (!version.ok()) return version.status();
  store.schema = *version;
  std::string cursor;
  const rocksdb::Status status = store.db->Get(rocksdb::ReadOptions(), kMigrationKey, &cursor);
  if (!status.ok() && !status.IsNotFound()) return ReadError(store, status);
  store.migrating = status.ok();
  if (*version > kSchemaVersion) return TooNew(store.path, *version);
  if (as != OpenAs::kStore) {
    return *version > 0 ? absl::OkStatus() : Foreign(store.path, "it has no schema version");
  }
  if (*version > 0 && *version < kSchemaVersion) return TooOld(store.path, *version);
  if (store.migrating) {
    return absl::FailedPreconditionError(
        absl::StrCat("store: the migration of ", store.path,
                     " was cut off; go on with it: outpace store migrate"));
  }
  return absl::OkStatus();
}

// Writes the schema version into a store that was just made.
absl::Status WriteSchema(RocksDb& store) {
  if (store.schema > 0) return absl::OkStatus();
  store.schema = kSchemaVersion;
  const std::unique_ptr<rocksdb::Iterator> it(store.db->NewIterator(rocksdb::ReadOptions()));
  it->SeekToFirst();
  if (!it->status().ok()) return ReadError(store, it->status());
  if (it->Valid() || store.read_only) return Foreign(store.path, "it has no schema version");
  rocksdb::WriteOptions synced;
  synced.sync = true;
  const rocksdb::Status status =
      store.db->Put(synced, kSchemaKey, EncodeText(absl::StrCat(kSchemaVersion)));
  return status.ok() ? absl::OkStatus() : OpenError(store.path, status);
}

// The number every family bears; DataLoss when they differ, or when the store has once been
// further.
absl::Status CheckSequence(RocksDb& store) {
  const absl::string_view advice =
      "; files of it are missing or cut: keep a copy of the directory and restore the last backup";
  for (size_t i = 0; i < store.families.size(); ++i) {
    // Of a store to be migrated: made just now, or by a migration cut off before its first write.
    if (i == kTexts && store.schema == 1) continue;
    std::string bytes;
    const rocksdb::Status status =
        store.db->Get(rocksdb::ReadOptions(), store.families[i], SliceOf(kStampKey), &bytes);
    if (!status.ok() && !status.IsNotFound()) return ReadError(store, status);
    if (status.ok() && bytes.size() != 8) {
      return absl::DataLossError(absl::StrCat("store: ", store.path, " is damaged", advice));
    }
    const uint64_t number = status.ok() ? ReadBig64(bytes) : 0;
    if (i > 0 && number != store.sequence) {
      return absl::DataLossError(
          absl::StrCat("store: ", store.path, " does not hold together: ", kNames[0],
                       " is at write ", store.sequence, ", ", kNames[i], " at ", number, advice));
    }
    store.sequence = number;
  }
  const absl::StatusOr<uint64_t> loads = ReadCount(store, kLoadsKey);
  if (!loads.ok()) return loads.status();
  store.loads = *loads;
  std::string text;
  if (!rocksdb::ReadFileToString(store.env, absl::StrCat(store.path, "/", kSequenceFileName), &text)
           .ok()) {
    return absl::OkStatus();
  }
  const std::pair<absl::string_view, absl::string_view> words =
      absl::StrSplit(absl::StripAsciiWhitespace(text), absl::MaxSplits(' ', 1));
  uint64_t once = 0, loads_once = 0;
  if (absl::SimpleAtoi(words.first, &once) && once > store.sequence) {
    return absl::DataLossError(absl::StrCat("store: ", store.path, " has lost writes: it is at ",
                                            store.sequence, " and was at ", once, advice));
  }
  if (absl::SimpleAtoi(words.second, &loads_once) && loads_once > store.loads) {
    return absl::DataLossError(absl::StrCat("store: ", store.path, " has lost leads: it has ",
                                            store.loads, " loads and had ", loads_once, advice));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SaveSequence(const RocksDb& db) {
  const std::string path = absl::StrCat(db.path, "/", kSequenceFileName);
  const std::string written = absl::StrCat(path, ".dbtmp");
  rocksdb::Status status =
      rocksdb::WriteStringToFile(db.env, absl::StrCat(db.sequence, " ", db.loads, "\n"), written,
                                 /*should_sync=*/true);
  if (status.ok()) status = db.env->RenameFile(written, path);
  std::unique_ptr<rocksdb::Directory> directory;
  if (status.ok()) status = db.env->NewDirectory(db.path, &directory);
  if (status.ok()) status = directory->Fsync();
  return status.ok() ? absl::OkStatus() : OpenError(db.path, status);
}

RocksDb::~RocksDb() {
  if (db == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* handle : families) {
    if (handle != nullptr) db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  db->Close().PermitUncheckedError();
}

rocksdb::Status AddStamps(const RocksDb& db, uint64_t number, rocksdb::WriteBatch& batch) {
  const std::string bytes = IdKey(number);
  rocksdb::Status status;
  for (rocksdb::ColumnFamilyHandle* family : db.families) {
    if (status.ok()) status = batch.Put(family, SliceOf(kStampKey), bytes);
  }
  return status;
}

absl::StatusOr<std::unique_ptr<RocksDb>> OpenRocksDb(const RocksStoreOptions& options, OpenAs as) {
  std::unique_ptr<rocksdb::Env> guarded =
      NewGuardedEnv(options.env != nullptr ? options.env : rocksdb::Env::Default());
  rocksdb::Env* const env = guarded.get();
  bool exists = false;
  if (absl::Status s = PrepareDirectory(options, env, exists); !s.ok()) return s;
  auto store = std::make_unique<RocksDb>();
  store->path = options.path;
  store->read_only = options.read_only;
  store->guarded_env = std::move(guarded);
  store->env = env;
  store->watch = std::make_shared<Watch>();
  if (options.env == nullptr && !options.read_only) {
    auto lock = ProcessLock::Acquire(options.path, options.now);
    if (!lock.ok()) return lock.status();
    store->lock = *std::move(lock);
  }

  const rocksdb::DBOptions db_options = DatabaseOptions(options, env, store->watch);
  std::vector<std::string> names;  // of the families that are there
  if (exists) {
    const rocksdb::Options plain(db_options, rocksdb::ColumnFamilyOptions());
    if (absl::Status s = CheckFamilies(options.path, plain, !options.read_only, as, names);
        !s.ok()) {
      return s;
    }
  }
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  std::vector<size_t> opened;  // the family of each descriptor
  for (size_t i = 0; i < kFamilies; ++i) {
    const bool there = std::find(names.begin(), names.end(), kNames[i]) != names.end();
    if (as == OpenAs::kAsItIs && !there) continue;
    descriptors.emplace_back(kNames[i], FamilyOptions(static_cast<Family>(i), options, cache));
    opened.push_back(i);
  }
  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  store->watch->journal_bytes_dropped = 0;  // CheckFamilies may have read the log once already
  const rocksdb::Status status =
      options.read_only
          ? rocksdb::DB::OpenForReadOnly(db_options, options.path, descriptors, &handles, &raw)
          : rocksdb::DB::Open(db_options, options.path, descriptors, &handles, &raw);
  if (!status.ok()) return OpenError(options.path, status);
  store->db.reset(raw);
  for (size_t i = 0; i < handles.size(); ++i) store->families[opened[i]] = handles[i];
  if (absl::Status s = CheckSchema(*store, as); !s.ok()) return s;
  if (absl::Status s = CheckSequence(*store); !s.ok()) return s;
  if (absl::Status s = WriteSchema(*store); !s.ok()) return s;
  if (!options.read_only) {
    if (absl::Status s = SaveSequence(*store); !s.ok()) return s;
    // What a load or a look that was cut off has left.
    for (const char* name : {kStagingName, kVerifyName}) {
      if (absl::Status s = RemoveDirectory(env, absl::StrCat(store->path, "/", name)); !s.ok()) {
        return s;
      }
    }
  }
  return store;
}

absl::Status ReadError(const RocksDb& db, const rocksdb::Status& status) {
  const std::string text = absl::StrCat("store: cannot read ", db.path, ": ", status.ToString());
  if (status.IsCorruption()) {
    return absl::DataLossError(absl::StrCat(
        text, "; a file is damaged: keep a copy of the directory and restore the last backup"));
  }
  return absl::UnavailableError(
      absl::StrCat(text, "; look at the disk and the system log, then restart"));
}

}  // namespace outpace::store
