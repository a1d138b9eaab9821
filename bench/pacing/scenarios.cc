#include "bench/pacing/scenarios.h"
namespace outpace::lab {
namespace {
using sim::DelayLaw;
using Kind = sim::DelayLaw::Kind;
sim::ScenarioCampaign Base(int agents) {
  sim::ScenarioCampaign c;
  c.agents = agents;
  c.person_ring = {.kind = Kind::kErlang, .fixed_s = 2, .mean_s = 9, .stages = 3, .samples = {}};
  c.machine_ring = {.kind = Kind::kErlang, .fixed_s = 2, .mean_s = 18, .stages = 4, .samples = {}};
  c.fail_delay = {.kind = Kind::kExponential, .fixed_s = 1, .mean_s = 4, .samples = {}};
  c.talk = {.kind = Kind::kLognormal, .mean_s = 150, .cv = 0.8, .samples = {}};
  c.machine_talk = {.kind = Kind::kConstant, .mean_s = 12, .samples = {}};
  c.wrap = {.kind = Kind::kLognormal, .mean_s = 30, .cv = 0.5, .samples = {}};
  return c;
}
sim::OutcomeMix Persons(double p) {
  const double rest = (1 - p) / 0.8;
  return {p, 0.35 * rest, 0.30 * rest, 0.15 * rest};
}
sim::ScenarioPhase Phase(double minutes) {
  sim::ScenarioPhase p;
  p.length = absl::Minutes(minutes);
  return p;
}
}  // namespace
std::vector<sim::Scenario> AllScenarios() {
  std::vector<sim::Scenario> all;
  const auto add = [&](const char* id, sim::ScenarioCampaign c, double d, double cs) {
    sim::Scenario s;
    s.id = id;
    s.campaigns = {c};
    s.reference_frontier = d;
    s.reference_vicidial_best = cs;
    // About 3000 answers a seed.
    const double handle = c.talk.Mean() + c.wrap.Mean();
    s.length = absl::Seconds(3000 * handle / c.agents);
    all.push_back(s);
    return &all.back();
  };
  all.reserve(40);
  add("S01", Base(50), 94.0, 91.8);
  add("S02", Base(5), 81.1, 74.4);
  {
    auto c = Base(10);
    c.mix = {.08, .40, .35, .17};
    add("S03", c, 83.4, 76.9);
  }
  add("S04", Base(500), 99.2, 97.0);
  {
    auto c = Base(20);
    c.mix = {.50, .22, .19, .09};
    c.talk.mean_s = 240;
    add("S05", c, 93.5, 91.6);
  }
  {
    auto c = Base(100);
    c.mix = {.04, .42, .36, .18};
    add("S06", c, 96.2, 92.3);
  }
  {
    auto c = Base(30);
    c.talk.mean_s = 35;
    c.wrap.mean_s = 8;
    add("S07", c, 88.8, 78.9);
  }
  {
    auto c = Base(30);
    c.talk.mean_s = 420;
    c.talk.cv = 1.3;
    c.wrap.mean_s = 60;
    c.wrap.cv = .7;
    add("S08", c, 94.4, 92.4);
  }
  {
    auto c = Base(50);
    c.person_ring = {.kind = Kind::kErlang, .fixed_s = 4, .mean_s = 16, .stages = 3, .samples = {}};
    c.machine_ring = {
        .kind = Kind::kErlang, .fixed_s = 22, .mean_s = 8, .stages = 4, .samples = {}};
    c.ring_time_max = absl::Seconds(40);
    add("S09", c, 92.5, 88.9);
  }
  {
    auto c = Base(50);
    for (double p : {.10, .35}) {
      c.phases.push_back(Phase(40));
      c.phases.back().mix = Persons(p);
    }
    add("S10", c, 94.0, 86.2);
  }
  {
    auto c = Base(50);
    for (int i = 0; i < 24; ++i) {
      c.phases.push_back(Phase(10));
      c.phases.back().mix = Persons(.12 + .18 * i / 23);
    }
    add("S11", c, 94.0, 91.1);
  }
  {
    auto c = Base(50);
    uint32_t seg = 0;
    for (double p : {.05, .20, .35, .20}) {
      c.phases.push_back(Phase(5));
      c.phases.back().mix = Persons(p);
      c.phases.back().segment = ++seg;
    }
    add("S12", c, 94.0, 84.8);
  }
  {
    auto c = Base(50);
    for (double f : {.5, 1., 2., 1.}) {
      c.phases.push_back(Phase(45));
      c.phases.back().talk_scale = f;
    }
    add("S13", c, 94.1, 91.5);
  }
  {
    auto c = Base(50);
    for (int n : {50, 35, 15, 35}) {
      c.phases.push_back(Phase(n == 50 ? 75 : 15));
      c.phases.back().agents = n;
    }
    add("S14", c, 93.2, 90.3);
  }
  {
    auto c = Base(20);
    c.churn_share = .35;
    c.churn_every = absl::Minutes(5);
    add("S15", c, 88.6, 84.8);
  }
  {
    auto c = Base(50);
    c.amd = {true, absl::Seconds(1.5), .93, .005};
    c.phases.push_back(Phase(50));
    c.phases.push_back(Phase(10));
    c.phases.back().mix = sim::OutcomeMix{.08, .75, .12, .05};
    add("S16", c, 92.9, 89.1);
  }
  {
    auto c = Base(50);
    c.amd.present = false;
    add("S17", c, 90.9, 89.1);
  }
  {
    auto* s = add("S18", Base(10), 83.8, 78.2);
    s->warm_up = absl::ZeroDuration();
    s->length = absl::Hours(1);
    s->repeats = 20;
  }
  add("S19", Base(5000), 100, 99.7);
  {
    auto c = Base(100);
    c.phases.push_back(Phase(25));
    c.phases.push_back(Phase(5));
    c.phases.back().answer_delay_extra = absl::Seconds(8);
    add("S20", c, 0, 0);
  }
  {
    auto c = Base(100);
    c.phases.push_back(Phase(28));
    c.phases.push_back(Phase(2));
    c.phases.back().congestion = .6;
    add("S21", c, 0, 0);
  }
  {
    auto c = Base(50);
    c.lines_max = 80;
    c.calls_per_second = 5;
    c.phases.push_back(Phase(59.5));
    c.phases.push_back(Phase(.5));
    c.phases.back().stalled = true;
    add("S22", c, 0, 0);
  }
  {
    auto c = Base(50);
    c.leads = 3000;
    auto* s = add("S23", c, 0, 0);
    s->warm_up = absl::ZeroDuration();
    s->length = absl::Hours(1);
    s->repeats = 5;
  }
  {
    auto* s = add("S24", Base(20), 0, 0);
    s->campaigns.push_back(s->campaigns[0]);
    s->campaigns.push_back(s->campaigns[0]);
    s->campaigns[1].mix = Persons(.1);
    s->campaigns[2].mix = Persons(.35);
    s->shared_agents = 10;
  }
  {
    auto c = Base(5);
    c.forecast_correlation = .3;
    add("F03-5", c, 81.1, 0);
  }
  {
    auto c = Base(10);
    c.forecast_correlation = .3;
    add("F03-10", c, 85.2, 0);
  }
  {
    auto c = Base(5);
    c.forecast_correlation = .5;
    add("F05-5", c, 81.1, 0);
  }
  {
    auto c = Base(10);
    c.forecast_correlation = .5;
    add("F05-10", c, 85.2, 0);
  }
  add("N10", Base(10), 85.2, 80.6);
  add("N20", Base(20), 89.6, 85.8);
  add("N100", Base(100), 96.3, 94.0);
  return all;
}
}  // namespace outpace::lab
