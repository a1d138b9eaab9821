#include "campaign/report/agent_times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/activity_log.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/base/rng.h"

namespace outpace::report {
namespace {

using campaign::AgentActivity;
using campaign::Attempt;
using ::testing::ElementsAre;
using ::testing::Pair;
namespace activity = campaign::activity;

const absl::Time kDay = absl::FromUnixSeconds(1'790'000'000);

absl::Time At(int64_t seconds) { return kDay + absl::Seconds(seconds); }

AgentActivity Is(int64_t seconds, const AgentId& agent, absl::string_view state,
                 const std::string& code = "", uint64_t attempt = 0) {
  return {At(seconds), agent, "DEMO", std::string(state), code, AttemptId(attempt)};
}

AgentActivity EngineEnded(int64_t seconds) {
  return {At(seconds), "", "", std::string(activity::kEngineEnded), "", AttemptId()};
}

Attempt Call(uint64_t id, const AgentId& agent, int64_t connected, const std::string& status) {
  Attempt attempt;
  attempt.id = AttemptId(id);
  attempt.agent = agent;
  attempt.campaign = "DEMO";
  attempt.dialed_at = At(connected - 20);
  attempt.connected_at = At(connected);
  attempt.status = status;
  attempt.open = false;
  return attempt;
}

std::vector<AgentTimes> Fold(const std::vector<AgentActivity>& activities,
                             const std::vector<Attempt>& attempts, absl::Time from, absl::Time to,
                             absl::Time known = absl::InfiniteFuture(),
                             const CampaignId& campaign = "") {
  AgentTimesFold fold(from, to, campaign);
  for (const AgentActivity& a : activities) fold.Add(a);
  for (const Attempt& a : attempts) fold.Add(a);
  return fold.Finish(known);
}

// Two calls, a lunch break that was asked for during the second, and a login without work.
const std::vector<AgentActivity> kStory = {
    Is(0, "a1", activity::kLogin),
    Is(10, "a1", activity::kReady),
    Is(40, "a1", activity::kReserved, "", 1),
    Is(41, "a1", activity::kInCall, "", 1),
    Is(100, "a2", activity::kLogin),
    Is(101, "a1", activity::kDispo, "", 1),
    Is(111, "a1", activity::kReady),
    Is(130, "a1", activity::kInCall, "", 2),
    Is(150, "a1", activity::kDispo, "", 2),
    Is(155, "a1", activity::kPaused, "LUNCH"),
    Is(255, "a1", activity::kPaused, "COACH"),
    Is(300, "a1", activity::kLoggedOut),
    Is(400, "a1", activity::kLogin),
};

TEST(AgentTimes, AddUpAsTheyWere) {
  Attempt sale = Call(1, "a1", 41, "SALE");
  sale.holds = 2;
  sale.held = absl::Seconds(12);
  sale.conferences = 1;
  const auto all = Fold(kStory, {sale, Call(2, "a1", 130, "NI"), Call(3, "", 50, "DROP")}, kDay,
                        At(1000), At(420));
  ASSERT_EQ(all.size(), 2u);
  const AgentTimes& a1 = all[0];
  EXPECT_EQ(a1.agent, "a1");
  EXPECT_EQ(a1.wait, absl::Seconds(30 + 1 + 19));
  EXPECT_EQ(a1.talk, absl::Seconds(60 + 20));
  EXPECT_EQ(a1.dispo, absl::Seconds(10 + 5));
  EXPECT_EQ(a1.pause, absl::Seconds(10 + 100 + 45 + 20));
  EXPECT_EQ(AgentTimes::dead(), absl::ZeroDuration());
  EXPECT_EQ(a1.login(), absl::Seconds(300 + 20));
  EXPECT_EQ(a1.sessions, 2);
  EXPECT_EQ(a1.pauses, 4);
  EXPECT_THAT(a1.pause_by_code,
              ElementsAre(Pair("COACH", absl::Seconds(45)), Pair("LOGIN", absl::Seconds(30)),
                          Pair("LUNCH", absl::Seconds(100))));
  EXPECT_THAT(a1.pauses_by_code, ElementsAre(Pair("COACH", 1), Pair("LOGIN", 2), Pair("LUNCH", 1)));
  EXPECT_EQ(a1.calls, 2);
  EXPECT_THAT(a1.statuses, ElementsAre(Pair("NI", 1), Pair("SALE", 1)));
  EXPECT_EQ(a1.holds, 2);
  EXPECT_EQ(a1.held, absl::Seconds(12));
  EXPECT_EQ(a1.conferences, 1);
  EXPECT_EQ(a1.talk_mean(), absl::Seconds(40));
  EXPECT_EQ(a1.wait_mean(), absl::Seconds(25));
  EXPECT_EQ(a1.dispo_mean(), absl::Milliseconds(7500));
  EXPECT_EQ(a1.session_mean(), absl::Seconds(160));
  EXPECT_EQ(a1.pause_mean(), absl::Milliseconds(43'750));
  EXPECT_DOUBLE_EQ(a1.pause_ratio(), 175.0 / 320);
  EXPECT_DOUBLE_EQ(a1.pauses_a_session(), 2);
  EXPECT_DOUBLE_EQ(a1.occupancy(), 95.0 / 145);
  EXPECT_DOUBLE_EQ(ShareOfCalls(a1, all), 1);
  EXPECT_EQ(all[1].agent, "a2");
  EXPECT_EQ(all[1].login(), absl::Seconds(320));
  EXPECT_EQ(all[1].calls, 0);
  EXPECT_EQ(all[1].talk_mean(), absl::ZeroDuration());
  EXPECT_DOUBLE_EQ(ShareOfCalls(all[1], all), 0);
}

TEST(AgentTimes, ASpanCountsWithThePartThatLiesInTheRange) {
  // From within the first call to within lunch.
  const auto all =
      Fold(kStory, {Call(1, "a1", 41, "SALE"), Call(2, "a1", 130, "NI")}, At(91), At(200));
  const AgentTimes& a1 = all[0];
  EXPECT_EQ(a1.talk, absl::Seconds(10 + 20));
  EXPECT_EQ(a1.wait, absl::Seconds(19));
  EXPECT_EQ(a1.dispo, absl::Seconds(15));
  EXPECT_EQ(a1.pause, absl::Seconds(45));
  EXPECT_EQ(a1.sessions, 1);
  EXPECT_EQ(a1.pauses, 1);
  EXPECT_EQ(a1.calls, 1) << "the first was connected before";
  EXPECT_EQ(all[1].pause, absl::Seconds(100));
}

TEST(AgentTimes, WhatTheEngineLeftOpenEndsWhereItWasLastKnown) {
  std::vector<AgentActivity> story = {Is(0, "a1", activity::kLogin), Is(10, "a1", activity::kReady),
                                      EngineEnded(60), Is(500, "a1", activity::kLogin)};
  auto all = Fold(story, {}, kDay, At(1000), At(510));
  EXPECT_EQ(all[0].wait, absl::Seconds(50));
  EXPECT_EQ(all[0].pause, absl::Seconds(20));
  EXPECT_EQ(all[0].sessions, 2);
  // And what is open now, to what is known: never beyond the range.
  all = Fold(story, {}, kDay, At(505), At(510));
  EXPECT_EQ(all[0].pause, absl::Seconds(15));
}

TEST(AgentTimes, OneCampaignAlone) {
  std::vector<AgentActivity> story = kStory;
  for (AgentActivity& a : story) {
    if (a.at >= At(400)) a.campaign = "OTHER";
  }
  const auto demo = Fold(story, {Call(1, "a1", 41, "SALE")}, kDay, At(1000), At(420), "DEMO");
  EXPECT_EQ(demo[0].login(), absl::Seconds(300));
  EXPECT_EQ(demo[0].sessions, 1);
  const auto other = Fold(story, {Call(1, "a1", 41, "SALE")}, kDay, At(1000), At(420), "OTHER");
  ASSERT_EQ(other.size(), 1u);
  EXPECT_EQ(other[0].login(), absl::Seconds(20));
  EXPECT_EQ(other[0].calls, 0);
}

// A random day: whatever the range, a second belongs to the state that was said last before it;
// cut in two the parts add up; and saying again what is known changes nothing.
TEST(AgentTimes, AgreeWithLookingAtEverySecond) {
  const absl::string_view states[] = {activity::kReady,  activity::kPaused, activity::kReserved,
                                      activity::kInCall, activity::kDispo,  activity::kLoggedOut};
  Rng rng(41);
  for (int round = 0; round < 200; ++round) {
    std::vector<AgentActivity> story;
    std::map<AgentId, AgentActivity> last;
    int64_t t = 0;
    for (int i = 0; i < 60; ++i, t += static_cast<int64_t>(rng.Below(40))) {
      if (rng.Chance(0.03)) {
        story.push_back(EngineEnded(t));
        last.clear();
        continue;
      }
      const AgentId agent = absl::StrCat("a", rng.Below(3));
      AgentActivity next = Is(t, agent, states[rng.Below(std::size(states))]);
      if (!last.contains(agent)) next.state = std::string(activity::kLogin);
      if (next.state == activity::kPaused) next.code = absl::StrCat("c", rng.Below(2));
      if (next.state == activity::kLoggedOut) {
        last.erase(agent);
      } else {
        last[agent] = next;
      }
      story.push_back(next);
    }
    const int64_t from = static_cast<int64_t>(rng.Below(600));
    const int64_t to = from + static_cast<int64_t>(rng.Below(800));
    const int64_t known = t + static_cast<int64_t>(rng.Below(50));

    std::map<AgentId, std::map<std::string, int64_t>> expected;
    std::map<AgentId, std::string> now;
    size_t next = 0;
    for (int64_t second = 0; second < std::min(to, known); ++second) {
      for (; next < story.size() && story[next].at <= At(second); ++next) {
        if (story[next].agent.empty()) now.clear();
        if (!story[next].agent.empty()) now[story[next].agent] = story[next].state;
      }
      for (const auto& [agent, state] : now) {
        if (second >= from) ++expected[agent][state];
      }
    }
    const auto seconds = [](absl::Duration d) { return absl::ToInt64Seconds(d); };
    const auto all = Fold(story, {}, At(from), At(to), At(known));
    for (const AgentTimes& times : all) {
      auto& of = expected[times.agent];
      EXPECT_EQ(seconds(times.talk), of[std::string(activity::kInCall)]);
      EXPECT_EQ(seconds(times.dispo), of[std::string(activity::kDispo)]);
      EXPECT_EQ(seconds(times.wait),
                of[std::string(activity::kReady)] + of[std::string(activity::kReserved)]);
      EXPECT_EQ(seconds(times.pause),
                of[std::string(activity::kPaused)] + of[std::string(activity::kLogin)]);
      expected.erase(times.agent);
    }
    for (auto& [agent, of] : expected) {
      of.erase(std::string(activity::kLoggedOut));
      EXPECT_TRUE(of.empty()) << agent << " is missing";
    }

    const int64_t cut = from + (to - from) / 2;
    std::map<AgentId, absl::Duration> whole, parts;
    for (const AgentTimes& times : all) whole[times.agent] += times.login();
    for (const auto& half : {Fold(story, {}, At(from), At(cut), At(known)),
                             Fold(story, {}, At(cut), At(to), At(known))}) {
      for (const AgentTimes& times : half) parts[times.agent] += times.login();
    }
    EXPECT_EQ(whole, parts);

    std::vector<AgentActivity> repeated;
    last.clear();
    for (const AgentActivity& a : story) {
      for (const auto& [agent, known_state] : last) {
        if (!rng.Chance(0.2)) continue;
        repeated.push_back(known_state);
        repeated.back().at = a.at;
      }
      repeated.push_back(a);
      if (a.agent.empty()) last.clear();
      if (a.state == activity::kLoggedOut) last.erase(a.agent);
      if (!a.agent.empty() && a.state != activity::kLoggedOut) last[a.agent] = a;
    }
    const auto again = Fold(repeated, {}, At(from), At(to), At(known));
    ASSERT_EQ(again.size(), all.size());
    for (size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(again[i].login(), all[i].login());
      EXPECT_EQ(again[i].sessions, all[i].sessions);
      EXPECT_EQ(again[i].pauses, all[i].pauses);
      EXPECT_EQ(again[i].pauses_by_code, all[i].pauses_by_code);
    }
  }
}

TEST(AgentTimes, AreReadFromTheStoreWithWhatWasBefore) {
  store::MemoryLeadStore store;
  campaign::StoreBatch batch;
  batch.activities = {Is(0, "a1", activity::kLogin), Is(10, "a1", activity::kReady),
                      Is(3600, "a1", activity::kReady),  // said again
                      Is(7190, "a1", activity::kInCall, "", 1)};
  batch.attempts = {Call(1, "a1", 7190, "SALE"), Call(2, "a1", 90, "NI")};
  batch.meta[campaign::kActivitiesKnownKey] = campaign::ActivitiesKnown(At(7260));
  ASSERT_TRUE(store.Commit(batch).ok());
  const StoredEvents source(store);
  const auto times = ReadAgentTimes(source, At(7000), At(9000), "");
  ASSERT_TRUE(times.ok()) << times.status();
  ASSERT_EQ(times->size(), 1u);
  EXPECT_EQ(times->at(0).wait, absl::Seconds(190));
  EXPECT_EQ(times->at(0).talk, absl::Seconds(70));
  EXPECT_EQ(times->at(0).calls, 1);
  // Ended in order: nothing is open.
  batch = campaign::StoreBatch();
  batch.activities = {Is(7300, "a1", activity::kLoggedOut)};
  batch.meta[campaign::kActivitiesKnownKey] = "";
  ASSERT_TRUE(store.Commit(batch).ok());
  EXPECT_EQ(*source.KnownUntil(), absl::InfiniteFuture());
  EXPECT_EQ(ReadAgentTimes(source, At(7000), At(9000), "")->at(0).talk, absl::Seconds(110));
}

}  // namespace
}  // namespace outpace::report
