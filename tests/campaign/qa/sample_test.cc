// Which calls a rule draws: by its shares, always the same ones.

#include "campaign/qa/sample.h"

#include <algorithm>
#include <map>
#include <set>

#include "gtest/gtest.h"

namespace outpace::qa {
namespace {

// A day: agents "a".."d" with 25 calls each of 10, 20 .. 1000 s; each fourth call is a sale.
std::vector<Call> Day() {
  std::vector<Call> calls;
  for (int i = 1; i <= 100; ++i) {
    calls.push_back({.attempt = AttemptId(static_cast<uint64_t>(i)),
                     .agent = std::string(1, static_cast<char>('a' + i % 4)),
                     .status = i / 4 % 4 == 0 ? "SALE" : "NI",
                     .started = absl::FromUnixSeconds(1'700'000'000 + i),
                     .length = absl::Seconds(10 * i)});
  }
  return calls;
}

std::vector<Picked> DrawBy(const std::string& rule, std::vector<Call> calls = Day()) {
  const auto parsed = ParseSampleRule(rule);
  EXPECT_TRUE(parsed.ok()) << parsed.status();
  return parsed.ok() ? Draw(*parsed, std::move(calls)) : std::vector<Picked>();
}

std::vector<uint64_t> Ids(const std::vector<Picked>& picked) {
  std::vector<uint64_t> ids;
  for (const Picked& one : picked) ids.push_back(one.call.attempt.value());
  return ids;
}

TEST(SampleTest, RulesAreReadAndWritten) {
  const std::string text =
      "agent:2, status:SALE:12.5, over:900:50, under:20:10, share:1, min:5, max:3600";
  const auto rule = ParseSampleRule(text);
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(SampleRuleText(*rule), text);
  EXPECT_EQ(SampleRuleText(*ParseSampleRule(" agent:2,min:5 ")), "agent:2, min:5");
}

TEST(SampleTest, WhatIsNoRuleIsRefused) {
  for (const char* bad :
       {"", "min:5", "agent", "agent:0", "agent:101", "agent:x", "share:0", "share:101",
        "share:nan", "status:SALE", "status::10", "status:TOOLONG:10", "over:0:10", "over:86401:10",
        "often:2", "agent:2, min:0", "agent:2, max:x", "agent:2, min:60, max:30"}) {
    EXPECT_EQ(ParseSampleRule(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_NE(ParseSampleRule("often:2").status().message().find("agent:CALLS"), std::string::npos);
}

TEST(SampleTest, SoManyOfEachAgent) {
  std::map<AgentId, int> of;
  for (const Picked& one : DrawBy("agent:3")) ++of[one.call.agent];
  EXPECT_EQ(of, (std::map<AgentId, int>{{"a", 3}, {"b", 3}, {"c", 3}, {"d", 3}}));
  EXPECT_EQ(DrawBy("agent:100").size(), 100u);  // those there are
}

TEST(SampleTest, PercentOfAStatusRoundedUp) {
  const auto day = Day();
  const auto sales =
      std::count_if(day.begin(), day.end(), [](const Call& call) { return call.status == "SALE"; });
  ASSERT_EQ(sales, 27);
  const auto picked = DrawBy("status:SALE:10");
  EXPECT_EQ(picked.size(), 3u);  // of 2.7
  for (const Picked& one : picked) EXPECT_EQ(one.call.status, "SALE");
  EXPECT_EQ(DrawBy("status:SALE:100").size(), 27u);
  EXPECT_TRUE(DrawBy("status:XFER:100").empty());
}

TEST(SampleTest, LongAndShortCalls) {
  for (const Picked& one : DrawBy("over:900:100")) EXPECT_GT(one.call.length, absl::Seconds(900));
  EXPECT_EQ(DrawBy("over:900:100").size(), 10u);
  EXPECT_EQ(DrawBy("under:50:100").size(), 4u);
  EXPECT_EQ(DrawBy("share:25").size(), 25u);
}

TEST(SampleTest, NothingOutsideOfTheBoundsIsDrawnOrCounted) {
  const auto picked = DrawBy("share:50, min:300, max:500");
  EXPECT_EQ(picked.size(), 11u);  // half of the 21
  for (const Picked& one : picked) {
    EXPECT_GE(one.call.length, absl::Seconds(300));
    EXPECT_LE(one.call.length, absl::Seconds(500));
  }
}

TEST(SampleTest, TheSameDayGivesTheSameSampleInAnyOrder) {
  auto turned = Day();
  std::reverse(turned.begin(), turned.end());
  const auto picked = DrawBy("agent:2, share:10");
  EXPECT_EQ(Ids(picked), Ids(DrawBy("agent:2, share:10", turned)));
  // For ever: a change of these changes samples that were drawn before.
  EXPECT_EQ(Ids(DrawBy("agent:1")), (std::vector<uint64_t>{52, 69, 58, 63}));
}

TEST(SampleTest, MoreIsDrawnOnTopOfWhatWasDrawn) {
  const auto few = Ids(DrawBy("agent:2")), more = Ids(DrawBy("agent:4"));
  const std::set<uint64_t> all(more.begin(), more.end());
  for (const uint64_t id : few) EXPECT_TRUE(all.contains(id)) << id;
}

TEST(SampleTest, NoPartOfTheDayIsPreferred) {
  int late = 0;
  for (const Picked& one : DrawBy("share:40")) late += one.call.attempt.value() > 50 ? 1 : 0;
  EXPECT_GE(late, 12);
  EXPECT_LE(late, 28);
}

TEST(SampleTest, EachCallSaysWhatDrewIt) {
  for (const Picked& one : DrawBy("status:SALE:100, share:100")) {
    const std::vector<std::string> both = {"status:SALE:100", "share:100"}, share = {"share:100"};
    EXPECT_EQ(one.terms, one.call.status == "SALE" ? both : share);
  }
}

}  // namespace
}  // namespace outpace::qa
