#include "campaign/report/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "campaign/activity_log.h"
#include "campaign/report/agent_times.h"
#include "campaign/store/memory_lead_store.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::report {
namespace {

using campaign::AgentActivity;
using campaign::Attempt;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace activity = campaign::activity;

const absl::Time kFrom = absl::FromUnixSeconds(1'790'000'000);
const absl::Time kTo = kFrom + absl::Hours(2);

// Any record that is placed in the range; its other instants may be anywhere, or none.
Attempt AnyAttempt(Rng& rng, uint64_t id) {
  Attempt a = store::RandomAttempt(rng, id);
  a.lead = LeadId(rng.Below(1'000'000));
  a.list = ListId(rng.Below(1'000'000));
  for (absl::Time* time : {&a.dialed_at, &a.ringing_at, &a.answered_at, &a.connected_at,
                           &a.dropped_at, &a.ended_at, &a.disposed_at, &a.callback_time}) {
    const bool none = time != &a.dialed_at && rng.Chance(0.4);
    *time = none ? absl::InfinitePast()
                 : kFrom + absl::Microseconds(static_cast<int64_t>(rng.Below(7'200'000'000)));
  }
  return a;
}

// One as the engine makes them: its events follow each other.
Attempt OneCall(Rng& rng, uint64_t id) {
  Attempt a;
  a.id = AttemptId(id);
  a.lead = LeadId(id);
  a.campaign = "DEMO";
  absl::Time at = kFrom + absl::Milliseconds(static_cast<int64_t>(rng.Below(7'000'000)));
  for (absl::Time* time : {&a.dialed_at, &a.ringing_at, &a.answered_at, &a.connected_at,
                           &a.ended_at, &a.disposed_at}) {
    *time = at;
    at += absl::Milliseconds(static_cast<int64_t>(rng.Below(60'000)));
  }
  a.open = false;
  a.agent = absl::StrCat("a", rng.Below(4));
  a.status = rng.Chance(0.3) ? "SALE" : "NI";
  return a;
}

std::string Written(const campaign::LeadStore& store, absl::Time from = kFrom,
                    absl::Time to = kTo) {
  std::string file;
  const auto counts =
      WriteEventLog(StoredEvents(store), {.from = from, .to = to}, [&](absl::string_view piece) {
        file.append(piece.data(), piece.size());
        return absl::OkStatus();
      });
  EXPECT_TRUE(counts.ok()) << counts.status();
  return file;
}

absl::StatusOr<EventLog> ReadLog(const std::string& file) {
  std::istringstream in(file);
  return EventLog::Read(in);
}

std::vector<Attempt> AttemptsIn(const EventSource& source) {
  std::vector<Attempt> all;
  EXPECT_TRUE(source
                  .ForEachAttempt(absl::InfinitePast(), absl::InfiniteFuture(),
                                  [&](const Attempt& a) {
                                    all.push_back(a);
                                    return true;
                                  })
                  .ok());
  return all;
}

std::vector<AgentActivity> ActivitiesIn(const EventSource& source) {
  std::vector<AgentActivity> all;
  EXPECT_TRUE(source
                  .ForEachActivity(absl::InfinitePast(), absl::InfiniteFuture(),
                                   [&](const AgentActivity& a) {
                                     all.push_back(a);
                                     return true;
                                   })
                  .ok());
  return all;
}

TEST(EventLog, FoldedBackItIsWhatIsStored) {
  Rng rng(61);
  for (int round = 0; round < 20; ++round) {
    store::MemoryLeadStore store;
    campaign::StoreBatch batch;
    for (uint64_t id = 1; id <= 80; ++id) batch.attempts.push_back(AnyAttempt(rng, id));
    for (int i = 0; i < 40; ++i) {
      AgentActivity activity = store::RandomActivity(rng);
      activity.at = kFrom + absl::Microseconds(static_cast<int64_t>(rng.Below(7'200'000'000)));
      batch.activities.push_back(std::move(activity));
    }
    batch.meta[campaign::kActivitiesKnownKey] = campaign::ActivitiesKnown(kTo);
    ASSERT_TRUE(store.Commit(batch).ok());
    const std::string file = Written(store);
    const auto log = ReadLog(file);
    ASSERT_TRUE(log.ok()) << log.status();
    EXPECT_TRUE(AttemptsIn(*log) == AttemptsIn(StoredEvents(store)));
    EXPECT_TRUE(ActivitiesIn(*log) == ActivitiesIn(StoredEvents(store)));
    EXPECT_EQ(*log->KnownUntil(), kTo);
    EXPECT_EQ(log->from(), kFrom);
    EXPECT_EQ(log->to(), kTo);
    EXPECT_EQ(Written(store), file);
    // A log of the log is the log.
    std::string again;
    ASSERT_TRUE(WriteEventLog(*log, {.from = kFrom, .to = kTo}, [&](absl::string_view piece) {
                  again.append(piece.data(), piece.size());
                  return absl::OkStatus();
                }).ok());
    EXPECT_EQ(again, file);
  }
}

TEST(EventLog, EventsComeInTheOrderOfTime) {
  Rng rng(62);
  store::MemoryLeadStore store;
  campaign::StoreBatch batch;
  for (uint64_t id = 1; id <= 500; ++id) batch.attempts.push_back(OneCall(rng, id));
  for (int i = 0; i < 200; ++i) {
    AgentActivity ready{kFrom + absl::Seconds(static_cast<int64_t>(rng.Below(7200))),
                        "a1",
                        "DEMO",
                        std::string(activity::kReady),
                        "",
                        AttemptId()};
    batch.activities.push_back(std::move(ready));
  }
  ASSERT_TRUE(store.Commit(batch).ok());
  int64_t last = 0, lines = 0;
  const std::string file = Written(store);
  for (const absl::string_view line : absl::StrSplit(file, '\n', absl::SkipEmpty())) {
    if (lines++ == 0) continue;  // the range
    int64_t at = 0;
    ASSERT_TRUE(absl::SimpleAtoi(line.substr(9, line.find(',') - 9), &at)) << line;
    EXPECT_LE(last, at);
    last = at;
  }
  EXPECT_EQ(lines, 1 + 500 * 6 + 200);
}

TEST(EventLog, EachEventBringsWhatItBrings) {
  Attempt a;
  a.id = AttemptId(7);
  a.lead = LeadId(3);
  a.campaign = "DEMO";
  a.dialed = E164(13035550001);
  a.score = 0.25;
  a.dialed_at = kFrom;
  a.ringing_at = kFrom + absl::Seconds(1);
  a.answered_at = kFrom + absl::Seconds(5);
  a.amd = "human";
  a.amd_ms = 900;
  a.connected_at = kFrom + absl::Seconds(6);
  a.agent = "a1";
  a.ended_at = kFrom + absl::Seconds(60);
  a.outcome = "answered";
  a.term_reason = "CALLER";
  a.cost_micros = 12'000;
  a.disposed_at = kFrom + absl::Seconds(70);
  a.status = "SALE";
  a.note = "said \"yes\"\n";
  a.open = false;
  Attempt busy;
  busy.id = AttemptId(8);
  busy.dialed_at = kFrom + absl::Seconds(65);
  busy.ended_at = kFrom + absl::Seconds(66);
  busy.outcome = "busy";
  busy.status = "B";
  busy.open = false;
  store::MemoryLeadStore store;
  campaign::StoreBatch batch;
  batch.attempts = {a, busy};
  batch.activities = {
      {kFrom + absl::Seconds(6), "a1", "DEMO", std::string(activity::kInCall), "", AttemptId(7)}};
  ASSERT_TRUE(store.Commit(batch).ok());
  const std::string file = Written(store);
  EXPECT_THAT(
      absl::StrSplit(absl::StrReplaceAll(file, {{"1790000", "T"}}), '\n'),
      ElementsAre(
          R"({"at_us":T000000000,"event":"log","to_us":1790007200000000,"look_back_us":3900000000})",
          R"({"at_us":T000000000,"event":"placed","attempt":7,"lead":3,"campaign":"DEMO","score":0.25,"dialed":13035550001})",
          R"({"at_us":T001000000,"event":"ringing","attempt":7})",
          R"({"at_us":T005000000,"event":"answered","attempt":7})",
          R"({"at_us":T005000000,"event":"verdict","attempt":7,"undated":true,"amd":"human","amd_ms":900})",
          R"({"at_us":T006000000,"event":"connected","attempt":7,"agent":"a1"})",
          R"({"at_us":T006000000,"event":"agent","agent":"a1","campaign":"DEMO","state":"INCALL","attempt":7})",
          R"({"at_us":T060000000,"event":"ended","attempt":7,"outcome":"answered","term_reason":"CALLER","cost_micros":12000})",
          R"({"at_us":T065000000,"event":"placed","attempt":8})",
          R"({"at_us":T066000000,"event":"ended","attempt":8,"outcome":"busy"})",
          R"({"at_us":T066000000,"event":"result","attempt":8,"undated":true,"status":"B","open":false})",
          R"({"at_us":T070000000,"event":"result","attempt":7,"status":"SALE","note":"said \"yes\"\u000a","open":false})",
          ""));
}

// The log has what reports on its range look back to, so both sources give the same figures.
TEST(EventLog, AReportFromItIsTheReportFromTheStore) {
  Rng rng(63);
  store::MemoryLeadStore store;
  campaign::StoreBatch batch;
  const absl::string_view states[] = {activity::kReady, activity::kInCall, activity::kDispo,
                                      activity::kPaused};
  for (uint64_t id = 1; id <= 300; ++id) batch.attempts.push_back(OneCall(rng, id));
  for (int64_t second = 0; second < 7200; second += 7) {
    batch.activities.push_back({kFrom + absl::Seconds(second), absl::StrCat("a", rng.Below(4)),
                                "DEMO", std::string(states[rng.Below(4)]), "", AttemptId()});
  }
  ASSERT_TRUE(store.Commit(batch).ok());
  const absl::Time from = kFrom + absl::Minutes(80), to = kFrom + absl::Minutes(110);
  const auto log = ReadLog(Written(store, from, to));
  ASSERT_TRUE(log.ok()) << log.status();
  const auto stored = ReadAgentTimes(StoredEvents(store), from, to, "");
  const auto folded = ReadAgentTimes(*log, from, to, "");
  ASSERT_TRUE(stored.ok() && folded.ok());
  ASSERT_EQ(stored->size(), 4u);
  ASSERT_EQ(folded->size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(folded->at(i).agent, stored->at(i).agent);
    EXPECT_EQ(folded->at(i).login(), stored->at(i).login());
    EXPECT_EQ(folded->at(i).talk, stored->at(i).talk);
    EXPECT_EQ(folded->at(i).calls, stored->at(i).calls);
    EXPECT_EQ(folded->at(i).statuses, stored->at(i).statuses);
    EXPECT_GT(stored->at(i).calls, 0);
  }
}

TEST(EventLog, WhatIsNoLogIsToldByItsLine) {
  const std::string head = R"({"at_us":1,"event":"log","to_us":2,"look_back_us":0})"
                           "\n";
  const std::string placed = R"({"at_us":1,"event":"placed","attempt":7})"
                             "\n";
  EXPECT_TRUE(ReadLog(head + placed).ok());
  EXPECT_TRUE(ReadLog(absl::StrReplaceAll(head + placed, {{"\n", "\r\n"}})).ok());
  const auto why = [&](const std::string& file) {
    return std::string(ReadLog(file).status().message());
  };
  EXPECT_THAT(why(""), HasSubstr("empty"));
  EXPECT_THAT(why(placed), HasSubstr("line 1: not the first line"));
  EXPECT_THAT(why(head + "nonsense\n"), HasSubstr("line 2: no JSON"));
  EXPECT_THAT(why(head + placed + placed), HasSubstr("line 3: an attempt placed twice"));
  EXPECT_THAT(why(head + R"({"at_us":1,"event":"ended","attempt":9})"
                         "\n"),
              HasSubstr("not placed"));
  EXPECT_THAT(why(head + R"({"at_us":1,"event":"placed","attempt":9,"status":"SALE"})"
                         "\n"),
              HasSubstr("no such key"));
  EXPECT_THAT(why(head + R"({"at_us":1,"event":"placed","attempt":9,"lead":"x"})"
                         "\n"),
              HasSubstr("lead is of another kind"));
  EXPECT_THAT(why(head + R"({"at_us":1,"event":"placed","attempt":9,"dialed":9999999999999999})"
                         "\n"),
              HasSubstr("dialed"));
  EXPECT_THAT(why(head + R"({"at_us":1,"event":"flew","attempt":9})"
                         "\n"),
              HasSubstr("no such event"));
  EXPECT_THAT(why(head + R"({"at_us":1,"event":"agent","agent":"a1"})"
                         "\n"),
              HasSubstr("without a state"));
  EXPECT_EQ(ReadLog(head + placed.substr(0, 20)).status().code(), absl::StatusCode::kDataLoss);
  // Any cut, any flipped bit: an error or a log, never more.
  Rng rng(64);
  const std::string file = head + placed;
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = file;
    damaged[rng.Below(damaged.size())] ^= static_cast<char>(1 << rng.Below(8));
    ReadLog(damaged).status().IgnoreError();
    ReadLog(file.substr(0, rng.Below(file.size()))).status().IgnoreError();
  }
}

TEST(EventLog, StopsWhereItCannotBeWritten) {
  Rng rng(65);
  store::MemoryLeadStore store;
  campaign::StoreBatch batch;
  for (uint64_t id = 1; id <= 2000; ++id) batch.attempts.push_back(OneCall(rng, id));
  ASSERT_TRUE(store.Commit(batch).ok());
  int pieces = 0;
  const auto counts =
      WriteEventLog(StoredEvents(store), {.from = kFrom, .to = kTo}, [&](absl::string_view) {
        ++pieces;
        return absl::UnavailableError("disk full");
      });
  EXPECT_EQ(counts.status().message(), "disk full");
  EXPECT_EQ(pieces, 1);
}

}  // namespace
}  // namespace outpace::report
