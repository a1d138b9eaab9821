#pragma once

// The far end's own event loop: one thread, epoll, a timer heap and a bounded inbox. It is a Loop,
// so the SIP side runs on virtual time in tests; only sockets need the real thing.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "engine/base/loop.h"
#include "engine/base/mailbox.h"

namespace outpace::farend {

// The machine's clocks. This is a program of its own, so it makes them itself.
class SystemClock final : public Clock {
 public:
  MonoTime Mono() const override;
  absl::Time Wall() const override;
};

class Reactor final : public Loop {
 public:
  Reactor();
  ~Reactor() override;
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  const Clock& clock() const override { return clock_; }
  bool Post(Task task) override;
  TimerId After(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;

  // Calls `on_readable` whenever `fd` can be read (level-triggered). Loop thread, or before Run().
  // The fd stays the caller's: Unwatch it before closing it.
  void Watch(int fd, std::function<void()> on_readable);
  void Unwatch(int fd);
  // Runs after each batch of events and timers: the place to hand on buffered output.
  void OnBatchEnd(std::function<void()> task) { on_batch_end_ = std::move(task); }
  // Handles events until Stop().
  void Run();
  // Waits at most `wait_max` for something to do and does it.
  void RunOnce(absl::Duration wait_max);
  void Stop();  // any thread

 private:
  struct Due {
    MonoTime at;
    TimerId id;
    bool operator>(const Due& other) const {
      return at != other.at ? at > other.at : id > other.id;
    }
  };
  void RunInbox();
  void RunTimers();
  int WaitMillis(absl::Duration wait_max) const;

  SystemClock clock_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  std::atomic<bool> stopped_{false};
  Mailbox<Task> inbox_{4096};
  TimerId next_timer_ = 0;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  absl::flat_hash_map<TimerId, Task> timers_;
  // By fd. Shared, because a handler may unwatch itself while it runs.
  std::vector<std::shared_ptr<std::function<void()>>> watched_;
  std::function<void()> on_batch_end_;
};

}  // namespace outpace::farend
