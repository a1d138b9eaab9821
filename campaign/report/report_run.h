#pragma once

// Makes a report from what is stored, or from an event log: both give the same one.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "campaign/lead_store.h"
#include "campaign/report/event_source.h"
#include "campaign/report/report_fold.h"
#include "campaign/settings.h"

namespace outpace::report {

// Names of lists and agents, clients and statuses of campaigns, as they are today.
absl::Status FillNames(const campaign::LeadStore& store, ReportContext& context);

// Counts the leads of the campaign, or of all, by list; of the context's list only, if it has one.
// Goes through all leads of the store, on `threads` threads.
absl::Status FillInventory(const campaign::LeadStore& store, int threads, ReportContext& context);

// Reads the calls of the context's range on `threads` threads, and agents' time beside them where
// the report has it.
absl::StatusOr<Report> RunReport(const campaign::LeadStore& store, const ReportSpec& spec,
                                 const ReportContext& context, int threads);
// On this thread.
absl::StatusOr<Report> RunReport(const EventSource& events, const ReportSpec& spec,
                                 const ReportContext& context);

}  // namespace outpace::report
