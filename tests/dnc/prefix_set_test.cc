#include "dnc/prefix_set.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::dnc {
namespace {

using ::testing::HasSubstr;

TEST(Prefix, ReadsRanges) {
  for (const char* text : {"+1900*", "1900*", "+1 (900) *", "1-900-XXX-XXXX", "1900xxxxxxx"}) {
    const auto prefix = Prefix::Parse(text);
    ASSERT_TRUE(prefix.ok()) << text << ": " << prefix.status();
    EXPECT_EQ(prefix->ToString(), "+1900*");
  }
  for (const char* text :
       {"", "*", "+1900", "0900*", "+19*00", "+1900?", "123456789012345*", "+*"}) {
    const auto prefix = Prefix::Parse(text);
    EXPECT_THAT(prefix.status().message(), HasSubstr("as in +1900*")) << text;
  }
}

TEST(PrefixSet, TheLongestPrefixIsTold) {
  PrefixSet set;
  EXPECT_EQ(set.Find(19'005'550'143).digits, 0u);
  set.Add({1900});
  set.Add({1900});
  set.Add({1'900'555});
  EXPECT_EQ(set.size(), 2u);
  EXPECT_EQ(set.Find(19'005'550'143).digits, 1'900'555u);
  EXPECT_EQ(set.Find(19'006'550'143).digits, 1900u);
  EXPECT_EQ(set.Find(19'015'550'143).digits, 0u);
  EXPECT_EQ(set.Find(8'619'005'550'143).digits, 0u);
  set.Remove({1'900'555});
  set.Remove({44});
  EXPECT_EQ(set.Find(19'005'550'143).digits, 1900u);
}

// Against comparing texts.
TEST(PrefixSet, AnswersAsTextsDo) {
  Rng rng(3);
  PrefixSet set;
  std::vector<std::string> texts;
  for (int i = 0; i < 60; ++i) {
    uint64_t digits = 1 + rng.Below(9);
    for (uint64_t more = rng.Below(6); more > 0; --more) digits = digits * 10 + rng.Below(4);
    set.Add({digits});
    texts.push_back(absl::StrCat(digits));
  }
  int found = 0;
  for (int i = 0; i < 20'000; ++i) {
    uint64_t number = 1 + rng.Below(9);
    for (uint64_t more = 7 + rng.Below(7); more > 0; --more) number = number * 10 + rng.Below(4);
    const std::string text = absl::StrCat(number);
    std::string longest;
    for (const std::string& prefix : texts) {
      if (absl::StartsWith(text, prefix) && prefix.size() > longest.size()) longest = prefix;
    }
    EXPECT_EQ(absl::StrCat(set.Find(number).digits), longest.empty() ? "0" : longest);
    found += longest.empty() ? 0 : 1;
  }
  EXPECT_GT(found, 1'000);
  EXPECT_LT(found, 19'000);
}

}  // namespace
}  // namespace outpace::dnc
