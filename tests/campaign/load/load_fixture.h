#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// A store with one empty list. The accounts of every load are checked against it, and every file is
// loaded a second time into a copy of the store, in pieces of other sizes and by more threads, and
// must come to the same.
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
    const std::unique_ptr<store::MemoryLeadStore> copy = CopyOfStore();
    rejects.clear();
    const size_t before = Leads().size();
    absl::StatusOr<LoadReport> report = LoadInto(*store, bytes, options, rejects);
    const size_t stored = Leads().size() - before;
    if (!report.ok()) {
      EXPECT_EQ(stored, 0u) << "a refused file leaves nothing behind";
    } else {
      EXPECT_TRUE(report->counts.Balanced());
      EXPECT_EQ(rejects.size(), report->counts.rows - report->counts.accepted);
      EXPECT_EQ(stored, report->held || options.dry_run ? 0 : report->counts.accepted);
    }
    LoadOptions in_pieces = options;
    in_pieces.piece_octets = 64;
    in_pieces.threads = 3;
    std::vector<Reject> again;
    const absl::StatusOr<LoadReport> other = LoadInto(*copy, bytes, in_pieces, again);
    EXPECT_EQ(Trace(*copy, other, again), Trace(*store, report, rejects));
    return report;
  }

  absl::StatusOr<LoadReport> LoadInto(campaign::LeadStore& into, absl::string_view bytes,
                                      const LoadOptions& with, std::vector<Reject>& told) const {
    LoadHooks hooks;
    hooks.on_reject = [&told](const Reject& reject) { told.push_back(reject); };
    return LoadLeads(*MemorySource(bytes), with, dnc, into, clock, hooks);
  }

  // All that a load has come to, but for the ids of new leads.
  static std::string Trace(const campaign::LeadStore& from,
                           const absl::StatusOr<LoadReport>& report,
                           const std::vector<Reject>& told) {
    if (!report.ok()) return report.status().ToString();
    std::string out = absl::StrCat(report->counts.rows, " ", report->counts.accepted, " ",
                                   report->blank_lines, " ", report->held, " ",
                                   absl::StrJoin(report->by_code, ",", absl::PairFormatter("=")),
                                   " ", absl::StrJoin(report->warnings, ","), "\n");
    for (const Reject& r : told) {
      absl::StrAppend(&out, r.line, " ", r.row_number, " ", r.code, " ", r.column, " ", r.reason,
                      " ", r.duplicate_of_line, " ", r.row, "\n");
    }
    EXPECT_TRUE(from.ForEachLead([&](const campaign::Lead& lead) {
                      EXPECT_FALSE(lead.time_zones.empty());
                      absl::StrAppend(&out, lead.phone.value(), " ", lead.alt_phone.value(), " ",
                                      lead.status, " ", lead.rank, " ", lead.owner, " ",
                                      absl::FormatTime(lead.next_call_time), " ",
                                      absl::StrJoin(lead.time_zones, ","), " ",
                                      absl::StrJoin(lead.fields, ",", absl::PairFormatter("=")),
                                      "\n");
                      return true;
                    })
                    .ok());
    return out;
  }

  std::unique_ptr<store::MemoryLeadStore> CopyOfStore() const {
    auto copy = std::make_unique<store::MemoryLeadStore>();
    campaign::StoreBatch batch;
    batch.lists = store->Lists().value();
    batch.imports = store->Imports().value();
    batch.leads = Leads();
    EXPECT_TRUE(copy->Commit(batch).ok());
    // Ids that are taken.
    const uint64_t last = batch.leads.empty() ? 0 : batch.leads.back().id.value();
    EXPECT_TRUE(copy->ReserveLeadIds(last + 1).ok());
    return copy;
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
