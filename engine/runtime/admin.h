#pragma once

// What the command line can ask of a data directory. One implementation serves both ways in: a
// running engine calls it for requests on its control socket, and a command calls it by itself on
// the store when no engine runs. The user need not know which.

#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "campaign/lead_store.h"
#include "campaign/store/rocks_lead_store.h"
#include "dnc/dnc_set.h"
#include "engine/audit/audit_log.h"
#include "engine/base/clock.h"
#include "engine/runtime/erased_people.h"
#include "engine/runtime/import_desk.h"
#include "engine/runtime/lead_withdrawal.h"
#include "engine/runtime/live_leads.h"

namespace outpace::runtime {

class RegistryShelf;
class TierService;

// How a running engine hears of changes. Null members: no engine runs. Each may be called from the
// admin thread and returns when the change is in force.
struct AdminHooks {
  std::function<void(const campaign::CampaignSettings&)> campaign_changed;
  std::function<void(const campaign::List&)> list_changed;
  std::function<void(const campaign::AgentRecord&)> agent_changed;
  std::function<void(const CampaignId&)> leads_changed;
  // What the agent may see of its reviews, as ReviewsForAgent() has it, and a notice.
  std::function<void(const AgentId&, const std::string& reviews, const std::string& notice)>
      reviews_changed;
  // Unavailable: the engine is overloaded.
  std::function<absl::StatusOr<LiveLeads>(const CampaignId&)> live_leads;
  // In place of writing to the store: the engine makes them count at once and then durable.
  std::function<absl::Status(std::vector<campaign::DncEntry>)> add_dnc;
  std::function<absl::Status(campaign::DncEntry)> remove_dnc;
  // What the gate asks now: entries, erased people, registries. Unavailable: it could not be told.
  std::function<absl::StatusOr<dnc::DncSet>()> dnc_in_force;
  // Those of the house; null: there are none. `registries_changed`: they count from its return on;
  // Unavailable: the engine could not be told and goes by those it had.
  RegistryShelf* registries = nullptr;
  std::function<absl::Status()> registries_changed;
  // These leads are about to be written or removed: when it returns, none of them begins an attempt
  // until leads_withdrawn, and nothing about them is on its way to the store, but for the leads it
  // returns (sorted): those in a call. Any thread.
  std::function<std::vector<LeadId>(const LeadSet&)> withdraw_leads;
  std::function<void(const LeadSet&)> leads_withdrawn;
  TierService* tiers = nullptr;  // learned tiers
  // The store, where it is one on disk: for copies of it.
  const store::RocksLeadStore* rocks = nullptr;
  // Who asks, and where it is written down; `audit` null: nowhere. `number_mark`: what stands there
  // for a phone number.
  std::string actor = "command line";
  audit::AuditSink* audit = nullptr;
  std::function<std::string(E164)> number_mark;
  // Where scheduled exports lie until they are delivered; made when it is not there. Empty: in the
  // system's directory for temporary files. `stopping`: the engine ends, deliveries are given up;
  // any thread; null: never.
  std::string spool;
  std::function<bool()> stopping;
  // The person's hash is stored: never dialed from now on, and calls that ring are cancelled.
  std::function<void(const ErasedPeople&, E164)> person_erased;
};

// What all Admins of one store share. Outlives them.
struct AdminShared {
  explicit AdminShared(const Clock& clock) : desk(clock) {}
  absl::Mutex lists;       // held from reading a list to writing it
  absl::Mutex erased;      // the same of the erased people
  absl::Mutex merges;      // the same of what is kept of merges
  absl::Mutex reviews;     // the same of score sheets and reviews
  absl::Mutex schedules;   // the same of schedules of exports
  absl::Mutex deliveries;  // held while a scheduled export runs, before `schedules`
  ImportDesk desk;
};

class Admin {
 public:
  // One thread at a time; its long jobs run on the desk of `shared`, which is its own when null.
  // Store and clock outlive it, and it outlives the desk's jobs: AdminShared::desk.Stop() first.
  Admin(campaign::LeadStore& store, const Clock& clock, AdminHooks hooks,
        AdminShared* shared = nullptr);
  ~Admin();

  // Runs one operation, e.g. "campaign.create" with {"id": "DEMO", "set": {...}}. The answer is an
  // object; `text` in it is what the command prints. Errors are made for people.
  absl::StatusOr<nlohmann::ordered_json> Run(absl::string_view operation,
                                             const nlohmann::ordered_json& arguments);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// All DNC entries and erased people of the store as a set. Registries are not in the store.
absl::StatusOr<dnc::DncSet> LoadDncSet(const campaign::LeadStore& store);

}  // namespace outpace::runtime
