#include "campaign/number_info.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "campaign/calling_window.h"
#include "campaign/number_plan.h"
#include "campaign/number_tables.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string Told(absl::string_view number) {
  const NumberInfo info = Describe(*ParseE164(number));
  return absl::StrCat(NumberTypeName(info.type), "|", info.region, "|", info.area, "|", info.city,
                      "|", info.carrier);
}

// An operator's tables for one test; the built-in ones come back behind it.
class OperatorTables : public testing::Test {
 protected:
  OperatorTables() {
    directory_ = testing::TempDir() +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "_numbers";
    std::filesystem::create_directories(directory_);
  }
  ~OperatorTables() override {
    std::filesystem::remove_all(directory_);
    EXPECT_TRUE(LoadNumberTables("").ok());
  }
  void Write(const std::string& file, absl::string_view text) {
    std::ofstream(directory_ + "/" + file, std::ios::binary) << text;
  }
  absl::Status Load() { return LoadNumberTables(directory_); }

  std::string directory_;
};

TEST(Describe, China) {
  EXPECT_EQ(Told("+8613800100001"), "mobile|CN|北京|北京|中国移动");
  EXPECT_EQ(Told("+861055550100"), "fixed|CN|北京|北京|");
  EXPECT_EQ(Told("+8675555550100"), "fixed|CN|广东|深圳|");
  EXPECT_EQ(Told("+8619212345678"), "mobile|CN|||中国广电");
  EXPECT_EQ(Told("+864008001234"), "shared_cost|CN|||");
  EXPECT_EQ(Told("+868008001234"), "toll_free|CN|||");
  EXPECT_EQ(Told("+8695013123"), "corporate|CN|||");
}

TEST(Describe, NorthAmerica) {
  EXPECT_EQ(Told("+12125550100"), "fixed_or_mobile|US|NY|New York|");
  EXPECT_EQ(Told("+12012000100"), "fixed_or_mobile|US|NJ|Jersey City|");
  EXPECT_EQ(Told("+19055550100"), "fixed_or_mobile|CA|ON||");
  EXPECT_EQ(Told("+18765550100"), "fixed_or_mobile|JM|||");
  EXPECT_EQ(Told("+18005550100"), "toll_free||||");
  EXPECT_EQ(Told("+15005550100"), "personal||||");
  EXPECT_EQ(Told("+12325550100"), "fixed_or_mobile||||") << "an area code nobody has told of";
  EXPECT_EQ(Told("+19024040100"), "fixed_or_mobile|CA|NS|Halifax|") << "902 is NS/PE";
}

TEST(Describe, AreaCodesOpenedSince2022) {
  const std::pair<const char*, const char*> kOpened[] = {
      {"235", "US|MO"}, {"257", "CA|BC"}, {"354", "CA|QC"}, {"382", "CA|ON"}, {"428", "CA|NB"},
      {"621", "US|TX"}, {"683", "CA|ON"}, {"748", "US|CO"}, {"942", "CA|ON"}};
  for (const auto& [area, place] : kOpened) {
    EXPECT_EQ(Told(absl::StrCat("+1", area, "5550100")),
              absl::StrCat("fixed_or_mobile|", place, "||"))
        << area;
  }
  EXPECT_THAT(TimeZonesOf(E164(14285550100)), ::testing::ElementsAre("America/Halifax"));
  EXPECT_THAT(TimeZonesOf(E164(17485550100)), ::testing::ElementsAre("America/Denver"));
  EXPECT_EQ(TimeZonesOf(E164(12575550100)), TimeZonesOf(E164(12505550100)));
  // Suffolk County, not the city.
  EXPECT_EQ(Told("+19345550100"), "fixed_or_mobile|US|NY||");
  // Planned once, never opened: as any that nobody knows.
  EXPECT_EQ(Told("+12785550100"), "fixed_or_mobile||||");
  EXPECT_GE(TimeZonesOf(E164(16275550100)).size(), 6u);
}

