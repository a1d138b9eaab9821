// One long job at a time, seen and cancelled from other threads.

#include "engine/runtime/import_desk.h"

#include <nlohmann/json.hpp>

#include "absl/synchronization/notification.h"
#include "engine/sim/sim_world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using Code = absl::StatusCode;
using Json = nlohmann::ordered_json;

class ImportDeskTest : public ::testing::Test {
 protected:
  sim::SimWorld world_{1, absl::FromUnixSeconds(1'700'000'000)};
  ImportDesk desk_{world_.clock()};
};

TEST_F(ImportDeskTest, TellsHowFarItIs) {
  EXPECT_EQ(desk_.Look(0).status().code(), Code::kNotFound);
  absl::Notification began, go_on;
  const auto job = desk_.Start({"import", "leads.csv", ImportId(7)}, [&](JobControl& control) {
    control.total = 1000;
    control.done = 250;
    control.rows = 12;
    began.Notify();
    go_on.WaitForNotification();
    return absl::StatusOr<Json>(Json{{"rows", 48}});
  });
  ASSERT_TRUE(job.ok()) << job.status();
  began.WaitForNotification();
  world_.RunFor(absl::Seconds(10));
  const auto view = desk_.Look(*job);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->state, JobState::kRunning);
  EXPECT_EQ(view->title.import, ImportId(7));
  EXPECT_EQ(view->rows, 12u);
  EXPECT_EQ(view->spent, absl::Seconds(10));
  EXPECT_EQ(view->Left(), absl::Seconds(30));
  EXPECT_EQ(desk_.Answer(*job).status().code(), Code::kUnavailable);

  const auto second = desk_.Start({"undo", "import 3", ImportId(3)}, nullptr);
  EXPECT_EQ(second.status().code(), Code::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("an import is under way: leads.csv, 25 %, for 10s"));
  go_on.Notify();
  desk_.Stop();
  EXPECT_EQ(desk_.Look(*job)->state, JobState::kDone);
  EXPECT_EQ(desk_.Look(0)->job, *job);
  EXPECT_EQ((*desk_.Answer(*job))["rows"], 48);
}

TEST_F(ImportDeskTest, IsCancelled) {
  absl::Notification began;
  const auto job = desk_.Start({"import", "leads.csv", {}}, [&](JobControl& control) {
    began.Notify();
    while (!control.cancelled) std::this_thread::yield();
    return absl::StatusOr<Json>(absl::CancelledError("cancelled; nothing was stored"));
  });
  ASSERT_TRUE(job.ok());
  began.WaitForNotification();
  EXPECT_TRUE(desk_.Cancel(*job).ok());
  EXPECT_EQ(desk_.Cancel(*job + 1).code(), Code::kNotFound);
  desk_.Stop();
  EXPECT_EQ(desk_.Look(*job)->state, JobState::kCancelled);
  EXPECT_EQ(desk_.Answer(*job).status().code(), Code::kCancelled);
  EXPECT_EQ(desk_.Start({"import", "x", {}}, nullptr).status().code(), Code::kUnavailable)
      << "after its end";
}

// Asked to end, it found that it could not have gone on anyway: that is worth telling.
TEST_F(ImportDeskTest, AFailureIsNoCancellation) {
  const auto answer = desk_.Run({"import", "leads.csv", {}}, [](JobControl& control) {
    control.cancelled = true;
    return absl::StatusOr<Json>(absl::AbortedError("list 7 was made meanwhile"));
  });
  EXPECT_EQ(answer.status().code(), Code::kAborted);
  EXPECT_EQ(desk_.Look(0)->state, JobState::kFailed);
}

// Whoever looks late still learns what became of his job.
TEST_F(ImportDeskTest, RemembersJobsThatOthersCameAfter) {
  std::vector<uint64_t> jobs;
  for (int i = 0; i < 20; ++i) {
    absl::StatusOr<uint64_t> job;
    do {
      job = desk_.Start({"import", "a.csv", {}}, [i](JobControl&) -> absl::StatusOr<Json> {
        if (i == 7) return absl::DataLossError("the file became shorter");
        return Json{{"rows", i}};
      });
    } while (absl::IsFailedPrecondition(job.status()));
    ASSERT_TRUE(job.ok()) << job.status();
    jobs.push_back(*job);
  }
  desk_.Stop();
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (i == 7) {
      EXPECT_EQ(desk_.Answer(jobs[i]).status().code(), Code::kDataLoss);
    } else {
      EXPECT_EQ((*desk_.Answer(jobs[i]))["rows"], i);
    }
  }
}

TEST_F(ImportDeskTest, OneAfterTheOther) {
  for (int i = 0; i < 50; ++i) {
    const auto answer = desk_.Run({"import", "a.csv", {}}, [i](JobControl&) {
      return absl::StatusOr<Json>(Json{{"rows", i}});
    });
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_EQ((*answer)["rows"], i);
  }
  const auto failed = desk_.Run({"import", "a.csv", {}}, [](JobControl&) {
    return absl::StatusOr<Json>(absl::DataLossError("the file became shorter"));
  });
  EXPECT_EQ(failed.status().code(), Code::kDataLoss);
  EXPECT_EQ(desk_.Look(0)->state, JobState::kFailed);
}

}  // namespace
}  // namespace outpace::runtime
