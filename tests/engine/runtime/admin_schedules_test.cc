// Exports on a schedule: what is due is written and brought to a directory or by HTTP, failures
// come again, and what came of it is listed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <mutex>

#include "engine/api/http_server.h"
#include "engine/base/log.h"
#include "tests/engine/runtime/admin_fixture.h"
#include "tests/engine/runtime/fake_audit.h"

namespace outpace::runtime {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Code = absl::StatusCode;

class AdminSchedules : public AdminFixture {
 protected:
  // The fixture's time is 2023-11-14 22:13:20 UTC; the call is of that day.
  void SetUp() override {
    Create();
    campaign::Attempt call;
    call.id = AttemptId(1);
    call.campaign = "DEMO";
    call.dialed = E164(12025550100);
    call.status = "NA";
    call.open = false;
    call.dialed_at = world_.clock().Wall();
    campaign::StoreBatch batch;
    batch.attempts = {call};
    ASSERT_TRUE(store_.Commit(batch).ok());
    std::filesystem::create_directory(to_);
  }
  Json Settings(const Json& more = Json::object()) const {
    Json settings = {{"what", "calls"}, {"at", "06:30"}, {"to", to_}};
    settings.update(more);
    return settings;
  }
  void Add(const Json& more = Json::object()) {
    const auto answer =
        Run("export.schedule.add", {{"name", "daily"}, {"schedule", Settings(more)}});
    ASSERT_TRUE(answer.ok()) << answer.status();
  }
  std::string AddRefusal(Code code, const Json& more) {
    return Refusal(code, "export.schedule.add", {{"name", "daily"}, {"schedule", Settings(more)}});
  }
  // The wall clock goes to this time of day on `day` days from the first.
  void GoTo(int day, int hour, int minute) {
    const absl::Time then =
        absl::FromCivil(absl::CivilMinute(2023, 11, 14 + day, hour, minute), absl::UTCTimeZone());
    world_.clock().StepWall(then - world_.clock().Wall());
  }
  // Runs what is due: how many were delivered, or minus how many failed.
  int Due() {
    const auto answer = Run("export.schedule.due");
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) return -99;
    return (*answer)["delivered"].get<int>() - static_cast<int>((*answer)["failed"].size());
  }
  Json Listed() { return (*Run("export.schedule.list"))["schedules"][0]; }
  static size_t FilesIn(const std::string& path) {
    size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path)) files += entry.exists();
    return files;
  }

  const std::string to_ = scratch_ / "to";
};

TEST_F(AdminSchedules, WhatIsDueIsDeliveredOnceWithItsSideCar) {
  Add();
  EXPECT_EQ(Due(), 0) << "06:30 of the day it was made is over";
  GoTo(1, 6, 29);
  EXPECT_EQ(Due(), 0);
  GoTo(1, 6, 30);
  EXPECT_EQ(Due(), 1);
  EXPECT_EQ(Due(), 0);
  const std::string file = to_ + "/daily-2023-11-14.csv";
  EXPECT_THAT(Scratch::Bytes(file), HasSubstr("12025550100"));
  EXPECT_THAT(Scratch::Bytes(file + ".columns.json"), HasSubstr("\"columns\""));
  EXPECT_EQ(FilesIn(to_), 2u) << "nothing half written";
  const Json one = Listed();
  EXPECT_EQ(one["delivered"], true);
  EXPECT_EQ(one["attempts"], 1);
  EXPECT_THAT(one["result"].get<std::string>(), HasSubstr("daily-2023-11-14.csv, 1 rows"));

  // Again by hand: the same range, the same bytes, and tomorrow's run comes as ever.
  const std::string bytes = Scratch::Bytes(file);
  std::filesystem::remove(file);
  EXPECT_THAT(Text("export.schedule.run", {{"name", "daily"}, {"day", "2023-11-14"}}),
              HasSubstr("1 calls delivered"));
  EXPECT_TRUE(Scratch::Bytes(file) == bytes);
  EXPECT_EQ(Due(), 0);
  GoTo(4, 12, 0);
  EXPECT_EQ(Due(), 1) << "three were missed; the newest is made";
  EXPECT_EQ(Due(), 0);
  EXPECT_TRUE(std::filesystem::exists(to_ + "/daily-2023-11-17.csv"));
  EXPECT_EQ(FilesIn(to_), 4u);
}

