#include "engine/pacing/pacer.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::pacing {
namespace {

// lines_free, trunk_tokens, leads_ready
struct Limits {
  int lines_free, trunk_tokens, leads_ready;
};
constexpr Limits kNoLimits = {100'000, 100'000, 100'000};

struct Agents {
  int idle;
  absl::Span<const absl::Duration> talk_ages, wrap_ages;
};

PacingInput View(const Agents& agents, int waiting, const Limits& limits) {
  PacingInput input;
  input.agents_idle = agents.idle;
  input.talk_ages = agents.talk_ages;
  input.wrap_ages = agents.wrap_ages;
  input.calls_waiting = waiting;
  input.lines_free = limits.lines_free;
  input.trunk_tokens = limits.trunk_tokens;
  input.leads_ready = limits.leads_ready;
  return input;
}

MonoTime At(double seconds) { return MonoTime() + absl::Seconds(seconds); }

// A campaign in some state of its life: a pacer with a history, and agents.
struct Scene {
  Pacer pacer;
  std::vector<absl::Duration> talk_ages;
  std::vector<absl::Duration> wrap_ages;
  int idle = 0;
  int waiting = 0;
  MonoTime now;

  PacingInput Input(const Limits& limits = kNoLimits) const {
    return View({idle, talk_ages, wrap_ages}, waiting, limits);
  }
  Decision Decide(const Limits& limits = kNoLimits) { return pacer.Decide(Input(limits), now); }
};

Scene RandomScene(uint64_t seed, DialMethod method, int agents_max = 40) {
  Rng rng(seed);
  PacerSettings settings = {
      .method = method, .dial_level = 1 + 2 * rng.Uniform(), .dial_level_max = 100};
  Scene scene{.pacer = Pacer(settings), .talk_ages = {}, .wrap_ages = {}, .now = {}};
  Pacer& pacer = scene.pacer;
  double now_s = 0;
  uint64_t id = 0;
  const double answer_ratio = 0.05 + 0.5 * rng.Uniform();
  const int history = static_cast<int>(rng.Below(400));
  scene.idle = 5;
  scene.Decide();  // the clock of the learned laws starts here
  for (int i = 0; i < history; ++i) {
    now_s += rng.Exponential(0.5);
    const AttemptId attempt(++id);
    pacer.OnDialed(attempt, {}, At(now_s));
    const MonoTime end = At(now_s + rng.Exponential(8));
    if (rng.Chance(answer_ratio)) {
      pacer.OnAnswered(attempt, end);
      if (rng.Chance(0.02)) {
        pacer.OnAbandoned(attempt, end);
      } else {
        pacer.OnConnected(attempt, end);
        pacer.OnTalkEnded(attempt, absl::Seconds(rng.Lognormal(100, 0.8)), end);
        pacer.OnWrapEnded(absl::Seconds(rng.Lognormal(20, 0.5)), end);
      }
    } else {
      pacer.OnResolved(attempt, AttemptResult::kNoAnswer, end);
    }
  }
  scene.now = At(now_s + 60);
  for (uint64_t n = rng.Below(30); n > 0; --n) {
    pacer.OnDialed(AttemptId(++id), {}, At(now_s + 60 - 20 * rng.Uniform()));
  }
  scene.idle = static_cast<int>(rng.Below(8));
  scene.waiting = rng.Chance(0.2) ? 1 : 0;
  for (uint64_t n = rng.Below(static_cast<uint64_t>(agents_max)); n > 0; --n) {
    auto& ages = rng.Chance(0.8) ? scene.talk_ages : scene.wrap_ages;
    ages.push_back(absl::Seconds(rng.Exponential(80)));
  }
  return scene;
}

TEST(PacerProperty, NothingWithoutAgents) {
  for (const DialMethod method :
       {DialMethod::kManual, DialMethod::kPreview, DialMethod::kProgressive, DialMethod::kRatio,
        DialMethod::kPredictive}) {
    for (uint64_t seed = 0; seed < 50; ++seed) {
      Scene scene = RandomScene(seed, method);
      scene.idle = 0;
      scene.talk_ages.clear();
      scene.wrap_ages.clear();
      EXPECT_EQ(scene.Decide().legs_to_place, 0) << "seed=" << seed;
    }
  }
}

TEST(PacerProperty, ManualAndPreviewPlaceNothing) {
  for (const DialMethod method : {DialMethod::kManual, DialMethod::kPreview}) {
    Scene scene = RandomScene(3, method);
    scene.idle = 10;
    const Decision decision = scene.Decide();
    EXPECT_EQ(decision.legs_to_place, 0);
    EXPECT_EQ(decision.limit, Limit::kMethod);
  }
}

TEST(PacerProperty, GrowsWithFreeAgentsAndShrinksWithWaitingCalls) {
  for (const DialMethod method :
       {DialMethod::kProgressive, DialMethod::kRatio, DialMethod::kPredictive}) {
    for (uint64_t seed = 0; seed < 300; ++seed) {
      SCOPED_TRACE(absl::StrCat("seed=", seed));
      const Scene scene = RandomScene(seed, method);
      Scene more = scene;
      more.idle += 1;
      Scene queued = scene;
      queued.waiting += 1;
      const int before = Scene(scene).Decide().legs_to_place;
      EXPECT_GE(more.Decide().legs_to_place, before);
      EXPECT_LE(queued.Decide().legs_to_place, before);
    }
  }
}

TEST(PacerProperty, NeverAboveALimitAndSaysWhichOneBound) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    const Scene scene = RandomScene(seed, DialMethod::kPredictive);
    const int free_run = Scene(scene).Decide().legs_to_place;
    EXPECT_GE(free_run, 0);
    if (free_run == 0) continue;
    const int one_less = free_run - 1;
    const Decision lines = Scene(scene).Decide({one_less, 1000, 1000});
    EXPECT_EQ(lines.legs_to_place, one_less);
    EXPECT_EQ(lines.limit, Limit::kLines);
    const Decision tokens = Scene(scene).Decide({1000, one_less, 1000});
    EXPECT_EQ(tokens.legs_to_place, one_less);
    EXPECT_EQ(tokens.limit, Limit::kTrunkRate);
    const Decision leads = Scene(scene).Decide({1000, 1000, one_less});
    EXPECT_EQ(leads.legs_to_place, one_less);
    EXPECT_EQ(leads.limit, Limit::kHopper);
    EXPECT_EQ(Scene(scene).Decide({-5, -5, -5}).legs_to_place, 0);
  }
}

