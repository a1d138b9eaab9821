#include "campaign/tier/ab_test.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "campaign/tier/hash.h"
#include "engine/base/check.h"

namespace outpace::tier {
namespace {

constexpr double kLogRatioMax = 2.302585092994046;  // ln 10
// Log ratios the mixture expects: ratios from 0.6 to 1.65 carry two thirds of its weight.
constexpr double kPriorSpread = 0.5;

double LogRatioOf(int i, int one) { return kLogRatioMax * (i - one) / one; }

}  // namespace

double Draw(LeadId lead, uint64_t salt) {
  return static_cast<double>(Combine(salt, lead.value()) >> 11) * 0x1p-53;
}

Ratio FixedInterval(const ArmCounts& first, const ArmCounts& second, double z) {
  if (first.attempts == 0 || second.attempts == 0) {
    return {.ratio = 1, .low = 0, .high = std::numeric_limits<double>::infinity()};
  }
  const double s1 = std::max(0.5, static_cast<double>(first.successes));
  const double s2 = std::max(0.5, static_cast<double>(second.successes));
  const double n1 = static_cast<double>(first.attempts), n2 = static_cast<double>(second.attempts);
  const double ratio = (s1 / n1) / (s2 / n2);
  const double error = std::sqrt(std::max(0.0, 1 / s1 - 1 / n1 + 1 / s2 - 1 / n2));
  return {.ratio = ratio, .low = ratio * std::exp(-z * error), .high = ratio * std::exp(z * error)};
}

SequentialRatio::SequentialRatio(double alpha) : alpha_(alpha) {
  OUTPACE_CHECK(alpha > 0 && alpha < 1);
  double total = 0;
  for (int i = 0; i < kRatios; ++i) {
    const double x = LogRatioOf(i, kOne) / kPriorSpread;
    log_prior_[static_cast<size_t>(i)] = -x * x / 2;
    total += std::exp(-x * x / 2);
  }
  for (double& prior : log_prior_) prior -= std::log(total);
}

double SequentialRatio::LogMixture() const {
  double top = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < kRatios; ++i) top = std::max(top, log_prior_[i] + log_likelihood_[i]);
  double sum = 0;
  for (size_t i = 0; i < kRatios; ++i) sum += std::exp(log_prior_[i] + log_likelihood_[i] - top);
  return top + std::log(sum);
}

void SequentialRatio::Learn(bool first, bool success, double share) {
  OUTPACE_CHECK(share > 0 && share < 1);
  ArmCounts& arm = first ? first_ : second_;
  ++arm.attempts;
  if (!success) return;
  ++arm.successes;
  const double log_odds = std::log(share / (1 - share));
  for (int i = 0; i < kRatios; ++i) {
    const double x = log_odds + LogRatioOf(i, kOne);
    log_likelihood_[static_cast<size_t>(i)] -= std::log1p(std::exp(first ? -x : x));
  }
  const double mixture = LogMixture();
  const auto evidence = [&](int against) {
    return mixture - log_likelihood_[static_cast<size_t>(against)];
  };
  evidence_max_ = std::max(evidence_max_, evidence(kOne));
  const double limit = -std::log(alpha_);
  // The likelihood has one peak in the log ratio, so what is not rejected is one interval. Should
  // the true ratio have been rejected the interval may run empty: it then stays a point.
  while (low_ < high_ && evidence(low_) >= limit) ++low_;
  while (high_ > low_ && evidence(high_) >= limit) --high_;
}

Ratio SequentialRatio::Interval() const {
  const double n1 = static_cast<double>(first_.attempts),
               n2 = static_cast<double>(second_.attempts);
  Ratio result;
  if (n1 > 0 && n2 > 0 && second_.successes > 0) {
    result.ratio = (static_cast<double>(first_.successes) / n1) /
                   (static_cast<double>(second_.successes) / n2);
  }
  // Outwards to the next ratio of the grid: that one was rejected, what lies between was not asked.
  result.low = low_ == 0 ? 0 : std::exp(LogRatioOf(low_ - 1, kOne));
  result.high = high_ == kRatios - 1 ? std::numeric_limits<double>::infinity()
                                     : std::exp(LogRatioOf(high_ + 1, kOne));
  return result;
}

double SequentialRatio::PValue() const { return std::min(1.0, std::exp(-evidence_max_)); }

void SequentialRatio::Save(ByteWriter* out) const {
  out->Put(alpha_);
  for (const ArmCounts* arm : {&first_, &second_}) {
    out->Put(arm->attempts);
    out->Put(arm->successes);
  }
  for (const double x : log_likelihood_) out->Put(x);
  out->Put(static_cast<int32_t>(low_));
  out->Put(static_cast<int32_t>(high_));
  out->Put(evidence_max_);
}

bool SequentialRatio::Load(ByteReader* in) {
  const double alpha = in->Get<double>();
  if (!(alpha > 0 && alpha < 1)) return false;
  SequentialRatio fresh(alpha);
  bool good = true;
  for (ArmCounts* arm : {&fresh.first_, &fresh.second_}) {
    arm->attempts = in->Get<int64_t>();
    arm->successes = in->Get<int64_t>();
    good = good && arm->successes >= 0 && arm->attempts >= arm->successes;
  }
  for (double& x : fresh.log_likelihood_) {
    x = in->Get<double>();
    good = good && std::isfinite(x);
  }
  fresh.low_ = in->Get<int32_t>();
  fresh.high_ = in->Get<int32_t>();
  fresh.evidence_max_ = in->Get<double>();
  good = good && in->ok() && fresh.low_ >= 0 && fresh.low_ <= fresh.high_ &&
         fresh.high_ < kRatios && std::isfinite(fresh.evidence_max_);
  if (good) *this = fresh;
  return good;
}

}  // namespace outpace::tier
