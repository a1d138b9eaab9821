// The store behind its two threads: order, grouping, and what is told when a write fails.

#include "engine/runtime/store_service.h"

#include <future>
#include <mutex>

#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/asio_loop.h"
#include "engine/runtime/real_clock.h"
#include "engine/sim/sim_world.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

// A store whose synced writes can be made to wait, and which writes down what each held.
class SlowStore final : public campaign::LeadStore {
 public:
  // Synced writes wait from now on until Go().
  void Wait() { gate_.lock(); }
  void Go() { gate_.unlock(); }
  std::vector<size_t> sizes() {
    std::lock_guard<std::mutex> lock(mutex_);
    return sizes_;
  }
  int unsynced() const { return unsynced_; }
  store::MemoryLeadStore& memory() { return memory_; }

  absl::Status Commit(const campaign::StoreBatch& batch) override {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      sizes_.push_back(batch.leads.size());
    }
    arrived.set_value();
    std::lock_guard<std::mutex> lock(gate_);
    return memory_.Commit(batch);
  }
  absl::Status CommitUnsynced(const campaign::StoreBatch& batch) override {
    ++unsynced_;
    return Commit(batch);
  }
  absl::Status SyncWrites() override { return memory_.SyncWrites(); }
  absl::StatusOr<uint64_t> ReserveLeadIds(uint64_t n) override { return memory_.ReserveLeadIds(n); }
  absl::StatusOr<uint64_t> ReserveAttemptIds(uint64_t n) override {
    return memory_.ReserveAttemptIds(n);
  }
  absl::StatusOr<std::optional<campaign::Lead>> GetLead(LeadId id) const override {
    return memory_.GetLead(id);
  }
  absl::StatusOr<std::optional<campaign::Attempt>> GetAttempt(AttemptId id) const override {
    return memory_.GetAttempt(id);
  }
  absl::StatusOr<std::vector<campaign::Lead>> DueLeads(
      const campaign::DueQuery& query) const override {
    return memory_.DueLeads(query);
  }
  absl::StatusOr<std::vector<LeadId>> LeadsByPhone(E164 phone) const override {
    return memory_.LeadsByPhone(phone);
  }
  absl::StatusOr<std::unique_ptr<campaign::LeadBulk>> BeginBulk(
      const campaign::BulkOptions& options) override {
    return memory_.BeginBulk(options);
  }
  absl::StatusOr<uint32_t> InternZones(const std::vector<std::string>& zones) override {
    return memory_.InternZones(zones);
  }
  absl::StatusOr<std::vector<campaign::Import>> Imports() const override {
    return memory_.Imports();
  }
  absl::StatusOr<std::map<std::string, campaign::FieldType>> LoadedFields() const override {
    return memory_.LoadedFields();
  }
  absl::Status ForEachPhone(
      const std::function<bool(const campaign::PhoneUse&)>& visit) const override {
    return memory_.ForEachPhone(visit);
  }
  absl::StatusOr<std::vector<campaign::PhoneUse>> PhoneUses(
      absl::Span<const E164> sorted) const override {
    return memory_.PhoneUses(sorted);
  }
  absl::Status ForEachLead(const std::function<bool(const campaign::Lead&)>& visit) const override {
    return memory_.ForEachLead(visit);
  }
  absl::Status ScanLeads(const CampaignId& campaign,
                         absl::Span<campaign::LeadVisitor* const> visitors) const override {
    return memory_.ScanLeads(campaign, visitors);
  }
  absl::Status ForEachAttempt(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::Attempt&)>& visit) const override {
    return memory_.ForEachAttempt(from, to, visit);
  }
  absl::Status ForEachActivity(
      absl::Time from, absl::Time to,
      const std::function<bool(const campaign::AgentActivity&)>& visit) const override {
    return memory_.ForEachActivity(from, to, visit);
  }
  absl::Status ScanAttempts(const campaign::AttemptScan& scan,
                            absl::Span<campaign::AttemptVisitor* const> visitors) const override {
    return memory_.ScanAttempts(scan, visitors);
  }
  absl::Status ViewLeads(absl::Span<const LeadId> ids,
                         absl::FunctionRef<void(const campaign::LeadView&)> visit) const override {
    return memory_.ViewLeads(ids, visit);
  }
  absl::StatusOr<std::vector<campaign::Attempt>> OpenAttempts() const override {
    return memory_.OpenAttempts();
  }
  absl::StatusOr<std::optional<campaign::Recording>> GetRecording(AttemptId id) const override {
    return memory_.GetRecording(id);
  }
  absl::StatusOr<std::vector<campaign::Recording>> FindRecordings(
      const campaign::RecordingQuery& query) const override {
    return memory_.FindRecordings(query);
  }
  absl::Status ForEachDnc(
      const std::function<bool(const campaign::DncEntry&)>& visit) const override {
    return memory_.ForEachDnc(visit);
  }
  absl::StatusOr<std::optional<campaign::DncEntry>> GetDnc(
      const campaign::DncEntry& place) const override {
    return memory_.GetDnc(place);
  }
  absl::StatusOr<std::vector<campaign::DncEntry>> DncOf(E164 phone) const override {
    return memory_.DncOf(phone);
  }
  absl::StatusOr<std::vector<campaign::List>> Lists() const override { return memory_.Lists(); }
  absl::StatusOr<std::vector<campaign::CampaignSettings>> Campaigns() const override {
    return memory_.Campaigns();
  }
  absl::StatusOr<std::vector<campaign::AgentRecord>> Agents() const override {
    return memory_.Agents();
  }
  absl::StatusOr<std::optional<std::string>> GetMeta(const std::string& name) const override {
    return memory_.GetMeta(name);
  }
  absl::StatusOr<std::map<CampaignId, std::map<std::string, int64_t>>> StatusCounts()
      const override {
    return memory_.StatusCounts();
  }

  // There are `steps` to do; `tended` is told when they are done.
  absl::StatusOr<bool> Tend(const campaign::DueQuery&) override {
    ++tend_calls_;
    if (tend_calls_ == steps) tended.set_value(tend_calls_);
    return tend_calls_ < steps;
  }

  int steps = 0;
  std::promise<int> tended;
  std::promise<void> arrived;  // of the next Commit; renewed by the test

 private:
  store::MemoryLeadStore memory_;
  std::mutex gate_;
  std::mutex mutex_;
  std::vector<size_t> sizes_;
  std::atomic<int> unsynced_{0};
  int tend_calls_ = 0;
};

