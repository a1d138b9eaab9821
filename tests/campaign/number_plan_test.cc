#include "campaign/number_plan.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "campaign/calling_window.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

std::string Normal(absl::string_view text, absl::string_view country) {
  const PhoneReading reading = ReadPhone(text, country);
  return reading.fault == PhoneFault::kNone ? reading.number.ToString()
                                            : std::string(PhoneFaultCode(reading.fault));
}

TEST(NumberPlan, ReadsWhatPeopleWrite) {
  EXPECT_EQ(Normal("(415) 555-0100", "US"), "+14155550100");
  EXPECT_EQ(Normal("1-415-555-0100", "1"), "+14155550100");
  EXPECT_EQ(Normal("415/555-0100", "US"), "+14155550100");
  EXPECT_EQ(Normal("011 44 20 7946 0018", "US"), "+442079460018");
  EXPECT_EQ(Normal("020 7946 0018", "GB"), "+442079460018");
  EXPECT_EQ(Normal("+44 (0)20 7946 0018", "US"), "+442079460018");
  EXPECT_EQ(Normal("7700900123", "44"), "+447700900123");
  EXPECT_EQ(Normal("138 0000 0001", "CN"), "+8613800000001");
  EXPECT_EQ(Normal("１３８－００００－０００３", "CN"), "+8613800000003");
  EXPECT_EQ(Normal("'13800000003", "CN"), "+8613800000003");
  EXPECT_EQ(Normal("=\"13800000004\"", "CN"), "+8613800000004");
  EXPECT_EQ(Normal("010-55550100", "CN"), "+861055550100");
  EXPECT_EQ(Normal("02 5550 1234", "AU"), "+61255501234");
  EXPECT_EQ(Normal("0011 44 20 7946 0018", "AU"), "+442079460018");
  EXPECT_EQ(Normal("0491570156", "AU"), "+61491570156");
  EXPECT_EQ(Normal("2123 4567", "HK"), "+85221234567");
  EXPECT_EQ(Normal("tel:+12025550146", "US"), "+12025550146");
  EXPECT_EQ(Normal("+49 30 901820", "US"), "+4930901820");
  EXPECT_EQ(Normal("30 901820", "49"), "+4930901820");
}

TEST(NumberPlan, OtherCountriesByTheirOwnRules) {
  EXPECT_EQ(Normal("030 901820", "DE"), "+4930901820");
  EXPECT_EQ(Normal("06 12 34 56 78", "FR"), "+33612345678");
  EXPECT_EQ(Normal("0033 6 12 34 56 78", "DE"), "+33612345678");
  EXPECT_EQ(Normal("+39 06 69812345", "US"), "+390669812345") << "Italy's zero is kept";
  EXPECT_EQ(Normal("+49 30", "US"), "E_PHONE_LENGTH");
  EXPECT_EQ(Normal("+33 6 12 34 56", "US"), "E_PHONE_LENGTH");
  EXPECT_EQ(Normal("+33 899 123 456", "US"), "E_PHONE_DEST") << "premium rate";
  const PhoneReading zero = ReadPhone("+49 (0)30 901820", "US");
  EXPECT_EQ(zero.number.ToString(), "+4930901820");
  EXPECT_TRUE(zero.repaired);
}

