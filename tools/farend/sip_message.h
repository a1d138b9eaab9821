#pragma once

// SIP messages as text (RFC 3261 7). The parser takes what is on the wire and is not picky: compact
// names, folded lines, bare LF, spaces before the colon. Whatever the bytes, it neither crashes nor
// allocates more than a small multiple of its input. The far end has its own parser so that a
// mistake in the engine's SIP stack cannot hide behind the same mistake here.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::farend {

struct SipHeader {
  std::string name;   // long form with the usual capitals for known names: "Call-ID"
  std::string value;  // unfolded, trimmed
};

struct SipMessage {
  std::string method;  // request: "INVITE"
  std::string uri;     // request: the Request-URI
  int status = 0;      // response: 100..699; 0 marks a request
  std::string phrase;
  std::vector<SipHeader> headers;  // in order
  std::string body;

  bool is_request() const { return status == 0; }
  // The value of the first header of that name (case does not matter); "" if there is none.
  absl::string_view Get(absl::string_view name) const;
  bool Has(absl::string_view name) const;
  // All values of a list header, in order, commas split (RFC 3261 7.3.1).
  std::vector<absl::string_view> List(absl::string_view name) const;
  SipMessage& Add(absl::string_view name, absl::string_view value);
  // The bytes to send; writes Content-Length itself.
  std::string Serialize() const;
};

// InvalidArgument says which part is wrong; nothing of the message itself is quoted.
absl::StatusOr<SipMessage> ParseSip(absl::string_view datagram);

// "sip:user;x@host:port;params?headers" or "tel:+1...". Parts are as written, not decoded.
struct SipUri {
  std::string scheme;  // lower case
  std::string user;
  std::string host;
  uint16_t port = 0;   // 0: not given
  std::string params;  // from the first ';' on, without it
};
absl::StatusOr<SipUri> ParseUri(absl::string_view text);

// From, To, Contact, Route and the like: `"Name" <uri>;params` or `uri;params`.
struct NameAddr {
  std::string uri;
  std::string params;  // of the header, from the first ';' on, without it
};
absl::StatusOr<NameAddr> ParseNameAddr(absl::string_view value);

struct Via {
  std::string host;
  uint16_t port = 0;  // 0: not given, 5060 is meant
  std::string branch;
  bool rport = false;  // RFC 3581
};
absl::StatusOr<Via> ParseVia(absl::string_view value);

struct CSeq {
  uint32_t number = 0;
  std::string method;
};
absl::StatusOr<CSeq> ParseCSeq(absl::string_view value);

// The value of `name` in "a=b;c;d=\"e\"". `found` (may be null) tells an absent from an empty one.
std::string Param(absl::string_view params, absl::string_view name, bool* found = nullptr);

// The Q.850 cause of a Reason header (RFC 3326); 0 if there is none.
int Q850Cause(const SipMessage& message);

// "+1 (202) 555-0100" or "12025550100;phone-context=..." -> "12025550100".
std::string DigitsOf(absl::string_view user);

// What the far end needs of a session description (RFC 4566): where to send audio, and in which
// codec.
struct Sdp {
  std::string address;        // c= of the audio stream, or of the session
  uint16_t port = 0;          // 0: no audio, or refused
  std::vector<int> payloads;  // in the offer's order
  int telephone_event = -1;   // payload type of RFC 4733 events, -1 if not offered
  bool sends = true;          // the peer will send audio: not recvonly or inactive
  bool receives = true;       // the peer wants audio: not sendonly or inactive
};
absl::StatusOr<Sdp> ParseSdp(absl::string_view body);
// PCMU (0) or PCMA (8), whichever the peer named first; -1 if neither.
int ChooseCodec(const Sdp& sdp);
// Our session: audio at `address`:`port` in `codec`, answering `peer`'s direction and its events.
std::string BuildSdp(absl::string_view address, uint16_t port, int codec, const Sdp& peer,
                     uint64_t session_version);

}  // namespace outpace::farend
