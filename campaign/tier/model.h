#pragma once

// What a campaign's own results say of a lead: the probability that the next attempt reaches the
// person, the probability of success once it has, and from both the expected successes in a minute
// of an agent's time, by which leads are ranked.
//
// The state is a function of the settings and of the sequence of Learn() calls alone: the same
// results in the same order give the same bytes. It takes 8 MiB of weights, 3 MiB of counts and
// 3 MiB of look-alikes with the settings as they are, whatever the size of the list.
//
// One thread learns; Score, Explain and BestHour are const, and may run on copies elsewhere.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/tier/features.h"
#include "campaign/tier/learner.h"
#include "campaign/tier/tally.h"

namespace outpace::tier {

struct ModelSettings {
  FeatureSettings features = {};
  LearnerSettings contact = {.base = -1.1};  // one in four
  LearnerSettings success = {};
  // Agents' time an attempt costs beside the talk: idle time between calls, spread over attempts.
  absl::Duration attempt_cost = absl::Seconds(10);
  // Agents' time on a contact, talk and wrap-up, until some have been seen.
  absl::Duration success_time = absl::Seconds(300);
  absl::Duration contact_time = absl::Seconds(90);
};

// How an attempt ended.
struct AttemptResult {
  bool contact = false;                              // a person who can decide was spoken to
  bool success = false;                              // sale, appointment; only with contact
  absl::Duration agent_time = absl::ZeroDuration();  // talk and wrap-up; zero: not told
};

struct LeadScore {
  double contact = 0;           // probabilities, at the campaign's mean rates of the last weeks
  double success = 0;           // given contact
  double per_agent_minute = 0;  // expected successes; what leads are ranked by
};

// A feature's part in a score.
struct Reason {
  std::string feature;
  double contact = 0, success = 0;  // log odds: 0.7 doubles the odds, -0.7 halves them
};

class TierModel {
 public:
  explicit TierModel(ModelSettings settings);

  // Deterministic, allocates nothing.
  LeadScore Score(const LeadView& lead) const;
  // `lead` as it was when the attempt began.
  void Learn(const LeadView& lead, const AttemptResult& result);

  // The `count` features with the largest parts in the score, largest first.
  std::vector<Reason> Explain(const LeadView& lead, int count) const;
  // The hour from `from` to before `to`, 0..24, in which the lead's score is highest, the earliest
  // of equals; `lead.hour` is not looked at. from < to.
  int BestHour(const LeadView& lead, int from, int to) const;

  uint64_t attempts() const { return contact_.learned(); }
  uint64_t contacts() const { return success_.learned(); }

  std::string Save() const;
  // DataLoss: damaged. FailedPrecondition: of another version, or learned under other settings of
  // the features (slots would not mean the same).
  static absl::StatusOr<TierModel> Load(ModelSettings settings, absl::string_view bytes);

 private:
  LeadScore ScoreOf(const FeatureList& features) const;
  double SuccessPart(const FeatureList& features, int index) const;
  uint64_t Fingerprint() const;

  ModelSettings settings_;
  FeatureMaker maker_;
  Learner contact_, success_;
  Tally tally_;                               // of successes
  double success_seconds_, contact_seconds_;  // running means
};

}  // namespace outpace::tier
