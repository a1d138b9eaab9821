#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/ids.h"
#include "engine/runtime/call_audio.h"

namespace outpace::runtime {

// A call that a trunk offered us: the shard's name of it, until this engine ends.
using InboundId = StrongId<struct InboundTag>;

// Hands out the legs of one call shard. A slot goes back with LegFreed and comes out again with the
// next generation, so what arrives late for the old leg finds nobody.
class LegSlots {
 public:
  // What a leg belongs to: an attempt at a lead, an agent's line, a call from outside, or
  // somebody who listens in.
  using Owner = std::variant<std::monostate, AttemptId, AgentId, InboundId, MonitorId>;

  LegSlots(uint16_t shard, uint32_t count) : shard_(shard), slots_(count) {
    for (uint32_t i = count; i > 0; --i) free_.push_back(i - 1);
  }
  size_t free() const { return free_.size(); }
  size_t busy() const { return slots_.size() - free_.size(); }

  // An invalid id when all are in use.
  LegId Take(Owner owner) {
    if (free_.empty()) return LegId{};
    const uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    slot.owner = std::move(owner);
    slot.taken = true;
    return LegId{shard_, index, ++slot.generation};
  }
  // Nobody (monostate) when the id is stale.
  const Owner& OwnerOf(LegId leg) const {
    static const Owner kNobody;
    return Known(leg) ? slots_[leg.index].owner : kNobody;
  }
  // The leg changes hands; nothing when the id is stale.
  void Give(LegId leg, Owner owner) {
    if (Known(leg)) slots_[leg.index].owner = std::move(owner);
  }
  void Disown(LegId leg) {
    if (Known(leg)) slots_[leg.index].owner = std::monostate();
  }
  void Free(LegId leg) {
    if (!Known(leg)) return;
    slots_[leg.index].owner = std::monostate();
    slots_[leg.index].taken = false;
    free_.push_back(leg.index);
  }

 private:
  struct Slot {
    uint32_t generation = 0;
    bool taken = false;
    Owner owner;
  };
  bool Known(LegId leg) const {
    return leg.index < slots_.size() && slots_[leg.index].taken &&
           slots_[leg.index].generation == leg.generation;
  }
  const uint16_t shard_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace outpace::runtime
