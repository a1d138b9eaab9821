// "From the acknowledgement on, never": numbers are put on the do-not-call list one by one, in bulk
// and by agents, while the engine dials real SIP as fast as it can. The far end's own carrier notes
// when each INVITE came in (the kernel's receive time), the test notes when each acknowledgement
// was in its hands, on the same clock. An INVITE that the engine sent before the acknowledgement
// cannot be received after it: on loopback the packet is stamped inside the sender's own call. So
// not one INVITE may stand in the carrier's log behind its number's acknowledgement.
//
//   OUTPACE_RACE_ADDITIONS=100000 e2e_dnc_test --gtest_filter='DncRaceTest.*'

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
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

constexpr int kAgents = 10;  // of each of two campaigns
constexpr int kBulk = 100;   // numbers of one imported file
constexpr int kSingleLanes = 4;
// Where additions are aimed, in leads from the one that was dialed last: near it they meet the
// hopper, intents on their way to the disk and orders on their way to the shard; a second or two
// behind it, calls that ring.
constexpr int kBehind = 40, kAhead = 160, kFarBehind = 600;

// Most calls are over at once, so that the INVITEs come fast; some ring, to be cancelled; and some
// are answered, for the agents' own additions.
constexpr char kScenario[] = R"(seed = 5
[class.busy]
share = 0.45
post_dial_delay = { law = "uniform", min_s = 0.01, max_s = 0.1 }
[class.invalid]
share = 0.25
post_dial_delay = { law = "uniform", min_s = 0.01, max_s = 0.1 }
[class.reject]
share = 0.227
post_dial_delay = 0.02
ring = { law = "uniform", min_s = 0.3, max_s = 2.0 }
[class.no_answer]
share = 0.003
post_dial_delay = 0.02
ring = "never"
[class.human]
share = 0.07
post_dial_delay = 0.02
ring = { law = "uniform", min_s = 0.05, max_s = 0.4 }
patience = "never"
)";

int AdditionsFromEnv() {
  const char* text = std::getenv("OUTPACE_RACE_ADDITIONS");
  int number = 0;
  return text != nullptr && absl::SimpleAtoi(text, &number) && number > 0 ? number : 5000;
}

std::string E164Digits(const std::string& national) { return absl::StrCat("1", national); }

// One call at the carrier; times in microseconds since 1970, 0: has not happened.
struct SeenCall {
  std::string number;
  int64_t invited = 0, answered = 0, cancelled = 0, ended = 0;
  int64_t repeated = 0;  // the last retransmission of the INVITE
};

struct CarrierLog {
  std::vector<SeenCall> calls;
  std::map<uint64_t, std::string> numbers;  // by attempt, which stands in the Call-ID
};

CarrierLog ReadCarrierLog(const std::string& path) {
  CarrierLog log;
  absl::flat_hash_map<std::string, size_t> by_id;
  for (const json& line : ReadJsonLines(path)) {
    const std::string event = line.value("ev", ""), id = line.value("call_id", "");
    const int64_t at = line.value("t", int64_t{0});
    if (event == "invite") {
      by_id[id] = log.calls.size();
      log.calls.push_back({.number = line.value("to", ""), .invited = at});
      uint64_t attempt = 0;
      const std::vector<std::string> parts = absl::StrSplit(id, '-');
      if (parts.size() > 1 && absl::SimpleAtoi(parts[1], &attempt)) {
        log.numbers[attempt] = log.calls.back().number;
      }
      continue;
    }
    const auto found = by_id.find(id);
    if (found == by_id.end()) continue;
    SeenCall& call = log.calls[found->second];
    if (event == "answer") call.answered = at;
    if (event == "cancel") call.cancelled = at;
    if (event == "reinvite_dup") call.repeated = at;
    const bool end = event == "final" || event == "bye_in" || event == "bye_out";
    if (end && call.ended == 0) call.ended = at;
  }
  return log;
}

