#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/match/truth_sets.h"

namespace outpace::match {

// What simpler ways would find, to compare with. Groups as of Result::group.
struct Baseline {
  std::string name;
  std::vector<uint32_t> group;
};

// Of people: names and birth date equal; blocked Jaro-Winkler mean >= 0.75. Of companies with a
// number: raw number, ten digits equal, name equal. Of bare names: equal as written, folded,
// without legal form, and that with Jaro-Winkler >= 0.90 in single linkage.
std::vector<Baseline> Baselines(const TruthSet& set);

}  // namespace outpace::match
