// What the engine itself says: to a person for whom no agent was free, and to an agent alone.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/media_fixture.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class MediaPromptTest : public MediaTest {
 protected:
  // Somebody answers for whom there is no agent any more.
  void BeginAbandoned(const std::vector<std::string>& settings) {
    callee_ = std::make_unique<Callee>(engine_.far_end_port(), Callee::Manner::kRing);
    ASSERT_NO_FATAL_FAILURE(Begin(settings));
    ASSERT_NO_FATAL_FAILURE(LogIn());
    StartDialing();
    ASSERT_TRUE(callee_->WaitForCall(kSoon));
    Do("state", {{"state", "not_ready"}});
    ASSERT_TRUE(desk_->WaitForState("PAUSED", kSoon));
    lead().Hush();
    callee_->Answer();
    ASSERT_TRUE(callee_->WaitUntilUp(kSoon));
  }
};

// 16 CFR 310.4(b)(4)(iii): within two seconds of the greeting; 47 CFR 64.1200(a)(7)(i)(B): with a
// key against further calls.
TEST_F(MediaPromptTest, AnAbandonedPersonHearsTheMessageAndOptsOut) {
  ASSERT_NO_FATAL_FAILURE(BeginAbandoned(
      {"amd_mode=OFF", "drop_call_seconds=1", "safe_harbor_audio=sorry", "safe_harbor_dnc_key=9"}));
  const absl::Time said = lead().WaitForSound(0, kSoon);
  EXPECT_GE(said - callee_->answered(), absl::Milliseconds(950));
  EXPECT_LE(said - callee_->answered(), absl::Milliseconds(1150));
  std::printf("message %s after the answer\n",
              absl::FormatDuration(said - callee_->answered()).c_str());
  lead().PressKey('4');  // not the key
  lead().PressKey('9');
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon));
  // All of it, and nothing else.
  const std::vector<int16_t> heard = lead().HeardSince(0);
  const std::vector<int16_t> message = ToneOf(Source::kSafeHarbor, absl::Seconds(2));
  const Match start = FindClip(heard, absl::MakeConstSpan(message).first(400));
  EXPECT_GT(start.likeness, 0.98);
  ASSERT_GE(heard.size(), start.at + message.size() - 320);
  EXPECT_EQ(MismatchAnywhere(absl::MakeConstSpan(heard).subspan(start.at, message.size() - 320),
                             {Source::kSafeHarbor}, 160),
            "");
  const CsvRow call = ClosedCall();
  EXPECT_EQ(call.at("abandoned"), "Y");
  EXPECT_EQ(call.at("status"), "DROP");
  EXPECT_EQ(call.at("message_played"), "Y");
  EXPECT_EQ(call.at("term_reason"), "ABANDON");
  EXPECT_TRUE(engine_.WaitUntil(kSoon, [&] {
    return absl::StartsWith(engine_.Must({"dnc", "check", kLeadNumber}),
                            "on the system-wide do-not-call list\n");
  }));
}

TEST_F(MediaPromptTest, WhoPressesNothingIsNotBlocked) {
  ASSERT_NO_FATAL_FAILURE(BeginAbandoned({"amd_mode=OFF", "drop_call_seconds=0.5",
                                          "safe_harbor_audio=sorry", "safe_harbor_dnc_key=9"}));
  EXPECT_LT(lead().WaitForSound(0, kSoon), absl::InfiniteFuture());
  lead().PressKey('1');
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon));
  EXPECT_EQ(ClosedCall().at("message_played"), "Y");
  EXPECT_EQ(engine_.Must({"dnc", "check", kLeadNumber}), "not listed\n");
}

TEST_F(MediaPromptTest, TheWhisperIsForTheAgentAlone) {
  ASSERT_NO_FATAL_FAILURE(
      BeginCall({"amd_mode=OFF", "agent_whisper=whisper"}, {kLeadNumber, kNextNumber}));
  for (const Source who : {Source::kLead, Source::kNextLead}) {
    const json pop = TakePop();
    ASSERT_FALSE(pop.is_null());
    EXPECT_EQ(agent().WaitToHear({Source::kWhisper, who}), "") << "the customer beneath it";
    EXPECT_EQ(agent().WaitToHear({who}), "") << "it ends";
    EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
    HangUpAndDispose(pop);
  }
  EXPECT_LT(lead().LoudestSince(0, Source::kWhisper), kAbsent) << "no customer ever heard it";
}

}  // namespace
}  // namespace outpace::e2e
