// The whole dialer in virtual time, seed after seed, with everything that must hold looked at after
// every event. A seed that ever failed becomes a test of its own at the end of this file.
// OUTPACE_SEED=n runs that seed alone.

#include <cstdlib>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/activity_log.h"
#include "campaign/calling_window.h"
#include "campaign/report/agent_times.h"
#include "engine/runtime/simulation.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

std::vector<uint64_t> Seeds(uint64_t count) {
  uint64_t one = 0;
  const char* text = std::getenv("OUTPACE_SEED");
  if (text != nullptr && absl::SimpleAtoi(text, &one)) return {one};
  std::vector<uint64_t> seeds;
  for (uint64_t i = 1; i <= count; ++i) seeds.push_back(i);
  return seeds;
}

// A world with every kind of trouble: races, losses, dead numbers, agents who leave.
SimulationOptions Rough(uint64_t seed) {
  SimulationOptions options;
  options.seed = seed;
  options.agents = 3 + static_cast<int>(seed % 12);
  options.leads = 1500;
  options.talk_mean = absl::Seconds(20);
  options.wrap_mean = absl::Seconds(4);
  // Slower than the network in some worlds: an INVITE that did not wait for its intent arrives
  // first.
  options.store_delay = absl::Milliseconds(seed % 3 == 0 ? 40 : 2);
  options.pause_chance = 0.05;
  options.screen_loss_chance = 0.05;
  options.carrier.person = 0.15 + 0.02 * static_cast<double>(seed % 10);
  options.carrier.machine = 0.1;
  options.carrier.congestion = 0.02;
  options.carrier.silent = seed % 5 == 0 ? 0.02 : 0;
  options.carrier.bad_media = 0.01;
  options.carrier.crossing = 0.2;
  options.carrier.lost_487 = 0.05;
  options.carrier.lost_bye_ok = 0.05;
  options.carrier.talk_mean = absl::Seconds(30);
  options.carrier.agent_drop_mean = absl::Minutes(10);
  // Every other world ranks its leads by what it learns.
  if (seed % 2 == 0) options.settings.tier_mode = campaign::TierMode::kScore;
  return options;
}