TEST(NumberPlan, NeverGluesOrGuesses) {
  EXPECT_EQ(Normal("010-55550104/05", "CN"), "E_PHONE_AMBIGUOUS");
  EXPECT_EQ(Normal("13800000005 or 13800000006", "CN"), "E_PHONE_LETTERS");
  EXPECT_EQ(Normal("13800000005;13800000006", "CN"), "E_PHONE_CHARS");
  EXPECT_EQ(Normal("++8613800000010", "CN"), "E_PHONE_CHARS");
  EXPECT_EQ(Normal("1.38E+10", "CN"), "E_PHONE_SCI");
  EXPECT_EQ(Normal("1055550105", "CN"), "E_PHONE_AMBIGUOUS");
  EXPECT_EQ(Normal("5550100", "US"), "E_PHONE_LENGTH");
  EXPECT_EQ(Normal("2025550100", ""), "E_PHONE_AMBIGUOUS");
  EXPECT_EQ(Normal("", "US"), "E_PHONE_EMPTY");
  EXPECT_EQ(Normal(std::string(100'000, '1'), "US"), "E_PHONE_LENGTH");
  EXPECT_EQ(Normal(absl::string_view("138\0000000001", 12), "CN"), "E_PHONE_CHARS");
}

// What a spreadsheet does to a column of numbers is known for what it is in every home, and lost
// digits are never made up.
TEST(NumberPlan, KnowsWhatASpreadsheetLeavesBehind) {
  for (const char* home : {"US", "CN", "GB"}) {
    for (const char* text : {"1.38E+10", "1.38001E+10", "1.3800000001E+10", "1.38e10", "1,38E+10",
                             "4.47700900123E+11", "2.02556E9"}) {
      EXPECT_EQ(Normal(text, home), "E_PHONE_SCI") << home;
    }
    EXPECT_EQ(Normal("#NAME?", home), "E_PHONE_CHARS");
    EXPECT_EQ(Normal("########", home), "E_PHONE_CHARS");
    EXPECT_EQ(Normal("TRUE", home), "E_PHONE_LETTERS");
    EXPECT_EQ(Normal("=1+1", home), "E_PHONE_CHARS");
  }
  const auto repaired = [](absl::string_view text, absl::string_view home) {
    const PhoneReading reading = ReadPhone(text, home);
    EXPECT_TRUE(reading.repaired) << text;
    return reading.number.ToString();
  };
  EXPECT_EQ(repaired("2025550144.0", "US"), "+12025550144");
  EXPECT_EQ(repaired("2,025,550,144", "US"), "+12025550144");
  EXPECT_EQ(repaired("13800000001.0", "CN"), "+8613800000001");
  EXPECT_EQ(repaired("7700900123", "GB"), "+447700900123");
  EXPECT_EQ(repaired("7700900123.0", "GB"), "+447700900123");
  EXPECT_EQ(repaired("2079460018", "GB"), "+442079460018");
  // Not in China, where ten digits may as well be a mobile that was cut.
  EXPECT_EQ(Normal("1055550105", "CN"), "E_PHONE_AMBIGUOUS");
}

// A spreadsheet's ".0" is never a digit, least of all where numbers have no fixed length.
TEST(NumberPlan, DecimalsAreNoDigits) {
  const auto repaired = [](absl::string_view text, absl::string_view home) {
    const PhoneReading reading = ReadPhone(text, home);
    EXPECT_TRUE(reading.repaired) << text;
    return reading.fault == PhoneFault::kNone ? reading.number.ToString()
                                              : std::string(PhoneFaultCode(reading.fault));
  };
  EXPECT_EQ(repaired("4930901820.00", "49"), "+4930901820");
  EXPECT_EQ(repaired("+4930901820.0", "US"), "+4930901820");
  EXPECT_EQ(repaired("030 901820.0", "DE"), "+4930901820");
  EXPECT_EQ(repaired("0755 8888888.0", "CN"), "+867558888888");
  EXPECT_EQ(repaired("13800000001.00", "CN"), "+8613800000001");
  EXPECT_EQ(Normal("030 901820.00", "DE"), "E_PHONE_AMBIGUOUS");
  EXPECT_EQ(Normal("+4930901820.000", "US"), "E_PHONE_AMBIGUOUS");
  // A dot between groups stays one.
  EXPECT_EQ(Normal("202.555.0100", "US"), "+12025550100");
  EXPECT_EQ(Normal("(202) 555.0000", "US"), "+12025550000");
  EXPECT_EQ(Normal("02 5550.1200", "AU"), "+61255501200");
}

// The first cell of each row of a hostile file.
std::vector<std::string> FirstCells(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    std::string cell;
    bool quoted = false;
    for (size_t i = 0; i < line.size() && (quoted || line[i] != ','); ++i) {
      if (line[i] != '"') {
        cell += line[i];
      } else if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        cell += line[++i];
      } else {
        quoted = !quoted;
      }
    }
    out.push_back(cell);
  }
  return out;
}

// Whatever the home, a number that is read holds the digits that were written, and no other digits
// than a country code in front of them.
TEST(NumberPlan, NeverInventsADigit) {
  int cells = 0, read = 0;
  for (const auto& entry : std::filesystem::directory_iterator(OUTPACE_TEST_DATA "/csv-hostile")) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".csv" || name < "47" || name >= "57") continue;
    for (const std::string& cell : FirstCells(entry.path())) {
      for (const char* home : {"US", "CN", "GB"}) {
        ++cells;
        const PhoneReading reading = ReadPhone(cell, home);
        if (reading.fault != PhoneFault::kNone) continue;
        ++read;
        // The same digits in ASCII: full-width ones have code points 0xFF10..0xFF19.
        std::string digits;
        for (size_t i = 0; i < cell.size(); ++i) {
          if (cell[i] >= '0' && cell[i] <= '9') digits += cell[i];
          if (cell.compare(i, 2, "\xef\xbc") != 0) continue;
          i += 2;
          const int digit = static_cast<unsigned char>(cell[i]) - 0x90;
          if (digit >= 0 && digit <= 9) digits += static_cast<char>('0' + digit);
        }
        // Behind the country code: 1, 44 or 86.
        const std::string whole = reading.number.Digits();
        const std::string national = whole.substr(whole[0] == '1' ? 1 : 2);
        EXPECT_NE(digits.find(national), std::string::npos) << name << " " << home;
      }
    }
  }
  EXPECT_GT(cells, 250);
  EXPECT_GT(read, 60);
}

