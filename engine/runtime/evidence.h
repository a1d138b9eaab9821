#pragma once

// The evidence log as the configuration has it: directory, key, retention. Opened by the engine,
// and by a command that changes the store while no engine runs.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/audit/audit_log.h"
#include "engine/base/clock.h"
#include "engine/base/e164.h"
#include "engine/base/log.h"
#include "engine/runtime/config.h"

namespace outpace::runtime {

// "command line, user 1000": who runs this program.
std::string CommandActor();

class Evidence {
 public:
  // A damaged log is no reason not to dial: it goes on in a new segment that says so, and `log` is
  // told. FailedPrecondition: there is a log and its key is gone, or another engine writes.
  static absl::StatusOr<std::unique_ptr<Evidence>> Open(const Config& config, const Clock& clock,
                                                        Log& log);
  audit::AuditLog& log() { return *log_; }
  // What a command did by itself. Waits for the disk.
  absl::Status Note(audit::Event event);
  // What stands in the log for a phone number. Any thread.
  std::string MarkOf(E164 number) const { return key_.MarkOf(number.ToString()); }
  // Removes what is older than audit.keep_days; on the log's thread.
  void PruneOld();

 private:
  Evidence(const Config& config, const Clock& clock)
      : keep_days_(config.audit_keep_days), clock_(clock) {}
  const int keep_days_;
  const Clock& clock_;
  audit::SealKey key_;
  std::unique_ptr<audit::AuditFiles> files_;
  std::unique_ptr<audit::AuditLog> log_;  // before files_ goes
};

}  // namespace outpace::runtime
