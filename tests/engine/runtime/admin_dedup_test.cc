// Duplicates of a stored campaign from end to end: found, reviewed in a file, merged, undone.

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "campaign/match/lead_merge.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/admin.h"
#include "engine/runtime/dedup_review.h"
#include "engine/runtime/lead_merger.h"
#include "engine/sim/sim_world.h"
#include "gmock/gmock.h"
#include "scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Code = absl::StatusCode;
using Json = nlohmann::ordered_json;
using campaign::Lead;

class AdminDedupTest : public ::testing::Test {
 protected:
  AdminDedupTest()
      : world_(1, absl::FromUnixSeconds(1'700'000'000)), admin_(store_, world_.clock(), Hooks()) {
    campaign::StoreBatch batch;
    campaign::CampaignSettings settings;
    settings.id = "DEMO";
    batch.campaigns.push_back(settings);
    settings.id = "OTHER";
    batch.campaigns.push_back(settings);
    EXPECT_TRUE(store_.Commit(batch).ok());
    // 1 and 2 are one person; 3 is the wife; 4 may be 1; 5 is a stranger.
    Put(1, 13035550101,
        {{"first_name", "Robert"},
         {"last_name", "Fry"},
         {"address1", "12 Oak St"},
         {"city", "Salem"},
         {"date_of_birth", "1961-03-04"}});
    Put(2, 13035550102,
        {{"first_name", "Bob"},
         {"last_name", "Fry"},
         {"city", "Salem"},
         {"address1", "12 Oak Street"},
         {"date_of_birth", "1961-03-04"},
         {"email", "bob@example.com"}});
    Put(3, 13035550101,
        {{"first_name", "Mary"},
         {"last_name", "Fry"},
         {"address1", "12 Oak St"},
         {"city", "Salem"}});
    Put(4, 13035550104, {{"last_name", "Fry"}, {"address1", "12 Oak St"}, {"city", "Salem"}});
    Put(5, 13035550105, {{"first_name", "Zoe"}, {"last_name", "Quist"}, {"city", "Boise"}});
    told_.clear();
  }

  AdminHooks Hooks() {
    AdminHooks hooks;
    hooks.leads_changed = [this](const CampaignId& id) { told_.push_back("leads " + id); };
    hooks.withdraw_leads = [this](const LeadSet& leads) {
      told_.push_back("withdraw");
      for (const LeadRange& run : leads.runs()) {
        absl::StrAppend(&told_.back(), " ", run.first.value(), "+", run.count);
      }
      return busy_;
    };
    hooks.leads_withdrawn = [this](const LeadSet&) { told_.push_back("withdrawn"); };
    return hooks;
  }
  void Put(uint64_t id, uint64_t phone, std::map<std::string, std::string> fields,
           const CampaignId& campaign = "DEMO", uint64_t import = 0) {
    Lead lead;
    lead.id = LeadId(id);
    lead.list = ListId(101);
    lead.campaign = campaign;
    lead.phone = E164(phone);
    lead.import = ImportId(import);
    lead.entry_date = world_.clock().Wall();
    lead.time_zones = {"America/Denver"};
    lead.fields = std::move(fields);
    campaign::StoreBatch batch;
    batch.leads.push_back(std::move(lead));
    EXPECT_TRUE(store_.Commit(batch).ok());
  }
  Lead Get(uint64_t id) {
    auto lead = store_.GetLead(LeadId(id));
    EXPECT_TRUE(lead.ok() && lead->has_value());
    return **lead;
  }
  Json Run(const std::string& operation, const Json& arguments) {
    const auto answer = admin_.Run(operation, arguments);
    EXPECT_TRUE(answer.ok()) << operation << ": " << answer.status();
    return answer.ok() ? *answer : Json::object();
  }
  absl::Status Refusal(const std::string& operation, const Json& arguments) {
    return admin_.Run(operation, arguments).status();
  }

  sim::SimWorld world_;
  store::MemoryLeadStore store_;
  std::vector<std::string> told_;
  std::vector<LeadId> busy_;
  Admin admin_;
  Scratch scratch_;
};

TEST_F(AdminDedupTest, RunChangesNothingByItself) {
  const Json answer = Run("dedup.run", {{"campaign", "DEMO"}});
  EXPECT_EQ(answer["kind"], "person");
  EXPECT_EQ(answer["leads"], 5);
  EXPECT_EQ(answer["groups"], 1);
  EXPECT_EQ(answer["leads_in_groups"], 2);
  EXPECT_THAT(answer["text"].get<std::string>(), HasSubstr("--merge"));
  EXPECT_EQ(Get(1).status, "NEW");
  EXPECT_EQ(Get(2).status, "NEW");
  EXPECT_TRUE(told_.empty());
}

TEST_F(AdminDedupTest, MergeKeepsAllAndUndoBringsBackExactly) {
  const Lead one = Get(1), two = Get(2);
  const Json answer = Run("dedup.run", {{"campaign", "DEMO"}, {"merge", true}});
  EXPECT_EQ(answer["merged"], 1);
  EXPECT_EQ(Get(1).Field("email"), "bob@example.com");
  EXPECT_EQ(Get(1).alt_phone, E164(13035550102));
  EXPECT_EQ(Get(2).status, match::kMergedStatus);
  EXPECT_EQ(Get(2).Field("merged_into"), "1");
  EXPECT_EQ(Get(3).status, "NEW");
  EXPECT_THAT(told_, ElementsAre("withdraw 1+2", "withdrawn", "leads DEMO"));
  // Merged leads are out of the next run.
  EXPECT_EQ(Run("dedup.run", {{"campaign", "DEMO"}})["leads"], 4);

  const Json history = Run("dedup.history", Json::object());
  ASSERT_EQ(history["merges"].size(), 1u);
  EXPECT_EQ(history["merges"][0]["leads"], Json({1, 2}));
  EXPECT_THAT(history["text"].get<std::string>(), HasSubstr("lead 1 took the place of 2"));
  EXPECT_THAT(history["text"].get<std::string>(), Not(HasSubstr("3035550")));
  EXPECT_THAT(history["text"].get<std::string>(), Not(HasSubstr("Fry")));

  Run("dedup.undo", {{"merge", "1"}});
  for (const Lead* before : {&one, &two}) {
    const Lead now = Get(before->id.value());
    EXPECT_EQ(now.fields, before->fields);
    EXPECT_EQ(now.status, before->status);
    EXPECT_EQ(now.phone, before->phone);
    EXPECT_EQ(now.alt_phone, before->alt_phone);
    EXPECT_EQ(now.next_call_time, before->next_call_time);
  }
  EXPECT_EQ(Refusal("dedup.undo", {{"merge", "1"}}).code(), Code::kFailedPrecondition);
  EXPECT_EQ(Refusal("dedup.undo", {{"merge", "2"}}).code(), Code::kNotFound);
  EXPECT_EQ(Refusal("dedup.undo", Json::object()).code(), Code::kInvalidArgument);
}

TEST_F(AdminDedupTest, MergesAreUndoneInTheirOrder) {
  Run("dedup.run", {{"campaign", "DEMO"}, {"merge", true}});
  const std::string path = scratch_.Put("r.csv", "lead_a,lead_b,decision\n1,4,same\n");
  EXPECT_EQ(Run("dedup.apply", {{"path", path}})["merged"], 1);
  const absl::Status early = Refusal("dedup.undo", {{"merge", "1"}});
  EXPECT_EQ(early.code(), Code::kFailedPrecondition);
  EXPECT_THAT(std::string(early.message()), HasSubstr("undo merge 2 first"));
  Run("dedup.undo", {{"merge", "2"}});
  Run("dedup.undo", {{"merge", "1"}});
  EXPECT_EQ(Get(4).status, "NEW");
  EXPECT_EQ(Get(2).status, "NEW");
  EXPECT_FALSE(Get(1).alt_phone.valid());
}

TEST_F(AdminDedupTest, LeadsInACallAreLeftAlone) {
  busy_ = {LeadId(2)};
  const Json answer = Run("dedup.run", {{"campaign", "DEMO"}, {"merge", true}});
  EXPECT_EQ(answer["merged"], 0);
  EXPECT_EQ(answer["skipped"], 1);
  EXPECT_EQ(Get(1).status, "NEW");
}

TEST_F(AdminDedupTest, AReviewFileGoesOutAndComesBack) {
  const std::string path = scratch_ / "review.csv";
  const Json answer = Run("dedup.run", {{"campaign", "DEMO"}, {"path", path}});
  EXPECT_GE(answer["for_review"].get<int>(), 1);
  std::string text = Scratch::Bytes(path);
  EXPECT_THAT(text, HasSubstr("group,score,decision,lead_a,lead_b"));
  EXPECT_THAT(text, HasSubstr("last name: equal"));
  // Nothing is decided yet.
  EXPECT_EQ(Run("dedup.apply", {{"path", path}})["merged"], 0);
  // 1 and 4 are one, as a person found out; spreadsheets of some countries write semicolons.
  const std::string decided = scratch_.Put("decided.csv",
                                           "\xEF\xBB\xBF"
                                           "decision;lead_a;lead_b\nsame;4;1\n不同;3;4\n;1;5\n");
  const Json applied = Run("dedup.apply", {{"path", decided}});
  EXPECT_EQ(applied["merged"], 1);
  EXPECT_EQ(applied["kept_apart"], 1);
  EXPECT_EQ(applied["open"], 1);
  EXPECT_EQ(Get(4).Field("merged_into"), "1");
}

TEST_F(AdminDedupTest, PairsKeptApartAreNotMergedAgain) {
  const std::string path = scratch_.Put("r.csv", "decision,lead_a,lead_b\ndifferent,2,1\n");
  Run("dedup.apply", {{"path", path}});
  const Json answer = Run("dedup.run", {{"campaign", "DEMO"}, {"merge", true}});
  EXPECT_EQ(answer["groups"], 0);
  EXPECT_EQ(Get(2).status, "NEW");
  // Nor by a file that contradicts itself.
  const std::string both = scratch_.Put("both.csv", "decision,lead_a,lead_b\nsame,1,4\nsame,4,2\n");
  const Json applied = Run("dedup.apply", {{"path", both}});
  EXPECT_EQ(applied["merged"], 0);
  EXPECT_EQ(applied["contradictions"], 1);
  EXPECT_EQ(applied["incomplete"], true);
}

// One such pair does not keep the others of its group from being found.
TEST_F(AdminDedupTest, APairKeptApartDoesNotFreezeItsGroup) {
  Put(6, 13035550106,
      {{"first_name", "Robert"},
       {"last_name", "Fry"},
       {"address1", "12 Oak St"},
       {"city", "Salem"},
       {"date_of_birth", "1961-03-04"}});
  EXPECT_EQ(Run("dedup.run", {{"campaign", "DEMO"}})["leads_in_groups"], 3);
  const Json before = Run("dedup.run", {{"campaign", "DEMO"}});
  const std::string path = scratch_.Put("r.csv", "decision,lead_a,lead_b\ndifferent,2,1\n");
  Run("dedup.apply", {{"path", path}});
  const Json answer = Run("dedup.run", {{"campaign", "DEMO"}, {"merge", true}});
  EXPECT_EQ(answer["merged"], 1);
  EXPECT_EQ(answer["leads_in_groups"], 2);
  // The third is like both: the pair that was not taken is shown.
  EXPECT_EQ(answer["for_review"].get<int>(), before["for_review"].get<int>() + 1);
  EXPECT_FALSE(Get(1).status == match::kMergedStatus && Get(2).status == match::kMergedStatus);
}

// The reason is the least sure pair that was taken for the same, not one that hangs on.
TEST_F(AdminDedupTest, TheReasonIsAScoreThatMerges) {
  // 21 and 22 alone would be shown for review; 23 is like both.
  Put(21, 13035550121,
      {{"first_name", "Robert"},
       {"last_name", "Fry"},
       {"address1", "12 Oak St"},
       {"city", "Salem"}},
      "OTHER");
  Put(22, 13035550122,
      {{"last_name", "Fry"},
       {"address1", "12 Oak St"},
       {"city", "Salem"},
       {"email", "bob@example.com"}},
      "OTHER");
  EXPECT_EQ(Run("dedup.run", {{"campaign", "OTHER"}})["for_review"], 1);
  Put(23, 13035550123,
      {{"first_name", "Bob"},
       {"last_name", "Fry"},
       {"address1", "12 Oak St"},
       {"city", "Salem"},
       {"email", "bob@example.com"}},
      "OTHER");
  EXPECT_EQ(Run("dedup.run", {{"campaign", "OTHER"}, {"merge", true}})["leads_in_groups"], 3);
  const Json merges = Run("dedup.history", Json::object())["merges"];
  ASSERT_EQ(merges.size(), 1u);
  double score = 0;
  const std::string reason = merges[0]["reason"];
  ASSERT_TRUE(absl::SimpleAtod(absl::StripPrefix(reason, "score "), &score)) << reason;
  EXPECT_GE(score, 0.9);
}

TEST_F(AdminDedupTest, TwoContactsOfAFirmStayTwo) {
  Put(21, 13035550121, {{"company", "Contoso Ltd"}, {"first_name", "John"}, {"last_name", "Doe"}},
      "OTHER");
  Put(22, 13035550121,
      {{"company", "Contoso Limited"}, {"first_name", "Mary"}, {"last_name", "Quist"}}, "OTHER");
  Put(23, 13035550121, {{"company", "CONTOSO LTD."}}, "OTHER");
  const Json answer =
      Run("dedup.run", {{"campaign", "OTHER"}, {"kind", "company"}, {"merge", true}});
  EXPECT_EQ(answer["merged"], 1);
  EXPECT_EQ(answer["leads_in_groups"], 2);
  EXPECT_FALSE(Get(21).status == match::kMergedStatus && Get(22).status == match::kMergedStatus);
}

TEST_F(AdminDedupTest, ApplySaysWhichLinesItCouldNotRead) {
  const std::string path =
      scratch_.Put("r.csv", "decision,lead_a,lead_b\nperhaps,1,2\nsame,1,\nsame,1,1\nsame,1,99\n");
  const Json answer = Run("dedup.apply", {{"path", path}});
  const std::string text = answer["text"];
  EXPECT_THAT(text, HasSubstr("line 2: decision must be"));
  EXPECT_THAT(text, HasSubstr("line 3: lead_a and lead_b"));
  EXPECT_THAT(text, HasSubstr("line 4: lead_a and lead_b"));
  EXPECT_EQ(answer["skipped"], 1);  // lead 99 is not there
  EXPECT_EQ(answer["incomplete"], true);
  EXPECT_EQ(Refusal("dedup.apply", {{"path", scratch_.Put("x.csv", "a,b\n1,2\n")}}).code(),
            Code::kInvalidArgument);
  EXPECT_EQ(Refusal("dedup.apply", {{"path", scratch_.Put("e.csv", "")}}).code(),
            Code::kInvalidArgument);
}

TEST_F(AdminDedupTest, AnImportIsHeldAgainstTheCampaign) {
  // Among the old leads 1 and 2 are one, but only what has a lead of import 7 in it is looked for.
  Put(6, 13035550106,
      {{"first_name", "Zoë"},
       {"last_name", "Quist"},
       {"city", "Boise"},
       {"email", "zoe@example.com"},
       {"date_of_birth", "1990-01-02"}},
      "DEMO", 7);
  Put(7, 13035550106,
      {{"first_name", "ZOE"},
       {"last_name", "QUIST"},
       {"city", "boise"},
       {"date_of_birth", "02/01/1990"}});
  const Json answer = Run("dedup.run", {{"campaign", "DEMO"}, {"import", "7"}, {"merge", true}});
  EXPECT_EQ(answer["groups"], 1);
  EXPECT_EQ(Get(7).status == match::kMergedStatus || Get(6).status == match::kMergedStatus, true);
  EXPECT_EQ(Get(2).status, "NEW");
}

TEST_F(AdminDedupTest, ThresholdsOfTheCampaignAndOfTheCommand) {
  Run("campaign.set", {{"id", "DEMO"}, {"set", {{"dedup_same", "1"}}}});
  EXPECT_EQ(Run("dedup.run", {{"campaign", "DEMO"}})["groups"], 0);
  EXPECT_EQ(Run("dedup.run", {{"campaign", "DEMO"}, {"same", "0.9"}})["groups"], 1);
  for (const Json& wrong :
       {Json{{"campaign", "DEMO"}, {"same", "0.6"}, {"review", "0.8"}},
        Json{{"campaign", "DEMO"}, {"same", "2"}}, Json{{"campaign", "DEMO"}, {"review", "x"}},
        Json{{"campaign", "DEMO"}, {"kind", "dog"}}, Json{{"campaign", "DEMO"}, {"list", "x"}},
        Json::object()}) {
    EXPECT_EQ(Refusal("dedup.run", wrong).code(), Code::kInvalidArgument) << wrong.dump();
  }
  EXPECT_FALSE(Refusal("dedup.run", {{"campaign", "NONE"}}).ok());
}

TEST_F(AdminDedupTest, AnotherCampaignsLeadsAreItsOwn) {
  Put(8, 13035550101,
      {{"first_name", "Robert"},
       {"last_name", "Fry"},
       {"address1", "12 Oak St"},
       {"city", "Salem"},
       {"date_of_birth", "1961-03-04"}},
      "OTHER");
  EXPECT_EQ(Run("dedup.run", {{"campaign", "OTHER"}, {"merge", true}})["merged"], 0);
  const std::string path = scratch_.Put("r.csv", "decision,lead_a,lead_b\nsame,1,8\n");
  EXPECT_EQ(Run("dedup.apply", {{"path", path}})["skipped"], 1);
  EXPECT_EQ(Get(8).status, "NEW");
}

TEST_F(AdminDedupTest, WhoIsErasedIsForgottenByTheMergesToo) {
  Run("dedup.run", {{"campaign", "DEMO"}, {"merge", true}});
  const AdminHooks hooks;
  LeadMerger merger(store_, world_.clock(), hooks);
  ASSERT_TRUE(merger.Forget({LeadId(1), LeadId(2)}, E164(13035550101)).ok());
  const auto kept = store_.GetMeta("dedup.merge.0000000001");
  ASSERT_TRUE(kept.ok() && kept->has_value());
  EXPECT_THAT(**kept, Not(HasSubstr("3035550")));
  EXPECT_THAT(**kept, Not(HasSubstr("Fry")));
  EXPECT_THAT(Run("dedup.history", Json::object())["text"].get<std::string>(), HasSubstr("erased"));
  EXPECT_EQ(Refusal("dedup.undo", {{"merge", "1"}}).code(), Code::kFailedPrecondition);
}

TEST_F(AdminDedupTest, AFailedWriteLeavesNoHalfMerge) {
  store_.FailCommitAt(1);
  EXPECT_EQ(Refusal("dedup.run", {{"campaign", "DEMO"}, {"merge", true}}).code(),
            Code::kUnavailable);
  store_.Restart();
  EXPECT_EQ(Get(1).status, "NEW");
  EXPECT_EQ(Get(2).status, "NEW");
  EXPECT_EQ(Run("dedup.history", Json::object())["merges"].size(), 0u);
}

TEST(WriteReview, ATextThatASpreadsheetWouldRunIsMadeHarmless) {
  const Scratch scratch;
  ReviewPair pair;
  pair.group = LeadId(1);
  pair.a.id = LeadId(1);
  pair.b.id = LeadId(2);
  pair.a.fields["first_name"] = "=cmd|'/c calc'!A1";
  ASSERT_TRUE(WriteReview(scratch / "r.csv", {&pair, 1}, match::Kind::kPerson).ok());
  EXPECT_THAT(Scratch::Bytes(scratch / "r.csv"), HasSubstr("'=cmd"));
  const auto read = ReadReview(Scratch::Bytes(scratch / "r.csv"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->open, 1u);
}

}  // namespace
}  // namespace outpace::runtime
