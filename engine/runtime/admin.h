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
#include "campaign/lead_store.h"
#include "dnc/dnc_set.h"
#include "engine/base/clock.h"

namespace outpace::runtime {

// How a running engine hears of changes. Null members: no engine runs. Each may be called from the
// admin thread and returns when the change is in force.
struct AdminHooks {
  std::function<void(const campaign::CampaignSettings&)> campaign_changed;
  std::function<void(const campaign::List&)> list_changed;
  std::function<void(const campaign::AgentRecord&)> agent_changed;
  std::function<void(const CampaignId&)> leads_changed;
  // In place of writing to the store: the engine makes them count at once and then durable.
  std::function<absl::Status(std::vector<campaign::DncEntry>)> add_dnc;
  std::function<absl::Status(campaign::DncEntry)> remove_dnc;
};

class Admin {
 public:
  // One thread at a time. Store and clock outlive it.
  Admin(campaign::LeadStore& store, const Clock& clock, AdminHooks hooks);
  ~Admin();

  // Runs one operation, e.g. "campaign.create" with {"id": "DEMO", "set": {...}}. The answer is an
  // object; `text` in it is what the command prints. Errors are made for people.
  absl::StatusOr<nlohmann::ordered_json> Run(absl::string_view operation,
                                             const nlohmann::ordered_json& arguments);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// All DNC entries of the store as a set: what loader and gate ask.
absl::StatusOr<dnc::DncSet> LoadDncSet(const campaign::LeadStore& store);

}  // namespace outpace::runtime
