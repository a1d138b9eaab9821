// The campaign's filter on leads about to enter the hopper.

#include "engine/runtime/lead_sieve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "campaign/store/memory_lead_store.h"
#include "engine/runtime/stored_filters.h"

namespace outpace::runtime {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromCivil(absl::CivilHour(2026, 11, 22, 20), absl::UTCTimeZone());

class LeadSieveTest : public ::testing::Test {
 protected:
  void Store(const std::string& text) {
    StoredFilter filter;
    filter.name = "f";
    filter.text = text;
    ASSERT_TRUE(StoredFilters(store_).Put(filter).ok());
  }
  static campaign::Lead LeadOf(uint64_t id, const std::string& state) {
    campaign::Lead lead;
    lead.id = LeadId(id);
    lead.phone = E164(13'035'550'100 + id);
    lead.entry_date = kNow;
    lead.fields["state"] = state;
    return lead;
  }
  SievedLeads Sort(std::vector<campaign::Lead> leads, const SieveOrder& order) {
    auto sorted = sieve_.Sort(std::move(leads), order);
    EXPECT_TRUE(sorted.ok()) << sorted.status();
    return sorted.ok() ? *std::move(sorted) : SievedLeads();
  }
  static std::vector<uint64_t> Ids(const std::vector<campaign::Lead>& leads) {
    std::vector<uint64_t> ids;
    for (const campaign::Lead& lead : leads) ids.push_back(lead.id.value());
    return ids;
  }

  store::MemoryLeadStore store_;
  LeadSieve sieve_{store_};
  const SieveOrder order_{"f", absl::UTCTimeZone(), kNow};
};

TEST_F(LeadSieveTest, HoldsWhatDoesNotPassAndKeepsTheOrder) {
  Store("state = \"CA\"");
  const SievedLeads sorted =
      Sort({LeadOf(3, "CA"), LeadOf(1, "NV"), LeadOf(2, "ca"), LeadOf(4, "")}, order_);
  EXPECT_THAT(Ids(sorted.passed), ElementsAre(3, 2));
  EXPECT_THAT(Ids(sorted.held), ElementsAre(1, 4));
  EXPECT_EQ(sorted.held[0].hold_until, absl::InfiniteFuture());
  EXPECT_EQ(sorted.passed[0].hold_until, absl::InfinitePast());
}

TEST_F(LeadSieveTest, WithoutAFilterAllPass) {
  const SievedLeads sorted = Sort({LeadOf(1, "NV")}, {"", absl::UTCTimeZone(), kNow});
  EXPECT_THAT(Ids(sorted.passed), ElementsAre(1));
  EXPECT_THAT(sorted.held, IsEmpty());
}

TEST_F(LeadSieveTest, TheLatestVersionCounts) {
  Store("state = \"CA\"");
  EXPECT_THAT(Ids(Sort({LeadOf(1, "NV")}, order_).passed), IsEmpty());
  Store("state = \"NV\"");
  EXPECT_THAT(Ids(Sort({LeadOf(1, "NV")}, order_).passed), ElementsAre(1));
}

TEST_F(LeadSieveTest, AFilterOfTheDayHoldsUntilTheNext) {
  Store("entry_date < today");
  const absl::TimeZone shanghai = absl::FixedTimeZone(8 * 3600);
  const SieveOrder order{"f", shanghai, kNow};  // there it is the 23rd, four o'clock
  const SievedLeads sorted = Sort({LeadOf(1, "CA")}, order);
  ASSERT_THAT(Ids(sorted.held), ElementsAre(1));
  EXPECT_EQ(sorted.held[0].hold_until, absl::FromCivil(absl::CivilDay(2026, 11, 24), shanghai));
  SieveOrder tomorrow = order;
  tomorrow.now = kNow + absl::Hours(24);
  EXPECT_THAT(Ids(Sort({LeadOf(1, "CA")}, tomorrow).passed), ElementsAre(1));
}

TEST_F(LeadSieveTest, APromisedCallbackIsNotFiltered) {
  Store("state = \"CA\"");
  campaign::Lead callback = LeadOf(1, "NV");
  callback.status = "CALLBK";
  EXPECT_THAT(Ids(Sort({callback}, order_).passed), ElementsAre(1));
  EXPECT_FALSE((*sieve_.WhyNot(callback, order_)).has_value());
}

TEST_F(LeadSieveTest, SaysWhichClause) {
  Store("rank >= 0 and state = \"CA\"");
  const auto reason = sieve_.WhyNot(LeadOf(1, "NV"), order_);
  ASSERT_TRUE(reason.ok() && reason->has_value());
  EXPECT_EQ((*reason)->rule, gate::Rule::kLeadFilter);
  EXPECT_THAT((*reason)->text, HasSubstr("filter f, version 1, wants: state = \"CA\""));
  EXPECT_FALSE((*sieve_.WhyNot(LeadOf(2, "CA"), order_)).has_value());
}

TEST_F(LeadSieveTest, AFilterThatIsGoneIsAnError) {
  EXPECT_EQ(sieve_.Sort({LeadOf(1, "CA")}, order_).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace outpace::runtime
