// Which decisions are kept, and what is said of them.

#include "engine/runtime/explain.h"

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/runtime/campaign_runner.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/json_keys.h"

namespace outpace::runtime {
namespace {

using pacing::Alarm;
using pacing::Limit;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::ordered_json;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'049'600);  // 2023-11-15 12:00 UTC

MonoTime At(double seconds) { return MonoTime() + absl::Seconds(seconds); }

DecisionRecord Example() {
  DecisionRecord record;
  record.at = kNoon;
  record.placed = 3;
  record.placed_minute = 14;
  pacing::Decision& d = record.decision;
  d.legs_to_place = 3;
  d.limit = Limit::kAbandonment;
  d.agents_idle = 2;
  d.agents_talking = 16;
  d.agents_wrapping = 3;
  d.calls_waiting = 1;
  d.in_flight = 9;
  d.agents_expected_free = 3.24;
  d.answers_expected = 2.71;
  d.answer_ratio = 0.213;
  d.machine_estimate = 0.12;
  d.ring_time_mean = absl::Seconds(9.8);
  d.talk_time_mean = absl::Seconds(148);
  d.wrap_time_mean = absl::Seconds(31);
  d.p_abandon = 0.034;
  d.theta = 0.0215;
  d.aim = 0.028;
  d.contract = 0;
  d.budget_left = 5.4;
  d.persons = 812;
  d.abandoned = 19;
  d.dial_level = 1.4;
  record.lines_free = 70;
  record.trunk_tokens = 4;
  record.leads_ready = 180;
  campaign::CampaignSettings settings;
  settings.trunk = "carrier";
  settings.client_dropped_percentage = 1;
  record.terms = std::make_shared<const DecisionTerms>(TermsOf(settings));
  return record;
}

std::string Said(const DecisionRecord& record, const std::string& idle = "",
                 Language language = Language::kEnglish) {
  return absl::StrJoin(Explain(record, idle, language), "\n");
}

TEST(DecisionRing, KeepsWhatTellsSomething) {
  DecisionRing ring(3);
  EXPECT_EQ(ring.latest(), nullptr);
  DecisionRecord quiet;
  quiet.decision.limit = Limit::kAgents;
  EXPECT_TRUE(ring.Add(quiet, At(0)));
  EXPECT_FALSE(ring.Add(quiet, At(1)));
  quiet.leads_ready = 7;
  EXPECT_FALSE(ring.Add(quiet, At(9.9)));
  EXPECT_EQ(ring.latest()->leads_ready, 7) << "the latest, kept or not";
  EXPECT_EQ(ring.Last(9).front().leads_ready, 0);
  EXPECT_TRUE(ring.Add(quiet, At(10))) << "one each ten seconds";
  EXPECT_FALSE(ring.Add(quiet, At(11)));
  DecisionRecord placing = quiet;
  placing.placed = placing.decision.legs_to_place = 1;
  EXPECT_TRUE(ring.Add(placing, At(11.1)));
  EXPECT_TRUE(ring.Add(placing, At(11.2)));
  quiet.decision.limit = Limit::kHopper;
  EXPECT_TRUE(ring.Add(quiet, At(11.3)));
  EXPECT_FALSE(ring.Add(quiet, At(11.4)));
  quiet.decision.alarm = Alarm::kClockStep;
  EXPECT_TRUE(ring.Add(quiet, At(11.5)));
  // Three fit; newest first.
  const std::vector<DecisionRecord> last = ring.Last(600);
  ASSERT_EQ(last.size(), 3u);
  EXPECT_EQ(last[0].decision.alarm, Alarm::kClockStep);
  EXPECT_EQ(last[1].decision.limit, Limit::kHopper);
  EXPECT_EQ(last[2].placed, 1);
  EXPECT_EQ(ring.Last(1).size(), 1u);
  EXPECT_TRUE(ring.Last(0).empty());
}

TEST(DecisionRing, SumsTheLegsOfTheLastMinute) {
  DecisionRing ring;
  DecisionRecord record;
  const auto minute = [&](int placed, double at) {
    record.placed = placed;
    ring.Add(record, At(at));
    return ring.latest()->placed_minute;
  };
  EXPECT_EQ(minute(2, 1000.1), 2);
  EXPECT_EQ(minute(3, 1000.9), 5);
  EXPECT_EQ(minute(0, 1001), 5);
  EXPECT_EQ(minute(1, 1030), 6);
  EXPECT_EQ(minute(0, 1059.9), 6);
  EXPECT_EQ(minute(0, 1060), 1) << "a minute ago";
  EXPECT_EQ(minute(4, 1000), 5) << "a clock that goes back loses nothing";
  EXPECT_EQ(minute(0, 5000), 0);
}

TEST(Explain, SaysWhatWasDoneAndFromWhichFigures) {
  const std::string said = Said(Example());
  for (const char* words :
       {"Placing 3 calls (14 in the last minute). If one more were answered, no agent would be "
        "free in 3.40 % of cases; 2.15 % is allowed now.",
        "Agents: 2 free, 16 talking, 3 in wrap-up.", "Calls: 9 ringing, 1 waiting for an agent.",
        "Within one ring time 2.7 answers are expected from them, and 3.2 agents free.",
        "Learned: 21.3 % of calls reach an agent (12.0 % machines); ring 9.8 s, talk 148 s, "
        "wrap-up 31.0 s.",
        "Binding: the regulation's limit, 3.0 % today: 19 of 812 persons who answered were "
        "abandoned (2.34 %), 5 more may be now; aim 2.80 %."}) {
    EXPECT_THAT(said, HasSubstr(words));
  }
  EXPECT_THAT(said, Not(HasSubstr("Alarm")));
}

TEST(Explain, SaysItInChineseWithTheGlossarysWords) {
  DecisionRecord record = Example();
  const std::string said = Said(record, "", Language::kChinese);
  for (const char* words :
       {"发起 3 路呼叫（最近一分钟 14 路）。再拨一路，若被接听，届时没有空闲坐席的概率为 3.40 "
        "%，当前允许 2.15 %。",
        "约束：法规上限 3.0 %（今天）：812 位真人接听中呼损 19 位（2.34 %），目前还可损失 5 "
        "位；目标 2.80 %。"}) {
    EXPECT_THAT(said, HasSubstr(words));
  }
  record.decision.limit = Limit::kLevel;
  EXPECT_THAT(Said(record, "", Language::kChinese), HasSubstr("已到外呼比例上限"));
}

// Every limit and every alarm has a sentence of its own, in both languages.
TEST(Explain, EachLimitAndAlarmIsPutIntoWords) {
  std::set<std::string> english, chinese;
  int limits = 0;
  for (int limit = 0; limit <= static_cast<int>(Limit::kSafety); ++limit) {
    DecisionRecord record = Example();
    record.decision.limit = static_cast<Limit>(limit);
    english.insert(Explain(record, "", Language::kEnglish).front());
    chinese.insert(Explain(record, "", Language::kChinese).front());
    ++limits;
  }
  EXPECT_EQ(english.size(), static_cast<size_t>(limits));
  EXPECT_EQ(chinese.size(), static_cast<size_t>(limits));
  std::set<std::string> alarms;
  for (int alarm = 1; alarm <= static_cast<int>(Alarm::kNoPersons); ++alarm) {
    DecisionRecord record = Example();
    record.decision.alarm = static_cast<Alarm>(alarm);
    EXPECT_THAT(Explain(record, "", Language::kEnglish)[1], HasSubstr("Alarm: "));
    alarms.insert(Explain(record, "", Language::kEnglish)[1]);
    EXPECT_THAT(Explain(record, "", Language::kChinese)[1], HasSubstr("告警"));
  }
  EXPECT_EQ(alarms.size(), 4u);
}

TEST(Explain, TellsShortfallsOfASharedTrunkFromItsOwn) {
  DecisionRecord record = Example();
  record.decision.limit = Limit::kTrunkRate;
  EXPECT_THAT(Said(record), HasSubstr("The rate of trunk carrier"));
  record.trunk_shared = true;
  EXPECT_THAT(Said(record), HasSubstr("share of the rate of trunk carrier"));
  record.decision.limit = Limit::kLines;
  EXPECT_THAT(Said(record), HasSubstr("share of the lines of trunk carrier"));
}

TEST(Explain, NamesTheContractThatBinds) {
  DecisionRecord record = Example();
  record.decision.limit = Limit::kBudget;
  record.decision.contract = 1;
  EXPECT_THAT(Said(record), AllOf(HasSubstr("What the client's limit allows is used up: less risk "
                                            "is taken until it recovers."),
                                  HasSubstr("the client's limit, 1.0 % in this campaign")));
  // A fixed ratio has no risk to lower.
  DecisionRecord ratio = record;
  DecisionTerms terms = *record.terms;
  terms.dial_method = "RATIO";
  ratio.terms = std::make_shared<const DecisionTerms>(terms);
  EXPECT_THAT(Said(ratio), HasSubstr("one call for each free agent until it recovers."));
  for (const int none : {-1, 2, 99}) {
    record.decision.contract = none;
    EXPECT_THAT(Said(record),
                AllOf(HasSubstr("the limit on abandoned calls allows"), Not(HasSubstr("Binding"))));
  }
  record.terms = nullptr;
  EXPECT_THAT(Said(record), Not(HasSubstr("Binding")));
}

TEST(Explain, WhyNothingIsDialedComesFirst) {
  DecisionRecord record = Example();
  record.placed = 0;
  EXPECT_EQ(Explain(record, "the campaign is paused", Language::kEnglish).front(),
            "No call is placed: the campaign is paused.");
  EXPECT_THAT(Explain(record, "", Language::kEnglish).front(),
              HasSubstr("Placing no call now (14 in the last minute)."));
  record.placed = 1;
  EXPECT_THAT(Explain(record, "", Language::kEnglish).front(), HasSubstr("Placing 1 call (14 "));
}

TEST(Explain, AbsurdFiguresDoNotReachTheScreen) {
  DecisionRecord record = Example();
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinite = std::numeric_limits<double>::infinity();
  record.decision.p_abandon = record.decision.answers_expected = nan;
  record.decision.budget_left = record.decision.theta = infinite;
  record.decision.persons = 0;
  const std::string said = Said(record);
  EXPECT_THAT(said, AllOf(Not(HasSubstr("nan")), Not(HasSubstr("inf"))));
  WhyAnswer answer;
  answer.decided = true;
  answer.latest = record;
  answer.last = {record};
  EXPECT_FALSE(Json::parse(WhyJson(answer), nullptr, false).is_discarded());
  EXPECT_THAT(WhyJson(answer), Not(HasSubstr("null,\"theta\"")));
}

WhyAnswer ExampleAnswer() {
  WhyAnswer answer;
  answer.campaign = "DEMO";
  answer.now = kNoon + absl::Seconds(1);
  answer.decided = true;
  answer.latest = Example();
  answer.last = {Example(), Example()};
  answer.last[1].at = kNoon - absl::Seconds(3.2);
  answer.last[1].decision.alarm = Alarm::kNoPersons;
  return answer;
}

TEST(WhyText, SentencesAndATable) {
  const std::string text = WhyText(ExampleAnswer());
  EXPECT_THAT(text, HasSubstr("Campaign DEMO, 2023-11-15 12:00:00.0 UTC\n  Placing 3 calls (14 "));
  EXPECT_THAT(text, HasSubstr("12:00:00.0     3 abandonment"));
  EXPECT_THAT(text, HasSubstr("11:59:56.8     3 abandonment"));
  EXPECT_THAT(text, HasSubstr("  no_persons\n"));
  WhyAnswer nothing;
  nothing.campaign = "DEMO";
  nothing.idle_reason = "the campaign is paused";
  EXPECT_EQ(WhyText(nothing), "Campaign DEMO: nothing was decided yet: the campaign is paused.\n");
}

TEST(WhyJson, HasTheKeysOfTheApiPageAndNoOthers) {
  std::ifstream file(OUTPACE_SOURCE_DIR "/docs/API.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::vector<std::string> parts = absl::StrSplit(text.str(), "```json");
  ASSERT_EQ(parts.size(), 4u) << "docs/API.md shows a board, an explanation, an import";
  const Json documented = Json::parse(parts[2].substr(0, parts[2].find("```")));
  const Json json = Json::parse(WhyJson(ExampleAnswer()));
  std::set<std::string> wanted, found;
  Keys(documented, "", wanted);
  Keys(json, "", found);
  EXPECT_EQ(wanted, found);
  EXPECT_EQ(json["decisions"].size(), 2u);
  EXPECT_EQ(json["latest"]["contract"]["left"], 5.4);
  EXPECT_EQ(json["why"]["en"].size(), json["why"]["zh"].size());
}

TEST(WhyJson, BeforeTheFirstDecision) {
  WhyAnswer answer;
  answer.campaign = "DEMO";
  answer.idle_reason = "the campaign is paused";
  const Json json = Json::parse(WhyJson(answer));
  EXPECT_TRUE(json["latest"].is_null());
  EXPECT_TRUE(json["decisions"].empty());
  EXPECT_TRUE(json["why"]["en"].empty());
}

TEST(CampaignRunner, LogsLegsOnceASecondAndNoneTwice) {
  CampaignRunner runner{campaign::CampaignSettings()};
  DecisionRecord record;
  EXPECT_FALSE(runner.NoteDecision(record, kNoon, At(0))) << "no leg, no line";
  record.placed = 2;
  EXPECT_TRUE(runner.NoteDecision(record, kNoon, At(1)));
  EXPECT_EQ(std::exchange(runner.legs_unlogged, 0), 2);
  EXPECT_FALSE(runner.NoteDecision(record, kNoon, At(1.5)));
  EXPECT_FALSE(runner.NoteDecision(record, kNoon, At(1.9)));
  record.placed = 0;
  EXPECT_TRUE(runner.NoteDecision(record, kNoon, At(2.1))) << "what was held back is told";
  EXPECT_EQ(runner.legs_unlogged, 4);
}

TEST(CampaignRunner, WhyHasTheSettingsOfItsTime) {
  campaign::CampaignSettings settings;
  settings.id = "C";
  settings.dial_method = campaign::DialMethod::kAdaptAverage;
  CampaignRunner runner(settings);
  DecisionRecord record;
  record.placed = 1;
  runner.NoteDecision(record, kNoon, At(0));
  settings.dial_method = campaign::DialMethod::kRatio;
  runner.UpdateSettings(settings);
  runner.NoteDecision(record, kNoon, At(1));
  const WhyAnswer why = runner.Why(600, kNoon);
  ASSERT_EQ(why.last.size(), 2u);
  EXPECT_EQ(why.last[0].terms->dial_method, "RATIO");
  EXPECT_EQ(why.last[1].terms->dial_method, "ADAPT_AVERAGE");
  EXPECT_EQ(why.last[1].terms->contracts.at(0).window, "campaign");
  EXPECT_EQ(why.campaign, "C");
}

}  // namespace
}  // namespace outpace::runtime
