// What leaves as a list file comes back as the same leads.

#include "campaign/report/lead_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "campaign/load/loader.h"
#include "campaign/store/memory_lead_store.h"
#include "engine/base/rng.h"
#include "engine/sim/sim_world.h"

namespace outpace::report {
namespace {

using campaign::Lead;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);  // 2026-09-21 14:13:20 UTC

campaign::StoreBatch Lists() {
  campaign::StoreBatch batch;
  campaign::CampaignSettings settings;
  settings.id = "DEMO";
  batch.campaigns.push_back(settings);
  for (const uint64_t id : {101, 102}) {
    campaign::List list;
    list.id = ListId(id);
    list.campaign = "DEMO";
    list.name = absl::StrCat("list ", id);
    list.last_reset = kNow - absl::Hours(10);
    batch.lists.push_back(list);
  }
  return batch;
}

Lead MakeLead(uint64_t id, E164 phone, std::map<std::string, std::string> fields) {
  Lead lead;
  lead.id = LeadId(id);
  lead.list = ListId(101);
  lead.campaign = "DEMO";
  lead.phone = phone;
  lead.entry_date = kNow - absl::Hours(24);
  lead.time_zones = {"America/Denver"};
  lead.fields = std::move(fields);
  return lead;
}

std::string Export(const campaign::LeadStore& store, LeadExportOptions options) {
  options.zone = absl::UTCTimeZone();
  options.now = kNow;
  std::string bytes;
  const auto rows = ExportLeads(store, options, [&](absl::string_view piece) {
    absl::StrAppend(&bytes, piece);
    return absl::OkStatus();
  });
  EXPECT_TRUE(rows.ok()) << rows.status();
  return bytes;
}

TEST(ExportLeads, IsVicidialsListDownload) {
  store::MemoryLeadStore store;
  campaign::StoreBatch batch = Lists();
  Lead lead = MakeLead(7, E164(13'035'550'101), {{"vendor_lead_code", "V7"}, {"state", "CO"}});
  lead.status = "NA";
  lead.called_count = 2;
  lead.last_call_time = kNow - absl::Hours(1);
  lead.rank = 5;
  lead.owner = "li";
  lead.alt_phone = E164(13'035'550'102);
  batch.leads = {lead, MakeLead(8, E164(8'613'800'138'000), {})};
  batch.leads[1].time_zones = {"Asia/Shanghai"};
  ASSERT_TRUE(store.Commit(batch).ok());
  const std::vector<std::string> lines = absl::StrSplit(Export(store, {}), '\n');
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(absl::StrJoin(absl::StrSplit(lines[0], '\t'), " "),
            "lead_id entry_date modify_date status user vendor_lead_code source_id list_id "
            "gmt_offset_now called_since_last_reset phone_code phone_number title first_name "
            "middle_initial last_name address1 address2 address3 city state province postal_code "
            "country_code gender date_of_birth alt_phone email security_phrase comments "
            "called_count last_local_call_time rank owner entry_list_id");
  EXPECT_EQ(lines[1],
            "7\t2026-09-20 14:13:20\t2026-09-21 13:13:20\tNA\t\tV7\t\t101\t-6.00\tY\t1\t"
            "3035550101\t\t\t\t\t\t\t\t\tCO\t\t\t\t\t\t3035550102\t\t\t\t2\t2026-09-21 07:13:20\t"
            "5\tli\t0");
  EXPECT_EQ(lines[2],
            "8\t2026-09-20 14:13:20\t2026-09-20 14:13:20\tNEW\t\t\t\t101\t8.00\tN\t86\t"
            "13800138000\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t0\t\t0\t\t0");
  EXPECT_EQ(lines[3], "");
}

TEST(ExportLeads, OtherLayouts) {
  store::MemoryLeadStore store;
  campaign::StoreBatch batch = Lists();
  batch.leads = {MakeLead(7, E164(13'035'550'101),
                          {{"title", "Ms"},
                           {"comments", "a|b"},
                           {"alt_phones", "+13035550103 work;+61212345678"},
                           {"注册资本", "500万"}})};
  batch.leads[0].status = "NA";
  ASSERT_TRUE(store.Commit(batch).ok());
  EXPECT_EQ(Export(store, {.layout = "standard"}),
            "||101|1|3035550101|Ms|||||||||||||||||\"a|b\"\n");
  EXPECT_EQ(Export(store, {.layout = "stdrankowner"}),
            "||101|1|3035550101|Ms|||||||||||||||||\"a|b\"|0|NA|2026-09-20 14:13:20|0||"
            "3035550103_1_work!212345678_61_\n");
  LeadExportOptions options{.layout = "outpace"};
  options.bom = true;
  const std::vector<std::string> lines = absl::StrSplit(Export(store, options), "\r\n");
  EXPECT_THAT(lines[0], ::testing::StartsWith("\xef\xbb\xbflead_id,entry_date,"));
  EXPECT_THAT(lines[0], ::testing::EndsWith(",multi_alt,time_zone,max_attempts,注册资本"));
  EXPECT_THAT(lines[1], ::testing::EndsWith(",America/Denver,,500万"));
  EXPECT_EQ(
      ExportLeads(store, {.layout = "xml"}, [](absl::string_view) { return absl::OkStatus(); })
          .status()
          .code(),
      absl::StatusCode::kInvalidArgument);
}

TEST(ExportLeads, OnlyTheListAskedFor) {
  store::MemoryLeadStore store;
  campaign::StoreBatch batch = Lists();
  for (uint64_t id = 1; id <= 9; ++id) {
    batch.leads.push_back(MakeLead(id, E164(13'035'550'100 + id), {}));
    if (id % 3 == 0) batch.leads.back().list = ListId(102);
    if (id == 9) batch.leads.back().campaign = "OTHER";
  }
  ASSERT_TRUE(store.Commit(batch).ok());
  const auto rows = [&](LeadExportOptions options) {
    options.layout = "standard";
    const std::string bytes = Export(store, options);
    return std::count(bytes.begin(), bytes.end(), '\n');
  };
  EXPECT_EQ(rows({}), 9);
  EXPECT_EQ(rows({.list = ListId(101)}), 6);
  EXPECT_EQ(rows({.list = ListId(102), .campaign = "DEMO"}), 2);
  EXPECT_EQ(rows({.campaign = "NONE"}), 0);
}

TEST(ExportLeads, NoTextRunsAsAFormula) {
  store::MemoryLeadStore store;
  campaign::StoreBatch batch = Lists();
  batch.leads = {
      MakeLead(7, E164(13'035'550'101), {{"first_name", "=cmd|' /C calc'!A0"}, {"=evil", "@x"}})};
  batch.leads[0].rank = -5;
  ASSERT_TRUE(store.Commit(batch).ok());
  const std::string safe = Export(store, {.layout = "outpace"});
  EXPECT_THAT(safe, HasSubstr(",'=cmd|' /C calc'!A0,"));
  EXPECT_THAT(safe, HasSubstr(",'=evil\r\n"));
  EXPECT_THAT(safe, HasSubstr(",'@x\r\n"));
  EXPECT_THAT(safe, HasSubstr(",-5,"));  // a number of ours
  LeadExportOptions raw{.layout = "outpace"};
  raw.raw = true;
  EXPECT_THAT(Export(store, raw), HasSubstr(",=cmd|' /C calc'!A0,"));
}

TEST(ExportLeads, StopsWithTheWritersError) {
  store::MemoryLeadStore store;
  campaign::StoreBatch batch = Lists();
  for (uint64_t id = 1; id <= 3'000; ++id) {
    batch.leads.push_back(MakeLead(id, E164(13'035'550'000 + id), {{"city", "Denver"}}));
  }
  ASSERT_TRUE(store.Commit(batch).ok());
  int pieces = 0;
  const auto rows =
      ExportLeads(store, {.zone = absl::UTCTimeZone(), .now = kNow}, [&](absl::string_view piece) {
        EXPECT_LE(piece.size(), 70'000u);
        return ++pieces == 2 ? absl::UnavailableError("disk full") : absl::OkStatus();
      });
  EXPECT_EQ(rows.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(pieces, 2);
}

// What of a lead a file can carry. phone_code is kept as it was written, and made of the number.
std::string Carried(const Lead& lead) {
  std::string out = absl::StrCat(lead.phone.Digits(), " ", lead.alt_phone.value(), " rank ",
                                 lead.rank, " owner ", lead.owner, "\n");
  for (const auto& [name, text] : lead.fields) {
    if (!text.empty() && name != "phone_code") absl::StrAppend(&out, name, "=", text, "\n");
  }
  return out;
}

Lead RandomLead(Rng& rng, uint64_t id) {
  static constexpr uint64_t kNumbers[] = {13'035'550'000, 8'613'800'130'000, 447'911'120'000,
                                          61'412'340'000};
  static constexpr absl::string_view kTexts[] = {"Ann",        "O'Neil",       "李雷",  "a, b; c",
                                                 "say \"hi\"", "tab\there",    "x|y",   "\"q\"",
                                                 "Zoë Müller", "深圳市南山区", "No. 5", "100%"};
  Lead lead = MakeLead(id, E164(kNumbers[rng.Below(4)] + id), {});
  if (rng.Chance(0.3)) lead.alt_phone = E164(kNumbers[rng.Below(4)] + 5'000 + id);
  lead.rank = static_cast<int>(rng.Below(199)) - 99;
  if (rng.Chance(0.5)) lead.owner = "agent1";
  for (const char* field : {"vendor_lead_code", "source_id", "title", "first_name", "last_name",
                            "address1", "city", "comments", "security_phrase"}) {
    if (rng.Chance(0.6)) lead.fields[field] = std::string(kTexts[rng.Below(std::size(kTexts))]);
  }
  if (rng.Chance(0.5)) lead.fields["date_of_birth"] = "1980-02-29";
  if (rng.Chance(0.5)) lead.fields["gender"] = "F";
  return lead;
}

TEST(ExportLeads, ComesBackUnchanged) {
  for (const std::string layout : {"vicidl", "outpace", "stdrankowner"}) {
    SCOPED_TRACE(layout);
    Rng rng(5);
    store::MemoryLeadStore store, other;
    campaign::StoreBatch batch = Lists();
    ASSERT_TRUE(other.Commit(batch).ok());
    std::map<E164, std::string> sent, received;
    for (uint64_t id = 1; id <= 400; ++id) {
      batch.leads.push_back(RandomLead(rng, id));
      sent[batch.leads.back().phone] = Carried(batch.leads.back());
    }
    ASSERT_TRUE(store.Commit(batch).ok());
    LeadExportOptions options;
    options.layout = layout;
    const std::string bytes = Export(store, options);

    sim::SimWorld world(1, kNow);
    load::LoadOptions load;
    load.list = ListId(101);
    load.campaign = "DEMO";
    load.layout = layout == "stdrankowner" ? layout : "auto";
    load::LoadHooks hooks;
    hooks.on_reject = [](const load::Reject& reject) {
      ADD_FAILURE() << "line " << reject.line << " " << reject.column << ": " << reject.reason;
    };
    const auto report = load::LoadLeads(*load::MemorySource(bytes), load, dnc::DncSet(), other,
                                        world.clock(), hooks);
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_TRUE(other
                    .ForEachLead([&](const Lead& lead) {
                      received[lead.phone] = Carried(lead);
                      return true;
                    })
                    .ok());
    ASSERT_EQ(received.size(), sent.size());
    for (const auto& [phone, text] : sent) EXPECT_EQ(received[phone], text);
  }
}

}  // namespace
}  // namespace outpace::report
