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

// The parts, in bits; each has its file.
// What two records share by being at one place: address, city, number, mail.
void ScorePlace(const Prepared& a, const Prepared& b, Tally& tally);

struct NameScore {
  double against_stranger = 0;
  double against_neighbour = 0;
};
NameScore ScoreCompanyName(const Prepared& a, const Prepared& b, std::vector<Evidence>* why);
// Given name, birth date, workplace go to `own`, the surname to `shared`.
void ScorePerson(const Prepared& a, const Prepared& b, Tally& own, Tally& shared,
                 double& neighbour_relief);

}  // namespace outpace::match
