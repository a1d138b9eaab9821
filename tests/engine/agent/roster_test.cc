#include "engine/agent/roster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/base/rng.h"

namespace outpace::agent {
namespace {

using ::testing::ElementsAre;
using S = AgentState;
using E = AgentEvent;

constexpr S kStates[] = {S::kLoggedOut, S::kNotReady, S::kAvailable,
                         S::kReserved,  S::kOnCall,   S::kWrapUp};
constexpr E kEvents[] = {E::kLogin,   E::kReady,     E::kNotReady, E::kReserve, E::kConnect,
                         E::kRelease, E::kCallEnded, E::kDispose,  E::kLogout};

MonoTime At(double seconds) { return MonoTime() + absl::Seconds(seconds); }

TEST(AgentTable, EveryPairIsARowOrNothing) {
  int rows = 0;
  for (const S from : kStates) {
    for (const E on : kEvents) {
      const AgentTransition* row = FindTransition(from, on);
      if (row == nullptr) continue;
      ++rows;
      EXPECT_EQ(row->from, from);
      EXPECT_EQ(row->on, on);
      EXPECT_NE(row->to, from);
    }
  }
  EXPECT_EQ(rows, 13);
}

TEST(AgentTable, WhoeverIsLoggedInCanBeLoggedOut) {
  for (const S from : kStates) {
    const AgentTransition* row = FindTransition(from, E::kLogout);
    if (from == S::kLoggedOut) {
      EXPECT_EQ(row, nullptr);
    } else {
      ASSERT_NE(row, nullptr) << AgentStateName(from);
      EXPECT_EQ(row->to, S::kLoggedOut);
    }
  }
}

TEST(AgentTable, ACallIsTakenOnlyByWayOfAReservation) {
  for (const S from : kStates) {
    EXPECT_EQ(FindTransition(from, E::kConnect) != nullptr, from == S::kReserved);
    EXPECT_EQ(FindTransition(from, E::kReserve) != nullptr, from == S::kAvailable);
  }
}

TEST(AgentTable, NamesAreThoseOfTheInterface) {
  std::set<std::string> names;
  for (const S state : kStates) names.emplace(AgentStateName(state));
  EXPECT_THAT(names, ElementsAre("DISPO", "INCALL", "LOGGEDOUT", "PAUSED", "READY", "RESERVED"));
}

class RosterTest : public ::testing::Test {
 protected:
  void Add(const AgentId& id, const CampaignId& campaign = "DEMO") {
    ASSERT_TRUE(roster_.Add(id, campaign, At(0)).ok());
  }
  void Apply(const AgentId& id, E event, double at) {
    const absl::Status status = roster_.Apply(id, event, At(at));
    ASSERT_TRUE(status.ok()) << status;
  }
  void ReadyWithPhone(const AgentId& id, double at) {
    Apply(id, E::kLogin, at);
    ASSERT_TRUE(roster_.SetPhone(id, {0, next_leg_++, 1}, true).ok());
    Apply(id, E::kReady, at);
  }
  S StateOf(const AgentId& id) const { return roster_.Find(id)->state; }
  AgentId Pick(const CampaignId& campaign = "DEMO") const {
    const AgentRecord* agent = roster_.PickLongestWaiting(campaign);
    return agent == nullptr ? "" : agent->id;
  }
  Roster roster_;
  uint32_t next_leg_ = 0;
};

TEST_F(RosterTest, OneCallFromLoginToLogout) {
  Add("a1");
  ReadyWithPhone("a1", 10);
  ASSERT_TRUE(roster_.Reserve("a1", AttemptId(7), At(30)).ok());
  EXPECT_EQ(roster_.Find("a1")->attempt, AttemptId(7));
  Apply("a1", E::kConnect, 31);
  EXPECT_EQ(roster_.Find("a1")->calls_today, 1);
  Apply("a1", E::kCallEnded, 91);
  EXPECT_EQ(roster_.Find("a1")->attempt, AttemptId(7));  // still his, for the disposition
  Apply("a1", E::kDispose, 101);
  EXPECT_EQ(roster_.Find("a1")->attempt, AttemptId());
  EXPECT_EQ(StateOf("a1"), S::kAvailable);
  Apply("a1", E::kNotReady, 111);
  Apply("a1", E::kLogout, 211);
  const StateTimes times = roster_.Find("a1")->times;
  EXPECT_EQ(times.ready, absl::Seconds(30));
  EXPECT_EQ(times.reserved, absl::Seconds(1));
  EXPECT_EQ(times.talk, absl::Seconds(60));
  EXPECT_EQ(times.wrap, absl::Seconds(10));
  EXPECT_EQ(times.paused, absl::Seconds(100));
  EXPECT_DOUBLE_EQ(times.occupancy(), 70.0 / 101.0);
}

TEST_F(RosterTest, IllegalEventsAreCountedAndChangeNothing) {
  Add("a1");
  EXPECT_TRUE(absl::IsFailedPrecondition(roster_.Apply("a1", E::kConnect, At(1))));
  EXPECT_TRUE(absl::IsFailedPrecondition(roster_.Reserve("a1", AttemptId(7), At(1))));
  EXPECT_EQ(StateOf("a1"), S::kLoggedOut);
  EXPECT_EQ(roster_.Find("a1")->attempt, AttemptId());
  EXPECT_EQ(roster_.illegal_events(), 2u);
  EXPECT_TRUE(absl::IsNotFound(roster_.Apply("nobody", E::kLogin, At(1))));
  EXPECT_TRUE(absl::IsAlreadyExists(roster_.Add("a1", "DEMO", At(1))));
}

TEST_F(RosterTest, LongestWaitingFirstAndTiesById) {
  for (const char* id : {"c", "a", "b", "d"}) Add(id);
  ReadyWithPhone("c", 1);
  ReadyWithPhone("b", 2);
  ReadyWithPhone("a", 2);
  ReadyWithPhone("d", 0.5);
  EXPECT_EQ(Pick(), "d");
  ASSERT_TRUE(roster_.Reserve("d", AttemptId(1), At(3)).ok());
  EXPECT_EQ(Pick(), "c");
  ASSERT_TRUE(roster_.Reserve("c", AttemptId(2), At(3)).ok());
  EXPECT_EQ(Pick(), "a");
  ASSERT_TRUE(roster_.Reserve("a", AttemptId(3), At(3)).ok());
  EXPECT_EQ(Pick(), "b");
  // A call that went away before the bridge does not cost the place in the queue.
  Apply("d", E::kRelease, 9);
  EXPECT_EQ(Pick(), "d");
  EXPECT_EQ(roster_.Find("d")->since, At(9));
  EXPECT_EQ(Pick("OTHER"), "");
}

TEST_F(RosterTest, NoCallWithoutAPhone) {
  Add("a1");
  ReadyWithPhone("a1", 1);
  const LegId phone = roster_.Find("a1")->phone;
  EXPECT_EQ(roster_.FindByPhone(phone)->id, "a1");
  ASSERT_TRUE(roster_.SetPhone("a1", phone, false).ok());
  EXPECT_EQ(Pick(), "");
  EXPECT_EQ(roster_.Counts("DEMO").ready, 1);
  EXPECT_EQ(roster_.Counts("DEMO").ready_phone, 0);
  ASSERT_TRUE(roster_.SetPhone("a1", {0, 9, 2}, true).ok());
  EXPECT_EQ(Pick(), "a1");
  EXPECT_EQ(roster_.FindByPhone(phone), nullptr);
  ASSERT_TRUE(roster_.SetPhone("a1", LegId(), true).ok());
  EXPECT_FALSE(roster_.Find("a1")->phone_up);
  EXPECT_EQ(roster_.FindByPhone({0, 9, 2}), nullptr);
}

TEST_F(RosterTest, PauseDuringACallWaitsForTheWrapUp) {
  Add("a1");
  ReadyWithPhone("a1", 1);
  ASSERT_TRUE(roster_.Reserve("a1", AttemptId(7), At(2)).ok());
  Apply("a1", E::kConnect, 3);
  ASSERT_TRUE(roster_.Pause("a1", "LUNCH", At(4)).ok());
  EXPECT_EQ(StateOf("a1"), S::kOnCall);
  Apply("a1", E::kCallEnded, 5);
  Apply("a1", E::kDispose, 6);
  EXPECT_EQ(StateOf("a1"), S::kNotReady);
  EXPECT_EQ(roster_.Find("a1")->pause_code, "LUNCH");
  EXPECT_EQ(Pick(), "");
  ASSERT_TRUE(roster_.Ready("a1", At(7)).ok());
  EXPECT_EQ(roster_.Find("a1")->pause_code, "");
  EXPECT_EQ(Pick(), "a1");
}

TEST_F(RosterTest, ReadyTakesAWantedPauseBack) {
  Add("a1");
  ReadyWithPhone("a1", 1);
  ASSERT_TRUE(roster_.Reserve("a1", AttemptId(7), At(2)).ok());
  ASSERT_TRUE(roster_.Pause("a1", "LUNCH", At(3)).ok());
  ASSERT_TRUE(roster_.Ready("a1", At(4)).ok());
  Apply("a1", E::kRelease, 5);
  EXPECT_EQ(StateOf("a1"), S::kAvailable);
  EXPECT_TRUE(roster_.Ready("a1", At(6)).ok());  // twice is once
  ASSERT_TRUE(roster_.Pause("a1", "A", At(7)).ok());
  ASSERT_TRUE(roster_.Pause("a1", "B", At(8)).ok());
  EXPECT_EQ(roster_.Find("a1")->pause_code, "B");
  EXPECT_EQ(roster_.Find("a1")->since, At(7));
}

TEST_F(RosterTest, AgesForPacingInIdOrder) {
  for (const char* id : {"b", "a", "c"}) {
    Add(id);
    ReadyWithPhone(id, 1);
    ASSERT_TRUE(roster_.Reserve(id, AttemptId(1), At(2)).ok());
  }
  Apply("b", E::kConnect, 10);
  Apply("a", E::kConnect, 20);
  Apply("c", E::kConnect, 5);
  Apply("c", E::kCallEnded, 25);
  EXPECT_THAT(roster_.TalkAges("DEMO", At(30)), ElementsAre(absl::Seconds(10), absl::Seconds(20)));
  EXPECT_THAT(roster_.WrapAges("DEMO", At(30)), ElementsAre(absl::Seconds(5)));
  EXPECT_TRUE(roster_.TalkAges("OTHER", At(30)).empty());
}

// Who goes on a break after this call is no agent to dial for.
TEST_F(RosterTest, WhoWillLeaveHasNoAgeForPacing) {
  for (const char* id : {"a", "b"}) {
    Add(id);
    ReadyWithPhone(id, 1);
    ASSERT_TRUE(roster_.Reserve(id, AttemptId(1), At(2)).ok());
    Apply(id, E::kConnect, 10);
  }
  ASSERT_TRUE(roster_.Pause("a", "LUNCH", At(15)).ok());
  EXPECT_THAT(roster_.TalkAges("DEMO", At(30)), ElementsAre(absl::Seconds(20)));
  EXPECT_EQ(roster_.Counts("DEMO").talking, 2);
  EXPECT_EQ(roster_.Counts("DEMO").leaving, 1);
  Apply("a", E::kCallEnded, 31);
  EXPECT_TRUE(roster_.WrapAges("DEMO", At(32)).empty());
  EXPECT_EQ(roster_.Counts("DEMO").leaving, 1);
  ASSERT_TRUE(roster_.Ready("a", At(33)).ok());  // changed their mind
  EXPECT_THAT(roster_.WrapAges("DEMO", At(34)), ElementsAre(absl::Seconds(3)));
  EXPECT_EQ(roster_.Counts("DEMO").leaving, 0);
  ASSERT_TRUE(roster_.Pause("a", "LUNCH", At(35)).ok());
  Apply("a", E::kDispose, 36);
  EXPECT_EQ(roster_.Find("a")->state, S::kNotReady);
  EXPECT_EQ(roster_.Counts("DEMO").leaving, 0);
}

TEST_F(RosterTest, OccupancyOfACampaignLeavesPausesOut) {
  Add("a1");
  Add("a2");
  ReadyWithPhone("a1", 0);
  ReadyWithPhone("a2", 0);
  ASSERT_TRUE(roster_.Reserve("a1", AttemptId(1), At(10)).ok());
  Apply("a1", E::kConnect, 10);
  Apply("a2", E::kNotReady, 10);
  // At 40: a1 10 ready, 30 talking; a2 10 ready, 30 paused.
  EXPECT_DOUBLE_EQ(roster_.TimesOf("DEMO", At(40)).occupancy(), 30.0 / 50.0);
  EXPECT_EQ(roster_.TimesOf("DEMO", At(40)).logged_in(), absl::Seconds(80));
  EXPECT_EQ(StateTimes().occupancy(), 0);
}

TEST_F(RosterTest, ANewDayStartsFromZeroInTheMiddleOfACall) {
  Add("a1");
  ReadyWithPhone("a1", 0);
  ASSERT_TRUE(roster_.Reserve("a1", AttemptId(1), At(10)).ok());
  Apply("a1", E::kConnect, 10);
  roster_.StartDay(At(60));
  EXPECT_EQ(roster_.Find("a1")->calls_today, 0);
  EXPECT_EQ(Roster::TimesOf(*roster_.Find("a1"), At(70)).talk, absl::Seconds(10));
  EXPECT_THAT(roster_.TalkAges("DEMO", At(70)), ElementsAre(absl::Seconds(60)));
  Apply("a1", E::kCallEnded, 90);
  EXPECT_EQ(roster_.Find("a1")->times.talk, absl::Seconds(30));
  EXPECT_EQ(roster_.Find("a1")->times.ready, absl::ZeroDuration());
}

TEST_F(RosterTest, CampaignsAndRemovalOnlyWhenLoggedOut) {
  Add("a1");
  ReadyWithPhone("a1", 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(roster_.SetCampaign("a1", "B")));
  EXPECT_TRUE(absl::IsFailedPrecondition(roster_.Remove("a1")));
  Apply("a1", E::kLogout, 2);
  ASSERT_TRUE(roster_.SetCampaign("a1", "B").ok());
  Apply("a1", E::kLogin, 3);
  EXPECT_EQ(roster_.Counts("DEMO"), CampaignCounts());
  EXPECT_EQ(roster_.Counts("B").paused, 1);
  Apply("a1", E::kLogout, 4);
  ASSERT_TRUE(roster_.Remove("a1").ok());
  EXPECT_TRUE(absl::IsNotFound(roster_.Remove("a1")));
  EXPECT_TRUE(absl::IsNotFound(roster_.SetPhone("a1", {0, 1, 1}, true)));
  EXPECT_TRUE(roster_.agents().empty());
}

// The counts and the queue are kept by hand; a plain walk over the agents must agree with them.
TEST(RosterProperty, CountsAndPickAgreeWithAWalk) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    Roster roster;
    for (int i = 0; i < 12; ++i) {
      ASSERT_TRUE(roster.Add(absl::StrCat("a", i), i % 3 == 0 ? "X" : "Y", At(0)).ok());
    }
    double now = 0;
    for (int step = 0; step < 400; ++step) {
      now += static_cast<double>(rng.Below(2));  // often the same instant: ties
      const AgentId id = absl::StrCat("a", rng.Below(12));
      switch (rng.Below(5)) {
        case 0:
          ASSERT_TRUE(roster
                          .SetPhone(id,
                                    LegId{0, static_cast<uint32_t>(rng.Below(1000)) * 12 + 1,
                                          1 + static_cast<uint32_t>(step)},
                                    rng.Chance(0.7))
                          .ok());
          break;
        case 1:
          roster.Pause(id, "P", At(now)).IgnoreError();
          break;
        case 2:
          roster.Ready(id, At(now)).IgnoreError();
          break;
        default:
          roster.Apply(id, kEvents[rng.Below(std::size(kEvents))], At(now)).IgnoreError();
          break;
      }
      for (const char* campaign : {"X", "Y"}) {
        CampaignCounts walked;
        const AgentRecord* longest = nullptr;
        for (const auto& [name, agent] : roster.agents()) {
          if (agent.campaign != campaign || agent.state == S::kLoggedOut) continue;
          ++walked.logged_in;
          walked.paused += agent.state == S::kNotReady;
          walked.ready += agent.state == S::kAvailable;
          walked.reserved += agent.state == S::kReserved;
          walked.talking += agent.state == S::kOnCall;
          walked.wrapping += agent.state == S::kWrapUp;
          walked.leaving += agent.pause_wanted && agent.state != S::kNotReady;
          if (agent.state != S::kAvailable || !agent.phone_up) continue;
          ++walked.ready_phone;
          if (longest == nullptr || agent.waiting_since < longest->waiting_since) longest = &agent;
        }
        ASSERT_EQ(roster.Counts(campaign), walked);
        ASSERT_EQ(roster.PickLongestWaiting(campaign), longest);
      }
    }
    // No second is lost or counted twice: all times together are the time since login.
    for (const auto& [name, agent] : roster.agents()) {
      EXPECT_LE(Roster::TimesOf(agent, At(now)).logged_in(), absl::Seconds(now));
    }
  }
}

}  // namespace
}  // namespace outpace::agent
