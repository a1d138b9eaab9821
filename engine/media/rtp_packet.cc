#include "engine/media/rtp_packet.h"

namespace outpace::media {
namespace {

uint16_t Read16(const uint8_t* p) { return static_cast<uint16_t>((p[0] << 8) | p[1]); }
uint32_t Read32(const uint8_t* p) {
  return (static_cast<uint32_t>(Read16(p)) << 16) | Read16(p + 2);
}

}  // namespace

size_t RtpPayloadOffset(absl::Span<const uint8_t> packet) {
  if (packet.size() < kRtpHeaderSize || (packet[0] >> 6) != 2) return 0;
  size_t offset = kRtpHeaderSize + 4u * (packet[0] & 0x0f);
  if ((packet[0] & 0x10) != 0) {  // header extension, RFC 3550 5.3.1
    if (offset + 4 > packet.size()) return 0;
    offset += 4 + 4u * Read16(packet.data() + offset + 2);
  }
  return offset <= packet.size() ? offset : 0;
}

RtpCheck ParseRtp(absl::Span<const uint8_t> datagram, RtpView* view) {
  if (datagram.size() <= kRtpHeaderSize) return RtpCheck::kShort;
  const uint8_t* const p = datagram.data();
  if ((p[0] >> 6) != 2) return RtpCheck::kVersion;

  const size_t offset = RtpPayloadOffset(datagram);
  if (offset == 0) return RtpCheck::kBadLength;
  size_t padding = 0;
  if ((p[0] & 0x20) != 0) {
    padding = p[datagram.size() - 1];
    if (padding == 0) return RtpCheck::kBadLength;
  }
  if (offset + padding > datagram.size()) return RtpCheck::kBadLength;
  if (offset + padding == datagram.size()) return RtpCheck::kShort;

  view->header.payload_type = p[1] & 0x7f;
  view->header.marker = (p[1] & 0x80) != 0;
  view->header.seq = Read16(p + 2);
  view->header.timestamp = Read32(p + 4);
  view->header.ssrc = Read32(p + 8);
  view->payload_offset = offset;
  view->payload_size = datagram.size() - offset - padding;
  return RtpCheck::kOk;
}

}  // namespace outpace::media
