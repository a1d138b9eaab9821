#include "engine/listen/tone_detector.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace outpace::listen {
namespace {

// Cadences of the same meaning differ by a tenth from switch to switch; the rest is for edges and a
// lost packet at one.
constexpr float kMsShare = 0.115f, kMsMargin = 24;
constexpr float kHzShare = 0.05f, kHzMargin = 10;
// Less of a tone is not counted on: it may be a click yet.
constexpr float kToneMsMin = 55;
// China's information tone is of pips that words may have as well: more of it is asked for.
constexpr float kInfoToneMsMin = 280;
// A ring's pause tells it from all else once it lasts so long.
constexpr float kRingPauseMs = 1500;
// When two meanings will not part, the nearer one is taken after so many whole runs.
constexpr int kRunsEnough = 10;

enum class Meaning { kNothing, kRing, kDead, kInfo };
Meaning MeaningOf(ToneKind kind) {
  switch (kind) {
    case ToneKind::kRing:
      return Meaning::kRing;
    case ToneKind::kBusy:
    case ToneKind::kCongestion:
      return Meaning::kDead;
    case ToneKind::kInfo:
      return Meaning::kInfo;
    case ToneKind::kDial:
      return Meaning::kNothing;
  }
  return Meaning::kNothing;
}

// How badly the runs fit a pattern that begins at segment `phase`; negative: not at all.
float Misfit(const TonePattern& pattern, size_t phase, absl::Span<const ToneRun> runs) {
  float sum = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    const ToneRun& run = runs[i];
    const ToneSegment& segment = pattern.segments[(phase + i) % pattern.segment_count];
    if (run.on != (segment.low_hz > 0)) return -1;
    const float ms = segment.ms;
    const float off = run.ms - ms, margin = kMsShare * ms + kMsMargin;
    if (off > margin || (run.whole && off < -margin)) return -1;
    if (run.whole) sum += (off / margin) * (off / margin);
    if (!run.on) continue;
    if (!run.steady) return -1;
    const float low = segment.low_hz, high = segment.high_hz;
    if (run.hz < low * (1 - kHzShare) - kHzMargin || run.hz > high * (1 + kHzShare) + kHzMargin) {
      return -1;
    }
    if (low == high && low > 700 && !run.pure) return -1;
    const float middle = (low + high) / 2, hz_off = (run.hz - middle) / (kHzShare * middle);
    sum += hz_off * hz_off;
  }
  return sum / static_cast<float>(runs.size());
}

struct Tally {
  std::array<float, 5> weight{};                // by ToneKind
  std::array<const TonePattern*, 5> pattern{};  // the newest that fits
  bool any = false;
  bool Only(Meaning meaning) const {
    for (size_t i = 0; i < weight.size(); ++i) {
      if (weight[i] > 0 && MeaningOf(static_cast<ToneKind>(i)) != meaning) return false;
    }
    return any;
  }
  float operator[](ToneKind kind) const { return weight[static_cast<size_t>(kind)]; }
};

Tally Count(absl::Span<const ToneRun> runs, uint64_t countries) {
  Tally tally;
  for (const TonePattern& pattern : TonePatterns()) {
    const int votes = std::popcount(pattern.countries & countries);
    if (votes == 0) continue;
    float least = -1;
    for (size_t phase = 0; phase < pattern.segment_count; ++phase) {
      const float misfit = Misfit(pattern, phase, runs);
      if (misfit >= 0 && (least < 0 || misfit < least)) least = misfit;
    }
    if (least < 0) continue;
    tally.any = true;
    tally.pattern[static_cast<size_t>(pattern.kind)] = &pattern;
    tally.weight[static_cast<size_t>(pattern.kind)] +=
        static_cast<float>(votes) * std::exp(-4 * least);
  }
  return tally;
}

