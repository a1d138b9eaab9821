// The life of one attempt, from the gate to its final record.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "campaign/disposition.h"
#include "campaign/number_plan.h"
#include "campaign/retry_rule.h"
#include "engine/listen/early_listener.h"
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

// The detector's clock is the audio; ours may be a packet and a thread ahead of it.
constexpr absl::Duration kVerdictDelay = absl::Milliseconds(300);

// From our order until the person hears the message, or the agent: a thread, and some 20 ms of
// audio. Limits on abandoned calls that name their seconds are kept with that to spare.
constexpr absl::Duration kOrderDelay = absl::Milliseconds(100);

constexpr int kNoResponseStatus = 408;  // as trunks' figures count silence

constexpr int kCancelledStatus = 487;

constexpr absl::Duration kStandstillRest = absl::Minutes(15);

// "sit_vacant", "announcement:vacant_number".
std::string HeardText(const listen::Heard& heard) {
  const std::string sound(listen::SoundName(heard.sound));
  return heard.name.empty() ? sound : absl::StrCat(sound, ":", heard.name);
}

trunk::EarlyMedia EarlyMediaOf(const listen::Heard& heard) {
  return trunk::EarlyMediaFromSound(listen::SoundName(heard.sound), heard.name);
}

// Ends with no clock, and concerns the number that was to be rung rather than the lead.
bool BarsNumber(const gate::Reason& reason) {
  using gate::Rule;
  // Which consent a call needs hangs on the kind of number.
  if (reason.rule == Rule::kConsent) return reason.until == absl::InfiniteFuture();
  return !gate::DncStatus(reason.rule).empty() || reason.rule == Rule::kDestination ||
         reason.rule == Rule::kZoneUnknown || reason.rule == Rule::kNumberBlocked;
}

// A 2xx that was ended at once for want of usable audio (a 488 is kMedia too, and nobody picked
// up).
bool UnusableAnswer(const call::LegEnded& event) {
  return event.outcome == call::CallOutcome::kMedia && event.sip_status / 100 == 2;
}

}  // namespace

gate::Verdict Controller::AskGate(const CampaignRunner& runner, const campaign::Lead& lead,
                                  GateStage stage) const {
  const bool after_intent = stage == GateStage::kSend;
  const auto list = lists_.find(lead.list);
  gate::GateInput input{.lead = lead,
                        .number = campaign::NumberToDial(lead),
                        .settings = runner.settings(),
                        .policy = runner.policy(),
                        .history = history_};
  input.list_active = list == lists_.end() || list->second.dialed(loop_.clock().Wall());
  input.attempts_today = runner.AttemptsToday(lead.id);
  input.number_in_call = !after_intent && numbers_in_call_.contains(input.number);
  input.after_intent = after_intent;
  input.texts_follow = stage == GateStage::kOffer && !lead.has_fields;
  return gate::Decide(input, dnc_, loop_.clock().Wall());
}

void Controller::NoteAttempt(const campaign::Attempt& record) {
  if (history_reach_ > absl::ZeroDuration()) history_.Add(record, StatusesOf(record.campaign));
}

