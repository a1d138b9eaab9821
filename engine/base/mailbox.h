#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "engine/base/check.h"

namespace outpace {

// Bounded queue from many senders to one receiver; neither side ever takes a lock or waits.
// Vyukov's bounded queue: each cell carries a sequence number that says whose turn it is.
template <typename T>
class Mailbox {
 public:
  // `capacity` is a power of two, the most messages that can wait.
  explicit Mailbox(size_t capacity) : mask_(capacity - 1), cells_(new Cell[capacity]) {
    OUTPACE_CHECK(capacity >= 2 && (capacity & (capacity - 1)) == 0);
    for (size_t i = 0; i < capacity; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  // Any thread. False when full; `message` is then left as it was.
  bool TryPush(T&& message) {
    size_t position = tail_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[position & mask_];
      const size_t turn = cell.turn.load(std::memory_order_acquire);
      const auto lead = static_cast<ptrdiff_t>(turn) - static_cast<ptrdiff_t>(position);
      if (lead == 0) {
        if (tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
          cell.value.emplace(std::move(message));
          cell.turn.store(position + 1, std::memory_order_release);
          return true;
        }
      } else if (lead < 0) {
        return false;
      } else {
        position = tail_.load(std::memory_order_relaxed);
      }
    }
  }

  // Receiver only. Empty when no message waits.
  std::optional<T> TryPop() {
    Cell& cell = cells_[head_ & mask_];
    if (cell.turn.load(std::memory_order_acquire) != head_ + 1) return std::nullopt;
    std::optional<T> message(std::move(cell.value));
    cell.value.reset();
    cell.turn.store(head_ + mask_ + 1, std::memory_order_release);
    ++head_;
    return message;
  }

 private:
  struct Cell {
    std::atomic<size_t> turn{0};
    std::optional<T> value;
  };
  const size_t mask_;
  std::unique_ptr<Cell[]> cells_;
  alignas(64) std::atomic<size_t> tail_{0};
  alignas(64) size_t head_ = 0;
};

}  // namespace outpace
