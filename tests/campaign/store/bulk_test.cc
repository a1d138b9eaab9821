// A bulk load is in the store as a whole or not at all: against kill -9 at every kind of step,
// power cuts at every single write, and a disk that is full or fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/rocks_lead_store.h"
#include "campaign/store/sorted_runs.h"
#include "tests/campaign/store/child.h"
#include "tests/campaign/store/journal.h"
#include "tests/campaign/store/loads.h"
#include "tests/fakes/crash_env.h"

namespace outpace::store {
namespace {

using fakes::CrashEnv;
using ::testing::ElementsAre;

RocksLeadStore::Options At(const std::string& path) {
  RocksLeadStore::Options options;
  options.path = path;
  options.memtable_bytes = 64 << 10;
  return options;
}

RocksLeadStore::Options OnFake(CrashEnv& machine) {
  RocksLeadStore::Options options = At("/store");
  options.env = machine.env();
  return options;
}

// --- Runs ---

TEST(SortedRuns, AreMergedInOrderHoweverTheyCame) {
  ScratchDirectory directory;
  Rng rng(1);
  for (const size_t rows_in_run : {size_t{1}, size_t{100}, size_t{5000}, size_t{1'000'000}}) {
    SCOPED_TRACE(rows_in_run);
    SortedRuns<3> runs(rocksdb::Env::Default(), absl::StrCat(directory.path(), "/r", rows_in_run),
                       rows_in_run);
    std::vector<Row<3>> all;
    for (int chunk = 0; chunk < 30; ++chunk) {
      std::vector<Row<3>> rows;
      for (uint64_t n = rng.Below(400); n > 0; --n) {
        rows.push_back({rng.Next() >> rng.Below(64), rng.Below(3), rng.Next()});
      }
      if (rng.Chance(0.3)) std::sort(rows.begin(), rows.end());
      all.insert(all.end(), rows.begin(), rows.end());
      ASSERT_TRUE(runs.Add(rows).ok());
    }
    std::sort(all.begin(), all.end());
    std::vector<Row<3>> merged;
    const absl::Status status = runs.Merge([&merged](const Row<3>& row) {
      merged.push_back(row);
      return absl::OkStatus();
    });
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(merged, all);
  }
}

TEST(SortedRuns, ADamagedRunIsToldNotMerged) {
  CrashEnv machine;
  ASSERT_TRUE(machine.env()->CreateDirIfMissing("/runs").ok());
  SortedRuns<2> runs(machine.env(), "/runs/r", 100);
  for (uint64_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(runs.Add(std::vector<Row<2>>(100, Row<2>{i, i})).ok());
  }
  machine.Flip("/runs/r1", 555, 8);
  const absl::Status status = runs.Merge([](const Row<2>&) { return absl::OkStatus(); });
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

// --- Loads ---

TEST(Bulk, ManyThreadsAddAtOnceAndOverlappingLoadsFollow) {
  ScratchDirectory directory;
  auto store = RocksLeadStore::Open(At(directory.path()));
  ASSERT_TRUE(store.ok());
  campaign::StoreBatch batch;
  batch.lists.emplace_back();
  batch.lists[0].id = ListId(1);
  batch.lists[0].campaign = "DEMO";
  ASSERT_TRUE((*store)->Commit(batch).ok());
  constexpr uint64_t kThreads = 4, kChunks = 6, kLeads = 500;
  for (uint64_t import = 1; import <= 3; ++import) {
    campaign::BulkOptions options;
    options.import = ImportId(import);
    options.list = ListId(1);
    options.campaign = "DEMO";
    auto bulk = (*store)->BeginBulk(options);
    ASSERT_TRUE(bulk.ok()) << bulk.status();
    const uint64_t first = *(*store)->ReserveLeadIds(kThreads * kChunks * kLeads);
    std::vector<std::thread> threads;
    for (uint64_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        Rng rng(import * 100 + t);
        std::vector<campaign::BulkLead> leads(kLeads);
        for (uint64_t c = 0; c < kChunks; ++c) {
          for (campaign::BulkLead& lead : leads) {
            lead.phone = E164(14'155'550'000 + rng.Below(9000));
            lead.rank = static_cast<int8_t>(rng.Below(199)) - 99;
          }
          const uint64_t id = first + (c * kThreads + t) * kLeads;
          EXPECT_TRUE((*bulk)->Add(LeadId(id), leads).ok());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    campaign::Import record;
    record.id = options.import;
    record.list = options.list;
    record.campaign = "DEMO";
    const absl::Status status = (*bulk)->Publish(record);
    ASSERT_TRUE(status.ok()) << status;
  }
  const absl::Status whole = (*store)->Verify();
  EXPECT_TRUE(whole.ok()) << whole;
  EXPECT_EQ((*store)->Lists()->at(0).leads, static_cast<int64_t>(3 * kThreads * kChunks * kLeads));
  EXPECT_EQ((*store)->StatusCounts()->at("DEMO").at("NEW"), 3 * kThreads * kChunks * kLeads);
}

// Live writes go on while a load is added and published; neither disturbs the other.
TEST(Bulk, CommitsGoOnBesideIt) {
  ScratchDirectory directory;
  auto store = RocksLeadStore::Open(At(directory.path()));
  ASSERT_TRUE(store.ok());
  std::atomic<bool> done{false};
  uint64_t written = 0;
  std::thread writer([&] {
    while (!done) ASSERT_TRUE((*store)->Commit(JournalBatch(++written)).ok());
  });
  for (uint64_t n = 10; n < 20; ++n) {
    const absl::Status status = RunLoad(**store, n * 100);
    ASSERT_TRUE(status.ok()) << status;
  }
  done = true;
  writer.join();
  const absl::Status whole = (*store)->Verify();
  EXPECT_TRUE(whole.ok()) << whole;
  EXPECT_EQ((*store)->Imports()->size(), 10u);
  EXPECT_EQ(*(*store)->GetMeta("n"), absl::StrCat(written));
}

TEST(Bulk, ALoadThatIsMissingIsNoticed) {
  CrashEnv machine;
  std::vector<std::string> before;
  {
    auto store = RocksLeadStore::Open(OnFake(machine));
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE(RunLoad(**store, 1).ok());
  }
  std::string sequence;
  ASSERT_TRUE(rocksdb::ReadFileToString(machine.env(), "/store/outpace.sequence", &sequence).ok());
  EXPECT_THAT(sequence, ::testing::EndsWith(" 1\n"));
  ASSERT_TRUE(
      rocksdb::WriteStringToFile(machine.env(), "1 2\n", "/store/outpace.sequence", true).ok());
  const absl::Status status = RocksLeadStore::Open(OnFake(machine)).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("it has 1 loads and had 2"));
}

// kill -9 before the k-th thing the process does to the disk, for points all over a load and its
// publishing: none of it or all of it, and the next try succeeds.
TEST(BulkKillNine, ALoadIsWholeOrAbsent) {
  const auto run = [](const std::string& path, int64_t kill_at, bool& published) {
    Child child({STORE_WRITER, "load", path, absl::StrCat(kill_at)});
    int64_t operations = 0;
    published = false;
    for (std::string line; !(line = child.ReadLine()).empty();) {
      if (line == "published") published = true;
      if (!absl::SimpleAtoi(line, &operations)) operations = 0;
    }
    return operations;  // of the whole run, if it came to its end
  };
  bool published = false;
  int64_t operations = 0;
  {
    ScratchDirectory directory;
    operations = run(absl::StrCat(directory.path(), "/store"), 0, published);
    ASSERT_TRUE(published);
    ASSERT_GT(operations, 60);
  }
  constexpr int64_t kPoints = 30;
  int absent = 0, whole = 0;
  for (int64_t point = 0; point < kPoints; ++point) {
    const int64_t kill_at = 1 + point * operations / kPoints;
    SCOPED_TRACE(absl::StrCat("killed at ", kill_at, " of ", operations));
    ScratchDirectory directory;
    const std::string path = absl::StrCat(directory.path(), "/store");
    run(path, kill_at, published);
    auto store = RocksLeadStore::Open(At(path));
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_FALSE(std::filesystem::exists(absl::StrCat(path, "/staging")));
    const auto loads = LoadsIn(**store);
    ASSERT_TRUE(loads.ok()) << loads.status();
    (loads->empty() ? absent : whole) += 1;
    EXPECT_FALSE(published && loads->empty()) << "acknowledged, and lost";
    if (loads->empty()) {
      const absl::Status again = RunLoad(**store, 1);
      ASSERT_TRUE(again.ok()) << again;
      EXPECT_THAT(*LoadsIn(**store), ElementsAre(1));
    }
  }
  EXPECT_GT(absent, 10);
  EXPECT_GE(whole, 2);
}

class BulkPowerCut : public ::testing::TestWithParam<bool> {};

// A load between two commits, the power cut one operation later each time.
TEST_P(BulkPowerCut, AtEveryOperationALoadIsWholeOrAbsent) {
  int64_t k = 1;
  for (bool finished = false; !finished; ++k) {
    SCOPED_TRACE(absl::StrCat("power cut at operation ", k));
    CrashEnv machine;
    machine.CrashAt(k);
    size_t acknowledged = 0;
    uint64_t commits = 0;
    {
      auto store = RocksLeadStore::Open(OnFake(machine));
      campaign::StoreBatch batch;
      batch.meta["n"] = "1";
      if (store.ok() && (*store)->Commit(batch).ok()) {
        commits = 1;
        if (RunLoad(**store, 1).ok()) {
          acknowledged = 1;
          batch.meta["n"] = "2";
          if ((*store)->Commit(batch).ok()) commits = 2;
        }
      }
      finished = !machine.crashed();
    }
    Rng torn(static_cast<uint64_t>(k));
    machine.Reboot(GetParam() ? &torn : nullptr);
    auto store = RocksLeadStore::Open(OnFake(machine));
    ASSERT_TRUE(store.ok()) << store.status();
    const auto loads = LoadsIn(**store);
    ASSERT_TRUE(loads.ok()) << loads.status();
    EXPECT_GE(loads->size(), acknowledged);
    const auto n = (*store)->GetMeta("n");
    ASSERT_TRUE(n.ok());
    EXPECT_GE(n->has_value() ? std::stoull(**n) : 0, commits);
    const absl::Status again = RunLoad(**store, loads->size() + 1);
    EXPECT_TRUE(again.ok()) << again;
  }
  EXPECT_GT(k, 100);
}
INSTANTIATE_TEST_SUITE_P(Writes, BulkPowerCut, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Torn" : "Dropped"; });

// One write fails and the next would work: the load is refused with what to do, or is whole.
TEST(BulkFailingDisk, EndsTheLoadAndNothingElse) {
  int failures = 0;
  for (int64_t k = 1;; ++k) {
    SCOPED_TRACE(absl::StrCat("operation ", k, " fails"));
    CrashEnv machine;
    bool acknowledged = false;
    {
      auto store = RocksLeadStore::Open(OnFake(machine));
      ASSERT_TRUE(store.ok());
      ASSERT_TRUE((*store)->Commit(JournalBatch(1)).ok());
      machine.FailOnceAt(machine.operations() + k);
      const absl::Status status = RunLoad(**store, 1);
      acknowledged = status.ok();
      if (!status.ok()) {
        ++failures;
        EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      }
      if (!machine.failed()) break;
    }
    machine.FailOnceAt(0);
    auto store = RocksLeadStore::Open(OnFake(machine));
    ASSERT_TRUE(store.ok()) << store.status();
    const auto loads = LoadsIn(**store);
    ASSERT_TRUE(loads.ok()) << loads.status();
    EXPECT_FALSE(acknowledged && loads->empty());
    EXPECT_TRUE((*store)->GetLead(LeadId(2))->has_value());  // the commit before it
  }
  EXPECT_GT(failures, 30);
}

TEST(BulkFullDisk, EndsTheLoadAndTheStoreGoesOn) {
  for (int64_t free_space = 1'000; free_space < 120'000; free_space += 7'001) {
    SCOPED_TRACE(free_space);
    CrashEnv machine;
    auto store = RocksLeadStore::Open(OnFake(machine));
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Commit(JournalBatch(1)).ok());
    machine.SetFreeSpace(free_space);
    const absl::Status status = RunLoad(**store, 1);
    machine.SetFreeSpace(-1);
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    }
    store->reset();
    store = RocksLeadStore::Open(OnFake(machine));
    ASSERT_TRUE(store.ok()) << store.status();
    const auto loads = LoadsIn(**store);
    ASSERT_TRUE(loads.ok()) << loads.status();
    EXPECT_EQ(loads->size(), status.ok() ? 1u : 0u);
  }
}

}  // namespace
}  // namespace outpace::store
