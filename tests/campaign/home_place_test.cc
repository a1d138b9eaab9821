#include "campaign/home_place.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

using testing::ElementsAre;

HomePlaces Of(std::map<std::string, std::string> fields, uint64_t phone = 12125550100) {
  Lead lead;
  lead.phone = E164(phone);
  lead.fields = std::move(fields);
  return HomePlacesOf(lead);
}
const HomePlace kFlorida{"US", "FL"}, kTexas{"US", "TX"}, kOntario{"CA", "ON"};

TEST(HomePlace, StatesByLettersAndNames) {
  EXPECT_THAT(Of({{"state", "FL"}}), ElementsAre(kFlorida));
  EXPECT_THAT(Of({{"state", " florida "}}), ElementsAre(kFlorida));
  EXPECT_THAT(Of({{"state", "Ontario"}}), ElementsAre(kOntario));
  EXPECT_TRUE(Of({{"state", "Narnia"}}).empty());
  EXPECT_TRUE(Of({}).empty());
}

TEST(HomePlace, PostalCodes) {
  struct Case {
    const char *code, *state;
  };
  for (const Case& c :
       {Case{"33101", "FL"}, Case{"33101-1234", "FL"}, Case{"10001", "NY"}, Case{"06390", "NY"},
        Case{"00501", ""},   Case{"02134", "MA"},      Case{"05501", "MA"}, Case{"20101", "VA"},
        Case{"20001", "DC"}, Case{"73301", "TX"},      Case{"73401", "OK"}, Case{"88501", "TX"},
        Case{"88901", "NV"}, Case{"96701", "HI"},      Case{"96201", ""},   Case{"99501", "AK"},
        Case{"60601", "IL"}, Case{"09001", ""},        Case{"3310", ""},    Case{"331011", ""},
        Case{"abcde", ""}}) {
    SCOPED_TRACE(c.code);
    const HomePlaces places = Of({{"postal_code", c.code}});
    if (*c.state == 0) {
      EXPECT_TRUE(places.empty());
    } else {
      EXPECT_THAT(places, ElementsAre(HomePlace{"US", c.state}));
    }
  }
  EXPECT_THAT(Of({{"postal_code", "K1A 0B1"}}), ElementsAre(kOntario));
  EXPECT_THAT(Of({{"postal_code", "b3h4r2"}}), ElementsAre(HomePlace{"CA", "NS/PE"}));
}

TEST(HomePlace, TwoWhereStateAndPostalCodeDisagree) {
  EXPECT_THAT(Of({{"state", "FL"}, {"postal_code", "75001"}}), ElementsAre(kFlorida, kTexas));
  EXPECT_THAT(Of({{"state", "FL"}, {"postal_code", "33101"}}), ElementsAre(kFlorida));
}

TEST(HomePlace, OnlyInNorthAmerica) {
  EXPECT_TRUE(Of({{"state", "DE"}, {"country_code", "DE"}}, 4930901820).empty());
  EXPECT_TRUE(Of({{"state", "NY"}}, 442079460000).empty()) << "whose country nobody says";
  EXPECT_THAT(Of({{"state", "FL"}, {"country_code", "USA"}}, 442079460000), ElementsAre(kFlorida));
  EXPECT_TRUE(Of({{"state", "FL"}, {"country_code", "CA"}}).empty());
  EXPECT_THAT(Of({{"state", "ON"}, {"country_code", "1"}}), ElementsAre(kOntario));
}

TEST(HomePlace, ZonesOfAState) {
  EXPECT_THAT(ZonesOfPlace(kFlorida), ElementsAre("America/Chicago", "America/New_York"));
  EXPECT_THAT(ZonesOfPlace({"US", "HI"}), ElementsAre("Pacific/Honolulu"));
  EXPECT_TRUE(ZonesOfPlace({"US", "ZZ"}).empty());
}

}  // namespace
}  // namespace outpace::campaign
