// The tiers as operations: what was learned, why a lead is where it is, and a challenger's trial.

#include "engine/base/log.h"
#include "engine/runtime/tier_service.h"
#include "tests/engine/runtime/admin_fixture.h"

namespace outpace::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Code = absl::StatusCode;

class AdminTiersTest : public AdminFixture {
 protected:
  AdminTiersTest()
      : loop_(world_.NewLoop()),
        tiers_(store_, *loop_, absl::ZeroDuration(), log_),
        live_(store_, world_.clock(), LiveHooks(), &shared_) {}
  AdminHooks LiveHooks() {
    AdminHooks hooks = Hooks();
    hooks.tiers = &tiers_;
    hooks.campaign_changed = [this](const campaign::CampaignSettings& settings) {
      tiers_.PutCampaign(settings);
    };
    return hooks;
  }
  absl::StatusOr<Json> Live(const std::string& operation, const Json& arguments) {
    return live_.Run(operation, arguments);
  }
  void Score() {
    Import();
    ASSERT_TRUE(Live("campaign.set", {{"id", "DEMO"}, {"set", {{"tier_mode", "SCORE"}}}}).ok());
  }
  // A call to lead 1 or 2 that met an agent.
  void Learn(int i, bool sale) {
    const campaign::Lead lead = Lead(i % 2 == 0 ? 1 : 2);
    campaign::Attempt record;
    record.id = AttemptId(static_cast<uint64_t>(i) + 1);
    record.lead = lead.id;
    record.campaign = "DEMO";
    record.open = false;
    record.score = 0.1;
    record.scorer = "champion";
    record.tier = i % 3 == 0 ? campaign::Tier::kB : campaign::Tier::kA;
    record.explored = i % 3 == 0;
    record.dialed_at = world_.clock().Wall();
    record.answered_at = record.connected_at = record.dialed_at + absl::Seconds(5);
    record.ended_at = record.disposed_at = record.dialed_at + absl::Minutes(1);
    record.outcome = "answered";
    record.status = sale ? "SALE" : "NI";
    tiers_.Learn(lead, record);
  }

  NullLog log_;
  const std::unique_ptr<sim::SimLoop> loop_;
  LoopTierService tiers_;
  Admin live_;
};

TEST_F(AdminTiersTest, ShowsWhatWasLearnedAndTheLift) {
  Score();
  for (int i = 0; i < 30; ++i) Learn(i, i % 5 == 1);
  const auto answer = Live("tier.show", {{"id", "DEMO"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)["attempts"], 30);
  EXPECT_EQ((*answer)["successes"], 6);
  EXPECT_EQ((*answer)["a"]["attempts"], 20);
  EXPECT_EQ((*answer)["b_drawn"]["attempts"], 10);
  EXPECT_TRUE((*answer)["trial"].is_null());
  EXPECT_THAT((*answer)["text"].get<std::string>(),
              AllOf(HasSubstr("A is the best 20 % of the leads due"),
                    HasSubstr("learned from 30 attempts: 30 contacts, 6 successes"),
                    HasSubstr("B, drawn at random"), HasSubstr("no pass over the leads yet")));
}

TEST_F(AdminTiersTest, ExplainsALead) {
  Score();
  for (const uint64_t id : {1, 2}) {
    campaign::Lead lead = Lead(id);
    lead.fields["job"] = id == 1 ? "nurse" : "clerk";
    PutLead(lead);
  }
  for (int i = 0; i < 200; ++i) Learn(i, i % 4 == 0);
  const auto answer = Live("tier.explain", {{"lead", "1"}});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_GT((*answer)["score"].get<double>(),
            (*Live("tier.explain", {{"lead", "2"}}))["score"].get<double>());
  EXPECT_FALSE((*answer)["reasons"].empty());
  EXPECT_THAT((*answer)["text"].get<std::string>(),
              AllOf(HasSubstr("lead 1: tier "), HasSubstr("expected successes an agent-minute"),
                    HasSubstr("best hour, in the lead's zone")));
  // By a rule, where one applies.
  ASSERT_TRUE(
      Live("campaign.set", {{"id", "DEMO"}, {"set", {{"tier_rules", "state=CO=>A"}}}}).ok());
  EXPECT_EQ((*Live("tier.explain", {{"lead", "2"}}))["rule"], "state=CO=>A");
  EXPECT_EQ(Live("tier.explain", {{"lead", "99"}}).status().code(), Code::kNotFound);
  EXPECT_EQ(Live("tier.explain", {{"lead", "x"}}).status().code(), Code::kInvalidArgument);
}

TEST_F(AdminTiersTest, TriesAChallengerAndEndsItsTrial) {
  Score();
  const auto begun =
      Live("tier.challenge", {{"id", "DEMO"}, {"fields", "-state"}, {"share", "30"}});
  ASSERT_TRUE(begun.ok()) << begun.status();
  EXPECT_THAT((*begun)["text"].get<std::string>(), HasSubstr("30 % of the leads"));
  const auto shown = Live("tier.show", {{"id", "DEMO"}});
  EXPECT_EQ((*shown)["trial"]["challenger"]["fields"], "-state");
  EXPECT_EQ(Live("tier.challenge", {{"id", "DEMO"}, {"fields", "-city"}}).status().code(),
            Code::kFailedPrecondition);
  EXPECT_TRUE(Live("tier.end_trial", {{"id", "DEMO"}}).ok());
  EXPECT_TRUE((*Live("tier.show", {{"id", "DEMO"}}))["trial"].is_null());
  EXPECT_EQ(Live("tier.end_trial", {{"id", "DEMO"}}).status().code(), Code::kFailedPrecondition);
}

TEST_F(AdminTiersTest, SaysWhatIsWrong) {
  Score();
  EXPECT_EQ(Live("tier.challenge", {{"id", "DEMO"}}).status().code(), Code::kInvalidArgument)
      << "it looks at what the champion looks at";
  EXPECT_EQ(Live("tier.challenge", {{"id", "DEMO"}, {"fields", "-state"}, {"share", "0"}})
                .status()
                .code(),
            Code::kInvalidArgument);
  EXPECT_EQ(Live("tier.show", {{"id", "NONE"}}).status().code(), Code::kNotFound);
  ASSERT_TRUE(Live("campaign.set", {{"id", "DEMO"}, {"set", {{"tier_mode", "STATUS"}}}}).ok());
  EXPECT_THAT(std::string(Live("tier.show", {{"id", "DEMO"}}).status().message()),
              HasSubstr("tier_mode=SCORE"));
  // Without an engine.
  ASSERT_TRUE(Live("campaign.set", {{"id", "DEMO"}, {"set", {{"tier_mode", "SCORE"}}}}).ok());
  EXPECT_THAT(Refusal(Code::kFailedPrecondition, "tier.show", {{"id", "DEMO"}}),
              HasSubstr("no engine runs"));
}

}  // namespace
}  // namespace outpace::runtime
