#include "campaign/tier/campaign_tiers.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::tier {
namespace {

using campaign::Attempt;
using campaign::CampaignSettings;
using campaign::Lead;
using campaign::Tier;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'772'442'000);  // Monday 2026-03-02 09:00 UTC

CampaignSettings Settings(std::vector<std::pair<std::string, std::string>> more = {}) {
  CampaignSettings settings;
  settings.id = "C";
  EXPECT_TRUE(settings.Set("tier_mode", "SCORE").ok());
  for (const auto& [name, value] : more) EXPECT_TRUE(settings.Set(name, value).ok()) << name;
  return settings;
}

Lead MakeLead(uint64_t id, const std::string& kind) {
  Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(1);
  lead.campaign = "C";
  lead.phone = E164(13035550000 + id);
  lead.time_zones = {"UTC"};
  lead.entry_date = kNow;
  lead.fields["kind"] = kind;
  return lead;
}

// As the dialer writes it: who met an agent and bought, or did not answer.
Attempt Outcome(const Lead& lead, const Pick& pick, bool sale, bool contact = true) {
  Attempt record;
  record.id = AttemptId(lead.id.value());
  record.lead = lead.id;
  record.campaign = "C";
  record.tier = pick.tier;
  record.score = pick.score;
  record.explored = pick.explored;
  record.scorer = pick.challenger ? "challenger" : "champion";
  record.number_of_try = lead.called_count + 1;
  record.last_status = lead.status;
  record.open = false;
  record.dialed_at = kNow;
  record.ended_at = kNow + absl::Seconds(30);
  record.outcome = contact ? "answered" : "no_answer";
  record.status = sale ? "SALE" : contact ? "NI" : "NA";
  if (contact) {
    record.answered_at = record.connected_at = kNow + absl::Seconds(10);
    record.disposed_at = record.ended_at + absl::Seconds(5);
    record.agent = "a1";
  }
  return record;
}

// `good` leads buy with chance 0.5, others 0.1.
void Teach(CampaignTiers& tiers, int results, Rng& rng) {
  for (int i = 0; i < results; ++i) {
    const bool good = rng.Chance(0.5);
    const Lead lead = MakeLead(1'000'000 + static_cast<uint64_t>(i), good ? "good" : "plain");
    tiers.Learn(lead, Outcome(lead, {}, rng.Chance(good ? 0.5 : 0.1)));
  }
}

TEST(CampaignTiers, LeadsLikeThoseThatBoughtComeFirstAndAreTierA) {
  CampaignTiers tiers(Settings());
  Rng rng(1);
  Teach(tiers, 1000, rng);
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 100; ++id)
    leads.push_back(MakeLead(id, id % 5 == 0 ? "good" : "plain"));
  const std::vector<RankedLead> ranked = tiers.Rank(leads, kNow);
  ASSERT_EQ(ranked.size(), 100u);
  int good_in_a = 0, a = 0;
  for (const RankedLead& lead : ranked) {
    EXPECT_EQ(lead.lead.tier, lead.pick.tier);
    if (lead.pick.tier != Tier::kA) continue;
    ++a;
    good_in_a += lead.lead.fields.at("kind") == "good" ? 1 : 0;
  }
  EXPECT_NEAR(a, 20, 4);
  EXPECT_GE(good_in_a, a - 1);
  EXPECT_EQ(ranked.front().lead.fields.at("kind"), "good");
  EXPECT_GT(ranked.front().pick.score, ranked.back().pick.score);
}

TEST(CampaignTiers, KnowingNothingKeepsTheCampaignsOrder) {
  CampaignTiers tiers(Settings({{"tier_a_percentage", "50"}}));
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 50; ++id) leads.push_back(MakeLead(id, "x"));
  uint64_t last_a = 0, last_b = 0;
  for (const RankedLead& ranked : tiers.Rank(leads, kNow)) {
    if (ranked.pick.explored) continue;
    uint64_t& last = ranked.pick.tier == Tier::kA ? last_a : last_b;
    EXPECT_LT(last, ranked.lead.id.value());
    last = ranked.lead.id.value();
  }
}

