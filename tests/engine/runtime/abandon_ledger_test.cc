#include "engine/runtime/abandon_ledger.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/calling_window.h"
#include "campaign/store/codec.h"
#include "engine/base/rng.h"
#include "engine/runtime/abandon_windows.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using campaign::AbandonContract;
using campaign::AbandonWindow;
using campaign::Attempt;
using campaign::CallSense;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'049'600);  // 2023-11-15 12:00 UTC

Attempt Answered(absl::Time at, const std::string& status) {
  Attempt attempt;
  attempt.open = false;
  attempt.dialed_at = at - absl::Seconds(10);
  attempt.answered_at = at;
  attempt.status = status;
  if (status == "DROP") {
    attempt.abandoned = true;
  } else {
    attempt.connected_at = at;
  }
  return attempt;
}

std::vector<AbandonContract> Contracts(absl::string_view text) {
  return *campaign::ParseAbandonContracts(text);
}

// The same as a ledger, one call after the other.
pacing::AbandonCounts Oracle(const AbandonContract& contract, const std::vector<Attempt>& attempts,
                             absl::Time start) {
  pacing::AbandonCounts counts;
  for (const Attempt& attempt : attempts) {
    campaign::CallFacts facts;
    if (!campaign::FactsOf(attempt, &facts)) continue;
    if (facts.answered_ms < absl::ToUnixMillis(start)) continue;
    const CallSense sense = campaign::SenseOf(contract, facts);
    const bool machine = sense == CallSense::kMachine;
    const bool over = sense == CallSense::kServed || machine;
    counts.served += over || sense == CallSense::kOpen ? 1 : 0;
    counts.ended += over ? 1 : 0;
    counts.machines += machine ? 1 : 0;
    counts.abandoned += sense == CallSense::kAbandoned ? 1 : 0;
    counts.amd_machines += sense == CallSense::kByAmd ? 1 : 0;
  }
  return counts;
}

std::string Text(const pacing::AbandonCounts& c) {
  return absl::StrCat(c.served, " served, ", c.ended, " over, ", c.machines, " machines, ",
                      c.abandoned, " abandoned, ", c.amd_machines, " by detection");
}

TEST(AbandonLedger, ACountOfAWindowIsExactToTheMillisecond) {
  AbandonLedger ledger;
  ledger.SetContracts(Contracts("a{window=rolling_24h}, b{window=day}"), absl::UTCTimeZone());
  const absl::Time day_ago = kNoon - absl::Hours(24);
  const absl::Time midnight = kNoon - absl::Hours(12);
  for (const absl::Time edge : {day_ago, midnight}) {
    ledger.AddRecord(Answered(edge - absl::Milliseconds(1), "DROP"));
    ledger.AddRecord(Answered(edge, "NI"));
  }
  ledger.Advance(kNoon, absl::InfinitePast());
  EXPECT_EQ(Text(ledger.Counts(0)), "2 served, 2 over, 0 machines, 1 abandoned, 0 by detection");
  EXPECT_EQ(Text(ledger.Counts(1)), "1 served, 1 over, 0 machines, 0 abandoned, 0 by detection");
  EXPECT_EQ(ledger.WindowBegan(0), day_ago);
  EXPECT_EQ(ledger.WindowBegan(1), midnight);
  EXPECT_FALSE(ledger.Advance(kNoon, absl::InfinitePast()));
  EXPECT_TRUE(ledger.Advance(kNoon + absl::Milliseconds(1), absl::InfinitePast()));
  EXPECT_EQ(ledger.Counts(0).served, 1) << "the one of a day ago has left";
  EXPECT_TRUE(ledger.Advance(kNoon, absl::InfinitePast())) << "a clock that is set back";
  EXPECT_EQ(ledger.Counts(0).served, 2);
}

