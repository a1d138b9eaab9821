// The way of a packet: socket, source check, header check, oRTP, partner. And of a prompt's frames.

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"

namespace outpace::media {
namespace {

// A prompt that fell this far behind (the thread was not run) goes on from where it is, late,
// instead of pouring out what it missed.
constexpr absl::Duration kLateMax = absl::Milliseconds(100);

// The largest datagram worth keeping: G.711 of 60 ms with header, SRTP and some to spare.
constexpr size_t kKeptMax = 600;

}  // namespace

void MediaThread::ReadPort(uint32_t port, MonoTime now) {
  alignas(8) uint8_t bytes[kRtpDatagramMax + 1];
  SocketAddress from;
  socklen_t from_size = SocketAddress::kRoom;
  const ssize_t size = recvfrom(pool_.pairs()[port].rtp_fd, bytes, sizeof bytes, MSG_DONTWAIT,
                                from.raw(), &from_size);
  if (size < 0) return;
  counters_.packets_in.Add(1);
  Leg* const leg = legs_[port].get();
  if (leg == nullptr) {
    counters_.dropped_no_leg.Add(1);
    return;
  }
  const auto datagram = absl::MakeSpan(bytes, static_cast<size_t>(size));
  if (leg->has_remote) {
    OnDatagram(*leg, datagram, from, now);
  } else {
    Keep(*leg, datagram, from, now);
  }
}

void MediaThread::OnDatagram(Leg& leg, absl::Span<uint8_t> datagram, const SocketAddress& from,
                             MonoTime now) {
  if (!from.Same(leg.remote)) {
    counters_.dropped_foreign.Add(1);
    return;
  }
  if (leg.receiver != nullptr) {
    size_t size = 0;
    if (!Unprotect(leg, datagram, &size)) return;
    datagram = datagram.first(size);
  }
  RtpView view;
  if (datagram.size() > kRtpDatagramMax || ParseRtp(datagram, &view) != RtpCheck::kOk) {
    counters_.dropped_short.Add(1);
    return;
  }
  const uint8_t type = view.header.payload_type;
  if (!leg.IsAudio(type) && !leg.IsEvent(type)) {
    // RFC 5761 4: these would be RTCP's 192 to 223 with the marker bit.
    const bool rtcp = view.header.marker && type >= 64 && type <= 95;
    (rtcp ? counters_.dropped_rtcp : counters_.dropped_payload_type).Add(1);
    return;
  }
  OnPacket(leg, datagram, view, now);
}

// False, counted, when the packet is not to be heard. A call is never ended for it.
bool MediaThread::Unprotect(Leg& leg, absl::Span<uint8_t> datagram, size_t* size) {
  // Reports on this port are not read, and have another key: not a bad tag.
  if (datagram.size() >= 2 && datagram[1] >= 192 && datagram[1] <= 223) {
    counters_.dropped_rtcp.Add(1);
    return false;
  }
  SrtpCheck check = leg.receiver->Unprotect(datagram, size);
  if (check == SrtpCheck::kOk) {
    leg.old_receiver.reset();
    return true;
  }
  if (leg.old_receiver != nullptr) {
    const SrtpCheck old = leg.old_receiver->Unprotect(datagram, size);
    if (old == SrtpCheck::kOk) return true;
    if (old == SrtpCheck::kReplayed) check = old;
  }
  (check == SrtpCheck::kReplayed ? counters_.dropped_srtp_replay : counters_.dropped_srtp_tag)
      .Add(1);
  return false;
}

void MediaThread::OnPacket(Leg& leg, absl::Span<uint8_t> datagram, const RtpView& view,
                           MonoTime now) {
  std::optional<RtpPacket> packet;
  if (leg.session != nullptr) {
    packet = leg.session->Receive(datagram, view);
    if (!packet.has_value()) {
      counters_.dropped_by_ortp.Add(1);
      return;
    }
  }
  leg.silent_since = now;
  if (!std::exchange(leg.heard, true)) {
    Tell({.kind = Event::Kind::kFirstMedia, .leg = leg.id, .at = now}, now);
  }
  if (leg.partner != nullptr) {
    Deliver(leg, *leg.partner, *std::move(packet), now);
    return;
  }
  counters_.no_peer.Add(1);
  const bool event = packet.has_value() ? packet->event() : leg.IsEvent(view.header.payload_type);
  if (!event && config_.preroll_packets > 0) Keep(leg, datagram, leg.remote, now);
}

bool MediaThread::Hears(const Leg& to, bool event) {
  if (to.Listens() && to.prompt == nullptr && (!event || to.event_type != 0)) return true;
  counters_.no_peer.Add(1);
  return false;
}

void MediaThread::CountSent(bool sent) {
  (sent ? counters_.packets_out : counters_.sends_failed).Add(1);
}

namespace {

// The law of G.711 audio under payload type `type` from who negotiated `codec`.
codec::Law LawOf(uint8_t type, const SdpCodec& codec) {
  if (type == codec.payload_type) return codec::LawOf(codec.codec);
  return type == 8 ? codec::Law::kA : codec::Law::kMu;
}

}  // namespace

void MediaThread::Deliver(Leg& from, Leg& to, RtpPacket packet, MonoTime now) {
  const bool event = packet.event();
  if (!Hears(to, event)) return;
  if (!event) {
    codec::Transcode(LawOf(packet.header().payload_type, from.codec), codec::LawOf(to.codec.codec),
                     packet.payload());
  }
  const Stamp stamp = to.out.Relay(from.serial, packet.header(),
                                   static_cast<uint32_t>(packet.payload().size()), event, now);
  CountSent(
      to.session->Send(std::move(packet), stamp, event ? to.event_type : to.codec.payload_type));
}

void MediaThread::DeliverKept(Leg& from, Leg& to, absl::Span<uint8_t> datagram, MonoTime now) {
  RtpView view;
  OUTPACE_CHECK(ParseRtp(datagram, &view) == RtpCheck::kOk);  // it was when it was kept
  if (!Hears(to, /*event=*/false)) return;
  const absl::Span<uint8_t> payload = datagram.subspan(view.payload_offset, view.payload_size);
  codec::Transcode(LawOf(view.header.payload_type, from.codec), codec::LawOf(to.codec.codec),
                   payload);
  const Stamp stamp = to.out.Relay(from.serial, view.header, static_cast<uint32_t>(payload.size()),
                                   /*event=*/false, now);
  CountSent(to.session->SendFrame(payload, stamp, to.codec.payload_type));
}

void MediaThread::Keep(Leg& leg, absl::Span<const uint8_t> datagram, const SocketAddress& from,
                       MonoTime now) {
  if (datagram.size() > kKeptMax) {
    counters_.dropped_short.Add(1);
    return;
  }
  if (leg.ring == nullptr) leg.ring = std::make_unique<Leg::Ring>();
  Leg::Kept& kept = leg.ring->kept[leg.ring->count++ % leg.ring->kept.size()];
  kept.from = from;
  kept.at = now;
  kept.bytes.assign(datagram.begin(), datagram.end());  // keeps its room
}

void MediaThread::FlushPreroll(Leg& from, Leg& to, MonoTime now) {
  const std::unique_ptr<Leg::Ring> ring = std::move(from.ring);
  if (ring == nullptr) return;
  const size_t most = std::min(ring->kept.size(), static_cast<size_t>(config_.preroll_packets));
  for (size_t i = ring->count - std::min(ring->count, most); i < ring->count; ++i) {
    Leg::Kept& kept = ring->kept[i % ring->kept.size()];
    // Older audio is not the start of what is being said now.
    if (now - kept.at > config_.preroll_age_max) continue;
    DeliverKept(from, to, absl::MakeSpan(kept.bytes), now);
  }
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
  const absl::Duration frame_time = absl::Milliseconds(leg.packet_ms);
  const size_t frame_samples = leg.packet_ms * size_t{8};
  for (; leg.frame_due <= now; leg.frame_due = leg.frame_due + frame_time) {
    const absl::Span<const uint8_t> frame =
        leg.prompt->Samples(codec::LawOf(leg.codec.codec), leg.prompt_at, frame_samples);
    if (frame.empty()) {  // the last frame has been heard to its end
      leg.prompt = nullptr;
      leg.out.Part();
      return Tell({.kind = Event::Kind::kPromptDone, .leg = leg.id, .at = now}, now);
    }
    const bool first = leg.prompt_at == 0;
    leg.prompt_at += frame.size();
    if (!leg.Listens()) continue;  // time runs on: who waits for the end is not left waiting
    const Stamp stamp = leg.out.Own(static_cast<uint32_t>(frame.size()), first, now);
    const bool sent = leg.session->SendFrame(frame, stamp, leg.codec.payload_type);
    CountSent(sent);
    if (sent) counters_.prompt_frames.Add(1);
  }
}

}  // namespace outpace::media
