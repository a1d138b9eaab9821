#include "campaign/tier/running_quantile.h"

#include <algorithm>
#include <cmath>

#include "engine/base/check.h"

namespace outpace::tier {
namespace {

constexpr double kWeightMax = 1e100;
// 36 bins a decade are a factor of 1.066 each; 1,024 of them reach from 1e-8 to far above 1e20.
constexpr double kBinsPerDecade = 36;

}  // namespace

RunningQuantile::RunningQuantile(double reach) : growth_(1 + 1 / reach) {
  OUTPACE_CHECK(reach >= 100);
}

int RunningQuantile::BinOf(double score) {
  if (!(score > 1e-8)) return 0;
  const double bin = (std::log10(score) + 8) * kBinsPerDecade;
  return static_cast<int>(std::clamp(bin, 0.0, kBins - 1.0));
}

void RunningQuantile::Add(double score) {
  bins_[static_cast<size_t>(BinOf(score))] += weight_;
  total_ += weight_;
  weight_ *= growth_;
  ++added_;
  if (weight_ < kWeightMax) return;
  for (double& bin : bins_) bin /= kWeightMax;
  total_ /= kWeightMax;
  weight_ /= kWeightMax;
}

void RunningQuantile::Merge(const RunningQuantile& other) {
  // As if the other's last entry had come just now.
  const double scale = other.weight_ > 0 ? weight_ / other.weight_ : 0;
  for (size_t i = 0; i < kBins; ++i) bins_[i] += other.bins_[i] * scale;
  total_ += other.total_ * scale;
  added_ += other.added_;
}

double RunningQuantile::ShareAbove(double score, double tie) const {
  if (total_ <= 0) return 0;
  const size_t at = static_cast<size_t>(BinOf(score));
  double above = bins_[at] * tie;
  for (size_t i = at + 1; i < kBins; ++i) above += bins_[i];
  return std::min(1.0, above / total_);
}

void RunningQuantile::Save(ByteWriter* out) const {
  out->Put(weight_);
  out->Put(total_);
  out->Put(added_);
  for (const double bin : bins_) out->Put(bin);
}

bool RunningQuantile::Load(ByteReader* in) {
  weight_ = in->Get<double>();
  total_ = in->Get<double>();
  added_ = in->Get<uint64_t>();
  bool good = weight_ > 0 && weight_ <= kWeightMax && total_ >= 0;
  for (double& bin : bins_) {
    bin = in->Get<double>();
    good = good && bin >= 0;
  }
  good = good && in->ok();
  if (!good) {
    weight_ = 1;
    total_ = 0;
    added_ = 0;
    bins_ = {};
  }
  return good;
}

}  // namespace outpace::tier
