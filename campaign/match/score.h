#pragma once

// How sure it is that two records are the same, after Fellegi and Sunter (1969): each field adds
// the logarithm of how much more often two records of one person agree (or differ) in it like this
// than records of two people do. Weights are in bits: +3 makes it eight times as likely.
//
// One thing their model leaves out matters to a dialer: fields are not independent between people
// who share a place. Families share surname, address and number, firms in one building share the
// switchboard. So a pair is weighed against both: two strangers, who agree by chance, and two
// neighbours, who agree in all that comes with the place. Against a neighbour only names, birth
// dates and personal mail count, and no number of shared telephones makes up for them.

#include <vector>

#include "campaign/match/match.h"
#include "campaign/match/prepared.h"

namespace outpace::match {

// Collects what the fields say; keeps the evidence when somebody asked for it.
class Tally {
 public:
  explicit Tally(std::vector<Evidence>* why) : why_(why) {}
  void Add(const char* field, const char* rule, double similarity, double weight) {
    bits_ += weight;
    if (why_ != nullptr) why_->push_back({field, rule, similarity, weight});
  }
  double bits() const { return bits_; }

 private:
  std::vector<Evidence>* const why_;
  double bits_ = 0;
};

// Probability that `a` and `b` are the same, 0..1. `why`, if not null, gets the evidence in the
// order it was found; its weights add up to the score's odds. Pure; any thread.
double ScorePair(const Prepared& a, const Prepared& b, Kind kind, std::vector<Evidence>* why);

// Whether what does not come with the place (names, birth date, mail) says that they are two, as of
// "John" and "Jane": no third record makes them one. Pure; any thread.
bool ClearlyTwo(const Prepared& a, const Prepared& b, Kind kind);
// Whether more than names says that two people are one: a birth date or mail.
bool VouchedFor(const Prepared& a, const Prepared& b, Kind kind);

// The parts, in bits; each has its file.
// What two records share by being at one place: address, city, number, mail.
void ScorePlace(const Prepared& a, const Prepared& b, Tally& tally);

// One number, or house and street as far as they are known: where a household could be.
bool MayShareHouse(const Prepared& a, const Prepared& b);
// One number, one house and one street: more than a switchboard that many share.
bool ShareDoor(const Prepared& a, const Prepared& b);

// Whether two names that are not equal can be told to be one company's by a person only.
enum class NameDoubt { kNone, kUnlessOneDoor, kAlways };

struct NameScore {
  double against_stranger = 0;
  double against_neighbour = 0;
  NameDoubt doubt = NameDoubt::kNone;
};
NameScore ScoreCompanyName(const Prepared& a, const Prepared& b, std::vector<Evidence>* why);
// What decides between one person and two of one household.
struct Household {
  // Bits of a birth date and of mail that twins and families share as well.
  double relief = 0;
  // The given names are neither equal nor a nickname nor an initial, and nothing a person has alone
  // (birth date, mail) says that one is a slip of the pen: "Michael", "Michelle".
  bool doubtful = false;
  bool vouched = false;  // birth date or mail agree
};
// Given name, birth date, workplace go to `own`, the surname to `shared`.
Household ScorePerson(const Prepared& a, const Prepared& b, Tally& own, Tally& shared);
// Whether two records of one company name the same person there; no names: they may.
enum class Contact { kSame, kDoubtful, kOther };
Contact CompareContacts(const Prepared& a, const Prepared& b);

}  // namespace outpace::match
