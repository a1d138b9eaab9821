#include "campaign/settings.h"

#include "campaign/lead_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace outpace::campaign {
namespace {

using testing::HasSubstr;

CampaignSettings Demo() {
  CampaignSettings settings;
  settings.id = "DEMO";
  return settings;
}

TEST(CampaignSettings, SurviveTheWayThroughText) {
  CampaignSettings settings = Demo();
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"campaign_name", "Spring, \"2026\" 春"},
                                                        {"active", "Y"},
                                                        {"dial_method", "RATIO"},
                                                        {"auto_dial_level", "2.5"},
                                                        {"adaptive_dropped_percentage", "2.75"},
                                                        {"drop_call_seconds", "1.5"},
                                                        {"dial_timeout", "30"},
                                                        {"local_call_time", "Mon-Sat 10:00-20:00"},
                                                        {"compliance", "us-tsr, us-states,us-tsr"},
                                                        {"allowed_destinations", "+1, 44,1"},
                                                        {"campaign_cid", "+12025550100"},
                                                        {"lead_recycle", "NA:3600:4,AB:300:5"},
                                                        {"report_zone", "America/New_York"},
                                                        {"trunk", "carrier"},
                                                        {"lead_order", "DOWN COUNT 3rd NEW"},
                                                        {"list_order_mix", "101:70:NEW+NA,102:30"},
                                                        {"dial_statuses", "NEW,NA,B"},
                                                        {"abandon_window", "rolling_30d"},
                                                        {"client_dropped_percentage", "1.5"},
                                                        {"client_window", "rolling_24h"},
                                                        {"adaptive_intensity", "-15"},
                                                        {"adaptive_latest_server_time", "0830"},
                                                        {"adaptive_dl_diff_target", "-1"},
                                                        {"available_only_ratio_tally", "Y"},
                                                        {"campaign_weight", "80"},
                                                        {"campaign_priority", "-3"},
                                                        {"min_ring_seconds", "20"},
                                                        {"early_media_detection", "N"},
                                                        {"amd_mode", "blocking"},
                                                        {"cpd_amd_action", "MESSAGE"},
                                                        {"amd_decide_seconds", "3"},
                                                        {"amd_people_lost_percentage", "1.5"},
                                                        {"am_message_exten", "vm_en"},
                                                        {"safe_harbor_audio", "sorry"},
                                                        {"safe_harbor_dnc_key", "9"},
                                                        {"park_file_name", "waltz"},
                                                        {"agent_whisper", "client-7"},
                                                        {"campaign_recording", "ALLFORCE"},
                                                        {"recording_format", "OPUS"},
                                                        {"recording_encrypted", "Y"},
                                                        {"dedup_same", "0.95"},
                                                        {"dedup_review", "0.8"},
                                                        {"use_campaign_dnc", "N"}}) {
    EXPECT_TRUE(settings.Set(name, value).ok()) << settings.Set(name, value);
  }
  const absl::StatusOr<CampaignSettings> again = CampaignSettings::FromMap(settings.ToMap());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->ToMap(), settings.ToMap());
  EXPECT_EQ(again->dial_method, DialMethod::kRatio);
  EXPECT_EQ(again->drop_call_seconds, absl::Milliseconds(1500));
  EXPECT_EQ(again->recycle.size(), 2u);
  EXPECT_EQ(again->recycle[1].delay, absl::Minutes(5));
  EXPECT_EQ(again->report_zone.name(), "America/New_York");
  EXPECT_EQ(again->abandon_window, AbandonWindow::kRolling30d);
  EXPECT_EQ(again->client_window, AbandonWindow::kRolling24h);
  EXPECT_EQ(again->adaptive_latest_server_time, 830);
  EXPECT_EQ(again->ToMap().at("adaptive_latest_server_time"), "0830");
  EXPECT_TRUE(again->available_only_ratio_tally);
  EXPECT_EQ(again->amd_mode, AmdMode::kBlocking);
  EXPECT_EQ(again->cpd_amd_action, MachineAction::kMessage);
  EXPECT_EQ(again->am_message, "vm_en");
  EXPECT_EQ(again->campaign_recording, RecordingMode::kAllForce);
}

TEST(CampaignSettings, APromptIsANameAndNeverAPath) {
  CampaignSettings settings = Demo();
  for (const char* bad : {"../etc/passwd", "a/b", "a.wav", "a b", "$(rm)"}) {
    EXPECT_THAT(std::string(settings.Set("am_message", bad).message()),
                HasSubstr("prompts directory"))
        << bad;
  }
  EXPECT_TRUE(settings.Set("am_message", "").ok());
  EXPECT_THAT(std::string(settings.Set("amd_mode", "YES").message()), HasSubstr("NONBLOCKING"));
  EXPECT_FALSE(settings.Set("safe_harbor_dnc_key", "99").ok());
  EXPECT_FALSE(settings.Set("safe_harbor_dnc_key", "x").ok());
}

