// What belongs to a person alone: names, birth date, mail, workplace.

#include <algorithm>

#include "absl/strings/match.h"
#include "campaign/match/edit_distance.h"
#include "campaign/match/score.h"
#include "campaign/match/vocabulary.h"

namespace outpace::match {
namespace {

using absl::string_view;

// Whether a given name may be another person's in the same house.
enum class Telling { kSame, kLike, kOther };

struct Level {
  const char* rule = nullptr;  // nullptr: nothing to compare
  double similarity = 0;
  double weight = 0;
  Telling telling = Telling::kSame;
};

// A given name and its like in Latin letters.
Level CompareGiven(string_view a, string_view a_first, string_view b, string_view b_first,
                   double bits) {
  if (a.empty() || b.empty()) return {};
  if (a == b) return {"equal", 1, bits};
  if (a.size() == 1 || b.size() == 1) {
    return a[0] == b[0] ? Level{"initial", 0.8, 2.5}
                        : Level{"other initial", 0, -4, Telling::kOther};
  }
  if (SameGivenName(a, b) || SameGivenName(a_first, b_first)) return {"nickname", 0.9, 5};
  if (a_first == b_first || a == b_first || a_first == b) {
    return {"one of several names equal", 0.9, std::min(5.0, bits)};
  }
  const double similarity = EditSimilarity(a, b);
  const int distance = EditDistance(a, b);
  const size_t longer = std::max(a.size(), b.size());
  // A slip of the pen, or wife and husband, sister and brother: "Daniel", "Danielle".
  constexpr Telling kLike = Telling::kLike;
  if (distance == 1 && longer >= 4) {
    return {"one letter off", similarity, std::min(6.0, bits), kLike};
  }
  if ((distance == 2 && longer >= 6) || similarity >= 0.75) {
    return {"close", similarity, std::min(4.5, bits), kLike};
  }
  if (JaroWinkler(a, b) >= 0.86) return {"Jaro-Winkler", JaroWinkler(a, b), 2, kLike};
  return {"different", similarity, -4, Telling::kOther};
}

Level CompareSurname(string_view a, string_view b, double bits) {
  if (a.empty() || b.empty()) return {};
  if (a == b) return {"equal", 1, bits};
  const double similarity = EditSimilarity(a, b);
  const int distance = EditDistance(a, b);
  const size_t longer = std::max(a.size(), b.size());
  constexpr Telling kLike = Telling::kLike;
  if (distance == 1 && longer >= 4) {
    return {"one letter off", similarity, std::min(7.0, bits), kLike};
  }
  if ((distance == 2 && longer >= 6) || similarity >= 0.75) {
    return {"close", similarity, std::min(5.0, bits), kLike};
  }
  // "lillie-hinrichs", "lillie".
  if (std::min(a.size(), b.size()) >= 4 && (absl::StartsWith(a, b) || absl::EndsWith(a, b) ||
                                            absl::StartsWith(b, a) || absl::EndsWith(b, a))) {
    return {"one within the other", similarity, 3, kLike};
  }
  if (JaroWinkler(a, b) >= 0.88) return {"Jaro-Winkler", JaroWinkler(a, b), 2, kLike};
  return {"different", similarity, -3.5, Telling::kOther};
}

// Names written in Chinese on both sides: a letter more or less in pinyin is another name, and many
// characters share one reading.
Level CompareHan(string_view a, string_view b, bool same_sound, double bits) {
  if (a.empty() || b.empty()) return {};
  if (a == b) return {"equal", 1, bits};
  if (same_sound) return {"same sound, other characters", 0.7, -1, Telling::kLike};
  return {"different", 0, -5, Telling::kOther};
}

struct NamePair {
  Level given, surname;
  bool swapped = false;
  double Sum() const { return given.weight + surname.weight; }
};

NamePair CompareNames(const Prepared& a, const Prepared& b) {
  if (!a.surname_han.empty() && !b.surname_han.empty()) {
    return {CompareHan(a.given_han, b.given_han, a.given == b.given, a.given_bits),
            CompareHan(a.surname_han, b.surname_han, a.surname == b.surname, a.surname_bits)};
  }
  return {CompareGiven(a.given, a.given_first, b.given, b.given_first, a.given_bits),
          CompareSurname(a.surname, b.surname, a.surname_bits)};
}

// First and last name in each other's field.
NamePair CompareSwapped(const Prepared& a, const Prepared& b) {
  constexpr double kSwapped = -2;
  NamePair pair{CompareSurname(a.given, b.surname, b.surname_bits),
                CompareSurname(a.surname, b.given, a.surname_bits)};
  if (pair.given.rule == nullptr || pair.surname.rule == nullptr) return {};
  pair.given.weight += kSwapped;
  return pair;
}

NamePair BestNames(const Prepared& a, const Prepared& b) {
  const NamePair straight = CompareNames(a, b);
  NamePair swapped = CompareSwapped(a, b);
  if (swapped.given.rule == nullptr || swapped.Sum() <= straight.Sum()) return straight;
  swapped.swapped = true;
  return swapped;
}

Level CompareBirth(uint32_t a, uint32_t b, double bits) {
  if (a == 0 || b == 0) return {};
  if (a == b) return {"equal", 1, bits};
  if (a / 10000 == b / 10000 && a / 100 % 100 == b % 100 && a % 100 == b / 100 % 100) {
    return {"day and month swapped", 0.95, bits - 2};
  }
  char text_a[8], text_b[8];
  for (int i = 7; i >= 0; --i, a /= 10, b /= 10) {
    text_a[i] = static_cast<char>('0' + a % 10);
    text_b[i] = static_cast<char>('0' + b % 10);
  }
  const int distance = EditDistance(string_view(text_a, 8), string_view(text_b, 8));
  const double similarity = 1 - distance / 8.0;
  if (distance == 1) return {"one digit off", similarity, std::min(8.0, bits)};
  if (distance == 2) return {"two digits off", similarity, 0};
  return {"different", similarity, -5.5};
}

Level CompareEmail(string_view a, string_view b, double bits) {
  if (a.empty() || b.empty()) return {};
  if (a == b) return {"equal", 1, bits};
  const string_view local_a = a.substr(0, a.find('@')), local_b = b.substr(0, b.find('@'));
  constexpr size_t kTelling = 6;
  if (local_a == local_b && local_a.size() >= kTelling) return {"same name, other host", 0.7, 5};
  if (EditDistance(a, b) <= 1 && a.size() >= 2 * kTelling) return {"one letter off", 0.9, 8};
  return {"different", 0, -1};
}

void Add(const char* field, const Level& level, Tally& tally) {
  if (level.rule != nullptr) tally.Add(field, level.rule, level.similarity, level.weight);
}

}  // namespace

Household ScorePerson(const Prepared& a, const Prepared& b, Tally& own, Tally& shared) {
  const NamePair names = BestNames(a, b);
  Add(names.swapped ? "first name in last name's place" : "first name", names.given, own);
  Add(names.swapped ? "last name in first name's place" : "last name", names.surname, shared);
  const Level birth = CompareBirth(a.birth, b.birth, a.birth_bits);
  Add("birth date", birth, own);
  const Level email = CompareEmail(a.email, b.email, a.email_bits);
  Add("email", email, own);
  // Twins share a birth date and families a mailbox: against a neighbour they say less.
  constexpr double kTwins = 8, kFamilyMail = 4;
  Household household;
  household.relief =
      std::max(0.0, birth.weight - kTwins) + std::max(0.0, email.weight - kFamilyMail);
  household.vouched = birth.weight > 0 || email.weight > 0;
  household.doubtful = !household.vouched && names.given.telling != Telling::kSame &&
                       names.surname.telling == Telling::kSame;
  if (!a.work.empty() && !b.work.empty()) {
    const bool same = a.work == b.work;
    own.Add("workplace", same ? "equal" : "different", same ? 1 : 0, same ? 3 : -0.5);
  }
  return household;
}

Contact CompareContacts(const Prepared& a, const Prepared& b) {
  const NamePair names = BestNames(a, b);
  const Telling telling = std::max(names.given.telling, names.surname.telling);
  return telling == Telling::kSame   ? Contact::kSame
         : telling == Telling::kLike ? Contact::kDoubtful
                                     : Contact::kOther;
}

}  // namespace outpace::match
