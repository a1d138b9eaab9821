#pragma once

// The session descriptions we speak: RFC 8866 text under the offer/answer rules of RFC 3264, one
// audio stream (PCMU, PCMA, G.722, Opus) and telephone events, IPv4 or IPv6, in the clear or with
// SRTP by SDES. A
// description comes from whoever answers the phone, so the parser believes nothing: it bounds every
// count, reads only digits as numbers, resolves no names, and refuses addresses that would make us
// send audio at a crowd (multicast, broadcast), at ourselves or into the machine's own loopback.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/media/ip_address.h"
#include "engine/media/sdes.h"
#include "engine/media/sdp_codec.h"

namespace outpace::media {

// As RFC 3264 5.1 means it: said by the one who describes itself.
enum class Direction { kSendRecv, kSendOnly, kRecvOnly, kInactive };
// What we must say when the far end says `theirs` (RFC 3264 6.1).
Direction Mirror(Direction theirs);
absl::string_view DirectionName(Direction direction);  // "sendrecv"

// The far end's audio, checked and cut down to what we can use.
struct RemoteMedia {
  MediaAddress address;
  // c=0.0.0.0 (RFC 2543 hold, RFC 3264 8.4) or ::; the address is not there; direction is
  // kInactive.
  bool old_style_hold = false;
  Direction direction = Direction::kSendRecv;  // as the far end said it
  // Common ones in the far end's order; 1..kCodecsMax.
  absl::InlinedVector<SdpCodec, 2> codecs;
  // Its telephone-event type that goes with codecs.front(), 0 if none, and the clock of it.
  uint8_t event_type = 0;
  int event_rate = 8000;
  absl::InlinedVector<SdpEvent, 2> events;  // all of them; any may come
  bool comfort_noise = false;               // it may send CN (RFC 3389), if our answer says so too
  // What it wants to receive, in ms of audio a packet (RFC 8866 6.4); 0: it does not say.
  uint8_t ptime_ms = 0;     // 1..200
  uint8_t maxptime_ms = 0;  // 1..200
  bool rtcp_mux = false;    // RFC 5761
  uint16_t rtcp_port = 0;   // a=rtcp (RFC 3605), else the port after RTP's; 0: there is none
  // RTP/SAVP. Then at least one line of `crypto` is there, in the far end's order.
  bool secure = false;
  std::vector<SdesLine> crypto;
  // An answer must have as many m= lines as the offer (RFC 3264 6): our refusals of those before
  // and after the audio we took, as they stand in our answer.
  std::string refused_before;
  std::string refused_after;
};
inline constexpr size_t kCodecsMax = 4;

// RTP/SAVP where it is optional, forbidden or demanded.
enum class Security { kNever, kMay, kMust };

struct SdpPolicy {
  bool allow_loopback = false;      // only when our own media address is loopback
  bool allow_hold_address = false;  // c=0.0.0.0: only when the far end's address is known already
  bool allow_link_local = false;    // only when our own media address is link-local
  bool ipv6 = false;                // the family of our own media address
  Security security = Security::kNever;
  // What is in common is sought among these; not empty. The leg's own offers should say the same.
  CodecList codecs = DefaultCodecs();
};

// InvalidArgument when there is no audio we can use: no or bad m=audio, port 0, no codec of
// the policy's, a
// transport that policy refuses, RTP/SAVP without a usable a=crypto, an address that policy
// refuses. The message never repeats the text. Of several audio lines the first encrypted one is
// taken if policy allows it, else the first.
absl::StatusOr<RemoteMedia> ParseSdp(absl::string_view text, const SdpPolicy& policy);

struct LocalMedia {
  MediaAddress address;     // where we receive
  uint64_t session_id = 0;  // o= line; one number as long as the leg lives
  uint64_t version = 1;     // one more each time the description changes
  Direction direction = Direction::kSendRecv;
  bool rtcp_mux = false;  // we take RTCP on the RTP port: offered, and answered where offered
  // RTCP goes to the RTP port whatever the far end thinks of mux (RFC 3605 names it), because the
  // port after it may be another leg's.
  bool no_rtcp_port = false;
  // Not empty: RTP/SAVP with these lines; one in an answer.
  absl::Span<const SdesLine> crypto = {};
  // Of our offers, the best first; not empty. Answers take what ParseSdp found in common.
  CodecList codecs = DefaultCodecs();
  // CN (RFC 3389) is offered, and answered where offered: only for a leg whose packets are decoded.
  bool comfort_noise = false;
};
// Our offer: the codecs in their order, telephone-event 101 (0-15) and, with Opus, 110 for its
// clock; ptime 20.
std::string BuildOffer(const LocalMedia& local);
// Our answer to `remote`: the codecs it has in common with us, in its order.
std::string BuildAnswer(const LocalMedia& local, const RemoteMedia& remote);

// Milliseconds of audio in a packet of ours for a far end that says `ptime_ms` and `maxptime_ms`
// (0: not said): 20, or what it asks for in tens of milliseconds, 10..60.
int PacketMilliseconds(int ptime_ms, int maxptime_ms);
// Likewise for packets of `codec`: Opus has no frames of 30 and 50 ms, and takes the next shorter.
int PacketMilliseconds(codec::Codec codec, int ptime_ms, int maxptime_ms);

}  // namespace outpace::media
