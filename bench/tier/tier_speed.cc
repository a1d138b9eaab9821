// What a score and a result cost. One thread: leads of a list are scored by as many as there are.
//
//   score          one lead of twelve fields, features made anew
//   score_and_learn  the same, and its result learned: what a disposition costs
//   save           the whole state to bytes after 50,000 results

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/tier/model.h"
#include "engine/base/rng.h"

namespace outpace::tier {
namespace {

struct Lead {
  std::vector<std::string> values;
  int attempt, hour, weekday;
  std::string last_status;
};

constexpr const char* kNames[] = {"state",        "postal_code", "title",  "gender",
                                  "company_size", "branch",      "source", "age",
                                  "capital",      "founded",     "city",   "province"};

std::vector<Lead> MakeLeads(size_t count) {
  static constexpr const char* kStatus[] = {"NA", "B", "AB", "CALLBK", "NI"};
  Rng rng(7);
  std::vector<Lead> leads(count);
  for (Lead& lead : leads) {
    for (const int kinds : {50, 900, 4, 2, 200, 20, 12, 60, 5000, 40, 300, 31}) {
      const uint64_t value = rng.Below(static_cast<uint64_t>(kinds));
      lead.values.push_back(lead.values.size() % 3 == 1 ? absl::StrCat(value)
                                                        : absl::StrCat("value ", value));
    }
    lead.attempt = 1 + static_cast<int>(rng.Below(6));
    lead.hour = 8 + static_cast<int>(rng.Below(12));
    lead.weekday = static_cast<int>(rng.Below(5));
    lead.last_status = kStatus[rng.Below(5)];
  }
  return leads;
}

LeadView ViewOf(const Lead& lead, std::vector<LeadField>* fields) {
  fields->clear();
  for (size_t i = 0; i < lead.values.size(); ++i) fields->push_back({kNames[i], lead.values[i]});
  return {.fields = *fields,
          .attempt = lead.attempt,
          .hour = lead.hour,
          .weekday = lead.weekday,
          .last_status = lead.last_status,
          .caller_id = "+14155550100",
          .list = "101"};
}

TierModel Trained(const std::vector<Lead>& leads, int results) {
  ModelSettings settings;
  settings.features.profile = {"company_size", "city"};
  TierModel model(settings);
  Rng rng(1);
  std::vector<LeadField> fields;
  for (int i = 0; i < results; ++i) {
    const bool contact = rng.Chance(0.3);
    model.Learn(ViewOf(leads[static_cast<size_t>(i) % leads.size()], &fields),
                {.contact = contact,
                 .success = contact && rng.Chance(0.1),
                 .agent_time = absl::Seconds(90)});
  }
  return model;
}

void BM_Score(benchmark::State& state) {
  const std::vector<Lead> leads = MakeLeads(100'000);
  const TierModel model = Trained(leads, 50'000);
  std::vector<LeadField> fields;
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(model.Score(ViewOf(leads[at], &fields)));
    at = at + 1 == leads.size() ? 0 : at + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Score)->Name("score");

void BM_ScoreAndLearn(benchmark::State& state) {
  const std::vector<Lead> leads = MakeLeads(100'000);
  TierModel model = Trained(leads, 50'000);
  Rng rng(2);
  std::vector<LeadField> fields;
  size_t at = 0;
  for (auto _ : state) {
    const LeadView view = ViewOf(leads[at], &fields);
    benchmark::DoNotOptimize(model.Score(view));
    const bool contact = rng.Chance(0.3);
    model.Learn(view, {.contact = contact, .success = contact && rng.Chance(0.1)});
    at = at + 1 == leads.size() ? 0 : at + 1;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ScoreAndLearn)->Name("score_and_learn");

void BM_Save(benchmark::State& state) {
  const TierModel model = Trained(MakeLeads(100'000), 50'000);
  size_t bytes = 0;
  for (auto _ : state) bytes = model.Save().size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(BM_Save)->Name("save")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace outpace::tier
