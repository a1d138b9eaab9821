#include "engine/sip/sofia_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>

#include <future>
#include <thread>
#include <vector>

#include "engine/runtime/real_clock.h"
#include "engine/sip/su_duration.h"

namespace outpace::sip {
namespace {

using ::testing::ElementsAre;

TEST(SofiaLoop, RunsPostedTasksInOrderOnItsThread) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock);
  std::vector<int> order;
  std::thread::id ran_on;
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(loop.Post([&order, i] { order.push_back(i); }));
  ASSERT_TRUE(loop.Post([&] {
    ran_on = std::this_thread::get_id();
    EXPECT_TRUE(loop.OnLoopThread());
    loop.Stop();
  }));
  std::thread::id loop_thread;
  bool stopped = false;
  std::thread thread([&] {
    loop_thread = std::this_thread::get_id();
    EXPECT_TRUE(loop.Run([&] { order.push_back(-1); }, [&] { stopped = true; }).ok());
  });
  thread.join();
  EXPECT_THAT(order, ElementsAre(-1, 0, 1, 2));
  EXPECT_EQ(ran_on, loop_thread);
  EXPECT_TRUE(stopped);
}

TEST(SofiaLoop, RefusesTasksBeyondItsBound) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock, 4);
  int ran = 0;
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(loop.Post([&ran] { ++ran; }));
  EXPECT_FALSE(loop.Post([&ran] { ++ran; }));
  std::thread thread([&] {
    EXPECT_TRUE(loop.Run([&] { loop.After(absl::Milliseconds(1), [&] { loop.Stop(); }); }).ok());
  });
  thread.join();
  EXPECT_EQ(ran, 4);
}

TEST(SofiaLoop, RunsTimersInTimeOrderAndNotBeforeTheyAreDue) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock);
  std::vector<int> order;
  MonoTime start, end;
  std::thread thread([&] {
    EXPECT_TRUE(loop.Run([&] {
                      start = clock.Mono();
                      loop.After(absl::Milliseconds(30), [&] {
                        order.push_back(30);
                        end = clock.Mono();
                        loop.Stop();
                      });
                      loop.After(absl::Milliseconds(10), [&] { order.push_back(10); });
                      const Loop::TimerId cancelled =
                          loop.After(absl::Milliseconds(15), [&] { order.push_back(15); });
                      loop.After(absl::Milliseconds(12), [&loop, cancelled] {
                        loop.Cancel(cancelled);
                        loop.Cancel(cancelled);  // does nothing
                      });
                      loop.After(absl::ZeroDuration(), [&] { order.push_back(0); });
                      loop.After(absl::ZeroDuration(), [&] { order.push_back(1); });
                    })
                    .ok());
  });
  thread.join();
  EXPECT_THAT(order, ElementsAre(0, 1, 10, 30));
  EXPECT_GE(end - start, absl::Milliseconds(30));
}

TEST(SofiaLoop, ATimerThatKeepsSettingItselfDoesNotStarvePostedTasks) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock);
  std::function<void()> again = [&] { loop.After(absl::ZeroDuration(), [&] { again(); }); };
  std::thread thread([&] { EXPECT_TRUE(loop.Run([&] { again(); }).ok()); });
  std::promise<void> ran;
  ASSERT_TRUE(loop.Post([&] { ran.set_value(); }));
  EXPECT_EQ(ran.get_future().wait_for(std::chrono::seconds(5)), std::future_status::ready);
  loop.Stop();
  thread.join();
}

TEST(SofiaLoop, TakesPostsFromManyThreads) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock, 1 << 16);
  constexpr int kSenders = 4, kEach = 10'000;
  int ran = 0;  // loop thread
  std::thread thread([&] { EXPECT_TRUE(loop.Run().ok()); });
  std::vector<std::thread> senders;
  for (int s = 0; s < kSenders; ++s) {
    senders.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        EXPECT_TRUE(loop.Post([&] {
          if (++ran == kSenders * kEach) loop.Stop();
        }));
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  thread.join();
  EXPECT_EQ(ran, kSenders * kEach);
}

TEST(SofiaLoop, ManyCancelledTimersAreDropped) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock);
  std::thread thread([&] {
    EXPECT_TRUE(loop.Run([&] {
                      for (int i = 0; i < 100'000; ++i) {
                        loop.Cancel(loop.After(absl::Hours(1), [] { FAIL(); }));
                      }
                      loop.After(absl::InfiniteDuration(), [] { FAIL(); });
                      loop.After(absl::ZeroDuration(), [&] { loop.Stop(); });
                    })
                    .ok());
  });
  thread.join();
}

