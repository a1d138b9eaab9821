#include "engine/listen/tone_runs.h"

#include <algorithm>
#include <cmath>

namespace outpace::listen {
namespace {

constexpr float kFrameMs = 20;
// Quiet within a cadence: so far below the tone (12 dB). Noise is 25 dB below at the worst.
constexpr float kQuietShare = 1.0f / 16;
// Frames of one tone differ by less; two tones that beat move both.
constexpr float kHzShareMax = 0.06f, kEnergyRatioMax = 8;
constexpr float kWanderShareMax = 0.035f;
constexpr float kQuietMsMax = 8000;
constexpr int kOthersMax = 3;
// So much quiet before a tone makes its beginning one; less may be lost packets.
constexpr size_t kQuietFramesMin = 3;

bool SameHz(float a, float b) { return std::abs(a - b) <= kHzShareMax * b; }

}  // namespace

ToneRuns::Is ToneRuns::Classify(const ToneFrame& frame) const {
  if (frame.energy < std::max(kQuietMax, reference_ * kQuietShare)) return Is::kQuiet;
  return frame.tonal ? Is::kTone : Is::kOther;
}

void ToneRuns::Push(const ToneRun& run) {
  if (count_ == kRunsMax) {
    std::move(runs_.begin() + 1, runs_.end(), runs_.begin());
    --count_;
  }
  runs_[count_++] = run;
}

void ToneRuns::DropOldest() {
  if (count_ < 2) return;
  std::move(runs_.begin() + 1, runs_.end(), runs_.begin());
  --count_;
}

// Whether it was quiet up to this first frame of a tone, or up to the one before it, in which the
// tone then began.
bool ToneRuns::BeginningSeen(const ToneFrame& frame) {
  const float quiet = frame.energy * kQuietShare;
  const bool edge = before_[0] >= quiet;
  edge_energy_ = edge ? before_[0] : 0;
  return std::all_of(before_.begin() + edge, before_.begin() + edge + kQuietFramesMin,
                     [quiet](float energy) { return energy < quiet; });
}

void ToneRuns::StartTone(float start_ms, bool whole, const ToneFrame& frame) {
  run_start_ms_ = start_ms;
  start_seen_ = whole;
  tonal_frames_ = 0;
  pure_frames_ = 0;
  energy_sum_ = hz_sum_ = 0;
  first_energy_ = frame.energy;
  waiting_count_ = 0;
  Push({.on = true});
  AddToTone(frame);
}

void ToneRuns::AddToTone(const ToneFrame& frame) {
  ++tonal_frames_;
  pure_frames_ += frame.pure;
  energy_sum_ += frame.energy;
  hz_sum_ += frame.hz;
  // The first and the last frame are cut by edges, which moves what is measured.
  if (tonal_frames_ == 3) hz_min_ = hz_max_ = last_hz_;
  if (tonal_frames_ > 3) {
    hz_min_ = std::min(hz_min_, last_hz_);
    hz_max_ = std::max(hz_max_, last_hz_);
  }
  last_hz_ = frame.hz;
  last_energy_ = frame.energy;
  last_tone_ms_ = now_ms_;
  waiting_count_ = 0;
  // The first frame may be cut short by the edge.
  reference_ = tonal_frames_ > 1
                   ? (energy_sum_ - first_energy_) / static_cast<float>(tonal_frames_ - 1)
                   : energy_sum_;
  ToneRun& run = runs_[count_ - 1];
  run.hz = hz_sum_ / static_cast<float>(tonal_frames_);
  run.pure = pure_frames_ * 4 >= tonal_frames_ * 3;
  run.steady = tonal_frames_ < 4 || hz_max_ - hz_min_ <= kWanderShareMax * run.hz;
  run.ms = now_ms_ - run_start_ms_;
}

// How much of the tone's first frame sounded; its start was taken for the frame's.
float ToneRuns::FirstFrameShare() const { return std::min(1.0f, first_energy_ / reference_); }

void ToneRuns::EndTone(float end_ms, bool whole) {
  ToneRun& run = runs_[count_ - 1];
  if (start_seen_) {
    const float late = edge_energy_ > 0 ? -kFrameMs * std::min(1.0f, edge_energy_ / reference_)
                                        : kFrameMs * (1 - FirstFrameShare());
    run_start_ms_ += late;
    // What the tone gained the quiet before it lost.
    if (count_ > 1 && !runs_[count_ - 2].on) runs_[count_ - 2].ms += late;
  }
  run.ms = end_ms - run_start_ms_;
  run.whole = start_seen_ && whole;
  run_end_ms_ = end_ms;
}

ToneRuns::News ToneRuns::Break() {
  const bool had = count_ > 0;
  count_ = 0;
  waiting_count_ = 0;
  reference_ = 0;
  others_ = 0;
  edge_energy_ = 0;
  return had ? News::kBroken : News::kNone;
}

ToneRuns::News ToneRuns::FeedTone(Is is, const ToneFrame& frame) {
  ToneRun& run = runs_[count_ - 1];
  if (is == Is::kTone && SameHz(frame.hz, run.hz) && frame.energy < reference_ * kEnergyRatioMax &&
      frame.energy > reference_ / kEnergyRatioMax) {
    AddToTone(frame);
    return tonal_frames_ % 4 == 3 ? News::kGrew : News::kNone;
  }
  waiting_[waiting_count_++] = {is, frame.energy, frame.hz, frame.pure};
  const auto last = [&](size_t back) -> const Waiting& {
    return waiting_[waiting_count_ - 1 - back];
  };
  const bool click = tonal_frames_ < kTonalFramesMin;
  const auto quiet = static_cast<size_t>(std::count_if(
      waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_count_),
      [](const Waiting& w) { return w.is == Is::kQuiet; }));

