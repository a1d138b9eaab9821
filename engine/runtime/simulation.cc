#include "engine/runtime/simulation.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/disposition.h"
#include "engine/runtime/attempt_history.h"
#include "engine/runtime/dnc_entries.h"

namespace outpace::runtime {
namespace {

constexpr char kOpenZone[] = "America/Denver";   // 15:13 at the default start
constexpr char kClosedZone[] = "Europe/London";  // 22:13
constexpr char kCampaign[] = "SIM";

campaign::CampaignSettings SettingsOf(const SimulationOptions& options) {
  if (!options.campaigns.empty()) return options.campaigns.front();
  campaign::CampaignSettings settings = options.settings;
  settings.id = kCampaign;
  settings.trunk = "carrier";
  settings.active = true;
  settings.local_call_time = *campaign::CallingWindow::Parse("09:00-21:00");
  return settings;
}

std::unique_ptr<store::MemoryLeadStore> StrictStore() {
  auto store = std::make_unique<store::MemoryLeadStore>();
  store->HoldRecordsToTheRule();
  return store;
}

}  // namespace

// People with headsets: log in, take what pops up, talk, hang up, dispose. They see only what the
// engine tells them, as at a real desk.
class Simulation::Agents final : public AgentEvents {
 public:
  Agents(Simulation& simulation)
      : sim_(simulation),
        rng_(simulation.world_.rng().Fork()),
        loop_(simulation.world_.NewLoop()) {}

  static AgentId Name(int i) { return absl::StrCat("a", i); }

  // Whoever should be at work comes, at the beginning and after a restart of the engine.
  void LogIn() {
    if (desks_.empty()) {
      for (int i = 0; i < sim_.options_.agents; ++i) {
        Desk& desk = desks_[Name(i)];
        desk.campaign = kCampaign;
        desk.wanted = true;
      }
    }
    int64_t k = 0;
    for (auto& [agent, desk] : desks_) {
      // Not all in one instant, as in life.
      if (desk.wanted) LogIn(agent, absl::Milliseconds(50 * k++));
    }
  }

  void Staff(const CampaignId& campaign, int wanted) {
    int present = 0;
    for (const auto& [agent, desk] : desks_) {
      if (desk.campaign == campaign && desk.wanted) ++present;
    }
    const absl::Duration step =
        std::min(absl::Milliseconds(20), absl::Seconds(10) / std::max(1, wanted - present));
    int64_t coming = 0;
    for (auto& [agent, desk] : desks_) {
      if (present >= wanted) break;
      if (desk.campaign != campaign || desk.wanted) continue;
      desk.wanted = true;
      ++present;
      if (IsIn(agent)) {  // was about to leave, and stays
        After(absl::ZeroDuration(),
              [this, id = agent] { Controller().SetReady(id).IgnoreError(); });
      } else {
        LogIn(agent, step * coming++);
      }
    }
    for (; present < wanted; ++present) {
      const AgentId agent = Name(static_cast<int>(desks_.size()));
      Desk& desk = desks_[agent];
      desk.campaign = campaign;
      desk.wanted = true;
      LogIn(agent, step * coming++);
    }
    for (const bool idle : {true, false}) {
      for (auto it = desks_.rbegin(); it != desks_.rend() && present > wanted; ++it) {
        Desk& desk = it->second;
        if (desk.campaign != campaign || !desk.wanted || IsIdle(it->first) != idle) continue;
        desk.wanted = false;
        --present;
        After(absl::ZeroDuration(), [this, agent = it->first] { Leave(agent); });
      }
    }
  }

  void OnState(const AgentId& agent, agent::AgentState state, absl::Time, bool) override {
    if (state != agent::AgentState::kNotReady || desks_[agent].wanted) return;
    After(absl::ZeroDuration(), [this, agent] { Leave(agent); });
  }

