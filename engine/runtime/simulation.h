#pragma once

// The whole dialer in virtual time, from one seed: the production controller, pacer, gate, roster
// and call shard, with a simulated carrier, media plane and agents around them. The engine inside
// can be killed at any instant and started again on what it had stored. Used by `outpace simulate`
// and by tests/sim, which looks at the invariants after every event.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "campaign/lead_store.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/call/call_shard.h"
#include "engine/runtime/controller.h"
#include "engine/runtime/store_service.h"
#include "engine/sim/memory_dialog_journal.h"
#include "engine/sim/sim_carrier.h"
#include "engine/sim/sim_media_plane.h"
#include "engine/sim/sim_signaling.h"
#include "engine/sim/sim_world.h"

namespace outpace::runtime {

// The simulated carrier's address: all trunks lead there.
inline constexpr char kCarrierPeer[] = "192.0.2.10:5060";

struct SimulationOptions {
  uint64_t seed = 1;
  int agents = 20;
  int leads = 5000;
  int dnc_every = 50;     // each n-th number is put on the DNC list; 0: none
  int closed_every = 20;  // each n-th lead lies in a zone whose window is closed; 0: none
  absl::Time start = absl::FromUnixSeconds(1'700'000'000);  // 2023-11-14 22:13:20 UTC
  sim::CarrierScenario carrier;
  absl::Duration talk_mean = absl::Seconds(60);
  double talk_cv = 0.8;
  absl::Duration wrap_mean = absl::Seconds(10);
  double wrap_cv = 0.5;
  absl::Duration machine_talk = absl::Seconds(8);  // until the agent notices
  double dnc_chance = 0;                           // a person asks not to be called again
  double pause_chance = 0;              // after a call, an agent takes a break of two minutes
  double screen_loss_chance = 0;        // at a pop, the agent's screen is lost for some seconds
  campaign::CampaignSettings settings;  // id, trunk and activity are filled in
  absl::Duration store_delay = absl::Milliseconds(2);  // a synced write, and a read
  double calls_per_second = 50;
  int calls_max = 1000;
  // A floor that is run from outside, campaign by campaign (ScenarioRun): these settings as they
  // are, and nobody at work and nothing to dial until Staff(), PutList() and PutLeads() say so.
  // Empty: the one campaign, agents and leads described above.
  std::vector<campaign::CampaignSettings> campaigns;
  std::vector<trunk::TrunkSettings> trunks;  // empty: "carrier", with the limits above
  uint32_t legs_max = 4000;
};

struct SimulationResult {
  int64_t invites = 0, answered = 0, connected = 0, abandoned = 0, dispositions = 0;
  double abandon_ratio = 0, occupancy = 0;
  uint64_t trace_hash = 0;
};

class Simulation {
 public:
  // `store`: empty for one in memory, owned by the simulation.
  explicit Simulation(const SimulationOptions& options, campaign::LeadStore* store = nullptr);
  ~Simulation();

  void RunFor(absl::Duration d) { world_.RunFor(d); }
  // kill -9: everything in memory is gone; calls stay up at the carrier.
  void Kill();
  // A new engine on the same store and journal; agents log in again.
  void Restart();
  bool running() const { return engine_ != nullptr; }
  // Adds a number to the DNC list; `acknowledged` tells when it is in force.
  void AddDnc(E164 phone, std::function<void()> acknowledged);
  // Takes it off again; it may be dialed from now on. Not while it is being added.
  void RemoveDnc(E164 phone, std::function<void()> acknowledged);
  // How many agents shall be at work in the campaign. Who comes logs in; who leaves finishes the
  // call and its wrap-up first, free ones go at once.
  void Staff(const CampaignId& campaign, int wanted);
  // Stored at once, as an import or a manager would; the dialer is told.
  void PutLeads(const CampaignId& campaign, const std::vector<campaign::Lead>& leads);
  void PutLists(const std::vector<campaign::List>& lists);
  // Makes the campaign's queue in memory anew, as after any change of its settings.
  void RefreshCampaign(const CampaignId& campaign);
  // SIGSTOP for that long: calls go on at the far end, nobody here notices.
  void Stall(absl::Duration d);
  bool stalled() const;
  // No new calls; run on until the calls are over.
  void Drain();

  SimulationResult Result() const;
  // Everything that must hold at any time; the first thing that does not, or empty. Looks only at
  // INVITEs it has not seen before, so it is cheap enough for every event.
  std::string Check();
  // Every disposition that was acknowledged is in the store. Reads them all.
  std::string CheckAcknowledged() const;

  sim::SimWorld& world() { return world_; }
  sim::SimCarrier& carrier() { return carrier_; }
  campaign::LeadStore& store() { return *store_; }
  Controller& controller();
  const campaign::Lead& lead(size_t i) const { return leads_.at(i); }
  size_t leads() const { return leads_.size(); }

 private:
  struct Engine;
  class Agents;
  bool OnControl(absl::AnyInvocable<void()> task);
  void PutAgent(const AgentId& agent);
  void LoadStore();
  void Start();
  std::string CheckInvite(const sim::SimInvite& invite);
  void DncAcknowledged(E164 phone);

  const SimulationOptions options_;
  campaign::CampaignSettings settings_;  // of the first campaign
  sim::SimWorld world_;
  sim::SimCarrier carrier_;
  sim::MemoryDialogJournal journal_;
  std::unique_ptr<campaign::LeadStore> own_store_;
  campaign::LeadStore* store_;
  std::vector<campaign::Lead> leads_;
  std::map<std::string, absl::Time> dnc_since_;  // "+1202...": in force from then on
  std::map<std::string, size_t> closed_;         // numbers whose window is closed
  std::map<std::string, int> dialed_;            // INVITEs by number
  size_t invites_checked_ = 0;
  std::unique_ptr<Agents> agents_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace outpace::runtime
