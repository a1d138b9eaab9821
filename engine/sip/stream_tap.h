#pragma once

// Shows a WireTap what goes over TCP and TLS. The stack parses what it reads in place, so a message
// that it delivers is no longer the one on the wire: the octets are taken where they enter and
// leave the stack (su_vrecv and su_vsend, tls_read_buffer and tls_write, which it calls through the
// PLT), and cut into messages here, by Content-Length (RFC 3261 18.3).

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "engine/base/clock.h"
#include "engine/trace/wire_tap.h"

namespace outpace::sip {

// Cuts one direction of one connection into messages.
class MessageCutter {
 public:
  static constexpr size_t kBytesMax = 64 << 10;  // what gets longer is given out in pieces

  // Calls `each` with every message that `bytes` completes.
  void Add(absl::string_view bytes, absl::FunctionRef<void(absl::string_view)> each);

 private:
  std::string buffer_;
};

class StreamTap {
 public:
  // One on a thread, for the stack that runs there. `clock` and `tap` outlive it.
  StreamTap(const Clock& clock, trace::WireTap& tap);
  ~StreamTap();
  StreamTap(const StreamTap&) = delete;
  StreamTap& operator=(const StreamTap&) = delete;

  // The tap of this thread, or null.
  static StreamTap* OfThisThread();
  // A connection of the stack, whichever side opened it. What was known of its descriptor is past.
  void Opened(int fd, bool tls);
  // Octets of the stack, before encryption; of descriptors that were not opened nothing is shown.
  void Octets(int fd, bool tls, trace::Direction direction, absl::string_view octets);

 private:
  struct Connection {
    bool tls = false;
    bool named = false;  // local and remote are known
    trace::Endpoint local, remote;
    MessageCutter in, out;
  };
  const Clock& clock_;
  trace::WireTap& tap_;
  absl::flat_hash_map<int, Connection> connections_;  // by descriptor, until it is used again
};

}  // namespace outpace::sip
