#include "campaign/filter/lead_fields.h"

#include <gtest/gtest.h>

#include <string>

#include "campaign/number_plan.h"

namespace outpace::filter {
namespace {

constexpr absl::CivilDay kToday(2026, 11, 22);

campaign::Lead MakeLead() {
  campaign::Lead lead;
  lead.id = LeadId(7);
  lead.list = ListId(101);
  lead.phone = E164(13'035'550'101);
  lead.alt_phone = E164(8'613'800'138'000);
  lead.status = "NA";
  lead.tier = campaign::Tier::kB;
  lead.called_count = 3;
  lead.rank = -5;
  lead.owner = "li";
  lead.entry_date = absl::FromCivil(absl::CivilHour(2026, 11, 21, 20), absl::UTCTimeZone());
  lead.time_zones = {"America/Denver"};
  lead.fields = {{"state", "CO"}, {"registered_capital", "600万"}};
  return lead;
}

bool Passes(const std::string& text, const campaign::Lead& lead,
            absl::TimeZone zone = absl::UTCTimeZone()) {
  FieldTypes types = StandardFields();
  types["registered_capital"] = campaign::FieldType::kNumber;
  const auto filter = Filter::Parse(text, types, kToday);
  EXPECT_TRUE(filter.ok()) << filter.status();
  return filter.ok() && LeadPasses(*filter, lead, zone);
}

TEST(LeadPasses, SeesEveryStandardField) {
  const campaign::Lead lead = MakeLead();
  for (const char* text :
       {"lead_id = 7", "list_id = 101", "phone_number = \"13035550101\"",
        "alt_phone startswith \"861\"", "status = \"NA\"", "tier = \"b\"", "called_count = 3",
        "rank = -5", "owner = \"Li\"", "entry_date = 2026-11-21", "last_local_call_time is empty",
        "time_zone = \"America/Denver\"", "max_attempts is empty", "state = \"CO\"",
        "registered_capital >= 500万", "city is empty", "number_region = \"US\"",
        "number_area = \"CO\""}) {
    EXPECT_TRUE(Passes(text, lead)) << text;
    EXPECT_FALSE(Passes(std::string("not ") + text, lead)) << text;
  }
}

TEST(LeadPasses, DaysAreThoseOfTheZone) {
  const absl::TimeZone shanghai = absl::FixedTimeZone(8 * 3600);
  EXPECT_TRUE(Passes("entry_date = today", MakeLead(), shanghai));
  EXPECT_FALSE(Passes("entry_date = today", MakeLead()));
}

TEST(LeadValues, FollowsTheLeads) {
  const auto filter = Filter::Parse("rank > 0 and state = \"CO\" and number_type is not empty",
                                    StandardFields(), kToday);
  ASSERT_TRUE(filter.ok());
  LeadValues values(*filter);
  campaign::Lead lead = MakeLead();
  EXPECT_EQ(filter->DroppedBy(values.Of(lead)), 0);
  lead.rank = 1;
  lead.fields["state"] = "NV";
  EXPECT_EQ(filter->DroppedBy(values.Of(lead)), 1);
  lead.fields["state"] = "co";
  EXPECT_EQ(filter->DroppedBy(values.Of(lead)), -1);
}

TEST(NewLeadField, IsWhatAFreshLeadHas) {
  const campaign::Lead fresh;
  EXPECT_EQ(NewLeadField("status"), fresh.status);
  EXPECT_EQ(NewLeadField("tier"), campaign::TierName(fresh.tier));
  EXPECT_EQ(NewLeadField("called_count"), "0");
  EXPECT_EQ(NewLeadField("rank"), "0");
  EXPECT_EQ(NewLeadField("state"), "");
}

}  // namespace
}  // namespace outpace::filter
