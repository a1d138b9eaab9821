// A packet's way in: socket, source check, header check, counts; then to whoever is to hear it.

#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"
#include "engine/media/wipe.h"

namespace outpace::media {
namespace {

// The largest datagram worth keeping: G.711 of 60 ms with header, SRTP and some to spare.
constexpr size_t kKeptMax = 600;

uint32_t RateOf(codec::Codec codec) { return static_cast<uint32_t>(codec::InfoOf(codec).rtp_rate); }

}  // namespace

void MediaThread::ReadPort(uint32_t port, MonoTime now) {
  alignas(8) uint8_t bytes[kRtpDatagramMax + 1 + kSrtpTrailerMax];
  SocketAddress from;
  socklen_t from_size = SocketAddress::kRoom;
  const ssize_t size = recvfrom(pool_.pairs()[port].rtp_fd, bytes, kRtpDatagramMax + 1,
                                MSG_DONTWAIT, from.raw(), &from_size);
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
  // Card data that a recording leaves out is not left on the stack for a core dump either.
  if (pauses_ != 0 && Confidential(*leg)) {
    Wipe(datagram);
    WipeAll(pcm_);
  }
}

void MediaThread::OnDatagram(Leg& leg, absl::Span<uint8_t> datagram, const SocketAddress& from,
                             MonoTime now) {
  const bool foreign = !from.Same(leg.remote);
  if (foreign && !leg.may_latch) {
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
  const std::optional<codec::Codec> codec = leg.CodecOf(type);
  const int event_rate = codec.has_value() ? 0 : leg.EventRate(type);
  if (!codec.has_value() && event_rate == 0) {
    // RFC 5761 4: these would be RTCP's 192 to 223 with the marker bit.
    const bool rtcp = view.header.marker && type >= 64 && type <= 95;
    (rtcp ? counters_.dropped_rtcp : counters_.dropped_payload_type).Add(1);
    return;
  }
  if (foreign && !Latch(leg, from)) return;
  leg.may_latch = false;
  if (!leg.received.Take(view.header, now, codec.has_value() ? RateOf(*codec) : 0)) {
    counters_.dropped_duplicate.Add(1);
    return;
  }
  leg.silent_since = now;
  if (!leg.heard) {
    leg.heard = true;
    Tell({.kind = Event::Kind::kFirstMedia, .leg = leg.id, .at = now}, now);
  }
  if (codec.has_value()) {
    OnAudio(leg, *codec, datagram, view, now);
  } else {
    OnKey(leg, event_rate, datagram, view, now);
  }
}

// A far end behind NAT is where its first valid packet came from, from now on. Not at a port of our
// own: two legs would relay one packet for ever.
bool MediaThread::Latch(Leg& leg, const SocketAddress& from) {
  if (IsOurs({.ip = from.ip(), .port = from.port()})) {
    counters_.dropped_foreign.Add(1);
    return false;
  }
  const bool reports_to_rtp = leg.rtcp_port == leg.remote.port();
  leg.remote = from;
  leg.rtcp_port = reports_to_rtp ? from.port() : 0;  // where else reports should go, nobody knows
  if (leg.session != nullptr) leg.session->SetRemote(leg.remote, leg.event_type);
  return true;
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

void MediaThread::OnAudio(Leg& leg, codec::Codec codec, absl::Span<uint8_t> datagram,
                          const RtpView& view, MonoTime now) {
  const absl::Span<uint8_t> payload = datagram.subspan(view.payload_offset, view.payload_size);
  if (leg.listening != nullptr || leg.recording != nullptr) {
    Tap(leg, codec, view.header, payload, now);
  }
  if (leg.mix != nullptr) {
    leg.jitter->Put(codec, view.header, payload, now);
    return;
  }
  if (leg.partner != nullptr) return Relay(leg, codec, *leg.partner, datagram, view, now);
  counters_.no_peer.Add(1);
  if (config_.preroll_packets > 0) Keep(leg, datagram, leg.remote, now);
}

void MediaThread::OnKey(Leg& leg, int rate, absl::Span<uint8_t> datagram, const RtpView& view,
                        MonoTime now) {
  const auto payload = datagram.subspan(view.payload_offset, view.payload_size);
  const std::optional<char> key = leg.keys.Take(view.header, rate, payload);
  // A card number is typed too.
  if (key.has_value() && !Confidential(leg)) {
    Tell({.kind = Event::Kind::kDigit, .leg = leg.id, .at = now, .digit = *key}, now);
  }
  if (leg.mix != nullptr) {
    if (key.has_value()) MixKey(leg, *key, now);
    return;
  }
  if (leg.partner != nullptr) return RelayKey(leg, rate, *leg.partner, datagram, view, now);
  counters_.no_peer.Add(1);
}

void MediaThread::Keep(Leg& leg, absl::Span<const uint8_t> datagram, const SocketAddress& from,
                       MonoTime now) {
  if (datagram.size() > kKeptMax) {
    counters_.dropped_short.Add(1);
    return;
  }
  if (pauses_ != 0 && Confidential(leg)) return;
  if (leg.ring == nullptr) leg.ring = std::make_unique<Leg::Ring>();
  Leg::Kept& kept = leg.ring->kept[leg.ring->count++ % leg.ring->kept.size()];
  kept.from = from;
  kept.at = now;
  kept.bytes.assign(datagram.begin(), datagram.end());  // keeps its room
}

}  // namespace outpace::media
