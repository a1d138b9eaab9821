// Copies of a store, and a store that comes back from one.

#include "campaign/store/store_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/utilities/backup_engine.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "campaign/store/private_copy.h"
#include "tests/campaign/store/journal.h"
#include "tests/campaign/store/loads.h"
#include "tests/campaign/store/store_testing.h"
#include "tests/campaign/store/v1_store.h"

namespace outpace::store {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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

// --- Who may read them ---

// Paths below `directory`, and itself, whose mode lets others in; a file is guarded by any
// directory above it within.
std::vector<std::string> OpenToOthers(const std::string& directory) {
  namespace fs = std::filesystem;
  const auto open = [](const fs::path& path) {
    return (fs::status(path).permissions() & (fs::perms::group_all | fs::perms::others_all)) !=
           fs::perms::none;
  };
  std::vector<std::string> found;
  if (!open(directory)) return found;
  for (auto it = fs::recursive_directory_iterator(directory);
       it != fs::recursive_directory_iterator(); ++it) {
    if (!open(it->path())) {
      it.disable_recursion_pending();
    } else if (it->is_regular_file()) {
      found.push_back(it->path().string());
    }
  }
  return found;
}

TEST_F(StoreBackup, CopiesAreForTheirOwnerOnly) {
  const mode_t before = ::umask(0);
  auto store = Open(store_path_);
  Put(*store, 1, "NEW");
  // One that the operator has made, for all to read.
  const std::string shared = scratch_.path() + "/shared";
  std::filesystem::create_directory(shared);
  for (const std::string& backups : {copies_, shared}) {
    ASSERT_TRUE(MakeBackup(*store, backups).ok());
    EXPECT_THAT(OpenToOthers(backups), IsEmpty());
  }
  const std::string checkpoint = scratch_.path() + "/checkpoint";
  ASSERT_TRUE(MakeCheckpoint(*store, checkpoint).ok());
  EXPECT_THAT(OpenToOthers(checkpoint), IsEmpty());
  const std::string restored = scratch_.path() + "/restored";
  std::string kept;
  ASSERT_TRUE(RestoreBackup(copies_, 0, restored, kStart, &kept).ok());
  EXPECT_THAT(OpenToOthers(restored), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(checkpoint + ".making"));
  ::umask(before);
}

TEST_F(StoreBackup, WhatCannotBeMadePrivateIsAnError) {
  auto store = Open(store_path_);
  std::ofstream(copies_) << "a file";
  EXPECT_FALSE(MakeBackup(*store, copies_).ok());
  EXPECT_EQ(MakeCheckpoint(*store, scratch_.path() + "/absent/now").code(), Code::kNotFound);
}

// --- Looking writes nothing ---

TEST_F(StoreBackup, AMistypedDirectoryStaysAsItIs) {
  std::filesystem::create_directory(copies_);
  std::ofstream(copies_ + "/letter.txt") << "Dear";
  std::string kept;
  for (const std::string& directory : {copies_, scratch_.path() + "/absent"}) {
    EXPECT_EQ(ListBackups(directory).status().code(), Code::kNotFound);
    EXPECT_EQ(RestoreBackup(directory, 0, store_path_, kStart, &kept).status().code(),
              Code::kNotFound);
  }
  EXPECT_FALSE(std::filesystem::exists(scratch_.path() + "/absent"));
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(copies_)) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ElementsAre("letter.txt"));
}

// --- VerifyStore ---

TEST_F(StoreBackup, TheCopyToLookThroughIsGoneAfterwards) {
  auto store = Open(store_path_);
  Put(*store, 1, "NEW");
  const std::string copy = store_path_ + "/verify";
  EXPECT_TRUE(VerifyStore(*store).ok());
  EXPECT_FALSE(std::filesystem::exists(copy));
  store.reset();
  // As kill -9 in the middle leaves it.
  std::filesystem::create_directories(copy + "/copy.making/store");
  std::ofstream(copy + "/copy.making/store/000009.sst") << "names";
  store = Open(store_path_);
  EXPECT_FALSE(std::filesystem::exists(copy));
  EXPECT_EQ(StatusOf(*store, 1), "NEW");
}

// --- A restore that is cut off ---

