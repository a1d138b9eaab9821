// What a pass over all leads costs (campaign_tiers.h): ten million leads with ten fields in RocksDB
// on disk, all due, scored by a model that has learned from 20,000 results; on one thread and on
// two. Beside it what reading them without scoring costs, and scoring without reading.
//
//   tier_pass [--leads 10000000] [--runs 3] [--dir <directory>]

#include <time.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/tier/campaign_tiers.h"
#include "engine/base/check.h"
#include "engine/base/rng.h"

namespace outpace {
namespace {

namespace po = boost::program_options;
using campaign::Lead;

constexpr char kCampaign[] = "BENCH";
const absl::Time kNow = absl::FromUnixSeconds(1'792'504'800);

double Seconds(clockid_t clock) {
  timespec now{};
  OUTPACE_CHECK(::clock_gettime(clock, &now) == 0);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void Check(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "tier_pass: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}
template <typename T>
T Value(absl::StatusOr<T> value) {
  Check(value.status());
  return *std::move(value);
}

// Ten fields as lists of the field have them: six that a score looks at, four names and keys.
const char* const kFields[] = {"first_name", "last_name", "vendor_lead_code", "email", "city",
                               "state",      "job",       "product",          "age",   "balance"};

std::string FieldOf(size_t field, uint64_t lead) {
  const uint64_t draw = lead * 0x9e3779b97f4a7c15u >> 32;
  switch (field) {
    case 0:
      return absl::StrCat("Ann", draw % 500);
    case 1:
      return absl::StrCat("Meyer", draw % 5000);
    case 2:
      return absl::StrCat("K", lead);
    case 3:
      return absl::StrCat("a", lead, "@example.com");
    case 4:
      return absl::StrCat("City ", draw % 900);
    case 5:
      return absl::StrCat("S", draw % 50);
    case 6:
      return absl::StrCat("job ", draw % 12);
    case 7:
      return absl::StrCat("product ", draw % 7);
    case 8:
      return absl::StrCat(18 + draw % 70);
    default:
      return absl::StrCat(draw % 100'000);
  }
}

void Load(store::RocksLeadStore& store, uint64_t leads) {
  campaign::StoreBatch batch;
  campaign::List list;
  list.id = ListId(1);
  list.campaign = kCampaign;
  batch.lists.push_back(list);
  Check(store.Commit(batch));
  campaign::BulkOptions options;
  options.import = ImportId(1);
  options.list = ListId(1);
  options.campaign = kCampaign;
  options.entry_date = kNow - absl::Hours(24);
  for (const char* field : kFields) options.layout.push_back({field});
  const std::unique_ptr<campaign::LeadBulk> bulk = Value(store.BeginBulk(options));
  const uint32_t zone = Value(store.InternZones({"America/New_York"}));
  constexpr uint64_t kChunk = 50'000;
  std::vector<std::string> texts(kChunk);
  std::vector<campaign::BulkLead> chunk;
  for (uint64_t done = 0; done < leads;) {
    const uint64_t n = std::min(kChunk, leads - done);
    const uint64_t first = Value(store.ReserveLeadIds(n));
    chunk.clear();
    for (uint64_t i = 0; i < n; ++i) {
      texts[i].clear();
      for (size_t f = 0; f < std::size(kFields); ++f) {
        campaign::AppendFieldText(FieldOf(f, first + i), texts[i]);
      }
      campaign::BulkLead lead;
      lead.phone = E164(12'000'000'000 + first + i);
      lead.zones = zone;
      lead.fields = texts[i];
      chunk.push_back(lead);
    }
    Check(bulk->Add(LeadId(first), chunk));
    done += n;
  }
  campaign::Import import;
  import.id = ImportId(1);
  import.list = ListId(1);
  Check(bulk->Publish(import));
}

Lead MakeLead(uint64_t id) {
  Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(1);
  lead.campaign = kCampaign;
  lead.time_zones = {"America/New_York"};
  for (size_t f = 0; f < std::size(kFields); ++f) lead.fields[kFields[f]] = FieldOf(f, id);
  return lead;
}

void Teach(tier::CampaignTiers& tiers) {
  Rng rng(3);
  for (uint64_t i = 1; i <= 20'000; ++i) {
    const Lead lead = MakeLead(rng.Next() >> 20);
    campaign::Attempt record;
    record.id = AttemptId(i);
    record.lead = lead.id;
    record.campaign = kCampaign;
    record.dialed_at = kNow - absl::Hours(2);
    record.outcome = "no_answer";
    record.status = "NA";
    if (rng.Chance(0.3)) {
      record.outcome = "answered";
      record.answered_at = record.connected_at = record.dialed_at + absl::Seconds(9);
      record.disposed_at = record.dialed_at + absl::Seconds(90);
      record.status = rng.Chance(0.1) ? "SALE" : "NI";
    }
    tiers.Learn(lead, record);
  }
}

// Reads each lead with its fields and does nothing with it.
class Reader final : public campaign::LeadVisitor {
 public:
  absl::Status Visit(const campaign::LeadGlance&, campaign::WholeLead whole) override {
    const auto lead = whole();
    if (lead.ok()) fields += lead->fields.size();
    return lead.status();
  }
  uint64_t fields = 0;
};

struct Cost {
  double wall = 0, cpu = 0;
};
template <typename Work>
Cost Median(int runs, const Work& work) {
  std::vector<Cost> costs;
  for (int run = 0; run < runs; ++run) {
    const double wall = Seconds(CLOCK_MONOTONIC), cpu = Seconds(CLOCK_PROCESS_CPUTIME_ID);
    work();
    costs.push_back({Seconds(CLOCK_MONOTONIC) - wall, Seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu});
  }
  std::sort(costs.begin(), costs.end(),
            [](const Cost& a, const Cost& b) { return a.wall < b.wall; });
  return costs[costs.size() / 2];
}

void Print(const char* what, uint64_t leads, const Cost& cost) {
  std::printf("%-34s %7.2f s wall %7.2f s CPU %6.2f us CPU a lead\n", what, cost.wall, cost.cpu,
              1e6 * cost.cpu / static_cast<double>(leads));
  std::fflush(stdout);
}

int Main(int argc, char** argv) {
  uint64_t leads = 0;
  int runs = 0;
  std::string directory;
  po::options_description described("tier_pass: what scoring all leads of a list costs");
  described.add_options()("help", "this text")(
      "leads", po::value(&leads)->default_value(10'000'000), "leads")(
      "runs", po::value(&runs)->default_value(3), "medians of so many")(
      "dir",
      po::value(&directory)
          ->default_value((std::filesystem::temp_directory_path() / "outpace-tier-pass").string()),
      "made and removed");
  po::variables_map given;
  po::store(po::parse_command_line(argc, argv, described), given);
  po::notify(given);
  if (given.count("help") > 0) {
    std::cout << described;
    return 0;
  }
  std::filesystem::remove_all(directory);
  {
    store::RocksLeadStore::Options options;
    options.path = directory;
    const auto store = Value(store::RocksLeadStore::Open(options));
    Load(*store, leads);
    campaign::CampaignSettings settings;
    settings.id = kCampaign;
    settings.active = true;
    Check(settings.Set("tier_mode", "SCORE"));
    tier::CampaignTiers tiers(settings);
    Teach(tiers);
    std::printf("%llu leads, ten fields each, all due\n", static_cast<unsigned long long>(leads));
    for (const size_t threads : {size_t{1}, size_t{2}}) {
      const std::string on = absl::StrCat(", ", threads, " threads");
      Print(("reading alone" + on).c_str(), leads, Median(runs, [&] {
              std::vector<Reader> readers(threads);
              std::vector<campaign::LeadVisitor*> visitors;
              for (Reader& reader : readers) visitors.push_back(&reader);
              Check(store->ScanLeads(kCampaign, visitors));
            }));
      Print(("a pass" + on).c_str(), leads, Median(runs, [&] {
              auto parts = tiers.BeginPass(threads, kNow, {ListId(1)});
              std::vector<campaign::LeadVisitor*> visitors;
              for (const auto& part : parts) visitors.push_back(part.get());
              Check(store->ScanLeads(kCampaign, visitors));
              tiers.EndPass(std::move(parts), kNow, absl::Seconds(1));
              OUTPACE_CHECK(tiers.Report().due == leads);
            }));
    }
  }
  std::filesystem::remove_all(directory);
  return 0;
}

}  // namespace
}  // namespace outpace

int main(int argc, char** argv) { return outpace::Main(argc, argv); }