TEST(PacerProperty, BrakesWhenTheBudgetIsSpent) {
  for (const DialMethod method : {DialMethod::kRatio, DialMethod::kPredictive}) {
    for (uint64_t seed = 0; seed < 100; ++seed) {
      SCOPED_TRACE(absl::StrCat("seed=", seed));
      Scene scene = RandomScene(seed, method);
      const AbandonCounts spent = {
          .served = 1000, .machines = 0, .ended = 990, .abandoned = 60, .amd_machines = 0};
      AbandonCounts unspent = spent;
      unspent.abandoned = 10;
      scene.pacer.budget().SetCounts(unspent);
      const Decision before = Scene(scene).Decide();
      scene.pacer.budget().SetCounts(spent);
      const int in_flight = scene.pacer.Snapshot().in_flight;
      const int progressive = std::max(0, scene.idle - scene.waiting - in_flight);
      const Decision decision = scene.Decide();
      EXPECT_TRUE(decision.limit == Limit::kBudget || decision.limit == Limit::kBurst);
      EXPECT_LE(decision.legs_to_place, before.legs_to_place);
      if (method == DialMethod::kRatio) {
        EXPECT_EQ(decision.legs_to_place, progressive);
      } else {
        EXPECT_LT(decision.theta, 0.6 * before.theta);
      }
    }
  }
}

TEST(PacerProperty, PredictiveNeverFallsBelowProgressive) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Scene scene = RandomScene(seed, DialMethod::kPredictive);
    const int in_flight = scene.pacer.Snapshot().in_flight;
    EXPECT_GE(scene.Decide().legs_to_place, std::max(0, scene.idle - scene.waiting - in_flight));
  }
}

TEST(Pacer, ProgressiveIsOneLineForEachFreeAgent) {
  Pacer pacer({.method = DialMethod::kProgressive});
  EXPECT_EQ(pacer.Decide(View({4, {}, {}}, 0, kNoLimits), At(0)).legs_to_place, 4);
  pacer.OnDialed(AttemptId(1), {}, At(0));
  pacer.OnDialed(AttemptId(2), {}, At(0));
  EXPECT_EQ(pacer.Decide(View({4, {}, {}}, 1, kNoLimits), At(1)).legs_to_place, 1);
}

