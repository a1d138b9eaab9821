#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "campaign/load/loader.h"
#include "campaign/store/memory_lead_store.h"
#include "dnc/dnc_set.h"
#include "engine/base/clock.h"
#include "gtest/gtest.h"

namespace outpace::load {

class FixedClock final : public Clock {
 public:
  MonoTime Mono() const override { return MonoTime(0); }
  absl::Time Wall() const override { return wall; }
  absl::Time wall = absl::FromCivil(absl::CivilSecond(2026, 1, 15, 12, 0, 0), absl::UTCTimeZone());
};

// A store with one empty list, and the accounts of every load checked against it.
class LoadTest : public testing::Test {
 protected:
  void SetUp() override { Reset(); }

  void Reset() {
    store = std::make_unique<store::MemoryLeadStore>();
    campaign::StoreBatch batch;
    batch.lists.push_back({.id = ListId(7), .name = "test", .campaign = "DEMO"});
    ASSERT_TRUE(store->Commit(batch).ok());
    options.list = ListId(7);
    options.campaign = "DEMO";
  }

  absl::StatusOr<LoadReport> Load(absl::string_view bytes) {
    rejects.clear();
    const size_t before = Leads().size();
    absl::StatusOr<LoadReport> report = LoadLeads(
        bytes, options, dnc, *store, clock, [this](const Reject& r) { rejects.push_back(r); });
    const size_t stored = Leads().size() - before;
    if (!report.ok()) {
      EXPECT_EQ(stored, 0u) << "a refused file leaves nothing behind";
      return report;
    }
    EXPECT_EQ(report->rows, report->loaded + report->duplicates_in_file +
                                report->duplicates_in_store + report->dnc + report->invalid);
    EXPECT_EQ(rejects.size(), report->rows - report->loaded);
    EXPECT_EQ(stored, report->held ? 0 : report->loaded);
    return report;
  }

  std::vector<campaign::Lead> Leads() const {
    std::vector<campaign::Lead> out;
    EXPECT_TRUE(store
                    ->ForEachLead([&](const campaign::Lead& lead) {
                      out.push_back(lead);
                      return true;
                    })
                    .ok());
    return out;
  }

  static std::string ReadFile(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    EXPECT_TRUE(in.good()) << path;
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  std::unique_ptr<store::MemoryLeadStore> store;
  dnc::DncSet dnc;
  LoadOptions options;
  FixedClock clock;
  std::vector<Reject> rejects;
};

}  // namespace outpace::load
