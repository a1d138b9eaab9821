#pragma once

// An address of either family, and where packets go to and come from. An SDP names the first; the
// kernel speaks the second. Both are small values without a heap, and comparing two IPv4 socket
// addresses, which happens for each packet, is one comparison of eight octets.

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace outpace::media {

class IpAddress {
 public:
  constexpr IpAddress() = default;  // 0.0.0.0
  // IPv4 in host order; implicit, for an address written as a number is IPv4.
  constexpr IpAddress(uint32_t v4)  // NOLINT(google-explicit-constructor)
      : bytes_{static_cast<uint8_t>(v4 >> 24), static_cast<uint8_t>(v4 >> 16),
               static_cast<uint8_t>(v4 >> 8), static_cast<uint8_t>(v4)} {}
  explicit IpAddress(const in6_addr& v6);

  // Four decimal numbers, or IPv6 (RFC 4291 2.2) without brackets and zone; InvalidArgument
  // otherwise. Names are never resolved.
  static absl::StatusOr<IpAddress> Parse(absl::string_view text);
  std::string ToString() const;  // IPv6 as RFC 5952

  bool v6() const { return v6_; }
  // Host order; 0 for IPv6.
  uint32_t v4() const;
  in6_addr ToIn6() const;
  bool any() const;  // 0.0.0.0 or ::
  bool loopback() const;
  bool link_local() const;  // 169.254/16, fe80::/10
  // What only its own network can reach: 10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7.
  bool is_private() const;
  // An address at which no single phone can be: 0/8, multicast, reserved and broadcast; in IPv6
  // multicast, ::, IPv4 in disguise (::ffff:0:0/96 and ::/96), and NAT64 or 6to4 forms of such an
  // IPv4 address.
  bool unusable() const;

  bool operator==(const IpAddress&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& ip) {
    return H::combine(std::move(h), ip.bytes_, ip.v6_);
  }

 private:
  std::array<uint8_t, 16> bytes_{};  // network order; IPv4 in the first four
  bool v6_ = false;
};

// Address and UDP port in host order.
struct MediaAddress {
  IpAddress ip;
  uint16_t port = 0;
  bool operator==(const MediaAddress&) const = default;
};

// What recvfrom() fills and sendto() takes.
class SocketAddress {
 public:
  SocketAddress() : v6_{} {}
  explicit SocketAddress(const MediaAddress& address);

  // For recvfrom(): the room, whatever the family.
  sockaddr* raw() { return &base_; }
  const sockaddr* raw() const { return &base_; }
  static constexpr socklen_t kRoom = sizeof(sockaddr_in6);
  // For bind() and sendto(): what the family needs.
  socklen_t size() const { return v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in); }
  bool v6() const { return base_.sa_family == AF_INET6; }
  IpAddress ip() const {
    return v6() ? IpAddress(v6_.sin6_addr) : IpAddress(ntohl(v4_.sin_addr.s_addr));
  }
  // Host order; in both families the port lies at the same place.
  uint16_t port() const { return ntohs(v4_.sin_port); }
  void set_port(uint16_t port) { v4_.sin_port = htons(port); }

  // Same family, address and port. Flow label and scope do not count.
  bool Same(const SocketAddress& other) const {
    uint64_t a, b;  // family, port and IPv4 address, or the first half of IPv6's
    std::memcpy(&a, &v4_, sizeof a);
    std::memcpy(&b, &other.v4_, sizeof b);
    if (!v6()) return a == b;
    return base_.sa_family == other.base_.sa_family && v6_.sin6_port == other.v6_.sin6_port &&
           std::memcmp(&v6_.sin6_addr, &other.v6_.sin6_addr, sizeof v6_.sin6_addr) == 0;
  }

 private:
  union {
    sockaddr base_;
    sockaddr_in v4_;
    sockaddr_in6 v6_;
  };
};

}  // namespace outpace::media