TEST(NumberPlan, ACutChineseMobileIsNoFixedLine) {
  EXPECT_EQ(Normal("86138000001", "CN"), "E_PHONE_AMBIGUOUS");
  EXPECT_EQ(Normal("8613800000001", "CN"), "+8613800000001");
  EXPECT_EQ(Normal("861055550100", "CN"), "+861055550100");
  // A fixed line whose trunk zero was eaten is rebuilt, and that is told.
  const PhoneReading reading = ReadPhone("75588888888", "CN");
  EXPECT_EQ(reading.number.ToString(), "+8675588888888");
  EXPECT_TRUE(reading.repaired);
  EXPECT_FALSE(ReadPhone("075588888888", "CN").repaired);
}

// Some countries have six digits: whether that is a service number is asked of their own plan.
TEST(NumberPlan, SixDigitsAreANumberWhereTheyAreOne) {
  EXPECT_EQ(Normal("712345", "AD"), "+376712345");
  EXPECT_EQ(Normal("201234", "FO"), "+298201234");
  EXPECT_EQ(Normal("321000", "GL"), "+299321000");
  EXPECT_EQ(Normal("201234", "NC"), "+687201234");
  for (const char* home : {"AD", "FO", "GL", "NC", "DE"}) {
    EXPECT_EQ(Normal("112", home), "E_PHONE_SPECIAL") << home;
    EXPECT_EQ(Normal("000000", home), "E_PHONE_SPECIAL") << home;
  }
  EXPECT_EQ(Normal("712345", "US"), "E_PHONE_SPECIAL");
  EXPECT_EQ(Normal("712345", ""), "E_PHONE_SPECIAL");
}

// Nine digits are some towns' 01xxx numbers and old 0800 ones, nobody else's.
TEST(NumberPlan, BritishNumbersOfNineDigits) {
  EXPECT_EQ(Normal("016977 2345", "GB"), "+44169772345");
  EXPECT_EQ(Normal("0800 012345", "GB"), "+44800012345");
  for (const char* cut : {"0113 496 001", "0161 496 001", "0845 123 456", "0500 123 456",
                          "020 7946 001", "07700 90012"}) {
    EXPECT_EQ(Normal(cut, "GB"), "E_PHONE_LENGTH") << cut;
  }
}

TEST(NumberPlan, RefusesWhatMustNotBeRung) {
  for (const char* number : {"911", "999", "112", "110", "95588", "10086"}) {
    EXPECT_EQ(Normal(number, "US"), "E_PHONE_SPECIAL");
    EXPECT_EQ(Normal(number, "CN"), "E_PHONE_SPECIAL");
  }
  EXPECT_EQ(Normal("202-555-1212", "US"), "E_PHONE_SPECIAL");
  EXPECT_EQ(Normal("1300 555 010", "AU"), "E_PHONE_SPECIAL");
  EXPECT_EQ(Normal("900 555 0101", "US"), "E_PHONE_DEST");
  EXPECT_EQ(Normal("0909 8790000", "GB"), "E_PHONE_DEST");
  EXPECT_EQ(Normal("+881612345678", "US"), "E_PHONE_DEST");
  EXPECT_EQ(Normal("+97990000001", "US"), "E_PHONE_DEST");
  EXPECT_EQ(Normal("+88213300001", "US"), "E_PHONE_DEST");
}

TEST(NumberPlan, KeepsTheExtensionApart) {
  for (const char* text : {"010-55550102 ext. 8003", "01055550102转8003", "010-55550102-8003",
                           "01055550102x8003", "+861055550102;ext=8003", "01055550102分机8003"}) {
    const PhoneReading reading = ReadPhone(text, "CN");
    EXPECT_EQ(reading.number.ToString(), "+861055550102") << text;
    EXPECT_EQ(reading.extension, "8003") << text;
  }
}

