// Listening, keys and recording over real sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "engine/codec/g711.h"
#include "tests/engine/media/fake_tap.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

using record::Side;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string Tone(double hertz, int packet) {
  std::string payload(160, '\0');
  for (size_t i = 0; i < 160; ++i) {
    const double t = (packet * 160 + static_cast<double>(i)) / 8000;
    payload[i] = static_cast<char>(
        codec::LinearToMu(static_cast<int16_t>(9000 * std::sin(2 * M_PI * hertz * t))));
  }
  return payload;
}
std::string Silent() { return std::string(160, '\xff'); }

std::vector<int16_t> Linear(const std::string& payload, codec::Law law = codec::Law::kMu) {
  std::vector<int16_t> out;
  for (const char c : payload) out.push_back(codec::ToLinear(law, static_cast<uint8_t>(c)));
  return out;
}
// The samples of `side` in order, without their positions.
std::vector<int16_t> Samples(const FakeTap& tap, Side side) {
  std::vector<int16_t> out;
  for (const auto& [position, sample] : tap.side(side)) out.push_back(sample);
  return out;
}

struct Bridged : Media {
  explicit Bridged(const char* lead_formats = "0 101", MediaConfig config = TestConfig())
      : Media(config) {
    lead_port = Connect(Leg(1), lead, lead_formats);
    agent_port = Connect(Leg(2), agent);
    plane->Bridge(Leg(1), Leg(2));
  }
  FarEnd lead, agent;
  uint16_t lead_port = 0, agent_port = 0;
};

TEST(Listening, TheBeepOfAVoicemailIsTold) {
  Media media(TestConfig());
  FarEnd lead;
  const uint16_t port = media.Connect(Leg(1), lead);
  media.plane->Do(Leg(1), call::ListenBeep{});
  // Somebody speaks (noise will do), the beep, and nothing more.
  Pace pace(absl::Milliseconds(20));
  for (int i = 0; i < 150 && media.events.heard.empty(); ++i) {
    lead.Talk(port, 0, i < 30 ? Payload(i * i) : i < 55 ? Tone(1000, i) : Silent());
    pace.Next();
    media.loop.RunReady();
  }
  ASSERT_FALSE(media.events.heard.empty()) << "no beep in 3 s";
  EXPECT_EQ(media.events.heard[0].first, Leg(1));
  EXPECT_EQ(media.events.heard[0].second.sound, listen::Sound::kBeep);
  EXPECT_TRUE(media.events.heard[0].second.last);
}

// A carrier that suppresses silence sends nothing: time alone must bring the verdict.
TEST(Listening, SilenceIsHeardThoughNoPacketComes) {
  Media media(TestConfig());
  FarEnd lead;
  media.Connect(Leg(1), lead);
  const MonoTime start = media.clock.Mono();
  media.plane->Do(Leg(1), call::ListenBeep{.within = absl::Milliseconds(300)});
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.heard.empty(); }));
  EXPECT_EQ(media.events.heard[0].second.sound, listen::Sound::kNone);
  EXPECT_TRUE(media.events.heard[0].second.last);
  EXPECT_GE(media.clock.Mono() - start, absl::Milliseconds(300));
  media.plane->Do(Leg(1), call::ListenAnswer{.tuning = {.silence_max = absl::Milliseconds(500)}});
  ASSERT_TRUE(media.loop.RunUntil([&] { return media.events.heard.size() >= 2; }));
  EXPECT_EQ(media.events.heard[1].second.sound, listen::Sound::kSilence);
}