TEST(AbandonLedger, ACallIsTakenAgainWhenMoreIsKnown) {
  AbandonLedger ledger;
  ledger.SetContracts(Contracts("a{}"), absl::UTCTimeZone());
  ledger.Advance(kNoon, absl::InfinitePast());
  Attempt attempt = Answered(kNoon, "");
  attempt.open = true;
  const auto open = FactsOrNone(attempt);
  ledger.Update(std::nullopt, open);
  EXPECT_EQ(Text(ledger.Counts(0)), "1 served, 0 over, 0 machines, 0 abandoned, 0 by detection");
  attempt.open = false;
  attempt.status = "AM";
  ledger.Update(open, FactsOrNone(attempt));
  EXPECT_EQ(Text(ledger.Counts(0)), "1 served, 1 over, 1 machines, 0 abandoned, 0 by detection");
  ledger.Update(FactsOrNone(attempt), std::nullopt);
  EXPECT_EQ(Text(ledger.Counts(0)), "0 served, 0 over, 0 machines, 0 abandoned, 0 by detection");
}

TEST(AbandonLedger, ForgetsWhatNoWindowReaches) {
  AbandonLedger ledger;
  ledger.set_from(absl::InfinitePast());
  ledger.SetContracts(Contracts("a{window=day}"), absl::UTCTimeZone());
  ledger.AddRecord(Answered(kNoon, "NI"));
  ledger.Advance(kNoon + absl::Hours(48), absl::InfinitePast());
  EXPECT_EQ(ledger.Since(0, absl::UnixEpoch()).served, 1) << "a clock may be set back";
  EXPECT_EQ(ledger.from(), absl::InfinitePast());
  ledger.Advance(kNoon + absl::Hours(96), absl::InfinitePast());
  EXPECT_EQ(ledger.Since(0, absl::UnixEpoch()).served, 0);
  EXPECT_GT(ledger.from(), kNoon) << "and says so";
}

TEST(AbandonLedger, TakesOverAnOlderOne) {
  AbandonLedger ledger, older;
  ledger.SetContracts(Contracts("a{window=rolling_30d}"), absl::UTCTimeZone());
  ledger.Advance(kNoon, absl::InfinitePast());
  ledger.set_from(kNoon);
  ledger.AddRecord(Answered(kNoon + absl::Hours(1), "NI"));
  older.set_from(kNoon - absl::Hours(48));
  older.AddRecord(Answered(kNoon - absl::Hours(40), "DROP"));
  older.AddRecord(Answered(kNoon - absl::Hours(40), "NI"));
  ledger.AddOlder(older);
  EXPECT_EQ(ledger.from(), kNoon - absl::Hours(48));
  EXPECT_EQ(ledger.Counts(0).served, 2);
  EXPECT_EQ(ledger.Counts(0).abandoned, 1);
}

// Random lives of calls under every kind of contract, with clocks that run, stand and are set: the
// running counts are those of one look at all records, at every step; and a ledger that is made
// anew from what the store has, as after a kill at that moment, counts the same and goes on the
// same.
class AbandonLedgerProperty : public ::testing::TestWithParam<uint64_t> {
 protected:
  static std::vector<AbandonContract> RandomContracts(Rng& rng) {
    const auto one_of = [&rng](std::vector<const char*> of) { return of[rng.Below(of.size())]; };
    std::string text;
    const size_t count = 1 + rng.Below(5);
    for (size_t i = 0; i < count; ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", "c", i,
                      "{start=", one_of({"answer", "greeting_start", "greeting_end"}),
                      " seconds=", one_of({"0", "1.5", "2", "5"}),
                      " numerator=", one_of({"dropped", "late", "unserved"}), " window=",
                      one_of({"day", "month", "campaign", "rolling_24h", "rolling_30d"}), "}");
    }
    return Contracts(text);
  }
};

