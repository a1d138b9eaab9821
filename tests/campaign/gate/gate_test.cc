#include "campaign/gate/gate.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/calling_window.h"
#include "campaign/retry_rule.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/fakes/registry.h"

namespace outpace::gate {
namespace {

using campaign::CampaignSettings;
using campaign::Lead;

absl::Time At(absl::string_view text, absl::string_view zone) {
  absl::CivilSecond civil;
  EXPECT_TRUE(absl::ParseCivilTime(text, &civil)) << text;
  return absl::FromCivil(civil, campaign::FindTimeZone(zone).value());
}

// Everything Decide looks at, all of it in order: each test spoils one thing.
struct Scene {
  Scene() {
    lead.id = LeadId(1);
    lead.list = ListId(3);
    lead.phone = E164(12125550100);
    lead.alt_phone = E164(12135550100);
    lead.time_zones = {"America/New_York"};
    settings.id = "DEMO";
    settings.client_id = "ACME";
    settings.active = true;
    settings.report_zone = campaign::FindTimeZone("America/New_York").value();
    history.set_from(absl::InfinitePast());
  }
  Verdict Decide() const {
    return gate::Decide({.lead = lead,
                         .number = number.valid() ? number : lead.phone,
                         .settings = settings,
                         .policy = policy,
                         .history = history,
                         .list_active = list_active,
                         .attempts_today = attempts_today,
                         .number_in_call = number_in_call,
                         .after_intent = after_intent,
                         .texts_follow = texts_follow},
                        dnc, now);
  }
  std::vector<Rule> Rules() const {
    std::vector<Rule> out;
    for (const Reason& reason : Decide().reasons) out.push_back(reason.rule);
    return out;
  }

  // Chooses a set of rules with one rule of a kind, for numbers of `area`; of one kind the latest.
  void Choose(const std::string& kind, const std::string& area, const std::string& values) {
    chosen[kind] = absl::StrCat("[[", kind, "]]\nid = \"here:", kind, "\"\nareas = [\"", area,
                                "\"]\nsource = \"Clause 1\"\nstatus = \"read\"\n", values, "\n");
    std::string text = "id = \"here\"\nversion = \"2026-01-01\"\ntitle = \"t\"\n";
    for (const auto& [name, lines] : chosen) text += lines;
    const auto book = rules::RuleBook::Parse({{"here.toml", text}});
    ASSERT_TRUE(book.ok()) << book.status();
    settings.compliance = {"here"};
    policy = Policy(settings, *book);
  }
  // An attempt of `ago` before now, with what `mark` makes of it.
  void Dialed(absl::Duration ago, const std::function<void(campaign::Attempt&)>& mark = nullptr) {
    campaign::Attempt attempt;
    attempt.campaign = settings.id;
    attempt.dialed = lead.phone;
    attempt.dialed_at = now - ago;
    if (mark) mark(attempt);
    history.Add(attempt);
  }

  Lead lead;
  CampaignSettings settings;
  std::map<std::string, std::string> chosen;
  Policy policy;
  NumberHistory history;
  dnc::DncSet dnc;
  E164 number;
  bool list_active = true, number_in_call = false, after_intent = false, texts_follow = false;
  int attempts_today = 0;
  absl::Time now = At("2026-01-15T12:00:00", "America/New_York");
};

using testing::ElementsAre;

// Somebody who asked not to be called is not rung by the other number either; a registry's entry is
// of a number.
TEST(Gate, ASecondNumberIsHeldByTheWishOfItsFirst) {
  Scene scene;
  scene.number = scene.lead.alt_phone;
  ASSERT_TRUE(scene.Decide().allowed());
  scene.dnc.Add(scene.lead.phone, dnc::CampaignScope("OTHER"));
  EXPECT_TRUE(scene.Decide().allowed()) << "another campaign's list";
  scene.dnc.Add(scene.lead.phone, dnc::CampaignScope("DEMO"));
  EXPECT_EQ(scene.Rules(), std::vector<Rule>{Rule::kDncCampaign});
  EXPECT_NE(scene.Decide().reasons[0].text.find("first number"), std::string::npos);
  scene.dnc.Remove(scene.lead.phone, dnc::CampaignScope("DEMO"));
  scene.dnc.Add(scene.lead.phone, dnc::DncScope());
  EXPECT_EQ(scene.Rules(), std::vector<Rule>{Rule::kDncSystem});
  scene.number = E164();
  EXPECT_EQ(scene.Rules(), std::vector<Rule>{Rule::kDncSystem}) << "the first itself, once";
}

TEST(Gate, AGoodLeadPasses) {
  const Scene scene;
  EXPECT_TRUE(scene.Decide().allowed());
}

// Whatever a campaign makes of do-not-call lists, and though nothing holds the number any more.
TEST(Gate, AnErasedPersonIsNeverRung) {
  Scene scene;
  ASSERT_TRUE(scene.dnc.AddErased(scene.dnc.ErasedHash(scene.lead.phone)));
  scene.settings.use_internal_dnc = false;
  scene.settings.use_campaign_dnc = false;
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kDncSystem));
  EXPECT_THAT(scene.Decide().reasons[0].text, testing::HasSubstr("erased person"));
  scene.after_intent = true;
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kDncSystem));
}

