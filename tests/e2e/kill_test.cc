// The engine dies in the middle of its work, at a moment nobody chose, and comes back. The carrier
// and the agents live on and write down what they saw; judged is only by their logs and by the
// export: nobody is rung twice, no call is left up, nothing that was acknowledged is lost.
//
//   OUTPACE_KILL_RUNS=25 OUTPACE_KILL_SEED=7 e2e_test --gtest_filter='KillTest.*'

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "engine/base/rng.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/farend_programs.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;

constexpr int kKills = 3;
constexpr int kAgents = 8;
// Promises counted from the moment `serve` is started again.
constexpr absl::Duration kEndOfOldCalls = absl::Seconds(5);
constexpr absl::Duration kDialsAgain = absl::Seconds(3);
// After two deaths in a row the agents' own back-off is at its longest: they come 2 s later.
constexpr absl::Duration kDialsAgainAfterTwo = absl::Seconds(5);

// Short rings and people who stay until the agent hangs up; some who ring to the limit, so that
// every kill finds calls that ring and calls that are up.
constexpr char kScenario[] = R"(seed = %d
[class.human]
share = 0.60
post_dial_delay = { law = "uniform", min_s = 0.02, max_s = 0.2 }
ring = { law = "uniform", min_s = 0.1, max_s = 1.5 }
patience = "never"
[class.hangup_mid_call]
share = 0.08
post_dial_delay = 0.05
ring = { law = "uniform", min_s = 0.1, max_s = 1.0 }
talk = { law = "uniform", min_s = 0.2, max_s = 2.0 }
[class.busy]
share = 0.12
[class.invalid]
share = 0.08
[class.no_answer]
share = 0.12
ring = "never"
)";

uint64_t NumberFromEnv(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  uint64_t number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) ? number : otherwise;
}

struct Kill {
  absl::Time killed;
  absl::Time restarted;  // serve was started again
  absl::Time serving;    // and answered
  bool twice = false;    // it died once more in between
};

struct SeenCall {
  std::string id, number;
  absl::Time invited, answered = absl::InfiniteFuture(), ended = absl::InfiniteFuture();
  std::string how;  // the event that ended it
};

// The carrier's log, call by call in order of their INVITEs.
std::vector<SeenCall> CallsOf(const std::vector<json>& log) {
  std::vector<SeenCall> calls;
  std::map<std::string, size_t> by_id;
  for (const json& line : log) {
    const std::string event = line.value("ev", ""), id = line.value("call_id", "");
    const absl::Time at = absl::FromUnixMicros(line.value("t", int64_t{0}));
    if (event == "invite") {
      by_id[id] = calls.size();
      calls.push_back({.id = id, .number = line.value("to", ""), .invited = at, .how = {}});
      continue;
    }
    const auto found = by_id.find(id);
    if (found == by_id.end()) continue;
    SeenCall& call = calls[found->second];
    if (event == "answer") call.answered = at;
    const bool end = event == "bye_in" || event == "bye_out" || event == "final" || event == "lost";
    if (end && call.how.empty()) {
      call.ended = at;
      call.how = event;
    }
  }
  return calls;
}

class KillTest : public ::testing::Test {
 protected:
  void Begin(uint64_t seed) {
    engine_ = std::make_unique<Engine>();
    engine_->SetDrainSeconds(15);
    auto carrier = FarEndProgram::Carrier(*engine_, absl::StrFormat(kScenario, seed));
    ASSERT_TRUE(carrier.ok()) << carrier.status();
    carrier_ = *std::move(carrier);
    const absl::Status started = engine_->Start();
    ASSERT_TRUE(started.ok()) << started;
    engine_->CreateCampaign({"dial_method=RATIO", "auto_dial_level=2", "wrapup_seconds=20",
                             "lead_recycle=", "drop_call_seconds=2"});
    engine_->Import(LeadsCsv(FictionalNumbers(600)));
    for (int i = 1; i <= kAgents; ++i) engine_->AddAgent(absl::StrCat("a", i));
    auto agents = FarEndProgram::Agents(*engine_, kAgents,
                                        {"--talk-mean", "1.5", "--talk-cv", "0.6", "--wrap-mean",
                                         "0.4", "--seed", absl::StrCat(seed)});
    ASSERT_TRUE(agents.ok()) << agents.status();
    agents_ = *std::move(agents);
    engine_->Must({"campaign", "start", "DEMO"});
  }

  size_t Invites() const {
    size_t count = 0;
    for (const json& line : carrier_->Log()) count += line.value("ev", "") == "invite" ? 1 : 0;
    return count;
  }

