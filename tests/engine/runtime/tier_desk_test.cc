#include "engine/runtime/tier_desk.h"

#include <filesystem>
#include <string>

#include "campaign/store/memory_lead_store.h"
#include "engine/base/log.h"
#include "engine/base/rng.h"
#include "engine/runtime/files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using campaign::Attempt;
using campaign::Lead;

const absl::Time kNow = absl::FromUnixSeconds(1'772'442'000);

campaign::CampaignSettings Settings(const std::string& mode = "SCORE") {
  campaign::CampaignSettings settings;
  settings.id = "C";
  settings.active = true;
  EXPECT_TRUE(settings.Set("tier_mode", mode).ok());
  return settings;
}

class TierDeskTest : public testing::Test {
 protected:
  TierDeskTest() {
    directory_ = testing::TempDir() + "/" +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "/tiers";
    std::filesystem::remove_all(directory_);
    campaign::StoreBatch batch;
    campaign::List list;
    list.id = ListId(1);
    list.campaign = "C";
    batch.lists.push_back(list);
    for (uint64_t id = 1; id <= 400; ++id) batch.leads.push_back(LeadOf(id));
    EXPECT_TRUE(store_.Commit(batch).ok());
  }

  static Lead LeadOf(uint64_t id) {
    Lead lead;
    lead.id = LeadId(id);
    lead.list = ListId(1);
    lead.campaign = "C";
    lead.phone = E164(13035550000 + id);
    lead.time_zones = {"UTC"};
    lead.entry_date = kNow;
    lead.fields["kind"] = id % 4 == 0 ? "good" : "plain";
    return lead;
  }

  static Attempt AttemptOf(uint64_t id, const Lead& lead, bool sale, absl::Time at) {
    Attempt record;
    record.id = AttemptId(id);
    record.lead = lead.id;
    record.campaign = "C";
    record.open = false;
    record.dialed_at = at;
    record.answered_at = record.connected_at = at + absl::Seconds(8);
    record.ended_at = at + absl::Seconds(60);
    record.disposed_at = at + absl::Seconds(70);
    record.outcome = "answered";
    record.status = sale ? "SALE" : "NI";
    record.last_status = "NEW";
    record.agent = "a1";
    return record;
  }

  // Results of `count` calls before kNow, stored; those of good leads are sales more often.
  std::vector<Attempt> Store(int count, absl::Time from) {
    Rng rng(5);
    campaign::StoreBatch batch;
    for (int i = 0; i < count; ++i) {
      const Lead lead = LeadOf(1 + rng.Next() % 400);
      const bool good = lead.fields.at("kind") == "good";
      batch.attempts.push_back(
          AttemptOf(next_attempt_++, lead, rng.Chance(good ? 0.5 : 0.1), from + absl::Seconds(i)));
    }
    EXPECT_TRUE(store_.Commit(batch).ok());
    return batch.attempts;
  }

  static void ReplayAll(TierDesk& desk) {
    while (desk.Replay()) {
    }
  }

  store::MemoryLeadStore store_;
  NullLog log_;
  std::string directory_;
  uint64_t next_attempt_ = 1;
};

TEST_F(TierDeskTest, LearnsFromTheStoreWhatWasBefore) {
  Store(5000, kNow - absl::Hours(5));
  TierDesk desk(store_, "", log_);
  desk.Put(Settings(), kNow);
  EXPECT_EQ(desk.BeginPass(1, kNow), nullptr);  // not before it has learned
  EXPECT_TRUE(desk.Replay());                   // in steps
  ReplayAll(desk);
  EXPECT_EQ(desk.Find("C")->Report().attempts, 5000u);
  const auto told = desk.Find("C")->Explain(LeadOf(4), kNow, 3);
  EXPECT_GT(told.score.success, desk.Find("C")->Explain(LeadOf(5), kNow, 3).score.success);
}

TEST_F(TierDeskTest, WhatWasSavedIsNotLearnedTwice) {
  Store(1500, kNow - absl::Hours(5));
  {
    TierDesk desk(store_, directory_, log_);
    desk.Put(Settings(), kNow);
    ReplayAll(desk);
    desk.Save(kNow);
  }
  const std::vector<Attempt> later = Store(300, kNow + absl::Minutes(1));
  TierDesk desk(store_, directory_, log_);
  desk.Put(Settings(), kNow + absl::Hours(1));
  ReplayAll(desk);
  EXPECT_EQ(desk.Find("C")->Report().attempts, 1800u);

  // The same as if the engine had gone on.
  TierDesk went_on(store_, "", log_);
  went_on.Put(Settings(), kNow);
  ReplayAll(went_on);
  for (const Attempt& record : later) went_on.Learn(LeadOf(record.lead.value()), record);
  EXPECT_EQ(went_on.Find("C")->Save(kNow), desk.Find("C")->Save(kNow));
}

TEST_F(TierDeskTest, ADamagedFileIsLearnedAnew) {
  Store(1000, kNow - absl::Hours(5));
  {
    TierDesk desk(store_, directory_, log_);
    desk.Put(Settings(), kNow);
    ReplayAll(desk);
    desk.Save(kNow);
  }
  auto bytes = ReadFile(directory_ + "/C.tiers");
  ASSERT_TRUE(bytes.ok());
  (*bytes)[bytes->size() / 2] ^= 1;
  auto file = AtomicFile::Create(directory_ + "/C.tiers");
  ASSERT_TRUE((*file)->Write(*bytes).ok() && (*file)->Commit().ok());
  TierDesk desk(store_, directory_, log_);
  desk.Put(Settings(), kNow);
  ReplayAll(desk);
  EXPECT_EQ(desk.Find("C")->Report().attempts, 1000u);
}

TEST_F(TierDeskTest, ACampaignThatNoLongerScoresIsForgotten) {
  TierDesk desk(store_, "", log_);
  desk.Put(Settings(), kNow);
  EXPECT_NE(desk.Find("C"), nullptr);
  desk.Put(Settings("STATUS"), kNow);
  EXPECT_EQ(desk.Find("C"), nullptr);
  const auto ranked = desk.Rank("C", {LeadOf(2), LeadOf(1)}, kNow);
  EXPECT_EQ(ranked[0].lead.id, LeadId(2));
}

TEST_F(TierDeskTest, CandidatesAreDueAndTheBestOfTheList) {
  Store(3000, kNow - absl::Hours(5));
  TierDesk desk(store_, "", log_);
  desk.Put(Settings(), kNow);
  ReplayAll(desk);
  auto pass = desk.BeginPass(1, kNow);
  ASSERT_NE(pass, nullptr);
  EXPECT_EQ(desk.BeginPass(1, kNow), nullptr);  // one at a time
  TierDesk::Run(store_, *pass);
  desk.EndPass(std::move(pass), kNow, absl::Milliseconds(10));
  // After the pass one of the best has been tried.
  campaign::StoreBatch batch;
  Lead tried = LeadOf(4);
  tried.next_call_time = kNow + absl::Hours(1);
  batch.leads.push_back(tried);
  ASSERT_TRUE(store_.Commit(batch).ok());
  const auto leads = desk.Candidates({"C", kNow, 60});
  ASSERT_TRUE(leads.ok());
  EXPECT_EQ(leads->size(), 60u);
  int good = 0;
  for (const Lead& lead : *leads) {
    EXPECT_NE(lead.id, tried.id);
    EXPECT_TRUE(lead.has_fields);
    good += lead.fields.at("kind") == "good" ? 1 : 0;
  }
  EXPECT_GE(good, 50);
}

TEST_F(TierDeskTest, OtherFieldsAreLearnedAnewFromTheStore) {
  Store(500, kNow - absl::Hours(5));
  TierDesk desk(store_, "", log_);
  desk.Put(Settings(), kNow);
  ReplayAll(desk);
  campaign::CampaignSettings settings = Settings();
  ASSERT_TRUE(settings.Set("tier_fields", "-kind").ok());
  desk.Put(settings, kNow);
  EXPECT_EQ(desk.Find("C")->Report().attempts, 0u);
  ReplayAll(desk);
  EXPECT_EQ(desk.Find("C")->Report().attempts, 500u);
}

TEST_F(TierDeskTest, APassThatIsStoppedEndsWithWhatItSaw) {
  TierDesk desk(store_, "", log_);
  desk.Put(Settings(), kNow);
  ReplayAll(desk);
  auto pass = desk.BeginPass(2, kNow);
  ASSERT_NE(pass, nullptr);
  const std::atomic<bool> stop = true;
  TierDesk::Run(store_, *pass, &stop);
  EXPECT_EQ(pass->status.code(), absl::StatusCode::kCancelled);
  desk.EndPass(std::move(pass), kNow, absl::ZeroDuration());
  EXPECT_EQ(desk.Find("C")->Report().due, 0u);
}

}  // namespace
}  // namespace outpace::runtime
