// libphonenumber as the judge of our own plans: its verdicts on cells as people write them, its
// example of every kind of number, and its live opinion of numbers drawn at random. Where we differ
// we differ by class and for a reason, never by single rows.

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "campaign/number_info.h"
#include "campaign/number_plan.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "phonenumbers/phonenumberutil.h"

namespace outpace::campaign {
namespace {

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;
using testing::Contains;

// Rows by the names of their columns. The files quote cells and never double a quote.
std::vector<std::map<std::string, std::string>> ReadCsv(const std::string& name) {
  std::ifstream in(std::string(OUTPACE_TEST_DATA "/phone_numbers/") + name);
  EXPECT_TRUE(in.good());
  std::vector<std::string> header;
  std::vector<std::map<std::string, std::string>> out;
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        cells.emplace_back();
      } else {
        cells.back() += c;
      }
    }
    if (header.empty()) {
      header = cells;
      continue;
    }
    out.emplace_back();
    for (size_t i = 0; i < header.size() && i < cells.size(); ++i) out.back()[header[i]] = cells[i];
  }
  return out;
}

std::string Normal(absl::string_view text, absl::string_view country) {
  const PhoneReading reading = ReadPhone(text, country);
  return reading.fault == PhoneFault::kNone ? reading.number.ToString()
                                            : std::string(PhoneFaultCode(reading.fault));
}

// Why we may accept what it calls invalid. Empty: no reason.
std::string WhyAcceptable(const std::string& e164) {
  if (absl::StartsWith(e164, "+1") && e164.size() == 12) return "area code newer than 2022";
  if (absl::StartsWith(e164, "+861") && e164.size() == 14) return "mobile range newer than 2022";
  if (absl::StartsWith(e164, "+86")) return "area codes of China by length alone";
  if (absl::StartsWith(e164, "+44")) return "ranges of Britain by their first digit alone";
  return "";
}

TEST(NumberOracle, AgreesOnEveryCellItCallsValid) {
  std::map<std::string, int> verdicts;
  for (auto& row : ReadCsv("parse_truth.csv")) {
    const std::string ours = Normal(row["raw"], row["default_region"]);
    const bool accepted = absl::StartsWith(ours, "+");
    if (row["valid"] == "true") {
      EXPECT_EQ(ours, row["e164"]);
      ++verdicts[row["kind"] + ", valid"];
    } else if (accepted) {
      EXPECT_NE(WhyAcceptable(ours), "") << row["type"];
      ++verdicts[row["kind"] + ", accepted: " + WhyAcceptable(ours)];
    } else {
      ++verdicts[row["kind"] + ", refused by both"];
    }
  }
  EXPECT_THAT(verdicts,
              testing::UnorderedElementsAre(
                  testing::Pair("format variant, valid", 1445),
                  testing::Pair("format variant, accepted: area code newer than 2022", 31),
                  testing::Pair("format variant, accepted: mobile range newer than 2022", 24),
                  testing::Pair("real, refused by both", 565)));
}

TEST(NumberOracle, AgreesOnTypeRegionAndZones) {
  const std::map<std::string, NumberType> types = {
      {"MOBILE", NumberType::kMobile},
      {"FIXED_LINE", NumberType::kFixed},
      {"FIXED_LINE_OR_MOBILE", NumberType::kFixedOrMobile}};
  for (auto& row : ReadCsv("parse_truth.csv")) {
    if (row["valid"] != "true") continue;
    const E164 number = *ParseE164(row["e164"]);
    const NumberInfo info = Describe(number);
    ASSERT_EQ(types.count(row["type"]), 1u) << row["type"];
    EXPECT_EQ(info.type, types.at(row["type"])) << row["e164"].substr(0, 7);
    EXPECT_EQ(info.region, row["region"]) << row["e164"].substr(0, 5);
    const std::vector<std::string> zones = TimeZonesOf(number);
    for (absl::string_view zone : absl::StrSplit(row["timezones"], ' ')) {
      // Slips of the metadata, corrected in our tables (tools/make_number_tables.py).
      if (zone == "America/Puerto_Rico" && absl::StartsWith(row["e164"], "+1709")) continue;
      if (zone == "America/Winnipeg" && absl::StartsWith(row["e164"], "+1437")) continue;
      if (zone == "America/Winnipeg" && absl::StartsWith(row["e164"], "+1474")) continue;
      if (zone == "America/Chicago" && absl::StartsWith(row["e164"], "+1689")) continue;
      EXPECT_THAT(zones, Contains(std::string(zone))) << row["e164"].substr(0, 5);
    }
  }
}