  void RunFor(absl::Duration how_long) {
    EXPECT_FALSE(engine_->process().Wait(how_long).has_value()) << "serve died by itself";
  }

  void KillAndRestart(Rng& rng) {
    const size_t before = Invites();
    ASSERT_TRUE(engine_->WaitUntil(absl::Seconds(15), [&] { return Invites() >= before + 5; }))
        << "no dialing";
    RunFor(absl::Milliseconds(500 + static_cast<int64_t>(rng.Below(3500))));
    Kill kill;
    kill.killed = WallNow();
    engine_->Kill();
    // Every other time it dies once more while it cleans up after its predecessor.
    if (rng.Chance(0.5)) {
      const auto pause = absl::Milliseconds(static_cast<int64_t>(rng.Below(400)));
      const absl::Status again = engine_->RestartAndKill(pause);
      ASSERT_TRUE(again.ok()) << again;
      kill.twice = true;
      std::printf("kill %zu: once more after %s\n", kills_.size(),
                  absl::FormatDuration(pause).c_str());
    }
    kill.restarted = WallNow();
    const absl::Status restarted = engine_->Restart();
    ASSERT_TRUE(restarted.ok()) << restarted;
    kill.serving = WallNow();
    kills_.push_back(kill);
  }

  void StopAll() {
    engine_->Must({"campaign", "pause", "DEMO"});
    // Calls that ring to the limit need its 15 s; the drain waits for calls and wrap-ups.
    const auto code = engine_->Terminate(absl::Seconds(40));
    ASSERT_TRUE(code.ok()) << code.status();
    EXPECT_EQ(*code, 0);
    // The engine is gone, so the agents cannot log out; that is not what is tested here.
    const auto agents = agents_->Stop(absl::Seconds(20));
    EXPECT_TRUE(agents.ok()) << agents.status();
    const auto carrier = carrier_->Stop(absl::Seconds(20));
    ASSERT_TRUE(carrier.ok()) << carrier.status();
    EXPECT_EQ(*carrier, 0);
  }

  void ExpectNobodyRungTwice(const std::vector<SeenCall>& calls) {
    std::set<std::string> ids, numbers;
    for (const SeenCall& call : calls) {
      EXPECT_TRUE(ids.insert(call.id).second) << "Call-ID used twice: " << call.id;
      EXPECT_TRUE(numbers.insert(call.number).second) << "number rung twice in " << call.id;
    }
    for (const json& line : carrier_->Log()) {
      EXPECT_FALSE(line.value("ev", "") == "reinvite_dup" &&
                   line.value("why", "") == "call_id_used_before")
          << line.dump();
    }
  }

  void ExpectOldCallsEnded(const std::vector<SeenCall>& calls) {
    for (size_t k = 0; k < kills_.size(); ++k) {
      int up = 0, ringing = 0;
      absl::Duration slowest_up, slowest_ringing;
      for (const SeenCall& call : calls) {
        if (call.invited > kills_[k].killed || call.ended <= kills_[k].killed) continue;
        const bool was_up = call.answered <= kills_[k].killed;
        const absl::Duration took = call.ended - kills_[k].restarted;
        ++(was_up ? up : ringing);
        absl::Duration& slowest = was_up ? slowest_up : slowest_ringing;
        slowest = std::max(slowest, took);
        // Also those that were ringing: cancelled, or, when answered meanwhile, ended.
        EXPECT_LE(took, kEndOfOldCalls) << call.id << (was_up ? " was up" : " was ringing")
                                        << " at kill " << k << " and ended by '" << call.how << "'";
      }
      std::printf("kill %zu: %d up, slowest end %s; %d ringing, slowest end %s\n", k, up,
                  absl::FormatDuration(slowest_up).c_str(), ringing,
                  absl::FormatDuration(slowest_ringing).c_str());
    }
  }

  void ExpectDialingAgain(const std::vector<SeenCall>& calls) {
    for (size_t k = 0; k < kills_.size(); ++k) {
      absl::Time first = absl::InfiniteFuture();
      for (const SeenCall& call : calls) {
        if (call.invited > kills_[k].restarted) first = std::min(first, call.invited);
      }
      EXPECT_LE(first - kills_[k].restarted, kills_[k].twice ? kDialsAgainAfterTwo : kDialsAgain)
          << "after kill " << k;
      std::printf("kill %zu: serving after %s, first INVITE after %s\n", k,
                  absl::FormatDuration(kills_[k].serving - kills_[k].restarted).c_str(),
                  absl::FormatDuration(first - kills_[k].restarted).c_str());
    }
  }

