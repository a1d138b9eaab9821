#pragma once

// The three ways SIP travels here (RFC 3261 18), as they are named in URIs.

#include "absl/strings/string_view.h"

namespace outpace::sip {

enum class Transport { kUdp, kTcp, kTls };

inline constexpr int kTransports = 3;

// "udp", "tcp" or "tls": the value of the "transport" parameter and, in upper case, what Via says.
constexpr absl::string_view TransportName(Transport transport) {
  switch (transport) {
    case Transport::kUdp:
      return "udp";
    case Transport::kTcp:
      return "tcp";
    case Transport::kTls:
      return "tls";
  }
  return "";
}

// The port of a URI that names none (RFC 3261 19.1.2).
constexpr int DefaultPort(Transport transport) {
  return transport == Transport::kTls ? 5061 : 5060;
}

}  // namespace outpace::sip
