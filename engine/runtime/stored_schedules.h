#pragma once

// Schedules of exports in the store, with how far each has come: one named value,
// "export_schedules", a JSON object by name.

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/lead_store.h"
#include "campaign/report/export_schedule.h"

namespace outpace::runtime {

struct StoredSchedule {
  report::ExportSchedule schedule;
  report::ScheduleProgress progress;
  absl::Time ran_at = absl::InfinitePast();  // the last attempt, by itself or by hand
  int attempts = 0;                          // that its run has taken so far
  bool delivered = false;                    // what came of it
  std::string result;                        // in words
};

using ScheduleTable = std::map<std::string, StoredSchedule>;

// DataLoss: the value is damaged.
absl::StatusOr<ScheduleTable> ReadSchedules(const campaign::LeadStore& store);
// Durable when it returns. Who reads, changes and writes holds AdminShared::schedules meanwhile.
absl::Status WriteSchedules(const ScheduleTable& table, campaign::LeadStore& store);

}  // namespace outpace::runtime
