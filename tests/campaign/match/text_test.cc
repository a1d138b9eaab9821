#include <string>
#include <vector>

#include "campaign/match/char_table.h"
#include "campaign/match/edit_distance.h"
#include "campaign/match/field_text.h"
#include "campaign/match/text_words.h"
#include "campaign/match/vocabulary.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::match {
namespace {

std::string Fold(absl::string_view text) { return Together(SplitWords(text)); }

TEST(CharTable, FoldsWidthCaseAccentsAndLigatures) {
  EXPECT_EQ(Fold("ＡＢＣ１２３"), "abc123");
  EXPECT_EQ(Fold("Ärzte-Straße"), "arztestrasse");
  EXPECT_EQ(Fold("Łódź Øre Ægir ﬁx"), "lodzoreaegirfix");
  EXPECT_EQ(Fold("Ж"), "z");
  EXPECT_EQ(Fold("e\xcc\x81t\xc3\xa9"), "ete");  // one accent as a mark of its own
}

TEST(CharTable, MakesTraditionalChineseSimplifiedAndReadsIt) {
  EXPECT_EQ(Fold("華強電子"), "华强电子");
  EXPECT_EQ(PinyinOf(Fold("華強電子")), "huaqiangdianzi");
  EXPECT_EQ(PinyinOf("abc强"), "abcqiang");
}

TEST(CharTable, BrokenUtf8IsPunctuation) {
  EXPECT_EQ(Fold("a\xff\xfe"
                 "b\xe5"),
            "ab");
  EXPECT_EQ(Fold(""), "");
  EXPECT_EQ(Fold("🙂x"), "x");  // beyond the basic plane
}

TEST(SplitWords, CutsAtScriptsAndKeepsMarks) {
  const Words words = SplitWords("TCL集团, Kang's (广州) 3com");
  ASSERT_EQ(words.size(), 5u);
  EXPECT_EQ(words[0].text, "tcl");
  EXPECT_EQ(words[1].text, "集团");
  EXPECT_TRUE(words[1].han);
  EXPECT_EQ(words[2].text, "kangs");
  EXPECT_TRUE(words[2].comma);
  EXPECT_EQ(words[3].text, "广州");
  EXPECT_EQ(words[3].aside, 1);
  EXPECT_EQ(words[4].text, "3com");
  EXPECT_EQ(words[4].aside, 0);
}

// The table of optimal string alignment, cell by cell.
int PlainDistance(const std::string& a, const std::string& b) {
  std::vector<std::vector<int>> d(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = static_cast<int>(i);
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

TEST(EditDistance, AgreesWithTheTableOnRandomTexts) {
  Rng rng(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string a, b;
    for (uint64_t n = rng.Below(round % 50 == 0 ? 65 : 12); n > 0; --n) {
      a.push_back(static_cast<char>('a' + rng.Below(3)));
    }
    for (uint64_t n = rng.Below(round % 70 == 0 ? 65 : 12); n > 0; --n) {
      b.push_back(static_cast<char>('a' + rng.Below(3)));
    }
    ASSERT_EQ(EditDistance(a, b), PlainDistance(a, b)) << a << " " << b;
  }
}

TEST(EditDistance, LongTextsAreComparedByTheirBeginning) {
  const std::string a(200, 'x');
  EXPECT_EQ(EditDistance(a, a + "y"), 0);
  EXPECT_EQ(EditDistance(a, ""), 64);
}

TEST(JaroWinkler, KnownValues) {
  EXPECT_NEAR(JaroWinkler("martha", "marhta"), 0.961, 0.001);
  EXPECT_NEAR(JaroWinkler("dwayne", "duane"), 0.840, 0.001);
  EXPECT_NEAR(JaroWinkler("dixon", "dicksonx"), 0.813, 0.001);
  EXPECT_EQ(JaroWinkler("", "a"), 0);
  EXPECT_EQ(JaroWinkler("abc", "xyz"), 0);
}

TEST(HashText, IsTheSameEverywhere) {
  EXPECT_EQ(HashText(""), 0u);
  EXPECT_NE(HashText("ab"), HashText("ba"));
  EXPECT_NE(HashText(absl::string_view("a\0", 2)), HashText("a"));
  EXPECT_EQ(HashText("outpace"), HashText(std::string("out") + "pace"));
}

TEST(PhoneKey, WaysOfWritingOneNumberAgree) {
  const uint64_t key = PhoneKey("+14155550100");
  EXPECT_EQ(PhoneKey("(415) 555-0100"), key);
  EXPECT_EQ(PhoneKey("415.555.0100 ext 6108"), key);
  EXPECT_EQ(PhoneKey("415-555-0100x12"), key);
  EXPECT_EQ(PhoneKey("４１５ ５５５ ０１００"), key);
  EXPECT_EQ(PhoneKey("+44 20 7946 0000"), PhoneKey("020 7946 0000"));
  EXPECT_EQ(PhoneKey("+86 138 0000 0000"), PhoneKey("13800000000"));
  EXPECT_NE(PhoneKey("415-555-0101"), key);
  EXPECT_EQ(PhoneKey("12345"), 0u);
  EXPECT_EQ(PhoneKey("n/a"), 0u);
}

TEST(DateKey, ReadsWhatListsHold) {
  EXPECT_EQ(DateKey("19600213"), 19600213u);
  EXPECT_EQ(DateKey("1960-02-13"), 19600213u);
  EXPECT_EQ(DateKey("1960年2月13日"), 19600213u);
  EXPECT_EQ(DateKey("2/13/1960"), 19600213u);
  EXPECT_EQ(DateKey("13.02.1960"), 19600213u);
  EXPECT_EQ(DateKey("13021960"), 19600213u);
  EXPECT_EQ(DateKey(""), 0u);
  EXPECT_EQ(DateKey("unknown"), 0u);
  EXPECT_EQ(DateKey("3 12"), 0u);
}

TEST(ParseStreet, WritesAbbreviationsOutAndLeavesDirectionsOut) {
  const auto same = [](absl::string_view a, absl::string_view b) {
    const Street x = ParseStreet("", a), y = ParseStreet("", b);
    EXPECT_EQ(x.number, y.number) << a << " / " << b;
    EXPECT_EQ(x.text, y.text) << a << " / " << b;
  };
  same("435 s. la cienega blv.", "435 S La Cienega Boulevard");
  same("854 7th ave.  between 54th and 55th sts.", "854 seventh ave.");
  same("1972 n. hillhurst ave.", "1972 hillhurst ave.");
  same("7 claude la.", "7 claude ln.");
  same("科技路10号", "科技路10號");
  EXPECT_EQ(ParseStreet("12", "Main St").number, "12");
  EXPECT_EQ(ParseStreet("", "科技路10号").number, "10");
}

TEST(ParsePersonName, FindsTheParts) {
  const auto expect = [](absl::string_view first, absl::string_view last, absl::string_view given,
                         absl::string_view surname) {
    const PersonName name = ParsePersonName(first, last);
    EXPECT_EQ(name.given, given) << first << " / " << last;
    EXPECT_EQ(name.surname, surname) << first << " / " << last;
  };
  expect("John", "Smith", "john", "smith");
  expect("", "John Smith", "john", "smith");
  expect("Smith, John", "", "john", "smith");
  expect("Dr. Mary Ann", "O'Neil", "maryann", "oneil");
  expect("张伟", "", "wei", "zhang");
  expect("", "歐陽修先生", "xiu", "ouyang");
  expect("伟", "张", "wei", "zhang");
  EXPECT_EQ(ParsePersonName("Mary Ann", "Lee").given_first, "mary");
  EXPECT_EQ(ParsePersonName("張偉", "").surname_han, "张");
}

TEST(SoundCode, LikeSoundsShareACode) {
  EXPECT_EQ(SoundCode("stephen"), SoundCode("steven"));
  EXPECT_EQ(SoundCode("meyer"), SoundCode("maier"));
  EXPECT_EQ(SoundCode("philips"), SoundCode("phillips"));
  EXPECT_NE(SoundCode("smith"), SoundCode("jones"));
}

TEST(Vocabulary, NicknamesAndSurnames) {
  EXPECT_TRUE(SameGivenName("bob", "robert"));
  EXPECT_TRUE(SameGivenName("liz", "beth"));
  EXPECT_FALSE(SameGivenName("robert", "richard"));
  EXPECT_GT(SurnameShareOf("wang"), 50 * SurnameShareOf("xylander"));
}

}  // namespace
}  // namespace outpace::match
