#include "engine/listen/fingerprint_matcher.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

namespace outpace::listen {
namespace {

// A bit that both are sure of and that differs counts 1, one that only one is sure of this much:
// something sounds where nothing should, or the other way round.
constexpr float kOneSided = 0.3f;
// Frames with fewer sure bits say nothing.
constexpr int kSpeaks = 5;
// Least sure bits of a key worth looking up, and places looked at for one.
constexpr int kKeySureMin = 9;
constexpr size_t kPlacesMax = 32;
constexpr size_t kFlips = 2;
// A place becomes a track when the frames before it agree so well.
constexpr size_t kTryFrames = 20;
constexpr float kTryErrorMax = 0.33f, kTryAskedMin = 90;
// A track that agrees so well is not looked for a few ms beside.
constexpr float kGoodError = 0.08f;
// A track is given up when lately it agrees no better than this.
constexpr float kRecentErrorMax = 0.42f, kFade = 0.93f;
// What a verdict takes.
constexpr float kErrorMax = 0.26f, kRecentErrorForVerdict = 0.32f, kAskedMin = 200;
// Few bits can agree by chance, the more so of one speaker: they must agree better.
float ErrorAllowed(float asked) { return std::min(kErrorMax, 0.34f - 2.4f / std::sqrt(asked)); }
// So much of the announcement, or this share of a short one.
constexpr float kSpokenSeconds = 1.5f, kSpokenShare = 0.7f;
// Another class so near in error keeps both waiting.
constexpr float kRivalMargin = 0.08f;

struct Compared {
  float wrong, asked;
  bool speaks;
};

// Ones in the lower and in the upper half, at once: the baseline x86-64 has no instruction for it,
// and most of a listener's time goes here.
struct Counts {
  int low, high;
};
Counts CountOnes(uint32_t low, uint32_t high) {
  uint64_t x = low | uint64_t{high} << 32;
  x -= x >> 1 & 0x5555555555555555u;
  x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  x += x >> 8;
  x += x >> 16;
  return {static_cast<int>(x & 0x3f), static_cast<int>(x >> 32 & 0x3f)};
}

// Too unlike to go on with? Strangers mostly are.
bool Unlike(const SubPrint& heard, const SubPrint& known) {
  const uint32_t both = heard.sure & known.sure;
  const Counts count = CountOnes((heard.bits ^ known.bits) & both, both);
  return 3 * count.low > count.high + 2;
}

Compared Compare(const SubPrint& heard, const SubPrint& known) {
  const uint32_t both = heard.sure & known.sure;
  const Counts count = CountOnes((heard.bits ^ known.bits) & both, both);
  const auto one_sided = static_cast<float>(std::popcount(heard.sure ^ known.sure));
  return {static_cast<float>(count.low) + kOneSided * 0.5f * one_sided,
          static_cast<float>(count.high) + kOneSided * one_sided, count.high >= kSpeaks};
}

}  // namespace

PrintKey KeyOf(const SubPrint& print, size_t which) {
  // The lower and the upper 16 of 24 bits; the middle is in both.
  const unsigned shift = which == 0 ? 0 : kBits - kKeyBits;
  return {static_cast<uint16_t>(print.bits >> shift),
          std::popcount(static_cast<uint16_t>(print.sure >> shift))};
}

FingerprintMatcher::FingerprintMatcher(const FingerprintSet::Data& data, int ignore)
    : data_(data), ignore_(ignore) {}

bool FingerprintMatcher::Following() const {
  return std::any_of(tracks_.begin(), tracks_.end(), [](const Track& t) { return t.used; });
}

void FingerprintMatcher::Step(Track& track, const SubPrint& heard) {
  const SamplePrint& sample = data_.samples[track.sample];
  ++track.frame;
  if (track.frame >= static_cast<int32_t>(sample.frames)) {
    // The end: what was gathered stands for a moment, then the announcement begins anew elsewhere.
    if (++track.dead > 10) track.used = false;
    return;
  }
  const auto at = static_cast<size_t>(track.frame);
  const Compared c = Compare(heard, sample.prints[track.offset * sample.frames + at]);
  track.recent_wrong = track.recent_wrong * kFade + c.wrong;
  track.recent_asked = track.recent_asked * kFade + c.asked;
  if (sample.shared.empty() || sample.shared[at] == 0) {
    track.wrong += c.wrong;
    track.asked += c.asked;
    track.spoken += c.speaks;
  }
  if (track.recent_wrong > kRecentErrorMax * track.recent_asked && track.recent_asked > 40) {
    track.used = false;
  }
}

void FingerprintMatcher::Try(FingerprintSet::Data::Place place) {
  const SamplePrint& sample = data_.samples[place.sample];
  const auto offset = static_cast<uint16_t>(place.at / sample.frames);
  const auto frame = static_cast<int32_t>(place.at % sample.frames);
  const SubPrint* const row = sample.prints.data() + size_t{offset} * sample.frames;
  // A look at moments before, two of three must be alike; few strangers pass. (The third may be a
  // lost packet.)
  int unlike = 0;
  for (const size_t back : {size_t{3}, size_t{6}, size_t{10}}) {
    if (back >= fed_ || back > static_cast<size_t>(frame)) break;
    unlike +=
        Unlike(history_[(fed_ - 1 - back) % kHistory], row[static_cast<size_t>(frame) - back]);
    if (unlike > 1) return;
  }
  // Does a track follow this place already, or one a few ms beside it? It may be the nearer one.
  Track* beside = nullptr;
  for (Track& track : tracks_) {
    if (!track.used || track.sample != place.sample || std::abs(track.frame - frame) > 1) continue;
    if (track.frame == frame && track.offset == offset) return;
    if (track.recent_wrong < kGoodError * track.recent_asked) return;
    beside = &track;
  }
  // Backwards over the frames before; most places fail within a few.
  float wrong = 0, asked = 0;
  size_t back = 0;
  const size_t back_max = std::min({fed_, kHistory, static_cast<size_t>(frame) + 1});
  for (; back < std::min(back_max, kTryFrames); ++back) {
    const Compared c =
        Compare(history_[(fed_ - 1 - back) % kHistory], row[static_cast<size_t>(frame) - back]);
    wrong += c.wrong;
    asked += c.asked;
    if (asked > 40 && wrong > kTryErrorMax * 1.15f * asked) return;
  }
  if (asked < kTryAskedMin || wrong > kTryErrorMax * asked) return;

  // On to where it begins.
  Track track{.used = true, .sample = place.sample, .offset = offset, .frame = frame};
  float fading_wrong = wrong * 0.5f, fading_asked = asked * 0.5f;
  size_t begin = back;
  for (; back < back_max; ++back) {
    const Compared c =
        Compare(history_[(fed_ - 1 - back) % kHistory], row[static_cast<size_t>(frame) - back]);
    fading_wrong = fading_wrong * kFade + c.wrong;
    fading_asked = fading_asked * kFade + c.asked;
    if (fading_asked > 30 && fading_wrong > kRecentErrorMax * fading_asked) break;
    begin = back + 1;
  }
  track.begun = frame - static_cast<int32_t>(begin) + 1;
  for (size_t i = begin; i-- > 0;) {
    const auto at = static_cast<size_t>(frame) - i;
    const Compared c = Compare(history_[(fed_ - 1 - i) % kHistory], row[at]);
    track.recent_wrong = track.recent_wrong * kFade + c.wrong;
    track.recent_asked = track.recent_asked * kFade + c.asked;
    if (!sample.shared.empty() && sample.shared[at] != 0) continue;
    track.wrong += c.wrong;
    track.asked += c.asked;
    track.spoken += c.speaks;
  }
  if (beside != nullptr &&
      track.recent_wrong * beside->recent_asked >= beside->recent_wrong * track.recent_asked) {
    return;
  }
  // In a free place, or instead of the weakest.
  Track* slot = beside;
  for (Track& t : tracks_) {
    if (beside != nullptr) break;
    if (!t.used) {
      slot = &t;
      break;
    }
    if (slot == nullptr ||
        t.recent_asked - t.recent_wrong * 2 < slot->recent_asked - slot->recent_wrong * 2) {
      slot = &t;
    }
  }
  *slot = track;
}

void FingerprintMatcher::Look(const SubPrint& print) {
  // One key a frame, in turn: a place missed now is found a frame or two later, and nothing is
  // lost, since a track begins where the frames before it began to agree.
  for (size_t which = 0; which < kKeys; ++which) {
    const PrintKey key = KeyOf(print, which);
    if (key.sure < kKeySureMin || data_.places[which].empty()) continue;
    // The unsure bits of what was heard are tried both ways, as many as there is time for.
    const unsigned shift = which == 0 ? 0 : kBits - kKeyBits;
    uint32_t unsure = static_cast<uint16_t>(~(print.sure >> shift));
    std::array<uint16_t, kFlips> flip{};
    size_t flips = 0;
    for (; unsure != 0 && flips < kFlips; ++flips) {
      const uint32_t lowest = unsure & (~unsure + 1);
      flip[flips] = static_cast<uint16_t>(lowest);
      unsure ^= lowest;
    }
    for (size_t mask = 0; mask < (size_t{1} << flips); ++mask) {
      uint16_t tried = key.key;
      for (size_t i = 0; i < flips; ++i) {
        if ((mask >> i & 1) != 0) tried = static_cast<uint16_t>(tried ^ flip[i]);
      }
      const uint32_t begin = data_.first[which][tried];
      const uint32_t end = data_.first[which][size_t{tried} + 1];
      const size_t count = std::min<size_t>(end - begin, kPlacesMax);
      for (size_t i = 0; i < count; ++i) {
        const auto place = data_.places[which][begin + i];
        if (int{place.sample} != ignore_) Try(place);
      }
    }
  }
}

std::optional<Match> FingerprintMatcher::Decide() const {
  const Track* best = nullptr;
  float least = 1;
  for (const Track& track : tracks_) {
    if (!track.used || track.asked < kAskedMin) continue;
    const float error = track.wrong / track.asked;
    if (error >= ErrorAllowed(track.asked) || error >= least) continue;
    if (track.recent_wrong > kRecentErrorForVerdict * track.recent_asked) continue;
    const float needed =
        std::min(kSpokenSeconds, kSpokenShare * data_.samples[track.sample].sure_seconds);
    if (static_cast<float>(track.spoken) * 0.02f < needed) continue;
    best = &track;
    least = error;
  }
  if (best == nullptr) return std::nullopt;
  for (const Track& track : tracks_) {
    if (!track.used || &track == best || track.recent_asked < 30) continue;
    const bool same = data_.samples[track.sample].announcement_class ==
                      data_.samples[best->sample].announcement_class;
    if (!same && track.recent_wrong / track.recent_asked < least + kRivalMargin) {
      return std::nullopt;
    }
  }
  Match match;
  match.sample = best->sample;
  match.error = least;
  match.seconds = static_cast<float>(best->frame - best->begun + 1) * 0.02f;
  // Strangers' bits differ by half, within 0.5 / sqrt(bits / 4): neighbours in time and frequency
  // are not independent.
  const float sigmas = (0.5f - least) * 2 * std::sqrt(best->asked / 4);
  match.confidence = std::clamp(1 - std::exp(-0.5f * sigmas), 0.5f, 0.99f);
  return match;
}

std::optional<Match> FingerprintMatcher::Feed(const SubPrint& print) {
  history_[fed_ % kHistory] = print;
  ++fed_;
  for (Track& track : tracks_) {
    if (track.used) Step(track, print);
  }
  Look(print);
  return Decide();
}

}  // namespace outpace::listen
