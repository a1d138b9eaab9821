// Files of do-not-call entries: what lines say, and what is written reads back.

#include "engine/runtime/dnc_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tests/engine/runtime/scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

campaign::DncEntry Defaults() {
  campaign::DncEntry entry;
  entry.source = "import f";
  entry.by = "tester";
  entry.added = kNow;
  return entry;
}

absl::Status AnyList(const dnc::DncScope&) { return absl::OkStatus(); }

// All entries of the lines; a line that is not understood is its status.
struct Result {
  std::vector<campaign::DncEntry> entries;
  std::vector<absl::Status> faults;
};
Result ReadLines(const std::vector<std::string>& lines) {
  DncFileReader reader(Defaults(), "US", AnyList);
  Result result;
  for (const std::string& line : lines) {
    auto entry = reader.Read(line);
    if (!entry.ok()) {
      result.faults.push_back(entry.status());
    } else if (entry->has_value()) {
      result.entries.push_back(**entry);
    }
  }
  return result;
}

TEST(DncNumber, AnySpellingIsTheSameNumber) {
  for (const char* spelling :
       {"+12025550143", "12025550143", "2025550143", "(202) 555-0143", "202.555.0143",
        "1-202-555-0143", "tel:+1-202-555-0143", "２０２５５５０１４３", "001 202 555 0143",
        "'2025550143", "202-555-0143 x12", "202-555-0143 ext. 7"}) {
    campaign::DncEntry entry;
    ASSERT_TRUE(ParseDncNumber(spelling, "US", entry).ok()) << spelling;
    EXPECT_EQ(entry.phone, E164(12025550143)) << spelling;
    EXPECT_EQ(entry.range.digits, 0u);
  }
}

