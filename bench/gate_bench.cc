// What one verdict of the gate costs with all its checks on: do-not-call lists, windows, plan, the
// chosen sets of rules with the attempts of the last days, consent. Leads of many numbers, so that
// tables and lists are met as cold as a campaign meets them.

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "campaign/calling_window.h"
#include "campaign/gate/gate.h"
#include "campaign/number_plan.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace::gate {
namespace {

constexpr size_t kLeads = 20'000;  // the largest hopper_level
constexpr int kListed = 10'000'000;
constexpr int kRegistered = 30'000'000;
// 2026-07-01T16:00:00Z: from nine in Los Angeles to noon in New York.
const absl::Time kNow = absl::FromUnixSeconds(1782921600);

// A number of an area code of the United States, of no premium or special range. Those on lists
// are neighbours of the leads' and none of them: what is measured is the answer "allow".
E164 RandomPhone(Rng& rng, bool listed) {
  static constexpr uint64_t kAreas[] = {212, 305, 312, 404, 512, 602, 702, 713, 206, 215};
  return E164((1000 + kAreas[rng.Below(10)]) * 10'000'000 + (200 + rng.Below(700)) * 10'000 +
              2 * rng.Below(5000) + (listed ? 1 : 0));
}

// All that a verdict looks at. `compliance`: the sets chosen, "" for none.
struct Floor {
  Floor(const std::string& compliance, int attempts) {
    settings.id = "BENCH";
    settings.client_id = "ACME";
    settings.active = true;
    settings.local_call_time = *campaign::CallingWindow::Parse("06:00-21:00");
    settings.allowed_destinations = {"1"};
    OUTPACE_CHECK(settings.Set("compliance", compliance).ok());
    policy = Policy(settings, rules::RuleBook::BuiltIn());
    OUTPACE_CHECK(policy.fault().empty());
    Rng rng(1);
    history.set_from(absl::InfinitePast());
    for (size_t i = 0; i < kLeads; ++i) {
      campaign::Lead lead;
      lead.id = LeadId(i + 1);
      lead.phone = RandomPhone(rng, false);
      lead.alt_phone = RandomPhone(rng, false);
      lead.time_zones = campaign::TimeZonesOf(lead.phone);
      lead.fields = {
          {"first_name", "Ann"},      {"last_name", "Lee"},         {"state", "NY"},
          {"postal_code", "10001"},   {"consent", "written"},       {"consent_date", "2026-05-01"},
          {"comments", "calls back"}, {"address1", "1 Main Street"}};
      for (int n = 0; n < attempts; ++n) {
        campaign::Attempt attempt;
        attempt.campaign = "BENCH";
        attempt.dialed = lead.phone;
        attempt.dialed_at = kNow - absl::Hours(30 * (n + 1));
        history.Add(attempt);
      }
      leads.push_back(std::move(lead));
    }
    std::vector<uint64_t> listed;
    while (listed.size() < kListed) listed.push_back(RandomPhone(rng, true).value());
    dnc.AddMany(listed, "");
    dnc.AddMany({listed.data(), 1'000'000}, "BENCH");
    dnc.AddRange({1900}, dnc::DncScope{});
    dnc.Add(E164(listed[0]), dnc::DncScope{dnc::DncLevel::kClient, "ACME"});
    dnc.SetRegistries({Registry(rng)});
  }

  static std::shared_ptr<const dnc::RegistryFile> Registry(Rng& rng) {
    dnc::NumberSet numbers;
    std::vector<uint64_t> registered;
    while (registered.size() < kRegistered) registered.push_back(RandomPhone(rng, true).value());
    numbers.AddMany(registered);
    std::string directory = (std::filesystem::temp_directory_path() / "gate-bench-XXXXXX").string();
    OUTPACE_CHECK(::mkdtemp(directory.data()) != nullptr);
    const std::string path = directory + "/us-national.dnc";
    OUTPACE_CHECK(
        dnc::WriteRegistryFile(numbers, {"us-national", "bench", absl::CivilDay(2026, 6, 20)}, path)
            .ok());
    auto file = dnc::RegistryFile::Open(path);
    OUTPACE_CHECK(file.ok());
    std::filesystem::remove_all(directory);
    return *file;
  }

  campaign::CampaignSettings settings;
  Policy policy;
  NumberHistory history;
  dnc::DncSet dnc;
  std::vector<campaign::Lead> leads;
};

void Decide(benchmark::State& state, const Floor& floor) {
  size_t i = 0, refused = 0;
  for (auto _ : state) {
    const campaign::Lead& lead = floor.leads[i++ % kLeads];
    const Verdict verdict = gate::Decide({.lead = lead,
                                          .number = lead.phone,
                                          .settings = floor.settings,
                                          .policy = floor.policy,
                                          .history = floor.history},
                                         floor.dnc, kNow);
    refused += verdict.allowed() ? 0 : 1;
  }
  state.counters["refused"] = static_cast<double>(refused) / static_cast<double>(i);
}

// A campaign of its own settings alone.
void BM_Settings(benchmark::State& state) {
  static const Floor* const floor = new Floor("", 0);
  Decide(state, *floor);
}
BENCHMARK(BM_Settings);

// Everything there is for the United States; the range: attempts to the number in the last days.
const char kAllSets[] = "us-tsr,us-tcpa,us-states,us-reg-f,us-consent,destinations";
void BM_AllChecks(benchmark::State& state) {
  static const Floor* const none = new Floor(kAllSets, 0);
  static const Floor* const five = new Floor(kAllSets, 5);
  Decide(state, state.range(0) == 0 ? *none : *five);
}
BENCHMARK(BM_AllChecks)->Arg(0)->Arg(5);

}  // namespace
}  // namespace outpace::gate