// Reads what the carrier appends to its log and keeps the place in the list of the lead that was
// rung last.
class Frontier {
 public:
  Frontier(std::string path, const std::vector<std::string>& numbers) : path_(std::move(path)) {
    for (size_t i = 0; i < numbers.size(); ++i) index_[E164Digits(numbers[i])] = i;
  }
  void Update() {
    std::lock_guard<std::mutex> lock(mutex_);
    std::ifstream in(path_);
    in.seekg(read_);
    for (std::string line; std::getline(in, line) && !in.eof();) {
      read_ = in.tellg();
      if (!absl::StrContains(line, "\"ev\":\"invite\"")) continue;
      const json object = json::parse(line, nullptr, false);
      const auto found = object.is_object() ? index_.find(object.value("to", "")) : index_.end();
      if (found == index_.end()) continue;
      last_ = found->second;
      ++invites_;
    }
  }
  size_t last() const { return last_; }
  int64_t invites() const { return invites_; }

 private:
  const std::string path_;
  absl::flat_hash_map<std::string, size_t> index_;
  std::mutex mutex_;
  std::streamoff read_ = 0;  // guarded by mutex_
  std::atomic<size_t> last_{0};
  std::atomic<int64_t> invites_{0};
};

struct Added {  // microseconds since 1970
  int64_t asked = 0, acknowledged = 0;
};

// Which numbers are added, and when each was acknowledged.
class Additions {
 public:
  Additions(const std::vector<std::string>& numbers, int wanted)
      : numbers_(numbers), wanted_(wanted) {}

  // Up to `count` numbers that nobody has taken yet; fewer when there were enough.
  std::vector<std::string> Take(size_t frontier, int count) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<std::string> taken;
    while (static_cast<int>(taken.size()) < count && static_cast<int>(taken_.size()) < wanted_) {
      const double kind = rng_.Uniform();
      const int from = kind < 0.6 ? -kBehind : -kFarBehind;
      const int to = kind < 0.6 ? kAhead : 0;
      const int64_t near = static_cast<int64_t>(frontier) + from +
                           static_cast<int64_t>(rng_.Below(static_cast<uint64_t>(to - from)));
      const size_t index = kind >= 0.9 ? rng_.Below(numbers_.size())
                                       : static_cast<size_t>(std::clamp<int64_t>(
                                             near, 0, static_cast<int64_t>(numbers_.size()) - 1));
      if (taken_.insert(index).second) {
        taken.push_back(numbers_[index]);
        misses_ = 0;
      } else if (++misses_ > 50) {
        frontier = rng_.Below(numbers_.size());  // all near it are taken: dialing stands still
        misses_ = 0;
      }
    }
    return taken;
  }
  void Acknowledged(const std::vector<std::string>& numbers, absl::Time asked, absl::Time at) {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const std::string& number : numbers) {
      added_.emplace(E164Digits(number), Added{absl::ToUnixMicros(asked), absl::ToUnixMicros(at)});
    }
  }
  // An agent's, by its log: a number may have been added in another way before.
  void AcknowledgedByAgent(const std::string& digits, int64_t at) {
    const auto [entry, fresh] = added_.emplace(digits, Added{at, at});
    if (!fresh) entry->second.acknowledged = std::min(entry->second.acknowledged, at);
    by_agents_ += fresh ? 1 : 0;
  }
  const absl::flat_hash_map<std::string, Added>& all() const { return added_; }
  int by_agents() const { return by_agents_; }

 private:
  const std::vector<std::string>& numbers_;
  const int wanted_;
  std::mutex mutex_;
  Rng rng_{11};
  int misses_ = 0;
  std::set<size_t> taken_;
  absl::flat_hash_map<std::string, Added> added_;
  int by_agents_ = 0;
};

std::string Percentiles(std::vector<int64_t> micros) {
  if (micros.empty()) return "none";
  std::sort(micros.begin(), micros.end());
  const auto at = [&](double p) {
    const auto index = static_cast<size_t>(p * static_cast<double>(micros.size() - 1));
    return static_cast<double>(micros[index]) / 1000;
  };
  return absl::StrFormat("%zu, p50 %.1f ms, p99 %.1f ms, most %.1f ms", micros.size(), at(0.5),
                         at(0.99), at(1));
}

