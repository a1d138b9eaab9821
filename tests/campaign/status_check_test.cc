#include "campaign/status_check.h"

#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "campaign/status_columns.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

using Cells = std::initializer_list<std::pair<const char*, const char*>>;

CampaignSettings Demo() {
  CampaignSettings settings;
  settings.id = "DEMO";
  return settings;
}

// The status as it is, with these cells changed.
void Change(CampaignSettings& settings, const char* status, Cells cells) {
  Disposition row;
  if (const Disposition* known = settings.statuses.Find(status)) {
    row = *known;
  } else {
    row.status = status;
    row.name = "A name";
    row.selectable = true;
  }
  for (const auto& [column, value] : cells) {
    ASSERT_TRUE(SetStatusCell(column, value, row).ok()) << column;
  }
  settings.statuses.Put(std::move(row));
}

bool Tells(const CampaignSettings& settings, const std::string& status, const char* reason) {
  for (const StatusFault& fault : CheckStatuses(settings)) {
    if (fault.status == status && absl::StrContains(fault.reason, reason)) return true;
  }
  return false;
}

TEST(CheckStatuses, NothingIsWrongWithTheSystems) {
  EXPECT_TRUE(CheckStatuses(Demo()).empty()) << StatusFaultsText(CheckStatuses(Demo()));
  // Nor is it as rows of the campaign's own.
  CampaignSettings settings = Demo();
  for (const Disposition& row : Dispositions()) settings.statuses.Put(row);
  EXPECT_TRUE(CheckStatuses(settings).empty()) << StatusFaultsText(CheckStatuses(settings));
}

TEST(CheckStatuses, AUsefulTablePasses) {
  CampaignSettings settings = Demo();
  settings.client_id = "ACME";
  Change(settings, "NA", {{"next", "alt"}, {"next_delay", "60"}, {"then", "NALAST"}});
  Change(settings, "NALAST",
         {{"selectable", "N"}, {"delay", "604800"}, {"tries", "1"}, {"then", "MAXCAL"}});
  Change(settings, "ADC", {{"next", "alt"}});
  Change(settings, "HOT",
         {{"human_answered", "Y"},
          {"customer_contact", "Y"},
          {"hotkey", "h"},
          {"delay", "7200"},
          {"tries", "2"},
          {"tier", "A"}});
  Change(settings, "NOCALL",
         {{"human_answered", "Y"}, {"dnc_flag", "Y"}, {"dnc", "client"}, {"final", "Y"}});
  Change(settings, "XFER", {{"selectable", "N"}, {"hotkey", ""}});
  EXPECT_TRUE(CheckStatuses(settings).empty()) << StatusFaultsText(CheckStatuses(settings));
}

struct Case {
  const char* status;
  std::vector<std::pair<const char*, const char*>> cells;
  const char* reason;
};

class StatusFaults : public testing::TestWithParam<Case> {};

TEST_P(StatusFaults, AreToldWithTheRow) {
  CampaignSettings settings = Demo();
  Disposition row;
  if (const Disposition* known = settings.statuses.Find(GetParam().status)) {
    row = *known;
  } else {
    row.status = GetParam().status;
    row.name = "A name";
    row.selectable = true;
  }
  for (const auto& [column, value] : GetParam().cells) {
    ASSERT_TRUE(SetStatusCell(column, value, row).ok()) << column;
  }
  settings.statuses.Put(row);
  EXPECT_TRUE(Tells(settings, GetParam().status, GetParam().reason))
      << StatusFaultsText(CheckStatuses(settings));
}