TEST(CampaignSettings, VicidialsOtherWordsMeanTheSame) {
  CampaignSettings settings = Demo();
  EXPECT_TRUE(settings.Set("dl_diff_target", "-2").ok());
  EXPECT_TRUE(settings.Set("weight", "7").ok());
  EXPECT_TRUE(settings.Set("priority", "9").ok());
  EXPECT_EQ(settings.adaptive_dl_diff_target, -2);
  EXPECT_EQ(settings.campaign_weight, 7);
  EXPECT_EQ(settings.campaign_priority, 9);
}

TEST(CampaignSettings, TheWindowFollowsTheMethodUnlessItIsNamed) {
  CampaignSettings settings = Demo();
  EXPECT_EQ(settings.RegulationWindow(), AbandonWindow::kDay);
  settings.dial_method = DialMethod::kAdaptTapered;
  EXPECT_EQ(settings.RegulationWindow(), AbandonWindow::kDay);
  settings.dial_method = DialMethod::kAdaptAverage;
  EXPECT_EQ(settings.RegulationWindow(), AbandonWindow::kCampaign);
  settings.abandon_window = AbandonWindow::kDay;
  EXPECT_EQ(settings.RegulationWindow(), AbandonWindow::kDay);
}

// What is accepted and does nothing is said, and only that.
TEST(CampaignSettings, NotesSayWhatHasNoEffect) {
  EXPECT_TRUE(Demo().Notes().empty());
  struct Case {
    const char *method, *name, *value, *says;  // says == nullptr: it has an effect
  };
  for (const Case& c : {
           Case{"ADAPT_HARD_LIMIT", "adaptive_dl_diff_target", "-1", "adaptive_dl_diff_target=-1"},
           Case{"RATIO", "adaptive_dl_diff_target", "2", "adaptive_dl_diff_target=2"},
           Case{"RATIO", "adaptive_intensity", "10", "ADAPT_"},
           Case{"ADAPT_AVERAGE", "adaptive_intensity", "10", nullptr},
           Case{"ADAPT_AVERAGE", "adaptive_latest_server_time", "1700", "ADAPT_TAPERED"},
           Case{"ADAPT_TAPERED", "adaptive_latest_server_time", "1700", nullptr},
           Case{"ADAPT_TAPERED", "available_only_ratio_tally", "Y", "RATIO"},
           Case{"RATIO", "available_only_ratio_tally", "Y", nullptr},
           Case{"PROGRESSIVE", "auto_dial_level", "2", "RATIO"},
           Case{"RATIO", "auto_dial_level", "2", nullptr},
           Case{"ADAPT_AVERAGE", "client_dropped_percentage", "3", "as strict"},
           Case{"ADAPT_HARD_LIMIT", "client_dropped_percentage", "3", nullptr},
           Case{"ADAPT_AVERAGE", "client_dropped_percentage", "1", nullptr},
           Case{"RATIO", "min_ring_seconds", "26", "ring out"},
           Case{"RATIO", "min_ring_seconds", "25", nullptr},
       }) {
    CampaignSettings settings = Demo();
    ASSERT_TRUE(settings.Set("dial_method", c.method).ok());
    ASSERT_TRUE(settings.Set(c.name, c.value).ok());
    const std::vector<std::string> notes = settings.Notes();
    if (c.says == nullptr) {
      EXPECT_TRUE(notes.empty()) << c.method << " " << c.name << ": " << notes.front();
    } else {
      ASSERT_EQ(notes.size(), 1u) << c.method << " " << c.name;
      EXPECT_THAT(notes[0], HasSubstr(c.says));
    }
  }
}

TEST(CampaignSettings, DefaultsSurviveToo) {
  const absl::StatusOr<CampaignSettings> again = CampaignSettings::FromMap(Demo().ToMap());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->ToMap(), Demo().ToMap());
}

