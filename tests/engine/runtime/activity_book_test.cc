#include "engine/runtime/activity_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "campaign/activity_log.h"
#include "campaign/store/memory_lead_store.h"

namespace outpace::runtime {
namespace {

using campaign::AgentActivity;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = agent::AgentState;
namespace activity = campaign::activity;

const absl::Time kStart = absl::FromUnixSeconds(1'700'000'000);
absl::Time At(int64_t seconds) { return kStart + absl::Seconds(seconds); }

class ActivityBookTest : public ::testing::Test {
 protected:
  void Note(int64_t seconds, State state, const std::string& code = "", uint64_t attempt = 0,
            int64_t now = -1) {
    agent::AgentRecord record;
    record.id = "a1";
    record.campaign = "C";
    record.state = state;
    record.pause_code = code;
    record.attempt = AttemptId(attempt);
    book_.Note(record, At(seconds), At(now < 0 ? seconds : now));
  }
  // What waits, as "10 PAUSED LUNCH", "12 INCALL #7".
  std::vector<std::string> Taken(int64_t now) {
    campaign::StoreBatch batch;
    book_.MoveInto(batch, At(now));
    std::vector<std::string> lines;
    for (const AgentActivity& a : batch.activities) {
      lines.push_back(absl::StrCat(absl::ToInt64Seconds(a.at - kStart), " ", a.state,
                                   a.code.empty() ? "" : " ", a.code));
      if (a.attempt.valid()) absl::StrAppend(&lines.back(), " #", a.attempt.value());
    }
    return lines;
  }

  ActivityBook book_;
};

TEST_F(ActivityBookTest, EachChangeIsNotedOnce) {
  Note(0, State::kLoggedOut);
  Note(1, State::kNotReady);
  Note(1, State::kNotReady, "", 0, 5);  // the phone has answered: no change of state
  Note(6, State::kAvailable);
  Note(7, State::kReserved, "", 7);
  Note(8, State::kOnCall, "", 7);
  Note(8, State::kOnCall, "LUNCH", 7);  // asked for during the call
  Note(20, State::kWrapUp, "LUNCH", 7);
  Note(25, State::kNotReady, "LUNCH");
  Note(25, State::kNotReady, "COACH", 0, 40);
  Note(50, State::kLoggedOut);
  Note(50, State::kLoggedOut);
  EXPECT_THAT(Taken(60),
              ElementsAre("1 LOGIN", "6 READY", "7 RESERVED #7", "8 INCALL #7", "20 DISPO #7",
                          "25 PAUSED LUNCH", "40 PAUSED COACH", "50 LOGGED OUT"));
  EXPECT_THAT(Taken(61), IsEmpty());
  EXPECT_EQ(book_.Last("a1"), nullptr);
}

TEST_F(ActivityBookTest, TheNextCallIsAnother) {
  Note(1, State::kNotReady);
  Note(2, State::kOnCall, "", 7);
  Note(3, State::kOnCall, "", 8);
  EXPECT_THAT(Taken(9), ElementsAre("1 LOGIN", "2 INCALL #7", "3 INCALL #8"));
}

TEST_F(ActivityBookTest, APauseAfterTheLoginBeginsWhenItIsSaid) {
  Note(1, State::kNotReady);
  Note(1, State::kNotReady, "BREAK", 0, 30);
  EXPECT_THAT(Taken(40), ElementsAre("1 LOGIN", "30 PAUSED BREAK"));
}

TEST_F(ActivityBookTest, AnAgentNeverGoesBackInTime) {
  Note(100, State::kNotReady);
  Note(40, State::kAvailable);  // the clock was set back
  Note(45, State::kOnCall, "", 7);
  Note(130, State::kWrapUp, "", 7);
  EXPECT_THAT(Taken(140), ElementsAre("100 LOGIN", "100 READY", "100 INCALL #7", "130 DISPO #7"));
}

TEST_F(ActivityBookTest, WhoIsLoggedInIsSaidAgainEveryHour) {
  Note(0, State::kNotReady);
  book_.RepeatIfDue(At(0));
  Note(10, State::kAvailable);
  EXPECT_THAT(Taken(10), ElementsAre("0 LOGIN", "10 READY"));
  book_.RepeatIfDue(At(3599));
  EXPECT_THAT(Taken(3599), IsEmpty());
  book_.RepeatIfDue(At(3600));
  EXPECT_THAT(Taken(3600), ElementsAre("3600 READY"));
  book_.RepeatIfDue(At(3700));
  Note(3710, State::kLoggedOut);
  book_.RepeatIfDue(At(7200));
  EXPECT_THAT(Taken(7200), ElementsAre("3710 LOGGED OUT"));
  EXPECT_LT(campaign::kActivityRepeat, campaign::kActivityLookBack);
}

TEST_F(ActivityBookTest, ThatTheEngineRunsIsNewsEveryTenSeconds) {
  EXPECT_TRUE(book_.HasNews(At(0)));
  campaign::StoreBatch batch;
  book_.MoveInto(batch, At(0));
  EXPECT_EQ(campaign::ParseActivitiesKnown(batch.meta[campaign::kActivitiesKnownKey]), At(0));
  EXPECT_FALSE(book_.HasNews(At(9)));
  EXPECT_TRUE(book_.HasNews(At(10)));
  EXPECT_TRUE(book_.HasNews(At(-10))) << "the clock was set back";
  Note(1, State::kNotReady);
  EXPECT_TRUE(book_.HasNews(At(1)));
}

TEST_F(ActivityBookTest, WhereThePredecessorWasLastKnownToRun) {
  store::MemoryLeadStore store;
  EXPECT_EQ(*LastKnownRunning(store), absl::InfiniteFuture()) << "a store without activities";
  campaign::StoreBatch batch;
  Note(1, State::kNotReady);
  book_.MoveInto(batch, At(5));
  ASSERT_TRUE(store.Commit(batch).ok());
  EXPECT_EQ(*LastKnownRunning(store), At(5));
  batch = campaign::StoreBatch();
  batch.activities = {{At(9), "a1", "C", "READY", "", AttemptId()}};
  ASSERT_TRUE(store.Commit(batch).ok());
  EXPECT_EQ(*LastKnownRunning(store), At(9));
  batch = campaign::StoreBatch();
  book_.End(batch);
  ASSERT_TRUE(store.Commit(batch).ok());
  EXPECT_EQ(*LastKnownRunning(store), absl::InfiniteFuture());
  Note(20, State::kAvailable);
  EXPECT_FALSE(book_.HasNews(At(100))) << "it has ended";
}

}  // namespace
}  // namespace outpace::runtime