void Controller::ApplyRefusal(const gate::Verdict& verdict, campaign::Lead& lead) const {
  const absl::Time now = loop_.clock().Wall();
  const bool of_second = campaign::NumberToDial(lead) != lead.phone &&
                         std::any_of(verdict.reasons.begin(), verdict.reasons.end(), BarsNumber);
  if (const auto runner = runners_.find(lead.campaign); of_second && runner != runners_.end()) {
    lead = campaign::WithoutSecondNumber(lead, runner->second->settings());
    return;
  }
  for (const gate::Reason& reason : verdict.reasons) {
    if (const absl::string_view status = gate::DncStatus(reason.rule); !status.empty()) {
      lead.status = std::string(status);
    }
    // What concerns all leads at once, and ends by no clock: the campaign stands still for it
    // (MayDial), and the lead that met it first is asked again soon.
    const bool of_all =
        reason.rule == gate::Rule::kRegistryAge || reason.rule == gate::Rule::kComplianceUnknown;
    lead.hold_until = std::max(lead.hold_until, of_all ? now + kStandstillRest : reason.until);
  }
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
  if (const gate::Verdict verdict = AskGate(*runner, live->lead, GateStage::kSend);
      !verdict.allowed()) {
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
  if (runner->settings().early_media_detection) {
    order.early_country = campaign::CountryOf(record.dialed);
  }
  if (runner->settings().amd_mode != campaign::AmdMode::kOff) {
    order.answer_tuning = TuningOf(*runner);
  }
  if (const absl::Status noted = NoteDialed(*live); !noted.ok()) {
    return EndUnsent(*live, "the evidence log does not take it");
  }
  live->ordered = loop_.clock().Mono();  // before the shard can answer
  if (!Post(std::move(order))) return EndUnsent(*live, "the call shard's queue is full");
  NoteAttempt(record);
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
  live.record.term_reason = "NONE";
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
  live->answered = live->served_from = event.at;
  live->record.answered_at = WallAt(event.at);
  --runner.ringing;
  ++runner.today.answered;
  TrunkDesk::Trunk& trunk = trunks_[live->trunk];
  ++trunk.answered;
  --trunk.dialing;
  if (!live->ringing) trunk.stats.OnProgress(event.at - live->ordered, event.at);
  trunk.stats.OnAnswer(200, event.at);
  runner.pacer.OnAnswered(id, event.at);
  StartClip(*live);
  if (IsWith(live->agent, id)) {  // previewed
    if (roster_.Find(live->agent)->phone_up) return ConnectToAgent(*live);
    ApplyToAgent(live->agent, agent::AgentEvent::kRelease);
  }
  live->agent.clear();  // whoever wanted this call has gone: it is anybody's now
  if (runner.settings().amd_mode == campaign::AmdMode::kBlocking) {
    live->phase = Phase::kScreening;
    ++runner.screening;
    absl::Duration most = runner.settings().amd_decide_seconds + kVerdictDelay;
    for (const campaign::AbandonContract& contract : runner.contracts()) {
      if (contract.numerator == campaign::ContractNumerator::kDropped ||
          contract.start != campaign::ContractStart::kAnswer) {
        continue;
      }
      most = std::clamp(contract.seconds - kOrderDelay, absl::ZeroDuration(), most);
    }
    live->timer = loop_.After(most, [this, id] { ScreeningOver(id); });
    return;
  }
  MeetAgent(*live);
}

void Controller::MeetAgent(LiveAttempt& live) {
  if (const agent::AgentRecord* free = roster_.PickLongestWaiting(live.record.campaign)) {
    ReserveFor(live, free->id);
    return ConnectToAgent(live);
  }
  CampaignRunner& runner = *FindRunner(live.record.campaign);
  live.phase = Phase::kWaiting;
  runner.waiting.push_back(live.record.id);
  SetDropTimer(live);
}

MonoTime Controller::DropAt(const LiveAttempt& live) const {
  const CampaignRunner& runner = *runners_.at(live.record.campaign);
  MonoTime at = live.served_from + runner.settings().drop_call_seconds;
  for (const campaign::AbandonContract& contract : runner.contracts()) {
    if (contract.numerator == campaign::ContractNumerator::kDropped) continue;
    const auto heard = [](int ms) { return absl::Milliseconds(std::max(ms, 0)); };
    const absl::Duration due =
        campaign::DueAfterAnswer(contract, heard(live.record.greeting_start_ms),
                                 heard(live.record.greeting_end_ms)) -
        kOrderDelay;
    at = std::min(at, live.answered + due);
  }
  return at;
}

void Controller::SetDropTimer(LiveAttempt& live) {
  const AttemptId id = live.record.id;
  loop_.Cancel(std::exchange(live.timer, 0));
  const absl::Duration left = DropAt(live) - loop_.clock().Mono();
  live.timer = loop_.After(std::max(left, absl::ZeroDuration()), [this, id] { Abandon(id); });
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
  runner.CountCall(live->counted, live->record);
  connect_delay_.Add(event.at - live->served_from);
  ApplyToAgent(live->agent, agent::AgentEvent::kConnect);
  agent_events_.OnPop(live->agent, live->record, live->lead, false);
  BeginTalk(*live);
  StoreProgress(*live);
}

void Controller::CountAbandoned(LiveAttempt& live) {
  if (live.record.inbound) return;  // we did not ring this person
  CampaignRunner& runner = *FindRunner(live.record.campaign);
  live.record.abandoned = true;
  live.record.dropped_at = std::max(loop_.clock().Wall(), live.record.answered_at);
  runner.pacer.OnAbandoned(live.record.id, loop_.clock().Mono());
  ++runner.today.abandoned;
  runner.CountCall(live.counted, live.record);
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
  PlaySafeHarbor(*live);
  StoreProgress(*live);
}

// Who has met what must be known after a crash: an agent may still dispose of the call, and a call
// that was abandoned stays counted to its second.
void Controller::StoreProgress(const LiveAttempt& live) {
  campaign::StoreBatch progress;
  progress.attempts.push_back(live.record);
  activities_.MoveInto(progress, loop_.clock().Wall());
  store_.Commit(std::move(progress), [this](absl::Status status) {
    if (!status.ok()) StopForStore(status);
  });
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
  if (event.heard.sound != listen::Sound::kNone) record.heard = HeardText(event.heard);
  record.term_reason = TermReasonOf(*live, event);
  NoteCost(record, live->trunk, live->ended - live->answered);
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
        NoteCost(record, live->trunk, absl::ZeroDuration());
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
    case Phase::kScreening:
      --runner.screening;
      trunk.stats.OnEnd(event.at - live->answered, event.at);
      return CloseUnmet(*live, event);
    case Phase::kMachine:
      return OnMachineEnded(*live, event);
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
      ResetAudio(*live);
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
  // We gave up because the network said that nobody would answer: what it said is the result.
  const bool heard_dead = !event.by_response && listen::IsDead(event.heard);
  if (!event.by_response && !heard_dead)
    return std::string(campaign::StatusOfOutcome(record.outcome, false, false));
  const trunk::CallVerdict verdict =
      trunks_.Verdict(live.trunk, {.status = heard_dead ? kCancelledStatus : event.sip_status,
                                   .q850_cause = event.q850_cause,
                                   .local = event.local,
                                   .heard = EarlyMediaOf(event.heard),
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
  StoreProgress(live);
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
    if (counts) LearnFromDisposition(runner, live.record, live.verdict_weight);
    const campaign::Disposition* disposition = runner.settings().statuses.Find(status);
    if (counts && disposition != nullptr && disposition->answering_machine) {
      runner.pacer.OnWasMachine(live.record.id);
    }
  }
  live.lead = campaign::ApplyResult(live.lead, live.record, runner.settings());
  WriteFinal(live, std::move(done));
}

void Controller::WriteFinal(LiveAttempt& live, Done done) {
  const AttemptId id = live.record.id;
  live.phase = Phase::kClosing;
  live.record.open = false;
  NoteAttempt(live.record);
  FindRunner(live.record.campaign)->CountCall(live.counted, live.record);
  NoteAbandoned(live.record);
  const auto number = numbers_in_call_.find(live.record.dialed);
  if (number != numbers_in_call_.end() && number->second == id) numbers_in_call_.erase(number);
  campaign::StoreBatch batch;
  batch.leads.push_back(live.lead);
  batch.attempts.push_back(live.record);
  activities_.MoveInto(batch, loop_.clock().Wall());
  if (AddDncOf(live.record, live.lead, batch)) done = AfterShard(std::move(done));
  store_.Commit(std::move(batch), [this, id, done = std::move(done)](absl::Status status) mutable {
    LiveAttempt* closed = FindLive(id);
    OUTPACE_CHECK(closed != nullptr);
    LiveAttempt ended = std::move(*closed);
    live_.erase(id);
    if (!status.ok()) StopForStore(status);
    if (status.ok()) LearnTiers(ended.before, ended.record);
    if (ended.fail_over && status.ok()) {
      FailOver(std::move(ended));
    } else if (CampaignRunner* runner = FindRunner(ended.record.campaign)) {
      runner->hopper.Release(ended.record.lead);
    }
    if (done) done(status);
    MaybeDrained();
  });
}

// The person asked not to be called: in force at once, durable with the result.
bool Controller::AddDncOf(const campaign::Attempt& record, const campaign::Lead& lead,
                          campaign::StoreBatch& batch) {
  const campaign::Disposition* disposition = StatusesOf(record.campaign).Find(record.status);
  if (disposition == nullptr || disposition->next.dnc == campaign::DncStep::kNone) return false;
  const std::string agent = absl::StrCat("agent ", record.agent);
  campaign::DncEntry entry{.phone = record.dialed,
                           .scope = {},
                           .source = agent,
                           .added = loop_.clock().Wall(),
                           .reason = absl::StrCat("disposition ", record.status),
                           .by = agent};
  // A campaign that does not look at the wider list hears it too.
  std::vector<campaign::DncEntry> entries = {entry};
  entries[0].scope = dnc::CampaignScope(record.campaign);
  const CampaignRunner* runner = FindRunner(record.campaign);
  if (disposition->next.dnc == campaign::DncStep::kSystem) entries.insert(entries.begin(), entry);
  if (disposition->next.dnc == campaign::DncStep::kClient && runner != nullptr &&
      !runner->settings().client_id.empty()) {
    entry.scope = {dnc::DncLevel::kClient, runner->settings().client_id};
    entries.insert(entries.begin(), entry);
  }
  // Who asked is a person, whichever number was rung (16 CFR 310.4(b)(1)(iii)(A)).
  const size_t of_dialed = entries.size();
  for (const E164 other : {lead.phone, lead.alt_phone}) {
    if (!other.valid() || other == record.dialed) continue;
    for (size_t i = 0; i < of_dialed; ++i) {
      entries.push_back(entries[i]);
      entries.back().phone = other;
    }
  }
  for (const campaign::DncEntry& each : entries) PutDnc(each);
  // Another campaign may be ringing one of them, when the agent was late.
  bool cancelled = false;
  for (size_t i = 0; i < entries.size(); i += of_dialed) {
    NoteDnc(entries[i], record);
    cancelled |= CancelUnanswered(entries[i]);
  }
  absl::c_move(entries, std::back_inserter(batch.dnc_added));
  return cancelled;
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

}  // namespace outpace::runtime
