#pragma once

// For each feature: how the leads that had it did beside those tried at the same time, counted and
// shrunk towards nothing. A second opinion next to the learner: a count is right after a few dozen
// outcomes, where a regression has yet to move; it cannot tell features that go together apart,
// which the regression can. Crosses are left to the regression.
//
// An outcome counts less what was to be expected at its time, which at first is the rate of the
// outcomes before it. Once kSide outcomes after it are known too, the expectation is taken from
// both sides and the difference is repaid: a rise of the rate that the first estimate was late for
// is otherwise booked to whatever leads were tried during the rise.

#include <array>
#include <cstdint>
#include <vector>

#include "campaign/tier/bytes.h"
#include "campaign/tier/features.h"

namespace outpace::tier {

class Tally {
 public:
  static constexpr int kSide = 15;  // outcomes on each side from which the rate is taken

  explicit Tally(int slot_bits);

  // How much likelier than the mean, in log odds, too large where features go together.
  double Margin(const FeatureList& features) const;
  double Part(const FeatureList& features, int index) const;  // of that; zero for a cross
  void Learn(const FeatureList& features, bool outcome);      // allocates nothing

  void Save(ByteWriter* out) const;
  bool Load(ByteReader* in);  // false: damaged; the tally is then as good as new

 private:
  static constexpr int kPending = 2 * kSide + 1;
  static constexpr size_t kSlotsMax = 128;  // singles and look-alikes of a lead
  struct Count {
    float surplus = 0;     // successes less those expected, decayed
    float variance = 0;    // of that
    uint32_t counted = 0;  // the outcome up to which both are decayed
  };
  struct Pending {
    uint32_t size = 0;
    double expected = 0;
    bool outcome = false;
    std::array<uint32_t, kSlotsMax> slot;
  };
  float Faded(uint32_t outcomes) const;
  double PartOf(uint32_t slot, double prior) const;
  void Add(const Pending& lead, double surplus, double variance);

  int slot_bits_;
  double expected_;                    // the rate of the outcomes before
  double surplus_ = 0, variance_ = 0;  // of all leads, decayed
  uint32_t counted_ = 0;
  std::vector<float> fading_;  // powers
  std::vector<Count> counts_;
  std::array<Pending, kPending> pending_;  // a ring: outcome n is at n % kPending
};

}  // namespace outpace::tier
