#pragma once

// The lead store on RocksDB. What Commit has acknowledged survives kill -9 and power loss: every
// Commit is one atomic batch in the write-ahead log, synced before it returns; callers that come
// while a sync is under way share the next one. docs/decisions/rocksdb.md says why and how.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead_store.h"

namespace rocksdb {
class DB;
class Env;
class WriteBatch;
}  // namespace rocksdb

namespace outpace::store {

struct RocksDb;
struct BulkResult;
struct DuePlan;
struct TextsMark;
class Dictionary;
class RocksDue;

struct RocksStoreOptions {
  std::string path;               // the store's own directory; made with mode 0700
  bool create_if_missing = true;  // false: NotFound where no store is
  // Reads what is on disk at the time of opening, beside a running engine if need be: takes no
  // lock, writes nothing, does not see what is written later.
  bool read_only = false;
  absl::Time now = absl::InfinitePast();  // written into the lock file, as "since"
  size_t cache_bytes = 64 << 20;          // of uncompressed blocks
  // Memtable of each column family. Small on purpose: with RocksDB's 64 MiB a full disk ends in an
  // assertion inside RocksDB 7.8.3, with 4 MiB in an error (measured).
  size_t memtable_bytes = 4 << 20;
  // Null: the machine's own files. Tests give an environment that fails or loses unsynced data; the
  // process lock is then not taken. Not owned.
  rocksdb::Env* env = nullptr;
};

// What was removed from a store, or replaced there, and is to be gone from its files too.
struct ScrubOrder {
  std::vector<campaign::Lead> leads;  // as they were
  std::vector<E164> numbers;          // theirs and others
  std::vector<AttemptId> attempts;    // with their recordings
  std::vector<std::string> meta;      // named values
  bool everything = false;            // all files are rewritten, whatever they hold
};

// Thread safe. Visitors and readers hold no lock of the store: they see the records as of their
// call.
class RocksLeadStore final : public campaign::LeadStore {
 public:
  using Options = RocksStoreOptions;

  // Opens or makes a store. Every error says what, where, why and what to do:
  // FailedPrecondition: in use by another process; not an Outpace store; of a newer version.
  // NotFound, PermissionDenied, Unavailable: the file system. DataLoss: damaged files.
  static absl::StatusOr<std::unique_ptr<RocksLeadStore>> Open(const Options& options);
  ~RocksLeadStore() override;
  RocksLeadStore(const RocksLeadStore&) = delete;
  RocksLeadStore& operator=(const RocksLeadStore&) = delete;

  // Bytes at the end of the journal that did not match their checksum when the store was opened and
  // were dropped, with all after them. Above 0 after power loss it may be writes that were never
  // acknowledged; otherwise the disk has damaged data, and somebody should be told.
  int64_t journal_bytes_dropped() const;

  // For store_backup.h, which copies it. Owned by the store.
  rocksdb::DB* db() const;

  // Reads every record and checks that each index agrees with it: DataLoss names the first that
  // does not. Takes about as long as reading all the data.
  absl::Status Verify() const;

  // Takes what `order` names out of the store's files. A removal by itself only adds a note that a
  // record is gone: its bytes stay in tables, in the journal, and in every copy made of them, until
  // the database comes to rewrite them. This rewrites the tables that hold those keys, in every
  // family, and writes the journal out. The engine goes on meanwhile; takes no lock that a commit
  // waits for. A file that is being read goes when its reader has ended.
  // Aborted: a reader that began before the removal has not ended, so the bytes are still needed.
  // Unavailable: the disk.
  absl::Status Scrub(const ScrubOrder& order) const;

  absl::Status Commit(const campaign::StoreBatch& batch) override;
  absl::Status CommitUnsynced(const campaign::StoreBatch& batch) override;
  absl::Status SyncWrites() override;
  absl::StatusOr<uint64_t> ReserveLeadIds(uint64_t count) override;
  absl::StatusOr<uint64_t> ReserveAttemptIds(uint64_t count) override;

  // The load must have ended before the store does.
  absl::StatusOr<std::unique_ptr<campaign::LeadBulk>> BeginBulk(
      const campaign::BulkOptions& options) override;
  absl::StatusOr<uint32_t> InternZones(const std::vector<std::string>& zones) override;
  absl::StatusOr<std::vector<campaign::Import>> Imports() const override;
  absl::StatusOr<std::map<std::string, campaign::FieldType>> LoadedFields() const override;
  absl::Status ForEachPhone(
      const std::function<bool(const campaign::PhoneUse&)>& visit) const override;
  absl::StatusOr<std::vector<campaign::PhoneUse>> PhoneUses(
      absl::Span<const E164> sorted) const override;

