#pragma once

// The loop of one call shard: Sofia's su_root, run by one thread, with a bounded mailbox at its
// door. Sofia's objects (the nta agent, its timers and sockets) live on this loop and may only be
// touched from its thread; everything else comes in through Post(). Timers of our own code do not
// use su_timer, which goes by the settable wall clock: they wait on the injected Clock.

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "engine/base/loop.h"
#include "engine/base/mailbox.h"

struct su_root_s;  // Sofia's; its headers stay inside engine/sip

namespace outpace::sip {

class SofiaLoop final : public Loop {
 public:
  // `tasks_max`: posted tasks that may wait; a power of two. Any thread; no su_root yet.
  explicit SofiaLoop(const Clock& clock, size_t tasks_max = 16'384);
  ~SofiaLoop() override;  // not while Run() is under way

  const Clock& clock() const override { return clock_; }
  // May be called before Run() too; the tasks wait for it.
  [[nodiscard]] bool Post(Task task) override;
  TimerId After(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;

  // Makes this thread the loop's: creates the su_root, runs `on_start`, then tasks, timers and
  // sockets until Stop(), then `on_stop`, and destroys the root. What lives on the root (a
  // SofiaSignaling) is created in `on_start` and destroyed in `on_stop`. Tasks and timers that wait
  // when Stop() comes are dropped. Unavailable when the system gives no descriptors. Once only.
  absl::Status Run(Task on_start = nullptr, Task on_stop = nullptr);
  // Any thread, also before Run(), also from a task; does not wait for Run() to return.
  void Stop();

  // Loop thread only, between on_start and on_stop.
  su_root_s* root() const;
  bool OnLoopThread() const;
  // Any thread. Turns of the loop so far: an idle loop makes few.
  uint64_t steps() const { return steps_.load(std::memory_order_relaxed); }

 private:
  struct Due {
    int64_t at = 0;  // nanoseconds of the clock
    TimerId id = 0;
  };
  // Later timers first: std::push_heap keeps the earliest on top.
  static bool Later(const Due& a, const Due& b) { return a.at != b.at ? a.at > b.at : a.id > b.id; }
  void Wake();
  void RunPosted();
  void RunTimers();
  long MillisecondsToNextTimer();  // rounded up; kIdleWait at most
  void DropCancelled();

  const Clock& clock_;
  Mailbox<Task> mailbox_;
  std::atomic<bool> woken_{false};
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> steps_{0};
  std::atomic<std::thread::id> thread_{};
  int event_fd_ = -1;
  su_root_s* root_ = nullptr;
  // While a step waits: when it will end by itself. 0 outside of steps.
  int64_t step_ends_ = 0;
  TimerId next_timer_ = 1;
  std::vector<Due> due_;  // heap; ids no longer in timers_ were cancelled
  absl::flat_hash_map<TimerId, Task> timers_;
};

}  // namespace outpace::sip
