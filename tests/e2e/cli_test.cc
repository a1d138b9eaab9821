// What a person sees who gets something wrong: every mistake ends with a non-zero exit code and a
// message that says what is wrong, where, and what to do, in words and without a trace of the
// program's insides.

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/desk.h"
#include "tests/e2e/engine_fixture.h"
#include "tools/farend/udp.h"

namespace outpace::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// The insides of a program, which a message for people does not show.
void ExpectHumane(const std::string& message) {
  EXPECT_THAT(message, StartsWith("outpace: "));
  for (const char* inside :
       {"what()", "terminate called", "std::", "boost::", "absl::", ".cc:", "check failed",
        "INVALID_ARGUMENT:", "UNAVAILABLE:", "NOT_FOUND:", "Assertion", "core dumped", "#0 "}) {
    EXPECT_THAT(message, Not(HasSubstr(inside)));
  }
  EXPECT_LE(message.size(), 2500u) << "nobody reads that much: " << message;
}

class CliTest : public ::testing::Test {
 protected:
  CliTest() {
    WriteConfig("");
    EXPECT_EQ(Run({"campaign", "create", "DEMO", "trunk=carrier"}).code, 0);
  }
  // A configuration whose engine is never started.
  void WriteConfig(const std::string& more, const std::string& data = "data") {
    WriteFileOrDie(config_, absl::StrCat("data_dir = \"", dir_ / data, "\"\n",
                                         "[[trunk]]\nname = \"carrier\"\n"
                                         "peer = \"127.0.0.1:5070\"\n",
                                         more));
  }
  CommandResult Run(const std::vector<std::string>& arguments) {
    return RunOutpace(arguments, config_);
  }
  // Runs a command that must fail; returns what it said.
  std::string Refused(const std::vector<std::string>& arguments, int code = 1) {
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.code, code) << result.out << result.err;
    EXPECT_THAT(result.out, IsEmpty());
    ExpectHumane(result.err);
    return result.err;
  }
  std::string File(const std::string& name, absl::string_view bytes) {
    WriteFileOrDie(dir_ / name, bytes);
    return dir_ / name;
  }

  TempDir dir_;
  const std::string config_ = dir_ / "outpace.toml";
};

TEST_F(CliTest, ListWithoutAPhoneColumn) {
  const std::string path = File("people.csv", "name,city\nAnna,Bern\n");
  EXPECT_THAT(Refused({"import", path, "--campaign", "DEMO"}),
              AllOf(HasSubstr(path), HasSubstr("telephone number"), HasSubstr("name, city"),
                    HasSubstr("phone_number"), HasSubstr("rename the column")));
  EXPECT_THAT(Run({"lead", "counts"}).out, Not(HasSubstr("DEMO")));
}

TEST_F(CliTest, ListWithAnUnknownColumnIsLoadedAndKeepsIt) {
  const std::string path = File("odd.csv", "phone_number,wibble\n2025550123,wobble\n");
  const CommandResult result = Run({"import", path, "--campaign", "DEMO"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(Run({"lead", "show", "2025550123"}).out, HasSubstr("wibble wobble"));
}

TEST_F(CliTest, EmptyMissingAndUnreadableList) {
  const std::string empty = File("empty.csv", "");
  EXPECT_THAT(Refused({"import", empty, "--campaign", "DEMO"}),
              AllOf(HasSubstr(empty), HasSubstr("no bytes")));
  const std::string missing = dir_ / "missing.csv";
  EXPECT_THAT(Refused({"import", missing, "--campaign", "DEMO"}),
              AllOf(HasSubstr(missing), HasSubstr("No such file"), HasSubstr("check the path")));
  EXPECT_THAT(Refused({"import", dir_.path(), "--campaign", "DEMO"}), HasSubstr(dir_.path()));
  const std::string binary = File("binary.csv", absl::string_view("\x7f"
                                                                  "ELF\x02\x01\0\0\xff",
                                                                  9));
  EXPECT_THAT(Refused({"import", binary, "--campaign", "DEMO"}), HasSubstr(binary));
}

TEST_F(CliTest, UnknownCampaign) {
  const std::string path = File("leads.csv", LeadsCsv({"2025550123"}));
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"import", path, "--campaign", "NOPE"},
                                             {"campaign", "start", "NOPE"},
                                             {"campaign", "show", "NOPE"},
                                             {"campaign", "funnel", "NOPE"},
                                             {"campaign", "set", "NOPE", "dial_timeout=20"}}) {
    EXPECT_THAT(Refused(arguments), AllOf(HasSubstr("'NOPE'"), HasSubstr("DEMO")));
  }
}

