// Common random numbers: what a lead does must not hang on anything but the lead.

#include "engine/sim/population.h"

#include <gtest/gtest.h>

#include <cmath>

namespace outpace::sim {
namespace {

DelayLaw Law(DelayLaw::Kind kind, double mean, double cv) {
  DelayLaw law;
  law.kind = kind;
  law.mean_s = mean;
  law.cv = cv;
  return law;
}

ScenarioCampaign Base() {
  ScenarioCampaign spec;
  spec.person_ring = Law(DelayLaw::Kind::kErlang, 9, 0);
  spec.person_ring.stages = 3;
  spec.machine_ring = Law(DelayLaw::Kind::kUniform, 20, 0.2);
  spec.fail_delay = Law(DelayLaw::Kind::kExponential, 4, 0);
  spec.talk = Law(DelayLaw::Kind::kLognormal, 150, 0.8);
  spec.machine_talk = Law(DelayLaw::Kind::kConstant, 12, 0);
  spec.wrap = Law(DelayLaw::Kind::kSamples, 0, 0);
  spec.wrap.samples = {10, 20, 60};
  return spec;
}

TEST(Population, TheSameLeadDoesTheSameWheneverItIsCalled) {
  const ScenarioCampaign spec = Base();
  const Population people(spec, 7, 0, {});
  for (uint64_t lead = 0; lead < 200; ++lead) {
    for (const int call : {1, 2, 3}) {
      const CalleePlan early = people.PlanOf(lead, call, absl::Seconds(1), std::nullopt);
      const CalleePlan late = people.PlanOf(lead, call, absl::Hours(5), std::nullopt);
      EXPECT_EQ(early.callee, late.callee);
      EXPECT_EQ(early.until_final, late.until_final);
      EXPECT_EQ(early.talk, late.talk);
      EXPECT_EQ(early.wrap, late.wrap);
      EXPECT_EQ(early.hangs_up, late.hangs_up);
      EXPECT_EQ(early.sale, late.sale);
    }
  }
}

TEST(Population, CallsLeadsCampaignsAndSeedsAreIndependent) {
  const ScenarioCampaign spec = Base();
  const auto person = [&](uint64_t seed, size_t campaign, uint64_t lead, int call) {
    const Population people(spec, seed, campaign, {});
    return people.PlanOf(lead, call, absl::ZeroDuration(), std::nullopt).callee == Callee::kPerson;
  };
  int both[4] = {};
  const int kLeads = 20'000;
  for (int i = 0; i < kLeads; ++i) {
    const auto lead = static_cast<uint64_t>(i);
    const bool first = person(1, 0, lead, 1);
    both[0] += first && person(1, 0, lead, 2);
    both[1] += first && person(1, 0, lead + 1, 1);
    both[2] += first && person(1, 1, lead, 1);
    both[3] += first && person(2, 0, lead, 1);
  }
  // 4 % of pairs, with a standard error of 0.14 points.
  for (const int pairs : both) EXPECT_NEAR(pairs / static_cast<double>(kLeads), 0.04, 0.006);
}

TEST(Population, FollowsTheScenariosSharesAndLaws) {
  const ScenarioCampaign spec = Base();
  const Population people(spec, 3, 0, {.caller_hangs_up = 0.7, .sales = 0.2});
  int persons = 0, machines = 0, no_answer = 0, failed = 0, by_caller = 0, sales = 0;
  double talk_s = 0, ring_s = 0, wrap_s = 0;
  const int kLeads = 50'000;
  for (int i = 0; i < kLeads; ++i) {
    const CalleePlan plan =
        people.PlanOf(static_cast<uint64_t>(i), 1, absl::ZeroDuration(), std::nullopt);
    switch (plan.callee) {
      case Callee::kPerson:
        ++persons;
        by_caller += plan.hangs_up;
        sales += plan.sale;
        talk_s += absl::ToDoubleSeconds(plan.talk);
        ring_s += absl::ToDoubleSeconds(plan.until_final);
        wrap_s += absl::ToDoubleSeconds(plan.wrap);
        break;
      case Callee::kMachine:
        ++machines;
        EXPECT_TRUE(plan.machine);
        EXPECT_EQ(plan.talk, absl::Seconds(12));
        EXPECT_EQ(plan.wrap, absl::ZeroDuration());
        break;
      case Callee::kNoAnswer:
        ++no_answer;
        break;
      default:
        ++failed;
        break;
    }
  }
  EXPECT_NEAR(persons, 0.20 * kLeads, 300);
  EXPECT_NEAR(machines, 0.35 * kLeads, 400);
  EXPECT_NEAR(no_answer, 0.30 * kLeads, 400);
  EXPECT_NEAR(failed, 0.15 * kLeads, 300);
  EXPECT_NEAR(talk_s / persons, 150, 5);
  EXPECT_NEAR(ring_s / persons, 9, 0.3);
  EXPECT_NEAR(wrap_s / persons, 30, 1);
  EXPECT_NEAR(by_caller / static_cast<double>(persons), 0.7, 0.02);
  EXPECT_NEAR(sales / static_cast<double>(persons), 0.2, 0.02);
}

TEST(Population, PhasesChangeMixTalkDelayAndCongestion) {
  ScenarioCampaign spec = Base();
  spec.phases.resize(2);
  spec.phases[0].length = absl::Minutes(10);
  spec.phases[1].length = absl::Minutes(5);
  spec.phases[1].mix = OutcomeMix{1, 0, 0, 0};
  spec.phases[1].talk_scale = 2;
  spec.phases[1].answer_delay_extra = absl::Seconds(8);
  const Population people(spec, 3, 0, {});
  EXPECT_EQ(people.PhaseAt(absl::Minutes(9)), 0u);
  EXPECT_EQ(people.PhaseAt(absl::Minutes(10)), 1u);
  EXPECT_EQ(people.PhaseAt(absl::Minutes(16)), 0u);
  int compared = 0;
  for (uint64_t lead = 0; lead < 500; ++lead) {
    const CalleePlan before = people.PlanOf(lead, 1, absl::Minutes(1), std::nullopt);
    const CalleePlan after = people.PlanOf(lead, 1, absl::Minutes(11), std::nullopt);
    EXPECT_EQ(after.callee, Callee::kPerson);
    if (before.callee != Callee::kPerson) continue;
    ++compared;
    EXPECT_EQ(after.talk, 2 * before.talk);
    EXPECT_EQ(after.until_final, before.until_final + absl::Seconds(8));
  }
  EXPECT_GT(compared, 50);
  spec.phases[1].congestion = 1;
  EXPECT_EQ(people.PlanOf(0, 1, absl::Minutes(11), std::nullopt).callee, Callee::kCongestion);
}

TEST(Population, LeadsOfASegmentAnswerAsTheirOwnPhase) {
  ScenarioCampaign spec = Base();
  spec.phases.resize(2);
  for (uint32_t i = 0; i < 2; ++i) {
    spec.phases[i].length = absl::Minutes(5);
    spec.phases[i].segment = i + 1;
  }
  spec.phases[0].mix = OutcomeMix{0, 0, 1, 0};
  spec.phases[1].mix = OutcomeMix{1, 0, 0, 0};
  const Population people(spec, 3, 0, {});
  for (uint64_t lead = 0; lead < 50; ++lead) {
    for (const absl::Duration at : {absl::Minutes(1), absl::Minutes(6)}) {
      EXPECT_EQ(people.PlanOf(lead, 1, at, 1).callee, Callee::kNoAnswer);
      EXPECT_EQ(people.PlanOf(lead, 1, at, 2).callee, Callee::kPerson);
    }
  }
}

TEST(Population, NetworkAmdTakesOffTheMachinesItCatches) {
  ScenarioCampaign spec = Base();
  spec.mix = {0, 1, 0, 0};
  spec.amd.caught = 0.9;
  const Population plain(spec, 3, 0, {});
  const Population caught(spec, 3, 0, {.network_amd = true});
  int off = 0;
  for (uint64_t lead = 0; lead < 5000; ++lead) {
    const CalleePlan before = plain.PlanOf(lead, 1, absl::ZeroDuration(), std::nullopt);
    const CalleePlan after = caught.PlanOf(lead, 1, absl::ZeroDuration(), std::nullopt);
    EXPECT_EQ(before.callee, Callee::kMachine);
    EXPECT_TRUE(after.machine);
    EXPECT_EQ(after.until_final, before.until_final);
    off += after.callee == Callee::kNoAnswer;
  }
  EXPECT_NEAR(off, 4500, 100);
}

}  // namespace
}  // namespace outpace::sim
