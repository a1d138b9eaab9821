// One call each against SIPp, a SIP stack that shares nothing with ours: what SIPp says of the
// dialer's messages, what the agent was told, and what the export and the lead say afterwards.

#include "tests/e2e/sipp.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/e2e/desk.h"
#include "tests/e2e/engine_fixture.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kNumber[] = "2025550123";
constexpr absl::Duration kSoon = absl::Seconds(20);       // on a machine that does other things too
constexpr absl::Duration kRingLimit = absl::Seconds(15);  // the least the product allows

class SippTest : public ::testing::Test {
 protected:
  // One lead, one agent who is ready, SIPp behind the trunk; dialing has begun.
  void Begin(const std::string& scenario) {
    auto audio = AudioProbe::Bind();
    ASSERT_TRUE(audio.ok()) << audio.status();
    lead_audio_ = *std::move(audio);
    auto sipp = Sipp::Start({.scenario = scenario,
                             .port = engine_.far_end_port(),
                             .media_port = static_cast<uint16_t>(engine_.far_end_port() + 4),
                             .audio_port = lead_audio_.port()},
                            engine_.dir());
    ASSERT_TRUE(sipp.ok()) << sipp.status();
    sipp_ = *std::move(sipp);
    const absl::Status started = engine_.Start();
    ASSERT_TRUE(started.ok()) << started;
    engine_.CreateCampaign({"dial_method=PROGRESSIVE"});
    engine_.Import(LeadsCsv({kNumber}));
    engine_.AddAgent("anna");
    auto desk = Desk::LogIn(engine_.Url(), "anna");
    ASSERT_TRUE(desk.ok()) << desk.status();
    desk_ = *std::move(desk);
    const absl::Status ready = desk_->Ready();
    ASSERT_TRUE(ready.ok()) << ready;
    ASSERT_TRUE(desk_->WaitForState("READY", kSoon));
    engine_.Must({"campaign", "start", "DEMO"});
  }

  void ExpectSippContent(absl::Duration timeout) {
    const auto code = sipp_->Finish(timeout);
    ASSERT_TRUE(code.ok()) << code.status();
    EXPECT_EQ(*code, 0) << sipp_->Errors() << sipp_->Messages();
    const std::string invite = sipp_->Received("INVITE");
    EXPECT_THAT(invite, HasSubstr("INVITE sip:+12025550123@127.0.0.1"));
    EXPECT_THAT(invite, HasSubstr("sip:+12025550199@"));
    EXPECT_THAT(invite, HasSubstr("m=audio"));
  }

  // The only attempt there is, once it is closed.
  CsvRow ClosedCall() {
    CsvRow only;
    const bool closed = engine_.WaitUntil(kSoon, [&] {
      const std::vector<CsvRow> rows = engine_.ExportCalls();
      if (rows.size() != 1 || rows[0].at("open") != "N") return false;
      only = rows[0];
      return true;
    });
    EXPECT_TRUE(closed) << "no closed attempt in the export";
    return only;
  }

  // The pop of the call that came through; the agent is INCALL.
  json TakePop() {
    const json pop = desk_->Take("pop", kSoon);
    EXPECT_FALSE(pop.is_null()) << "no pop";
    if (pop.is_null()) return pop;
    EXPECT_EQ(pop["lead"]["phone_number"], "+12025550123");
    EXPECT_EQ(pop["lead"]["last_name"], "Family0");
    EXPECT_FALSE(pop["preview"].get<bool>());
    EXPECT_TRUE(desk_->WaitForState("INCALL", kSoon));
    return pop;
  }

