// `outpace qa` as Admin answers it: what is drawn, scored, kept and told to agents.

#include "engine/runtime/qa_book.h"
#include "tests/engine/runtime/admin_fixture.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Code = absl::StatusCode;

constexpr char kNumber[] = "+13035550101";

class AdminQaTest : public AdminFixture {
 protected:
  AdminQaTest() {
    AdminHooks hooks = Hooks();
    hooks.reviews_changed = [this](const AgentId& agent, const std::string& reviews,
                                   const std::string& notice) {
      shown_ = Json::parse(reviews);
      told_.push_back(agent + ": " + notice);
    };
    qa_ = std::make_unique<Admin>(store_, world_.clock(), hooks, &shared_);
    // 2023-11-14 22:13:20 UTC now; calls 1 to 10 of that day, 11 of the day before.
    for (uint64_t i = 1; i <= 11; ++i) Call(i, i % 2 == 0 ? "anna" : "bob");
  }
  void Call(uint64_t id, const std::string& agent) {
    campaign::StoreBatch batch;
    campaign::Attempt attempt;
    attempt.id = AttemptId(id);
    attempt.lead = LeadId(1);
    attempt.campaign = "DEMO";
    attempt.agent = agent;
    attempt.dialed = *ParseE164(kNumber);
    attempt.open = false;
    attempt.status = id <= 4 ? "SALE" : "NI";
    attempt.dialed_at = world_.clock().Wall() - absl::Hours(id == 11 ? 30 : 2);
    batch.attempts.push_back(attempt);
    campaign::Recording r;
    r.attempt = attempt.id;
    r.lead = attempt.lead;
    r.campaign = "DEMO";
    r.agent = agent;
    r.number = attempt.dialed;
    r.started = attempt.dialed_at + absl::Seconds(static_cast<int64_t>(id));
    r.length = absl::Seconds(10 * static_cast<int64_t>(id));
    r.file = absl::StrCat("day/", id, ".wav");
    batch.recordings.push_back(r);
    ASSERT_TRUE(store_.Commit(batch).ok());
  }
  void EraseRecording(uint64_t id) {
    campaign::Recording r = **store_.GetRecording(AttemptId(id));
    r.file.clear();
    r.erased_at = world_.clock().Wall();
    campaign::StoreBatch batch;
    batch.recordings.push_back(r);
    ASSERT_TRUE(store_.Commit(batch).ok());
  }
  absl::StatusOr<Json> Qa(const std::string& operation, const Json& arguments = Json::object()) {
    return qa_->Run("qa." + operation, arguments);
  }
  std::string QaRefusal(Code code, const std::string& operation, const Json& arguments) {
    const auto answer = Qa(operation, arguments);
    EXPECT_EQ(answer.status().code(), code) << answer.status();
    return std::string(answer.status().message());
  }
  std::vector<uint64_t> Drawn(const Json& arguments) {
    std::vector<uint64_t> ids;
    const auto answer = Qa("sample", arguments);
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return ids;
    for (const Json& call : answer->at("calls")) ids.push_back(call.at("attempt"));
    return ids;
  }
  void PutSheet() {
    const auto set = Qa(
        "sheet.set", {{"name", "SALES"},
                      {"pass", "80"},
                      {"criteria",
                       {{{"id", "greeting"}, {"name", "Greets"}, {"weight", "40"}, {"points", "2"}},
                        {{"id", "consent"}, {"name", "Tells"}, {"weight", 60}, {"fatal", "Y"}}}}});
    ASSERT_TRUE(set.ok()) << set.status();
  }
  Json Score(uint64_t attempt, int greeting, int consent) {
    return {{"attempt", attempt},
            {"sheet", "SALES"},
            {"by", "mei"},
            {"comment", "Clear."},
            {"scores", {{"greeting", absl::StrCat(greeting)}, {"consent", consent}}}};
  }

  std::unique_ptr<Admin> qa_;
  Json shown_;
};

