#include "campaign/abandon_contract.h"

#include "campaign/settings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

using ::testing::HasSubstr;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'049'600);

Attempt Answered() {
  Attempt attempt;
  attempt.answered_at = kNoon;
  return attempt;
}
Attempt Met(absl::Duration after, const std::string& status) {
  Attempt attempt = Answered();
  attempt.connected_at = kNoon + after;
  attempt.open = status.empty();
  attempt.status = status;
  return attempt;
}
Attempt Dropped() {
  Attempt attempt = Answered();
  attempt.abandoned = true;
  return attempt;
}
Attempt HungUp(absl::Duration after) {
  Attempt attempt = Answered();
  attempt.open = false;
  attempt.status = "PDROP";
  attempt.ended_at = kNoon + after;
  return attempt;
}
CallSense Sense(const AbandonContract& contract, const Attempt& attempt) {
  CallFacts facts;
  return FactsOf(attempt, &facts) ? SenseOf(contract, facts) : CallSense::kNothing;
}

TEST(AbandonContracts, TextComesBack) {
  const auto contracts = ParseAbandonContracts(
      " tsr ,acme{start=greeting_start seconds=1.5 numerator=unserved denominator=answered "
      "window=rolling_24h limit=2.25 message=sorry_en},  crtc, b{}");
  ASSERT_TRUE(contracts.ok()) << contracts.status();
  ASSERT_EQ(contracts->size(), 4u);
  EXPECT_TRUE((*contracts)[0].ready_made);
  const AbandonContract& acme = (*contracts)[1];
  EXPECT_FALSE(acme.ready_made);
  EXPECT_EQ(acme.name, "acme");
  EXPECT_EQ(acme.start, ContractStart::kGreetingStart);
  EXPECT_EQ(acme.seconds, absl::Milliseconds(1500));
  EXPECT_EQ(acme.numerator, ContractNumerator::kUnserved);
  EXPECT_EQ(acme.denominator, ContractDenominator::kAnswered);
  EXPECT_EQ(acme.window, AbandonWindow::kRolling24h);
  EXPECT_EQ(acme.limit, 2.25);
  EXPECT_EQ(acme.message, "sorry_en");
  const std::string text = AbandonContractsText(*contracts);
  EXPECT_EQ(AbandonContractsText(*ParseAbandonContracts(text)), text);
  EXPECT_THAT(text, HasSubstr("b{start=answer seconds=2 numerator=late denominator=persons "
                              "window=day limit=3}"));
  EXPECT_TRUE(ParseAbandonContracts("  ")->empty());
}

TEST(AbandonContracts, WhatIsWrongIsSaid) {
  const std::pair<const char*, const char*> kCases[] = {
      {"Acme", "contract's name"},
      {"a,,b", "contract's name"},
      {"a{limit=2", "} is missing"},
      {"a{limit=2} b", "comma"},
      {"a,a{}", "only once"},
      {"client{limit=1}", "another setting"},
      {"regulation", "another setting"},
      {"a{limit=0}", "a: limit"},
      {"a{limit=51}", "0.01 to 50"},
      {"a{limit=nan}", "0.01 to 50"},
      {"a{seconds=31}", "0 to 30"},
      {"a{seconds=-1}", "0 to 30"},
      {"a{window=method}", "day, month, campaign, rolling_24h, rolling_30d"},
      {"a{start=ring}", "answer, greeting_start, greeting_end"},
      {"a{numerator=x}", "dropped, late, unserved"},
      {"a{denominator=x}", "estimate, persons, answered"},
      {"a{message=../x}", "prompt"},
      {"a{limit=1 limit=2}", "given twice"},
      {"a{colour=red}", "known are"}};
  for (const auto& [text, wanted] : kCases) {
    EXPECT_THAT(std::string(ParseAbandonContracts(text).status().message()), HasSubstr(wanted))
        << text;
  }
}

TEST(AbandonContracts, AreASetting) {
  CampaignSettings settings;
  ASSERT_TRUE(settings.Set("campaign_id", "C").ok());
  ASSERT_TRUE(settings.Set("abandon_contracts", "ofcom, own{limit=1 window=month}").ok());
  const auto again = CampaignSettings::FromMap(settings.ToMap());
  ASSERT_TRUE(again.ok());
  ASSERT_EQ(again->abandon_contracts.size(), 2u);
  EXPECT_EQ(again->abandon_contracts[1].window, AbandonWindow::kMonth);
  EXPECT_THAT(std::string(settings.Set("abandon_contracts", "own{limit=99}").message()),
              HasSubstr("abandon_contracts: own: limit"));
  EXPECT_TRUE(settings.Set("abandon_window", "month").ok());
}