// Whether a country uses one cadence for both: nothing will ever show which it is.
bool SameCadence(const Tally& tally) {
  const TonePattern& a = *tally.pattern[static_cast<size_t>(ToneKind::kBusy)];
  const TonePattern& b = *tally.pattern[static_cast<size_t>(ToneKind::kCongestion)];
  return a.segment_count == b.segment_count &&
         std::equal(a.segments.begin(), a.segments.begin() + a.segment_count, b.segments.begin(),
                    [](const ToneSegment& x, const ToneSegment& y) { return x.ms == y.ms; });
}

// Whether the runs hold one period's worth of evidence.
struct Evidence {
  int whole = 0;
  float tone_ms = 0;
  bool period = false;
  bool ring_pause = false;
  explicit Evidence(absl::Span<const ToneRun> runs) {
    int tones = 0, tones_whole = 0, pauses_whole = 0;
    for (const ToneRun& run : runs) {
      tones += run.on && run.ms >= kToneMsMin;
      tones_whole += run.on && run.whole;
      pauses_whole += !run.on && run.whole;
      if (run.on) tone_ms += run.ms;
    }
    whole = tones_whole + pauses_whole;
    period = tones >= 2 && tones_whole >= 1 && pauses_whole >= 1;
    ring_pause = tones_whole >= 1 && !runs.back().on && runs.back().ms >= kRingPauseMs;
  }
};

std::optional<ToneHeard> Weigh(const Tally& tally, bool own, const Evidence& evidence) {
  const float sure = own ? 0.99f : 0.95f;
  if (tally.Only(Meaning::kRing)) return ToneHeard{Sound::kRingback, sure, false};
  if (!evidence.period) return std::nullopt;
  if (tally.Only(Meaning::kInfo) && evidence.whole >= 3 && evidence.tone_ms >= kInfoToneMsMin) {
    return ToneHeard{Sound::kSitReorder, sure, true};
  }
  if (!tally.Only(Meaning::kDead)) return std::nullopt;
  const float busy = tally[ToneKind::kBusy], congestion = tally[ToneKind::kCongestion];
  // The country's two may yet part.
  if (own && busy > 0 && congestion > 0 && evidence.whole < kRunsEnough && !SameCadence(tally)) {
    return std::nullopt;
  }
  const float share = std::max(busy, congestion) / (busy + congestion);
  return ToneHeard{busy >= congestion ? Sound::kBusyTone : Sound::kCongestionTone,
                   sure * (0.5f + share / 2), false};
}

}  // namespace

std::optional<ToneHeard> ToneDetector::Judge() {
  auto sit = FindSit(runs_.runs());
  // Plans without a pause begin again at once.
  if (!sit.has_value()) sit = FindSit(runs_.runs().subspan(0, runs_.runs().size() - 1));
  if (sit.has_value()) {
    return ToneHeard{sit->sound, 0.99f, sit->information};
  }
  for (;; runs_.DropOldest()) {
    const Evidence evidence(runs_.runs());
    if (!evidence.period && !evidence.ring_pause) return std::nullopt;
    Tally tally = Count(runs_.runs(), own_);
    const bool own = tally.any;
    if (!own) tally = Count(runs_.runs(), ~uint64_t{0});
    // Nothing is like it: what came first was something else (a beep; ringback, before a busy
    // tone).
    if (!tally.any) continue;
    return Weigh(tally, own, evidence);
  }
}

std::optional<ToneHeard> ToneDetector::Feed(const ToneFrame& frame) {
  const ToneRuns::News news = runs_.Feed(frame);
  if (news == ToneRuns::News::kBroken) told_ = Sound::kNone;
  if (news != ToneRuns::News::kGrew && news != ToneRuns::News::kRunEnded) return std::nullopt;
  const std::optional<ToneHeard> heard = Judge();
  if (!heard.has_value() || heard->sound == told_) return std::nullopt;
  told_ = heard->sound;
  return heard;
}

}  // namespace outpace::listen