  void ExpectAcknowledgedIsStored(const std::vector<CsvRow>& rows) {
    std::map<std::string, std::string> status, lead_status;
    for (const CsvRow& row : rows) {
      status[row.at("attempt_id")] = row.at("status");
      lead_status[row.at("attempt_id")] = row.at("lead_status_now");
    }
    int acknowledged = 0;
    for (const json& line : agents_->Log()) {
      if (line.value("ev", "") != "disposition_acked") continue;
      ++acknowledged;
      const std::string attempt = absl::StrCat(line["attempt"].get<uint64_t>());
      EXPECT_EQ(status[attempt], line.value("status", "")) << "attempt " << attempt;
      EXPECT_EQ(lead_status[attempt], line.value("status", "")) << "lead of attempt " << attempt;
    }
    EXPECT_GT(acknowledged, 10);
    std::printf("%d dispositions acknowledged, all in the export of %zu attempts\n", acknowledged,
                rows.size());
  }

  // Every call the carrier saw is in the export, closed; a call nobody can tell about says so.
  void ExpectExportKnowsAll(const std::vector<CsvRow>& rows, const std::vector<SeenCall>& calls) {
    std::map<std::string, const CsvRow*> by_id;
    for (const CsvRow& row : rows) {
      EXPECT_TRUE(by_id.emplace(row.at("call_id"), &row).second) << row.at("call_id");
      EXPECT_EQ(row.at("open"), "N") << row.at("call_id");
    }
    std::map<std::string, int> outcomes;
    for (const SeenCall& call : calls) {
      const auto row = by_id.find(call.id);
      if (row == by_id.end()) {
        ADD_FAILURE() << "the export does not know " << call.id;
        continue;
      }
      EXPECT_EQ(row->second->at("phone_number_dialed"), call.number);
      EXPECT_EQ(row->second->at("sent"), "Y") << call.id;
      ++outcomes[row->second->at("outcome")];
    }
    std::printf("%zu calls: %s\n", calls.size(),
                absl::StrJoin(outcomes, ", ", absl::PairFormatter(" ")).c_str());
  }

  void ExpectNothingUp(const std::vector<SeenCall>& calls) {
    for (const SeenCall& call : calls) {
      EXPECT_NE(call.how, "") << call.id << " never ended";
      EXPECT_NE(call.how, "lost") << call.id;
    }
    json summary;
    for (const json& line : carrier_->Log()) {
      if (line.value("ev", "") == "summary") summary = line;
    }
    EXPECT_EQ(summary.value("up", -1), 0) << summary.dump();
    EXPECT_EQ(summary.value("malformed", -1), 0) << summary.dump();
  }

  void RunOnce(uint64_t seed) {
    std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
    Rng rng(seed);
    ASSERT_NO_FATAL_FAILURE(Begin(seed));
    for (int k = 0; k < kKills; ++k) ASSERT_NO_FATAL_FAILURE(KillAndRestart(rng));
    // Long enough for the promises after the last restart to be kept or broken.
    RunFor(absl::Seconds(4));
    ASSERT_NO_FATAL_FAILURE(StopAll());
    const std::vector<SeenCall> calls = CallsOf(carrier_->Log());
    ExpectNobodyRungTwice(calls);
    ExpectOldCallsEnded(calls);
    ExpectDialingAgain(calls);
    ExpectNothingUp(calls);
    const std::vector<CsvRow> rows = engine_->ExportCalls();
    ExpectAcknowledgedIsStored(rows);
    ExpectExportKnowsAll(rows, calls);
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<FarEndProgram> carrier_, agents_;
  std::vector<Kill> kills_;
};

TEST_F(KillTest, NothingAcknowledgedIsLostAndNobodyIsRungTwice) {
  const uint64_t runs = NumberFromEnv("OUTPACE_KILL_RUNS", 1);
  const uint64_t seed = NumberFromEnv(
      "OUTPACE_KILL_SEED", static_cast<uint64_t>(absl::ToUnixMicros(WallNow())) % 1'000'000);
  for (uint64_t run = 0; run < runs && !HasFailure(); ++run) {
    SCOPED_TRACE(absl::StrCat("OUTPACE_KILL_SEED=", seed + run));
    agents_.reset();
    carrier_.reset();
    kills_.clear();
    RunOnce(seed + run);
  }
}

}  // namespace
}  // namespace outpace::e2e
