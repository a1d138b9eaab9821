#pragma once

// Champion and challenger: two scorers, each ranking the leads that were drawn for it, until the
// sequential test says which finds more successes. Both learn from every attempt; what is compared
// is whom they put first (campaign_tiers.h).

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "campaign/tier/ab_test.h"
#include "engine/base/ids.h"

namespace outpace::tier {

enum class Arm : uint8_t { kChampion = 0, kChallenger = 1 };

struct TrialSettings {
  uint64_t salt = 0;              // another for each trial, so that leads are drawn anew
  double challenger_share = 0.5;  // of the leads, (0, 1)
  double alpha = 0.05;            // chance of promoting a challenger that is no better
  double indifference = 0.05;     // ratios within 1 / 1.05 .. 1.05 are no difference to act on
};

enum class Verdict {
  kRunning,
  kPromote,       // the challenger is better
  kKeep,          // it is worse
  kNoDifference,  // whatever there is, is less than `indifference`: the champion stays
};
absl::string_view VerdictName(Verdict verdict);

class Trial {
 public:
  explicit Trial(TrialSettings settings);

  Arm ArmOf(LeadId lead) const;  // sticky
  // An attempt at a lead of `arm` ended. `challenger_share`: of the attempts at that time; where
  // the hopper takes from both arms by their shares of leads, the setting.
  void Learn(Arm arm, bool success, double challenger_share);
  void Learn(Arm arm, bool success) { Learn(arm, success, settings_.challenger_share); }

  Verdict verdict() const { return verdict_; }  // final once it is not kRunning
  const ArmCounts& champion() const { return ratio_.second(); }
  const ArmCounts& challenger() const { return ratio_.first(); }
  Ratio Interval() const { return ratio_.Interval(); }  // challenger / champion
  double PValue() const { return ratio_.PValue(); }

  std::string Save() const;
  // DataLoss, FailedPrecondition as TierModel::Load; the settings are those of the constructor.
  absl::Status Load(absl::string_view bytes);

 private:
  TrialSettings settings_;
  SequentialRatio ratio_;
  Verdict verdict_ = Verdict::kRunning;
};

}  // namespace outpace::tier
