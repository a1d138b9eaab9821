#pragma once

// A leg's packets as the detectors want them: an unbroken line of 20 ms frames since listening
// began. In order a packet is heard at once, with no delay. A gap is waited for 100 ms, for packets
// overtake each other, then it is silence; so is the time in which a far end sends nothing at all,
// which Advance() has to be told of.

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "engine/base/clock.h"
#include "engine/listen/heard.h"
#include "engine/media/timeline.h"

namespace outpace::media {

class FrameLine {
 public:
  static constexpr int64_t kPatience = 800;  // 100 ms

  explicit FrameLine(MonoTime start) : timeline_(start) {}
  ~FrameLine() { Wipe(); }
  FrameLine(const FrameLine&) = delete;
  FrameLine& operator=(const FrameLine&) = delete;

  // `samples` (1/8000 s; at most 120 ms) of a packet that arrived at `now`.
  void Put(const RtpHeader& header, int rate, absl::Span<const int16_t> samples, MonoTime now);
  // Nothing came until `now`.
  void Advance(MonoTime now) { GiveUp(timeline_.At(now) - kPatience); }
  // The next frame, valid until the next call of anything here; empty when there is none yet.
  absl::Span<const int16_t> Next();
  int64_t samples_out() const { return next_; }
  // What is held is overwritten with silence.
  void Wipe();

 private:
  static constexpr int64_t kRing = 8000;  // a second; whole frames
  static constexpr int kIslandsMax = 8;
  struct Island {  // audio beyond a gap
    int64_t from = 0;
    int64_t to = 0;
  };

  void GiveUp(int64_t position);
  void Absorb();
  void Write(int64_t position, absl::Span<const int16_t> samples);

  Timeline timeline_;
  int64_t next_ = 0;    // first sample not given out
  int64_t whole_ = 0;   // up to here all is known; >= next_
  int64_t shown_ = -1;  // the frame given out last, to be blanked
  int late_ = 0;        // packets in a row whose time was over
  int islands_ = 0;
  std::array<Island, kIslandsMax> island_{};
  std::array<int16_t, kRing> ring_{};
};

}  // namespace outpace::media