// VICIdial's level: lines for each agent free or talking, talks included (AST_VDauto_dial.pl).
TEST(Pacer, RatioIsTheLevelTimesTheAgents) {
  Pacer pacer({.method = DialMethod::kRatio, .dial_level = 2.5});
  const std::vector<absl::Duration> talking(6, absl::Seconds(30));
  const Decision decision = pacer.Decide(View({4, talking, {}}, 0, kNoLimits), At(0));
  EXPECT_EQ(decision.legs_to_place, 25 - 6);
  EXPECT_EQ(decision.limit, Limit::kLevel);
  for (uint64_t i = 1; i <= 10; ++i) pacer.OnDialed(AttemptId(i), {}, At(0));
  const Decision next = pacer.Decide(View({4, talking, {}}, 0, kNoLimits), At(5));
  EXPECT_EQ(next.legs_to_place, 25 - 6 - 10);
  EXPECT_EQ(next.limit, Limit::kLevel);
  EXPECT_NEAR(next.dial_level, 2.5, 1e-12);
}

TEST(Pacer, LevelMaxCapsAllLines) {
  Pacer pacer({.method = DialMethod::kPredictive, .dial_level_max = 1.2});
  uint64_t id = 0;
  int lines = 0;
  for (int s = 0; s < 5; ++s) {
    const Decision decision = pacer.Decide(View({20, {}, {}}, 0, kNoLimits), At(s));
    for (int i = 0; i < decision.legs_to_place; ++i) pacer.OnDialed(AttemptId(++id), {}, At(s));
    lines += decision.legs_to_place;
    EXPECT_LE(lines, 24);
  }
  EXPECT_EQ(lines, 24);
}

TEST(Pacer, NoBurstAfterAStall) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Scene scene = RandomScene(seed, DialMethod::kPredictive);
    scene.Decide();
    scene.idle += static_cast<int>(scene.talk_ages.size());
    scene.talk_ages.clear();
    scene.now = scene.now + absl::Minutes(2);
    const int agents = scene.idle + static_cast<int>(scene.wrap_ages.size());
    // Asked again in the same instant, it does not give the same legs away twice.
    int legs = 0;
    for (int i = 0; i < 3; ++i) legs += scene.Decide().legs_to_place;
    EXPECT_LE(legs, std::max(1, agents));
  }
}

TEST(Pacer, AbsurdInputsAreSafe) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double bad : {nan, inf, -inf, -1.0, 0.0}) {
    Pacer pacer({.method = DialMethod::kPredictive,
                 .dial_level = bad,
                 .dial_level_max = bad,
                 .abandon_ratio_max = bad,
                 .answer_limit = absl::Seconds(bad),
                 .ring_time_max = absl::InfiniteDuration()});
    const std::vector<absl::Duration> ages = {absl::InfiniteDuration(), -absl::Seconds(5),
                                              -absl::InfiniteDuration()};
    pacer.OnTalkEnded(AttemptId(9), -absl::InfiniteDuration(), At(0));
    pacer.OnWrapEnded(absl::InfiniteDuration(), At(0));
    for (int s = 0; s < 3; ++s) {
      const Decision decision = pacer.Decide(View({3, ages, ages}, -7, {50, 50, 50}), At(s));
      EXPECT_GE(decision.legs_to_place, 0);
      EXPECT_LE(decision.legs_to_place, 9);
      EXPECT_TRUE(std::isfinite(decision.p_abandon));
      EXPECT_TRUE(std::isfinite(decision.answers_expected));
      EXPECT_TRUE(std::isfinite(decision.agents_expected_free));
    }
  }
}

TEST(Pacer, EventsOfUnknownAttemptsAreCountedAndIgnored) {
  Pacer pacer({.method = DialMethod::kProgressive});
  pacer.OnAnswered(AttemptId(1), At(0));
  pacer.OnResolved(AttemptId(1), AttemptResult::kBusy, At(0));
  pacer.OnConnected(AttemptId(1), At(0));
  pacer.OnAbandoned(AttemptId(1), At(0));
  pacer.OnDialed(AttemptId(2), {}, At(0));
  pacer.OnDialed(AttemptId(2), {}, At(0));
  EXPECT_EQ(pacer.Snapshot().events_unknown, 5);
  EXPECT_EQ(pacer.Snapshot().in_flight, 1);
  EXPECT_EQ(pacer.Snapshot().window.abandoned, 0);
}

// A storm of 503 says nothing of the list (docs/PACING.md): the answer ratio stays.
TEST(Pacer, TrunkFaultsAreNotInTheMix) {
  Scene scene = RandomScene(11, DialMethod::kPredictive);
  scene.Decide();
  const double before = scene.pacer.Snapshot().answer_ratio;
  for (uint64_t i = 0; i < 500; ++i) {
    scene.pacer.OnDialed(AttemptId(1'000'000 + i), {}, scene.now);
    scene.pacer.OnResolved(AttemptId(1'000'000 + i), AttemptResult::kTrunkFault, scene.now);
  }
  scene.pacer.UpdateSettings({.method = DialMethod::kPredictive});  // rebuilds the tables
  scene.Decide();
  EXPECT_NEAR(scene.pacer.Snapshot().answer_ratio, before, 1e-9);
}

