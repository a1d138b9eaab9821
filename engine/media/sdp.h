#pragma once

// The session descriptions we speak: RFC 8866 text under the offer/answer rules of RFC 3264, one
// G.711 audio stream and telephone events, IPv4. A description comes from whoever answers the
// phone, so the parser believes nothing: it bounds every count, reads only digits as numbers,
// resolves no names, and refuses addresses that would make us send audio at a crowd (multicast,
// broadcast), at ourselves or into the machine's own loopback.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/media/g711.h"

namespace outpace::media {

// As RFC 3264 5.1 means it: said by the one who describes itself.
enum class Direction { kSendRecv, kSendOnly, kRecvOnly, kInactive };
// What we must say when the far end says `theirs` (RFC 3264 6.1).
Direction Mirror(Direction theirs);
absl::string_view DirectionName(Direction direction);  // "sendrecv"

inline constexpr uint8_t kOurEventType = 101;  // telephone-event in our offers

// IPv4 address and UDP port in host order.
struct MediaAddress {
  uint32_t ip = 0;
  uint16_t port = 0;
  bool operator==(const MediaAddress&) const = default;
};
// "192.0.2.1" and nothing else; InvalidArgument otherwise.
absl::StatusOr<uint32_t> ParseIpv4(absl::string_view text);
std::string Ipv4ToString(uint32_t ip);

struct SdpCodec {
  Law law = Law::kMu;
  uint8_t payload_type = 0;  // 0 and 8, or the dynamic type the far end gave it
};

// The far end's audio, checked and cut down to what we can use.
struct RemoteMedia {
  MediaAddress address;
  // c=0.0.0.0 (RFC 2543 hold, RFC 3264 8.4): the address is not there; direction is kInactive.
  bool old_style_hold = false;
  Direction direction = Direction::kSendRecv;  // as the far end said it
  std::vector<SdpCodec> codecs;                // common ones in the far end's order; at least one
  uint8_t event_type = 0;                      // its telephone-event payload type, 0 if none
  // Its m= lines in order, for an answer must have as many (RFC 3264 6): media, transport and first
  // format of those we refuse, and which of them is the audio we took.
  struct Line {
    std::string media;
    std::string transport;
    std::string format;
  };
  std::vector<Line> lines;
  size_t audio_line = 0;
};

struct SdpPolicy {
  bool allow_loopback = false;      // only when our own media address is loopback
  bool allow_hold_address = false;  // c=0.0.0.0: only when the far end's address is known already
};

// InvalidArgument when there is no audio we can use: no or bad m=audio, port 0, no G.711, a
// transport other than RTP/AVP, an address that policy refuses. The message never repeats the text.
absl::StatusOr<RemoteMedia> ParseSdp(absl::string_view text, const SdpPolicy& policy);

struct LocalMedia {
  MediaAddress address;     // where we receive
  uint64_t session_id = 0;  // o= line; one number as long as the leg lives
  uint64_t version = 1;     // one more each time the description changes
  Direction direction = Direction::kSendRecv;
};
// Our offer: PCMU, PCMA, telephone-event 101 (0-15), ptime 20.
std::string BuildOffer(const LocalMedia& local);
// Our answer to `remote`: the codecs it has in common with us, in its order.
std::string BuildAnswer(const LocalMedia& local, const RemoteMedia& remote);

}  // namespace outpace::media
