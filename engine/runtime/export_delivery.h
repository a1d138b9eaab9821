#pragma once

// Bringing files of exports to where they are wanted: a directory, an SFTP or an HTTPS server.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "campaign/report/export_schedule.h"

namespace outpace::runtime {

struct ExportParcel {
  std::string path;  // what to bring
  std::string name;  // as what
};

class ExportSink {
 public:
  virtual ~ExportSink() = default;
  // Brings all in this order, each whole or not at all in a directory and by SFTP, and replaces
  // what has its name. Waits, for as long as bytes move. Errors hold neither passwords nor rows;
  // those that were brought before one stay.
  virtual absl::Status Deliver(const std::vector<ExportParcel>& parcels) = 0;
};

// The way to `schedule.to`. `stopping`, null: never; once it is true an upload is given up within a
// second or so (Cancelled). FailedPrecondition: the file of credentials may be read by others, or
// is not of the form "user:password" or a private key. NotFound: there is no such file.
absl::StatusOr<std::unique_ptr<ExportSink>> MakeExportSink(const report::ExportSchedule& schedule,
                                                           std::function<bool()> stopping);

}  // namespace outpace::runtime
