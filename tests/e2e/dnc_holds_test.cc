// What an acknowledged do-not-call number has to outlive: kill -9 right behind the acknowledgement,
// being imported again, standing in another campaign and as somebody's second number, and resets of
// its lists. Judged by the far end's carrier alone: it is never rung, and everybody else is, again
// and again.

#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/e2e/farend_programs.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;

constexpr char kScenario[] = R"([class.busy]
share = 1
post_dial_delay = 0.02
)";

// INVITEs by number, with its country code.
std::map<std::string, int> InvitesOf(const FarEndProgram& carrier) {
  std::map<std::string, int> invites;
  for (const json& line : carrier.Log()) {
    if (line.value("ev", "") == "invite") ++invites[line.value("to", "")];
  }
  return invites;
}

TEST(DncHoldsTest, AcrossKillsImportsResetsAndCampaigns) {
  Engine engine;
  auto carrier = FarEndProgram::Carrier(engine, kScenario);
  ASSERT_TRUE(carrier.ok()) << carrier.status();
  ASSERT_TRUE(engine.Start().ok());
  const std::vector<std::string> numbers = FictionalNumbers(40);
  const std::vector<std::string> settings = {"dial_method=RATIO", "auto_dial_level=4",
                                             "lead_recycle=", "daily_call_count_limit=50",
                                             "dial_timeout=15"};
  for (const char* campaign : {"DEMO", "DEMO2"}) {
    engine.CreateCampaign(settings, campaign);
    engine.Import(LeadsCsv(numbers), absl::StrCat("first_", campaign), campaign,
                  {"--duplicates", "campaign"});
    engine.AddAgent(absl::StrCat(campaign, "1"));
    engine.AddAgent(absl::StrCat(campaign, "2"));
  }

  // One by one and in bulk; the engine is killed as soon as the answer is here.
  const auto control = api::HttpClient::Create(
      absl::StrCat("unix:", engine.dir() / "data/outpace.sock"), absl::Seconds(60));
  const auto add_and_kill = [&](const std::string& operation, const json& arguments) {
    const auto answer = control->Send("POST", absl::StrCat("/v1/admin/", operation),
                                      arguments.dump(), {{"content-type", "application/json"}});
    engine.Kill();
    ASSERT_TRUE(answer.ok()) << answer.status();
    ASSERT_EQ(answer->status, 200) << answer->body;
    const absl::Status restarted = engine.Restart();
    ASSERT_TRUE(restarted.ok()) << restarted;
  };
  ASSERT_NO_FATAL_FAILURE(add_and_kill("dnc.add", {{"number", numbers[0]}}));
  const std::string file = engine.dir() / "dnc.csv";
  WriteFileOrDie(file, absl::StrCat(numbers[1], "\n", numbers[2], "\n"));
  ASSERT_NO_FATAL_FAILURE(add_and_kill("dnc.import", {{"path", file}}));
  const std::set<std::string> listed = {
      absl::StrCat("1", numbers[0]), absl::StrCat("1", numbers[1]), absl::StrCat("1", numbers[2])};

  // Imported once more, as callable leads, and as the second number of somebody else.
  engine.Import(absl::StrCat("phone_number,alt_phone,first_name\n", numbers[0], ",,Again\n",
                             numbers[1], ",,Again\n", numbers[3], ",", numbers[2], ",Other\n"),
                "second", "DEMO", {"--duplicates", "none", "--no-scrub"});

  std::vector<std::unique_ptr<FarEndProgram>> agents;
  for (const char* campaign : {"DEMO", "DEMO2"}) {
    auto started = FarEndProgram::Agents(engine, 2, {}, campaign, campaign);
    ASSERT_TRUE(started.ok()) << started.status();
    agents.push_back(*std::move(started));
    engine.Must({"campaign", "start", campaign});
  }
  // Each unlisted number by both campaigns, in each round of resets.
  for (int round = 1; round <= 3; ++round) {
    // A number that the other campaign is ringing is held back for dial_timeout.
    const bool all_rung = engine.WaitUntil(absl::Seconds(50), [&] {
      const std::map<std::string, int> invites = InvitesOf(**carrier);
      for (size_t i = 3; i < numbers.size(); ++i) {
        const auto rung = invites.find(absl::StrCat("1", numbers[i]));
        if (rung == invites.end() || rung->second < 2 * round) return false;
      }
      return true;
    });
    ASSERT_TRUE(all_rung) << "round " << round;
    for (const char* list : {"first_DEMO", "first_DEMO2", "second"}) {
      engine.Must({"list", "reset", list});
    }
    if (round == 2) {
      engine.Kill();
      ASSERT_TRUE(engine.Restart().ok());
    }
  }
  for (const auto& [number, count] : InvitesOf(**carrier)) {
    EXPECT_FALSE(listed.contains(number)) << "rung " << count << " times";
  }
  for (const std::string& number : {numbers[0], numbers[1], numbers[2]}) {
    EXPECT_NE(engine.Must({"dnc", "check", number}), "not listed\n");
  }
}

}  // namespace
}  // namespace outpace::e2e
