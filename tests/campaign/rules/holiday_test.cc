#include "campaign/rules/holiday.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::rules {
namespace {

using absl::CivilDay;
using testing::ElementsAre;

std::vector<CivilDay> Days(absl::string_view text, int year, Observed observed = Observed::kNone) {
  const absl::StatusOr<Holiday> holiday = Holiday::Parse(text, observed, "A day");
  EXPECT_TRUE(holiday.ok()) << holiday.status();
  std::vector<CivilDay> days;
  if (holiday.ok()) holiday->AppendDays(year, &days);
  return days;
}

TEST(Holiday, EachWayToSayADay) {
  EXPECT_THAT(Days("12-25", 2026), ElementsAre(CivilDay(2026, 12, 25)));
  EXPECT_THAT(Days("3rd Mon Jan", 2026), ElementsAre(CivilDay(2026, 1, 19)));
  EXPECT_THAT(Days("1st Mon Jun", 2026), ElementsAre(CivilDay(2026, 6, 1)));
  EXPECT_THAT(Days("last Mon May", 2026), ElementsAre(CivilDay(2026, 5, 25)));
  EXPECT_THAT(Days("last Sun Dec", 2026), ElementsAre(CivilDay(2026, 12, 27)));
  EXPECT_THAT(Days("4th Thu Nov", 2026), ElementsAre(CivilDay(2026, 11, 26)));
  EXPECT_THAT(Days("4th Thu Nov +1", 2026), ElementsAre(CivilDay(2026, 11, 27)));
  EXPECT_THAT(Days("5th Mon Feb", 2026), ElementsAre());
  EXPECT_THAT(Days("Mon before 05-25", 2026), ElementsAre(CivilDay(2026, 5, 18)))
      << "the 25th is a Monday itself";
  EXPECT_THAT(Days("Mon before 05-25", 2027), ElementsAre(CivilDay(2027, 5, 24)));
  EXPECT_THAT(Days("Easter", 2026), ElementsAre(CivilDay(2026, 4, 5)));
  EXPECT_THAT(Days("Easter-2", 2026), ElementsAre(CivilDay(2026, 4, 3)));
  EXPECT_THAT(Days("Easter+39", 2026), ElementsAre(CivilDay(2026, 5, 14)));
  EXPECT_THAT(Days("2026-02-17", 2026), ElementsAre(CivilDay(2026, 2, 17)));
  EXPECT_THAT(Days("2026-02-17", 2027), ElementsAre());
  EXPECT_THAT(Days("2026-12-31..2027-01-02", 2027),
              ElementsAre(CivilDay(2027, 1, 1), CivilDay(2027, 1, 2)));
}

TEST(Holiday, OfAWeekendIsKeptOnAnotherDayToo) {
  // 4 July 2026 is a Saturday, 2027 a Sunday, 2028 a Tuesday.
  const CivilDay saturday(2026, 7, 4), sunday(2027, 7, 4);
  EXPECT_THAT(Days("07-04", 2026), ElementsAre(saturday));
  EXPECT_THAT(Days("07-04", 2026, Observed::kNearest), ElementsAre(saturday, saturday - 1));
  EXPECT_THAT(Days("07-04", 2026, Observed::kMonday), ElementsAre(saturday, saturday + 2));
  EXPECT_THAT(Days("07-04", 2026, Observed::kSunday), ElementsAre(saturday));
  for (const Observed observed : {Observed::kNearest, Observed::kMonday, Observed::kSunday}) {
    EXPECT_THAT(Days("07-04", 2027, observed), ElementsAre(sunday, sunday + 1));
    EXPECT_THAT(Days("07-04", 2028, observed), ElementsAre(CivilDay(2028, 7, 4)));
  }
}

TEST(Holiday, FallsAlsoOnADayOfTheYearBefore) {
  const absl::StatusOr<Holiday> new_year =
      Holiday::Parse("01-01", Observed::kNearest, "New Year's Day");
  ASSERT_TRUE(new_year.ok());
  EXPECT_TRUE(new_year->Falls(CivilDay(2027, 12, 31))) << "2028-01-01 is a Saturday";
  EXPECT_TRUE(new_year->Falls(CivilDay(2028, 1, 1)));
  EXPECT_FALSE(new_year->Falls(CivilDay(2028, 12, 31)));
}

TEST(Holiday, EasterOfKnownYears) {
  // U.S. Census Bureau and U.S. Naval Observatory tables: the earliest, the latest, leap years.
  EXPECT_EQ(EasterSunday(1818), CivilDay(1818, 3, 22));
  EXPECT_EQ(EasterSunday(1943), CivilDay(1943, 4, 25));
  EXPECT_EQ(EasterSunday(2000), CivilDay(2000, 4, 23));
  EXPECT_EQ(EasterSunday(2024), CivilDay(2024, 3, 31));
  EXPECT_EQ(EasterSunday(2025), CivilDay(2025, 4, 20));
  EXPECT_EQ(EasterSunday(2038), CivilDay(2038, 4, 25));
}

TEST(Holiday, RefusesNonsense) {
  for (const char* text :
       {"", "13-01", "02-29", "2-3", "Easter2", "Easter+100", "6th Mon Jan", "3rd mon Jan",
        "3rd Mon Janu", "Mon after 05-25", "2026-02-30", "2026-02-17..2026-02-16", "2026-02-17..",
        "2026-01-01..2026-12-31", "4th Thu Nov 1"}) {
    const absl::StatusOr<Holiday> holiday = Holiday::Parse(text, Observed::kNone, "");
    EXPECT_FALSE(holiday.ok()) << text;
    EXPECT_THAT(std::string(holiday.status().message()), testing::HasSubstr("last Mon May"));
  }
}

}  // namespace
}  // namespace outpace::rules
