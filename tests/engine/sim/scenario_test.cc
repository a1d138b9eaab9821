// The scenario file: what is written is what is simulated, and no text, however damaged, is taken
// for something else.

#include "engine/sim/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/base/rng.h"

namespace outpace::sim {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kWhole[] = R"(# A day with everything in it.
id = X1
title = Zürich & friends (test)
warm_up = 10m
length = 1h30m
repeats = 3
shared_agents = 4
reference_frontier = 93.5 %
reference_vicidial_best = 90 %

[campaign MAIN]
agents = 12
outcomes = person 25 % machine 30.5 % no_answer 34.5 % fail 10 %
person_ring = 2s + erlang(3, 9s)   # INVITE to answer
machine_ring = uniform(14s..26s)
fail_delay = 500ms + exponential(4s)
ring_time_max = 30s
talk = samples(3s 8.5s,
               1m40s   # one that lasted
               250ms)
machine_talk = 0s
wrap = lognormal(30s, cv 0.5)
wrap_after_machine = yes
amd = delay 1.5s caught 93 % false_positive 0.5 %
churn = 35 % every 5m
leads = 3000
forecast_correlation = 0.3
lines_max = 80
calls_per_second = 2.5
weight = 2
priority = 7
abandon_ratio_max = 2 %
answer_limit = 1500ms

[phase 40m]
person = 10 %
segment = 3
agents = 20

[phase 20m]
outcomes = person 8 % machine 75 % no_answer 12 % fail 5 %
talk_scale = 0.5
answer_delay_extra = 8s
congestion = 60 %
stalled = yes

[campaign OTHER]
person = 40 %
amd = none
)";

std::string ErrorOf(absl::string_view text) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(text);
  if (scenario.ok()) return "";
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(scenario.status().message());
}

// A file that holds the given lines below the campaign's header.
std::string Campaign(absl::string_view lines) {
  return absl::StrCat("id = T\n[campaign]\n", lines, "\n");
}