  void OnPop(const AgentId& agent, const campaign::Attempt& attempt, const campaign::Lead&,
             bool preview) override {
    if (preview) {
      After(absl::Seconds(2), [this, agent, id = attempt.id] {
        Controller().AnswerPreview(agent, id, true).IgnoreError();
      });
      return;
    }
    Desk& desk = desks_[agent];
    if (desk.attempt == attempt.id) return;  // shown again after a lost screen
    desk.attempt = attempt.id;
    const SimulationOptions& o = sim_.options_;
    const sim::SimInvite* invite = sim_.carrier_.FindInvite(attempt.call_id);
    OUTPACE_CHECK(invite != nullptr);
    if (!o.campaigns.empty()) {
      desk.plan = invite->plan;
      if (desk.plan.hangs_up) return;
      After(desk.plan.talk, [this, agent] { Controller().HangUp(agent).IgnoreError(); });
      return;
    }
    desk.machine = invite->callee == sim::Callee::kMachine;
    const absl::Duration talk =
        desk.machine ? o.machine_talk
                     : absl::Seconds(rng_.Lognormal(absl::ToDoubleSeconds(o.talk_mean), o.talk_cv));
    if (rng_.Chance(o.screen_loss_chance)) {
      After(absl::ZeroDuration(), [this, agent] { Controller().ScreenLost(agent); });
      After(absl::Seconds(1 + 20 * rng_.Uniform()), [this, agent] {
        Controller().ScreenConnected(agent);
        if (!IsIn(agent)) LogIn(agent, absl::ZeroDuration());
      });
    }
    After(talk, [this, agent] { Controller().HangUp(agent).IgnoreError(); });
  }

  void OnCallEnded(const AgentId& agent, AttemptId attempt, bool, absl::Duration) override {
    Desk& desk = desks_[agent];
    if (desk.ended == attempt) return;
    desk.ended = attempt;
    const SimulationOptions& o = sim_.options_;
    if (!o.campaigns.empty()) {
      const std::string status = desk.plan.machine ? "A" : desk.plan.sale ? "SALE" : "NI";
      After(desk.plan.wrap, [this, agent, attempt, status] { Dispose(agent, attempt, status); });
      return;
    }
    std::string status = desk.machine ? "A" : rng_.Chance(0.1) ? "SALE" : "NI";
    if (o.dnc_chance > 0 && rng_.Chance(o.dnc_chance)) status = "DNC";
    After(absl::Seconds(rng_.Lognormal(absl::ToDoubleSeconds(o.wrap_mean), o.wrap_cv)),
          [this, agent, attempt, status] { Dispose(agent, attempt, status); });
    if (rng_.Chance(o.pause_chance)) {
      After(absl::ZeroDuration(),
            [this, agent] { Controller().SetNotReady(agent, "BREAK").IgnoreError(); });
      After(absl::Minutes(2), [this, agent] { Controller().SetReady(agent).IgnoreError(); });
    }
  }

  void OnNotice(const AgentId&, const std::string&) override {}
  void OnAudio(const AgentId&, AttemptId, const CallAudio&) override {}
  void OnLoggedOut(const AgentId&) override {}

  // Dispositions the engine has acknowledged: none of them may ever be lost.
  const std::vector<AttemptId>& acknowledged() const { return acknowledged_; }

 private:
  struct Desk {
    CampaignId campaign;
    bool wanted = false;  // at work; else logged out, or leaving after the present call
    AttemptId attempt;
    AttemptId ended;
    bool machine = false;
    sim::CalleePlan plan;
  };
  runtime::Controller& Controller() { return sim_.controller(); }

  void LogIn(const AgentId& agent, absl::Duration delay) {
    After(delay, [this, agent] {
      const Desk& desk = desks_[agent];
      if (!desk.wanted) return;
      if (!sim_.options_.campaigns.empty()) sim_.PutAgent(agent);
      Controller().Login(agent, desk.campaign, "").IgnoreError();
      Controller().ScreenConnected(agent);
      Controller().SetReady(agent).IgnoreError();
    });
  }
  void Leave(const AgentId& agent) {
    if (desks_[agent].wanted || !IsIn(agent)) return;
    const agent::AgentState state = Controller().roster().Find(agent)->state;
    if (state == agent::AgentState::kAvailable || state == agent::AgentState::kNotReady) {
      Controller().Logout(agent).IgnoreError();
    } else {
      Controller().SetNotReady(agent, "LEAVING").IgnoreError();  // after the call: OnState()
    }
  }
  void Dispose(const AgentId& agent, AttemptId attempt, const std::string& status) {
    Controller().Dispose(agent, attempt, status, "", absl::InfinitePast(),
                         [this, attempt, status](absl::Status stored) {
                           if (!stored.ok()) return;
                           acknowledged_.push_back(attempt);
                           if (status != "DNC") return;
                           sim_.DncAcknowledged((*sim_.store_->GetAttempt(attempt))->dialed);
                         });
  }
  bool IsIn(const AgentId& agent) { return IsInState(agent, std::nullopt); }
  bool IsIdle(const AgentId& agent) { return IsInState(agent, agent::AgentState::kAvailable); }
  bool IsInState(const AgentId& agent, std::optional<agent::AgentState> state) {
    if (!sim_.running()) return false;
    const agent::AgentRecord* record = Controller().roster().Find(agent);
    if (record == nullptr || record->state == agent::AgentState::kLoggedOut) return false;
    return !state.has_value() || record->state == *state;
  }
  // Runs unless the engine is dead by then; a person whose page is gone does nothing. While the
  // engine stands still the request waits at its door.
  template <typename F>
  void After(absl::Duration delay, F f) {
    loop_->After(delay, [this, f]() mutable {
      if (!sim_.running()) return;
      if (!sim_.stalled()) return f();
      OUTPACE_CHECK(sim_.OnControl(std::move(f)));
    });
  }

