#pragma once

// Finds what was done to a log: events changed, removed, added, moved, cut off at either end. Reads
// only, and may be run on a log that an engine is writing.
//
// What cannot be found from the files and the key alone: that somebody with the right to write both
// the directory and the key file made the log anew, or that an older copy of the whole directory
// was put back. Against both helps a head that was noted elsewhere (`note`).

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/audit/audit_files.h"
#include "engine/audit/chain.h"
#include "engine/audit/event.h"

namespace outpace::audit {

struct Fault {
  std::string file;
  uint64_t line = 0;  // from 1; 0: the file as a whole
  std::string what;
  bool known = false;            // an engine has found it, said so in the log, and gone on after it
  std::string ToString() const;  // "audit-20261122-1.jsonl, line 7: ..."
};

struct AuditReport {
  std::vector<Fault> faults;  // the first of each stretch; after it nothing is known until a break
  std::vector<std::string> notes;  // what an operator should know, and no fault
  uint64_t segments = 0, events = 0;
  uint64_t first_seq = 0, last_seq = 0;  // of what was read; 0: nothing
  std::string last_hash;
  std::optional<Head> head;
  uint64_t after_head = 0;   // events not acknowledged: an engine died, or is writing now
  uint64_t torn_octets = 0;  // of a line whose end is missing, after these
  bool seals_checked = false;
  // Where writing goes on: the last segment and the octets of its whole lines.
  std::string last_file;
  uint64_t last_file_octets = 0;
  bool ok() const { return faults.empty(); }
  const Fault* NewFault() const;  // the first that is not known; nullptr: none
};

struct VerifyOptions {
  const SealKey* key = nullptr;  // null: seals are not looked at
  std::optional<Head> note;      // this event must be there
  bool since_head = false;       // only from the segment in which the head is
};
// NotFound: there is no log. Other errors: the files could not be read.
absl::StatusOr<AuditReport> VerifyAudit(AuditFiles& files, const VerifyOptions& options);

struct EventQuery {
  absl::Time from = absl::InfinitePast(), to = absl::InfiniteFuture();  // to: not included
  std::vector<std::string> kinds;  // "call.abandoned", or "call." for all that begin so; none: all
};
// In the order of the log, each with its line, until `each` returns false; checks nothing.
// DataLoss: a line is no event.
using EachEvent = std::function<bool(const StoredEvent&, absl::string_view line)>;
absl::Status ForEachEvent(AuditFiles& files, const EventQuery& query, const EachEvent& each);

}  // namespace outpace::audit
