// Named filters, what a filter does to stored leads, and leads as files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/admin.h"
#include "engine/runtime/stored_filters.h"
#include "engine/sim/sim_world.h"
#include "scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Code = absl::StatusCode;
using Json = nlohmann::ordered_json;

class AdminFiltersTest : public ::testing::Test {
 protected:
  AdminFiltersTest()
      : world_(1, absl::FromUnixSeconds(1'790'000'000)),
        admin_(store_, world_.clock(), AdminHooks()) {}

  absl::StatusOr<Json> Run(const std::string& operation, const Json& arguments = Json::object()) {
    return admin_.Run(operation, arguments);
  }
  Json Answer(const std::string& operation, const Json& arguments = Json::object()) {
    auto answer = Run(operation, arguments);
    EXPECT_TRUE(answer.ok()) << operation << ": " << answer.status();
    return answer.ok() ? *std::move(answer) : Json{{"text", ""}};
  }
  std::string Text(const std::string& operation, const Json& arguments = Json::object()) {
    return Answer(operation, arguments).at("text");
  }
  std::string Refusal(Code code, const std::string& operation,
                      const Json& arguments = Json::object()) {
    const auto answer = Run(operation, arguments);
    EXPECT_EQ(answer.status().code(), code) << operation << ": " << answer.status();
    return std::string(answer.status().message());
  }
  void AddLeads() {
    campaign::StoreBatch batch;
    for (const char* id : {"DEMO", "OTHER"}) {
      campaign::CampaignSettings settings;
      settings.id = id;
      batch.campaigns.push_back(settings);
    }
    for (const uint64_t id : {101, 102}) {
      campaign::List list;
      list.id = ListId(id);
      list.name = absl::StrCat("list", id);
      list.campaign = id == 101 ? "DEMO" : "OTHER";
      batch.lists.push_back(list);
    }
    for (uint64_t id = 1; id <= 20; ++id) {
      campaign::Lead lead;
      lead.id = LeadId(id);
      lead.list = ListId(id <= 15 ? 101 : 102);
      lead.campaign = id <= 15 ? "DEMO" : "OTHER";
      lead.phone = E164(13'035'550'100 + id);
      lead.entry_date = world_.clock().Wall();
      lead.fields["state"] = id % 2 == 0 ? "CA" : "NV";
      lead.fields["registered_capital"] = absl::StrCat(id, "00万");
      lead.fields["last_name"] = "Secret";
      batch.leads.push_back(lead);
    }
    ASSERT_TRUE(store_.Commit(batch).ok());
  }

  sim::SimWorld world_;
  store::MemoryLeadStore store_;
  Admin admin_;
};

TEST_F(AdminFiltersTest, EveryChangeIsAVersionAndStays) {
  EXPECT_THAT(Refusal(Code::kNotFound, "filter.show", {{"name", "west"}}), HasSubstr("none yet"));
  EXPECT_EQ(Answer("filter.set",
                   {{"name", "west"}, {"filter", "state in (\"CA\")"}, {"who", "ann"}})["version"],
            1);
  const std::string set =
      Text("filter.set",
           {{"name", "west"}, {"filter", "state in ('CA', 'NV') AND rank>0"}, {"who", "bob"}});
  EXPECT_THAT(set, HasSubstr("version 2: state in (\"CA\", \"NV\") and rank > 0"));
  // The same once more is no change.
  EXPECT_EQ(Answer("filter.set",
                   {{"name", "west"}, {"filter", "state in ('CA', 'NV') AND rank>0"}})["version"],
            2);
  EXPECT_THAT(Text("filter.show", {{"name", "west"}}), HasSubstr("bob"));
  EXPECT_THAT(Text("filter.show", {{"name", "west"}, {"version", "1"}}), HasSubstr("ann"));
  EXPECT_THAT(Refusal(Code::kNotFound, "filter.show", {{"name", "west"}, {"version", "3"}}),
              HasSubstr("versions 1 to 2"));
  EXPECT_THAT(Text("filter.list"), HasSubstr("west"));

  EXPECT_THAT(Text("filter.remove", {{"name", "west"}, {"who", "eve"}}), HasSubstr("stay"));
  EXPECT_THAT(Text("filter.list"), Not(HasSubstr("west")));
  Refusal(Code::kNotFound, "filter.show", {{"name", "west"}});
  Refusal(Code::kNotFound, "filter.remove", {{"name", "west"}});
  const Json history = Answer("filter.history", {{"name", "west"}})["versions"];
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0]["filter"], "state in (\"CA\")");
  EXPECT_EQ(history[1]["who"], "bob");
  EXPECT_EQ(history[2]["removed"], true);
  // The name may be used again, and its past is still told.
  EXPECT_EQ(Answer("filter.set", {{"name", "west"}, {"filter", "rank = 1"}})["version"], 4);
}

TEST_F(AdminFiltersTest, MistakesPointAtTheirColumn) {
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "filter.set",
                      {{"name", "west"}, {"filter", "state in (\"CA\") and sate = \"NV\""}}),
              HasSubstr("column 21: no field is named \"sate\"; did you mean state?"));
  EXPECT_THAT(
      Refusal(Code::kInvalidArgument, "filter.set", {{"name", "a b"}, {"filter", "rank=1"}}),
      HasSubstr("name: 1 to 40"));
  Refusal(Code::kInvalidArgument, "filter.set", {{"name", "west"}});
  EXPECT_THAT(Refusal(Code::kNotFound, "lead.filter", {{"filter", "west"}}),
              HasSubstr("no filter"));
}

