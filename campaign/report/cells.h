#pragma once

// Cells that exports of calls and of leads have in common. The `Append` forms write to the end of a
// buffer and allocate nothing beyond it: an export has some hundred million cells.

#include <climits>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/report/figures.h"
#include "engine/base/e164.h"

namespace outpace::report {

// Of microseconds since 1970 UTC, as records have them: not for ever ago and not never.
inline bool Happened(int64_t micros) { return micros != INT64_MIN && micros != INT64_MAX; }

// "2026-11-22 10:30:00"; empty for what has not happened.
std::string DateCell(absl::Time time, absl::TimeZone zone);

// Digits without "+"; empty for none.
std::string PhoneCell(E164 phone);

// "-5.00": hours east of UTC at `time` in the first of the zones (VICIdial's form); empty if not
// known.
std::string GmtOffsetCell(const std::vector<std::string>& zones, absl::Time time);

void AppendNumber(int64_t value, std::string& to);
inline void AppendPhone(E164 phone, std::string& to) {
  if (phone.valid()) AppendNumber(static_cast<int64_t>(phone.value()), to);
}
// Milliseconds since 1970, rounded down; nothing for what has not happened.
void AppendMillis(int64_t micros, std::string& to);
// Milliseconds from one instant to another, both rounded down first; 0 if the wall clock was set
// back in between, -1 unless both happened.
int64_t MillisBetween(int64_t from, int64_t to);
// Seconds with three decimals; nothing for negative `ms`.
void AppendSeconds(int64_t ms, std::string& to);
// "00:01:23", hours with more digits where they need them; nothing for negative `ms`.
void AppendClock(int64_t ms, std::string& to);

// Dates in one zone. Remembers the last quarter of an hour: calls come mostly by time. One thread.
class DateCells {
 public:
  explicit DateCells(absl::TimeZone zone) : zone_(zone) {}
  // As DateCell().
  void Append(int64_t micros, std::string& to);
  // The hour of the day in the zone, 0 to 23; -1 for what has not happened.
  int Hour(int64_t micros);

 private:
  bool Find(int64_t seconds);  // false: the offset changes inside this quarter
  const absl::TimeZone zone_;
  int64_t quarter_ = INT64_MIN;
  char day_[11] = {};  // "2026-11-22 "
  int hour_ = 0, minute_ = 0;
};

// GmtOffsetCell() for many; remembers zones and their last quarter of an hour. One thread.
class GmtOffsetCells {
 public:
  struct Zone {
    bool known = false;
    absl::TimeZone zone;
    int64_t quarter = INT64_MIN;
    std::string text;
  };
  // Good as long as this object; null for no zones.
  Zone* Find(const std::vector<std::string>& zones);
  static void Append(Zone* zone, int64_t micros, std::string& to);

 private:
  absl::flat_hash_map<std::string, std::unique_ptr<Zone>> zones_;
};

}  // namespace outpace::report