// Behind a whole fixed line a last group is an extension, however the rest is written.
TEST(NumberPlan, ADashedExtensionIsNeverGluedOn) {
  for (const char* text :
       {"+86-379-6123456-1", "(0379)6123456-1", "0379 6123456-1", "0379-6123456-1", "03796123456-1",
        "0379 612 3456-1", "+86 379 6123456 - 1", "0086-379-6123456-1"}) {
    const PhoneReading reading = ReadPhone(text, "CN");
    EXPECT_EQ(reading.number.ToString(), "+863796123456") << text;
    EXPECT_EQ(reading.extension, "1") << text;
  }
  EXPECT_EQ(ReadPhone("+86-379-6123456-1", "US").extension, "1");
  EXPECT_EQ(ReadPhone("011-86-379-6123456-1", "US").extension, "1");
  EXPECT_EQ(Normal("379-6123456-1", "CN"), "E_PHONE_AMBIGUOUS");
  EXPECT_EQ(Normal("13800000001-1", "CN"), "E_PHONE_LENGTH");
  // Groups of one number are none.
  EXPECT_EQ(Normal("86-0755-8888-8888", "CN"), "+8675588888888");
  EXPECT_EQ(Normal("0086-755-8888-8888", "CN"), "+8675588888888");
  EXPECT_EQ(Normal("+86-138-0000-0001", "CN"), "+8613800000001");
  EXPECT_EQ(Normal("010-5555-0102", "CN"), "+861055550102");
  EXPECT_EQ(Normal("+44-20-7946-0018", "CN"), "+442079460018");
}