campaign::Lead LeadOf(uint64_t id, const std::string& status = "NEW") {
  campaign::Lead lead;
  lead.id = LeadId(id);
  lead.campaign = "C";
  lead.phone = E164(13035550000 + id);
  lead.status = status;
  return lead;
}

campaign::StoreBatch BatchOf(uint64_t id, const std::string& status = "NEW") {
  campaign::StoreBatch batch;
  batch.leads.push_back(LeadOf(id, status));
  return batch;
}

class StoreServiceTest : public ::testing::Test {
 protected:
  StoreServiceTest() : loop_("answers", clock_) { loop_.Start(); }
  ~StoreServiceTest() override { loop_.Stop(); }
  RealClock clock_;
  AsioLoop loop_;
  SlowStore store_;
};

TEST_F(StoreServiceTest, WhatWaitsIsWrittenTogetherAndAnsweredInOrder) {
  ThreadedStoreService service(store_, loop_);
  std::vector<int> answered;
  std::promise<void> all;
  store_.Wait();
  service.Commit(BatchOf(1), [&](absl::Status status) {
    EXPECT_TRUE(status.ok());
    EXPECT_TRUE(store_.GetLead(LeadId(1))->has_value()) << "answered before it was written";
    answered.push_back(1);
  });
  store_.arrived.get_future().wait();  // the writer is at it
  store_.arrived = {};
  for (int i = 2; i <= 50; ++i) {
    service.Commit(BatchOf(static_cast<uint64_t>(i)), [&, i](absl::Status status) {
      EXPECT_TRUE(status.ok());
      answered.push_back(i);
      if (i == 50) all.set_value();
    });
  }
  EXPECT_TRUE(store_.sizes().size() == 1) << "a second write while the first is on its way";
  store_.Go();
  all.get_future().wait();
  EXPECT_THAT(store_.sizes(), ElementsAre(1, 49)) << "one sync for all that waited";
  ASSERT_THAT(answered, SizeIs(50));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(answered[static_cast<size_t>(i)], i + 1);
  EXPECT_EQ(store_.unsynced(), 0) << "a result is answered for only when it is synced";
}

