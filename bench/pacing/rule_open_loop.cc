// Dialing at a rate computed beforehand, as if the agents could not be seen: the operating point of
// M/M/N+D. Shows what feedback is worth.

#include <algorithm>

#include "bench/pacing/rule_base.h"
#include "bench/pacing/rule_laws.h"
#include "bench/pacing/rules.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"
#include "engine/pacing/erlang.h"

namespace outpace::lab {
namespace {

class OpenLoopRule final : public RuleBase {
 public:
  OpenLoopRule(const sim::ScenarioCampaign& spec, const OpenLoopSettings& settings, uint64_t seed)
      : spec_(spec), laws_(spec), settings_(settings), rng_(seed) {}

 private:
  // Decisions come every half second and more often; after a longer pause nothing is made up for.
  static constexpr absl::Duration kPauseMax = absl::Seconds(2);

  int64_t Wanted(const pacing::PacingInput& input, MonoTime now,
                 pacing::Decision& decision) override {
    const size_t phase = laws_.PhaseAt(now);
    const int agents = Agents(input);
    if (agents != agents_ || phase != phase_) {
      const double before = dials_per_s_;
      agents_ = agents;
      phase_ = phase;
      const double handle = laws_.HandleMean(phase);
      const double load = pacing::MaxLoad(pacing::Waiting::kFixed, agents,
                                          absl::ToDoubleSeconds(spec_.answer_limit) / handle,
                                          settings_.abandon_ratio_max);
      dials_per_s_ = load / handle / std::max(laws_.AnswerRatio(phase), 1e-3);
      next_ = now + (next_ - now) * (before / dials_per_s_);
    }
    decision.answer_ratio = laws_.AnswerRatio(phase);
    if (!started_ || now - last_ > kPauseMax) next_ = now + Gap();
    started_ = true;
    last_ = now;
    int64_t dials = 0;
    for (; next_ <= now; next_ = next_ + Gap()) ++dials;
    return dials;
  }

  absl::Duration Gap() {
    return absl::Seconds(settings_.poisson ? rng_.Exponential(1 / dials_per_s_) : 1 / dials_per_s_);
  }

  const sim::ScenarioCampaign& spec_;
  TrueLaws laws_;
  OpenLoopSettings settings_;
  Rng rng_;
  int agents_ = -1;
  size_t phase_ = 0;
  double dials_per_s_ = 1;
  bool started_ = false;
  MonoTime last_;
  MonoTime next_;
};

}  // namespace

Floor::PolicyMaker OpenLoop(const OpenLoopSettings& settings) {
  OUTPACE_CHECK(settings.abandon_ratio_max > 0 && settings.abandon_ratio_max < 1);
  return [settings](const Floor& floor, size_t campaign) {
    const uint64_t seed = settings.seed + 7919 * floor.seed() + campaign;
    return std::make_unique<OpenLoopRule>(floor.scenario().campaigns[campaign], settings, seed);
  };
}

}  // namespace outpace::lab
