#include "engine/record/file_name.h"

#include <gmock/gmock.h>

#include "engine/base/rng.h"
#include "tests/engine/record/record_fixture.h"

namespace outpace::record {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string NameOf(absl::string_view pattern, const RecordingOrder& order) {
  EXPECT_TRUE(CheckPattern(pattern).ok()) << CheckPattern(pattern);
  return FileName(pattern, order, absl::UTCTimeZone());
}

TEST(FileName, KnowsVicidialsWordsAndDateParts) {
  const RecordingOrder order = OrderOf(4711);
  EXPECT_EQ(NameOf("FULLDATE_CUSTPHONE", order), "20260921-141320_14155550100.wav");
  EXPECT_EQ(NameOf("TINYDATE-EPOCH", order), "260921141320-1790000000.wav");
  EXPECT_EQ(NameOf("CAMPAIGN/AGENT/LEADID_ATTEMPT", order), "DEMO/a1/12_4711.wav");
  EXPECT_EQ(NameOf("%Y/%m/%d/%H%M%S-%j", order), "2026/09/21/141320-264.wav");
  EXPECT_EQ(FileName("FULLDATE", order, absl::FixedTimeZone(8 * 3600)), "20260921-221320.wav");
  EXPECT_EQ(NameOf("v1.2_ATTEMPT", order), "v1_2_4711.wav");
  RecordingOrder sealed = OrderOf(1, Format::kOpus);
  sealed.encrypted = true;
  EXPECT_EQ(NameOf("ATTEMPT", sealed), "1.opus.sealed");
}

TEST(FileName, PatternsThatLeadElsewhereAreRefused) {
  for (const char* pattern :
       {"", "/etc/x", "../x", "a/../b", "a//b", "a/", ".hidden", "a/.b", "a b", "$(id)", "x;y", "%",
        "%T", "%s", "a%", "a\\b", "a\nb", "\xe5\xbd\x95"}) {
    EXPECT_FALSE(CheckPattern(pattern).ok()) << pattern;
  }
  EXPECT_FALSE(CheckPattern(std::string(201, 'a')).ok());
}

// CVE-2024-8504: what a stranger may choose ends up in a file name.
TEST(FileName, HostileNamesAreHarmless) {
  for (const char* hostile : {"../../etc/cron.d/x",
                              "/etc/passwd",
                              "..",
                              ".",
                              "",
                              "a/b",
                              "$(touch x)",
                              "`id`",
                              "x;rm -rf .",
                              "a\nb",
                              "a\r\nSet-Cookie: x",
                              "%n%s",
                              "CUSTPHONE",
                              "\xe2\x80\xae gpj",
                              "con",
                              "a|b",
                              "-rf",
                              "a\\b",
                              "'; DROP TABLE x; --",
                              "*?[]{}~!"}) {
    RecordingOrder order = OrderOf(7);
    order.agent = order.campaign = hostile;
    order.number = std::string("+") + hostile;
    for (const char* pattern :
         {"AGENT", "CAMPAIGN/AGENT", "x_AGENT_CUSTPHONE", "AGENT/CUSTPHONE"}) {
      const std::string name = NameOf(pattern, order);
      EXPECT_THAT(name, Not(HasSubstr("..")));
      EXPECT_THAT(name, Not(HasSubstr("//")));
      EXPECT_THAT(name, Not(HasSubstr("14155550100")));
      EXPECT_EQ(name.find_first_not_of(
                    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./"),
                std::string::npos)
          << name;
      EXPECT_NE(name[0], '.');
      EXPECT_NE(name[0], '/');
      EXPECT_EQ(std::count(name.begin(), name.end(), '/'),
                std::count(pattern, pattern + strlen(pattern), '/'));
    }
  }
}

TEST(FileName, AnyOctetsMakeANameThatCanBeMade) {
  Rng rng(1);
  ScratchDirectory directory;
  auto files = NewPosixRecordingFiles(directory.path());
  for (int i = 0; i < 200; ++i) {
    RecordingOrder order = OrderOf(static_cast<uint64_t>(i) + 1);
    for (std::string* text : {&order.agent, &order.campaign, &order.number}) {
      text->resize(rng.Below(400));
      for (char& c : *text) c = static_cast<char>(rng.Next());
    }
    const std::string name = NameOf("AGENT/CAMPAIGN_CUSTPHONE_AGENT_ATTEMPT", order);
    EXPECT_TRUE((*files)->Create(name).ok()) << name;
  }
}

TEST(PosixRecordingFiles, FollowsNoLinkOutOfTheDirectory) {
  ScratchDirectory directory, outside;
  outside.Put("secret", "s");
  std::filesystem::create_directory_symlink(outside.path(), directory / "day");
  std::filesystem::create_symlink(outside / "secret", directory / "link");
  auto files = NewPosixRecordingFiles(directory.path());
  ASSERT_TRUE(files.ok());
  directory.Put("new.part", "x");
  EXPECT_FALSE((*files)->Create("day/x").ok());
  EXPECT_FALSE((*files)->Publish("new.part", "day/x").ok());
  EXPECT_FALSE((*files)->Open("link", false).ok());
  EXPECT_FALSE((*files)->Open("day/secret", false).ok());
  EXPECT_FALSE((*files)->Remove("day/secret").ok());
  for (const char* path : {"../x", "a/../../x", "/x", "", "a//b", "./x"}) {
    EXPECT_FALSE((*files)->Create(path).ok()) << path;
  }
  EXPECT_EQ(outside.Files(), std::vector<std::string>{"secret"});
  EXPECT_TRUE((*files)->Remove("link").ok());  // the link itself may go
  EXPECT_EQ(outside.Bytes("secret"), "s");
}

}  // namespace
}  // namespace outpace::record
