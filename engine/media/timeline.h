#pragma once

// Where a packet belongs on a line of 1/8000 s that began at some instant: by the clock for the
// first, by its RTP timestamp for those after it, so that jitter does not cut speech to pieces.
// What the timestamps say is not believed when it strays 200 ms from the arrivals: a new sender, a
// jump, a clock that runs away.

#include <cstdint>
#include <cstdlib>

#include "engine/base/clock.h"
#include "engine/media/rtp_packet.h"

namespace outpace::media {

class Timeline {
 public:
  static constexpr int64_t kStrayMax = 1600;  // 200 ms

  explicit Timeline(MonoTime start) : start_(start) {}

  // The position of an instant; 0 at the start and before.
  int64_t At(MonoTime now) const {
    const int64_t position = (now.nanos() - start_.nanos()) / 125'000;
    return position > 0 ? position : 0;
  }
  // Position of the first of `samples` samples (1/8000 s) of a packet that arrived at `now` and
  // whose timestamps count `rate` (8000 or 48000) a second. May be negative: said before the start.
  int64_t Place(const RtpHeader& header, int rate, int64_t samples, MonoTime now) {
    const int64_t arrival = At(now) - samples;
    if (known_ && header.ssrc == ssrc_ && rate == rate_) {
      const auto step = static_cast<int32_t>(header.timestamp - timestamp_);
      const int64_t position = position_ + int64_t{step} * 8000 / rate;
      if (std::abs(position - arrival) <= kStrayMax) {
        // Forward only, so that the difference never outgrows its 32 bits.
        if (step > 0) Anchor(header, rate, position);
        return position;
      }
    }
    Anchor(header, rate, arrival);
    return arrival;
  }
  // The next packet is placed by the clock.
  void Forget() { known_ = false; }

 private:
  void Anchor(const RtpHeader& header, int rate, int64_t position) {
    known_ = true;
    ssrc_ = header.ssrc;
    rate_ = rate;
    timestamp_ = header.timestamp;
    position_ = position;
  }

  MonoTime start_;
  bool known_ = false;
  uint32_t ssrc_ = 0;
  int rate_ = 8000;
  uint32_t timestamp_ = 0;
  int64_t position_ = 0;
};

}  // namespace outpace::media
