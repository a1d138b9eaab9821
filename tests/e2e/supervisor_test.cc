// The engine dies of a signal while calls are up, and nobody is there to start it again but its own
// supervisor. Judged is by the far end's log: each call it believed in is ended, and dialing goes
// on.

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/farend_programs.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;

// People who stay on the line until we hang up, and some who ring for ever.
constexpr char kScenario[] = R"(seed = 3
[class.human]
share = 0.8
post_dial_delay = 0.02
ring = { law = "uniform", min_s = 0.1, max_s = 0.5 }
patience = "never"
[class.no_answer]
share = 0.2
ring = "never"
)";
constexpr absl::Duration kEndOfOldCalls = absl::Seconds(5);

// A process that is not our child: told of its end by a pidfd.
class Watched {
 public:
  explicit Watched(pid_t pid) : pid_(pid), fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  ~Watched() {
    if (fd_ >= 0) close(fd_);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  pid_t pid() const { return pid_; }
  bool EndsWithin(absl::Duration wait) const {
    pollfd ended{.fd = fd_, .events = POLLIN, .revents = 0};
    return fd_ < 0 || poll(&ended, 1, static_cast<int>(absl::ToInt64Milliseconds(wait))) == 1;
  }

 private:
  const pid_t pid_;
  const int fd_;
};

// The engine's process: the only child of `serve`, 0 while there is none.
pid_t ChildOf(pid_t supervisor) {
  const std::string children =
      ReadFileOr(absl::StrCat("/proc/", supervisor, "/task/", supervisor, "/children"));
  const std::vector<std::string> pids = absl::StrSplit(children, ' ', absl::SkipWhitespace());
  pid_t pid = 0;
  return pids.size() == 1 && absl::SimpleAtoi(pids[0], &pid) ? pid : 0;
}

class SupervisorTest : public ::testing::Test {
 protected:
  void Begin() {
    engine_.SetDrainSeconds(10);
    auto carrier = FarEndProgram::Carrier(engine_, kScenario);
    ASSERT_TRUE(carrier.ok()) << carrier.status();
    carrier_ = *std::move(carrier);
    const absl::Status started = engine_.Start();
    ASSERT_TRUE(started.ok()) << started;
    engine_.CreateCampaign({"dial_method=RATIO", "auto_dial_level=2", "wrapup_seconds=20",
                            "lead_recycle=", "drop_call_seconds=2"});
    engine_.Import(LeadsCsv(FictionalNumbers(400)));
    for (int i = 1; i <= 4; ++i) engine_.AddAgent(absl::StrCat("a", i));
    auto agents = FarEndProgram::Agents(
        engine_, 4, {"--talk-mean", "3", "--talk-cv", "0.3", "--wrap-mean", "0.3", "--seed", "5"});
    ASSERT_TRUE(agents.ok()) << agents.status();
    agents_ = *std::move(agents);
    engine_.Must({"campaign", "start", "DEMO"});
  }

  // Calls of the far end that are up: answered and not ended.
  std::map<std::string, absl::Time> Up() const {
    std::map<std::string, absl::Time> up;
    for (const json& line : carrier_->Log()) {
      const std::string event = line.value("ev", ""), id = line.value("call_id", "");
      if (event == "answer") up[id] = absl::FromUnixMicros(line.value("t", int64_t{0}));
      if (event == "bye_in" || event == "bye_out" || event == "final" || event == "lost") {
        up.erase(id);
      }
    }
    return up;
  }
  size_t Invites() const {
    size_t count = 0;
    for (const json& line : carrier_->Log()) count += line.value("ev", "") == "invite" ? 1 : 0;
    return count;
  }
  // When the far end saw our BYE for this call.
  absl::Time ByeOf(const std::string& id) const {
    for (const json& line : carrier_->Log()) {
      if (line.value("call_id", "") == id && line.value("ev", "") == "bye_in") {
        return absl::FromUnixMicros(line.value("t", int64_t{0}));
      }
    }
    return absl::InfiniteFuture();
  }

