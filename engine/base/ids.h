#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace outpace {

// A number that names one kind of thing: a LeadId cannot be passed where a ListId is meant.
// Zero is "none". Ordered and hashable; cheap to copy.
template <typename Tag>
class StrongId {
 public:
  constexpr StrongId() = default;
  constexpr explicit StrongId(uint64_t value) : value_(value) {}
  constexpr uint64_t value() const { return value_; }
  constexpr bool valid() const { return value_ != 0; }
  friend constexpr auto operator<=>(StrongId, StrongId) = default;
  template <typename H>
  friend H AbslHashValue(H h, StrongId id) {
    return H::combine(std::move(h), id.value_);
  }

 private:
  uint64_t value_ = 0;
};

using LeadId = StrongId<struct LeadTag>;
using ListId = StrongId<struct ListTag>;
// One file that was loaded.
using ImportId = StrongId<struct ImportTag>;
// One try at a lead. Rising, never used twice in the life of a data directory.
using AttemptId = StrongId<struct AttemptTag>;
// Campaigns and agents go by the short names their users gave them (VICIdial: 8 and 20 characters).
using CampaignId = std::string;
using AgentId = std::string;

// One SIP dialog of ours. The controller hands out (shard, index) slots; `generation` rises each
// time a slot is used again, so a message that comes late for an old leg is dropped and counted.
struct LegId {
  uint16_t shard = 0;
  uint32_t index = 0;
  uint32_t generation = 0;  // 0: no leg
  constexpr bool valid() const { return generation != 0; }
  friend constexpr auto operator<=>(const LegId&, const LegId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const LegId& id) {
    return H::combine(std::move(h), id.shard, id.index, id.generation);
  }
};

}  // namespace outpace
