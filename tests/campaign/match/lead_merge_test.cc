#include "campaign/match/lead_merge.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::match {
namespace {

using campaign::Lead;

const absl::Time kDay = absl::FromUnixSeconds(1'700'000'000);

Lead MakeLead(uint64_t id, uint64_t phone, std::map<std::string, std::string> fields,
              absl::Time entered = kDay) {
  Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(101);
  lead.campaign = "DEMO";
  lead.phone = E164(phone);
  lead.entry_date = entered;
  lead.time_zones = {"America/Denver"};
  lead.fields = std::move(fields);
  return lead;
}

// Everything of a lead, as text.
std::string Whole(const Lead& lead) {
  return absl::StrCat(lead.id.value(), "|", lead.list.value(), "|", lead.campaign, "|",
                      lead.phone.value(), "|", lead.alt_phone.value(), "|", lead.status, "|",
                      campaign::TierName(lead.tier), "|", lead.called_count, "|",
                      absl::FormatTime(lead.entry_date), "|", absl::FormatTime(lead.last_call_time),
                      "|", absl::FormatTime(lead.next_call_time), "|",
                      absl::FormatTime(lead.hold_until), "|", absl::StrJoin(lead.time_zones, ","),
                      "|", lead.rank, "|", lead.max_attempts, "|", lead.recycled, "|", lead.owner,
                      "|", absl::StrJoin(lead.fields, ";", absl::PairFormatter("=")));
}

TEST(PlanMerge, KeepsTheBestOfEachField) {
  const auto changes = PlanMerge(
      {MakeLead(1, 13035550101, {{"first_name", "Bob"}, {"address1", "12 Oak"}, {"city", ""}}),
       MakeLead(2, 13035550102,
                {{"first_name", "Robert"}, {"address1", "12 Oak Street, Apt 4"}, {"city", "Salem"}},
                kDay - absl::Hours(48)),
       MakeLead(3, 13035550103, {{"email", "bob@example.com"}}, kDay + absl::Hours(1))});
  ASSERT_EQ(changes.size(), 3u);
  // The earliest goes on; its number stays the one to dial.
  const Lead& survivor = changes[0].after;
  EXPECT_EQ(survivor.id, LeadId(2));
  EXPECT_EQ(survivor.phone, E164(13035550102));
  EXPECT_EQ(survivor.Field("first_name"), "Bob");  // newest that is not empty
  EXPECT_EQ(survivor.Field("address1"), "12 Oak Street, Apt 4");
  EXPECT_EQ(survivor.Field("city"), "Salem");
  EXPECT_EQ(survivor.Field("email"), "bob@example.com");
  // Other numbers are kept, the newest first.
  EXPECT_EQ(survivor.alt_phone, E164(13035550103));
  EXPECT_EQ(survivor.Field("phone2"), "+13035550101");
  for (size_t i = 1; i < changes.size(); ++i) {
    EXPECT_EQ(changes[i].after.status, kMergedStatus);
    EXPECT_EQ(changes[i].after.next_call_time, absl::InfiniteFuture());
    EXPECT_EQ(changes[i].after.Field(std::string(kMergedInto)), "2");
    EXPECT_EQ(changes[i].after.phone, changes[i].before.phone);
  }
}

TEST(PlanMerge, ANumberIsKeptOnce) {
  Lead a = MakeLead(1, 13035550101, {});
  Lead b = MakeLead(2, 13035550101, {});
  b.alt_phone = E164(13035550101);
  const Lead survivor = PlanMerge({a, b})[0].after;
  EXPECT_FALSE(survivor.alt_phone.valid());
  EXPECT_FALSE(survivor.fields.contains("phone2"));
}

TEST(PlanMerge, WhoRefusedIsNotRungAsSomebodyNew) {
  Lead tried = MakeLead(1, 13035550101, {});
  tried.called_count = 4;
  tried.last_call_time = kDay + absl::Hours(3);
  tried.status = "NA";
  Lead refused = MakeLead(2, 13035550102, {});
  refused.called_count = 1;
  refused.last_call_time = kDay + absl::Hours(1);
  refused.status = "NI";
  refused.next_call_time = absl::InfiniteFuture();
  const Lead survivor = PlanMerge({tried, refused})[0].after;
  EXPECT_EQ(survivor.id, LeadId(2));
  EXPECT_EQ(survivor.status, "NI");
  EXPECT_EQ(survivor.next_call_time, absl::InfiniteFuture());
  EXPECT_EQ(survivor.called_count, 5);
  EXPECT_EQ(survivor.last_call_time, kDay + absl::Hours(3));
}

TEST(PlanMerge, RestsAsLongAsTheLongest) {
  Lead a = MakeLead(1, 13035550101, {});
  a.called_count = 2;
  Lead b = MakeLead(2, 13035550102, {});
  b.next_call_time = kDay + absl::Hours(5);
  b.rank = 7;
  const Lead survivor = PlanMerge({a, b})[0].after;
  EXPECT_EQ(survivor.id, LeadId(1));
  EXPECT_EQ(survivor.next_call_time, kDay + absl::Hours(5));
  EXPECT_EQ(survivor.rank, 7);
}

Lead Stands(uint64_t id, const char* status, absl::Time next, int tries) {
  Lead lead = MakeLead(id, 13035550100 + id, {});
  lead.status = status;
  lead.next_call_time = next;
  lead.called_count = tries;
  return lead;
}

// What was agreed with a person outweighs the number of tries, whichever row it stands in.
TEST(PlanMerge, TheStatusThatBindsMostGoesOn) {
  const absl::Time never = absl::InfiniteFuture();
  const absl::Time promised = kDay + absl::Hours(20), rested = kDay + absl::Hours(72);
  const Lead used_up = Stands(1, "NA", never, 9);
  const std::vector<Lead> by_weight = {
      Stands(2, "DNC", never, 1), Stands(3, "SALE", never, 1),   Stands(4, "CALLBK", promised, 1),
      Stands(5, "NI", never, 1),  Stands(6, "PDROP", rested, 1), used_up,
      Stands(7, "B", kDay, 2),
  };
  for (size_t i = 0; i < by_weight.size(); ++i) {
    for (size_t j = i + 1; j < by_weight.size(); ++j) {
      for (const bool turned : {false, true}) {
        const Lead& first = by_weight[turned ? j : i];
        const Lead& second = by_weight[turned ? i : j];
        const Lead survivor = PlanMerge({first, second})[0].after;
        SCOPED_TRACE(absl::StrCat(first.status, " and ", second.status));
        EXPECT_EQ(survivor.id, by_weight[i].id);
        EXPECT_EQ(survivor.status, by_weight[i].status);
        EXPECT_EQ(survivor.next_call_time, by_weight[i].next_call_time);
        EXPECT_EQ(survivor.called_count, first.called_count + second.called_count);
      }
    }
  }
}

// A limit of the program is not what a person said.
TEST(PlanMerge, APromisedCallOutlivesALimit) {
  Lead promised = Stands(2, "CALLBK", kDay + absl::Hours(20), 1);
  promised.tier = campaign::Tier::kA;
  Lead limit = Stands(1, "MAXCAL", absl::InfiniteFuture(), 9);
  limit.tier = campaign::Tier::kB;
  const Lead survivor = PlanMerge({limit, promised})[0].after;
  EXPECT_EQ(survivor.status, "CALLBK");
  EXPECT_EQ(survivor.tier, campaign::Tier::kA);
  EXPECT_EQ(survivor.next_call_time, kDay + absl::Hours(20));
}

TEST(PlanMerge, TheFewestAllowedTriesHold) {
  const auto merged = [](int a, int b) {
    Lead first = MakeLead(1, 13035550101, {}), second = MakeLead(2, 13035550102, {});
    first.max_attempts = a;
    second.max_attempts = b;
    return PlanMerge({first, second})[0].after.max_attempts;
  };
  EXPECT_EQ(merged(0, 3), 3);
  EXPECT_EQ(merged(5, 3), 3);
  EXPECT_EQ(merged(2, 3), 2);
  EXPECT_EQ(merged(2, 0), 2);
  EXPECT_EQ(merged(0, 0), 0);
}

TEST(PlanMerge, AnAddressComesFromOneLead) {
  const Lead survivor = PlanMerge({MakeLead(1, 13035550101,
                                            {{"address1", "12 Oak Street"},
                                             {"city", "Salem"},
                                             {"state", "OR"},
                                             {"postal_code", "97301"}}),
                                   MakeLead(2, 13035550102,
                                            {{"address1", "2150 Northwest Hoyt Street"},
                                             {"city", "Portland"},
                                             {"address2", ""},
                                             {"email", "a@example.com"}},
                                            kDay + absl::Hours(1))})[0]
                            .after;
  EXPECT_EQ(survivor.Field("address1"), "12 Oak Street");
  EXPECT_EQ(survivor.Field("city"), "Salem");
  EXPECT_EQ(survivor.Field("state"), "OR");
  EXPECT_EQ(survivor.Field("postal_code"), "97301");
  EXPECT_EQ(survivor.Field("email"), "a@example.com");
  // Of two as full the newest.
  EXPECT_EQ(PlanMerge({MakeLead(1, 13035550101, {{"city", "Salem"}}),
                       MakeLead(2, 13035550102, {{"city", "Texas"}}, kDay + absl::Hours(1))})[0]
                .after.Field("city"),
            "Texas");
}

TEST(MayMerge, NotInACallAndNotTwice) {
  Lead lead = MakeLead(1, 13035550101, {});
  EXPECT_TRUE(MayMerge(lead));
  for (const char* status : {"INCALL", "QUEUE", "LSMERG"}) {
    lead.status = status;
    EXPECT_FALSE(MayMerge(lead)) << status;
  }
}

// Random leads, merged, kept as text, read back, undone: octet for octet as before.
TEST(UndoChange, RestoresExactly) {
  Rng rng(11);
  for (int round = 0; round < 300; ++round) {
    std::vector<Lead> leads;
    for (uint64_t i = 0; i < 2 + rng.Below(4); ++i) {
      Lead lead = MakeLead(i + 1, 13035550100 + rng.Below(4), {}, kDay - absl::Hours(rng.Below(9)));
      if (rng.Chance(0.4)) lead.alt_phone = E164(13035550100 + rng.Below(6));
      for (const char* name : {"first_name", "address1", "city", "phone2", "owner_note", "余额"}) {
        if (rng.Chance(0.5)) lead.fields[name] = std::string(rng.Below(5), 'x');
      }
      lead.called_count = static_cast<int>(rng.Below(3));
      if (lead.called_count > 0) lead.last_call_time = kDay + absl::Microseconds(rng.Below(1000));
      if (rng.Chance(0.3)) lead.next_call_time = absl::InfiniteFuture();
      if (rng.Chance(0.3)) lead.hold_until = kDay + absl::Hours(1);
      if (rng.Chance(0.3)) lead.owner = "anna";
      if (rng.Chance(0.3)) lead.recycled = "NA:2";
      lead.rank = static_cast<int>(rng.Below(20)) - 10;
      lead.max_attempts = static_cast<int>(rng.Below(4));
      if (rng.Chance(0.3)) lead.status = rng.Chance(0.5) ? "CALLBK" : "DNC";
      lead.tier = rng.Chance(0.5) ? campaign::Tier::kA : campaign::Tier::kB;
      leads.push_back(std::move(lead));
    }
    Merge merge;
    merge.number = 1;
    merge.at = kDay;
    merge.reason = "score 0.98";
    merge.changes = PlanMerge(leads);
    const auto read = DecodeMerge(EncodeMerge(merge));
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(read->at, kDay);
    EXPECT_EQ(read->undone, absl::InfiniteFuture());
    for (size_t i = 0; i < merge.changes.size(); ++i) {
      const Lead undone = UndoChange(read->changes[i], merge.changes[i].after);
      const auto before = std::find_if(leads.begin(), leads.end(),
                                       [&](const Lead& lead) { return lead.id == undone.id; });
      ASSERT_NE(before, leads.end());
      ASSERT_EQ(Whole(undone), Whole(*before)) << "round " << round;
    }
  }
}

TEST(UndoChange, WhatHappenedSinceStays) {
  const auto changes = PlanMerge({MakeLead(1, 13035550101, {{"city", "Salem"}}),
                                  MakeLead(2, 13035550102, {{"email", "b@example.com"}})});
  Lead now = changes[0].after;
  now.called_count = 3;  // rung since
  now.status = "CALLBK";
  now.next_call_time = kDay + absl::Hours(20);
  now.fields["comments"] = "asked for a call in the morning";
  const Lead undone = UndoChange(changes[0], now);
  EXPECT_EQ(undone.status, "CALLBK");
  EXPECT_EQ(undone.called_count, 3);
  EXPECT_EQ(undone.next_call_time, kDay + absl::Hours(20));
  EXPECT_EQ(undone.Field("comments"), "asked for a call in the morning");
  EXPECT_FALSE(undone.fields.contains("email"));  // the other's
  EXPECT_FALSE(undone.alt_phone.valid());
}

TEST(DecodeMerge, RefusesWhatIsNone) {
  for (const char* text : {"", "{}", "[]", "{\"number\":1}", "\xff"}) {
    EXPECT_EQ(DecodeMerge(text).status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST(LeadRecords, KeepsItsTexts) {
  LeadRecords records;
  for (uint64_t i = 0; i < 5000; ++i) {
    records.Add(
        MakeLead(i + 1, 13035550101,
                 {{"first_name", absl::StrCat("name", i)}, {"company", std::string(90, 'c')}}));
  }
  ASSERT_EQ(records.size(), 5000u);
  EXPECT_EQ(records.records()[17].first_name, "name17");
  EXPECT_EQ(records.records()[17].phone, "13035550101");
  EXPECT_EQ(records.records()[4999].first_name, "name4999");
  EXPECT_EQ(records.lead(4999), LeadId(5000));
}

}  // namespace
}  // namespace outpace::match
