#include "campaign/match/text_words.h"

#include <utility>

#include "campaign/match/char_table.h"

namespace outpace::match {
namespace {

bool IsApostrophe(char32_t c) {
  return c == '\'' || c == U'`' || c == U'’' || c == U'‘' || c == U'ʼ' || c == U'´' || c == U'＇';
}
bool IsComma(char32_t c) { return c == ',' || c == ';' || c == U'，' || c == U'；' || c == U'、'; }
bool IsOpen(char32_t c) {
  return c == '(' || c == '[' || c == '{' || c == U'（' || c == U'【' || c == U'〔' || c == U'［';
}
bool IsClose(char32_t c) {
  return c == ')' || c == ']' || c == '}' || c == U'）' || c == U'】' || c == U'〕' || c == U'］';
}

}  // namespace

Words SplitWords(absl::string_view text) {
  const CharTable& table = CharTable::Get();
  Words words;
  Word word;
  int brackets = 0;
  bool inside = false, comma = false;
  const auto end_word = [&] {
    if (word.text.empty()) return;
    word.comma = std::exchange(comma, false);
    word.aside = inside ? brackets : 0;
    words.push_back(std::move(word));
    word = Word();
  };
  for (size_t at = 0; at < text.size();) {
    const char32_t c = NextChar(text, at);
    const absl::string_view folded = table.Fold(c);
    if (!folded.empty()) {
      const bool han = !table.Pinyin(c).empty();
      if (han != word.han) end_word();
      word.han = han;
      word.text.append(folded.data(), folded.size());
      continue;
    }
    // A mark over the letter before it (U+0300..U+036F) changes nothing; nor does an apostrophe.
    if (IsApostrophe(c) || (c >= 0x300 && c <= 0x36f)) continue;
    end_word();
    if (IsComma(c)) {
      comma = true;
    } else if (IsOpen(c)) {
      inside = true;
      ++brackets;
    } else if (IsClose(c)) {
      inside = false;
    }
  }
  end_word();
  return words;
}

std::string Together(const Words& words) {
  std::string out;
  for (const Word& word : words) out += word.text;
  return out;
}

std::string PinyinOf(absl::string_view folded) {
  const CharTable& table = CharTable::Get();
  std::string out;
  for (size_t at = 0; at < folded.size();) {
    const size_t begin = at;
    const absl::string_view pinyin = table.Pinyin(NextChar(folded, at));
    if (pinyin.empty()) {
      out.append(folded.data() + begin, at - begin);
    } else {
      out.append(pinyin.data(), pinyin.size());
    }
  }
  return out;
}

size_t CharCount(absl::string_view text) {
  size_t n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

uint64_t MixHash(uint64_t a, uint64_t b) {
  // The finaliser of SplitMix64 over both.
  uint64_t x = a * 0x9e3779b97f4a7c15u + b + 0x632be59bd9b4e019u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

uint64_t HashText(absl::string_view text) {
  if (text.empty()) return 0;
  uint64_t hash = text.size();
  while (!text.empty()) {
    uint64_t piece = 0;
    const size_t n = text.size() < 8 ? text.size() : 8;
    for (size_t i = 0; i < n; ++i) {
      piece |= uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
    }
    hash = MixHash(hash, piece);
    text.remove_prefix(n);
  }
  return hash == 0 ? 1 : hash;
}

}  // namespace outpace::match
