#pragma once

#include <map>
#include <utility>

#include "engine/base/loop.h"

namespace outpace::farend {

// A Loop whose time moves only when the test says so: 32 s of SIP timers pass in microseconds.
class VirtualLoop final : public Loop {
 public:
  const Clock& clock() const override { return clock_; }
  bool Post(Task task) override {
    After(absl::ZeroDuration(), std::move(task));
    return true;
  }
  TimerId After(absl::Duration delay, Task task) override {
    const TimerId id = ++last_;
    timers_.emplace(std::make_pair(clock_.now + delay, id), std::move(task));
    return id;
  }
  void Cancel(TimerId timer) override {
    for (auto it = timers_.begin(); it != timers_.end(); ++it) {
      if (it->first.second == timer) {
        timers_.erase(it);
        return;
      }
    }
  }
  void RunFor(absl::Duration time) {
    const MonoTime end = clock_.now + time;
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      auto node = timers_.extract(timers_.begin());
      clock_.now = node.key().first;
      node.mapped()();
    }
    clock_.now = end;
  }
  size_t timers() const { return timers_.size(); }

 private:
  struct VirtualClock final : Clock {
    MonoTime Mono() const override { return now; }
    absl::Time Wall() const override {
      return absl::FromUnixSeconds(1'700'000'000) + (now - MonoTime());
    }
    MonoTime now;
  };
  VirtualClock clock_;
  TimerId last_ = 0;
  std::map<std::pair<MonoTime, TimerId>, Task> timers_;
};

}  // namespace outpace::farend
