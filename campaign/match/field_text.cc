#include "campaign/match/field_text.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "campaign/match/text_words.h"

namespace outpace::match {
namespace {

using WordMap = absl::flat_hash_map<absl::string_view, absl::string_view>;
using WordSet = absl::flat_hash_set<absl::string_view>;

// What addresses abbreviate; numbers as words and ordinals become digits.
const WordMap& StreetWords() {
  static const auto* const kWords =
      new WordMap{{"st", "street"},     {"str", "street"},      {"rd", "road"},
                  {"ave", "avenue"},    {"av", "avenue"},       {"blvd", "boulevard"},
                  {"blv", "boulevard"}, {"bd", "boulevard"},    {"dr", "drive"},
                  {"ln", "lane"},       {"pl", "place"},        {"ct", "court"},
                  {"crt", "court"},     {"cres", "crescent"},   {"cr", "crescent"},
                  {"cct", "circuit"},   {"cir", "circle"},      {"sq", "square"},
                  {"hwy", "highway"},   {"pkwy", "parkway"},    {"pky", "parkway"},
                  {"ter", "terrace"},   {"tce", "terrace"},     {"cl", "close"},
                  {"gr", "grove"},      {"pde", "parade"},      {"esp", "esplanade"},
                  {"fwy", "freeway"},   {"expy", "expressway"}, {"plz", "plaza"},
                  {"ctr", "center"},    {"centre", "center"},   {"mt", "mount"},
                  {"ft", "fort"},       {"bldg", "building"},   {"fl", "floor"},
                  {"apt", "apartment"}, {"apmnt", "apartment"}, {"ste", "suite"},
                  {"vlge", "village"},  {"vlg", "village"},     {"retrmnt", "retirement"},
                  {"first", "1"},       {"second", "2"},        {"third", "3"},
                  {"fourth", "4"},      {"fifth", "5"},         {"sixth", "6"},
                  {"seventh", "7"},     {"eighth", "8"},        {"ninth", "9"},
                  {"tenth", "10"},      {"eleventh", "11"},     {"twelfth", "12"},
                  {"one", "1"},         {"two", "2"},           {"three", "3"},
                  {"four", "4"},        {"five", "5"},          {"six", "6"},
                  {"seven", "7"},       {"eight", "8"},         {"nine", "9"},
                  {"ten", "10"},        {"eleven", "11"},       {"twelve", "12"}};
  return *kWords;
}

const WordSet& Directions() {
  static const auto* const kWords = new WordSet{"n",  "s",  "e",  "w",     "ne",    "nw",   "se",
                                                "sw", "no", "so", "north", "south", "east", "west"};
  return *kWords;
}

const WordSet& CrossStreetWords() {
  static const auto* const kWords =
      new WordSet{"between", "btwn", "near", "nr", "off", "at", "corner", "cnr", "opp", "opposite"};
  return *kWords;
}

bool StartsWithDigit(absl::string_view text) {
  return !text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0]));
}

// "5th" -> "5".
absl::string_view WithoutOrdinal(absl::string_view word) {
  if (!StartsWithDigit(word) || word.size() < 3) return word;
  for (const absl::string_view ending : {"st", "nd", "rd", "th"}) {
    if (absl::EndsWith(word, ending) &&
        absl::ascii_isdigit(static_cast<unsigned char>(word[word.size() - 3]))) {
      return word.substr(0, word.size() - 2);
    }
  }
  return word;
}

constexpr size_t kHanBytes = 3;

// Surnames of two characters; all others have one.
bool IsDoubleSurname(absl::string_view two) {
  static const auto* const kNames = new WordSet{
      "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒",
      "司空", "夏侯", "端木", "长孙", "宇文", "独孤", "南宫", "轩辕", "百里", "东郭", "呼延"};
  return kNames->contains(two);
}

bool IsTitle(absl::string_view word) {
  static const auto* const kTitles = new WordSet{"mr",   "mrs",  "ms", "miss", "dr", "prof", "sir",
                                                 "herr", "frau", "jr", "sr",   "ii", "iii"};
  return kTitles->contains(word);
}

void CutHanTitle(std::string& text) {
  for (const absl::string_view title : {"先生", "女士", "小姐", "老师", "经理", "总经理"}) {
    if (text.size() > title.size() && absl::EndsWith(text, title)) {
      text.resize(text.size() - title.size());
      return;
    }
  }
}

Words NameWords(absl::string_view text) {
  Words words = SplitWords(text);
  for (Word& word : words) {
    if (word.han) CutHanTitle(word.text);
  }
  if (words.size() > 1) {
    words.erase(std::remove_if(words.begin(), words.end(),
                               [](const Word& word) { return IsTitle(word.text); }),
                words.end());
  }
  return words;
}

// A whole name in one field: the last word is the surname, in Chinese the first character or two.
void SplitWholeName(Words& given, Words& surname) {
  Words all = given.empty() ? surname : given;
  if (all.size() == 1 && all[0].han) {
    const std::string text = all[0].text;
    if (text.size() < 2 * kHanBytes || text.size() > 4 * kHanBytes) return;
    const size_t n = IsDoubleSurname(absl::string_view(text).substr(0, 2 * kHanBytes)) &&
                             text.size() > 2 * kHanBytes
                         ? 2 * kHanBytes
                         : kHanBytes;
    surname.assign(1, all[0]);
    given.assign(1, all[0]);
    surname[0].text = text.substr(0, n);
    given[0].text = text.substr(n);
  } else if (all.size() > 1) {
    // "Smith, John" has a comma where "John Smith" has none.
    const bool surname_first = all[1].comma;
    const size_t at = surname_first ? 0 : all.size() - 1;
    surname.assign(1, all[at]);
    all.erase(all.begin() + static_cast<ptrdiff_t>(at));
    given = all;
  }
}

}  // namespace