class DncRaceTest : public ::testing::Test {
 protected:
  std::unique_ptr<api::HttpClient> ControlSocket() const {
    return api::HttpClient::Create(absl::StrCat("unix:", engine_.dir() / "data/outpace.sock"),
                                   absl::Seconds(120));
  }
  // The moment at which the answer was here; a failure is the test's.
  absl::Time Ask(api::HttpClient& client, const std::string& operation, const json& arguments) {
    const auto answer = client.Send("POST", absl::StrCat("/v1/admin/", operation), arguments.dump(),
                                    {{"content-type", "application/json"}});
    const absl::Time at = WallNow();
    EXPECT_TRUE(answer.ok()) << answer.status();
    EXPECT_TRUE(!answer.ok() || answer->status == 200) << operation << ": " << answer->body;
    return at;
  }
  void StartCarrier(const std::string& scenario) {
    auto carrier = FarEndProgram::Carrier(engine_, scenario);
    ASSERT_TRUE(carrier.ok()) << carrier.status();
    carrier_ = *std::move(carrier);
  }
  void StartAgents(const std::string& campaign, const std::string& prefix) {
    for (int i = 1; i <= kAgents; ++i) engine_.AddAgent(absl::StrCat(prefix, i));
    auto agents = FarEndProgram::Agents(
        engine_, kAgents,
        {"--talk-mean", "0.3", "--talk-cv", "0.5", "--wrap-mean", "0.1", "--dispositions", "DNC=1"},
        campaign, prefix);
    ASSERT_TRUE(agents.ok()) << agents.status();
    agents_.push_back(*std::move(agents));
  }
  void StopAll(absl::Duration drain) {
    for (auto& agents : agents_) EXPECT_TRUE(agents->Stop(absl::Seconds(20)).ok());
    const auto code = engine_.Terminate(drain);
    ASSERT_TRUE(code.ok()) << code.status();
    const auto carrier = carrier_->Stop(absl::Seconds(20));
    ASSERT_TRUE(carrier.ok()) << carrier.status();
  }

  Engine engine_;
  std::unique_ptr<FarEndProgram> carrier_;
  std::vector<std::unique_ptr<FarEndProgram>> agents_;
};

