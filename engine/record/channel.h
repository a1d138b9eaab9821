#pragma once

// What a tap and the writer share of one recording, beside the queue of blocks that all taps share.
// Audio may be lost on the way; these may not: the end of the recording is one atomic, and pauses
// and gaps go through a small ring that the tap never lets overflow.

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/base/mailbox.h"
#include "engine/record/block_pool.h"
#include "engine/record/recording.h"

namespace outpace::record {

struct Event {
  enum class Type : uint8_t { kPaused, kResumed, kLost };
  Type type = Type::kPaused;
  int64_t from = 0;
  int64_t to = 0;  // kLost only
};

// One sender, one receiver; neither waits.
class EventRing {
 public:
  static constexpr uint32_t kCapacity = 256;
  // Tap only.
  uint32_t Room() const {
    return kCapacity -
           (put_.load(std::memory_order_relaxed) - taken_.load(std::memory_order_acquire));
  }
  bool Push(const Event& event) {
    if (Room() == 0) return false;
    const uint32_t put = put_.load(std::memory_order_relaxed);
    events_[put % kCapacity] = event;
    put_.store(put + 1, std::memory_order_release);
    return true;
  }
  // Writer only.
  bool Pop(Event& event) {
    const uint32_t taken = taken_.load(std::memory_order_relaxed);
    if (taken == put_.load(std::memory_order_acquire)) return false;
    event = events_[taken % kCapacity];
    taken_.store(taken + 1, std::memory_order_release);
    return true;
  }

 private:
  std::array<Event, kCapacity> events_{};
  std::atomic<uint32_t> put_{0};
  std::atomic<uint32_t> taken_{0};
};

struct Track;

struct Channel {
  static constexpr int64_t kOpen = -1;
  RecordingOrder order;
  std::string name;  // as the pattern has it, with extension
  EventRing events;
  std::atomic<int64_t> ends_at{kOpen};  // set by Close() before its last blocks are pushed
  // Blocks given to the queue. Those of another tap that stands still in the middle of a push hide
  // ours behind them: a recording has ended when as many have come out.
  std::atomic<uint64_t> pushed{0};
  std::atomic<bool> closed{false};  // set after them
  std::atomic<bool> dead{false};    // the writer has gone: the tap keeps nothing
  Track* track = nullptr;           // the writer's
  std::shared_ptr<Channel> self;    // on the way to the writer, who takes it
};

// What outlives both sides: taps may be destroyed after the recorder.
struct Shared {
  Shared(size_t blocks_max, size_t queue_capacity) : pool(blocks_max), queue(queue_capacity) {}
  BlockPool pool;
  Mailbox<uint32_t> queue;  // full blocks; never refuses: it has room for every block there is
  std::atomic<uint64_t> blocks_waiting{0};
  std::atomic<uint64_t> blocks_lost{0};
};

}  // namespace outpace::record
