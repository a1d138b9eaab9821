#pragma once

#include <array>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"

namespace outpace::rules {

// On which other day a holiday is kept too when it falls on a weekend. Its own day stays one.
enum class Observed {
  kNone,
  kNearest,  // "nearest": Saturday's on Friday, Sunday's on Monday (5 U.S.C. 6103)
  kMonday,   // "monday": Saturday's and Sunday's on Monday
  kSunday,   // "sunday": only Sunday's, on Monday
};

// A day of the year by rule, or days of single years by date.
class Holiday {
 public:
  // "12-25" | "3rd Mon Jan" | "last Mon May" | "4th Thu Nov +1" | "Mon before 05-25" |
  // "Easter-2" (Western) | "2026-02-15" | "2026-02-15..2026-02-23". InvalidArgument teaches these.
  static absl::StatusOr<Holiday> Parse(absl::string_view text, Observed observed, std::string name);

  // The days it falls on in that year, in order, with those it is kept on instead: a holiday of
  // January may be kept in December of the year before.
  void AppendDays(int year, std::vector<absl::CivilDay>* days) const;
  // Whether that day is one of them. No allocation.
  bool Falls(absl::CivilDay day) const;

  const std::string& text() const { return text_; }
  const std::string& name() const { return name_; }
  Observed observed() const { return observed_; }
  // By date alone: nothing is known of later years.
  bool listed() const { return kind_ == Kind::kDates; }
  absl::CivilDay listed_last() const { return last_; }

 private:
  enum class Kind { kFixed, kNth, kBefore, kEaster, kDates };

  // Up to two days, of kinds other than kDates; how many there are.
  int DaysOf(int year, std::array<absl::CivilDay, 2>* days) const;

  Kind kind_ = Kind::kFixed;
  int month_ = 1, day_ = 1;  // kFixed, kBefore; kNth: month
  int nth_ = 1;              // kNth: 1..5; -1: last
  int weekday_ = 0;          // Monday is 0
  int offset_ = 0;           // days, kNth and kEaster
  absl::CivilDay first_, last_;
  Observed observed_ = Observed::kNone;
  std::string text_, name_;
};

// Easter Sunday of the Gregorian calendar.
absl::CivilDay EasterSunday(int year);

}  // namespace outpace::rules
