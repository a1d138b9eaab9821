#pragma once

// The evidence log of the dialer: who did what to which record, when, in a form in which a later
// change is found (docs/AUDIT.md). Anyone appends from any thread and never waits; one thread of
// the log's own writes and syncs what has come meanwhile, in one go.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/audit/audit_files.h"
#include "engine/audit/chain.h"
#include "engine/audit/event.h"
#include "engine/audit/writer.h"
#include "engine/base/clock.h"
#include "engine/base/log.h"

namespace outpace::audit {

// Where events go: the log, or in tests and simulations something else.
class AuditSink {
 public:
  // Called once, on the log's thread: OK: the event is on stable storage and found if it is ever
  // taken away. Otherwise it is not known whether the disk has kept it.
  using Done = absl::AnyInvocable<void(const absl::Status&) &&>;
  virtual ~AuditSink() = default;
  // Any thread; never waits for the disk. An error: the event was not taken, and `done` is not
  // called. Either Ready() is an error, and nothing more is written until a restart, or too many
  // wait, as the disk is slow (ResourceExhausted); the log will say how many were refused. An event
  // whose `done` is given is never refused for that: so many things do not happen at once, and of
  // what has happened a trace must stay.
  virtual absl::Status Append(Event event, Done done) = 0;
  absl::Status Append(Event event) { return Append(std::move(event), nullptr); }
  // An error: nothing can be written any more, or will be soon, as the disk is full but for what
  // waits. Any thread.
  virtual absl::Status Ready() const { return absl::OkStatus(); }
};

class NullAuditSink final : public AuditSink {
 public:
  using AuditSink::Append;
  absl::Status Append(Event, Done done) override {
    if (done) std::move(done)(absl::OkStatus());
    return absl::OkStatus();
  }
};

struct AuditLogConfig {
  WriterConfig writer;
  size_t queue_max = 16'384;  // events without `done` that may wait; they fit half the reserve
  // How long the first event of a batch waits for others, to share the syncs of the disk with them.
  absl::Duration gather = absl::Milliseconds(5);
};

struct AuditStats {
  uint64_t written = 0;  // acknowledged
  uint64_t refused = 0;  // the queue was full
  uint64_t waiting = 0;
  Head head;            // the last acknowledged
  absl::Status status;  // an error: as Ready() says; things get better after a restart only
};

class AuditLog final : public AuditSink {
 public:
  // As AuditWriter::Open(). `files`, `clock` and `log` outlive the log; clock and log are called
  // from any thread.
  static absl::StatusOr<std::unique_ptr<AuditLog>> Open(const AuditLogConfig& config, SealKey key,
                                                        AuditFiles& files, const Clock& clock,
                                                        Log& log);
  ~AuditLog() override;  // Close()

  using AuditSink::Append;
  absl::Status Append(Event event, Done done) override;
  absl::Status Ready() const override { return Stats().status; }
  // Returns when all that was appended before is acknowledged or has failed. Waits for the disk.
  absl::Status Flush();
  // AuditWriter::Prune() on the log's thread; `done` may be null.
  absl::Status Prune(absl::Time before, Done done);
  AuditStats Stats() const;
  // Writes what waits, and that the log ends in order. Appending is refused afterwards.
  void Close();

 private:
  struct Impl;
  explicit AuditLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace outpace::audit