// Stops at the first fault and names it once, with the moment.
void Watch(Simulation& simulation, std::string& fault) {
  simulation.world().set_after_event([&] {
    if (!fault.empty()) return;
    fault = simulation.Check();
    if (!fault.empty()) {
      absl::StrAppend(&fault, " at ",
                      absl::FormatDuration(simulation.world().now() - MonoTime(1'000'000'000)));
    }
  });
}

TEST(DialerSim, HoldsWhatMustHoldAfterEveryEvent) {
  int64_t connected = 0;
  for (const uint64_t seed : Seeds(50)) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Simulation simulation(Rough(seed));
    std::string fault;
    Watch(simulation, fault);
    simulation.RunFor(absl::Minutes(6));
    ASSERT_EQ(fault, "");
    connected += simulation.Result().connected;
    simulation.Drain();
    simulation.RunFor(absl::Minutes(3));
    ASSERT_EQ(fault, "");
    EXPECT_EQ(simulation.CheckAcknowledged(), "");
    EXPECT_EQ(simulation.carrier().calls_open(), 0) << "calls left up after the drain";
    EXPECT_TRUE(simulation.store().OpenAttempts()->empty());
  }
  EXPECT_GT(connected, 50);  // the world was alive
}

// Two records of the same work, written by different hands: what agents did, state by state, and
// what their calls say.
TEST(DialerSim, AgentsTimesAreThoseOfTheirCalls) {
  for (const uint64_t seed : Seeds(10)) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Simulation simulation(Rough(seed));
    const absl::Time from = simulation.world().clock().Wall();
    simulation.RunFor(absl::Minutes(10));
    simulation.Drain();
    simulation.RunFor(absl::Minutes(3));
    const absl::Time to = simulation.world().clock().Wall();
    const report::StoredEvents events(simulation.store());
    EXPECT_EQ(*events.KnownUntil(), absl::InfiniteFuture()) << "all are logged out";
    const auto times = report::ReadAgentTimes(events, from, to, "");
    ASSERT_TRUE(times.ok()) << times.status();
    std::map<AgentId, absl::Duration> talk, wrap;
    ASSERT_TRUE(events
                    .ForEachAttempt(from, to,
                                    [&](const campaign::Attempt& attempt) {
                                      if (attempt.connected_at == absl::InfinitePast()) return true;
                                      talk[attempt.agent] +=
                                          attempt.ended_at - attempt.connected_at;
                                      wrap[attempt.agent] += attempt.disposed_at - attempt.ended_at;
                                      return true;
                                    })
                    .ok());
    int calls = 0;
    for (const report::AgentTimes& agent : *times) {
      const absl::Duration slack = absl::Milliseconds(100) * (agent.calls + 1);
      EXPECT_LE(absl::AbsDuration(agent.talk - talk[agent.agent]), slack) << agent.agent;
      EXPECT_LE(absl::AbsDuration(agent.dispo - wrap[agent.agent]), slack) << agent.agent;
      EXPECT_LE(agent.login(), to - from);
      EXPECT_GE(agent.sessions, 1);
      calls += agent.calls;
    }
    EXPECT_GT(calls, 10);
  }
}

// What a dead engine left open ends where it was last known to run, at most ten seconds early.
TEST(DialerSim, SessionsOfADeadEngineEnd) {
  for (const uint64_t seed : Seeds(10)) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Simulation simulation(Rough(seed));
    simulation.RunFor(absl::Seconds(170 + static_cast<int64_t>(seed)));
    const absl::Time killed = simulation.world().clock().Wall();
    simulation.Kill();
    simulation.RunFor(absl::Minutes(5));
    simulation.Restart();
    simulation.RunFor(absl::Minutes(3));
    int ends = 0;
    ASSERT_TRUE(simulation.store()
                    .ForEachActivity(absl::InfinitePast(), absl::InfiniteFuture(),
                                     [&](const campaign::AgentActivity& activity) {
                                       if (activity.agent.empty()) {
                                         ++ends;
                                         EXPECT_LE(activity.at, killed);
                                         EXPECT_GE(activity.at, killed - absl::Seconds(11));
                                       } else if (ends == 0) {
                                         EXPECT_LE(activity.at, killed);
                                       } else {
                                         EXPECT_GE(activity.at, killed + absl::Minutes(5));
                                       }
                                       return true;
                                     })
                    .ok());
    EXPECT_EQ(ends, 1);
  }
}

// Attempts stored = INVITEs at the far end, once all is quiet.
TEST(DialerSim, ExportsWhatTheCarrierSaw) {
  int64_t total_unmet = 0;
  for (const uint64_t seed : Seeds(10)) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Simulation simulation(Rough(seed));
    simulation.RunFor(absl::Minutes(10));
    simulation.Drain();
    simulation.RunFor(absl::Minutes(3));
    int64_t sent = 0, answered = 0, met = 0, unmet = 0;
    ASSERT_TRUE(simulation.store()
                    .ForEachAttempt(absl::InfinitePast(), absl::InfiniteFuture(),
                                    [&](const campaign::Attempt& attempt) {
                                      EXPECT_FALSE(attempt.open);
                                      sent += attempt.sent ? 1 : 0;
                                      const bool up = attempt.answered_at != absl::InfinitePast();
                                      const bool agent =
                                          attempt.connected_at != absl::InfinitePast();
                                      answered += up ? 1 : 0;
                                      met += agent ? 1 : 0;
                                      unmet += up && !agent ? 1 : 0;
                                      // Who met nobody was abandoned, or hung up before it came to
                                      // that.
                                      EXPECT_TRUE(!up || agent || attempt.abandoned ||
                                                  attempt.term_reason == "CALLER");
                                      return true;
                                    })
                    .ok());
    EXPECT_EQ(sent, simulation.Result().invites);
    EXPECT_GT(sent, 50);
    int64_t picked_up = 0, bridged = 0;
    for (const sim::SimInvite& invite : simulation.carrier().invites()) {
      if (invite.agent) continue;
      picked_up += invite.answered ? 1 : 0;
      bridged += invite.bridged ? 1 : 0;
    }
    EXPECT_EQ(answered, picked_up);
    EXPECT_EQ(met, bridged);
    total_unmet += unmet;
  }
  EXPECT_GT(total_unmet, 0);
}