TEST(Listening, StopsWhenToldToAndWithTheLeg) {
  Media media(TestConfig());
  FarEnd lead;
  media.Connect(Leg(1), lead);
  media.plane->Do(Leg(1), call::ListenBeep{.within = absl::Milliseconds(200)});
  media.plane->Do(Leg(1), call::ListenStop{});
  media.plane->Do(Leg(1), call::ListenStop{});
  media.plane->Play(Leg(1), call::Prompt::kSilence);  // 2 s
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.prompt_done.empty(); }));
  EXPECT_THAT(media.events.heard, IsEmpty());
  media.plane->Do(Leg(1), call::ListenBeep{});
  media.plane->Close(Leg(1));
  media.loop.Advance(absl::Milliseconds(20));
  EXPECT_TRUE(media.WaitFor([](const MediaStats& s) { return s.legs == 0; }));
}

TEST(Keys, EachIsToldOnceBridgedOrNot) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  const auto press = [&](char code) {
    const uint32_t start = lead.timestamp;
    for (int i = 0; i < 5; ++i) {
      const std::string payload{code, static_cast<char>(i < 2 ? 10 : 0x8a), 0,
                                static_cast<char>(i < 2 ? 80 * i : 160)};
      lead.SendTo(port, MakeRtp(101, lead.seq++, start, lead.ssrc, payload, i == 0));
    }
    lead.timestamp += 800;
  };
  press(1);
  press(1);
  ASSERT_TRUE(media.loop.RunUntil([&] { return media.events.digits.size() == 2; }));
  media.plane->Bridge(Leg(1), Leg(2));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.bridged_calls == 1; }));
  press(11);
  ASSERT_TRUE(media.loop.RunUntil([&] { return media.events.digits.size() == 3; }));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(agent.Hear()->payload_type, 101);
  EXPECT_THAT(media.events.digits,
              ElementsAre(std::pair(Leg(1), '1'), std::pair(Leg(1), '1'), std::pair(Leg(1), '#')));
}

TEST(RecordingTap, BothSidesAreWrittenAtTheirTime) {
  Bridged call;
  const auto tap = std::make_shared<FakeTap>();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  std::vector<int16_t> said, answered;
  Pace pace(absl::Milliseconds(20));
  for (int i = 0; i < 20; ++i) {
    call.lead.Talk(call.lead_port, 0, Payload(i));
    call.agent.Talk(call.agent_port, 0, Payload(100 + i));
    ASSERT_TRUE(call.agent.Hear().has_value() && call.lead.Hear().has_value());
    pace.Next();
    for (const int16_t s : Linear(Payload(i))) said.push_back(s);
    for (const int16_t s : Linear(Payload(100 + i))) answered.push_back(s);
  }
  call.plane->Do(Leg(1), call::RecordStop{});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return !tap->closed().empty(); }));
  // All of it but what was said before the recording began, without a hole: by the timestamps.
  for (const Side side : {Side::kCallee, Side::kAgent}) {
    const auto written = tap->side(side);
    ASSERT_FALSE(written.empty());
    const auto first = written.begin()->first, last = written.rbegin()->first;
    EXPECT_EQ(static_cast<size_t>(last - first + 1), written.size());
    EXPECT_GE(first, 0);
    EXPECT_LT(first, 8000);
  }
  EXPECT_EQ(tap->writes(Side::kCallee), 20);
  EXPECT_EQ(tap->writes(Side::kAgent), 20);
  const std::vector<int16_t> left = Samples(*tap, Side::kCallee);
  EXPECT_TRUE(std::equal(left.rbegin(), left.rbegin() + 1600, said.rbegin()));
  const std::vector<int16_t> right = Samples(*tap, Side::kAgent);
  EXPECT_TRUE(std::equal(right.rbegin(), right.rbegin() + 1600, answered.rbegin()));
}

