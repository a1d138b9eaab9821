#pragma once

// The RTP header (RFC 3550 5.1) as bytes from a stranger. Every length in it is checked here, once,
// before the packet goes near oRTP or a leg: a CSRC count, an extension length or a padding count
// that lies is a dropped and counted packet, never a read past the end.

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace outpace::media {

struct RtpHeader {
  uint8_t payload_type = 0;  // 0..127
  bool marker = false;
  uint16_t seq = 0;
  uint32_t timestamp = 0;  // 1/8000 s for all we relay
  uint32_t ssrc = 0;
};

struct RtpView {
  RtpHeader header;
  size_t payload_offset = 0;  // from the first octet of the datagram
  size_t payload_size = 0;    // octets, without padding; at least 1
};

inline constexpr size_t kRtpHeaderSize = 12;
// The largest datagram we take: an Ethernet frame's worth. G.711 at 20 ms is 172 octets.
inline constexpr size_t kRtpDatagramMax = 1500;

enum class RtpCheck {
  kOk,
  kShort,      // under 12 octets, or no payload
  kVersion,    // not version 2
  kBadLength,  // CSRC count, extension length or padding count beyond the end
};

// Octets of header, contributing sources and extension of `packet`: all that SRTP leaves readable.
// 0 when it is not RTP version 2 or they reach beyond its end.
size_t RtpPayloadOffset(absl::Span<const uint8_t> packet);
// Reads the header of `datagram` into `*view`, which is left as it was unless kOk.
RtpCheck ParseRtp(absl::Span<const uint8_t> datagram, RtpView* view);

}  // namespace outpace::media
