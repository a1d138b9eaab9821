// The gate with the built-in sets of rules: what a campaign in the United States or the United
// Kingdom meets.

#include <map>
#include <string>
#include <vector>

#include "campaign/calling_window.h"
#include "campaign/gate/consent.h"
#include "campaign/gate/gate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fakes/registry.h"

namespace outpace::gate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

absl::Time At(absl::string_view text, absl::string_view zone) {
  absl::CivilSecond civil;
  EXPECT_TRUE(absl::ParseCivilTime(text, &civil)) << text;
  return absl::FromCivil(civil, campaign::FindTimeZone(zone).value());
}

struct Call {
  explicit Call(std::vector<std::string> sets) {
    lead.id = LeadId(1);
    lead.phone = E164(12125550100);
    lead.time_zones = {"America/New_York"};
    settings.id = "DEMO";
    settings.active = true;
    settings.compliance = std::move(sets);
    settings.local_call_time = *campaign::CallingWindow::Parse("24hours");
    settings.use_dnc_registries = false;
    history.set_from(absl::InfinitePast());
  }
  std::vector<std::string> Ids() const {
    const Policy policy(settings, rules::RuleBook::BuiltIn());
    std::vector<std::string> out;
    for (const Reason& reason : Decide({.lead = lead,
                                .number = number.valid() ? number : lead.phone,
                                .settings = settings,
                                .policy = policy,
                                .history = history,
                                .texts_follow = texts_follow},
                                       dnc, now)
                                    .reasons) {
      out.push_back(reason.id);
      EXPECT_FALSE(reason.source.empty());
    }
    return out;
  }
  void Dialed(E164 phone, absl::Duration ago, const CampaignId& of, const std::string& status) {
    campaign::Attempt attempt;
    attempt.campaign = of;
    attempt.dialed = phone;
    attempt.dialed_at = now - ago;
    attempt.status = status;
    attempt.abandoned = status == "DROP";
    if (status != "NA") attempt.answered_at = attempt.dialed_at + absl::Seconds(9);
    if (status == "NI") attempt.connected_at = attempt.answered_at;
    history.Add(attempt);
  }

  campaign::Lead lead;
  campaign::CampaignSettings settings;
  NumberHistory history;
  dnc::DncSet dnc;
  E164 number;
  bool texts_follow = false;
  absl::Time now = At("2026-01-15T12:00:00", "America/New_York");
};

TEST(Compliance, FederalHoursHoldWhateverTheCampaignSays) {
  Call call({"us-tsr"});
  EXPECT_THAT(call.Ids(), IsEmpty());
  call.now = At("2026-01-15T07:59:59", "America/New_York");
  EXPECT_THAT(call.Ids(), ElementsAre("us-tsr:window"));
  call.now = At("2026-01-15T21:00:00", "America/New_York");
  EXPECT_THAT(call.Ids(), ElementsAre("us-tsr:window"));
}

TEST(Compliance, TheStateOfNumberOrAddressWhicheverIsStricter) {
  Call call({"us-tsr", "us-states"});
  call.now = At("2026-01-15T20:30:00", "America/New_York");
  EXPECT_THAT(call.Ids(), IsEmpty());
  call.lead.fields = {{"state", "FL"}};
  EXPECT_THAT(call.Ids(), ElementsAre("us-fl:window")) << "who has moved kept the number";
  call.lead.fields = {{"postal_code", "33101"}};
  EXPECT_THAT(call.Ids(), ElementsAre("us-fl:window"));
  call.lead.fields.clear();
  call.lead.phone = E164(13055550100);
  EXPECT_THAT(call.Ids(), ElementsAre("us-fl:window")) << "Miami";
}

TEST(Compliance, AnAddressInAnotherStateBringsItsZones) {
  Call call({});
  call.settings.local_call_time = *campaign::CallingWindow::Parse("09:00-21:00");
  call.now = At("2026-01-15T09:30:00", "America/New_York");
  EXPECT_THAT(call.Ids(), IsEmpty());
  call.lead.fields = {{"state", "CA"}};
  EXPECT_THAT(call.Ids(), ElementsAre("calling_window"));
  call.now = At("2026-01-15T09:00:00", "America/Los_Angeles");
  EXPECT_THAT(call.Ids(), IsEmpty());
  // A state of two zones that is the number's own: the number says which.
  call.lead.phone = E164(13055550100);
  call.lead.fields = {{"state", "FL"}};
  call.now = At("2026-01-15T09:00:00", "America/New_York");
  EXPECT_THAT(call.Ids(), IsEmpty());
}

