// Figures on the shipped sets, held with a margin below what bench/match/dedup_quality prints, so
// that a change that costs quality is seen.

#include "absl/strings/str_cat.h"
#include "bench/match/truth_sets.h"
#include "gtest/gtest.h"

namespace outpace::match {
namespace {

Quality Measure(const absl::StatusOr<TruthSet>& set) {
  EXPECT_TRUE(set.ok()) << set.status();
  if (!set.ok()) return {};
  Options options;
  options.kind = set->kind;
  return Judge(*set, FindDuplicates(set->records, options)->group);
}

std::string Data(const char* file) { return absl::StrCat(OUTPACE_TEST_DATA, "/dedup/", file); }

TEST(Quality, People) {
  for (const char* file : {"febrl1.csv", "febrl2.csv", "febrl3.csv"}) {
    const Quality quality = Measure(ReadFebrl(Data(file)));
    EXPECT_GE(quality.F1(), 0.98) << file;
    EXPECT_GE(quality.precision, 0.995) << file;
  }
}

TEST(Quality, CompanyNames) {
  const Quality quality = Measure(ReadCompanyNames(Data("company_names.csv")));
  EXPECT_GE(quality.F1(), 0.97);
  EXPECT_GE(quality.precision, 0.995);
}

TEST(BCubed, CountsRecordsNotPairs) {
  TruthSet set;
  set.entity = {0, 0, 0, 1};
  EXPECT_DOUBLE_EQ(BCubed(set, {0, 0, 0, 3}).F1(), 1);
  const Quality split = BCubed(set, {0, 0, 2, 3});
  EXPECT_DOUBLE_EQ(split.precision, 1);
  EXPECT_DOUBLE_EQ(split.recall, (2.0 * 2 / 3 + 1.0 / 3 + 1) / 4);
  const Quality lumped = PairQuality(set, {0, 0, 0, 0});
  EXPECT_DOUBLE_EQ(lumped.precision, 0.5);
  EXPECT_DOUBLE_EQ(lumped.recall, 1);
}

}  // namespace
}  // namespace outpace::match
