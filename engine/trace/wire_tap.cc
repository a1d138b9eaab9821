#include "engine/trace/wire_tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace outpace::trace {
namespace {

constexpr std::array<uint8_t, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool Endpoint::IsV4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), address.begin());
}

std::string Endpoint::ToString() const {
  char text[INET6_ADDRSTRLEN] = "?";
  if (IsV4()) {
    inet_ntop(AF_INET, address.data() + kV4Prefix.size(), text, sizeof text);
    return absl::StrCat(text, ":", port);
  }
  inet_ntop(AF_INET6, address.data(), text, sizeof text);
  return absl::StrCat("[", text, "]:", port);
}

Endpoint EndpointOf(const sockaddr* address) {
  Endpoint endpoint;
  if (address == nullptr) return endpoint;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    std::copy(kV4Prefix.begin(), kV4Prefix.end(), endpoint.address.begin());
    std::memcpy(endpoint.address.data() + kV4Prefix.size(), &v4.sin_addr, sizeof v4.sin_addr);
    endpoint.port = ntohs(v4.sin_port);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    std::memcpy(endpoint.address.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    endpoint.port = ntohs(v6.sin6_port);
  }
  return endpoint;
}

}  // namespace outpace::trace