  // Kills the engine's process while calls are up and sees its successor make good.
  void DieOf(int signal) {
    SCOPED_TRACE(strsignal(signal));
    ASSERT_TRUE(engine_.WaitUntil(absl::Seconds(30), [&] { return Up().size() >= 3; }))
        << "no calls: " << engine_.Log();
    const pid_t supervisor = engine_.process().pid();
    const pid_t first = ChildOf(supervisor);
    ASSERT_GT(first, 0);
    const Watched engine(first);
    // Stopped first, so that what is up can be read before it dies.
    ASSERT_EQ(kill(first, SIGSTOP), 0);
    const std::map<std::string, absl::Time> up = Up();
    const size_t invites = Invites();
    const absl::Time died = WallNow();
    ASSERT_EQ(kill(first, signal), 0);
    ASSERT_EQ(kill(first, SIGCONT), 0);
    ASSERT_TRUE(engine.EndsWithin(absl::Seconds(60)));

    ASSERT_FALSE(up.empty());
    EXPECT_TRUE(engine_.WaitUntil(absl::Seconds(20),
                                  [&] {
                                    const auto now = Up();
                                    return std::none_of(up.begin(), up.end(),
                                                        [&](const auto& call) {
                                                          return now.count(call.first) == 1;
                                                        });
                                  }))
        << "calls of before are still up\n"
        << engine_.Log();
    absl::Duration slowest;
    int byes = 0;
    for (const auto& [id, answered] : up) {
      const absl::Time bye = ByeOf(id);
      if (bye == absl::InfiniteFuture()) {
        ADD_FAILURE() << id << " was ended by no BYE of ours";
        continue;
      }
      ++byes;
      slowest = std::max(slowest, bye - died);
      EXPECT_LE(bye - died, kEndOfOldCalls) << id;
    }
    std::printf("%s: %zu calls up, %d BYEs, the slowest after %s\n", strsignal(signal), up.size(),
                byes, absl::FormatDuration(slowest).c_str());
    EXPECT_TRUE(engine_.WaitUntil(absl::Seconds(20), [&] { return Invites() > invites; }))
        << "dialing does not go on\n"
        << engine_.Log();
    EXPECT_TRUE(engine_.Running()) << "the supervisor stays";
    EXPECT_EQ(engine_.process().pid(), supervisor);
    EXPECT_NE(ChildOf(supervisor), first);
    EXPECT_THAT(ReadFileOr(engine_.dir() / "serve.err"),
                testing::HasSubstr(absl::StrCat("killed by signal ", signal)));
  }

  Engine engine_;
  std::unique_ptr<FarEndProgram> carrier_, agents_;
};

TEST_F(SupervisorTest, CallsOfAnEngineThatDiedAreEndedAndDialingGoesOn) {
  ASSERT_NO_FATAL_FAILURE(Begin());
  ASSERT_NO_FATAL_FAILURE(DieOf(SIGABRT));  // an assertion of the SIP stack
  ASSERT_NO_FATAL_FAILURE(DieOf(SIGSEGV));
  engine_.Must({"campaign", "pause", "DEMO"});
  const auto code = engine_.Terminate(absl::Seconds(40));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
  EXPECT_THAT(Up(), testing::IsEmpty());
  EXPECT_TRUE(agents_->Stop(absl::Seconds(20)).ok());
  EXPECT_TRUE(carrier_->Stop(absl::Seconds(20)).ok());
}

// Nobody is left behind who would dial on without being seen.
TEST_F(SupervisorTest, TheEngineDoesNotOutliveItsSupervisor) {
  const absl::Status started = engine_.Start();
  ASSERT_TRUE(started.ok()) << started;
  const Watched engine(ChildOf(engine_.process().pid()));
  ASSERT_GT(engine.pid(), 0);
  engine_.Kill();  // the supervisor
  EXPECT_TRUE(engine.EndsWithin(absl::Seconds(20)));
}

// What does not get better by repetition is told once.
TEST_F(SupervisorTest, AConfigurationErrorIsNotTriedAgain) {
  const TempDir dir;
  const std::string config = dir / "bad.toml";
  WriteFileOrDie(config, "data_dir = \"/nonexistent\"\n[sip]\nlisten = \"localhost\"\n");
  const CommandResult result = RunOutpace({"serve", "--config", config});
  EXPECT_NE(result.code, 0);
  EXPECT_LT(result.code, 128);
  EXPECT_THAT(result.err, testing::HasSubstr("listen"));
  EXPECT_THAT(result.err, testing::Not(testing::HasSubstr("starting it again")));

  // Nor one that only the engine's own process meets: a port that is taken.
  const absl::Status started = engine_.Start();
  ASSERT_TRUE(started.ok()) << started;
  const CommandResult second = RunOutpace({"serve", "--config", engine_.config_path()});
  EXPECT_NE(second.code, 0);
  EXPECT_LT(second.code, 128);
  EXPECT_THAT(second.err, testing::Not(testing::HasSubstr("starting it again")));
  EXPECT_TRUE(engine_.Running());
}

}  // namespace
}  // namespace outpace::e2e
