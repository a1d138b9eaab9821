// A campaign's filter: what it drops never reaches an agent, what it lets pass does, and leads it
// held back are dialed once it says so.

#include "engine/runtime/stored_filters.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/controller_bench.h"

namespace outpace::runtime {
namespace {

using ::testing::SizeIs;

class ControllerFilterTest : public ControllerTest {
 protected:
  void StoreFilter(const std::string& text) {
    StoredFilter filter;
    filter.name = "west";
    filter.text = text;
    ASSERT_TRUE(StoredFilters(leads).Put(filter).ok());
  }
  // `count` leads, of which every third is in California.
  void StartFiltered(uint64_t count) {
    campaign::StoreBatch batch;
    for (uint64_t i = 1; i <= count; ++i) {
      batch.leads.push_back(Lead(i));
      batch.leads.back().fields["state"] = i % 3 == 0 ? "CA" : "NV";
    }
    ASSERT_TRUE(leads.Commit(batch).ok());
    settings.lead_filter_id = "west";
    settings.hopper_level = 5;
    Start(0);
  }
};

TEST_F(ControllerFilterTest, OnlyLeadsThatPassAreDialed) {
  StoreFilter("state = \"CA\"");
  StartFiltered(12);  // more than the hopper takes at once
  Pass(absl::Seconds(2));
  LogIn("a1");
  for (const uint64_t lead : {3, 6, 9, 12}) {
    Pass(absl::Seconds(2));
    ASSERT_FALSE(Dials().empty());
    EXPECT_EQ(Stored(Dials().back().attempt).lead, LeadId(lead));
    End(Dials().back().leg, call::CallOutcome::kNoAnswer);
  }
  Pass(absl::Seconds(5));
  EXPECT_THAT(Dials(), SizeIs(4));
  EXPECT_EQ(StoredLead(1).hold_until, absl::InfiniteFuture());
  EXPECT_EQ(StoredLead(1).called_count, 0);
  EXPECT_EQ(StoredLead(1).fields.at("state"), "NV");
}

TEST_F(ControllerFilterTest, AHeldLeadIsDialedOnceItsHoldIsCleared) {
  StoreFilter("state = \"OR\"");
  StartFiltered(1);
  Pass(absl::Seconds(2));
  LogIn("a1");
  Pass(absl::Seconds(2));
  EXPECT_THAT(Dials(), SizeIs(0));
  StoreFilter("state in (\"OR\", \"NV\")");
  campaign::Lead lead = StoredLead(1);
  lead.hold_until = absl::InfinitePast();
  campaign::StoreBatch batch;
  batch.leads.push_back(lead);
  ASSERT_TRUE(leads.Commit(batch).ok());
  controller.LeadsChanged("C");
  Pass(absl::Seconds(2));
  ASSERT_THAT(Dials(), SizeIs(1));
  EXPECT_EQ(Stored(Dials()[0].attempt).lead, LeadId(1));
}

}  // namespace
}  // namespace outpace::runtime