TEST(DncNumber, RangesAreWrittenWithTheirCountry) {
  for (const char* spelling : {"+1900*", "+1-900-XXX-XXXX", "+1 (900) xxx xxxx", " +1900* "}) {
    campaign::DncEntry entry;
    entry.phone = E164(12025550143);
    ASSERT_TRUE(ParseDncNumber(spelling, "US", entry).ok()) << spelling;
    EXPECT_FALSE(entry.phone.valid());
    EXPECT_EQ(entry.range.digits, 1900u) << spelling;
  }
  campaign::DncEntry entry;
  for (const char* bad : {"900*", "900-XXX-XXXX", "*", "+*", "+1900*5", "+19*0*"}) {
    EXPECT_EQ(ParseDncNumber(bad, "US", entry).code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(DncTime, IsADayOrAMoment) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time day = absl::FromCivil(absl::CivilDay(2026, 11, 21), utc);
  EXPECT_EQ(*ParseDncTime("2026-11-21", false), day);
  EXPECT_EQ(*ParseDncTime("2026-11-21", true), day + absl::Hours(24));
  EXPECT_EQ(*ParseDncTime("2026-11-21 14:30:00", true), day + absl::Minutes(870));
  EXPECT_EQ(*ParseDncTime("2026-11-21 14:30", true), day + absl::Minutes(870));
  EXPECT_EQ(*ParseDncTime("2026-11-21T14:30:00.25Z", true),
            day + absl::Minutes(870) + absl::Milliseconds(250));
  EXPECT_EQ(*ParseDncTime("2026-11-21T14:30:00+08:00", true), day + absl::Minutes(390));
  for (const char* bad : {"", "21.11.2026", "2026-13-01", "tomorrow", "infinite-future", "never"}) {
    EXPECT_FALSE(ParseDncTime(bad, true).ok()) << bad;
  }
}

TEST(DncFileReader, TakesColumnsByName) {
  const Result result = ReadLines(
      {"Name;Phone Number;LEVEL;reason;Date;Expires;source;by",
       "Ann;202-555-0143;state:FL;\"said \"\"no\"\"; twice\";2026-05-01;2027-01-31;letter;Bob",
       "Cy;+1900*;;;;;;", ";;;;;;;"});
  EXPECT_THAT(result.faults, SizeIs(0));
  ASSERT_THAT(result.entries, SizeIs(2));
  campaign::DncEntry first = Defaults();
  first.phone = E164(12025550143);
  first.scope = {dnc::DncLevel::kState, "FL"};
  first.reason = "said \"no\"; twice";
  first.added = absl::FromCivil(absl::CivilDay(2026, 5, 1), absl::UTCTimeZone());
  first.expires = absl::FromCivil(absl::CivilDay(2027, 2, 1), absl::UTCTimeZone());
  first.source = "letter";
  first.by = "Bob";
  EXPECT_EQ(result.entries[0], first);
  campaign::DncEntry second = Defaults();
  second.range.digits = 1900;
  EXPECT_EQ(result.entries[1], second);
}

TEST(DncFileReader, TellsWhatItDoesNotUnderstandWithoutTheNumber) {
  const Result result =
      ReadLines({"number,scope,date,expires,reason", "2025550143,county:X,,,", "2025550143,,May,,",
                 "2025550143,,,May,", "20255,,,,",
                 absl::StrCat("2025550143,,,,", std::string(201, 'r')), "2025550144,,,,"});
  EXPECT_THAT(result.faults, SizeIs(5));
  for (const absl::Status& fault : result.faults) {
    EXPECT_EQ(fault.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(fault.message()), Not(HasSubstr("20255")));
  }
  EXPECT_THAT(result.entries, SizeIs(1));
}

TEST(DncFileReader, AHeadingThatSaysSomethingTwiceIsRefusedAsAWhole) {
  DncFileReader reader(Defaults(), "US", AnyList);
  EXPECT_EQ(reader.Read("phone,scope,level").status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(DncFileReader, AsksOnceWhetherAListMayBeWrittenTo) {
  int asked = 0;
  DncFileReader reader(Defaults(), "US", [&](const dnc::DncScope& scope) {
    ++asked;
    return scope.level == dnc::DncLevel::kCampaign ? absl::NotFoundError("no such campaign")
                                                   : absl::OkStatus();
  });
  EXPECT_TRUE(reader.Read("number,scope").ok());
  EXPECT_TRUE(reader.Read("2025550143,litigator").ok());
  EXPECT_TRUE(reader.Read("2025550144,litigator").ok());
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(reader.Read("2025550143,campaign:X").status().code(), absl::StatusCode::kNotFound);
}

TEST(DncFileReader, ReadsNumbersAloneAndAsRegistriesHaveThem) {
  const Result result = ReadLines(
      {"202,5550143", "\"202-555-0144\";2026-01-05", "2025550145", "+1900*", "", "  ", ",,"});
  EXPECT_THAT(result.faults, SizeIs(0));
  ASSERT_THAT(result.entries, SizeIs(4));
  EXPECT_EQ(result.entries[0].phone, E164(12025550143));
  EXPECT_EQ(result.entries[1].phone, E164(12025550144));
  EXPECT_EQ(result.entries[2].phone, E164(12025550145));
  EXPECT_EQ(result.entries[3].range.digits, 1900u);
}

TEST(DncCsv, EveryEntryReadsBack) {
  std::vector<campaign::DncEntry> entries;
  for (const char* reason :
       {"", "asked", "a, \"quoted\"; one", "=1+1", "'=1+1", "'apostrophe", "+1", "投诉", "-x"}) {
    for (const dnc::DncScope& scope :
         {dnc::DncScope(), dnc::DncScope{dnc::DncLevel::kLitigator, ""},
          dnc::DncScope{dnc::DncLevel::kState, "FL"},
          dnc::DncScope{dnc::DncLevel::kClient, "A, \"B\":C"}, dnc::CampaignScope("DEMO")}) {
      campaign::DncEntry entry;
      entry.phone = E164(442079460000 + entries.size());
      entry.scope = scope;
      entry.reason = reason;
      entry.source = absl::StrCat("import f", reason);
      entry.by = absl::StrCat(reason, "ann");
      entry.added = kNow + absl::Microseconds(123'456);
      entries.push_back(entry);
      entry.phone = E164();
      entry.range.digits = 1'900;
      entry.expires = kNow + absl::Microseconds(1);
      entries.push_back(entry);
    }
  }
  DncFileReader reader(Defaults(), "US", AnyList);
  const std::string heading = DncCsvHeading();
  ASSERT_FALSE(reader.Read(absl::StripSuffix(heading, "\r\n"))->has_value());
  for (const campaign::DncEntry& entry : entries) {
    const std::string row = DncCsvRow(entry);
    EXPECT_THAT(row, ::testing::EndsWith("\r\n"));
    const auto back = reader.Read(absl::string_view(row).substr(0, row.size() - 2));
    ASSERT_TRUE(back.ok()) << back.status() << " " << row;
    EXPECT_EQ(**back, entry) << row;
  }
}

TEST(ForEachLine, TakesEveryLineEndAndTellsTheFilesHash) {
  const Scratch scratch;
  const auto lines = [&](absl::string_view text, std::string* hash = nullptr) {
    std::vector<std::string> all;
    const auto read = ForEachLine(scratch.Put("f", text), [&](absl::string_view line) {
      all.emplace_back(line);
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read.status();
    if (hash != nullptr) *hash = read.value_or("");
    return all;
  };
  EXPECT_THAT(lines("\xEF\xBB\xBF"
                    "a\r\nb\rc\n\nd"),
              ElementsAre("a", "b", "c", "", "d"));
  EXPECT_THAT(lines("1\n"), ElementsAre("1"));
  EXPECT_THAT(lines("1\r"), ElementsAre("1"));
  std::string hash;
  EXPECT_THAT(lines("abc", &hash), ElementsAre("abc"));
  // FIPS 180-4's example.
  EXPECT_EQ(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // Pieces are cut anywhere, between the two octets of a line end as well.
  for (size_t at = (1 << 20) - 12; at < (1 << 20) + 2; ++at) {
    std::string text;
    while (text.size() < at)
      text.append(std::min<size_t>(at - text.size(), 1000), 'x').append("\n");
    text.append("last\r\nend");
    const std::vector<std::string> all = lines(text);
    EXPECT_EQ(all.back(), "end");
    EXPECT_EQ(all[all.size() - 2], "last");
    size_t octets = 0;
    for (const std::string& line : all) octets += line.size();
    EXPECT_EQ(octets, text.size() - all.size());
  }
}

TEST(ForEachLine, RefusesWhatIsNoText) {
  const Scratch scratch;
  const auto none = [](absl::string_view) { return absl::OkStatus(); };
  EXPECT_EQ(ForEachLine(scratch / "none", none).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ForEachLine(scratch.Put("f", std::string(70'000, 'x')), none).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace outpace::runtime
