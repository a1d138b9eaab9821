#pragma once

// How many times better one arm does than the other: tier A beside leads of B drawn at random, or
// the leads of one scorer beside those of another.
//
// Anybody may look at the figures at any time and stop when they please. An ordinary interval is
// then wrong far more often than it says: each look is another chance to be fooled. The sequential
// test here holds its error over all looks together.
//
// How: given that an attempt succeeded, it was of the first arm with probability
//     p r / (p r + 1 - p),
// where p is the share of attempts the first arm had at that moment and r the ratio of success
// rates. The rates themselves have dropped out: they may change by hour, season and offer as they
// like, and a calendar effect cannot make a difference of arms. Each r is tested by the likelihood
// ratio of a mixture over ratios against it, which exceeds 1 / alpha at any time with probability
// at most alpha if r is the true one (Ville's inequality; mixtures: Robbins, Ann. Math. Stat. 41,
// 1970; for counts: Lindon and Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS
// 2022; confidence sequences: Howard, Ramdas, McAuliffe, Sekhon, Ann. Statist. 49, 2021; in A/B
// tests: Johari, Koomen, Pekelis, Walsh, Operations Research 70, 2022). The ratios not rejected so
// far are the confidence sequence.
//
// What it asks for: p is known before the outcome, and which arm an attempt belongs to is drawn,
// not chosen by anything that says something of the outcome.

#include <array>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "campaign/tier/bytes.h"
#include "engine/base/ids.h"

namespace outpace::tier {

// A number in [0, 1) that belongs to a lead for as long as `salt` is the same: who is below a share
// is drawn at random and for good.
double Draw(LeadId lead, uint64_t salt);
// Whether a lead of tier B is one of the `share` that is dialed at random, as if it had no score,
// so that A has something to be compared with.
inline bool Explores(LeadId lead, uint64_t salt, double share) { return Draw(lead, salt) < share; }

struct ArmCounts {
  int64_t attempts = 0, successes = 0;
};

struct Ratio {
  double ratio = 1;  // success rate of the first arm / of the second
  double low = 0, high = 0;
};
// For one look at a moment fixed beforehand: interval of the log ratio (Katz et al., Biometrics 34,
// 1978), `z` standard errors wide. An arm without successes is taken to have half of one.
// {1, 0, infinity} while an arm has no attempts.
Ratio FixedInterval(const ArmCounts& first, const ArmCounts& second, double z = 1.96);

class SequentialRatio {
 public:
  explicit SequentialRatio(double alpha = 0.05);  // (0, 1)

  // An attempt ended. `share` of the attempts at that time were of the first arm, (0, 1).
  void Learn(bool first, bool success, double share);

  const ArmCounts& first() const { return first_; }
  const ArmCounts& second() const { return second_; }
  // The success rates at the shares there were, and the ratios not rejected at any look so far. The
  // true ratio is in there at all times together with probability 1 - alpha.
  Ratio Interval() const;
  // Of the hypothesis that both arms do equally well, over all looks so far.
  double PValue() const;

  void Save(ByteWriter* out) const;
  bool Load(ByteReader* in);  // false: damaged; as good as new then

 private:
  // Ratios from 1/10 to 10, each 2.3 % above the last; the middle one is 1.
  static constexpr int kRatios = 201;
  static constexpr int kOne = 100;
  double LogMixture() const;

  double alpha_;
  ArmCounts first_, second_;
  std::array<double, kRatios> log_likelihood_{};
  std::array<double, kRatios> log_prior_;
  int low_ = 0, high_ = kRatios - 1;  // not rejected so far
  double evidence_max_ = 0;           // log, against equality
};

}  // namespace outpace::tier
