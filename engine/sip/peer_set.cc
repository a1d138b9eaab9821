#include "engine/sip/peer_set.h"

#include <arpa/inet.h>

#include <algorithm>

#include "engine/sip/sip_text.h"

namespace outpace::sip {

absl::Status PeerSet::Configure(absl::string_view host) {
  std::string canonical = CanonicalHost(host);
  if (canonical.empty()) return absl::InvalidArgumentError("sip: a peer is not a numeric address");
  learned_.erase(canonical);
  configured_.insert(std::move(canonical));
  return absl::OkStatus();
}

bool PeerSet::Learn(absl::string_view host) {
  const std::string canonical = CanonicalHost(host);
  if (canonical.empty() || configured_.contains(canonical)) return false;
  const auto [it, is_new] = learned_.insert_or_assign(canonical, ++uses_);
  if (is_new && learned_.size() > learned_max_) {
    learned_.erase(
        std::min_element(learned_.begin(), learned_.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; }));
  }
  return is_new;
}

bool PeerSet::Contains(absl::string_view host) const {
  const std::string canonical = CanonicalHost(host);
  return configured_.contains(canonical) || learned_.contains(canonical);
}

std::vector<std::string> PeerSet::Hosts() const {
  std::vector<std::string> result(configured_.begin(), configured_.end());
  for (const auto& [host, use] : learned_) result.push_back(host);
  return result;
}

std::vector<uint32_t> PeerSet::Ipv4() const {
  std::vector<uint32_t> result;
  const auto add = [&result](const std::string& host) {
    in_addr address{};
    if (inet_pton(AF_INET, host.c_str(), &address) == 1) result.push_back(ntohl(address.s_addr));
  };
  for (const std::string& host : configured_) add(host);
  for (const auto& [host, use] : learned_) add(host);
  return result;
}

}  // namespace outpace::sip
