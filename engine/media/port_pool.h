#pragma once

// The UDP ports that legs use, bound at start: when a call is answered, nothing is left that can
// fail or take time. Several addresses of the machine make several ranges of the same numbers.
//
// With RTCP sockets, RTP is on the even port and RTCP on the odd one after it (RFC 3550 11); the
// odd one is bound so that nobody else gets it and reports have a source. Without them a leg takes
// one port and one descriptor: 20,000 legs then fit one address with room to spare.

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/media/ip_address.h"

namespace outpace::media {

struct PortPair {
  int rtp_fd = -1;
  int rtcp_fd = -1;  // -1: the pool has no RTCP sockets
  uint16_t rtp_port = 0;
  uint16_t address = 0;  // index into Options::addresses
};

class PortPool {
 public:
  struct Options {
    std::vector<IpAddress> addresses;  // at least one; 0.0.0.0 or :: for all of the family
    int pairs = 0;                     // in all; at least one for each address
    // Even with RTCP sockets: the first port on each address, the others follow. 0: the kernel
    // chooses.
    uint16_t first_port = 0;
    int dscp = 46;  // EF (RFC 3246); 0..63
    bool rtcp_sockets = true;
  };
  // Binds all pairs or none. InvalidArgument for options that cannot be; Unavailable names the port
  // that is taken; ResourceExhausted when descriptors run out. Messages say what to change.
  static absl::StatusOr<PortPool> Bind(const Options& options);

  PortPool() = default;
  PortPool(PortPool&& other) noexcept : pairs_(std::move(other.pairs_)) { other.pairs_.clear(); }
  PortPool& operator=(PortPool&& other) noexcept {
    pairs_.swap(other.pairs_);
    return *this;
  }
  ~PortPool();  // closes the sockets

  // Those of the first address, then those of the second, and so on.
  const std::vector<PortPair>& pairs() const { return pairs_; }

 private:
  std::vector<PortPair> pairs_;
};

// Makes room for the descriptors of `pairs` legs and for all else the process opens: raises
// RLIMIT_NOFILE as far as it may (to the hard limit; beyond it with CAP_SYS_RESOURCE). The new
// limit if it was raised, 0 if it was high enough. ResourceExhausted with both numbers and the
// remedy when not even the legs fit.
absl::StatusOr<uint64_t> EnsureDescriptors(int pairs, bool rtcp_sockets);

}  // namespace outpace::media
