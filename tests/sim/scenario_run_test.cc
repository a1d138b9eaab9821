// Scenarios with the whole dialer: people who are the same whatever the settings are, agents who
// come and go, trunks that are shared, and a day that is simulated, recorded and simulated again.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/files.h"
#include "engine/runtime/replay.h"
#include "engine/runtime/simulation.h"
#include "engine/runtime/simulation_run.h"
#include "engine/runtime/simulation_table.h"

namespace outpace::runtime {
namespace {

using campaign::Attempt;
using ::testing::HasSubstr;

sim::DelayLaw Law(sim::DelayLaw::Kind kind, double fixed, double mean, double cv, int stages) {
  sim::DelayLaw law;
  law.kind = kind;
  law.fixed_s = fixed;
  law.mean_s = mean;
  law.cv = cv;
  law.stages = stages;
  return law;
}

sim::ScenarioCampaign Base(int agents) {
  using Kind = sim::DelayLaw::Kind;
  sim::ScenarioCampaign spec;
  spec.agents = agents;
  spec.mix = {0.25, 0.10, 0.45, 0.20};
  spec.person_ring = Law(Kind::kErlang, 2, 9, 0, 3);
  spec.machine_ring = Law(Kind::kUniform, 2, 18, 0.3, 1);
  spec.fail_delay = Law(Kind::kExponential, 1, 4, 0, 1);
  spec.talk = Law(Kind::kLognormal, 0, 60, 0.8, 1);
  spec.machine_talk = Law(Kind::kConstant, 0, 8, 0, 1);
  spec.wrap = Law(Kind::kLognormal, 0, 12, 0.5, 1);
  spec.amd.present = false;
  return spec;
}

sim::Scenario One(sim::ScenarioCampaign spec, absl::Duration length) {
  sim::Scenario scenario;
  scenario.campaigns = {std::move(spec)};
  scenario.warm_up = absl::ZeroDuration();
  scenario.length = length;
  return scenario;
}

sim::ScenarioPhase Phase(double minutes) {
  sim::ScenarioPhase phase;
  phase.length = absl::Minutes(minutes);
  return phase;
}

ScenarioResult Play(const sim::Scenario& scenario, const ScenarioOptions& options = {},
                    campaign::LeadStore* store = nullptr) {
  auto result = RunScenario(scenario, options, store);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : ScenarioResult();
}

std::vector<Attempt> Attempts(const campaign::LeadStore& store) {
  std::vector<Attempt> attempts;
  EXPECT_TRUE(store
                  .ForEachAttempt(absl::InfinitePast(), absl::InfiniteFuture(),
                                  [&](const Attempt& attempt) {
                                    attempts.push_back(attempt);
                                    return true;
                                  })
                  .ok());
  return attempts;
}

bool Happened(absl::Time t) { return t != absl::InfinitePast(); }

ScenarioOptions With(const std::string& changes) {
  ScenarioOptions options;
  options.changes = *ParseSettingChanges(changes);
  return options;
}

TEST(ScenarioRun, TheSameSeedGivesTheSameBytes) {
  sim::ScenarioCampaign spec = Base(12);
  spec.churn_share = 0.3;
  spec.churn_every = absl::Minutes(3);
  const sim::Scenario scenario = One(spec, absl::Minutes(20));
  const auto bytes = [&](uint64_t seed) {
    ScenarioOptions options;
    options.seed = seed;
    const std::vector<Variant> variants = {{"as set", Play(scenario, options)}};
    return ResultTable(variants) + ResultCsv(variants);
  };
  const std::string first = bytes(5);
  EXPECT_EQ(first, bytes(5));
  EXPECT_NE(first, bytes(6));
}

TEST(ScenarioRun, AnotherCapMeetsTheSamePeople) {
  const sim::Scenario scenario = One(Base(15), absl::Minutes(30));
  store::MemoryLeadStore loose, tight;
  const ScenarioResult a = Play(scenario, With("adaptive_dropped_percentage=5"), &loose);
  const ScenarioResult b = Play(scenario, With("adaptive_dropped_percentage=0.5"), &tight);
  EXPECT_LT(b.Total().abandoned, a.Total().abandoned);
  EXPECT_NE(a.trace_hash, b.trace_hash);
  std::map<std::pair<LeadId, int>, Attempt> of_loose;
  for (const Attempt& attempt : Attempts(loose)) {
    of_loose[{attempt.lead, attempt.number_of_try}] = attempt;
  }
  int compared = 0, talks = 0;
  for (const Attempt& attempt : Attempts(tight)) {
    const auto other = of_loose.find({attempt.lead, attempt.number_of_try});
    if (other == of_loose.end() || attempt.open || other->second.open) continue;
    const Attempt& same = other->second;
    ++compared;
    EXPECT_EQ(attempt.outcome, same.outcome);
    EXPECT_EQ(attempt.sip_status, same.sip_status);
    if (!Happened(attempt.connected_at) || !Happened(same.connected_at)) continue;
    ++talks;
    EXPECT_EQ(attempt.status, same.status);
    EXPECT_EQ(attempt.term_reason, same.term_reason);
    const auto close = [](absl::Duration x, absl::Duration y) {
      return absl::AbsDuration(x - y) < absl::Milliseconds(100);
    };
    EXPECT_TRUE(close(attempt.answered_at - attempt.dialed_at, same.answered_at - same.dialed_at));
    EXPECT_TRUE(close(attempt.ended_at - attempt.connected_at, same.ended_at - same.connected_at));
    EXPECT_TRUE(close(attempt.disposed_at - attempt.ended_at, same.disposed_at - same.ended_at));
  }
  EXPECT_GT(compared, 500);
  EXPECT_GT(talks, 150);
}

TEST(ScenarioRun, WhoLogsOutFinishesTheCall) {
  sim::ScenarioCampaign spec = Base(16);
  for (const int agents : {16, 4, 12}) {
    spec.phases.push_back(Phase(10));
    spec.phases.back().agents = agents;
  }
  store::MemoryLeadStore store;
  const ScenarioResult result = Play(One(spec, absl::Minutes(30)), {}, &store);
  std::map<AgentId, int> calls;
  for (const Attempt& attempt : Attempts(store)) {
    if (!Happened(attempt.connected_at) || attempt.open) continue;
    ++calls[attempt.agent];
    // The agent's own word, not what the engine writes when an agent goes away during a call.
    EXPECT_THAT(attempt.status, testing::AnyOf("A", "NI", "SALE"));
  }
  EXPECT_EQ(calls.size(), 16u);
  // 16, 4 and 12 for ten minutes each, plus what the leaving had to finish.
  EXPECT_GT(result.Total().offered_s, (16 + 4 + 12) * 600 - 120);
  EXPECT_LT(result.Total().offered_s, (16 + 4 + 12) * 600 + 12 * 120);
  EXPECT_LE(result.Total().AbandonRatio(), 0.05);
}

TEST(ScenarioRun, CampaignsShareOneTrunk) {
  sim::Scenario scenario = One(Base(10), absl::Minutes(15));
  scenario.campaigns.push_back(Base(10));
  scenario.campaigns.push_back(Base(10));
  scenario.campaigns[0].id = "A";
  scenario.campaigns[1].id = "B";
  scenario.campaigns[2].id = "C";
  scenario.campaigns[2].mix = {0.10, 0.10, 0.60, 0.20};
  ScenarioOptions options;
  options.lines_max = 30;
  options.calls_per_second = 2;
  store::MemoryLeadStore store;
  const ScenarioResult shared = Play(scenario, options, &store);
  const ScenarioResult alone = Play(scenario);
  ASSERT_EQ(shared.campaigns.size(), 3u);
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_GT(shared.campaigns[c].total.connected, 20) << shared.campaigns[c].id;
    EXPECT_LT(shared.campaigns[c].total.dials, alone.campaigns[c].total.dials);
  }
  std::vector<std::pair<absl::Time, int>> steps;
  std::vector<absl::Time> dials;
  for (const Attempt& attempt : Attempts(store)) {
    if (!attempt.sent) continue;
    dials.push_back(attempt.dialed_at);
    steps.push_back({attempt.dialed_at, 1});
    if (Happened(attempt.ended_at)) steps.push_back({attempt.ended_at, -1});
  }
  std::sort(steps.begin(), steps.end());
  int lines = 0, most = 0;
  for (const auto& [at, step] : steps) most = std::max(most, lines += step);
  EXPECT_EQ(most, 30);
  std::sort(dials.begin(), dials.end());
  for (size_t i = 3; i < dials.size(); ++i) {
    // Never four in a second at 2 CPS, whichever campaign they are of: the bucket holds one spare.
    EXPECT_GT(dials[i] - dials[i - 3], absl::Milliseconds(900));
  }
}

TEST(ScenarioRun, AListRunsOutAndTheRestIsSaid) {
  sim::ScenarioCampaign spec = Base(10);
  spec.leads = 150;
  store::MemoryLeadStore store;
  // Not a quarter of an hour: busy lines come back after that.
  const ScenarioResult result = Play(One(spec, absl::Minutes(14)), {}, &store);
  EXPECT_EQ(result.Total().dials, 150);
  EXPECT_THAT(result.campaigns[0].idle_reason, HasSubstr("no lead is due"));
  for (const Attempt& attempt : Attempts(store)) EXPECT_FALSE(attempt.open);
}

TEST(ScenarioRun, SegmentsAreListsThatTakeTurns) {
  sim::ScenarioCampaign spec = Base(10);
  for (const uint32_t segment : {1u, 2u}) {
    spec.phases.push_back(Phase(5));
    spec.phases.back().segment = segment;
    spec.phases.back().mix =
        segment == 1 ? sim::OutcomeMix{0.1, 0, 0.9, 0} : sim::OutcomeMix{0.4, 0, 0.6, 0};
  }
  ScenarioOptions options;
  store::MemoryLeadStore store;
  Play(One(spec, absl::Minutes(20)), options, &store);
  int wrong = 0, right = 0;
  std::map<ListId, std::pair<int, int>> answers;  // answered, dials
  for (const Attempt& attempt : Attempts(store)) {
    const absl::Duration at = attempt.dialed_at - options.start;
    const uint64_t segment = absl::ToInt64Minutes(at) / 5 % 2 == 0 ? 1 : 2;
    // What was in the queue at the switch may still go out.
    if (attempt.list.value() % 1000 != segment) {
      ++wrong;
      continue;
    }
    ++right;
    answers[attempt.list].first += Happened(attempt.answered_at);
    ++answers[attempt.list].second;
  }
  EXPECT_GT(right, 300);
  EXPECT_LE(wrong, 5);
  ASSERT_EQ(answers.size(), 2u);
  const auto ratio = [&](uint64_t list) {
    const auto [answered, dials] = answers[ListId(list)];
    return answered / static_cast<double>(dials);
  };
  EXPECT_NEAR(ratio(1001), 0.1, 0.04);
  EXPECT_NEAR(ratio(1002), 0.4, 0.08);
}

TEST(ScenarioRun, NobodyIsDialedWhileTheDialerStandsStill) {
  sim::ScenarioCampaign spec = Base(10);
  spec.phases = {Phase(6), Phase(1), Phase(8)};
  spec.phases[1].stalled = true;
  ScenarioOptions options;
  store::MemoryLeadStore store;
  Play(One(spec, absl::Minutes(10)), options, &store);
  int during = 0, first_second = 0, after = 0;
  for (const Attempt& attempt : Attempts(store)) {
    const absl::Duration at = attempt.dialed_at - options.start;
    during += at > absl::Minutes(6) && at < absl::Minutes(7);
    first_second += at >= absl::Minutes(7) && at < absl::Minutes(7) + absl::Seconds(1);
    after += at >= absl::Minutes(7);
  }
  EXPECT_EQ(during, 0);
  EXPECT_LE(first_second, 30);  // three lines an agent, not what a minute would have placed
  EXPECT_GT(after, 30);
}

// Half of who picks up is a machine; the detector finds nine of ten in a second.
TEST(ScenarioRun, MachinesAreKeptFromAgentsWhereTheCampaignWantsIt) {
  sim::ScenarioCampaign spec = Base(10);
  spec.mix = {0.25, 0.25, 0.30, 0.20};
  spec.amd.present = true;
  spec.amd.caught = 0.9;
  spec.amd.false_positive = 0.02;
  spec.amd.delay = absl::Seconds(1);
  const sim::Scenario scenario = One(spec, absl::Minutes(30));
  store::MemoryLeadStore store;
  ScenarioOptions options;
  const FloorFigures flagged = Play(scenario, options, &store).Total();
  int heard = 0;
  for (const Attempt& attempt : Attempts(store)) heard += attempt.amd.empty() ? 0 : 1;
  EXPECT_GT(heard, 100) << "every verdict is in the call records";

  store::MemoryLeadStore blocked_store;
  options.changes =
      *ParseSettingChanges("amd_mode=BLOCKING cpd_amd_action=DISPO amd_audit_percentage=0");
  const FloorFigures blocked = Play(scenario, options, &blocked_store).Total();
  int machines_met = 0, ended = 0;
  for (const Attempt& attempt : Attempts(blocked_store)) {
    const bool connected = attempt.connected_at != absl::InfinitePast();
    machines_met += connected && attempt.amd == "machine" ? 1 : 0;
    ended += attempt.status == "AA" ? 1 : 0;
    if (attempt.status == "AA") {
      EXPECT_FALSE(attempt.abandoned);
    }
  }
  EXPECT_EQ(machines_met, 0);
  EXPECT_GT(ended, 50);
  EXPECT_LT(blocked.machines, flagged.machines / 3);
  EXPECT_GT(blocked.connected - blocked.machines, flagged.connected - flagged.machines)
      << "agents meet more people for it";
}

TEST(ScenarioRun, TellsWhatItCannotDo) {
  sim::Scenario scenario = One(Base(5), absl::Minutes(1));
  EXPECT_TRUE(ScenarioNotes(scenario, {}).empty());
  scenario.campaigns[0].amd.present = true;
  ASSERT_EQ(ScenarioNotes(scenario, {}).size(), 1u);
  EXPECT_THAT(ScenarioNotes(scenario, {})[0], HasSubstr("cpd_amd_action=DISPO"));
  EXPECT_THAT(std::string(RunScenario(scenario, With("no_such_setting=1")).status().message()),
              HasSubstr("no_such_setting"));
  EXPECT_EQ(RunScenario(scenario, With("X:dial_method=RATIO")).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(ParseSettingChanges("dial_method").ok());
  scenario.shared_agents = 3;
  EXPECT_EQ(RunScenario(scenario, {}).status().code(), absl::StatusCode::kUnimplemented);
}

TEST(ScenarioRun, SettingsOfOneCampaignLeaveTheOtherAlone) {
  sim::Scenario scenario = One(Base(6), absl::Minutes(10));
  scenario.campaigns.push_back(Base(6));
  scenario.campaigns[0].id = "A";
  scenario.campaigns[1].id = "B";
  const ScenarioResult plain = Play(scenario);
  const ScenarioResult one = Play(scenario, With("B:dial_method=PROGRESSIVE"));
  EXPECT_EQ(one.campaigns[0].dial_method, plain.campaigns[0].dial_method);
  EXPECT_EQ(one.campaigns[1].dial_method, "PROGRESSIVE");
  EXPECT_EQ(one.campaigns[1].total.abandoned, 0);
  EXPECT_LT(one.campaigns[1].total.dials, plain.campaigns[1].total.dials);
}

// Every scenario the project is measured by runs with the whole dialer; five minutes of each, but
// for the largest floors, which would be most of this test's time.
TEST(ScenarioRun, PlaysTheScenariosOfTheSuite) {
  int played = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(OUTPACE_SOURCE_DIR "/bench/scenarios")) {
    if (file.path().extension() != ".scenario") continue;
    SCOPED_TRACE(file.path().string());
    auto text = ReadFile(file.path().string());
    ASSERT_TRUE(text.ok());
    auto scenario = sim::ParseScenario(*text);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    int agents = 0;
    for (const sim::ScenarioCampaign& spec : scenario->campaigns) agents += spec.agents;
    if (agents > 100) continue;
    scenario->warm_up = absl::ZeroDuration();
    scenario->length = absl::Minutes(5);
    scenario->repeats = 1;
    scenario->shared_agents = 0;
    ScenarioOptions options;
    options.people.network_amd = true;
    const ScenarioResult result = Play(*scenario, options);
    for (const CampaignResult& campaign : result.campaigns) {
      EXPECT_GT(campaign.total.dials, 0);
      // From cold, and in five minutes: no more than a handful or a tenth, whichever is more.
      EXPECT_LE(campaign.total.abandoned, 3 + campaign.total.answered / 10);
      EXPECT_GT(campaign.total.offered_s, 0);
      EXPECT_LE(campaign.total.busy_s, campaign.total.offered_s);
    }
    ++played;
  }
  EXPECT_GE(played, 20);
}

// ---- a floor whose engine dies ----

TEST(ScenarioRun, AgentsComeBackAfterTheEngineWasKilled) {
  SimulationOptions options;
  options.campaigns.resize(1);
  options.campaigns[0].id = "SIM";
  options.campaigns[0].trunk = "carrier";
  options.campaigns[0].active = true;
  options.campaigns[0].daily_call_count_limit = 1;  // checked: nobody is rung twice
  options.campaigns[0].local_call_time = *campaign::CallingWindow::Parse("24hours");
  options.carrier.patience_mean = absl::ZeroDuration();
  const sim::ScenarioCampaign spec = Base(8);
  const sim::Population people(spec, 1, 0, {});
  Simulation simulation(options);
  simulation.carrier().set_callees([&](const std::string& number, int call, MonoTime) {
    return people.PlanOf(std::stoull(number.substr(1)), call, absl::ZeroDuration(), std::nullopt);
  });
  campaign::List list;
  list.id = ListId(1);
  list.campaign = "SIM";
  std::vector<campaign::Lead> leads(3000);
  for (size_t i = 0; i < leads.size(); ++i) {
    leads[i].id = LeadId(i + 1);
    leads[i].list = list.id;
    leads[i].campaign = "SIM";
    leads[i].phone = E164(13035550000 + i);
    leads[i].time_zones = {"UTC"};
  }
  std::string fault;
  simulation.world().set_after_event([&] {
    if (fault.empty()) fault = simulation.Check();
  });
  simulation.PutLists({list});
  simulation.PutLeads("SIM", leads);
  simulation.Staff("SIM", 8);
  simulation.RunFor(absl::Minutes(4));
  simulation.Staff("SIM", 5);
  for (int kills = 0; kills < 3; ++kills) {
    simulation.Kill();
    simulation.RunFor(absl::Seconds(1));
    simulation.Restart();
    simulation.RunFor(absl::Minutes(2));
    ASSERT_EQ(fault, "");
    const agent::CampaignCounts counts = simulation.controller().roster().Counts("SIM");
    EXPECT_EQ(counts.logged_in, 5);
    EXPECT_GT(counts.talking + counts.wrapping + counts.ready, 0);
  }
  EXPECT_EQ(simulation.CheckAcknowledged(), "");
  EXPECT_GT(simulation.Result().invites, 100);
}

// ---- replay ----

// A morning of 16 agents with a lunch break and a list that gets better.
sim::Scenario Morning() {
  sim::ScenarioCampaign spec = Base(16);
  for (const int agents : {16, 16, 9, 16}) {
    spec.phases.push_back(Phase(60));
    spec.phases.back().agents = agents;
    spec.phases.back().mix = spec.phases.size() < 3 ? sim::OutcomeMix{0.2, 0.1, 0.5, 0.2}
                                                    : sim::OutcomeMix{0.3, 0.1, 0.4, 0.2};
  }
  return One(spec, absl::Hours(4));
}

TEST(Replay, ReproducesASimulatedDay) {
  store::MemoryLeadStore store;
  const FloorFigures was = Play(Morning(), {}, &store).Total();
  const absl::Time now = ScenarioOptions().start + absl::Hours(10);
  auto day =
      ReadRecordedDay(store, {.day = "today", .zone = "", .campaign = "", .trunks = {}}, now);
  ASSERT_TRUE(day.ok()) << day.status();
  EXPECT_EQ(day->recorded.dials, was.dials);
  EXPECT_EQ(day->recorded.connected, was.connected);
  EXPECT_EQ(day->recorded.abandoned, was.abandoned);
  EXPECT_EQ(day->recorded.sales, was.sales);
  // Agents' hours are read off their calls.
  EXPECT_NEAR(day->recorded.offered_s / was.offered_s, 1, 0.02);
  EXPECT_NEAR(day->recorded.Occupancy(), was.Occupancy(), 0.02);
  EXPECT_FALSE(day->assumptions.empty());

  day->options.seed = 99;  // other people of the same kind
  const FloorFigures again = Play(day->scenario, day->options).Total();
  EXPECT_NEAR(again.Occupancy(), was.Occupancy(), 0.03);
  EXPECT_NEAR(again.AbandonRatio(), was.AbandonRatio(), 0.012);
  EXPECT_NEAR(again.TalkMinutesPerHour(), was.TalkMinutesPerHour(), 3);
  EXPECT_NEAR(static_cast<double>(again.dials) / static_cast<double>(was.dials), 1, 0.08);
  EXPECT_NEAR(static_cast<double>(again.sales) / static_cast<double>(was.sales), 1, 0.3);

  // What a stricter cap would have cost.
  day->options.changes = *ParseSettingChanges("adaptive_dropped_percentage=1");
  const FloorFigures strict = Play(day->scenario, day->options).Total();
  EXPECT_LT(strict.abandoned, again.abandoned);
  EXPECT_LT(strict.Occupancy(), again.Occupancy());
}

TEST(Replay, FindsOutcomesByHalfHour) {
  store::MemoryLeadStore store;
  Play(Morning(), {}, &store);
  auto day =
      ReadRecordedDay(store, {.day = "2026-03-02", .zone = "UTC", .campaign = "SIM", .trunks = {}},
                      ScenarioOptions().start + absl::Hours(100));
  ASSERT_TRUE(day.ok()) << day.status();
  const sim::ScenarioCampaign& spec = day->scenario.campaigns.at(0);
  ASSERT_EQ(spec.phases.size(), 24u);  // 4 h in steps of 10 minutes
  EXPECT_NEAR(spec.phases[3].mix->person, 0.2, 0.04);
  EXPECT_NEAR(spec.phases[20].mix->person, 0.3, 0.05);
  EXPECT_EQ(spec.phases[3].agents, 16);
  EXPECT_EQ(spec.phases[15].agents, 9);
  EXPECT_EQ(spec.phases[20].agents, 16);
  EXPECT_NEAR(spec.talk.Mean(), 60, 5);
  EXPECT_NEAR(spec.wrap.Mean(), 12, 1);
  EXPECT_NEAR(spec.person_ring.Mean(), 10.5, 1);  // 2 + 9 s, cut off at 26 s
  EXPECT_NEAR(spec.machine_talk.Mean(), 8, 0.2);
}

TEST(Replay, SaysWhyThereIsNothingToReplay) {
  const absl::Time now = ScenarioOptions().start + absl::Hours(10);
  store::MemoryLeadStore store;
  const auto error = [&](const std::string& day, const std::string& campaign) {
    const auto read =
        ReadRecordedDay(store, {.day = day, .zone = "", .campaign = campaign, .trunks = {}}, now);
    return std::make_pair(read.status().code(), std::string(read.status().message()));
  };
  EXPECT_THAT(error("today", "").second, HasSubstr("none at all"));
  EXPECT_EQ(error("tomorrow", "").first, absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(error("today", "NOPE").first, absl::StatusCode::kNotFound);
  Play(One(Base(3), absl::Minutes(5)), {}, &store);
  EXPECT_EQ(error("today", "SIM").first, absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(error("today", "").second, HasSubstr("at least 50"));
  EXPECT_EQ(error("yesterday", "").first, absl::StatusCode::kNotFound);
  EXPECT_THAT(error("yesterday", "").second, HasSubstr("2026-03-02"));
}

}  // namespace
}  // namespace outpace::runtime