TEST(Pacer, CountsTheWindow) {
  Pacer pacer({.method = DialMethod::kPredictive});
  for (uint64_t i = 1; i <= 5; ++i) {
    pacer.OnDialed(AttemptId(i), {}, At(0));
    pacer.OnAnswered(AttemptId(i), At(4));
  }
  pacer.OnConnected(AttemptId(1), At(4));
  pacer.OnConnected(AttemptId(2), At(4));
  pacer.OnAbandoned(AttemptId(3), At(6));
  pacer.OnResolved(AttemptId(4), AttemptResult::kPerson, At(5));   // hung up while waiting
  pacer.OnResolved(AttemptId(5), AttemptResult::kMachine, At(5));  // AMD
  pacer.OnTalkEnded(AttemptId(1), absl::Seconds(30), At(34));
  pacer.OnWasMachine(AttemptId(1));
  const PacerSnapshot snapshot = pacer.Snapshot();
  EXPECT_EQ(snapshot.window.served, 2);
  EXPECT_EQ(snapshot.window.machines, 1);
  EXPECT_EQ(snapshot.window.abandoned, 1);
  EXPECT_EQ(snapshot.callers_gone, 1);
  EXPECT_EQ(snapshot.in_flight, 0);
  EXPECT_EQ(snapshot.events_unknown, 0);
}

