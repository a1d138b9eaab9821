#pragma once

// Reads the answers we ask for out of a DNS message (RFC 1035 4, RFC 2782). c-ares brings the
// message; its own readers give no TTL for SRV, and the TTL is what the cache lives by.
// Whatever the bytes are, this ends, allocates no more than a few times the message, and never
// reads outside it.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace outpace::resolve {

struct DnsAnswer {
  struct Srv {
    uint16_t priority = 0, weight = 0, port = 0;
    std::string target{};  // lower case, without the last dot; empty: "." (no such service)
  };
  struct Address {
    bool ipv6 = false;
    std::string text{};  // numeric
  };
  int rcode = 0;
  std::vector<Srv> srv{};
  std::vector<Address> addresses{};
  // Least TTL of the answer section, seconds; aliases (CNAME) count. 0 if there is no answer.
  uint32_t ttl = 0;
  // How long "there is none" may be believed (RFC 2308 5): of the SOA in the authority section.
  std::optional<uint32_t> negative_ttl{};
};

// InvalidArgument: the message is damaged. Records that cannot be used (a target that is no host
// name, port 0, the unspecified or a multicast address) are left out.
absl::StatusOr<DnsAnswer> ParseDnsAnswer(absl::Span<const uint8_t> message);

}  // namespace outpace::resolve
