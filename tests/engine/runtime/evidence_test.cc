// The evidence log of a data directory: its key, who writes it while no engine runs, and the
// command that checks and exports it.

#include "engine/runtime/evidence.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/audit/verify.h"
#include "engine/runtime/commands/admin_door.h"
#include "engine/runtime/commands/cli.h"
#include "engine/runtime/files.h"
#include "engine/runtime/real_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/engine/runtime/scratch.h"

namespace outpace::runtime {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;

class EvidenceTest : public ::testing::Test {
 protected:
  EvidenceTest()
      : path_(scratch_.Put("o.toml", absl::StrCat("data_dir = \"", scratch_ / "data",
                                                  "\"\n[[trunk]]\nname = \"carrier\"\n"
                                                  "peer = \"192.0.2.10:5060\"\n"))),
        config_(*LoadConfig(path_)) {
    std::filesystem::create_directories(scratch_ / "data");
  }
  absl::Status Note(audit::Event event) {
    auto evidence = Evidence::Open(config_, clock_, log_);
    return evidence.ok() ? (*evidence)->Note(std::move(event)) : evidence.status();
  }
  // The exit code; what it printed is in out_ and err_.
  int Audit(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--config", path_});
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    const int code = RunAuditCommand(arguments);
    out_ = ::testing::internal::GetCapturedStdout();
    err_ = ::testing::internal::GetCapturedStderr();
    return code;
  }
  // Of the only segment there is.
  std::string Segment() {
    for (const auto& entry : std::filesystem::directory_iterator(config_.AuditPath())) {
      if (entry.path().extension() == ".jsonl") return entry.path().string();
    }
    return "";
  }