TEST_F(CliTest, WrongSettingValues) {
  EXPECT_THAT(Refused({"campaign", "set", "DEMO", "dial_timeout=5"}),
              AllOf(HasSubstr("dial_timeout"), HasSubstr("\"5\""), HasSubstr("15 to 120"),
                    HasSubstr("for example")));
  EXPECT_THAT(Refused({"campaign", "set", "DEMO", "adaptive_dropped_percentage=12"}),
              AllOf(HasSubstr("adaptive_dropped_percentage"), HasSubstr("0 to 5")));
  EXPECT_THAT(Refused({"campaign", "set", "DEMO", "dial_method=FASTER"}),
              AllOf(HasSubstr("dial_method"), HasSubstr("ADAPT_HARD_LIMIT")));
  EXPECT_THAT(Refused({"campaign", "set", "DEMO", "local_call_time=9 to 5"}),
              HasSubstr("local_call_time"));
  EXPECT_THAT(Refused({"campaign", "set", "DEMO", "dial_timeot=20"}),
              AllOf(HasSubstr("dial_timeot"), HasSubstr("dial_timeout")));
  EXPECT_THAT(Refused({"campaign", "set", "DEMO", "dial_timeout"}, 2), HasSubstr("NAME=VALUE"));
  // All or nothing: the good setting beside a bad one is not taken either.
  Refused({"campaign", "set", "DEMO", "dial_timeout=40", "wrapup_seconds=-1"});
  EXPECT_THAT(Run({"campaign", "show", "DEMO"}).out, Not(HasSubstr("dial_timeout=40")));
}

TEST_F(CliTest, UnknownCommandsVerbsAndOptions) {
  EXPECT_THAT(Refused({"frobnicate"}, 2),
              AllOf(HasSubstr("frobnicate"), HasSubstr("outpace --help")));
  for (const char* command : {"campaign", "lead", "dnc", "agent", "export"}) {
    EXPECT_THAT(Refused({command, "frob"}, 2), AllOf(HasSubstr("frob"), HasSubstr("Usage: ")));
    EXPECT_THAT(Refused({command}, 2), HasSubstr("Usage: "));
  }
  for (const char* command : {"serve", "import", "status", "check-config"}) {
    EXPECT_THAT(Refused({command, "--frob"}, 2), AllOf(HasSubstr("frob"), HasSubstr("Usage: ")));
  }
  EXPECT_THAT(Refused({"import", "x.csv"}, 2), HasSubstr("--campaign"));
  EXPECT_THAT(Refused({"import", "--campaign", "DEMO"}, 2), HasSubstr("which file"));
}

TEST_F(CliTest, BadNumbersAndDays) {
  EXPECT_THAT(Refused({"dnc", "add", "12"}), HasSubstr("too short"));
  EXPECT_THAT(Refused({"lead", "show", "+12025550177"}), HasSubstr("no such lead"));
  EXPECT_THAT(Refused({"export", "calls", dir_ / "x.csv", "--day", "2026-13-45"}),
              AllOf(HasSubstr("2026-13-45"), HasSubstr("yesterday")));
  EXPECT_THAT(Refused({"export", "calls", dir_ / "x.csv", "--zone", "Mars/Phobos"}),
              HasSubstr("America/New_York"));
  EXPECT_THAT(Refused({"export", "calls", dir_ / "absent/x.csv"}),
              AllOf(HasSubstr(dir_ / "absent/x.csv"), HasSubstr("check the path")));
  EXPECT_FALSE(std::filesystem::exists(dir_ / "x.csv"));
}

TEST_F(CliTest, EveryCommandTeaches) {
  const CommandResult top = Run({"--help"});
  EXPECT_EQ(top.code, 0);
  int commands = 0;
  for (absl::string_view line : absl::StrSplit(top.out, '\n')) {
    // "  import        load a list of leads"
    if (!absl::StartsWith(line, "  ") || absl::StartsWith(line, "   ")) continue;
    const std::string name(line.substr(2, line.find(' ', 2) - 2));
    ++commands;
    const CommandResult help = Run({name, "--help"});
    EXPECT_EQ(help.code, 0) << name << ": " << help.err;
    EXPECT_THAT(help.out, HasSubstr(absl::StrCat("outpace ", name)));
    EXPECT_THAT(help.err, IsEmpty()) << name;
  }
  EXPECT_GE(commands, 12);
  EXPECT_EQ(Run({"agent", "--simulate", "1", "--help"}).code, 0);
  EXPECT_EQ(Run({"--version"}).code, 0);
}

// ---- configuration ----

