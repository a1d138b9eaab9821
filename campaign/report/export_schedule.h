#pragma once

// Exports that run by themselves once a day: what, when, where to, and when the next one is due.
// Writing and delivering is engine/runtime's.

#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace outpace::report {

struct ExportSchedule {
  enum class Target { kDirectory, kSftp, kHttp };

  std::string name;            // 1 to 40 of A-Z a-z 0-9 _ -
  std::string what = "calls";  // calls, abandons, agents, leads
  std::string layout, format;  // empty: as an export by hand chooses; not checked here
  std::string campaign;        // empty: all
  int at_minute = 0;           // of the local day, 0 to 1439
  std::string zone = "UTC";    // IANA name; of `at_minute`, of the day and of the file
  bool today = false;          // the day of the run, else the day before it
  std::string to;              // "/dir", "sftp://user@host[:port]/dir", "https://host/dir"
  std::string credentials;     // absolute path of a file that its owner only may read
  std::string known_hosts;     // absolute path; of SFTP
  std::string file = "{name}-{day}.csv";  // {name}, {campaign}, {day} (2026-11-21)

  Target target() const;
  // The settings as ParseExportSchedule() takes them, all that are not empty.
  std::map<std::string, std::string> ToMap() const;
  std::string FileName(absl::CivilDay day) const;
  // The day whose export is due at `due`.
  absl::CivilDay DayOf(absl::Time due) const;
};

// From settings by name: what, layout, format, campaign, at (HH:MM), zone, day (yesterday or
// today), to, credentials, known_hosts, file. InvalidArgument says which is wrong and what to
// write; it never repeats `to`, in which somebody may have put a password.
absl::StatusOr<ExportSchedule> ParseExportSchedule(
    absl::string_view name, const std::map<std::string, std::string>& settings);

// When a schedule is due after `last`, the instant of its last run: the newest instant at or before
// `now`, if there is one, as a run that was missed is made up for once; else the first after `now`.
// Once a local day, whatever the clocks do: at the first of two equal times, and where the time is
// left out, when the clocks are set.
absl::Time NextRun(const ExportSchedule& schedule, absl::Time last, absl::Time now);

// How far a schedule has come.
struct ScheduleProgress {
  absl::Time last = absl::InfinitePast();  // the due instant that is done with, or its beginning
  absl::Time due = absl::InfinitePast();   // that of a run which failed and is tried again
  int failures = 0;                        // of that run
  absl::Time retry_at = absl::InfinitePast();
};

// The due instant of the run to make now, if any. A run that is newer than one that failed takes
// its place.
std::optional<absl::Time> RunNow(const ExportSchedule& schedule, const ScheduleProgress& progress,
                                 absl::Time now);
// After the run of `due`: it is done with, or comes again 1, 5 and 30 minutes after a failure;
// after the fourth it is given up.
void NoteRun(absl::Time due, bool delivered, absl::Time now, ScheduleProgress& progress);

}  // namespace outpace::report
