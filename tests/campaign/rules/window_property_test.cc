// Every minute of two years by the rules in the files: no call outside a window, no window passed
// over. The oracle shares nothing with the code under test but the values of the rules: local time
// is the C library's, days are looked at one by one, Easter is a table.
//
// In every build one zone of each kind of clock is walked, minute by minute on the days around a
// change of the clock and in steps of five otherwise (windows and offsets are multiples of that);
// with OUTPACE_ALL_ZONES=1 every minute in every zone and link that tzdata has.

#include <array>
#include <cstdlib>
#include <ctime>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "campaign/calling_window.h"
#include "campaign/rules/rule_set.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"
#include "tests/fakes/wall_clock.h"

namespace outpace::rules {
namespace {

constexpr absl::string_view kZoneNames[] = {
#include "campaign/zone_name_table.inc"
};

constexpr time_t kBegin = 1767225600;  // 2026-01-01T00:00:00Z
constexpr int kMinutes = 730 * 1440;

absl::Time MinuteAt(int minute) { return absl::FromUnixSeconds(kBegin + 60 * time_t{minute}); }

// A date without time; arithmetic by the C library in UTC.
struct Date {
  int year, month, day, weekday;  // 1..12, 1..31, Monday is 0
};
Date Shift(const Date& date, int days) {
  tm utc{};
  utc.tm_year = date.year - 1900;
  utc.tm_mon = date.month - 1;
  utc.tm_mday = date.day + days;
  utc.tm_hour = 12;
  const time_t seconds = timegm(&utc);
  gmtime_r(&seconds, &utc);
  return {utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, (utc.tm_wday + 6) % 7};
}

int IndexIn(absl::string_view list, absl::string_view word) {
  const std::vector<absl::string_view> words = absl::StrSplit(list, ' ');
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return static_cast<int>(i);
  }
  ADD_FAILURE() << "the oracle does not know " << word;
  return -1;
}

// Whether the date is the day that the text of a file names, taken literally.
bool NamesDay(absl::string_view text, const Date& date) {
  const std::string today = absl::StrFormat("%04d-%02d-%02d", date.year, date.month, date.day);
  if (absl::StrContains(text, "..")) return text.substr(0, 10) <= today && today <= text.substr(12);
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') return text == today;
  if (text.size() == 5 && text[2] == '-') return text == today.substr(5);
  if (absl::StartsWith(text, "Easter")) {
    static const std::map<int, std::string> kEaster = {
        {2025, "2025-04-20"}, {2026, "2026-04-05"}, {2027, "2027-03-28"}, {2028, "2028-04-16"}};
    int offset = 0;
    if (text.size() > 6 && !absl::SimpleAtoi(text.substr(6), &offset)) ADD_FAILURE() << text;
    const Date easter = Shift(date, -offset);
    const auto known = kEaster.find(easter.year);
    return known != kEaster.end() && known->second == absl::StrFormat("%04d-%02d-%02d", easter.year,
                                                                      easter.month, easter.day);
  }
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ');
  EXPECT_EQ(words.size(), 3u) << "the oracle does not know " << text;
  if (IndexIn("Mon Tue Wed Thu Fri Sat Sun", words[1]) != date.weekday) return false;
  if (IndexIn("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", words[2]) != date.month - 1) {
    return false;
  }
  if (words[0] == "last") return Shift(date, 7).month != date.month;
  return IndexIn("1st 2nd 3rd 4th 5th", words[0]) == (date.day - 1) / 7;
}

bool IsKept(const Holiday& holiday, const Date& date) {
  if (NamesDay(holiday.text(), date)) return true;
  switch (holiday.observed()) {
    case Observed::kNone:
      return false;
    case Observed::kNearest:
      return (date.weekday == 0 && NamesDay(holiday.text(), Shift(date, -1))) ||
             (date.weekday == 4 && NamesDay(holiday.text(), Shift(date, 1)));
    case Observed::kMonday:
      return date.weekday == 0 && (NamesDay(holiday.text(), Shift(date, -1)) ||
                                   NamesDay(holiday.text(), Shift(date, -2)));
    case Observed::kSunday:
      return date.weekday == 0 && NamesDay(holiday.text(), Shift(date, -1));
  }
  return false;
}

// The rules of a set for one place, asked one after another.
class Oracle {
 public:
  Oracle(const RuleSet& set, const std::string& region, const std::string& area) {
    for (const Rule& rule : set.rules()) {
      for (const std::string& each : rule.areas) {
        if (each == region || each == absl::StrCat(region, "-", area)) rules_.push_back(&rule);
      }
    }
  }

  bool IsOpen(const tm& local) {
    const int day = local.tm_year * 400 + local.tm_yday;
    if (day != day_) {
      day_ = day;
      LookAt({local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, (local.tm_wday + 6) % 7});
    }
    return open_[static_cast<size_t>(local.tm_hour * 60 + local.tm_min)];
  }