  Simulation& sim_;
  Rng rng_;
  std::unique_ptr<sim::SimLoop> loop_;
  std::map<AgentId, Desk> desks_;
  std::vector<AttemptId> acknowledged_;
};

// One run of the process. Destroying it is kill -9: what waits on its loops never runs.
struct Simulation::Engine {
  Engine(Simulation& s, ControllerOptions controller_options, call::ShardOptions shard_options)
      : control_loop(s.world_.NewLoop()),
        shard_loop(s.world_.NewLoop()),
        store(*s.store_, *control_loop, s.options_.store_delay),
        tiers(*s.store_, *control_loop, s.options_.store_delay, log),
        signaling(s.carrier_, 0),
        media(*shard_loop, &s.carrier_),
        controller(
            WithTiers(controller_options, tiers), *control_loop, store,
            [this](call::ShardMessage message) { return shard->Post(std::move(message)); },
            *s.agents_, [rng = s.world_.rng().Fork()]() mutable { return rng.Next(); }, log),
        shard(std::make_unique<call::CallShard>(shard_options, *shard_loop, signaling, media,
                                                s.journal_, controller, log)) {
    signaling.set_events(shard.get());
    media.set_events(0, shard.get());
  }
  ~Engine() {
    // The network must not call into what is gone.
    signaling.set_events(nullptr);
    media.set_events(0, nullptr);
  }

  static ControllerOptions WithTiers(ControllerOptions options, TierService& tiers) {
    options.tiers = &tiers;
    return options;
  }

