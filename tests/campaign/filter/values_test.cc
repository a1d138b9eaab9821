#include "campaign/filter/values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::filter {
namespace {

TEST(ReadNumber, ReadsWhatPeopleWrite) {
  for (const auto& [text, number] : std::vector<std::pair<const char*, double>>{
           {"0", 0},
           {"007", 7},
           {"-5", -5},
           {"+5", 5},
           {" 5 ", 5},
           {"5.", 5},
           {".5", 0.5},
           {"－１２．５", -12.5},
           {"5,000,000", 5e6},
           {"5，000，000", 5e6},
           {"5 000 000", 5e6},
           {"5'000'000.25", 5000000.25},
           {"50,00,000", 5e6},
           {"1,23,45,678", 12345678},
           {"500万", 5e6},
           {"500 万", 5e6},
           {"500萬元", 5e6},
           {"5百万", 5e6},
           {"1.2亿", 1.2e8},
           {"1.15万", 11500},
           {"3千万", 3e7},
           {"2万亿", 2e12},
           {"1亿2000万", 1.2e8},
           {"1万5千", 15000},
           {"1万5000", 15000},
           {"¥500万元", 5e6},
           {"￥ 500万元人民币", 5e6},
           {"人民币500万", 5e6},
           {"-¥5", -5},
           {"¥-5", -5},
           {"US$ 1.5 million", 1.5e6},
           {"HK$5k", 5000},
           {"1.5M USD", 1.5e6},
           {"2bn", 2e9},
           {"5 thousand", 5000},
           {"12.5%", 12.5},
           {"1.38E+10", 1.38e10},
           {"5e-1", 0.5},
           {"123456789012345678", 123456789012345678.0},
           {"12345678901234567890123", 12345678901234567890123.0},
           {"0.1", 0.1},
       }) {
    double read = std::nan("");
    EXPECT_TRUE(ReadNumber(text, read)) << text;
    EXPECT_EQ(read, number) << text;
  }
}

TEST(ReadNumber, RefusesEverythingElse) {
  for (const char* text :
       {"",          " ",          "-",    ".",      "万",      "五百万",   "约500万",
        "500万以上", "5-10",       "1,2",  "1,2345", "1,23,4",  "1234,567", "12,34",
        "1,234,56",  "1.2.3",      "5 m2", "5 male", "--5",     "5万万5",   "1万5",
        "1万500",    "1万2亿",     "¥",    "e5",     "0x10",    "inf",      "nan",
        "5e999",     "2026-11-22", "+-5",  "5,",     "1.234,56"}) {
    double read = 0;
    EXPECT_FALSE(ReadNumber(text, read)) << text << " was read as " << read;
  }
}

TEST(NumberText, ReadsBack) {
  EXPECT_EQ(NumberText(5e6), "5000000");
  EXPECT_EQ(NumberText(-0.25), "-0.25");
  EXPECT_EQ(NumberText(0.1), "0.1");
  EXPECT_EQ(NumberText(1e22), "1e+22");
  Rng rng(7);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t bits = rng.Next();
    double number;
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    double read = 0;
    ASSERT_TRUE(ReadNumber(NumberText(number), read)) << number;
    EXPECT_EQ(read, number) << NumberText(number);
  }
}

TEST(ReadDay, ReadsYearFirst) {
  for (const auto& [text, day] : std::vector<std::pair<const char*, absl::CivilDay>>{
           {"2026-11-22", absl::CivilDay(2026, 11, 22)},
           {"2026/1/2", absl::CivilDay(2026, 1, 2)},
           {"2026.01.02", absl::CivilDay(2026, 1, 2)},
           {"20260102", absl::CivilDay(2026, 1, 2)},
           {"2026年1月2日", absl::CivilDay(2026, 1, 2)},
           {"２０２６－０１－０２", absl::CivilDay(2026, 1, 2)},
           {" 2024-02-29 ", absl::CivilDay(2024, 2, 29)},
           {"2026-11-22 10:30:00", absl::CivilDay(2026, 11, 22)},
           {"2026-11-22T10:30:00Z", absl::CivilDay(2026, 11, 22)},
           {"2026年1月2日 10:00", absl::CivilDay(2026, 1, 2)},
       }) {
    int32_t read = 0;
    EXPECT_TRUE(ReadDay(text, read)) << text;
    EXPECT_EQ(DayText(read), absl::FormatCivilTime(day)) << text;
  }
  for (const char* text : {"", "0000-00-00", "2026-02-29", "2026-13-01", "2026-00-10", "22/11/2026",
                           "11-22-2026", "26-11-22", "2026-11", "2026-11/22", "2026-11-22x",
                           "202611", "2026112", "today", "2026-11-22 soon", "1900-02-29"}) {
    int32_t read = 0;
    EXPECT_FALSE(ReadDay(text, read)) << text;
  }
  for (int32_t day = DayNumber(absl::CivilDay(1899, 12, 1));
       day < DayNumber(absl::CivilDay(2101, 1, 1)); ++day) {
    int32_t read = 0;
    ASSERT_TRUE(ReadDay(DayText(day), read));
    ASSERT_EQ(read, day);
  }
}

TEST(DayText, HasFourDigitsOfTheYear) {
  int32_t day = 0;
  ASSERT_TRUE(ReadDay("0226-1-2", day));
  EXPECT_EQ(DayText(day), "0226-01-02");
}

TEST(ReadFlag, KnowsItsWords) {
  bool flag = false;
  for (const char* text : {"Y", "y", "Yes", "TRUE", "1", "是", "Ｙ"}) {
    EXPECT_TRUE(ReadFlag(text, flag) && flag) << text;
  }
  for (const char* text : {"N", "no", "False", "0", "否"}) {
    EXPECT_TRUE(ReadFlag(text, flag) && !flag) << text;
  }
  for (const char* text : {"", "yeah", "2", "不"}) EXPECT_FALSE(ReadFlag(text, flag)) << text;
}

}  // namespace
}  // namespace outpace::filter
