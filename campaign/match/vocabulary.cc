#include "campaign/match/vocabulary.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_split.h"
#include "campaign/match/edit_distance.h"
#include "campaign/match/text_words.h"

namespace outpace::match {
namespace {

#include "campaign/match/legal_forms.inc"
#include "campaign/match/nicknames.inc"
#include "campaign/match/places.inc"
#include "campaign/match/trade_words.inc"

std::vector<absl::string_view> List(const char* words) {
  return absl::StrSplit(words, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

std::vector<absl::string_view> LongestFirst(const char* words) {
  std::vector<absl::string_view> list = List(words);
  std::stable_sort(list.begin(), list.end(),
                   [](absl::string_view a, absl::string_view b) { return a.size() > b.size(); });
  return list;
}

struct Places {
  absl::flat_hash_map<std::string, uint16_t> codes;
  std::vector<uint16_t> province;  // by code; itself where there is none
  size_t longest_han = 0;

  void Add(absl::string_view name, uint16_t code) {
    codes.emplace(name, code);
    const std::string pinyin = PinyinOf(name);
    if (pinyin == name) return;
    longest_han = std::max(longest_han, name.size());
    codes.emplace(pinyin, code);
  }
  uint16_t NewCode() {
    province.push_back(static_cast<uint16_t>(province.size()));
    return province.back();
  }
  Places() {
    NewCode();  // 0 is none
    for (const absl::string_view line : absl::StrSplit(kChina, '\n')) {
      uint16_t first = 0;
      for (const absl::string_view name : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
        const uint16_t code = NewCode();
        if (first == 0) first = code;
        province[code] = first;
        Add(name, code);
      }
    }
    for (const absl::string_view line : absl::StrSplit(kWorld, '\n')) {
      const uint16_t code = NewCode();
      for (const absl::string_view name : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
        Add(name, code);
      }
    }
    // Readings that differ from those of the characters one by one.
    codes["shaanxi"] = codes["陕西"];
    codes["chongqing"] = codes["重庆"];
    codes["xiamen"] = codes["厦门"];
    codes["shanxi"] = codes["山西"];
  }
};

const Places& PlacesTable() {
  static const auto* const kTable = new Places();
  return *kTable;
}

struct Trades {
  absl::flat_hash_map<absl::string_view, absl::string_view> meaning;
  size_t longest_han = 0;
  Trades() {
    for (const absl::string_view line : absl::StrSplit(kTradeWords, '\n')) {
      absl::string_view first;
      for (const absl::string_view word : absl::StrSplit(line, ' ', absl::SkipEmpty())) {
        if (first.empty()) first = word;
        meaning.emplace(word, first);
        if (static_cast<unsigned char>(word[0]) >= 0x80) {
          longest_han = std::max(longest_han, word.size());
        }
      }
    }
  }
};

const Trades& TradesTable() {
  static const auto* const kTable = new Trades();
  return *kTable;
}

// Lines of nicknames a name stands in.
using NameLines = absl::flat_hash_map<absl::string_view, std::vector<int>>;
NameLines MakeNicknames() {
  NameLines lines;
  int line = 0;
  for (const absl::string_view names : absl::StrSplit(kNicknames, '\n')) {
    ++line;
    for (const absl::string_view name : absl::StrSplit(names, ' ', absl::SkipEmpty())) {
      lines[name].push_back(line);
    }
  }
  return lines;
}

// "naamlooze vennootschap", "aktiengesellshaft": a letter off one of the long forms, which no
// other word is near to.
bool IsMisspeltForm(absl::string_view together) {
  constexpr size_t kLongForm = 11;
  static const auto* const kLong = [] {
    auto* forms = new std::vector<absl::string_view>();
    for (const absl::string_view form : List(kAnywhere)) {
      if (form.size() >= kLongForm) forms->push_back(form);
    }
    return forms;
  }();
  if (together.size() < kLongForm - 1) return false;
  return std::any_of(kLong->begin(), kLong->end(), [&](absl::string_view form) {
    return form[0] == together[0] && form.size() + 1 >= together.size() &&
           together.size() + 1 >= form.size() && EditDistance(form, together) == 1;
  });
}

}  // namespace

uint8_t LegalForm(absl::string_view together) {
  static const auto* const kForms = [] {
    auto* forms = new absl::flat_hash_map<absl::string_view, uint8_t>();
    for (const absl::string_view form : List(kAnywhere)) (*forms)[form] |= kFormAnywhere;
    for (const absl::string_view form : List(kEnd)) (*forms)[form] |= kFormAtEnd;
    for (const absl::string_view form : List(kStart)) (*forms)[form] |= kFormAtStart;
    return forms;
  }();
  if (const auto found = kForms->find(together); found != kForms->end()) return found->second;
  return IsMisspeltForm(together) ? uint8_t{kFormAnywhere} : uint8_t{kFormNone};
}

uint16_t PlaceCode(absl::string_view name) {
  const Places& places = PlacesTable();
  const auto found = places.codes.find(name);
  return found == places.codes.end() ? uint16_t{0} : found->second;
}

bool PlaceWithin(uint16_t inner, uint16_t outer) {
  return inner == outer || PlacesTable().province[inner] == outer;
}

size_t HanPlacePrefix(absl::string_view text, uint16_t& code) {
  for (size_t n = std::min(text.size(), PlacesTable().longest_han); n >= 6; n -= 3) {
    code = PlaceCode(text.substr(0, n));
    if (code != 0) return n;
  }
  return 0;
}

absl::string_view TradeWord(absl::string_view word) {
  const Trades& trades = TradesTable();
  const auto found = trades.meaning.find(word);
  return found == trades.meaning.end() ? absl::string_view() : found->second;
}

bool IsStopWord(absl::string_view word) {
  static const auto* const kWords = [] {
    const std::vector<absl::string_view> list = List(kStopWords);
    return new absl::flat_hash_set<absl::string_view>(list.begin(), list.end());
  }();
  return kWords->contains(word);
}

size_t HanTradeSuffix(absl::string_view text) {
  for (size_t n = std::min(text.size(), TradesTable().longest_han); n >= 3; n -= 3) {
    if (!TradeWord(text.substr(text.size() - n)).empty()) return n;
  }
  return 0;
}

const std::vector<absl::string_view>& HanForms() {
  static const auto* const kList = new std::vector<absl::string_view>(LongestFirst(kHanForms));
  return *kList;
}
const std::vector<absl::string_view>& HanEndings() {
  static const auto* const kList = new std::vector<absl::string_view>(LongestFirst(kHanEndings));
  return *kList;
}
const std::vector<absl::string_view>& HanBranches() {
  static const auto* const kList = new std::vector<absl::string_view>(LongestFirst(kHanBranches));
  return *kList;
}

bool SameGivenName(absl::string_view a, absl::string_view b) {
  static const auto* const kLines = new NameLines(MakeNicknames());
  const auto of_a = kLines->find(a);
  const auto of_b = kLines->find(b);
  if (of_a == kLines->end() || of_b == kLines->end()) return false;
  return std::any_of(of_a->second.begin(), of_a->second.end(), [&](int line) {
    return std::find(of_b->second.begin(), of_b->second.end(), line) != of_b->second.end();
  });
}

double SurnameShareOf(absl::string_view surname) {
  constexpr double kUsualShare = 0.0005;
  static const auto* const kShares = [] {
    auto* shares = new absl::flat_hash_map<absl::string_view, double>();
    for (const SurnameShare& share : kSurnames) (*shares)[share.name] = share.percent / 100;
    return shares;
  }();
  const auto found = kShares->find(surname);
  return found == kShares->end() ? kUsualShare : found->second;
}

}  // namespace outpace::match
