// What a campaign manager does with lists, by the `outpace` program: load, look, take back, load
// again, reset, search, erase; with and without a running engine.

#include <algorithm>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/api/http_client.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/e2e/engine_fixture.h"

namespace outpace::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

// VICIdial's standard layout without a header: 2 good rows, a double, and one number too short.
constexpr char kVicidial[] =
    "V-1|LIST|101|1|2025550101|Ms|Ann||Lee|1 Main St||||DC||20001|US|F|1980-02-03||||hello|1|\n"
    "V-2|LIST|101|1|2025550102|Mr|Bob||Ray|2 Main St||||DC||20002|US|M|||||call after 5|2|\n"
    "V-3|LIST|101|1|2025550101|Ms|Ann||Again|||||||||||||||\n"
    "V-4|LIST|101|1|12|||||||||||||||||||\n";

class LeadListsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(Run({"campaign", "create", "DEMO", "trunk=carrier"}).code, 0); }
  LeadListsTest() {
    WriteFileOrDie(config_, absl::StrCat("data_dir = \"", dir_ / "data", "\"\n",
                                         "[[trunk]]\nname = \"carrier\"\n"
                                         "peer = \"127.0.0.1:5070\"\n"));
  }
  CommandResult Run(const std::vector<std::string>& arguments) {
    return RunOutpace(arguments, config_);
  }
  // What a command that must work prints, with single blanks.
  std::string Must(const std::vector<std::string>& arguments) {
    CommandResult result = Run(arguments);
    EXPECT_EQ(result.code, 0) << arguments[0] << ": " << result.err;
    const auto both_blank = [](char a, char b) { return a == ' ' && b == ' '; };
    result.out.erase(std::unique(result.out.begin(), result.out.end(), both_blank),
                     result.out.end());
    return result.out;
  }
  Json MustJson(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    return Json::parse(Must(arguments), nullptr, false);
  }

  TempDir dir_;
  const std::string config_ = dir_ / "outpace.toml";
};

TEST_F(LeadListsTest, AWeekOfACampaignManager) {
  const std::string file = dir_ / "spring.csv";
  WriteFileOrDie(file, kVicidial);
  const std::vector<std::string> import = {
      "import", file,       "--campaign", "DEMO",      "--list",
      "spring", "--layout", "standard",   "--rejects", dir_ / "left-out.csv"};
  std::vector<std::string> dry = import;
  dry.push_back("--dry-run");
  EXPECT_THAT(Must(dry), HasSubstr("nothing was stored"));
  EXPECT_THAT(Must({"list", "show"}), Not(HasSubstr("spring")));

  const std::string report = Must(import);
  EXPECT_THAT(report, AllOf(HasSubstr("list 101 (spring)"), HasSubstr("rows 4\n"),
                            HasSubstr("accepted 2\n"), HasSubstr("duplicates in the file 1\n"),
                            HasSubstr("rejected 1\n")));
  EXPECT_THAT(ReadFileOr(dir_ / "left-out.csv"), AllOf(HasSubstr("V-3"), HasSubstr("V-4")));
  EXPECT_THAT(Must(import), HasSubstr("nothing was changed"));

  const Json list = MustJson({"list", "show", "spring"});
  EXPECT_EQ(list["leads"], 2);
  EXPECT_EQ(list["statuses"]["NEW"], 2);

  EXPECT_THAT(Must({"import", "undo", "1"}), HasSubstr("2 leads removed, 0 kept"));
  EXPECT_EQ(MustJson({"list", "show", "spring"})["leads"], 0);
  const CommandResult twice = Run({"import", "undo", "1"});
  EXPECT_EQ(twice.code, 1);
  EXPECT_THAT(twice.err, HasSubstr("taken back already"));
  EXPECT_THAT(Must(import), HasSubstr("import 2"));
  EXPECT_THAT(Must({"import", "list"}), AllOf(HasSubstr("undone"), HasSubstr("published")));
  EXPECT_EQ(MustJson({"import", "show", "2"})["accepted"], 2);

  EXPECT_THAT(Must({"list", "reset", "spring"}), HasSubstr("101"));
  EXPECT_THAT(Must({"lead", "search", "2025550102"}), HasSubstr("Bob Ray"));
  EXPECT_THAT(Must({"lead", "search", "v-1"}), HasSubstr("Ann Lee"));
  EXPECT_THAT(Must({"lead", "search", "ann l", "--list", "spring"}), HasSubstr("2025550101"));
  EXPECT_THAT(Must({"lead", "search", "nobody"}), HasSubstr("no such lead"));
  EXPECT_EQ(Run({"lead", "search"}).code, 1);
  EXPECT_THAT(Must({"lead", "show", "202-555-0101"}),
              AllOf(HasSubstr("vendor_lead_code V-1"), HasSubstr("import 2 (spring.csv)")));

  EXPECT_THAT(Must({"list", "expire", "spring", "2020-01-01"}), HasSubstr("expired"));
  EXPECT_THAT(Must({"lead", "why", "202-555-0101"}), HasSubstr("held back"));
  Must({"list", "expire", "spring", "never"});
  Must({"list", "archive", "spring"});
  EXPECT_THAT(Must({"list", "show"}), Not(HasSubstr("spring")));
  EXPECT_THAT(Must({"list", "show", "--all"}), HasSubstr("archived"));
  // As they were called first.
  Must({"list", "unarchive", "spring"});
  EXPECT_THAT(Must({"lead", "list-off", "101"}), HasSubstr("is off"));
  EXPECT_THAT(Must({"lead", "lists"}), HasSubstr("off"));
}

