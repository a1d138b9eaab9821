// Post() from many threads at once, against a loop on a real thread: the one place where a shard
// meets more than one. Run under TSan it also shows that nothing else is shared.

#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/call/call_shard.h"
#include "tests/fakes/fake_call.h"

namespace outpace::call {
namespace {

// Tasks only: nothing in this test arms a timer.
class ThreadLoop final : public Loop {
 public:
  explicit ThreadLoop(size_t capacity) : capacity_(capacity), thread_([this] { Run(); }) {}
  ~ThreadLoop() override { Stop(); }
  // Runs what is queued, then ends the thread.
  void Stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  const Clock& clock() const override { return clock_; }
  [[nodiscard]] bool Post(Task task) override {
    {
      const std::lock_guard lock(mutex_);
      if (tasks_.size() >= capacity_) return false;
      tasks_.push_back(std::move(task));
    }
    wake_.notify_one();
    return true;
  }
  TimerId After(absl::Duration, Task) override { return 1; }
  void Cancel(TimerId) override {}

 private:
  class StillClock final : public Clock {
   public:
    MonoTime Mono() const override { return MonoTime(1); }
    absl::Time Wall() const override { return absl::UnixEpoch(); }
  };
  void Run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }
  const size_t capacity_;
  StillClock clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

TEST(CallShardThreads, EveryMessageTakenIsHandledOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 50'000;
  fakes::Trail trail;
  fakes::FakeSignaling signaling(trail);
  fakes::FakeMediaPlane media(trail);
  fakes::FakeJournal journal(trail);
  fakes::RecordingSink sink(trail);
  NullLog log;
  ThreadLoop loop(16);
  ShardOptions options;
  options.legs_max = 4;
  options.mailbox_capacity = 256;
  CallShard shard(options, loop, signaling, media, journal, sink, log);

  std::vector<std::thread> senders;
  for (int t = 0; t < kThreads; ++t) {
    senders.emplace_back([&shard] {
      for (int i = 0; i < kEach; ++i) {
        // A leg that is not there: counted as stale by the shard's thread.
        while (!shard.Post(HangUp{.leg = {0, 1, 1}}).ok()) std::this_thread::yield();
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  loop.Stop();
  EXPECT_EQ(shard.stats().stale, uint64_t{kThreads} * kEach);
  EXPECT_EQ(shard.stats().wakes_lost, 0u);
}

}  // namespace
}  // namespace outpace::call