TEST_F(CliTest, ConfigurationFaultsNameFileAndLine) {
  const auto refused = [&](const std::string& toml) {
    const std::string path = File("bad.toml", toml);
    const CommandResult check = Run({"check-config", "--config", path});
    EXPECT_EQ(check.code, 1);
    ExpectHumane(check.err);
    const CommandResult serve = Run({"serve", "--config", path});
    EXPECT_EQ(serve.code, 1);
    EXPECT_EQ(serve.err, check.err) << "serve and check-config must agree";
    EXPECT_THAT(check.err, HasSubstr(path));
    return check.err;
  };
  const std::string trunk = "[[trunk]]\nname = \"carrier\"\npeer = \"127.0.0.1:5070\"\n";
  EXPECT_THAT(refused("data_dir = \"d\"\n"),
              AllOf(HasSubstr("no trunk"), HasSubstr("[[trunk]]"), HasSubstr("peer = ")));
  EXPECT_THAT(
      refused(absl::StrCat("data_dir = \"d\"\n", trunk, "[sip]\nlistn = \"127.0.0.1:1\"\n")),
      AllOf(HasSubstr("bad.toml:6:"), HasSubstr("listn"), HasSubstr("known here: listen")));
  EXPECT_THAT(refused(absl::StrCat("data_dir = \"d\"\nfrob = 1\n", trunk)),
              AllOf(HasSubstr("bad.toml:2:"), HasSubstr("frob"), HasSubstr("data_dir")));
  EXPECT_THAT(refused("data_dir = \"d\"\n[[trunk]]\nname = \"c\"\npeer = \"carrier_example\"\n"),
              AllOf(HasSubstr("bad.toml:4:"), HasSubstr("no address or host name")));
  EXPECT_THAT(refused(absl::StrCat("data_dir = \n", trunk)), HasSubstr("bad.toml:1:"));
  EXPECT_THAT(refused(trunk), HasSubstr("data_dir"));
  EXPECT_THAT(Refused({"serve", "--config", dir_ / "absent.toml"}),
              AllOf(HasSubstr(dir_ / "absent.toml"), HasSubstr("--config")));
}

TEST_F(CliTest, DataDirectoryThatCannotBeWritten) {
  // Below a file: no user may do that, root neither.
  WriteConfig("", "outpace.toml/data");
  const std::string message = Refused({"serve"});
  EXPECT_THAT(message, AllOf(HasSubstr(dir_ / "outpace.toml/data"), HasSubstr("Not a directory"),
                             HasSubstr("data directory")));
  EXPECT_THAT(Refused({"campaign", "list"}), HasSubstr("Not a directory"));
}