TEST_F(AdminQaTest, ASampleIsOfTheDayAndTheSameWhoeverAsks) {
  EXPECT_EQ(Drawn({{"rule", "share:100"}}).size(), 10u);
  EXPECT_EQ(Drawn({{"rule", "share:100"}, {"day", "yesterday"}}), std::vector<uint64_t>{11});
  EXPECT_EQ(Drawn({{"rule", "status:SALE:50"}}).size(), 2u);
  EXPECT_EQ(Drawn({{"rule", "share:100, min:40, max:60"}}).size(), 3u);
  EXPECT_THAT(Drawn({{"rule", "share:100"}, {"campaign", "OTHER"}}), IsEmpty());
  const auto few = Drawn({{"rule", "agent:2"}});
  EXPECT_EQ(few.size(), 4u);
  EXPECT_EQ(few, Drawn({{"rule", "agent:2"}}));
  // A day within a longer time is drawn as by itself, and an agent's part as within all.
  auto both = Drawn({{"rule", "agent:2"}, {"from", "yesterday"}, {"to", "today"}});
  both.erase(std::remove(both.begin(), both.end(), 11), both.end());
  EXPECT_EQ(both, few);
  EXPECT_EQ(Drawn({{"rule", "agent:2"}, {"agent", "anna"}}),
            std::vector<uint64_t>(few.begin(), few.begin() + 2));
}

TEST_F(AdminQaTest, WhatNobodyCanHearIsNotDrawn) {
  EraseRecording(5);
  const auto drawn = Drawn({{"rule", "share:100"}});
  EXPECT_EQ(drawn.size(), 9u);
  EXPECT_EQ(std::count(drawn.begin(), drawn.end(), 5), 0);
  PutSheet();
  EXPECT_THAT(QaRefusal(Code::kFailedPrecondition, "score", Score(5, 1, 1)), HasSubstr("erased"));
}

TEST_F(AdminQaTest, WrongSamplesAreRefused) {
  EXPECT_THAT(QaRefusal(Code::kInvalidArgument, "sample", {{"rule", "often"}}),
              HasSubstr("agent:CALLS"));
  EXPECT_THAT(
      QaRefusal(Code::kInvalidArgument, "sample", {{"from", "2023-01-01"}, {"to", "2023-03-01"}}),
      HasSubstr("31 days"));
}

TEST_F(AdminQaTest, SheetsHaveVersionsAndAreChecked) {
  PutSheet();
  PutSheet();
  const auto list = Qa("sheet.list");
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->at("sheets").size(), 1u);
  EXPECT_EQ(list->at("sheets")[0].at("version"), 2);
  EXPECT_EQ(list->at("sheets")[0].at("criteria")[1].at("fatal"), true);
  const Json criterion = {{"id", "a"}, {"name", "A"}, {"weight", "x"}};
  const Json bad = {{"name", "S"}, {"criteria", Json::array({criterion})}};
  EXPECT_THAT(QaRefusal(Code::kInvalidArgument, "sheet.set", bad),
              HasSubstr("criterion a: weight"));
  EXPECT_THAT(QaRefusal(Code::kInvalidArgument, "sheet.set", {{"name", "S"}}),
              HasSubstr("criteria"));
}

TEST_F(AdminQaTest, AScoreIsKeptAndShownToTheAgent) {
  PutSheet();
  const auto scored = Qa("score", Score(2, 1, 1));
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ(scored->at("percent"), 80);
  EXPECT_EQ(scored->at("passed"), true);
  EXPECT_EQ(told_, std::vector<std::string>{"anna: A call was reviewed (SALES): 80 %"});
  ASSERT_EQ(shown_.size(), 1u);
  EXPECT_EQ(shown_[0]["attempt"], 2);
  EXPECT_EQ(shown_[0]["comment"], "Clear.");
  EXPECT_EQ(shown_[0]["criteria"][0]["points"], 1);
  EXPECT_FALSE(shown_[0].contains("by"));
  // A later sheet changes nothing of it.
  const Json other = {{"id", "other"}, {"name", "Other"}};
  ASSERT_TRUE(
      Qa("sheet.set", {{"name", "SALES"}, {"pass", 90}, {"criteria", Json::array({other})}}).ok());
  const auto list = Qa("list", {{"day", "today"}});
  ASSERT_EQ(list->at("reviews").size(), 1u);
  EXPECT_EQ(list->at("reviews")[0].at("passed"), true);
  EXPECT_EQ(list->at("reviews")[0].at("version"), 1);
  EXPECT_EQ(list->at("reviews")[0].at("by"), "mei");
  const auto sample = Qa("sample", {{"rule", "share:100"}});
  for (const Json& call : sample->at("calls")) {
    EXPECT_EQ(call.at("scored"), call.at("attempt") == 2) << call;
  }
}

