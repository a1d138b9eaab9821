#include "campaign/match/char_table.h"

#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "engine/base/check.h"

namespace outpace::match {
namespace {

// Texts are put through a transliterator many at a time, one a line.
constexpr int32_t kLinesAtOnce = 512;

std::unique_ptr<icu::Transliterator> Open(const char* id) {
  UErrorCode error = U_ZERO_ERROR;
  std::unique_ptr<icu::Transliterator> made(
      icu::Transliterator::createInstance(icu::UnicodeString(id), UTRANS_FORWARD, error));
  OUTPACE_CHECK(U_SUCCESS(error) && made != nullptr);
  return made;
}

// Each of `texts`, transliterated by itself.
void Transliterate(const icu::Transliterator& with, std::vector<icu::UnicodeString>& texts) {
  for (size_t begin = 0; begin < texts.size(); begin += kLinesAtOnce) {
    const size_t end = std::min(texts.size(), begin + kLinesAtOnce);
    icu::UnicodeString lines;
    for (size_t i = begin; i < end; ++i) lines.append(texts[i]).append(u'\n');
    with.transliterate(lines);
    int32_t at = 0;
    for (size_t i = begin; i < end; ++i) {
      const int32_t line_end = lines.indexOf(u'\n', at);
      OUTPACE_CHECK(line_end >= 0);
      texts[i] = icu::UnicodeString(lines, at, line_end - at);
      texts[i].trim();
      at = line_end + 1;
    }
  }
}

bool IsEuropean(UScriptCode script) {
  return script == USCRIPT_LATIN || script == USCRIPT_GREEK || script == USCRIPT_CYRILLIC;
}

std::string Utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

bool IsWordChar(UChar32 c) { return u_isalnum(c) || u_charType(c) == U_LETTER_NUMBER; }

std::string WordChars(const icu::UnicodeString& text) {
  std::string out;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    if (IsWordChar(text.char32At(i))) AppendUtf8(static_cast<char32_t>(text.char32At(i)), out);
  }
  return out;
}

}  // namespace

char32_t NextChar(absl::string_view text, size_t& at) {
  UChar32 c = 0;
  auto i = static_cast<int32_t>(at);
  U8_NEXT_OR_FFFD(reinterpret_cast<const uint8_t*>(text.data()), i,
                  static_cast<int32_t>(text.size()), c);
  at = static_cast<size_t>(i);
  return static_cast<char32_t>(c);
}

void AppendUtf8(char32_t c, std::string& to) {
  char bytes[U8_MAX_LENGTH];
  int32_t n = 0;
  U8_APPEND_UNSAFE(bytes, n, static_cast<UChar32>(c));
  to.append(bytes, static_cast<size_t>(n));
}

const CharTable& CharTable::Get() {
  static const auto* const kTable = new CharTable();
  return *kTable;
}

uint32_t CharTable::Keep(absl::string_view text) {
  OUTPACE_CHECK(text.size() < 256 && pool_.size() < (1u << 24));
  const auto entry = static_cast<uint32_t>(pool_.size() << 8 | text.size());
  pool_.append(text.data(), text.size());
  return text.empty() ? 0 : entry;
}

CharTable::CharTable() : fold_(new uint32_t[kSize]()), pinyin_(new uint32_t[kSize]()) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const casefold = icu::Normalizer2::getNFKCCasefoldInstance(error);
  OUTPACE_CHECK(U_SUCCESS(error));
  std::vector<char32_t> han, european;
  std::vector<icu::UnicodeString> han_texts, european_texts;
  for (char32_t c = 0; c < kSize; ++c) {
    const auto u = static_cast<UChar32>(c);
    if (U_IS_SURROGATE(u) || !u_isdefined(u)) continue;
    const icu::UnicodeString folded = casefold->normalize(icu::UnicodeString(u), error);
    OUTPACE_CHECK(U_SUCCESS(error));
    if (folded.isEmpty() || !IsWordChar(folded.char32At(0))) continue;
    const UScriptCode script = uscript_getScript(folded.char32At(0), &error);
    if (script == USCRIPT_HAN && folded.countChar32() == 1) {
      han.push_back(c);
      han_texts.push_back(folded);
    } else if (IsEuropean(script)) {
      european.push_back(c);
      european_texts.push_back(folded);
    } else {
      fold_[c] = Keep(WordChars(folded));
    }
  }
  Transliterate(*Open("Any-Latin; Latin-ASCII; Any-Lower; [^a-z0-9\\n] Remove"), european_texts);
  for (size_t i = 0; i < european.size(); ++i) {
    fold_[european[i]] = Keep(Utf8(european_texts[i]));
  }
  Transliterate(*Open("Traditional-Simplified"), han_texts);
  for (size_t i = 0; i < han.size(); ++i) fold_[han[i]] = Keep(Utf8(han_texts[i]));
  Transliterate(*Open("Han-Latin"), han_texts);
  for (size_t i = 0; i < han.size(); ++i) {
    std::string reading;  // without its tone, "qiáng" -> "qiang"
    for (int32_t at = 0; at < han_texts[i].length(); at = han_texts[i].moveIndex32(at, 1)) {
      const absl::string_view letter = Fold(static_cast<char32_t>(han_texts[i].char32At(at)));
      if (!letter.empty() && absl::ascii_islower(static_cast<unsigned char>(letter[0]))) {
        reading.append(letter.data(), letter.size());
      }
    }
    pinyin_[han[i]] = Keep(reading);
  }
}

}  // namespace outpace::match
