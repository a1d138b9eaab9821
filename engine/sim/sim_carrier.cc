#include "engine/sim/sim_carrier.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/base/check.h"
#include "engine/sim/sim_signaling.h"

namespace outpace::sim {
namespace {

constexpr char kSdp[] =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
constexpr char kSdpNoAudio[] =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    "m=audio 0 RTP/AVP 0\r\n";
constexpr int kAnswersMax = 7;  // 0.5 + 1 + 2 + 4 ... s: about 32 s in all (RFC 3261 13.3.1.4)

absl::string_view UserOf(absl::string_view uri) {
  absl::ConsumePrefix(&uri, "sip:");
  return uri.substr(0, uri.find('@'));
}

absl::Duration Exponential(Rng& rng, absl::Duration mean) {
  return absl::Seconds(rng.Exponential(absl::ToDoubleSeconds(mean)));
}

}  // namespace

absl::Duration RingLaw::Draw(Rng& rng) const {
  absl::Duration total = fixed;
  for (int i = 0; i < stages && stage_mean > absl::ZeroDuration(); ++i) {
    total += Exponential(rng, stage_mean);
  }
  return total;
}

SimCarrier::SimCarrier(SimWorld& world, CarrierScenario scenario)
    : world_(world),
      scenario_(std::move(scenario)),
      rng_(world.rng().Fork()),
      loop_(world.NewLoop()) {}

SimCarrier::~SimCarrier() { OUTPACE_CHECK(endpoints_.empty()); }

void SimCarrier::Attach(uint16_t shard, SimSignaling* endpoint) {
  OUTPACE_CHECK(endpoints_.emplace(shard, endpoint).second);
}

void SimCarrier::Detach(uint16_t shard) { OUTPACE_CHECK(endpoints_.erase(shard) == 1); }

// The far end's loop owns the wire: what was sent arrives, even if its sender dies on the way.
void SimCarrier::Later(absl::Duration delay, Loop::Task task) {
  loop_->After(delay, std::move(task));
}

void SimCarrier::SendInvite(uint16_t shard, const call::InviteRequest& request) {
  Later(scenario_.network_delay, [this, shard, request] { Receive(shard, request); });
}

void SimCarrier::SendCancel(const std::string& call_id) {
  Later(scenario_.network_delay, [this, call_id] {
    Call* call = Live(call_id);
    if (call == nullptr) return;
    invites_[call->invite].cancelled = true;
    if (call->state != State::kTrying) return;  // too late: the 200 is on its way
    loop_->Cancel(std::exchange(call->ring, 0));
    if (rng_.Chance(scenario_.crossing)) {
      Answer(call_id, *call);
    } else if (rng_.Chance(scenario_.lost_487)) {
      End(*call);
    } else {
      Fail(call_id, *call, {.status = 487, .phrase = "Request Terminated"});
    }
  });
}

void SimCarrier::SendAck(const std::string& call_id) {
  Later(scenario_.network_delay, [this, call_id] {
    Call* call = Live(call_id);
    if (call == nullptr || call->state != State::kAnswered) return;
    loop_->Cancel(std::exchange(call->resend, 0));
    call->state = State::kUp;
    invites_[call->invite].acked = true;
  });
}

void SimCarrier::SendBye(const std::string& call_id) {
  Later(scenario_.network_delay, [this, call_id] {
    const auto it = calls_.find(call_id);
    if (it == calls_.end()) return;
    Call& call = it->second;
    if (call.state == State::kAnswered || call.state == State::kUp) End(call);
    if (rng_.Chance(scenario_.lost_bye_ok)) return;
    Send(call.shard, {.kind = Reply::kByeOk, .call_id = call_id, .status = 200});
  });
}

void SimCarrier::Receive(uint16_t shard, const call::InviteRequest& request) {
  const std::string& call_id = request.ids.call_id;
  auto [it, fresh] = calls_.try_emplace(call_id);
  if (!fresh) {
    ++duplicate_call_ids_;
    return;
  }
  Call& call = it->second;
  call.invite = invites_.size();
  call.shard = shard;
  SimInvite invite;
  invite.ids = request.ids;
  invite.leg = request.leg;
  invite.to = std::string(UserOf(request.request_uri));
  invite.from_uri = request.from_uri;
  invite.route_uri = request.route_uri;
  invite.agent = request.route_uri == scenario_.agent_route;
  invite.at = world_.now();
  invite.wall = world_.clock().Wall();
  const auto fixed = fixed_.find(invite.to);
  const bool planned = callees_ && !invite.agent;
  if (planned) invite.plan = callees_(invite.to, ++calls_to_[invite.to], invite.at);
  invite.callee = planned                 ? invite.plan.callee
                  : invite.agent          ? Callee::kAgent
                  : fixed != fixed_.end() ? fixed->second
                                          : Draw();
  const absl::Duration until_final = planned ? invite.plan.until_final : DrawDelay(invite.callee);
  world_.Note(static_cast<uint64_t>(invite.callee) << 32 | call.invite);
  const Callee callee = invite.callee;
  invites_.push_back(std::move(invite));
  by_leg_[request.leg] = call_id;
  ++calls_open_;
  if (callee == Callee::kSilent) return End(call);  // swallowed: nobody has heard of it

  Send(shard, {.kind = Reply::kProvisional, .call_id = call_id, .status = 100});
  const bool rings = callee == Callee::kPerson || callee == Callee::kBadMedia ||
                     callee == Callee::kMachine || callee == Callee::kAgent ||
                     callee == Callee::kNoAnswer;
  if (rings && scenario_.post_dial_delay < until_final) {
    Later(scenario_.post_dial_delay, [this, call_id] { Progress(call_id); });
  }
  call.ring = loop_->After(until_final, [this, call_id] { Resolve(call_id); });
}

absl::Duration SimCarrier::DrawDelay(Callee callee) {
  switch (callee) {
    case Callee::kPerson:
    case Callee::kBadMedia:
      return scenario_.person_ring.Draw(rng_);
    case Callee::kMachine:
      return scenario_.machine_ring.Draw(rng_);
    case Callee::kAgent:
      return scenario_.agent_answer;
    case Callee::kNoAnswer:
      return absl::Minutes(3);  // then the network gives up by itself
    default:
      return scenario_.failure_delay;
  }
}

const SimInvite* SimCarrier::FindInvite(const std::string& call_id) const {
  const auto it = calls_.find(call_id);
  return it == calls_.end() ? nullptr : &invites_[it->second.invite];
}

Callee SimCarrier::Draw() {
  double u = rng_.Uniform();
  const std::pair<double, Callee> shares[] = {{scenario_.person, Callee::kPerson},
                                              {scenario_.machine, Callee::kMachine},
                                              {scenario_.busy, Callee::kBusy},
                                              {scenario_.invalid, Callee::kInvalid},
                                              {scenario_.unreachable, Callee::kUnreachable},
                                              {scenario_.rejected, Callee::kRejected},
                                              {scenario_.congestion, Callee::kCongestion},
                                              {scenario_.silent, Callee::kSilent},
                                              {scenario_.bad_media, Callee::kBadMedia}};
  for (const auto& [share, callee] : shares) {
    if (u < share) return callee;
    u -= share;
  }
  return Callee::kNoAnswer;
}

void SimCarrier::Progress(const std::string& call_id) {
  Call* call = Live(call_id);
  if (call == nullptr || call->state != State::kTrying) return;
  Send(call->shard, {.kind = Reply::kProvisional, .call_id = call_id, .status = 180});
}

void SimCarrier::Resolve(const std::string& call_id) {
  Call* call = Live(call_id);
  OUTPACE_CHECK(call != nullptr && call->state == State::kTrying);
  call->ring = 0;
  switch (invites_[call->invite].callee) {
    case Callee::kPerson:
    case Callee::kMachine:
    case Callee::kAgent:
    case Callee::kBadMedia:
      return Answer(call_id, *call);
    case Callee::kNoAnswer:
      return Fail(call_id, *call, {.status = 480, .q850_cause = 19});
    case Callee::kBusy:
      return Fail(call_id, *call, {.status = 486, .q850_cause = 17});
    case Callee::kInvalid:
      return Fail(call_id, *call, {.status = 404, .q850_cause = 1});
    case Callee::kUnreachable:
      return Fail(call_id, *call, {.status = 480, .q850_cause = 20});
    case Callee::kRejected:
      return Fail(call_id, *call, {.status = 603, .q850_cause = 21});
    case Callee::kCongestion:
      return Fail(call_id, *call,
                  {.status = 503, .q850_cause = 34, .retry_after = scenario_.retry_after});
    case Callee::kSilent:
      break;
  }
  OUTPACE_CHECK(false);
}

void SimCarrier::Answer(const std::string& call_id, Call& call) {
  SimInvite& invite = invites_[call.invite];
  call.state = State::kAnswered;
  invite.answered = true;
  invite.answered_at = world_.now();
  ++(invite.agent ? agent_calls_up_ : lead_calls_up_);
  ScheduleHangUp(call_id, call);
  ResendAnswer(call_id);
}

// Sends the 200, and again until its ACK comes: an engine that was killed in between must end it.
void SimCarrier::ResendAnswer(const std::string& call_id) {
  Call* call = Live(call_id);
  OUTPACE_CHECK(call != nullptr && call->state == State::kAnswered);
  call->resend = 0;
  if (call->answers_sent == kAnswersMax) {
    ++unacked_;
    End(*call);
    return;
  }
  const SimInvite& invite = invites_[call->invite];
  Reply reply{.kind = Reply::kAnswer, .call_id = call_id, .status = 200};
  reply.sdp = invite.callee == Callee::kBadMedia ? kSdpNoAudio : kSdp;
  reply.dialog = {.call_id = call_id,
                  .from_uri = invite.from_uri,
                  .from_tag = invite.ids.from_tag,
                  .to_uri = absl::StrCat("sip:", invite.to, "@192.0.2.1"),
                  .to_tag = absl::StrCat("t", call->invite),
                  .remote_target = absl::StrCat("sip:", invite.to, "@192.0.2.1:5060"),
                  .route_set = {},
                  .next_hop = invite.route_uri,
                  .cseq = 1};
  Send(call->shard, std::move(reply));
  const absl::Duration wait = absl::Milliseconds(500) * (1 << call->answers_sent++);
  call->resend = loop_->After(wait, [this, call_id] { ResendAnswer(call_id); });
}

void SimCarrier::Fail(const std::string& call_id, Call& call, call::Failure failure) {
  const uint16_t shard = call.shard;
  const int status = failure.status;
  End(call);
  Send(shard, {.kind = Reply::kFailure,
               .call_id = call_id,
               .status = status,
               .failure = std::move(failure)});
}

void SimCarrier::ScheduleHangUp(const std::string& call_id, Call& call) {
  loop_->Cancel(std::exchange(call.hang_up, 0));
  if (callees_ && !invites_[call.invite].agent) return;
  absl::Duration mean;
  switch (invites_[call.invite].callee) {
    case Callee::kMachine:
      if (scenario_.machine_max == absl::ZeroDuration()) return;
      call.hang_up =
          loop_->After(scenario_.machine_max, [this, call_id] { CalleeHangsUp(call_id); });
      return;
    case Callee::kAgent:
      mean = scenario_.agent_drop_mean;
      break;
    default:
      mean = scenario_.patience_mean;
      break;
  }
  if (mean == absl::ZeroDuration()) return;
  call.hang_up = loop_->After(Exponential(rng_, mean), [this, call_id] { CalleeHangsUp(call_id); });
}

void SimCarrier::CalleeHangsUp(const std::string& call_id) {
  Call* call = Live(call_id);
  if (call == nullptr) return;
  call->hang_up = 0;
  // A phone that hangs up before it has the ACK waits for it (RFC 3261 15).
  if (call->state == State::kAnswered) {
    call->hang_up =
        loop_->After(absl::Milliseconds(100), [this, call_id] { CalleeHangsUp(call_id); });
    return;
  }
  invites_[call->invite].ended_by_callee = true;
  const uint16_t shard = call->shard;
  End(*call);
  Send(shard, {.kind = Reply::kBye, .call_id = call_id, .status = 0});
}

void SimCarrier::DropPhone(LegId agent_leg) {
  const auto it = by_leg_.find(agent_leg);
  if (it == by_leg_.end()) return;
  const std::string call_id = it->second;
  Call* call = Live(call_id);
  if (call == nullptr || call->state == State::kTrying) return;
  loop_->Cancel(std::exchange(call->hang_up, 0));
  CalleeHangsUp(call_id);
}

std::pair<listen::Sound, absl::Duration> SimCarrier::VerdictOn(LegId leg) {
  const auto it = by_leg_.find(leg);
  if (it == by_leg_.end()) return {};
  const Call* call = Live(it->second);
  if (call == nullptr) return {};
  const SimInvite& invite = invites_[call->invite];
  if (invite.agent) return {};
  if (callees_) return {invite.plan.verdict, invite.plan.verdict_after};
  if (!scenario_.amd.present) return {};
  const bool machine = invite.callee == Callee::kMachine;
  const double says_machine = machine ? scenario_.amd.caught : scenario_.amd.false_positive;
  const bool says = rng_.Uniform() < says_machine;
  return {says ? listen::Sound::kMachine : listen::Sound::kHuman, scenario_.amd.after};
}

void SimCarrier::OnBridged(LegId a, LegId b) {
  for (const LegId leg : {a, b}) {
    const auto it = by_leg_.find(leg);
    if (it == by_leg_.end()) continue;
    const std::string& call_id = it->second;
    Call* call = Live(call_id);
    if (call == nullptr || call->state == State::kTrying) continue;
    SimInvite& invite = invites_[call->invite];
    invite.bridged = true;
    if (invite.agent) continue;
    loop_->Cancel(std::exchange(call->hang_up, 0));
    if (callees_) {
      if (!invite.plan.hangs_up) continue;
      call->hang_up = loop_->After(invite.plan.talk, [this, id = call_id] { CalleeHangsUp(id); });
      continue;
    }
    if (scenario_.talk_mean == absl::ZeroDuration()) continue;
    const double talk =
        rng_.Lognormal(absl::ToDoubleSeconds(scenario_.talk_mean), scenario_.talk_cv);
    call->hang_up = loop_->After(absl::Seconds(talk), [this, id = call_id] { CalleeHangsUp(id); });
  }
}

void SimCarrier::OnUnbridged(LegId leg) {
  const auto it = by_leg_.find(leg);
  if (it == by_leg_.end()) return;
  Call* call = Live(it->second);
  if (call == nullptr || call->state == State::kTrying || invites_[call->invite].agent) return;
  ScheduleHangUp(it->second, *call);
}

void SimCarrier::End(Call& call) {
  OUTPACE_CHECK(call.state != State::kOver);
  for (Loop::TimerId* timer : {&call.ring, &call.resend, &call.hang_up}) {
    loop_->Cancel(std::exchange(*timer, 0));
  }
  SimInvite& invite = invites_[call.invite];
  if (invite.answered) --(invite.agent ? agent_calls_up_ : lead_calls_up_);
  --calls_open_;
  invite.over = true;
  invite.ended_at = world_.now();
  call.state = State::kOver;
}

SimCarrier::Call* SimCarrier::Live(const std::string& call_id) {
  const auto it = calls_.find(call_id);
  return it == calls_.end() || it->second.state == State::kOver ? nullptr : &it->second;
}

void SimCarrier::Send(uint16_t shard, Reply reply) {
  world_.Note(static_cast<uint64_t>(reply.kind) << 48 | static_cast<uint64_t>(reply.status) << 32 |
              calls_.at(reply.call_id).invite);
  Later(scenario_.network_delay,
        [this, shard, reply = std::move(reply)]() mutable { Deliver(shard, std::move(reply)); });
}

void SimCarrier::Deliver(uint16_t shard, Reply reply) {
  const auto it = endpoints_.find(shard);
  if (it == endpoints_.end()) return;
  const absl::Duration stalled = it->second->stalled_until() - world_.now();
  if (stalled <= absl::ZeroDuration()) return it->second->Receive(reply);
  // Nobody reads the socket: it waits in the kernel's buffer.
  Later(stalled,
        [this, shard, reply = std::move(reply)]() mutable { Deliver(shard, std::move(reply)); });
}

}  // namespace outpace::sim
