#pragma once

// What TCP and TLS connections are allowed, and what was made of them.

#include <cstdint>

#include "absl/time/time.h"

namespace outpace::sip {

struct StreamLimits {
  int connections_per_peer = 32;  // that the peer opened
  // Our connection, with its TLS, until it is up. Its requests fail then with a local 503.
  absl::Duration connect_max = absl::Seconds(4);
  // A message, and the handshake of a connection to us, from first octet to last.
  absl::Duration message_max = absl::Seconds(10);
  absl::Duration idle_max = absl::Seconds(60);  // peers that are no trunk; a trunk's are kept
};

// Since start. Loop thread.
struct StreamCounters {
  uint64_t refused = 0;     // connections to us from no peer, or one too many: closed at once
  uint64_t timed_out = 0;   // closed for one of the limits above
  uint64_t tls_failed = 0;  // handshakes, either way
};

}  // namespace outpace::sip