TEST_F(StoreBackup, NoEmptyStoreIsMadeWhereARestoreWasCutOff) {
  {
    auto store = Open(store_path_);
    Put(*store, 1, "NEW");
    ASSERT_TRUE(MakeBackup(*store, copies_).ok());
  }
  RocksStoreOptions options;
  options.path = store_path_;
  for (const char* suffix : {".before-20261122-170000", ".restored"}) {
    SCOPED_TRACE(suffix);
    std::filesystem::rename(store_path_, store_path_ + suffix);
    const absl::Status refused = RocksLeadStore::Open(options).status();
    EXPECT_EQ(refused.code(), Code::kFailedPrecondition);
    EXPECT_THAT(std::string(refused.message()), AllOf(HasSubstr("a restore was cut off"),
                                                      HasSubstr(absl::StrCat("store", suffix))));
    EXPECT_FALSE(std::filesystem::exists(store_path_));
    // Nor in a directory that somebody has made there.
    std::filesystem::create_directory(store_path_);
    EXPECT_EQ(RocksLeadStore::Open(options).status().code(), Code::kFailedPrecondition);
    std::filesystem::remove_all(store_path_);
    std::filesystem::rename(store_path_ + suffix, store_path_);
    EXPECT_EQ(StatusOf(*Open(store_path_), 1), "NEW");
  }
  // Or the restore is run again.
  std::filesystem::rename(store_path_, store_path_ + ".before-20261122-170000");
  std::string kept;
  ASSERT_TRUE(RestoreBackup(copies_, 0, store_path_, kStart, &kept).ok());
  EXPECT_EQ(StatusOf(*Open(store_path_), 1), "NEW");
}

TEST_F(StoreBackup, TwoRestoresWithinASecondKeepBothStores) {
  {
    auto store = Open(store_path_);
    Put(*store, 1, "NEW");
    ASSERT_TRUE(MakeBackup(*store, copies_).ok());
    Put(*store, 1, "SALE");
  }
  std::string first, second;
  ASSERT_TRUE(RestoreBackup(copies_, 0, store_path_, kStart, &first).ok());
  ASSERT_TRUE(RestoreBackup(copies_, 0, store_path_, kStart, &second).ok());
  EXPECT_NE(first, second);
  EXPECT_EQ(StatusOf(*Open(first), 1), "SALE");
  EXPECT_EQ(StatusOf(*Open(second), 1), "NEW");
}

// Where the file system exchanges names, and where it does not.
TEST(PlaceDirectory, PutsOneInThePlaceOfAnother) {
  for (const bool may_exchange : {true, false}) {
    const ScratchDirectory scratch;
    const std::string path = scratch.path() + "/store";
    const std::string fresh = path + ".restored", kept = path + ".before";
    const auto make = [](const std::string& directory) {
      std::filesystem::create_directory(directory);
      std::ofstream(directory + "/name") << directory;
    };
    const auto name_in = [](const std::string& directory) {
      std::string name;
      std::ifstream(directory + "/name") >> name;
      return name;
    };
    make(fresh);
    ASSERT_TRUE(PlaceDirectory(fresh, path, kept, may_exchange).ok()) << "nothing was there";
    EXPECT_EQ(name_in(path), fresh);
    EXPECT_FALSE(std::filesystem::exists(kept));
    std::filesystem::remove_all(path);

    make(path);
    make(fresh);
    ASSERT_TRUE(PlaceDirectory(fresh, path, kept, may_exchange).ok());
    EXPECT_EQ(name_in(path), fresh);
    EXPECT_EQ(name_in(kept), path);
    EXPECT_FALSE(std::filesystem::exists(fresh));

    // There is nothing to put there: what was there stays.
    EXPECT_EQ(PlaceDirectory(fresh, path, kept + "2", may_exchange).code(), Code::kNotFound);
    EXPECT_EQ(name_in(path), fresh);
    EXPECT_FALSE(std::filesystem::exists(kept + "2"));
  }
}

// --- Backups of an older schema ---

// As the program of schema version 1 has made it; RocksDB's part of that is the same.
TEST_F(StoreBackup, OneOfAnOlderSchemaIsBroughtUpToDate) {
  const std::string old = scratch_.path() + "/old";
  std::filesystem::copy(absl::StrCat(OUTPACE_TEST_DATA, "/store_v1/store"), old,
                        std::filesystem::copy_options::recursive);
  {
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), old, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names) {
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    }
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(rocksdb::DBOptions(), old, families, &handles, &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    rocksdb::BackupEngine* engine = nullptr;
    ASSERT_TRUE(rocksdb::BackupEngine::Open(rocksdb::BackupEngineOptions(copies_),
                                            rocksdb::Env::Default(), &engine)
                    .ok());
    const std::unique_ptr<rocksdb::BackupEngine> backups(engine);
    EXPECT_TRUE(backups->CreateNewBackup(db.get(), /*flush_before_backup=*/true).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles) {
      EXPECT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
    }
  }
  std::string kept;
  const auto restored = RestoreBackup(copies_, 0, store_path_, kStart, &kept);
  ASSERT_TRUE(restored.ok()) << restored.status();
  const auto store = Open(store_path_, /*create=*/false);
  EXPECT_TRUE(store->Verify().ok());
  EXPECT_EQ(LeadsOf(*store).size(), kV1Leads);
  EXPECT_FALSE(std::filesystem::exists(store_path_ + ".restored.schema1"));
}

}  // namespace
}  // namespace outpace::store