  const Scratch scratch_;
  const std::string path_;
  const Config config_;
  RealClock clock_;
  NullLog log_;
  std::string out_, err_;
};

TEST_F(EvidenceTest, TheKeyIsMadeOnceAndNeverForAnOldLog) {
  ASSERT_TRUE(Note({"engine.started", "engine", {}}).ok());
  struct stat info {};
  ASSERT_EQ(::stat(config_.AuditKeyPath().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(Audit({"verify"}), kDone) << err_;
  EXPECT_THAT(out_, HasSubstr("are as they were written; seals checked"));
  EXPECT_THAT(out_, Not(HasSubstr("note:")));
  std::filesystem::remove(config_.AuditKeyPath());
  const absl::Status status = Note({"engine.started", "engine", {}});
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("put back the key"));
  EXPECT_FALSE(std::filesystem::exists(config_.AuditKeyPath()));
  EXPECT_EQ(Audit({"verify"}), kFailed);
  EXPECT_THAT(err_, HasSubstr("--no-key"));
  EXPECT_EQ(Audit({"verify", "--no-key"}), kDone);
  EXPECT_THAT(out_, HasSubstr("seals NOT checked"));
}

TEST_F(EvidenceTest, CommandsWithoutAnEngineAreNotedToo) {
  {
    auto door = AdminDoor::Open(path_);
    ASSERT_TRUE(door.ok()) << door.status();
    ASSERT_TRUE((*door)->Run("campaign.create", {{"id", "DEMO"}}).ok());
    const auto added = (*door)->Run("dnc.add", {{"number", "+13035550101"}});
    ASSERT_TRUE(added.ok()) << added.status();
  }
  EXPECT_EQ(Audit({"verify"}), kDone) << out_;
  ASSERT_EQ(Audit({"export", "--day", "today", "--kind", "dnc.", "--kind", "campaign.created",
                   "--format", "json", "--out", scratch_ / "x.jsonl"}),
            kDone)
      << err_;
  const std::string text = *ReadFile(scratch_ / "x.jsonl");
  EXPECT_THAT(text, HasSubstr("\"kind\":\"dnc.added\",\"actor\":\"command line, user "));
  EXPECT_THAT(text, HasSubstr("\"campaign\":\"DEMO\""));
  EXPECT_THAT(text, Not(HasSubstr("303555")));
  EXPECT_THAT(text, Not(HasSubstr("audit.began")));
  // The lines are those of the log: they can be checked one by one.
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    EXPECT_TRUE(audit::ParseLine(line).ok());
    EXPECT_THAT(*ReadFile(Segment()), HasSubstr(std::string(line)));
  }
}

TEST_F(EvidenceTest, TamperingIsToldAndNotExported) {
  ASSERT_TRUE(Note({"dnc.removed", "control socket", {{"number_mark", "ab"}}}).ok());
  ASSERT_EQ(Audit({"head"}), kDone);
  const std::string head(absl::StripSuffix(out_, "\n"));
  EXPECT_EQ(Audit({"verify", "--head", head}), kDone) << out_ << err_;
  std::string bytes = *ReadFile(Segment());
  bytes.replace(bytes.find("dnc.removed"), 11, "dnc.checked");
  std::ofstream(Segment(), std::ios::binary) << bytes;
  EXPECT_EQ(Audit({"verify"}), kFailed);
  EXPECT_THAT(out_, HasSubstr("FAULT: audit-"));
  EXPECT_THAT(out_, HasSubstr("does not fit its hash"));
  EXPECT_THAT(out_, HasSubstr("NOT as it was written"));
  EXPECT_EQ(Audit({"head"}), kFailed);
  const std::string out = scratch_ / "x.csv";
  EXPECT_EQ(Audit({"export", "--day", "today", "--out", out}), kFailed);
  EXPECT_FALSE(std::filesystem::exists(out));
  EXPECT_EQ(Audit({"export", "--day", "today", "--out", out, "--unverified"}), kDone);
  // The engine goes on, and the log says that it did.
  ASSERT_TRUE(Note({"engine.started", "engine", {}}).ok());
  EXPECT_EQ(Audit({"verify"}), kFailed);
  EXPECT_THAT(out_, HasSubstr("FAULT, known to the engine"));
}

TEST_F(EvidenceTest, NamesCannotBeFormulasInASpreadsheet) {
  ASSERT_TRUE(Note({"agent.login_failed",
                    "=cmd|'/C calc'!A0",
                    {{"agent", "@SUM(1)"}, {"user", "a\"b,c\r\n=1"}}})
                  .ok());
  ASSERT_EQ(Audit({"export", "--day", "today", "--kind", "agent.", "--out", scratch_ / "x.csv"}),
            kDone);
  const std::string text = *ReadFile(scratch_ / "x.csv");
  EXPECT_THAT(
      text, StartsWith("seq,time,kind,actor,campaign,list,lead,attempt,agent,about,hash,seal\r\n"));
  EXPECT_THAT(text, HasSubstr(",agent.login_failed,'=cmd|'/C calc'!A0,,,,,'@SUM(1),"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST_F(EvidenceTest, ThePackOfADaysAbandonedCalls) {
  const std::string now = audit::TimeText(clock_.Wall());
  for (const int attempt : {7, 8}) {
    ASSERT_TRUE(Note({"call.dialed", "engine", {{"campaign", "DEMO"}, {"attempt", attempt}}}).ok());
  }
  ASSERT_TRUE(Note({"call.dialed", "engine", {{"campaign", "OTHER"}, {"attempt", 9}}}).ok());
  ASSERT_TRUE(Note({"call.abandoned",
                    "engine",
                    {{"campaign", "DEMO"},
                     {"lead", 3},
                     {"attempt", 8},
                     {"answered_at", now},
                     {"contracts", "regulation tsr"},
                     {"waited_ms", 1903},
                     {"message", "our_name"},
                     {"message_played", true},
                     {"duration_ms", 5000}}})
                  .ok());
  ASSERT_EQ(Audit({"abandons", "--campaign", "DEMO", "--day", now.substr(0, 10), "--out",
                   scratch_ / "pack"}),
            kDone)
      << err_;
  EXPECT_THAT(out_, HasSubstr("2 calls dialed, 1 abandoned"));
  const Json json = Json::parse(*ReadFile(scratch_ / "pack/abandons.json"));
  EXPECT_EQ(json["calls_dialed"], 2);
  EXPECT_EQ(json["log"]["as_it_was_written"], true);
  ASSERT_EQ(json["abandoned"].size(), 1u);
  EXPECT_EQ(json["abandoned"][0]["attempt"], 8);
  EXPECT_EQ(json["abandoned"][0]["message_played"], true);
  EXPECT_NE(json["abandoned"][0]["dialed_seq"], 0);
  const std::string csv = *ReadFile(scratch_ / "pack/abandons.csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 2);
  EXPECT_THAT(csv, HasSubstr("1903,our_name,true,"));
  EXPECT_THAT(csv, HasSubstr("regulation tsr"));
}

// An engine died with the call and the next one, days later, has written that it was abandoned: it
// belongs to the day on which it was answered.
TEST_F(EvidenceTest, ACallThatWasAbandonedBeforeACrashIsInItsDaysPack) {
  const std::string then = audit::TimeText(clock_.Wall() - absl::Hours(72));
  audit::Event dialed{"call.dialed", "engine", {{"campaign", "DEMO"}, {"attempt", 8}}};
  dialed.at = clock_.Wall() - absl::Hours(72);
  ASSERT_TRUE(Note(dialed).ok());
  ASSERT_TRUE(Note({"call.abandoned",
                    "engine",
                    {{"campaign", "DEMO"}, {"attempt", 8}, {"answered_at", then}}})
                  .ok());
  ASSERT_EQ(Audit({"abandons", "--campaign", "DEMO", "--day", then.substr(0, 10), "--out",
                   scratch_ / "pack"}),
            kDone)
      << err_;
  EXPECT_THAT(out_, HasSubstr("1 calls dialed, 1 abandoned"));
  ASSERT_EQ(Audit({"abandons", "--campaign", "DEMO", "--day", "today", "--out", scratch_ / "now"}),
            kDone);
  EXPECT_THAT(out_, HasSubstr("0 calls dialed, 0 abandoned"));
}

TEST_F(EvidenceTest, WhatIsMissingOnTheCommandLineIsAskedFor) {
  EXPECT_EQ(Audit({}), kUsage);
  EXPECT_EQ(Audit({"burn"}), kUsage);
  EXPECT_EQ(Audit({"export", "--day", "today"}), kUsage);
  EXPECT_EQ(Audit({"export", "--out", "x", "--format", "xml"}), kUsage);
  EXPECT_EQ(Audit({"abandons", "--day", "today", "--out", "x"}), kUsage);
  EXPECT_EQ(Audit({"verify", "--head", "7"}), kFailed);
  EXPECT_EQ(Audit({"verify"}), kFailed);
  EXPECT_THAT(err_, HasSubstr("check the path"));  // nothing has been logged yet
}

}  // namespace
}  // namespace outpace::runtime
