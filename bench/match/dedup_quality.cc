// How well FindDuplicates agrees with people, on the sets of a directory, beside simpler ways:
//
//   dedup_quality DIRECTORY [--errors N]
//
// Looks for febrl1.csv .. febrl4.csv, restaurants.csv and company_names.csv; what is not there is
// said and passed over. `parts` are the figures on each fifth of a set by itself: thresholds and
// weights are fixed, so a fifth that falls far from the whole would show a rule that was made for
// single rows. Exit code 1 when a set misses its mark.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/match/baselines.h"
#include "bench/match/truth_sets.h"

namespace outpace::match {
namespace {

struct Source {
  const char* file;
  absl::StatusOr<TruthSet> (*read)(const std::string&);
  double mark;  // F1 it must reach
};
const Source kSources[] = {{"febrl1.csv", ReadFebrl, 0.97},
                           {"febrl2.csv", ReadFebrl, 0.97},
                           {"febrl3.csv", ReadFebrl, 0.97},
                           {"febrl4.csv", ReadFebrl, 0.97},
                           {"restaurants.csv", ReadRestaurants, 0.97},
                           {"company_names.csv", ReadCompanyNames, 0.93}};

void PrintRow(const std::string& name, const Quality& quality) {
  std::printf("  %-34s P %.4f  R %.4f  F1 %.4f", name.c_str(), quality.precision, quality.recall,
              quality.F1());
}

Result Find(const TruthSet& set) {
  Options options;
  options.kind = set.kind;
  return FindDuplicates(set.records, options).value();
}

void PrintRecord(const Record& r, uint32_t entity) {
  std::printf("      [%u]", entity);
  for (const auto field :
       {&Record::first_name, &Record::last_name, &Record::company, &Record::street_number,
        &Record::address1, &Record::address2, &Record::city, &Record::state, &Record::postal_code,
        &Record::date_of_birth, &Record::phone}) {
    if (!(r.*field).empty()) std::printf(" %s |", std::string(r.*field).c_str());
  }
  std::printf("\n");
}

void PrintPair(const TruthSet& set, size_t a, size_t b, const char* what) {
  double score = 0;
  const std::vector<Evidence> why = Explain(set.records[a], set.records[b], set.kind, &score);
  std::printf("    %s, score %.3f by itself\n", what, score);
  PrintRecord(set.records[a], set.entity[a]);
  PrintRecord(set.records[b], set.entity[b]);
  for (const Evidence& e : why) std::printf("      %+.1f %s: %s\n", e.weight, e.field, e.rule);
}

// Pairs joined wrongly and pairs missed, up to `most` of each.
void PrintErrors(const TruthSet& set, const std::vector<uint32_t>& group, int most) {
  int wrong = 0, missed = 0;
  for (size_t i = 0; i < group.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const bool joined = group[i] == group[j], same = set.entity[i] == set.entity[j];
      if (joined && !same && ++wrong <= most) PrintPair(set, j, i, "joined, but two");
      if (!joined && same && ++missed <= most) PrintPair(set, j, i, "missed");
    }
  }
  std::printf("    %d pairs joined wrongly, %d missed\n", wrong, missed);
}

bool Report(const TruthSet& set, double mark, int errors) {
  std::printf("%s: %zu records, %s\n", set.name.c_str(), set.records.size(),
              set.b_cubed ? "B-cubed" : "pairs");
  for (const Baseline& baseline : Baselines(set)) {
    PrintRow(baseline.name, Judge(set, baseline.group));
    std::printf("\n");
  }
  const auto begin = std::chrono::steady_clock::now();
  const Result result = Find(set);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const Quality quality = Judge(set, result.group);
  PrintRow("FindDuplicates", quality);
  std::printf("  mark %.2f %s; %llu pairs compared in %.2f s, %llu blocks (%llu cut)\n", mark,
              quality.F1() >= mark ? "reached" : "MISSED",
              static_cast<unsigned long long>(result.compared), took.count(),
              static_cast<unsigned long long>(result.blocks),
              static_cast<unsigned long long>(result.blocks_cut));
  std::printf("  parts, F1 of each:");
  constexpr uint32_t kParts = 5;
  for (uint32_t part = 0; part < kParts; ++part) {
    const TruthSet some = PartOf(set, part, kParts);
    std::printf(" %.4f", Judge(some, Find(some).group).F1());
  }
  std::printf("\n");
  if (errors > 0) PrintErrors(set, result.group, errors);
  return quality.F1() >= mark;
}

int Main(int argc, char** argv) {
  std::string directory;
  int errors = 0;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--errors") == 0 && i + 1 < argc) {
      errors = std::atoi(argv[++i]);
    } else {
      directory = argv[i];
    }
  }
  if (directory.empty()) {
    std::fprintf(stderr, "usage: dedup_quality DIRECTORY [--errors N]\n");
    return 2;
  }
  bool reached = true;
  for (const Source& source : kSources) {
    auto set = source.read(absl::StrCat(directory, "/", source.file));
    if (!set.ok()) {
      std::printf("%s: not in %s, passed over\n", source.file, directory.c_str());
      continue;
    }
    reached = Report(*set, source.mark, errors) && reached;
  }
  return reached ? 0 : 1;
}

}  // namespace
}  // namespace outpace::match

int main(int argc, char** argv) { return outpace::match::Main(argc, argv); }
