#include "campaign/rules/calendar.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/check.h"

namespace outpace::rules {
namespace {

constexpr int kHorizonDays = 400;
constexpr int kDayMinutes = 1440;

size_t WeekdayOf(absl::CivilDay day) { return static_cast<size_t>(absl::GetWeekday(day)); }

DayHours Union(DayHours hours) {
  std::sort(hours.begin(), hours.end(),
            [](const Minutes& a, const Minutes& b) { return a.from < b.from; });
  DayHours out;
  for (const Minutes& next : hours) {
    if (!out.empty() && next.from <= out.back().to) {
      out.back().to = std::max(out.back().to, next.to);
    } else {
      out.push_back(next);
    }
  }
  return out;
}

DayHours Intersection(const DayHours& a, const DayHours& b) {
  DayHours out;
  for (const Minutes& x : a) {
    for (const Minutes& y : b) {
      const Minutes both{std::max(x.from, y.from), std::min(x.to, y.to)};
      if (both.from < both.to) out.push_back(both);
    }
  }
  return out;  // in order, since both are
}

std::array<DayHours, 7> WeekOf(const WindowRule& rule) {
  std::array<DayHours, 7> week;
  for (size_t day = 0; day < 7; ++day) {
    for (const OpenHours& open : rule.open) {
      if ((open.weekdays >> day & 1) == 0) continue;
      week[day].push_back(
          {static_cast<int16_t>(open.start_minute), static_cast<int16_t>(open.end_minute)});
    }
    week[day] = Union(std::move(week[day]));
  }
  return week;
}

bool SameHours(const DayHours& a, const DayHours& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Minutes& x, const Minutes& y) {
    return x.from == y.from && x.to == y.to;
  });
}

}  // namespace

// The number tables write "NS/PE" where an area code does not tell which of the two it is.
bool IsVague(absl::string_view area) { return area.empty() || absl::StrContains(area, '/'); }

bool Covers(absl::Span<const std::string> areas, Place place) {
  if (areas.empty() || place.region.empty()) return true;
  for (absl::string_view area : areas) {
    const size_t dash = area.find('-');
    if (area.substr(0, dash) != place.region) continue;
    if (dash == absl::string_view::npos || IsVague(place.area)) return true;
    if (area.substr(dash + 1) == place.area) return true;
  }
  return false;
}

Calendar::Calendar(absl::Span<const Rule> all, std::vector<uint32_t> rules) {
  std::set<absl::CivilDay> terms = {kFirst};
  for (const uint32_t index : rules) {
    const Rule& rule = all[index];
    if (const auto* window = std::get_if<WindowRule>(&rule.value)) {
      windows_.push_back({rule.from, rule.until, WeekOf(*window)});
      terms.insert({rule.from, rule.until});
    } else if (const auto* holidays = std::get_if<HolidayRule>(&rule.value)) {
      holidays_.push_back({rule.from, rule.until, holidays->days});
    } else {
      continue;
    }
    rules_.push_back(index);
  }
  if (rules_.empty()) return;

  days_.resize(static_cast<size_t>(kLast - kFirst) + 1);
  std::array<uint16_t, 7> week{};
  for (size_t i = 0; i < days_.size(); ++i) {
    const absl::CivilDay day = kFirst + static_cast<int64_t>(i);
    if (terms.contains(day)) {
      for (size_t weekday = 0; weekday < 7; ++weekday) {
        week[weekday] = Intern(WeekdayHours(day, weekday));
      }
    }
    days_[i] = week[WeekdayOf(day)];
  }
  const uint16_t closed = Intern({});
  std::vector<absl::CivilDay> days;
  for (const Holidays& holidays : holidays_) {
    days.clear();
    for (const Holiday& holiday : holidays.days) {
      for (absl::civil_year_t year = kFirst.year() - 1; year <= kLast.year() + 1; ++year) {
        holiday.AppendDays(static_cast<int>(year), &days);
      }
    }
    for (const absl::CivilDay day : days) {
      if (day < kFirst || day > kLast || day < holidays.from || day >= holidays.until) continue;
      days_[static_cast<size_t>(day - kFirst)] = closed;
    }
  }
}