std::shared_ptr<const dnc::RegistryFile> NationalRegistry(absl::CivilDay obtained) {
  return fakes::RegistryOf(E164(12125550199), "us-national", obtained);
}

const dnc::DncScope kLitigator{dnc::DncLevel::kLitigator, ""};
const dnc::DncScope kFlorida{dnc::DncLevel::kState, "FL"};
const dnc::DncScope kClient{dnc::DncLevel::kClient, "ACME"};

// For each rule: the one thing that breaks it, and the one that mends it again. That the spoiled
// scene names exactly this rule shows that without the rule the call would be let through.
struct Spoiler {
  Rule rule;
  std::function<void(Scene&)> spoil;
  std::function<void(Scene&)> mend;
};

std::vector<Spoiler> Spoilers() {
  return {
      {Rule::kDncSystem, [](Scene& s) { s.dnc.Add(s.lead.phone, ""); },
       [](Scene& s) { s.dnc.Remove(s.lead.phone, ""); }},
      {Rule::kDncLitigator, [](Scene& s) { s.dnc.Add(s.lead.phone, kLitigator); },
       [](Scene& s) { s.dnc.Remove(s.lead.phone, kLitigator); }},
      {Rule::kDncState, [](Scene& s) { s.dnc.Add(s.lead.phone, kFlorida); },
       [](Scene& s) { s.dnc.Remove(s.lead.phone, kFlorida); }},
      {Rule::kDncRegistry, [](Scene& s) { s.dnc.SetRegistries({fakes::RegistryOf(s.lead.phone)}); },
       [](Scene& s) { s.dnc.SetRegistries({}); }},
      {Rule::kDncClient, [](Scene& s) { s.dnc.AddRange({1212}, kClient); },
       [](Scene& s) { s.dnc.RemoveRange({1212}, kClient); }},
      {Rule::kDncCampaign, [](Scene& s) { s.dnc.Add(s.lead.phone, "DEMO"); },
       [](Scene& s) { s.dnc.Remove(s.lead.phone, "DEMO"); }},
      {Rule::kCallingWindow,
       [](Scene& s) { s.now = At("2026-01-15T08:59:59", "America/New_York"); },
       [](Scene& s) { s.now = At("2026-01-15T09:00:00", "America/New_York"); }},
      {Rule::kZoneUnknown, [](Scene& s) { s.lead.time_zones.clear(); },
       [](Scene& s) { s.lead.time_zones = {"America/New_York"}; }},
      {Rule::kCallCountLimit, [](Scene& s) { s.lead.called_count = s.settings.call_count_limit; },
       [](Scene& s) { s.lead.called_count = s.settings.call_count_limit - 1; }},
      {Rule::kDailyLimit, [](Scene& s) { s.attempts_today = s.settings.daily_call_count_limit; },
       [](Scene& s) { s.attempts_today = s.settings.daily_call_count_limit - 1; }},
      {Rule::kNotDueYet, [](Scene& s) { s.lead.next_call_time = s.now + absl::Seconds(1); },
       [](Scene& s) { s.lead.next_call_time = s.now; }},
      {Rule::kFinalStatus, [](Scene& s) { s.lead.status = "SALE"; },
       [](Scene& s) { s.lead.status = "NA"; }},
      {Rule::kCampaignInactive, [](Scene& s) { s.settings.active = false; },
       [](Scene& s) { s.settings.active = true; }},
      {Rule::kListInactive, [](Scene& s) { s.list_active = false; },
       [](Scene& s) { s.list_active = true; }},
      {Rule::kNumberInCall, [](Scene& s) { s.number_in_call = true; },
       [](Scene& s) { s.number_in_call = false; }},
      {Rule::kRingTimeTooShort, [](Scene& s) { s.settings.dial_timeout = absl::Seconds(14); },
       [](Scene& s) { s.settings.dial_timeout = absl::Seconds(15); }},
      {Rule::kDestination,
       [](Scene& s) {
         s.settings.allowed_destinations = {"44", "1213"};
       },
       [](Scene& s) {
         s.settings.allowed_destinations = {"44", "1212"};
       }},
      {Rule::kComplianceUnknown, [](Scene& s) { s.settings.compliance = {"narnia"}; },
       [](Scene& s) { s.settings.compliance.clear(); }},
      {Rule::kLegalWindow, [](Scene& s) { s.Choose("window", "US", "open = [\"12:01-20:00\"]"); },
       [](Scene& s) { s.Choose("window", "US", "open = [\"12:00-20:00\"]"); }},
      {Rule::kLegalHoliday,
       [](Scene& s) {
         s.Choose("holidays", "US", "days = [ { on = \"01-15\", name = \"Day\" } ]");
       },
       [](Scene& s) {
         s.Choose("holidays", "US", "days = [ { on = \"01-16\", name = \"Day\" } ]");
       }},
      {Rule::kFrequencyCap,
       [](Scene& s) {
         s.Choose("cap", "US", "hours = 24\nmax = 2");
         s.Dialed(absl::Hours(24) - absl::Seconds(1));
         s.Dialed(absl::Hours(1));
       },
       [](Scene& s) { s.now += absl::Seconds(2); }},
      {Rule::kRestPeriod,
       [](Scene& s) {
         s.Choose("rest", "US", "hours = 72\nafter = \"abandoned\"");
         s.Dialed(absl::Hours(72) - absl::Seconds(1), [](campaign::Attempt& attempt) {
           attempt.answered_at = attempt.dialed_at;
           attempt.abandoned = true;
         });
       },
       [](Scene& s) { s.now += absl::Seconds(2); }},
      {Rule::kConsent,
       [](Scene& s) { s.Choose("consent", "US", "basis = \"express\"\ndays = 90"); },
       [](Scene& s) {
         s.lead.fields = {{"consent", "express"}, {"consent_date", "2025-12-01"}};
       }},
      {Rule::kNumberBlocked, [](Scene& s) { s.Choose("block", "US", "prefixes = [\"1212\"]"); },
       [](Scene& s) { s.Choose("block", "US", "prefixes = [\"1213\"]"); }},
      {Rule::kRegistryAge,
       [](Scene& s) {
         s.Choose("registry", "US", "days = 31");
         auto registries = s.dnc.registries();
         registries.push_back(NationalRegistry(absl::CivilDay(2025, 12, 14)));
         s.dnc.SetRegistries(std::move(registries));
       },
       [](Scene& s) { s.dnc.SetRegistries({NationalRegistry(absl::CivilDay(2025, 12, 16))}); }},
  };
}

