// The names of two companies, word by word: words they share speak for them with the rarity of the
// word, words that only one has against, and when each has a word the other lacks they are two
// ("ritz-carlton cafe", "ritz-carlton dining room"). Weights are set by hand and were checked on
// both halves of each set (docs/MATCHING.md).

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/container/inlined_vector.h"
#include "absl/strings/match.h"
#include "campaign/match/edit_distance.h"
#include "campaign/match/score.h"
#include "campaign/match/vocabulary.h"

namespace outpace::match {
namespace {

using absl::string_view;
using Tokens = absl::Span<const NameToken>;
using Used = absl::InlinedVector<bool, 12>;

struct Alignment {
  double matched = 0;               // bits
  double left_a = 0, left_b = 0;    // bits of words without a like
  double minor_a = 0, minor_b = 0;  // of initials, remarks and stop words among them
  double typos = 0;                 // bits taken off for letters that differ
  bool own_matched = false;
  bool joined = false;  // blanks apart
};

bool IsWord(const NameToken& token) {
  return token.kind == TokenKind::kOwn || token.kind == TokenKind::kTrade;
}

// Bits to take off when two words are one with a slip of the pen; below 0: they are two words.
double TypoCost(const NameToken& a, const NameToken& b) {
  constexpr double kNo = -1;
  if (!IsWord(a) || !IsWord(b) || a.number || b.number) return kNo;
  const size_t shorter = std::min(a.text.size(), b.text.size());
  const size_t longer = std::max(a.text.size(), b.text.size());
  // Between Chinese brands one character of four or more, which is two letters of pinyin or more.
  if (a.han != 0 && b.han != 0) {
    if (std::min(a.han_chars, b.han_chars) < 4) return kNo;
    return EditSimilarity(a.text, b.text) >= 0.8 ? 4 : kNo;
  }
  if (shorter < 4) return kNo;
  // "pharm", "pharmaceutical".
  if (absl::StartsWith(a.text, b.text) || absl::StartsWith(b.text, a.text)) {
    if (longer - shorter <= 1) return longer >= 6 ? 1 : 2.5;
    if (longer >= 8 && longer <= 3 * shorter) return 3;
  }
  if (longer > 2 * shorter) return kNo;
  const int distance = EditDistance(a.text, b.text);
  if (distance == 1) return longer >= 8 ? 1.5 : longer >= 6 ? 2.5 : 6;
  if (distance == 2 && longer >= 8) return 3;
  return kNo;
}

// Words that have no like yet, written together.
struct RestOfName {
  std::string text;
  int words = 0;
  bool exact = false;  // numbers and Chinese brands are equal or they are not
};

RestOfName Rest(Tokens tokens, const Used& used) {
  RestOfName rest;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (used[i] || tokens[i].kind == TokenKind::kAside) continue;
    rest.text.append(tokens[i].text.data(), tokens[i].text.size());
    rest.exact = rest.exact || tokens[i].number || tokens[i].han != 0;
    ++rest.words;
  }
  return rest;
}

double UseRest(Tokens tokens, Used& used, bool& own) {
  double bits = 0;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (used[i] || tokens[i].kind == TokenKind::kAside) continue;
    used[i] = true;
    own = own || tokens[i].kind == TokenKind::kOwn;
    bits += tokens[i].bits;
  }
  return bits;
}

void MatchEqual(Tokens a, Tokens b, Used& used_a, Used& used_b, Alignment& found) {
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < b.size(); ++j) {
      if (used_b[j] || a[i].meaning != b[j].meaning) continue;
      used_a[i] = used_b[j] = true;
      found.matched += std::min(a[i].bits, b[j].bits);
      found.own_matched =
          found.own_matched || a[i].kind == TokenKind::kOwn || b[j].kind == TokenKind::kOwn;
      if (a[i].kind == TokenKind::kOwn && a[i].han != 0 && b[j].han != 0 && a[i].han != b[j].han) {
        // Chinese names of one sound and other characters; the shorter, the more there are.
        found.typos += std::max(a[i].han_chars, b[j].han_chars) >= 4 ? 1.5 : 5;
      }
      break;
    }
  }
}

void MatchTypos(Tokens a, Tokens b, Used& used_a, Used& used_b, Alignment& found) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (used_a[i]) continue;
    size_t best = b.size();
    double best_cost = 0;
    for (size_t j = 0; j < b.size(); ++j) {
      if (used_b[j]) continue;
      const double cost = TypoCost(a[i], b[j]);
      if (cost < 0 || (best < b.size() && cost >= best_cost)) continue;
      best = j;
      best_cost = cost;
    }
    if (best == b.size()) continue;
    used_a[i] = used_b[best] = true;
    found.matched += std::min(a[i].bits, b[best].bits);
    found.typos += std::min<double>(best_cost, std::min(a[i].bits, b[best].bits));
    found.own_matched =
        found.own_matched || a[i].kind == TokenKind::kOwn || b[best].kind == TokenKind::kOwn;
  }
}

// What is left on both sides, with the blanks elsewhere: "hoffman laroche", "hoffmann la roche".
void MatchJoined(Tokens a, Tokens b, Used& used_a, Used& used_b, Alignment& found) {
  const RestOfName rest_a = Rest(a, used_a), rest_b = Rest(b, used_b);
  if (rest_a.words == 0 || rest_b.words == 0 || rest_a.words + rest_b.words < 3) return;
  const size_t longer = std::max(rest_a.text.size(), rest_b.text.size());
  const int distance = EditDistance(rest_a.text, rest_b.text);
  const int most = rest_a.exact || rest_b.exact ? 0 : longer >= 12 ? 2 : longer >= 6 ? 1 : 0;
  if (distance > most) return;
  bool own_a = false, own_b = false;
  const double bits_a = UseRest(a, used_a, own_a), bits_b = UseRest(b, used_b, own_b);
  found.matched += std::min(bits_a, bits_b);
  found.typos += distance * 1.5;
  found.own_matched = found.own_matched || own_a || own_b;
  found.joined = true;
}

