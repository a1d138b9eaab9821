#include "engine/sip/stranger_filter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace outpace::sip {
namespace {

constexpr size_t kPrefix64 = 8;  // bytes of an IPv6 /64

// What is limited as one: an IPv4 address, or all of an IPv6 /64.
StrangerFilter::Address SourceKey(const StrangerFilter::Address& source) {
  if (trace::Endpoint{source, 0}.IsV4()) return source;
  StrangerFilter::Address key{};
  std::copy_n(source.begin(), kPrefix64, key.begin());
  return key;
}

}  // namespace

std::optional<StrangerFilter::Address> AddressOf(absl::string_view host) {
  const std::string text(host);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    return trace::EndpointOf(reinterpret_cast<const sockaddr*>(&v4)).address;
  }
  StrangerFilter::Address v6{};
  if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

bool LooksLikeRequest(absl::string_view datagram) {
  if (datagram.empty() || !absl::ascii_isalpha(static_cast<unsigned char>(datagram[0]))) {
    return false;
  }
  absl::string_view line = datagram.substr(0, datagram.find('\n'));
  if (absl::EndsWith(line, "\r")) line.remove_suffix(1);
  return absl::EndsWithIgnoreCase(line, " SIP/2.0");
}

void StrangerFilter::SetPeers(const std::vector<Address>& peers) {
  peers_.clear();
  peers_.insert(peers.begin(), peers.end());
}

bool StrangerFilter::AdmitStranger(const Address& source, absl::string_view datagram) {
  if (!limits_.answer) {
    ++counters_.dropped;
    return false;
  }
  const MonoTime now = clock_.Mono();
  Slot& slot = Heard(SourceKey(source), now);
  if (slot.banned_until > now) {
    ++counters_.dropped;
    ++counters_.banned;
    return false;
  }
  if (now - slot.window_start >= limits_.window) {
    slot.window_start = now;
    slot.requests = 0;
  }
  // Whatever it sends counts: garbage is no cheaper way to keep us busy than requests are.
  if (++slot.requests > limits_.requests_max) {
    slot.banned_until = now + limits_.ban;
    ++counters_.bans;
    ++counters_.banned;
    ++counters_.dropped;
    return false;
  }
  if (!LooksLikeRequest(datagram) || !AllowedByAll(now)) {
    ++counters_.dropped;
    return false;
  }
  ++counters_.answered;
  return true;
}

bool StrangerFilter::AllowedByAll(MonoTime now) {
  if (now - second_start_ >= absl::Seconds(1)) {
    second_start_ = now;
    this_second_ = 0;
  }
  return ++this_second_ <= limits_.all_sources_per_second;
}

StrangerFilter::Slot& StrangerFilter::Heard(const Key& key, MonoTime now) {
  const auto it = by_key_.find(key);
  uint32_t index = 0;
  if (it != by_key_.end()) {
    index = it->second;
    Unlink(index);
  } else {
    if (slots_.size() < limits_.sources_max) {
      index = static_cast<uint32_t>(slots_.size());
      slots_.emplace_back();
    } else {
      index = oldest_;
      Unlink(index);
      by_key_.erase(slots_[index].key);
    }
    slots_[index] = Slot{key, now, MonoTime(), 0, kNone, kNone};
    by_key_.emplace(key, index);
  }
  PushFront(index);
  return slots_[index];
}

void StrangerFilter::Unlink(uint32_t index) {
  const Slot& slot = slots_[index];
  (slot.newer == kNone ? newest_ : slots_[slot.newer].older) = slot.older;
  (slot.older == kNone ? oldest_ : slots_[slot.older].newer) = slot.newer;
}

void StrangerFilter::PushFront(uint32_t index) {
  slots_[index].newer = kNone;
  slots_[index].older = newest_;
  (newest_ == kNone ? oldest_ : slots_[newest_].newer) = index;
  newest_ = index;
}

}  // namespace outpace::sip
