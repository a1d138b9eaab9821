#include "campaign/gate/number_history.h"

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace outpace::gate {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'768'500'000);
const E164 kPhone(12125550100), kOther(12135550100);

campaign::Attempt AttemptAt(absl::Time at, E164 phone = kPhone, const CampaignId& of = "DEMO") {
  campaign::Attempt attempt;
  attempt.campaign = of;
  attempt.dialed = phone;
  attempt.dialed_at = at;
  return attempt;
}

NumberHistory::Attempts Of(const NumberHistory& history, std::vector<E164> numbers = {kPhone}) {
  NumberHistory::Attempts out;
  history.Find(numbers, out);
  return out;
}

TEST(NumberHistory, NewestFirstOverAllNumbersAndCampaigns) {
  NumberHistory history;
  history.Add(AttemptAt(kNoon));
  history.Add(AttemptAt(kNoon + absl::Hours(2), kOther, "OTHER"));
  history.Add(AttemptAt(kNoon + absl::Hours(1)));
  const auto both = Of(history, {kPhone, kOther});
  ASSERT_EQ(both.size(), 3u);
  EXPECT_EQ(both[0].at, kNoon + absl::Hours(2));
  EXPECT_EQ(both[0].campaign, history.MarkOf("OTHER"));
  EXPECT_EQ(both[1].campaign, history.MarkOf("DEMO"));
  EXPECT_EQ(both[2].at, kNoon);
  EXPECT_NE(history.MarkOf("DEMO"), history.MarkOf("OTHER"));
  EXPECT_NE(history.MarkOf("NOBODY"), history.MarkOf("DEMO"));
  EXPECT_EQ(Of(history).size(), 2u);
}

TEST(NumberHistory, TheResultReplacesTheDialing) {
  NumberHistory history;
  campaign::Attempt attempt = AttemptAt(kNoon);
  history.Add(attempt);
  EXPECT_FALSE(Of(history)[0].answered);
  attempt.answered_at = kNoon + absl::Seconds(9);
  attempt.abandoned = true;
  attempt.status = "DROP";
  history.Add(attempt);
  const auto known = Of(history);
  ASSERT_EQ(known.size(), 1u);
  EXPECT_TRUE(known[0].answered);
  EXPECT_TRUE(known[0].abandoned);
  EXPECT_FALSE(known[0].conversation);
}

TEST(NumberHistory, WhatReachedNobodyIsNoAttempt) {
  NumberHistory history;
  campaign::Attempt inbound = AttemptAt(kNoon);
  inbound.inbound = true;
  history.Add(inbound);
  EXPECT_TRUE(Of(history).empty());

  campaign::Attempt unsent = AttemptAt(kNoon + absl::Hours(1));
  history.Add(unsent);
  unsent.sent = false;
  history.Add(unsent);
  EXPECT_TRUE(Of(history).empty()) << "it never left";

  campaign::Attempt lost = AttemptAt(kNoon + absl::Hours(2));
  history.Add(lost);
  lost.trunk_fault = true;
  history.Add(lost);
  EXPECT_TRUE(Of(history).empty()) << "the trunk lost it before anything rang";
  lost.ringing_at = lost.dialed_at + absl::Seconds(2);
  history.Add(lost);
  EXPECT_EQ(Of(history).size(), 1u) << "it rang";
}

TEST(NumberHistory, WhatAnAttemptWas) {
  struct Case {
    const char* status;
    bool answered, connected, machine, conversation, refused;
  };
  for (const Case& c :
       {Case{"NA", false, false, false, false, false},
        Case{"DROP", true, false, false, false, false}, Case{"AA", true, false, true, false, false},
        Case{"A", true, true, true, false, false}, Case{"SALE", true, true, false, true, false},
        Case{"NI", true, true, false, true, true}, Case{"DNC", true, true, false, true, true},
        Case{"ODD", true, true, false, true, false}}) {
    SCOPED_TRACE(c.status);
    campaign::Attempt attempt = AttemptAt(kNoon);
    attempt.status = c.status;
    if (c.answered) attempt.answered_at = kNoon + absl::Seconds(5);
    if (c.connected) attempt.connected_at = kNoon + absl::Seconds(6);
    const rules::PastAttempt past = PastAttemptOf(attempt);
    EXPECT_EQ(past.answered, c.answered);
    EXPECT_EQ(past.machine, c.machine);
    EXPECT_EQ(past.conversation, c.conversation);
    EXPECT_EQ(past.refused, c.refused);
  }
}

TEST(NumberHistory, ForgetsWhatIsOutOfReachAndNotBefore) {
  NumberHistory history;
  history.set_from(kNoon);
  for (int hour = 0; hour < 24 * 10; ++hour) history.Add(AttemptAt(kNoon + absl::Hours(hour)));
  const absl::Time now = kNoon + absl::Hours(24 * 10);
  const absl::Duration reach = absl::Hours(24 * 7);
  EXPECT_TRUE(history.Covers(reach, now));
  history.Prune(now, reach);
  EXPECT_EQ(Of(history).back().at, now - reach - NumberHistory::kSlack);
  EXPECT_TRUE(history.Covers(reach, now));
  EXPECT_TRUE(history.Covers(reach, now - absl::Hours(24))) << "the clock was set back by a day";
  EXPECT_FALSE(history.Covers(absl::Hours(24 * 11), now));
  // A clock that jumped forward and back again.
  history.Prune(now + absl::Hours(24), reach);
  EXPECT_TRUE(history.Covers(reach, now));
  EXPECT_EQ(Of(history).size(), 24u * 8);
  history.Prune(now + absl::Hours(24 * 40), reach);
  EXPECT_TRUE(history.empty());
  EXPECT_TRUE(Of(history).empty());
}

TEST(NumberHistory, NothingIsKnownUntilSaid) {
  const NumberHistory history;
  EXPECT_FALSE(history.Covers(absl::Seconds(1), kNoon));
}

TEST(NumberHistory, TakesOverOlderOnesAndKeepsTheNewerResult) {
  NumberHistory older, history;
  campaign::Attempt met = AttemptAt(kNoon, kPhone, "B");
  older.set_from(kNoon - absl::Hours(100));
  older.Add(AttemptAt(kNoon - absl::Hours(50), kPhone, "A"));
  older.Add(met);
  history.set_from(kNoon - absl::Hours(1));
  history.Add(AttemptAt(kNoon + absl::Hours(1), kPhone, "C"));
  met.answered_at = kNoon + absl::Seconds(3);
  history.Add(met);
  history.AddOlder(older);
  const auto all = Of(history);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].campaign, history.MarkOf("C"));
  EXPECT_TRUE(all[1].answered);
  EXPECT_EQ(all[1].campaign, history.MarkOf("B"));
  EXPECT_EQ(all[2].campaign, history.MarkOf("A"));
  EXPECT_EQ(history.from(), kNoon - absl::Hours(100));
  history.Prune(kNoon + absl::Hours(20), absl::Hours(1));
  EXPECT_EQ(Of(history).size(), 2u) << "what was taken over goes by its own time";
}

