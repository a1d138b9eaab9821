// The funnel of a campaign as an operation: what it knows with and without an engine, in what form.

#include "gmock/gmock.h"
#include "tests/engine/runtime/admin_fixture.h"

namespace outpace::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Code = absl::StatusCode;

class AdminFunnelTest : public AdminFixture {
 protected:
  Json Funnel(Admin& admin) {
    auto answer = admin.Run("campaign.funnel", {{"id", "DEMO"}});
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? *std::move(answer) : Json::object();
  }
  // "calling_window 3 3 3": a row of the answer; empty: there is none.
  static std::string Row(const Json& answer, const std::string& rule) {
    for (const Json& row : answer.at("rules")) {
      if (row.at("rule") != rule) continue;
      return absl::StrCat(row.at("first").get<int>(), " ", row.at("in_all").get<int>(), " ",
                          row.at("alone").get<int>());
    }
    return "";
  }
};

// Three leads in Denver, where it is 15:13 on Tuesday.
TEST_F(AdminFunnelTest, SaysWhichRulesHoldHowManyAndWhenTheNextIsFree) {
  Import();
  Json answer = Funnel(admin_);
  EXPECT_EQ(answer["leads"], 3);
  EXPECT_EQ(answer["dialable"], 3);
  EXPECT_TRUE(answer["rules"].empty());
  EXPECT_TRUE(answer["next_ms"].is_null());
  Text("campaign.set", {{"id", "DEMO"}, {"set", {{"local_call_time", "08:00-12:00"}}}});
  Text("dnc.add", {{"number", "3035550101"}});
  answer = Funnel(admin_);
  EXPECT_EQ(answer["dialable"], 0);
  EXPECT_EQ(Row(answer, "calling_window"), "2 3 2");
  EXPECT_EQ(Row(answer, "dnc_system"), "1 1 0");
  EXPECT_EQ(answer["may_be_dialed"]["never"], 1);
  EXPECT_EQ(answer["may_be_dialed"]["later"], 2) << "on another day of UTC";
  EXPECT_EQ(answer["next_ms"], 1'700'060'400'000) << "2023-11-15 15:00 UTC";
  const auto text = answer["text"].get<std::string>();
  EXPECT_THAT(text,
              AllOf(HasSubstr("campaign DEMO at 2023-11-14 22:13:20 (UTC): 3 leads"),
                    HasSubstr("calling_window                  2          3           2"),
                    HasSubstr("the next one at 2023-11-15 15:00:00"), HasSubstr("no engine runs")));
  Text("campaign.pause", {{"id", "DEMO"}});
  answer = Funnel(admin_);
  EXPECT_EQ(Row(answer, "campaign_inactive"), "2 3 0") << "lifting it alone frees nobody now";
  EXPECT_EQ(Row(answer, "calling_window"), "0 3 0");
  EXPECT_EQ(answer["may_be_dialed"]["never"], 3);
}

TEST_F(AdminFunnelTest, NamesTheRulesThatLeadWhyNames) {
  Import();
  campaign::Lead lead = Lead(1);
  lead.status = "SALE";
  PutLead(lead);
  lead = Lead(2);
  lead.next_call_time = world_.clock().Wall() + absl::Minutes(10);
  PutLead(lead);
  Text("list.active", {{"list", "default"}, {"active", false}});
  const Json funnel = Funnel(admin_);
  for (const Json& row : funnel["rules"]) {
    int held = 0;
    for (int id = 1; id <= 3; ++id) {
      const auto why = Run("lead.why", {{"lead", absl::StrCat("id:", id)}});
      ASSERT_TRUE(why.ok());
      for (const Json& reason : (*why)["leads"][0]["reasons"]) {
        held += reason["rule"] == row["rule"] ? 1 : 0;
      }
    }
    EXPECT_EQ(row["in_all"], held) << row["rule"];
  }
  EXPECT_EQ(Row(funnel, "list_inactive"), "2 3 1");
  EXPECT_EQ(Row(funnel, "final_status"), "1 1 0");
  EXPECT_EQ(Row(funnel, "not_due_yet"), "0 1 0");
}

