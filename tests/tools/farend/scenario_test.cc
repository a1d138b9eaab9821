#include "tools/farend/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace outpace::farend {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr absl::string_view kHalf = "[class.human]\nshare = 0.5\n[class.busy]\nshare = 0.5\n";

TEST(Scenario, TheFateOfANumberDependsOnSeedAndNumberOnly) {
  const Scenario one = Scenario::Default();
  const Scenario same = Scenario::Default();
  Scenario other = Scenario::Default();
  other.set_seed(99);
  int differ = 0;
  std::map<std::string, AnswerClass> forward;
  for (int i = 0; i < 2000; ++i) {
    const std::string number = absl::StrCat(12025550000 + i);
    forward[number] = one.PlanFor(number, 0).answer;
  }
  for (int i = 1999; i >= 0; --i) {
    const std::string number = absl::StrCat(12025550000 + i);
    const Plan plan = same.PlanFor(number, static_cast<uint64_t>(i % 3));
    EXPECT_EQ(plan.answer, forward[number]);
    EXPECT_EQ(plan.ring, one.PlanFor(number, 0).ring);
    differ += other.PlanFor(number, 0).answer != forward[number];
  }
  EXPECT_GT(differ, 500);
}

TEST(Scenario, SharesAndTimesAreThoseOfTheFile) {
  const auto demo =
      Scenario::Load(absl::StrCat(OUTPACE_SOURCE_DIR, "/tools/farend/scenarios/demo.toml"));
  ASSERT_TRUE(demo.ok()) << demo.status();
  constexpr int kNumbers = 20'000;
  int human = 0, machine = 0;
  double ring = 0, ring_square = 0;
  for (int i = 0; i < kNumbers; ++i) {
    const Plan plan = demo->PlanFor(absl::StrCat(8613800000000 + 10'000 * int64_t{i} + 7), 0);
    EXPECT_GE(plan.post_dial_delay, absl::Milliseconds(200));
    EXPECT_LE(plan.post_dial_delay, absl::Milliseconds(500));
    machine += plan.answer == AnswerClass::kMachine;
    if (plan.answer == AnswerClass::kNoAnswer) {
      EXPECT_FALSE(plan.ring.has_value());
    }
    if (plan.answer != AnswerClass::kHuman) continue;
    ++human;
    const double seconds = absl::ToDoubleSeconds(*plan.ring);
    ring += seconds;
    ring_square += seconds * seconds;
    EXPECT_TRUE(plan.answers);
    EXPECT_FALSE(plan.talk.has_value());
  }
  EXPECT_NEAR(human / double{kNumbers}, 0.30, 0.015);
  EXPECT_NEAR(machine / double{kNumbers}, 0.12, 0.01);
  const double mean = ring / human;
  EXPECT_NEAR(mean, 3.0, 0.08);
  EXPECT_NEAR(std::sqrt(ring_square / human - mean * mean) / mean, 0.4, 0.03);
}

TEST(Scenario, RulesPinNumbersAndTheFirstOneWins) {
  const auto scenario = Scenario::Parse(
      absl::StrCat(kHalf,
                   "[[rule]]\nmatch = \"*0486\"\nclass = \"busy\"\nphrase = \"Engaged\"\n"
                   "[[rule]]\nmatch = \"1202*\"\nclass = \"congestion\"\n"
                   "retry_after_s = 3\n"),
      "t.toml");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const Plan busy = scenario->PlanFor("12025550486", 0);
  EXPECT_EQ(busy.answer, AnswerClass::kBusy);
  EXPECT_EQ(busy.status, 486);
  EXPECT_EQ(busy.q850_cause, 17);
  EXPECT_EQ(busy.phrase, "Engaged");
  const Plan congestion = scenario->PlanFor("12025550100", 0);
  EXPECT_EQ(congestion.status, 503);
  EXPECT_EQ(congestion.retry_after_s, 3);
}

TEST(Scenario, ARepeatedCallMayMeetSomebodyElse) {
  const auto fresh = Scenario::Parse(absl::StrCat("repeat = \"fresh\"\n", kHalf), "t.toml");
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  int human = 0;
  for (uint64_t call = 0; call < 1000; ++call) {
    human += fresh->PlanFor("12025550100", call).answer == AnswerClass::kHuman;
  }
  EXPECT_NEAR(human, 500, 80);
}

TEST(Scenario, LawsHaveTheMeansTheyClaim) {
  using Law = Distribution::Law;
  struct Row {
    Distribution law;
    double mean, deviation;
  };
  const Row rows[] = {{{Law::kConstant, 4, 0}, 4, 0},
                      {{Law::kUniform, 2, 6}, 4, 4 / std::sqrt(12.0)},
                      {{Law::kExponential, 4, 0}, 4, 4},
                      {{Law::kLognormal, 4, 0.5}, 4, 2},
                      {{Law::kErlang, 4, 4}, 4, 2}};
  for (const Row& row : rows) {
    Rng rng(7);
    double sum = 0, squares = 0;
    constexpr int kDraws = 50'000;
    for (int i = 0; i < kDraws; ++i) {
      const double x = absl::ToDoubleSeconds(row.law.Draw(rng));
      ASSERT_GE(x, 0);
      sum += x;
      squares += x * x;
    }
    const double mean = sum / kDraws;
    EXPECT_NEAR(mean, row.mean, 0.1) << static_cast<int>(row.law.law);
    EXPECT_NEAR(std::sqrt(std::max(0.0, squares / kDraws - mean * mean)), row.deviation, 0.15)
        << static_cast<int>(row.law.law);
  }
}

TEST(Scenario, MistakesAreNamedWithTheirLineAndARemedy) {
  struct Row {
    std::string text;
    const char* line;
    const char* says;
  };
  const Row rows[] = {
      {"seed = 1\n", "t.toml:1:", "add at least [class.human]"},
      {"seed = \n", "t.toml:1:", "TOML"},
      {"sead = 1\n" + std::string(kHalf), "t.toml:1:", "unknown key \"sead\""},
      {"[class.hooman]\nshare = 1\n", "t.toml:1:", "unknown class \"hooman\"; use one of human"},
      {"[class.human]\nring = 3\n", "t.toml:1:", "no share"},
      {"[class.human]\nshare = 0.4\n", "t.toml:1:", "add up to 0.4, not 1"},
      {"[class.human]\nshare = 1.0\nring = { law = \"zipf\" }\n",
       "t.toml:3:", "use constant, uniform"},
      {"[class.human]\nshare = 1.0\nring = { law = \"uniform\", min_s = 3, max_s = 1 }\n",
       "t.toml:3:", "swap"},
      {"[class.human]\nshare = 1.0\nring = { law = \"lognormal\", mean_s = 3 }\n",
       "t.toml:3:", "needs cv"},
      {"[class.human]\nshare = 1.0\nring = { law = \"exponential\", mean_s = -3 }\n",
       "t.toml:3:", "mean_s: want a number from"},
      {"[class.human]\nshare = 1.0\nring = { law = \"constant\", value = 3 }\n",
       "t.toml:3:", "unknown key \"value\""},
      {"[class.human]\nshare = 1.0\ntalk = true\n", "t.toml:3:", "want seconds"},
      {"[class.busy]\nshare = 1.0\nstatus = 200\n", "t.toml:3:", "from 400 to 699"},
      {"[class.busy]\nshare = 1.0\nphrase = \"a\\r\\nb\"\n", "t.toml:3:", "one line"},
      {std::string(kHalf) + "[[rule]]\nmatch = \"+1*\"\nclass = \"busy\"\n", "t.toml:6:", "no '+'"},
      {std::string(kHalf) + "[[rule]]\nmatch = \"1*\"\n", "t.toml:5:", "needs match"},
      {std::string(kHalf) + "[[rule]]\nmatch = \"1*\"\nclass = \"dog\"\n",
       "t.toml:7:", "unknown class"},
  };
  for (const Row& row : rows) {
    const auto scenario = Scenario::Parse(row.text, "t.toml");
    ASSERT_FALSE(scenario.ok()) << row.text;
    EXPECT_THAT(std::string(scenario.status().message()), StartsWith(row.line)) << row.text;
    EXPECT_THAT(std::string(scenario.status().message()), HasSubstr(row.says)) << row.text;
  }
  EXPECT_FALSE(Scenario::Load("/nonexistent/scenario.toml").ok());
}

// The example that people copy out of the manual is a real one.
TEST(Scenario, TheManualsExampleIsValid) {
  std::ifstream file(absl::StrCat(OUTPACE_SOURCE_DIR, "/docs/CARRIER.md"));
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t begin = text.find("```toml\n");
  ASSERT_NE(begin, std::string::npos);
  const size_t end = text.find("```", begin + 8);
  const auto scenario = Scenario::Parse(text.substr(begin + 8, end - begin - 8), "CARRIER.md");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->PlanFor("12025550486", 0).status, 486);
}

TEST(MatchesNumber, Table) {
  struct Row {
    const char* pattern;
    const char* digits;
    bool matches;
  };
  const Row rows[] = {{"*0486", "12025550486", true},
                      {"*0486", "120255504861", false},
                      {"1202*", "12025550486", true},
                      {"1202*", "1303", false},
                      {"*55*04*", "12025550486", true},
                      {"12?2", "1202", true},
                      {"12?2", "12002", false},
                      {"*", "", true},
                      {"", "", true},
                      {"", "1", false},
                      {"1*2*3*4*5*6*7*8*9", "1", false}};
  for (const Row& row : rows) {
    EXPECT_EQ(MatchesNumber(row.pattern, row.digits), row.matches)
        << row.pattern << " " << row.digits;
  }
}

}  // namespace
}  // namespace outpace::farend