  absl::StatusOr<std::optional<campaign::Lead>> GetLead(LeadId id) const override;
  absl::StatusOr<std::optional<campaign::Attempt>> GetAttempt(AttemptId id) const override;
  absl::StatusOr<std::vector<campaign::Lead>> DueLeads(
      const campaign::DueQuery& query) const override;
  absl::StatusOr<bool> Tend(const campaign::DueQuery& query) override;
  absl::StatusOr<std::vector<LeadId>> LeadsByPhone(E164 phone) const override;
  absl::Status ForEachLead(const std::function<bool(const campaign::Lead&)>& visit) const override;
  absl::Status ScanLeads(const CampaignId& campaign,
                         absl::Span<campaign::LeadVisitor* const> visitors) const override;
  absl::Status ForEachAttempt(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::Attempt&)>& visit) const override;
  absl::Status ForEachActivity(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::AgentActivity&)>& visit) const override;
  absl::Status ScanAttempts(const campaign::AttemptScan& scan,
                            absl::Span<campaign::AttemptVisitor* const> visitors) const override;
  absl::Status ViewLeads(absl::Span<const LeadId> ids,
                         absl::FunctionRef<void(const campaign::LeadView&)> visit) const override;
  absl::StatusOr<std::vector<campaign::Attempt>> OpenAttempts() const override;
  absl::StatusOr<std::optional<campaign::Recording>> GetRecording(AttemptId attempt) const override;
  absl::StatusOr<std::vector<campaign::Recording>> FindRecordings(
      const campaign::RecordingQuery& query) const override;
  absl::Status ForEachDnc(
      const std::function<bool(const campaign::DncEntry&)>& visit) const override;
  absl::StatusOr<std::optional<campaign::DncEntry>> GetDnc(
      const campaign::DncEntry& place) const override;
  absl::StatusOr<std::vector<campaign::DncEntry>> DncOf(E164 phone) const override;
  absl::StatusOr<std::vector<campaign::List>> Lists() const override;
  absl::StatusOr<std::vector<campaign::CampaignSettings>> Campaigns() const override;
  absl::StatusOr<std::vector<campaign::AgentRecord>> Agents() const override;
  absl::StatusOr<std::optional<std::string>> GetMeta(const std::string& name) const override;
  absl::StatusOr<std::map<CampaignId, std::map<std::string, int64_t>>> StatusCounts()
      const override;

 private:
  struct LeadEntries;  // where a lead stands in the indexes
  struct Request;      // one caller waiting for its batch to be written
  struct Overlay;      // what earlier batches of the same group have made of the indexes
  struct Recent;       // the same of groups written lately
  struct IdBlock {     // [next, end) is reserved on disk and not given out yet
    uint64_t next = 1;
    uint64_t end = 1;
  };

  explicit RocksLeadStore(std::unique_ptr<RocksDb> db);
  absl::Status LoadIds();
  absl::Status LoadDictionary();
  absl::Status Submit(const campaign::StoreBatch& batch, bool sync);
  void WriteGroup() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::Status Writable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::Status Write(rocksdb::WriteBatch& batch, bool sync)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::Status Poison(const std::string& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::Status AddBatch(const campaign::StoreBatch& batch, rocksdb::WriteBatch& out,
                        Overlay& overlay) const;
  // Aborted: a lead of `batch.unchanged` is stored otherwise, or `group`, the batches before this
  // one that are being written with it, has written it.
  absl::Status CheckUnchanged(const campaign::StoreBatch& batch, const Overlay& group) const;
  // None: not stored. With what the batches before have made of it.
  absl::StatusOr<std::optional<campaign::List>> StoredList(ListId id, const Overlay& overlay) const;
  absl::Status AddLists(const campaign::StoreBatch& batch, rocksdb::WriteBatch& out,
                        Overlay& overlay) const;
  // Writes sets of zones nobody has had before, ahead of the leads that name them.
  absl::Status AddZones(const std::vector<Request*>& group, rocksdb::WriteBatch& out);
  // What is stored of a lead and its index entries, with what the batches before have made of them.
  absl::StatusOr<LeadEntries> StoredEntries(LeadId id, const Overlay& overlay) const;
  absl::StatusOr<LeadEntries> ReadEntries(LeadId id, bool with_texts) const;
  absl::StatusOr<LeadEntries> NextEntries(const campaign::Lead& lead, const TextsMark& mark,
                                          const LeadEntries& old) const;
  absl::Status AddLead(const campaign::Lead& lead, rocksdb::WriteBatch& out,
                       Overlay& overlay) const;
  absl::Status RemoveLead(LeadId id, rocksdb::WriteBatch& out, Overlay& overlay) const;
  absl::StatusOr<uint32_t> InternLayout(const campaign::FieldLayout& layout);
  absl::Status PublishBulk(const BulkResult& result, const campaign::Import& import);
  absl::Status AddAttempt(const campaign::Attempt& attempt, rocksdb::WriteBatch& out,
                          Overlay& overlay) const;
  absl::Status AddRecording(const campaign::Recording& recording, rocksdb::WriteBatch& out,
                            Overlay& overlay) const;
  absl::Status VerifyRecordings() const;
  absl::Status VerifyActivities() const;
  absl::StatusOr<uint64_t> ReserveIds(const std::string& key, uint64_t count, uint64_t ahead,
                                      IdBlock& block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);

  // Steps of Tend().
  absl::Status ChangePlan(const campaign::DueQuery& query, DuePlan& plan)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::StatusOr<bool> Promote(const campaign::DueQuery& query, const DuePlan& plan)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::StatusOr<bool> Build(const campaign::DueQuery& query, DuePlan plan)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(write_mutex_);
  absl::StatusOr<bool> NextToBuild(const CampaignId& campaign, DuePlan& plan,
                                   std::vector<uint64_t>& ids) const;

  const std::unique_ptr<RocksDb> db_;
  const std::unique_ptr<RocksDue> due_;
  const std::unique_ptr<Dictionary> dictionary_;
  std::atomic<bool> bulk_under_way_{false};

  absl::Mutex queue_mutex_ ABSL_ACQUIRED_AFTER(write_mutex_);
  std::vector<Request*> queue_ ABSL_GUARDED_BY(queue_mutex_);

  absl::Mutex write_mutex_;  // held over reading old records and writing new ones
  std::unique_ptr<Recent> recent_ ABSL_GUARDED_BY(write_mutex_);
  absl::Status poison_ ABSL_GUARDED_BY(write_mutex_);
  size_t zones_synced_ ABSL_GUARDED_BY(write_mutex_) = 0;  // sets of zones known to be on disk
  IdBlock lead_ids_ ABSL_GUARDED_BY(write_mutex_);
  IdBlock attempt_ids_ ABSL_GUARDED_BY(write_mutex_);
};

}  // namespace outpace::store