TEST_P(AbandonLedgerProperty, CountsAsOneLookAtAllRecordsDoes) {
  Rng rng(GetParam());
  const std::vector<const char*> zones = {"UTC", "Asia/Kathmandu", "America/New_York",
                                          "Asia/Beirut", "Australia/Lord_Howe"};
  const absl::TimeZone zone = *campaign::FindTimeZone(zones[rng.Below(zones.size())]);
  const std::vector<AbandonContract> contracts = RandomContracts(rng);
  // Around the changes of clocks, of months, and of years.
  absl::Time now = absl::FromCivil(
      absl::CivilSecond(2025, 9 + static_cast<int>(rng.Below(8)), 25, 11, 0, 0), zone);
  absl::Time first_call = absl::InfinitePast();
  AbandonLedger ledger;
  ledger.set_from(absl::InfinitePast());
  ledger.SetContracts(contracts, zone);
  std::vector<Attempt> attempts;
  std::vector<std::string> stored;  // as the store has them
  size_t steps = 0, abandoned = 0;
  const auto update = [&](size_t i, const Attempt& changed) {
    ledger.Update(FactsOrNone(attempts[i]), FactsOrNone(changed));
    attempts[i] = changed;
    stored[i] = store::EncodeAttempt(changed);
  };
  for (int step = 0; step < 600; ++step) {
    const uint64_t dice = rng.Below(100);
    if (dice < 40) {  // somebody answers
      Attempt attempt;
      attempt.id = AttemptId(attempts.size() + 1);
      attempt.sent = rng.Below(20) != 0;
      attempt.inbound = rng.Below(20) == 0;
      attempt.dialed_at = now;
      if (attempt.sent && first_call == absl::InfinitePast()) first_call = now;
      attempt.answered_at = now + absl::Microseconds(rng.Below(2'000'000));
      if (rng.Below(2) == 0) {
        attempt.greeting_start_ms = static_cast<int>(rng.Below(1500));
        attempt.greeting_end_ms = attempt.greeting_start_ms + static_cast<int>(rng.Below(2000));
      }
      attempts.push_back(attempt);
      stored.push_back(store::EncodeAttempt(attempt));
      ledger.Update(std::nullopt, FactsOrNone(attempt));
    } else if (dice < 80 && !attempts.empty()) {  // more is known of one of the last
      const size_t i = attempts.size() - 1 - rng.Below(std::min<size_t>(attempts.size(), 8));
      Attempt changed = attempts[i];
      const bool met = changed.connected_at != absl::InfinitePast();
      const uint64_t what = rng.Below(4);
      if (!met && !changed.abandoned && changed.open && what < 2) {
        changed.connected_at = changed.answered_at + absl::Microseconds(rng.Below(6'000'000));
      } else if (!met && changed.open && what == 2) {
        changed.abandoned = true;
        changed.status = "DROP";
      } else if (changed.open) {
        changed.open = false;
        changed.ended_at = changed.answered_at + absl::Microseconds(rng.Below(9'000'000));
        if (!changed.abandoned) {
          static constexpr const char* kMet[] = {"NI", "A", "SALE", "DISPO"};
          static constexpr const char* kUnmet[] = {"PDROP", "AA", "AL", "UNKN"};
          changed.status = met ? kMet[rng.Below(4)] : kUnmet[rng.Below(4)];
        }
      } else if (changed.status == "DISPO") {
        changed.status = "A";  // the agent's own word comes late
      }
      update(i, changed);
    } else if (dice < 90) {
      now += absl::Milliseconds(rng.Below(200'000));
    } else if (dice < 97) {
      now += absl::Minutes(rng.Below(900));
    } else if (dice < 99) {
      now -= absl::Minutes(rng.Below(70));
    } else {
      now += absl::Hours(24) * static_cast<int>(rng.Below(12));
    }
    ledger.Advance(now, first_call);
    if (rng.Below(25) == 0) {  // kill -9, and all anew from the store
      AbandonLedger again;
      again.set_from(absl::InfinitePast());
      for (const std::string& bytes : stored) again.AddRecord(*store::DecodeAttempt(bytes));
      again.SetContracts(contracts, zone);
      again.Advance(now, first_call);
      for (size_t i = 0; i < contracts.size(); ++i) {
        ASSERT_EQ(Text(again.Counts(i)), Text(ledger.Counts(i))) << "step " << step;
      }
      ledger = std::move(again);
    }
    for (size_t i = 0; i < contracts.size(); ++i) {
      const absl::Time start =
          WindowStart(contracts[i].window, now, zone, PeriodStart(first_call, now));
      const pacing::AbandonCounts seen = Oracle(contracts[i], attempts, start);
      ASSERT_EQ(Text(ledger.Counts(i)), Text(seen))
          << "step " << step << ", " << campaign::AbandonContractTerms(contracts[i]);
      abandoned += static_cast<size_t>(seen.abandoned);
      ++steps;
    }
  }
  EXPECT_GT(steps, 0u);
  EXPECT_GT(abandoned, 0u) << "the case must not be empty";
}

INSTANTIATE_TEST_SUITE_P(Seeds, AbandonLedgerProperty, ::testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace outpace::runtime