TEST(Describe, Britain) {
  EXPECT_EQ(Told("+441134960000"), "fixed|GB||Leeds|");
  EXPECT_EQ(Told("+442079460000"), "fixed|GB||London|");
  EXPECT_EQ(Told("+442890180000"), "fixed|GB|Northern Ireland|Belfast|");
  EXPECT_EQ(Told("+441534496000"), "fixed|JE|Jersey|Jersey|");
  EXPECT_EQ(Told("+447700900123"), "mobile|GB|||");
  EXPECT_EQ(Told("+447624496000"), "mobile|IM|Isle of Man||");
  EXPECT_EQ(Told("+443069990000"), "corporate|GB|||");
  EXPECT_EQ(Told("+448081570000"), "toll_free|GB|||");
  EXPECT_EQ(Told("+448431570000"), "shared_cost|GB|||");
  EXPECT_EQ(Told("+445600123456"), "voip|GB|||");
  EXPECT_EQ(Told("+447012345678"), "personal|GB|||");
}

TEST(Describe, OfOtherCountriesOnlyTheName) {
  EXPECT_EQ(Told("+4930901820"), "unknown|DE|||");
  EXPECT_EQ(Told("+85221234567"), "unknown|HK|||");
  EXPECT_EQ(Told("+881612345678"), "unknown||||");
  EXPECT_EQ(Describe(E164()).region, "");
}

