// A packet's way out. Of bridged legs twelve octets of header are rewritten in the buffer that the
// packet was read into, and it leaves by one system call: no oRTP, no copy, no allocation. Keys
// (RFC 4733) and frames of our own go through the leg's oRTP session.

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/base/check.h"
#include "engine/media/media_leg.h"
#include "engine/media/media_thread.h"

namespace outpace::media {
namespace {

void Write16(uint8_t* p, uint32_t value) {
  p[0] = static_cast<uint8_t>(value >> 8);
  p[1] = static_cast<uint8_t>(value);
}
void Write32(uint8_t* p, uint32_t value) {
  Write16(p, value >> 16);
  Write16(p + 2, value);
}

uint32_t TicksOf(codec::Codec codec, absl::Span<const uint8_t> payload) {
  if (codec::IsG711(codec)) return static_cast<uint32_t>(payload.size());
  return static_cast<uint32_t>(codec::TicksIn(codec, payload));
}

}  // namespace

bool MediaThread::Hears(const Leg& to, bool key) {
  if (to.Listens() && !to.Occupied() && (!key || to.event_type != 0)) return true;
  counters_.no_peer.Add(1);
  return false;
}

void MediaThread::CountSent(Leg& to, bool sent, size_t octets, const Stamp* audio, MonoTime now) {
  if (!sent) {
    counters_.sends_failed.Add(1);
    return;
  }
  counters_.packets_out.Add(1);
  ++to.sent.packets;
  to.sent.octets += static_cast<uint32_t>(octets);
  if (audio == nullptr) return;
  to.sent.timestamp = audio->timestamp;
  to.sent.at = now;
}

void MediaThread::SendRaw(Leg& to, absl::Span<uint8_t> payload, const Stamp& stamp,
                          uint8_t payload_type, MonoTime now) {
  if (to.recording != nullptr) RecordSent(to, stamp, payload, now);
  CountSent(to, SendPacket(to, payload, stamp, payload_type), payload.size(), &stamp, now);
}

bool MediaThread::SendPacket(Leg& to, absl::Span<uint8_t> payload, const Stamp& stamp,
                             uint8_t payload_type) {
  uint8_t* const head = payload.data() - kRtpHeaderSize;
  size_t size = kRtpHeaderSize + payload.size();
  head[0] = 0x80;
  head[1] = static_cast<uint8_t>((stamp.marker ? 0x80 : 0) | (payload_type & 0x7f));
  Write16(head + 2, stamp.seq);
  Write32(head + 4, stamp.timestamp);
  Write32(head + 8, to.ssrc);
  if (to.sender != nullptr) {
    size = to.sender->Protect({head, size + kSrtpTrailerMax}, size, kRtpHeaderSize);
  }
  // Protect's 0: this sequence number was used, and a second payload under it would give both away.
  return size != 0 && sendto(pool_.pairs()[to.port].rtp_fd, head, size, MSG_DONTWAIT | MSG_NOSIGNAL,
                             to.remote.raw(), to.remote.size()) >= 0;
}

void MediaThread::SendFrame(Leg& to, absl::Span<const uint8_t> payload, const Stamp& stamp,
                            MonoTime now) {
  if (to.recording != nullptr) RecordSent(to, stamp, payload, now);
  const bool sent = Session(to).SendFrame(payload, stamp, to.codec.payload_type);
  CountSent(to, sent, payload.size(), &stamp, now);
}

void MediaThread::Relay(Leg& from, codec::Codec codec, Leg& to, absl::Span<uint8_t> datagram,
                        const RtpView& view, MonoTime now) {
  if (!Hears(to, /*key=*/false)) return;
  const absl::Span<uint8_t> payload = datagram.subspan(view.payload_offset, view.payload_size);
  if (from.silenced() && Hush(codec, to, payload, view.header, from, now)) return;
  if (to.under != nullptr) {
    to.under->Put(codec, view.header, payload, now);
    return;
  }
  if (codec != to.codec.codec) {
    if (!codec::IsG711(codec) || !codec::IsG711(to.codec.codec)) {
      return Transcode(from, codec, to, view.header, payload, now);
    }
    codec::Transcode(codec::LawOf(codec), codec::LawOf(to.codec.codec), payload);
  }
  const Stamp stamp = to.out.Relay(from.serial, view.header, TicksOf(codec, payload),
                                   /*event=*/false, now);
  to.own_audio = false;
  SendRaw(to, payload, stamp, to.codec.payload_type, now);
}

// True when it took the packet's place.
bool MediaThread::Hush(codec::Codec codec, Leg& to, absl::Span<uint8_t> payload,
                       const RtpHeader& header, Leg& from, MonoTime now) {
  if (codec::IsG711(codec)) {
    std::memset(payload.data(), codec::SilenceOf(codec::LawOf(codec)), payload.size());
    return false;
  }
  if (to.under != nullptr) return true;
  uint8_t room[kRtpHeaderSize + kRtpDatagramMax + kSrtpTrailerMax];
  const codec::Codec out = to.codec.codec;
  const absl::Span<const uint8_t> silence = SilentPayload(out);
  std::copy(silence.begin(), silence.end(), room + kRtpHeaderSize);
  RtpHeader silent = header;
  silent.timestamp =
      RescaleTicks(header.timestamp, codec::InfoOf(codec).rtp_rate, codec::InfoOf(out).rtp_rate);
  const Stamp stamp =
      to.out.Relay(from.serial, silent, TicksOf(out, silence), /*event=*/false, now);
  to.own_audio = false;
  SendRaw(to, {room + kRtpHeaderSize, silence.size()}, stamp, to.codec.payload_type, now);
  return true;
}

void MediaThread::RelayKey(Leg& from, int rate, Leg& to, absl::Span<uint8_t> datagram,
                           const RtpView& view, MonoTime now) {
  if (from.silenced() || !Hears(to, /*key=*/true)) return;
  const auto rescale = [&](RtpHeader header, absl::Span<uint8_t> payload) {
    if (rate == to.event_rate || payload.size() < 4) return header;
    const auto duration = static_cast<uint32_t>(payload[2] << 8 | payload[3]);
    Write16(payload.data() + 2,
            std::min<uint32_t>(0xffff, RescaleTicks(duration, rate, to.event_rate)));
    header.timestamp = RescaleTicks(header.timestamp, rate, to.event_rate);
    return header;
  };
  if (pauses_ != 0 && Confidential(from)) {
    // Not through oRTP: its blocks would keep the key.
    const auto payload = datagram.subspan(view.payload_offset, view.payload_size);
    const RtpHeader header = rescale(view.header, payload);
    const Stamp stamp = to.out.Relay(from.serial, header, 0, /*event=*/true, now);
    return CountSent(to, SendPacket(to, payload, stamp, to.event_type), payload.size(), nullptr,
                     now);
  }
  std::optional<RtpPacket> packet = Session(from).Receive(datagram, view);
  if (!packet.has_value() || !packet->event()) {
    counters_.dropped_by_ortp.Add(1);
    return;
  }
  const size_t octets = packet->payload().size();
  const RtpHeader header = rescale(packet->header(), packet->payload());
  const Stamp stamp = to.out.Relay(from.serial, header, 0, /*event=*/true, now);
  const bool sent = Session(to).Send(*std::move(packet), stamp, to.event_type);
  CountSent(to, sent, octets, nullptr, now);
}

void MediaThread::FlushPreroll(Leg& from, Leg& to, MonoTime now) {
  const std::unique_ptr<Leg::Ring> ring = std::move(from.ring);
  if (ring == nullptr) return;
  const size_t most = std::min(ring->kept.size(), static_cast<size_t>(config_.preroll_packets));
  for (size_t i = ring->count - std::min(ring->count, most); i < ring->count; ++i) {
    Leg::Kept& kept = ring->kept[i % ring->kept.size()];
    // Older audio is not the start of what is being said now.
    if (now - kept.at > config_.preroll_age_max) continue;
    const size_t size = kept.bytes.size();
    kept.bytes.resize(size + kSrtpTrailerMax);
    const absl::Span<uint8_t> datagram = absl::MakeSpan(kept.bytes).first(size);
    RtpView view;
    OUTPACE_CHECK(ParseRtp(datagram, &view) == RtpCheck::kOk);  // it was when it was kept
    if (const std::optional<codec::Codec> codec = from.CodecOf(view.header.payload_type)) {
      Relay(from, *codec, to, datagram, view, now);
    }
  }
}

void MediaThread::SendReport(Leg& leg, MonoTime now) {
  const PortPair& pair = pool_.pairs()[leg.port];
  const int fd = config_.rtcp == RtcpMode::kMux ? pair.rtp_fd : pair.rtcp_fd;
  if (config_.rtcp == RtcpMode::kOff || fd < 0 || leg.rtcp_port == 0) return;
  uint8_t room[kReportMax + kSrtcpTrailerMax];
  const ReportHead head{.ssrc = leg.ssrc,
                        .rate = static_cast<uint32_t>(codec::InfoOf(leg.codec.codec).rtp_rate),
                        .now = now,
                        .wall = clock_.Wall()};
  size_t size = BuildReport(head, leg.sent, leg.received, room);
  if (leg.sender != nullptr) size = leg.sender->ProtectReport(room, size);
  SocketAddress to = leg.remote;
  to.set_port(leg.rtcp_port);
  // A report that cannot be sent now is not missed.
  (void)sendto(fd, room, size, MSG_DONTWAIT | MSG_NOSIGNAL, to.raw(), to.size());
}

}  // namespace outpace::media
