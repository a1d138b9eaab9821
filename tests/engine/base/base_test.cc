#include "absl/strings/str_cat.h"
#include "engine/base/e164.h"
#include "engine/base/mailbox.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace {
namespace {

TEST(E164Test, ParsesThePunctuationPeopleWrite) {
  const auto number = ParseE164("+1 (415) 555-0100");
  ASSERT_TRUE(number.ok());
  EXPECT_EQ(number->ToString(), "+14155550100");
  EXPECT_EQ(number->Masked(), "+1415****100");
}

TEST(E164Test, RefusesWithoutNamingTheNumber) {
  for (const char* text :
       {"14155550100", "+1415", "+1415555010012345", "+0415555010", "+1415x550100"}) {
    const auto number = ParseE164(text);
    ASSERT_FALSE(number.ok()) << text;
    EXPECT_THAT(std::string(number.status().message()),
                ::testing::Not(::testing::HasSubstr("415")));
  }
}

TEST(RngTest, SameSeedSameNumbers) {
  Rng a(7), b(7), c(8);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.Next(), b.Next());
  EXPECT_NE(Rng(7).Next(), c.Next());
}

TEST(RngTest, LognormalHasTheMeanAskedFor) {
  Rng rng(1);
  double sum = 0;
  for (int i = 0; i < 200'000; ++i) sum += rng.Lognormal(180, 0.8);
  EXPECT_NEAR(sum / 200'000, 180, 2);
}

TEST(MailboxTest, KeepsOrderAndRefusesWhenFull) {
  Mailbox<int> box(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(box.TryPush(int{i}));
  EXPECT_FALSE(box.TryPush(9));
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) EXPECT_EQ(box.TryPop(), i);
    EXPECT_EQ(box.TryPop(), std::nullopt);
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(box.TryPush(int{i}));
  }
}

}  // namespace
}  // namespace outpace
