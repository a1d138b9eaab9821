#pragma once

// From the name of a trunk to the addresses to try, without the asking: what a peer text means
// (RFC 3263), and in which order SRV targets are tried (RFC 2782). Pure functions.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/base/rng.h"

namespace outpace::resolve {

enum class Transport { kUdp, kTcp, kTls };

// Whatever a name server says, no more addresses than this are tried or kept for one name.
inline constexpr int kTargetsMax = 32;

// A trunk's peer as written.
struct Peer {
  std::string host{};    // lower case, or a numeric address without brackets
  uint16_t port = 0;     // 0: none written
  bool numeric = false;  // nothing to ask
};

// Reads "192.0.2.10", "192.0.2.10:5060", "[2001:db8::1]:5061", "sip.carrier.example" or
// "sip.carrier.example:5060". InvalidArgument says what is wrong.
absl::StatusOr<Peer> ParsePeer(absl::string_view text);

// "_sip._udp.", "_sip._tcp.", "_sips._tcp." (RFC 3263 4.1) and 5060, 5060, 5061.
absl::string_view SrvPrefix(Transport transport);
uint16_t DefaultPort(Transport transport);

// One address to send to.
struct Target {
  std::string address{};  // numeric, without brackets
  bool ipv6 = false;
  uint16_t port = 0;
  std::string host{};     // the name it came from (SRV target, or the peer's host)
  uint16_t priority = 0;  // SRV; lower first
  uint16_t weight = 0;    // SRV; share among hosts of one priority
  // "192.0.2.10:5060", "[2001:db8::1]:5061".
  std::string ToString() const;
  friend bool operator==(const Target&, const Target&) = default;
};

// Puts `targets` in the order to try them: by priority; hosts of one priority drawn by weight
// (RFC 2782); addresses of one host IPv4 first, in random order. Call it again for every call, or
// every minute, and the load falls as the weights ask. The result depends on what is in `targets`
// and on `rng`, not on the order they were in.
void OrderTargets(std::vector<Target>& targets, Rng& rng);

// Keeps at most kTargetsMax: the same ones whatever order they came in, every host its share, the
// best priorities and weights if there are more hosts than that. Sorts.
void CapTargets(std::vector<Target>& targets);

}  // namespace outpace::resolve
