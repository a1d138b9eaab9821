// What a clause of a filter costs on one lead's value, and a filter of five clauses on one lead.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "campaign/filter/filter.h"
#include "engine/base/check.h"

namespace outpace::filter {
namespace {

struct Clause {
  const char* name;
  const char* text;
  std::vector<absl::string_view> values;  // in the order in which the filter names its fields
};

const std::vector<Clause>& Clauses() {
  static const auto* const kClauses = new std::vector<Clause>{
      {"number", "registered_capital >= 500万", {"5000000"}},
      {"number_with_separators", "registered_capital >= 500万", {"5,000,000"}},
      {"number_with_unit", "registered_capital >= 500万", {"1200万元人民币"}},
      {"endswith", "address1 endswith \"室\"", {"深圳市南山区科技园南路18号A座1203室"}},
      {"contains_any",
       "not company contains any (\"电气\", \"电器\")",
       {"深圳市鑫辉煌科技发展有限公司"}},
      {"contains_latin", "company contains \"Electric\"", {"Northern Plains Plumbing & Supply"}},
      {"equal", "state = \"CA\"", {"ca"}},
      {"in", "state in (\"CA\", \"NV\", \"AZ\", \"OR\", \"WA\", \"UT\", \"CO\")", {"UT"}},
      {"date", "entry_date > today - 30 days", {"2026-11-01"}},
      {"case_beyond_ascii", "last_name = \"MÜLLER\"", {"müller"}},
      {"matches", "company matches \"(公司|厂)$\"", {"深圳市鑫辉煌科技发展有限公司"}},
      {"five_clauses",
       "registered_capital >= 500万 and not address1 endswith \"室\" and "
       "not company contains any (\"电气\", \"电器\") and state in (\"CA\", \"NV\") and "
       "entry_date > today - 30 days",
       {"5000000", "深圳市南山区科技园南路18号A座1203", "深圳市鑫辉煌科技发展有限公司", "NV",
        "2026-11-11"}},
  };
  return *kClauses;
}

void BM_Clause(benchmark::State& state) {
  const Clause& clause = Clauses()[static_cast<size_t>(state.range(0))];
  FieldTypes types = StandardFields();
  types["registered_capital"] = campaign::FieldType::kNumber;
  const auto filter = Filter::Parse(clause.text, types, absl::CivilDay(2026, 11, 22));
  OUTPACE_CHECK(filter.ok() && filter->fields().size() == clause.values.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(filter->DroppedBy(clause.values));
  }
  state.SetItemsProcessed(state.iterations());
  state.SetLabel(clause.name);
}
BENCHMARK(BM_Clause)->DenseRange(0, static_cast<int64_t>(Clauses().size()) - 1);

// What `outpace filter set` and every refill of the hopper after a change pay once.
void BM_Parse(benchmark::State& state) {
  FieldTypes types = StandardFields();
  types["registered_capital"] = campaign::FieldType::kNumber;
  for (auto _ : state) {
    auto filter = Filter::Parse(Clauses().back().text, types, absl::CivilDay(2026, 11, 22));
    benchmark::DoNotOptimize(filter);
  }
}
BENCHMARK(BM_Parse);

}  // namespace
}  // namespace outpace::filter