INSTANTIATE_TEST_SUITE_P(
    All, StatusFaults,
    testing::Values(
        Case{"HOT", {{"final", "Y"}, {"delay", "600"}, {"tries", "1"}}, "final and has tries"},
        Case{"CALLBK", {{"final", "Y"}}, "final and a callback"},
        Case{"CALLBK", {{"tries", "2"}}, "a callback has tries"},
        Case{"CALLBK", {{"delay", "0"}}, "callback without delay"},
        Case{"CALLBK", {{"next", "alt"}}, "next=alt of a callback"},
        Case{"HOT", {{"dnc_flag", "Y"}, {"final", "Y"}}, "dnc_flag without dnc"},
        Case{"HOT", {{"dnc", "system"}, {"final", "Y"}}, "dnc without dnc_flag"},
        Case{"HOT", {{"dnc_flag", "Y"}, {"dnc", "system"}}, "dnc_flag and not final"},
        Case{"HOT", {{"dnc_flag", "Y"}, {"dnc", "client"}, {"final", "Y"}}, "no client_id"},
        Case{"HOT", {{"completed", "Y"}}, "completed and not final"},
        Case{"HOT", {{"tries", "2"}}, "tries without delay"},
        Case{"HOT", {{"delay", "600"}}, "delay without tries"},
        Case{"HOT", {{"next", "alt"}}, "next=alt without tries"},
        Case{"HOT", {{"next_delay", "60"}}, "next_delay without next=alt"},
        Case{"SALE", {{"next", "alt"}}, "the second number is theirs too"},
        Case{"NI", {{"next", "alt"}}, "the second number is theirs too"},
        Case{"HOT", {{"final", "Y"}, {"next", "alt"}}, "only of an unworkable number"},
        Case{"HOT", {{"then", "NOPE"}, {"delay", "600"}, {"tries", "1"}}, "is no status"},
        Case{"HOT", {{"then", "MAXCAL"}}, "then without tries"},
        Case{"HOT", {{"then", "HOT"}, {"delay", "600"}, {"tries", "1"}}, "circle: HOT -> HOT"},
        Case{"HOT", {{"then", "SALE"}, {"delay", "600"}, {"tries", "1"}}, "says sale"},
        Case{"HOT", {{"then", "DNC"}, {"delay", "600"}, {"tries", "1"}}, "says dnc_flag"},
        Case{"HOT", {{"then", "CALLBK"}, {"delay", "600"}, {"tries", "1"}}, "scheduled_callback"},
        Case{"HOT", {{"then", "NEW"}, {"delay", "600"}, {"tries", "1"}}, "engine's own mark"},
        Case{"HOT", {{"hotkey", "1"}}, "hotkey 1 is that of SALE"},
        Case{"HOT", {{"hotkey", "h"}, {"selectable", "N"}}, "what is not selectable"},
        Case{"HOT", {{"selectable", "N"}}, "no agent can choose it"},
        Case{"HOT", {{"name", ""}}, "no name"},
        Case{"HOT", {{"human_answered", "Y"}, {"answering_machine", "Y"}}, "exclude"},
        Case{"HOT", {{"sale", "Y"}}, "sale without human_answered"},
        Case{"DROP", {{"human_answered", "N"}}, "must stay human_answered"},
        Case{"DROP", {{"answering_machine", "Y"}}, "exclude"},
        Case{"DROP", {{"delay", "3600"}}, "rests 72 hours"},
        Case{"DROP", {{"then", "MAXCAL"}}, "left in peace"},
        Case{"PDROP", {{"next", "alt"}}, "left in peace"},
        Case{"DROP", {{"customer_contact", "Y"}}, "no flag but human_answered"},
        Case{"DNC", {{"dnc", ""}}, "must list the number"},
        Case{"DNC", {{"dnc_flag", "N"}, {"dnc", ""}}, "must list the number"},
        Case{"DNCL", {{"dnc_flag", "N"}}, "engine goes by this status"},
        Case{"QUEUE", {{"delay", "600"}, {"tries", "1"}}, "engine goes by this status"},
        Case{"NA", {{"selectable", "Y"}}, "cannot be selectable"},
        Case{"NA", {{"human_answered", "Y"}}, "nobody answered"},
        Case{"AA", {{"answering_machine", "N"}}, "must stay answering_machine"},
        Case{
            "DISPO", {{"final", "Y"}, {"delay", "0"}, {"tries", "0"}}, "own word may still come"}));

TEST(CheckStatuses, ACircleOfSeveralIsToldAtEachOfThem) {
  CampaignSettings settings = Demo();
  Change(settings, "NA", {{"then", "AB"}});
  Change(settings, "AB", {{"then", "N2"}});
  Change(settings, "N2", {{"delay", "600"}, {"tries", "1"}, {"then", "NA"}});
  EXPECT_TRUE(Tells(settings, "NA", "NA -> AB -> N2 -> NA"));
  EXPECT_TRUE(Tells(settings, "AB", "AB -> N2 -> NA -> AB"));
  EXPECT_TRUE(Tells(settings, "N2", "N2 -> NA -> AB -> N2"));
}

TEST(CheckStatuses, AllAreToldAtOnce) {
  CampaignSettings settings = Demo();
  Change(settings, "HOT", {{"final", "Y"}, {"delay", "600"}, {"tries", "1"}, {"hotkey", "1"}});
  Change(settings, "DROP", {{"human_answered", "N"}});
  EXPECT_TRUE(Tells(settings, "HOT", "final and has tries"));
  EXPECT_TRUE(Tells(settings, "HOT", "hotkey"));
  EXPECT_TRUE(Tells(settings, "DROP", "human_answered"));
}

TEST(CheckStatuses, KnowsTheOtherSettingsARowDependsOn) {
  CampaignSettings settings = Demo();
  ASSERT_TRUE(settings.Set("lead_recycle", "NI:604800:1").ok());
  EXPECT_TRUE(CheckStatuses(settings).empty());
  Change(settings, "NI", {{"final", "Y"}});
  EXPECT_TRUE(Tells(settings, "NI", "lead_recycle brings it back"));
  settings = Demo();
  settings.use_campaign_dnc = false;
  Change(settings, "DNC", {{"dnc", "campaign"}});
  EXPECT_TRUE(Tells(settings, "DNC", "does not look at"));
  settings = Demo();
  for (const Disposition* row : StatusSet().Selectable()) {
    Change(settings, row->status.c_str(), {{"selectable", "N"}, {"hotkey", ""}});
  }
  EXPECT_TRUE(Tells(settings, "-", "could not end a call"));
}

}  // namespace
}  // namespace outpace::campaign