 private:
  void LookAt(const Date& date) {
    open_.fill(true);
    const absl::CivilDay civil(date.year, date.month, date.day);
    for (const Rule* rule : rules_) {
      if (civil < rule->from || civil >= rule->until) continue;
      if (const auto* holidays = std::get_if<HolidayRule>(&rule->value)) {
        for (const Holiday& holiday : holidays->days) {
          if (IsKept(holiday, date)) open_.fill(false);
        }
      } else if (const auto* window = std::get_if<WindowRule>(&rule->value)) {
        std::array<bool, 1440> inside{};
        for (const OpenHours& hours : window->open) {
          if ((hours.weekdays & (1 << date.weekday)) == 0) continue;
          for (int m = hours.start_minute; m < hours.end_minute; ++m) {
            inside[static_cast<size_t>(m)] = true;
          }
        }
        for (size_t m = 0; m < 1440; ++m) open_[m] = open_[m] && inside[m];
      }
    }
  }

  std::vector<const Rule*> rules_;
  std::array<bool, 1440> open_{};
  int day_ = -1;
};

struct Case {
  std::string name;
  RuleSet set;
  std::string region, area;
};

// Windows of every make: whole days, breaks, days of the week, holidays by every rule, terms that
// begin and end, and hours of the night, where clocks are moved.
std::vector<Case> Cases() {
  const auto book = RuleBook::Parse({{"night.toml", R"(id = "night"
version = "2026-01-01"
title = "Hours at which clocks are moved"
[[window]]
id = "night:window"
areas = ["US"]
open = ["00:00-00:40", "Mon-Sat 01:20-02:10", "Sun 01:40-02:50", "03:30-04:00", "23:30-24:00"]
source = "none"
status = "read"
)"}});
  EXPECT_TRUE(book.ok()) << book.status();
  std::vector<Case> cases;
  const auto add = [&](const std::string& name, absl::StatusOr<RuleSet> set,
                       const std::string& region, const std::string& area) {
    EXPECT_TRUE(set.ok()) << set.status();
    if (set.ok()) cases.push_back({name, *std::move(set), region, area});
  };
  const RuleBook& built_in = RuleBook::BuiltIn();
  add("night", RuleSet::Combine(*book, {"night"}), "US", "FL");
  add("fr", RuleSet::Combine(built_in, {"fr"}), "FR", "x");
  const std::vector<std::string> us = {"us-tsr", "us-tcpa", "us-states"};
  for (const char* state : {"AL", "RI", "PA", "MS"}) {
    add(absl::StrCat("us ", state), RuleSet::Combine(built_in, us), "US", state);
  }
  add("au", RuleSet::Combine(built_in, {"au"}), "AU", "x");
  add("cn", RuleSet::Combine(built_in, {"cn", "cn-debt"}), "CN", "x");
  return cases;
}

// Minutes to go on by, from each hour on.
std::vector<int> Steps(absl::TimeZone zone, bool whole) {
  std::vector<int> steps(kMinutes / 60, whole ? 1 : 5);
  for (size_t hour = 0; hour < steps.size(); ++hour) {
    const absl::Time at = MinuteAt(static_cast<int>(hour) * 60);
    if (zone.At(at - absl::Hours(30)).offset != zone.At(at + absl::Hours(30)).offset) {
      steps[hour] = 1;
    }
  }
  return steps;
}

// Walks one zone with some of the cases. False after the first minute that is wrong.
bool Walk(absl::string_view name, const std::vector<const Case*>& cases, bool whole) {
  const absl::StatusOr<absl::TimeZone> zone = campaign::FindTimeZone(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  if (!zone.ok()) return false;
  const std::vector<absl::TimeZone> zones = {*zone};
  const fakes::WallClock clock(name);
  struct Thread {
    const Case* of;
    Oracle oracle;
    std::vector<Place> places;
    std::vector<std::pair<int, absl::Time>> promised;  // when next_open was asked, its answer
    int asked_at = 0;
  };
  std::vector<Thread> threads;
  for (const Case* each : cases) {
    threads.push_back({each,
                       Oracle(each->set, each->region, each->area),
                       {Place{each->region, each->area}},
                       {},
                       0});
  }
  const std::vector<int> steps = Steps(*zone, whole);
  Rng rng(1);
  for (int minute = 0; minute < kMinutes; minute += steps[static_cast<size_t>(minute / 60)]) {
    const absl::Time now = MinuteAt(minute);
    const tm local = clock.At(kBegin + 60 * time_t{minute});
    for (Thread& thread : threads) {
      const bool expected = thread.oracle.IsOpen(local);
      const bool got = thread.of->set.IsOpen(now, zones, thread.places);
      if (got != expected) {
        ADD_FAILURE() << thread.of->name << ", " << name << ", " << now << ": open is " << got;
        return false;
      }
      if (!expected) {
        // Asked as it closes, and once later at any minute of the time that it is closed.
        if (thread.promised.empty() || minute >= thread.asked_at) {
          const WindowVerdict verdict = thread.of->set.CheckWindow(now, zones, thread.places);
          EXPECT_FALSE(verdict.held.empty());
          thread.promised.emplace_back(minute, verdict.next_open);
          thread.asked_at = minute + 1 + static_cast<int>(rng.Below(600));
        }
        continue;
      }
      for (const auto& [asked, answer] : thread.promised) {
        if (answer == now) continue;
        ADD_FAILURE() << thread.of->name << ", " << name << ": asked at " << MinuteAt(asked)
                      << ", said " << answer << ", opens " << now;
        return false;
      }
      thread.promised.clear();
    }
  }
  return true;
}

// What a zone's clock does in these years: its offset and every change of it.
std::string ClockOf(absl::string_view name) {
  const absl::StatusOr<absl::TimeZone> zone = campaign::FindTimeZone(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  std::string out;
  int last = 1 << 30;
  for (int minute = 0; zone.ok() && minute < kMinutes; minute += 15) {
    const int offset = zone->At(MinuteAt(minute)).offset;
    if (offset != last) absl::StrAppend(&out, minute, ":", offset, " ");
    last = offset;
  }
  return out;
}

TEST(WindowProperty, EveryMinuteOfTwoYearsInEveryZone) {
  const std::vector<Case> cases = Cases();
  const char* all = std::getenv("OUTPACE_ALL_ZONES");
  const bool whole = all != nullptr && *all != '\0';
  std::set<std::string> seen;
  int walked = 0;
  for (size_t i = 0; i < std::size(kZoneNames); ++i) {
    if (!whole && !seen.insert(ClockOf(kZoneNames[i])).second) continue;
    // In turn, but for the night, which is where zones differ.
    std::vector<const Case*> mine = {&cases[0]};
    const size_t others = cases.size() - 1;
    mine.push_back(&cases[1 + static_cast<size_t>(walked) % others]);
    if (whole) mine.push_back(&cases[1 + static_cast<size_t>(walked + 3) % others]);
    ++walked;
    ASSERT_TRUE(Walk(kZoneNames[i], mine, whole));
  }
  EXPECT_GE(walked, whole ? 590 : 40);
  RecordProperty("zones", walked);
  std::printf("%d zones, %d minutes each\n", walked, kMinutes);
}

// Open minutes of a case in a zone, for questions about several zones at once.
std::vector<bool> OpenMinutes(absl::string_view name, const Case& of) {
  const fakes::WallClock clock(name);
  Oracle oracle(of.set, of.region, of.area);
  std::vector<bool> open(kMinutes);
  for (int minute = 0; minute < kMinutes; ++minute) {
    open[static_cast<size_t>(minute)] = oracle.IsOpen(clock.At(kBegin + 60 * time_t{minute}));
  }
  return open;
}

TEST(WindowProperty, SeveralZonesAndAClockThatIsSet) {
  const std::vector<Case> cases = Cases();
  const std::vector<absl::string_view> names = {
      "America/New_York", "America/Chicago", "America/St_Johns",    "America/Los_Angeles",
      "Europe/Paris",     "Asia/Kathmandu",  "Australia/Lord_Howe", "Africa/Casablanca"};
  std::vector<absl::TimeZone> zones;
  for (absl::string_view name : names) zones.push_back(campaign::FindTimeZone(name).value());
  for (size_t c : {size_t{0}, size_t{1}, size_t{2}}) {
    const Case& of = cases[c];
    std::vector<std::vector<bool>> open;
    for (absl::string_view name : names) open.push_back(OpenMinutes(name, of));
    const std::vector<Place> places = {{of.region, of.area}};
    for (uint64_t seed = 0; seed < 200; ++seed) {
      SCOPED_TRACE(absl::StrCat(of.name, " seed=", seed));
      Rng rng(seed);
      const size_t a = rng.Below(names.size()), b = rng.Below(names.size());
      const std::vector<absl::TimeZone> both = {zones[a], zones[b]};
      int minute = static_cast<int>(rng.Below(kMinutes - 30 * 1440));
      for (int step = 0; step < 20; ++step) {
        const auto is_open = [&](int m) {
          return open[a][static_cast<size_t>(m)] && open[b][static_cast<size_t>(m)];
        };
        ASSERT_EQ(of.set.IsOpen(MinuteAt(minute), both, places), is_open(minute));
        int next = minute;
        while (next < kMinutes && !is_open(next)) ++next;
        const absl::Time got = of.set.CheckWindow(MinuteAt(minute), both, places).next_open;
        if (next < kMinutes) {
          ASSERT_EQ(got, MinuteAt(next)) << "from " << MinuteAt(minute);
        } else {
          ASSERT_GE(got, MinuteAt(kMinutes));
        }
        // The clock is set an hour or a day forward or back, or runs on.
        constexpr int kSteps[] = {60, -60, 1440, -1440, 1, 7, 333};
        minute += kSteps[rng.Below(std::size(kSteps))];
        if (minute < 0 || minute >= kMinutes) break;
      }
    }
  }
}

}  // namespace
}  // namespace outpace::rules
