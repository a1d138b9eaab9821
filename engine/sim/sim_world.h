#pragma once

// Virtual time: one queue of events plays every loop of the engine on one thread. Events run in the
// order of (time, sequence), so a run is a function of its seed alone; a day of dialing takes
// seconds, and a failing seed fails again. Cross-loop posts can be given a random delay, which
// explores the interleavings that real threads would show, still by seed.

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/loop.h"
#include "engine/base/rng.h"

namespace outpace::sim {

class SimWorld;

// Monotonic time starts at 1 s, so that no live instant equals MonoTime().
class SimClock final : public Clock {
 public:
  explicit SimClock(absl::Time start_wall) : start_wall_(start_wall) {}
  MonoTime Mono() const override { return MonoTime(nanos_); }
  absl::Time Wall() const override {
    return start_wall_ + absl::Nanoseconds(nanos_ - kStartNanos) + wall_step_;
  }
  // What an operator or NTP does to the wall clock; monotonic time does not notice.
  void StepWall(absl::Duration by) { wall_step_ += by; }

 private:
  friend class SimWorld;
  static constexpr int64_t kStartNanos = 1'000'000'000;
  const absl::Time start_wall_;
  int64_t nanos_ = kStartNanos;
  absl::Duration wall_step_;
};

// One loop of the world; see Loop. What is still queued when it is destroyed never runs: so dies a
// killed process. The world outlives its loops.
class SimLoop final : public Loop {
 public:
  ~SimLoop() override;
  SimLoop(const SimLoop&) = delete;
  SimLoop& operator=(const SimLoop&) = delete;

  const Clock& clock() const override;
  [[nodiscard]] bool Post(Task task) override;
  TimerId After(absl::Duration delay, Task task) override;
  void Cancel(TimerId timer) override;
  // Tasks that may wait at once; Post() refuses beyond it. No limit at first.
  void set_post_limit(size_t limit) { post_limit_ = limit; }
  // A stopped process (SIGSTOP): what is due before `until` runs then, in the order it was due.
  void StallUntil(MonoTime until) { stalled_until_ = until; }
  MonoTime stalled_until() const { return stalled_until_; }

 private:
  friend class SimWorld;
  SimLoop(SimWorld& world, uint32_t number) : world_(world), number_(number) {}
  SimWorld& world_;
  const uint32_t number_;
  size_t posted_ = 0;
  size_t post_limit_ = SIZE_MAX;
  MonoTime last_post_;
  MonoTime stalled_until_;
};

class SimWorld {
 public:
  SimWorld(uint64_t seed, absl::Time start_wall);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  std::unique_ptr<SimLoop> NewLoop();
  SimClock& clock() { return clock_; }
  MonoTime now() const { return clock_.Mono(); }
  uint64_t seed() const { return seed_; }
  // The stream from which parts of the world fork their own.
  Rng& rng() { return rng_; }

  // Runs all events of the next `d` and leaves the clock there.
  void RunFor(absl::Duration d);
  void RunUntil(MonoTime t);
  // Runs until no event is left; false when that takes longer than `limit`.
  bool RunUntilIdle(absl::Duration limit = absl::Hours(24));
  // Runs one event; false when there is none.
  bool RunOne();

  // Called after every event: where a test looks at its invariants.
  void set_after_event(absl::AnyInvocable<void()> check) { after_event_ = std::move(check); }
  // Each Post() comes up to `max` later, drawn by seed; the order within a loop stays.
  void set_post_delay_max(absl::Duration max) { post_delay_max_ = max; }

  // Folds `value` into the trace. Every event folds in its time, loop and sequence by itself.
  void Note(uint64_t value);
  // Equal for two runs that did the same things at the same times.
  uint64_t trace_hash() const { return trace_hash_; }
  uint64_t events_run() const { return events_run_; }
  size_t loops() const { return loops_; }

 private:
  friend class SimLoop;
  struct Entry {  // of the heap; its task is in slots_, unless cancelled
    int64_t nanos;
    uint64_t sequence;
    uint64_t id;                                // TimerId: number << kSlotBits | slot
    bool operator<(const Entry& other) const {  // std heap: the largest comes first
      return nanos != other.nanos ? nanos > other.nanos : sequence > other.sequence;
    }
  };
  struct Slot {
    uint64_t id = 0;  // of the task in it; 0: none
    SimLoop* loop = nullptr;
    bool posted = false;
    Loop::Task task;
  };
  static constexpr int kSlotBits = 24;
  static size_t SlotOf(uint64_t id) { return id & ((1u << kSlotBits) - 1); }
  uint64_t Add(SimLoop* loop, MonoTime at, bool posted, Loop::Task task);
  Slot* Find(uint64_t id);  // nullptr: has run or was cancelled
  Loop::Task Take(Slot& slot);
  void PopHeap();
  void Drop(SimLoop* loop);
  bool PeekTime(int64_t& nanos);  // of the next live event
  void RunFront();                // after PeekTime() has said that there is one

  const uint64_t seed_;
  SimClock clock_;
  Rng rng_;
  Rng delay_rng_;
  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_slots_;
  uint64_t next_sequence_ = 1;
  uint32_t next_loop_ = 1;
  size_t loops_ = 0;
  absl::Duration post_delay_max_;
  absl::AnyInvocable<void()> after_event_;
  uint64_t trace_hash_ = 0xcbf29ce484222325ULL;
  uint64_t events_run_ = 0;
};

}  // namespace outpace::sim
