#include "engine/sim/sim_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpace::sim {
namespace {

using ::testing::ElementsAre;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);

TEST(SimWorld, RunsInOrderOfTimeThenOfAsking) {
  SimWorld world(1, kStart);
  const auto a = world.NewLoop();
  const auto b = world.NewLoop();
  std::vector<std::string> ran;
  a->After(absl::Seconds(2), [&] { ran.push_back("a2"); });
  b->After(absl::Seconds(1), [&] { ran.push_back("b1"); });
  a->After(absl::Seconds(1), [&] { ran.push_back("a1"); });
  ASSERT_TRUE(b->Post([&] { ran.push_back("b0"); }));
  world.RunFor(absl::Milliseconds(1500));
  EXPECT_THAT(ran, ElementsAre("b0", "b1", "a1"));
  world.RunFor(absl::Milliseconds(500));
  EXPECT_THAT(ran, ElementsAre("b0", "b1", "a1", "a2"));
}

TEST(SimWorld, ClockStandsAtTheEventAndThenAtTheEnd) {
  SimWorld world(1, kStart);
  const auto loop = world.NewLoop();
  const MonoTime start = world.now();
  absl::Duration seen;
  loop->After(absl::Seconds(3), [&] { seen = loop->clock().Mono() - start; });
  world.RunFor(absl::Seconds(10));
  EXPECT_EQ(seen, absl::Seconds(3));
  EXPECT_EQ(world.now() - start, absl::Seconds(10));
  EXPECT_EQ(world.clock().Wall(), kStart + absl::Seconds(10));
}

TEST(SimWorld, WallClockMayStepAndMonotonicTimeDoesNotNotice) {
  SimWorld world(1, kStart);
  const MonoTime before = world.now();
  world.clock().StepWall(-absl::Hours(2));
  EXPECT_EQ(world.clock().Wall(), kStart - absl::Hours(2));
  EXPECT_EQ(world.now(), before);
}

TEST(SimWorld, AStalledLoopCatchesUpInTheOrderThingsWereDue) {
  SimWorld world(1, kStart);
  const auto stopped = world.NewLoop();
  const auto other = world.NewLoop();
  std::vector<std::string> ran;
  const MonoTime start = world.now();
  // Asked for in another order than they are due.
  stopped->After(absl::Seconds(3), [&] { ran.push_back("third"); });
  stopped->After(absl::Seconds(2), [&] { ran.push_back("second"); });
  const Loop::TimerId gone = stopped->After(absl::Seconds(2), [&] { ran.push_back("cancelled"); });
  stopped->After(absl::Seconds(11), [&] { ran.push_back("after"); });
  other->After(absl::Seconds(4), [&] { ran.push_back("other"); });
  stopped->StallUntil(start + absl::Seconds(10));
  ASSERT_TRUE(stopped->Post([&] { ran.push_back("first"); }));
  world.RunFor(absl::Seconds(9));
  EXPECT_THAT(ran, ElementsAre("other"));
  stopped->Cancel(gone);
  world.RunFor(absl::Seconds(1));
  EXPECT_THAT(ran, ElementsAre("other", "first", "second", "third"));
  world.RunFor(absl::Seconds(1));
  EXPECT_THAT(ran, ElementsAre("other", "first", "second", "third", "after"));
}

TEST(SimWorld, CancelledTimersDoNotRunNorHoldIdleBack) {
  SimWorld world(1, kStart);
  const auto loop = world.NewLoop();
  bool ran = false;
  const Loop::TimerId timer = loop->After(absl::Hours(1), [&] { ran = true; });
  loop->Cancel(timer);
  loop->Cancel(timer);
  loop->Cancel(0);
  const MonoTime before = world.now();
  EXPECT_TRUE(world.RunUntilIdle());
  EXPECT_FALSE(ran);
  EXPECT_EQ(world.now(), before);
}

TEST(SimWorld, TimersMayCancelEachOtherAtTheSameInstant) {
  SimWorld world(1, kStart);
  const auto loop = world.NewLoop();
  Loop::TimerId second = 0;
  bool ran = false;
  loop->After(absl::Seconds(1), [&] { loop->Cancel(second); });
  second = loop->After(absl::Seconds(1), [&] { ran = true; });
  world.RunFor(absl::Seconds(2));
  EXPECT_FALSE(ran);
}

TEST(SimWorld, IdleHasALimit) {
  SimWorld world(1, kStart);
  const auto loop = world.NewLoop();
  std::function<void()> again = [&] { loop->After(absl::Seconds(1), [&] { again(); }); };
  again();
  EXPECT_FALSE(world.RunUntilIdle(absl::Minutes(1)));
}

TEST(SimWorld, AFullLoopRefuses) {
  SimWorld world(1, kStart);
  const auto loop = world.NewLoop();
  loop->set_post_limit(2);
  EXPECT_TRUE(loop->Post([] {}));
  EXPECT_TRUE(loop->Post([] {}));
  EXPECT_FALSE(loop->Post([] {}));
  world.RunOne();
  EXPECT_TRUE(loop->Post([] {}));
}

TEST(SimWorld, WhatADestroyedLoopHadQueuedNeverRuns) {
  SimWorld world(1, kStart);
  auto dying = world.NewLoop();
  const auto living = world.NewLoop();
  int ran = 0;
  dying->After(absl::Seconds(1), [&] { ran += 100; });
  ASSERT_TRUE(dying->Post([&] { ran += 100; }));
  living->After(absl::Seconds(1), [&] { ran += 1; });
  dying.reset();
  EXPECT_TRUE(world.RunUntilIdle());
  EXPECT_EQ(ran, 1);
}

TEST(SimWorld, DelayedPostsKeepTheirOrderWithinALoop) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SimWorld world(seed, kStart);
    world.set_post_delay_max(absl::Milliseconds(10));
    const auto a = world.NewLoop();
    const auto b = world.NewLoop();
    std::vector<int> in_a;
    std::vector<int> all;
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(a->Post([&, i] { in_a.push_back(i), all.push_back(i); }));
      ASSERT_TRUE(b->Post([&, i] { all.push_back(100 + i); }));
    }
    EXPECT_TRUE(world.RunUntilIdle());
    EXPECT_TRUE(std::is_sorted(in_a.begin(), in_a.end()));
    EXPECT_EQ(all.size(), 40u);
  }
}

TEST(SimWorld, ChecksAfterEveryEvent) {
  SimWorld world(1, kStart);
  const auto loop = world.NewLoop();
  int checks = 0;
  world.set_after_event([&] { ++checks; });
  for (int i = 0; i < 7; ++i) loop->After(absl::Seconds(i), [] {});
  EXPECT_TRUE(world.RunUntilIdle());
  EXPECT_EQ(checks, 7);
  EXPECT_EQ(world.events_run(), 7u);
}

uint64_t TraceOf(uint64_t seed) {
  SimWorld world(seed, kStart);
  const auto loop = world.NewLoop();
  Rng rng = world.rng().Fork();
  std::function<void()> step = [&] {
    if (loop->clock().Mono() < MonoTime() + absl::Minutes(1)) {
      loop->After(absl::Milliseconds(rng.Exponential(100)), [&] { step(); });
    }
  };
  step();
  EXPECT_TRUE(world.RunUntilIdle());
  return world.trace_hash();
}

TEST(SimWorld, TheSameSeedGivesTheSameTrace) {
  EXPECT_EQ(TraceOf(7), TraceOf(7));
  EXPECT_NE(TraceOf(7), TraceOf(8));
}

}  // namespace
}  // namespace outpace::sim