TEST(Gate, EveryRuleAloneHoldsACallBack) {
  size_t rules = 0;
  for (const Spoiler& spoiler : Spoilers()) {
    SCOPED_TRACE(std::string(RuleName(spoiler.rule)));
    Scene scene;
    spoiler.spoil(scene);
    EXPECT_THAT(scene.Rules(), ElementsAre(spoiler.rule));
    const Verdict verdict = scene.Decide();
    EXPECT_GT(verdict.reasons[0].text.size(), 20u);
    EXPECT_EQ(verdict.reasons[0].text.find("2125550100"), std::string::npos);
    EXPECT_FALSE(verdict.reasons[0].id.empty());
    EXPECT_FALSE(verdict.reasons[0].source.empty());
    EXPECT_GT(verdict.reasons[0].until, scene.now);
    spoiler.mend(scene);
    EXPECT_TRUE(scene.Decide().allowed());
    ++rules;
  }
  EXPECT_EQ(rules, static_cast<size_t>(kRulesEnd)) << "a rule without a test";
}

TEST(Gate, TellsAllReasonsAtOnce) {
  Scene scene;
  for (const Spoiler& spoiler : Spoilers()) {
    // A zone that is not known leaves no window to ask, a set that is not there no rules; a final
    // lead has no due time.
    if (spoiler.rule == Rule::kZoneUnknown || spoiler.rule == Rule::kComplianceUnknown ||
        spoiler.rule == Rule::kFinalStatus) {
      continue;
    }
    spoiler.spoil(scene);
  }
  EXPECT_EQ(scene.Decide().reasons.size(), Spoilers().size() - 3);
}