// The example number of every region and type. Subscribers are read; services are read or refused
// by what they are.
TEST(NumberOracle, ReadsTheExampleOfEveryCountry) {
  const std::set<std::string> short_numbers = {"NU", "TA", "TK"};  // under eight digits
  const std::set<std::string> never_rung = {"PREMIUM_RATE", "PERSONAL_NUMBER", "PAGER",
                                            "VOICEMAIL"};
  std::map<std::string, int> read, refused;
  for (auto& row : ReadCsv("example_numbers.csv")) {
    const std::string& type = row["type"];
    const std::string ours = Normal(row["e164"], "US");
    if (ours == row["e164"]) {
      ++read[type];
      EXPECT_FALSE(TimeZonesOf(*ParseE164(ours)).empty()) << row["region"];
      continue;
    }
    ++refused[type];
    const bool subscriber =
        type == "FIXED_LINE" || type == "MOBILE" || type == "FIXED_LINE_OR_MOBILE";
    // Beijing's example begins its local number with 1, which no line does; an Australian 0147 has
    // no line either.
    EXPECT_TRUE(!subscriber || short_numbers.count(row["region"]) > 0 ||
                row["e164"] == "+861012345678")
        << row["region"] << " " << type << " " << ours;
  }
  for (const std::string& type : never_rung) EXPECT_GE(refused[type] * 10, read[type]) << type;
  EXPECT_GE(read["MOBILE"], 228);
  EXPECT_GE(read["FIXED_LINE"], 222);
}

// Why we may refuse what it calls valid. Empty: no reason.
std::string WhyRefusable(const std::string& e164, const std::string& fault) {
  if (fault == "E_PHONE_SPECIAL" || fault == "E_PHONE_DEST") return "a service, no subscriber";
  if (fault == "E_PHONE_AMBIGUOUS") return "digits that may be another number cut short";
  const std::string digits = e164.substr(1);
  // The first digit of the local number, behind the area code; North America's exchange is none of
  // the N11 services either.
  size_t local = 0;
  if (absl::StartsWith(digits, "1")) local = 4;
  if (absl::StartsWith(digits, "86")) local = digits[2] == '1' || digits[2] == '2' ? 4 : 5;
  if (local == 0) return "";
  const bool service = local == 4 && digits[0] == '1' && digits.substr(5, 2) == "11";
  return digits[local] < '2' || service ? "no exchange begins with 0 or 1, or is N11" : "";
}

struct Judged {
  bool valid = false;
  bool never_rung = false;  // premium rate and the like
  std::string e164;
};

Judged Judge(const std::string& text, const std::string& region) {
  const PhoneNumberUtil& library = *PhoneNumberUtil::GetInstance();
  PhoneNumber number;
  Judged out;
  if (library.Parse(text, region, &number) != PhoneNumberUtil::NO_PARSING_ERROR) return out;
  out.valid = library.IsValidNumber(number);
  const auto type = library.GetNumberType(number);
  out.never_rung = type == PhoneNumberUtil::PREMIUM_RATE || type == PhoneNumberUtil::PAGER ||
                   type == PhoneNumberUtil::PERSONAL_NUMBER || type == PhoneNumberUtil::VOICEMAIL;
  library.Format(number, PhoneNumberUtil::E164, &out.e164);
  return out;
}

// Numbers drawn at random, as dialed inside each country. In countries without a plan of ours the
// verdict is the library's own; in the others what it calls valid is ours too, but for services.
TEST(NumberOracleProperty, AgreesOnRandomNumbers) {
  struct Home {
    const char* region;
    const char* trunk;
    size_t digits;  // behind the trunk prefix
    bool own_plan;
  };
  Rng rng(57);
  for (const Home& home :
       {Home{"US", "", 10, true}, Home{"GB", "0", 10, true}, Home{"CN", "", 11, true},
        Home{"CN", "0", 10, true}, Home{"HK", "", 8, true}, Home{"AU", "0", 9, true},
        Home{"DE", "0", 10, false}, Home{"FR", "0", 9, false}, Home{"JP", "0", 10, false},
        Home{"IN", "", 10, false}, Home{"BR", "", 11, false}, Home{"IT", "", 10, false}}) {
    int valid = 0, accepted = 0;
    for (int i = 0; i < 400; ++i) {
      std::string text = home.trunk;
      for (size_t d = 0; d < home.digits; ++d) text += static_cast<char>('0' + rng.Below(10));
      // 00 is read as the international prefix everywhere, also where 010 or 011 is dialed.
      if (absl::StartsWith(text, "00")) continue;
      const Judged judged = Judge(text, home.region);
      const std::string ours = Normal(text, home.region);
      const bool read = absl::StartsWith(ours, "+");
      valid += judged.valid;
      accepted += read;
      const std::string about = absl::StrCat(home.region, " ", text.substr(0, 6));
      if (read && judged.valid) {
        EXPECT_EQ(ours, judged.e164) << about;
      }
      if (!home.own_plan) {
        EXPECT_EQ(read, judged.valid && !judged.never_rung) << about;
      } else if (judged.valid && !judged.never_rung) {
        EXPECT_TRUE(read || !WhyRefusable(judged.e164, ours).empty()) << about << " " << ours;
      }
    }
    EXPECT_GT(valid, 10) << home.region;
    EXPECT_GT(accepted, 10) << home.region;
  }
}

}  // namespace
}  // namespace outpace::campaign
