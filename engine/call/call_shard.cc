#include "engine/call/call_shard.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/overload.h"

namespace outpace::call {
namespace {

// Messages taken from the mailbox in one turn of the loop: enough for a controller's tick, few
// enough that signalling events do not wait behind a flood of orders.
constexpr int kDrainMax = 256;

}  // namespace

CallShard::CallShard(ShardOptions options, Loop& loop, Signaling& signaling, MediaPlane& media,
                     DialogJournal& journal, LegEventSink& sink, Log& log)
    : options_(std::move(options)),
      loop_(loop),
      signaling_(signaling),
      media_(media),
      journal_(journal),
      sink_(sink),
      log_(log),
      mailbox_(options_.mailbox_capacity),
      legs_(options_.legs_max),
      self_(std::make_shared<CallShard*>(this)) {
  OUTPACE_CHECK(options_.legs_max > 0);
  OUTPACE_CHECK(options_.trunks.size() < kAgentTrunk);
  for (const TrunkLimits& limits : options_.trunks)
    trunks_.push_back(Trunk{.guard = TrunkGuard(limits)});
}

CallShard::~CallShard() {
  for (Leg& leg : legs_) {
    StopTimer(leg.ring_timer);
    StopTimer(leg.wait_timer);
  }
  for (Trunk& trunk : trunks_) {
    StopTimer(trunk.probe_timer);
    StopTimer(trunk.queue_timer);
    StopTimer(trunk.options_timer);
  }
}

// ---- mailbox ----

absl::Status CallShard::Post(ShardMessage message) {
  if (!mailbox_.TryPush(std::move(message))) {
    Count(kMailboxFull);
    return absl::ResourceExhaustedError("call shard mailbox full");
  }
  Wake();
  return absl::OkStatus();
}

void CallShard::Wake() {
  // One wake-up serves all messages that come before it runs.
  if (wake_pending_.exchange(true, std::memory_order_acq_rel)) return;
  std::weak_ptr<CallShard*> weak = self_;
  const bool posted = loop_.Post([weak = std::move(weak)] {
    if (auto self = weak.lock()) (*self)->Drain();
  });
  if (posted) return;
  // The loop's own queue is full. The messages stay; the next Post(), or the next event or timer of
  // any leg, sees to them.
  wake_pending_.store(false, std::memory_order_release);
  wake_lost_.store(true, std::memory_order_release);
  Count(kWakesLost);
}

void CallShard::Enter() {
  if (!wake_lost_.load(std::memory_order_relaxed)) return;
  wake_lost_.store(false, std::memory_order_relaxed);
  Drain();
}

void CallShard::Drain() {
  // Cleared before the first look: a message pushed after the last look makes a wake-up of its own.
  // An exchange, not a store: it reads the flag of a sender who found it set, and so sees his
  // message.
  wake_pending_.exchange(false, std::memory_order_acq_rel);
  for (int i = 0; i < kDrainMax; ++i) {
    std::optional<ShardMessage> message = mailbox_.TryPop();
    if (!message.has_value()) return;
    OnMessage(*message);
  }
  Wake();
}

void CallShard::OnMessage(ShardMessage& message) {
  std::visit(Overload{
                 [this](DialOrder& m) { Place(m); },
                 [this](HangUp& m) {
                   if (Leg* leg = FindLeg(m.leg)) {
                     GiveUp(*leg, Why::kHangUp, LegInput::kHangUp, m.q850_cause);
                   }
                 },
                 [this](Connect& m) { Join(m); },
                 [this](Disconnect& m) {
                   if (Leg* leg = FindLeg(m.leg)) Fire(*leg, LegInput::kPart, {});
                 },
                 [this](PlayThenHangUp& m) {
                   Leg* leg = FindLeg(m.leg);
                   if (leg == nullptr) return;
                   leg->prompt = m.prompt;
                   leg->after_beep = m.after_beep;
                   Fire(*leg, LegInput::kPrompt, {});
                 },
                 [this](MediaOrder& m) {
                   const Leg* leg = FindLeg(m.leg);
                   if (leg != nullptr && leg->media_open) media_.Do(m.leg, std::move(m.action));
                 },
                 [this](EndOrphanDialog& m) { signaling_.ByeOrphan(m.dialog); },
                 [this](EndOrphanInvite& m) { signaling_.CancelOrphan(m.invite); },
                 [this](TakeCall& m) { Take(m); },
                 [this](RefuseCall& m) {
                   if (offers_.erase(m.call) == 1) signaling_.Refuse(m.call, m.status);
                 },
                 [this](TrunkAddresses& m) { OnAddresses(m); },
                 [this](Fence& m) { EmitEvent(FenceReached{.id = m.id}); },
             },
             message);
}

// ---- orders ----

CallShard::Leg& CallShard::TakeSlot(LegId id) {
  OUTPACE_CHECK(id.shard == options_.shard && id.index < legs_.size());
  Leg& leg = legs_[id.index];
  OUTPACE_CHECK(leg.state == LegState::kEnded && id.generation > leg.id.generation);
  leg = Leg{};
  leg.state = LegState::kIdle;
  leg.id = id;
  Count(kLegsLive);
  return leg;
}

void CallShard::Place(DialOrder& order) {
  OUTPACE_CHECK(order.trunk == kAgentTrunk || order.trunk < trunks_.size());
  Leg& leg = TakeSlot(order.leg);
  leg.kind = order.kind;
  leg.trunk = order.trunk;
  leg.order = std::make_unique<DialOrder>(std::move(order));
  if (leg.trunk == kAgentTrunk) return Start(leg, TrunkRefusal::kNone);
  Trunk& trunk = trunks_[leg.trunk];
  const TrunkRefusal refusal = trunk.queue.empty() ? Admit(leg) : TrunkRefusal::kCps;
  if (refusal != TrunkRefusal::kCps || trunk.queue.size() >= trunk.guard.starts_per_second()) {
    return Start(leg, refusal);
  }
  Count(kQueued);
  trunk.queue.push_back(leg.id);
  if (trunk.queue_timer == 0) RunQueue(leg.trunk);
}

void CallShard::SendInvite(Leg& leg) {
  const std::unique_ptr<DialOrder> order = std::move(leg.order);
  absl::StatusOr<std::string> offer = media_.Open(leg.id, MediaOf(leg));
  if (!offer.ok()) {
    Fire(leg, LegInput::kRefused, Cause{.refusal = offer.status()});
    return;
  }
  leg.media_open = true;
  if (order->early_country.has_value()) {
    leg.listens_early = true;
    media_.Do(leg.id, ListenEarly{.country = *std::move(order->early_country)});
  }
  if (order->answer_tuning.has_value()) {
    leg.answer_tuning = std::make_unique<listen::AnswerTuning>(*order->answer_tuning);
  }
  const absl::Status sent = signaling_.Invite({.leg = leg.id,
                                               .ids = std::move(order->ids),
                                               .trunk = order->trunk,
                                               .route_uri = std::move(order->route_uri),
                                               .request_uri = std::move(order->request_uri),
                                               .from_uri = std::move(order->from_uri),
                                               .sdp_offer = *std::move(offer),
                                               .headers = std::move(order->headers)});
  if (!sent.ok()) {
    Fire(leg, LegInput::kRefused, Cause{.refusal = sent});
    return;
  }
  Count(kInvites);
  leg.invited = true;
  leg.invited_at = Now();
  const LegId id = leg.id;
  leg.ring_timer = loop_.After(order->ring_time_max, [this, id] {
    Leg* rung = FindLeg(id);
    OUTPACE_CHECK(rung != nullptr);  // its timers end with a leg
    rung->ring_timer = 0;
    GiveUp(*rung, Why::kRingLimit, LegInput::kRingLimit, 16);
    Enter();
  });
  StartWait(leg, options_.provisional_wait, LegInput::kSilence);
}

void CallShard::GiveUp(Leg& leg, Why why, LegInput on, int q850_cause) {
  // Only a leg without an answer is given up; the first reason stays.
  const bool unanswered = leg.state == LegState::kCalling || leg.state == LegState::kRinging;
  if (unanswered) leg.why = why;
  // An order that waited for its turn makes room for another.
  const bool waits = leg.state == LegState::kIdle && leg.trunk != kAgentTrunk;
  if (waits) std::erase(trunks_[leg.trunk].queue, leg.id);
  Fire(leg, on, Cause{.q850 = q850_cause});
}

void CallShard::Join(const Connect& m) {
  Leg* lead = FindLeg(m.lead);
  if (lead == nullptr) return;
  // An agent's leg may live on another shard: media joins legs of all shards, and the controller,
  // who knows that leg to be up, hears of its end from there.
  const bool local = m.agent.shard == options_.shard;
  Leg* agent = local ? FindLeg(m.agent) : nullptr;
  if (lead->state != LegState::kAnswered || (local && agent == nullptr) ||
      (local && (agent == lead || agent->state != LegState::kAnswered))) {
    Count(kConnectsIgnored);
    log_.Info("leg.connect_ignored", {{"leg", lead->id.index}, {"agent_leg", m.agent.index}});
    return;
  }
  media_.Bridge(m.lead, m.agent);
  lead->partner = m.agent;
  Fire(*lead, LegInput::kConnect, {});
  if (agent != nullptr) {
    agent->partner = m.lead;
    Fire(*agent, LegInput::kConnect, {});
  }
  EmitEvent(LegConnected{.lead = m.lead, .agent = m.agent, .at = Now()});
}

// Runs as a leg leaves kBridged, whatever the reason: its partner stays up, by itself.
void CallShard::Unjoin(Leg& leg) {
  const LegId partner_id = std::exchange(leg.partner, LegId{});
  if (!partner_id.valid()) return;  // the partner left first and unjoined both
  media_.Unbridge(leg.id);
  if (partner_id.shard != options_.shard) return;
  Leg* partner = FindLeg(partner_id);
  OUTPACE_CHECK(partner != nullptr);  // a leg unjoins before it ends
  partner->partner = LegId{};
  Fire(*partner, LegInput::kPart, {});
}

// ---- signalling and media events ----

void CallShard::OnProvisional(LegId id, int status, absl::string_view sdp) {
  Enter();
  Leg* leg = FindLeg(id);
  if (leg == nullptr) return;
  Heard(*leg);
  // Early media: taking the address now lets the first packets after the answer count at once.
  const bool waiting = leg->state == LegState::kCalling || leg->state == LegState::kRinging;
  if (waiting && !sdp.empty() && media_.SetRemote(id, sdp).ok()) leg->early_media = true;
  // 100 comes from the next hop and says nothing of the trunk's calls; 18x comes from behind it.
  if (status > 100) Settle(*leg, TrunkVerdict::kResponded, absl::ZeroDuration());
  Fire(*leg, LegInput::kProvisional, Cause{.status = status});
}

void CallShard::OnAnswer(LegId id, const DialogState& dialog, absl::string_view sdp) {
  Enter();
  Leg* leg = FindLeg(id);
  if (leg == nullptr) return;
  Heard(*leg);
  Settle(*leg, TrunkVerdict::kResponded, absl::ZeroDuration());
  // RFC 3261 13.2.1 wants the SDP in the 2xx, but gateways that sent it in a 183 leave it out here.
  const bool waiting = leg->state == LegState::kCalling || leg->state == LegState::kRinging;
  const bool usable = waiting && (sdp.empty() ? leg->early_media : media_.SetRemote(id, sdp).ok());
  Fire(*leg, usable ? LegInput::kAnswer : LegInput::kAnswerNoMedia,
       Cause{.status = 200, .dialog = &dialog});
}

void CallShard::OnFailure(LegId id, const Failure& failure) {
  Enter();
  Leg* leg = FindLeg(id);
  if (leg == nullptr) return;
  Heard(*leg);
  Fire(*leg, LegInput::kFailure,
       Cause{.status = failure.status,
             .q850 = failure.q850_cause,
             .local = failure.local,
             .retry_after = failure.retry_after});
}

void CallShard::OnBye(LegId id, int q850_cause) {
  Enter();
  if (Leg* leg = FindLeg(id)) Fire(*leg, LegInput::kBye, Cause{.q850 = q850_cause});
}

void CallShard::OnByeDone(LegId id) {
  Enter();
  if (Leg* leg = FindLeg(id)) Fire(*leg, LegInput::kByeDone, {});
}

std::string CallShard::OnReinvite(LegId id, absl::string_view sdp) {
  Enter();
  Leg* leg = FindLeg(id);
  if (leg == nullptr) return "";
  const bool up = leg->state == LegState::kAnswered || leg->state == LegState::kBridged ||
                  leg->state == LegState::kPrompting;
  if (!up) return "";
  if (sdp.empty()) return media_.Offer(id);  // the answer comes with OnReinviteAnswer()
  return media_.SetRemote(id, sdp).ok() ? media_.LocalSdp(id) : "";
}

void CallShard::OnReinviteAnswer(LegId id, absl::string_view sdp) {
  Enter();
  const Leg* leg = FindLeg(id);
  if (leg == nullptr || sdp.empty()) return;
  const absl::Status taken = media_.SetRemote(id, sdp);
  if (!taken.ok()) log_.Info("leg.answer_unusable", {{"leg", id.index}, {"why", taken.message()}});
}

void CallShard::OnPromptDone(LegId id) {
  Enter();
  Leg* leg = FindLeg(id);
  if (leg == nullptr) return;
  if (leg->state == LegState::kPrompting) EmitEvent(PromptFinished{.leg = id, .at = Now()});
  Fire(*leg, LegInput::kPromptDone, Cause{.q850 = 16});
}

void CallShard::OnFirstMedia(LegId id, MonoTime at) {
  const Leg* leg = FindLeg(id);
  if (leg == nullptr) return;
  log_.Debug(
      "leg.first_media",
      {{"leg", id.index}, {"since_invite_ms", absl::ToInt64Milliseconds(at - leg->invited_at)}});
}

void CallShard::OnMediaLost(LegId id) {
  Enter();
  // Q.850 102: recovery on timer expiry.
  if (Leg* leg = FindLeg(id)) Fire(*leg, LegInput::kMediaLost, Cause{.q850 = 102});
}

// ---- the table ----

CallShard::Leg* CallShard::FindLeg(LegId id) {
  const Leg* leg = PeekLeg(id);
  if (leg == nullptr) Count(kStale);
  return const_cast<Leg*>(leg);
}

const CallShard::Leg* CallShard::PeekLeg(LegId id) const {
  if (id.shard != options_.shard || id.index >= legs_.size() || !id.valid()) return nullptr;
  const Leg& leg = legs_[id.index];
  return leg.id == id && leg.state != LegState::kEnded ? &leg : nullptr;
}

LegState CallShard::state(LegId id) const {
  const Leg* leg = PeekLeg(id);
  return leg == nullptr ? LegState::kEnded : leg->state;
}

bool CallShard::Fire(Leg& leg, LegInput on, const Cause& cause) {
  const LegTransition* row = Find(leg.state, on);
  if (row == nullptr) {
    Count(kIgnored);
    if (log_.Wants(Severity::kDebug)) {
      log_.Debug(
          "leg.ignored",
          {{"leg", leg.id.index}, {"state", LegStateName(leg.state)}, {"on", LegInputName(on)}});
    }
    return false;
  }
  if (log_.Wants(Severity::kDebug)) {
    log_.Debug("leg.state", {{"leg", leg.id.index},
                             {"generation", leg.id.generation},
                             {"from", LegStateName(leg.state)},
                             {"on", LegInputName(on)},
                             {"to", LegStateName(row->to)}});
  }
  if (on == LegInput::kGuard) Count(kGuards);
  if (row->to != leg.state) {
    StopTimer(leg.wait_timer);
    if (row->to != LegState::kRinging) StopTimer(leg.ring_timer);
  }
  if (leg.state == LegState::kBridged) Unjoin(leg);
  leg.state = row->to;
  Act(leg, row->action, cause);
  // The action may have moved the leg on by itself (an INVITE refused on the spot).
  if (row->to == LegState::kEnded) Free(leg);
  return true;
}

void CallShard::Act(Leg& leg, LegAction action, const Cause& cause) {
  switch (action) {
    case LegAction::kNothing:
      return;
    case LegAction::kSendInvite:
      return SendInvite(leg);
    case LegAction::kSendAccept:
      return SendAccept(leg);
    case LegAction::kAcceptUp:
      journal_.Opened(leg.id, *cause.dialog);
      leg.journaled = true;
      return EmitEvent(LegAnswered{.leg = leg.id, .at = Now()});
    case LegAction::kReportRefused:
      Count(kRefusedCount);
      log_.Info("leg.refused", {{"leg", leg.id.index}, {"why", cause.refusal.message()}});
      if (leg.trunk != kAgentTrunk) trunks_[leg.trunk].guard.Refund(leg.ticket);
      return Report(leg, {.outcome = CallOutcome::kNoTrunk,
                          .invite_sent = false,
                          .trunk_fault = true,
                          .retry_after = cause.retry_after});
    case LegAction::kReportProgress:
      if (cause.status > 100) {
        EmitEvent(LegProgress{.leg = leg.id, .status = cause.status, .at = Now()});
      }
      return;
    case LegAction::kAccept:
      ListenToAnswer(leg);
      OpenDialog(leg, *cause.dialog);
      if (leg.trunk != kAgentTrunk) trunks_[leg.trunk].guard.CountAnswer();
      return EmitEvent(LegAnswered{.leg = leg.id, .at = Now()});
    case LegAction::kAckThenBye: {
      OpenDialog(leg, *cause.dialog);
      const bool crossed = leg.why != Why::kNone;
      if (crossed) Count(kCrossed);
      if (leg.trunk != kAgentTrunk) trunks_[leg.trunk].guard.CountAnswer();
      const int bye_cause = crossed ? 16 : 88;  // Q.850: normal clearing, incompatible destination
      signaling_.Bye(leg.id, bye_cause);
      StartWait(leg, options_.bye_guard, LegInput::kGuard);
      return Report(leg, {.outcome = crossed ? GivenUpOutcome(leg) : CallOutcome::kMedia,
                          .sip_status = cause.status,
                          .q850_cause = bye_cause,
                          .crossed_answer = crossed});
    }
    case LegAction::kReportFailure:
      return ReportFailure(leg, cause);
    case LegAction::kWaitForFinal:
      signaling_.GiveUp(leg.id);
      if (leg.why == Why::kSilence) {
        Settle(leg, TrunkVerdict::kNoResponse, absl::ZeroDuration());
      }
      return StartWait(leg, options_.cancel_guard, LegInput::kGuard);
    case LegAction::kSendCancel:
      signaling_.Cancel(leg.id);
      return StartWait(leg, options_.cancel_guard, LegInput::kGuard);
    case LegAction::kReportGivenUp: {
      if (!leg.heard && Now() - leg.invited_at >= options_.provisional_wait) {
        Settle(leg, TrunkVerdict::kNoResponse, absl::ZeroDuration());
      }
      const CallOutcome outcome = GivenUpOutcome(leg);
      return Report(leg, {.outcome = outcome, .trunk_fault = IsTrunkFault(outcome)});
    }
    case LegAction::kPlayPrompt:
      media_.Do(leg.id, call::Play{.prompt = leg.prompt, .after_beep = leg.after_beep});
      return StartWait(leg, options_.prompt_guard, LegInput::kGuard);
    case LegAction::kSendBye: {
      const int bye_cause = cause.q850 == 0 ? 16 : cause.q850;
      signaling_.Bye(leg.id, bye_cause);
      StartWait(leg, options_.bye_guard, LegInput::kGuard);
      return Report(
          leg, {.outcome = CallOutcome::kAnswered, .sip_status = 200, .q850_cause = bye_cause});
    }
    case LegAction::kReportBye:
      return Report(leg, {.outcome = CallOutcome::kAnswered,
                          .sip_status = 200,
                          .q850_cause = cause.q850,
                          .by_far_end = true});
  }
}

// The journal knows the dialog before the far end can believe that it is up.
void CallShard::OpenDialog(Leg& leg, const DialogState& dialog) {
  journal_.Opened(leg.id, dialog);
  leg.journaled = true;
  signaling_.Ack(leg.id);
}

CallOutcome CallShard::GivenUpOutcome(const Leg& leg) const {
  switch (leg.why) {
    case Why::kRingLimit:
      return CallOutcome::kNoAnswer;
    case Why::kSilence:
      // Somebody picked up after all: not the trunk's silence any more.
      return leg.journaled ? CallOutcome::kCancelled : CallOutcome::kCongestion;
    case Why::kNone:
    case Why::kHangUp:
    case Why::kHeard:  // what was heard says what it was
      break;
  }
  return CallOutcome::kCancelled;
}

void CallShard::ReportFailure(Leg& leg, const Cause& cause) {
  CallOutcome outcome = OutcomeOf(cause.status, cause.q850, cause.local);
  const bool no_route = cause.q850 == 2 || cause.q850 == 3;  // of this number, not of all calls
  if (cause.local && cause.status == 408) {
    Settle(leg, TrunkVerdict::kNoResponse, absl::ZeroDuration());
  } else if (outcome == CallOutcome::kCongestion && !no_route) {
    Settle(leg, TrunkVerdict::kUnavailable, cause.retry_after);
  } else {
    Settle(leg, TrunkVerdict::kResponded, absl::ZeroDuration());
  }
  // After we gave up, 487 and a time-out only say that we did; a busy or a 503 says more.
  const bool given_up = leg.why != Why::kNone && (cause.status == 487 || cause.status == 408);
  if (given_up) outcome = GivenUpOutcome(leg);
  Report(leg, {.outcome = outcome,
               // What came, if anything did: our own stack's time-out is no response.
               .sip_status = cause.local ? 0 : cause.status,
               .q850_cause = cause.q850,
               .by_far_end = leg.why == Why::kNone && !cause.local,
               .by_response = !given_up,
               .local = cause.local,
               .trunk_fault = IsTrunkFault(outcome),
               .retry_after = cause.retry_after});
}

void CallShard::Report(Leg& leg, LegEnded ended) {
  OUTPACE_CHECK(!std::exchange(leg.reported, true));
  ended.leg = leg.id;
  ended.at = Now();
  if (leg.heard_early != nullptr) ended.heard = *std::exchange(leg.heard_early, nullptr);
  // No more audio either way, whatever the signalling still has to do.
  if (std::exchange(leg.media_open, false)) media_.Close(leg.id);
  log_.Info("leg.ended", {{"leg", leg.id.index},
                          {"generation", leg.id.generation},
                          {"outcome", CallOutcomeName(ended.outcome)},
                          {"status", ended.sip_status},
                          {"q850", ended.q850_cause},
                          {"crossed", ended.crossed_answer}});
  EmitEvent(std::move(ended));
}

void CallShard::Free(Leg& leg) {
  OUTPACE_CHECK(leg.reported && !leg.media_open && !leg.partner.valid());
  if (std::exchange(leg.journaled, false)) journal_.Closed(leg.id);
  if (leg.invited) signaling_.Forget(leg.id);
  if (leg.trunk != kAgentTrunk) {
    trunks_[leg.trunk].guard.Release(leg.ticket);
    PublishTrunk(leg.trunk);
  }
  leg.order.reset();
  Count(kLegsLive, static_cast<uint64_t>(-1));
  EmitEvent(LegFreed{.leg = leg.id});
}

// ---- timers ----

void CallShard::StartWait(Leg& leg, absl::Duration wait, LegInput on) {
  StopTimer(leg.wait_timer);
  const LegId id = leg.id;
  leg.wait_timer = loop_.After(wait, [this, id, on] {
    Leg* waited = FindLeg(id);
    OUTPACE_CHECK(waited != nullptr);
    waited->wait_timer = 0;
    if (on == LegInput::kSilence) {
      GiveUp(*waited, Why::kSilence, on, 16);
    } else {
      Fire(*waited, on, {});
    }
    Enter();
  });
}

MediaOptions CallShard::MediaOf(const Leg& leg) const {
  return {.srtp = leg.trunk != kAgentTrunk && trunks_[leg.trunk].guard.limits().srtp,
          .far_end_offers = leg.offer != 0 && leg.early_media};
}

void CallShard::StopTimer(Loop::TimerId& timer) {
  if (timer != 0) loop_.Cancel(std::exchange(timer, 0));
}

ShardStats CallShard::stats() const {
  const auto get = [this](Counter c) { return counters_[c].load(std::memory_order_relaxed); };
  return {.legs_live = get(kLegsLive),
          .invites = get(kInvites),
          .refused = get(kRefusedCount),
          .stale = get(kStale),
          .ignored = get(kIgnored),
          .connects_ignored = get(kConnectsIgnored),
          .crossed_answers = get(kCrossed),
          .guards = get(kGuards),
          .mailbox_full = get(kMailboxFull),
          .wakes_lost = get(kWakesLost),
          .queued = get(kQueued),
          .offered = get(kOffered)};
}

}  // namespace outpace::call
