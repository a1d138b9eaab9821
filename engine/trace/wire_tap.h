#pragma once

// Where the SIP stack shows every message it sends and takes, as it stands on the wire.

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct sockaddr;

namespace outpace::trace {

// An address and port. IPv4 stands as ::ffff:a.b.c.d (RFC 4291 2.5.5.2), so that a source compares
// equal whether it came in on a socket of the one family or the other.
struct Endpoint {
  std::array<uint8_t, 16> address{};  // network order
  uint16_t port = 0;                  // host order

  bool IsV4() const;
  std::string ToString() const;  // "192.0.2.1:5060", "[2001:db8::1]:5060"
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// Of an AF_INET or AF_INET6 address; all zero for another family or null.
Endpoint EndpointOf(const sockaddr* address);

enum class Direction : uint8_t { kIn = 0, kOut = 1 };
enum class WireTransport : uint8_t { kUdp = 0, kTcp = 1, kTls = 2 };

struct TappedMessage {
  absl::Time at;  // wall clock, when it was sent or read
  Direction direction = Direction::kIn;
  WireTransport transport = WireTransport::kUdp;
  Endpoint local;
  Endpoint remote;
  absl::string_view bytes;  // the whole message; valid during the call only
};

class WireTap {
 public:
  virtual ~WireTap() = default;
  // On the SIP thread, once for each message: has to be done in less than a microsecond, without a
  // lock that another thread can hold. Several shards may share one tap: any thread.
  virtual void OnMessage(const TappedMessage& message) = 0;
};

}  // namespace outpace::trace