TEST(CampaignTiers, PromisedCallbacksThenRankThenScore) {
  CampaignTiers tiers(Settings({{"tier_a_percentage", "50"}, {"tier_explore_percentage", "1"}}));
  Rng rng(1);
  Teach(tiers, 500, rng);
  Lead promised = MakeLead(3, "plain"), ranked_high = MakeLead(4, "good");
  promised.status = "CALLBK";
  ranked_high.rank = 5;
  const auto ranked = tiers.Rank({MakeLead(1, "plain"), MakeLead(2, "good"), promised, ranked_high,
                                  MakeLead(5, "plain"), MakeLead(6, "plain")},
                                 kNow);
  EXPECT_EQ(ranked[0].lead.id, LeadId(3));
  EXPECT_EQ(ranked[0].pick.tier, Tier::kA);
  EXPECT_EQ(ranked[1].lead.id, LeadId(4));
  EXPECT_EQ(ranked[2].lead.id, LeadId(2));
}

TEST(CampaignTiers, RulesComeBeforeScores) {
  CampaignTiers tiers(Settings({{"tier_rules", "kind=good=>B; NP=>A"}}));
  Rng rng(1);
  Teach(tiers, 500, rng);
  Lead np = MakeLead(2, "plain");
  np.status = "NP";
  np.called_count = 1;
  for (const RankedLead& lead : tiers.Rank({MakeLead(1, "good"), np}, kNow)) {
    EXPECT_EQ(lead.pick.tier, lead.lead.id == LeadId(2) ? Tier::kA : Tier::kB);
    EXPECT_FALSE(lead.pick.explored);
  }
  EXPECT_EQ(tiers.Explain(np, kNow, 3).rule, "NP=>A");
}

TEST(CampaignTiers, TheShareDrawnAtRandomStandsAmongTheBest) {
  CampaignTiers tiers(Settings({{"tier_explore_percentage", "10"}}));
  Rng rng(1);
  Teach(tiers, 500, rng);
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 4000; ++id)
    leads.push_back(MakeLead(id, id % 5 == 0 ? "good" : "plain"));
  const auto ranked = tiers.Rank(leads, kNow);
  int drawn = 0;
  for (size_t i = 0; i < 1000; ++i) {
    const RankedLead& lead = ranked[i];
    drawn += lead.pick.explored ? 1 : 0;
    EXPECT_TRUE(!lead.pick.explored || lead.pick.tier == Tier::kB);
  }
  EXPECT_NEAR(drawn, 100, 5);
}

TEST(CampaignTiers, TheLiftIsMeasuredAgainstThoseDrawn) {
  CampaignTiers tiers(Settings());
  Rng rng(7);
  Teach(tiers, 1000, rng);
  for (uint64_t round = 0; round < 60; ++round) {
    std::vector<Lead> leads;
    for (uint64_t i = 1; i <= 100; ++i) {
      const uint64_t id = 100 * round + i;
      leads.push_back(MakeLead(id, rng.Chance(0.2) ? "good" : "plain"));
    }
    std::vector<RankedLead> ranked = tiers.Rank(leads, kNow);
    ranked.resize(25);
    for (const RankedLead& lead : ranked) {
      const double chance = lead.lead.fields.at("kind") == "good" ? 0.5 : 0.1;
      tiers.Learn(lead.lead, Outcome(lead.lead, lead.pick, rng.Chance(chance)));
    }
  }
  const TierReport report = tiers.Report();
  EXPECT_GT(report.a.attempts, 1000);
  EXPECT_GT(report.drawn_b.attempts, 80);
  EXPECT_GT(report.ratio.low, 1);
  EXPECT_LT(report.p_value, 0.05);
  EXPECT_EQ(report.attempts, 1000u + 60u * 25u);
}