TEST(Compliance, HolidaysOfAState) {
  Call call({"us-states"});
  call.lead.phone = E164(12055550100);  // Alabama
  call.lead.time_zones = {"America/Chicago"};
  call.now = At("2026-11-26T12:00:00", "America/Chicago");
  EXPECT_THAT(call.Ids(), ElementsAre("us-al:holidays"));
  call.now = At("2026-11-27T12:00:00", "America/Chicago");
  EXPECT_THAT(call.Ids(), IsEmpty());
}

TEST(Compliance, SevenInSevenDaysOverCampaignsAndAlternates) {
  Call call({"us-reg-f"});
  call.lead.alt_phone = E164(13035550100);
  for (int i = 0; i < 6; ++i) call.Dialed(call.lead.phone, absl::Hours(20 * i + 1), "A", "NA");
  EXPECT_THAT(call.Ids(), IsEmpty());
  call.Dialed(call.lead.alt_phone, absl::Hours(3), "B", "NA");
  EXPECT_THAT(call.Ids(), ElementsAre("us-reg-f:seven-in-seven"));
  call.number = call.lead.alt_phone;
  EXPECT_THAT(call.Ids(), ElementsAre("us-reg-f:seven-in-seven"));
  call.lead.alt_phone = E164();
  call.number = E164();
  EXPECT_THAT(call.Ids(), IsEmpty()) << "another person's number";
}

TEST(Compliance, ARestAfterAConversation) {
  Call call({"us-reg-f"});
  call.Dialed(call.lead.phone, absl::Hours(24), "A", "NI");
  EXPECT_THAT(call.Ids(), ElementsAre("us-reg-f:after-conversation"));
}

TEST(Compliance, SeventyTwoHoursAfterAnAbandonedCall) {
  Call call({"uk-ofcom"});
  call.lead.phone = E164(442079460018);
  call.lead.time_zones = {"Europe/London"};
  call.Dialed(call.lead.phone, absl::Hours(71), "A", "DROP");
  EXPECT_THAT(call.Ids(), ElementsAre("uk-ofcom:after-abandoned"));
  call.now += absl::Hours(1) + absl::Seconds(1);
  EXPECT_THAT(call.Ids(), IsEmpty());
}

TEST(Compliance, AttemptsThatAreNotKnownHoldEverything) {
  Call call({"us-reg-f"});
  call.history.set_from(call.now - absl::Hours(24));
  EXPECT_THAT(call.Ids(), ElementsAre("compliance_unknown"));
  const Policy policy(call.settings, rules::RuleBook::BuiltIn());
  EXPECT_NE(policy.Standstill(call.settings, call.dnc, call.history, call.now), "");
  call.history.set_from(call.now - absl::Hours(24 * 9));
  EXPECT_THAT(call.Ids(), IsEmpty());
  EXPECT_EQ(policy.Standstill(call.settings, call.dnc, call.history, call.now), "");
}

TEST(Compliance, ASetThatIsGoneHoldsEverything) {
  const Call call({"us-tsr", "narnia"});
  EXPECT_THAT(call.Ids(), ElementsAre("compliance_unknown"));
  const Policy policy(call.settings, rules::RuleBook::BuiltIn());
  EXPECT_THAT(policy.fault(), testing::HasSubstr("narnia"));
}

TEST(Compliance, ConsentIsAskedWhenTheTextsAreThere) {
  Call call({"us-consent"});
  EXPECT_THAT(call.Ids(), ElementsAre("us-consent:mobile"));
  call.lead.has_fields = false;
  EXPECT_THAT(call.Ids(), ElementsAre("us-consent:mobile")) << "no texts, no consent";
  call.texts_follow = true;
  EXPECT_THAT(call.Ids(), IsEmpty());
  call.lead.has_fields = true;
  call.texts_follow = false;
  call.lead.fields = {{"consent", "express"}};
  EXPECT_THAT(call.Ids(), ElementsAre("us-consent:mobile")) << "written is more";
  call.lead.fields = {{"consent", "Written"}, {"consent_date", "2026-01-02"}};
  EXPECT_THAT(call.Ids(), IsEmpty());
}

