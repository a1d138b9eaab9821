#include "engine/sip/su_duration.h"

#include <sofia-sip/su_time.h>

#include <algorithm>

namespace outpace::sip {
namespace {

thread_local uint64_t calls = 0;
thread_local bool round_up = true;

int64_t Microseconds(su_time_t later, su_time_t earlier) {
  // Saturates at ten years: further apart than any timer, and far from overflow.
  constexpr int64_t kSecondsMax = 315'360'000;
  const int64_t seconds =
      std::clamp(static_cast<int64_t>(later.tv_sec) - static_cast<int64_t>(earlier.tv_sec),
                 -kSecondsMax, kSecondsMax);
  return seconds * 1'000'000 + static_cast<int64_t>(later.tv_usec) -
         static_cast<int64_t>(earlier.tv_usec);
}

}  // namespace

uint64_t RoundedDurations() { return calls; }

void RoundDurationsUp(bool up) { round_up = up; }

}  // namespace outpace::sip

// Milliseconds from t2 to t1, rounded up when positive. Replaces the library's own; see
// su_duration.h.
extern "C" su_duration_t su_duration(su_time_t const t1, su_time_t const t2) {
  ++outpace::sip::calls;
  const int64_t us = outpace::sip::Microseconds(t1, t2);
  const int64_t ms = us > 0 && outpace::sip::round_up ? (us + 999) / 1000 : us / 1000;
  return static_cast<su_duration_t>(std::clamp<int64_t>(ms, -SU_DURATION_MAX, SU_DURATION_MAX));
}