TEST(CallSense, EachFateInEachSense) {
  AbandonContract dropped, late, unserved;
  dropped.numerator = ContractNumerator::kDropped;
  unserved.numerator = ContractNumerator::kUnserved;
  using S = CallSense;
  struct Case {
    const char* what;
    Attempt attempt;
    S dropped, late, unserved;
  };
  Attempt amd = Answered();
  amd.open = false;
  amd.status = "AA";
  Attempt unsent = Met(absl::ZeroDuration(), "SALE");
  unsent.sent = false;
  Attempt from_outside = Met(absl::ZeroDuration(), "SALE");
  from_outside.inbound = true;
  const Case kCases[] = {
      {"waits", Answered(), S::kNothing, S::kNothing, S::kNothing},
      {"talks", Met(absl::Seconds(2), ""), S::kOpen, S::kOpen, S::kOpen},
      {"over", Met(absl::Seconds(2), "NI"), S::kServed, S::kServed, S::kServed},
      {"met late", Met(absl::Milliseconds(2001), "NI"), S::kServed, S::kAbandoned, S::kAbandoned},
      {"talks, late", Met(absl::Seconds(90), ""), S::kOpen, S::kAbandoned, S::kAbandoned},
      {"a machine met late", Met(absl::Seconds(5), "A"), S::kMachine, S::kMachine, S::kMachine},
      {"dropped", Dropped(), S::kAbandoned, S::kAbandoned, S::kAbandoned},
      {"hung up", HungUp(absl::Seconds(1)), S::kNothing, S::kNothing, S::kAbandoned},
      {"hung up late", HungUp(absl::Seconds(3)), S::kNothing, S::kAbandoned, S::kAbandoned},
      {"by detection", amd, S::kByAmd, S::kByAmd, S::kByAmd},
      {"unsent", unsent, S::kNothing, S::kNothing, S::kNothing},
      {"from outside", from_outside, S::kNothing, S::kNothing, S::kNothing},
      {"not answered", Attempt(), S::kNothing, S::kNothing, S::kNothing}};
  for (const Case& c : kCases) {
    EXPECT_EQ(Sense(dropped, c.attempt), c.dropped) << c.what;
    EXPECT_EQ(Sense(late, c.attempt), c.late) << c.what;
    EXPECT_EQ(Sense(unserved, c.attempt), c.unserved) << c.what;
  }
}

// 16 CFR 310.4(b)(1)(iv): two seconds of the completed greeting; Ofcom: of its start. One that was
// not measured gives no time.
TEST(CallSense, TheSecondsCountFromTheStartPoint) {
  AbandonContract answer, start, end;
  start.start = ContractStart::kGreetingStart;
  end.start = ContractStart::kGreetingEnd;
  Attempt attempt = Met(absl::Milliseconds(2300), "NI");
  for (const AbandonContract* each : {&answer, &start, &end}) {
    EXPECT_EQ(Sense(*each, attempt), CallSense::kAbandoned) << "not measured";
  }
  attempt.greeting_start_ms = 280;
  attempt.greeting_end_ms = 1100;
  EXPECT_EQ(Sense(answer, attempt), CallSense::kAbandoned);
  EXPECT_EQ(Sense(start, attempt), CallSense::kAbandoned);
  EXPECT_EQ(Sense(end, attempt), CallSense::kServed);
  attempt.greeting_start_ms = 300;
  EXPECT_EQ(Sense(start, attempt), CallSense::kServed);
  attempt.connected_at = kNoon + absl::Milliseconds(3101);
  EXPECT_EQ(Sense(end, attempt), CallSense::kAbandoned);
}

TEST(CallFacts, AreTheSameForTheStoredRecordToTheMillisecond) {
  Attempt attempt = Met(absl::Microseconds(1'999'700), "NI");
  attempt.answered_at = kNoon + absl::Microseconds(900);
  CallFacts facts;
  ASSERT_TRUE(FactsOf(attempt, &facts));
  EXPECT_EQ(facts.answered_ms, absl::ToUnixMillis(kNoon));
  EXPECT_EQ(facts.met_ms, 1999);
  attempt.connected_at = kNoon - absl::Seconds(1);  // two threads' clocks
  ASSERT_TRUE(FactsOf(attempt, &facts));
  EXPECT_EQ(facts.met_ms, 0);
  attempt.connected_at = kNoon + absl::Hours(1);
  attempt.greeting_end_ms = 99'999;
  ASSERT_TRUE(FactsOf(attempt, &facts));
  EXPECT_EQ(facts.met_ms, CallFacts::kMetMax);
  EXPECT_EQ(facts.greeting_end_ms, CallFacts::kGreetingMax);
}

}  // namespace
}  // namespace outpace::campaign
