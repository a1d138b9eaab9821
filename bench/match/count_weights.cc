// Where the weights of score_place.cc and score_person.cc come from: how often each level of
// agreement is found in pairs that are the same (m) and in pairs of strangers (u), and the
// logarithm of their ratio beside the weight in use.
//
//   count_weights FEBRL.csv ...
//
// Pairs of strangers are drawn at random, so an agreement that none of them shows is given as at
// least what one would make.

#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/match/truth_sets.h"
#include "engine/base/rng.h"

namespace outpace::match {
namespace {

struct Level {
  double same = 0, strangers = 0;  // pairs
  double weight = 0;               // sum over all pairs
};
using Levels = std::map<std::pair<std::string, std::string>, Level>;

struct Counts {
  Levels levels;
  double same = 0, strangers = 0;
};

void Add(const TruthSet& set, size_t a, size_t b, Counts& counts) {
  const bool same = set.entity[a] == set.entity[b];
  (same ? counts.same : counts.strangers) += 1;
  for (const Evidence& evidence : Explain(set.records[a], set.records[b], set.kind, nullptr)) {
    Level& level = counts.levels[{evidence.field, evidence.rule}];
    (same ? level.same : level.strangers) += 1;
    level.weight += evidence.weight;
  }
}

void Count(const TruthSet& set, Counts& counts) {
  std::map<uint32_t, std::vector<size_t>> entities;
  for (size_t i = 0; i < set.entity.size(); ++i) entities[set.entity[i]].push_back(i);
  for (const auto& [entity, members] : entities) {
    for (size_t i = 0; i < members.size(); ++i) {
      for (size_t j = 0; j < i; ++j) Add(set, members[j], members[i], counts);
    }
  }
  constexpr int kStrangers = 100'000;
  Rng rng(1);
  for (int i = 0; i < kStrangers; ++i) {
    const size_t a = rng.Below(set.records.size()), b = rng.Below(set.records.size());
    if (set.entity[a] != set.entity[b]) Add(set, std::min(a, b), std::max(a, b), counts);
  }
}

int Main(int argc, char** argv) {
  Counts counts;
  for (int i = 1; i < argc; ++i) {
    const auto set = ReadFebrl(argv[i]);
    if (!set.ok()) {
      std::fprintf(stderr, "count_weights: %s\n", std::string(set.status().message()).c_str());
      return 1;
    }
    Count(*set, counts);
  }
  std::printf("%.0f pairs that are the same, %.0f of strangers\n", counts.same, counts.strangers);
  std::printf("%-34s %-28s %8s %9s %7s %7s\n", "field", "level", "m", "u", "counted", "in use");
  for (const auto& [name, level] : counts.levels) {
    const double m = std::max(1.0, level.same) / counts.same;
    const double u = std::max(1.0, level.strangers) / counts.strangers;
    std::printf("%-34s %-28s %8.5f %9.6f %s%6.1f %7.1f\n", name.first.c_str(), name.second.c_str(),
                level.same / counts.same, level.strangers / counts.strangers,
                level.strangers == 0 ? ">" : " ", std::log2(m / u),
                level.weight / (level.same + level.strangers));
  }
  return 0;
}

}  // namespace
}  // namespace outpace::match

int main(int argc, char** argv) { return outpace::match::Main(argc, argv); }
