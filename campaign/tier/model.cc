#include "campaign/tier/model.h"

#include <algorithm>
#include <cmath>

#include "campaign/tier/hash.h"
#include "engine/base/check.h"

namespace outpace::tier {
namespace {

// The learner and the tally say much of the same: their plain sum would be too sure of itself.
constexpr double kBoth = 0.8;
constexpr uint32_t kKind = 1, kVersion = 2;
constexpr double kTimeRate = 0.005;  // means of agents' time reach back some 200 contacts

LearnerSettings WithSlots(LearnerSettings settings, int slot_bits) {
  settings.slot_bits = slot_bits;
  return settings;
}

}  // namespace

TierModel::TierModel(ModelSettings settings)
    : settings_(std::move(settings)),
      maker_(settings_.features),
      contact_(WithSlots(settings_.contact, settings_.features.slot_bits)),
      success_(WithSlots(settings_.success, settings_.features.slot_bits)),
      tally_(settings_.features.slot_bits),
      success_seconds_(absl::ToDoubleSeconds(settings_.success_time)),
      contact_seconds_(absl::ToDoubleSeconds(settings_.contact_time)) {
  OUTPACE_CHECK(settings_.attempt_cost > absl::ZeroDuration());
}

LeadScore TierModel::ScoreOf(const FeatureList& features) const {
  LeadScore score;
  score.contact = Logistic(contact_.base_mean() + contact_.Margin(features));
  score.success = Logistic(success_.base_mean() +
                           kBoth * (success_.Margin(features) + tally_.Margin(features)));
  const double seconds =
      absl::ToDoubleSeconds(settings_.attempt_cost) +
      score.contact * (score.success * success_seconds_ + (1 - score.success) * contact_seconds_);
  score.per_agent_minute = 60 * score.contact * score.success / seconds;
  return score;
}

LeadScore TierModel::Score(const LeadView& lead) const {
  FeatureList features;
  maker_.Make(lead, &features);
  return ScoreOf(features);
}

void TierModel::Learn(const LeadView& lead, const AttemptResult& result) {
  const bool contact = result.contact || result.success;
  FeatureList features;
  maker_.Make(lead, &features);
  contact_.Learn(features, contact);
  if (contact) {
    success_.Learn(features, result.success);
    tally_.Learn(features, result.success);
    const double seconds = absl::ToDoubleSeconds(result.agent_time);
    double* mean = result.success ? &success_seconds_ : &contact_seconds_;
    if (seconds > 0 && std::isfinite(seconds)) *mean += kTimeRate * (seconds - *mean);
  }
  maker_.Learn(lead, contact, result.success);
}

double TierModel::SuccessPart(const FeatureList& features, int index) const {
  return kBoth * (success_.Part(features, index) + tally_.Part(features, index));
}

std::vector<Reason> TierModel::Explain(const LeadView& lead, int count) const {
  FeatureList features;
  maker_.Make(lead, &features);
  std::vector<int> order(static_cast<size_t>(features.size));
  for (int i = 0; i < features.size; ++i) order[static_cast<size_t>(i)] = i;
  const auto size = [&](int i) {
    return std::abs(contact_.Part(features, i)) + std::abs(SuccessPart(features, i));
  };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return size(a) > size(b); });
  std::vector<Reason> reasons;
  for (const int i : order) {
    if (static_cast<int>(reasons.size()) >= count || size(i) == 0) break;
    reasons.push_back({.feature = maker_.Name(lead, features, i),
                       .contact = contact_.Part(features, i),
                       .success = SuccessPart(features, i)});
  }
  return reasons;
}

int TierModel::BestHour(const LeadView& lead, int from, int to) const {
  OUTPACE_CHECK(from >= 0 && from < to && to <= 24);
  LeadView at = lead;
  int best = from;
  double best_score = -1;
  for (int hour = from; hour < to; ++hour) {
    at.hour = hour;
    const double score = Score(at).per_agent_minute;
    if (score > best_score) {
      best = hour;
      best_score = score;
    }
  }
  return best;
}

uint64_t TierModel::Fingerprint() const {
  const FeatureSettings& f = settings_.features;
  uint64_t hash = Combine(static_cast<uint64_t>(f.slot_bits), static_cast<uint64_t>(f.cross_max));
  for (const std::string& name : f.profile) hash = HashText(name, hash);
  hash = Mix(hash);
  for (const std::string& name : f.names) hash = HashText(name, hash);
  return hash;
}

std::string TierModel::Save() const {
  ByteWriter out;
  out.Put(Fingerprint());
  out.Put(success_seconds_);
  out.Put(contact_seconds_);
  maker_.Save(&out);
  contact_.Save(&out);
  success_.Save(&out);
  tally_.Save(&out);
  return out.Seal(kKind, kVersion);
}

absl::StatusOr<TierModel> TierModel::Load(ModelSettings settings, absl::string_view bytes) {
  const absl::StatusOr<absl::string_view> payload = Unseal(bytes, kKind, kVersion);
  if (!payload.ok()) return payload.status();
  TierModel model(std::move(settings));
  ByteReader in(*payload);
  if (in.Get<uint64_t>() != model.Fingerprint()) {
    return absl::FailedPreconditionError("tier state: learned under other settings");
  }
  model.success_seconds_ = in.Get<double>();
  model.contact_seconds_ = in.Get<double>();
  if (!model.maker_.Load(&in) || !model.contact_.Load(&in) || !model.success_.Load(&in) ||
      !model.tally_.Load(&in) || !in.done() || !(model.success_seconds_ > 0) ||
      !(model.contact_seconds_ > 0)) {
    return absl::DataLossError("tier state: damaged");
  }
  return model;
}

}  // namespace outpace::tier
