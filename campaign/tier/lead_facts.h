#pragma once

// A stored lead as a scorer sees it. The same function makes what is scored and what is learned
// from, so that both mean the same.

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "campaign/attempt.h"
#include "campaign/lead.h"
#include "campaign/tier/features.h"
#include "campaign/tier/model.h"
#include "campaign/tier_choice.h"

namespace outpace::tier {

// Scratch for one thread: a view is good until the next one is made, and as long as what it was
// made from.
class LeadFacts {
 public:
  explicit LeadFacts(campaign::TierFields fields) : allowed_(std::move(fields)) {}

  // The lead's next attempt, were it placed at `at`.
  LeadView Next(const campaign::Lead& lead, absl::Time at);
  // The attempt `record` at the lead, which was `before` until then.
  LeadView Of(const campaign::Lead& before, const campaign::Attempt& record);

 private:
  struct Zone {
    absl::TimeZone zone;
    bool known = false;
    absl::Time hour;  // beginning of the hour last asked for
    int hour_of_day = 0, weekday = 0;
  };
  void SetTime(const campaign::Lead& lead, absl::Time at, LeadView* view);
  bool Allows(const std::string& field);

  const campaign::TierFields allowed_;
  absl::flat_hash_map<std::string, bool> allows_;  // of each field seen
  absl::flat_hash_map<std::string, Zone> zones_;
  std::vector<LeadField> fields_;
  std::string list_, caller_id_;
};

// The lead as it was when the attempt was placed, as far as the record tells; its fields are those
// of today.
campaign::Lead AsOf(campaign::Lead lead, const campaign::Attempt& record);

// Whether an attempt says something of its lead, and what. Nothing is learned from calls that never
// left, that failed for the trunk, that came from outside, that we ended ourselves, or that met no
// agent: whoever was abandoned answered, but nobody asked them anything. A call whose agent has not
// said what came of it (DISPO) teaches when that is said.
struct Lesson {
  bool learn = false;
  AttemptResult result;
};
// `human`, `sale`: the flags of the attempt's status.
Lesson LessonOf(const campaign::Attempt& record, bool human, bool sale);

}  // namespace outpace::tier
