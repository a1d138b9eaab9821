#include "campaign/store/list_reset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <utility>

#include "campaign/store/memory_lead_store.h"
#include "tests/campaign/store/store_testing.h"

namespace outpace::store {
namespace {

using campaign::Lead;
using campaign::StoreBatch;

Lead Resting(uint64_t id, const std::string& status, ListId list = ListId(1)) {
  Lead lead;
  lead.id = LeadId(id);
  lead.list = list;
  lead.campaign = "C1";
  lead.status = status;
  lead.called_count = 2;
  lead.last_call_time = kStart - absl::Hours(2);
  lead.next_call_time = kStart + absl::Hours(2);
  lead.recycled = "NA:1";
  lead.fields["first_name"] = "Ann";
  return lead;
}

const auto kNobody = [](LeadId) { return false; };

class ListReset : public ::testing::Test {
 protected:
  ListReset() {
    campaign::List list;
    list.id = ListId(1);
    list.campaign = "C1";
    StoreBatch batch;
    batch.lists = {list};
    EXPECT_TRUE(store_.Commit(batch).ok());
  }
  void Put(std::vector<Lead> leads) {
    StoreBatch batch;
    batch.leads = std::move(leads);
    ASSERT_TRUE(store_.Commit(batch).ok());
  }
  std::vector<uint64_t> Due() {
    campaign::DueQuery query;
    query.campaign = "C1";
    query.now = kStart;
    query.limit = 10'000;
    return IdsOf(*store_.DueLeads(query));
  }
  MemoryLeadStore store_;
};

TEST_F(ListReset, TakesTheRestOfLeadsThatAreNotFinal) {
  Lead fresh = Resting(10, "NEW");
  fresh.next_call_time = absl::InfinitePast();
  fresh.recycled.clear();
  Lead used_up = Resting(7, "AB");
  used_up.next_call_time = absl::InfiniteFuture();
  Lead held = Resting(8, "NA");
  held.hold_until = kStart + absl::Hours(5);
  Lead called = Resting(9, "NA");
  called.last_call_time = kStart;
  Put({Resting(1, "NA"), Resting(2, "SALE"), Resting(3, "DNC"), Resting(4, "CALLBK"),
       Resting(5, "INCALL"), Resting(6, "NA", ListId(2)), used_up, held, called, fresh,
       Resting(11, "NA"), Resting(12, "NI"), Resting(13, "DROP")});
  const auto counts =
      ResetList(store_, ListId(1), kStart, [](LeadId lead) { return lead == LeadId(11); });
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->leads, 12);
  EXPECT_EQ(counts->reset, 3);
  EXPECT_EQ(counts->kept, 7);
  EXPECT_EQ(counts->busy, 1);
  EXPECT_EQ(counts->unchanged, 1);
  EXPECT_THAT(Due(), ::testing::ElementsAre(1, 7, 8, 10));
  const Lead lead = **store_.GetLead(LeadId(1));
  EXPECT_EQ(lead.called_count, 2);
  EXPECT_EQ(lead.recycled, "");
  EXPECT_EQ(lead.Field("first_name"), "Ann");
  EXPECT_EQ((*store_.Lists())[0].last_reset, kStart);
}

TEST_F(ListReset, TakesStatusesThatTheCampaignDials) {
  campaign::CampaignSettings settings;
  settings.id = "C1";
  ASSERT_TRUE(settings.Set("dial_statuses", "NEW,NI").ok());
  StoreBatch batch;
  batch.campaigns = {settings};
  ASSERT_TRUE(store_.Commit(batch).ok());
  Put({Resting(1, "NI"), Resting(2, "OWN")});
  ASSERT_TRUE(ResetList(store_, ListId(1), kStart, kNobody).ok());
  EXPECT_THAT(Due(), ::testing::ElementsAre(1));
}

TEST_F(ListReset, ListsThatAreNotThereAreNotReset) {
  EXPECT_EQ(ResetList(store_, ListId(9), kStart, kNobody).status().code(),
            absl::StatusCode::kNotFound);
}

// Cut off at every write; in between somebody is called, who must not be called twice.
TEST_F(ListReset, GoesOnWhereItWasCutOff) {
  constexpr uint64_t kLeads = 2500;
  for (int64_t cut = 1; cut <= 5; ++cut) {
    SCOPED_TRACE(cut);
    std::vector<Lead> leads;
    for (uint64_t id = 1; id <= kLeads; ++id) leads.push_back(Resting(id, "NA"));
    Put(leads);
    const absl::Time now = kStart - absl::Seconds(100 - cut);
    store_.FailCommitAt(cut);
    EXPECT_FALSE(ResetList(store_, ListId(1), now, kNobody).ok());
    store_.Restart();
    Lead called = Resting(1, "AB");
    called.last_call_time = now + absl::Seconds(1);
    Put({called});
    const auto counts = ResetList(store_, ListId(1), now + absl::Seconds(2), kNobody);
    ASSERT_TRUE(counts.ok()) << counts.status();
    // The first write stores the beginning: cut off there, nothing had begun.
    EXPECT_EQ(Due().size(), cut == 1 ? kLeads : kLeads - 1);
    EXPECT_EQ((*store_.Lists())[0].last_reset, cut == 1 ? now + absl::Seconds(2) : now);
  }
}

TEST_F(ListReset, LosesNothingThatIsWrittenMeanwhile) {
  Put({Resting(1, "DISPO"), Resting(2, "NA"), Resting(3, "NA")});
  bool first = true;
  const auto counts = ResetList(store_, ListId(1), kStart, [&](LeadId lead) {
    if (lead != LeadId(3) || !std::exchange(first, false)) return false;
    // All have been read: now the agent's word comes late, and somebody is erased.
    StoreBatch late;
    late.leads = {Resting(1, "SALE")};
    late.leads[0].next_call_time = absl::InfiniteFuture();
    late.leads_removed = {LeadId(2)};
    EXPECT_TRUE(store_.Commit(late).ok());
    return false;
  });
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ(counts->reset, 1);
  EXPECT_EQ(counts->kept, 1);
  EXPECT_EQ((*store_.GetLead(LeadId(1)))->status, "SALE");
  EXPECT_EQ((*store_.GetLead(LeadId(1)))->next_call_time, absl::InfiniteFuture());
  EXPECT_FALSE(store_.GetLead(LeadId(2))->has_value()) << "what was erased stays so";
  EXPECT_EQ((*store_.GetLead(LeadId(3)))->next_call_time, absl::InfinitePast());
}

TEST_F(ListReset, EndsBetweenTwoBatchesWhenItIsCancelled) {
  std::vector<Lead> leads;
  for (uint64_t id = 1; id <= 2500; ++id) leads.push_back(Resting(id, "NA"));
  Put(leads);
  std::atomic<bool> cancelled{false};
  ListResetControl control;
  control.cancelled = &cancelled;
  const auto counts = ResetList(
      store_, ListId(1), kStart,
      [&](LeadId lead) {
        if (lead == LeadId(1)) cancelled = true;
        return false;
      },
      control);
  EXPECT_EQ(counts.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(Due().size(), 1000u);
  EXPECT_THAT(*ResetsUnderWay(store_), ::testing::ElementsAre(ListId(1)));
  ASSERT_TRUE(AbandonReset(store_, ListId(1)).ok());
  EXPECT_THAT(*ResetsUnderWay(store_), ::testing::IsEmpty());
  const auto again = ResetList(store_, ListId(1), kStart + absl::Hours(1), kNobody);
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->resumed);
  EXPECT_EQ(Due().size(), 2500u);
}

}  // namespace
}  // namespace outpace::store
