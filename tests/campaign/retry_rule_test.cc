#include "campaign/retry_rule.h"

#include "campaign/disposition.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'768'478'400);

Lead Fresh() {
  Lead lead;
  lead.id = LeadId(1);
  lead.phone = E164(12025550100);
  lead.time_zones = {"America/New_York"};
  return lead;
}

CampaignSettings Demo() {
  CampaignSettings settings;
  settings.id = "DEMO";
  settings.active = true;
  return settings;
}

Attempt Ended(absl::string_view outcome) {
  Attempt attempt;
  attempt.outcome = std::string(outcome);
  attempt.open = false;
  attempt.dialed_at = kNow;
  attempt.ended_at = kNow + absl::Seconds(30);
  return attempt;
}

Attempt Disposed(absl::string_view status) {
  Attempt attempt = Ended("answered");
  attempt.answered_at = kNow + absl::Seconds(10);
  attempt.connected_at = kNow + absl::Seconds(10);
  attempt.status = std::string(status);
  return attempt;
}

Lead Try(const Lead& lead, const Attempt& attempt, const CampaignSettings& settings = Demo()) {
  return ApplyResult(ApplyIntent(lead, kNow, absl::Hours(kUnknownRestHours)), attempt, settings);
}

TEST(ApplyIntent, CountsTheTryAndPutsTheLeadAway) {
  const Lead lead = ApplyIntent(Fresh(), kNow, absl::Hours(24));
  EXPECT_EQ(lead.called_count, 1);
  EXPECT_EQ(lead.status, "INCALL");
  EXPECT_EQ(lead.next_call_time, kNow + absl::Hours(24));
  EXPECT_EQ(lead.last_call_time, kNow);
}

TEST(ApplyResult, FinalStatusesNeverComeBack) {
  for (const char* status : {"SALE", "NI", "DEC", "DNC", "DC", "XFER"}) {
    const Lead lead = Try(Fresh(), Disposed(status));
    EXPECT_EQ(lead.status, status);
    EXPECT_EQ(lead.next_call_time, absl::InfiniteFuture()) << status;
  }
  EXPECT_EQ(Try(Fresh(), Ended("invalid")).status, "ADC");
  EXPECT_EQ(Try(Fresh(), Ended("invalid")).next_call_time, absl::InfiniteFuture());
}

TEST(ApplyResult, DefaultRecycleRules) {
  EXPECT_EQ(Try(Fresh(), Ended("no_answer")).status, "NA");
  EXPECT_EQ(Try(Fresh(), Ended("no_answer")).next_call_time,
            kNow + absl::Seconds(30) + absl::Minutes(30));
  EXPECT_EQ(Try(Fresh(), Ended("busy")).status, "AB");
  EXPECT_EQ(Try(Fresh(), Ended("busy")).next_call_time,
            kNow + absl::Seconds(30) + absl::Minutes(15));
  EXPECT_EQ(Try(Fresh(), Ended("unreachable")).status, "ADCT");
  EXPECT_EQ(Try(Fresh(), Ended("rejected")).status, "NA");
  EXPECT_EQ(Try(Fresh(), Ended("no_answer")).tier, Tier::kB);
}

TEST(ApplyResult, ARuleIsUsedUp) {
  Lead lead = Fresh();
  for (int i = 0; i < 3; ++i) {
    lead = Try(lead, Ended("no_answer"));
    EXPECT_NE(lead.next_call_time, absl::InfiniteFuture()) << i;
  }
  // A busy line in between counts against the rule for busy lines.
  lead = Try(lead, Ended("busy"));
  EXPECT_NE(lead.next_call_time, absl::InfiniteFuture());
  lead = Try(lead, Ended("no_answer"));
  EXPECT_EQ(lead.next_call_time, absl::InfiniteFuture());
}

TEST(ApplyResult, TheCampaignsRuleGoesFirst) {
  CampaignSettings settings = Demo();
  ASSERT_TRUE(settings.Set("lead_recycle", "NA:7200:1,NI:604800:1").ok());
  Lead lead = Try(Fresh(), Ended("no_answer"), settings);
  EXPECT_EQ(lead.next_call_time, kNow + absl::Seconds(30) + absl::Hours(2));
  lead = Try(lead, Ended("no_answer"), settings);
  EXPECT_EQ(lead.next_call_time, absl::InfiniteFuture());
  EXPECT_EQ(Try(Fresh(), Disposed("NI"), settings).next_call_time,
            kNow + absl::Seconds(30) + absl::Hours(168));
}