TEST_F(AdminQaTest, AScoreIsReplacedAndWrongOnesChangeNothing) {
  PutSheet();
  ASSERT_TRUE(Qa("score", Score(2, 1, 1)).ok());
  const auto again = Qa("score", Score(2, 2, 0));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->at("percent"), 0);
  EXPECT_THAT(again->at("text").get<std::string>(), HasSubstr("fatal: consent; in place of"));
  EXPECT_EQ(shown_.size(), 1u);
  EXPECT_THAT(QaRefusal(Code::kInvalidArgument, "score", Score(2, 3, 1)), HasSubstr("0 to 2"));
  EXPECT_THAT(QaRefusal(Code::kNotFound, "score", Score(99, 1, 1)), HasSubstr("no recording"));
  Json other = Score(2, 1, 1);
  other["sheet"] = "NONE";
  EXPECT_THAT(QaRefusal(Code::kNotFound, "score", other), HasSubstr("there are: SALES"));
  other = Score(2, 1, 1);
  other["comment"] = std::string(1001, 'x');
  EXPECT_THAT(QaRefusal(Code::kInvalidArgument, "score", other), HasSubstr("comment"));
  EXPECT_EQ(Qa("list")->at("reviews")[0].at("percent"), 0);
}

TEST_F(AdminQaTest, TheReportSumsUp) {
  PutSheet();
  ASSERT_TRUE(Qa("score", Score(2, 1, 1)).ok());
  ASSERT_TRUE(Qa("score", Score(4, 2, 0)).ok());
  ASSERT_TRUE(Qa("score", Score(1, 2, 1)).ok());
  ASSERT_TRUE(Qa("score", Score(11, 2, 1)).ok());  // of another day
  const auto report = Qa("report");
  ASSERT_EQ(report->at("agents").size(), 2u);
  const Json& anna = report->at("agents")[0];
  EXPECT_EQ(anna.at("agent"), "anna");
  EXPECT_EQ(anna.at("reviews"), 2);
  EXPECT_EQ(anna.at("percent"), 40);
  EXPECT_EQ(anna.at("fatal"), 1);
  EXPECT_EQ(report->at("criteria").size(), 2u);
  EXPECT_EQ(Qa("report", {{"agent", "bob"}, {"from", "yesterday"}, {"to", "today"}})
                ->at("agents")[0]
                .at("reviews"),
            2);
  EXPECT_EQ(Qa("list", {{"from", "2020-01-01"}, {"to", "2023-01-01"}}).status().code(),
            Code::kInvalidArgument);
}

TEST_F(AdminQaTest, AnAgentIsShownTheLastFifty) {
  PutSheet();
  for (uint64_t i = 100; i < 155; ++i) {
    Call(i, "eve");
    ASSERT_TRUE(Qa("score", Score(i, 2, 1)).ok());
  }
  EXPECT_EQ(shown_.size(), QaBook::kOfAgent);
  EXPECT_EQ(shown_[0]["attempt"], 154);
  EXPECT_EQ(Qa("report", {{"agent", "eve"}})->at("agents")[0].at("reviews"), 55);
}

TEST_F(AdminQaTest, AnErasedPersonIsInNoComment) {
  Import();
  PutSheet();
  ASSERT_TRUE(Qa("score", Score(2, 1, 1)).ok());
  for (uint64_t i = 1; i <= 11; ++i) EraseRecording(i);
  const auto erased = qa_->Run("erase.person", {{"number", kNumber}});
  ASSERT_TRUE(erased.ok()) << erased.status();
  const auto review = QaBook(store_).Find(AttemptId(2));
  ASSERT_TRUE(review.ok() && review->has_value());
  EXPECT_EQ((*review)->comment, "");
  EXPECT_EQ((*review)->scores.size(), 2u);
}

}  // namespace
}  // namespace outpace::runtime
