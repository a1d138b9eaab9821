// What is acknowledged is kept: against kill -9, power loss at every single I/O, failing and full
// disks, and damaged files.

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "campaign/store/manifest_tail.h"
#include "campaign/store/rocks_lead_store.h"
#include "tests/campaign/store/child.h"
#include "tests/campaign/store/journal.h"
#include "tests/fakes/crash_env.h"

namespace outpace::store {
namespace {

using fakes::CrashEnv;

TEST(KillNine, LosesNothingAcknowledgedAndLeavesNoHalfBatch) {
  ScratchDirectory directory;
  RocksLeadStore::Options options;
  options.path = absl::StrCat(directory.path(), "/store");
  Rng rng(21);
  uint64_t length = 0;
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE(round);
    uint64_t acknowledged = length;
    {
      Child child({STORE_WRITER, "write", options.path});
      for (uint64_t n = rng.Below(60); n > 0; --n) {
        ASSERT_TRUE(absl::SimpleAtoi(child.ReadLine(), &acknowledged));
      }
      child.Kill();
      for (std::string line; !(line = child.ReadLine()).empty();) {
        ASSERT_TRUE(absl::SimpleAtoi(line, &acknowledged));
      }
    }
    auto store = RocksLeadStore::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    const absl::StatusOr<uint64_t> kept = JournalLength(**store, 300);
    ASSERT_TRUE(kept.ok()) << kept.status();
    EXPECT_GE(*kept, acknowledged);
    EXPECT_LE(*kept, acknowledged + 1);  // at most the one under way
    // A write that is killed between two pages leaves the start of its record: of the one under
    // way, which nobody was told of.
    EXPECT_LT((*store)->journal_bytes_dropped(), 4096);
    length = *kept;
  }
  EXPECT_GT(length, 100u);
}

constexpr size_t kPadding = 2000;

RocksLeadStore::Options OnFake(CrashEnv& machine) {
  RocksLeadStore::Options options;
  options.path = "/store";
  options.env = machine.env();
  options.memtable_bytes = 64 << 10;
  return options;
}

struct Session {
  uint64_t acknowledged = 0;  // commits, synced
  uint64_t attempt_id = 0;    // highest id given out
  absl::Status stopped;       // the error that ended it
};

// Opens, commits, closes and opens again and commits on, until `commits` are acknowledged or
// something fails. Some commits go the bulk way; they count once SyncWrites has returned.
Session RunSession(CrashEnv& machine, uint64_t commits) {
  Session session;
  uint64_t next = 1;
  while (session.acknowledged < commits) {
    auto store = RocksLeadStore::Open(OnFake(machine));
    session.stopped = store.status();
    if (!store.ok()) return session;
    for (uint64_t i = 0; i < commits / 2; ++i, ++next) {
      if (next % 5 == 0) {
        const auto id = (*store)->ReserveAttemptIds(400);
        session.stopped = id.status();
        if (!id.ok()) return session;
        session.attempt_id = *id + 399;
      }
      const campaign::StoreBatch batch = JournalBatch(next, kPadding);
      const bool bulk = next % 7 == 0;
      session.stopped = bulk ? (*store)->CommitUnsynced(batch) : (*store)->Commit(batch);
      if (bulk && session.stopped.ok()) session.stopped = (*store)->SyncWrites();
      if (!session.stopped.ok()) return session;
      session.acknowledged = next;
    }
  }
  return session;
}

// After the power came back: all of the session is there, and the store works on.
void CheckAfter(CrashEnv& machine, const Session& session, uint64_t extra_max) {
  auto store = RocksLeadStore::Open(OnFake(machine));
  ASSERT_TRUE(store.ok()) << store.status();
  const absl::StatusOr<uint64_t> kept = JournalLength(**store, kPadding);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_GE(*kept, session.acknowledged);
  EXPECT_LE(*kept, session.acknowledged + extra_max);
  EXPECT_GT(*(*store)->ReserveAttemptIds(1), session.attempt_id);
  EXPECT_TRUE((*store)->Commit(JournalBatch(*kept + 1, kPadding)).ok());
}

class PowerCut : public ::testing::TestWithParam<bool> {};

// Each run cuts the power one operation later, until a run gets through. With torn writes, what was
// not synced is left in random pieces.
TEST_P(PowerCut, AtEveryOperationLosesNothingAcknowledged) {
  int64_t k = 1;
  for (bool finished = false; !finished; ++k) {
    SCOPED_TRACE(absl::StrCat("power cut at operation ", k));
    CrashEnv machine;
    machine.CrashAt(k);
    const Session session = RunSession(machine, 60);
    finished = !machine.crashed();
    EXPECT_TRUE(session.stopped.ok() || !finished) << session.stopped;
    Rng torn(static_cast<uint64_t>(k));
    machine.Reboot(GetParam() ? &torn : nullptr);
    CheckAfter(machine, session, 1);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(k, 300);
}
INSTANTIATE_TEST_SUITE_P(Writes, PowerCut, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Torn" : "Dropped"; });

// The guard of the test above: were the sync left out, it would see the loss.
TEST(PowerCutGuard, SeesTheLossOfWhatWasNotSynced) {
  CrashEnv machine;
  {
    auto store = RocksLeadStore::Open(OnFake(machine));
    ASSERT_TRUE(store.ok()) << store.status();
    for (uint64_t n = 1; n <= 5; ++n) {
      ASSERT_TRUE((*store)->Commit(JournalBatch(n)).ok());
    }
    for (uint64_t n = 6; n <= 10; ++n) {
      ASSERT_TRUE((*store)->CommitUnsynced(JournalBatch(n)).ok());
    }
    machine.CrashAt(1);
  }
  machine.Reboot();
  auto store = RocksLeadStore::Open(OnFake(machine));
  ASSERT_TRUE(store.ok()) << store.status();
  const absl::StatusOr<uint64_t> kept = JournalLength(**store);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(*kept, 5u);
}

class FailingDisk : public ::testing::TestWithParam<bool> {};

// One operation fails and the next would work: the failed commit is not acknowledged and the store
// stays shut until it is opened again (a second fsync may lie). Opening then finds all.
TEST_P(FailingDisk, PoisonsTheStoreAndLosesNothingAcknowledged) {
  int failures = 0;
  bool finished = false;
  for (int64_t k = 1; !finished; ++k) {
    SCOPED_TRACE(absl::StrCat("operation ", k, " fails"));
    CrashEnv machine;
    Session session;
    {
      machine.FailOnceAt(k, /*syncs_only=*/GetParam());
      auto store = RocksLeadStore::Open(OnFake(machine));
      if (!store.ok()) {
        EXPECT_TRUE(absl::IsUnavailable(store.status())) << store.status();
        ++failures;
        continue;
      }
      absl::Status status;
      for (uint64_t n = 1; n <= 40 && status.ok(); ++n) {
        status = (*store)->Commit(JournalBatch(n, kPadding));
        if (status.ok()) session.acknowledged = n;
      }
      finished = !machine.failed();
      if (!status.ok()) {
        ++failures;
        EXPECT_TRUE(absl::IsUnavailable(status)) << status;
        EXPECT_TRUE(absl::StrContains(status.message(), "restart")) << status;
        EXPECT_TRUE(absl::IsUnavailable((*store)->Commit(JournalBatch(99, kPadding))));
        EXPECT_TRUE(absl::IsUnavailable((*store)->SyncWrites()));
        EXPECT_TRUE(absl::IsUnavailable((*store)->ReserveLeadIds(1).status()));
        EXPECT_TRUE((*store)->GetLead(LeadId(1)).ok());  // reading goes on
      }
    }
    machine.FailOnceAt(0);
    CheckAfter(machine, session, 1);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(failures, 40);
}
INSTANTIATE_TEST_SUITE_P(Operations, FailingDisk, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "Syncs" : "All"; });

TEST(FullDisk, StopsWithAnErrorAndGoesOnAfterARestart) {
  for (int64_t free_space = 2'000; free_space < 400'000; free_space += 13'001) {
    SCOPED_TRACE(free_space);
    CrashEnv machine;
    Session session;
    {
      auto store = RocksLeadStore::Open(OnFake(machine));
      ASSERT_TRUE(store.ok()) << store.status();
      machine.SetFreeSpace(free_space);
      absl::Status status;
      for (uint64_t n = 1; status.ok(); ++n) {
        ASSERT_LT(n, 2000u);
        status = (*store)->Commit(JournalBatch(n, kPadding));
        if (status.ok()) session.acknowledged = n;
      }
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      EXPECT_TRUE(absl::StrContains(status.message(), "free space")) << status;
      machine.SetFreeSpace(-1);
      EXPECT_TRUE(absl::IsUnavailable((*store)->Commit(JournalBatch(session.acknowledged + 1))));
    }
    CheckAfter(machine, session, 1);
    if (HasFatalFailure()) return;
  }
}

// Flips one bit, or cuts a file: the store refuses, or says at reading that a record is damaged, or
// holds a true prefix.
class Damage : public ::testing::TestWithParam<bool> {};
TEST_P(Damage, IsNeverServedAsData) {
  const bool closed_in_order = GetParam();
  Rng rng(31);
  int refused = 0, unharmed = 0, shortened = 0;
  for (int round = 0; round < 150; ++round) {
    SCOPED_TRACE(round);
    CrashEnv machine;
    constexpr uint64_t kCommits = 40;
    {
      auto store = RocksLeadStore::Open(OnFake(machine));
      ASSERT_TRUE(store.ok()) << store.status();
      for (uint64_t n = 1; n <= kCommits; ++n) {
        ASSERT_TRUE((*store)->Commit(JournalBatch(n, kPadding)).ok());
      }
      if (!closed_in_order) machine.CrashAt(1);
    }
    if (!closed_in_order) machine.Reboot();
    std::vector<std::string> files = machine.Files();
    std::erase_if(files, [&](const std::string& path) { return machine.SizeOf(path) == 0; });
    const std::string& path = files[rng.Below(files.size())];
    SCOPED_TRACE(path);
    const size_t at = static_cast<size_t>(rng.Below(machine.SizeOf(path)));
    const bool cut = rng.Chance(0.3) && !absl::EndsWith(path, ".log");
    if (cut) {
      machine.Cut(path, at);
    } else {
      machine.Flip(path, at, static_cast<uint8_t>(1u << rng.Below(8)));
    }
    auto store = RocksLeadStore::Open(OnFake(machine));
    const absl::StatusOr<uint64_t> kept =
        store.ok() ? JournalLength(**store, kPadding) : absl::StatusOr<uint64_t>(store.status());
    EXPECT_FALSE(absl::IsInternal(kept.status())) << kept.status();
    if (!kept.ok()) {
      ++refused;
    } else if (*kept == kCommits) {
      ++unharmed;
    } else {
      ++shortened;
      EXPECT_FALSE(closed_in_order) << "lost " << kCommits - *kept << " commits without a word";
    }
  }
  EXPECT_GT(refused, 20);
  EXPECT_GT(unharmed, 5);  // OPTIONS, IDENTITY, unused space
  RecordProperty("refused", refused);
  RecordProperty("unharmed", unharmed);
  RecordProperty("shortened", shortened);
}
INSTANTIATE_TEST_SUITE_P(Shutdown, Damage, ::testing::Bool(),
                         [](const auto& test) { return test.param ? "InOrder" : "PowerCut"; });

// An end torn by a power cut is cut off; damage with good records behind it is left for RocksDB to
// refuse.
TEST(TornManifest, IsToldFromDamage) {
  CrashEnv machine;
  {
    auto store = RocksLeadStore::Open(OnFake(machine));
    ASSERT_TRUE(store.ok());
    for (uint64_t n = 1; n <= 40; ++n) {
      ASSERT_TRUE((*store)->Commit(JournalBatch(n, kPadding)).ok());
    }
  }
  std::string path;
  for (const std::string& file : machine.Files()) {
    if (absl::StrContains(file, "MANIFEST-")) path = file;
  }
  std::string whole;
  ASSERT_TRUE(rocksdb::ReadFileToString(machine.env(), path, &whole).ok());
  EXPECT_EQ(TornManifestEnd(whole), std::nullopt);
  EXPECT_EQ(TornManifestEnd(""), std::nullopt);
  EXPECT_EQ(TornManifestEnd("no manifest at all"), std::nullopt);
  EXPECT_EQ(TornManifestEnd(absl::StrCat(whole, std::string(100, '\0'))), whole.size());
  EXPECT_EQ(TornManifestEnd(absl::StrCat(whole, whole.substr(0, 20))), whole.size());
  const std::optional<size_t> cut = TornManifestEnd(whole.substr(0, whole.size() - 1));
  ASSERT_TRUE(cut.has_value());
  EXPECT_LT(*cut, whole.size());
  EXPECT_EQ(TornManifestEnd(whole.substr(0, *cut)), std::nullopt);
  // What was written in one go may be torn anywhere: the last flush, with the entry of bookkeeping
  // behind it. What came before was synced.
  const std::optional<size_t> last_flush = TornManifestEnd(whole.substr(0, *cut - 1));
  ASSERT_TRUE(last_flush.has_value());
  for (size_t at = 0; at < *cut; at += 13) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_EQ(TornManifestEnd(damaged), at < *last_flush ? std::nullopt : last_flush) << at;
  }
}

TEST(DamagedJournal, IsCountedWhenItsEndIsDropped) {
  CrashEnv machine;
  {
    auto store = RocksLeadStore::Open(OnFake(machine));
    ASSERT_TRUE(store.ok());
    for (uint64_t n = 1; n <= 10; ++n) ASSERT_TRUE((*store)->Commit(JournalBatch(n)).ok());
    machine.CrashAt(1);
  }
  machine.Reboot();
  std::string journal;
  for (const std::string& path : machine.Files()) {
    if (absl::EndsWith(path, ".log") && machine.SizeOf(path) > 0) journal = path;
  }
  ASSERT_FALSE(journal.empty());
  machine.Flip(journal, machine.SizeOf(journal) / 2, 1);
  auto store = RocksLeadStore::Open(OnFake(machine));
  ASSERT_TRUE(store.ok()) << store.status();
  const absl::StatusOr<uint64_t> kept = JournalLength(**store);
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_LT(*kept, 10u);
  EXPECT_GT((*store)->journal_bytes_dropped(), 0);
}

}  // namespace
}  // namespace outpace::store