TEST(DialerSim, SameSeedSameTrace) {
  const auto run = [](uint64_t seed) {
    Simulation simulation(Rough(seed));
    simulation.RunFor(absl::Minutes(5));
    return simulation.Result().trace_hash;
  };
  EXPECT_EQ(run(11), run(11));
  EXPECT_NE(run(11), run(12));
}

// kill -9 at random instants: nobody is rung twice, nothing acknowledged is lost, what was left up
// is ended, and dialing goes on.
TEST(DialerSim, SurvivesBeingKilled) {
  for (const uint64_t seed : Seeds(30)) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    SimulationOptions options = Rough(seed);
    options.settings.daily_call_count_limit = 1;  // the check then means: never twice
    options.carrier.congestion = 0;               // a trunk fault is no try, and may be repeated
    options.carrier.silent = 0;
    Simulation simulation(options);
    std::string fault;
    Watch(simulation, fault);
    Rng rng(seed * 7919);
    for (int kills = 0; kills < 4; ++kills) {
      simulation.RunFor(absl::Seconds(20 + 60 * rng.Uniform()));
      ASSERT_EQ(fault, "");
      const int64_t before = simulation.Result().invites;
      simulation.Kill();
      simulation.RunFor(absl::Milliseconds(100 + 2000 * rng.Uniform()));
      const MonoTime restarted = simulation.world().now();
      simulation.Restart();
      simulation.RunFor(absl::Seconds(5));
      for (const sim::SimInvite& invite : simulation.carrier().invites()) {
        EXPECT_TRUE(invite.at >= restarted || invite.over)
            << "a call of the dead engine is still up";
      }
      simulation.RunFor(absl::Seconds(20));
      EXPECT_GT(simulation.Result().invites, before) << "dialing did not go on";
    }
    ASSERT_EQ(fault, "");
    EXPECT_EQ(simulation.CheckAcknowledged(), "");
  }
}

TEST(DialerSim, StaysUnderTheAbandonLimitWhenAnswersDouble) {
  SimulationOptions options;
  options.agents = 30;
  options.leads = 20'000;
  options.talk_mean = absl::Seconds(90);
  options.carrier.person = 0.2;
  options.carrier.machine = 0;
  Simulation simulation(options);
  simulation.RunFor(absl::Minutes(30));
  simulation.carrier().scenario().person = 0.4;
  simulation.RunFor(absl::Minutes(30));
  const SimulationResult result = simulation.Result();
  EXPECT_LE(result.abandon_ratio, 0.03);
  EXPECT_GT(result.occupancy, 0.7);
}

TEST(DialerSim, DncHoldsFromItsAcknowledgement) {
  for (const uint64_t seed : Seeds(10)) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    SimulationOptions options = Rough(seed);
    options.agents = 15;
    Simulation simulation(options);
    std::string fault;
    Watch(simulation, fault);
    std::vector<std::pair<std::string, MonoTime>> acknowledged;
    Rng rng(seed);
    for (int i = 0; i < 200; ++i) {
      simulation.RunFor(absl::Milliseconds(500));
      // Numbers near the head of the list: queued, in intent, ringing or done.
      const size_t index = rng.Below(static_cast<uint64_t>(400));
      const E164 phone = simulation.lead(index).phone;
      simulation.AddDnc(phone, [&simulation, &acknowledged, phone] {
        acknowledged.push_back({phone.ToString(), simulation.world().now()});
      });
    }
    simulation.RunFor(absl::Minutes(1));
    EXPECT_EQ(fault, "");
    ASSERT_EQ(acknowledged.size(), 200u);
    // Whoever was being rung at that moment is not rung to the end.
    for (const auto& [number, when] : acknowledged) {
      const MonoTime soon = when + absl::Milliseconds(100);
      for (const sim::SimInvite& invite : simulation.carrier().invites()) {
        if (invite.to != number || invite.at > soon) continue;
        const bool settled = (invite.answered && invite.answered_at <= soon) ||
                             (invite.over && invite.ended_at <= soon);
        EXPECT_TRUE(settled || invite.cancelled) << "rung on";
      }
    }
  }
}