TEST(ScenarioFile, ReadsEveryKey) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(kWhole);
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->id, "X1");
  EXPECT_EQ(scenario->title, "Zürich & friends (test)");
  EXPECT_EQ(scenario->warm_up, absl::Minutes(10));
  EXPECT_EQ(scenario->length, absl::Minutes(90));
  EXPECT_EQ(scenario->repeats, 3);
  EXPECT_EQ(scenario->shared_agents, 4);
  EXPECT_EQ(scenario->reference_frontier, 93.5);
  EXPECT_EQ(scenario->reference_vicidial_best, 90);
  ASSERT_THAT(scenario->campaigns, SizeIs(2));

  const ScenarioCampaign& c = scenario->campaigns[0];
  EXPECT_EQ(c.id, "MAIN");
  EXPECT_EQ(c.agents, 12);
  EXPECT_EQ(c.mix.person, 0.25);
  EXPECT_EQ(c.mix.machine, 0.305);
  EXPECT_EQ(c.mix.no_answer, 0.345);
  EXPECT_EQ(c.mix.fail, 0.1);
  EXPECT_EQ(c.person_ring.kind, DelayLaw::Kind::kErlang);
  EXPECT_EQ(c.person_ring.fixed_s, 2);
  EXPECT_EQ(c.person_ring.stages, 3);
  EXPECT_EQ(c.person_ring.mean_s, 9);
  EXPECT_EQ(c.machine_ring.kind, DelayLaw::Kind::kUniform);
  EXPECT_EQ(c.machine_ring.mean_s, 20);
  EXPECT_DOUBLE_EQ(c.machine_ring.cv, 0.3);
  EXPECT_EQ(c.fail_delay.kind, DelayLaw::Kind::kExponential);
  EXPECT_EQ(c.fail_delay.fixed_s, 0.5);
  EXPECT_EQ(c.ring_time_max, absl::Seconds(30));
  EXPECT_EQ(c.talk.kind, DelayLaw::Kind::kSamples);
  EXPECT_THAT(c.talk.samples, ElementsAre(3, 8.5, 100, 0.25));
  EXPECT_EQ(c.machine_talk.Mean(), 0);
  EXPECT_EQ(c.wrap.kind, DelayLaw::Kind::kLognormal);
  EXPECT_EQ(c.wrap.cv, 0.5);
  EXPECT_TRUE(c.wrap_after_machine);
  EXPECT_TRUE(c.amd.present);
  EXPECT_EQ(c.amd.delay, absl::Milliseconds(1500));
  EXPECT_EQ(c.amd.caught, 0.93);
  EXPECT_EQ(c.amd.false_positive, 0.005);
  EXPECT_EQ(c.churn_share, 0.35);
  EXPECT_EQ(c.churn_every, absl::Minutes(5));
  EXPECT_EQ(c.leads, 3000);
  EXPECT_EQ(c.forecast_correlation, 0.3);
  EXPECT_EQ(c.lines_max, 80);
  EXPECT_EQ(c.calls_per_second, 2.5);
  EXPECT_EQ(c.weight, 2);
  EXPECT_EQ(c.priority, 7);
  EXPECT_EQ(c.abandon_ratio_max, 0.02);
  EXPECT_EQ(c.answer_limit, absl::Milliseconds(1500));

  ASSERT_THAT(c.phases, SizeIs(2));
  EXPECT_EQ(c.phases[0].length, absl::Minutes(40));
  EXPECT_EQ(c.phases[0].segment, 3u);
  EXPECT_EQ(c.phases[0].agents, 20);
  EXPECT_FALSE(c.phases[0].stalled);
  EXPECT_EQ(c.phases[1].mix->machine, 0.75);
  EXPECT_EQ(c.phases[1].talk_scale, 0.5);
  EXPECT_EQ(c.phases[1].answer_delay_extra, absl::Seconds(8));
  EXPECT_EQ(c.phases[1].congestion, 0.6);
  EXPECT_TRUE(c.phases[1].stalled);
}

TEST(ScenarioFile, PersonKeepsTheProportionsOfTheOthers) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(kWhole);
  ASSERT_TRUE(scenario.ok());
  const OutcomeMix& phase = *scenario->campaigns[0].phases[0].mix;
  EXPECT_EQ(phase.person, 0.1);
  EXPECT_NEAR(phase.person + phase.machine + phase.no_answer + phase.fail, 1, 1e-12);
  EXPECT_NEAR(phase.machine / phase.fail, 3.05, 1e-9);
  const OutcomeMix& other = scenario->campaigns[1].mix;
  EXPECT_NEAR(other.machine, 0.35 * 0.6 / 0.8, 1e-12);
}

TEST(ScenarioFile, DefaultsAreTheBaseScenario) {
  const absl::StatusOr<Scenario> scenario = ParseScenario("id = T\n[campaign]\n");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const ScenarioCampaign& c = scenario->campaigns[0];
  EXPECT_EQ(c.id, "SIM");
  EXPECT_EQ(c.agents, 50);
  EXPECT_EQ(c.person_ring.Mean(), 11);
  EXPECT_EQ(c.talk.Mean(), 150);
  EXPECT_EQ(c.wrap.Mean(), 30);
  EXPECT_TRUE(c.amd.present);
  EXPECT_EQ(c.abandon_ratio_max, 0.03);
  EXPECT_THAT(c.phases, IsEmpty());
}

TEST(ScenarioFile, WhatIsWrittenReadsBack) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(kWhole);
  ASSERT_TRUE(scenario.ok());
  const std::string text = FormatScenario(*scenario);
  const absl::StatusOr<Scenario> again = ParseScenario(text);
  ASSERT_TRUE(again.ok()) << again.status() << "\n" << text;
  EXPECT_EQ(FormatScenario(*again), text);
  EXPECT_EQ(again->campaigns[0].talk.samples, scenario->campaigns[0].talk.samples);
  EXPECT_THAT(again->campaigns[0].machine_ring.cv,
              DoubleNear(scenario->campaigns[0].machine_ring.cv, 1e-9));
  EXPECT_EQ(again->campaigns[0].phases[0].mix->machine,
            scenario->campaigns[0].phases[0].mix->machine);
  EXPECT_EQ(again->campaigns[1].amd.present, false);
}

