#include "campaign/rules/rule_set.h"

#include "absl/strings/str_cat.h"
#include "campaign/calling_window.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::rules {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

absl::TimeZone Zone(absl::string_view name) {
  const absl::StatusOr<absl::TimeZone> zone = campaign::FindTimeZone(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.value_or(absl::UTCTimeZone());
}

absl::Time At(absl::string_view text, absl::string_view zone) {
  absl::CivilSecond civil;
  EXPECT_TRUE(absl::ParseCivilTime(text, &civil)) << text;
  return absl::FromCivil(civil, Zone(zone));
}

RuleSet Set(const std::vector<std::string>& ids) {
  absl::StatusOr<RuleSet> set = RuleSet::Combine(RuleBook::BuiltIn(), ids);
  EXPECT_TRUE(set.ok()) << set.status();
  return set.ok() ? *std::move(set) : RuleSet();
}

// A set of one file whose rules are written in the test.
RuleSet Own(absl::string_view rules) {
  absl::StatusOr<RuleBook> book = RuleBook::Parse(
      {{"own.toml",
        absl::StrCat("id = \"own\"\nversion = \"2026-01-01\"\ntitle = \"Own\"\n", rules)}});
  EXPECT_TRUE(book.ok()) << book.status();
  absl::StatusOr<RuleSet> set = RuleSet::Combine(*book, {"own"});
  EXPECT_TRUE(set.ok()) << set.status();
  return set.ok() ? *std::move(set) : RuleSet();
}

std::string Section(absl::string_view kind, absl::string_view id, absl::string_view value,
                    absl::string_view area = "US") {
  return absl::StrCat("[[", kind, "]]\nid = \"own:", id, "\"\nareas = [\"", area, "\"]\n", value,
                      "\nsource = \"S\"\nstatus = \"read\"\n");
}

std::vector<std::string> Ids(const std::vector<Held>& held) {
  std::vector<std::string> ids;
  for (const Held& each : held) ids.push_back(each.rule->id);
  return ids;
}

constexpr Place kNewYork{"US", "NY"}, kFlorida{"US", "FL"}, kAlabama{"US", "AL"};

TEST(Windows, AnEmptySetIsOpenAlways) {
  const RuleSet set;
  EXPECT_TRUE(set.empty());
  EXPECT_TRUE(set.IsOpen(At("2026-12-25T03:00:00", "UTC"), {}, {}));
  EXPECT_TRUE(set.CheckWindow(At("2026-12-25T03:00:00", "UTC"), {}, {}).open());
  EXPECT_THAT(set.CheckCaps({}, absl::UnixEpoch(), 1, {}, {}), IsEmpty());
}

TEST(Windows, OpenAtTheStartClosedAtTheEndAndSayWhichRule) {
  const RuleSet set = Set({"us-tsr"});
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York")};
  const auto at = [](absl::string_view time) { return At(time, "America/New_York"); };
  EXPECT_FALSE(set.IsOpen(at("2026-07-01T07:59:59"), zones, {kNewYork}));
  EXPECT_TRUE(set.IsOpen(at("2026-07-01T08:00:00"), zones, {kNewYork}));
  EXPECT_TRUE(set.IsOpen(at("2026-07-01T20:59:59"), zones, {kNewYork}));
  const WindowVerdict closed = set.CheckWindow(at("2026-07-01T21:00:00"), zones, {kNewYork});
  ASSERT_THAT(Ids(closed.held), ElementsAre("us-tsr:window"));
  EXPECT_EQ(closed.held[0].rule->source, "16 CFR 310.4(c)");
  EXPECT_THAT(closed.held[0].text, HasSubstr("21:00 on Wed in America/New_York"));
  EXPECT_EQ(closed.next_open, at("2026-07-02T08:00:00"));
  EXPECT_EQ(closed.held[0].until, closed.next_open);
}

TEST(Windows, TheStricterRuleHolds) {
  const RuleSet set = Set({"us-tsr", "us-tcpa", "us-states"});
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York")};
  const absl::Time at = At("2026-07-01T20:30:00", "America/New_York");
  EXPECT_TRUE(set.IsOpen(at, zones, {kNewYork}));
  const WindowVerdict florida = set.CheckWindow(at, zones, {kFlorida});
  EXPECT_THAT(Ids(florida.held), ElementsAre("us-fl:window"));
  EXPECT_EQ(florida.next_open, At("2026-07-02T08:00:00", "America/New_York"));
  // A number of New York whose lead lives in Florida: both.
  EXPECT_FALSE(set.IsOpen(at, zones, {kNewYork, kFlorida}));
  // Closed by federal and state law alike: both are named.
  EXPECT_THAT(
      Ids(set.CheckWindow(At("2026-07-01T22:00:00", "America/New_York"), zones, {kFlorida}).held),
      UnorderedElementsAre("us-tsr:window", "us-tcpa:window", "us-fl:window"));
}

TEST(Windows, WhatIsNotKnownIsHeldToAllRules) {
  const RuleSet set = Set({"us-states"});
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York")};
  const absl::Time evening = At("2026-07-01T20:30:00", "America/New_York");
  EXPECT_FALSE(set.IsOpen(evening, zones, {{"US", ""}})) << "the state is not known";
  EXPECT_FALSE(set.IsOpen(evening, zones, {{"US", "FL/GA"}})) << "one of two states";
  EXPECT_FALSE(set.IsOpen(evening, zones, {})) << "nothing is known";
  EXPECT_FALSE(set.IsOpen(evening, zones, {{"", ""}}));
  EXPECT_TRUE(set.IsOpen(evening, zones, {{"US", "GA"}})) << "a state without a rule here";
  EXPECT_TRUE(set.IsOpen(evening, zones, {{"GB", ""}})) << "a country without a rule here";
  const WindowVerdict verdict = set.CheckWindow(evening, {}, {kFlorida});
  EXPECT_FALSE(verdict.open()) << "no zone: no hour is certain";
  EXPECT_EQ(verdict.next_open, absl::InfiniteFuture());
  EXPECT_TRUE(set.CheckWindow(evening, {}, {{"GB", ""}}).open()) << "nothing to be certain of";
}

TEST(Windows, ARuleForEverywhereHoldsEverywhere) {
  const std::vector<absl::TimeZone> utc = {absl::UTCTimeZone()};
  const absl::Time night = At("2026-07-01T23:00:00", "UTC");
  const std::string everywhere = Section("window", "e", "open = [\"08:00-22:00\"]", "*");
  for (const RuleSet& set :
       {Own(everywhere), Own(everywhere + Section("window", "u", "open = [\"00:00-24:00\"]"))}) {
    for (const Place place : {kFlorida, Place{"GB", ""}, Place{"", ""}}) {
      EXPECT_FALSE(set.IsOpen(night, utc, {place})) << place.region;
      EXPECT_TRUE(set.IsOpen(night - absl::Hours(2), utc, {place})) << place.region;
    }
  }
}

TEST(Windows, EveryZoneTheNumberMayLieIn) {
  const RuleSet set = Set({"us-tsr"});
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York"), Zone("America/Los_Angeles")};
  const absl::Time morning = At("2026-01-15T09:00:00", "America/New_York");
  const WindowVerdict verdict = set.CheckWindow(morning, zones, {kNewYork});
  EXPECT_FALSE(verdict.open());
  EXPECT_EQ(verdict.next_open, At("2026-01-15T08:00:00", "America/Los_Angeles"));
  // From 18:00 in the west it is 21:00 in the east: closed until the west opens next day.
  EXPECT_EQ(set.CheckWindow(At("2026-01-15T18:00:00", "America/Los_Angeles"), zones, {kNewYork})
                .next_open,
            At("2026-01-16T08:00:00", "America/Los_Angeles"));
}

TEST(Windows, ABreakAtNoonAndHolidays) {
  const RuleSet set = Set({"fr"});
  const std::vector<absl::TimeZone> paris = {Zone("Europe/Paris")};
  constexpr Place kFrance{"FR", ""};
  const auto at = [](absl::string_view time) { return At(time, "Europe/Paris"); };
  EXPECT_TRUE(set.IsOpen(at("2026-07-15T12:59:00"), paris, {kFrance}));
  EXPECT_EQ(set.CheckWindow(at("2026-07-15T13:00:00"), paris, {kFrance}).next_open,
            at("2026-07-15T14:00:00"));
  // The 14th is a Tuesday; the 13th ends at 20:00, and the 15th begins at 10:00.
  EXPECT_EQ(set.CheckWindow(at("2026-07-13T20:00:00"), paris, {kFrance}).next_open,
            at("2026-07-15T10:00:00"));
  const WindowVerdict holiday = set.CheckWindow(at("2026-07-14T11:00:00"), paris, {kFrance});
  ASSERT_THAT(Ids(holiday.held), ElementsAre("fr:holidays"));
  EXPECT_THAT(holiday.held[0].text, HasSubstr("Fête nationale"));
  EXPECT_EQ(holiday.held[0].until, at("2026-07-15T00:00:00")) << "when that rule alone ends";
  EXPECT_EQ(holiday.next_open, at("2026-07-15T10:00:00"));
  // Friday evening, Easter Monday: the next call is on Tuesday.
  EXPECT_EQ(set.CheckWindow(at("2026-04-03T20:00:00"), paris, {kFrance}).next_open,
            at("2026-04-07T10:00:00"));
}

TEST(Windows, AHolidayThatIsKeptOnAnotherDay) {
  const RuleSet set = Set({"us-states"});
  const std::vector<absl::TimeZone> zones = {Zone("America/Chicago")};
  // 4 July 2026 is a Saturday: Alabama keeps the Friday, and the day itself stays closed.
  EXPECT_FALSE(set.IsOpen(At("2026-07-03T12:00:00", "America/Chicago"), zones, {kAlabama}));
  EXPECT_FALSE(set.IsOpen(At("2026-07-04T12:00:00", "America/Chicago"), zones, {kAlabama}));
  EXPECT_TRUE(set.IsOpen(At("2026-07-06T12:00:00", "America/Chicago"), zones, {kAlabama}));
  // New Year's Day of 2028 is a Saturday: kept on the last day of the year before.
  EXPECT_FALSE(set.IsOpen(At("2027-12-31T12:00:00", "America/Chicago"), zones, {kAlabama}));
}

// 25 December 2027 is a Saturday: Monday and Tuesday are kept. In 2033 it is a Sunday: Monday is
// Boxing Day itself, so that Tuesday is kept.
TEST(Windows, BothDaysOfChristmasAreKeptInAustralia) {
  const RuleSet set = Set({"au"});
  const std::vector<absl::TimeZone> zones = {Zone("Australia/Sydney")};
  const auto open = [&](absl::string_view day) {
    return set.IsOpen(At(absl::StrCat(day, "T12:00:00"), "Australia/Sydney"), zones, {{"AU", ""}});
  };
  for (const char* day : {"2027-12-25", "2027-12-26", "2027-12-27", "2027-12-28", "2033-12-25",
                          "2033-12-26", "2033-12-27", "2026-12-28"}) {
    EXPECT_FALSE(open(day)) << day;
  }
  for (const char* day : {"2027-12-24", "2027-12-29", "2033-12-28", "2026-12-29"}) {
    EXPECT_TRUE(open(day)) << day;
  }
}

TEST(Windows, ARuleHoldsFromItsDayOnAndToItsLast) {
  const RuleSet set =
      Own(Section("window", "a", "open = [\"10:00-12:00\"]\nfrom = \"2026-10-18\"") +
          Section("window", "b", "open = [\"10:00-11:00\"]\nuntil = \"2026-10-20\""));
  const std::vector<absl::TimeZone> utc = {absl::UTCTimeZone()};
  const auto open = [&](absl::string_view time) {
    return set.IsOpen(At(time, "UTC"), utc, {kNewYork});
  };
  EXPECT_TRUE(open("2026-10-17T10:30:00"));
  EXPECT_FALSE(open("2026-10-17T11:30:00"));
  EXPECT_FALSE(open("2026-10-19T11:30:00"));
  EXPECT_TRUE(open("2026-10-20T11:30:00"));
  EXPECT_FALSE(open("2026-10-20T12:30:00"));
  EXPECT_TRUE(Own(Section("window", "a", "open = [\"10:00-12:00\"]\nfrom = \"2026-10-18\""))
                  .IsOpen(At("2026-10-17T23:00:00", "UTC"), utc, {kNewYork}));
}

TEST(Windows, DaysBeyondTheTableAreWorkedOut) {
  const RuleSet set = Set({"fr"});
  const std::vector<absl::TimeZone> paris = {Zone("Europe/Paris")};
  constexpr Place kFrance{"FR", ""};
  // 14 July 2060 is a Wednesday.
  EXPECT_FALSE(set.IsOpen(At("2060-07-14T11:00:00", "Europe/Paris"), paris, {kFrance}));
  EXPECT_TRUE(set.IsOpen(At("2060-07-15T11:00:00", "Europe/Paris"), paris, {kFrance}));
  EXPECT_EQ(set.CheckWindow(At("2060-07-14T11:00:00", "Europe/Paris"), paris, {kFrance}).next_open,
            At("2060-07-15T10:00:00", "Europe/Paris"));
  EXPECT_EQ(set.CheckWindow(At("2050-12-31T20:00:00", "Europe/Paris"), paris, {kFrance}).next_open,
            At("2051-01-02T10:00:00", "Europe/Paris"));
}

TEST(Windows, TheClockOnTheWallCountsWhenItIsMoved) {
  const RuleSet night = Own(Section("window", "n", "open = [\"02:30-05:00\"]"));
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York")};
  const auto utc = [](absl::string_view time) { return At(time, "UTC"); };
  // 02:30 does not exist on 2026-03-08: open where the clock lands, at 03:00.
  EXPECT_EQ(night.CheckWindow(utc("2026-03-08T05:00:00"), zones, {kNewYork}).next_open,
            utc("2026-03-08T07:00:00"));
  EXPECT_TRUE(night.IsOpen(utc("2026-03-08T07:00:00"), zones, {kNewYork}));
  // 01:00 to 02:00 comes twice on 2026-11-01: a window in it opens twice.
  const RuleSet twice = Own(Section("window", "t", "open = [\"01:00-01:45\"]"));
  EXPECT_TRUE(twice.IsOpen(utc("2026-11-01T05:30:00"), zones, {kNewYork}));
  EXPECT_EQ(twice.CheckWindow(utc("2026-11-01T05:45:00"), zones, {kNewYork}).next_open,
            utc("2026-11-01T06:00:00"));
  EXPECT_TRUE(twice.IsOpen(utc("2026-11-01T06:44:59"), zones, {kNewYork}));
  // A window that the jump swallows whole is not open that day.
  const RuleSet gone = Own(Section("window", "g", "open = [\"02:10-02:50\"]"));
  EXPECT_EQ(gone.CheckWindow(utc("2026-03-08T06:00:00"), zones, {kNewYork}).next_open,
            utc("2026-03-09T06:10:00"));
  // Apia had no 30 December 2011.
  const RuleSet friday = Own(Section("window", "f", "open = [\"Fri 09:00-10:00\"]"));
  const std::vector<absl::TimeZone> apia = {Zone("Pacific/Apia")};
  EXPECT_EQ(
      friday.CheckWindow(At("2011-12-29T12:00:00", "Pacific/Apia"), apia, {kNewYork}).next_open,
      At("2012-01-06T09:00:00", "Pacific/Apia"));
}

TEST(Windows, NeverOpenTogether) {
  const RuleSet set = Own(Section("window", "a", "open = [\"Mon 09:00-10:00\"]") +
                          Section("window", "b", "open = [\"Tue 09:00-10:00\"]"));
  const WindowVerdict verdict =
      set.CheckWindow(At("2026-01-05T09:30:00", "UTC"), {absl::UTCTimeZone()}, {kNewYork});
  EXPECT_THAT(Ids(verdict.held), ElementsAre("own:b"));
  EXPECT_EQ(verdict.next_open, absl::InfiniteFuture());
}

PastAttempt Ago(absl::Time now, absl::Duration ago) { return {.at = now - ago, .campaign = 1}; }

TEST(Caps, ARollingCapEndsWhenTheOldestThatFillsItDropsOut) {
  const RuleSet set = Set({"us-states"});
  const absl::Time now = At("2026-07-01T15:00:00", "America/New_York");
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York")};
  std::vector<PastAttempt> history = {Ago(now, absl::Hours(1)), Ago(now, absl::Hours(5)),
                                      Ago(now, absl::Hours(25))};
  EXPECT_EQ(set.HistoryNeeded(), absl::Hours(24));
  EXPECT_THAT(set.CheckCaps(history, now, 1, zones, {kFlorida}), IsEmpty());
  history[2].at = now - absl::Hours(24);
  EXPECT_THAT(set.CheckCaps(history, now, 1, zones, {kFlorida}), IsEmpty()) << "24 h are over";
  history[2].at = now - absl::Hours(24) + absl::Seconds(1);
  history[2].campaign = 2;
  const std::vector<Held> held = set.CheckCaps(history, now, 1, zones, {kFlorida});
  ASSERT_THAT(Ids(held), ElementsAre("us-fl:three-in-a-day"));
  EXPECT_EQ(held[0].until, now + absl::Seconds(1));
  EXPECT_THAT(set.CheckCaps(history, now, 1, zones, {{"US", "GA"}}), IsEmpty());
  EXPECT_THAT(set.CheckCaps(history, now, 1, zones, {}), testing::SizeIs(3))
      << "the place is not known: Florida, Maryland, Oklahoma";
}

TEST(Caps, LocalDaysEndAtLocalMidnight) {
  const RuleSet set = Set({"us-reg-f"});
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York")};
  const absl::Time now = At("2026-11-05T12:00:00", "America/New_York");
  std::vector<PastAttempt> history;
  for (int i = 0; i < 6; ++i) history.push_back(Ago(now, absl::Hours(1 + i)));
  history.push_back({.at = At("2026-10-30T23:59:00", "America/New_York")});
  const std::vector<Held> held = set.CheckCaps(history, now, 1, zones, {kNewYork});
  ASSERT_THAT(Ids(held), ElementsAre("us-reg-f:seven-in-seven"));
  // The clocks went back on 1 November: midnight, not 168 hours.
  EXPECT_EQ(held[0].until, At("2026-11-06T00:00:00", "America/New_York"));
  EXPECT_THAT(set.CheckCaps(history, held[0].until, 1, zones, {kNewYork}), IsEmpty());
  EXPECT_GE(set.HistoryNeeded(), absl::Hours(24 * 8));

  // With two zones the later midnight; with none, the last on earth.
  const std::vector<absl::TimeZone> two = {Zone("America/New_York"), Zone("America/Los_Angeles")};
  EXPECT_EQ(set.CheckCaps(history, now, 1, two, {kNewYork})[0].until,
            At("2026-11-06T00:00:00", "America/Los_Angeles"));
  EXPECT_GE(set.CheckCaps(history, now, 1, {}, {kNewYork})[0].until,
            At("2026-11-06T00:00:00", "America/Los_Angeles"));
}

TEST(Caps, AConversationsOwnDayIsTheFirst) {
  const RuleSet set = Set({"us-reg-f"});
  const std::vector<absl::TimeZone> zones = {Zone("America/Chicago")};
  const absl::Time now = At("2026-07-08T12:00:00", "America/Chicago");
  std::vector<PastAttempt> history = {
      {.at = At("2026-07-07T09:00:00", "America/Chicago")},
      {.at = At("2026-07-02T20:00:00", "America/Chicago"), .answered = true, .conversation = true}};
  const std::vector<Held> held = set.CheckCaps(history, now, 1, zones, {kNewYork});
  ASSERT_THAT(Ids(held), ElementsAre("us-reg-f:after-conversation"));
  EXPECT_EQ(held[0].until, At("2026-07-09T00:00:00", "America/Chicago"));
  history[1].conversation = false;
  EXPECT_THAT(set.CheckCaps(history, now, 1, zones, {kNewYork}), IsEmpty());
}

TEST(Caps, RestsAfterAbandonedCallsMachinesAndRefusals) {
  const std::vector<absl::TimeZone> london = {Zone("Europe/London")};
  const absl::Time now = At("2026-07-08T12:00:00", "Europe/London");
  const RuleSet uk = Set({"uk-ofcom"});
  std::vector<PastAttempt> history = {Ago(now, absl::Hours(2)), Ago(now, absl::Hours(71))};
  EXPECT_THAT(uk.CheckCaps(history, now, 1, london, {{"GB", ""}}), IsEmpty());
  history[0].machine = true;
  history[1].abandoned = true;
  const std::vector<Held> held = uk.CheckCaps(history, now, 1, london, {{"GB", ""}});
  ASSERT_THAT(Ids(held), ElementsAre("uk-ofcom:after-abandoned", "uk-ofcom:after-machine"));
  EXPECT_EQ(held[0].until, now + absl::Hours(1));
  EXPECT_EQ(held[1].until, now + absl::Hours(22));

  const RuleSet fr = Set({"fr"});
  const std::vector<absl::TimeZone> paris = {Zone("Europe/Paris")};
  const std::vector<PastAttempt> refused = {
      {.at = At("2026-01-10T11:00:00", "Europe/Paris"), .answered = true, .refused = true}};
  const absl::Time march = At("2026-03-11T12:00:00", "Europe/Paris");
  ASSERT_THAT(Ids(fr.CheckCaps(refused, march, 1, paris, {{"FR", ""}})),
              ElementsAre("fr:after-refusal"));
  EXPECT_EQ(fr.CheckCaps(refused, march, 1, paris, {{"FR", ""}})[0].until,
            At("2026-03-12T00:00:00", "Europe/Paris"))
      << "sixty full days after 10 January";
}

TEST(Caps, AttemptsOfTheFutureCountAsNow) {
  const RuleSet set = Set({"us-states"});
  const absl::Time now = At("2026-07-01T15:00:00", "America/New_York");
  const std::vector<absl::TimeZone> zones = {Zone("America/New_York")};
  for (const absl::Duration step : {absl::Hours(1), absl::Hours(24)}) {
    // The clock was set back after three attempts: they still fill the cap, for a day at most.
    const std::vector<PastAttempt> history = {{.at = now + step + absl::Minutes(2)},
                                              {.at = now + step + absl::Minutes(1)},
                                              {.at = now + step}};
    const std::vector<Held> held = set.CheckCaps(history, now, 1, zones, {kFlorida});
    ASSERT_THAT(Ids(held), ElementsAre("us-fl:three-in-a-day"));
    EXPECT_EQ(held[0].until, now + absl::Hours(24));
  }
}

TEST(Caps, ByCampaignAndByAnswer) {
  const RuleSet set = Own(Section("cap", "c", "max = 2\nhours = 24\ncampaign_only = true") +
                          Section("cap", "a", "max = 1\nhours = 24\nanswered_only = true"));
  const absl::Time now = At("2026-07-01T15:00:00", "UTC");
  std::vector<PastAttempt> history = {Ago(now, absl::Hours(1)), Ago(now, absl::Hours(2))};
  EXPECT_THAT(Ids(set.CheckCaps(history, now, 1, {}, {kNewYork})), ElementsAre("own:c"));
  EXPECT_THAT(set.CheckCaps(history, now, 2, {}, {kNewYork}), IsEmpty());
  history[1].answered = true;
  EXPECT_THAT(Ids(set.CheckCaps(history, now, 2, {}, {kNewYork})), ElementsAre("own:a"));
}

TEST(Numbers, WhatIsNotDialedAtAll) {
  const RuleSet set = Set({"us-tsr", "de-uwg", "destinations"});
  const absl::Time now = At("2026-07-01T15:00:00", "UTC");
  using campaign::NumberType;
  const auto ids = [&](uint64_t number, NumberType type, Place place) {
    return Ids(set.CheckNumber(E164(number), type, now, {place}));
  };
  EXPECT_THAT(ids(12125550100, NumberType::kFixedOrMobile, kNewYork), IsEmpty());
  EXPECT_THAT(ids(493023125000, NumberType::kFixed, {"DE", ""}), IsEmpty());
  EXPECT_THAT(ids(881612345678, NumberType::kUnknown, {"", ""}),
              UnorderedElementsAre("destinations:satellite", "destinations:uncovered"));
  EXPECT_THAT(ids(18005550100, NumberType::kTollFree, {"US", ""}),
              ElementsAre("destinations:paid-by-called"));
  EXPECT_THAT(ids(447700900123, NumberType::kMobile, {"GB", ""}),
              ElementsAre("destinations:uncovered"));
}

TEST(Consents, BasisAndAge) {
  const absl::Time now = At("2026-09-01T15:00:00", "UTC");
  using campaign::NumberType;
  const RuleSet us = Set({"us-consent"});
  EXPECT_THAT(Ids(us.CheckConsent({}, NumberType::kFixed, now, {kNewYork})), IsEmpty());
  EXPECT_THAT(Ids(us.CheckConsent({}, NumberType::kMobile, now, {kNewYork})),
              ElementsAre("us-consent:mobile"));
  EXPECT_THAT(Ids(us.CheckConsent({Basis::kExpress, now}, NumberType::kMobile, now, {kFlorida})),
              ElementsAre("us-consent:mobile", "us-consent:fl"));
  EXPECT_THAT(us.CheckConsent({Basis::kWritten, now}, NumberType::kMobile, now, {kFlorida}),
              IsEmpty());
  // In North America a number does not tell whether it is a mobile: it may be one.
  const RuleSet mobiles = Own(Section("consent", "m", "basis = \"express\"\ntypes = [\"mobile\"]"));
  for (const NumberType type :
       {NumberType::kMobile, NumberType::kFixedOrMobile, NumberType::kUnknown}) {
    EXPECT_THAT(Ids(mobiles.CheckConsent({}, type, now, {kNewYork})), ElementsAre("own:m"));
  }
  EXPECT_THAT(mobiles.CheckConsent({}, NumberType::kFixed, now, {kNewYork}), IsEmpty());
  const RuleSet own = Own(Section("consent", "c", "basis = \"express\"\ndays = 30"));
  EXPECT_THAT(own.CheckConsent({Basis::kExpress, now - absl::Hours(719)}, NumberType::kFixed, now,
                               {kNewYork}),
              IsEmpty());
  EXPECT_THAT(Ids(own.CheckConsent({Basis::kExpress, now - absl::Hours(720)}, NumberType::kFixed,
                                   now, {kNewYork})),
              ElementsAre("own:c"));
  // France asks from 11 August 2026 on.
  const RuleSet fr = Set({"fr"});
  EXPECT_THAT(
      fr.CheckConsent({}, NumberType::kFixed, At("2026-08-09T12:00:00", "UTC"), {{"FR", ""}}),
      IsEmpty());
  EXPECT_THAT(Ids(fr.CheckConsent({}, NumberType::kFixed, now, {{"FR", ""}})),
              ElementsAre("fr:consent"));
}

TEST(Registry, TheCopyMayBeThirtyOneDaysOld) {
  const RuleSet set = Set({"us-tsr"});
  const absl::Time now = At("2026-09-01T15:00:00", "UTC");
  EXPECT_THAT(set.CheckRegistry(now - absl::Hours(31 * 24), now, {kNewYork}), IsEmpty());
  EXPECT_THAT(Ids(set.CheckRegistry(now - absl::Hours(31 * 24 + 1), now, {kNewYork})),
              ElementsAre("us-tsr:registry"));
  const std::vector<Held> none = set.CheckRegistry(absl::InfinitePast(), now, {kNewYork});
  ASSERT_THAT(Ids(none), ElementsAre("us-tsr:registry"));
  EXPECT_THAT(none[0].text, HasSubstr("There is no copy"));
  EXPECT_THAT(set.CheckRegistry(absl::InfinitePast(), now, {{"FR", ""}}), IsEmpty());
}

TEST(Ring, FifteenSeconds) {
  const RuleSet set = Set({"us-tsr"});
  const absl::Time now = At("2026-09-01T15:00:00", "UTC");
  EXPECT_THAT(set.CheckRing(absl::Seconds(15), now, {kNewYork}), IsEmpty());
  EXPECT_THAT(Ids(set.CheckRing(absl::Seconds(14), now, {kNewYork})), ElementsAre("us-tsr:ring"));
}

}  // namespace
}  // namespace outpace::rules
