// What a score comes to, which sheets are good, and what agents' reviews sum up to.

#include "campaign/qa/review.h"

#include "campaign/qa/tally.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::qa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ScoreSheet Sheet() {
  ScoreSheet sheet;
  sheet.name = "SALES";
  sheet.pass_percent = 80;
  sheet.criteria = {
      {.id = "greeting", .name = "Greets", .name_zh = "问候", .weight = 20, .points = 2},
      {.id = "need", .name = "Asks what is needed", .name_zh = "", .weight = 50, .points = 5},
      {.id = "consent",
       .name = "Tells that it records",
       .name_zh = "",
       .weight = 30,
       .fatal = true}};
  return sheet;
}

TEST(ReviewTest, TheResultIsWeighted) {
  const auto result = ResultOf(Sheet(), {{"greeting", 1}, {"need", 4}, {"consent", 1}});
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_DOUBLE_EQ(result->percent, 10 + 40 + 30);
  EXPECT_TRUE(result->passed);  // as good as the mark
  EXPECT_FALSE(ResultOf(Sheet(), {{"greeting", 0}, {"need", 4}, {"consent", 1}})->passed);
}

TEST(ReviewTest, WhatDidNotApplyIsLeftOut) {
  const auto result = ResultOf(Sheet(), {{"greeting", 2}, {"consent", 1}});
  EXPECT_DOUBLE_EQ(result->percent, 100);
}

TEST(ReviewTest, AFatalFaultFailsTheCall) {
  const auto result = ResultOf(Sheet(), {{"greeting", 2}, {"need", 5}, {"consent", 0}});
  EXPECT_EQ(result->percent, 0);
  EXPECT_FALSE(result->passed);
  EXPECT_THAT(result->fatal, ElementsAre("consent"));
  ScoreSheet lenient = Sheet();
  lenient.pass_percent = 0;
  EXPECT_FALSE(ResultOf(lenient, {{"greeting", 2}, {"consent", 0}})->passed);
}

TEST(ReviewTest, WhatIsNoScoreIsRefused) {
  const auto message = [](const std::map<std::string, int>& scores) {
    const auto result = ResultOf(Sheet(), scores);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(result.status().message());
  };
  EXPECT_THAT(message({}), HasSubstr("no criterion is scored"));
  EXPECT_THAT(message({{"greeting", 3}}), HasSubstr("greeting: must be 0 to 2"));
  EXPECT_THAT(message({{"need", -1}}), HasSubstr("need: must be 0 to 5"));
  EXPECT_THAT(message({{"smile", 1}}), HasSubstr("they are greeting, need, consent"));
}

TEST(ReviewTest, AllFaultsOfASheetAreTold) {
  EXPECT_TRUE(CheckSheet(Sheet()).ok()) << CheckSheet(Sheet());
  ScoreSheet sheet = Sheet();
  sheet.name = "two words";
  sheet.pass_percent = 101;
  sheet.criteria[0].weight = 0;
  sheet.criteria[1].points = 11;
  sheet.criteria[2].id = "need";
  const std::string faults(CheckSheet(sheet).message());
  EXPECT_THAT(faults, HasSubstr("name: 1 to 20"));
  EXPECT_THAT(faults, HasSubstr("pass: a number"));
  EXPECT_THAT(faults, HasSubstr("greeting: weight"));
  EXPECT_THAT(faults, HasSubstr("need: points"));
  EXPECT_THAT(faults, HasSubstr("need: it stands twice"));
  sheet.criteria.clear();
  EXPECT_THAT(std::string(CheckSheet(sheet).message()), HasSubstr("1 to 50 criteria"));
}

Review ReviewOf(AgentId agent, std::map<std::string, int> scores) {
  Review review;
  review.attempt = AttemptId(7);
  review.agent = std::move(agent);
  review.campaign = "DEMO";
  review.call_at = absl::FromUnixMillis(1'700'000'000'123);
  review.sheet = Sheet();
  review.scores = std::move(scores);
  review.comment = "Clear.\n很好";
  review.by = "mei";
  review.at = absl::FromUnixMillis(1'700'000'100'000);
  return review;
}

TEST(ReviewTest, AReviewIsReadAsItWasWritten) {
  const Review review = ReviewOf("ann", {{"need", 3}, {"consent", 1}});
  const auto read = DecodeReview(EncodeReview(review));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->attempt, review.attempt);
  EXPECT_EQ(read->agent, "ann");
  EXPECT_EQ(read->campaign, "DEMO");
  EXPECT_EQ(read->call_at, review.call_at);
  EXPECT_EQ(read->sheet, review.sheet);
  EXPECT_EQ(read->scores, review.scores);
  EXPECT_EQ(read->comment, review.comment);
  EXPECT_EQ(read->by, "mei");
  EXPECT_EQ(read->at, review.at);
  EXPECT_EQ(DecodeReview("{}").status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeSheet("[").status().code(), absl::StatusCode::kDataLoss);
}

TEST(TallyTest, SumsByAgentAndByCriterion) {
  const Tally tally = TallyOf({ReviewOf("ann", {{"greeting", 1}, {"need", 4}, {"consent", 1}}),
                               ReviewOf("ann", {{"greeting", 2}, {"need", 5}, {"consent", 0}}),
                               ReviewOf("bob", {{"need", 5}, {"consent", 1}})});
  const AgentTally& ann = tally.agents.at("ann");
  EXPECT_EQ(ann.reviews, 2);
  EXPECT_EQ(ann.passed, 1);
  EXPECT_EQ(ann.fatal, 1);
  EXPECT_DOUBLE_EQ(ann.percent(), 40);
  EXPECT_DOUBLE_EQ(tally.agents.at("bob").percent(), 100);
  const CriterionTally& greeting = tally.criteria.at({"SALES", "greeting"});
  EXPECT_EQ(greeting.scored, 2);
  EXPECT_DOUBLE_EQ(greeting.percent(), 75);
  EXPECT_EQ(greeting.name_zh, "问候");
  EXPECT_EQ(tally.criteria.at({"SALES", "need"}).scored, 3);
}

}  // namespace
}  // namespace outpace::qa
