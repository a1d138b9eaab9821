// The tiers on threads of their own: what is asked comes back on the asker's loop.

#include "engine/runtime/tier_service.h"

#include <filesystem>
#include <optional>

#include "absl/synchronization/notification.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/base/log.h"
#include "engine/runtime/real_clock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

campaign::CampaignSettings Settings() {
  campaign::CampaignSettings settings;
  settings.id = "C";
  settings.active = true;
  EXPECT_TRUE(settings.Set("tier_mode", "SCORE").ok());
  return settings;
}

campaign::Lead LeadOf(uint64_t id) {
  campaign::Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(1);
  lead.campaign = "C";
  lead.phone = E164(13035550000 + id);
  lead.time_zones = {"UTC"};
  lead.entry_date = absl::FromUnixSeconds(1'772'442'000);
  lead.fields["kind"] = id % 2 == 0 ? "good" : "plain";
  return lead;
}

class ThreadedTierServiceTest : public testing::Test {
 protected:
  ThreadedTierServiceTest() : loop_("asker", clock_) {
    directory_ = testing::TempDir() + "/" +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "/tiers";
    std::filesystem::remove_all(directory_);
    campaign::StoreBatch batch;
    campaign::List list;
    list.id = ListId(1);
    list.campaign = "C";
    batch.lists.push_back(list);
    for (uint64_t id = 1; id <= 100; ++id) batch.leads.push_back(LeadOf(id));
    EXPECT_TRUE(store_.Commit(batch).ok());
    loop_.Start();
    tiers_.emplace(store_, directory_, clock_, loop_, log_, nullptr);
  }
  ~ThreadedTierServiceTest() override {
    tiers_->Stop();
    loop_.Stop();
  }
  // On the asker's loop, and waits.
  template <typename Call>
  void OnLoop(Call call) {
    absl::Notification done;
    ASSERT_TRUE(loop_.Post([&] {
      call();
      done.Notify();
    }));
    done.WaitForNotification();
  }
  void Learn(uint64_t id, bool sale) {
    campaign::Attempt record;
    record.id = AttemptId(id);
    record.lead = LeadId(id);
    record.campaign = "C";
    record.open = false;
    record.dialed_at = clock_.Wall();
    record.answered_at = record.connected_at = record.ended_at = record.disposed_at =
        record.dialed_at + absl::Seconds(1);
    record.outcome = "answered";
    record.status = sale ? "SALE" : "NI";
    OnLoop([&] { tiers_->Learn(LeadOf(id), record); });
  }
  tier::TierReport ReportNow() {
    tier::TierReport report;
    EXPECT_TRUE(tiers_->Ask([&](TierDesk& desk) { report = desk.Find("C")->Report(); }).ok());
    return report;
  }

  RealClock clock_;
  NullLog log_;
  store::MemoryLeadStore store_;
  AsioLoop loop_;
  std::string directory_;
  std::optional<ThreadedTierService> tiers_;
};

TEST_F(ThreadedTierServiceTest, LearnsAndRanksOnItsOwnThread) {
  OnLoop([&] { tiers_->PutCampaign(Settings()); });
  for (uint64_t id = 1; id <= 60; ++id) Learn(id, id % 2 == 0);
  absl::Notification ranked;
  std::vector<tier::RankedLead> order;
  OnLoop([&] {
    tiers_->Rank("C", {LeadOf(71), LeadOf(72)}, [&](std::vector<tier::RankedLead> leads) {
      order = std::move(leads);
      ranked.Notify();
    });
  });
  ranked.WaitForNotification();
  ASSERT_EQ(order.size(), 2u);
  EXPECT_GT(order[0].pick.score, 0);
  EXPECT_EQ(ReportNow().attempts, 60u);
  EXPECT_EQ(tiers_->Report().at("C").attempts, 60u);
}

// The pass runs on a third thread; candidates come once it has ended.
TEST_F(ThreadedTierServiceTest, GivesCandidatesOfTheWholeList) {
  OnLoop([&] { tiers_->PutCampaign(Settings()); });
  size_t found = 0;
  while (found == 0) {
    absl::Notification answered;
    OnLoop([&] {
      tiers_->Candidates({"C", clock_.Wall(), 10}, [&](auto leads) {
        found = leads.ok() ? leads->size() : 0;
        answered.Notify();
      });
    });
    answered.WaitForNotification();
  }
  EXPECT_EQ(found, 10u);
  EXPECT_EQ(ReportNow().due, 100u);
}

TEST_F(ThreadedTierServiceTest, KeepsWhatItLearnedOverAnEnd) {
  OnLoop([&] { tiers_->PutCampaign(Settings()); });
  for (uint64_t id = 1; id <= 20; ++id) Learn(id, false);
  EXPECT_EQ(ReportNow().attempts, 20u);
  tiers_->Stop();
  EXPECT_FALSE(tiers_->Ask([](TierDesk&) {}).ok());
  tiers_.emplace(store_, directory_, clock_, loop_, log_, nullptr);
  OnLoop([&] { tiers_->PutCampaign(Settings()); });
  EXPECT_EQ(ReportNow().attempts, 20u);
}

// Whoever asks after the end is answered too: leads as they came.
TEST_F(ThreadedTierServiceTest, AnswersWithoutOrderWhenItHasEnded) {
  tiers_->Stop();
  std::vector<tier::RankedLead> order;
  OnLoop([&] {
    tiers_->Rank("C", {LeadOf(2), LeadOf(1)},
                 [&](std::vector<tier::RankedLead> leads) { order = std::move(leads); });
  });
  ASSERT_EQ(order.size(), 2u);
  EXPECT_EQ(order[0].lead.id, LeadId(2));
}

}  // namespace
}  // namespace outpace::runtime
