#include "campaign/calling_window.h"

#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

absl::TimeZone Zone(absl::string_view name) {
  const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.value_or(absl::UTCTimeZone());
}

absl::Time At(absl::string_view text, absl::string_view zone) {
  absl::CivilSecond civil;
  EXPECT_TRUE(absl::ParseCivilTime(text, &civil)) << text;
  return absl::FromCivil(civil, Zone(zone));
}

CallingWindow Window(absl::string_view text) {
  const absl::StatusOr<CallingWindow> window = CallingWindow::Parse(text);
  EXPECT_TRUE(window.ok()) << window.status();
  return window.value_or(CallingWindow());
}

TEST(CallingWindow, ReadsAndWritesTheSame) {
  for (const char* text : {"09:00-21:00", "24hours", "Mon-Fri 09:00-18:00",
                           "Mon,Wed,Sat 10:00-16:00", "Sun 00:00-24:00"}) {
    const CallingWindow window = Window(text);
    const CallingWindow again = Window(window.ToString());
    EXPECT_EQ(again.start_minute, window.start_minute) << text;
    EXPECT_EQ(again.end_minute, window.end_minute) << text;
    EXPECT_EQ(again.weekdays, window.weekdays) << text;
  }
  EXPECT_EQ(Window("Mon-Fri 09:00-18:00").ToString(), "Mon-Fri 09:00-18:00");
  EXPECT_EQ(Window("Sat-Mon 9:00-18:00").weekdays, 0b1100001);
}

TEST(CallingWindow, RefusesNonsenseAndTeaches) {
  for (const char* text : {"", "9-17", "21:00-09:00", "09:00-09:00", "09:00-25:00", "09:60-10:00",
                           "Foo 09:00-10:00", "Mon- 09:00-10:00", "Mon-Fri", "-1:00-10:00"}) {
    const absl::StatusOr<CallingWindow> window = CallingWindow::Parse(text);
    ASSERT_FALSE(window.ok()) << text;
    EXPECT_NE(window.status().message().find("09:00-21:00"), absl::string_view::npos);
  }
}

TEST(CallingWindow, OpensAtTheStartAndIsClosedAtTheEnd) {
  const CallingWindow window = Window("09:00-21:00");
  const absl::TimeZone zone = Zone("Australia/Adelaide");  // UTC+9:30, +10:30 in summer
  for (const char* day : {"2026-01-15", "2026-07-15"}) {
    const auto at = [&](absl::string_view time) {
      return At(absl::StrCat(day, "T", time), "Australia/Adelaide");
    };
    EXPECT_FALSE(window.Contains(at("08:59:59"), zone));
    EXPECT_TRUE(window.Contains(at("09:00:00"), zone));
    EXPECT_TRUE(window.Contains(at("20:59:59"), zone));
    EXPECT_FALSE(window.Contains(at("21:00:00"), zone));
  }
}

TEST(CallingWindow, FollowsTheClockOnTheWallWhenItIsMoved) {
  const CallingWindow window = Window("09:00-21:00");
  const absl::TimeZone zone = Zone("America/New_York");
  // The day before the spring change, 09:00 is 14:00 UTC; on the day itself it is 13:00 UTC.
  EXPECT_TRUE(window.Contains(At("2026-03-07T14:00:00", "UTC"), zone));
  EXPECT_FALSE(window.Contains(At("2026-03-07T13:59:59", "UTC"), zone));
  EXPECT_TRUE(window.Contains(At("2026-03-08T13:00:00", "UTC"), zone));
  EXPECT_FALSE(window.Contains(At("2026-03-08T12:59:59", "UTC"), zone));
  // And back in autumn: 2026-11-01.
  EXPECT_TRUE(window.Contains(At("2026-10-31T13:00:00", "UTC"), zone));
  EXPECT_FALSE(window.Contains(At("2026-11-01T13:59:59", "UTC"), zone));
  EXPECT_TRUE(window.Contains(At("2026-11-01T14:00:00", "UTC"), zone));
  // Lord Howe moves by half an hour (2026-04-05, UTC+11 to +10:30).
  const absl::TimeZone island = Zone("Australia/Lord_Howe");
  EXPECT_TRUE(window.Contains(At("2026-04-03T22:00:00", "UTC"), island));
  EXPECT_FALSE(window.Contains(At("2026-04-04T22:15:00", "UTC"), island));
  EXPECT_TRUE(window.Contains(At("2026-04-04T22:30:00", "UTC"), island));
}

