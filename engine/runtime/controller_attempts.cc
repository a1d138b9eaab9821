// The life of one attempt, from the gate to its final record.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/disposition.h"
#include "campaign/retry_rule.h"
#include "engine/runtime/controller.h"

namespace outpace::runtime {
namespace {

pacing::AttemptResult ResultOf(absl::string_view outcome, bool trunk_fault) {
  using call::CallOutcome;
  const auto is = [outcome](CallOutcome o) { return outcome == call::CallOutcomeName(o); };
  if (trunk_fault || is(CallOutcome::kNoTrunk) || is(CallOutcome::kCongestion)) {
    return pacing::AttemptResult::kTrunkFault;
  }
  if (is(CallOutcome::kNoAnswer)) return pacing::AttemptResult::kNoAnswer;
  if (is(CallOutcome::kBusy)) return pacing::AttemptResult::kBusy;
  if (is(CallOutcome::kInvalid)) return pacing::AttemptResult::kInvalid;
  if (is(CallOutcome::kCancelled)) return pacing::AttemptResult::kCancelled;
  return pacing::AttemptResult::kOther;
}

constexpr int kNoResponseStatus = 408;  // as trunks' figures count silence

// A 2xx that was ended at once for want of usable audio (a 488 is kMedia too, and nobody picked
// up).
bool UnusableAnswer(const call::LegEnded& event) {
  return event.outcome == call::CallOutcome::kMedia && event.sip_status / 100 == 2;
}

constexpr absl::Duration kRecoveredWrapUp = absl::Minutes(10);

// Before a number that no trunk of the campaign carries is looked at again.
constexpr absl::Duration kNoRouteRest = absl::Hours(24);

std::string Hex(uint64_t value) { return absl::StrCat(absl::Hex(value, absl::kZeroPad16)); }

}  // namespace

gate::Verdict Controller::AskGate(const CampaignRunner& runner, const campaign::Lead& lead,
                                  bool after_intent) const {
  const auto list = lists_.find(lead.list);
  gate::GateInput input{.lead = lead, .number = lead.phone, .settings = runner.settings()};
  input.list_active = list == lists_.end() || list->second.active;
  input.attempts_today = runner.AttemptsToday(lead.id);
  input.number_in_call = !after_intent && numbers_in_call_.contains(lead.phone);
  input.after_intent = after_intent;
  return gate::Decide(input, dnc_, loop_.clock().Wall());
}

void Controller::ApplyRefusal(const gate::Verdict& verdict, campaign::Lead& lead) {
  for (const gate::Reason& reason : verdict.reasons) {
    if (reason.rule == gate::Rule::kDncSystem) lead.status = "DNCL";
    if (reason.rule == gate::Rule::kDncCampaign) lead.status = "DNCC";
    lead.hold_until = std::max(lead.hold_until, reason.until);
  }
}

// RFC 3323 4.1: who asks for privacy shows no number in From; P-Asserted-Identity has it then.
std::string Controller::FromUri(const trunk::TrunkSettings& trunk, E164 caller_id) const {
  if (trunk.identity.privacy) return "sip:anonymous@anonymous.invalid";
  const std::string user = caller_id.valid() ? caller_id.ToString() : "anonymous";
  return absl::StrCat("sip:", user, "@", options_.local_host);
}

int64_t Controller::DayNumber() const {
  return absl::ToUnixSeconds(loop_.clock().Wall()) / (24 * 60 * 60);
}

// Writes a lead that may not be dialed now, so that it leaves those that are due.
void Controller::HoldBack(CampaignRunner& runner, campaign::Lead lead) {
  const LeadId lead_id = lead.id;
  campaign::StoreBatch batch;
  batch.leads.push_back(std::move(lead));
  store_.Commit(std::move(batch),
                [this, lead_id, campaign = runner.settings().id](absl::Status status) {
                  if (CampaignRunner* held = FindRunner(campaign)) held->hopper.Release(lead_id);
                  if (!status.ok()) StopForStore(status);
                });
}

Controller::Launched Controller::Launch(CampaignRunner& runner, campaign::Lead& lead, AttemptId id,
                                        const AgentId& agent, std::vector<uint16_t> tried) {
  // A campaign may have been moved to trunks that do not exist since the lead was offered.
  if (!runner.trunks.fault.empty() || slots_.free() == 0) return Launched::kNoRoom;
  if (const gate::Verdict verdict = AskGate(runner, lead, false); !verdict.allowed()) {
    // Was legal when it came into the hopper and is not any more.
    ApplyRefusal(verdict, lead);
    HoldBack(runner, std::move(lead));
    return Launched::kHeldBack;
  }
  if (slots_.free() == 0) return Launched::kNoRoom;
  trunk::CallerIdTaken caller_id;
  const TrunkDesk::Choice choice = ChooseTrunk(runner, lead.phone, tried, caller_id);
  if (choice.why == trunk::NoRoute::kNotCarried) {
    log_.Warning("lead.no_route", {{"lead", lead.id}, {"campaign", runner.settings().id}});
    lead.hold_until = std::max(lead.hold_until, loop_.clock().Wall() + kNoRouteRest);
    HoldBack(runner, std::move(lead));
    return Launched::kHeldBack;
  }
  if (choice.why != trunk::NoRoute::kNone) return Launched::kNoRoom;
  if (!id.valid()) id = NextAttemptId();  // only now: ids are not given back
  const LegId leg = slots_.Take(id);
  OUTPACE_CHECK(leg.valid());
  LiveAttempt& live = live_[id];
  live.leg = leg;
  live.agent = agent;
  live.trunk = choice.trunk;
  live.tried = std::move(tried);
  live.lead =
      campaign::ApplyIntent(lead, loop_.clock().Wall(), absl::Hours(campaign::kUnknownRestHours));
  live.record = IntentOf(runner, lead, id, choice, caller_id.id);
  live.caller_id = std::move(caller_id);
  live.before = std::move(lead);

  numbers_in_call_[live.record.dialed] = id;
  runner.pacer.OnDialed(id, Hopper::TraitsOf(live.before), loop_.clock().Mono());
  runner.CountAttempt(live.record.lead);
  if (runner.first_call == absl::InfinitePast()) runner.first_call = live.record.dialed_at;
  ++runner.ringing;
  ++runner.today.attempts;
  ++runner.lines;
  TrunkDesk::Trunk& trunk = trunks_[live.trunk];
  ++trunk.calls;
  ++trunk.dialing;
  trunk.tokens -= 1;
  TrunkShare& share = runner.trunks.shares[live.trunk];
  ++share.held;
  if (share.tokens != TrunkShare::kNoShare) {
    --share.tokens;
    --share.lines;
  }

  campaign::StoreBatch intent;
  intent.leads.push_back(live.lead);
  intent.attempts.push_back(live.record);
  store_.Commit(std::move(intent), [this, id](absl::Status status) { OnIntentStored(id, status); });
  return Launched::kPlaced;
}

// A trunk whose caller IDs all rest, or have had their calls of the day, does not take the call;
// the next one may.
TrunkDesk::Choice Controller::ChooseTrunk(CampaignRunner& runner, E164 number,
                                          const std::vector<uint16_t>& tried,
                                          trunk::CallerIdTaken& caller_id) {
  std::vector<uint16_t> passed_over = tried;
  for (;;) {
    const TrunkDesk::Choice choice = trunks_.Choose(number, runner.trunks, passed_over);
    if (choice.why != trunk::NoRoute::kNone) return choice;
    TrunkDesk::Trunk& trunk = trunks_[choice.trunk];
    caller_id = trunk.caller_ids.Take(number, runner.settings().campaign_cid, loop_.clock().Mono(),
                                      DayNumber());
    const bool used_up = caller_id.why == trunk::NoCallerId::kDailyCap;
    const bool rests = caller_id.why == trunk::NoCallerId::kResting;
    trunk.no_caller_id = used_up ? "its caller IDs have had their calls of the day"
                         : rests ? "its caller IDs rest"
                                 : "";
    if (!used_up && !rests) return choice;
    passed_over.push_back(static_cast<uint16_t>(choice.trunk));
  }
}

campaign::Attempt Controller::IntentOf(const CampaignRunner& runner, const campaign::Lead& lead,
                                       AttemptId id, const TrunkDesk::Choice& choice,
                                       const trunk::CallerId& caller_id) {
  const campaign::CampaignSettings& settings = runner.settings();
  const trunk::TrunkSettings& trunk = trunks_.settings(choice.trunk);
  campaign::Attempt record;
  record.id = id;
  record.lead = lead.id;
  record.list = lead.list;
  record.campaign = settings.id;
  record.tier = lead.tier;
  record.number_of_try = lead.called_count + 1;
  record.dialed = lead.phone;
  record.caller_id = caller_id.number;
  record.trunk = trunk.name;
  record.call_id = absl::StrCat("op-", id.value(), "-", Hex(nonce_()), Hex(nonce_()));
  record.from_tag = Hex(nonce_());
  record.branch = absl::StrCat("z9hG4bK-op", id.value(), "-", Hex(nonce_()));
  record.route_uri = *choice.route_uri;
  record.request_uri = absl::StrCat("sip:", choice.dialled, "@", trunk.peer);
  record.from_uri = FromUri(trunk, caller_id.number);
  record.dialed_at = loop_.clock().Wall();
  return record;
}

void Controller::ReleaseTrunk(LiveAttempt& live) {
  CampaignRunner& runner = *FindRunner(live.record.campaign);
  --trunks_[live.trunk].calls;
  --runner.trunks.shares[live.trunk].held;
  --runner.lines;
}

void Controller::OnIntentStored(AttemptId id, const absl::Status& status) {
  LiveAttempt* live = FindLive(id);
  OUTPACE_CHECK(live != nullptr && live->phase == Phase::kStoring);
  CampaignRunner* runner = FindRunner(live->record.campaign);
  if (!status.ok()) {
    StopForStore(status);
    return EndUnsent(*live, "the intent could not be stored");
  }
  live->phase = Phase::kDialing;
  if (draining_ || !stopped_reason_.empty()) return EndUnsent(*live, "dialing has stopped");
  if (!live->agent.empty() && !IsWith(live->agent, id)) {
    return EndUnsent(*live, "the agent has logged out");
  }
  // Seconds may have passed on a slow disk: a number added to the DNC list meanwhile, or a window
  // that closed, must hold this very call.
  if (const gate::Verdict verdict = AskGate(*runner, live->lead, true); !verdict.allowed()) {
    ApplyRefusal(verdict, live->before);
    return EndUnsent(*live, gate::RuleName(verdict.reasons.front().rule));
  }
  const campaign::Attempt& record = live->record;
  call::DialOrder order;
  order.leg = live->leg;
  order.kind = call::LegKind::kLead;
  order.attempt = id;
  order.ids = {record.call_id, record.from_tag, record.branch};
  order.trunk = static_cast<uint16_t>(live->trunk);
  order.route_uri = record.route_uri;
  order.request_uri = record.request_uri;
  order.from_uri = record.from_uri;
  order.ring_time_max = runner->settings().dial_timeout;
  order.headers = trunks_.HeadersFor(live->trunk, live->lead, live->caller_id.id, record.dialed,
                                     options_.local_host, loop_.clock().Wall());
  live->ordered = loop_.clock().Mono();  // before the shard can answer
  if (!Post(std::move(order))) return EndUnsent(*live, "the call shard's queue is full");
  ++trunks_[live->trunk].attempts;
  trunks_[live->trunk].stats.OnAttempt(live->ordered);
}

// The intent was made but nothing left the house: the lead is as it was before.
void Controller::EndUnsent(LiveAttempt& live, absl::string_view why) {
  log_.Info("attempt.unsent", {{"attempt", live.record.id}, {"why", why}});
  CampaignRunner* runner = FindRunner(live.record.campaign);
  const MonoTime now = loop_.clock().Mono();
  runner->pacer.OnResolved(live.record.id, pacing::AttemptResult::kTrunkFault, now);
  runner->UncountAttempt(live.record.lead);
  --runner->ringing;
  --trunks_[live.trunk].dialing;
  trunks_[live.trunk].caller_ids.GiveBack(live.caller_id);
  ReleaseTrunk(live);
  slots_.Free(live.leg);
  if (IsWith(live.agent, live.record.id)) ApplyToAgent(live.agent, agent::AgentEvent::kRelease);
  live.record.sent = false;
  live.record.ended_at = loop_.clock().Wall();
  live.record.outcome = std::string(call::CallOutcomeName(call::CallOutcome::kCancelled));
  live.lead = live.before;
  WriteFinal(live, nullptr);
}

void Controller::OnProgress(const call::LegProgress& event) {
  LiveAttempt* live = FindLive(AttemptOf(event.leg));
  if (live == nullptr || live->ringing) return;
  live->ringing = true;
  live->ringing_since = event.at;
  trunks_[live->trunk].stats.OnProgress(event.at - live->ordered, event.at);
  live->record.ringing_at = WallAt(event.at);
}

void Controller::OnAnswered(const call::LegAnswered& event) {
  if (const AgentId* agent = std::get_if<AgentId>(&slots_.OwnerOf(event.leg))) {
    return OnAgentLegAnswered(*agent);
  }
  LiveAttempt* live = FindLive(AttemptOf(event.leg));
  if (live == nullptr || live->phase != Phase::kDialing) {
    ++late_events_;
    return;
  }
  CampaignRunner& runner = *FindRunner(live->record.campaign);
  const AttemptId id = live->record.id;
  live->answered = event.at;
  live->record.answered_at = WallAt(event.at);
  --runner.ringing;
  ++runner.today.answered;
  TrunkDesk::Trunk& trunk = trunks_[live->trunk];
  ++trunk.answered;
  --trunk.dialing;
  if (!live->ringing) trunk.stats.OnProgress(event.at - live->ordered, event.at);
  trunk.stats.OnAnswer(200, event.at);
  runner.pacer.OnAnswered(id, event.at);
  if (IsWith(live->agent, id)) {  // previewed
    if (roster_.Find(live->agent)->phone_up) return ConnectToAgent(*live);
    ApplyToAgent(live->agent, agent::AgentEvent::kRelease);
  }
  live->agent.clear();  // whoever wanted this call has gone: it is anybody's now
  if (const agent::AgentRecord* free = roster_.PickLongestWaiting(live->record.campaign)) {
    ReserveFor(*live, free->id);
    return ConnectToAgent(*live);
  }
  live->phase = Phase::kWaiting;
  runner.waiting.push_back(id);
  const absl::Duration left =
      runner.settings().drop_call_seconds - (loop_.clock().Mono() - event.at);
  live->timer = loop_.After(std::max(left, absl::ZeroDuration()), [this, id] { Abandon(id); });
}

void Controller::ReserveFor(LiveAttempt& live, const AgentId& agent) {
  live.agent = agent;
  OUTPACE_CHECK(roster_.Reserve(agent, live.record.id, loop_.clock().Mono()).ok());
}

void Controller::ConnectToAgent(LiveAttempt& live) {
  live.phase = Phase::kConnecting;
  Post(call::Connect{live.leg, agents_[live.agent].leg});
  Announce(live.agent);
}

void Controller::ServeWaiting(CampaignRunner& runner) {
  while (!runner.waiting.empty()) {
    const agent::AgentRecord* free = roster_.PickLongestWaiting(runner.settings().id);
    if (free == nullptr) return;
    LiveAttempt& live = *FindLive(runner.waiting.front());
    runner.waiting.pop_front();
    loop_.Cancel(std::exchange(live.timer, 0));
    ReserveFor(live, free->id);
    ConnectToAgent(live);
  }
}

void Controller::OnConnected(const call::LegConnected& event) {
  LiveAttempt* live = FindLive(AttemptOf(event.lead));
  if (live == nullptr || live->phase != Phase::kConnecting) {
    ++late_events_;
    return;
  }
  CampaignRunner& runner = *FindRunner(live->record.campaign);
  live->phase = Phase::kTalking;
  live->connected = event.at;
  live->record.connected_at = WallAt(event.at);
  live->record.agent = live->agent;
  runner.pacer.OnConnected(live->record.id, event.at);
  ++runner.today.connected;
  runner.ledger.AddServed(live->record.answered_at);
  connect_delay_.Add(event.at - live->answered);
  ApplyToAgent(live->agent, agent::AgentEvent::kConnect);
  agent_events_.OnPop(live->agent, live->record, live->lead, false);
  // Who has the call must be known after a crash, so that the agent can still dispose of it.
  campaign::StoreBatch progress;
  progress.attempts.push_back(live->record);
  store_.Commit(std::move(progress), [this](absl::Status status) {
    if (!status.ok()) StopForStore(status);
  });
}

void Controller::CountAbandoned(LiveAttempt& live) {
  if (live.record.inbound) return;  // we did not ring this person
  CampaignRunner& runner = *FindRunner(live.record.campaign);
  live.record.abandoned = true;
  runner.pacer.OnAbandoned(live.record.id, loop_.clock().Mono());
  ++runner.today.abandoned;
  runner.ledger.AddAbandoned(live.record.answered_at);
  log_.Info("attempt.abandoned", {{"attempt", live.record.id}, {"campaign", live.record.campaign}});
}

void Controller::Abandon(AttemptId id) {
  LiveAttempt* live = FindLive(id);
  OUTPACE_CHECK(live != nullptr && live->phase == Phase::kWaiting);
  CampaignRunner& runner = *FindRunner(live->record.campaign);
  live->timer = 0;
  live->phase = Phase::kDropping;
  runner.waiting.erase(std::find(runner.waiting.begin(), runner.waiting.end(), id));
  CountAbandoned(*live);
  Post(call::PlayThenHangUp{live->leg, call::Prompt::kSafeHarbor});
}

void Controller::OnPromptFinished(const call::PromptFinished& event) {
  if (LiveAttempt* live = FindLive(AttemptOf(event.leg))) live->record.message_played = true;
}

void Controller::OnLegEnded(const call::LegEnded& event) {
  if (const AgentId* agent = std::get_if<AgentId>(&slots_.OwnerOf(event.leg))) {
    return OnAgentLegEnded(AgentId(*agent), event);
  }
  LiveAttempt* live = FindLive(AttemptOf(event.leg));
  if (live == nullptr) {
    ++late_events_;
    return;
  }
  CampaignRunner& runner = *FindRunner(live->record.campaign);
  TrunkDesk::Trunk& trunk = trunks_[live->trunk];
  campaign::Attempt& record = live->record;
  slots_.Disown(event.leg);
  loop_.Cancel(std::exchange(live->timer, 0));
  ReleaseTrunk(*live);
  live->ended = event.at;
  record.ended_at = WallAt(event.at);
  record.outcome = std::string(call::CallOutcomeName(event.outcome));
  record.sip_status = event.sip_status;
  record.q850_cause = event.q850_cause;
  record.trunk_fault = event.trunk_fault;
  record.term_reason = event.by_far_end ? "CALLER" : "AGENT";
  switch (live->phase) {
    case Phase::kDialing: {
      --runner.ringing;
      --trunk.dialing;
      record.term_reason = "NONE";
      if (!live->agent.empty()) record.agent = live->agent;
      if (IsWith(live->agent, record.id)) {  // a previewed lead did not answer
        ApplyToAgent(live->agent, agent::AgentEvent::kRelease);
        agent_events_.OnNotice(live->agent,
                               absl::StrCat("The call did not connect: ", record.outcome));
      }
      if (event.crossed_answer || UnusableAnswer(event)) {
        // Somebody picked up and met a BYE: our CANCEL was on its way, or the answer had no audio
        // that we can use. To that person it was a silent call, so it counts as abandoned.
        record.answered_at = record.ended_at;
        record.term_reason = "ABANDON";
        runner.pacer.OnAnswered(record.id, event.at);
        ++runner.today.answered;
        ++trunk.answered;
        trunk.stats.OnAnswer(200, event.at);
        trunk.stats.OnEnd(absl::ZeroDuration(), event.at);
        CountAbandoned(*live);
        return Close(*live, "DROP", nullptr);
      }
      const std::string status = ReadResponse(*live, event);
      runner.pacer.OnResolved(record.id, ResultOf(record.outcome, record.trunk_fault), event.at);
      if (event.invite_sent) {
        trunk.stats.OnFailure(event.sip_status >= 300 ? event.sip_status : kNoResponseStatus,
                              event.q850_cause, record.trunk_fault, event.at);
      } else {
        trunk.stats.OnUnsent(event.at);
        record.sent = false;
        --trunk.attempts;
        trunk.caller_ids.GiveBack(live->caller_id);
        runner.UncountAttempt(record.lead);
        live->lead = live->before;
        return WriteFinal(*live, nullptr);
      }
      if (record.trunk_fault) {
        runner.ForgiveTry(record.lead);
        trunks_.NextRoute(live->trunk);
        live->fail_over = MayFailOver(*live, event);
      }
      return Close(*live, status, nullptr);
    }
    case Phase::kWaiting:
      runner.waiting.erase(std::find(runner.waiting.begin(), runner.waiting.end(), record.id));
      trunk.stats.OnEnd(event.at - live->answered, event.at);
      return CloseUnmet(*live, event);
    case Phase::kConnecting:
      trunk.stats.OnEnd(event.at - live->answered, event.at);
      ApplyToAgent(live->agent, agent::AgentEvent::kRelease);
      CloseUnmet(*live, event);
      return AgentFree(live->agent);
    case Phase::kTalking:
      trunk.stats.OnEnd(event.at - live->answered, event.at);
      return StartWrapUp(*live);
    case Phase::kDropping:
      trunk.stats.OnEnd(event.at - live->answered, event.at);
      record.term_reason = "ABANDON";
      return Close(*live, "DROP", nullptr);
    case Phase::kStoring:
    case Phase::kWrapUp:
    case Phase::kClosing:
    case Phase::kTaking:  // never: OnInboundEnded() has these
      ++late_events_;
  }
}

// What the trunk's table makes of the final response; where there was none, of why we gave up.
std::string Controller::ReadResponse(LiveAttempt& live, const call::LegEnded& event) {
  campaign::Attempt& record = live.record;
  if (!event.by_response)
    return std::string(campaign::StatusOfOutcome(record.outcome, false, false));
  const trunk::CallVerdict verdict =
      trunks_.Verdict(live.trunk, {.status = event.sip_status,
                                   .q850_cause = event.q850_cause,
                                   .local = event.local,
                                   .after = event.at - live.ordered});
  record.outcome = std::string(verdict.outcome);
  record.trunk_fault = verdict.trunk_fault;
  return std::string(verdict.disposition);
}

// A person answered, and the call ended before an agent was there.
void Controller::CloseUnmet(LiveAttempt& live, const call::LegEnded& event) {
  if (!event.by_far_end) {  // our doing, e.g. a do-not-call entry that crossed the answer
    live.record.term_reason = "ABANDON";
    CountAbandoned(live);
    return Close(live, "DROP", nullptr);
  }
  FindRunner(live.record.campaign)
      ->pacer.OnResolved(live.record.id, pacing::AttemptResult::kPerson, event.at);
  Close(live, "PDROP", nullptr);
}

void Controller::StartWrapUp(LiveAttempt& live) {
  CampaignRunner& runner = *FindRunner(live.record.campaign);
  const AttemptId id = live.record.id;
  live.phase = Phase::kWrapUp;
  const absl::Duration talk = live.ended - live.connected;
  runner.pacer.OnTalkEnded(id, talk, live.ended);
  // Logged out meanwhile, or the engine ends and nobody will ask.
  if (ending_ || !IsWith(live.agent, id)) return Close(live, "DISPO", nullptr);
  ApplyToAgent(live.agent, agent::AgentEvent::kCallEnded);
  agent_events_.OnCallEnded(live.agent, id, live.record.term_reason == "CALLER", talk);
  campaign::StoreBatch progress;
  progress.attempts.push_back(live.record);
  store_.Commit(std::move(progress), [this](absl::Status status) {
    if (!status.ok()) StopForStore(status);
  });
  live.timer = loop_.After(runner.settings().wrapup_seconds, [this, id] {
    LiveAttempt* late = FindLive(id);
    if (late == nullptr || late->phase != Phase::kWrapUp) return;
    const AgentId agent = late->agent;
    const bool counts = !late->record.inbound;
    Close(*late, "DISPO", nullptr);
    FinishWrapUp(agent, false, counts);
  });
}

void Controller::Close(LiveAttempt& live, const std::string& status, Done done) {
  CampaignRunner& runner = *FindRunner(live.record.campaign);
  loop_.Cancel(std::exchange(live.timer, 0));
  live.record.status = status;
  if (live.record.connected_at != absl::InfinitePast()) {
    live.record.disposed_at = loop_.clock().Wall();
    const bool counts = !live.record.inbound;
    if (counts) runner.CountDisposition(status);
    const campaign::Disposition* disposition = campaign::FindDisposition(status);
    if (counts && disposition != nullptr && disposition->answering_machine) {
      runner.pacer.OnWasMachine(live.record.id);
      runner.ledger.AddMachine(live.record.answered_at);
    }
  }
  live.lead = campaign::ApplyResult(live.lead, live.record, runner.settings());
  WriteFinal(live, std::move(done));
}

void Controller::WriteFinal(LiveAttempt& live, Done done) {
  const AttemptId id = live.record.id;
  live.phase = Phase::kClosing;
  live.record.open = false;
  const auto number = numbers_in_call_.find(live.record.dialed);
  if (number != numbers_in_call_.end() && number->second == id) numbers_in_call_.erase(number);
  campaign::StoreBatch batch;
  batch.leads.push_back(live.lead);
  batch.attempts.push_back(live.record);
  AddDncOf(live.record, batch);
  store_.Commit(std::move(batch), [this, id, done = std::move(done)](absl::Status status) mutable {
    LiveAttempt* closed = FindLive(id);
    OUTPACE_CHECK(closed != nullptr);
    LiveAttempt ended = std::move(*closed);
    live_.erase(id);
    if (!status.ok()) StopForStore(status);
    if (ended.fail_over && status.ok()) {
      FailOver(std::move(ended));
    } else if (CampaignRunner* runner = FindRunner(ended.record.campaign)) {
      runner->hopper.Release(ended.record.lead);
    }
    if (done) done(status);
    MaybeDrained();
  });
}

// Of a previewed lead the agent is told, and decides.
bool Controller::MayFailOver(const LiveAttempt& live, const call::LegEnded& event) {
  const CampaignRunner& runner = *FindRunner(live.record.campaign);
  // Whose phone has rung is not rung again at once; whom nobody could take, not by another trunk.
  if (live.withdrawn || live.ringing) return false;
  if (!live.record.trunk_fault || !event.invite_sent || !live.agent.empty() || draining_ ||
      !stopped_reason_.empty() || !runner.settings().active || !HasAttemptIds()) {
    return false;
  }
  std::vector<uint16_t> tried = live.tried;
  tried.push_back(static_cast<uint16_t>(live.trunk));
  return trunks_.Choose(live.record.dialed, runner.trunks, tried).why == trunk::NoRoute::kNone;
}

// The same lead by another trunk, as an attempt of its own: the gate is asked again, and nothing is
// held against the lead for the trunk that failed.
void Controller::FailOver(LiveAttempt ended) {
  CampaignRunner* runner = FindRunner(ended.record.campaign);
  if (runner == nullptr) return;
  ended.tried.push_back(static_cast<uint16_t>(ended.trunk));
  const agent::CampaignCounts agents = roster_.Counts(ended.record.campaign);
  const bool anybody =
      agents.ready_phone + agents.reserved + agents.talking + agents.wrapping > agents.leaving;
  const bool may = anybody && !draining_ && stopped_reason_.empty() && HasAttemptIds();
  const Launched launched =
      may ? Launch(*runner, ended.before, AttemptId(), AgentId(), ended.tried) : Launched::kNoRoom;
  if (launched == Launched::kNoRoom) return runner->hopper.Release(ended.record.lead);
  if (launched != Launched::kPlaced) return;
  LiveAttempt& next = *FindLive(numbers_in_call_.at(ended.record.dialed));
  next.before =
      std::move(ended.lead);  // should it not be sent either, the lead rests as it would have
  log_.Info("attempt.failed_over", {{"attempt", ended.record.id},
                                    {"next", next.record.id},
                                    {"from", ended.record.trunk},
                                    {"to", next.record.trunk}});
}

// The person asked not to be called: in force at once, durable with the result.
void Controller::AddDncOf(const campaign::Attempt& record, campaign::StoreBatch& batch) {
  const campaign::Disposition* disposition = campaign::FindDisposition(record.status);
  if (disposition == nullptr || !disposition->dnc || !disposition->selectable()) return;
  campaign::DncEntry entry{record.dialed, CampaignId(), absl::StrCat("agent ", record.agent),
                           loop_.clock().Wall()};
  PutDnc(entry);
  // A campaign that does not look at the system-wide list hears it too.
  campaign::DncEntry own = entry;
  own.campaign = record.campaign;
  PutDnc(own);
  batch.dnc_added.push_back(std::move(entry));
  batch.dnc_added.push_back(std::move(own));
}

void Controller::OnLegFreed(const call::LegFreed& event) { slots_.Free(event.leg); }

void Controller::OnTrunkState(const call::TrunkState& event) {
  if (event.trunk >= trunks_.size()) return;
  trunks_.SetState(event.trunk, event.open, event.probing, event.reason);
  log_.Warning(
      "trunk.state",
      {{"trunk", trunks_.settings(event.trunk).name}, {"open", event.open}, {"why", event.reason}});
}

void Controller::OnProbe(const call::TrunkProbe& event) {
  if (event.trunk >= trunks_.size()) return;
  const bool registers = event.kind == call::TrunkProbe::Kind::kRegister;
  if (registers) trunks_[event.trunk].registered = event.ok;
  if (event.ok && !registers) return;  // every half a minute
  log_.Info(registers ? "trunk.register" : "trunk.options_lost",
            {{"trunk", trunks_.settings(event.trunk).name},
             {"ok", event.ok},
             {"status", event.status},
             {"why", event.reason}});
}

// What a predecessor that died left behind. Its answered dialogs are in the journal; a call that
// was still ringing is cancelled by the names stored with its intent, and should it answer all the
// same, the SIP stack ends the orphaned 200. Nobody is rung again: the lead rests (retry_rule.h).
void Controller::RecoverAttempts(const StartState& state) {
  absl::flat_hash_set<std::string> up;
  for (const call::DialogState& dialog : state.open_dialogs) {
    up.insert(dialog.call_id);
    Post(call::EndOrphanDialog{dialog});
  }
  campaign::StoreBatch batch;
  for (size_t i = 0; i < state.open_attempts.size(); ++i) {
    campaign::Attempt attempt = state.open_attempts[i];
    campaign::Lead lead = state.open_leads[i];
    const bool ended = attempt.ended_at != absl::InfinitePast();
    if (!ended && !attempt.inbound && !up.contains(attempt.call_id)) {
      const int trunk = trunks_.Find(attempt.trunk);
      Post(call::EndOrphanInvite{{{attempt.call_id, attempt.from_tag, attempt.branch},
                                  attempt.route_uri,
                                  attempt.request_uri,
                                  attempt.from_uri,
                                  trunk < 0 ? call::kAgentTrunk : static_cast<uint16_t>(trunk)}});
    }
    attempt.open = false;
    if (!ended) {
      attempt.outcome = std::string(call::CallOutcomeName(call::CallOutcome::kUnknown));
      attempt.ended_at = loop_.clock().Wall();
      attempt.term_reason = "SYSTEM";
    }
    CampaignRunner* runner = FindRunner(attempt.campaign);
    if (!attempt.agent.empty()) {
      // A call an agent had is left without a status: the agent may still dispose of it.
      recovered_.push_back({attempt.agent, attempt.id});
    } else if (up.contains(attempt.call_id) && runner != nullptr) {
      // Somebody had answered and met no agent, then silence: abandoned.
      attempt.answered_at = attempt.ended_at;
      attempt.abandoned = true;
      attempt.status = "DROP";
      ++runner->today.answered;
      ++runner->today.abandoned;
      runner->ledger.AddAbandoned(attempt.answered_at);
      batch.leads.push_back(campaign::ApplyResult(lead, attempt, runner->settings()));
    } else {
      attempt.status = "UNKN";
      lead.status = "UNKN";
      batch.leads.push_back(std::move(lead));
    }
    batch.attempts.push_back(std::move(attempt));
  }
  if (batch.empty()) return;
  // What no agent has disposed of by then stays as the engine's own DISPO.
  loop_.After(kRecoveredWrapUp, [this] {
    for (const auto& [agent, id] : recovered_) {
      DisposeStored(agent, id, "DISPO", "", absl::InfinitePast(), [](absl::Status) {});
    }
    recovered_.clear();
  });
  log_.Warning("recovery", {{"dialogs_ended", static_cast<int64_t>(state.open_dialogs.size())},
                            {"attempts_unknown", static_cast<int64_t>(batch.attempts.size())}});
  store_.Commit(std::move(batch), [this](absl::Status status) {
    if (!status.ok()) StopForStore(status);
  });
}

}  // namespace outpace::runtime
