// Schedules of exports: what is refused, and when a run is due.

#include "campaign/report/export_schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "campaign/calling_window.h"

namespace outpace::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Settings = std::map<std::string, std::string>;

Settings With(const Settings& more) {
  Settings settings = {{"at", "06:30"}, {"to", "/srv/exports"}};
  for (const auto& [name, value] : more) settings[name] = value;
  return settings;
}

std::string Refusal(const Settings& more, const std::string& name = "daily") {
  const auto schedule = ParseExportSchedule(name, With(more));
  EXPECT_EQ(schedule.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(schedule.status().message());
}

ExportSchedule Make(const Settings& more) {
  return ParseExportSchedule("daily", With(more)).value();
}

absl::Time At(const std::string& zone, absl::CivilMinute minute) {
  return absl::FromCivil(minute, campaign::FindTimeZone(zone).value());
}

TEST(ExportScheduleText, GoesOutAndInAgain) {
  const Settings settings = {{"what", "abandons"},
                             {"format", "jsonl"},
                             {"campaign", "DEMO"},
                             {"at", "23:59"},
                             {"zone", "America/New_York"},
                             {"day", "today"},
                             {"to", "sftp://outpace@files.example.com:2022/in/calls/"},
                             {"credentials", "/etc/outpace/sftp.key"},
                             {"known_hosts", "/etc/outpace/known_hosts"},
                             {"file", "{campaign}_{day}.jsonl"}};
  const auto schedule = ParseExportSchedule("night-1", settings);
  ASSERT_TRUE(schedule.ok()) << schedule.status();
  EXPECT_EQ(schedule->ToMap(), settings);
  EXPECT_EQ(schedule->FileName(absl::CivilDay(2026, 11, 21)), "DEMO_2026-11-21.jsonl");
  EXPECT_EQ(schedule->target(), ExportSchedule::Target::kSftp);
  EXPECT_EQ(Make({}).FileName(absl::CivilDay(2026, 3, 1)), "daily-2026-03-01.csv");
  EXPECT_EQ(Make({{"format", "xlsx"}}).FileName(absl::CivilDay(2026, 3, 1)),
            "daily-2026-03-01.xlsx");
  EXPECT_EQ(Make({{"to", "https://files.example.com/in"}}).target(), ExportSchedule::Target::kHttp);
}

TEST(ExportScheduleText, WhatIsWrongIsSaid) {
  EXPECT_THAT(Refusal({}, "a b"), HasSubstr("name"));
  EXPECT_THAT(Refusal({}, "../x"), HasSubstr("name"));
  for (const char* at : {"", "6:30", "24:00", "12:60", "-1:00", "+6:30", "noon"}) {
    EXPECT_THAT(Refusal({{"at", at}}), HasSubstr("at: write")) << at;
  }
  EXPECT_THAT(Refusal({{"what", "everything"}}), HasSubstr("abandons"));
  EXPECT_THAT(Refusal({{"day", "tomorrow"}}), HasSubstr("yesterday"));
  EXPECT_THAT(Refusal({{"pasword", "x"}}), HasSubstr("there is no such setting"));
  EXPECT_THAT(Refusal({{"what", "leads"}, {"format", "csv"}}), HasSubstr("format"));
  for (const char* file : {"../{day}.csv", ".hidden", "a b.csv", "{year}.csv", "x/y.csv"}) {
    EXPECT_THAT(Refusal({{"file", file}}), HasSubstr("file")) << file;
  }
  Refusal({{"zone", "Mars/Base"}});
}

TEST(ExportScheduleText, OnlyTargetsThatAreSafe) {
  const std::string url = "sftp://ann:hunter2@files.example.com/in/";
  EXPECT_THAT(Refusal({{"to", url}}), HasSubstr("password in it"));
  for (const char* to :
       {"", "exports", "ftp://files.example.com/in/", "sftp://files.example.com/in/",
        "https://ann@files.example.com/", "https://ann:hunter2@files.example.com/",
        "sftp://ann:hunter2/x@files.example.com/", "http://files.example.com/in/",
        "http://127.0.0.1.example.com@evil/", "http://", "https:///in",
        "sftp://ann@files.example.com/in/../etc/", "sftp://ann@files.example.com/a b/",
        "sftp://ann@files.example.com/a\"b/", "https://files.example.com/in?x=hunter2"}) {
    EXPECT_THAT(Refusal({{"to", to}, {"credentials", "/c"}, {"known_hosts", "/k"}}),
                Not(HasSubstr("hunter2")))
        << to;
  }
  const std::string sftp = "sftp://ann@files.example.com/in/";
  EXPECT_THAT(Refusal({{"to", sftp}, {"credentials", "/c"}}), HasSubstr("known_hosts"));
  EXPECT_THAT(Refusal({{"to", sftp}, {"known_hosts", "/k"}}), HasSubstr("credentials"));
  EXPECT_THAT(Refusal({{"to", sftp}, {"credentials", "c"}, {"known_hosts", "/k"}}),
              HasSubstr("whole path"));
  EXPECT_THAT(Refusal({{"credentials", "/c"}}), HasSubstr("needs none"));
  EXPECT_TRUE(ParseExportSchedule("x", With({{"to", "http://127.0.0.1:8080/in/"}})).ok());
  EXPECT_TRUE(ParseExportSchedule("x", With({{"to", "http://[::1]:8080/in/"}})).ok());
}

TEST(ExportScheduleRuns, OnceADayAndAMissedOneOnce) {
  const std::string zone = "America/New_York";
  const ExportSchedule schedule = Make({{"zone", zone}});
  const auto at = [&](int day, int hour, int minute) {
    return At(zone, absl::CivilMinute(2026, 6, day, hour, minute));
  };
  EXPECT_EQ(NextRun(schedule, at(10, 5, 0), at(10, 5, 0)), at(10, 6, 30));
  EXPECT_EQ(NextRun(schedule, at(10, 5, 0), at(10, 6, 30)), at(10, 6, 30));
  EXPECT_EQ(NextRun(schedule, at(10, 6, 30), at(10, 6, 30)), at(11, 6, 30));
  EXPECT_EQ(NextRun(schedule, at(10, 7, 0), at(10, 7, 0)), at(11, 6, 30));
  // Down for three days: the newest only.
  EXPECT_EQ(NextRun(schedule, at(10, 6, 30), at(13, 9, 0)), at(13, 6, 30));
  EXPECT_EQ(NextRun(schedule, at(13, 6, 30), at(13, 9, 0)), at(14, 6, 30));
  // A clock that was set back does not repeat what was done.
  EXPECT_EQ(NextRun(schedule, at(13, 6, 30), at(12, 9, 0)), at(14, 6, 30));
  EXPECT_EQ(schedule.DayOf(at(13, 6, 30)), absl::CivilDay(2026, 6, 12));
  EXPECT_EQ(Make({{"zone", zone}, {"day", "today"}}).DayOf(at(13, 6, 30)),
            absl::CivilDay(2026, 6, 13));
}

// Every quarter of an hour it is asked, over both changes of the clocks of a year.
TEST(ExportScheduleRuns, OnceEachLocalDayOverChangesOfTheClocks) {
  const std::string zone = "America/New_York";
  for (const char* text : {"00:00", "01:30", "02:30", "03:00", "23:45"}) {
    const ExportSchedule schedule = Make({{"zone", zone}, {"at", text}});
    for (const auto& [month, first] : {std::pair(3, 6), std::pair(10, 30)}) {
      const absl::CivilDay begin(2026, month, first);
      absl::Time last = At(zone, absl::CivilMinute(begin));
      if (std::string(text) == "00:00") last -= absl::Minutes(1);
      std::vector<absl::CivilDay> days;
      const absl::Time end = At(zone, absl::CivilMinute(begin + 5)) - absl::Minutes(1);
      for (absl::Time now = last; now < end; now += absl::Minutes(15)) {
        const absl::Time next = NextRun(schedule, last, now);
        EXPECT_GT(next, last);
        if (next > now) continue;
        days.push_back(schedule.DayOf(next) + 1);
        last = next;
      }
      EXPECT_THAT(days, ElementsAre(begin, begin + 1, begin + 2, begin + 3, begin + 4))
          << text << " from " << begin;
    }
  }
  // 02:30 is left out on March 8th: as the clocks are set; 01:30 comes twice on November 1st.
  const absl::Time night = At(zone, absl::CivilMinute(2026, 3, 8, 0, 0));
  EXPECT_EQ(NextRun(Make({{"zone", zone}, {"at", "02:30"}}), night, night),
            At(zone, absl::CivilMinute(2026, 3, 8, 3, 0)));
  const absl::Time autumn = At(zone, absl::CivilMinute(2026, 11, 1, 0, 0));
  EXPECT_EQ(NextRun(Make({{"zone", zone}, {"at", "01:30"}}), autumn, autumn),
            autumn + absl::Minutes(90));
}

TEST(ExportScheduleRuns, AFailedOneComesAgainThreeTimes) {
  const ExportSchedule schedule = Make({});
  const auto at = [](int day, int hour, int minute) {
    return absl::FromCivil(absl::CivilMinute(2026, 6, day, hour, minute), absl::UTCTimeZone());
  };
  ScheduleProgress progress{.last = at(10, 0, 0)};
  EXPECT_EQ(RunNow(schedule, progress, at(10, 6, 29)), std::nullopt);
  absl::Time now = at(10, 6, 30);
  std::vector<int> minutes;
  for (int tries = 0; tries < 4; ++tries) {
    const auto due = RunNow(schedule, progress, now);
    ASSERT_EQ(due, at(10, 6, 30)) << tries;
    NoteRun(*due, false, now, progress);
    const absl::Time failed = now;
    while (now < at(10, 12, 0) && !RunNow(schedule, progress, now)) now += absl::Minutes(1);
    minutes.push_back(static_cast<int>((now - failed) / absl::Minutes(1)));
  }
  minutes.pop_back();  // until noon: it is given up
  EXPECT_THAT(minutes, ElementsAre(1, 5, 30));
  EXPECT_EQ(now, at(10, 12, 0));
  EXPECT_EQ(RunNow(schedule, progress, at(11, 6, 30)), at(11, 6, 30));

  // One that is delivered at the second try is done with, and a newer one takes a failed one's
  // place.
  NoteRun(at(11, 6, 30), false, at(11, 6, 30), progress);
  NoteRun(at(11, 6, 30), true, at(11, 6, 31), progress);
  EXPECT_EQ(RunNow(schedule, progress, at(11, 12, 0)), std::nullopt);
  NoteRun(at(12, 6, 30), false, at(12, 6, 30), progress);
  EXPECT_EQ(RunNow(schedule, progress, at(14, 8, 0)), at(14, 6, 30));
  NoteRun(at(14, 6, 30), true, at(14, 8, 0), progress);
  EXPECT_EQ(RunNow(schedule, progress, at(14, 9, 0)), std::nullopt);
}

}  // namespace
}  // namespace outpace::report