void CountLeft(Tokens tokens, const Used& used, double& left, double& minor) {
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (used[i]) continue;
    if (IsWord(tokens[i])) {
      left += tokens[i].bits;
    } else {
      minor += tokens[i].kind == TokenKind::kStop ? 0.1 : 0.7;
    }
  }
}

// "ibm", "international business machines".
bool IsAcronym(Tokens whole, Tokens letters) {
  string_view word;
  for (const NameToken& token : letters) {
    if (!IsWord(token) || token.han != 0) continue;
    if (!word.empty()) return false;
    word = token.text;
  }
  size_t at = 0;
  for (const NameToken& token : whole) {
    if (!IsWord(token) || token.han != 0) continue;
    if (at >= word.size() || token.text[0] != word[at]) return false;
    ++at;
  }
  constexpr size_t kLetters = 3;
  return at >= kLetters && at == word.size();
}

Alignment Align(Tokens a, Tokens b) {
  Alignment found;
  Used used_a(a.size(), false), used_b(b.size(), false);
  MatchEqual(a, b, used_a, used_b, found);
  MatchJoined(a, b, used_a, used_b, found);
  MatchTypos(a, b, used_a, used_b, found);
  MatchJoined(a, b, used_a, used_b, found);
  CountLeft(a, used_a, found.left_a, found.minor_a);
  CountLeft(b, used_b, found.left_b, found.minor_b);
  return found;
}

constexpr double kNameMost = 16;   // bits a name can say
constexpr double kNameLeast = 10;  // of two that are wholly equal and have a word of their own

struct NameLevel {
  const char* rule = "";
  NameScore score;
  double similarity = 0;
};

NameLevel Judge(const Prepared& a, const Prepared& b, const Alignment& found) {
  const double left = found.left_a + found.left_b;
  const double similarity = found.matched / std::max(1.0, found.matched + left);
  // Remarks and initials that differ on both sides are a little conflict, on one side next to none.
  const double minor = 0.5 * (found.minor_a + found.minor_b) +
                       (found.minor_a > 0.3 && found.minor_b > 0.3 ? 1.5 : 0);
  if (left == 0) {
    double bits = std::min(found.matched + 1, kNameMost);
    if (found.own_matched) bits = std::max(bits, kNameLeast);
    bits -= found.typos + minor;
    const char* rule = found.typos > 0 ? "equal but for slips"
                       : found.joined  ? "equal, other blanks"
                                       : "equal";
    return {rule, {bits, std::max(2.0, std::min(9.0, bits - 1))}, similarity};
  }
  if (found.left_a == 0 || found.left_b == 0) {
    if (found.matched == 0) return {"nothing in common", {-6, -6}, 0};
    const double bits = std::min(found.matched, kNameMost) - 0.8 * left - 1 - found.typos - minor;
    const double at_place = (found.own_matched ? 5 : 1) - found.typos - minor;
    // A parent and its daughter sit behind one switchboard too.
    return {"one within the other",
            {std::max(bits, -6.0), at_place, NameDoubt::kUnlessOneDoor},
            similarity};
  }
  if (IsAcronym(a.tokens, b.tokens) || IsAcronym(b.tokens, a.tokens)) {
    return {"acronym", {7.5, 4, NameDoubt::kAlways}, 0.7};
  }
  const double bits = 0.5 * (std::min(found.matched, kNameMost) - found.typos) - 6 -
                      std::min(found.left_a, found.left_b);
  return {"each has words of its own", {std::clamp(bits, -10.0, 2.0), -5}, similarity};
}

bool ChineseCity(uint16_t code) {
  static const uint16_t kChina = PlaceCode("china");
  return code < kChina;
}

Evidence ComparePlaces(const Prepared& a, const Prepared& b) {
  if (a.places[0] == 0 || b.places[0] == 0) return {};
  bool city = true;
  for (const uint16_t one : a.places) {
    for (const uint16_t other : b.places) {
      if (one == 0 || other == 0) continue;
      if (PlaceWithin(one, other) || PlaceWithin(other, one)) {
        return {"place in the name", "the same", 1, 0.5};
      }
      city = city && ChineseCity(one) && ChineseCity(other);
    }
  }
  // A firm of one name in another city is another firm; in another country it is often the same
  // concern.
  return {"place in the name", "different", 0, city ? -7.0 : -1.5};
}

}  // namespace

NameScore ScoreCompanyName(const Prepared& a, const Prepared& b, std::vector<Evidence>* why) {
  if (a.tokens.empty() || b.tokens.empty()) return {};
  const NameLevel level = Judge(a, b, Align(a.tokens, b.tokens));
  NameScore score = level.score;
  if (why != nullptr) {
    why->push_back({"company core", level.rule, level.similarity, score.against_stranger});
  }
  const auto add = [&](const Evidence& evidence) {
    score.against_stranger += evidence.weight;
    score.against_neighbour += evidence.weight;
    if (why != nullptr) why->push_back(evidence);
  };
  if (const Evidence places = ComparePlaces(a, b); places.weight != 0) add(places);
  if (a.branch != b.branch) add({"branch", "different", 0, -7});
  return score;
}

}  // namespace outpace::match