TEST_F(LeadListsTest, TemplatesAndHeldGuesses) {
  const std::string file = dir_ / "crm.csv";
  WriteFileOrDie(file, "Tel,Firma,Kapital\n2025550103,Kräuter GmbH,5000000\n");
  Must({"template", "set", "crm", "--encoding", "utf-8", "--map", "Tel=phone_number", "--map",
        "Kapital=registered_capital:number"});
  EXPECT_THAT(Must({"template", "list"}), HasSubstr("crm"));
  EXPECT_THAT(Must({"template", "show", "crm"}), HasSubstr("registered_capital:number"));
  EXPECT_THAT(Must({"import", file, "--campaign", "DEMO", "--template", "crm", "--filter",
                    "registered_capital >= 500万"}),
              HasSubstr("accepted 1\n"));
  EXPECT_THAT(Run({"import", file, "--campaign", "DEMO", "--template", "cmr"}).err,
              HasSubstr("there are: crm"));
  Must({"template", "remove", "crm"});
  EXPECT_EQ(Run({"template", "show", "crm"}).code, 1);

  const std::string guessed = dir_ / "gb.csv";
  WriteFileOrDie(
      guessed, "\xCA\xD6\xBB\xFA\xBA\xC5,\xD0\xD5\xC3\xFB\n13800138001,\xD5\xC5\xB4\xF3\xCE\xC4\n");
  const std::vector<std::string> import = {"import", guessed, "--campaign", "DEMO",
                                           "--list", "gb",    "--country",  "CN"};
  std::vector<std::string> hold = import;
  hold.push_back("--hold");
  const CommandResult held = Run(hold);
  EXPECT_EQ(held.code, 1);
  EXPECT_THAT(held.out, AllOf(HasSubstr("nothing was stored"), HasSubstr("--encoding gb18030")));
  EXPECT_THAT(Must(import), HasSubstr("accepted 1\n"));
  EXPECT_THAT(Must({"lead", "search", "张大文"}), HasSubstr("+8613800138001"));
}

TEST_F(LeadListsTest, AnErasedPersonStaysAway) {
  const std::string file = dir_ / "spring.csv";
  WriteFileOrDie(file, kVicidial);
  const std::vector<std::string> import = {"import",   file,       "--campaign",   "DEMO",
                                           "--layout", "standard", "--duplicates", "none"};
  Must(import);
  const std::string erased = Must({"erase", "202-555-0101", "--reason", "request"});
  EXPECT_THAT(erased, AllOf(HasSubstr("erased: "), Not(HasSubstr("5550101"))));
  EXPECT_EQ(Run({"lead", "show", "202-555-0101"}).code, 1);
  std::vector<std::string> again = import;
  again.push_back("--again");
  again.push_back("--json");
  const Json report = Json::parse(Must(again), nullptr, false);
  EXPECT_GE(report["dnc"], 1) << "the number is refused";
  EXPECT_EQ(Run({"lead", "show", "202-555-0101"}).code, 1);
  EXPECT_THAT(Must({"dnc", "check", "202-555-0101"}), Not(HasSubstr("not listed")));
}