class Learned
    : public testing::TestWithParam<std::pair<const char*, std::function<void(Attempt&)>>> {};

TEST_P(Learned, NothingFromCallsThatSayNothingOfTheLead) {
  CampaignTiers tiers(Settings());
  const Lead lead = MakeLead(1, "good");
  Attempt record = Outcome(lead, {}, false, false);
  GetParam().second(record);
  tiers.Learn(lead, record);
  EXPECT_TRUE(tiers.blank()) << GetParam().first;
}

INSTANTIATE_TEST_SUITE_P(
    All, Learned,
    testing::Values(std::pair{"never left", [](Attempt& a) { a.sent = false; }},
                    std::pair{"trunk", [](Attempt& a) { a.trunk_fault = true; }},
                    std::pair{"from outside", [](Attempt& a) { a.inbound = true; }},
                    std::pair{"unknown", [](Attempt& a) { a.outcome = "unknown"; }},
                    std::pair{"cancelled", [](Attempt& a) { a.outcome = "cancelled"; }},
                    std::pair{"abandoned", [](Attempt& a) {
                                a.abandoned = true;
                                a.answered_at = kNow;
                                a.status = "DROP";
                              }}));

TEST(CampaignTiers, AMachineIsNoContact) {
  CampaignTiers tiers(Settings());
  const Lead lead = MakeLead(1, "x");
  Attempt record = Outcome(lead, {}, false, true);
  record.status = "A";
  tiers.Learn(lead, record);
  EXPECT_EQ(tiers.Report().attempts, 1u);
  EXPECT_EQ(tiers.Report().contacts, 0u);
}

// ---- passes ----

class Pass : public testing::Test {
 protected:
  void Put(const std::vector<Lead>& leads) {
    campaign::StoreBatch batch;
    batch.leads = leads;
    ASSERT_TRUE(store_.Commit(batch).ok());
  }
  void Run(CampaignTiers& tiers, size_t threads = 1, std::vector<ListId> lists = {ListId(1)}) {
    auto parts = tiers.BeginPass(threads, kNow, lists);
    std::vector<campaign::LeadVisitor*> visitors;
    for (const auto& part : parts) visitors.push_back(part.get());
    ASSERT_TRUE(store_.ScanLeads("C", visitors).ok());
    tiers.EndPass(std::move(parts), kNow, absl::Seconds(1));
  }
  store::MemoryLeadStore store_;
};

TEST_F(Pass, ShortlistsTheBestOfTheWholeList) {
  CampaignTiers tiers(Settings());
  Rng rng(1);
  Teach(tiers, 1000, rng);
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 1000; ++id)
    leads.push_back(MakeLead(id, id > 900 ? "good" : "plain"));
  Put(leads);
  EXPECT_TRUE(tiers.WantsPass(kNow));
  Run(tiers);
  EXPECT_FALSE(tiers.WantsPass(kNow + absl::Seconds(30)));
  EXPECT_TRUE(tiers.WantsPass(kNow + absl::Seconds(61)));
  const std::vector<LeadId> ids = tiers.Candidates(50);
  ASSERT_EQ(ids.size(), 50u);
  int good = 0;
  for (const LeadId id : ids) good += id.value() > 900 ? 1 : 0;
  EXPECT_EQ(good, 45);  // and five drawn at random
  EXPECT_EQ(tiers.Report().due, 1000u);
  // None twice.
  std::vector<LeadId> all = ids;
  for (;;) {
    const std::vector<LeadId> more = tiers.Candidates(50);
    if (more.empty()) break;
    all.insert(all.end(), more.begin(), more.end());
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

TEST_F(Pass, LeavesOutWhoMayNotBeDialed) {
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 8; ++id) leads.push_back(MakeLead(id, "x"));
  leads[0].next_call_time = kNow + absl::Hours(1);
  leads[1].hold_until = kNow + absl::Hours(1);
  leads[2].next_call_time = absl::InfiniteFuture();
  leads[3].called_count = 10;  // the campaign's limit
  leads[4].list = ListId(2);   // off
  leads[5].max_attempts = 1;
  leads[5].called_count = 1;
  leads[6].campaign = "OTHER";
  Put(leads);
  CampaignTiers tiers(Settings({{"tier_a_percentage", "50"}}));
  Run(tiers);
  EXPECT_EQ(tiers.Report().due, 1u);
}

