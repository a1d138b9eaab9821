#pragma once

// What a campaign has learned of its own durations, as laws with competing ends: a dial ends by an
// answer or by one of several failures, a talk or a wrap-up just ends. Each law is a set of
// hazards, one for each bin of age: "of the dials that reached an age of 8 s, how many per second
// were then answered?" - ends in the bin divided by the time spent in it (piecewise-exponential
// Aalen-Johansen estimator).
//
// Counting this way matters twice. (1) A dial still in flight, an agent still talking, is evidence
// too: it has lived through its present age without ending. Counting only what has ended favours
// what ends fast: at a cold start the first hundred results are busy signals and invalid numbers,
// the answer ratio looks like zero and the dialer runs away; the first talks to end are the short
// ones. Here each launch is in the denominator from the moment it is launched, which is the
// estimate by launch cohort without having to wait until a cohort is complete. (2) What the
// look-ahead asks is exactly a chance given an age: P(answered in the next u | has rung for e).

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace outpace::pacing {

// Bins of age: [0, first), then `1 << sub_bits` equal bins to each doubling, `octaves` doublings;
// the last bin has no end. `first` is in seconds.
class LogBins {
 public:
  LogBins(double first, int octaves, int sub_bits);
  size_t size() const { return edges_.size(); }
  double edge(size_t bin) const { return edges_[bin]; }  // lower end of the bin, seconds
  // Width in seconds; that of the last bin is its lower end, for interpolation only.
  double width(size_t bin) const { return widths_[bin]; }
  // Bin of an age in seconds; a NaN or negative age is in bin 0.
  size_t Find(double age) const;

 private:
  double first_;
  int sub_bits_;
  std::vector<double> edges_;
  std::vector<double> widths_;
};

// How an attempt's ringing ended.
enum class RingEnd { kAnswer, kMachine, kNoAnswer, kBusy, kInvalid, kOther };
inline constexpr size_t kRingEnds = 6;

// One law. Ends are numbered from 0; end 0 is the one the law is asked about. All times in seconds.
// One thread. Observe() and Censor() change the data; the questions answer from tables that
// Refresh() builds, so that thousands of them cost a lookup each.
class DurationLaw {
 public:
  // `memory` (observations, > 1): data older than this many observations weigh less than 1/e.
  DurationLaw(LogBins bins, size_t ends, double memory);

  // Starts from `weight` imagined observations of a law: chance and log-logistic time (median,
  // shape 2) of each end, and the age by which everything has ended. They are forgotten as real
  // ones come.
  struct PriorEnd {
    double chance = 1;
    double median = 10;
  };
  void SetPrior(absl::Span<const PriorEnd> ends, double age_max, double weight);

  // Sets the memory (see the constructor) from now on.
  void SetMemory(double memory);

  // Time is counted while it passes: each thing in progress, given by its age now, has spent the
  // last `passed` seconds (or its whole age, if less) at the ages just behind it.
  void Spend(absl::Span<const double> ages_in_progress, double passed);
  // Something ended at `age` in this way, `passed` seconds after the last Spend(). Absurd ages
  // (negative, NaN) count as 0.
  void Observe(size_t end, double age, double passed);
  // Something was withdrawn at `age`, neither ended nor failed: it only counts as time spent.
  void Censor(double age, double passed) { SpendOne(age, passed); }
  // Corrects an earlier Observe(): that end was really another (an answer turns out a machine).
  void Reclassify(size_t from, size_t to, double age);

  // Rebuilds the tables from the data.
  void Refresh();

  // P(not ended by `age`).
  double Survival(double age) const;
  // Of all that end by end 0, the share that does so by `age`: G(age), 1 in the end.
  double ShareBy(double age) const;
  // P(not ended by `age` | it will not be by end 0).
  double OthersSurvival(double age) const;
  // P(end 0 in (age, age + ahead] | not ended by age).
  double EndsWithin(double age, double ahead) const;
  // The same for an age at the lower edge of `bin`: quicker, for tables over the bins.
  double EndsWithinFromEdge(size_t bin, double ahead) const;
  // Share of all that end this way. Sums to 1 over the ends.
  double Share(size_t end) const;
  // Mean age of end 0 among those that end by it, and the age below which the share `p` of them
  // lie.
  double MeanAge() const;
  double Quantile(double p) const;
  // Ends of this kind that still count, prior included: 1 / sqrt of it is about the relative
  // error of what is said of them.
  double Weight(size_t end) const;

  const LogBins& bins() const { return bins_; }
  // The state as plain numbers, for a restart. Load() takes what Save() wrote for the same bins and
  // ends; false, and no change, if the numbers cannot be one (size, negative, not finite).
  size_t SavedSize() const { return bins_.size() * (ends_ + 1); }
  void Save(std::vector<double>& out) const;
  bool Load(absl::Span<const double> in);

 private:
  void SpendOne(double age, double passed);
  void Forget();
  double Incidence(double age) const;  // P(end 0 by `age`)
  double Whole() const;                // P(end 0 ever)

  LogBins bins_;
  size_t ends_;
  double keep_;               // share of its weight that an old observation keeps at each new one
  double scale_ = 1;          // weight of an observation made now; grows, so old ones need no visit
  std::vector<double> time_;  // seconds spent in each bin, x scale
  std::vector<double> counts_;  // ends in each bin, [end][bin], x scale

  // Tables at the lower edge of each bin, built by Refresh().
  std::vector<double> survival_;
  std::vector<double> incidence_;  // P(end 0 by the edge)
  std::vector<double> share_;      // by end
  double last_hazard_ = 0;         // all ends, beyond the last edge
  double last_share_ = 1;          // of end 0 in it
};

// Talk and wrap-up in a row: table[bin] = P(an agent who has talked for talk.bins().edge(bin)
// seconds is free within `ahead`) = integral over s of P(talk ends in ds) P(wrap-up ends within
// ahead - s).
void FillFreeAfterTalk(const DurationLaw& talk, const DurationLaw& wrap, double ahead,
                       std::vector<double>& table);

}  // namespace outpace::pacing
