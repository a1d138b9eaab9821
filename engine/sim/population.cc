#include "engine/sim/population.h"

#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::sim {
namespace {

// One 64-bit number of two: splitmix64's finalizer.
uint64_t Mix(uint64_t a, uint64_t b) {
  uint64_t z = a * 0x9e3779b97f4a7c15ULL + b + 0x632be59bd9b4e019ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

// What "fail" of a scenario is made of: shares of the field, busy lines first.
Callee DrawFailure(double u) {
  if (u < 0.40) return Callee::kBusy;
  if (u < 0.73) return Callee::kInvalid;
  if (u < 0.93) return Callee::kUnreachable;
  return Callee::kRejected;
}

constexpr absl::Duration kCongestionDelay = absl::Milliseconds(300);

}  // namespace

std::optional<size_t> Population::PhaseAt(absl::Duration at) const {
  absl::Duration circle;
  for (const ScenarioPhase& phase : spec_.phases) circle += phase.length;
  if (circle <= absl::ZeroDuration()) return std::nullopt;
  absl::Duration within;
  absl::IDivDuration(at, circle, &within);
  for (size_t i = 0; i < spec_.phases.size(); ++i) {
    if (within < spec_.phases[i].length) return i;
    within -= spec_.phases[i].length;
  }
  return spec_.phases.size() - 1;
}

CalleePlan Population::PlanOf(uint64_t lead, int number_of_call, absl::Duration at,
                              std::optional<uint32_t> segment) const {
  const std::optional<size_t> now = PhaseAt(at);
  const ScenarioPhase* phase = now.has_value() ? &spec_.phases[*now] : nullptr;
  OutcomeMix mix = phase != nullptr && phase->mix.has_value() ? *phase->mix : spec_.mix;
  if (segment.has_value()) {
    for (const ScenarioPhase& own : spec_.phases) {
      if (own.segment == segment) mix = own.mix.value_or(spec_.mix);
    }
  }
  uint64_t person = Mix(Mix(seed_, campaign_), lead);
  if (number_of_call > 1) person = Mix(person, static_cast<uint64_t>(number_of_call));
  Rng rng(person);
  // Everything is drawn in one order, needed or not: a change of one law must not shift the others.
  const double congestion_u = rng.Uniform();
  const double outcome_u = rng.Uniform();
  const double amd_u = rng.Uniform();
  const double hang_up_u = rng.Uniform();
  const double sale_u = rng.Uniform();
  const double failure_u = rng.Uniform();
  Rng ring = rng.Fork();
  Rng talk = rng.Fork();
  Rng wrap = rng.Fork();

  CalleePlan plan;
  const absl::Duration extra = phase != nullptr ? phase->answer_delay_extra : absl::ZeroDuration();
  if (phase != nullptr && congestion_u < phase->congestion) {
    plan.callee = Callee::kCongestion;
    plan.until_final = kCongestionDelay;
  } else if (outcome_u < mix.person) {
    plan.callee = Callee::kPerson;
    plan.until_final = absl::Seconds(spec_.person_ring.Draw(ring)) + extra;
    plan.talk = absl::Seconds(spec_.talk.Draw(talk)) * (phase != nullptr ? phase->talk_scale : 1);
    plan.hangs_up = hang_up_u < options_.caller_hangs_up;
    plan.sale = sale_u < options_.sales;
    plan.wrap = absl::Seconds(spec_.wrap.Draw(wrap));
  } else if (outcome_u < mix.person + mix.machine) {
    plan.machine = true;
    plan.callee =
        options_.network_amd && amd_u < spec_.amd.caught ? Callee::kNoAnswer : Callee::kMachine;
    plan.until_final = absl::Seconds(spec_.machine_ring.Draw(ring)) + extra;
    plan.talk = absl::Seconds(spec_.machine_talk.Draw(talk));
    if (spec_.wrap_after_machine) plan.wrap = absl::Seconds(spec_.wrap.Draw(wrap));
  } else if (outcome_u < mix.person + mix.machine + mix.no_answer) {
    plan.callee = Callee::kNoAnswer;  // rings until the dialer gives up
  } else {
    plan.callee = DrawFailure(failure_u);
    plan.until_final = absl::Seconds(spec_.fail_delay.Draw(ring));
  }
  if (spec_.amd.present) {
    const bool says_machine = amd_u < (plan.machine ? spec_.amd.caught : spec_.amd.false_positive);
    plan.verdict = says_machine ? listen::Sound::kMachine : listen::Sound::kHuman;
    plan.verdict_after = spec_.amd.delay;
  }
  return plan;
}

}  // namespace outpace::sim
