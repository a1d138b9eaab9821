#include "campaign/match/score.h"

#include <algorithm>
#include <cmath>

namespace outpace::match {
namespace {

// Before anything is compared. People: one pair of strangers in 2^18 that share a blocking key is
// the same. Companies: names alone must do where a list has nothing else.
constexpr double kPersonPrior = -18;
constexpr double kCompanyPrior = -6;
// Two records of one place are as often one person (company) as two.
constexpr double kPersonPlacePrior = 1.3;
constexpr double kCompanyPlacePrior = 1;

// -log2(2^-a + 2^-b): both alternatives count, the likelier one more.
double Against(double a, double b) {
  const double low = std::min(a, b), high = std::max(a, b);
  return low - std::log2(1 + std::exp2(low - high));
}

// The most bits where a name leaves it open whether they are two: above the usual
// threshold of review (0.70 is 1.2 bits) and below that of merging (0.90 is 3.2 bits).
constexpr double kDoubtMost = 2.5;
// Two people at one company, who are rung apart.
constexpr double kOtherContact = -14;

double Probability(double bits) { return 1 / (1 + std::exp2(-bits)); }

double AsNeighbours(const Tally& own, const Household& household) {
  return kPersonPlacePrior + own.bits() - household.relief;
}

double AsNeighbours(const NameScore& name, Contact contact) {
  return kCompanyPlacePrior + name.against_neighbour +
         (contact == Contact::kOther ? kOtherContact : 0);
}

double ScorePersons(const Prepared& a, const Prepared& b, std::vector<Evidence>* why) {
  Tally own(why), shared(why);
  const Household household = ScorePerson(a, b, own, shared);
  ScorePlace(a, b, shared);
  const double stranger = kPersonPrior + own.bits() + shared.bits();
  double bits = Against(stranger, AsNeighbours(own, household));
  if (household.doubtful && MayShareHouse(a, b)) bits = std::min(bits, kDoubtMost);
  if (why != nullptr) {
    why->push_back({"before comparing", "two of many records", 0, kPersonPrior});
    why->push_back({"household", "people of one household share the rest", 0, bits - stranger});
  }
  return Probability(bits);
}

double ScoreCompanies(const Prepared& a, const Prepared& b, std::vector<Evidence>* why) {
  const NameScore name = ScoreCompanyName(a, b, why);
  Tally place(why);
  ScorePlace(a, b, place);
  if (!a.email.empty() && a.email == b.email) place.Add("email", "equal", 1, a.email_bits);
  const Contact contact = CompareContacts(a, b);
  const double other = contact == Contact::kOther ? kOtherContact : 0;
  if (other != 0 && why != nullptr) why->push_back({"contact", "another person", 0, other});
  const double stranger = kCompanyPrior + name.against_stranger + place.bits() + other;
  double bits = Against(stranger, AsNeighbours(name, contact));
  const bool doubtful = name.doubt == NameDoubt::kAlways ||
                        (name.doubt == NameDoubt::kUnlessOneDoor && !ShareDoor(a, b));
  if (doubtful || contact == Contact::kDoubtful) bits = std::min(bits, kDoubtMost);
  if (why != nullptr) {
    why->push_back({"before comparing", "two of many records", 0, kCompanyPrior});
    why->push_back({"shared switchboard", "firms of one place share the rest", 0, bits - stranger});
  }
  return Probability(bits);
}

}  // namespace

double ScorePair(const Prepared& a, const Prepared& b, Kind kind, std::vector<Evidence>* why) {
  return kind == Kind::kPerson ? ScorePersons(a, b, why) : ScoreCompanies(a, b, why);
}

bool ClearlyTwo(const Prepared& a, const Prepared& b, Kind kind) {
  constexpr double kClearly = 0.25;
  if (kind == Kind::kCompany) {
    return Probability(AsNeighbours(ScoreCompanyName(a, b, nullptr), CompareContacts(a, b))) <
           kClearly;
  }
  Tally own(nullptr), shared(nullptr);
  const Household household = ScorePerson(a, b, own, shared);
  return Probability(AsNeighbours(own, household)) < kClearly;
}

bool VouchedFor(const Prepared& a, const Prepared& b, Kind kind) {
  if (kind == Kind::kCompany) return false;
  Tally own(nullptr), shared(nullptr);
  return ScorePerson(a, b, own, shared).vouched;
}

}  // namespace outpace::match