TEST(NumberPlan, MessagesNeverRepeatTheNumber) {
  for (const char* text :
       {"2025550", "9112025550148", "+8611000000000", "4008001234", "5550123x"}) {
    const absl::StatusOr<E164> number = NormalizePhone(text, "CN");
    ASSERT_FALSE(number.ok());
    EXPECT_EQ(number.status().message().find(text), absl::string_view::npos);
    EXPECT_EQ(number.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

// An apostrophe in front changes nothing but the way: the short one gives up at it.
void ExpectOneReading(const std::string& text, absl::string_view country) {
  E164 number;
  if (!ReadPlainPhone(text, CallingCode(country), number)) return;
  const PhoneReading reading = ReadPhone("'" + text, country);
  EXPECT_EQ(reading.fault, PhoneFault::kNone) << text << " " << country;
  EXPECT_EQ(reading.number, number) << text << " " << country;
  EXPECT_EQ(reading.extension, "") << text << " " << country;
  EXPECT_FALSE(reading.repaired) << text << " " << country;
}

TEST(NumberPlanProperty, TheShortWayReadsAsTheLongOne) {
  const absl::string_view countries[] = {"US", "GB", "CN", "HK", "AU", "DE", ""};
  const char* const heads[] = {"",  "+",  "00",  "011", "0",   "+86",    "86",  "+1",
                               "1", "44", "+44", "(",   "010", "+44(0)", "138", "400"};
  constexpr absl::string_view kMarks = " -.()";
  Rng rng(20);
  int read = 0;
  for (int i = 0; i < 32'000; ++i) {
    std::string text = heads[rng.Below(std::size(heads))];
    const size_t digits = 6 + rng.Below(8);
    for (size_t d = 0; d < digits; ++d) {
      if (rng.Chance(0.1)) text += kMarks[rng.Below(kMarks.size())];
      text += static_cast<char>('0' + rng.Below(10));
    }
    const absl::string_view country = countries[rng.Below(std::size(countries))];
    ExpectOneReading(text, country);
    E164 number;
    read += ReadPlainPhone(text, CallingCode(country), number);
  }
  EXPECT_GT(read, 2'500);
}

TEST(NumberPlan, TheShortWayLeavesAloneWhatNeedsTelling) {
  E164 number;
  for (const char* text :
       {"13800000001.0", "010-55550102-8003", "(0379)6123456-1", "086 1380000000", "+", "", "110",
        "013800000001", "１３８００００００００１", "13800000001x1"}) {
    EXPECT_FALSE(ReadPlainPhone(text, 86, number)) << text;
  }
  EXPECT_TRUE(ReadPlainPhone("(010) 5555-0102", 86, number));
  EXPECT_EQ(number.ToString(), "+861055550102");
}

TEST(NumberPlan, ANewAreaCodeIsDialedOnlyWhenTheWholeMainlandIsOpen) {
  const std::vector<std::string> zones = TimeZonesOf(*NormalizePhone("+12325550100", "US"));
  EXPECT_THAT(zones, Contains("America/St_Johns"));
  EXPECT_THAT(zones, Contains("America/Los_Angeles"));
  EXPECT_GE(zones.size(), 6u);
}

TEST(NumberPlan, ZonesByPrefix) {
  EXPECT_THAT(TimeZonesOf(E164(12125550100)), ElementsAre("America/New_York"));
  // Florida's 850 lies in two zones.
  EXPECT_THAT(TimeZonesOf(E164(18505550100)),
              UnorderedElementsAre("America/New_York", "America/Chicago"));
  EXPECT_THAT(TimeZonesOf(E164(442079460018)), ElementsAre("Europe/London"));
  EXPECT_THAT(TimeZonesOf(E164(8613800000001)), ElementsAre("Asia/Shanghai"));
  EXPECT_THAT(TimeZonesOf(E164(85221234567)), ElementsAre("Asia/Hong_Kong"));
  EXPECT_THAT(TimeZonesOf(E164(61255501234)), ElementsAre("Australia/Sydney"));
  EXPECT_THAT(TimeZonesOf(E164(61733335555)), ElementsAre("Australia/Brisbane"));
  EXPECT_THAT(TimeZonesOf(E164(61855501234)), Contains("Australia/Perth"));
  EXPECT_GE(TimeZonesOf(E164(61491570156)).size(), 5u);
  EXPECT_THAT(TimeZonesOf(E164(4930901820)), Contains("Europe/Berlin"));
  EXPECT_THAT(TimeZonesOf(E164(881612345678)), ElementsAre());
  EXPECT_THAT(TimeZonesOf(E164()), ElementsAre());
}

// Every zone the tables can give is one the machine can load: an unknown name would hold leads back
// for ever.
TEST(NumberPlan, EveryZoneCanBeLoaded) {
  for (uint64_t npa = 200; npa <= 999; ++npa) {
    for (const std::string& zone : TimeZonesOf(E164(10000000000 + npa * 10000000 + 5550100))) {
      EXPECT_TRUE(FindTimeZone(zone).ok()) << zone;
    }
  }
  for (uint64_t prefix = 2000; prefix <= 9999; ++prefix) {
    for (const std::string& zone : TimeZonesOf(E164(prefix * 10000000))) {
      EXPECT_TRUE(FindTimeZone(zone).ok()) << zone;
    }
  }
}

TEST(NumberPlan, DestinationsAreAnAllowList) {
  const std::vector<std::string> allowed = {"1", "44"};
  EXPECT_TRUE(IsDestination(E164(12025550149), allowed));
  EXPECT_TRUE(IsDestination(E164(442079460018), allowed));
  EXPECT_TRUE(IsDestination(E164(12325550149), allowed));   // new area code
  EXPECT_FALSE(IsDestination(E164(18765550101), allowed));  // Jamaica shares the 1
  EXPECT_FALSE(IsDestination(E164(18005550101), allowed));  // toll-free lies nowhere
  // Nor does any 5XX that is no area's; those that are one are mainland.
  for (const uint64_t area : {500, 521, 535, 536, 550, 558, 565, 568, 576, 583, 589, 590, 599}) {
    EXPECT_FALSE(IsDestination(E164(10'000'000'000 + area * 10'000'000 + 5'550'101), allowed))
        << area;
  }
  EXPECT_TRUE(IsDestination(E164(15035550101), allowed));
  EXPECT_FALSE(IsDestination(E164(8613800000001), allowed));
  EXPECT_TRUE(IsDestination(E164(18765550101), {"1876"}));
}

TEST(NumberPlan, CallingCodes) {
  EXPECT_EQ(CallingCode("US"), 1);
  EXPECT_EQ(CallingCode("usa"), 1);
  EXPECT_EQ(CallingCode("UK"), 44);
  EXPECT_EQ(CallingCode("44"), 44);
  EXPECT_EQ(CallingCode("DE"), 49);
  EXPECT_EQ(CallingCode("999"), 0);
  EXPECT_EQ(CallingCode("Mars"), 0);
  EXPECT_EQ(CallingCode(""), 0);
}

TEST(NumberPlan, CountriesByTheirCallingCode) {
  EXPECT_EQ(CountryOf(E164(12025550100)), "us");
  EXPECT_EQ(CountryOf(E164(8613800000001)), "cn");
  EXPECT_EQ(CountryOf(E164(442079460000)), "gb");
  EXPECT_EQ(CountryOf(E164(85221234567)), "hk");
  EXPECT_EQ(CountryOf(E164(390612345678)), "it");
  EXPECT_EQ(CountryOf(E164(99912345678)), "");
}

}  // namespace
}  // namespace outpace::campaign
