#include "dnc/registry_text.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::dnc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RegistryTextTest : public ::testing::Test {
 protected:
  RegistryTextTest() {
    std::string name = (std::filesystem::temp_directory_path() / "registry-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~RegistryTextTest() override { std::filesystem::remove_all(directory_); }

  absl::StatusOr<RegistryLines> Read(const std::string& text) {
    const std::string path = absl::StrCat(directory_, "/list.txt");
    std::ofstream(path, std::ios::binary) << text;
    set_ = NumberSet();
    return ReadRegistryText(
        path,
        [](absl::string_view line) {
          uint64_t number = 0;
          return absl::SimpleAtoi(line, &number) ? number : 0;
        },
        set_);
  }

  std::string directory_;
  NumberSet set_;
};

TEST_F(RegistryTextTest, EveryKindOfLineEndCounts) {
  for (const char* text : {"1\n2\n3\n", "1\r\n2\r\n3\r\n", "1\r2\r3\r", "1\n2\n3", "1\r\n2\r3\r",
                           "\xEF\xBB\xBF"
                           "1\n\n2\n  \n3\n\n"}) {
    const auto lines = Read(text);
    ASSERT_TRUE(lines.ok()) << lines.status();
    EXPECT_EQ(lines->numbers, 3u) << text;
    EXPECT_EQ(lines->rejected, 0u) << text;
    EXPECT_TRUE(set_.Contains(1) && set_.Contains(2) && set_.Contains(3)) << text;
  }
}

// A number that was meant to be blocked and cannot be read is never passed over in silence.
TEST_F(RegistryTextTest, OnlyOneHeadingIsPassedOver) {
  const auto lines = Read("phone\n12025550143\nSmith\n１３８\n12025550144x\n");
  ASSERT_TRUE(lines.ok());
  EXPECT_EQ(lines->lines, 5u);
  EXPECT_EQ(lines->numbers, 1u);
  EXPECT_EQ(lines->rejected, 3u);
  EXPECT_THAT(lines->first_rejected, ElementsAre(3, 4, 5));
}

// Lines that lie across the pieces a file is read in, a CRLF that is cut between them.
TEST_F(RegistryTextTest, PiecesJoin) {
  for (const char* end : {"\n", "\r\n", "\r"}) {
    std::string text;
    for (uint64_t i = 0; i < 300'000; ++i) absl::StrAppend(&text, 1'000'000 + i * 3, end);
    const auto lines = Read(text);
    ASSERT_TRUE(lines.ok());
    EXPECT_EQ(lines->numbers, 300'000u);
    EXPECT_EQ(lines->rejected, 0u);
    EXPECT_EQ(set_.size(), 300'000u);
  }
}

TEST_F(RegistryTextTest, AnotherKindOfFileIsRefused) {
  EXPECT_THAT(Read(std::string(10'000, '7')).status().message(), HasSubstr("line 1 is longer"));
  EXPECT_EQ(ReadRegistryText(
                "/nowhere", [](absl::string_view) { return uint64_t{1}; }, set_)
                .status()
                .code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace outpace::dnc
