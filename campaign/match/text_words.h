#pragma once

// A text as words that can be compared: folded by CharTable, cut at blanks, punctuation and where
// the script changes, with the marks kept that say how a word stood in the text.

#include <cstdint>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"

namespace outpace::match {

struct Word {
  std::string text;    // folded, UTF-8
  bool han = false;    // a run of Chinese characters
  bool comma = false;  // a comma, semicolon or the like stood before it
  int aside = 0;       // > 0: in the n-th pair of brackets
};
using Words = absl::InlinedVector<Word, 6>;

// Apostrophes join ("kang's" -> "kangs"); everything else that is no letter or digit parts.
Words SplitWords(absl::string_view text);

// All words written together; nothing else: for fields where blanks come and go.
std::string Together(const Words& words);
// The readings of a text's Chinese characters in a row, other text as it is: "华强" -> "huaqiang".
std::string PinyinOf(absl::string_view folded);
// Code points of a text.
size_t CharCount(absl::string_view text);

// The same text gives the same number in every process and on every machine; 0 only for "".
uint64_t HashText(absl::string_view text);
uint64_t MixHash(uint64_t a, uint64_t b);

}  // namespace outpace::match