TEST(ScenarioFile, EveryScenarioOfTheSuiteReadsAndReadsBack) {
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(OUTPACE_SOURCE_DIR "/bench/scenarios")) {
    if (entry.path().extension() != ".scenario") continue;
    ++files;
    SCOPED_TRACE(entry.path().filename());
    std::ifstream file(entry.path());
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const absl::StatusOr<Scenario> scenario = ParseScenario(text);
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    EXPECT_EQ(scenario->id, entry.path().stem());
    EXPECT_THAT(scenario->title, Not(IsEmpty()));
    EXPECT_THAT(text, StartsWith(absl::StrCat("# ", scenario->id, ". ")));
    const absl::StatusOr<Scenario> again = ParseScenario(FormatScenario(*scenario));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(FormatScenario(*again), FormatScenario(*scenario));
  }
  EXPECT_GE(files, 34u);
}

TEST(ScenarioFile, TheExampleOfTheDocumentReads) {
  std::ifstream file(OUTPACE_SOURCE_DIR "/docs/SCENARIOS.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  const size_t from = page.find("```ini\n");
  ASSERT_NE(from, std::string::npos);
  const size_t to = page.find("```", from + 7);
  ASSERT_NE(to, std::string::npos);
  const absl::StatusOr<Scenario> scenario = ParseScenario(page.substr(from + 7, to - from - 7));
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  EXPECT_EQ(scenario->campaigns.size(), 2u);
}

TEST(ScenarioFile, ErrorsNameTheLineTheFaultAndWhatIsAllowed) {
  EXPECT_THAT(ErrorOf(Campaign("agents = lots")),
              AllOf(StartsWith("line 3: agents = 'lots': not a whole number"),
                    HasSubstr("allowed: 0 to 20000")));
  EXPECT_THAT(ErrorOf(Campaign("agents = 20001")), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf(Campaign("agents = -1")), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf(Campaign("\n# x\nagents = 1\nagents = 2")),
              AllOf(StartsWith("line 6: "), HasSubstr("line 5")));
  EXPECT_THAT(ErrorOf(Campaign("agnets = 5")),
              AllOf(StartsWith("line 3: unknown key 'agnets'"), HasSubstr("person_ring")));
  EXPECT_THAT(ErrorOf(Campaign("just words")), StartsWith("line 3: 'just words' is neither"));
  EXPECT_THAT(ErrorOf(Campaign("outcomes = person 20 % machine 35 % no_answer 30 % fail 16 %")),
              HasSubstr("add up to 101 %"));
  EXPECT_THAT(ErrorOf(Campaign("outcomes = person 20 machine 80 %")), HasSubstr("'%' is missing"));
  EXPECT_THAT(ErrorOf(Campaign("outcomes = person 50 % person 50 %")), HasSubstr("twice"));
  EXPECT_THAT(ErrorOf(Campaign("outcomes = person 50 % robot 50 %")), HasSubstr("'robot'"));
  EXPECT_THAT(ErrorOf(Campaign("outcomes = person 50 % machine")), HasSubstr("no value"));
  EXPECT_THAT(ErrorOf(Campaign("person = 10 %\noutcomes = person 100 %")),
              AllOf(StartsWith("line 4: "), HasSubstr("line 3")));
  EXPECT_THAT(ErrorOf(Campaign("abandon_ratio_max = 3")), HasSubstr("'%' is missing"));
  EXPECT_THAT(ErrorOf(Campaign("abandon_ratio_max = 0 %")), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf(Campaign("abandon_ratio_max = nan %")), HasSubstr("not a number"));
  EXPECT_THAT(ErrorOf(Campaign("weight = inf")), HasSubstr("not a number"));
  EXPECT_THAT(ErrorOf(Campaign("ring_time_max = 26")), HasSubstr("not a duration"));
  EXPECT_THAT(ErrorOf(Campaign("ring_time_max = inf")), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf(Campaign("wrap_after_machine = maybe")), HasSubstr("yes or no"));
  EXPECT_THAT(ErrorOf(Campaign("churn = 35 %")), HasSubstr("'every' is missing"));
  EXPECT_THAT(ErrorOf(Campaign("amd = delay 2h")), HasSubstr("delay: out of range"));
  EXPECT_THAT(ErrorOf(Campaign("[phase]")), StartsWith("line 3: [phase ]: not a duration"));
  EXPECT_THAT(ErrorOf(Campaign("[phase 0s]")), HasSubstr("out of range"));
  EXPECT_THAT(ErrorOf(Campaign("[phase 5m")), HasSubstr("']' is missing"));
  EXPECT_THAT(ErrorOf(Campaign("[page 5m]")), HasSubstr("unknown section 'page 5m'"));
  EXPECT_THAT(ErrorOf(Campaign("[campaign]")), HasSubstr("second campaign called 'SIM'"));
  EXPECT_THAT(ErrorOf(Campaign("[campaign a/b]")), HasSubstr("no name of a campaign"));
  EXPECT_THAT(ErrorOf(Campaign("[phase 5m]\ntalk = 3s")), HasSubstr("unknown key 'talk'"));
  EXPECT_THAT(ErrorOf("[phase 5m]\n"), StartsWith("line 1: [phase] before"));
  EXPECT_THAT(ErrorOf("id = T\n"), HasSubstr("no [campaign]"));
  EXPECT_THAT(ErrorOf("[campaign]\n"), HasSubstr("no 'id = ...'"));
  EXPECT_THAT(ErrorOf(""), StartsWith("line 1: "));
  EXPECT_THAT(ErrorOf("id = a b\n[campaign]\n"), HasSubstr("not a name"));
  EXPECT_THAT(ErrorOf(absl::string_view("id = T\n\0[campaign]", 18)), HasSubstr("line 2: a zero"));
  EXPECT_THAT(ErrorOf("id = T\ntitle = a\tb\x01\n[campaign]\n"), HasSubstr("control character"));
}

TEST(ScenarioFile, LawsAreChecked) {
  const auto law = [](absl::string_view text) {
    return ErrorOf(Campaign(absl::StrCat("talk = ", text)));
  };
  for (const char* good :
       {"12s", "exponential(4s)", "erlang(3, 9s)", "erlang( 3 ,9s )", "lognormal(150s, cv 0.8)",
        "lognormal(150s, cv 0)", "uniform(14s..26s)", "uniform(14s .. 26s)", "samples(3s)",
        "2s + samples(3s,4s)", "2s+erlang(1,9s)", "1m30s", "0s + exponential(1s)"}) {
    EXPECT_EQ(law(good), "") << good;
  }
  EXPECT_THAT(law("gamma(3s)"), HasSubstr("no law is called 'gamma'"));
  EXPECT_THAT(law("erlang(3)"), HasSubstr("erlang takes (stages, mean)"));
  EXPECT_THAT(law("erlang(0, 3s)"), HasSubstr("stages is out of range"));
  EXPECT_THAT(law("erlang(2.5, 3s)"), HasSubstr("not a whole number"));
  EXPECT_THAT(law("lognormal(150s)"), HasSubstr("lognormal takes (mean, cv number)"));
  EXPECT_THAT(law("lognormal(150s, cv -1)"), HasSubstr("cv is out of range"));
  EXPECT_THAT(law("lognormal(150, cv 1)"), HasSubstr("mean '150' is not a duration"));
  EXPECT_THAT(law("uniform(26s..14s)"), HasSubstr("ends before it begins"));
  EXPECT_THAT(law("uniform(26s)"), HasSubstr("end of the range"));
  EXPECT_THAT(law("samples()"), HasSubstr("no samples"));
  EXPECT_THAT(law("samples(3s 4)"), HasSubstr("sample 2 is not a duration"));
  EXPECT_THAT(law("2s + 3s"), HasSubstr("not a duration"));
  EXPECT_THAT(law("-2s + exponential(3s)"), HasSubstr("the fixed part is out of range"));
  EXPECT_THAT(law("exponential(25h)"), HasSubstr("out of range"));
  // Virtual time must pass, or the simulation never ends.
  EXPECT_THAT(law("0s"), HasSubstr("mean is under 0.1s"));
  EXPECT_THAT(ErrorOf(Campaign("fail_delay = exponential(1ms)")), HasSubstr("under 0.1s"));
  EXPECT_THAT(law("samples(3s"), StartsWith("line 3: '(' is never closed"));
}

// Any text gives a scenario or a message with a line: never a crash, never another code.
void ExpectScenarioOrLine(const std::string& text) {
  const absl::StatusOr<Scenario> scenario = ParseScenario(text);
  if (scenario.ok()) {
    EXPECT_TRUE(ParseScenario(FormatScenario(*scenario)).ok()) << FormatScenario(*scenario);
    return;
  }
  EXPECT_EQ(scenario.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(scenario.status().message()), MatchesRegex("line [0-9]+: .+"));
}

TEST(ScenarioFile, CutAnywhereItIsAScenarioOrAnError) {
  const std::string whole = kWhole;
  for (size_t n = 0; n <= whole.size(); ++n) ExpectScenarioOrLine(whole.substr(0, n));
}

TEST(ScenarioFile, DamagedAnywhereItIsAScenarioOrAnError) {
  static constexpr absl::string_view kPieces[] = {
      "=",          "[",        "]",    "(",        ")",
      "%",          "#",        "\n",   "..",       "-1",
      "1e999",      "nan",      "inf",  "\xff\xfe", "999999999999999999999999",
      "[phase 1s]", "+",        ",",    "cv",       "every",
      "person",     "samples(", "0x10", "1h-1s",    "\r"};
  for (uint64_t seed = 0; seed < 20'000; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed=", seed));
    Rng rng(seed);
    std::string text = kWhole;
    for (uint64_t edits = 1 + rng.Below(4); edits > 0; --edits) {
      const size_t at = rng.Below(text.size());
      switch (rng.Below(4)) {
        case 0:
          text[at] = static_cast<char>(rng.Below(256));
          break;
        case 1:
          text.erase(at, 1 + rng.Below(20));
          break;
        case 2:
          text.insert(at, std::string(kPieces[rng.Below(std::size(kPieces))]));
          break;
        default: {
          const std::string part = text.substr(rng.Below(text.size()), 1 + rng.Below(60));
          text.insert(at, part);
        }
      }
      if (text.empty()) text = "x";
    }
    ExpectScenarioOrLine(text);
  }
}

TEST(ScenarioFile, HugeAndDeepTextsAreRefused) {
  EXPECT_THAT(ErrorOf(std::string(9 << 20, 'x')), HasSubstr("longer than 8 MB"));
  EXPECT_THAT(ErrorOf(Campaign(std::string(1 << 20, '('))), StartsWith("line 3: "));
  std::string many = "id = T\n";
  for (int i = 0; i < 101; ++i) absl::StrAppend(&many, "[campaign C", i, "]\n");
  EXPECT_THAT(ErrorOf(many), StartsWith("line 102: more than 100 campaigns"));
  const std::string quoted = ErrorOf(Campaign(std::string(100'000, 'y')));
  EXPECT_LT(quoted.size(), 400u);
}

}  // namespace
}  // namespace outpace::sim
