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

double Probability(double bits) { return 1 / (1 + std::exp2(-bits)); }

double ScorePersons(const Prepared& a, const Prepared& b, std::vector<Evidence>* why) {
  Tally own(why), shared(why);
  double relief = 0;
  ScorePerson(a, b, own, shared, relief);
  ScorePlace(a, b, shared);
  const double stranger = kPersonPrior + own.bits() + shared.bits();
  const double bits = Against(stranger, kPersonPlacePrior + own.bits() - relief);
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
  const double stranger = kCompanyPrior + name.against_stranger + place.bits();
  const double bits = Against(stranger, kCompanyPlacePrior + name.against_neighbour);
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

}  // namespace outpace::match
