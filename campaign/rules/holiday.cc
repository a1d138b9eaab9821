#include "campaign/rules/holiday.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace outpace::rules {
namespace {

constexpr std::array<absl::string_view, 7> kWeekdays = {"Mon", "Tue", "Wed", "Thu",
                                                        "Fri", "Sat", "Sun"};
constexpr std::array<absl::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<absl::string_view, 5> kOrdinals = {"1st", "2nd", "3rd", "4th", "5th"};

absl::Status Bad(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", text, "\" is no day; write \"12-25\", \"3rd Mon Jan\", \"last Mon May\", ",
                   "\"4th Thu Nov +1\", \"Mon before 05-25\", \"Easter-2\", \"2026-02-15\" or ",
                   "\"2026-02-15..2026-02-23\""));
}

template <size_t n>
int IndexOf(const std::array<absl::string_view, n>& names, absl::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  return found == names.end() ? -1 : static_cast<int>(found - names.begin());
}

// "05-25"; 29 February is no day of every year.
bool ParseMonthDay(absl::string_view text, int* month, int* day) {
  if (text.size() != 5 || text[2] != '-' || !absl::SimpleAtoi(text.substr(0, 2), month) ||
      !absl::SimpleAtoi(text.substr(3), day)) {
    return false;
  }
  const absl::CivilDay date(2023, *month, *day);  // no leap year
  return date.month() == *month && date.day() == *day;
}

bool ParseDate(absl::string_view text, absl::CivilDay* date) {
  // ParseCivilTime also takes "2026-2-5" and times: here a day is ten characters.
  return text.size() == 10 && absl::ParseCivilTime(text, date);
}

// "+1", "-2".
bool ParseOffset(absl::string_view text, int* offset) {
  return (absl::StartsWith(text, "+") || absl::StartsWith(text, "-")) &&
         absl::SimpleAtoi(text, offset) && *offset >= -99 && *offset <= 99;
}

int WeekdayOf(absl::CivilDay day) { return static_cast<int>(absl::GetWeekday(day)); }

}  // namespace

absl::CivilDay EasterSunday(int year) {
  // The anonymous Gregorian computus (Nature, 20 April 1876; Meeus, Astronomical Algorithms, 8).
  const int a = year % 19, b = year / 100, c = year % 100;
  const int d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
  const int h = (19 * a + b - d - g + 15) % 30;
  const int i = c / 4, k = c % 4;
  const int l = (32 + 2 * e + 2 * i - h - k) % 7;
  const int m = (a + 11 * h + 22 * l) / 451;
  const int sum = h + l - 7 * m + 114;
  return absl::CivilDay(year, sum / 31, sum % 31 + 1);
}

absl::StatusOr<Holiday> Holiday::Parse(absl::string_view text, Observed observed,
                                       std::string name) {
  Holiday out;
  out.text_ = std::string(text);
  out.name_ = std::move(name);
  out.observed_ = observed;
  absl::string_view rest = text;
  if (absl::ConsumePrefix(&rest, "Easter")) {
    out.kind_ = Kind::kEaster;
    if (!rest.empty() && !ParseOffset(rest, &out.offset_)) return Bad(text);
    return out;
  }
  if (ParseMonthDay(text, &out.month_, &out.day_)) return out;
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(text, absl::MaxSplits("..", 1));
  if (ParseDate(ends.first, &out.first_)) {
    out.kind_ = Kind::kDates;
    out.last_ = out.first_;
    const bool one = ends.first.size() == text.size();
    if (!one && !ParseDate(ends.second, &out.last_)) return Bad(text);
    if (out.last_ < out.first_ || out.last_ - out.first_ > 60) return Bad(text);
    return out;
  }
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  if (words.size() == 3 && words[1] == "before") {
    out.kind_ = Kind::kBefore;
    out.weekday_ = IndexOf(kWeekdays, words[0]);
    if (out.weekday_ < 0 || !ParseMonthDay(words[2], &out.month_, &out.day_)) return Bad(text);
    return out;
  }
  if (words.size() != 3 && words.size() != 4) return Bad(text);
  out.kind_ = Kind::kNth;
  out.nth_ = words[0] == "last" ? -1 : IndexOf(kOrdinals, words[0]) + 1;
  out.weekday_ = IndexOf(kWeekdays, words[1]);
  out.month_ = IndexOf(kMonths, words[2]) + 1;
  if (out.nth_ == 0 || out.weekday_ < 0 || out.month_ == 0) return Bad(text);
  if (words.size() == 4 && !ParseOffset(words[3], &out.offset_)) return Bad(text);
  return out;
}

int Holiday::DaysOf(int year, std::array<absl::CivilDay, 2>* days) const {
  absl::CivilDay day;
  switch (kind_) {
    case Kind::kFixed:
      day = absl::CivilDay(year, month_, day_);
      break;
    case Kind::kNth: {
      if (nth_ > 0) {
        const absl::CivilDay first(year, month_, 1);
        day = first + ((weekday_ - WeekdayOf(first) + 7) % 7 + 7 * (nth_ - 1));
        if (day.month() != month_) return 0;  // no fifth one this year
      } else {
        const absl::CivilDay last = absl::CivilDay(year, month_ + 1, 1) - 1;
        day = last - (WeekdayOf(last) - weekday_ + 7) % 7;
      }
      day += offset_;
      break;
    }
    case Kind::kBefore: {
      const absl::CivilDay eve = absl::CivilDay(year, month_, day_) - 1;
      day = eve - (WeekdayOf(eve) - weekday_ + 7) % 7;
      break;
    }
    case Kind::kEaster:
      day = EasterSunday(year) + offset_;
      break;
    case Kind::kDates:
      return 0;
  }
  (*days)[0] = day;
  const int weekday = WeekdayOf(day);
  if (weekday == 6 && observed_ != Observed::kNone) {
    (*days)[1] = day + 1;
  } else if (weekday == 5 && observed_ == Observed::kNearest) {
    (*days)[1] = day - 1;
  } else if (weekday == 5 && observed_ == Observed::kMonday) {
    (*days)[1] = day + 2;
  } else {
    return 1;
  }
  return 2;
}

void Holiday::AppendDays(int year, std::vector<absl::CivilDay>* days) const {
  if (kind_ == Kind::kDates) {
    for (absl::CivilDay day = first_; day <= last_; ++day) {
      if (day.year() == year) days->push_back(day);
    }
    return;
  }
  std::array<absl::CivilDay, 2> found;
  days->insert(days->end(), found.begin(), found.begin() + DaysOf(year, &found));
}

bool Holiday::Falls(absl::CivilDay day) const {
  if (kind_ == Kind::kDates) return first_ <= day && day <= last_;
  // A day kept instead may lie in the year before or after.
  for (absl::civil_year_t year = day.year() - 1; year <= day.year() + 1; ++year) {
    std::array<absl::CivilDay, 2> days;
    const int count = DaysOf(static_cast<int>(year), &days);
    if (std::find(days.begin(), days.begin() + count, day) != days.begin() + count) return true;
  }
  return false;
}

}  // namespace outpace::rules