TEST_F(AdminSchedules, AFailedDeliveryIsToldAndComesAgain) {
  Add();
  GoTo(1, 6, 30);
  std::filesystem::remove(to_);
  EXPECT_EQ(Due(), -1);
  EXPECT_EQ(Due(), 0) << "not before a minute is over";
  EXPECT_EQ(Listed()["delivered"], false);
  EXPECT_THAT(Text("export.schedule.list"), AllOf(HasSubstr("failed: "), HasSubstr("attempt 1")));
  GoTo(1, 6, 31);
  EXPECT_EQ(Due(), -1);
  EXPECT_EQ(Listed()["attempts"], 2);
  GoTo(1, 6, 36);
  std::filesystem::create_directory(to_);
  EXPECT_EQ(Due(), 1);
  EXPECT_EQ(Listed()["attempts"], 3);
  EXPECT_EQ(Listed()["delivered"], true);
  EXPECT_TRUE(std::filesystem::exists(to_ + "/daily-2023-11-14.csv"));
  EXPECT_EQ(Due(), 0);
}

// What is known outlives the process; the engine's own directory is left empty.
TEST_F(AdminSchedules, AnotherAdminGoesOnWhereThisOneWas) {
  Add();
  AdminHooks hooks = Hooks();
  hooks.spool = scratch_ / "spool";
  Admin other(store_, world_.clock(), hooks, &shared_);
  GoTo(1, 7, 0);
  auto answer = other.Run("export.schedule.due", Json::object());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)["delivered"], 1);
  EXPECT_EQ(FilesIn(hooks.spool), 0u);
  EXPECT_EQ(Due(), 0);
  // An engine that stops leaves the run to the next.
  hooks.stopping = [] { return true; };
  Admin ending(store_, world_.clock(), hooks, &shared_);
  GoTo(2, 7, 0);
  answer = ending.Run("export.schedule.due", Json::object());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ((*answer)["delivered"], 0);
  EXPECT_EQ(Due(), 1);
}

TEST_F(AdminSchedules, WhatCannotWorkIsRefusedAtOnce) {
  AddRefusal(Code::kInvalidArgument, {{"layout", "klingon"}});
  AddRefusal(Code::kInvalidArgument, {{"format", "pdf"}});
  AddRefusal(Code::kInvalidArgument, {{"what", "agents"}, {"format", "xlsx"}});
  AddRefusal(Code::kNotFound, {{"campaign", "NONE"}});
  AddRefusal(Code::kNotFound, {{"to", scratch_ / "nowhere"}});
  const std::string credentials = scratch_.Put("secret", "ann:hunter2\n");
  const Json https = {{"to", "https://files.example.com/in/"}, {"credentials", credentials}};
  ASSERT_EQ(::chmod(credentials.c_str(), 0640), 0);
  EXPECT_THAT(AddRefusal(Code::kFailedPrecondition, https),
              AllOf(HasSubstr("chmod 600"), Not(HasSubstr("hunter2"))));
  ASSERT_EQ(::chmod(credentials.c_str(), 0600), 0);
  scratch_.Put("secret", "hunter2\n");
  EXPECT_THAT(AddRefusal(Code::kFailedPrecondition, https),
              AllOf(HasSubstr("user:password"), Not(HasSubstr("hunter2"))));
  scratch_.Put("secret", "ann:hunter2\n");
  Add(https);
  EXPECT_THAT(AddRefusal(Code::kAlreadyExists, https), HasSubstr("remove"));
  EXPECT_THAT(Text("export.schedule.remove", {{"name", "daily"}}), HasSubstr("removed"));
  Refusal(Code::kNotFound, "export.schedule.remove", {{"name", "daily"}});
  Refusal(Code::kNotFound, "export.schedule.run", {{"name", "daily"}});
}

