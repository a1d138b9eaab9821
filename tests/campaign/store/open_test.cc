// Opening: who may, on what, and what is said when it cannot be.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/store/codec.h"
#include "campaign/store/process_lock.h"
#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/child.h"
#include "tests/campaign/store/journal.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

RocksLeadStore::Options At(const std::string& path) {
  RocksLeadStore::Options options;
  options.path = path;
  return options;
}

absl::Status OpenStatus(const RocksLeadStore::Options& options) {
  return RocksLeadStore::Open(options).status();
}

std::string Text(const absl::Status& status) { return std::string(status.message()); }

// Opens the database behind a store with RocksDB itself, and gives it to `change`.
template <typename Change>
void Behind(const std::string& path, const Change& change) {
  std::vector<std::string> names;
  ASSERT_TRUE(rocksdb::DB::ListColumnFamilies(rocksdb::Options(), path, &names).ok());
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) {
    families.emplace_back(name, rocksdb::ColumnFamilyOptions());
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(rocksdb::Options(), path, families, &handles, &raw).ok());
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::map<std::string, rocksdb::ColumnFamilyHandle*> by_name;
  for (rocksdb::ColumnFamilyHandle* handle : handles) by_name[handle->GetName()] = handle;
  change(*db, by_name);
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
  }
}

TEST(Open, MakesAPrivateDirectoryWithItsParents) {
  ScratchDirectory scratch;
  const std::string path = absl::StrCat(scratch.path(), "/var/lib/store/");
  ASSERT_TRUE(OpenStatus(At(path)).ok());
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_TRUE(OpenStatus(At(path)).ok());
}

TEST(Open, SecondProcessIsToldWhoHoldsTheStore) {
  ScratchDirectory scratch;
  {
    Child holder({STORE_WRITER, "hold", scratch.path()});
    ASSERT_EQ(holder.ReadLine(), "open");
    const absl::Status status = OpenStatus(At(scratch.path()));
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(Text(status),
                AllOf(HasSubstr(scratch.path()), HasSubstr(absl::StrCat("process ", holder.pid())),
                      HasSubstr("since 2026-09-21T"), HasSubstr("store_writer hold"),
                      HasSubstr("stop that process")));
    RocksLeadStore::Options reader = At(scratch.path());
    reader.read_only = true;
    EXPECT_TRUE(OpenStatus(reader).ok());  // a reader may look on
  }
  EXPECT_TRUE(OpenStatus(At(scratch.path())).ok());  // killed, it left nothing in the way
}

TEST(Open, SecondOpenerInTheSameProcessIsRefused) {
  ScratchDirectory scratch;
  auto first = RocksLeadStore::Open(At(scratch.path()));
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status status = OpenStatus(At(scratch.path()));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(status), HasSubstr(absl::StrCat("process ", ::getpid())));
  first->reset();
  EXPECT_TRUE(OpenStatus(At(scratch.path())).ok());
}

TEST(Open, LockFileWithoutAnOwnerOrWithRubbishIsNoObstacle) {
  ScratchDirectory scratch;
  std::ofstream(absl::StrCat(scratch.path(), "/", kLockFileName)) << "\xff{not json";
  const auto lock = ProcessLock::Acquire(scratch.path(), absl::InfinitePast());
  ASSERT_TRUE(lock.ok()) << lock.status();
  std::ofstream(absl::StrCat(scratch.path(), "/", kLockFileName)) << "\xff{not json";
  const absl::Status second = ProcessLock::Acquire(scratch.path(), kStart).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(second), HasSubstr("another process"));
}

TEST(Open, SaysWhatIsWrongWithADirectory) {
  ScratchDirectory scratch;
  RocksLeadStore::Options existing_only = At(absl::StrCat(scratch.path(), "/absent"));
  existing_only.create_if_missing = false;
  EXPECT_EQ(OpenStatus(existing_only).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Text(OpenStatus(existing_only)), HasSubstr("check the path"));
  existing_only.path = scratch.path();  // there, but empty
  EXPECT_EQ(OpenStatus(existing_only).code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Text(OpenStatus(existing_only)), HasSubstr("no store in"));

  RocksLeadStore::Options reader = At(absl::StrCat(scratch.path(), "/absent"));
  reader.read_only = true;
  EXPECT_EQ(OpenStatus(reader).code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(reader.path));

  EXPECT_EQ(OpenStatus(At("")).code(), absl::StatusCode::kInvalidArgument);

  std::ofstream(absl::StrCat(scratch.path(), "/notes.txt")) << "mine";
  const absl::Status foreign = OpenStatus(At(scratch.path()));
  EXPECT_EQ(foreign.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(foreign), HasSubstr("notes.txt"));

  const absl::Status file = OpenStatus(At(absl::StrCat(scratch.path(), "/notes.txt")));
  EXPECT_EQ(file.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Text(file), HasSubstr("Not a directory"));

  // Nobody may make directories there, not even root.
  EXPECT_FALSE(OpenStatus(At("/proc/outpace-store")).ok());
  EXPECT_THAT(Text(OpenStatus(At("/proc/outpace-store"))),
              AllOf(HasSubstr("/proc/outpace-store"), HasSubstr("path of the data directory")));
}