  void ExpectEndedAndDispose(const json& pop, const std::string& by, const std::string& status) {
    const json ended = desk_->Take("call_ended", kSoon);
    ASSERT_FALSE(ended.is_null()) << "no call_ended";
    EXPECT_EQ(ended["attempt"], pop["attempt"]);
    EXPECT_EQ(ended["by"], by);
    EXPECT_TRUE(desk_->WaitForState("DISPO", kSoon));
    const absl::Status disposed = desk_->Dispose(pop["attempt"], status);
    EXPECT_TRUE(disposed.ok()) << disposed;
    EXPECT_TRUE(desk_->WaitForState("READY", kSoon));
  }

  // A call that no agent got: the agent heard nothing of it and is free.
  void ExpectAgentUntouched() {
    engine_.WaitForBoard("one agent who is ready, no call", kSoon, [](const json& b) {
      return b["campaigns"].size() == 1 && b["campaigns"][0]["agents"]["ready"] == 1 &&
             b["campaigns"][0]["calls"]["ringing"] == 0;
    });
    EXPECT_EQ(desk_->Seen("pop"), 0u);
    EXPECT_EQ(desk_->Seen("call_ended"), 0u);
  }

  void TearDown() override {
    if (desk_ == nullptr || !engine_.Running()) return;
    EXPECT_TRUE(desk_->LogOut().ok());
    EXPECT_TRUE(desk_->phone().WaitUntilDown(kSoon));
    const auto code = engine_.Terminate(kSoon);
    ASSERT_TRUE(code.ok()) << code.status();
    EXPECT_EQ(*code, 0) << engine_.Log();
  }

  Engine engine_;
  AudioProbe lead_audio_;
  std::unique_ptr<Sipp> sipp_;
  std::unique_ptr<Desk> desk_;
};

TEST_F(SippTest, BridgesBothWaysByteForByteAndTheAgentHangsUp) {
  ASSERT_NO_FATAL_FAILURE(Begin("human"));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_EQ(CompareBothWays(lead_audio_, desk_->phone().audio(), 100), "");
  const absl::Status hung_up = desk_->HangUp();
  EXPECT_TRUE(hung_up.ok()) << hung_up;
  ExpectEndedAndDispose(pop, "AGENT", "SALE");
  ExpectSippContent(kSoon);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "SALE");
  EXPECT_EQ(call.at("outcome"), "answered");
  EXPECT_EQ(call.at("term_reason"), "AGENT");
  EXPECT_EQ(call.at("user"), "anna");
  EXPECT_EQ(call.at("sip_status"), "200");
  EXPECT_EQ(call.at("lead_status_now"), "SALE");
  EXPECT_EQ(call.at("attempt_id"), absl::StrCat(pop["attempt"].get<uint64_t>()));
  EXPECT_NE(call.at("connected_ms"), "");
  EXPECT_NE(call.at("ringing_ms"), "");
  EXPECT_THAT(sipp_->Received("BYE"), HasSubstr("BYE sip:sipp@127.0.0.1"));
  EXPECT_THAT(sipp_->Messages(), HasSubstr(call.at("call_id")));
}

TEST_F(SippTest, CalleeHangsUp) {
  ASSERT_NO_FATAL_FAILURE(Begin("callee_hangs_up"));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  ExpectEndedAndDispose(pop, "CALLER", "NI");
  ExpectSippContent(kSoon);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "NI");
  EXPECT_EQ(call.at("term_reason"), "CALLER");
  EXPECT_EQ(call.at("q850_cause"), "16");
  EXPECT_EQ(call.at("lead_status_now"), "NI");
}

TEST_F(SippTest, EarlyMediaThenAnswer) {
  ASSERT_NO_FATAL_FAILURE(Begin("early_media"));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_EQ(CompareBothWays(lead_audio_, desk_->phone().audio(), 50), "");
  EXPECT_TRUE(desk_->HangUp().ok());
  ExpectEndedAndDispose(pop, "AGENT", "NP");
  ExpectSippContent(kSoon);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "NP");
  EXPECT_EQ(call.at("outcome"), "answered");
  // The second between 183 and 200 is ring time, and nobody was on the line in it.
  EXPECT_GE(std::stoll(call.at("answered_ms")) - std::stoll(call.at("ringing_ms")), 900);
}

