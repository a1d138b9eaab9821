#pragma once

// Windows and holidays of a set, worked out beforehand: for each place that the rules tell apart,
// the open minutes of every day. A question then costs the local time and a look-up.

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "campaign/rules/place_table.h"
#include "campaign/rules/rule.h"

namespace outpace::rules {

// Minutes of one day, from..to, half open.
struct Minutes {
  int16_t from, to;
};
using DayHours = std::vector<Minutes>;  // in order, apart

// The days of one place.
class Calendar {
 public:
  Calendar() = default;
  // `rules`: which of `all` hold there; windows and holidays are taken, others passed over.
  Calendar(absl::Span<const Rule> all, std::vector<uint32_t> rules);

  // Nothing is ever closed there.
  bool always_open() const { return rules_.empty(); }
  // Never allocates from kFirst to kLast (2020 to 2050); later days are worked out anew.
  bool IsOpen(absl::CivilDay day, int minute) const {
    const int64_t index = day - kFirst;
    if (index < 0 || index >= static_cast<int64_t>(days_.size())) {
      return IsOpenIn(WorkOut(day), minute);
    }
    return IsOpenIn(hours_[days_[static_cast<size_t>(index)]], minute);
  }
  // First open minute at or after `at`; CivilMinute::max() if there is none within 400 days.
  absl::CivilMinute NextOpen(absl::CivilMinute at) const;
  // Rules, by their place in `all`, that are closed at that minute.
  std::vector<uint32_t> ClosedBy(absl::Span<const Rule> all, absl::CivilDay day, int minute) const;
  const std::vector<uint32_t>& rules() const { return rules_; }

  static constexpr absl::CivilDay kFirst = absl::CivilDay(2020, 1, 1);
  static constexpr absl::CivilDay kLast = absl::CivilDay(2050, 12, 31);

 private:
  struct Window {
    absl::CivilDay from, until;
    std::array<DayHours, 7> week;  // Monday first
  };
  struct Holidays {
    absl::CivilDay from, until;
    std::vector<Holiday> days;
  };
  static bool IsOpenIn(const DayHours& hours, int minute) {
    for (const Minutes& open : hours) {
      if (minute >= open.from && minute < open.to) return true;
    }
    return false;
  }
  // By the rules themselves, whatever the day.
  DayHours WorkOut(absl::CivilDay day) const;
  bool IsHoliday(absl::CivilDay day) const;
  DayHours WeekdayHours(absl::CivilDay term, size_t weekday) const;
  uint16_t Intern(DayHours hours);

  std::vector<uint32_t> rules_;
  std::vector<Window> windows_;
  std::vector<Holidays> holidays_;
  std::vector<uint16_t> days_;   // index into hours_, from kFirst to kLast
  std::vector<DayHours> hours_;  // the few different ones
};

// Calendars by place.
class CalendarTable {
 public:
  CalendarTable() = default;
  explicit CalendarTable(absl::Span<const Rule> rules);
  const Calendar& Find(Place place) const { return table_.Find(place); }
  // Nothing is ever closed anywhere.
  bool empty() const { return table_.empty() && table_.elsewhere().always_open(); }

 private:
  PlaceTable<Calendar> table_;
};

// First minute at or after `at` at which that one rule, a window or holidays, is open.
absl::CivilMinute NextOpenOf(const Rule& rule, absl::CivilMinute at);

}  // namespace outpace::rules
