#include "engine/runtime/board.h"

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/json_keys.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

BoardSnapshot Example() {
  BoardSnapshot board;
  board.now = absl::FromUnixMillis(1'700'000'000'123);
  board.uptime = absl::Milliseconds(2500);
  CampaignFigures c;
  c.id = "DEMO";
  c.name = "Demo";
  c.active = true;
  c.dial_method = "RATIO";
  c.hopper = 120;
  c.ringing = 9;
  c.waiting = 1;
  c.talking = 16;
  c.ready = 2;
  c.incall = 17;
  c.dispo = 3;
  c.paused = 4;
  c.today.attempts = 100;
  c.today.answered = 40;
  c.today.connected = 38;
  c.today.machines = 19;
  c.today.abandoned = 1;
  c.today.sales = 5;
  c.today.dispositions = 37;
  c.ring_mean = absl::Milliseconds(11'500);
  c.limit = "abandonment";
  c.why_en = {"Placing 2 calls."};
  c.why_zh = {"发起 2 路呼叫。"};
  board.campaigns.push_back(c);
  board.agents.push_back(
      {"a1", "DEMO", "INCALL", absl::FromUnixMillis(1'700'000'000'000), 3, "", true});
  TrunkFigures trunk;
  trunk.name = "carrier";
  trunk.calls = 25;
  trunk.attempts = 200;
  trunk.answered = 50;
  trunk.stats.today.asr = 0.25;
  trunk.stats.today.by_status = trunk.stats.window.by_status = {{486, 7}};
  trunk.stats.today.by_q850_cause = trunk.stats.window.by_q850_cause = {{17, 7}};
  board.trunks.push_back(trunk);
  board.connect_p50_ms = 0.3;
  board.connect_p99_ms = 2;
  return board;
}

TEST(BoardJson, HasTheKeysOfTheApiPageAndNoOthers) {
  std::ifstream file(OUTPACE_SOURCE_DIR "/docs/API.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::vector<std::string> parts = absl::StrSplit(text.str(), "```json");
  ASSERT_EQ(parts.size(), 4u) << "docs/API.md shows a board, an explanation, an import";
  const Json documented = Json::parse(parts[1].substr(0, parts[1].find("```")));
  std::set<std::string> wanted, shown;
  Keys(documented, "", wanted);
  Keys(Json::parse(BoardJson(Example())), "", shown);
  EXPECT_EQ(shown, wanted);
}

TEST(BoardJson, ShowsTheFigures) {
  const Json board = Json::parse(BoardJson(Example()));
  EXPECT_EQ(board["now_ms"], 1'700'000'000'123);
  EXPECT_EQ(board["uptime_s"], 2.5);
  const Json& campaign = board["campaigns"][0];
  EXPECT_EQ(campaign["calls"], (Json{{"ringing", 9}, {"waiting", 1}, {"talking", 16}}));
  EXPECT_EQ(campaign["agents"], (Json{{"ready", 2}, {"incall", 17}, {"dispo", 3}, {"paused", 4}}));
  EXPECT_EQ(campaign["today"]["abandon_ratio"], 0.05);
  EXPECT_EQ(campaign["today"]["dispositions"], 37);
  EXPECT_EQ(campaign["ring_s"], 11.5);
  EXPECT_EQ(board["agents"][0]["since_ms"], 1'700'000'000'000);
  EXPECT_EQ(board["trunks"][0]["asr"], 0.25);
}

TEST(BoardJson, ShowsTheLiftOfTierAWhereLeadsAreScored) {
  BoardSnapshot board = Example();
  EXPECT_TRUE(Json::parse(BoardJson(board))["campaigns"][0]["tiers"].is_null());
  tier::TierReport report;
  report.a = {.attempts = 100, .successes = 9};
  report.drawn_b = {.attempts = 12, .successes = 0};
  report.ratio = {.ratio = 2.5, .low = 1.1, .high = std::numeric_limits<double>::infinity()};
  board.campaigns[0].tiers = report;
  const Json tiers = Json::parse(BoardJson(board))["campaigns"][0]["tiers"];
  EXPECT_EQ(tiers["a"]["successes"], 9);
  EXPECT_EQ(tiers["lift"]["low"], 1.1);
  EXPECT_TRUE(tiers["lift"]["high"].is_null());
  EXPECT_THAT(BoardText(board), HasSubstr("tiers: A 9 of 100, B at random 0 of 12; A / B 2.50"));
}

TEST(BoardJson, AnEmptyBoardIsWellFormed) {
  const Json board = Json::parse(BoardJson(BoardSnapshot()));
  EXPECT_TRUE(board["campaigns"].is_array());
  EXPECT_TRUE(board["trunks"].empty());
}

// Names come from imports and people. Broken UTF-8 must not take the board down.
TEST(BoardJson, HostileTextIsShownNotObeyed) {
  BoardSnapshot board = Example();
  board.campaigns[0].name = "\xff\xfe\"}<script>\n\0\xc0";
  board.campaigns[0].idle_reason = "\xed\xa0\x80";
  board.agents[0].pause_code = std::string("\0\x1b[31m", 6);
  board.trunks[0].reason = "\xf0\x9f";
  const std::string text = BoardJson(board);
  const Json read = Json::parse(text);
  EXPECT_THAT(read["campaigns"][0]["name"].get<std::string>(), HasSubstr("\"}<script>\n"));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_EQ(text.find('\0'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

TEST(DayFigures, AbandonRatioIsOfPeople) {
  DayFigures day;
  EXPECT_EQ(day.AbandonRatio(), 0);
  day.connected = 97;
  day.abandoned = 3;
  EXPECT_DOUBLE_EQ(day.AbandonRatio(), 0.03);
  day.machines = 50;
  EXPECT_DOUBLE_EQ(day.AbandonRatio(), 3.0 / 50);
  day.machines = 200;  // late dispositions of yesterday's calls
  EXPECT_DOUBLE_EQ(day.AbandonRatio(), 1);
}

TEST(MetricsText, HasEveryNameWithHelpAndValue) {
  BoardSnapshot board = Example();
  const std::string text = MetricsText(board);
  for (const char* line : {
           "outpace_uptime_seconds 2.5\n",
           "outpace_dialing 1\n",
           "outpace_answer_to_bridge_milliseconds{quantile=\"0.5\"} 0.3\n",
           "outpace_answer_to_bridge_milliseconds{quantile=\"0.99\"} 2\n",
           "outpace_calls{campaign=\"DEMO\",state=\"ringing\"} 9\n",
           "outpace_calls{campaign=\"DEMO\",state=\"waiting\"} 1\n",
           "outpace_calls{campaign=\"DEMO\",state=\"talking\"} 16\n",
           "outpace_agents{campaign=\"DEMO\",state=\"paused\"} 4\n",
           "outpace_attempts_today{campaign=\"DEMO\",result=\"placed\"} 100\n",
           "outpace_attempts_today{campaign=\"DEMO\",result=\"sale\"} 5\n",
           "outpace_abandon_ratio{campaign=\"DEMO\"} 0.05\n",
           "outpace_occupancy{campaign=\"DEMO\"} 0\n",
           "outpace_answer_ratio{campaign=\"DEMO\"} 0\n",
           "outpace_hopper{campaign=\"DEMO\"} 120\n",
           "outpace_trunk_up{trunk=\"carrier\"} 1\n",
           "outpace_trunk_calls{trunk=\"carrier\"} 25\n",
           "outpace_trunk_attempts{trunk=\"carrier\"} 200\n",
       }) {
    EXPECT_THAT(text, HasSubstr(line));
  }
  EXPECT_THAT(text, HasSubstr("# HELP outpace_calls "));
  EXPECT_THAT(text, HasSubstr("# TYPE outpace_calls gauge\n"));
  board.stopped_reason = "disk";
  EXPECT_THAT(MetricsText(board), HasSubstr("outpace_dialing 0\n"));
  board.stopped_reason.clear();
  board.draining = true;
  board.trunks[0].up = false;
  board.trunks[0].name = "q\"uote\nline";
  EXPECT_THAT(MetricsText(board), HasSubstr("outpace_dialing 0\n"));
  EXPECT_THAT(MetricsText(board), HasSubstr("outpace_trunk_up{trunk=\"q\\\"uote\\nline\"} 0\n"));
}

TEST(BoardText, SaysWhyNothingIsDialed) {
  BoardSnapshot board = Example();
  EXPECT_THAT(BoardText(board), HasSubstr("ringing   9"));
  EXPECT_THAT(BoardText(board), HasSubstr("(5.0 %)"));
  EXPECT_THAT(BoardText(board), Not(HasSubstr("not dialing")));
  board.campaigns[0].idle_reason = "no lead is due";
  board.trunks[0].up = false;
  board.trunks[0].reason = "503";
  board.stopped_reason = "the disk is full";
  const std::string text = BoardText(board);
  EXPECT_THAT(text, HasSubstr("not dialing: no lead is due"));
  EXPECT_THAT(text, HasSubstr("DOWN"));
  EXPECT_THAT(text, HasSubstr("STOPPED: the disk is full"));
}

}  // namespace
}  // namespace outpace::runtime