TEST(RecordingTap, SurvivesAnotherAgentAndEndsWithTheLeg) {
  Bridged call("8 101");
  FarEnd second;
  const uint16_t second_port = call.Connect(Leg(3), second);
  const auto tap = std::make_shared<FakeTap>();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  call.agent.Talk(call.agent_port, 0, Payload(1));
  ASSERT_TRUE(call.lead.Hear().has_value());
  call.plane->Bridge(Leg(1), Leg(3));
  second.Talk(second_port, 0, Payload(2));
  auto heard = call.lead.Hear();
  ASSERT_TRUE(heard.has_value());
  call.lead.Talk(call.lead_port, 8, Payload(3));
  ASSERT_TRUE(second.Hear().has_value());
  call.plane->Close(Leg(1));
  call.loop.Advance(absl::Milliseconds(20));
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return !tap->closed().empty(); }));
  EXPECT_EQ(tap->writes(Side::kAgent), 2);
  EXPECT_EQ(tap->writes(Side::kCallee), 1);
  const std::vector<int16_t> left = Samples(*tap, Side::kCallee);
  const std::vector<int16_t> said = Linear(Payload(3), codec::Law::kA);
  EXPECT_TRUE(std::equal(left.rbegin(), left.rend(), said.rbegin()));
  // The second agent's words are what the lead heard, in its law.
  const std::vector<int16_t> right = Samples(*tap, Side::kAgent);
  const std::vector<int16_t> at_lead = Linear(heard->payload, codec::Law::kA);
  EXPECT_TRUE(std::equal(at_lead.rbegin(), at_lead.rend(), right.rbegin()));
  EXPECT_EQ(tap->closed().size(), 1u);
}

TEST(RecordingTap, NothingIsWrittenWhilePausedAndNoKeyIsTold) {
  Bridged call;
  const auto tap = std::make_shared<FakeTap>();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  call.lead.Talk(call.lead_port, 0, Payload(1));
  ASSERT_TRUE(call.agent.Hear().has_value());
  call.plane->Do(Leg(1), call::RecordPause{true});
  call.plane->Do(Leg(1), call::RecordPause{true});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return tap->paused(); }));
  for (int i = 0; i < 10; ++i) {
    call.lead.Talk(call.lead_port, 0, Payload(50 + i));
    call.agent.Talk(call.agent_port, 0, Payload(80 + i));
    const auto heard = call.agent.Hear();
    ASSERT_TRUE(heard.has_value() && call.lead.Hear().has_value());
    EXPECT_EQ(heard->payload, Payload(50 + i));  // they hear each other all the same
  }
  call.lead.SendTo(call.lead_port, MakeRtp(101, call.lead.seq++, 9000, call.lead.ssrc,
                                           std::string("\4\x0a\0\xa0", 4), true));
  EXPECT_EQ(call.agent.Hear()->payload, std::string("\4\x0a\0\xa0", 4));
  EXPECT_EQ(tap->writes(Side::kCallee), 1);
  EXPECT_EQ(tap->writes(Side::kAgent), 0);
  call.plane->Do(Leg(1), call::RecordPause{false});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return !tap->paused(); }));
  call.lead.Talk(call.lead_port, 0, Payload(2));
  ASSERT_TRUE(call.agent.Hear().has_value());
  EXPECT_EQ(tap->writes(Side::kCallee), 2);
  EXPECT_EQ(tap->pauses().size(), 2u);
  call.plane->Play(Leg(2), call::Prompt::kSilence);
  ASSERT_TRUE(call.loop.RunUntil([&] { return !call.events.prompt_done.empty(); }));
  EXPECT_THAT(call.events.digits, IsEmpty());
}

