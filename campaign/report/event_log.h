#pragma once

// The event log: what happened in a range of time, one JSON object a line, in the order of time.
// Call records come apart into their events, agents' activities lie between them. It is all that
// reports are computed from: what is read back is equal to what is stored.
//
// Form (docs/EXPORT.md has every key): the first line is {"event":"log",...} with the range. Then
//   {"at_us":...,"event":"placed","attempt":7,...}   everything as of the call
//   ringing, answered, verdict, connected, abandoned, ended, result   with what each of them brings
//   {"at_us":...,"event":"agent","agent":"a1","state":"READY",...}
// Instants are microseconds since 1970 UTC. A key whose value is the default is left out. An event
// whose instant is not recorded has "undated":true, and the at_us of the one before it. A text that
// is not UTF-8 is {"base64":"..."}.

#include <functional>
#include <istream>
#include <string>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/report/event_source.h"

namespace outpace::report {

struct EventLogOptions {
  absl::Time from, to;  // from <= to, both finite
  // From how long before `from` on: as far as reports on the range look back, so that they need
  // nothing else.
  absl::Duration look_back = absl::Minutes(65);
};

struct EventCounts {
  int64_t attempts = 0, activities = 0, lines = 0;
};

// Writes attempts placed, and activities of, [from - look_back, to): attempts with all their
// events, also those after `to`. Calls `write` with pieces of the file; stops and returns its
// error. Holds the events of a few minutes in memory. Same range, same bytes, once all calls in it
// are closed.
absl::StatusOr<EventCounts> WriteEventLog(
    const EventSource& source, const EventLogOptions& options,
    const std::function<absl::Status(absl::string_view)>& write);

// A log that was read, in memory: some 1 KB an attempt.
class EventLog final : public EventSource {
 public:
  // InvalidArgument names the line: not JSON, no such event or key, an event of an attempt that was
  // not placed. Lines may end in CRLF; empty ones are skipped. DataLoss: the last line is cut off.
  static absl::StatusOr<EventLog> Read(std::istream& in);

  absl::Status ForEachAttempt(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::Attempt&)>& visit) const override;
  absl::Status ForEachActivity(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::AgentActivity&)>& visit) const override;
  absl::StatusOr<absl::Time> KnownUntil() const override { return known_until_; }
  // The range that was asked for; what was before it is there too.
  absl::Time from() const { return from_; }
  absl::Time to() const { return to_; }

 private:
  absl::Status AddLine(absl::string_view line);

  absl::Time from_, to_;
  absl::Time known_until_ = absl::InfiniteFuture();
  bool begun_ = false;
  absl::btree_map<AttemptId, campaign::Attempt> attempts_;
  std::vector<campaign::AgentActivity> activities_;
};

}  // namespace outpace::report