uint16_t Calendar::Intern(DayHours hours) {
  for (size_t i = 0; i < hours_.size(); ++i) {
    if (SameHours(hours_[i], hours)) return static_cast<uint16_t>(i);
  }
  OUTPACE_CHECK(hours_.size() < UINT16_MAX);  // there are fewer days
  hours_.push_back(std::move(hours));
  return static_cast<uint16_t>(hours_.size() - 1);
}

DayHours Calendar::WeekdayHours(absl::CivilDay term, size_t weekday) const {
  DayHours hours = {{0, kDayMinutes}};
  for (const Window& window : windows_) {
    if (window.from <= term && term < window.until) {
      hours = Intersection(hours, window.week[weekday]);
    }
  }
  return hours;
}

bool Calendar::IsHoliday(absl::CivilDay day) const {
  for (const Holidays& holidays : holidays_) {
    if (day < holidays.from || day >= holidays.until) continue;
    for (const Holiday& holiday : holidays.days) {
      if (holiday.Falls(day)) return true;
    }
  }
  return false;
}

DayHours Calendar::WorkOut(absl::CivilDay day) const {
  if (IsHoliday(day)) return {};
  return WeekdayHours(day, WeekdayOf(day));
}

absl::CivilMinute Calendar::NextOpen(absl::CivilMinute at) const {
  if (always_open()) return at;
  absl::CivilDay day(at);
  auto minute = static_cast<int>(at - absl::CivilMinute(day));
  for (int i = 0; i <= kHorizonDays; ++i, ++day, minute = 0) {
    const int64_t index = day - kFirst;
    const bool known = index >= 0 && index < static_cast<int64_t>(days_.size());
    const DayHours worked_out = known ? DayHours() : WorkOut(day);
    const DayHours& hours = known ? hours_[days_[static_cast<size_t>(index)]] : worked_out;
    for (const Minutes& open : hours) {
      if (minute < open.to) return absl::CivilMinute(day) + std::max<int>(minute, open.from);
    }
  }
  return absl::CivilMinute::max();
}

absl::CivilMinute NextOpenOf(const Rule& rule, absl::CivilMinute at) {
  absl::CivilDay day(at);
  auto minute = static_cast<int>(at - absl::CivilMinute(day));
  for (int i = 0; i <= kHorizonDays; ++i, ++day, minute = 0) {
    if (!rule.InForce(day)) return absl::CivilMinute(day) + minute;
    if (const auto* window = std::get_if<WindowRule>(&rule.value)) {
      int first = kDayMinutes;
      for (const OpenHours& hours : window->open) {
        if ((hours.weekdays >> WeekdayOf(day) & 1) != 0 && minute < hours.end_minute) {
          first = std::min(first, std::max(minute, hours.start_minute));
        }
      }
      if (first < kDayMinutes) return absl::CivilMinute(day) + first;
    } else if (const auto* holidays = std::get_if<HolidayRule>(&rule.value)) {
      if (std::none_of(holidays->days.begin(), holidays->days.end(),
                       [day](const Holiday& holiday) { return holiday.Falls(day); })) {
        return absl::CivilMinute(day) + minute;
      }
    } else {
      return at;
    }
  }
  return absl::CivilMinute::max();
}

std::vector<uint32_t> Calendar::ClosedBy(absl::Span<const Rule> all, absl::CivilDay day,
                                         int minute) const {
  std::vector<uint32_t> closed;
  const absl::CivilMinute at = absl::CivilMinute(day) + minute;
  for (const uint32_t index : rules_) {
    if (NextOpenOf(all[index], at) != at) closed.push_back(index);
  }
  return closed;
}

CalendarTable::CalendarTable(absl::Span<const Rule> rules) {
  std::vector<uint32_t> of_days;
  for (uint32_t i = 0; i < rules.size(); ++i) {
    if (std::holds_alternative<WindowRule>(rules[i].value) ||
        std::holds_alternative<HolidayRule>(rules[i].value)) {
      of_days.push_back(i);
    }
  }
  table_ = PlaceTable<Calendar>(rules, of_days, [rules](std::vector<uint32_t> holding) {
    return Calendar(rules, std::move(holding));
  });
}

}  // namespace outpace::rules