TEST(RecordingTap, OneThatRestsHidesNothing) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  const auto tap = std::make_shared<FakeTap>();
  const auto press = [&](char code) {
    lead.SendTo(lead_port, MakeRtp(101, lead.seq++, lead.timestamp += 800, lead.ssrc,
                                   std::string{code, '\x0a', '\0', '\xa0'}, true));
  };
  media.plane->Do(Leg(1), call::RecordStart{tap});
  media.plane->Do(Leg(1), call::RecordPause{.paused = true, .confidential = false});
  ASSERT_TRUE(media.WaitFor([&](const MediaStats&) { return tap->paused(); }));
  press(4);
  lead.Talk(lead_port, 0, Payload(1));
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.digits.empty(); }));
  EXPECT_THAT(media.events.digits, ElementsAre(std::pair(Leg(1), '4')));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.packets_in == 2; }));
  media.plane->Bridge(Leg(1), Leg(2));
  EXPECT_EQ(agent.Hear()->payload, Payload(1));  // the pre-roll
  EXPECT_EQ(tap->writes(Side::kCallee), 0);
  // Now a card number, and after that it rests again.
  media.plane->Do(Leg(1), call::RecordPause{.paused = true});
  press(5);
  EXPECT_EQ(agent.Hear()->payload[0], 5);
  media.plane->Do(Leg(1), call::RecordPause{.paused = true, .confidential = false});
  press(6);
  ASSERT_TRUE(media.loop.RunUntil([&] { return media.events.digits.size() > 1; }));
  EXPECT_THAT(media.events.digits, ElementsAre(std::pair(Leg(1), '4'), std::pair(Leg(1), '6')));
  EXPECT_EQ(tap->writes(Side::kCallee), 0);
  EXPECT_EQ(tap->pauses().size(), 1u);
}

TEST(RecordingTap, APauseCountsFromWhenItWasOrdered) {
  Bridged call;
  const auto tap = std::make_shared<FakeTap>();
  const MonoTime before = call.clock.Mono();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  call.lead.Talk(call.lead_port, 0, Payload(1));
  ASSERT_TRUE(call.agent.Hear().has_value());
  const MonoTime began = call.clock.Mono();  // or a little earlier
  Pace pace(absl::Milliseconds(600));
  pace.Next();
  call.plane->Do(Leg(1), call::RecordPause{.ordered = began + absl::Milliseconds(100)});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return tap->paused(); }));
  EXPECT_GE(tap->pauses().at(0), 800);
  EXPECT_LE(tap->pauses().at(0), 800 + (began - before) / absl::Microseconds(125));
  // Not the future, and a recording that had not begun.
  call.plane->Do(Leg(1), call::RecordPause{.paused = false, .ordered = began + absl::Hours(1)});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return !tap->paused(); }));
  EXPECT_GE(tap->pauses().at(1), 4800);
  EXPECT_LE(tap->pauses().at(1), (call.clock.Mono() - before) / absl::Microseconds(125));
  call.plane->Do(Leg(1), call::RecordPause{.ordered = MonoTime(1)});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return tap->paused(); }));
  EXPECT_EQ(tap->pauses().at(2), 0);
}

TEST(RecordingTap, OneThatRefusesToGoOnIsAskedAgain) {
  Bridged call;
  const auto tap = std::make_shared<FakeTap>();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  call.plane->Do(Leg(1), call::RecordPause{});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return tap->paused(); }));
  tap->Refuse(1);
  call.plane->Do(Leg(1), call::RecordPause{.paused = false});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return tap->refusals() == 0; }));
  call.lead.Talk(call.lead_port, 0, Payload(1));
  ASSERT_TRUE(call.agent.Hear().has_value());
  EXPECT_EQ(tap->writes(Side::kCallee), 0);
  call.plane->Do(Leg(1), call::RecordPause{.paused = false});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return !tap->paused(); }));
  call.lead.Talk(call.lead_port, 0, Payload(2));
  ASSERT_TRUE(call.agent.Hear().has_value());
  EXPECT_EQ(tap->writes(Side::kCallee), 1);
}

TEST(RecordingTap, TheEndOfTheServerClosesIt) {
  const auto tap = std::make_shared<FakeTap>(/*paused=*/true);
  {
    Bridged call;
    call.plane->Do(Leg(1), call::RecordStart{tap});
    call.lead.Talk(call.lead_port, 0, Payload(1));
    ASSERT_TRUE(call.agent.Hear().has_value());
  }
  EXPECT_EQ(tap->closed().size(), 1u);
  EXPECT_EQ(tap->writes(Side::kCallee), 0);  // it was paused from the start
}

}  // namespace
}  // namespace outpace::media
