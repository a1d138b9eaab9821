#pragma once

// SIP text without the stack: URIs, tokens, Reason, Retry-After, SDP bodies and the route of a
// request inside a dialog. Pure functions over text from the network, so that hostile input is
// tested without a socket. The rule that runs through all of it: no name is ever resolved here.
// Whatever is not a numeric address is refused or goes to the next hop the operator configured.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/call/signaling.h"
#include "engine/sip/transport.h"

namespace outpace::sip {

// The parts of a SIP URI (RFC 3261 19.1) that decide where a request goes.
struct SipUri {
  std::string scheme;        // "sip" or "sips", lower case
  std::string host;          // as written; an IPv6 address without its brackets
  int port = 0;              // 1..65535; 0: not written
  std::string params;        // from the first ';' on, without it
  bool has_headers = false;  // "?name=value": the stack would put those into our request
  bool HasParam(absl::string_view name) const;
  // Value of a parameter, empty when absent.
  absl::string_view Param(absl::string_view name) const;
};

// InvalidArgument for another scheme, an empty host, a port out of range, or a byte that could end
// the header it will stand in (controls, space, '<', '>', '"'). Messages never hold the URI: it has
// a telephone number in it.
absl::StatusOr<SipUri> ParseSipUri(absl::string_view uri);

// The one way to write a numeric IPv4 or IPv6 address (no brackets); empty for anything else, that
// is: for what would need DNS.
std::string CanonicalHost(absl::string_view host);

// Where a packet goes, and how.
struct Hop {
  std::string host;  // as CanonicalHost() writes it
  int port = 0;      // 1..65535
  Transport transport = Transport::kUdp;
};

// "sip:192.0.2.10:5060", "sip:[2001:db8::1]:5061;transport=tls": the one way to write a next hop.
// Port 0 means the transport's own. `host` is numeric.
std::string HopUri(absl::string_view host, int port, Transport transport = Transport::kUdp);

// A next hop as configured. sip without a transport is UDP (RFC 3263 4.1), sips is TLS.
// InvalidArgument unless the host is numeric, there is no maddr (it would name another host), and
// the transport is one of ours.
absl::StatusOr<Hop> ParseHop(absl::string_view route_uri);
// The same, written by HopUri().
absl::StatusOr<std::string> NumericHop(absl::string_view route_uri);

// Tokens of RFC 3261 25.1: what may stand in a tag, a branch or either half of a Call-ID.
bool IsToken(absl::string_view text);
bool IsCallId(absl::string_view text);

// The Q.850 cause (1..127) of one Reason header value as protocol and cause text; 0 for another
// protocol or a cause out of range (RFC 3326).
int Q850Cause(absl::string_view protocol, absl::string_view cause);

// Seconds of a Retry-After header (RFC 3261 20.33), clamped to 0..5 minutes: a hostile value must
// not close a trunk for a year.
absl::Duration ClampRetryAfter(uint64_t seconds);

// The SDP in a message body: the body itself when `content_type` is application/sdp (or absent, as
// some gateways leave it), the first SDP part of a multipart body (RFC 5621), else empty.
absl::string_view SdpOf(absl::string_view content_type, absl::string_view body);

// Where a request inside a dialog goes (RFC 3261 12.2.1.1).
struct DialogRoute {
  std::string request_uri;
  std::string route_header;  // value of Route, empty for none
  std::string hop;           // numeric URI of the next hop: where the packet goes
};
// A Contact or route that is no sip URI is passed over, and headers in one ("?X=y") are cut off:
// the stack would copy them into our request. `is_peer` says whether a numeric host is one we
// exchange SIP with. A route set or Contact that names any other host, or no number, leads through
// `dialog.next_hop` as outbound proxy: a Contact is written by strangers and must not aim our
// packets. So does one of another transport than the INVITE's: what began under TLS does not go on
// in the clear, and a BYE needs no connection that its dialog did not have.
DialogRoute RouteInDialog(const call::DialogState& dialog,
                          absl::FunctionRef<bool(absl::string_view host)> is_peer);

}  // namespace outpace::sip
