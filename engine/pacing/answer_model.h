#pragma once

// Who will answer. The ring law of estimators.h says when an answer comes, if it comes; this file
// says how likely it is, for each dial: an answer ratio for the campaign, one for each segment of
// its lists (a list, a tier, an hour: LeadTraits::segment), and the forecast for the very lead
// where there is one.
//
// Three things make the estimate. (1) Exposure, not results: a dial in flight at age a has spent
// the chance dG(a) / P(in flight at a) to be answered in this moment, whatever becomes of it;
// answers seen / exposure does not depend on how fast the others fail. (2) A segment starts from
// the campaign's ratio, worth a few answers, and leaves it as its own answers come (shrinkage). (3)
// The ratio moves: another list, another hour. So each ratio is kept by several estimators that
// remember a few to some hundred answers, weighted by how well each has foretold what came
// (Herbster and Warmuth 1998, fixed share): after a step the short memory takes over within a
// minute, in a steady hour the long one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "engine/pacing/estimators.h"
#include "engine/pacing/policy.h"

namespace outpace::pacing {

// A ratio answers / expected that drifts. One thread.
class RatioTracker {
 public:
  static constexpr size_t kMemories = 4;
  // Starts at `ratio` as if `weight` answers had been seen.
  RatioTracker(double ratio, double weight);
  // `seen` answers came where a ratio of 1 would have brought `exposure` (both >= 0).
  void Update(double seen, double exposure);
  double ratio() const { return ratio_; }
  // About how many answers the ratio rests on.
  double weight() const { return weight_; }

  static constexpr size_t kSavedSize = 3 * kMemories;
  void Save(std::vector<double>& out) const;
  bool Load(absl::Span<const double> in);

 private:
  void Mix();
  struct Expert {
    double seen = 0;
    double expected = 0;
    double trust = 0;  // sum to 1
  };
  std::array<Expert, kMemories> experts_;
  double ratio_ = 0;
  double weight_ = 0;
};

// What the model keeps in mind of a dial.
struct LeadPlace {
  int segment = -1;       // in the model's segments, -1: the campaign
  bool forecast = false;  // `share` is a forecast
  double share = 1;
};

class AnswerModel {
 public:
  AnswerModel();
  LeadPlace PlaceOf(const LeadTraits& lead);
  void OnPerson(const LeadPlace& lead);  // a person answered
  // A dial in flight has gone from one age to another (seconds) under this ring law, of which the
  // campaign's ratio is the base.
  void Spend(const DurationLaw& ring, const LeadPlace& lead, double from, double to);
  // All dials have been told: draws the conclusions. With `forget` what came since the last time is
  // not used: after a long gap exposure and answers do not go together.
  void Refresh(const DurationLaw& ring, bool forget);

  // P(a person answers) a dial, at launch; in [0, 0.98].
  double Chance(const LeadPlace& lead) const;
  double Chance(const LeadTraits& lead) const;
  double campaign_ratio() const;

  void Save(std::vector<double>& out) const;  // the number of segments first
  bool Load(absl::Span<const double> in);

 private:
  struct Segment {
    uint32_t id = 0;
    RatioTracker tracker;
    double seen = 0;  // since the last Refresh()
    double exposure = 0;
    uint64_t used = 0;  // dial that used it last
  };
  int FindSegment(uint32_t id) const;
  int AddSegment(uint32_t id, bool forecast);

  double base_;               // answer ratio of the ring law
  RatioTracker campaign_;     // answers / answers expected from the ring law
  RatioTracker forecast_;     // answers / sum of forecasts
  double forecast_mean_ = 0;  // of about the last 200 dials with forecasts; 0: none yet
  uint64_t dials_ = 0;
  double seen_ = 0, exposure_ = 0;
  double forecast_seen_ = 0, forecast_exposure_ = 0;
  std::vector<Segment> segments_;
  absl::flat_hash_map<uint32_t, int> segment_index_;
};

}  // namespace outpace::pacing
