#pragma once

// What each character becomes when two texts are compared: width, case, accents and ligatures are
// folded away, traditional Chinese characters become simplified ones, and every Chinese character
// has its reading in pinyin without tones. ICU knows all this but takes microseconds a character;
// here it is asked once for each, and a look-up takes nanoseconds.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace outpace::match {

class CharTable {
 public:
  // Built at the first call (about a third of a second). Any thread; lives as long as the process.
  static const CharTable& Get();

  // Small letters and digits for Latin, Greek and Cyrillic script ("Ä" "Ａ" -> "a", "ß" -> "ss",
  // "Ж" -> "z"), a simplified character for Chinese ("強" -> "强"), the character itself for other
  // scripts; empty for blanks, marks and punctuation. UTF-8.
  absl::string_view Fold(char32_t c) const {
    return c < kSize ? View(fold_[c]) : absl::string_view();
  }
  // The reading of a Chinese character, "qiang"; empty for all others.
  absl::string_view Pinyin(char32_t c) const {
    return c < kSize ? View(pinyin_[c]) : absl::string_view();
  }

 private:
  static constexpr uint32_t kSize = 0x10000;  // the basic plane; beyond it nothing is compared
  CharTable();
  absl::string_view View(uint32_t entry) const {
    return absl::string_view(pool_.data() + (entry >> 8), entry & 0xff);
  }
  uint32_t Keep(absl::string_view text);

  std::string pool_;  // texts; an entry is offset << 8 | length
  std::unique_ptr<uint32_t[]> fold_, pinyin_;
};

// Reads one code point of `text` at `at` and steps over it. What is no UTF-8 reads as U+FFFD.
char32_t NextChar(absl::string_view text, size_t& at);
void AppendUtf8(char32_t c, std::string& to);

}  // namespace outpace::match