TEST_F(Pass, TwoThreadsFindWhatOneFinds) {
  Rng rng(1);
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 3000; ++id) {
    leads.push_back(MakeLead(id, absl::StrCat("k", rng.Next() % 50)));
  }
  Put(leads);
  std::vector<LeadId> found[2];
  for (const size_t threads : {1, 2}) {
    CampaignTiers tiers(Settings());
    Rng same(2);
    Teach(tiers, 500, same);
    Run(tiers, threads);
    found[threads - 1] = tiers.Candidates(400);
  }
  EXPECT_EQ(found[0], found[1]);
}

TEST_F(Pass, AChallengersLeadsAreMeasuredByItsOwnScores) {
  CampaignTiers tiers(Settings({{"tier_fields", "other"}}));  // sees nothing that matters
  ASSERT_TRUE(tiers.Challenge({.fields = *campaign::ParseTierFields("kind")}, 0.5, 3).ok());
  EXPECT_FALSE(tiers.Challenge({.fields = *campaign::ParseTierFields("x")}, 0.5, 3).ok());
  Rng rng(1);
  Teach(tiers, 1000, rng);
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 1000; ++id)
    leads.push_back(MakeLead(id, id % 5 == 0 ? "good" : "plain"));
  Put(leads);
  Run(tiers);
  int good_a = 0, plain_a = 0;
  for (const RankedLead& lead : tiers.Rank(leads, kNow)) {
    if (!lead.pick.challenger || lead.pick.tier != Tier::kA) continue;
    ++(lead.lead.fields.at("kind") == "good" ? good_a : plain_a);
  }
  EXPECT_GT(good_a, 80);
  EXPECT_LT(plain_a, 12);
}

// Leads come by the hundred, a fourth is dialed, and the challenger alone sees what matters.
TEST_F(Pass, AChallengerThatKnowsMoreBecomesChampion) {
  CampaignTiers tiers(Settings({{"tier_fields", "other"}}));
  const ScorerChoice seeing{.fields = *campaign::ParseTierFields("kind")};
  ASSERT_TRUE(tiers.Challenge(seeing, 0.5, 3).ok());
  Rng rng(5);
  uint64_t id = 1;
  int rounds = 0;
  while (tiers.Report().trial && ++rounds < 1000) {
    std::vector<Lead> leads;
    for (int i = 0; i < 100; ++i)
      leads.push_back(MakeLead(id++, rng.Chance(0.2) ? "good" : "plain"));
    std::vector<RankedLead> ranked = tiers.Rank(leads, kNow);
    ranked.resize(25);
    for (const RankedLead& lead : ranked) {
      const double chance = lead.lead.fields.at("kind") == "good" ? 0.5 : 0.1;
      tiers.Learn(lead.lead, Outcome(lead.lead, lead.pick, rng.Chance(chance)));
    }
    if (rounds % 20 == 1) {
      Put(leads);
      Run(tiers);
    }
  }
  EXPECT_THAT(tiers.Report().last_trial, HasSubstr("promote"));
  EXPECT_EQ(tiers.Report().champion, seeing);
  EXPECT_EQ(tiers.TakePromoted(), seeing);
  EXPECT_EQ(tiers.TakePromoted(), std::nullopt);
  // Another setting comes before the promoted choice is among the settings: nothing is forgotten.
  const uint64_t learned = tiers.Report().attempts;
  tiers.UpdateSettings(Settings({{"tier_fields", "other"}, {"hopper_level", "300"}}));
  EXPECT_EQ(tiers.Report().attempts, learned);
  tiers.UpdateSettings(Settings({{"tier_fields", "kind"}}));
  EXPECT_EQ(tiers.Report().attempts, learned);
  EXPECT_GT(tiers.Explain(MakeLead(1, "good"), kNow, 1).score.success,
            tiers.Explain(MakeLead(1, "plain"), kNow, 1).score.success);
}