TEST(ZoneSets, EqualZonesHaveEqualNumbers) {
  EXPECT_EQ(ZoneSetOf(E164(12125550100)), ZoneSetOf(E164(16465550100)));
  EXPECT_NE(ZoneSetOf(E164(12125550100)), ZoneSetOf(E164(13105550100)));
  EXPECT_THAT(ZonesOfSet(ZoneSetOf(E164(8613800000001))), ElementsAre("Asia/Shanghai"));
  EXPECT_EQ(ZoneSetOf(E164(881612345678)), 0u);
  EXPECT_EQ(ZoneSetOf(E164()), 0u);
  EXPECT_EQ(ZoneSetOf(E164(123456789)), 0u) << "1, and not ten digits behind it";
  EXPECT_THAT(ZonesOfSet(0), IsEmpty());
  EXPECT_THAT(ZonesOfSet(4'000'000'000), IsEmpty());
}

// Overlays share the ground of the area code they lie over, so they share its zones.
TEST(ZoneSets, OverlaysHaveTheZonesOfTheirArea) {
  for (const auto& [area, overlay] : {std::pair(850, 448),
                                      {270, 364},
                                      {812, 930},
                                      {541, 458},
                                      {250, 778},
                                      {418, 581},
                                      {416, 437},
                                      {407, 689},
                                      {306, 474},
                                      {208, 986}}) {
    const auto at = [](int npa) {
      return ZoneSetOf(E164(10'000'000'000 + static_cast<uint64_t>(npa) * 10'000'000 + 5550100));
    };
    EXPECT_EQ(at(area), at(overlay)) << overlay;
  }
}

// The longest prefix wins, whatever the order they are added in; of equal ones the later.
TEST(PrefixTable, FindsTheLongest) {
  internal::PrefixTable table;
  table.Add({1'380'000, 1'380'999, 4}, 1);
  table.Add({1'000'000, 1'999'999, 1}, 2);
  table.Add({1'380'123, 1'380'125, 7}, 3);
  table.Add({1'380'124, 1'380'124, 7}, 4);
  table.Add({9'999'999, 9'999'999, 7}, 5);
  table.Add({1'390'000, 1'409'999, 3}, 6);
  table.Freeze();
  EXPECT_EQ(table.Find(0), 0);
  EXPECT_EQ(table.Find(999'999), 0);
  EXPECT_EQ(table.Find(1'000'000), 2);
  EXPECT_EQ(table.Find(1'380'000), 1);
  EXPECT_EQ(table.Find(1'380'123), 3);
  EXPECT_EQ(table.Find(1'380'124), 4);
  EXPECT_EQ(table.Find(1'380'125), 3);
  EXPECT_EQ(table.Find(1'380'126), 1);
  EXPECT_EQ(table.Find(1'399'999), 6);
  EXPECT_EQ(table.Find(1'410'000), 2);
  EXPECT_EQ(table.Find(2'000'000), 0);
  EXPECT_EQ(table.Find(9'999'998), 0);
  EXPECT_EQ(table.Find(9'999'999), 5);
}

TEST(PrefixTable, SevenDigits) {
  EXPECT_EQ(internal::FirstSeven(0), 0u);
  EXPECT_EQ(internal::FirstSeven(9), 9'000'000u);
  EXPECT_EQ(internal::FirstSeven(10), 1'000'000u);
  EXPECT_EQ(internal::FirstSeven(9'999'999), 9'999'999u);
  EXPECT_EQ(internal::FirstSeven(99'999'999), 9'999'999u);
  EXPECT_EQ(internal::FirstSeven(100'000'000'000'000), 1'000'000u);
  for (uint64_t power = 1, digits = 1; digits <= 19; ++digits, power *= 10) {
    EXPECT_EQ(internal::DigitCount(power), static_cast<int>(digits));
    EXPECT_EQ(internal::DigitCount(power - 1), static_cast<int>(digits) - 1);
  }
}

TEST_F(OperatorTables, ANewAreaCodeNeedsNoNewProgram) {
  const E164 number(12325550100);
  EXPECT_GE(TimeZonesOf(number).size(), 6u);
  Write("nanp.csv",
        "kind,country,state,city,zones,prefixes\r\n"
        "# overlay of 617 from 2027\r\n"
        "geographic,US,MA,,America/New_York,232\r\n");
  ASSERT_TRUE(Load().ok());
  EXPECT_THAT(TimeZonesOf(number), ElementsAre("America/New_York"));
  EXPECT_EQ(Told("+12325550100"), "fixed_or_mobile|US|MA||");
  EXPECT_EQ(Told("+12125550100"), "fixed_or_mobile|US|NY|New York|") << "the others stay";
  EXPECT_TRUE(IsDestination(number, {"1"}));
  // An exchange of its own wins over its area code.
  Write("nanp.csv",
        "kind,country,state,city,zones,prefixes\n"
        "geographic,US,TN,Chattanooga,America/New_York,423209\n");
  ASSERT_TRUE(Load().ok());
  EXPECT_THAT(TimeZonesOf(E164(14232090100)), ElementsAre("America/New_York"));
  EXPECT_EQ(TimeZonesOf(E164(14232100100)).size(), 2u);
}

TEST_F(OperatorTables, RowsAreAddedOrReplaceAll) {
  Write("cn_geo.csv",
        "\xef\xbb\xbfprovince,city,prefixes\n\"广东\",深圳,1380010 1990000-1990009\n");
  Write("cn_carrier.csv", "carrier,prefixes\n中国广电,1380010\n");
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(Told("+8613800100001"), "mobile|CN|广东|深圳|中国广电");
  EXPECT_EQ(Told("+8619900050001"), "mobile|CN|广东|深圳|中国电信");
  EXPECT_EQ(Told("+861055550100"), "fixed|CN|北京|北京|");
  Write("cn_geo.csv", "# replace\nprovince,city,prefixes\n广东,深圳,1380010\n");
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(Told("+8613800100001"), "mobile|CN|广东|深圳|中国广电");
  EXPECT_EQ(Told("+861055550100"), "fixed|CN|||");
  Write("gb.csv", "region,area,city,prefixes\nGB,Scotland,Aberdeen,1224\n");
  Write("zones.csv", "zones,prefixes\nEurope/Berlin Europe/Busingen,497734\n");
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(Told("+441224496000"), "fixed|GB|Scotland|Aberdeen|");
  EXPECT_THAT(TimeZonesOf(E164(49773412345)), ElementsAre("Europe/Berlin", "Europe/Busingen"));
}

// A range that libphonenumber's metadata does not know is refused until an operator vouches for it.
TEST_F(OperatorTables, ARangeOfAnotherCountryIsToldInRangesCsv) {
  EXPECT_EQ(ReadPhone("+65 7000 0000", "US").fault, PhoneFault::kDestination);
  Write("ranges.csv", "digits_min,digits_max,prefixes\n10,10,6570\n");
  ASSERT_TRUE(Load().ok());
  EXPECT_EQ(ReadPhone("+65 7000 0000", "US").number.ToString(), "+6570000000");
  EXPECT_EQ(ReadPhone("+65 7000 00001", "US").fault, PhoneFault::kLength);
  Write("ranges.csv", "digits_min,digits_max,prefixes\n7,11,6570\n");
  EXPECT_THAT(std::string(Load().message()), HasSubstr("ranges.csv:2: digits_min and digits_max"));
}

// A slip in the directory's name must not leave an operator's tables out without a word.
TEST_F(OperatorTables, OnlyAFileThatIsNotThereIsPassedOver) {
  EXPECT_TRUE(Load().ok());  // an empty directory
  const absl::Status none = LoadNumberTables(directory_ + "/none");
  EXPECT_EQ(none.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(none.message()), HasSubstr("/none"));
  Write("plain", "");
  EXPECT_FALSE(LoadNumberTables(directory_ + "/plain").ok());
  std::filesystem::create_directory(directory_ + "/zones.csv");
  EXPECT_THAT(std::string(Load().message()), HasSubstr("zones.csv: cannot be read"));
  std::filesystem::remove(directory_ + "/zones.csv");
  std::filesystem::create_symlink(directory_ + "/gone", directory_ + "/gb.csv");
  EXPECT_THAT(std::string(Load().message()), HasSubstr("gb.csv: cannot be read"));
}

TEST_F(OperatorTables, MistakesNameFileLineAndReasonAndChangeNothing) {
  struct Case {
    const char* file;
    const char* text;
    const char* message;
  };
  for (const Case& c : {
           Case{"nanp.csv", "area,zones\n", "nanp.csv:1: the header must be 'kind,country"},
           Case{"nanp.csv", "", "nanp.csv:1: the header"},
           Case{"zones.csv", "zones,prefixes\nMars/Olympus,41\n",
                "zones.csv:2: 'Mars/Olympus' is no IANA time zone"},
           Case{"zones.csv", "zones,prefixes\n\n,41\n", "zones.csv:3: no time zone"},
           Case{"zones.csv", "zones,prefixes\nEurope/Zurich,41a\n", "zones.csv:2: '41a' is no"},
           Case{"zones.csv", "zones,prefixes\nEurope/Zurich,41-4\n", "zones.csv:2: '41-4' is no"},
           Case{"zones.csv", "zones,prefixes\nEurope/Zurich,42-41\n", "zones.csv:2: '42-41' is no"},
           Case{"zones.csv", "zones,prefixes\nEurope/Zurich,12345678\n", "is no prefix of 1 to 7"},
           Case{"zones.csv", "zones,prefixes\nEurope/Zurich,\n", "zones.csv:2: no prefixes"},
           Case{"nanp.csv",
                "kind,country,state,city,zones,prefixes\nbig,US,MA,,America/New_York,232\n",
                "nanp.csv:2: 'big' is no kind"},
           Case{"nanp.csv",
                "kind,country,state,city,zones,prefixes\ngeographic,US,MA,,America/New_York,1232\n",
                "nanp.csv:2: an area code has three digits"},
           Case{"cn_geo.csv", "province,city,prefixes\n广东,1380010\n",
                "cn_geo.csv:2: 2 columns, where the header has 3"},
           Case{"gb.csv", "region,area,city,prefixes\nGB,\"a,b,1224\n", "a quote is not closed"},
           Case{"gb.csv", "region,area,city,prefixes\nGB,\"a\"\"b\",,1224\n", "behind a closing"},
       }) {
    Write(c.file, c.text);
    const absl::Status status = Load();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
    EXPECT_EQ(Told("+12125550100"), "fixed_or_mobile|US|NY|New York|");
    std::filesystem::remove(directory_ + "/" + c.file);
  }
}

}  // namespace
}  // namespace outpace::campaign