TEST_F(StoreServiceTest, ADoNotCallNumberDoesNotWaitForOthers) {
  ThreadedStoreService service(store_, loop_, /*gather=*/absl::Hours(1));
  std::promise<void> first, added;
  service.Commit(BatchOf(1), [&](absl::Status) { first.set_value(); });
  campaign::StoreBatch batch;
  batch.dnc_added.push_back({E164(13035550199), {}, "test", clock_.Wall()});
  service.Commit(std::move(batch), [&](absl::Status) { added.set_value(); });
  first.get_future().wait();  // which came before it goes along
  added.get_future().wait();
  EXPECT_THAT(store_.sizes(), ElementsAre(1));
}

TEST_F(StoreServiceTest, TheLastWordOfAGroupStands) {
  ThreadedStoreService service(store_, loop_);
  std::promise<void> done;
  store_.Wait();
  service.Commit(BatchOf(9), [](absl::Status) {});
  store_.arrived.get_future().wait();
  store_.arrived = {};
  service.Commit(BatchOf(1, "INCALL"), [](absl::Status) {});
  service.Commit(BatchOf(1, "SALE"), [&](absl::Status) { done.set_value(); });
  store_.Go();
  done.get_future().wait();
  EXPECT_EQ((**store_.GetLead(LeadId(1))).status, "SALE");
}

TEST_F(StoreServiceTest, AFailedWriteIsToldToEachOfItsGroup) {
  ThreadedStoreService service(store_, loop_);
  std::promise<void> done;
  std::vector<absl::StatusCode> told;
  store_.Wait();
  service.Commit(BatchOf(1), [&](absl::Status status) { told.push_back(status.code()); });
  store_.arrived.get_future().wait();
  store_.arrived = {};
  store_.memory().FailCommitAt(2);
  service.Commit(BatchOf(2), [&](absl::Status status) { told.push_back(status.code()); });
  service.Commit(BatchOf(3), [&](absl::Status status) {
    told.push_back(status.code());
    done.set_value();
  });
  store_.Go();
  done.get_future().wait();
  EXPECT_THAT(told, ElementsAre(absl::StatusCode::kOk, absl::StatusCode::kUnavailable,
                                absl::StatusCode::kUnavailable));
}