TEST(CampaignTiersSettings, OtherFieldsBeginAnew) {
  CampaignTiers tiers(Settings());
  Rng rng(1);
  Teach(tiers, 100, rng);
  tiers.UpdateSettings(Settings({{"tier_a_percentage", "30"}}));
  EXPECT_FALSE(tiers.blank());
  tiers.UpdateSettings(Settings({{"tier_fields", "-kind"}}));
  EXPECT_TRUE(tiers.blank());
}

TEST(CampaignTiersState, ComesBackAsItWas) {
  CampaignTiers tiers(Settings());
  Rng rng(1);
  Teach(tiers, 700, rng);
  ASSERT_TRUE(tiers.Challenge({.fields = *campaign::ParseTierFields("kind")}, 0.3, 9).ok());
  Teach(tiers, 300, rng);
  const std::string saved = tiers.Save(kNow);
  CampaignTiers back(Settings());
  const auto until = back.Load(saved);
  ASSERT_TRUE(until.ok()) << until.status();
  EXPECT_EQ(*until, kNow);
  EXPECT_EQ(back.Save(kNow), saved);
  EXPECT_EQ(back.Report().attempts, 1000u);
  EXPECT_TRUE(back.Report().trial);
  ASSERT_TRUE(back.EndTrial(kNow).ok());
  EXPECT_FALSE(back.EndTrial(kNow).ok());
}

TEST(CampaignTiersState, DamagedOrForeignIsRefusedAndChangesNothing) {
  CampaignTiers tiers(Settings());
  Rng rng(1);
  Teach(tiers, 100, rng);
  const std::string saved = tiers.Save(kNow);
  CampaignTiers back(Settings());
  for (size_t at = 0; at < saved.size(); at += saved.size() / 37) {
    std::string damaged = saved;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    EXPECT_FALSE(back.Load(damaged).ok()) << at;
    EXPECT_FALSE(back.Load(saved.substr(0, at)).ok()) << at;
  }
  EXPECT_TRUE(back.blank());
  CampaignTiers other(Settings({{"tier_fields", "-kind"}}));
  EXPECT_EQ(other.Load(saved).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(CampaignTiersExplain, NamesTheFieldAndTheBestHour) {
  CampaignTiers tiers(Settings({{"local_call_time", "09:00-21:00"}}));
  Rng rng(1);
  for (int i = 0; i < 4000; ++i) {
    const bool good = rng.Chance(0.5);
    const Lead lead = MakeLead(static_cast<uint64_t>(i) + 1, good ? "good" : "plain");
    Attempt record = Outcome(lead, {}, false);
    const int hour = 9 + static_cast<int>(rng.Next() % 12);
    record.dialed_at = kNow + absl::Hours(hour - 9);
    const bool contact = rng.Chance(hour == 18 ? 0.8 : 0.2);
    if (!contact) {
      record.connected_at = record.answered_at = absl::InfinitePast();
      record.status = "NA";
    } else if (rng.Chance(good ? 0.5 : 0.1)) {
      record.status = "SALE";
    }
    tiers.Learn(lead, record);
  }
  const TierExplanation told = tiers.Explain(MakeLead(9'000, "good"), kNow, 5);
  EXPECT_EQ(told.best_hour, 18);
  std::string names;
  for (const Reason& reason : told.reasons) absl::StrAppend(&names, reason.feature, ";");
  EXPECT_THAT(names, HasSubstr("kind=good"));
}

}  // namespace
}  // namespace outpace::tier
