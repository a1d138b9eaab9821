#pragma once

// The lead store in memory: the simulation and most tests run on it. It answers exactly as the one
// on RocksDB does (tests/campaign/store/contract_test.cc runs one suite against both) and the same
// calls give the same answers in the same order on every machine: all its maps are ordered.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/lead_store.h"
#include "campaign/store/due_index.h"
#include "campaign/store/lead_keys.h"

namespace outpace::store {

// Thread safe. Visitors run without the store's lock, so they may call the store; a record that is
// written while a visit is under way may or may not be seen by it.
class MemoryLeadStore final : public campaign::LeadStore {
 public:
  MemoryLeadStore() = default;

  // The k-th write from now (1: the next; Commit, CommitUnsynced and SyncWrites count) fails with
  // Unavailable, changes nothing, and poisons the store as a failed fsync does in the real one.
  void FailCommitAt(int64_t k);
  // From now on a write that changes a call record as nothing may (campaign/attempt_change.h) is a
  // mistake of the program: it ends. For simulations and tests of the dialer.
  void HoldRecordsToTheRule();
  // The process has restarted on what was stored: writes are taken again.
  void Restart();
  // Writes that returned OK so far; the k of the last one, when counting up to a failure.
  int64_t commits() const;

  absl::Status Commit(const campaign::StoreBatch& batch) override;
  absl::Status CommitUnsynced(const campaign::StoreBatch& batch) override;
  absl::Status SyncWrites() override;
  absl::StatusOr<uint64_t> ReserveLeadIds(uint64_t count) override;
  absl::StatusOr<uint64_t> ReserveAttemptIds(uint64_t count) override;

  // Its leads are kept in memory until they are published, as one commit.
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
  class Bulk;

  absl::Status CheckUnchanged(const campaign::StoreBatch& batch) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status BeginWrite() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PutLead(const campaign::Lead& lead) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveLead(LeadId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EraseEntries(const campaign::Lead& lead) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  campaign::PhoneUse UseOf(E164 phone, LeadId lead) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  campaign::LeadOrder OrderOf(const CampaignId& campaign) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Dialed(ListId list, absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PutList(const campaign::List& list) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PutAttempt(const campaign::Attempt& attempt) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  absl::btree_map<LeadId, campaign::Lead> leads_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<DuePlace> due_ ABSL_GUARDED_BY(mutex_);
  std::map<CampaignId, campaign::LeadOrder> orders_ ABSL_GUARDED_BY(mutex_);  // of due_; else DUE
  absl::btree_set<std::pair<E164, LeadId>> phones_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<AttemptId, campaign::Attempt> attempts_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<std::pair<absl::Time, AttemptId>> attempt_times_ ABSL_GUARDED_BY(mutex_);
  absl::btree_set<AttemptId> open_ ABSL_GUARDED_BY(mutex_);
  // By list and DncPlace().
  absl::btree_map<std::pair<dnc::DncScope, uint64_t>, campaign::DncEntry> dnc_
      ABSL_GUARDED_BY(mutex_);
  absl::btree_map<ListId, campaign::List> lists_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<ImportId, campaign::Import> imports_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, campaign::FieldType> loaded_fields_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::vector<std::string>> zones_ ABSL_GUARDED_BY(mutex_);  // number 1 is the first
  bool bulk_under_way_ ABSL_GUARDED_BY(mutex_) = false;
  absl::btree_map<CampaignId, campaign::CampaignSettings> campaigns_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<AgentId, campaign::AgentRecord> agents_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<AttemptId, campaign::Recording> recordings_ ABSL_GUARDED_BY(mutex_);
  // By time; of one instant in the order in which they came.
  absl::btree_multimap<absl::Time, campaign::AgentActivity> activities_ ABSL_GUARDED_BY(mutex_);
  absl::btree_map<std::string, std::string> meta_ ABSL_GUARDED_BY(mutex_);
  uint64_t next_lead_ ABSL_GUARDED_BY(mutex_) = 1;
  uint64_t next_attempt_ ABSL_GUARDED_BY(mutex_) = 1;
  bool hold_records_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t commits_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t fail_in_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: no failure is planned
  absl::Status poison_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace outpace::store
