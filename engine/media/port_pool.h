#pragma once

// The UDP ports that legs use, bound at start: when a call is answered, nothing is left that can
// fail or take time. RTP on the even port, RTCP on the odd one after it (RFC 3550 11); the odd one
// is bound so that nobody else gets it and reports have a source.

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace outpace::media {

struct PortPair {
  int rtp_fd = -1;
  int rtcp_fd = -1;
  uint16_t rtp_port = 0;  // even
};

class PortPool {
 public:
  struct Options {
    uint32_t ip = 0;  // host order; 0 for all addresses
    int pairs = 0;    // >= 1
    uint16_t first_port =
        0;          // even: first_port .. first_port + 2 * pairs - 1; 0: the kernel chooses
    int dscp = 46;  // EF (RFC 3246); 0..63
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

  const std::vector<PortPair>& pairs() const { return pairs_; }

 private:
  std::vector<PortPair> pairs_;
};

}  // namespace outpace::media