Street ParseStreet(absl::string_view number, absl::string_view address) {
  Street street;
  street.number = PlainKey(number);
  const Words words = SplitWords(address);
  for (size_t i = 0; i < words.size(); ++i) {
    const Word& word = words[i];
    if (word.han) {
      street.text += PinyinOf(word.text);
      continue;
    }
    const bool chinese = i > 0 && words[i - 1].han;
    if (street.number.empty() && StartsWithDigit(word.text) && (i == 0 || chinese) &&
        words.size() > 1) {
      street.number = word.text;
      continue;
    }
    if (CrossStreetWords().contains(word.text) && !street.text.empty()) break;
    if (Directions().contains(word.text) && words.size() > 1) continue;
    absl::string_view text = WithoutOrdinal(word.text);
    if (const auto found = StreetWords().find(text); found != StreetWords().end()) {
      text = found->second;
    } else if (text == "la" && i + 1 == words.size() && i > 0) {
      text = "lane";
    }
    street.text.append(text.data(), text.size());
  }
  return street;
}

uint64_t PhoneKey(absl::string_view phone) {
  std::string digits;
  for (const Word& word : SplitWords(phone)) {
    if (digits.size() >= 7 && !StartsWithDigit(word.text)) break;  // "ext", "or", "转"
    for (const char c : word.text) {
      if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
        digits.push_back(c);
      } else if (digits.size() >= 7) {
        break;  // "5550100x12"
      }
    }
  }
  if (digits.size() < 7) return 0;
  constexpr size_t kKept = 9;
  if (digits.size() > kKept) digits.erase(0, digits.size() - kKept);
  // A leading 1 keeps leading zeros and the length apart.
  uint64_t key = 0;
  return absl::SimpleAtoi(absl::StrCat("1", digits), &key) ? key : 0;
}

uint32_t DateKey(absl::string_view date) {
  std::string digits;
  size_t year_at = 0, groups = 0;
  uint32_t part[3] = {0, 0, 0};
  for (const Word& word : SplitWords(date)) {
    if (!StartsWithDigit(word.text)) continue;
    if (word.text.find_first_not_of("0123456789") != std::string::npos) break;
    if (word.text.size() == 4) year_at = groups;
    if (groups < 3 && !absl::SimpleAtoi(word.text, &part[groups])) return 0;
    ++groups;
    digits += word.text;
  }
  uint32_t plain = 0;
  if (groups == 1 && digits.size() == 8 && absl::SimpleAtoi(digits, &plain)) {
    const uint32_t year_last = plain % 10000;
    if (plain / 10000 >= 1850 || year_last < 1850 || year_last > 2100) return plain;
    part[0] = plain / 1000000;
    part[1] = plain / 10000 % 100;
    part[2] = year_last;
    year_at = 2;
    groups = 3;
  }
  if (groups < 3 || (year_at != 0 && year_at != 2)) return 0;
  const uint32_t year = part[year_at];
  uint32_t month = year_at == 0 ? part[1] : part[0];
  uint32_t day = year_at == 0 ? part[2] : part[1];
  if (month > 12 && day <= 12) std::swap(month, day);
  return year * 10000 + month * 100 + day;
}

std::string CityKey(absl::string_view city) {
  Words words = SplitWords(city);
  if (words.size() > 1 && words.back().text == "city") words.pop_back();
  if (words.size() == 1 && words[0].han && words[0].text.size() > 2 * kHanBytes) {
    absl::string_view text = words[0].text;
    absl::ConsumeSuffix(&text, "市");
    return PinyinOf(text);
  }
  return PinyinOf(Together(words));
}

std::string PlainKey(absl::string_view text) { return PinyinOf(Together(SplitWords(text))); }

PersonName ParsePersonName(absl::string_view first_name, absl::string_view last_name) {
  Words given = NameWords(first_name);
  Words surname = NameWords(last_name);
  if (given.empty() || surname.empty()) SplitWholeName(given, surname);
  PersonName name;
  const bool chinese = (!given.empty() && given[0].han) || (!surname.empty() && surname[0].han);
  if (chinese) {
    name.given_han = Together(given);
    name.surname_han = Together(surname);
  }
  name.given = PinyinOf(Together(given));
  name.surname = PinyinOf(Together(surname));
  name.given_first = given.empty() || chinese ? name.given : given[0].text;
  return name;
}

std::string SoundCode(absl::string_view latin) {
  constexpr size_t kLength = 8;
  std::string code;
  for (size_t i = 0; i < latin.size() && code.size() < kLength; ++i) {
    const char next = i + 1 < latin.size() ? latin[i + 1] : '\0';
    char c = latin[i];
    switch (c) {
      case 'a':
      case 'e':
      case 'i':
      case 'o':
      case 'u':
      case 'y':
      case 'j':
      case 'h':
      case 'w':
        // Vowels and what is hardly heard count only in front, all as one.
        c = i == 0 ? 'a' : '\0';
        break;
      case 'p':
        if (next == 'h') c = 'f';
        break;
      case 'v':
        c = 'f';
        break;
      case 'c':
      case 'q':
      case 'g':
        c = c == 'c' && (next == 'e' || next == 'i') ? 's' : 'k';
        break;
      case 'x':
      case 'z':
        c = 's';
        break;
      case 'd':
        c = 't';
        break;
      case 'm':
        c = 'n';
        break;
      default:
        break;
    }
    if (c != '\0' && (code.empty() || code.back() != c)) code.push_back(c);
  }
  return code;
}

}  // namespace outpace::match