// Against a list that is searched through.
TEST(NumberHistory, FindsWhatAListFinds) {
  std::mt19937_64 random(7);
  NumberHistory history;
  history.set_from(absl::InfinitePast());
  std::multimap<uint64_t, absl::Time> list;
  absl::Time at = kNoon;
  for (int i = 0; i < 20'000; ++i) {
    at += absl::Milliseconds(1 + random() % 60'000);
    const E164 phone(13035550000 + random() % 300);
    history.Add(AttemptAt(at, phone, absl::StrCat("C", random() % 3)));
    list.emplace(phone.value(), at);
    if (i % 97 == 0) history.Prune(at, absl::Hours(24));
  }
  const absl::Time oldest = at - absl::Hours(24);
  for (uint64_t number = 13035550000; number < 13035550300; ++number) {
    std::vector<absl::Time> wanted, found;
    const auto [begin, end] = list.equal_range(number);
    for (auto it = begin; it != end; ++it) {
      if (it->second >= oldest) wanted.push_back(it->second);
    }
    std::reverse(wanted.begin(), wanted.end());
    for (const rules::PastAttempt& past : Of(history, {E164(number)})) {
      if (past.at >= oldest) found.push_back(past.at);
    }
    EXPECT_EQ(found, wanted);
  }
}

}  // namespace
}  // namespace outpace::gate
