#pragma once

// Admin on a store in memory and virtual time; what it tells a running engine is written down.

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/admin.h"
#include "engine/sim/sim_world.h"
#include "gmock/gmock.h"
#include "tests/engine/runtime/scratch.h"

namespace outpace::runtime {

using Json = nlohmann::ordered_json;

inline constexpr char kFiveRows[] =
    "phone_number,first_name,last_name,state\n"
    "3035550101,Ann,Lee,CO\n"
    "303-555-0102,Bob,Ray,CO\n"
    "3035550101,Ann,Again,CO\n"
    "12,Too,Short,CO\n"
    "3035550103,Cat,Dow,CO\n";

class AdminFixture : public ::testing::Test {
 protected:
  AdminFixture()
      : world_(1, absl::FromUnixSeconds(1'700'000'000)), admin_(store_, world_.clock(), Hooks()) {}

  AdminHooks Hooks() {
    AdminHooks hooks;
    hooks.campaign_changed = [this](const campaign::CampaignSettings& s) {
      told_.push_back(absl::StrCat("campaign ", s.id, s.active ? " on" : " off"));
    };
    hooks.list_changed = [this](const campaign::List& list) {
      told_.push_back(absl::StrCat("list ", list.id.value()));
    };
    hooks.agent_changed = [this](const campaign::AgentRecord& agent) {
      told_.push_back("agent " + agent.user);
    };
    hooks.leads_changed = [this](const CampaignId& id) { told_.push_back("leads " + id); };
    hooks.withdraw_leads = [this](const LeadRange& range) {
      told_.push_back(absl::StrCat("withdraw ", range.first.value(), "+", range.count));
      return busy_;
    };
    hooks.leads_withdrawn = [this](const LeadRange& range) {
      told_.push_back(absl::StrCat("withdrawn ", range.first.value(), "+", range.count));
    };
    hooks.person_erased = [this](const ErasedPeople& people, E164) {
      told_.push_back(absl::StrCat("erased ", people.hashes.size()));
    };
    return hooks;
  }
  absl::StatusOr<Json> Run(const std::string& operation, const Json& arguments = Json::object()) {
    return admin_.Run(operation, arguments);
  }
  // The answer's text; the operation is expected to work.
  std::string Text(const std::string& operation, const Json& arguments = Json::object()) {
    const auto answer = Run(operation, arguments);
    EXPECT_TRUE(answer.ok()) << operation << ": " << answer.status();
    return answer.ok() ? answer->at("text").get<std::string>() : "";
  }
  // The message; the operation is expected to be refused with this code.
  std::string Refusal(absl::StatusCode code, const std::string& operation,
                      const Json& arguments = Json::object()) {
    const auto answer = Run(operation, arguments);
    EXPECT_EQ(answer.status().code(), code) << operation << ": " << answer.status();
    return std::string(answer.status().message());
  }
  void Create(const std::string& id = "DEMO") {
    ASSERT_TRUE(
        Run("campaign.create",
            {{"id", id},
             {"set", {{"active", "Y"}, {"trunk", "carrier"}, {"local_call_time", "09:00-21:00"}}}})
            .ok());
  }
  void Import() {
    Create();
    const auto answer = Run(
        "import",
        {{"path", scratch_.Put("l.csv", kFiveRows)}, {"campaign", "DEMO"}, {"list", "default"}});
    ASSERT_TRUE(answer.ok()) << answer.status();
    told_.clear();
  }
  campaign::Lead Lead(uint64_t id) { return **store_.GetLead(LeadId(id)); }
  void PutLead(const campaign::Lead& lead) {
    campaign::StoreBatch batch;
    batch.leads.push_back(lead);
    ASSERT_TRUE(store_.Commit(batch).ok());
  }

  const Scratch scratch_;
  sim::SimWorld world_;
  store::MemoryLeadStore store_;
  std::vector<std::string> told_;
  std::vector<LeadId> busy_;  // what the engine says is in a call
  Admin admin_;
};

}  // namespace outpace::runtime