// Counts the steps that a bare su_root makes for `kTicks` timers of 1 ms.
constexpr int kTicks = 50;
int ticks = 0;
void OnTick(su_root_magic_t*, su_timer_t*, su_timer_arg_t*) { ++ticks; }

uint64_t StepsForTicks() {
  su_root_t* root = su_root_create(nullptr);
  su_root_threading(root, 0);
  su_timer_t* timer = su_timer_create(su_root_task(root), 1);
  uint64_t steps = 0;
  for (ticks = 0; ticks < kTicks;) {
    const int before = ticks;
    su_timer_set(timer, OnTick, nullptr);
    while (ticks == before) {
      su_root_step(root, 5);
      ++steps;
    }
  }
  su_timer_destroy(timer);
  su_root_destroy(root);
  return steps;
}

TEST(SuDuration, TheLibraryComesThroughOurVersion) {
  su_root_t* root = su_root_create(nullptr);
  su_timer_t* timer = su_timer_create(su_root_task(root), 3'600'000);
  su_timer_set(timer, OnTick, nullptr);
  const uint64_t before = RoundedDurations();
  su_root_step(root, 0);
  EXPECT_GT(RoundedDurations(), before);
  su_timer_destroy(timer);
  su_root_destroy(root);
}

TEST(SuDuration, RoundsUpAndSaturates) {
  const su_time_t base{1'000'000, 999'999};
  EXPECT_EQ(su_duration({1'000'001, 0}, base), 1);      // 1 us
  EXPECT_EQ(su_duration({1'000'001, 999}, base), 1);    // 1,000 us
  EXPECT_EQ(su_duration({1'000'001, 1'000}, base), 2);  // 1,001 us
  EXPECT_EQ(su_duration(base, base), 0);
  EXPECT_EQ(su_duration(base, {1'000'001, 1'500}), -1);  // towards zero, as the library does
  EXPECT_EQ(su_duration({4'000'000'000, 0}, base), SU_DURATION_MAX);
  EXPECT_EQ(su_duration(base, {4'000'000'000, 0}), -SU_DURATION_MAX);
}

TEST(SuDuration, ATimerTakesTwoStepsInsteadOfASpin) {
  const uint64_t rounded = StepsForTicks();
  // One step waits out the timer and runs it; one more when the wait ended a moment early.
  EXPECT_LE(rounded, 2u * kTicks + 10);
  // The control: with the library's own rounding the same timers take many steps each.
  RoundDurationsUp(false);
  const uint64_t spun = StepsForTicks();
  RoundDurationsUp(true);
  EXPECT_GT(spun, 3 * rounded);
}

// A timer of the stack runs at the start of a step, whose length was fixed before.
void SetOurTimer(su_root_magic_t*, su_timer_t*, su_timer_arg_t* set) {
  (*reinterpret_cast<std::function<void()>*>(set))();
}

TEST(SofiaLoop, ATimerSetByATimerOfTheStackIsNotLate) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock);
  MonoTime set_at, ran_at;
  std::function<void()> set = [&] {
    set_at = clock.Mono();
    loop.After(absl::Milliseconds(5), [&] {
      ran_at = clock.Mono();
      loop.Stop();
    });
  };
  su_timer_t* timer = nullptr;
  std::thread thread([&] {
    EXPECT_TRUE(loop.Run(
                        [&] {
                          timer = su_timer_create(su_root_task(loop.root()), 1);
                          // Due already when the first step begins.
                          su_timer_set_at(timer, SetOurTimer,
                                          reinterpret_cast<su_timer_arg_t*>(&set), su_time_t{1, 0});
                        },
                        [&] { su_timer_destroy(timer); })
                    .ok());
  });
  thread.join();
  EXPECT_LT(ran_at - set_at, absl::Milliseconds(500));  // an idle step waits 1,000
}

TEST(SofiaLoop, AnIdleLoopWithMillisecondTimersMakesFewTurns) {
  const runtime::RealClock clock;
  SofiaLoop loop(clock);
  int fired = 0;
  std::function<void()> tick = [&] {
    if (++fired == 200) return loop.Stop();
    loop.After(absl::Milliseconds(1), [&] { tick(); });
  };
  std::thread thread([&] { EXPECT_TRUE(loop.Run([&] { tick(); }).ok()); });
  thread.join();
  EXPECT_LE(loop.steps(), 2u * 200 + 10);
}

}  // namespace
}  // namespace outpace::sip
