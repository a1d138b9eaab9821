#include "engine/listen/sit_detector.h"

#include <array>
#include <cmath>
#include <cstdlib>

#include "engine/listen/tone_plan.h"

namespace outpace::listen {
namespace {

// Bellcore SR-2275 (formerly Bell System practice): frequency and length of the first two tones.
constexpr SitCode kCodes[] = {
    {"intercept", Sound::kSitIntercept, {false, false}, {false, false}},
    {"vacant code", Sound::kSitVacant, {true, false}, {true, false}},
    {"reorder", Sound::kSitReorder, {false, true}, {false, true}},
    {"reorder, carrier", Sound::kSitReorder, {true, false}, {false, true}},
    {"no circuit", Sound::kSitNoCircuit, {true, true}, {true, true}},
    {"no circuit, carrier", Sound::kSitNoCircuit, {false, false}, {true, true}},
};

// ITU-T E.180: +-50 Hz about each, widened by what a clock that is off by 1 % does, and 330 +-70 ms
// widened by a tenth.
struct Band {
  float low, high;
};
constexpr Band kBands[] = {{870, 1030}, {1330, 1480}, {1720, 1890}};
constexpr float kMsMin = 225, kMsMax = 450;
// The third tone need not have ended to tell; this much of it does.
constexpr float kThirdMsMin = 240;
constexpr float kGapMsMax = 110;
// Below it a first tone is not heard at all; joining in the middle of one is fine.
constexpr float kFirstMsMin = 60;

float Square(float x) { return x * x; }

struct Tones {
  std::array<const ToneRun*, 3> tone{};
};

// The distance of what was heard to three frequencies and two lengths, the third tone being the
// measure of both: a generator's clock that is off moves them all.
float Distance(const Tones& heard, const std::array<float, 3>& hz,
               const std::array<float, 2>& share) {
  constexpr float kHz = 8, kShare = 0.09f, kDrift = 0.02f;
  const float scale = hz[2] / heard.tone[2]->hz;
  float distance = Square((scale - 1) / kDrift);
  for (size_t i = 0; i < 2; ++i) {
    distance += Square((heard.tone[i]->hz * scale - hz[i]) / kHz);
    if (heard.tone[i]->whole && heard.tone[2]->whole) {
      distance += Square((heard.tone[i]->ms / heard.tone[2]->ms - share[i]) / kShare);
    }
  }
  return distance;
}

}  // namespace

absl::Span<const SitCode> SitCodes() { return kCodes; }

std::optional<SitHeard> FindSit(absl::Span<const ToneRun> runs) {
  Tones heard;
  size_t found = 3;
  bool third_done = false;
  for (size_t i = runs.size(); i-- > 0 && found > 0;) {
    if (!runs[i].on) {
      if (found == 3) {
        third_done = true;
      } else if (runs[i].ms > kGapMsMax) {
        return std::nullopt;
      }
      continue;
    }
    if (found == 3 && runs[i].whole) third_done = true;
    heard.tone[--found] = &runs[i];
  }
  if (found > 0) return std::nullopt;
  for (size_t i = 0; i < 3; ++i) {
    const ToneRun& tone = *heard.tone[i];
    if (!tone.pure || tone.hz < kBands[i].low || tone.hz > kBands[i].high) return std::nullopt;
    if (tone.ms > kMsMax) return std::nullopt;
    const bool short_is_fine = i == 0 && !tone.whole;
    if (tone.ms < (short_is_fine ? kFirstMsMin : kMsMin)) return std::nullopt;
  }
  const ToneRun& third = *heard.tone[2];
  if (!third_done) return std::nullopt;
  if (third.ms < kThirdMsMin) return std::nullopt;

  SitHeard best{Sound::kSitReorder, true};
  float least = INFINITY;
  for (const auto& plan : SitFrequencies()) {
    const float distance = Distance(
        heard,
        {static_cast<float>(plan[0]), static_cast<float>(plan[1]), static_cast<float>(plan[2])},
        {1, 1});
    least = std::min(least, distance);
  }
  for (const SitCode& code : kCodes) {
    const std::array<float, 3> hz = {code.high[0] ? kSitHighHz[0] : kSitLowHz[0],
                                     code.high[1] ? kSitHighHz[1] : kSitLowHz[1], kSitThirdHz};
    const float brief = kSitShortMs / kSitLongMs;
    const float distance =
        Distance(heard, hz, {code.is_long[0] ? 1 : brief, code.is_long[1] ? 1 : brief});
    if (distance >= least) continue;
    least = distance;
    best = {code.sound, false};
  }
  return best;
}

}  // namespace outpace::listen
