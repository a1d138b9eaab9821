// The loop with a thread of its own. Nothing here depends on how long anything takes: order is
// asked for, and what must not run is shown not to have run by something that was due after it.

#include "engine/runtime/asio_loop.h"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include "engine/runtime/real_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;

class AsioLoopTest : public ::testing::Test {
 protected:
  // Runs `task` on the loop and waits for it.
  template <typename Task>
  void On(AsioLoop& loop, Task task) {
    std::promise<void> done;
    ASSERT_TRUE(loop.Post([&] {
      task();
      done.set_value();
    }));
    done.get_future().wait();
  }
  RealClock clock_;
};

TEST_F(AsioLoopTest, RunsTasksInTheirOrder) {
  AsioLoop loop("test", clock_);
  std::vector<int> ran;
  ASSERT_TRUE(loop.Post([&] { ran.push_back(0); }));  // before the start
  loop.Start();
  for (int i = 1; i < 5000; ++i) ASSERT_TRUE(loop.Post([&ran, i] { ran.push_back(i); }));
  On(loop, [] {});
  ASSERT_EQ(ran.size(), 5000u);
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(ran[static_cast<size_t>(i)], i);
}

TEST_F(AsioLoopTest, KeepsEachSendersOrder) {
  AsioLoop loop("test", clock_);
  loop.Start();
  std::vector<int> last(4, -1);
  bool in_order = true;
  std::vector<std::thread> senders;
  for (size_t s = 0; s < last.size(); ++s) {
    senders.emplace_back([&, s] {
      for (int i = 0; i < 2000; ++i) {
        while (!loop.Post([&, s, i] {
          in_order = in_order && last[s] == i - 1;
          last[s] = i;
        })) {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  On(loop, [] {});
  EXPECT_TRUE(in_order);
  EXPECT_THAT(last, ElementsAre(1999, 1999, 1999, 1999));
}

TEST_F(AsioLoopTest, TimersRunWhenDueAndNotBefore) {
  AsioLoop loop("test", clock_);
  loop.Start();
  std::promise<std::vector<int>> result;
  std::vector<int> ran;
  MonoTime start;
  absl::Duration waited;
  On(loop, [&] {
    start = clock_.Mono();
    loop.After(absl::Milliseconds(30), [&] {
      waited = clock_.Mono() - start;
      ran.push_back(30);
      result.set_value(ran);
    });
    loop.After(absl::Milliseconds(10), [&] { ran.push_back(10); });
    loop.After(absl::ZeroDuration(), [&] { ran.push_back(0); });
  });
  EXPECT_THAT(result.get_future().get(), ElementsAre(0, 10, 30));
  EXPECT_GE(waited, absl::Milliseconds(30));
}

TEST_F(AsioLoopTest, ACancelledTimerNeverRuns) {
  AsioLoop loop("test", clock_);
  loop.Start();
  std::promise<void> later;
  bool ran = false;
  On(loop, [&] {
    const Loop::TimerId timer = loop.After(absl::Milliseconds(5), [&] { ran = true; });
    EXPECT_NE(timer, 0u);
    loop.Cancel(timer);
    loop.Cancel(timer);
    loop.Cancel(0);
    loop.Cancel(999);
    loop.After(absl::Milliseconds(10), [&] { later.set_value(); });
  });
  later.get_future().wait();
  EXPECT_FALSE(ran);
}

// Due already, its handler queued, and cancelled by a task that runs before it.
TEST_F(AsioLoopTest, ATimerThatIsDueCanStillBeCancelled) {
  AsioLoop loop("test", clock_);
  loop.Start();
  std::promise<void> later;
  std::atomic<int> ran{0};
  On(loop, [&] {
    auto second = std::make_shared<Loop::TimerId>();
    const Loop::TimerId first = loop.After(absl::ZeroDuration(), [&, second] {
      ++ran;
      loop.Cancel(*second);
    });
    *second = loop.After(absl::ZeroDuration(), [&] { ++ran; });
    loop.After(absl::Milliseconds(10), [&, first] {
      loop.Cancel(first);  // has run
      later.set_value();
    });
    // Both are due before the loop looks again.
    const MonoTime until = clock_.Mono() + absl::Milliseconds(2);
    while (clock_.Mono() < until) std::this_thread::yield();
  });
  later.get_future().wait();
  EXPECT_EQ(ran, 1);
}

TEST_F(AsioLoopTest, ATimerMaySetTimersAndCancelItself) {
  AsioLoop loop("test", clock_);
  loop.Start();
  std::promise<int> done;
  int count = 0;
  std::function<void()> again = [&] {
    if (++count == 100) return done.set_value(count);
    loop.After(absl::ZeroDuration(), [&] { again(); });
  };
  On(loop, [&] { loop.After(absl::ZeroDuration(), [&] { again(); }); });
  EXPECT_EQ(done.get_future().get(), 100);
}

// A flood of tasks that post themselves again does not starve a timer.
TEST_F(AsioLoopTest, TimersGetTheirTurnUnderAFlood) {
  AsioLoop loop("test", clock_, 4096);
  loop.Start();
  std::atomic<bool> stop{false};
  std::function<void()> flood = [&] {
    if (!stop) (void)loop.Post([&] { flood(); });
  };
  std::promise<void> ran;
  On(loop, [&] {
    for (int i = 0; i < 2000; ++i) flood();
    loop.After(absl::Milliseconds(1), [&] { ran.set_value(); });
  });
  ran.get_future().wait();
  stop = true;
  loop.Stop();  // a task of the flood may be left, and `flood` goes before the loop does
}

TEST_F(AsioLoopTest, AFullQueueRefusesAndNeverWaits) {
  AsioLoop loop("test", clock_, 8);
  std::promise<void> hold;
  std::promise<void> holding;
  std::shared_future<void> held = hold.get_future().share();
  loop.Start();
  ASSERT_TRUE(loop.Post([&] {
    holding.set_value();
    held.wait();
  }));
  holding.get_future().wait();
  int taken = 0;
  std::atomic<int> ran{0};
  while (loop.Post([&] { ++ran; })) ASSERT_LE(++taken, 8);
  EXPECT_EQ(taken, 8);
  EXPECT_FALSE(loop.Post([&] { ++ran; }));
  hold.set_value();
  // Room again, and what was taken has run.
  std::promise<void> done;
  while (!loop.Post([&] { done.set_value(); })) std::this_thread::yield();
  done.get_future().wait();
  EXPECT_EQ(ran, 8);
}

TEST_F(AsioLoopTest, NothingRunsAfterStop) {
  int ran = 0;
  auto token = std::make_shared<int>(1);
  {
    AsioLoop loop("test", clock_);
    loop.Start();
    On(loop, [&] { loop.After(absl::Hours(1), [&ran, token] { ++ran; }); });
    loop.Stop();
    EXPECT_TRUE(loop.Post([&ran, token] { ++ran; }));  // taken, never run
    loop.Stop();
    EXPECT_EQ(token.use_count(), 3);
  }
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(token.use_count(), 1) << "tasks are destroyed with the loop";
  AsioLoop never("never-started", clock_);
  EXPECT_TRUE(never.Post([&] { ++ran; }));
}

}  // namespace
}  // namespace outpace::runtime
