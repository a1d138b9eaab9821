#include "engine/sim/sim_world.h"

#include <algorithm>

#include "absl/container/btree_map.h"
#include "engine/base/check.h"

namespace outpace::sim {

// ---- SimLoop ----

SimLoop::~SimLoop() {
  world_.Drop(this);
  --world_.loops_;
}

const Clock& SimLoop::clock() const { return world_.clock_; }

bool SimLoop::Post(Task task) {
  if (posted_ >= post_limit_) return false;
  ++posted_;
  MonoTime at = world_.now();
  if (world_.post_delay_max_ > absl::ZeroDuration()) {
    at = at + world_.post_delay_max_ * world_.delay_rng_.Uniform();
  }
  last_post_ = std::max(last_post_, at);
  world_.Add(this, last_post_, /*posted=*/true, std::move(task));
  return true;
}

Loop::TimerId SimLoop::After(absl::Duration delay, Task task) {
  OUTPACE_CHECK(delay >= absl::ZeroDuration());
  return world_.Add(this, world_.now() + delay, /*posted=*/false, std::move(task));
}

void SimLoop::Cancel(TimerId timer) {
  const auto it = world_.tasks_.find(timer);
  if (it == world_.tasks_.end()) return;
  OUTPACE_CHECK(it->second.loop == this && !it->second.posted);
  // The task is destroyed after it has left the map: what it owns may cancel timers in turn.
  const Task dying = std::move(it->second.task);
  world_.tasks_.erase(it);
}

// ---- SimWorld ----

SimWorld::SimWorld(uint64_t seed, absl::Time start_wall)
    : seed_(seed), clock_(start_wall), rng_(seed), delay_rng_(rng_.Fork()) {}

SimWorld::~SimWorld() { OUTPACE_CHECK(loops_ == 0); }

std::unique_ptr<SimLoop> SimWorld::NewLoop() {
  ++loops_;
  return std::unique_ptr<SimLoop>(new SimLoop(*this, next_loop_++));
}

uint64_t SimWorld::Add(SimLoop* loop, MonoTime at, bool posted, Loop::Task task) {
  const uint64_t sequence = next_sequence_++;
  tasks_.emplace(sequence, Pending{loop, posted, std::move(task)});
  heap_.push_back({at.nanos(), sequence});
  std::push_heap(heap_.begin(), heap_.end());
  return sequence;
}

void SimWorld::Drop(SimLoop* loop) {
  // In the order they were queued: what their destructors do must not hang on a hash map's order.
  absl::btree_map<uint64_t, Loop::Task> dying;
  for (auto& [sequence, pending] : tasks_) {
    if (pending.loop == loop) dying.emplace(sequence, std::move(pending.task));
  }
  for (const auto& [sequence, task] : dying) tasks_.erase(sequence);
}

bool SimWorld::PeekTime(int64_t& nanos) {
  while (!heap_.empty()) {
    if (tasks_.contains(heap_.front().sequence)) {
      nanos = heap_.front().nanos;
      return true;
    }
    std::pop_heap(heap_.begin(), heap_.end());
    heap_.pop_back();
  }
  return false;
}

bool SimWorld::RunOne() {
  int64_t nanos = 0;
  if (!PeekTime(nanos)) return false;
  const uint64_t sequence = heap_.front().sequence;
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.pop_back();
  auto node = tasks_.extract(sequence);
  Pending& pending = node.mapped();
  OUTPACE_CHECK(nanos >= clock_.nanos_);
  clock_.nanos_ = nanos;
  if (pending.posted) --pending.loop->posted_;
  Note(static_cast<uint64_t>(nanos));
  Note(sequence << 16 | pending.loop->number_);
  ++events_run_;
  std::move(pending.task)();
  if (after_event_) after_event_();
  return true;
}

void SimWorld::RunUntil(MonoTime t) {
  int64_t nanos = 0;
  while (PeekTime(nanos) && nanos <= t.nanos()) RunOne();
  clock_.nanos_ = std::max(clock_.nanos_, t.nanos());
}

void SimWorld::RunFor(absl::Duration d) { RunUntil(now() + d); }

bool SimWorld::RunUntilIdle(absl::Duration limit) {
  const MonoTime end = now() + limit;
  int64_t nanos = 0;
  while (PeekTime(nanos)) {
    if (nanos > end.nanos()) return false;
    RunOne();
  }
  return true;
}

void SimWorld::Note(uint64_t value) {
  // FNV-1a, eight bytes at a time, with a final shift so that high bits reach the low ones.
  trace_hash_ = (trace_hash_ ^ value) * 0x100000001b3ULL;
  trace_hash_ ^= trace_hash_ >> 29;
}

}  // namespace outpace::sim