TEST_F(AdminFunnelTest, CountsTheTriesOfToday) {
  Import();
  campaign::StoreBatch batch;
  for (uint64_t i = 1; i <= 4; ++i) {
    campaign::Attempt attempt;
    attempt.id = AttemptId(i);
    attempt.lead = LeadId(i == 4 ? 2 : 1);
    attempt.campaign = "DEMO";
    attempt.open = false;
    attempt.sent = true;
    attempt.dialed_at = world_.clock().Wall() - absl::Minutes(30);
    batch.attempts.push_back(attempt);
  }
  ASSERT_TRUE(store_.Commit(batch).ok());
  EXPECT_EQ(Row(Funnel(admin_), "daily_limit"), "1 1 1");
}

TEST_F(AdminFunnelTest, ALeadHeldEarlierIsToldApart) {
  Import();
  campaign::Lead lead = Lead(1);
  lead.hold_until = world_.clock().Wall() + absl::Minutes(10);
  PutLead(lead);
  const Json answer = Funnel(admin_);
  EXPECT_EQ(answer["dialable"], 2);
  EXPECT_EQ(Row(answer, "held_earlier"), "1 1 1");
  EXPECT_EQ(answer["may_be_dialed"]["within_15_min"], 1);
}

TEST_F(AdminFunnelTest, AsksTheCampaignsFilter) {
  Import();
  Text("filter.set", {{"name", "bobs"}, {"filter", "first_name = \"Bob\""}});
  Text("campaign.set", {{"id", "DEMO"}, {"set", {{"lead_filter_id", "bobs"}}}});
  const Json answer = Funnel(admin_);
  EXPECT_EQ(answer["dialable"], 1);
  EXPECT_EQ(Row(answer, "lead_filter"), "2 2 2");
  EXPECT_THAT(answer["text"].get<std::string>(), HasSubstr("lead_filter (bobs) was asked only"));
}

TEST_F(AdminFunnelTest, ARunningEngineTellsOfHopperCallsAndDnc) {
  Import();
  LiveLeads live;
  live.in_hopper = {LeadId(1)};
  live.in_call = {LeadId(2)};
  live.numbers_in_call = {Lead(2).phone};
  live.tried_out_today = {};
  live.dnc.Add(Lead(3).phone, "DEMO");
  AdminHooks hooks;
  absl::Status overloaded;
  hooks.live_leads = [&](const CampaignId& campaign) -> absl::StatusOr<LiveLeads> {
    EXPECT_EQ(campaign, "DEMO");
    if (!overloaded.ok()) return overloaded;
    return live;
  };
  Admin admin(store_, world_.clock(), hooks);
  Json answer = Funnel(admin);
  EXPECT_EQ(answer["engine"], true);
  EXPECT_EQ(answer["in_hopper"], 1);
  EXPECT_EQ(answer["in_call"], 1);
  EXPECT_EQ(answer["dialable"], 0);
  EXPECT_EQ(Row(answer, "dnc_campaign"), "1 1 1") << "the engine's own list, not yet stored";
  EXPECT_EQ(answer["may_be_dialed"]["now"], 1) << "who is in a call is in no line of that table";
  EXPECT_THAT(answer["text"].get<std::string>(),
              AllOf(HasSubstr("in the hopper"), Not(HasSubstr("no engine runs"))));
  live.tried_out_today = {LeadId(1)};
  answer = Funnel(admin);
  EXPECT_EQ(answer["in_hopper"], 0) << "it waits there, but may not be dialed";
  EXPECT_EQ(Row(answer, "daily_limit"), "1 1 1");
  overloaded = absl::UnavailableError("overloaded; try again");
  EXPECT_EQ(admin.Run("campaign.funnel", {{"id", "DEMO"}}).status(), overloaded);
}

TEST_F(AdminFunnelTest, AnUnknownCampaignIsRefused) {
  Create();
  EXPECT_THAT(Refusal(Code::kNotFound, "campaign.funnel", {{"id", "NOPE"}}), HasSubstr("DEMO"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "campaign.funnel"), HasSubstr("id"));
}

}  // namespace
}  // namespace outpace::runtime
