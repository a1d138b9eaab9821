#pragma once

#include <compare>
#include <cstdint>

#include "absl/time/time.h"

namespace outpace {

// An instant of the monotonic clock, nanoseconds since an arbitrary start. Timers, ring times and
// talk times are measured with it: it never goes back, whatever is done to the wall clock.
class MonoTime {
 public:
  constexpr MonoTime() = default;
  constexpr explicit MonoTime(int64_t nanos) : nanos_(nanos) {}
  constexpr int64_t nanos() const { return nanos_; }
  friend constexpr auto operator<=>(MonoTime, MonoTime) = default;
  friend MonoTime operator+(MonoTime t, absl::Duration d) {
    return MonoTime(t.nanos_ + absl::ToInt64Nanoseconds(d));
  }
  friend absl::Duration operator-(MonoTime a, MonoTime b) {
    return absl::Nanoseconds(a.nanos_ - b.nanos_);
  }

 private:
  int64_t nanos_ = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime Mono() const = 0;    // timers, ring time, talk time; never goes back
  virtual absl::Time Wall() const = 0;  // calling windows and records; may jump either way
};

}  // namespace outpace