TEST(CampaignSettings, RefusesWhatIsOutOfRangeAndSaysWhatIsIn) {
  struct Case {
    const char *name, *value, *says;
  };
  for (const Case& c : {
           Case{"dial_timeout", "14", "15 to 120"},
           Case{"dial_timeout", "nan", "15 to 120"},
           Case{"adaptive_dropped_percentage", "6", "0 to 5"},
           Case{"auto_dial_level", "0", "1 to 20"},
           Case{"auto_dial_level", "inf", "1 to 20"},
           Case{"drop_call_seconds", "-1", "0.5 to 120"},
           Case{"dial_method", "TURBO", "ADAPT_HARD_LIMIT"},
           Case{"active", "maybe", "Y or N"},
           Case{"campaign_id", "far too long", "1 to 8"},
           Case{"campaign_id", "a/b", "1 to 8"},
           Case{"campaign_name", "two\nlines", "one line"},
           Case{"local_call_time", "21-9", "09:00-21:00"},
           Case{"compliance", "US TSR", "us-tsr,us-states"},
           Case{"allowed_destinations", "US", "1,44,8610"},
           Case{"lead_recycle", "NA:60:3", "120..604800"},
           Case{"lead_recycle", "SALE:3600:1", "final"},
           Case{"lead_recycle", "DNC:3600:1", "final"},
           Case{"lead_recycle", "NA:3600:1,NA:7200:1", "once"},
           Case{"report_zone", "../../etc/passwd", "IANA"},
           Case{"call_count_limit", "3.5", "whole number"},
           Case{"abandon_window", "week", "rolling_30d"},
           Case{"client_window", "method", "rolling_30d"},
           Case{"client_dropped_percentage", "nan", "0 to 5"},
           Case{"adaptive_intensity", "41", "-40 to 40"},
           Case{"adaptive_latest_server_time", "2460", "HHMM"},
           Case{"adaptive_latest_server_time", "900", "HHMM"},
           Case{"adaptive_latest_server_time", "-100", "HHMM"},
           Case{"campaign_weight", "0", "1 to 100"},
           Case{"campaign_priority", "100", "-99 to 99"},
           Case{"min_ring_seconds", "14.9", "15 to 120"},
           Case{"colour", "red", "dial_method"},
           Case{"lead_order", "SIDEWAYS", "DOWN LAST NAME"},
           Case{"lead_order", "DOWN 7th NEW", "6th NEW"},
           Case{"list_order_mix", "101:70,102:20", "90 percent"},
           Case{"list_order_mix", "101:50,101:50", "twice"},
           Case{"list_order_mix", "101:50:NEW,101:50:NA+NEW", "twice"},
           Case{"list_order_mix", "101", "list:percent"},
           Case{"list_order_mix", "101:0,102:100", "list:percent"},
           Case{"dial_statuses", "NEW,SALE", "final"},
           Case{"dial_statuses", "NEW,NEW", "twice"},
           Case{"dial_statuses", "NEW,too-long", "status"},
       }) {
    CampaignSettings settings = Demo();
    const auto before = settings.ToMap();
    const absl::Status status = settings.Set(c.name, c.value);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.name << "=" << c.value;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.says));
    EXPECT_EQ(settings.ToMap(), before) << "a refused value changes nothing";
  }
}

TEST(CampaignSettings, ACallerIdIsNotRepeatedInAnError) {
  CampaignSettings settings = Demo();
  const absl::Status status = settings.Set("campaign_cid", "12025550177");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr("12025550177")));
}

TEST(CampaignSettings, ListsOfVicidialAreRead) {
  CampaignSettings settings = Demo();
  ASSERT_TRUE(settings.Set("dial_statuses", " NEW NA B -").ok());
  EXPECT_THAT(settings.dial_statuses, testing::ElementsAre("NEW", "NA", "B"));
  ASSERT_TRUE(settings.Set("lead_order", "up last call time 2nd new").ok());
  EXPECT_EQ(settings.lead_order, (LeadOrderChoice{LeadOrder::kUpLastCallTime, 2}));
  EXPECT_EQ(settings.ToMap()["lead_order"], "UP LAST CALL TIME 2nd NEW");
  for (const char* name : {"lead_order", "list_order_mix", "dial_statuses"}) {
    const std::string usual = Demo().ToMap()[name];
    EXPECT_TRUE(settings.Set(name, usual).ok()) << name;
    EXPECT_EQ(settings.ToMap()[name], usual);
  }
}

TEST(CampaignSettings, DialsWhatWasPromisedWhateverTheStatuses) {
  CampaignSettings settings = Demo();
  EXPECT_THAT(settings.DialedStatuses(), testing::IsEmpty());
  ASSERT_TRUE(settings.Set("dial_statuses", "NEW").ok());
  ASSERT_TRUE(settings.Set("lead_recycle", "AB:300:5").ok());
  EXPECT_THAT(settings.DialedStatuses(), testing::IsSupersetOf({"NEW", "AB", "CALLBK"}));
  EXPECT_THAT(settings.DialedStatuses(), testing::Not(testing::Contains("NA")));
}

TEST(CampaignSettings, NeedsAnId) { EXPECT_FALSE(CampaignSettings::FromMap({}).ok()); }

TEST(StoreBatch, AppendKeepsOrderAndTheLaterMetaWins) {
  StoreBatch a, b;
  EXPECT_TRUE(a.empty());
  a.meta["x"] = "1";
  a.leads.emplace_back().id = LeadId(1);
  b.meta["x"] = "2";
  b.leads.emplace_back().id = LeadId(2);
  b.dnc_removed.emplace_back();
  a.Append(b);
  EXPECT_FALSE(a.empty());
  EXPECT_EQ(a.meta["x"], "2");
  ASSERT_EQ(a.leads.size(), 2u);
  EXPECT_EQ(a.leads[1].id, LeadId(2));
  EXPECT_EQ(a.dnc_removed.size(), 1u);
}

}  // namespace
}  // namespace outpace::campaign
