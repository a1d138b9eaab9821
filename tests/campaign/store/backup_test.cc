#include "campaign/store/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/campaign/store/journal.h"
#include "tests/campaign/store/loads.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {
namespace {

class Backup : public ::testing::Test {
 protected:
  std::string In(const std::string& name) const {
    return absl::StrCat(directory_.path(), "/", name);
  }
  std::unique_ptr<RocksLeadStore> Open(const std::string& name) const {
    RocksLeadStore::Options options;
    options.path = In(name);
    options.memtable_bytes = 64 << 10;
    auto store = RocksLeadStore::Open(options);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }
  void Restore(const std::string& target, uint32_t number = 0) const {
    const absl::Status status = RestoreStore({In("backups"), number, In(target)});
    ASSERT_TRUE(status.ok()) << status;
  }
  uint64_t LengthOf(const std::string& name) const {
    const auto length = JournalLength(*Open(name), 500);
    EXPECT_TRUE(length.ok()) << length.status();
    return length.ok() ? *length : 0;
  }
  static void Write(RocksLeadStore& store, uint64_t from, uint64_t to) {
    for (uint64_t n = from; n <= to; ++n) {
      ASSERT_TRUE(store.Commit(JournalBatch(n, 500)).ok());
    }
  }

  ScratchDirectory directory_;
};

TEST_F(Backup, EachStateCanBeHadAgain) {
  auto store = Open("store");
  Write(*store, 1, 50);
  const auto first = BackupStore(*store, In("backups"), 0);
  ASSERT_TRUE(first.ok()) << first.status();
  Write(*store, 51, 80);
  const auto second = BackupStore(*store, In("backups"), 0);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_GT(second->number, first->number);
  Write(*store, 81, 90);
  ASSERT_EQ(ListBackups(In("backups"))->size(), 2u);
  Restore("new");
  EXPECT_EQ(LengthOf("new"), 80u);
  Restore("old", first->number);
  EXPECT_EQ(LengthOf("old"), 50u);
  auto again = Open("new");  // a store like any other
  Write(*again, 81, 85);
  EXPECT_EQ(*JournalLength(*store, 500), 90u);
}

TEST_F(Backup, HoldsLoadsAndOnlyTheLastAreKept) {
  auto store = Open("store");
  for (uint64_t n = 1; n <= 4; ++n) {
    ASSERT_TRUE(RunLoad(*store, n).ok());
    ASSERT_TRUE(BackupStore(*store, In("backups"), 2).ok());
  }
  const auto kept = ListBackups(In("backups"));
  ASSERT_EQ(kept->size(), 2u);
  Restore("new");
  EXPECT_EQ(LoadsIn(*Open("new"))->size(), 4u);
  Restore("older", kept->front().number);
  EXPECT_EQ(LoadsIn(*Open("older"))->size(), 3u);
}

// What was committed before the call is in the copy, whatever is written meanwhile; and the copy is
// of one moment.
TEST_F(Backup, CopiesOfAStoreInUseAreWhole) {
  auto store = Open("store");
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
    const auto backup = BackupStore(*store, In("backups"), 1);
    ASSERT_TRUE(backup.ok()) << backup.status();
    const uint64_t between = written;
    const absl::Status status = CheckpointStore(*store, In(absl::StrCat("checkpoint", i)));
    ASSERT_TRUE(status.ok()) << status;
    const std::string restored = absl::StrCat("restored", i);
    Restore(restored);
    EXPECT_GE(LengthOf(restored), before);
    EXPECT_GE(LengthOf(absl::StrCat("checkpoint", i)), between);
  }
  done = true;
  writer.join();
  EXPECT_EQ(*JournalLength(*store, 500), written);
}

TEST_F(Backup, NothingIsWrittenOver) {
  auto store = Open("store");
  Write(*store, 1, 5);
  ASSERT_TRUE(BackupStore(*store, In("backups"), 0).ok());
  EXPECT_EQ(CheckpointStore(*store, In("backups")).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RestoreStore({In("backups"), 0, In("store")}).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*JournalLength(*store, 500), 5u);
  std::filesystem::create_directory(In("empty"));
  Restore("empty");
  EXPECT_EQ(LengthOf("empty"), 5u);
  EXPECT_EQ(RestoreStore({In("backups"), 99, In("other")}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(RestoreStore({In("absent"), 0, In("other")}).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ListBackups(In("absent")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(In("other")));
}

TEST_F(Backup, ADamagedBackupIsRefused) {
  auto store = Open("store");
  Write(*store, 1, 50);
  ASSERT_TRUE(BackupStore(*store, In("backups"), 0).ok());
  std::string largest;
  for (const auto& file : std::filesystem::recursive_directory_iterator(In("backups"))) {
    if (file.is_regular_file() &&
        (largest.empty() || file.file_size() > std::filesystem::file_size(largest))) {
      largest = file.path().string();
    }
  }
  {
    std::fstream file(largest, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(largest) / 2));
    file.put('\x55');
    file.put('\xaa');
  }
  const absl::Status status = RestoreStore({In("backups"), 0, In("new")});
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_FALSE(std::filesystem::exists(In("new")));
}

TEST_F(Backup, VerifyingReadsBesideTheEngine) {
  auto store = Open("store");
  Write(*store, 1, 20);
  const absl::Status status = VerifyStore(In("store"));
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(VerifyStore(In("absent")).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace outpace::store
