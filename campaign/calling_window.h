#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outpace::campaign {

// The hours in which a person may be rung, in that person's own time zone (16 CFR 310.4(c): 8:00 to
// 21:00; many clients ask for less). Half open: at `end` it is closed. Weekdays as a mask.
struct CallingWindow {
  int start_minute = 9 * 60;  // since local midnight, 0..1440
  int end_minute = 21 * 60;   // > start
  uint8_t weekdays = 0x7f;    // bit 0: Monday ... bit 6: Sunday

  // "09:00-21:00", "24hours", or with days "Mon-Fri 09:00-18:00" / "Mon,Wed,Sat 10:00-16:00".
  static absl::StatusOr<CallingWindow> Parse(absl::string_view text);
  std::string ToString() const;
  bool Contains(absl::Time now, absl::TimeZone zone) const;
  // Open in every zone at once: for numbers whose zone is not known for certain.
  bool ContainsInAll(absl::Time now, const std::vector<absl::TimeZone>& zones) const;
  // First instant >= now at which ContainsInAll holds; InfiniteFuture if never within 8 days.
  absl::Time NextOpen(absl::Time now, const std::vector<absl::TimeZone>& zones) const;
};

// Loads a zone by IANA name once and keeps it (loading costs 60-380 us). Thread safe.
// InvalidArgument for an unknown name.
absl::StatusOr<absl::TimeZone> FindTimeZone(absl::string_view iana_name);

}  // namespace outpace::campaign