TEST(Pacer, SavedStateDecidesAlike) {
  Scene scene = RandomScene(21, DialMethod::kPredictive);
  scene.Decide();
  Pacer restarted({.method = DialMethod::kPredictive});
  ASSERT_TRUE(restarted.LoadState(scene.pacer.SaveState()).ok());
  const Agents agents = {3, scene.talk_ages, {}};
  const Decision decision = restarted.Decide(View(agents, 0, kNoLimits), scene.now);
  EXPECT_NEAR(decision.answer_ratio, scene.pacer.Snapshot().answer_ratio, 0.02);
  EXPECT_NEAR(absl::ToDoubleSeconds(restarted.Snapshot().wrap_time_mean),
              absl::ToDoubleSeconds(scene.pacer.Snapshot().wrap_time_mean), 1);

  std::vector<double> damaged = scene.pacer.SaveState();
  damaged[100] = std::nan("");
  EXPECT_EQ(restarted.LoadState(damaged).code(), absl::StatusCode::kInvalidArgument);
  damaged.resize(50);
  EXPECT_EQ(restarted.LoadState(damaged).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NEAR(restarted.Snapshot().answer_ratio, decision.answer_ratio, 1e-12);
}

TEST(Pacer, ACopyDecidesAsTheOriginal) {
  const Scene scene = RandomScene(5, DialMethod::kPredictive);
  Scene a = scene;
  Scene b = scene;
  EXPECT_EQ(a.Decide().legs_to_place, b.Decide().legs_to_place);
  EXPECT_EQ(a.pacer.SaveState(), b.pacer.SaveState());
}

TEST(LimitName, NamesEachLimit) {
  EXPECT_EQ(LimitName(Limit::kAbandonment), "abandonment");
  EXPECT_EQ(LimitName(Limit::kTrunkRate), "trunk_rate");
}

TEST(PacerProperty, PicksAreAmongTheLeadsOffered) {
  for (const DialMethod method :
       {DialMethod::kProgressive, DialMethod::kRatio, DialMethod::kPredictive}) {
    for (uint64_t seed = 0; seed < 100; ++seed) {
      SCOPED_TRACE(absl::StrCat("seed=", seed));
      Rng rng(seed);
      Scene scene = RandomScene(seed, method);
      scene.idle += 30;
      std::vector<LeadTraits> next(rng.Below(40));
      for (LeadTraits& lead : next) {
        lead.segment = static_cast<uint32_t>(rng.Below(3));
        lead.answer_chance = rng.Chance(0.5) ? 2 * rng.Uniform() - 0.5 : 0;
        if (rng.Chance(0.1)) lead.answer_chance = std::nan("");
      }
      PacingInput input = scene.Input();
      input.next = next;
      const Decision decision = scene.pacer.Decide(input, scene.now);
      if (next.empty()) continue;
      ASSERT_LE(static_cast<size_t>(decision.legs_to_place), next.size());
      ASSERT_EQ(decision.picks.size(), static_cast<size_t>(decision.legs_to_place));
      std::vector<bool> taken(next.size(), false);
      for (const uint32_t pick : decision.picks) {
        ASSERT_LT(pick, next.size());
        EXPECT_FALSE(taken[pick]) << "picked twice";
        taken[pick] = true;
      }
    }
  }
}

TEST(Pacer, CallsInAmdHoldLinesAndAgents) {
  Pacer pacer({.method = DialMethod::kProgressive, .lines_max = 5});
  PacingInput input = View({3, {}, {}}, 0, kNoLimits);
  input.calls_in_amd = 2;
  EXPECT_EQ(pacer.Decide(input, At(0)).legs_to_place, 1);
  input.agents_idle = 20;
  EXPECT_EQ(pacer.Decide(input, At(10)).legs_to_place, 3);
}

TEST(Pacer, AClockThatStepsBackCostsOneDecision) {
  Scene scene = RandomScene(8, DialMethod::kPredictive);
  scene.Decide();
  scene.now = scene.now + -absl::Hours(1);
  const Decision step = scene.Decide();
  EXPECT_EQ(step.alarm, Alarm::kClockStep);
  EXPECT_EQ(step.limit, Limit::kSafety);
  scene.now = scene.now + absl::Seconds(1);
  EXPECT_EQ(scene.Decide().alarm, Alarm::kNone);
}

TEST(Pacer, AnyPersonEndsTheAlarmOfNoPersons) {
  Pacer pacer({.method = DialMethod::kPredictive});
  uint64_t id = 0;
  const auto answer = [&](bool machine) {
    const AttemptId attempt(++id);
    pacer.OnDialed(attempt, {}, At(static_cast<double>(id)));
    pacer.OnAnswered(attempt, At(static_cast<double>(id) + 5));
    if (machine) {
      pacer.OnResolved(attempt, AttemptResult::kMachine, At(static_cast<double>(id) + 6));
    } else {
      pacer.OnAbandoned(attempt, At(static_cast<double>(id) + 7));
    }
  };
  for (int i = 0; i < 80; ++i) answer(true);
  EXPECT_EQ(pacer.Decide(View({5, {}, {}}, 0, kNoLimits), At(100)).alarm, Alarm::kNoPersons);
  answer(false);
  EXPECT_EQ(pacer.Decide(View({5, {}, {}}, 0, kNoLimits), At(101)).alarm, Alarm::kNone);
}

TEST(Pacer, HugeCountsAreAnAlarmNotABurst) {
  Pacer pacer({.method = DialMethod::kPredictive});
  PacingInput input = View({std::numeric_limits<int>::max(), {}, {}}, 0, {10, 10, 10});
  input.calls_waiting = std::numeric_limits<int>::max();
  const Decision decision = pacer.Decide(input, At(0));
  EXPECT_EQ(decision.alarm, Alarm::kBadInput);
  EXPECT_LE(decision.legs_to_place, 10);
}

// Quick failures between two decisions must not look like a better list.
TEST(Pacer, TheAnswerRatioDoesNotDependOnHowFastOthersFail) {
  Pacer pacer({.method = DialMethod::kPredictive});
  Rng rng(3);
  std::vector<std::pair<double, uint64_t>> ends;
  std::vector<bool> person;
  double now_s = 0;
  for (int i = 0; i < 20'000; ++i) {
    now_s += 0.5;
    const AttemptId attempt(static_cast<uint64_t>(i) + 1);
    pacer.OnDialed(attempt, {}, At(now_s));
    person.push_back(rng.Chance(0.2));
    const double ring = person.back()     ? 2 + rng.Exponential(4) + rng.Exponential(4)
                        : rng.Chance(0.7) ? 0.1 + 0.3 * rng.Uniform()
                                          : 26;
    ends.push_back({now_s + ring, attempt.value()});
    std::sort(ends.begin(), ends.end());
    size_t done = 0;
    for (; done < ends.size() && ends[done].first <= now_s; ++done) {
      const AttemptId ended(ends[done].second);
      const MonoTime at = At(ends[done].first);
      if (person[ended.value() - 1]) {
        pacer.OnAnswered(ended, at);
        pacer.OnConnected(ended, at);
      } else {
        pacer.OnResolved(ended, AttemptResult::kInvalid, at);
      }
    }
    ends.erase(ends.begin(), ends.begin() + static_cast<ptrdiff_t>(done));
    pacer.Decide(View({1, {}, {}}, 0, {0, 0, 0}), At(now_s));
  }
  EXPECT_NEAR(pacer.Snapshot().answer_ratio, 0.2, 0.025);
}

}  // namespace
}  // namespace outpace::pacing
