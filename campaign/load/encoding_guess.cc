#include "campaign/load/encoding_guess.h"

#include <unicode/uchar.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "campaign/load/common_hanzi.h"
#include "campaign/load/encoding_names.h"
#include "campaign/load/utf8.h"

namespace outpace::load {
namespace {

constexpr size_t kSampleBytes = 256 * 1024;
constexpr size_t kLineBytesMax = 64 * 1024;
constexpr uint64_t kJudgedLines = 5000;
// Under this nothing is guessed: the rows that are not UTF-8 are rejected, and a person may name
// the encoding.
constexpr double kConfidenceMin = 0.3;

unsigned char Octet(char c) { return static_cast<unsigned char>(c); }
bool IsHigh(char c) { return Octet(c) >= 0x80; }

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
struct CloseDetector {
  void operator()(UCharsetDetector* detector) const { ucsdet_close(detector); }
};

// Where the two-octet characters of a sample lie in the table of 94 rows that Chinese (GB2312) and
// Korean (KS X 1001) share. Of Chinese text nearly all are in rows 16 to 55, alphabetical by sound;
// Korean syllables end at row 40. Text in other encodings that happens to follow the grammar has
// its pairs anywhere.
struct Rows {
  double chinese = 0;        // share in rows 16 to 55
  double beyond_korean = 0;  // share in rows 41 to 55
};
Rows RowsOf(absl::string_view sample) {
  double pairs = 0;
  Rows out;
  for (size_t i = 0; i + 1 < sample.size(); ++i) {
    if (!IsHigh(sample[i])) continue;
    const unsigned char lead = Octet(sample[i]), trail = Octet(sample[++i]);
    ++pairs;
    if (lead < 0xb0 || lead > 0xd7 || trail < 0xa1) continue;
    ++out.chinese;
    out.beyond_korean += lead > 0xc8;
  }
  if (pairs > 0) {
    out.chinese /= pairs;
    out.beyond_korean /= pairs;
  }
  return out;
}

// The sample in one encoding, bad octets as U+FFFD; empty if ICU lacks it.
std::u16string Decode(absl::string_view bytes, absl::string_view encoding) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, CloseConverter> converter(ucnv_open(IcuName(encoding), &error));
  if (U_FAILURE(error)) return {};
  std::u16string out(bytes.size() * 2, u'\0');
  const int32_t size = ucnv_toUChars(converter.get(), out.data(), static_cast<int32_t>(out.size()),
                                     bytes.data(), static_cast<int32_t>(bytes.size()), &error);
  out.resize(U_FAILURE(error) ? 0 : static_cast<size_t>(size));
  return out;
}

const absl::flat_hash_set<char16_t>& CommonHanzi() {
  static const auto* const set = [] {
    const std::u16string all = kCommonHanzi;
    return new absl::flat_hash_set<char16_t>(all.begin(), all.end());
  }();
  return *set;
}

struct Score {
  std::string name;
  double value = 0;
  std::string reason;
};

// How Chinese a sample reads in `encoding`: most characters of real text, and of names, are among
// the commonest few hundred; read in a wrong encoding, about one in eight is.
Score ScoreChinese(absl::string_view sample, absl::string_view encoding) {
  Score out;
  out.name = std::string(encoding);
  size_t hanzi = 0, common = 0, other = 0;
  for (const char16_t c : Decode(sample, encoding)) {
    if (c < 0x80 || (c >= 0x3000 && c < 0x3040) || (c >= 0xff00 && c < 0xff60)) continue;
    if (c >= 0x4e00 && c < 0xa000) {
      ++hanzi;
      common += CommonHanzi().contains(c);
    } else {
      ++other;
    }
  }
  if (hanzi == 0) return out;
  const auto n = static_cast<double>(hanzi);
  const double share = static_cast<double>(common) / (n + static_cast<double>(other));
  // A share of an eighth says nothing, one of a half as much as can be said; a handful of
  // characters says less than a page of them.
  out.value = std::clamp((share - 0.125) / 0.375, 0.0, 1.0) * (n / (n + 1.5));
  out.reason = absl::StrCat(common, " of ", hanzi, " Chinese characters are common ones");
  return out;
}

// Letters that words of the languages of a code page are full of, in Unicode.
struct CodePage {
  const char* name;
  std::u16string common;
};
const std::vector<CodePage>& LatinPages() {
  static const auto* const pages = new std::vector<CodePage>{
      {"windows-1252", u"àáâãäåæçèéêëìíîïñòóôõöøùúûüßœÀÁÂÄÅÆÇÈÉÊÍÑÓÔÖØÚÜ"},
      {"windows-1250", u"áäąčćďéęěíľĺłńňóôöőřŕśšťúůüűýžźżßáâăîşţČĆĎĽŁŃŇŐŘŚŠŤŮŽŹŻÁÉÍÓÖÚÜÝ"},
      {"windows-1254", u"âçğıîöşûüÇĞİÖŞÜ"},
      {"windows-1257", u"āčēģīķļņšūžąęėįųõäöüĀČĒĢĪĶĻŅŠŪŽĄĘĖĮŲÕÄÖÜ"},
  };
  return *pages;
}

// Octets over 7F that stand alone or in twos beside ASCII letters: accents in a word.
struct Accents {
  size_t runs = 0, accents = 0;  // of octets over 7F; of them like accents
  std::string octets;            // of the latter, in order
};
Accents FindAccents(absl::string_view sample) {
  Accents out;
  for (size_t i = 0; i < sample.size();) {
    if (!IsHigh(sample[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < sample.size() && IsHigh(sample[end])) ++end;
    ++out.runs;
    const bool before = i > 0 && absl::ascii_isalpha(Octet(sample[i - 1]));
    const bool after = end < sample.size() && absl::ascii_isalpha(Octet(sample[end]));
    if (end - i <= 2 && (before || after)) {
      ++out.accents;
      out.octets.append(sample.data() + i, end - i);
    }
    i = end;
  }
  return out;
}

Score ScoreLatin(absl::string_view sample) {
  Score best;
  const Accents found = FindAccents(sample);
  if (found.accents == 0) return best;
  const double share = static_cast<double>(found.accents) / static_cast<double>(found.runs);
  const auto n = static_cast<double>(found.octets.size());
  for (const CodePage& page : LatinPages()) {
    double letters = 0;
    for (const char16_t c : Decode(found.octets, page.name)) {
      const bool letter = (c >= 0xc0 && c != 0xd7 && c != 0xf7 && c < 0x250) || c == 0x161 ||
                          c == 0x160 || c == 0x17d || c == 0x17e;
      if (page.common.find(c) != std::u16string::npos) {
        letters += 1;
      } else {
        letters += letter ? 0.5 : -1;
      }
    }
    // Equal scores go to the page named first, the most widespread one.
    const double value = share * std::max(0.0, letters / n) * (n / (n + 0.75)) * 0.95;
    if (value > best.value + 0.02) {
      best.name = page.name;
      best.value = value;
      best.reason = absl::StrCat(found.accents, " of ", found.runs,
                                 " places with octets over 7F are accents in a word");
    }
  }
  return best;
}

// Words of an alphabet of its own are written in small letters, with a capital at most in front, or
// in capitals; in a wrong code page letters of both kinds and signs stand in any order.
Score ScoreAlphabet(absl::string_view sample) {
  Score best;
  for (const char* const page : {"windows-1251", "koi8-r", "cp866", "iso-8859-5", "windows-1253"}) {
    size_t words = 0, good = 0, letters = 0;
    std::u16string word;
    for (const char16_t c : Decode(sample, page) + u" ") {
      if (c >= 0x80) {
        word += c;
        continue;
      }
      if (word.size() > 1) {
        const auto small = [](char16_t l) { return u_islower(l) != 0; };
        const auto capital = [](char16_t l) { return u_isupper(l) != 0; };
        const bool of_script = std::all_of(word.begin(), word.end(),
                                           [](char16_t l) { return l >= 0x370 && l < 0x530; });
        const bool written = std::all_of(word.begin() + 1, word.end(), small) ||
                             std::all_of(word.begin(), word.end(), capital);
        ++words;
        good += of_script && written && u_isalpha(word[0]);
        letters += word.size();
      }
      word.clear();
    }
    // Syllables of two octets are no words: those of the alphabets meant here are longer.
    if (words == 0 || letters < words * 3) continue;
    const auto n = static_cast<double>(words);
    const double value =
        std::clamp((static_cast<double>(good) / n - 0.4) / 0.6, 0.0, 1.0) * (n / (n + 1.5)) * 0.95;
    if (value > best.value) {
      best.name = page;
      best.value = value;
      best.reason = absl::StrCat(good, " of ", words, " words are written as words are");
    }
  }
  return best;
}

// What ICU's detector finds likely, of the encodings with evidence of their own neither above.
Score ScoreByIcu(absl::string_view sample) {
  Score best;
  std::string text;  // digits and separators are no evidence of a language
  for (const char c : sample) {
    if (IsHigh(c) || absl::ascii_isalpha(Octet(c)) || c == '\n') {
      text += c;
    } else if (!text.empty() && text.back() != ' ') {
      text += ' ';
    }
  }
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, CloseDetector> detector(ucsdet_open(&error));
  ucsdet_setText(detector.get(), text.data(), static_cast<int32_t>(text.size()), &error);
  int32_t count = 0;
  const UCharsetMatch** const matches = ucsdet_detectAll(detector.get(), &count, &error);
  if (U_FAILURE(error)) return best;
  for (int32_t i = 0; i < count; ++i) {
    UErrorCode fault = U_ZERO_ERROR;
    const absl::string_view name = NameOfDetected(ucsdet_getName(matches[i], &fault));
    const int32_t confidence = ucsdet_getConfidence(matches[i], &fault);
    if (U_FAILURE(fault) || name.empty() || name == "utf-8" || name == "gb18030" ||
        name == "big5" || name == "utf-16le" || name == "utf-16be" || name == "windows-1252" ||
        name == "windows-1250" || name == "iso-8859-2" || name == "windows-1254") {
      continue;
    }
    if (Decode(sample, name).find(u'\xfffd') != std::u16string::npos) continue;
    const double value = confidence / 100.0;
    if (value > best.value) {
      best.name = std::string(name);
      best.value = value;
      best.reason = "by the frequency of its letters";
    }
  }
  return best;
}

}  // namespace

void EncodingEvidence::CheckGb(unsigned char c) {
  // Two octets: 81..FE, then 40..7E or 80..FE. Four: 81..FE, 30..39, 81..FE, 30..39, of which those
  // beginning 85..8F and from E4 on are no characters.
  switch (gb_state_) {
    case 0:
      if (c < 0x80) return;
      gb_valid_ = gb_valid_ && c != 0x80 && c != 0xff;
      gb_first_ = c;
      gb_state_ = 1;
      return;
    case 1:
      if (c >= 0x30 && c <= 0x39) {
        gb_valid_ = gb_valid_ && (gb_first_ <= 0x84 || (gb_first_ >= 0x90 && gb_first_ <= 0xe3));
        gb_state_ = 2;
        return;
      }
      gb_valid_ = gb_valid_ && c >= 0x40 && c != 0x7f && c != 0xff;
      gb_state_ = 0;
      return;
    case 2:
      gb_valid_ = gb_valid_ && c >= 0x81 && c <= 0xfe;
      gb_state_ = 3;
      return;
    default:
      gb_valid_ = gb_valid_ && c >= 0x30 && c <= 0x39;
      gb_four_ += gb_valid_ ? 1 : 0;
      gb_state_ = 0;
  }
}

void EncodingEvidence::AddLine(absl::string_view line, bool whole) {
  if (std::none_of(line.begin(), line.end(), IsHigh)) return;
  if (utf8_lines_ + other_lines_ < kJudgedLines) {
    // GB18030 text is almost never valid UTF-8 with characters of three octets, so a line that is
    // such is UTF-8, and a file where a fifth of the lines is, is UTF-8 with foreign rows in it.
    const bool three =
        std::any_of(line.begin(), line.end(), [](char c) { return Octet(c) >= 0xe0; });
    if (three && whole && CheckUtf8(line) == Utf8::kValid) {
      ++utf8_lines_;
    } else {
      ++other_lines_;
    }
  }
  if (sample_.size() < kSampleBytes) {
    sample_.append(line.data(), std::min(line.size(), kLineBytesMax));
    sample_ += '\n';
  }
}

void EncodingEvidence::Add(absl::string_view block) {
  for (size_t at = 0; at < block.size() && gb_valid_; ++at) {
    CheckGb(Octet(block[at]));
    if (block[at] != '\n') continue;
    any_line_ = true;
    gb_valid_at_line_ = gb_valid_ && gb_state_ == 0;
  }
  if (utf8_lines_ + other_lines_ >= kJudgedLines && sample_.size() >= kSampleBytes) return;
  while (!block.empty()) {
    const size_t end = block.find('\n');
    const absl::string_view piece = block.substr(0, end);
    if (line_.size() + piece.size() > kLineBytesMax) too_long_ = true;
    line_.append(piece.data(), std::min(piece.size(), kLineBytesMax));
    if (line_.size() > kLineBytesMax) line_.resize(kLineBytesMax);
    if (end == absl::string_view::npos) return;
    AddLine(line_, !too_long_);
    line_.clear();
    too_long_ = false;
    block.remove_prefix(end + 1);
  }
}

EncodingGuess EncodingEvidence::Guess() {
  if (!line_.empty()) AddLine(line_, !too_long_);
  EncodingGuess out;
  out.name = "utf-8";
  const uint64_t lines = utf8_lines_ + other_lines_;
  if (lines == 0) return out;
  if (utf8_lines_ * 5 >= lines) {
    out.confidence = static_cast<double>(utf8_lines_) / static_cast<double>(lines);
    out.reason = absl::StrCat(utf8_lines_, " of ", lines, " lines with foreign letters are UTF-8");
    return out;
  }
  Score best = ScoreLatin(sample_);
  const auto consider = [&](Score score) {
    if (score.value > best.value) best = std::move(score);
  };
  // A file without a line end, or cut in its last line, is judged as far as it is whole.
  Score gb;
  if (gb_valid_ || (any_line_ && gb_valid_at_line_)) gb = ScoreChinese(sample_, "gb18030");
  Score by_icu = ScoreByIcu(sample_);
  const Rows rows = RowsOf(sample_);
  const bool korean = rows.beyond_korean <= 0.05;  // possibly
  if (!korean && by_icu.name == "euc-kr") by_icu.value *= 0.2;
  // Rare names are made of rare characters, but still of those of the Chinese rows.
  if (!gb.name.empty() && rows.chinese > 0.9) gb.value = std::max(gb.value, korean ? 0.35 : 0.5);
  // A character of four octets, high and digit in turn, is made by no other encoding and hardly by
  // chance.
  if (!gb.name.empty() && gb_four_ > 0) gb.value = std::max(gb.value, 0.5);
  consider(std::move(gb));
  consider(ScoreChinese(sample_, "big5"));
  consider(ScoreAlphabet(sample_));
  consider(std::move(by_icu));
  if (best.value < kConfidenceMin) {
    out.confidence = 0.1;
    out.reason = "not UTF-8, and like no encoding that is known";
    return out;
  }
  out.name = best.name;
  out.confidence = std::min(best.value, 0.99);
  out.reason = best.reason;
  return out;
}

}  // namespace outpace::load