TEST(CallingWindow, NextOpenJumpsOverTheGapAndTakesTheFirstOfTwo) {
  // 02:30 does not exist on 2026-03-08: the window opens where the clock lands, at 03:00.
  CallingWindow night = Window("02:30-05:00");
  const absl::TimeZone zone = Zone("America/New_York");
  EXPECT_EQ(night.NextOpen(At("2026-03-08T00:00:00", "America/New_York"), {zone}),
            At("2026-03-08T07:00:00", "UTC"));
  // 01:30 comes twice on 2026-11-01: open from the first.
  night = Window("01:30-05:00");
  EXPECT_EQ(night.NextOpen(At("2026-11-01T00:00:00", "America/New_York"), {zone}),
            At("2026-11-01T05:30:00", "UTC"));
  // Open from 01:00 to 01:45, the clock goes back at 02:00 to 01:00: it opens a second time.
  night = Window("01:00-01:45");
  EXPECT_EQ(night.NextOpen(At("2026-11-01T05:50:00", "UTC"), {zone}),
            At("2026-11-01T06:00:00", "UTC"));
}

TEST(CallingWindow, SeveralZonesMeansAllOfThem) {
  const CallingWindow window = Window("09:00-21:00");
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York"), Zone("America/Los_Angeles")};
  const absl::Time now =
      At("2026-01-15T14:00:00", "UTC");  // 09:00 in New York, 06:00 in Los Angeles
  EXPECT_FALSE(window.ContainsInAll(now, zones));
  EXPECT_EQ(window.NextOpen(now, zones), At("2026-01-15T17:00:00", "UTC"));
  EXPECT_FALSE(window.ContainsInAll(At("2026-01-16T02:00:00", "UTC"), zones));
  EXPECT_FALSE(window.ContainsInAll(now, {})) << "not known is not allowed";
  EXPECT_EQ(window.NextOpen(now, {}), absl::InfiniteFuture());
}

TEST(CallingWindow, WeekdaysAreTheLeadsOwn) {
  const CallingWindow window = Window("Mon-Fri 09:00-18:00");
  // Friday 23:00 UTC is Saturday 10:00 in Sydney.
  EXPECT_FALSE(window.Contains(At("2026-01-16T23:00:00", "UTC"), Zone("Australia/Sydney")));
  EXPECT_EQ(window.NextOpen(At("2026-01-16T23:00:00", "UTC"), {Zone("Australia/Sydney")}),
            At("2026-01-19T09:00:00", "Australia/Sydney"));
}

TEST(CallingWindow, NeverOpenTogether) {
  const CallingWindow window = Window("09:00-12:00");
  EXPECT_EQ(window.NextOpen(At("2026-01-15T14:00:00", "UTC"),
                            {Zone("America/New_York"), Zone("Australia/Sydney")}),
            absl::InfiniteFuture());
}

// NextOpen against a search minute by minute, in zones with every kind of change.
TEST(CallingWindowProperty, NextOpenIsTheFirstOpenMinute) {
  const std::vector<absl::string_view> names = {
      "America/New_York", "America/St_Johns",  "Australia/Lord_Howe", "Africa/Casablanca",
      "Asia/Kathmandu",   "Pacific/Apia",      "Europe/London",       "America/Phoenix",
      "Asia/Shanghai",    "Australia/Adelaide"};
  for (uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    CallingWindow window;
    window.start_minute = static_cast<int>(rng.Below(1380));
    window.end_minute =
        window.start_minute + 1 +
        static_cast<int>(rng.Below(static_cast<uint64_t>(1440 - window.start_minute)));
    window.weekdays = static_cast<uint8_t>(1 + rng.Below(127));
    std::vector<absl::TimeZone> zones;
    for (uint64_t i = 0, n = 1 + rng.Below(3); i < n; ++i) {
      zones.push_back(Zone(names[rng.Below(names.size())]));
    }
    // A whole minute of 2026.
    const absl::Time now = At("2026-01-01T00:00:00", "UTC") +
                           absl::Minutes(static_cast<int64_t>(rng.Below(365 * 24 * 60)));
    const absl::Time got = window.NextOpen(now, zones);
    absl::Time wanted = absl::InfiniteFuture();
    for (int minute = 0; minute <= 8 * 24 * 60; ++minute) {
      if (window.ContainsInAll(now + absl::Minutes(minute), zones)) {
        wanted = now + absl::Minutes(minute);
        break;
      }
    }
    EXPECT_EQ(got, wanted) << window.ToString();
  }
}

TEST(FindTimeZone, OnlyNamesOfTheListAreOpened) {
  for (const char* name : {"../../etc/passwd", "posixrules", "/etc/localtime", "Mars/Phobos", "",
                           "america/new_york", "localtime", "file:/etc/passwd"}) {
    EXPECT_EQ(FindTimeZone(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_EQ(Zone("America/Indiana/Knox").name(), "America/Indiana/Knox");
}

TEST(FindTimeZone, ManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (const char* name : {"Asia/Tokyo", "Europe/Paris", "Asia/Kolkata", "America/Lima"}) {
        EXPECT_EQ(Zone(name).name(), name);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace outpace::campaign
