#include "engine/listen/fax_tones.h"

#include <cmath>

namespace outpace::listen {
namespace {

constexpr float kAnswerHz = 2100;
constexpr float kAnswerTolerance = 22;  // T.30 allows 15; a frame measures within 5
constexpr int kAnswerFrames = 25;       // half a second
constexpr int kAnswerMissesMax = 2;     // a phase reversal spoils a frame or two
constexpr float kCallingHz = 1100;
constexpr float kCallingTolerance = 50;  // 38 and what noise pulls a fit aside
constexpr int kBurstMin = 20;            // 0.425 to 0.575 s, less the frames at its edges
constexpr int kBurstMax = 30;
constexpr int kPeriodMin = 165;  // 3.5 s from end to end, +/- 15 % of each part
constexpr int kPeriodMax = 205;

}  // namespace

bool FaxTones::Feed(const ToneFit& fit, bool spoken) {
  ++frames_;
  const bool single = fit.tones == 1;
  if (single && std::fabs(fit.low_hz - kAnswerHz) <= kAnswerTolerance) {
    answer_misses_ = 0;
    if (++answer_frames_ >= kAnswerFrames) return true;
  } else if (++answer_misses_ > kAnswerMissesMax) {
    answer_frames_ = 0;
  }
  if (single && std::fabs(fit.low_hz - kCallingHz) <= kCallingTolerance) {
    ++calling_frames_;
    return false;
  }
  const int burst = calling_frames_;
  calling_frames_ = 0;
  if (burst < kBurstMin || burst > kBurstMax) return false;
  const int since = frames_ - calling_end_;
  const bool again = calling_end_ >= 0 && since >= kPeriodMin && since <= kPeriodMax;
  calling_end_ = frames_;
  return again || !spoken;
}

}  // namespace outpace::listen
