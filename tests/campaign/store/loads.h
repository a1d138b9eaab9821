#pragma once

// A numbered series of bulk loads, and the check that a store holds each of them as a whole or not
// at all. Used by the tests that kill, cut the power and fill the disk.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {

inline constexpr uint64_t kLoadChunks = 3;
inline constexpr uint64_t kLoadChunkLeads = 40;
inline constexpr uint64_t kLoadLeads = kLoadChunks * kLoadChunkLeads;

// Load number `n`: leads n * 1000 and on, into list 1. `before_publish` is called in time. Makes
// the list if there is none.
inline absl::Status RunLoad(
    RocksLeadStore& store, uint64_t n, const std::function<void()>& before_publish = [] {}) {
  const auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  if (lists->empty()) {
    campaign::StoreBatch batch;
    batch.lists.emplace_back();
    batch.lists[0].id = ListId(1);
    batch.lists[0].campaign = "DEMO";
    if (absl::Status status = store.Commit(batch); !status.ok()) return status;
  }
  campaign::BulkOptions options;
  options.import = ImportId(n);
  options.list = ListId(1);
  options.campaign = "DEMO";
  options.entry_date = kStart;
  options.layout = {{"first_name"}, {"comments"}};
  const auto zones = store.InternZones({"Asia/Shanghai", absl::StrCat("Zone/", n)});
  if (!zones.ok()) return zones.status();
  auto bulk = store.BeginBulk(options);
  if (!bulk.ok()) return bulk.status();
  uint64_t id = n * 1000;
  for (uint64_t chunk = 0; chunk < kLoadChunks; ++chunk) {
    std::vector<campaign::BulkLead> leads(kLoadChunkLeads);
    std::vector<std::string> texts(kLoadChunkLeads);
    for (size_t i = 0; i < leads.size(); ++i) {
      campaign::AppendFieldText("Ann", texts[i]);
      campaign::AppendFieldText(std::string(100 + i, 'c'), texts[i]);
      leads[i].fields = texts[i];
      leads[i].phone = E164(14'155'550'000 + (n * 7919 + i * 31 + chunk) % 1000);
      if (i % 3 == 0) leads[i].alt_phone = E164(14'155'556'000 + i);
      leads[i].rank = static_cast<int8_t>(i % 5);
      leads[i].zones = *zones;
    }
    if (absl::Status s = (*bulk)->Add(LeadId(id), leads); !s.ok()) return s;
    id += kLoadChunkLeads;
  }
  before_publish();
  campaign::Import import;
  import.id = options.import;
  import.list = options.list;
  import.campaign = options.campaign;
  import.counts.rows = import.counts.accepted = kLoadLeads;
  import.started = import.finished = kStart;
  import.first_lead = LeadId(n * 1000);
  return (*bulk)->Publish(import);
}

// The loads that are in the store, in order; DataLoss or Internal if one is there in part.
inline absl::StatusOr<std::vector<uint64_t>> LoadsIn(const RocksLeadStore& store) {
  if (absl::Status status = store.Verify(); !status.ok()) return status;
  const auto imports = store.Imports();
  if (!imports.ok()) return imports.status();
  std::vector<uint64_t> loads;
  std::map<uint64_t, uint64_t> expected, found;
  for (const campaign::Import& import : *imports) {
    loads.push_back(import.id.value());
    expected[import.id.value()] = kLoadLeads;
  }
  const absl::Status status = store.ForEachLead([&](const campaign::Lead& lead) {
    if (lead.import.valid()) ++found[lead.id.value() / 1000];
    return true;
  });
  if (!status.ok()) return status;
  const auto lists = store.Lists();
  if (!lists.ok()) return lists.status();
  const int64_t counted = lists->empty() ? 0 : lists->at(0).leads;
  if (found != expected || counted != static_cast<int64_t>(loads.size() * kLoadLeads)) {
    return absl::InternalError(absl::StrCat("imports ", loads.size(), ", loads with leads ",
                                            found.size(), ", leads of the list ", counted));
  }
  return loads;
}

}  // namespace outpace::store
