// The way of a packet: socket, source check, header check, oRTP, partner. And of a prompt's frames.

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"

namespace outpace::media {
namespace {

constexpr absl::Duration kFrameTime = absl::Milliseconds(20);
// A prompt that fell this far behind (the thread was not run) goes on from where it is, late,
// instead of pouring out what it missed.
constexpr absl::Duration kLateMax = absl::Milliseconds(100);

bool SameAddress(const sockaddr_in& a, const sockaddr_in& b) {
  return a.sin_addr.s_addr == b.sin_addr.s_addr && a.sin_port == b.sin_port;
}

}  // namespace

void MediaThread::ReadPort(uint32_t port, MonoTime now) {
  uint8_t bytes[kRtpDatagramMax + 1];
  sockaddr_in from{};
  socklen_t from_size = sizeof from;
  const ssize_t size = recvfrom(pool_.pairs()[port].rtp_fd, bytes, sizeof bytes, MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&from), &from_size);
  if (size < 0) return;
  counters_.packets_in.Add(1);
  Leg* const leg = legs_[port].get();
  if (leg == nullptr) {
    counters_.dropped_no_leg.Add(1);
    return;
  }
  const auto datagram = absl::MakeConstSpan(bytes, static_cast<size_t>(size));
  if (leg->has_remote) {
    OnDatagram(*leg, datagram, from, now);
  } else {
    Hold(*leg, datagram, from);
  }
}

void MediaThread::Hold(Leg& leg, absl::Span<const uint8_t> datagram, const sockaddr_in& from) {
  Leg::Held& held = leg.held[leg.held_count % leg.held.size()];
  if (datagram.size() > held.bytes.size()) {
    counters_.dropped_short.Add(1);
    return;
  }
  held.from = from;
  held.size = datagram.size();
  std::copy(datagram.begin(), datagram.end(), held.bytes.begin());
  ++leg.held_count;
}

void MediaThread::OnDatagram(Leg& leg, absl::Span<const uint8_t> datagram, const sockaddr_in& from,
                             MonoTime now) {
  if (!SameAddress(from, leg.remote)) {
    counters_.dropped_foreign.Add(1);
    return;
  }
  RtpView view;
  if (datagram.size() > kRtpDatagramMax || ParseRtp(datagram, &view) != RtpCheck::kOk) {
    counters_.dropped_short.Add(1);
    return;
  }
  const uint8_t type = view.header.payload_type;
  const bool audio = type == 0 || type == 8 || type == leg.codec.payload_type;
  if (!audio && type != kOurEventType && (leg.event_type == 0 || type != leg.event_type)) {
    counters_.dropped_payload_type.Add(1);
    return;
  }
  std::optional<RtpPacket> packet = leg.session->Receive(datagram, view);
  if (!packet.has_value()) {
    counters_.dropped_by_ortp.Add(1);
    return;
  }
  leg.silent_since = now;
  if (!std::exchange(leg.heard, true)) {
    Tell({.kind = Event::Kind::kFirstMedia, .leg = leg.id, .at = now}, now);
  }
  if (leg.partner != nullptr) {
    Deliver(leg, *leg.partner, *std::move(packet), now);
  } else {
    counters_.no_peer.Add(1);
    if (!packet->event()) KeepPreroll(leg, *std::move(packet), now);
  }
}

void MediaThread::Deliver(Leg& from, Leg& to, RtpPacket packet, MonoTime now) {
  if (!to.Listens() || to.prompt != nullptr || (packet.event() && to.event_type == 0)) {
    counters_.no_peer.Add(1);
    return;
  }
  const uint8_t type = packet.header().payload_type;
  if (!packet.event()) {
    const Law law = type == from.codec.payload_type ? from.codec.law
                    : type == 8                     ? Law::kA
                                                    : Law::kMu;
    Transcode(law, to.codec.law, packet.payload());
  }
  const Stamp stamp =
      to.out.Relay(from.serial, packet.header(), static_cast<uint32_t>(packet.payload().size()),
                   packet.event(), now);
  const uint8_t out_type = packet.event() ? to.event_type : to.codec.payload_type;
  if (to.session->Send(std::move(packet), stamp, out_type)) {
    counters_.packets_out.Add(1);
  } else {
    counters_.sends_failed.Add(1);
  }
}

void MediaThread::KeepPreroll(Leg& leg, RtpPacket packet, MonoTime now) {
  const auto most = static_cast<size_t>(config_.preroll_packets);
  if (most == 0) return;
  if (leg.preroll.size() == most) leg.preroll.erase(leg.preroll.begin());
  leg.preroll.push_back({.packet = std::move(packet), .at = now});
}

void MediaThread::FlushPreroll(Leg& from, Leg& to, MonoTime now) {
  for (Leg::Kept& kept : from.preroll) {
    // Older audio is not the start of what is being said now.
    if (now - kept.at > config_.preroll_age_max) continue;
    Deliver(from, to, std::move(kept.packet), now);
  }
  from.preroll.clear();
}

void MediaThread::RunPrompts(MonoTime now) {
  for (size_t i = 0; i < playing_.size();) {
    Leg& leg = *playing_[i];
    PlayDueFrames(leg, now);
    if (leg.prompt != nullptr) {
      ++i;
      continue;
    }
    playing_[i] = playing_.back();
    playing_.pop_back();
  }
}

void MediaThread::PlayDueFrames(Leg& leg, MonoTime now) {
  if (now - leg.frame_due > kLateMax) leg.frame_due = now;
  for (; leg.frame_due <= now; leg.frame_due = leg.frame_due + kFrameTime) {
    if (leg.frame == leg.prompt->frames()) {  // the last frame has been heard to its end
      leg.prompt = nullptr;
      leg.out.Part();
      return Tell({.kind = Event::Kind::kPromptDone, .leg = leg.id, .at = now}, now);
    }
    const absl::Span<const uint8_t> frame = leg.prompt->Frame(leg.codec.law, leg.frame);
    const bool first = leg.frame++ == 0;
    if (!leg.Listens()) continue;  // time runs on: who waits for the end is not left waiting
    const Stamp stamp = leg.out.Own(static_cast<uint32_t>(frame.size()), first, now);
    if (leg.session->SendFrame(frame, stamp, leg.codec.payload_type)) {
      counters_.packets_out.Add(1);
      counters_.prompt_frames.Add(1);
    } else {
      counters_.sends_failed.Add(1);
    }
  }
}

}  // namespace outpace::media