TEST(Compliance, WhatLeadsSayOfConsent) {
  const auto of = [](const std::string& consent, const std::string& date) {
    campaign::Lead lead;
    lead.fields = {{"consent", consent}, {"consent_date", date}};
    return ConsentOf(lead);
  };
  EXPECT_EQ(of("written", "").basis, rules::Basis::kWritten);
  EXPECT_EQ(of("书面同意", "").basis, rules::Basis::kWritten);
  EXPECT_EQ(of(" Yes ", "").basis, rules::Basis::kExpress);
  EXPECT_EQ(of("EBR", "").basis, rules::Basis::kBusiness);
  EXPECT_EQ(of("no", "").basis, rules::Basis::kNone);
  EXPECT_EQ(of("perhaps", "").basis, rules::Basis::kNone);
  EXPECT_EQ(of("yes", "2026-01-02 10:00").given,
            absl::FromCivil(absl::CivilDay(2026, 1, 2), absl::UTCTimeZone()));
  EXPECT_EQ(of("yes", "2/1/2026").given, absl::InfinitePast());
  EXPECT_EQ(of("yes", "2026-01-021").given, absl::InfinitePast());
}

TEST(Compliance, TheRegisterMustBeThereAndFresh) {
  Call call({"us-tsr"});
  call.settings.use_dnc_registries = true;
  EXPECT_THAT(call.Ids(), ElementsAre("us-tsr:registry"));
  const Policy policy(call.settings, rules::RuleBook::BuiltIn());
  const auto standstill = [&] {
    return policy.Standstill(call.settings, call.dnc, call.history, call.now);
  };
  EXPECT_THAT(standstill(), testing::HasSubstr("no copy"));
  const auto put = [&call](const std::string& name, absl::CivilDay day) {
    call.dnc.SetRegistries({fakes::RegistryOf(E164(12125550199), name, day)});
  };
  put("us-national", absl::CivilDay(2025, 12, 20));
  EXPECT_THAT(call.Ids(), IsEmpty());
  EXPECT_EQ(standstill(), "");
  put("us-national", absl::CivilDay(2025, 12, 1));
  EXPECT_THAT(call.Ids(), ElementsAre("us-tsr:registry"));
  EXPECT_THAT(standstill(), testing::HasSubstr("31 days"));
  put("uk-tps", absl::CivilDay(2026, 1, 14));
  EXPECT_THAT(call.Ids(), ElementsAre("us-tsr:registry")) << "another country's";
  call.settings.use_dnc_registries = false;
  EXPECT_THAT(call.Ids(), IsEmpty()) << "exempt by the campaign's own word";
}

TEST(Compliance, CallsAreNotGivenUpBeforeTheRuleAllows) {
  Call call({"us-tsr"});
  call.settings.min_ring_seconds = absl::Seconds(14);
  EXPECT_THAT(call.Ids(), ElementsAre("us-tsr:ring"));
}

TEST(Compliance, PremiumSatelliteAndOffPlanNumbersAreNeverRung) {
  Call call({});
  for (const uint64_t number : {19005550100ull, 12120550100ull, 870773123456ull, 881612345678ull,
                                449012345678ull, 8695588ull, 1212555010ull, 12125551212ull}) {
    call.lead.phone = E164(number);
    EXPECT_THAT(call.Ids(), ElementsAre("destination")) << number;
  }
  for (const uint64_t number : {12125550100ull, 442079460018ull, 8613800138000ull, 85221234567ull,
                                61291234567ull, 4930901820ull, 81312345678ull}) {
    call.lead.phone = E164(number);
    EXPECT_THAT(call.Ids(), IsEmpty()) << number;
  }
}

TEST(Compliance, AnAllowListLetsNothingElseThrough) {
  Call call({});
  call.settings.allowed_destinations = {"1"};
  EXPECT_THAT(call.Ids(), IsEmpty());
  call.lead.phone = E164(18765550100);
  EXPECT_THAT(call.Ids(), ElementsAre("destination")) << "Jamaica shares the code";
  call.lead.phone = E164(442079460018);
  EXPECT_THAT(call.Ids(), ElementsAre("destination"));
}

}  // namespace
}  // namespace outpace::gate
