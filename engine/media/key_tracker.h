#pragma once

// Which packets of telephone events (RFC 4733) are one key. A key is several packets with the time
// at which it went down; the first and the last ones may be lost, the last comes three times, a
// long one continues under a later time (2.5.1.3), and there are senders that move the time with
// each packet.

#include <cstdint>
#include <optional>

#include "absl/types/span.h"
#include "engine/media/rtp_packet.h"

namespace outpace::media {

class KeyTracker {
 public:
  // A packet's header and payload, whose clock counts `rate` a second. The key ('0'..'9', '*', '#',
  // 'A'..'D') when it went down with it; nothing for its further packets and for what is no key.
  std::optional<char> Take(const RtpHeader& header, int rate, absl::Span<const uint8_t> payload);

 private:
  bool Continues(const RtpHeader& header, int rate, uint8_t code) const;

  bool known_ = false;
  bool ended_ = false;
  uint8_t code_ = 0;
  uint32_t ssrc_ = 0;
  uint32_t timestamp_ = 0;
  uint32_t duration_ = 0;
};

}  // namespace outpace::media