TEST_F(StoreServiceTest, AReadDoesNotWaitForAWrite) {
  ASSERT_TRUE(store_.memory().Commit(BatchOf(1)).ok());
  campaign::Attempt attempt;
  attempt.id = AttemptId(5);
  campaign::StoreBatch batch;
  batch.attempts.push_back(attempt);
  ASSERT_TRUE(store_.memory().Commit(batch).ok());
  ThreadedStoreService service(store_, loop_);
  store_.Wait();
  service.Commit(BatchOf(2), [](absl::Status) {});
  store_.arrived.get_future().wait();
  store_.arrived = {};
  std::promise<size_t> due;
  service.FetchDue({"C", absl::FromUnixSeconds(1'700'000'000), 10},
                   [&](absl::StatusOr<std::vector<campaign::Lead>> leads) {
                     due.set_value(leads.ok() ? leads->size() : 99);
                   });
  EXPECT_EQ(due.get_future().get(), 1u);
  std::promise<bool> lead, found, missing;
  service.GetLead(LeadId(1), [&](auto answer) { lead.set_value(answer->has_value()); });
  service.GetAttempt(AttemptId(5), [&](auto answer) { found.set_value(answer->has_value()); });
  service.GetAttempt(AttemptId(6), [&](auto answer) { missing.set_value(answer->has_value()); });
  EXPECT_TRUE(lead.get_future().get());
  EXPECT_TRUE(found.get_future().get());
  EXPECT_FALSE(missing.get_future().get());
  store_.Go();
}

TEST_F(StoreServiceTest, AnswersComeOnTheAskersLoop) {
  ThreadedStoreService service(store_, loop_);
  std::promise<std::thread::id> loop_thread, commit_thread, fetch_thread;
  ASSERT_TRUE(loop_.Post([&] { loop_thread.set_value(std::this_thread::get_id()); }));
  service.Commit(BatchOf(1),
                 [&](absl::Status) { commit_thread.set_value(std::this_thread::get_id()); });
  service.FetchDue({"C", absl::FromUnixSeconds(1'700'000'000), 1},
                   [&](auto) { fetch_thread.set_value(std::this_thread::get_id()); });
  const std::thread::id wanted = loop_thread.get_future().get();
  EXPECT_TRUE(commit_thread.get_future().get() == wanted);
  EXPECT_TRUE(fetch_thread.get_future().get() == wanted);
}

TEST_F(StoreServiceTest, TextsAreAddedToLeadsThatWereReadWithout) {
  campaign::StoreBatch batch;
  for (uint64_t id = 1; id <= 3; ++id) {
    batch.leads.push_back(LeadOf(id));
    batch.leads.back().fields["first_name"] = absl::StrCat("Ann", id);
  }
  ASSERT_TRUE(store_.memory().Commit(batch).ok());
  ThreadedStoreService service(store_, loop_);
  std::promise<std::vector<campaign::Lead>> fetched, loaded;
  campaign::DueQuery query{"C", absl::FromUnixSeconds(1'700'000'000), 10};
  query.with_fields = false;
  service.FetchDue(query, [&](auto leads) { fetched.set_value(*std::move(leads)); });
  std::vector<campaign::Lead> leads = fetched.get_future().get();
  ASSERT_THAT(leads, SizeIs(3));
  EXPECT_TRUE(leads[0].fields.empty());
  leads[1].id = LeadId(99);  // gone since
  leads[2].status = "NA";    // and what was changed since stays so
  service.LoadTexts(leads, [&](auto whole) { loaded.set_value(*std::move(whole)); });
  leads = loaded.get_future().get();
  ASSERT_THAT(leads, SizeIs(2));
  EXPECT_EQ(leads[0].Field("first_name"), "Ann1");
  EXPECT_EQ(leads[1].Field("first_name"), "Ann3");
  EXPECT_EQ(leads[1].status, "NA");
  EXPECT_TRUE(leads[1].has_fields);
}

TEST_F(StoreServiceTest, WhatARefillPutsOffIsDoneBetweenCommitsStepByStep) {
  store_.steps = 5;
  ThreadedStoreService service(store_, loop_);
  service.FetchDue({"C", absl::FromUnixSeconds(1'700'000'000), 10}, [](auto) {});
  EXPECT_EQ(store_.tended.get_future().get(), 5);
}

TEST_F(StoreServiceTest, FinishesWhatWasSubmitted) {
  {
    ThreadedStoreService service(store_, loop_);
    store_.Wait();
    service.Commit(BatchOf(1), [](absl::Status) {});
    store_.arrived.get_future().wait();
    store_.arrived = {};
    for (uint64_t i = 2; i <= 20; ++i) service.Commit(BatchOf(i), [](absl::Status) {});
    store_.Go();
  }
  for (uint64_t i = 1; i <= 20; ++i) EXPECT_TRUE(store_.GetLead(LeadId(i))->has_value()) << i;
}

TEST(LoopStoreService, AnswersAfterItsDelayInOrder) {
  sim::SimWorld world(1, absl::FromUnixSeconds(1'700'000'000));
  const auto loop = world.NewLoop();
  store::MemoryLeadStore store;
  LoopStoreService service(store, *loop, absl::Milliseconds(10));
  std::vector<int> answered;
  service.Commit(BatchOf(1), [&](absl::Status) { answered.push_back(1); });
  service.Commit(BatchOf(1, "SALE"), [&](absl::Status) { answered.push_back(2); });
  world.RunFor(absl::Milliseconds(9));
  EXPECT_THAT(answered, SizeIs(0));
  EXPECT_FALSE(store.GetLead(LeadId(1))->has_value()) << "not stored before it is said so";
  world.RunFor(absl::Milliseconds(1));
  EXPECT_THAT(answered, ElementsAre(1, 2));
  EXPECT_EQ((**store.GetLead(LeadId(1))).status, "SALE");
}

}  // namespace
}  // namespace outpace::runtime