  // Another tone without a pause between them: a special information tone's next part.
  if (waiting_count_ >= 2 && last(0).is == Is::kTone && last(1).is == Is::kTone &&
      SameHz(last(0).hz, last(1).hz) && !SameHz(last(0).hz, run.hz) &&
      last(0).energy < reference_ * kEnergyRatioMax &&
      last(0).energy > reference_ / kEnergyRatioMax) {
    const Waiting first = last(1), second = last(0);
    const float between = kFrameMs * static_cast<float>(waiting_count_ - 2);
    const float change = last_tone_ms_ + between / 2;
    const float now = now_ms_;
    if (click) {
      // Noise at the onset took the place of the tone's first frames.
      --count_;
      if (count_ > 0 && !runs_[count_ - 1].on) runs_[count_ - 1].ms = change - run_end_ms_;
    } else {
      EndTone(change, true);
    }
    edge_energy_ = 0;
    const bool start_seen = !click || start_seen_;
    now_ms_ = now - kFrameMs;
    StartTone(click ? run_start_ms_ : change, start_seen,
              {.energy = first.energy, .tonal = true, .pure = first.pure, .hz = first.hz});
    first_energy_ = second.energy;  // whole: the change was placed before it
    now_ms_ = now;
    AddToTone({.energy = second.energy, .tonal = true, .pure = second.pure, .hz = second.hz});
    return click ? News::kNone : News::kRunEnded;
  }
  const bool ended = waiting_count_ >= 3 && last(0).is == Is::kQuiet && last(1).is == Is::kQuiet &&
                     last(2).is == Is::kQuiet;
  if (ended || (waiting_count_ == kWaitingMax && quiet >= 3)) {
    const float edge = waiting_[0].is == Is::kQuiet ? 0 : waiting_[0].energy / reference_;
    const float end =
        edge > 0 ? last_tone_ms_ + kFrameMs * std::min(1.0f, edge)
                 : last_tone_ms_ - kFrameMs * (1 - std::min(1.0f, last_energy_ / reference_));
    others_ = 0;
    waiting_count_ = 0;
    if (click) {
      // Not a tone: the quiet before it goes on, if there was one.
      --count_;
      if (count_ == 0) {
        reference_ = 0;
        edge_energy_ = 0;
        return News::kNone;
      }
      runs_[count_ - 1].whole = false;
      runs_[count_ - 1].ms = now_ms_ - run_end_ms_;
      return News::kNone;
    }
    EndTone(end, true);
    run_start_ms_ = end;
    edge_energy_ = 0;
    Push({.on = false, .ms = now_ms_ - end});
    return News::kRunEnded;
  }
  return waiting_count_ == kWaitingMax ? Break() : News::kNone;
}

ToneRuns::News ToneRuns::FeedQuiet(Is is, const ToneFrame& frame) {
  ToneRun& run = runs_[count_ - 1];
  run.ms = now_ms_ - run_end_ms_;
  switch (is) {
    case Is::kQuiet:
      others_ = 0;
      if (run.ms > kQuietMsMax) return Break();
      return std::fmod(run.ms, 100.0f) < kFrameMs ? News::kGrew : News::kNone;
    case Is::kTone: {
      const bool seen = BeginningSeen(frame);
      others_ = 0;
      run.ms -= kFrameMs;
      run.whole = runs_[count_ - 1].whole = seen;
      StartTone(now_ms_ - kFrameMs, seen, frame);
      return News::kRunEnded;
    }
    case Is::kOther:
      return ++others_ >= kOthersMax ? Break() : News::kNone;
  }
  return News::kNone;
}

ToneRuns::News ToneRuns::Feed(const ToneFrame& frame) {
  now_ms_ += kFrameMs;
  const News news = FeedRun(frame);
  std::move_backward(before_.begin(), before_.end() - 1, before_.end());
  before_[0] = frame.energy;
  return news;
}

ToneRuns::News ToneRuns::FeedRun(const ToneFrame& frame) {
  const Is is = Classify(frame);
  if (count_ > 0) return runs_[count_ - 1].on ? FeedTone(is, frame) : FeedQuiet(is, frame);
  if (is == Is::kTone) {
    const bool seen = BeginningSeen(frame);
    StartTone(now_ms_ - kFrameMs, seen, frame);
  }
  return News::kNone;
}

}  // namespace outpace::listen
