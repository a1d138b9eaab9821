#include "engine/codec/concealment.h"

#include <algorithm>

namespace outpace::codec {
namespace {

constexpr size_t kHistoryMs = 35;  // the longest lag and the stretch that is compared
constexpr size_t kCompareMs = 20;
constexpr size_t kFullMs = 10;
constexpr size_t kGoneMs = 60;
constexpr size_t kSeamMs = 4;

}  // namespace

Concealment::Concealment(int rate)
    : rate_(static_cast<size_t>(rate)), history_(kHistoryMs * rate_ / 1000) {
  period_.reserve(rate_ / 66 + 1);
}

void Concealment::Remember(absl::Span<const int16_t> samples) {
  if (samples.size() >= history_.size()) {
    std::copy(samples.end() - static_cast<std::ptrdiff_t>(history_.size()), samples.end(),
              history_.begin());
    return;
  }
  const auto keep = static_cast<std::ptrdiff_t>(history_.size() - samples.size());
  std::copy(history_.end() - keep, history_.end(), history_.begin());
  std::copy(samples.begin(), samples.end(), history_.begin() + keep);
}

void Concealment::Decoded(std::vector<int16_t>& out, size_t count) {
  const absl::Span<int16_t> fresh = absl::MakeSpan(out).last(count);
  if (made_ > 0) {
    const size_t seam = std::min(kSeamMs * rate_ / 1000, fresh.size());
    for (size_t i = 0; i < seam; ++i) {
      const auto in = static_cast<int>(i + 1);
      const auto whole = static_cast<int>(seam + 1);
      fresh[i] = static_cast<int16_t>((fresh[i] * in + Next() * (whole - in)) / whole);
    }
    made_ = 0;
  }
  Remember(fresh);
}

// The lag, 5 to 15 ms (66 to 200 Hz), at which the last 20 ms are most like what was before. Every
// second sample is compared: a loss is rare, but a burst of them comes to many legs at once.
void Concealment::FindPitch() {
  const size_t window = kCompareMs * rate_ / 1000;
  const size_t lag_min = rate_ / 200;
  const size_t lag_max = rate_ * 15 / 1000;
  const int16_t* const now = history_.data() + history_.size() - window;
  size_t best = lag_max;
  double best_score = 0;
  for (size_t lag = lag_min; lag <= lag_max; ++lag) {
    const int16_t* const then = now - lag;
    int64_t product = 0;
    int64_t energy = 1;
    for (size_t i = 0; i < window; i += 2) {
      product += int64_t{now[i]} * then[i];
      energy += int64_t{then[i]} * then[i];
    }
    if (product <= 0) continue;
    const auto p = static_cast<double>(product);
    const double score = p * p / static_cast<double>(energy);
    if (score > best_score) {
      best_score = score;
      best = lag;
    }
  }
  period_.assign(history_.end() - static_cast<std::ptrdiff_t>(best), history_.end());
}

int16_t Concealment::Next() {
  const size_t full = kFullMs * rate_ / 1000;
  const size_t gone = kGoneMs * rate_ / 1000;
  const size_t at = made_++;
  if (at >= gone) return 0;
  const int sample = period_[at % period_.size()];
  if (at < full) return static_cast<int16_t>(sample);
  return static_cast<int16_t>(sample * static_cast<int>(gone - at) / static_cast<int>(gone - full));
}

void Concealment::Conceal(size_t samples, std::vector<int16_t>& out) {
  if (made_ == 0) FindPitch();
  const size_t first = out.size();
  out.resize(first + samples);
  for (size_t i = 0; i < samples; ++i) out[first + i] = Next();
  Remember(absl::MakeConstSpan(out).last(samples));
}

}  // namespace outpace::codec
