// The media thread's commands: what a shard asked for, done to the legs. A command that names a leg
// closed meanwhile is counted and has no effect.

#include <algorithm>
#include <utility>
#include <variant>

#include "engine/base/check.h"
#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"

namespace outpace::media {

void MediaThread::RunCommands(MonoTime now) {
  while (std::optional<MediaCommand> command = mailbox_.TryPop()) {
    std::visit([&](const auto& c) { Run(c, now); }, *command);
  }
}

MediaThread::Leg* MediaThread::Find(LegId id) {
  const auto it = by_id_.find(id);
  if (it != by_id_.end()) return it->second;
  counters_.commands_stale.Add(1);
  return nullptr;
}

void MediaThread::Run(const OpenLeg& command, MonoTime now) {
  OUTPACE_CHECK(command.port < legs_.size() && legs_[command.port] == nullptr);
  auto leg = std::make_unique<Leg>();
  leg->id = command.leg;
  leg->port = command.port;
  leg->serial = next_serial_++;
  leg->ssrc = static_cast<uint32_t>(rng_.Next());
  // RFC 3550 5.1: random starts. The sequence number is below 2^15, so that SRTP's roll-over count
  // is 0 for the far end too.
  leg->out =
      OutgoingStream(static_cast<uint16_t>(rng_.Next() >> 49), static_cast<uint32_t>(rng_.Next()));
  leg->ours = &config_.codecs;
  leg->report_due = now + config_.rtcp_interval * (0.5 + rng_.Uniform());
  leg->silent_since = now;
  by_id_[command.leg] = leg.get();
  legs_[command.port] = std::move(leg);
  counters_.legs.Add(1);
}

OrtpSession& MediaThread::Session(Leg& leg) {
  if (leg.session != nullptr) return *leg.session;
  leg.session = std::make_unique<OrtpSession>(profiles_, pool_.pairs()[leg.port].rtp_fd, leg.ssrc);
  if (leg.has_remote) leg.session->SetRemote(leg.remote, leg.event_type);
  leg.session->SetSrtp(leg.sender);
  counters_.sessions.Add(1);
  return *leg.session;
}

void MediaThread::Run(const SetPeer& command, MonoTime now) {
  Leg* const leg = Find(command.leg);
  if (leg == nullptr) return;
  leg->remote = SocketAddress(command.remote);
  leg->rtcp_port = command.rtcp_port;
  leg->packet_ms = command.packet_ms;
  leg->codec = command.codecs.front();
  leg->codecs = command.codecs;
  leg->events = command.events;
  leg->event_rate = command.event_rate;
  leg->out.SetRate(codec::InfoOf(leg->codec.codec).rtp_rate);
  leg->event_type = command.event_type;
  leg->sends = command.sends;
  leg->listens = command.listens;
  leg->silent_since = now;
  if (command.sender != nullptr) leg->sender = command.sender;
  if (command.receiver != nullptr) {
    leg->old_receiver = std::exchange(leg->receiver, command.receiver);
  }
  if (leg->session != nullptr) {
    leg->session->SetRemote(leg->remote, leg->event_type);
    leg->session->SetSrtp(leg->sender);
  }
  leg->may_latch = config_.latch && command.remote.ip.is_private();
  if (std::exchange(leg->has_remote, true)) return;
  leg->sent.at = now;  // the keepalive's first wait
  // What was held so far are datagrams as they came; from now on the ring is the pre-roll.
  const std::unique_ptr<Leg::Ring> ring = std::move(leg->ring);
  if (ring == nullptr) return;
  const size_t held = std::min(ring->count, ring->kept.size());
  for (size_t i = ring->count - held; i < ring->count; ++i) {
    Leg::Kept& kept = ring->kept[i % ring->kept.size()];
    const size_t size = kept.bytes.size();
    kept.bytes.resize(size + kSrtpTrailerMax);
    OnDatagram(*leg, absl::MakeSpan(kept.bytes).first(size), kept.from, now);
  }
}

void MediaThread::Run(const BridgeLegs& command, MonoTime now) {
  Leg* const a = Find(command.a);
  Leg* const b = Find(command.b);
  if (a == nullptr || b == nullptr || a->partner == b) return;
  if (a->mix != nullptr && a->mix == b->mix) return;
  for (Leg* const leg : {a, b}) {
    leg->attached_to = 0;
    leg->role = call::MixRole::kTalker;
    // A new call begins: nobody is left on hold, muted or with a prompt by what went before.
    if (leg->play != nullptr) EndPlay(*leg, /*tell=*/false, now);
    leg->music.reset();
    leg->muted = false;
  }
  // Each brings those who joined it, a supervisor for instance.
  Group group = TakeOut(*a, now);
  const Group others = TakeOut(*b, now);
  if (group.size() == 1 && others.size() == 1) {
    Join(*a, *b);
    FlushPreroll(*a, *b, now);
    FlushPreroll(*b, *a, now);
    return;
  }
  group.insert(group.begin() + 1, others.begin(), others.end());
  Gather(group, now);
}

void MediaThread::Part(Leg& leg) {
  Leg* const partner = std::exchange(leg.partner, nullptr);
  if (partner == nullptr) return;
  partner->partner = nullptr;
  for (Leg* const one : {&leg, partner}) {
    one->out.Part();
    one->transcoder.reset();
    if (pauses_ != 0) SetBuffersConfidential(*one);
  }
  counters_.bridged_calls.Subtract(1);
}

void MediaThread::Run(const DoAction& command, MonoTime now) {
  Leg* const leg = Find(command.leg);
  if (leg == nullptr) return;
  std::visit([&](const auto& action) { Do(*leg, action, now); }, command.action);
}

void MediaThread::Run(const CloseLeg& command, MonoTime now) {
  Leg* const leg = Find(command.leg);
  if (leg == nullptr) return;
  for (const std::unique_ptr<Leg>& other : legs_) {
    if (!leg->joined) break;
    if (other != nullptr && other->attached_to == leg->serial) other->attached_to = 0;
  }
  Leave(*leg, now);
  StopListening(*leg);
  CloseRecording(*leg, now);
  Tell({.kind = Event::Kind::kQuality,
        .leg = leg->id,
        .at = now,
        .quality = {.packets_in = leg->received.packets(),
                    .packets_lost = leg->received.lost(),
                    .packets_out = leg->sent.packets,
                    .jitter_ms = leg->received.jitter_ms(),
                    .one_way = leg->one_way}},
       now);
  if (leg->session != nullptr) counters_.sessions.Subtract(1);
  by_id_.erase(command.leg);
  legs_[leg->port].reset();
  counters_.legs.Subtract(1);
}

}  // namespace outpace::media
