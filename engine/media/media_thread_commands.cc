// The media thread's commands: what a shard asked for, done to the legs. A command that names a leg
// closed meanwhile is counted and has no effect.

#include <netinet/in.h>

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
  const PortPair& pair = pool_.pairs()[command.port];
  auto leg = std::make_unique<Leg>();
  leg->id = command.leg;
  leg->port = command.port;
  leg->serial = next_serial_++;
  leg->session = std::make_unique<OrtpSession>(
      profiles_, OrtpSession::Sockets{.rtp = pair.rtp_fd, .rtcp = pair.rtcp_fd},
      config_.rtcp_interval);
  // The SSRC is oRTP's random number; the first sequence number and timestamp come from it.
  const uint32_t start = leg->session->ssrc() * 2654435761u;
  leg->out = OutgoingStream(static_cast<uint16_t>(start >> 17), start);
  leg->silent_since = now;
  by_id_[command.leg] = leg.get();
  legs_[command.port] = std::move(leg);
  counters_.legs.Add(1);
}

void MediaThread::Run(const SetPeer& command, MonoTime now) {
  Leg* const leg = Find(command.leg);
  if (leg == nullptr) return;
  sockaddr_in remote{};
  remote.sin_family = AF_INET;
  remote.sin_addr.s_addr = htonl(command.remote.ip);
  remote.sin_port = htons(command.remote.port);
  leg->remote = remote;
  leg->codec = command.codec;
  leg->event_type = command.event_type;
  leg->sends = command.sends;
  leg->listens = command.listens;
  leg->silent_since = now;
  leg->session->SetRemote(remote, command.event_type);
  if (std::exchange(leg->has_remote, true)) return;
  const size_t kept = std::min(leg->held_count, leg->held.size());
  for (size_t i = leg->held_count - kept; i < leg->held_count; ++i) {
    const Leg::Held& held = leg->held[i % leg->held.size()];
    OnDatagram(*leg, absl::MakeConstSpan(held.bytes).first(held.size), held.from, now);
  }
}

void MediaThread::Run(const BridgeLegs& command, MonoTime now) {
  Leg* const a = Find(command.a);
  Leg* const b = Find(command.b);
  if (a == nullptr || b == nullptr || a->partner == b) return;
  Part(*a);
  Part(*b);
  StopPrompt(*a);
  StopPrompt(*b);
  a->partner = b;
  b->partner = a;
  counters_.bridged_calls.Add(1);
  FlushPreroll(*a, *b, now);
  FlushPreroll(*b, *a, now);
}

void MediaThread::Run(const UnbridgeLeg& command, MonoTime) {
  if (Leg* const leg = Find(command.leg)) Part(*leg);
}

void MediaThread::Part(Leg& leg) {
  Leg* const partner = std::exchange(leg.partner, nullptr);
  if (partner == nullptr) return;
  partner->partner = nullptr;
  leg.out.Part();
  partner->out.Part();
  counters_.bridged_calls.Subtract(1);
}

void MediaThread::Run(const PlayPrompt& command, MonoTime now) {
  Leg* const leg = Find(command.leg);
  if (leg == nullptr) return;
  if (leg->prompt == nullptr) playing_.push_back(leg);
  leg->prompt = &prompts_.Get(command.prompt);
  leg->frame = 0;
  leg->frame_due = now;
}

void MediaThread::StopPrompt(Leg& leg) {
  if (std::exchange(leg.prompt, nullptr) == nullptr) return;
  playing_.erase(std::find(playing_.begin(), playing_.end(), &leg));
}

void MediaThread::Run(const CloseLeg& command, MonoTime) {
  Leg* const leg = Find(command.leg);
  if (leg == nullptr) return;
  Part(*leg);
  StopPrompt(*leg);
  by_id_.erase(command.leg);
  legs_[leg->port].reset();
  counters_.legs.Subtract(1);
}

}  // namespace outpace::media
