#pragma once

// Whose datagrams the SIP stack gets to see. A dialer takes SIP from its trunks and its agents'
// phones; everybody else on the Internet is a scanner. Either they are dropped unheard, or they are
// told 403 while they are few: at most 16 requests in 2 s from a source (Kamailio's stock limit),
// then nothing from it is seen or answered for 5 minutes. A source is an IPv4 address or an IPv6
// /64, which one customer commands whole. The table is bounded, and so is what all sources together
// may show, since the source of a datagram is easily made up.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/trace/wire_tap.h"

namespace outpace::sip {

struct StrangerLimits {
  bool answer = false;  // false: nothing of a stranger is let through
  int requests_max = 16;
  absl::Duration window = absl::Seconds(2);
  absl::Duration ban = absl::Seconds(300);
  int all_sources_per_second = 256;  // requests of all strangers together
  uint32_t sources_max = 65'536;     // remembered; the one silent for longest makes room
};

struct StrangerCounters {
  uint64_t answered = 0;  // requests let through
  uint64_t dropped = 0;   // everything else of a stranger
  uint64_t banned = 0;    // of those, for a ban
  uint64_t bans = 0;      // bans begun
};

// One thread.
class StrangerFilter {
 public:
  using Address = std::array<uint8_t, 16>;  // as trace::Endpoint has it
  StrangerFilter(const Clock& clock, const StrangerLimits& limits)
      : clock_(clock), limits_(limits) {}

  // From now on these are no strangers, and all others are.
  void SetPeers(const std::vector<Address>& peers);
  bool IsPeer(const Address& source) const { return peers_.contains(source); }
  // Whether a datagram from `source` is for the stack to see.
  bool Admit(const Address& source, absl::string_view datagram) {
    return IsPeer(source) || AdmitStranger(source, datagram);
  }

  const StrangerCounters& counters() const { return counters_; }
  size_t sources() const { return by_key_.size(); }

 private:
  using Key = std::array<uint8_t, 16>;
  static constexpr uint32_t kNone = 0xffffffff;
  // Slots hang on a list from the one heard of last to the one silent for longest.
  struct Slot {
    Key key{};
    MonoTime window_start;
    MonoTime banned_until;
    int requests = 0;
    uint32_t newer = kNone;
    uint32_t older = kNone;
  };
  bool AdmitStranger(const Address& source, absl::string_view datagram);
  Slot& Heard(const Key& key, MonoTime now);
  void Unlink(uint32_t index);
  void PushFront(uint32_t index);
  bool AllowedByAll(MonoTime now);

  const Clock& clock_;
  const StrangerLimits limits_;
  absl::flat_hash_set<Address> peers_;
  absl::flat_hash_map<Key, uint32_t> by_key_;
  std::vector<Slot> slots_;
  uint32_t newest_ = kNone;
  uint32_t oldest_ = kNone;
  MonoTime second_start_;
  int this_second_ = 0;
  StrangerCounters counters_;
};

// Of a numeric host, "192.0.2.1" or "2001:db8::1", without brackets; nothing for anything else.
std::optional<StrangerFilter::Address> AddressOf(absl::string_view host);

// True if the first line of `datagram` is that of a SIP request.
bool LooksLikeRequest(absl::string_view datagram);

}  // namespace outpace::sip
