// The frontier: the look-ahead rule with the truth in place of every estimate and one constant
// theta, to be found in hindsight. What the project's own rule, which is told nothing, is measured
// against. It shares the arithmetic of engine/pacing/lookahead.h, none of the estimates.

#include <algorithm>
#include <array>

#include "bench/pacing/rule_base.h"
#include "bench/pacing/rule_laws.h"
#include "bench/pacing/rules.h"
#include "engine/base/check.h"
#include "engine/pacing/lookahead.h"

namespace outpace::lab {
namespace {

using pacing::kRingPoints;

class LookaheadRule final : public RuleBase {
 public:
  LookaheadRule(const Floor& floor, size_t campaign, double theta, Foresight foresight)
      : floor_(floor),
        campaign_(campaign),
        laws_(floor.scenario().campaigns[campaign]),
        theta_(theta),
        foresight_(foresight) {}

 private:
  static constexpr uint32_t kPerson = 1;
  static constexpr uint32_t kNobody = 2;

  int64_t Wanted(const pacing::PacingInput& input, MonoTime now,
                 pacing::Decision& decision) override {
    const size_t phase = laws_.PhaseAt(now);
    for (size_t j = 0; j < kRingPoints; ++j) {
      answers_[j].clear();
      frees_[j].clear();
    }
    for (Flight& flight : flights()) AddFlight(flight, phase, now);
    if (input.calls_in_amd > 0) AddAmd(now);
    if (foresight_ == Foresight::kFinishTimes) {
      AddFinishTimes(phase, now);
    } else {
      AddAgents(input, phase, now);
    }
    const bool knows = foresight_ == Foresight::kWhoAnswers;
    const TrueLaws::Row& fresh = knows ? laws_.AnswersOfPerson(phase, phase, absl::ZeroDuration())
                                       : laws_.Answers(phase, phase, absl::ZeroDuration());
    std::array<pacing::RingPoint, kRingPoints> points;
    for (size_t j = 0; j < kRingPoints; ++j) {
      points[j].answers = answers_[j];
      points[j].frees = frees_[j];
      points[j].new_dial = fresh[j];
    }
    const int agents = Agents(input);
    // Calls in AMD are among the answers, with their chance to come through.
    const pacing::LookaheadResult result =
        lookahead_.Launch(input.agents_idle - input.calls_waiting, points, theta_, LegsMax(input),
                          agents <= pacing::kAgentsExactMax);
    decision.limit = pacing::Limit::kAbandonment;
    decision.p_abandon = result.p_abandon;
    decision.theta = theta_;
    decision.answers_expected = result.answers_expected;
    decision.agents_expected_free = result.agents_expected_free;
    decision.answer_ratio = laws_.AnswerRatio(phase);
    return knows ? LegsUntilPerson(result.dials, LegsMax(input)) : result.dials;
  }

  void AddFlight(Flight& flight, size_t phase, MonoTime now) {
    const absl::Duration age = now - flight.dialed;
    const size_t then = laws_.PhaseAt(flight.dialed);
    const TrueLaws::Row* row = &laws_.Answers(then, phase, age);
    if (foresight_ == Foresight::kWhoAnswers) {
      if (flight.mark == 0) flight.mark = floor_.FutureOf(flight.id).person ? kPerson : kNobody;
      if (flight.mark == kNobody) return;
      row = &laws_.AnswersOfPerson(then, phase, age);
    }
    for (size_t j = 0; j < kRingPoints; ++j) answers_[j].push_back((*row)[j]);
  }

  void AddAmd(MonoTime now) {
    const absl::Duration delay = floor_.scenario().campaigns[campaign_].amd.delay;
    for (const Flight& call : answered()) {
      if (now - call.dialed >= delay) continue;  // waits for an agent
      const absl::Duration ring = absl::Milliseconds(call.mark);
      const double passes = laws_.PassesAmd(laws_.PhaseAt(call.dialed + -ring), ring);
      for (size_t j = 0; j < kRingPoints; ++j) answers_[j].push_back(passes);
    }
  }

  void AddAgents(const pacing::PacingInput& input, size_t phase, MonoTime now) {
    for (const absl::Duration age : input.talk_ages) {
      // A call's law of talk is that of the time it was dialed.
      const size_t then =
          laws_.talk_varies() ? laws_.PhaseAt(now + -(age + laws_.ring_mean())) : phase;
      const TrueLaws::Row& row = laws_.FreesFromTalk(then, phase, age);
      for (size_t j = 0; j < kRingPoints; ++j) frees_[j].push_back(row[j]);
    }
    for (const absl::Duration age : input.wrap_ages) {
      const TrueLaws::Row& row = laws_.FreesFromWrap(phase, age);
      for (size_t j = 0; j < kRingPoints; ++j) frees_[j].push_back(row[j]);
    }
  }

  void AddFinishTimes(size_t phase, MonoTime now) {
    const TrueLaws::Row& deadlines = laws_.Deadlines(phase);
    for (const MonoTime free_at : floor_.free_times()) {
      const double left = absl::ToDoubleSeconds(free_at - now);
      for (size_t j = 0; j < kRingPoints; ++j) {
        if (left <= deadlines[j]) frees_[j].push_back(1);
      }
    }
  }

  // Leads are dialed in their order: those who will not answer are dialed on the way, up to the
  // first person who is too many.
  int64_t LegsUntilPerson(int persons, int most) const {
    if (persons == 0) return 0;
    int64_t legs = 0;
    for (; legs < most; ++legs) {
      if (!floor_.FutureOfNext(campaign_, static_cast<size_t>(legs)).person) continue;
      if (persons-- == 0) break;
    }
    return legs;
  }

  const Floor& floor_;
  size_t campaign_;
  TrueLaws laws_;
  double theta_;
  Foresight foresight_;
  pacing::Lookahead lookahead_;
  std::array<std::vector<double>, kRingPoints> answers_;
  std::array<std::vector<double>, kRingPoints> frees_;
};

}  // namespace

Floor::PolicyMaker TrueLookahead(double theta, Foresight foresight) {
  OUTPACE_CHECK(theta >= 0);
  return [theta, foresight](const Floor& floor, size_t campaign) {
    return std::make_unique<LookaheadRule>(floor, campaign, theta, foresight);
  };
}

}  // namespace outpace::lab
