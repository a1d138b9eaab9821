#include "engine/media/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace outpace::media {
namespace {

static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));

bool UnusableV4(uint32_t ip) { return (ip >> 24) == 0 || (ip >> 24) >= 224; }

uint32_t Read32(const uint8_t* p) {
  return (static_cast<uint32_t>(p[0]) << 24) | (static_cast<uint32_t>(p[1]) << 16) |
         (static_cast<uint32_t>(p[2]) << 8) | p[3];
}

bool AllZero(const uint8_t* first, const uint8_t* last) {
  return std::all_of(first, last, [](uint8_t octet) { return octet == 0; });
}

}  // namespace

IpAddress::IpAddress(const in6_addr& v6) : v6_(true) {
  std::memcpy(bytes_.data(), &v6, bytes_.size());
}

absl::StatusOr<IpAddress> IpAddress::Parse(absl::string_view text) {
  if (text.size() < INET6_ADDRSTRLEN) {
    const std::string copy(text);
    // A NUL inside would end the text early for inet_pton.
    if (copy.find('\0') == std::string::npos) {
      in_addr v4{};
      if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) return IpAddress(ntohl(v4.s_addr));
      in6_addr v6{};
      if (inet_pton(AF_INET6, copy.c_str(), &v6) == 1) return IpAddress(v6);
    }
  }
  return absl::InvalidArgumentError("not a numeric IP address");
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN];
  inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof text);
  return text;
}

uint32_t IpAddress::v4() const { return v6_ ? 0 : Read32(bytes_.data()); }

in6_addr IpAddress::ToIn6() const {
  in6_addr out;
  std::memcpy(&out, bytes_.data(), sizeof out);
  return out;
}

bool IpAddress::any() const { return AllZero(bytes_.data(), bytes_.data() + bytes_.size()); }

bool IpAddress::loopback() const {
  if (!v6_) return bytes_[0] == 127;
  return AllZero(bytes_.data(), bytes_.data() + 15) && bytes_[15] == 1;
}

bool IpAddress::link_local() const {
  if (!v6_) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_private() const {
  if (v6_) return (bytes_[0] & 0xfe) == 0xfc;
  return bytes_[0] == 10 || (bytes_[0] == 172 && (bytes_[1] & 0xf0) == 16) ||
         (bytes_[0] == 192 && bytes_[1] == 168) || (bytes_[0] == 100 && (bytes_[1] & 0xc0) == 64);
}

bool IpAddress::unusable() const {
  if (!v6_) return UnusableV4(v4());
  const uint8_t* const p = bytes_.data();
  if (p[0] == 0xff) return true;
  if (loopback()) return false;  // has a rule of its own
  if (AllZero(p, p + 12)) return true;
  if (AllZero(p, p + 10) && p[10] == 0xff && p[11] == 0xff) return true;
  const auto bad_v4 = [](uint32_t ip) { return UnusableV4(ip) || (ip >> 24) == 127; };
  constexpr uint8_t kNat64[12] = {0x00, 0x64, 0xff, 0x9b};  // RFC 6052 2.1
  if (std::equal(kNat64, kNat64 + 12, p)) return bad_v4(Read32(p + 12));
  if (p[0] == 0x20 && p[1] == 0x02) return bad_v4(Read32(p + 2));  // RFC 3056
  return false;
}

SocketAddress::SocketAddress(const MediaAddress& address) : v6_{} {
  if (address.ip.v6()) {
    v6_.sin6_family = AF_INET6;
    v6_.sin6_addr = address.ip.ToIn6();
  } else {
    v4_.sin_family = AF_INET;
    v4_.sin_addr.s_addr = htonl(address.ip.v4());
  }
  set_port(address.port);
}

}  // namespace outpace::media