TEST_F(LeadListsTest, ABackupBringsEverythingBack) {
  const std::string file = dir_ / "spring.csv";
  WriteFileOrDie(file, kVicidial);
  Must({"import", file, "--campaign", "DEMO", "--layout", "standard"});
  const std::string backups = dir_ / "backups";
  EXPECT_THAT(Must({"store", "backup", backups}), HasSubstr("read again and good"));
  Must({"import", "undo", "1"});
  EXPECT_EQ(Run({"lead", "show", "202-555-0101"}).code, 1);
  EXPECT_THAT(Must({"store", "backups", backups}), HasSubstr("BACKUP WHEN"));
  EXPECT_THAT(Must({"store", "restore", backups}), HasSubstr("is kept: "));
  EXPECT_THAT(Must({"lead", "show", "202-555-0101"}), HasSubstr("V-1"));
  EXPECT_THAT(Must({"store", "verify"}), HasSubstr("every index agrees"));
  EXPECT_THAT(Must({"store", "migrate"}), HasSubstr("up to date"));
  EXPECT_THAT(Must({"store", "checkpoint", dir_ / "now"}), HasSubstr("as it is now"));
  EXPECT_THAT(Run({"store", "restore", dir_ / "nothing"}).err, HasSubstr("no backups are there"));
}

// A load of a running engine: progress by the API, and others are told that one is under way.
TEST(RunningLeadLists, ImportsAreSeenOverTheApi) {
  Engine engine;
  ASSERT_TRUE(engine.Start().ok());
  engine.CreateCampaign({"dial_method=PROGRESSIVE"});
  engine.Import(LeadsCsv(FictionalNumbers(50)), "spring");
  auto client = api::HttpClient::Create(engine.Url());
  const auto all = client->Send("GET", "/v1/imports");
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->status, 200);
  const Json imports = Json::parse(all->body, nullptr, false);
  ASSERT_EQ(imports["imports"].size(), 1u);
  EXPECT_EQ(imports["imports"][0]["accepted"], 50);
  const auto one = client->Send("GET", "/v1/imports/1");
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(Json::parse(one->body, nullptr, false)["state"], "published");
  EXPECT_EQ(client->Send("GET", "/v1/imports/99")->status, 404);
  EXPECT_EQ(client->Send("GET", "/v1/imports/x")->status, 400);

  EXPECT_THAT(engine.Must({"store", "backup", engine.dir() / "backups"}),
              HasSubstr("read again and good"));
  const CommandResult in_use = engine.Run({"store", "restore", engine.dir() / "backups"});
  EXPECT_EQ(in_use.code, 1);
  EXPECT_THAT(in_use.err, HasSubstr("in use"));
  EXPECT_THAT(engine.Must({"import", "undo", "1"}), HasSubstr("50 leads removed, 0 kept"));
  EXPECT_EQ(Json::parse(client->Send("GET", "/v1/imports/1")->body)["state"], "undone");
  EXPECT_THAT(engine.Must({"erase", "202-555-0101"}), HasSubstr("erased: 0 leads"));
}

// People who load files at the same time wait for each other, and each learns what became of his.
TEST(RunningLeadLists, ImportsAtTheSameTimeFollowEachOther) {
  constexpr int kPeople = 8;
  Engine engine;
  ASSERT_TRUE(engine.Start().ok());
  engine.CreateCampaign({"dial_method=PROGRESSIVE"});
  const std::vector<std::string> numbers = FictionalNumbers(kPeople * 5);
  std::vector<std::thread> people;
  std::vector<CommandResult> results(kPeople);
  for (int i = 0; i < kPeople; ++i) {
    const std::string path = engine.dir() / absl::StrCat("f", i, ".csv");
    WriteFileOrDie(path, LeadsCsv({numbers.begin() + i * 5, numbers.begin() + (i + 1) * 5}));
    people.emplace_back([&, i, path] {
      results[static_cast<size_t>(i)] =
          engine.Run({"import", path, "--campaign", "DEMO", "--list", absl::StrCat("list", i)});
    });
  }
  for (std::thread& person : people) person.join();
  for (const CommandResult& result : results) {
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("accepted                          5"));
  }
  auto client = api::HttpClient::Create(engine.Url());
  const Json imports = Json::parse(client->Send("GET", "/v1/imports")->body, nullptr, false);
  std::set<uint64_t> lists;
  for (const Json& import : imports["imports"]) lists.insert(import["list"].get<uint64_t>());
  EXPECT_EQ(lists.size(), static_cast<size_t>(kPeople)) << "each has a list of its own";
}

}  // namespace
}  // namespace outpace::e2e
