#include "engine/runtime/controller.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/base/overload.h"
#include "engine/runtime/dnc_entries.h"

namespace outpace::runtime {
namespace {

// Ticks may come late on a busy machine; what they missed is placed up to this.
constexpr absl::Duration kCatchUpMost = absl::Milliseconds(200);

// Of scored leads the hopper's order is made anew this often, however slowly they are dialed.
constexpr absl::Duration kRankAgain = absl::Seconds(30);

// What NTP slews and leap seconds do is less.
constexpr absl::Duration kClockStepMin = absl::Seconds(5);

}  // namespace

Controller::Controller(const ControllerOptions& options, Loop& loop, StoreService& store,
                       std::function<absl::Status(call::ShardMessage)> post,
                       AgentEvents& agent_events, std::function<uint64_t()> nonce, Log& log)
    : options_(options),
      loop_(loop),
      store_(store),
      post_(std::move(post)),
      agent_events_(agent_events),
      nonce_(std::move(nonce)),
      log_(log),
      slots_(0, options.legs_max),
      trunks_(options.trunks, options.trunk_tools, loop.clock().Mono()) {}

Controller::~Controller() = default;

void Controller::OnLegEvent(call::LegEvent event) {
  // The queue holds far more than one event a leg; if it were full all the same, losing an event
  // would leave an agent stuck, so that is a mistake of ours in its size.
  const bool queued = loop_.Post([this, event = std::move(event)] { Dispatch(event); });
  OUTPACE_CHECK(queued);
}

void Controller::Start(StartState state) {
  started_ = last_tick_ = loop_.clock().Mono();
  next_attempt_ = state.next_attempt;
  end_attempt_ = state.end_attempt;
  dnc_ = std::move(state.dnc);
  state.erased.PutInto(dnc_);
  dnc_.SetRegistries(std::move(state.registries));
  history_ = std::move(state.history);
  for (const campaign::List& list : state.lists) PutList(list);
  for (const campaign::AgentRecord& agent : state.agents) PutAgent(agent);
  const absl::Time now = loop_.clock().Wall();
  for (const campaign::CampaignSettings& settings : state.campaigns) {
    PutCampaign(settings);
    CampaignRunner& runner = *runners_[settings.id];
    runner.RollDay(now);
    const auto ledger = state.ledgers.find(settings.id);
    const auto first_call = state.first_calls.find(settings.id);
    if (ledger != state.ledgers.end()) runner.TakeLedger(std::move(ledger->second));
    if (first_call != state.first_calls.end()) runner.first_call = first_call->second;
  }
  for (const campaign::Attempt& attempt : state.attempts_today) {
    CampaignRunner* runner = FindRunner(attempt.campaign);
    if (runner == nullptr || !attempt.sent || attempt.inbound) continue;
    if (!state.ledgers.contains(attempt.campaign)) runner->AddRecord(attempt);
    if (runner->first_call == absl::InfinitePast()) runner->first_call = attempt.dialed_at;
    const absl::TimeZone zone = runner->settings().report_zone;
    if (absl::ToCivilDay(attempt.dialed_at, zone) != absl::ToCivilDay(now, zone)) continue;
    runner->CountRecord(attempt);
  }
  for (auto& [id, runner] : runners_) {
    const auto learned = state.learned.find(id);
    if (learned == state.learned.end()) continue;
    if (absl::Status status = runner->LoadLearned(learned->second); !status.ok()) {
      log_.Warning("pacing.state_refused", {{"campaign", id}, {"why", status.message()}});
    }
  }
  if (state.last_known_running != absl::InfiniteFuture()) {
    activities_.NoteEngineEnded(state.last_known_running);
  }
  for (size_t i = 0; i < trunks_.size(); ++i) TellTrunkRoutes(i);
  for (const auto& [trunk, saved] : state.caller_ids) {
    const absl::Status restored =
        trunks_.RestoreCallerIds(trunk, saved, loop_.clock().Mono(), DayNumber());
    if (!restored.ok()) {
      log_.Warning("caller_ids.state_refused", {{"trunk", trunk}, {"why", restored.message()}});
    }
  }
  RecoverAttempts(state);
  for (auto& [id, runner] : runners_) {
    if (!state.ledgers.contains(id)) runner->LedgerIsCompleteFrom(now - absl::Hours(26));
    runner->SetBudgets(now);
  }
  Tick();
}

void Controller::Tick() {
  loop_.After(options_.tick, [this] { Tick(); });
  const MonoTime now = loop_.clock().Mono();
  const absl::Time wall = loop_.clock().Wall();
  WatchClock(now, wall);
  // After a stall (SIGSTOP, a suspended machine) no catch-up: a moment's worth of calls.
  const absl::Duration passed = std::min(now - last_tick_, kCatchUpMost);
  last_tick_ = now;
  trunks_.AddTokens(passed, kCatchUpMost);
  PostAgain();
  bool new_day = false;
  for (auto& [id, runner] : runners_) new_day |= runner->RollDay(wall);
  history_.Prune(wall, history_reach_);
  if (new_day) {
    roster_.StartDay(now);
    connect_delay_ = DelayHistogram();
    trunks_.StartDay(now);
  }
  for (auto& [id, runner] : runners_) runner->RefreshBudgets(wall, now);
  DialAll();
  for (auto& [id, runner] : runners_) WithdrawUnserved(*runner);
  WriteActivities();
}

// Rules go by the wall clock at each question, so one that is set needs no care but this: what was
// held back while it was ahead is due earlier than it was told.
void Controller::WatchClock(MonoTime now, absl::Time wall) {
  const absl::Duration step = last_wall_ == absl::InfinitePast()
                                  ? absl::ZeroDuration()
                                  : (wall - last_wall_) - (now - last_tick_);
  last_wall_ = wall;
  if (absl::AbsDuration(step) < kClockStepMin) return;
  log_.Warning("clock.set", {{"by_seconds", absl::ToInt64Seconds(step)}});
  if (step > absl::ZeroDuration() || options_.clock_set_back == nullptr) return;
  options_.clock_set_back(-step);
}

void Controller::Refill(CampaignRunner& runner) {
  const auto wanted = static_cast<size_t>(runner.settings().hopper_level);
  const MonoTime now = loop_.clock().Mono();
  const bool scored = IsScored(runner);
  const bool stale = scored && now - runner.ranked_at >= kRankAgain;
  if (runner.fetching || (runner.hopper.size() * 2 > wanted && !stale)) return;
  if (now < runner.next_fetch) return;
  runner.fetching = true;
  runner.hopper.BeginRead();
  const campaign::CampaignSettings& settings = runner.settings();
  // Shares by list, and every n-th lead a new one, are for the index to keep.
  if (!scored || !settings.list_order_mix.empty() || settings.lead_order.nth_new > 0) {
    return FetchDue(runner, {});
  }
  options_.tiers->Candidates(
      {settings.id, loop_.clock().Wall(), wanted + runner.hopper.out()},
      [this, id = settings.id](absl::StatusOr<std::vector<campaign::Lead>> leads) {
        CampaignRunner* asking = FindRunner(id);
        if (asking == nullptr) return;
        if (!leads.ok()) return OnTexts(id, leads.status(), {});
        FetchDue(*asking, *std::move(leads));
      });
}

bool Controller::IsScored(const CampaignRunner& runner) const {
  return options_.tiers != nullptr && runner.settings().tier_mode == campaign::TierMode::kScore;
}

void Controller::LearnTiers(campaign::Lead before, const campaign::Attempt& record) {
  const CampaignRunner* runner = FindRunner(record.campaign);
  if (runner == nullptr || !IsScored(*runner)) return;
  options_.tiers->Learn(std::move(before), record);
}

// `first`: leads to be looked at before those of the index.
void Controller::FetchDue(CampaignRunner& runner, std::vector<campaign::Lead> first) {
  const campaign::CampaignSettings& settings = runner.settings();
  const auto wanted = static_cast<size_t>(settings.hopper_level);
  campaign::DueQuery query;
  query.campaign = settings.id;
  query.now = loop_.clock().Wall();
  // Leads that are out may still be due in the store, so they are asked for on top.
  query.limit = wanted + runner.hopper.out();
  query.with_fields = false;  // most may be held back: texts are read for those that are not
  query.order = settings.lead_order.order;
  query.nth_new = settings.lead_order.nth_new;
  query.mix = settings.list_order_mix;
  query.statuses = settings.DialedStatuses();
  store_.FetchDue(std::move(query),
                  [this, id = settings.id, first = std::move(first)](auto leads) mutable {
                    if (leads.ok() && !first.empty()) {
                      absl::flat_hash_set<LeadId> named;
                      for (const campaign::Lead& lead : first) named.insert(lead.id);
                      for (campaign::Lead& lead : *leads) {
                        if (!named.contains(lead.id)) first.push_back(std::move(lead));
                      }
                      leads = std::move(first);
                    }
                    OnFetched(id, std::move(leads));
                  });
}

void Controller::OnFetched(const CampaignId& campaign,
                           absl::StatusOr<std::vector<campaign::Lead>> leads) {
  CampaignRunner* runner = FindRunner(campaign);
  if (runner == nullptr) return;
  if (!leads.ok()) return OnTexts(campaign, leads.status(), {});
  std::vector<campaign::Lead> good, refused;
  bool whole = true;
  for (campaign::Lead& lead : *leads) {
    if (runner->hopper.Holds(lead.id) || runner->hopper.ReleasedInRead(lead.id)) continue;
    const gate::Verdict verdict = AskGate(*runner, lead, GateStage::kOffer);
    if (verdict.allowed()) {
      whole = whole && lead.has_fields;
      good.push_back(std::move(lead));
    } else {
      ApplyRefusal(verdict, lead);
      refused.push_back(std::move(lead));
    }
  }
  const campaign::CampaignSettings& settings = runner->settings();
  if (!settings.lead_filter_id.empty() && !good.empty()) {
    return store_.Sieve(
        std::move(good),
        {settings.lead_filter_id, settings.report_zone, loop_.clock().Wall(), settings.statuses},
        [this, campaign, refused = std::move(refused)](auto sieved) mutable {
          if (!sieved.ok()) return OnTexts(campaign, sieved.status(), {});
          absl::c_move(sieved->held, std::back_inserter(refused));
          OnTexts(campaign, std::move(sieved->passed), std::move(refused));
        });
  }
  if (whole) return OnTexts(campaign, std::move(good), std::move(refused));
  store_.LoadTexts(std::move(good),
                   [this, campaign, refused = std::move(refused)](auto read) mutable {
                     OnTexts(campaign, std::move(read), std::move(refused));
                   });
}

void Controller::OnTexts(const CampaignId& campaign,
                         absl::StatusOr<std::vector<campaign::Lead>> good,
                         std::vector<campaign::Lead> held_back) {
  CampaignRunner* runner = FindRunner(campaign);
  if (runner == nullptr) return;
  if (!good.ok()) {
    runner->fetching = false;
    runner->hopper.EndRead();
    return Stop(absl::StrCat("the store cannot be read: ", good.status().message()));
  }
  // Consent and address are texts.
  std::erase_if(*good, [&](campaign::Lead& lead) {
    const gate::Verdict verdict = AskGate(*runner, lead, GateStage::kOffer);
    if (verdict.allowed()) return false;
    ApplyRefusal(verdict, lead);
    held_back.push_back(std::move(lead));
    return true;
  });
  if (IsScored(*runner)) {
    // What waits is ranked again beside what is new: the order follows what was learned last.
    std::vector<campaign::Lead> all = runner->hopper.Waiting();
    absl::c_move(*good, std::back_inserter(all));
    return options_.tiers->Rank(
        campaign, std::move(all),
        [this, campaign, held_back = std::move(held_back)](auto ranked) mutable {
          Offer(campaign, std::move(ranked), std::move(held_back));
        });
  }
  std::vector<tier::RankedLead> as_they_came;
  for (campaign::Lead& lead : *good) as_they_came.push_back({std::move(lead), {}});
  Offer(campaign, std::move(as_they_came), std::move(held_back));
}

void Controller::Offer(const CampaignId& campaign, std::vector<tier::RankedLead> good,
                       std::vector<campaign::Lead> held_back) {
  CampaignRunner* runner = FindRunner(campaign);
  if (runner == nullptr) return;
  runner->fetching = false;
  const bool scored = IsScored(*runner);
  const absl::flat_hash_set<LeadId> stale = runner->hopper.EndRead();
  const auto elsewhere = [&](const campaign::Lead& lead) {
    return runner->hopper.Holds(lead.id) || stale.contains(lead.id) || withdrawals_.Has(lead.id);
  };
  campaign::StoreBatch refused;
  refused.leads = std::move(held_back);
  std::erase_if(refused.leads, elsewhere);
  absl::flat_hash_set<LeadId> waiting;
  if (scored) {
    for (const LeadId id : runner->hopper.WaitingIds()) waiting.insert(id);
  }
  size_t fresh = 0;
  std::erase_if(good, [&](const tier::RankedLead& ranked) {
    const bool gone = elsewhere(ranked.lead);
    fresh += gone ? 0 : 1;
    return gone && !waiting.contains(ranked.lead.id);
  });
  withdrawals_.ReadCameBack(campaign);
  const bool all_held = fresh == 0;
  if (scored) {
    runner->hopper.Arrange(std::move(good), static_cast<size_t>(runner->settings().hopper_level));
    runner->ranked_at = loop_.clock().Mono();
  } else {
    std::vector<campaign::Lead> leads;
    for (tier::RankedLead& lead : good) leads.push_back(std::move(lead.lead));
    runner->hopper.Add(std::move(leads));
  }
  // Held leads leave the due index, so the next fetch sees those behind them. With nothing due at
  // all, the store is asked again in a second, or as soon as leads are loaded.
  const MonoTime now = loop_.clock().Mono();
  if (refused.leads.empty()) {
    runner->next_fetch = all_held ? now + absl::Seconds(1) : now;
    return;
  }
  runner->fetching = true;
  store_.Commit(std::move(refused), [this, campaign](absl::Status status) {
    CampaignRunner* held = FindRunner(campaign);
    if (held == nullptr) return;
    held->fetching = false;
    if (!status.ok()) return StopForStore(status);
    Refill(*held);  // behind the held ones there may be others, and agents wait
  });
}

void Controller::Dispatch(const call::LegEvent& event) {
  std::visit(Overload{[this](const call::LegProgress& e) { OnProgress(e); },
                      [this](const call::LegAnswered& e) {
                        if (!OnMonitorAnswered(e) && !OnInboundAnswered(e)) OnAnswered(e);
                      },
                      [this](const call::LegConnected& e) {
                        if (!OnInboundConnected(e)) OnConnected(e);
                      },
                      [this](const call::LegEnded& e) {
                        if (!OnMonitorEnded(e) && !OnInboundEnded(e)) OnLegEnded(e);
                      },
                      [this](const call::PromptFinished& e) {
                        if (!OnInboundPromptFinished(e)) OnPromptFinished(e);
                      },
                      [this](const call::LegHeard& e) { OnHeard(e); },
                      [this](const call::LegDigit& e) { OnDigit(e); },
                      [this](const call::LegJoined& e) { OnJoined(e); },
                      [this](const call::LegFreed& e) { OnLegFreed(e); },
                      [this](const call::TrunkState& e) { OnTrunkState(e); },
                      [this](const call::CallOffered& e) { OnCallOffered(e); },
                      [this](const call::CallWithdrawn& e) { OnCallWithdrawn(e); },
                      [this](const call::TrunkProbe& e) { OnProbe(e); },
                      [this](const call::FenceReached& e) { OnFenceReached(e); }},
             event);
}

const campaign::StatusSet& Controller::StatusesOf(const CampaignId& campaign) const {
  const auto found = runners_.find(campaign);
  return found == runners_.end() ? campaign::StatusSet::System()
                                 : found->second->settings().statuses;
}

CampaignRunner* Controller::FindRunner(const CampaignId& campaign) {
  const auto it = runners_.find(campaign);
  return it == runners_.end() ? nullptr : it->second.get();
}

Controller::LiveAttempt* Controller::FindLive(AttemptId id) {
  const auto it = live_.find(id);
  return it == live_.end() ? nullptr : &it->second;
}

AttemptId Controller::AttemptOf(LegId leg) const {
  const AttemptId* id = std::get_if<AttemptId>(&slots_.OwnerOf(leg));
  return id == nullptr ? AttemptId() : *id;
}

void Controller::SetTrunkRoutes(size_t trunk, std::vector<std::string> route_uris,
                                std::vector<std::string> addresses) {
  OUTPACE_CHECK(trunk < trunks_.size());
  if (trunks_.SetRoutes(trunk, std::move(route_uris), std::move(addresses))) TellTrunkRoutes(trunk);
}

void Controller::TellTrunkRoutes(size_t trunk) {
  if (trunks_[trunk].route_uris.empty()) return;
  Post(call::TrunkAddresses{static_cast<uint16_t>(trunk), trunks_[trunk].route_uris,
                            trunks_[trunk].addresses});
}

absl::Time Controller::WallAt(MonoTime at) const {
  return loop_.clock().Wall() - (loop_.clock().Mono() - at);
}

void Controller::Stop(const std::string& reason) {
  if (!stopped_reason_.empty()) return;
  stopped_reason_ = reason;
  log_.Error("dialing.stopped", {{"why", reason}});
}

void Controller::StopForStore(const absl::Status& status) {
  Stop(absl::StrCat("the store cannot be written: ", status.message()));
}

// A full mailbox refuses a dial, and the attempt is taken back. Anything else must reach the shard,
// or a person would stay on a line that nobody ends: it waits here, in order, for the next tick.
bool Controller::Post(call::ShardMessage message) {
  if (!unposted_.empty() && !std::holds_alternative<call::DialOrder>(message)) {
    unposted_.push_back(std::move(message));
    return true;
  }
  const absl::Status status = post_(message);
  if (status.ok()) return true;
  log_.Error("shard.refused", {{"why", status.message()}});
  if (std::holds_alternative<call::DialOrder>(message)) return false;
  unposted_.push_back(std::move(message));
  return true;
}

void Controller::PostAgain() {
  while (!unposted_.empty() && post_(unposted_.front()).ok()) unposted_.pop_front();
}

void Controller::PutCampaign(const campaign::CampaignSettings& settings) {
  std::unique_ptr<CampaignRunner>& runner = runners_[settings.id];
  if (runner == nullptr) {
    runner = std::make_unique<CampaignRunner>(settings);
    if (options_.tiers != nullptr) options_.tiers->PutCampaign(settings);
    HistoryFrom(runner->policy().rules().HistoryNeeded());
    trunks_.SetPath(settings, runner->trunks);
    runner->LedgerIsCompleteFrom(absl::InfinitePast());  // a new campaign: nothing was before
    runner->RollDay(loop_.clock().Wall());
    return;
  }
  if (options_.tiers != nullptr) options_.tiers->PutCampaign(settings);
  runner->UpdateSettings(settings);
  HistoryFrom(runner->policy().rules().HistoryNeeded());
  trunks_.SetPath(settings, runner->trunks);
  runner->SetBudgets(loop_.clock().Wall());
}

absl::Time Controller::LedgerFrom(const CampaignId& campaign) const {
  const auto found = runners_.find(campaign);
  return found == runners_.end() ? absl::InfiniteFuture() : found->second->ledger().from();
}

absl::Time Controller::HistoryFrom(absl::Duration reach) {
  history_reach_ = std::max(history_reach_, reach);
  if (history_reach_ > absl::ZeroDuration() && history_.from() == absl::InfiniteFuture()) {
    history_.set_from(loop_.clock().Wall());
  }
  return history_.from();
}

void Controller::AddOlder(const CampaignId& campaign, const AbandonLedger& older) {
  CampaignRunner* runner = FindRunner(campaign);
  if (runner == nullptr || older.from() >= runner->ledger().from()) return;
  runner->AddOlder(older);
  runner->SetBudgets(loop_.clock().Wall());
}

void Controller::PutList(const campaign::List& list) { lists_[list.id] = list; }

void Controller::PutAgent(const campaign::AgentRecord& agent) {
  agents_[agent.user].record = agent;
}

void Controller::LeadsChanged(const CampaignId& campaign) {
  if (CampaignRunner* runner = FindRunner(campaign)) runner->next_fetch = MonoTime();
}

void Controller::AddDnc(campaign::DncEntry entry, Done done) {
  AddDnc(std::vector<campaign::DncEntry>{std::move(entry)}, std::move(done));
}

void Controller::AddDnc(std::vector<campaign::DncEntry> entries, Done done) {
  bool ranges = false, cancelled = false;
  for (campaign::DncEntry& entry : entries) {
    entry.expires = PutDnc(entry);
    ranges |= !entry.phone.valid();
  }
  for (const campaign::DncEntry& entry : entries) cancelled |= CancelUnanswered(entry);
  if (ranges) {
    for (const auto& [id, live] : live_) cancelled |= CancelIfListed(live);
  }
  if (cancelled) done = AfterShard(std::move(done));
  campaign::StoreBatch batch;
  batch.dnc_added = std::move(entries);
  store_.Commit(std::move(batch), std::move(done));
}

// Whoever is being rung right now and has not answered must not be.
bool Controller::CancelUnanswered(const campaign::DncEntry& entry) {
  bool cancelled = false;
  for (const auto& [id, live] : live_) {
    if (live.record.dialed != entry.phone && live.lead.phone != entry.phone) continue;
    cancelled |= CancelIfListed(live);
  }
  return cancelled;
}

bool Controller::CancelIfListed(const LiveAttempt& live) {
  if (live.phase != Phase::kDialing) return false;
  const campaign::CampaignSettings& settings = FindRunner(live.record.campaign)->settings();
  if (!gate::IsListed(live.lead, live.record.dialed, settings, dnc_, loop_.clock().Wall())) {
    return false;
  }
  Post(call::HangUp{live.leg});
  return true;
}

// An order may wait in the shard's mailbox for as long as that thread gets no turn, which can be
// longer than the disk takes: whoever is told "never from now on" is told behind it.
Controller::Done Controller::AfterShard(Done done) {
  struct Both {
    Done done;
    absl::Status status;
    int waits = 2;
  };
  const auto both = std::make_shared<Both>();
  both->done = std::move(done);
  const auto arrive = [both] {
    if (--both->waits == 0 && both->done) both->done(std::move(both->status));
  };
  const uint64_t id = next_fence_++;
  fences_.emplace(id, arrive);
  Post(call::Fence{id});
  return [both, arrive](absl::Status status) {
    both->status = std::move(status);
    arrive();
  };
}

void Controller::OnFenceReached(const call::FenceReached& event) {
  auto waiting = fences_.extract(event.id);
  OUTPACE_CHECK(!waiting.empty());
  waiting.mapped()();
}

absl::Time Controller::PutDnc(const campaign::DncEntry& entry) {
  dnc_removing_.erase({entry.scope, entry.phone, entry.range});
  return PutEntry(entry, dnc_);
}

void Controller::SetRegistries(std::vector<std::shared_ptr<const dnc::RegistryFile>> registries,
                               Done done) {
  dnc_.SetRegistries(std::move(registries));
  bool cancelled = false;
  for (const auto& [id, live] : live_) cancelled |= CancelIfListed(live);
  if (cancelled) done = AfterShard(std::move(done));
  if (done) done(absl::OkStatus());
}

void Controller::RemoveDnc(campaign::DncEntry entry, Done done) {
  dnc_removing_.insert({entry.scope, entry.phone, entry.range});
  campaign::StoreBatch batch;
  batch.dnc_removed.push_back(entry);
  store_.Commit(
      std::move(batch), [this, entry, done = std::move(done)](absl::Status status) mutable {
        const bool still_wanted = dnc_removing_.erase({entry.scope, entry.phone, entry.range}) == 1;
        if (status.ok() && still_wanted) RemoveEntry(entry, dnc_);
        done(status);
      });
}

void Controller::Drain(absl::AnyInvocable<void()> drained) {
  draining_ = true;
  drained_ = std::move(drained);
  for (auto& [user, line] : agents_) WithdrawPreview(user);
  MaybeDrained();
}

void Controller::HangUpAll() {
  ending_ = true;
  std::vector<AttemptId> wrapping;
  for (auto& [id, live] : live_) {
    if (live.phase == Phase::kWrapUp) wrapping.push_back(id);
    if (live.phase != Phase::kStoring && live.phase != Phase::kWrapUp &&
        live.phase != Phase::kClosing) {
      EndTalk(live, "SYSTEM");
    }
  }
  for (const AttemptId id : wrapping) Close(*FindLive(id), "DISPO", nullptr);
  HangUpInbound();
  for (const auto& [id, monitor] : monitors_) Post(call::HangUp{monitor.leg});
  for (auto& [user, line] : agents_) {
    if (line.leg.valid()) Post(call::HangUp{line.leg});
  }
}

void Controller::MaybeDrained() {
  if (!draining_ || !drained_ || !live_.empty() || !inbound_.empty()) return;
  bool lines_up = false;
  for (auto& [user, line] : agents_) {
    if (IsWorking(user)) Logout(user).IgnoreError();
    lines_up |= line.leg.valid();
  }
  if (lines_up || !monitors_.empty()) return;  // each line's end comes back here
  EndActivities();
  std::exchange(drained_, nullptr)();
}

std::string Controller::CheckInvariants() const {
  std::map<CampaignId, int> ringing;
  for (const auto& [id, live] : live_) {
    const agent::AgentRecord* agent = roster_.Find(live.agent);
    const bool with_agent = live.phase == Phase::kConnecting || live.phase == Phase::kTalking ||
                            live.phase == Phase::kWrapUp;
    // One agent has one call: the roster names one attempt each, so it must be this one, unless the
    // agent has logged out and the call is on its way down.
    if (with_agent && agent == nullptr) return "a call is with an agent nobody knows";
    if (with_agent && agent->state != agent::AgentState::kLoggedOut && agent->attempt != id) {
      return "an agent has two calls";
    }
    if (live.phase == Phase::kStoring || live.phase == Phase::kDialing)
      ++ringing[live.record.campaign];
    if (live.phase != Phase::kClosing && live.phase != Phase::kWrapUp) {
      const auto number = numbers_in_call_.find(live.record.dialed);
      if (number == numbers_in_call_.end() || number->second != id) {
        return "a number is in two calls at once";
      }
    }
  }
  for (const auto& [id, runner] : runners_) {
    if (runner->ringing != ringing[id]) return "placed calls and calls under way do not add up";
    if (runner->pacer.Snapshot().in_flight != runner->ringing)
      return "the pacer lost count of a dial";
    if (runner->pacer.Snapshot().events_unknown != 0)
      return "the pacer was told of an unknown dial";
  }
  for (const auto& [user, agent] : roster_.agents()) {
    if (agent.state != agent::AgentState::kOnCall && agent.state != agent::AgentState::kWrapUp)
      continue;
    if (!live_.contains(agent.attempt)) return "an agent is on a call that is over";
  }
  int calls = 0;
  int lines = 0;
  for (size_t i = 0; i < trunks_.size(); ++i) calls += trunks_[i].calls;
  for (const auto& [id, runner] : runners_) lines += runner->lines;
  if (calls < 0) return "a trunk counts fewer than no calls";
  if (lines != calls) return "the campaigns' lines are not those of the trunks";
  const std::string inbound = CheckInbound();
  return inbound.empty() ? CheckActivities() : inbound;
}

std::map<CampaignId, std::string> Controller::Learned() const {
  std::map<CampaignId, std::string> learned;
  for (const auto& [id, runner] : runners_) learned[id] = runner->SaveLearned();
  return learned;
}

absl::StatusOr<ContractsAnswer> Controller::Contracts(const CampaignId& campaign) const {
  const auto found = runners_.find(campaign);
  if (found == runners_.end()) {
    return absl::NotFoundError(absl::StrCat("no campaign is named '", campaign, "'"));
  }
  const CampaignRunner& runner = *found->second;
  return ContractsAnswer{runner.Contracts(loop_.clock().Wall()), runner.settings().report_zone};
}

absl::StatusOr<WhyAnswer> Controller::Why(const CampaignId& campaign, size_t most) const {
  const auto found = runners_.find(campaign);
  if (found == runners_.end()) {
    return absl::NotFoundError(
        absl::StrCat("no campaign is named '", campaign, "'; see: outpace campaign list"));
  }
  return found->second->Why(most, loop_.clock().Wall());
}

std::map<CampaignId, absl::Time> Controller::FirstCalls() const {
  std::map<CampaignId, absl::Time> first_calls;
  for (const auto& [id, runner] : runners_) {
    if (runner->first_call != absl::InfinitePast()) first_calls[id] = runner->first_call;
  }
  return first_calls;
}

std::map<std::string, std::string> Controller::CallerIdUse() const {
  return trunks_.SaveCallerIds(loop_.clock().Mono());
}

BoardSnapshot Controller::Board() const {
  BoardSnapshot board;
  const MonoTime now = loop_.clock().Mono();
  board.now = loop_.clock().Wall();
  board.uptime = now - started_;
  board.draining = draining_;
  board.stopped_reason = stopped_reason_;
  if (options_.audio_figures) board.audio = options_.audio_figures();
  board.connect_p50_ms = connect_delay_.QuantileMs(0.5);
  board.connect_p99_ms = connect_delay_.QuantileMs(0.99);
  const TierService::Reports tiers =
      options_.tiers != nullptr ? options_.tiers->Report() : TierService::Reports();
  for (const auto& [id, runner] : runners_) {
    const agent::CampaignCounts agents = roster_.Counts(id);
    CampaignFigures figures = runner->Figures();
    figures.contracts = runner->Contracts(loop_.clock().Wall());
    if (const auto learned = tiers.find(id); IsScored(*runner) && learned != tiers.end()) {
      figures.tiers = learned->second;
    }
    figures.ready = agents.ready;
    figures.incall = agents.talking + agents.reserved;
    figures.dispo = agents.wrapping;
    figures.paused = agents.paused;
    figures.talking = agents.talking;
    figures.occupancy = roster_.TimesOf(id, now).occupancy();
    board.campaigns.push_back(std::move(figures));
  }
  for (const auto& [id, agent] : roster_.agents()) {
    if (agent.state == agent::AgentState::kLoggedOut) continue;
    board.agents.push_back({id, agent.campaign, std::string(agent::AgentStateName(agent.state)),
                            WallAt(agent.since), agent.calls_today, agent.pause_code,
                            agent.phone_up});
  }
  for (size_t i = 0; i < trunks_.size(); ++i) {
    const TrunkDesk::Trunk& trunk = trunks_[i];
    board.trunks.push_back({.name = trunks_.settings(i).name,
                            .up = !trunk.open && !trunk.route_uris.empty(),
                            .reason = trunk.reason,
                            .calls = trunk.calls,
                            .attempts = trunk.attempts,
                            .answered = trunk.answered,
                            .addresses = static_cast<int>(trunk.route_uris.size()),
                            .stats = trunk.stats.Snapshot(now)});
  }
  return board;
}

}  // namespace outpace::runtime