TEST(DialerSim, DialsNobodyWithoutAgents) {
  SimulationOptions options;
  options.agents = 0;
  Simulation simulation(options);
  simulation.RunFor(absl::Minutes(10));
  EXPECT_EQ(simulation.Result().invites, 0);
}

TEST(DialerSim, StopsWhenTheStoreFails) {
  SimulationOptions options = Rough(3);
  store::MemoryLeadStore store;
  Simulation simulation(options, &store);
  simulation.RunFor(absl::Minutes(1));
  store.FailCommitAt(1);
  simulation.RunFor(absl::Seconds(5));
  const int64_t before = simulation.Result().invites;
  simulation.RunFor(absl::Minutes(2));
  EXPECT_EQ(simulation.Result().invites, before);
  EXPECT_NE(simulation.controller().Board().stopped_reason, "");
}

TEST(DialerSim, NoBurstAfterAStall) {
  // A trunk that is far faster than needed, and a process that stood still for a minute: the first
  // seconds afterwards place no more calls than agents and level allow.
  SimulationOptions options;
  options.agents = 10;
  options.carrier.person = 0.3;
  Simulation simulation(options);
  simulation.RunFor(absl::Minutes(5));
  simulation.world().clock().StepWall(absl::Hours(1));
  const int64_t before = simulation.Result().invites;
  simulation.RunFor(absl::Seconds(1));
  EXPECT_LE(simulation.Result().invites - before, 60);
}

// The wall clock is set an hour or a day forward and back while calls are placed, in and out of the
// hours of the chosen rules: what leaves, leaves inside them by the clock of that moment.
TEST(DialerSim, NoCallOutsideTheHoursHoweverTheClockIsSet) {
  int64_t open_calls = 0, closed_looks = 0;
  for (const uint64_t seed : Seeds(6)) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    SimulationOptions options = Rough(seed);
    options.agents = 10;
    options.closed_every = 0;
    options.dnc_every = 0;
    options.settings.compliance = {"us-tsr", "us-tcpa"};
    options.settings.use_dnc_registries = false;
    // Days turn here, and Check() counts the tries at a number over all of them; who is likely to
    // answer is tried oftener.
    options.settings.tier_mode = campaign::TierMode::kStatus;
    Simulation simulation(options);
    std::string fault;
    Watch(simulation, fault);
    const absl::TimeZone denver = *campaign::FindTimeZone("America/Denver");
    const auto is_open = [&] {
      const int hour = denver.At(simulation.world().clock().Wall()).cs.hour();
      return hour >= 8 && hour < 21;
    };
    Rng rng(seed);
    for (int i = 0; i < 120; ++i) {
      constexpr int kSteps[] = {1, -1, 24, -24, 6, -6, 3, -3};
      simulation.world().clock().StepWall(absl::Hours(kSteps[rng.Below(8)]));
      // What had left before the clock was set is on its way.
      simulation.RunFor(absl::Milliseconds(300));
      const int64_t before = simulation.Result().invites;
      const bool open = is_open();
      simulation.RunFor(absl::Seconds(2));
      const int64_t placed = simulation.Result().invites - before;
      if (open && is_open()) {
        open_calls += placed;
      } else if (!open && !is_open()) {
        ++closed_looks;
        EXPECT_EQ(placed, 0) << "at " << simulation.world().clock().Wall();
      }
      // As the engine does when its clock is set back.
      campaign::StoreBatch batch;
      ASSERT_TRUE(simulation.store()
                      .ForEachLead([&](const campaign::Lead& lead) {
                        if (lead.hold_until > simulation.world().clock().Wall()) {
                          batch.leads.push_back(lead);
                          batch.leads.back().hold_until = absl::InfinitePast();
                        }
                        return true;
                      })
                      .ok());
      ASSERT_TRUE(simulation.store().Commit(batch).ok());
    }
    EXPECT_EQ(fault, "");
  }
  EXPECT_GT(open_calls, 200);
  EXPECT_GT(closed_looks, 50);
}

}  // namespace
}  // namespace outpace::runtime