TEST(Gate, ANumberOnBothListsIsToldTwiceAndEachSwitchHoldsItsOwn) {
  Scene scene;
  scene.dnc.Add(scene.lead.phone, "");
  scene.dnc.Add(scene.lead.phone, "DEMO");
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kDncSystem, Rule::kDncCampaign));
  scene.settings.use_internal_dnc = false;
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kDncCampaign));
  scene.settings.use_campaign_dnc = false;
  EXPECT_TRUE(scene.Decide().allowed());
}

TEST(Gate, AnotherCampaignsListDoesNotHold) {
  Scene scene;
  scene.dnc.Add(scene.lead.phone, "OTHER");
  EXPECT_TRUE(scene.Decide().allowed());
}

TEST(Gate, UntilSaysWhen) {
  Scene scene;
  scene.now = At("2026-01-15T22:00:00", "America/New_York");
  EXPECT_EQ(scene.Decide().reasons[0].until, At("2026-01-16T09:00:00", "America/New_York"));
  EXPECT_THAT(scene.Decide().reasons[0].text, testing::HasSubstr("Thu 22:00"));
  scene = Scene();
  scene.attempts_today = 3;
  EXPECT_EQ(scene.Decide().reasons[0].until, At("2026-01-16T00:00:00", "America/New_York"));
  scene = Scene();
  scene.lead.next_call_time = scene.now + absl::Minutes(5);
  EXPECT_EQ(scene.Decide().reasons[0].until, scene.lead.next_call_time);
}

TEST(Gate, DueAtTheInstantItself) {
  Scene scene;
  scene.lead.next_call_time = scene.now;
  EXPECT_TRUE(scene.Decide().allowed());
  scene.lead.next_call_time = absl::InfiniteFuture();
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kFinalStatus));
}

// The two nights of the year when the clock is moved, second by second at the edges.
TEST(Gate, TheClockIsMovedInNewYork) {
  struct Case {
    const char* utc;
    bool allowed;
  };
  for (const Case& c : {
           Case{"2026-03-08T12:59:59", false},
           Case{"2026-03-08T13:00:00", true},
           Case{"2026-03-09T00:59:59", true},
           Case{"2026-03-09T01:00:00", false},
           Case{"2026-03-07T13:00:00", false},
           Case{"2026-03-08T01:59:59", true},
           Case{"2026-11-01T13:59:59", false},
           Case{"2026-11-01T14:00:00", true},
           Case{"2026-11-02T01:59:59", true},
           Case{"2026-11-02T02:00:00", false},
           Case{"2026-10-31T13:00:00", true},
       }) {
    Scene scene;
    scene.now = At(c.utc, "UTC");
    EXPECT_EQ(scene.Decide().allowed(), c.allowed) << c.utc;
  }
}

TEST(Gate, HalfHourZones) {
  struct Case {
    const char *zone, *utc;
    bool allowed;
  };
  for (const Case& c : {
           Case{"Australia/Adelaide", "2026-01-14T22:29:59", false},  // +10:30
           Case{"Australia/Adelaide", "2026-01-14T22:30:00", true},
           Case{"Australia/Adelaide", "2026-07-14T23:29:59", false},  // +9:30
           Case{"Australia/Adelaide", "2026-07-14T23:30:00", true},
           Case{"Asia/Kathmandu", "2026-01-15T03:14:59", false},  // +5:45
           Case{"Asia/Kathmandu", "2026-01-15T03:15:00", true},
           Case{"America/St_Johns", "2026-01-15T12:29:59", false},  // -3:30
           Case{"America/St_Johns", "2026-01-15T12:30:00", true},
       }) {
    Scene scene;
    scene.lead.time_zones = {c.zone};
    scene.now = At(c.utc, "UTC");
    EXPECT_EQ(scene.Decide().allowed(), c.allowed) << c.zone << " " << c.utc;
  }
}