TEST_F(DncRaceTest, NoInviteAfterTheAcknowledgement) {
  const int wanted = AdditionsFromEnv();
  const std::vector<std::string> numbers = ManyNumbers(std::min(299'970, 2 * wanted + 20'000));
  engine_.SetTrunkLimits(1000, 300);
  engine_.UseManyMediaPorts();
  engine_.SetLogLevel("warning");
  ASSERT_NO_FATAL_FAILURE(StartCarrier(kScenario));
  ASSERT_TRUE(engine_.Start().ok());
  // People wait for an agent: a limit on abandoned calls would slow the dialing down.
  const std::vector<std::string> settings = {"dial_method=RATIO", "auto_dial_level=20",
                                             "lead_recycle=", "drop_call_seconds=60",
                                             "hopper_level=2000"};
  for (const char* campaign : {"DEMO", "DEMO2"}) {
    engine_.CreateCampaign(settings, campaign);
    // Both dial the same numbers.
    engine_.Import(LeadsCsv(numbers), absl::StrCat("list_", campaign), campaign,
                   {"--duplicates", "campaign"});
  }
  ASSERT_NO_FATAL_FAILURE(StartAgents("DEMO", "a"));
  ASSERT_NO_FATAL_FAILURE(StartAgents("DEMO2", "b"));
  engine_.Must({"campaign", "start", "DEMO"});
  engine_.Must({"campaign", "start", "DEMO2"});

  Frontier frontier(carrier_->log_path(), numbers);
  ASSERT_TRUE(engine_.WaitUntil(absl::Seconds(30), [&] {
    frontier.Update();
    return frontier.invites() >= 200;
  })) << "no dialing";
  const absl::Time began = WallNow();
  const int64_t invites_before = frontier.invites();

  Additions additions(numbers, wanted);
  std::vector<int64_t> single_micros;
  std::mutex single_mutex;
  std::atomic<int> single{0}, bulk{0};
  std::vector<std::thread> lanes;
  for (int lane = 0; lane < kSingleLanes; ++lane) {
    lanes.emplace_back([&] {
      const auto client = ControlSocket();
      for (;;) {
        frontier.Update();
        const std::vector<std::string> number = additions.Take(frontier.last(), 1);
        if (number.empty()) return;
        const absl::Time asked = WallNow();
        const absl::Time at = Ask(*client, "dnc.add", {{"number", number[0]}});
        additions.Acknowledged(number, asked, at);
        ++single;
        std::lock_guard<std::mutex> lock(single_mutex);
        single_micros.push_back(absl::ToInt64Microseconds(at - asked));
      }
    });
  }
  lanes.emplace_back([&] {
    const auto client = ControlSocket();
    for (int file = 0;; ++file) {
      // As dialing goes on, so that the files meet leads in every state.
      const int64_t until = frontier.invites() + kBulk;
      const Deadline patience(absl::Seconds(1));
      while (frontier.invites() < until && !patience.passed()) frontier.Update();
      const std::vector<std::string> some = additions.Take(frontier.last(), kBulk);
      if (some.empty()) return;
      const std::string path = engine_.dir() / absl::StrCat("dnc_", file, ".csv");
      WriteFileOrDie(path, absl::StrCat(absl::StrJoin(some, "\n"), "\n"));
      const absl::Time asked = WallNow();
      const absl::Time at = Ask(*client, "dnc.import", {{"path", path}});
      additions.Acknowledged(some, asked, at);
      bulk += static_cast<int>(some.size());
    }
  });
  for (std::thread& lane : lanes) lane.join();
  const absl::Duration took = WallNow() - began;
  frontier.Update();
  const int64_t invites_meanwhile = frontier.invites() - invites_before;
  // And on: what was held back must stay so when its turn comes.
  const int64_t until = frontier.invites() + 1000;
  engine_.WaitUntil(absl::Seconds(10), [&] {
    frontier.Update();
    return frontier.invites() >= until;
  });
  engine_.Must({"campaign", "pause", "DEMO"});
  engine_.Must({"campaign", "pause", "DEMO2"});
  ASSERT_NO_FATAL_FAILURE(StopAll(absl::Seconds(60)));

  const CarrierLog log = ReadCarrierLog(carrier_->log_path());
  for (const auto& agents : agents_) {
    for (const json& line : agents->Log()) {
      if (line.value("ev", "") != "disposition_acked" || line.value("status", "") != "DNC")
        continue;
      const auto number = log.numbers.find(line.value("attempt", uint64_t{0}));
      if (number != log.numbers.end()) {
        additions.AcknowledgedByAgent(number->second, line.value("t", int64_t{0}));
      }
    }
  }
  int after = 0, repeated_after = 0, rang_on = 0, talking = 0;
  std::vector<int64_t> late, to_cancel;
  for (const SeenCall& call : log.calls) {
    const auto entry = additions.all().find(call.number);
    if (entry == additions.all().end()) continue;
    const Added& added = entry->second;
    repeated_after += call.repeated > added.acknowledged ? 1 : 0;
    if (call.invited > added.acknowledged) {
      ++after;
      late.push_back(call.invited - added.acknowledged);
      continue;
    }
    const bool over = call.ended != 0 && call.ended < added.asked;
    if (over || (call.answered != 0 && call.answered < added.asked)) {
      talking += over ? 0 : 1;
      continue;
    }
    if (call.cancelled != 0) {
      to_cancel.push_back(std::max<int64_t>(0, call.cancelled - added.asked));
    } else if (call.answered == 0 && call.ended > added.acknowledged + 1'000'000) {
      ++rang_on;
    }
  }
  std::printf(
      "%zu numbers added in %.1f s: %d one by one, %d in bulk, %d by agents alone; %.0f INVITEs a "
      "second meanwhile\nINVITEs after the acknowledgement: %d (repeated ones: %d)\n"
      "one by one, asked to acknowledged: %s\n"
      "calls cancelled by an addition, asked to CANCEL: %s; in conversation: %d\n",
      additions.all().size(), absl::ToDoubleSeconds(took), single.load(), bulk.load(),
      additions.by_agents(), static_cast<double>(invites_meanwhile) / absl::ToDoubleSeconds(took),
      after, repeated_after, Percentiles(single_micros).c_str(), Percentiles(to_cancel).c_str(),
      talking);
  EXPECT_EQ(after, 0) << "late by: " << Percentiles(late);
  EXPECT_EQ(rang_on, 0) << "for more than a second, and never cancelled";
  // The race was one: numbers of every kind, and dialing went on.
  EXPECT_GE(static_cast<int>(additions.all().size()), wanted);
  EXPECT_GT(single, wanted / 20);
  EXPECT_GT(bulk, wanted / 20);
  EXPECT_GT(additions.by_agents(), 0);
  EXPECT_GT(to_cancel.size(), 0u) << "no call was cancelled by an addition";
  EXPECT_GT(invites_meanwhile, 200);
}

}  // namespace
}  // namespace outpace::e2e