TEST(Open, TellsTheRemedyForEachKindOfFileError) {
  EXPECT_EQ(FileError("open", "/x", EACCES).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(Text(FileError("open", "/x", EACCES)),
              AllOf(HasSubstr("cannot open /x"), HasSubstr("Permission denied"),
                    HasSubstr("chown or chmod")));
  EXPECT_EQ(FileError("open", "/x", EROFS).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(Text(FileError("open", "/x", EROFS)), HasSubstr("mount"));
  EXPECT_EQ(FileError("open", "/x", ENOENT).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FileError("open", "/x", ENOSPC).code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(Text(FileError("open", "/x", ENOSPC)), HasSubstr("free space"));
  EXPECT_THAT(Text(FileError("open", "/x", EMFILE)), HasSubstr("ulimit -n"));
  EXPECT_EQ(FileError("open", "/x", EIO).code(), absl::StatusCode::kUnavailable);
}

TEST(Open, WithoutTheRightToWriteItSaysSo) {
  ScratchDirectory scratch;
  const std::string path = absl::StrCat(scratch.path(), "/store");
  ASSERT_TRUE(OpenStatus(At(path)).ok());
  std::filesystem::permissions(scratch.path(), std::filesystem::perms::all);
  // A store of another user. Root may open anything, so the test becomes nobody in a child.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(3);
    if (::geteuid() != 65534) std::filesystem::permissions(path, std::filesystem::perms::none);
    const absl::Status status = OpenStatus(At(path));
    const bool told = absl::IsPermissionDenied(status) &&
                      Text(status).find("chown or chmod") != std::string::npos;
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

TEST(Open, RefusesAStoreOfANewerVersion) {
  ScratchDirectory scratch;
  ASSERT_TRUE(OpenStatus(At(scratch.path())).ok());
  Behind(scratch.path(), [](rocksdb::DB& db, auto&) {
    ASSERT_TRUE(db.Put(rocksdb::WriteOptions(), "s:schema", EncodeText("3")).ok());
  });
  absl::Status status = OpenStatus(At(scratch.path()));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(status), AllOf(HasSubstr("schema version 3"), HasSubstr("newer Outpace")));

  // A newer version may well have families this one has never heard of.
  Behind(scratch.path(), [](rocksdb::DB& db, auto&) {
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    ASSERT_TRUE(db.CreateColumnFamily(rocksdb::ColumnFamilyOptions(), "holograms", &handle).ok());
    ASSERT_TRUE(db.DestroyColumnFamilyHandle(handle).ok());
  });
  status = OpenStatus(At(scratch.path()));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(status), HasSubstr("schema version 3"));
}

TEST(Open, RefusesAnotherProgramsDatabase) {
  ScratchDirectory scratch;
  {
    rocksdb::Options options;
    options.create_if_missing = true;
    rocksdb::DB* raw = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, scratch.path(), &raw).ok());
    const std::unique_ptr<rocksdb::DB> db(raw);
    ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), "blog", "post").ok());
  }
  const absl::Status status = OpenStatus(At(scratch.path()));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Text(status), HasSubstr("not an Outpace store"));
  Behind(scratch.path(), [](rocksdb::DB& db, auto&) {  // and nothing of it was changed
    std::string value;
    EXPECT_TRUE(db.Get(rocksdb::ReadOptions(), "blog", &value).ok());
    EXPECT_TRUE(db.Get(rocksdb::ReadOptions(), "s:schema", &value).IsNotFound());
  });
}

// A do-not-call list that is older than the calls: RocksDB alone would open it without a word.
TEST(Open, RefusesAStoreThatDoesNotHoldTogether) {
  ScratchDirectory scratch;
  for (uint64_t n = 1; n <= 3; ++n) {
    auto store = RocksLeadStore::Open(At(scratch.path()));
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE((*store)->Commit(JournalBatch(n)).ok());
  }
  const std::string number_of_3("\0\0\0\0\0\0\0\3", 8), number_of_2("\0\0\0\0\0\0\0\2", 8);
  const rocksdb::Slice stamp("\0", 1);
  Behind(scratch.path(), [&](rocksdb::DB& db, auto& families) {
    std::string bytes;
    ASSERT_TRUE(db.Get(rocksdb::ReadOptions(), families["dnc"], stamp, &bytes).ok());
    ASSERT_EQ(bytes, number_of_3);
    ASSERT_TRUE(db.Put(rocksdb::WriteOptions(), families["dnc"], stamp, number_of_2).ok());
  });
  absl::Status status = OpenStatus(At(scratch.path()));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status), AllOf(HasSubstr("default is at write 3, dnc at 2"),
                                  HasSubstr("restore the last backup")));

  // All of it older than it once was.
  Behind(scratch.path(), [&](rocksdb::DB& db, auto& families) {
    for (auto& [name, family] : families) {
      ASSERT_TRUE(db.Put(rocksdb::WriteOptions(), family, stamp, number_of_2).ok());
    }
  });
  status = OpenStatus(At(scratch.path()));
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_THAT(Text(status), HasSubstr("it is at 2 and was at 3"));
}

