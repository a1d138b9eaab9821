#pragma once

// Scenarios that the tests of this folder share.

#include "engine/sim/scenario.h"

namespace outpace::lab {

// One dial in five is answered by a person after 11 s, who talks for 150 s; 30 s of wrap-up.
inline sim::Scenario BaseScenario(int agents, absl::Duration length) {
  using Kind = sim::DelayLaw::Kind;
  sim::Scenario scenario;
  scenario.id = "base";
  scenario.length = length;
  sim::ScenarioCampaign c;
  c.agents = agents;
  c.person_ring = {.kind = Kind::kErlang, .fixed_s = 2, .mean_s = 9, .stages = 3, .samples = {}};
  c.machine_ring = {.kind = Kind::kErlang, .fixed_s = 2, .mean_s = 18, .stages = 4, .samples = {}};
  c.fail_delay = {.kind = Kind::kExponential, .fixed_s = 1, .mean_s = 4, .samples = {}};
  c.talk = {.kind = Kind::kLognormal, .mean_s = 150, .cv = 0.8, .samples = {}};
  c.machine_talk = {.kind = Kind::kConstant, .mean_s = 12, .samples = {}};
  c.wrap = {.kind = Kind::kLognormal, .mean_s = 30, .cv = 0.5, .samples = {}};
  scenario.campaigns = {c};
  return scenario;
}

// All times exponential or of two exponential stages, so that exact results hold: every dial rings
// for 11 s on the average whatever becomes of it, handling takes 180 s.
inline sim::Scenario MarkovScenario(int agents, absl::Duration length) {
  using Kind = sim::DelayLaw::Kind;
  sim::Scenario scenario = BaseScenario(agents, length);
  sim::ScenarioCampaign& c = scenario.campaigns[0];
  c.mix = {.person = 0.2, .machine = 0, .no_answer = 0, .fail = 0.8};
  c.person_ring = {.kind = Kind::kErlang, .mean_s = 11, .stages = 2, .samples = {}};
  c.fail_delay = c.person_ring;
  c.ring_time_max = absl::Seconds(400);
  c.talk = {.kind = Kind::kExponential, .mean_s = 180, .samples = {}};
  c.wrap = {.kind = Kind::kConstant, .samples = {}};
  return scenario;
}

}  // namespace outpace::lab
