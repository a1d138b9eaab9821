// What operations say of themselves in the evidence log.

#include "tests/engine/runtime/admin_fixture.h"
#include "tests/engine/runtime/fake_audit.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using Code = absl::StatusCode;

class AdminAuditTest : public AdminFixture {
 protected:
  AdminAuditTest() : noted_(store_, world_.clock(), WithAudit(Hooks())) {}
  AdminHooks WithAudit(AdminHooks hooks) {
    hooks.actor = "control socket";
    hooks.audit = &audit_;
    hooks.number_mark = [](E164 number) { return absl::StrCat("mark", number.ToString().size()); };
    return hooks;
  }
  absl::StatusOr<Json> Do(const std::string& operation, const Json& arguments = Json::object()) {
    return noted_.Run(operation, arguments);
  }
  void Make() {
    ASSERT_TRUE(
        Do("campaign.create", {{"id", "DEMO"}, {"set", {{"active", "Y"}, {"trunk", "carrier"}}}})
            .ok());
  }

  FakeAudit audit_;
  Admin noted_;
};

TEST_F(AdminAuditTest, SettingsAreNotedAsTheyWereAndAsTheyAre) {
  Make();
  const audit::Event made = audit_.Last("campaign.created");
  EXPECT_EQ(made.actor, "control socket");
  EXPECT_EQ(audit::TextOf(made, "campaign"), "DEMO");
  EXPECT_THAT(audit::TextOf(made, "changes"), HasSubstr("trunk:  -> carrier"));
  EXPECT_EQ(audit::TextOf(made, "result"), "done");
  ASSERT_TRUE(Do("campaign.set", {{"id", "DEMO"}, {"set", {{"trunk", "other"}}}}).ok());
  EXPECT_EQ(audit::TextOf(audit_.Last("campaign.changed"), "changes"), "trunk: carrier -> other");
  ASSERT_TRUE(Do("campaign.pause", {{"id", "DEMO"}}).ok());
  EXPECT_EQ(audit::TextOf(audit_.Last("campaign.paused"), "changes"), "active: Y -> N");
  // What was refused is noted too, and changed nothing.
  EXPECT_FALSE(Do("campaign.set", {{"id", "DEMO"}, {"set", {{"no_such", "1"}}}}).ok());
  const audit::Event refused = audit_.Last("campaign.changed");
  EXPECT_EQ(audit::TextOf(refused, "result"), "invalid_argument");
  EXPECT_EQ(audit::TextOf(refused, "changes"), "");
  EXPECT_THAT(audit_.events(), SizeIs(4));
  // Looking at things is not.
  ASSERT_TRUE(Do("campaign.list").ok());
  EXPECT_THAT(audit_.events(), SizeIs(4));
}

TEST_F(AdminAuditTest, NumbersAndPasswordsNeverStandInTheLog) {
  Make();
  ASSERT_TRUE(Do("dnc.add", {{"number", "+13035550101"}}).ok());
  EXPECT_EQ(audit::TextOf(audit_.Last("dnc.added"), "number_mark"), "mark12");
  ASSERT_TRUE(Do("dnc.remove", {{"number", "+13035550101"}}).ok());
  EXPECT_EQ(audit::TextOf(audit_.Last("dnc.removed"), "number_mark"), "mark12");
  const Scratch scratch;
  ASSERT_TRUE(
      Do("dnc.import", {{"path", scratch.Put("d.csv", "phone\n3035550102\n3035550103\n")}}).ok());
  EXPECT_EQ(audit::NumberOf(audit_.Last("dnc.imported"), "added"), 2);
  ASSERT_TRUE(Do("erase.block", {{"number", "+13035550104"}}).ok());
  ASSERT_TRUE(Do("agent.add", {{"user", "ann"}, {"password", "secret word"}}).ok());
  const audit::Event agent = audit_.Last("agent.changed");
  EXPECT_EQ(audit::TextOf(agent, "user"), "ann");
  EXPECT_THAT(audit_.Text(), HasSubstr("\"password_changed\":true"));
  EXPECT_THAT(audit_.Text(), Not(HasSubstr("secret word")));
  EXPECT_THAT(audit_.Text(), Not(HasSubstr("303555")));
}