TEST(Open, ReaderSeesTheStoreAndChangesNothing) {
  ScratchDirectory scratch;
  auto writer = RocksLeadStore::Open(At(scratch.path()));
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (uint64_t n = 1; n <= 20; ++n) ASSERT_TRUE((*writer)->Commit(JournalBatch(n)).ok());
  RocksLeadStore::Options options = At(scratch.path());
  options.read_only = true;
  auto reader = RocksLeadStore::Open(options);
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_TRUE((*writer)->Commit(JournalBatch(21)).ok());
  const absl::StatusOr<uint64_t> seen = JournalLength(**reader);
  ASSERT_TRUE(seen.ok()) << seen.status();
  EXPECT_EQ(*seen, 20u);
  EXPECT_EQ((*reader)->Commit(JournalBatch(21)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*reader)->ReserveLeadIds(1).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ((*reader)->SyncWrites().code(), absl::StatusCode::kFailedPrecondition);
  reader->reset();
  EXPECT_EQ(*JournalLength(**writer), 21u);
}

TEST(DamagedRecord, IsDataLossAndDoesNotStopTheRest) {
  ScratchDirectory scratch;
  {
    auto store = RocksLeadStore::Open(At(scratch.path()));
    ASSERT_TRUE(store.ok());
    for (uint64_t n = 1; n <= 3; ++n) ASSERT_TRUE((*store)->Commit(JournalBatch(n)).ok());
  }
  const std::string key("\0\0\0\0\0\0\0\2", 8);
  Behind(scratch.path(), [&](rocksdb::DB& db, auto& families) {
    for (const char* family : {"leads", "attempts"}) {
      std::string bytes;
      ASSERT_TRUE(db.Get(rocksdb::ReadOptions(), families[family], key, &bytes).ok());
      bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
      ASSERT_TRUE(db.Put(rocksdb::WriteOptions(), families[family], key, bytes).ok());
    }
  });
  auto store = RocksLeadStore::Open(At(scratch.path()));
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE(absl::IsDataLoss((*store)->GetLead(LeadId(2)).status()));
  EXPECT_TRUE(absl::IsDataLoss((*store)->GetAttempt(AttemptId(2)).status()));
  EXPECT_TRUE(absl::IsDataLoss((*store)->Verify()));
  EXPECT_TRUE(absl::IsDataLoss((*store)->StatusCounts().status()));
  EXPECT_TRUE(absl::IsDataLoss((*store)->DueLeads({"DEMO", absl::InfiniteFuture(), 10}).status()));
  EXPECT_TRUE((*store)->GetLead(LeadId(3))->has_value());
  // Its index entries cannot be known, so it cannot be replaced; others can, and nothing half.
  campaign::StoreBatch both = JournalBatch(7);
  both.leads.push_back(JournalBatch(1).leads[1]);
  EXPECT_TRUE(absl::IsDataLoss((*store)->Commit(both)));
  EXPECT_EQ(*(*store)->GetLead(LeadId(8)), std::nullopt);
  EXPECT_TRUE((*store)->Commit(JournalBatch(8)).ok());
  EXPECT_TRUE((*store)->GetLead(LeadId(9))->has_value());
}

TEST(DueLeads, OfManyIsQuickAndExact) {
  ScratchDirectory scratch;
  auto store = RocksLeadStore::Open(At(scratch.path()));
  ASSERT_TRUE(store.ok());
  constexpr uint64_t kLeads = 200'000;
  campaign::StoreBatch batch;
  for (uint64_t id = 1; id <= kLeads; ++id) {
    campaign::Lead lead;
    lead.id = LeadId(id);
    lead.campaign = "DEMO";
    lead.phone = E164(10'000'000'000 + id * 7);
    lead.fields["first_name"] = "Ann";
    // Of the first half nobody is due; of the second everybody.
    lead.next_call_time = id <= kLeads / 2 ? kStart + absl::Hours(1) : absl::InfinitePast();
    lead.rank = id <= kLeads / 2 ? 9 : 0;
    batch.leads.push_back(std::move(lead));
    if (batch.leads.size() == 5000) {
      ASSERT_TRUE((*store)->CommitUnsynced(batch).ok());
      batch.leads.clear();
    }
  }
  ASSERT_TRUE((*store)->SyncWrites().ok());
  // Dial through 20,000: take what is due, put it off, ask again. The entries already taken must
  // not be waded through again.
  uint64_t expected = kLeads / 2;
  for (int round = 0; round < 200; ++round) {
    auto due = (*store)->DueLeads({"DEMO", kStart, 100});
    ASSERT_TRUE(due.ok());
    ASSERT_EQ(due->size(), 100u);
    campaign::StoreBatch taken;
    for (campaign::Lead& lead : *due) {
      ASSERT_EQ(lead.id.value(), ++expected);
      lead.next_call_time = kStart + absl::Hours(2);
      taken.leads.push_back(std::move(lead));
    }
    ASSERT_TRUE((*store)->CommitUnsynced(taken).ok());
  }
}

}  // namespace
}  // namespace outpace::store