// Who takes data out by a schedule is in the evidence log; a password that was refused is not.
TEST_F(AdminSchedules, TheEvidenceLogSaysWhatLeft) {
  FakeAudit audit;
  AdminHooks hooks = Hooks();
  hooks.audit = &audit;
  Admin admin(store_, world_.clock(), hooks, &shared_);
  const Json bad = {{"name", "daily"},
                    {"schedule", Settings({{"to", "sftp://ann:hunter2@files.example.com/"}})}};
  EXPECT_FALSE(admin.Run("export.schedule.add", bad).ok());
  ASSERT_EQ(audit.events().size(), 1u);
  for (const audit::Field& field : audit.events()[0].about) {
    EXPECT_THAT(audit::TextOf(audit.events()[0], field.name), Not(HasSubstr("hunter2")));
  }
  ASSERT_TRUE(admin.Run("export.schedule.add", {{"name", "daily"}, {"schedule", Settings()}}).ok());
  EXPECT_THAT(audit::TextOf(audit.Last("export.schedule_added"), "scheduled"), HasSubstr(to_));
  GoTo(1, 6, 30);
  ASSERT_TRUE(admin.Run("export.schedule.due", Json::object()).ok());
  ASSERT_TRUE(admin.Run("export.schedule.due", Json::object()).ok());
  EXPECT_EQ(audit::TextOf(audit.Last("export.scheduled"), "delivered"), "daily-2023-11-14.csv");
  EXPECT_EQ(audit::TextOf(audit.Last("export.scheduled"), "day"), "2023-11-14");
}

TEST_F(AdminSchedules, PutsFilesOnAServer) {
  NullLog log;
  auto server = api::HttpServer::Create({}, log);
  ASSERT_TRUE(server.ok()) << server.status();
  std::mutex mutex;
  std::map<std::string, std::string> files;
  std::vector<std::string> order;
  std::string authorization;
  int answer = 500;
  (*server)->Route("PUT", "/in/{}", [&](api::HttpRequest request, api::Responder respond) {
    const std::lock_guard lock(mutex);
    files[request.captures.at(0)] = request.body;
    order.push_back(request.captures.at(0));
    authorization = request.headers["authorization"];
    api::HttpResponse response;
    response.status = answer;
    respond(std::move(response));
  });
  (*server)->Start();
  const std::string credentials = scratch_.Put("secret", "ann:hunter2\n");
  ASSERT_EQ(::chmod(credentials.c_str(), 0600), 0);
  Add({{"to", absl::StrCat("http://127.0.0.1:", (*server)->port(), "/in")},
       {"credentials", credentials}});
  GoTo(1, 6, 30);
  EXPECT_EQ(Due(), -1);
  EXPECT_THAT(Listed()["result"].get<std::string>(),
              AllOf(HasSubstr("500"), Not(HasSubstr("hunter2"))));
  {
    const std::lock_guard lock(mutex);
    answer = 302;
  }
  GoTo(1, 6, 31);
  EXPECT_EQ(Due(), -1) << "a redirection stores nothing";
  {
    const std::lock_guard lock(mutex);
    answer = 201;
    order.clear();
  }
  GoTo(1, 6, 36);
  EXPECT_EQ(Due(), 1);
  (*server)->Stop();
  EXPECT_THAT(order, ElementsAre("daily-2023-11-14.csv.columns.json", "daily-2023-11-14.csv"));
  EXPECT_EQ(authorization, "Basic YW5uOmh1bnRlcjI=");
  const std::string path = scratch_ / "by-hand.csv";
  ASSERT_TRUE(Run("export.calls", {{"path", path}, {"day", "2023-11-14"}}).ok());
  EXPECT_TRUE(files["daily-2023-11-14.csv"] == Scratch::Bytes(path));
  // Nobody is there any more.
  GoTo(2, 6, 30);
  EXPECT_EQ(Due(), -1);
  EXPECT_THAT(Listed()["result"].get<std::string>(), HasSubstr("delivery: "));
}

}  // namespace
}  // namespace outpace::runtime
