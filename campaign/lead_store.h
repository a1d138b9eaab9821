#pragma once

// Everything durable: leads, attempts, DNC entries, campaigns, lists, agents and what they did. One
// interface with two implementations: campaign/store/rocks_lead_store (RocksDB) and
// campaign/store/memory_lead_store.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/activity.h"
#include "campaign/attempt.h"
#include "campaign/attempt_scan.h"
#include "campaign/field_type.h"
#include "campaign/import.h"
#include "campaign/lead.h"
#include "campaign/lead_bulk.h"
#include "campaign/lead_order.h"
#include "campaign/lead_scan.h"
#include "campaign/recording.h"
#include "campaign/settings.h"
#include "dnc/dnc_scope.h"
#include "dnc/prefix_set.h"

namespace outpace::campaign {

// An entry of a do-not-call list: one number, or all numbers of a range. A list has a number or a
// range once; what is added again replaces it.
struct DncEntry {
  E164 phone;           // none: `range` is listed
  dnc::DncScope scope;  // which list
  std::string source;   // where it comes from: "import dnc.csv", "agent a1", "api"
  absl::Time added;
  std::string reason = {};                      // free text, kDncReasonMax bytes at most
  std::string by = {};                          // who added it: "agent a1", "control socket"
  absl::Time expires = absl::InfiniteFuture();  // from then on it does not count
  dnc::Prefix range = {};                       // digits 0: `phone` is listed
  friend bool operator==(const DncEntry&, const DncEntry&) = default;
};
inline constexpr size_t kDncReasonMax = 200;

struct AgentRecord {
  AgentId user;
  std::string full_name;
  std::string phone_uri;      // "sip:a1@192.0.2.7:5060"
  std::string password_hash;  // "scrypt$..." ; never the password
};

// Changes that become durable together or not at all.
struct StoreBatch {
  // Leads as they were read: of a batch that has any, nothing is written unless each of them is
  // still stored so (Aborted: read again). Who writes back whole leads that others may write or
  // remove meanwhile names them here. Texts of one without has_fields are not compared.
  std::vector<Lead> unchanged;
  std::vector<Lead> leads;            // insert or replace; indexes follow
  std::vector<LeadId> leads_removed;  // with their index entries; a lead that is in both goes
  std::vector<Import> imports;        // insert or replace
  std::vector<Attempt> attempts;      // insert or replace
  std::vector<DncEntry> dnc_added;
  std::vector<DncEntry> dnc_removed;  // scope, and phone or range, count
  // Insert or replace. List::leads is the store's own: the value given counts for a list that is
  // new; later loads add to it and removals take from it.
  std::vector<List> lists;
  std::vector<CampaignSettings> campaigns;
  std::vector<AgentRecord> agents;
  // Insert or replace, an erasure too; what is erased is replaced by nothing that is not.
  std::vector<Recording> recordings;
  std::vector<AgentActivity> activities;    // added, each; two that are alike are two
  std::map<std::string, std::string> meta;  // small named values: estimator state, counters
  bool empty() const;
  void Append(StoreBatch other);
};

// Which leads are due, best first: tier, then rank (high first), then the campaign's lead_order
// (lead_order.h), then id. Leads of lists that are off, archived or expired are not among them.
struct DueQuery {
  CampaignId campaign;
  absl::Time now;
  size_t limit = 100;
  bool with_fields = true;  // false: Lead::has_fields is false in the answer, which is cheaper
  // The order wanted. Until the index has it (Tend()), leads come in the one it has.
  LeadOrder order = LeadOrder::kDue;
  int nth_new = 0;                  // 2..6: every n-th lead is one of status NEW; 0: no such rule
  std::vector<ListShare> mix = {};  // shares by list; empty: no such rule
  std::vector<std::string> statuses = {};  // only leads of these; empty: of all
};

// One lead that has a number.
struct PhoneUse {
  E164 phone;
  LeadId lead;
  ListId list;
  CampaignId campaign;
  absl::Time entered;  // entry_date, to the second
  bool alt = false;    // it is its alt_phone
};

struct BulkOptions {
  ImportId import;
  ListId list;  // of `campaign`; must exist by Publish()
  CampaignId campaign;
  absl::Time entry_date;
  FieldLayout layout;  // of BulkLead::fields
};

// Thread safe. Reads see all writes whose Commit has returned.
class LeadStore {
 public:
  virtual ~LeadStore() = default;

  // Writes and syncs to stable storage before it returns OK: what is acknowledged survives kill -9
  // and power loss. After any error the store refuses further writes with Unavailable (fsync is
  // never retried: the kernel may have marked dirty pages clean); the process must restart. Two
  // errors change nothing and spoil nothing: InvalidArgument, and Aborted (StoreBatch::unchanged).
  virtual absl::Status Commit(const StoreBatch& batch) = 0;
  // For bulk loads: as Commit, but durable only when a later SyncWrites() returns.
  virtual absl::Status CommitUnsynced(const StoreBatch& batch) = 0;
  virtual absl::Status SyncWrites() = 0;