TEST(ApplyResult, TheCallCountLimitEndsIt) {
  CampaignSettings settings = Demo();
  settings.call_count_limit = 2;
  Lead lead = Try(Fresh(), Ended("busy"), settings);
  EXPECT_NE(lead.next_call_time, absl::InfiniteFuture());
  lead = Try(lead, Ended("busy"), settings);
  EXPECT_EQ(lead.next_call_time, absl::InfiniteFuture());
}

TEST(ApplyResult, AnAbandonedNumberRestsThreeDaysWhateverTheRuleSays) {
  CampaignSettings settings = Demo();
  ASSERT_TRUE(settings.Set("lead_recycle", "DROP:300:3").ok());
  Attempt attempt = Ended("answered");
  attempt.answered_at = kNow + absl::Seconds(10);
  attempt.abandoned = true;
  for (const CampaignSettings& s : {Demo(), settings}) {
    const Lead lead = Try(Fresh(), attempt, s);
    EXPECT_EQ(lead.status, "DROP");
    EXPECT_EQ(lead.next_call_time, attempt.ended_at + absl::Hours(72));
  }
  // Also when an agent's name got on it too late, with a status of its own.
  attempt.status = "SALE";
  EXPECT_EQ(Try(Fresh(), attempt).next_call_time, attempt.ended_at + absl::Hours(72));
}

TEST(ApplyResult, HungUpBeforeAnAgentCameIsCountedByItselfAndRests) {
  Attempt attempt = Ended("answered");
  attempt.answered_at = kNow + absl::Seconds(10);
  const Lead lead = Try(Fresh(), attempt);
  EXPECT_EQ(lead.status, "PDROP");
  EXPECT_EQ(lead.next_call_time, attempt.ended_at + absl::Hours(72));
}

TEST(ApplyResult, ATrunkFaultDoesNotCount) {
  Attempt attempt = Ended("congestion");
  attempt.trunk_fault = true;
  const Lead lead = Try(Fresh(), attempt);
  EXPECT_EQ(lead.called_count, 0);
  EXPECT_EQ(lead.status, "NEW");
  EXPECT_EQ(lead.tier, Tier::kA);
  EXPECT_EQ(lead.next_call_time, attempt.ended_at + absl::Minutes(2));
}

TEST(ApplyResult, ACallbackComesBackAtItsTimeInTierA) {
  Attempt attempt = Disposed("CALLBK");
  attempt.callback_time = kNow + absl::Hours(50);
  const Lead lead = Try(Fresh(), attempt);
  EXPECT_EQ(lead.status, "CALLBK");
  EXPECT_EQ(lead.tier, Tier::kA);
  EXPECT_EQ(lead.next_call_time, kNow + absl::Hours(50));
}

TEST(ApplyResult, WhatTheCrashLeftRestsADay) {
  Attempt attempt = Ended("unknown");
  attempt.ended_at = kNow + absl::Minutes(1);
  EXPECT_EQ(Try(Fresh(), attempt).next_call_time, kNow + absl::Hours(24));
  // Somebody had answered: to that person it was a silent call.
  attempt.answered_at = kNow + absl::Seconds(5);
  EXPECT_EQ(Try(Fresh(), attempt).status, "DROP");
  EXPECT_EQ(Try(Fresh(), attempt).next_call_time, attempt.ended_at + absl::Hours(72));
  // Somebody was talking to an agent: nobody said what came of it.
  attempt.connected_at = kNow + absl::Seconds(5);
  EXPECT_EQ(Try(Fresh(), attempt).status, "DISPO");
}

TEST(Dispositions, FlagsOfTheField) {
  EXPECT_TRUE(FindDisposition("DNC")->dnc);
  EXPECT_TRUE(FindDisposition("SALE")->sale);
  EXPECT_FALSE(FindDisposition("SALE")->customer_contact);
  EXPECT_TRUE(FindDisposition("NI")->customer_contact);
  EXPECT_TRUE(FindDisposition("ADC")->unworkable);
  EXPECT_TRUE(FindDisposition("DROP")->human_answered);
  EXPECT_FALSE(FindDisposition("DROP")->selectable);
  EXPECT_EQ(FindDisposition("XYZ"), nullptr);
  std::string keys;
  for (const Disposition& d : Dispositions()) {
    EXPECT_LE(d.status.size(), 6u);
    EXPECT_FALSE(d.name.empty());
    EXPECT_FALSE(d.name_zh.empty());
    if (!d.selectable) continue;
    EXPECT_EQ(keys.find(d.hotkey), std::string::npos) << d.status;
    keys += d.hotkey;
  }
  EXPECT_EQ(keys.size(), 12u);
}

}  // namespace
}  // namespace outpace::campaign
