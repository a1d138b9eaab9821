#pragma once

// A scenario (engine/sim/scenario.h) played with the whole dialer: agents come and go, lists are
// loaded and switched, the far end answers as the scenario says, and what came of it is read where
// a manager would read it: from the stored attempts and the roster's clock.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"
#include "campaign/settings.h"
#include "engine/sim/population.h"
#include "engine/sim/scenario.h"

namespace outpace::runtime {

// One setting of one campaign, or of all.
struct SettingChange {
  CampaignId campaign;  // empty: all
  std::string name, value;
};
// "adaptive_dropped_percentage=2", "B:dial_method=RATIO"; several, with blanks between them.
absl::StatusOr<std::vector<SettingChange>> ParseSettingChanges(absl::string_view text);

struct ScenarioOptions {
  uint64_t seed = 1;
  // In UTC, as all clocks of the simulation. Monday, 9:00, in the zone of agents and leads alike.
  absl::Time start = absl::FromUnixSeconds(1'772'442'000);
  sim::Population::Options people;
  // Of the one trunk of all campaigns that have no limits of their own; 0: no limit.
  double calls_per_second = 0;
  int lines_max = 0;
  // As recorded, for a replay: one for each campaign of the scenario. Empty: the product's defaults
  // and what the scenario says.
  std::vector<campaign::CampaignSettings> settings;
  std::vector<SettingChange> changes;  // on top
};

// What a stretch of time has shown.
struct FloorFigures {
  int64_t dials = 0, answered = 0, connected = 0, abandoned = 0, sales = 0;
  int64_t machines = 0;            // of the connected: the agent found a machine
  int64_t abandoned_machines = 0;  // of the abandoned: nobody was there to miss an agent
  double offered_s = 0;            // agents' time but for breaks
  double busy_s = 0;               // of that: on calls and in wrap-up
  double talk_s = 0;               // of that: with persons
  // Abandoned of the calls that a person answered, as boards and reports count.
  double AbandonRatio() const;
  double Occupancy() const { return offered_s > 0 ? busy_s / offered_s : 0; }
  double TalkMinutesPerHour() const { return offered_s > 0 ? 60 * talk_s / offered_s : 0; }
  FloorFigures& operator+=(const FloorFigures& other);
};

struct CampaignResult {
  CampaignId id;
  std::string dial_method;
  double dropped_percentage = 0;  // the cap
  FloorFigures total;             // from the end of the warm-up
  std::vector<FloorFigures> half_hours;
  // Of the half hours with at least 20 persons the largest abandoned share; 0 when there is none.
  double WorstHalfHour() const;
  std::string idle_reason;  // why nothing was dialed at the end; empty while it dialed
  int runs_over = 0;        // of ScenarioResult::runs, those that ended above the cap
};

struct ScenarioResult {
  std::vector<CampaignResult> campaigns;
  int runs = 1;
  absl::Duration simulated;  // warm-up included
  uint64_t events = 0;
  uint64_t trace_hash = 0;
  FloorFigures Total() const;
};

// Runs the scenario (each of its `repeats`, from cold, with seeds of their own).
// Unimplemented: it asks for what the dialer does not have (agents shared by campaigns).
// InvalidArgument: a setting, or a campaign's name, that the dialer does not take.
// `store`: empty, takes the records of the (first) run; nullptr: they are not kept.
absl::StatusOr<ScenarioResult> RunScenario(const sim::Scenario& scenario,
                                           const ScenarioOptions& options,
                                           campaign::LeadStore* store = nullptr);

// Where the run is not what the scenario says, one sentence each.
std::vector<std::string> ScenarioNotes(const sim::Scenario& scenario,
                                       const ScenarioOptions& options);

}  // namespace outpace::runtime
