#include "engine/audit/audit_log.h"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <thread>

#include "engine/audit/segment.h"
#include "engine/base/rng.h"
#include "tests/engine/audit/audit_fixture.h"

namespace outpace::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AuditLogTest : public ::testing::Test {
 protected:
  void Start() {
    log_.reset();
    files_ = std::make_unique<TestFiles>(directory_.path());
    auto log = AuditLog::Open(config_, key_, *files_, clock_, null_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }
  AuditReport Check() {
    auto files = NewPosixAuditFiles(directory_.path(), /*read_only=*/true);
    return VerifiedOf(**files, key_);
  }
  std::vector<StoredEvent> Events(std::vector<std::string> kinds) {
    auto files = NewPosixAuditFiles(directory_.path(), /*read_only=*/true);
    return EventsIn(**files, std::move(kinds));
  }

  ScratchDirectory directory_;
  AuditLogConfig config_;
  const SealKey key_ = TestKey();
  ManualClock clock_;
  NullLog null_;
  std::unique_ptr<TestFiles> files_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, WhatIsAcknowledgedIsThere) {
  Start();
  int told = 0;
  ASSERT_TRUE(log_->Append(EventOf(7),
                           [&](const absl::Status& status) {
                             EXPECT_TRUE(status.ok());
                             ++told;
                           })
                  .ok());
  ASSERT_TRUE(log_->Flush().ok());
  EXPECT_EQ(told, 1);
  EXPECT_EQ(log_->Stats().written, 1u);
  EXPECT_EQ(log_->Stats().waiting, 0u);
  EXPECT_EQ(log_->Stats().head, *Check().head);
  const std::vector<StoredEvent> events = Events({"call.dialed"});
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].event.at, clock_.Wall());
  log_->Close();
  EXPECT_EQ(log_->Append(EventOf(8)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Events({kClosed}).size(), 1u);
  EXPECT_EQ(Check().after_head, 0u);
}

TEST_F(AuditLogTest, AnEventThatSomebodyWaitsForDoesNotWaitForOthers) {
  config_.gather = absl::Hours(1);
  Start();
  ASSERT_TRUE(log_->Append(EventOf(7)).ok());
  std::promise<void> told;
  ASSERT_TRUE(log_->Append(EventOf(8), [&](const absl::Status&) { told.set_value(); }).ok());
  told.get_future().wait();
  EXPECT_EQ(log_->Stats().written, 2u);
}