TEST_F(AdminAuditTest, AnImportIsNotedAtItsBeginningAndItsEnd) {
  Make();
  const Scratch scratch;
  const std::string path = scratch.Put("leads.csv", kFiveRows);
  ASSERT_TRUE(Do("import", {{"path", path}, {"campaign", "DEMO"}}).ok());
  const audit::Event began = audit_.Last("import.began"), ended = audit_.Last("import.ended");
  EXPECT_EQ(audit::TextOf(began, "file"), "leads.csv");
  EXPECT_EQ(audit::NumberOf(began, "import"), audit::NumberOf(ended, "import"));
  EXPECT_EQ(audit::NumberOf(ended, "rows"), 5);
  EXPECT_EQ(audit::NumberOf(ended, "accepted"), 3);
  EXPECT_EQ(audit::TextOf(ended, "result"), "done");
  ASSERT_TRUE(Do("export.leads", {{"path", scratch / "out.csv"}, {"campaign", "DEMO"}}).ok());
  EXPECT_EQ(audit::TextOf(audit_.Last("export.leads"), "path"), scratch / "out.csv");
  ASSERT_TRUE(Do("list.set", {{"list", "101"}, {"set", {{"name", "Spring"}}}}).ok());
  EXPECT_EQ(audit::TextOf(audit_.Last("list.changed"), "changes"), "name: -> Spring");
  EXPECT_EQ(audit::NumberOf(audit_.Last("list.changed"), "list"), 101);
}

TEST_F(AdminAuditTest, WhatWouldLeaveNoTraceIsNotDone) {
  Make();
  campaign::StoreBatch batch;
  campaign::Recording recording;
  recording.attempt = AttemptId(7);
  recording.file = "x.wav";
  batch.recordings.push_back(recording);
  ASSERT_TRUE(store_.Commit(batch).ok());
  ASSERT_TRUE(Do("recording.read", {{"attempt", "7"}}).ok());
  EXPECT_EQ(audit::NumberOf(audit_.Last("recording.played"), "attempt"), 7);
  EXPECT_EQ(Do("recording.read").status().code(), Code::kInvalidArgument);

  audit_.Break(absl::ResourceExhaustedError("audit: the disk is full"));
  EXPECT_EQ(Do("recording.read", {{"attempt", "7"}}).status().code(), Code::kFailedPrecondition);
  const auto changed = Do("campaign.set", {{"id", "DEMO"}, {"set", {{"trunk", "other"}}}});
  EXPECT_EQ(changed.status().code(), Code::kFailedPrecondition);
  EXPECT_THAT(std::string(changed.status().message()), HasSubstr("the disk is full"));
  EXPECT_EQ(store_.Campaigns()->at(0).trunk, "carrier");
  const Scratch scratch;
  EXPECT_FALSE(
      Do("import", {{"path", scratch.Put("l.csv", kFiveRows)}, {"campaign", "DEMO"}}).ok());
  EXPECT_EQ(Do("lead.counts")->value("leads", 0), 0);
  // What makes calls stop is done all the same, and told.
  for (const auto& [operation, arguments] :
       {std::pair<const char*, Json>("campaign.pause", {{"id", "DEMO"}}),
        std::pair<const char*, Json>("dnc.add", {{"number", "+13035550101"}})}) {
    const auto answer = Do(operation, arguments);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_THAT(answer->at("text").get<std::string>(), HasSubstr("could not be written"));
    EXPECT_TRUE(answer->value("incomplete", false));
  }
  EXPECT_FALSE(store_.Campaigns()->at(0).active);
}

TEST_F(AdminAuditTest, ASearchForDoublesIsNoted) {
  Make();
  ASSERT_TRUE(Do("dedup.run", {{"campaign", "DEMO"}, {"merge", true}}).ok());
  const audit::Event event = audit_.Last("dedup.ran");
  EXPECT_EQ(audit::TextOf(event, "campaign"), "DEMO");
  EXPECT_EQ(audit::TextOf(event, "result"), "done");
  EXPECT_THAT(audit_.Text(), HasSubstr("\"merge\":true"));
}

TEST_F(AdminAuditTest, ALogThatFailsMeanwhileKeepsDataIn) {
  campaign::StoreBatch batch;
  campaign::Recording recording;
  recording.attempt = AttemptId(7);
  batch.recordings.push_back(recording);
  ASSERT_TRUE(store_.Commit(batch).ok());
  audit_.Refuse(absl::ResourceExhaustedError("audit: too many events wait"));
  EXPECT_EQ(Do("recording.read", {{"attempt", "7"}}).status().code(), Code::kUnavailable);
}

}  // namespace
}  // namespace outpace::runtime
