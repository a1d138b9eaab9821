// Fields that come with a place. The weights lie near what bench/match/count_weights counts on the
// three Febrl sets, nearer to nothing where those sets, made by a program, are surer than people's
// lists can be. Telephone, mail and vendor code, which they do not have, are set by hand.

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "campaign/match/edit_distance.h"
#include "campaign/match/score.h"

namespace outpace::match {
namespace {

using absl::string_view;

// 1 equal; 0.93 when one is the beginning of the other ("sunset boulevard", "sunset boulevard
// west").
double StreetSimilarity(string_view a, string_view b) {
  if (a.empty() || b.empty()) return 0;
  if (a == b) return 1;
  constexpr size_t kBeginning = 6;
  if (std::min(a.size(), b.size()) >= kBeginning &&
      (absl::StartsWith(a, b) || absl::StartsWith(b, a))) {
    return 0.93;
  }
  return EditSimilarity(a, b);
}

constexpr double kCloseStreet = 0.78;

struct StreetWeights {
  double close, near, different;
};

void AddStreet(const char* field, string_view a, string_view b, double bits, const StreetWeights& w,
               Tally& tally) {
  if (a.empty() || b.empty()) return;
  const double similarity = StreetSimilarity(a, b);
  if (similarity == 1) {
    tally.Add(field, "equal", 1, bits);
  } else if (similarity >= kCloseStreet) {
    tally.Add(field, "close", similarity, std::min(w.close, bits));
  } else if (similarity >= 0.6) {
    tally.Add(field, "alike", similarity, std::min(w.near, bits));
  } else {
    tally.Add(field, "different", similarity, w.different);
  }
}

void AddStreets(const Prepared& a, const Prepared& b, Tally& tally) {
  constexpr StreetWeights kFirst{8.5, 3, -2.5}, kSecond{7, 2, -1};
  // The two address lines often change places.
  const bool two = !a.street2.empty() || !b.street2.empty();
  if (two) {
    const double straight =
        StreetSimilarity(a.street1, b.street1) + StreetSimilarity(a.street2, b.street2);
    const double crossed =
        StreetSimilarity(a.street1, b.street2) + StreetSimilarity(a.street2, b.street1);
    if (crossed > straight + 0.25) {
      AddStreet("street (lines swapped)", a.street1, b.street2, a.street_bits - 1, kFirst, tally);
      AddStreet("address line 2 (lines swapped)", a.street2, b.street1, b.street_bits - 1, kSecond,
                tally);
      return;
    }
  }
  AddStreet("street", a.street1, b.street1, a.street_bits, kFirst, tally);
  AddStreet("address line 2", a.street2, b.street2, a.street2_bits, kSecond, tally);
}

void AddHouse(const Prepared& a, const Prepared& b, Tally& tally) {
  if (a.house.empty() || b.house.empty()) return;
  if (a.house == b.house) {
    tally.Add("house number", "equal", 1, a.house_bits);
    return;
  }
  const double similarity = EditSimilarity(a.house, b.house);
  if (std::max(a.house.size(), b.house.size()) >= 2 && EditDistance(a.house, b.house) == 1) {
    tally.Add("house number", "one digit off", similarity, 0);
  } else {
    tally.Add("house number", "different", similarity, -2.5);
  }
}

void AddCity(const Prepared& a, const Prepared& b, Tally& tally) {
  if (a.city.empty() || b.city.empty()) return;
  if (a.city == b.city) {
    tally.Add("city", "equal", 1, a.city_bits);
    return;
  }
  // "w. hollywood", "hollywood".
  const bool within = std::min(a.city.size(), b.city.size()) >= 5 &&
                      (absl::StrContains(a.city, b.city) || absl::StrContains(b.city, a.city));
  const double similarity = EditSimilarity(a.city, b.city);
  if (within || similarity >= 0.75) {
    tally.Add("city", within ? "one within the other" : "close", similarity,
              std::min<double>(6, a.city_bits));
  } else {
    tally.Add("city", "different", similarity, -3);
  }
}

void AddPostal(const Prepared& a, const Prepared& b, Tally& tally) {
  if (a.postal.empty() || b.postal.empty()) return;
  const double similarity = EditSimilarity(a.postal, b.postal);
  if (a.postal == b.postal) {
    tally.Add("postal code", "equal", 1, a.postal_bits);
  } else if (EditDistance(a.postal, b.postal) == 1 ||
             (a.postal.size() >= 5 && absl::StartsWith(a.postal, b.postal))) {
    tally.Add("postal code", "one digit off", similarity, 3);
  } else {
    tally.Add("postal code", "different", similarity, -3.5);
  }
}

void AddState(const Prepared& a, const Prepared& b, Tally& tally) {
  if (a.state.empty() || b.state.empty()) return;
  if (a.state == b.state) {
    tally.Add("state", "equal", 1, a.state_bits);
  } else {
    tally.Add("state", "different", 0, -2.5);
  }
}

// Decimal digits behind the leading 1 of a PhoneKey.
int KeyDigits(uint64_t key) { return static_cast<int>(std::log10(static_cast<double>(key))); }

// Digits in which two keys of one length differ.
int DigitsOff(uint64_t a, uint64_t b) {
  int off = 0;
  for (; a != 0 || b != 0; a /= 10, b /= 10) off += a % 10 != b % 10;
  return off;
}

void AddPhone(const Prepared& a, const Prepared& b, Tally& tally) {
  if (a.phone == 0 || b.phone == 0) return;
  constexpr uint64_t kLocal = 10'000'000;  // seven digits: a number without its area code
  if (a.phone == b.phone) {
    tally.Add("phone", "equal", 1, a.phone_bits);
  } else if (KeyDigits(a.phone) != KeyDigits(b.phone) && a.phone % kLocal == b.phone % kLocal) {
    tally.Add("phone", "equal but for the area code", 0.8, std::min<double>(10, a.phone_bits));
  } else if (DigitsOff(a.phone, b.phone) == 1) {
    tally.Add("phone", "one digit off", 0.9, 3);
  } else {
    tally.Add("phone", "different", 0, -1.5);
  }
}

void AddVendor(const Prepared& a, const Prepared& b, Tally& tally) {
  // Codes that differ say nothing: every vendor numbers anew.
  if (!a.vendor.empty() && a.vendor == b.vendor) {
    tally.Add("vendor code", "equal", 1, a.vendor_bits);
  }
}

}  // namespace

bool MayShareHouse(const Prepared& a, const Prepared& b) {
  if (a.phone != 0 && a.phone == b.phone) return true;
  if (!a.house.empty() && !b.house.empty() && a.house != b.house) return false;
  const double street =
      std::max({StreetSimilarity(a.street1, b.street1), StreetSimilarity(a.street1, b.street2),
                StreetSimilarity(a.street2, b.street1)});
  return street >= kCloseStreet;
}

bool ShareDoor(const Prepared& a, const Prepared& b) {
  return a.phone != 0 && a.phone == b.phone && !a.house.empty() && a.house == b.house &&
         StreetSimilarity(a.street1, b.street1) >= kCloseStreet;
}

void ScorePlace(const Prepared& a, const Prepared& b, Tally& tally) {
  AddStreets(a, b, tally);
  AddHouse(a, b, tally);
  AddCity(a, b, tally);
  AddPostal(a, b, tally);
  AddState(a, b, tally);
  AddPhone(a, b, tally);
  AddVendor(a, b, tally);
}

}  // namespace outpace::match