TEST_F(AuditLogTest, ManyThreadsAtOnce) {
  Start();
  std::atomic<uint64_t> told{0};
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 500; ++i) {
        while (!log_->Append(EventOf(t * 1000 + i),
                             [&](const absl::Status& status) {
                               if (status.ok()) ++told;
                             })
                    .ok()) {
          std::this_thread::yield();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(log_->Flush().ok());
  EXPECT_EQ(told, 4000u);
  EXPECT_THAT(Check().faults, IsEmpty());
  std::vector<int64_t> next(8, 0);
  for (const StoredEvent& stored : Events({"call."})) {
    const int64_t lead = NumberOf(stored.event, "lead");
    EXPECT_EQ(lead % 1000, next[static_cast<size_t>(lead / 1000)]++);  // each thread's in order
  }
  EXPECT_EQ(std::count(next.begin(), next.end(), 500), 8);
  EXPECT_LT(files_->syncs(), 2000);  // shared
}

TEST_F(AuditLogTest, AHangingDiskMakesNobodyWaitAndWhatIsRefusedIsTold) {
  config_.queue_max = 100;
  config_.gather = absl::ZeroDuration();
  Start();
  files_->Hang();
  ASSERT_TRUE(log_->Append(EventOf(1)).ok());
  files_->AwaitHang();
  int taken = 0, refused = 0;
  for (uint64_t lead = 2; lead < 200; ++lead) {
    const absl::Status status = log_->Append(EventOf(lead));
    ++(status.ok() ? taken : refused);
    EXPECT_TRUE(status.ok() || absl::IsResourceExhausted(status)) << status;
  }
  EXPECT_EQ(taken, 100);
  EXPECT_EQ(refused, 98);
  EXPECT_EQ(log_->Stats().refused, 98u);
  EXPECT_EQ(log_->Stats().waiting, 101u);
  files_->GoOn();
  ASSERT_TRUE(log_->Flush().ok());
  const std::vector<StoredEvent> lost = Events({kLost});
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(NumberOf(lost[0].event, "count"), 98);
  EXPECT_THAT(Check().notes, ::testing::Contains(HasSubstr("98 events were refused")));
}

// What has happened must leave a trace: only what can be put off is refused.
TEST_F(AuditLogTest, WhoWaitsForTheAnswerIsNotRefusedBecauseManyWait) {
  config_.queue_max = 2;
  config_.gather = absl::ZeroDuration();
  Start();
  files_->Hang();
  ASSERT_TRUE(log_->Append(EventOf(1)).ok());
  files_->AwaitHang();
  while (log_->Append(EventOf(2)).ok()) {
  }
  std::atomic<int> told{0};
  for (uint64_t lead = 3; lead < 9; ++lead) {
    EXPECT_TRUE(log_->Append(EventOf(lead), [&](const absl::Status& s) { told += s.ok(); }).ok());
  }
  EXPECT_TRUE(log_->Ready().ok());
  files_->GoOn();
  ASSERT_TRUE(log_->Flush().ok());
  EXPECT_EQ(told, 6);
}

// The disk is full but for the room that was kept: no call is begun, those that wait are written,
// and so is how those end that are under way.
TEST_F(AuditLogTest, WhenTheDiskBecomesFullWhatWaitsIsWritten) {
  config_.writer.reserve_bytes = 40'000;
  config_.gather = absl::ZeroDuration();
  Start();
  files_->FailReserve(absl::ResourceExhaustedError("audit: no space"));
  uint64_t taken = 0;
  while (log_->Ready().ok()) {
    files_->Hang();
    if (log_->Append(EventOf(taken + 1)).ok()) ++taken;
    files_->AwaitHang();
    for (int i = 0; i < 9; ++i) {
      if (log_->Append(EventOf(taken + 1)).ok()) ++taken;
    }
    files_->GoOn();
    ASSERT_TRUE(log_->Flush().ok());
    ASSERT_LT(taken, 1000u);
  }
  EXPECT_GT(taken, 10u);
  EXPECT_TRUE(absl::IsResourceExhausted(log_->Append(EventOf(0))));
  absl::Status told = absl::UnknownError("not told");
  ASSERT_TRUE(
      log_->Append(EventOf(9999, "call.abandoned"), [&](const absl::Status& s) { told = s; }).ok());
  ASSERT_TRUE(log_->Flush().ok());
  EXPECT_TRUE(told.ok()) << told;
  EXPECT_EQ(Events({"call.dialed"}).size(), taken);
  EXPECT_EQ(Events({"call.abandoned"}).size(), 1u);
  log_->Close();
  EXPECT_EQ(Events({kClosed}).size(), 1u);
  EXPECT_THAT(Check().faults, IsEmpty());
}

TEST_F(AuditLogTest, AFullDiskIsToldToAllWhoWaitAndToAllWhoCome) {
  Start();
  files_->SetRoom(50);
  std::vector<absl::Status> told;
  std::mutex mutex;
  for (uint64_t lead = 1; lead <= 3; ++lead) {
    const absl::Status status = log_->Append(EventOf(lead), [&](const absl::Status& s) {
      const std::lock_guard<std::mutex> lock(mutex);
      told.push_back(s);
    });
    ASSERT_TRUE(status.ok() || absl::IsResourceExhausted(status));
    if (!status.ok()) told.push_back(status);
  }
  EXPECT_TRUE(absl::IsResourceExhausted(log_->Flush()));
  EXPECT_EQ(told.size(), 3u);
  for (const absl::Status& status : told) EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_TRUE(absl::IsResourceExhausted(log_->Append(EventOf(4))));
  EXPECT_TRUE(absl::IsResourceExhausted(log_->Stats().status));
  log_->Close();
  Start();
  ASSERT_TRUE(log_->Append(EventOf(5)).ok());
  ASSERT_TRUE(log_->Flush().ok());
  EXPECT_THAT(Check().faults, IsEmpty());
}

TEST_F(AuditLogTest, RetentionRunsOnItsThread) {
  Start();
  ASSERT_TRUE(log_->Append(EventOf(1)).ok());
  ASSERT_TRUE(log_->Flush().ok());
  clock_.Advance(absl::Hours(24));
  ASSERT_TRUE(log_->Append(EventOf(2)).ok());
  absl::Status pruned = absl::UnknownError("not told");
  ASSERT_TRUE(log_->Prune(clock_.Wall(), [&](const absl::Status& s) { pruned = s; }).ok());
  ASSERT_TRUE(log_->Flush().ok());
  EXPECT_TRUE(pruned.ok()) << pruned;
  EXPECT_EQ(Events({"call."}).size(), 1u);
  EXPECT_THAT(Check().faults, IsEmpty());
}

// Reading while it is written and pruned never takes the unfinished for tampering.
TEST_F(AuditLogTest, VerifyingALogThatIsBeingWritten) {
  config_.writer.segment_bytes = 20'000;
  config_.gather = absl::ZeroDuration();
  Start();
  std::atomic<bool> stop{false};
  std::thread writing([&] {
    for (uint64_t lead = 1; !stop; ++lead) {
      if (!log_->Append(EventOf(lead)).ok()) std::this_thread::yield();
      if (lead % 500 == 0) {
        clock_.Advance(absl::Hours(24));
        EXPECT_TRUE(log_->Prune(clock_.Wall() - absl::Hours(72), nullptr).ok());
      }
      if (lead % 50 == 0) {
        EXPECT_TRUE(log_->Flush().ok());
      }
    }
  });
  for (int i = 0; i < 60; ++i) {
    const AuditReport report = Check();
    EXPECT_THAT(report.faults, IsEmpty())
        << (report.faults.empty() ? "" : report.faults[0].ToString());
    if (!report.faults.empty()) break;
  }
  stop = true;
  writing.join();
}

// A child writes in earnest and tells each acknowledged event through a pipe; it is killed at some
// moment. All that it told of is there, and nothing is taken for tampering.
TEST_F(AuditLogTest, KilledAtAnyMomentWhatWasAcknowledgedIsThere) {
  config_.writer.segment_bytes = 30'000;
  config_.gather = absl::ZeroDuration();
  uint64_t acknowledged = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(pipe[0]);
      auto files = NewPosixAuditFiles(directory_.path());
      if (!files.ok()) ::_exit(1);
      auto log = AuditLog::Open(config_, key_, **files, clock_, null_);
      if (!log.ok()) ::_exit(1);
      for (uint64_t lead = acknowledged + 1;; ++lead) {
        const auto tell = [&, lead](const absl::Status& s) {
          if (!s.ok() || ::write(pipe[1], &lead, sizeof lead) != sizeof lead) ::_exit(1);
        };
        while (!(*log)->Append(EventOf(lead), tell).ok()) std::this_thread::yield();
        if (lead % 20 == 0 && !(*log)->Flush().ok()) ::_exit(1);
      }
    }
    ::close(pipe[1]);
    // So many acknowledgements, then the end: at some moment of whatever it is doing.
    const uint64_t some = 1 + rng.Below(300);
    uint64_t lead = 0, last = acknowledged;
    for (uint64_t i = 0; i < some; ++i) {
      ASSERT_EQ(::read(pipe[0], &lead, sizeof lead), static_cast<ssize_t>(sizeof lead));
      last = lead;
    }
    ::kill(child, SIGKILL);
    while (::read(pipe[0], &lead, sizeof lead) == static_cast<ssize_t>(sizeof lead)) last = lead;
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    const AuditReport report = Check();
    ASSERT_THAT(report.faults, IsEmpty()) << report.faults[0].ToString();
    const std::vector<StoredEvent> events = Events({"call."});
    ASSERT_GE(events.size(), last);
    for (uint64_t i = 0; i < events.size(); ++i) {
      ASSERT_EQ(NumberOf(events[i].event, "lead"), static_cast<int64_t>(i + 1));
    }
    acknowledged = events.size();
  }
}

}  // namespace
}  // namespace outpace::audit
