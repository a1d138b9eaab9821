// Leads that are about to be removed: none begins an attempt, and none comes back by a read that
// was under way.

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/controller_bench.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr LeadRange kFirstTwo{LeadId(1), 2};

void Remove(campaign::LeadStore& store, std::initializer_list<uint64_t> leads) {
  campaign::StoreBatch batch;
  for (const uint64_t lead : leads) batch.leads_removed.push_back(LeadId(lead));
  ASSERT_TRUE(store.Commit(batch).ok());
}

TEST_F(ControllerTest, WithdrawnLeadsAreNotDialed) {
  Start(3);
  Tick();  // all three wait in the hopper
  EXPECT_THAT(controller.Withdraw(kFirstTwo), IsEmpty());
  LogIn("a1");
  LogIn("a2");
  Tick();
  ASSERT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(Stored(Dials()[0].attempt).lead, LeadId(3));
  Remove(leads, {1, 2});
  controller.EndWithdraw(kFirstTwo);
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), SizeIs(1));
}

TEST_F(ControllerTest, LeadsInBetweenAreDialedMeanwhile) {
  Start(3);
  Tick();
  const LeadSet others = LeadSet::Of({LeadId(3), LeadId(1)});
  EXPECT_THAT(controller.Withdraw(others), IsEmpty());
  LogIn("a1");
  LogIn("a2");
  Tick();
  ASSERT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(Stored(Dials()[0].attempt).lead, LeadId(2));
  EXPECT_THAT(controller.Withdrawn(others), IsEmpty()) << "lead 2 is none of them";
  controller.EndWithdraw(others);
  controller.LeadsChanged("C");
  Pass(absl::Seconds(3));
  EXPECT_THAT(Dials(), SizeIs(2)) << "they may be dialed again";
}

TEST(LeadSet, IsWhatWasPutInto) {
  const LeadSet set = LeadSet::Of({LeadId(9), LeadId(3), LeadId(5), LeadId(4), LeadId(5)});
  EXPECT_THAT(set.runs(), ElementsAre(LeadRange{LeadId(3), 3}, LeadRange{LeadId(9), 1}));
  EXPECT_EQ(set.size(), 4u);
  for (uint64_t id = 1; id <= 12; ++id) {
    EXPECT_EQ(set.Has(LeadId(id)), id == 9 || (id >= 3 && id <= 5)) << id;
  }
  EXPECT_TRUE(LeadSet(LeadRange{LeadId(7), 0}).empty());
  EXPECT_FALSE(LeadSet().Has(LeadId(1)));
}

TEST_F(ControllerTest, ALeadUnderWayIsNamedUntilItsResultIsWritten) {
  Start(2);
  const call::DialOrder dial = DialOne();
  EXPECT_THAT(controller.Withdraw(kFirstTwo), ElementsAre(LeadId(1)));
  End(dial.leg, call::CallOutcome::kNoAnswer);
  Pass(absl::Milliseconds(5));
  EXPECT_THAT(controller.Withdrawn(kFirstTwo), IsEmpty());
  EXPECT_EQ(StoredLead(1).called_count, 1);
}

TEST_F(ControllerTest, AReadFromBeforeTheRemovalBringsNothingBack) {
  store.hold_fetches = true;
  Start(2);
  Tick();
  ASSERT_EQ(store.fetches_held(), 1u);  // it has read both leads
  EXPECT_THAT(controller.Withdraw(kFirstTwo), IsEmpty());
  Remove(leads, {1, 2});
  controller.EndWithdraw(kFirstTwo);
  store.LetFetches();
  Pass(absl::Milliseconds(5));
  LogIn("a1");
  Pass(absl::Seconds(2));
  EXPECT_THAT(Dials(), IsEmpty());
  // From the next read on the ids are ordinary again.
  campaign::StoreBatch batch;
  batch.leads.push_back(Lead(2));
  ASSERT_TRUE(leads.Commit(batch).ok());
  controller.LeadsChanged("C");
  Pass(absl::Seconds(2));
  EXPECT_THAT(Dials(), SizeIs(1));
}

}  // namespace
}  // namespace outpace::runtime