TEST_F(AdminFiltersTest, FieldsComeFromLoadsOrAreTold) {
  const Json filter = {{"name", "rich"}, {"filter", "registered_capital >= 500万"}};
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "filter.set", filter), HasSubstr("no field"));
  Json told = filter;
  told["fields"] = {{"registered_capital", "number"}};
  EXPECT_EQ(Answer("filter.set", told)["version"], 1);
  EXPECT_EQ(Answer("filter.show", {{"name", "rich"}})["fields"]["registered_capital"], "number");
  told["fields"] = {{"registered_capital", "money"}};
  EXPECT_THAT(Refusal(Code::kInvalidArgument, "filter.set", told), HasSubstr("text, number"));
}

TEST_F(AdminFiltersTest, ExplainsWhatItDrops) {
  AddLeads();
  const Json arguments = {{"filter", "registered_capital >= 500万 and state = \"CA\""},
                          {"fields", {{"registered_capital", "number"}}},
                          {"campaign", "DEMO"},
                          {"explain", true}};
  const Json answer = Answer("lead.filter", arguments);
  EXPECT_EQ(answer["leads"], 15);
  EXPECT_EQ(answer["kept"], 5);  // 6, 8, 10, 12, 14
  const Json& clauses = answer["clauses"];
  ASSERT_EQ(clauses.size(), 2u);
  EXPECT_EQ(clauses[0]["clause"], "registered_capital >= 500万");
  EXPECT_EQ(clauses[0]["dropped_alone"], 4);
  EXPECT_EQ(clauses[0]["dropped_in_sequence"], 4);
  EXPECT_EQ(clauses[0]["samples"], Json({1, 2, 3, 4}));
  EXPECT_EQ(clauses[1]["dropped_alone"], 8);
  EXPECT_EQ(clauses[1]["dropped_in_sequence"], 6);
  EXPECT_EQ(clauses[1]["samples"], Json({5, 7, 9, 11, 13}));
  const std::string text = answer["text"];
  EXPECT_THAT(text, HasSubstr("leads 15  kept 5 (33.3 %)  dropped 10"));
  EXPECT_THAT(text, HasSubstr("e.g. leads 5, 7, 9, 11, 13"));
  EXPECT_THAT(text, Not(HasSubstr("Secret")));
  EXPECT_THAT(text, Not(HasSubstr("303555")));

  EXPECT_EQ(Answer("lead.filter", {{"filter", "rank = 0"}})["leads"], 20);
  EXPECT_EQ(Answer("lead.filter", {{"filter", "rank = 0"}, {"list", "list102"}})["leads"], 5);
  EXPECT_THAT(Text("lead.filter", {{"filter", "rank = 0"}}), Not(HasSubstr("CLAUSE")));
}

TEST_F(AdminFiltersTest, ACampaignDialsByAFilterThatExists) {
  AddLeads();
  const Json setting = {{"id", "DEMO"}, {"set", {{"lead_filter_id", "west"}}}};
  Refusal(Code::kNotFound, "campaign.set", setting);
  Answer("filter.set", {{"name", "west"}, {"filter", "state = \"CA\""}});
  Answer("campaign.set", setting);
  EXPECT_THAT(Refusal(Code::kFailedPrecondition, "filter.remove", {{"name", "west"}}),
              HasSubstr("lead_filter_id="));
  Answer("campaign.set", {{"id", "DEMO"}, {"set", {{"lead_filter_id", ""}}}});
  Answer("filter.remove", {{"name", "west"}});
}

TEST_F(AdminFiltersTest, ACampaignTakesRulesThatExist) {
  AddLeads();
  const std::string refusal = Refusal(Code::kNotFound, "campaign.set",
                                      {{"id", "DEMO"}, {"set", {{"compliance", "us-tsr,narnia"}}}});
  EXPECT_THAT(refusal, HasSubstr("compliance: no set of rules \"narnia\""));
  EXPECT_THAT(refusal, HasSubstr("us-states"));
  const std::string unknown =
      Refusal(Code::kNotFound, "campaign.set",
              {{"id", "DEMO"}, {"set", {{"abandon_contracts", "tsr, narnia"}}}});
  EXPECT_THAT(unknown, HasSubstr("abandon_contracts: no ready-made contract is named \"narnia\""));
  EXPECT_THAT(unknown, HasSubstr("crtc, ofcom, tcpa, tsr"));
  Answer("campaign.set", {{"id", "DEMO"}, {"set", {{"abandon_contracts", "tsr,own{limit=1}"}}}});
  Answer("campaign.set", {{"id", "DEMO"}, {"set", {{"compliance", "us-tsr,us-states"}}}});
  EXPECT_EQ(Answer("campaign.show", {{"id", "DEMO"}})["settings"]["compliance"],
            "us-tsr,us-states");
  Answer("campaign.set", {{"id", "DEMO"}, {"set", {{"compliance", ""}}}});
}

TEST_F(AdminFiltersTest, LeadsAreExportedWholeOrNotAtAll) {
  AddLeads();
  Scratch scratch;
  const std::string path = scratch / "list.txt";
  EXPECT_EQ(Answer("export.leads", {{"path", path}, {"list", "101"}})["rows"], 15);
  std::ifstream file(path);
  std::string line;
  int lines = 0;
  while (std::getline(file, line)) ++lines;
  EXPECT_EQ(lines, 16);
  const std::string none = scratch / "none.txt";
  Refusal(Code::kInvalidArgument, "export.leads", {{"path", none}, {"layout", "xml"}});
  Refusal(Code::kInvalidArgument, "export.leads", {{"path", none}, {"encoding", "klingon"}});
  Refusal(Code::kNotFound, "export.leads", {{"path", none}, {"list", "9"}});
  EXPECT_FALSE(std::filesystem::exists(none));
}

}  // namespace
}  // namespace outpace::runtime