TEST_F(SippTest, Busy) {
  ASSERT_NO_FATAL_FAILURE(Begin("busy"));
  ExpectSippContent(kSoon);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "AB");
  EXPECT_EQ(call.at("outcome"), "busy");
  EXPECT_EQ(call.at("sip_status"), "486");
  EXPECT_EQ(call.at("q850_cause"), "17");
  EXPECT_EQ(call.at("lead_status_now"), "AB");
  EXPECT_EQ(call.at("called_count_now"), "1");
  EXPECT_THAT(engine_.Must({"lead", "show", kNumber}), HasSubstr("status AB"));
  ExpectAgentUntouched();
}

TEST_F(SippTest, VacantNumber) {
  ASSERT_NO_FATAL_FAILURE(Begin("not_found"));
  ExpectSippContent(kSoon);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "ADC");
  EXPECT_EQ(call.at("outcome"), "invalid");
  EXPECT_EQ(call.at("sip_status"), "404");
  EXPECT_THAT(engine_.Must({"lead", "show", kNumber}), HasSubstr("status ADC"));
  ExpectAgentUntouched();
}

TEST_F(SippTest, TrunkUnavailableIsNotHeldAgainstTheLead) {
  ASSERT_NO_FATAL_FAILURE(Begin("unavailable"));
  ExpectSippContent(kSoon);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("outcome"), "congestion");
  EXPECT_EQ(call.at("sip_status"), "503");
  EXPECT_EQ(call.at("trunk_fault"), "Y");
  EXPECT_EQ(call.at("lead_status_now"), "NEW");
  EXPECT_EQ(call.at("called_count_now"), "0");
  // Retry-After closes the trunk at once, and the operator is told.
  const json board = engine_.WaitForBoard("a trunk that is down", kSoon, [](const json& b) {
    return b["trunks"].size() == 1 && !b["trunks"][0]["up"].get<bool>();
  });
  EXPECT_THAT(engine_.Must({"status"}), HasSubstr("DOWN"));
  EXPECT_THAT(engine_.Must({"status"}), HasSubstr("not dialing: trunk carrier"));
  ExpectAgentUntouched();
}

TEST_F(SippTest, NobodyAnswers) {
  ASSERT_NO_FATAL_FAILURE(Begin("no_answer"));
  ExpectSippContent(kRingLimit + kSoon);
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("status"), "NA");
  EXPECT_EQ(call.at("outcome"), "no_answer");
  EXPECT_EQ(call.at("answered_ms"), "");
  // It rang as long as it must (16 CFR 310.4(b)(4)(ii)) and not much longer.
  const int64_t rang_ms = std::stoll(call.at("ended_ms")) - std::stoll(call.at("dialed_ms"));
  EXPECT_GE(rang_ms, 15'000);
  EXPECT_LE(rang_ms, 17'000);
  EXPECT_THAT(engine_.Must({"lead", "show", kNumber}), HasSubstr("status NA"));
  ExpectAgentUntouched();
}

TEST_F(SippTest, AnswerCrossesTheCancel) {
  ASSERT_NO_FATAL_FAILURE(Begin("cross_cancel"));
  ExpectSippContent(kRingLimit + kSoon);
  const CsvRow call = ClosedCall();
  // Somebody picked up and met a hang-up: to that person it is an abandoned call.
  EXPECT_EQ(call.at("outcome"), "no_answer");
  EXPECT_EQ(call.at("sip_status"), "200");
  EXPECT_EQ(call.at("abandoned"), "Y");
  EXPECT_EQ(call.at("status"), "DROP");
  EXPECT_EQ(call.at("lead_status_now"), "DROP");
  EXPECT_EQ(call.at("user"), "");
  ExpectAgentUntouched();
}

}  // namespace
}  // namespace outpace::e2e
