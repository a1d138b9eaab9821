// What an agent does to a call's sound: hold, mute, keys. Whoever must not be heard is not heard,
// and afterwards all is as before.

#include "tests/e2e/media_fixture.h"

namespace outpace::e2e {
namespace {

using nlohmann::json;
using ::testing::Eq;
using ::testing::HasSubstr;

class MediaHoldTest : public MediaTest {
 protected:
  void ExpectTalking() {
    EXPECT_EQ(agent().WaitToHear({Source::kLead}), "");
    EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  }
};

TEST_F(MediaHoldTest, HoldPlaysMusicToTheCustomerAloneAndEnds) {
  ASSERT_NO_FATAL_FAILURE(BeginCall({"amd_mode=OFF", "hold_music=music"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  ExpectTalking();
  Do("hold", {{"on", true}});
  TakeAudio("held", true);
  EXPECT_EQ(lead().WaitToHear({Source::kMusic}), "");
  EXPECT_EQ(agent().WaitToHear({}), "");
  // Longer than the music: it begins again, and nothing leaks meanwhile.
  const Voice::Place held_lead = lead().Now(), held_agent = agent().Now();
  EXPECT_EQ(lead().KeepsHearing({Source::kMusic}, absl::Milliseconds(2500)), "");
  EXPECT_LT(lead().LoudestSince(held_lead, Source::kAgent), kAbsent);
  EXPECT_LT(agent().LoudestSince(held_agent, Source::kLead), kAbsent);
  EXPECT_LT(agent().LoudestSince(held_agent, Source::kMusic), kAbsent);
  Do("hold", {{"on", false}});
  TakeAudio("held", false);
  ExpectTalking();
  EXPECT_EQ(lead().KeepsHearing({Source::kAgent}), "");
  HangUpAndDispose(pop);
}

TEST_F(MediaHoldTest, MutedTheAgentHearsAndIsNotHeard) {
  ASSERT_NO_FATAL_FAILURE(BeginCall({"amd_mode=OFF"}, {kLeadNumber, kNextNumber}));
  json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  ExpectTalking();
  Do("mute", {{"on", true}});
  TakeAudio("muted", true);
  EXPECT_EQ(lead().WaitToHear({}), "");
  const Voice::Place muted = lead().Now();
  EXPECT_EQ(agent().KeepsHearing({Source::kLead}), "");
  EXPECT_LT(lead().LoudestSince(muted, Source::kAgent), kAbsent);
  Do("mute", {{"on", false}});
  TakeAudio("muted", false);
  ExpectTalking();
  // A call that ends muted leaves the next customer nothing of it.
  Do("mute", {{"on", true}});
  EXPECT_EQ(lead().WaitToHear({}), "");
  HangUpAndDispose(pop);
  pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  EXPECT_FALSE(TakeAudio("attempt", pop["attempt"])["muted"]);
  EXPECT_EQ(agent().WaitToHear({Source::kNextLead}), "");
  EXPECT_EQ(lead().WaitToHear({Source::kAgent}), "");
  HangUpAndDispose(pop);
}

TEST_F(MediaHoldTest, KeysArePressedOnceEachInBothDirections) {
  ASSERT_NO_FATAL_FAILURE(BeginCall({"amd_mode=OFF"}));
  const json pop = TakePop();
  ASSERT_FALSE(pop.is_null());
  ExpectTalking();
  Do("digits", {{"digits", "12#*0"}});
  EXPECT_TRUE(lead().WaitForKeys("12#*0", kSoon)) << lead().Keys();
  EXPECT_EQ(lead().strange_packets(), 0u);
  // The agent goes on speaking behind the keys, and the customer's keys pass to the agent.
  ExpectTalking();
  for (const char key : {'7', '7', 'A'}) lead().PressKey(key);
  EXPECT_TRUE(agent().WaitForKeys("77A", kSoon)) << agent().Keys();
  ExpectTalking();
  EXPECT_EQ(lead().Keys(), "12#*0") << "the customer's own keys do not come back";
  EXPECT_THAT(Refused("digits", {{"digits", "1x"}}), HasSubstr("digits"));
  HangUpAndDispose(pop);
}

TEST_F(MediaHoldTest, WithoutACallThereIsNothingToDo) {
  ASSERT_NO_FATAL_FAILURE(Begin({}));
  ASSERT_NO_FATAL_FAILURE(LogIn());
  for (const char* verb : {"hold", "mute"}) {
    EXPECT_THAT(Refused(verb, {{"on", true}}), HasSubstr("no customer is on the line"));
  }
  EXPECT_THAT(Refused("digits", {{"digits", "1"}}), HasSubstr("no customer is on the line"));
  EXPECT_THAT(Refused("voicemail", json::object()), HasSubstr("no customer is on the line"));
  EXPECT_THAT(Refused("recording", {{"action", "start"}}), HasSubstr("no customer is on the line"));
  EXPECT_THAT(Refused("hold", {{"on", "yes"}}), HasSubstr("true or false"));
}

}  // namespace
}  // namespace outpace::e2e
