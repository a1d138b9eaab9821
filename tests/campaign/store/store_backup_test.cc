// Copies of a store, and a store that comes back from one.

#include "campaign/store/store_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/campaign/store/journal.h"
#include "tests/campaign/store/loads.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {
namespace {

using ::testing::HasSubstr;
using Code = absl::StatusCode;

class StoreBackup : public ::testing::Test {
 protected:
  std::unique_ptr<RocksLeadStore> Open(const std::string& path, bool create = true) {
    RocksStoreOptions options;
    options.path = path;
    options.create_if_missing = create;
    auto store = RocksLeadStore::Open(options);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  // Writes lead `id` with this status.
  static void Put(RocksLeadStore& store, uint64_t id, const std::string& status) {
    campaign::Lead lead;
    lead.id = LeadId(id);
    lead.list = ListId(101);
    lead.campaign = "DEMO";
    lead.phone = E164(13035550100 + id);
    lead.time_zones = {"America/Denver"};
    lead.status = status;
    campaign::StoreBatch batch;
    batch.leads.push_back(lead);
    ASSERT_TRUE(store.Commit(batch).ok());
  }
  static std::string StatusOf(const RocksLeadStore& store, uint64_t id) {
    const auto lead = store.GetLead(LeadId(id));
    return lead.ok() && lead->has_value() ? (*lead)->status : "gone";
  }

  const ScratchDirectory scratch_;
  const std::string store_path_ = scratch_.path() + "/store";
  const std::string copies_ = scratch_.path() + "/copies";
};

TEST_F(StoreBackup, ACheckpointIsAStoreOfItsOwn) {
  auto store = Open(store_path_);
  Put(*store, 1, "NEW");
  ASSERT_TRUE(MakeCheckpoint(*store, copies_).ok());
  Put(*store, 1, "SALE");
  const auto copy = Open(copies_, /*create=*/false);
  EXPECT_EQ(StatusOf(*copy, 1), "NEW");
  EXPECT_TRUE(copy->Verify().ok());
  Put(*copy, 2, "NEW");
  EXPECT_EQ(StatusOf(*store, 2), "gone");
  EXPECT_EQ(MakeCheckpoint(*store, copies_).code(), Code::kAlreadyExists);
  EXPECT_EQ(std::filesystem::status(copies_).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(StoreBackup, BackupsAreKeptAndRestored) {
  EXPECT_EQ(ListBackups(copies_).status().code(), Code::kNotFound);
  auto store = Open(store_path_);
  Put(*store, 1, "NEW");
  const auto first = MakeBackup(*store, copies_);
  ASSERT_TRUE(first.ok()) << first.status();
  Put(*store, 1, "SALE");
  const auto second = MakeBackup(*store, copies_);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_GT(second->number, first->number);
  EXPECT_EQ(ListBackups(copies_)->size(), 2u);

  std::string kept;
  EXPECT_EQ(RestoreBackup(copies_, 0, store_path_, kStart, &kept).status().code(),
            Code::kFailedPrecondition)
      << "in use";
  EXPECT_EQ(StatusOf(*store, 1), "SALE");
  store.reset();
  EXPECT_THAT(
      std::string(RestoreBackup(copies_, 77, store_path_, kStart, &kept).status().message()),
      HasSubstr("there are: 1, 2"));
  ASSERT_TRUE(RestoreBackup(copies_, first->number, store_path_, kStart, &kept).ok());
  EXPECT_TRUE(std::filesystem::exists(kept));
  EXPECT_EQ(StatusOf(*Open(store_path_), 1), "NEW");
  EXPECT_EQ(StatusOf(*Open(kept), 1), "SALE") << "what was there is still there";
  // The latest, where no store is.
  const std::string elsewhere = scratch_.path() + "/elsewhere";
  ASSERT_TRUE(RestoreBackup(copies_, 0, elsewhere, kStart, &kept).ok());
  EXPECT_EQ(kept, "");
  const auto restored = Open(elsewhere, /*create=*/false);
  EXPECT_EQ(StatusOf(*restored, 1), "SALE");
  EXPECT_TRUE(restored->Verify().ok());
}

TEST_F(StoreBackup, ADamagedBackupIsNotRestored) {
  auto store = Open(store_path_);
  Put(*store, 1, "NEW");
  ASSERT_TRUE(MakeBackup(*store, copies_).ok());
  store.reset();
  for (const auto& file : std::filesystem::recursive_directory_iterator(copies_)) {
    if (file.path().extension() != ".sst") continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(10);
    bytes.put('!');
  }
  std::string kept;
  EXPECT_EQ(RestoreBackup(copies_, 0, store_path_, kStart, &kept).status().code(), Code::kDataLoss);
  EXPECT_EQ(kept, "");
  EXPECT_EQ(StatusOf(*Open(store_path_), 1), "NEW");
}

// What was committed before the call is in the copy, whatever is written meanwhile; and the copy is
// of one moment.
TEST_F(StoreBackup, CopiesOfAStoreInUseAreWhole) {
  auto store = Open(store_path_);
  std::atomic<uint64_t> written{0};
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (uint64_t n = 1; !done; ++n) {
      ASSERT_TRUE(store->Commit(JournalBatch(n, 500)).ok());
      written = n;
    }
  });
  for (int i = 0; i < 5; ++i) {
    const uint64_t before = written;
    const auto backup = MakeBackup(*store, copies_);
    ASSERT_TRUE(backup.ok()) << backup.status();
    const uint64_t between = written;
    const std::string checkpoint = absl::StrCat(scratch_.path(), "/checkpoint", i);
    ASSERT_TRUE(MakeCheckpoint(*store, checkpoint).ok());
    const std::string restored = absl::StrCat(scratch_.path(), "/restored", i);
    std::string kept;
    const auto back = RestoreBackup(copies_, 0, restored, kStart, &kept);
    ASSERT_TRUE(back.ok()) << back.status();
    for (const auto& [path, least] : {std::pair{restored, before}, {checkpoint, between}}) {
      const auto length = JournalLength(*Open(path, /*create=*/false), 500);
      ASSERT_TRUE(length.ok()) << length.status();
      EXPECT_GE(*length, least);
    }
  }
  done = true;
  writer.join();
  EXPECT_EQ(*JournalLength(*store, 500), written);
}

TEST_F(StoreBackup, LoadsAreInTheCopies) {
  auto store = Open(store_path_);
  for (uint64_t n = 1; n <= 3; ++n) {
    ASSERT_TRUE(RunLoad(*store, n).ok());
    ASSERT_TRUE(MakeBackup(*store, copies_).ok());
  }
  for (uint32_t number = 1; number <= 3; ++number) {
    const std::string restored = absl::StrCat(scratch_.path(), "/restored", number);
    std::string kept;
    ASSERT_TRUE(RestoreBackup(copies_, number, restored, kStart, &kept).ok());
    EXPECT_EQ(LoadsIn(*Open(restored, /*create=*/false))->size(), number);
  }
}

}  // namespace
}  // namespace outpace::store
