#include "campaign/filter/text_fold.h"

#include <gtest/gtest.h>
#include <unicode/uchar.h>

#include <string>
#include <vector>

#include "engine/base/rng.h"

namespace outpace::filter {
namespace {

TEST(Fold, WidthAndCase) {
  EXPECT_EQ(Folded("Shenzhen CO., LTD @[`{"), "shenzhen co., ltd @[`{");
  EXPECT_EQ(Folded("ＡＢｃ１２（３）　！"), "abc12(3) !");
  EXPECT_EQ(Folded("深圳市Ａ栋"), "深圳市a栋");
  EXPECT_EQ(Folded("ÀÉÎ Straße ΣΊΣΥΦΟΣ ИВАНОВ"), "àéî straße σίσυφοσ иванов");
  EXPECT_EQ(Folded("𐐀"), "𐐨");
  EXPECT_EQ(Folded(""), "");
}

// Every character by itself and amid others, against the slow way to say it.
TEST(Fold, IsIcuForEveryCharacter) {
  for (char32_t c = 1; c <= 0x10ffff; ++c) {
    if (c >= 0xd800 && c <= 0xdfff) continue;
    std::string text, wanted;
    AppendUtf8(c, text);
    AppendUtf8(
        static_cast<char32_t>(u_foldCase(static_cast<UChar32>(Narrow(c)), U_FOLD_CASE_DEFAULT)),
        wanted);
    ASSERT_EQ(Folded(text), wanted) << static_cast<uint32_t>(c);
    size_t at = 0;
    ASSERT_EQ(NextCharacter(text, at), c);
    ASSERT_EQ(at, text.size());
  }
}

TEST(Fold, TakesAnyOctetsAndIsIdempotent) {
  Rng rng(11);
  static constexpr absl::string_view kPieces[] = {"A", "Ｚ", "中", "É", "Ⱥ", "　", "x1", "𐐀"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (uint64_t n = rng.Below(30); n > 0; --n) {
      if (rng.Chance(0.3)) {
        text += static_cast<char>(rng.Below(256));
      } else {
        const absl::string_view piece = kPieces[rng.Below(std::size(kPieces))];
        text.append(piece.data(), piece.size());
      }
    }
    const std::string folded = Folded(text);
    ASSERT_LE(folded.size(), FoldedSizeMax(text.size()));
    // Octets that were no character may become one beside a folded neighbour; whole text does not.
    size_t at = 0;
    bool valid = true;
    while (at < text.size()) valid = NextCharacter(text, at) <= 0x10ffff && valid;
    if (valid) {
      ASSERT_EQ(Folded(folded), folded);
    }
  }
}

TEST(TrimBlanks, AtBothEnds) {
  EXPECT_EQ(TrimBlanks(" \t　室 x　\r\n"), "室 x");
  EXPECT_EQ(TrimBlanks("\xc2\xa0　 "), "");
  EXPECT_EQ(TrimBlanks(""), "");
}

}  // namespace
}  // namespace outpace::filter
