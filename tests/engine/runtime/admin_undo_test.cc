// An import taken back as a whole: what was dialed stays and is named, a cut off undo goes on.

#include "gmock/gmock.h"
#include "tests/engine/runtime/admin_fixture.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Code = absl::StatusCode;

class AdminUndoTest : public AdminFixture {
 protected:
  // Import 7 of leads 11 to 20, as a load of ten rows leaves it.
  void SetUp() override {
    Create();
    campaign::StoreBatch batch;
    campaign::List list;
    list.id = ListId(101);
    list.campaign = "DEMO";
    list.leads = 12;
    batch.lists.push_back(list);
    for (uint64_t id = 11; id <= 20; ++id) {
      campaign::Lead lead;
      lead.id = LeadId(id);
      lead.list = ListId(101);
      lead.campaign = "DEMO";
      lead.import = ImportId(7);
      lead.phone = E164(13035550100 + id);
      lead.time_zones = {"America/Denver"};
      lead.entry_date = world_.clock().Wall();
      batch.leads.push_back(lead);
    }
    campaign::Import import;
    import.id = ImportId(7);
    import.list = ListId(101);
    import.campaign = "DEMO";
    import.file = "spring.csv";
    import.started = import.finished = world_.clock().Wall();
    import.counts.rows = import.counts.accepted = 10;
    import.first_lead = LeadId(11);
    batch.imports.push_back(import);
    ASSERT_TRUE(store_.Commit(batch).ok());
    told_.clear();
  }
  campaign::Import Seven() { return store_.Imports()->at(0); }
  bool Stands(uint64_t lead) { return store_.GetLead(LeadId(lead))->has_value(); }
};

TEST_F(AdminUndoTest, RemovesWhatNobodyDialed) {
  campaign::Lead called = Lead(12);
  called.called_count = 1;
  PutLead(called);
  campaign::StoreBatch batch;
  campaign::Attempt attempt;  // a trunk's fault: the try was given back, the attempt is there
  attempt.id = AttemptId(1);
  attempt.lead = LeadId(15);
  attempt.dialed_at = world_.clock().Wall();
  batch.attempts.push_back(attempt);
  ASSERT_TRUE(store_.Commit(batch).ok());
  busy_ = {LeadId(17)};
  const auto undone = Run("import.undo", {{"import", "7"}});
  ASSERT_TRUE(undone.ok()) << undone.status();
  EXPECT_EQ((*undone)["removed"], 7);
  EXPECT_THAT((*undone)["kept_leads"].get<std::vector<uint64_t>>(), ElementsAre(12, 15, 17));
  EXPECT_THAT(
      (*undone)["text"].get<std::string>(),
      HasSubstr("7 leads removed, 3 kept\nkept, as they have been dialed: leads 12 15 17\n"));
  for (uint64_t id = 11; id <= 20; ++id) {
    EXPECT_EQ(Stands(id), id == 12 || id == 15 || id == 17) << id;
  }
  EXPECT_EQ(Seven().state, campaign::ImportState::kUndone);
  EXPECT_EQ(Seven().kept, 3u);
  EXPECT_EQ(store_.Lists()->at(0).leads, 5);
  EXPECT_THAT(told_, ElementsAre("withdraw 11+10", "withdrawn 11+10"));

  EXPECT_THAT(Refusal(Code::kFailedPrecondition, "import.undo", {{"import", "7"}}),
              HasSubstr("taken back already"));
  EXPECT_EQ(store_.Lists()->at(0).leads, 5);
}

TEST_F(AdminUndoTest, GoesOnAfterItWasCutOff) {
  store_.FailCommitAt(2);  // the first portion of leads
  EXPECT_FALSE(Run("import.undo", {{"import", "7"}}).ok());
  store_.Restart();
  EXPECT_EQ(Seven().state, campaign::ImportState::kUndoing);
  EXPECT_EQ(told_.back(), "withdrawn 11+10") << "the engine may dial again";
  const auto resumed = Run("import.resume");
  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ((*resumed)["resumed"], 1);
  while (Run("import.progress", {{"job", 2}})->at("state") == "running") {
  }
  EXPECT_EQ(Seven().state, campaign::ImportState::kUndone);
  EXPECT_FALSE(Stands(11));
  EXPECT_EQ(store_.Lists()->at(0).leads, 2);
  EXPECT_EQ(Run("import.resume")->at("resumed"), 0);
}

TEST_F(AdminUndoTest, ImportsAreListedAndShown) {
  EXPECT_THAT(Text("import.list"), HasSubstr("7       published  101      DEMO"));
  EXPECT_THAT(Text("import.show", {{"import", "7"}}), HasSubstr("leads 11 to 20"));
  EXPECT_EQ(Run("import.show", {{"import", "7"}})->at("accepted"), 10);
  EXPECT_THAT(Refusal(Code::kNotFound, "import.show", {{"import", "8"}}),
              HasSubstr("outpace import list"));
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "import.undo", {{"import", "spring.csv"}}),
              HasSubstr("must be a number"));
  EXPECT_EQ(Run("import.list", {{"campaign", "OTHER"}})->at("imports").size(), 0u);
}

}  // namespace
}  // namespace outpace::runtime
