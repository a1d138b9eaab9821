#pragma once

// Whom we exchange SIP with, by numeric address. Trunks are configured; agents' phones come and go,
// so the next hop of each INVITE is learned. A phone that changes its address every day must not
// fill the set, so the learned half is bounded: the one not called for longest makes room.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace outpace::sip {

class PeerSet {
 public:
  explicit PeerSet(size_t learned_max) : learned_max_(learned_max) {}
  // InvalidArgument: not a numeric address. Configured peers are never forgotten.
  absl::Status Configure(absl::string_view host);
  // Notes a use of `host`; ignored if it is not numeric. True when the set has changed.
  bool Learn(absl::string_view host);
  bool Contains(absl::string_view host) const;
  size_t size() const { return configured_.size() + learned_.size(); }
  // All members, as CanonicalHost() writes them.
  std::vector<std::string> Hosts() const;
  // The IPv4 members in host byte order, ascending within each half.
  std::vector<uint32_t> Ipv4() const;

 private:
  const size_t learned_max_;
  uint64_t uses_ = 0;
  absl::btree_set<std::string> configured_;
  absl::btree_map<std::string, uint64_t> learned_;  // to the number of its last use
};

}  // namespace outpace::sip
