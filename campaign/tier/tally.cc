#include "campaign/tier/tally.h"

#include <algorithm>
#include <cmath>

namespace outpace::tier {
namespace {

constexpr double kReach = 3000;     // outcomes over which counts fade to 1/e
constexpr size_t kSteps = 1 << 14;  // a count not seen for longer is taken as none
constexpr double kRateReach = 30;   // outcomes from which the first expectation is taken
constexpr double kExpectedMin = 0.02, kExpectedMax = 0.95;
// Weights of the groups, and what each count is shrunk by, in variance: one is some ten outcomes
// at a rate of one in ten.
constexpr double kSingle = 0.6, kAlike = 0.12;
constexpr double kSinglePrior = 0.3, kAlikePrior = 1;

}  // namespace

Tally::Tally(int slot_bits)
    : slot_bits_(slot_bits), expected_(0.1), fading_(kSteps), counts_(size_t{1} << slot_bits) {
  for (size_t i = 0; i < kSteps; ++i) {
    fading_[i] = static_cast<float>(std::exp(-static_cast<double>(i) / kReach));
  }
}

float Tally::Faded(uint32_t outcomes) const {
  return outcomes < fading_.size() ? fading_[outcomes] : 0;
}

double Tally::PartOf(uint32_t slot, double prior) const {
  const Count& count = counts_[slot];
  const double faded = Faded(counted_ - count.counted);
  const double variance = count.variance * faded;
  // What all leads have in common is no news of this one.
  const double common = variance * surplus_ / (variance_ + 0.5);
  return (count.surplus * faded - common) / (variance + prior);
}

double Tally::Part(const FeatureList& features, int index) const {
  const uint32_t slot = features.slot[static_cast<size_t>(index)];
  if (index < features.singles) return kSingle * PartOf(slot, kSinglePrior);
  if (index < features.crosses) return 0;
  return kAlike * PartOf(slot, kAlikePrior);
}

double Tally::Margin(const FeatureList& features) const {
  double sum = 0;
  for (int i = 0; i < features.singles; ++i) sum += Part(features, i);
  for (int i = features.crosses; i < features.size; ++i) sum += Part(features, i);
  return sum;
}

void Tally::Add(const Pending& lead, double surplus, double variance) {
  for (uint32_t i = 0; i < lead.size; ++i) {
    Count& count = counts_[lead.slot[i]];
    const float faded = Faded(counted_ - count.counted);
    count.surplus = count.surplus * faded + static_cast<float>(surplus);
    count.variance = count.variance * faded + static_cast<float>(variance);
    count.counted = counted_;
  }
  surplus_ += surplus;
  variance_ += variance;
}

void Tally::Learn(const FeatureList& features, bool outcome) {
  static const double kFade = std::exp(-1 / kReach);
  Pending& lead = pending_[counted_ % kPending];
  lead.size = 0;
  lead.expected = expected_;
  lead.outcome = outcome;
  for (int i = 0; i < features.size && lead.size < kSlotsMax; ++i) {
    if (i == features.singles) i = features.crosses;
    if (i < features.size) lead.slot[lead.size++] = features.slot[static_cast<size_t>(i)];
  }
  surplus_ *= kFade;
  variance_ *= kFade;
  Add(lead, (outcome ? 1 : 0) - expected_, expected_ * (1 - expected_));
  expected_ += ((outcome ? 1 : 0) - expected_) / kRateReach;
  expected_ = std::clamp(expected_, kExpectedMin, kExpectedMax);
  ++counted_;
  if (counted_ < kPending) return;
  // The middle one of those kept has kSide outcomes on either side. Its own is left out.
  const Pending& middle = pending_[(counted_ - 1 - kSide) % kPending];
  int successes = middle.outcome ? -1 : 0;
  for (const Pending& one : pending_) successes += one.outcome ? 1 : 0;
  Add(middle, middle.expected - (successes + 0.1) / kPending, 0);
}

void Tally::Save(ByteWriter* out) const {
  out->Put(expected_);
  out->Put(surplus_);
  out->Put(variance_);
  out->Put(counted_);
  for (const Pending& lead : pending_) {
    out->Put(lead.size);
    out->Put(lead.expected);
    out->Put(static_cast<uint8_t>(lead.outcome ? 1 : 0));
    for (uint32_t i = 0; i < lead.size; ++i) out->Put(lead.slot[i]);
  }
  const auto used = [](const Count& c) { return c.variance != 0 || c.surplus != 0; };
  uint32_t count = 0;
  for (const Count& c : counts_) count += used(c) ? 1 : 0;
  out->Put(count);
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (!used(counts_[i])) continue;
    out->Put(static_cast<uint32_t>(i));
    out->Put(counts_[i].surplus);
    out->Put(counts_[i].variance);
    out->Put(counts_[i].counted);
  }
}

bool Tally::Load(ByteReader* in) {
  Tally fresh(slot_bits_);
  fresh.expected_ = in->Get<double>();
  fresh.surplus_ = in->Get<double>();
  fresh.variance_ = in->Get<double>();
  fresh.counted_ = in->Get<uint32_t>();
  bool good = fresh.expected_ > 0 && fresh.expected_ < 1 && std::isfinite(fresh.surplus_) &&
              fresh.variance_ >= 0 && std::isfinite(fresh.variance_);
  for (Pending& lead : fresh.pending_) {
    lead.size = in->Get<uint32_t>();
    lead.expected = in->Get<double>();
    lead.outcome = in->Get<uint8_t>() != 0;
    if (lead.size > kSlotsMax || !std::isfinite(lead.expected)) return false;
    for (uint32_t i = 0; i < lead.size; ++i) {
      lead.slot[i] = in->Get<uint32_t>();
      if (lead.slot[i] >= counts_.size()) return false;
    }
  }
  const uint32_t count = in->GetCount(16);
  for (uint32_t i = 0; good && i < count; ++i) {
    const uint32_t slot = in->Get<uint32_t>();
    if (slot >= counts_.size()) return false;
    Count& one = fresh.counts_[slot];
    one.surplus = in->Get<float>();
    one.variance = in->Get<float>();
    one.counted = in->Get<uint32_t>();
    good = std::isfinite(one.surplus) && std::isfinite(one.variance) && one.variance >= 0;
  }
  if (!good || !in->ok()) return false;
  *this = std::move(fresh);
  return true;
}

}  // namespace outpace::tier