  NullLog log;
  std::unique_ptr<sim::SimLoop> control_loop;
  std::unique_ptr<sim::SimLoop> shard_loop;
  LoopStoreService store;
  LoopTierService tiers;
  sim::SimSignaling signaling;
  sim::SimMediaPlane media;
  Controller controller;
  std::unique_ptr<call::CallShard> shard;
};

Simulation::Simulation(const SimulationOptions& options, campaign::LeadStore* store)
    : options_(options),
      settings_(SettingsOf(options)),
      world_(options.seed, options.start),
      carrier_(world_, options.carrier),
      own_store_(store == nullptr ? StrictStore() : nullptr),
      store_(store == nullptr ? own_store_.get() : store),
      agents_(std::make_unique<Agents>(*this)) {
  LoadStore();
  Start();
}

Simulation::~Simulation() { Kill(); }

void Simulation::LoadStore() {
  campaign::StoreBatch batch;
  if (!options_.campaigns.empty()) {
    batch.campaigns = options_.campaigns;
    OUTPACE_CHECK(store_->Commit(batch).ok());
    return;
  }
  batch.campaigns.push_back(settings_);
  campaign::List list;
  list.id = ListId(101);
  list.campaign = kCampaign;
  batch.lists.push_back(list);
  for (int i = 0; i < options_.agents; ++i) {
    campaign::AgentRecord agent;
    agent.user = Agents::Name(i);
    agent.phone_uri = absl::StrCat(carrier_.scenario().agent_route, ";", i);
    batch.agents.push_back(std::move(agent));
  }
  for (int i = 0; i < options_.leads; ++i) {
    campaign::Lead lead;
    lead.id = LeadId(static_cast<uint64_t>(i) + 1);
    lead.list = list.id;
    lead.campaign = kCampaign;
    lead.phone = E164(13035550000 + static_cast<uint64_t>(i));
    const bool closed = options_.closed_every > 0 && i % options_.closed_every == 3;
    lead.time_zones = {closed ? kClosedZone : kOpenZone};
    if (closed) closed_[lead.phone.ToString()] = leads_.size();
    if (options_.dnc_every > 0 && i % options_.dnc_every == 7) {
      batch.dnc_added.push_back({lead.phone, {}, "simulation", options_.start});
      dnc_since_[lead.phone.ToString()] = options_.start;
    }
    leads_.push_back(lead);
    batch.leads.push_back(std::move(lead));
  }
  OUTPACE_CHECK(store_->Commit(batch).ok());
}

void Simulation::Start() {
  ControllerOptions controller_options;
  controller_options.trunks = options_.trunks;
  if (controller_options.trunks.empty()) {
    controller_options.trunks = {{.name = "carrier",
                                  .peer = kCarrierPeer,
                                  .calls_per_second = options_.calls_per_second,
                                  .calls_max = options_.calls_max}};
  }
  controller_options.legs_max = options_.legs_max;
  call::ShardOptions shard_options;
  shard_options.legs_max = controller_options.legs_max;
  for (const trunk::TrunkSettings& trunk : controller_options.trunks) {
    shard_options.trunks.push_back(
        {.name = trunk.name, .cps = trunk.calls_per_second, .calls_max = trunk.calls_max});
  }
  engine_ = std::make_unique<Engine>(*this, controller_options, shard_options);

  Controller::StartState state;
  state.campaigns = *store_->Campaigns();
  state.lists = *store_->Lists();
  OUTPACE_CHECK(PutEntries(*store_, state.dnc).ok());
  state.agents = *store_->Agents();
  state.open_attempts = *store_->OpenAttempts();
  for (const campaign::Attempt& attempt : state.open_attempts) {
    state.open_leads.push_back(**store_->GetLead(attempt.lead));
  }
  state.open_dialogs = journal_.TakeOrphans();
  OUTPACE_CHECK(store_
                    ->ForEachAttempt(world_.clock().Wall() - absl::Hours(26),
                                     world_.clock().Wall() + absl::Hours(1),
                                     [&](const campaign::Attempt& attempt) {
                                       state.attempts_today.push_back(attempt);
                                       return true;
                                     })
                    .ok());
  const absl::Time now = world_.clock().Wall();
  state.history = *ReadHistory(*store_, HistoryReach(state.campaigns), now, now + absl::Hours(1));
  state.last_known_running = *LastKnownRunning(*store_);
  state.next_attempt = *store_->ReserveAttemptIds(1'000'000);
  OUTPACE_CHECK(engine_->control_loop->Post([this, state = std::move(state)]() mutable {
    engine_->controller.Start(std::move(state));
    agents_->LogIn();
  }));
}

void Simulation::Kill() { engine_.reset(); }

void Simulation::Restart() {
  OUTPACE_CHECK(engine_ == nullptr);
  Start();
}

Controller& Simulation::controller() { return engine_->controller; }

void Simulation::AddDnc(E164 phone, std::function<void()> acknowledged) {
  OUTPACE_CHECK(engine_->control_loop->Post([this, phone, acknowledged] {
    campaign::DncEntry entry{phone, {}, "simulation", world_.clock().Wall()};
    engine_->controller.AddDnc(entry, [this, phone, acknowledged](absl::Status stored) {
      if (!stored.ok()) return;
      DncAcknowledged(phone);
      acknowledged();
    });
  }));
}

void Simulation::DncAcknowledged(E164 phone) {
  // The INVITE that left a moment before may still be on the wire.
  dnc_since_.emplace(phone.ToString(), world_.clock().Wall() + carrier_.scenario().network_delay);
}

void Simulation::RemoveDnc(E164 phone, std::function<void()> acknowledged) {
  dnc_since_.erase(phone.ToString());
  OUTPACE_CHECK(engine_->control_loop->Post([this, phone, acknowledged] {
    campaign::DncEntry entry{phone, {}, "simulation", world_.clock().Wall()};
    engine_->controller.RemoveDnc(entry, [acknowledged](absl::Status stored) {
      if (stored.ok()) acknowledged();
    });
  }));
}

bool Simulation::OnControl(absl::AnyInvocable<void()> task) {
  return engine_->control_loop->Post(std::move(task));
}

void Simulation::PutAgent(const AgentId& agent) {
  campaign::AgentRecord record;
  record.user = agent;
  record.phone_uri = absl::StrCat(carrier_.scenario().agent_route, ";", agent);
  campaign::StoreBatch batch;
  batch.agents.push_back(record);
  OUTPACE_CHECK(store_->Commit(batch).ok());
  controller().PutAgent(record);
}

void Simulation::Staff(const CampaignId& campaign, int wanted) { agents_->Staff(campaign, wanted); }

void Simulation::PutLeads(const CampaignId& campaign, const std::vector<campaign::Lead>& leads) {
  campaign::StoreBatch batch;
  batch.leads = leads;
  OUTPACE_CHECK(store_->Commit(batch).ok());
  if (engine_ == nullptr) return;
  OUTPACE_CHECK(OnControl([this, campaign] { engine_->controller.LeadsChanged(campaign); }));
}

void Simulation::PutLists(const std::vector<campaign::List>& lists) {
  campaign::StoreBatch batch;
  batch.lists = lists;
  OUTPACE_CHECK(store_->Commit(batch).ok());
  if (engine_ == nullptr) return;
  OUTPACE_CHECK(OnControl([this, lists] {
    for (const campaign::List& list : lists) engine_->controller.PutList(list);
  }));
}

void Simulation::RefreshCampaign(const CampaignId& campaign) {
  if (engine_ == nullptr) return;
  OUTPACE_CHECK(OnControl([this, campaign] {
    for (const campaign::CampaignSettings& settings : options_.campaigns) {
      if (settings.id == campaign) engine_->controller.PutCampaign(settings);
    }
  }));
}

void Simulation::Stall(absl::Duration d) {
  if (engine_ == nullptr) return;
  const MonoTime until = world_.now() + d;
  engine_->control_loop->StallUntil(until);
  engine_->shard_loop->StallUntil(until);
  engine_->signaling.StallUntil(until);
}

bool Simulation::stalled() const {
  return engine_ != nullptr && engine_->control_loop->stalled_until() > world_.now();
}

void Simulation::Drain() {
  OUTPACE_CHECK(engine_->control_loop->Post([this] { engine_->controller.Drain([] {}); }));
}

SimulationResult Simulation::Result() const {
  SimulationResult result;
  for (const sim::SimInvite& invite : carrier_.invites()) result.invites += invite.agent ? 0 : 1;
  if (engine_ != nullptr) {
    const BoardSnapshot board = engine_->controller.Board();
    const CampaignFigures& figures = board.campaigns.at(0);
    result.answered = figures.today.answered;
    result.connected = figures.today.connected;
    result.abandoned = figures.today.abandoned;
    result.dispositions = figures.today.dispositions;
    result.abandon_ratio = figures.today.AbandonRatio();
    result.occupancy = figures.occupancy;
  }
  result.trace_hash = world_.trace_hash();
  return result;
}

// What the far end saw is judged by what must be true of every INVITE.
std::string Simulation::CheckInvite(const sim::SimInvite& invite) {
  if (invite.agent) return "";
  const auto dnc = dnc_since_.find(invite.to);
  if (dnc != dnc_since_.end() && invite.wall > dnc->second)
    return "a do-not-call number was dialed";
  if (closed_.contains(invite.to)) return "a number was dialed outside its calling window";
  if (++dialed_[invite.to] > settings_.daily_call_count_limit)
    return "a lead went over its daily limit";
  const std::vector<std::string> parts = absl::StrSplit(invite.ids.call_id, '-');
  uint64_t id = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[1], &id)) return "a Call-ID without attempt id";
  const auto attempt = store_->GetAttempt(AttemptId(id));
  if (!attempt.ok() || !attempt->has_value()) return "an INVITE left before its intent was stored";
  if ((*attempt)->call_id != invite.ids.call_id) return "an INVITE with another attempt's id";
  return "";
}

std::string Simulation::CheckAcknowledged() const {
  for (const AttemptId id : agents_->acknowledged()) {
    const auto attempt = store_->GetAttempt(id);
    if (!attempt.ok() || !attempt->has_value()) return "an acknowledged result is gone";
    if ((*attempt)->open || (*attempt)->status.empty()) return "an acknowledged result was lost";
  }
  return "";
}

std::string Simulation::Check() {
  for (; invites_checked_ < carrier_.invites().size(); ++invites_checked_) {
    const std::string fault = CheckInvite(carrier_.invites()[invites_checked_]);
    if (!fault.empty()) return fault;
  }
  if (carrier_.duplicate_call_ids() > 0) return "a Call-ID was used twice";
  return engine_ == nullptr ? "" : engine_->controller.CheckInvariants();
}

}  // namespace outpace::runtime
