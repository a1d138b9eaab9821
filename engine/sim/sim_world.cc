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
  SimWorld::Slot* slot = world_.Find(timer);
  if (slot == nullptr) return;
  OUTPACE_CHECK(slot->loop == this && !slot->posted);
  // The task is destroyed after it has left its slot: what it owns may cancel timers in turn.
  const Task dying = world_.Take(*slot);
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
  if (free_slots_.empty()) {
    OUTPACE_CHECK(slots_.size() < (1u << kSlotBits));
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t index = free_slots_.back();
  free_slots_.pop_back();
  const uint64_t sequence = next_sequence_++;
  Slot& slot = slots_[index];
  slot.id = sequence << kSlotBits | index;
  slot.loop = loop;
  slot.posted = posted;
  slot.task = std::move(task);
  heap_.push_back({at.nanos(), sequence, slot.id});
  std::push_heap(heap_.begin(), heap_.end());
  return slot.id;
}

SimWorld::Slot* SimWorld::Find(uint64_t id) {
  if (id == 0 || SlotOf(id) >= slots_.size()) return nullptr;
  Slot& slot = slots_[SlotOf(id)];
  return slot.id == id ? &slot : nullptr;
}

Loop::Task SimWorld::Take(Slot& slot) {
  free_slots_.push_back(static_cast<uint32_t>(SlotOf(slot.id)));
  slot.id = 0;
  return std::move(slot.task);
}

void SimWorld::PopHeap() {
  std::pop_heap(heap_.begin(), heap_.end());
  heap_.pop_back();
}

void SimWorld::Drop(SimLoop* loop) {
  // In the order they were queued: what their destructors do must not hang on the order of slots.
  absl::btree_map<uint64_t, Loop::Task> dying;
  for (Slot& slot : slots_) {
    if (slot.id == 0 || slot.loop != loop) continue;
    const uint64_t id = slot.id;
    dying.emplace(id, Take(slot));
  }
}

bool SimWorld::PeekTime(int64_t& nanos) {
  while (!heap_.empty()) {
    const Entry& front = heap_.front();
    const Slot* slot = Find(front.id);
    if (slot == nullptr) {
      PopHeap();
      continue;
    }
    const int64_t stalled_until = slot->loop->stalled_until_.nanos();
    if (front.nanos < stalled_until) {
      // A new place behind what was due before it.
      const Entry later{stalled_until, next_sequence_++, front.id};
      PopHeap();
      heap_.push_back(later);
      std::push_heap(heap_.begin(), heap_.end());
      continue;
    }
    nanos = front.nanos;
    return true;
  }
  return false;
}

void SimWorld::RunFront() {
  const Entry entry = heap_.front();
  PopHeap();
  Slot& slot = *Find(entry.id);
  SimLoop* const loop = slot.loop;
  OUTPACE_CHECK(entry.nanos >= clock_.nanos_);
  clock_.nanos_ = entry.nanos;
  if (slot.posted) --loop->posted_;
  Note(static_cast<uint64_t>(entry.nanos));
  Note(entry.sequence << 16 | loop->number_);
  ++events_run_;
  Take(slot)();
  if (after_event_) after_event_();
}

bool SimWorld::RunOne() {
  int64_t nanos = 0;
  if (!PeekTime(nanos)) return false;
  RunFront();
  return true;
}

void SimWorld::RunUntil(MonoTime t) {
  int64_t nanos = 0;
  while (PeekTime(nanos) && nanos <= t.nanos()) RunFront();
  clock_.nanos_ = std::max(clock_.nanos_, t.nanos());
}

void SimWorld::RunFor(absl::Duration d) { RunUntil(now() + d); }

bool SimWorld::RunUntilIdle(absl::Duration limit) {
  const MonoTime end = now() + limit;
  int64_t nanos = 0;
  while (PeekTime(nanos)) {
    if (nanos > end.nanos()) return false;
    RunFront();
  }
  return true;
}

void SimWorld::Note(uint64_t value) {
  // FNV-1a, eight bytes at a time, with a final shift so that high bits reach the low ones.
  trace_hash_ = (trace_hash_ ^ value) * 0x100000001b3ULL;
  trace_hash_ ^= trace_hash_ >> 29;
}

}  // namespace outpace::sim
