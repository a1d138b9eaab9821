#include "campaign/match/company_name.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "campaign/match/match.h"
#include "campaign/match/text_words.h"
#include "campaign/match/vocabulary.h"

namespace outpace::match {
namespace {

constexpr size_t kHanBytes = 3;  // every Chinese character of the basic plane

// --- Names in Latin letters ------------------------------------------------------------------

// Bits of LegalForm for words [begin, begin + count) written together.
uint8_t FormAt(const Words& words, size_t begin, size_t count) {
  std::string together;
  for (size_t i = begin; i < begin + count; ++i) {
    if (words[i].han) return kFormNone;
    together += words[i].text;
    if (together.size() > kLegalFormBytesMax) return kFormNone;
  }
  return LegalForm(together);
}

constexpr size_t kFormWordsMax = 6;

// Words of the longest legal form that ends before `end` and does not begin the name; 0: none.
size_t FormBefore(const Words& words, size_t end, uint8_t places) {
  if (end < 2) return 0;
  for (size_t count = std::min(kFormWordsMax, end - 1); count > 0; --count) {
    if ((FormAt(words, end - count, count) & places) != 0) return count;
  }
  return 0;
}

// "N.V., Maasland, NL": the word after the comma that follows a legal form, where no more than four
// words come then; `end` if there is none.
size_t TailAfterForm(const Words& words, size_t end) {
  constexpr size_t kTailMax = 4;
  for (size_t i = end > kTailMax ? end - kTailMax : 1; i < end; ++i) {
    if (words[i].comma && FormBefore(words, i, kFormAnywhere | kFormAtEnd) > 0) return i;
  }
  return end;
}

// Takes the legal forms out of `words`.
void CutForms(Words& words) {
  size_t end = words.size();
  for (;;) {
    if (const size_t count = FormBefore(words, end, kFormAnywhere | kFormAtEnd); count > 0) {
      end -= count;
      continue;
    }
    const size_t tail = TailAfterForm(words, end);
    if (tail == end) break;
    end = tail;
  }
  words.resize(end);
  for (size_t at = 2; at <= words.size();) {
    const size_t count = FormBefore(words, at, kFormAnywhere);
    if (count == 0) {
      ++at;
      continue;
    }
    words.erase(words.begin() + static_cast<ptrdiff_t>(at - count),
                words.begin() + static_cast<ptrdiff_t>(at));
    at -= count - 1;
  }
  for (size_t count = std::min(kFormWordsMax, words.size()); count-- > 1;) {
    if ((FormAt(words, 0, count) & kFormAtStart) == 0) continue;
    words.erase(words.begin(), words.begin() + static_cast<ptrdiff_t>(count));
    break;
  }
}

// The code of the place that words [begin, begin + count) name together.
uint16_t PlaceAt(const Words& words, size_t begin, size_t count) {
  std::string together;
  for (size_t i = begin; i < begin + count; ++i) together += words[i].text;
  return PlaceCode(together);
}

// Takes countries and cities off the end, and Chinese cities off the front, as long as a word of
// the company's own is left.
void CutPlaces(Words& words, CompanyName& name) {
  const auto own_left = [&](size_t begin, size_t end) {
    return std::any_of(words.begin() + static_cast<ptrdiff_t>(begin),
                       words.begin() + static_cast<ptrdiff_t>(end), [](const Word& word) {
                         return word.han || (word.text.size() > 1 && !IsStopWord(word.text) &&
                                             TradeWord(word.text).empty());
                       });
  };
  for (size_t count = std::min<size_t>(4, words.size()); count > 0; --count) {
    const uint16_t code = count < words.size() ? PlaceAt(words, words.size() - count, count) : 0;
    if (code == 0 || !own_left(0, words.size() - count)) continue;
    name.places.push_back(code);
    words.resize(words.size() - count);
    count = std::min<size_t>(4, words.size()) + 1;
  }
  if (words.size() < 2 || words[0].han || words[0].text.size() < 5) return;
  const uint16_t code = PlaceCode(words[0].text);
  if (code == 0 || code >= PlaceCode("china") || !own_left(1, words.size())) return;
  name.places.push_back(code);
  words.erase(words.begin());
}

// --- Names in Chinese ------------------------------------------------------------------------

// Cuts "省", "市", "自治区" and the like behind a place's name, and a district after that.
void CutPlaceSuffix(absl::string_view& text) {
  bool city = false;
  for (const absl::string_view suffix :
       {"特别行政区", "自治区", "自治州", "地区", "省", "市", "县"}) {
    if (text.size() > suffix.size() && absl::ConsumePrefix(&text, suffix)) {
      city = true;
      break;
    }
  }
  if (!city) return;
  for (const size_t chars : {2, 3}) {
    const size_t n = chars * kHanBytes;
    if (text.size() < n + 3 * kHanBytes) continue;
    const absl::string_view next = text.substr(n, kHanBytes);
    if (next != "区" && next != "县" && next != "镇") continue;
    text.remove_prefix(n + kHanBytes);
    return;
  }
}

// Splits at the first legal form: what follows names a branch.
absl::string_view HeadBeforeForm(absl::string_view text, absl::string_view& tail) {
  for (size_t at = 0; at + kHanBytes < text.size(); at += kHanBytes) {
    for (const absl::string_view form : HanForms()) {
      if (!absl::StartsWith(text.substr(at), form)) continue;
      const absl::string_view head = text.substr(0, at);
      if (absl::EndsWith(head, "分")) continue;  // a branch, 分公司
      tail = text.substr(at + form.size());
      return head;
    }
  }
  tail = {};
  return text;
}

// The place a text ends in ("中国银行深圳" -> 深圳), which is cut off.
absl::string_view CutPlaceAtEnd(absl::string_view& text) {
  absl::string_view bare = text;
  absl::ConsumeSuffix(&bare, "市");
  for (const size_t chars : {4, 3, 2}) {
    const size_t n = chars * kHanBytes;
    if (bare.size() <= n || PlaceCode(bare.substr(bare.size() - n)) == 0) continue;
    const absl::string_view place = bare.substr(bare.size() - n);
    text = bare.substr(0, bare.size() - n);
    return place;
  }
  return {};
}

// Cuts the word for a branch and the branch's name off the end of `head`.
void CutBranch(absl::string_view& head, absl::string_view tail, CompanyName& name) {
  absl::string_view branch = tail;
  const absl::string_view whole = tail.empty() ? head : tail;
  for (const absl::string_view word : HanBranches()) {
    absl::string_view rest = whole;
    if (!absl::ConsumeSuffix(&rest, word)) continue;
    if (!tail.empty()) {
      branch = rest.empty() ? tail : rest;
    } else if (rest.size() >= 2 * kHanBytes) {
      head = rest;
      branch = CutPlaceAtEnd(head);
    }
    break;
  }
  absl::ConsumeSuffix(&branch, "市");
  name.branch = std::string(branch);
}

void AddHanTokens(absl::string_view run, CompanyName& name) {
  absl::string_view tail;
  absl::string_view head = HeadBeforeForm(run, tail);
  if (head.empty() && tail.empty() && name.tokens.empty()) head = run;  // nothing but a form
  CutBranch(head, tail, name);
  const absl::string_view whole = head;
  for (uint16_t code = 0;;) {
    const size_t n = HanPlacePrefix(head, code);
    if (n == 0 || head.size() < n + 2 * kHanBytes) break;
    name.places.push_back(code);
    head.remove_prefix(n);
    CutPlaceSuffix(head);
  }
  const auto cut_endings = [](absl::string_view& text) {
    for (const absl::string_view ending : HanEndings()) {
      if (text.size() > ending.size() && absl::ConsumeSuffix(&text, ending)) return true;
    }
    return false;
  };
  std::vector<absl::string_view> trades;  // from the end
  const auto cut_trades = [&](absl::string_view& text) {
    trades.clear();
    while (cut_endings(text)) {
    }
    while (const size_t n = HanTradeSuffix(text)) {
      trades.push_back(text.substr(text.size() - n));
      text.remove_suffix(n);
      while (cut_endings(text)) {
      }
    }
  };
  absl::string_view brand = head;
  cut_trades(brand);
  if (brand.empty() && head.size() < whole.size()) {
    // Nothing but a place and a trade: "北京银行". The place is the name.
    name.places.clear();
    brand = whole;
    cut_trades(brand);
  }
  if (!brand.empty()) {
    name.tokens.push_back({PinyinOf(brand), std::string(brand), PinyinOf(brand), TokenKind::kOwn});
    absl::StrAppend(&name.core, brand);
  }
  for (size_t i = trades.size(); i-- > 0;) {
    name.tokens.push_back({PinyinOf(trades[i]), std::string(trades[i]),
                           std::string(TradeWord(trades[i])), TokenKind::kTrade});
    absl::StrAppend(&name.core, trades[i]);
  }
}

// --- Both ------------------------------------------------------------------------------------

void AddLatinToken(const Word& word, TokenKind kind, CompanyName& name) {
  CoreToken token;
  token.text = word.han ? PinyinOf(word.text) : word.text;
  if (word.han) token.han = word.text;
  token.meaning = token.text;
  token.kind = kind;
  if (kind == TokenKind::kOwn) {
    const absl::string_view trade = TradeWord(word.text);
    if (IsStopWord(word.text)) {
      token.kind = TokenKind::kStop;
    } else if (!trade.empty()) {
      token.kind = TokenKind::kTrade;
      token.meaning = std::string(trade);
    } else if (PlaceCode(word.text) != 0) {
      token.kind = TokenKind::kTrade;
    }
  }
  if (kind != TokenKind::kAside) {
    absl::StrAppend(&name.core, name.core.empty() ? "" : " ", word.text);
  }
  name.tokens.push_back(std::move(token));
}

// "d s m" -> "dsm": the name, or initials before it.
void AddInitials(const Words& words, size_t begin, size_t end, CompanyName& name) {
  Word joined;
  for (size_t i = begin; i < end; ++i) joined.text += words[i].text;
  const bool whole_name = begin == 0 && end == words.size();
  AddLatinToken(joined, whole_name ? TokenKind::kOwn : TokenKind::kInitials, name);
}

bool IsLetter(const Word& word) {
  return word.text.size() == 1 && absl::ascii_isalpha(static_cast<unsigned char>(word.text[0]));
}

// Brackets hold a place or a remark.
void AddAside(const Words& asides, CompanyName& name) {
  for (size_t begin = 0; begin < asides.size();) {
    size_t end = begin + 1;
    while (end < asides.size() && asides[end].aside == asides[begin].aside) ++end;
    Words one(asides.begin() + static_cast<ptrdiff_t>(begin),
              asides.begin() + static_cast<ptrdiff_t>(end));
    begin = end;
    uint16_t code = PlaceAt(one, 0, one.size());
    if (code == 0 && one[0].han) {
      const size_t n = HanPlacePrefix(one[0].text, code);
      const absl::string_view rest = absl::string_view(one[0].text).substr(n);
      if (n > 0 && rest != "市" && rest != "省" && !rest.empty()) code = 0;
    }
    if (code != 0) {
      name.places.push_back(code);
      continue;
    }
    if (FormAt(one, 0, one.size()) != kFormNone || absl::StrContains(one[0].text, "合伙")) continue;
    for (const Word& word : one) AddLatinToken(word, TokenKind::kAside, name);
  }
}

void SortPlaces(CompanyName& name) {
  std::sort(name.places.begin(), name.places.end());
  name.places.erase(std::unique(name.places.begin(), name.places.end()), name.places.end());
}

// If all words are of the trade, they are the name: "General Electric", "中国银行".
void KeepSomethingOwn(CompanyName& name) {
  const auto is = [](TokenKind kind) {
    return [kind](const CoreToken& token) { return token.kind == kind; };
  };
  if (std::any_of(name.tokens.begin(), name.tokens.end(), is(TokenKind::kOwn))) return;
  const auto first = std::find_if(name.tokens.begin(), name.tokens.end(), is(TokenKind::kInitials));
  if (first != name.tokens.end() && first->text.size() > 1) first->kind = TokenKind::kOwn;
}

}  // namespace

CompanyName ParseCompanyName(absl::string_view text) {
  Words words, asides;
  for (Word& word : SplitWords(text)) {
    if (word.aside > 0) {
      asides.push_back(std::move(word));
    } else if (!words.empty() && word.han && words.back().han) {
      words.back().text += word.text;
    } else {
      words.push_back(std::move(word));
    }
  }
  // All of it in brackets: then it is no remark.
  if (words.empty()) std::swap(words, asides);
  CompanyName name;
  CutForms(words);
  CutPlaces(words, name);
  for (size_t i = 0; i < words.size();) {
    if (words[i].han) {
      AddHanTokens(words[i++].text, name);
      continue;
    }
    size_t end = i;
    while (end < words.size() && IsLetter(words[end])) ++end;
    if (end > i) {
      AddInitials(words, i, end, name);
      i = end;
    } else {
      AddLatinToken(words[i++], TokenKind::kOwn, name);
    }
  }
  AddAside(asides, name);
  KeepSomethingOwn(name);
  SortPlaces(name);
  return name;
}

std::string CompanyCore(absl::string_view name) { return ParseCompanyName(name).core; }

}  // namespace outpace::match
