#pragma once

// Admin on a store in memory and virtual time; what it tells a running engine is written down.

#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/notification.h"
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
      : world_(1, absl::FromUnixSeconds(1'700'000'000)),
        admin_(store_, world_.clock(), Hooks(), &shared_) {}
  ~AdminFixture() override { shared_.desk.Stop(); }

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
    hooks.withdraw_leads = [this](const LeadSet& leads) {
      told_.push_back("withdraw " + TextOf(leads));
      return busy_;
    };
    hooks.leads_withdrawn = [this](const LeadSet& leads) {
      told_.push_back("withdrawn " + TextOf(leads));
    };
    hooks.person_erased = [this](const ErasedPeople& people, E164) {
      told_.push_back(absl::StrCat("erased ", people.hashes.size()));
    };
    return hooks;
  }
  // "1+9,20+1": nine leads from 1 on, and 20.
  static std::string TextOf(const LeadSet& leads) {
    return absl::StrJoin(leads.runs(), ",", [](std::string* out, const LeadRange& run) {
      absl::StrAppend(out, run.first.value(), "+", run.count);
    });
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
  AdminShared shared_{world_.clock()};
  Admin admin_;
};

// A job of this kind is under way while this lives.
class JobUnderWay {
 public:
  JobUnderWay(ImportDesk& desk, const std::string& kind) : desk_(desk) {
    absl::Notification began;
    const auto job = desk.Start({kind, "leads.csv", ImportId(9)},
                                [&began, this](JobControl&) -> absl::StatusOr<Json> {
                                  began.Notify();
                                  end_.WaitForNotification();
                                  return Json::object();
                                });
    EXPECT_TRUE(job.ok()) << job.status();
    began.WaitForNotification();
  }
  ~JobUnderWay() {
    end_.Notify();
    while (!desk_.Idle().ok()) std::this_thread::yield();
  }

 private:
  ImportDesk& desk_;
  absl::Notification end_;
};

}  // namespace outpace::runtime
