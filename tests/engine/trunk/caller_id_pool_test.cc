#include "engine/trunk/caller_id_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::trunk {
namespace {

using ::testing::HasSubstr;

const E164 kNone;
const MonoTime kStart(1'000'000'000);
constexpr int64_t kToday = 20'000;

CallerIdPool Pool(CallerIdChoice choice, const std::vector<uint64_t>& numbers, int cap = 0,
                  absl::Duration rest = absl::ZeroDuration()) {
  CallerIdPool pool;
  pool.choice = choice;
  for (const uint64_t number : numbers) pool.numbers.push_back({.number = E164(number)});
  pool.calls_per_day = cap;
  pool.rest = rest;
  return pool;
}

uint64_t TakeFor(CallerIdRota& rota, uint64_t dialed, MonoTime now = kStart) {
  return rota.Take(E164(dialed), kNone, now, kToday).id.number.value();
}

TEST(CallerIdRota, FixedShowsTheCampaignsNumberElseThePoolsFirst) {
  CallerIdRota rota(Pool(CallerIdChoice::kFixed, {14155550101, 14155550102}));
  EXPECT_EQ(TakeFor(rota, 12125550100), 14155550101u);
  EXPECT_EQ(TakeFor(rota, 12125550100), 14155550101u);
  CallerIdTaken taken = rota.Take(E164(12125550100), E164(14155550102), kStart, kToday);
  EXPECT_EQ(taken.id.number, E164(14155550102));
  EXPECT_TRUE(taken.id.owned);
  taken = rota.Take(E164(12125550100), E164(13105550199), kStart, kToday);
  EXPECT_EQ(taken.id.number, E164(13105550199));
  EXPECT_FALSE(taken.id.owned) << "nobody said that it is ours";
  EXPECT_EQ(rota.CallsToday(E164(14155550101)), 2);
  EXPECT_EQ(rota.CallsToday(E164(13105550199)), 1);
}

TEST(CallerIdRota, AnEmptyPoolSaysSo) {
  for (const CallerIdChoice choice :
       {CallerIdChoice::kFixed, CallerIdChoice::kRotating, CallerIdChoice::kLocal}) {
    CallerIdRota rota(Pool(choice, {}));
    EXPECT_EQ(rota.Take(E164(12125550100), kNone, kStart, kToday).why, NoCallerId::kEmpty);
    EXPECT_EQ(rota.Take(E164(12125550100), E164(14155550101), kStart, kToday).id.number,
              E164(14155550101));
  }
}

TEST(CallerIdRota, RotatingUsesEachInTurn) {
  CallerIdRota rota(
      Pool(CallerIdChoice::kRotating, {14155550101, 14155550102, 14155550101, 14155550103}));
  std::vector<uint64_t> seen;
  for (int i = 0; i < 6; ++i) seen.push_back(TakeFor(rota, 12125550100));
  EXPECT_THAT(seen, ::testing::ElementsAre(14155550101, 14155550102, 14155550103, 14155550101,
                                           14155550102, 14155550103));
}

TEST(CallerIdRota, LocalTakesTheAreaCodeThenTheCountryThenAny) {
  CallerIdRota rota(Pool(CallerIdChoice::kLocal, {12125550101, 14155550101, 14155550102,
                                                  861088880001, 862188880001, 442079460001}));
  // 415 and 416 share digits and nothing else.
  EXPECT_EQ(TakeFor(rota, 14155551234), 14155550101u);
  EXPECT_EQ(TakeFor(rota, 14155551234), 14155550102u);
  EXPECT_EQ(TakeFor(rota, 12125551234), 12125550101u);
  std::set<uint64_t> for_toronto;
  for (int i = 0; i < 6; ++i) for_toronto.insert(TakeFor(rota, 14165551234));
  EXPECT_THAT(for_toronto, ::testing::ElementsAre(12125550101, 14155550101, 14155550102));
  EXPECT_EQ(TakeFor(rota, 861066660001), 861088880001u);  // Beijing
  EXPECT_EQ(TakeFor(rota, 862166660001), 862188880001u);  // Shanghai
  EXPECT_EQ(TakeFor(rota, 862866660001), 862188880001u);  // Chengdu: the nearest digits
  EXPECT_EQ(TakeFor(rota, 441619460000), 442079460001u);  // Manchester: the country
  EXPECT_NE(TakeFor(rota, 33140000000), 0u);              // France: any
}

TEST(CallerIdRota, LocalFallsBackWhenTheAreaIsUsedUp) {
  CallerIdRota rota(Pool(CallerIdChoice::kLocal, {12125550101, 14155550101}, /*cap=*/2));
  EXPECT_EQ(TakeFor(rota, 14155551234), 14155550101u);
  EXPECT_EQ(TakeFor(rota, 14155551234), 14155550101u);
  EXPECT_EQ(TakeFor(rota, 14155551234), 12125550101u);
  EXPECT_EQ(TakeFor(rota, 14155551234), 12125550101u);
  EXPECT_EQ(rota.Take(E164(14155551234), kNone, kStart, kToday).why, NoCallerId::kDailyCap);
  EXPECT_EQ(rota.NumbersLeft(), 0);
  // The next day all is as at first.
  EXPECT_EQ(rota.Take(E164(14155551234), kNone, kStart, kToday + 1).id.number, E164(14155550101));
  EXPECT_EQ(rota.NumbersLeft(), 2);
}

TEST(CallerIdRota, FixedHoldsTheCapOfTheCampaignsNumberToo) {
  CallerIdRota rota(Pool(CallerIdChoice::kFixed, {14155550101}, /*cap=*/1));
  EXPECT_EQ(rota.Take(E164(12125550100), E164(13105550199), kStart, kToday).why, NoCallerId::kNone);
  EXPECT_EQ(rota.Take(E164(12125550100), E164(13105550199), kStart, kToday).why,
            NoCallerId::kDailyCap);
  EXPECT_EQ(TakeFor(rota, 12125550100), 14155550101u);
}

TEST(CallerIdRota, RestIsHeldAndSaysHowLong) {
  CallerIdRota rota(
      Pool(CallerIdChoice::kRotating, {14155550101, 14155550102}, 0, absl::Seconds(10)));
  EXPECT_EQ(TakeFor(rota, 12125550100, kStart), 14155550101u);
  EXPECT_EQ(TakeFor(rota, 12125550100, kStart + absl::Seconds(4)), 14155550102u);
  CallerIdTaken taken = rota.Take(E164(12125550100), kNone, kStart + absl::Seconds(5), kToday);
  EXPECT_EQ(taken.why, NoCallerId::kResting);
  EXPECT_EQ(taken.wait, absl::Seconds(5));
  EXPECT_EQ(TakeFor(rota, 12125550100, kStart + absl::Seconds(10)), 14155550101u);
  taken = rota.Take(E164(12125550100), kNone, kStart + absl::Seconds(10), kToday);
  EXPECT_EQ(taken.wait, absl::Seconds(4));
}

TEST(CallerIdRota, WhatNeverLeftIsGivenBack) {
  CallerIdRota rota(Pool(CallerIdChoice::kLocal, {14155550101}, /*cap=*/1, absl::Minutes(1)));
  const CallerIdTaken taken = rota.Take(E164(14155551234), kNone, kStart, kToday);
  ASSERT_EQ(taken.why, NoCallerId::kNone);
  EXPECT_EQ(rota.Take(E164(14155551234), kNone, kStart, kToday).why, NoCallerId::kDailyCap);
  rota.GiveBack(taken);
  EXPECT_EQ(rota.CallsToday(E164(14155550101)), 0);
  EXPECT_EQ(rota.Take(E164(14155551234), kNone, kStart, kToday).why, NoCallerId::kNone);
}

TEST(CallerIdRota, CountsAndRestSurviveARestart) {
  const CallerIdPool pool =
      Pool(CallerIdChoice::kRotating, {14155550101, 14155550102}, /*cap=*/2, absl::Seconds(30));
  CallerIdRota before(pool);
  EXPECT_EQ(TakeFor(before, 12125550100), 14155550101u);
  const std::string text = before.Save(kStart + absl::Seconds(10));
  EXPECT_EQ(text, "1;20000;14155550101:1:20000");

  const MonoTime reborn(77);  // another process, another monotonic clock
  CallerIdRota after(pool);
  ASSERT_TRUE(after.Restore(text, reborn, kToday).ok());
  EXPECT_EQ(after.CallsToday(E164(14155550101)), 1);
  EXPECT_EQ(TakeFor(after, 12125550100, reborn), 14155550102u);
  const CallerIdTaken taken = after.Take(E164(12125550100), kNone, reborn, kToday);
  EXPECT_EQ(taken.why, NoCallerId::kResting);
  EXPECT_EQ(taken.wait, absl::Seconds(20));
  EXPECT_EQ(TakeFor(after, 12125550100, reborn + absl::Seconds(20)), 14155550101u);
  EXPECT_EQ(after.CallsToday(E164(14155550101)), 2);

  CallerIdRota tomorrow(pool);
  ASSERT_TRUE(tomorrow.Restore(text, reborn, kToday + 1).ok());
  EXPECT_EQ(tomorrow.CallsToday(E164(14155550101)), 0);
}

TEST(CallerIdRota, DamagedStateIsRefusedWhole) {
  CallerIdRota rota(Pool(CallerIdChoice::kRotating, {14155550101}));
  TakeFor(rota, 12125550100);
  for (const char* text :
       {"", "1;5", "2;20000;", "1;x;", "1;20000;14155550101", "1;20000;14155550101:3:0,x:1:1",
        "1;20000;14155550101:-1:0", "1;20000;7:1:0", "1;20000;14155550101:1:0:9"}) {
    EXPECT_EQ(rota.Restore(text, kStart, kToday).code(), absl::StatusCode::kInvalidArgument)
        << text;
    EXPECT_EQ(rota.CallsToday(E164(14155550101)), 1) << text;
  }
  EXPECT_TRUE(rota.Restore("1;20000;", kStart, kToday).ok());
}

// Whatever is asked, no number is shown beyond its cap or inside its rest, and "none" is only said
// when it is true.
TEST(CallerIdRotaProperty, CapAndRestHoldAndNothingIsWithheld) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::vector<uint64_t> numbers;
    for (uint64_t n = 1 + rng.Below(8); n > 0; --n) {
      const uint64_t heads[] = {1415, 1212, 8610, 8621, 4420};
      numbers.push_back(heads[rng.Below(5)] * 10'000'000 + rng.Below(10'000'000));
    }
    const int cap = static_cast<int>(rng.Below(6));
    const absl::Duration rest = absl::Seconds(static_cast<int64_t>(rng.Below(20)));
    CallerIdRota rota(Pool(static_cast<CallerIdChoice>(1 + rng.Below(2)), numbers, cap, rest));
    const std::set<uint64_t> distinct(numbers.begin(), numbers.end());
    std::map<uint64_t, int> calls;
    std::map<uint64_t, MonoTime> last;
    MonoTime now = kStart;
    int64_t day = 1;
    for (int i = 0; i < 300; ++i) {
      now = now + absl::Milliseconds(static_cast<int64_t>(rng.Below(4000)));
      if (rng.Chance(0.02)) {
        ++day;
        calls.clear();
      }
      const uint64_t dialed = 14150000000 + rng.Below(1000);
      const auto free = [&](uint64_t number) {
        return (cap == 0 || calls[number] < cap) &&
               (!last.contains(number) || now - last[number] >= rest);
      };
      const CallerIdTaken taken = rota.Take(E164(dialed), kNone, now, day);
      if (taken.why != NoCallerId::kNone) {
        for (const uint64_t number : distinct) EXPECT_FALSE(free(number));
        continue;
      }
      const uint64_t number = taken.id.number.value();
      ASSERT_TRUE(free(number));
      if (rng.Chance(0.1)) {
        rota.GiveBack(taken);
        continue;
      }
      ++calls[number];
      last[number] = now;
    }
  }
}

TEST(CallerIdPool, FaultsAreTold) {
  CallerIdPool pool = Pool(CallerIdChoice::kFixed, {0}, -1, -absl::Seconds(1));
  const std::string message(CheckCallerIdPool(pool).message());
  EXPECT_THAT(message, HasSubstr("calls a day"));
  EXPECT_THAT(message, HasSubstr("rest must be 0 to 24 hours"));
  EXPECT_THAT(message, HasSubstr("number 1 is none"));
}

TEST(CountryCode, Lengths) {
  EXPECT_EQ(CountryCodeLength(E164(14155550100)), 1);
  EXPECT_EQ(CountryCodeLength(E164(79161234567)), 1);
  EXPECT_EQ(CountryCodeLength(E164(8613800138000)), 2);
  EXPECT_EQ(CountryCodeLength(E164(442079460000)), 2);
  EXPECT_EQ(CountryCodeLength(E164(85221234567)), 3);
  EXPECT_EQ(CountryCodeLength(E164(353871234567)), 3);
}

}  // namespace
}  // namespace outpace::trunk
