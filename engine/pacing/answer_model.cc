#include "engine/pacing/answer_model.h"

#include <algorithm>
#include <cmath>

namespace outpace::pacing {
namespace {

// Answers remembered by each expert.
constexpr std::array<double, RatioTracker::kMemories> kMemory = {12, 40, 130, 400};
// Trust before anything is known: most hours are steady.
constexpr std::array<double, RatioTracker::kMemories> kTrust = {0.1, 0.15, 0.25, 0.5};
// Share of the trust that is dealt out anew for each answer expected: a step is thought possible
// every few hundred answers.
constexpr double kShare = 0.004;

// Before anything is known: a careful guess that weighs as much as a few answers.
constexpr double kPriorRatio = 0.35;
constexpr double kPriorWeight = 3;
// Of the campaign's factor on the ring law, and the answers the law must rest on before it can be
// said to be wrong.
constexpr double kCampaignWeight = 10;
constexpr double kLawWeightMin = 100;
// What a new segment takes over from the campaign, in answers.
constexpr double kSegmentWeight = 4;
constexpr size_t kSegmentsMax = 512;
constexpr double kForecastMean = 1.0 / 200;
constexpr double kChanceMax = 0.98;

}  // namespace

RatioTracker::RatioTracker(double ratio, double weight) {
  for (size_t k = 0; k < kMemories; ++k) experts_[k] = {weight, weight / ratio, kTrust[k]};
  Mix();
}

void RatioTracker::Update(double seen, double exposure) {
  if (!(exposure > 0) && !(seen > 0)) return;
  exposure = std::max(exposure, 1e-9);
  // How well each foretold it: Poisson likelihood, scaled to the best to stay in range.
  std::array<double, kMemories> log_likelihood;
  double best = -1e300;
  for (size_t k = 0; k < kMemories; ++k) {
    const double expected = experts_[k].seen / experts_[k].expected * exposure;
    log_likelihood[k] = seen * std::log(std::max(expected, 1e-300)) - expected;
    best = std::max(best, log_likelihood[k]);
  }
  double sum = 0;
  for (size_t k = 0; k < kMemories; ++k) {
    experts_[k].trust *= std::exp(log_likelihood[k] - best);
    sum += experts_[k].trust;
  }
  const double answers = ratio_ * exposure;
  const double share = -std::expm1(-kShare * answers);
  for (size_t k = 0; k < kMemories; ++k) {
    Expert& expert = experts_[k];
    expert.trust = (1 - share) * expert.trust / sum + share * kTrust[k];
    const double keep = std::exp(-answers / kMemory[k]);
    expert.seen = expert.seen * keep + seen;
    expert.expected = expert.expected * keep + exposure;
    expert.seen = std::max(expert.seen, 0.05);  // a ratio of zero could not be left
  }
  Mix();
}

void RatioTracker::Mix() {
  ratio_ = 0;
  weight_ = 0;
  for (const Expert& expert : experts_) {
    ratio_ += expert.trust * expert.seen / expert.expected;
    weight_ += expert.trust * expert.seen;
  }
}

void RatioTracker::Save(std::vector<double>& out) const {
  for (const Expert& expert : experts_) {
    out.insert(out.end(), {expert.seen, expert.expected, expert.trust});
  }
}

bool RatioTracker::Load(absl::Span<const double> in) {
  if (in.size() != kSavedSize) return false;
  std::array<Expert, kMemories> loaded;
  double trust = 0;
  for (size_t k = 0; k < kMemories; ++k) {
    loaded[k] = {in[3 * k], in[3 * k + 1], in[3 * k + 2]};
    if (!(loaded[k].seen > 0 && loaded[k].seen < 1e12)) return false;
    if (!(loaded[k].expected > 0 && loaded[k].expected < 1e15)) return false;
    if (!(loaded[k].trust >= 0 && loaded[k].trust <= 1)) return false;
    const double ratio = loaded[k].seen / loaded[k].expected;
    if (!(ratio > 1e-6 && ratio < 1e3)) return false;
    loaded[k].trust = std::max(loaded[k].trust, 1e-12);
    trust += loaded[k].trust;
  }
  if (!(std::abs(trust - 1) < 1e-6)) return false;
  experts_ = loaded;
  Mix();
  return true;
}

AnswerModel::AnswerModel()
    : base_(kPriorRatio), campaign_(1, kCampaignWeight), forecast_(1, kPriorWeight) {}

int AnswerModel::FindSegment(uint32_t id) const {
  const auto found = segment_index_.find(id);
  return found == segment_index_.end() ? -1 : found->second;
}

int AnswerModel::AddSegment(uint32_t id, bool forecast) {
  Segment segment = {id,
                     RatioTracker(forecast ? forecast_.ratio() : campaign_ratio(), kSegmentWeight),
                     0, 0, dials_};
  size_t at = segments_.size();
  if (at < kSegmentsMax) {
    segments_.push_back(segment);
  } else {
    // Takes the place of the one not dialed for longest.
    at = 0;
    for (size_t i = 1; i < segments_.size(); ++i) {
      if (segments_[i].used < segments_[at].used) at = i;
    }
    segment_index_.erase(segments_[at].id);
    segments_[at] = segment;
  }
  segment_index_[id] = static_cast<int>(at);
  return static_cast<int>(at);
}

LeadPlace AnswerModel::PlaceOf(const LeadTraits& lead) {
  LeadPlace place;
  place.forecast = lead.answer_chance > 0;
  place.share = place.forecast ? std::min(lead.answer_chance, 1.0) : 1;
  ++dials_;
  if (place.forecast) {
    forecast_mean_ += (place.share - forecast_mean_) * (forecast_mean_ > 0 ? kForecastMean : 1);
  }
  if (lead.segment == 0) return place;
  place.segment = FindSegment(lead.segment);
  if (place.segment < 0) place.segment = AddSegment(lead.segment, place.forecast);
  segments_[static_cast<size_t>(place.segment)].used = dials_;
  return place;
}

void AnswerModel::OnPerson(const LeadPlace& lead) {
  seen_ += 1;
  if (lead.forecast) forecast_seen_ += 1;
  if (lead.segment >= 0) segments_[static_cast<size_t>(lead.segment)].seen += 1;
}

void AnswerModel::Spend(const DurationLaw& ring, const LeadPlace& lead, double from, double to) {
  exposure_ += ring.EndsWithin(from, to - from);
  if (!lead.forecast && lead.segment < 0) return;
  const double chance = Chance(lead);
  const double begun = ring.ShareBy(from);
  const double alive = chance * (1 - begun) + (1 - chance) * ring.OthersSurvival(from);
  const double spent = lead.share * (ring.ShareBy(to) - begun) / std::max(alive, 1e-3);
  if (lead.forecast) forecast_exposure_ += spent;
  if (lead.segment >= 0) segments_[static_cast<size_t>(lead.segment)].exposure += spent;
}

void AnswerModel::Refresh(const DurationLaw& ring, bool forget) {
  base_ = ring.Share(0);
  // Until the law rests on something there is nothing to compare with.
  const bool known = ring.Weight(0) >= kLawWeightMin;
  if (!known && forecast_mean_ > 0) {
    // Of the forecasts only their relation is believed: their mean is the campaign's ratio.
    forecast_ = RatioTracker(campaign_ratio() / forecast_mean_, kCampaignWeight);
  }
  if (known && !forget) {
    campaign_.Update(seen_, exposure_);
    forecast_.Update(forecast_seen_, forecast_exposure_);
    for (Segment& segment : segments_) {
      if (segment.seen == 0 && segment.exposure == 0) continue;
      segment.tracker.Update(segment.seen, segment.exposure);
    }
  }
  seen_ = exposure_ = forecast_seen_ = forecast_exposure_ = 0;
  for (Segment& segment : segments_) segment.seen = segment.exposure = 0;
}

double AnswerModel::campaign_ratio() const {
  return std::min(base_ * std::clamp(campaign_.ratio(), 0.1, 10.0), kChanceMax);
}

double AnswerModel::Chance(const LeadPlace& lead) const {
  const double level = lead.segment >= 0
                           ? segments_[static_cast<size_t>(lead.segment)].tracker.ratio()
                       : lead.forecast ? forecast_.ratio()
                                       : campaign_ratio();
  return std::clamp(level * lead.share, 0.0, kChanceMax);
}

double AnswerModel::Chance(const LeadTraits& lead) const {
  LeadPlace place;
  place.forecast = lead.answer_chance > 0;
  place.share = place.forecast ? std::min(lead.answer_chance, 1.0) : 1;
  if (lead.segment != 0) place.segment = FindSegment(lead.segment);
  return Chance(place);
}

void AnswerModel::Save(std::vector<double>& out) const {
  out.push_back(static_cast<double>(segments_.size()));
  campaign_.Save(out);
  forecast_.Save(out);
  for (const Segment& segment : segments_) {
    out.push_back(segment.id);
    segment.tracker.Save(out);
  }
}

bool AnswerModel::Load(absl::Span<const double> in) {
  constexpr size_t kSize = RatioTracker::kSavedSize;
  if (in.size() < 1 + 2 * kSize) return false;
  const double count = in[0];
  if (!(count >= 0 && count <= static_cast<double>(kSegmentsMax))) return false;
  const auto segments = static_cast<size_t>(count);
  if (in.size() != 1 + 2 * kSize + segments * (1 + kSize)) return false;
  if (!campaign_.Load(in.subspan(1, kSize))) return false;
  if (!forecast_.Load(in.subspan(1 + kSize, kSize))) return false;
  segments_.clear();
  segment_index_.clear();
  for (size_t i = 0; i < segments; ++i) {
    const size_t at = 1 + 2 * kSize + i * (1 + kSize);
    const double id = in[at];
    if (!(id >= 1 && id <= 4294967295.0 && id == std::floor(id))) return false;
    if (segment_index_.contains(static_cast<uint32_t>(id))) return false;
    segments_.push_back({static_cast<uint32_t>(id), RatioTracker(0.5, 1), 0, 0, 0});
    if (!segments_.back().tracker.Load(in.subspan(at + 1, kSize))) return false;
    segment_index_[segments_.back().id] = static_cast<int>(i);
  }
  return true;
}

}  // namespace outpace::pacing