TEST(Gate, EveryPossibleZoneMustBeOpen) {
  Scene scene;
  scene.lead.time_zones = {"America/New_York", "America/Chicago"};
  scene.now = At("2026-01-15T09:30:00", "America/New_York");
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kCallingWindow));
  scene.now = At("2026-01-15T09:00:00", "America/Chicago");
  EXPECT_TRUE(scene.Decide().allowed());
  scene.lead.time_zones.push_back("Mars/Phobos");
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kZoneUnknown));
}

TEST(Gate, TheAlternateNumberHasItsOwnZoneAndItsOwnDnc) {
  Scene scene;
  scene.number = scene.lead.alt_phone;  // Los Angeles
  scene.now = At("2026-01-15T10:00:00", "America/New_York");
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kCallingWindow));
  scene.now = At("2026-01-15T12:00:00", "America/New_York");
  EXPECT_TRUE(scene.Decide().allowed());
  scene.dnc.Add(scene.lead.alt_phone, "");
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kDncSystem));
}

TEST(Gate, TheFileMayLowerTheLimitNeverRaiseIt) {
  Scene scene;
  scene.lead.called_count = 2;
  scene.lead.max_attempts = 2;
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kCallCountLimit));
  scene.settings.call_count_limit = 2;
  scene.lead.max_attempts = 9;
  EXPECT_THAT(scene.Rules(), ElementsAre(Rule::kCallCountLimit));
}

// The second look, when the intent is on disk: the lead's own intent does not hold it, all else
// does.
TEST(Gate, AfterTheIntentOnlyTheIntentItselfIsPassedOver) {
  Scene scene;
  scene.settings.call_count_limit = 1;
  scene.settings.daily_call_count_limit = 1;
  ASSERT_TRUE(scene.Decide().allowed());
  scene.lead = campaign::ApplyIntent(scene.lead, scene.now, absl::Hours(24));
  scene.attempts_today = 1;
  EXPECT_FALSE(scene.Decide().allowed()) << "the intent keeps every other attempt away";
  scene.after_intent = true;
  EXPECT_TRUE(scene.Decide().allowed());
  for (const Spoiler& spoiler : Spoilers()) {
    if (spoiler.rule == Rule::kNotDueYet || spoiler.rule == Rule::kFinalStatus) continue;
    SCOPED_TRACE(std::string(RuleName(spoiler.rule)));
    Scene late = scene;
    if (spoiler.rule == Rule::kCallCountLimit) {
      late.lead.called_count = 2;
    } else if (spoiler.rule == Rule::kDailyLimit) {
      late.attempts_today = 2;
    } else {
      spoiler.spoil(late);
    }
    EXPECT_THAT(late.Rules(), ElementsAre(spoiler.rule));
  }
}

TEST(NotTaken, NamesTheSettingThatLeavesALeadOut) {
  CampaignSettings settings;
  settings.id = "DEMO";
  Lead lead;
  lead.list = ListId(7);
  lead.status = "NA";
  EXPECT_TRUE(NotTaken(lead, settings).empty());
  ASSERT_TRUE(settings.Set("dial_statuses", "NEW").ok());
  ASSERT_TRUE(settings.Set("list_order_mix", "7:60:NEW,8:40").ok());
  std::vector<Reason> reasons = NotTaken(lead, settings);
  ASSERT_EQ(reasons.size(), 2u);
  EXPECT_EQ(RuleName(reasons[0].rule), "dial_statuses");
  EXPECT_EQ(RuleName(reasons[1].rule), "list_order_mix");
  lead.status = "NEW";
  EXPECT_TRUE(NotTaken(lead, settings).empty());
  lead.status = "CALLBK";
  lead.list = ListId(8);
  EXPECT_TRUE(NotTaken(lead, settings).empty());
}

}  // namespace
}  // namespace outpace::gate
