#pragma once

#include <chrono>

#include "absl/time/clock.h"
#include "engine/base/clock.h"

namespace outpace::runtime {

// The machine's clocks. The only place where the engine reads real time.
class RealClock final : public Clock {
 public:
  MonoTime Mono() const override {
    return MonoTime(std::chrono::duration_cast<std::chrono::nanoseconds>(
                        std::chrono::steady_clock::now().time_since_epoch())
                        .count());
  }
  absl::Time Wall() const override { return absl::Now(); }
};

}  // namespace outpace::runtime
