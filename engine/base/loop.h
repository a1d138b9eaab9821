#pragma once

#include <cstdint>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"

namespace outpace {

// One thread that runs tasks and timers: each call shard, the controller, the media plane and the
// API own one. In simulation a single virtual-time queue plays all of them, so whoever takes its
// time and its timers from here is deterministic.
class Loop {
 public:
  using Task = absl::AnyInvocable<void()>;
  using TimerId = uint64_t;  // 0: none

  virtual ~Loop() = default;
  virtual const Clock& clock() const = 0;
  // Any thread. Runs `task` on the loop's thread, after those posted before it. False when the
  // bounded queue is full: the task is dropped and the caller counts it; the caller never waits.
  [[nodiscard]] virtual bool Post(Task task) = 0;
  // Loop thread only. Runs `task` once, not before `delay` (>= 0) has passed. Never returns 0.
  virtual TimerId After(absl::Duration delay, Task task) = 0;
  // Loop thread only. Does nothing if the timer has run or was cancelled.
  virtual void Cancel(TimerId timer) = 0;
};

}  // namespace outpace
