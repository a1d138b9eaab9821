// Three and more in a call: supervisors who listen, coach and break in, third parties whom the
// agent brings in. Each ear is asked whom it hears, and above all whom it does not.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/media_fixture.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::Eq;
using ::testing::HasSubstr;

class MediaMonitorTest : public MediaTest {
 protected:
  // `outpace monitor start`; the listener's number as it is printed.
  std::string Listen(const std::string& mode) {
    const std::string said = engine_.Must(
        {"monitor", "start", "--agent", "anna", "--phone", boss_.uri(), "--mode", mode});
    EXPECT_THAT(said, HasSubstr("your phone is rung"));
    const size_t number = said.find_first_of("0123456789");
    const std::string id =
        number == std::string::npos
            ? ""
            : said.substr(number, said.find_first_not_of("0123456789", number) - number);
    EXPECT_TRUE(boss_.PickUp(Source::kSupervisor));
    return id;
  }
  void SetMode(const std::string& id, const std::string& mode) {
    engine_.Must({"monitor", "mode", "--id", id, "--mode", mode});
  }
  Voice& boss() { return *boss_.voice; }

  Extra boss_;
};

TEST_F(MediaMonitorTest, ListensCoachesBreaksInAndStaysForTheNextCall) {
  ASSERT_NO_FATAL_FAILURE(BeginCall({"amd_mode=OFF"}, {kLeadNumber, kNextNumber}));
  json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  const Voice::Place begin_lead = lead().Now(), begin_agent = agent().Now();
  const std::string id = Listen("monitor");
  ASSERT_FALSE(id.empty());
  EXPECT_EQ(boss().WaitToHear({Source::kLead, Source::kAgent}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  EXPECT_LT(agent().LoudestSince(begin_agent, Source::kSupervisor), kAbsent);
  EXPECT_THAT(engine_.Must({"monitor", "list"}), HasSubstr("listening"));

  SetMode(id, "whisper");
  EXPECT_EQ(agent().WaitToHear({Source::kLead, Source::kSupervisor}), "");
  EXPECT_EQ(boss().WaitToHear({Source::kLead, Source::kAgent}), "");
  EXPECT_EQ(lead().KeepsHearing({Source::kAgent}), "");
  EXPECT_LT(lead().LoudestSince(begin_lead, Source::kSupervisor), kAbsent)
      << "the customer never heard the supervisor";

  SetMode(id, "barge");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent, Source::kSupervisor}), "");
  EXPECT_EQ(agent().WaitToHear({Source::kLead, Source::kSupervisor}), "");
  EXPECT_EQ(boss().WaitToHear({Source::kLead, Source::kAgent}), "");

  SetMode(id, "monitor");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  HangUpAndDispose(pop);

  pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_EQ(boss().WaitToHear({Source::kNextLead, Source::kAgent}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  EXPECT_EQ(agent().WaitToHear({Source::kNextLead}), "");
  HangUpAndDispose(pop);
  const absl::Status out = desk_->LogOut();
  EXPECT_TRUE(out.ok()) << out;
  EXPECT_TRUE(boss_.phone->WaitUntilDown(kSoon)) << "who listens goes with the agent";
  EXPECT_TRUE(desk_->phone().WaitUntilDown(kSoon));
  LeaveDesk();
  EXPECT_TRUE(
      engine_.WaitUntil(kSoon, [&] { return absl::StrContains(engine_.Log(), "monitor.ended"); }));
}

TEST_F(MediaMonitorTest, StopsAndIsRefusedWhereItMustNotRing) {
  ASSERT_NO_FATAL_FAILURE(BeginCall({"amd_mode=OFF"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  const std::string id = Listen("barge");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent, Source::kSupervisor}), "");
  engine_.Must({"monitor", "stop", "--id", id});
  EXPECT_TRUE(boss_.phone->WaitUntilDown(kSoon));
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  for (const std::string& phone :
       {std::string("sip:boss@192.0.2.1:5060"),
        absl::StrCat("sip:2025550177@127.0.0.1:", engine_.far_end_port())}) {
    const CommandResult refused =
        engine_.Run({"monitor", "start", "--agent", "anna", "--phone", phone, "--mode", "monitor"});
    EXPECT_EQ(refused.code, 1) << phone;
    EXPECT_THAT(refused.err, HasSubstr("phone"));
  }
  const CommandResult nobody = engine_.Run(
      {"monitor", "start", "--agent", "berta", "--phone", boss_.uri(), "--mode", "monitor"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("not logged in"));
  HangUpAndDispose(pop);
}

TEST_F(MediaMonitorTest, ThreeWayAndBackToTwo) {
  ASSERT_NO_FATAL_FAILURE(BeginCall({"amd_mode=OFF"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  Extra third;
  const auto joined = desk_->Ask("conference", {{"phone", third.uri()}});
  ASSERT_TRUE(joined.ok()) << joined.status();
  ASSERT_TRUE(third.PickUp(Source::kThird));
  EXPECT_EQ(agent().WaitToHear({Source::kLead, Source::kThird}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent, Source::kThird}), "");
  EXPECT_EQ(third.voice->WaitToHear({Source::kLead, Source::kAgent}), "");
  Do("conference/end", {{"id", (*joined)["id"]}});
  EXPECT_TRUE(third.phone->WaitUntilDown(kSoon));
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  EXPECT_THAT(Refused("conference/end", {{"id", (*joined)["id"]}}), HasSubstr("no such party"));
  HangUpAndDispose(pop);
}

TEST_F(MediaMonitorTest, ConsultsWhileTheCustomerHearsMusic) {
  ASSERT_NO_FATAL_FAILURE(BeginCall({"amd_mode=OFF", "hold_music=music"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  Do("hold", {{"on", true}});
  EXPECT_EQ(lead().WaitToHear({Source::kMusic}), "");
  Extra third;
  const auto joined = desk_->Ask("conference", {{"phone", third.uri()}});
  ASSERT_TRUE(joined.ok()) << joined.status();
  ASSERT_TRUE(third.PickUp(Source::kThird));
  EXPECT_EQ(agent().WaitToHear({Source::kThird}), "");
  EXPECT_EQ(third.voice->WaitToHear({Source::kAgent}), "");
  EXPECT_EQ(lead().KeepsHearing({Source::kMusic}), "") << "nothing of the consultation";
  Do("hold", {{"on", false}});
  EXPECT_EQ(lead().WaitToHear({Source::kAgent, Source::kThird}), "");
  EXPECT_EQ(third.voice->WaitToHear({Source::kLead, Source::kAgent}), "");
  EXPECT_EQ(agent().WaitToHear({Source::kLead, Source::kThird}), "");
  HangUpAndDispose(pop);
}

}  // namespace
}  // namespace outpace::e2e
