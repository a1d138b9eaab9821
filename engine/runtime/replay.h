#pragma once

// A recorded day as a scenario: from the stored attempts come, for each half hour, the shares of
// what became of the dials, and for the whole day the samples of ring, talk and wrap-up times;
// who was at work is read off who took calls. Simulated again with other settings it answers "what
// would 2 % have cost". What the records do not tell is assumed, and said.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"
#include "engine/runtime/controller.h"
#include "engine/runtime/simulation_run.h"

namespace outpace::runtime {

struct ReplayOptions {
  std::string day;      // "2026-11-21", "today", "yesterday"
  std::string zone;     // IANA; empty: the campaign's report zone, with several campaigns UTC
  CampaignId campaign;  // empty: all that dialed on that day
  std::vector<trunk::TrunkSettings>
      trunks;  // as configured; empty: not known, taken as without limit
};

struct RecordedDay {
  sim::Scenario scenario;
  ScenarioOptions options;  // with the campaigns' settings
  std::vector<std::string> assumptions;
  FloorFigures recorded;
};

// `now` tells which day is today. InvalidArgument: no such day or zone. NotFound: no such campaign,
// or no calls on that day; says when there were some. FailedPrecondition: too few answers to
// simulate.
absl::StatusOr<RecordedDay> ReadRecordedDay(const campaign::LeadStore& store,
                                            const ReplayOptions& options, absl::Time now);

}  // namespace outpace::runtime