TEST_F(CliTest, DataDirectoryOfAnotherUser) {
  const std::string data = dir_ / "locked";
  ASSERT_EQ(::mkdir(data.c_str(), 0555), 0);
  WriteConfig("", "locked");
  std::string out = dir_ / "out";
  std::vector<std::string> line = {OutpaceProgram(), "serve", "--config", config_};
  if (::geteuid() == 0) {
    // Root may write anywhere, so nobody (65534) tries; the program and the way to the
    // configuration must be open to that user.
    ASSERT_EQ(::chmod(dir_.path().c_str(), 0755), 0);
    line.insert(line.begin(),
                {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"});
    File("out", "");
    ASSERT_EQ(::chmod(out.c_str(), 0666), 0);
  }
  ProcessOptions options;
  options.stdout_path = options.stderr_path = out;
  auto process = Process::Start(line, options);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ((*process)->Wait(absl::Seconds(20)), 1);
  const std::string message = ReadFileOr(out);
  ExpectHumane(message);
  EXPECT_THAT(message, AllOf(HasSubstr(data), HasSubstr("Permission denied"), HasSubstr("chown")));
}

// ---- with a running engine ----

class RunningCliTest : public ::testing::Test {
 protected:
  void Start() {
    const absl::Status started = engine_.Start();
    ASSERT_TRUE(started.ok()) << started;
  }
  // `serve` with the engine's own configuration and changes to it.
  CommandResult ServeOther(const std::vector<std::pair<std::string, std::string>>& changes) {
    std::string toml = ReadFileOr(engine_.config_path());
    for (const auto& [from, to] : changes) {
      const size_t at = toml.find(from);
      EXPECT_NE(at, std::string::npos) << from;
      if (at != std::string::npos) toml.replace(at, from.size(), to);
    }
    const std::string path = engine_.dir() / "other.toml";
    WriteFileOrDie(path, toml);
    return RunOutpace({"serve", "--config", path});
  }
  Engine engine_;
};

TEST_F(RunningCliTest, SecondServeOnTheSameDataIsRefusedAtOnce) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const MonoTime begin = MonoNow();
  const CommandResult second = engine_.Run({"serve"});
  EXPECT_LE(MonoNow() - begin, absl::Seconds(1));
  EXPECT_EQ(second.code, 1);
  ExpectHumane(second.err);
  EXPECT_THAT(second.err, AllOf(HasSubstr("in use by process"), HasSubstr("serve"),
                                HasSubstr(engine_.dir() / "data")));
  EXPECT_TRUE(engine_.ReadyNow()) << "the first engine must not mind";
}

TEST_F(RunningCliTest, PortsInUse) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto ports = PortSlot::Take();
  ASSERT_TRUE(ports.ok()) << ports.status();
  const std::string toml = ReadFileOr(engine_.config_path());
  const auto line_of = [&toml](const std::string& start) {
    const size_t at = toml.find(start);
    return toml.substr(at, toml.find('\n', at) - at);
  };
  const std::pair<std::string, std::string>
      data = {engine_.dir() / "data", engine_.dir() / "data2"},
      log = {engine_.dir() / "engine.log", engine_.dir() / "engine2.log"},
      media = {line_of("port_first"), absl::StrCat("port_first = ", (*ports)->media_first())};
  const size_t sip_at = toml.find("[sip]");
  const std::string sip_line = toml.substr(sip_at, toml.find('\n', sip_at + 6) - sip_at);
  const std::pair<std::string, std::string> sip = {
      sip_line, absl::StrCat("[sip]\nlisten = \"127.0.0.1:", (*ports)->sip(), "\"")};
  const std::string engine_http = engine_.Url().substr(7);

  // The media ports of the first engine.
  CommandResult other = ServeOther({data, log, sip});
  EXPECT_EQ(other.code, 1);
  ExpectHumane(other.err);
  EXPECT_THAT(other.err, AllOf(HasSubstr("is taken"), HasSubstr("media.port_first")));
  // Its SIP port.
  other = ServeOther({data, log, media});
  EXPECT_EQ(other.code, 1);
  ExpectHumane(other.err);
  EXPECT_THAT(other.err, HasSubstr(sip_line.substr(16, sip_line.size() - 17)));
  EXPECT_TRUE(absl::StrContains(other.err, "taken") || absl::StrContains(other.err, "in use"))
      << other.err;
  // Its HTTP port.
  other = ServeOther({data, log, media, sip});
  EXPECT_EQ(other.code, 1);
  ExpectHumane(other.err);
  EXPECT_THAT(other.err, HasSubstr(engine_http));
  EXPECT_TRUE(absl::StrContains(other.err, "taken") || absl::StrContains(other.err, "in use"))
      << other.err;
  EXPECT_TRUE(engine_.ReadyNow());
}

TEST_F(RunningCliTest, StatusSaysWhyNothingIsDialed) {
  CommandResult status = engine_.Run({"status"});
  EXPECT_NE(status.code, 0);  // no configuration yet: never started
  ASSERT_NO_FATAL_FAILURE(Start());
  engine_.CreateCampaign({"dial_method=PROGRESSIVE"});
  const auto says = [&](const std::string& what) {
    EXPECT_TRUE(engine_.WaitUntil(absl::Seconds(10),
                                  [&] {
                                    status = engine_.Run({"status"});
                                    return absl::StrContains(status.out, what);
                                  }))
        << what << " is not in:\n"
        << status.out << status.err;
  };
  says("not dialing: the campaign is paused");
  engine_.Must({"campaign", "start", "DEMO"});
  says("not dialing: no agent is logged in and ready");
  engine_.AddAgent("anna");
  auto desk = Desk::LogIn(engine_.Url(), "anna");
  ASSERT_TRUE(desk.ok()) << desk.status();
  EXPECT_TRUE((*desk)->Ready().ok());
  says("not dialing: no lead is due");
  const CommandResult funnel = engine_.Run({"campaign", "funnel", "DEMO"});
  EXPECT_THAT(funnel.out, AllOf(HasSubstr(": 0 leads"), HasSubstr("in the hopper")));
  EXPECT_THAT(engine_.Run({"campaign", "funnel", "DEMO", "--json"}).out,
              HasSubstr("\"engine\": true"));
  engine_.Must({"campaign", "set", "DEMO", "trunk=other"});
  says("not dialing: trunks: there is no trunk 'other'");
  EXPECT_TRUE((*desk)->LogOut().ok());
  EXPECT_TRUE((*desk)->phone().WaitUntilDown(absl::Seconds(10)));
  const auto code = engine_.Terminate(absl::Seconds(20));
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0);
  status = engine_.Run({"status"});
  EXPECT_EQ(status.code, 1);
  EXPECT_THAT(status.err, AllOf(HasSubstr("no engine runs"), HasSubstr("outpace serve")));
}

}  // namespace
}  // namespace outpace::e2e