  // Reserves ids, `count` in a row, never given twice even over a crash.
  virtual absl::StatusOr<uint64_t> ReserveLeadIds(uint64_t count) = 0;
  virtual absl::StatusOr<uint64_t> ReserveAttemptIds(uint64_t count) = 0;

  // A load of many leads. One at a time.
  virtual absl::StatusOr<std::unique_ptr<LeadBulk>> BeginBulk(const BulkOptions& options) = 0;
  // The number under which a set of time zones is stored; durable when it returns.
  virtual absl::StatusOr<uint32_t> InternZones(const std::vector<std::string>& zones) = 0;
  // By id.
  virtual absl::StatusOr<std::vector<Import>> Imports() const = 0;
  // The columns of all loads by name, each with its type; of two types the one first seen later.
  virtual absl::StatusOr<std::map<std::string, FieldType>> LoadedFields() const = 0;
  // Every use of every number, by number and lead.
  virtual absl::Status ForEachPhone(const std::function<bool(const PhoneUse&)>& visit) const = 0;
  // The uses of these numbers, which must be sorted; by number and lead.
  virtual absl::StatusOr<std::vector<PhoneUse>> PhoneUses(absl::Span<const E164> sorted) const = 0;

  virtual absl::StatusOr<std::optional<Lead>> GetLead(LeadId id) const = 0;
  virtual absl::StatusOr<std::optional<Attempt>> GetAttempt(AttemptId id) const = 0;
  virtual absl::StatusOr<std::vector<Lead>> DueLeads(const DueQuery& query) const = 0;
  // A bounded step (a few milliseconds) of what the index behind DueLeads can be given later: leads
  // whose time has come take their places, and another `order` of the campaign is built up. True:
  // there is more to do. Writes; the thread that commits calls it between two commits.
  virtual absl::StatusOr<bool> Tend(const DueQuery& query) = 0;
  // Leads with this number, their own or alt_phone, in any list; by id.
  virtual absl::StatusOr<std::vector<LeadId>> LeadsByPhone(E164 phone) const = 0;
  virtual absl::Status ForEachLead(const std::function<bool(const Lead&)>& visit) const = 0;
  // Shows each lead of the campaign, as of one moment and in no order, to one of `visitors` (one at
  // least), which are called on as many threads side by side. Goes through all leads of the store.
  virtual absl::Status ScanLeads(const CampaignId& campaign,
                                 absl::Span<LeadVisitor* const> visitors) const = 0;
  // Attempts with dialed_at in [from, to), by rising id. Return false to stop.
  virtual absl::Status ForEachAttempt(absl::Time from, absl::Time to,
                                      const std::function<bool(const Attempt&)>& visit) const = 0;
  // Activities with `at` in [from, to), by time; those of one microsecond in the order in which
  // they were written. Return false to stop.
  virtual absl::Status ForEachActivity(
      absl::Time from, absl::Time to,
      const std::function<bool(const AgentActivity&)>& visit) const = 0;
  // The attempts of ForEachAttempt(), as of one moment, in pieces to `visitors` (one at least),
  // which are called on as many threads side by side. Holds eight bytes an attempt.
  virtual absl::Status ScanAttempts(const AttemptScan& scan,
                                    absl::Span<AttemptVisitor* const> visitors) const = 0;
  // Shows the leads `ids`, which must rise, in that order; those that are not there are left out. A
  // view is good until `visit` returns.
  virtual absl::Status ViewLeads(absl::Span<const LeadId> ids,
                                 absl::FunctionRef<void(const LeadView&)> visit) const = 0;
  // Intents without a result: what a crashed engine left behind.
  virtual absl::StatusOr<std::vector<Attempt>> OpenAttempts() const = 0;

  virtual absl::StatusOr<std::optional<Recording>> GetRecording(AttemptId attempt) const = 0;
  // By index where lead, number, agent or campaign is given, else by time.
  virtual absl::StatusOr<std::vector<Recording>> FindRecordings(
      const RecordingQuery& query) const = 0;

  // By scope; in each by number, then by range. Return false to stop. Fifty million entries pass
  // through without being held.
  virtual absl::Status ForEachDnc(const std::function<bool(const DncEntry&)>& visit) const = 0;
  // The entry of this scope with this phone or range; what else `place` holds does not count.
  virtual absl::StatusOr<std::optional<DncEntry>> GetDnc(const DncEntry& place) const = 0;
  // Those that list the number, itself or in a range, in any scope and whether ended or not; in the
  // order of ForEachDnc(). Reads a handful of records a scope, whatever their size.
  virtual absl::StatusOr<std::vector<DncEntry>> DncOf(E164 phone) const = 0;
  virtual absl::StatusOr<std::vector<List>> Lists() const = 0;
  virtual absl::StatusOr<std::vector<CampaignSettings>> Campaigns() const = 0;
  virtual absl::StatusOr<std::vector<AgentRecord>> Agents() const = 0;
  virtual absl::StatusOr<std::optional<std::string>> GetMeta(const std::string& name) const = 0;
  // Leads per campaign and status: {"DEMO": {"NEW": 812, "SALE": 10}}. May scan.
  virtual absl::StatusOr<std::map<CampaignId, std::map<std::string, int64_t>>> StatusCounts()
      const = 0;
};

}  // namespace outpace::campaign
