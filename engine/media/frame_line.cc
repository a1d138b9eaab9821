#include "engine/media/frame_line.h"

#include <string.h>

#include <algorithm>

namespace outpace::media {
namespace {

constexpr int64_t kFrame = listen::kFrameSamples;
// So many packets too late one after another: the way has become longer, for good.
constexpr int kLateMax = 5;

}  // namespace

void FrameLine::Write(int64_t position, absl::Span<const int16_t> samples) {
  for (size_t i = 0; i < samples.size(); ++i) {
    ring_[static_cast<size_t>((position + static_cast<int64_t>(i)) % kRing)] = samples[i];
  }
}

void FrameLine::Put(const RtpHeader& header, int rate, absl::Span<const int16_t> samples,
                    MonoTime now) {
  const auto count = static_cast<int64_t>(samples.size());
  GiveUp(timeline_.At(now) - kPatience - count);
  int64_t from = timeline_.Place(header, rate, count, now);
  if (from + count <= whole_) {
    if (++late_ < kLateMax) return;
    timeline_.Forget();  // behind what was given up as silence
    from = timeline_.Place(header, rate, count, now);
  }
  late_ = 0;
  // What was there already, and what was said before the line began.
  const int64_t skip = std::clamp<int64_t>(whole_ - from, 0, count);
  from += skip;
  samples.remove_prefix(static_cast<size_t>(skip));
  const int64_t to = from + static_cast<int64_t>(samples.size());
  if (samples.empty() || to - next_ > kRing - kFrame) return;
  Write(from, samples);
  if (from > whole_) {
    // Of too many pieces the gap before them is given up.
    if (islands_ == kIslandsMax) GiveUp(island_[0].from);
    if (from > whole_) {
      island_[static_cast<size_t>(islands_++)] = {from, to};
      std::sort(island_.begin(), island_.begin() + islands_,
                [](const Island& a, const Island& b) { return a.from < b.from; });
      return;
    }
  }
  whole_ = std::max(whole_, to);
  Absorb();
}

// Joins the pieces that the line has reached.
void FrameLine::Absorb() {
  int kept = 0;
  for (int i = 0; i < islands_; ++i) {
    const Island island = island_[static_cast<size_t>(i)];
    if (island.from <= whole_) {
      whole_ = std::max(whole_, island.to);
    } else {
      island_[static_cast<size_t>(kept++)] = island;
    }
  }
  islands_ = kept;
}

void FrameLine::GiveUp(int64_t position) {
  if (position <= whole_) return;
  whole_ = std::min(position, next_ + kRing - kFrame);
  Absorb();
}

absl::Span<const int16_t> FrameLine::Next() {
  if (shown_ >= 0) {
    // The ring's place is silence again until somebody writes there.
    std::fill_n(ring_.begin() + shown_ % kRing, kFrame, int16_t{0});
    shown_ = -1;
  }
  if (next_ + kFrame > whole_) return {};
  shown_ = next_;
  next_ += kFrame;
  return absl::MakeConstSpan(ring_).subspan(static_cast<size_t>(shown_ % kRing), kFrame);
}

void FrameLine::Wipe() { explicit_bzero(ring_.data(), sizeof ring_); }

}  // namespace outpace::media
