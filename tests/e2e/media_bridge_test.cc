// Agent and called person hear each other, and nobody else, from the first syllable on, whatever
// the trunk speaks and however the far end moves the call about.

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/e2e/media_fixture.h"
#include "tests/e2e/sipp.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;

using MediaBridgeTest = MediaTest;

// Nothing of the first word is lost: it begins with the first packet after the 200, long before
// anybody could have bridged the call.
TEST_F(MediaBridgeTest, AgentHearsTheFirstWordFromItsStart) {
  const std::vector<int16_t> word = ToneOf(Source::kLead, absl::Milliseconds(400));
  callee_ = std::make_unique<Callee>(engine_.far_end_port(), Callee::Manner::kAnswer);
  callee_->WhenCalled([&](const std::string&) { lead().Play(word); });
  ASSERT_NO_FATAL_FAILURE(Begin({"amd_mode=OFF"}));
  ASSERT_NO_FATAL_FAILURE(LogIn());
  const Voice::Place before = agent().Now();
  StartDialing();
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  const absl::Time first = agent().WaitForSound(before, kSoon);
  EXPECT_LT(first - callee_->answered(), absl::Milliseconds(500));
  EXPECT_EQ(agent().WaitToHear({}), "");  // the word is over
  const std::vector<int16_t> heard = agent().HeardSince(before);
  const Match match = FindClip(heard, word);
  EXPECT_GT(match.likeness, 0.99) << "the whole word, as it was said";
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  HangUpAndDispose(pop);
  EXPECT_TRUE(callee_->WaitUntilDown(kSoon));
}

// Between PCMU at the desk and PCMA on the trunk each side hears the other's voice, in its own
// codec.
TEST_F(MediaBridgeTest, TranscodesBetweenTheLaws) {
  ASSERT_NO_FATAL_FAILURE(BeginCall({"amd_mode=OFF"}, {kLeadNumber}, /*codec=*/8));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  const Voice::Place at_lead = lead().Now(), at_agent = agent().Now();
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}), "");
  EXPECT_THAT(lead().CodecsSince(at_lead), ElementsAre(8));
  EXPECT_THAT(agent().CodecsSince(at_agent), ElementsAre(0));
  HangUpAndDispose(pop);
}

// The far end holds the call, and takes it back with another codec: SIPp sends the re-INVITEs.
TEST_F(MediaBridgeTest, FarEndHoldsAndResumesInAnotherCodec) {
  auto probe = AudioProbe::Bind();
  ASSERT_TRUE(probe.ok()) << probe.status();
  Voice far(*probe);
  far.Say(Source::kLead);
  auto sipp = Sipp::Start({.scenario = "media_hold",
                           .port = engine_.far_end_port(),
                           .media_port = static_cast<uint16_t>(engine_.far_end_port() + 4),
                           .audio_port = probe->port()},
                          engine_.dir());
  ASSERT_TRUE(sipp.ok()) << sipp.status();
  ASSERT_NO_FATAL_FAILURE(Begin({"amd_mode=OFF"}));
  ASSERT_NO_FATAL_FAILURE(LogIn());
  StartDialing();
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  // The telephone learns from the first packet where the engine is, as symmetric ones do.
  ASSERT_EQ(far.WaitToHear({Source::kAgent}), "");
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");

  // a=sendonly: it hears nothing any more, and plays music to us.
  far.Say(Source::kMusic);
  EXPECT_EQ(far.WaitToHear({}), "");
  EXPECT_EQ(agent().WaitToHear({Source::kMusic}), "");
  // Back, in PCMA.
  far.SetCodec(8);
  far.Say(Source::kLead);
  EXPECT_EQ(far.WaitToHear({Source::kAgent}), "");
  const Voice::Place back = far.Now();
  EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
  EXPECT_TRUE(far.WaitForPackets(back, 10, kSoon));
  EXPECT_THAT(far.CodecsSince(back), ElementsAre(8));
  HangUpAndDispose(pop);
  const auto code = (*sipp)->Finish(kSoon);
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 0) << (*sipp)->Errors() << (*sipp)->Messages();
}

}  // namespace
}  // namespace outpace::e2e
