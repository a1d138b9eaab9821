// Calls of three and more over real sockets: who hears whom, in every role, and the ways in and
// out. Each member says a tone of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/codec/g711.h"
#include "tests/engine/media/fake_tap.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr double kHertz[] = {400, 700, 1100, 1700, 2300, 550, 900, 1400, 2000};

struct Member {
  LegId leg;
  double hertz = 0;
  uint16_t port = 0;
  int said = 0;
  FarEnd far;
  std::vector<int16_t> heard;
  std::vector<Heard> packets;

  void Say() {
    std::string payload(160, '\0');
    for (size_t i = 0; i < 160; ++i) {
      const double t = (said * 160 + static_cast<double>(i)) / 8000;
      payload[i] = static_cast<char>(
          codec::LinearToMu(static_cast<int16_t>(5000 * std::sin(2 * M_PI * hertz * t))));
    }
    ++said;
    far.Talk(port, 0, payload);
  }
  void Listen() {
    while (const auto packet = far.Hear(absl::ZeroDuration())) {
      packets.push_back(*packet);
      for (const char c : packet->payload) {
        heard.push_back(codec::MuToLinear(static_cast<uint8_t>(c)));
      }
    }
  }
  // Amplitude of a tone in the last 200 ms heard.
  double Hears(const Member& other) const {
    if (heard.size() < 1600) return 0;
    double re = 0, im = 0;
    for (size_t i = 0; i < 1600; ++i) {
      const double phase = 2 * M_PI * other.hertz * static_cast<double>(i) / 8000;
      const double sample = heard[heard.size() - 1600 + i];
      re += sample * std::cos(phase);
      im += sample * std::sin(phase);
    }
    return 2 * std::hypot(re, im) / 1600;
  }
};

struct Call : Media {
  static MediaConfig Config() {
    MediaConfig config = TestConfig();
    config.ports = 12;
    return config;
  }
  explicit Call(uint32_t count) : Media(Config()) {
    for (uint32_t i = 0; i < count; ++i) Add();
  }
  Member& Add() {
    const auto n = static_cast<uint32_t>(members.size());
    members.push_back(std::make_unique<Member>());
    members[n]->leg = Leg(n + 1);
    members[n]->hertz = kHertz[n];
    members[n]->port = Connect(Leg(n + 1), members[n]->far);
    return *members[n];
  }
  Member& operator[](size_t n) { return *members[n]; }
  bool JoinAs(size_t n, size_t with, call::MixRole role) {
    const size_t before = events.joined.size();
    plane->Do(members[n]->leg, call::JoinCall{.with = members[with]->leg, .role = role});
    EXPECT_TRUE(loop.RunUntil([&] { return events.joined.size() > before; }));
    return !events.joined.empty() && events.joined.back().second;
  }
  // All talk for `packets` times 20 ms; what is heard is that of this time only.
  void Talk(int packets = 25) {
    for (auto& member : members) {
      member->Listen();
      member->heard.clear();
      member->packets.clear();
    }
    Pace pace(absl::Milliseconds(20));
    for (int i = 0; i < packets; ++i) {
      for (auto& member : members) member->Say();
      pace.Next();
      for (auto& member : members) member->Listen();
    }
  }
  // Who hears whom: a row for each member, a character for each voice.
  std::string Map() {
    std::string map;
    for (auto& listener : members) {
      for (auto& speaker : members) map += listener->Hears(*speaker) > 1500 ? 'x' : '.';
      map += ' ';
    }
    map.pop_back();
    return map;
  }
  std::vector<std::unique_ptr<Member>> members;
};

using Role = call::MixRole;

TEST(Mix, ThreeTalkersHearEachOtherAndNotThemselves) {
  Call call(3);
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 0, Role::kTalker));
  call.Talk();
  EXPECT_EQ(call.Map(), ".xx x.x xx.");
  EXPECT_THAT(call.events.joined, ElementsAre(Pair(Leg(3), true)));
  EXPECT_EQ(call.server->Stats().mixed_calls, 1u);
  EXPECT_EQ(call.server->Stats().bridged_calls, 0u);
  // One stream each, without a hole.
  for (auto& member : call.members) {
    ASSERT_GE(member->packets.size(), 20u);
    for (size_t i = 1; i < member->packets.size(); ++i) {
      EXPECT_EQ(member->packets[i].seq, static_cast<uint16_t>(member->packets[i - 1].seq + 1));
      EXPECT_EQ(member->packets[i].ssrc, member->packets[0].ssrc);
    }
  }
}

TEST(Mix, RolesDecideWhoIsHeardByWhom) {
  Call call(3);
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 1, Role::kListener));
  call.Talk();
  EXPECT_EQ(call.Map(), ".x. x.. xx.");
  call.plane->Do(Leg(3), call::SetRole{Role::kCoach});  // for the agent's ear only
  call.Talk();
  EXPECT_EQ(call.Map(), ".x. x.x xx.");
  call.plane->Do(Leg(3), call::SetRole{Role::kTalker});
  call.Talk();
  EXPECT_EQ(call.Map(), ".xx x.x xx.");
}

TEST(Mix, MuteAndHoldHoldInIt) {
  Call call(3);
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 0, Role::kTalker));
  call.plane->Do(Leg(2), call::Mute{});
  call.Talk();
  EXPECT_EQ(call.Map(), "..x x.x x..");
  call.plane->Do(Leg(2), call::Mute{.muted = false});
  call.plane->Do(Leg(1), call::Hold{.music = call::Prompt::kSilence});
  call.Talk();
  EXPECT_EQ(call.Map(), "... ..x .x.");
  call.plane->Do(Leg(1), call::Hold{.held = false});
  call.Talk();
  EXPECT_EQ(call.Map(), ".xx x.x xx.");
}

TEST(Mix, TheLastTwoTalkersAreABridgeAgain) {
  Call call(3);
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 0, Role::kTalker));
  call.Talk();
  const uint16_t seq = call[0].packets.back().seq;
  call.plane->Do(Leg(2), call::LeaveCall{});  // a transfer: the agent goes
  ASSERT_TRUE(call.WaitFor([](const MediaStats& s) { return s.bridged_calls == 1; }));
  EXPECT_EQ(call.server->Stats().mixed_calls, 0u);
  call[0].Listen();
  call[2].Listen();
  call[2].far.Talk(call[2].port, 0, Payload(7));
  const auto heard = call[0].far.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Payload(7));  // octet by octet
  EXPECT_GT(heard->seq, seq);
  call[0].far.Talk(call[0].port, 0, Payload(8));
  EXPECT_EQ(call[2].far.Hear()->payload, Payload(8));
  call.Talk();
  EXPECT_EQ(call.Map(), "..x ... x..");
}

TEST(Mix, ASupervisorStaysWithTheAgentFromCallToCall) {
  Call call(4);
  enum { kLead, kAgent, kSupervisor, kNext };
  EXPECT_TRUE(call.JoinAs(kSupervisor, kAgent, Role::kListener));  // an idle agent
  call.plane->Bridge(Leg(1), Leg(2));
  call.Talk();
  EXPECT_EQ(call.Map(), ".x.. x... xx.. ....");
  call.plane->Close(Leg(1));
  call.plane->Bridge(Leg(4), Leg(2));
  call.Talk();
  EXPECT_EQ(call.Map(), ".... ...x .x.x .x..");
  call.plane->Unbridge(Leg(2));
  call.Talk();
  EXPECT_EQ(call.Map(), ".... .... .x.. ....");
  call.plane->Do(Leg(3), call::LeaveCall{});
  call.Talk();
  EXPECT_EQ(call.Map(), ".... .... .... ....");
  EXPECT_EQ(call.server->Stats().mixed_calls, 0u);
}

TEST(Mix, OneWhoTalksWithAnIdleAgentIsInTheNextCallToo) {
  Call call(3);
  EXPECT_TRUE(call.JoinAs(2, 1, Role::kTalker));
  call.Talk();
  EXPECT_EQ(call.Map(), "... ..x .x.");
  EXPECT_EQ(call.server->Stats().bridged_calls, 1u);
  call.plane->Bridge(Leg(1), Leg(2));
  call.Talk();
  EXPECT_EQ(call.Map(), ".xx x.x xx.");
  call.plane->Close(Leg(1));
  call.Talk();
  EXPECT_EQ(call.Map(), "... ..x .x.");
}

TEST(Mix, EightAndNoMore) {
  Call call(9);
  call.plane->Bridge(Leg(1), Leg(2));
  for (size_t n = 2; n < 8; ++n) EXPECT_TRUE(call.JoinAs(n, 0, Role::kTalker)) << n;
  EXPECT_FALSE(call.JoinAs(8, 0, Role::kTalker));
  call.plane->Do(Leg(9), call::JoinCall{.with = Leg(77)});  // there is none
  call.plane->Do(Leg(9), call::JoinCall{.with = Leg(9)});
  ASSERT_TRUE(call.loop.RunUntil([&] { return call.events.joined.size() == 9; }));
  EXPECT_FALSE(call.events.joined[7].second);
  EXPECT_FALSE(call.events.joined[8].second);
  call.Talk();
  for (size_t listener = 0; listener < 8; ++listener) {
    for (size_t speaker = 0; speaker < 8; ++speaker) {
      EXPECT_EQ(call[listener].Hears(call[speaker]) > 800, listener != speaker)
          << listener << " " << speaker;
    }
  }
  for (uint32_t n = 1; n <= 8; ++n) call.plane->Close(Leg(n));
  call.loop.Advance(absl::Milliseconds(20));
  EXPECT_TRUE(call.WaitFor([](const MediaStats& s) { return s.legs == 1; }));
  EXPECT_EQ(call.server->Stats().mixed_calls, 0u);
}

TEST(Mix, TheRecordingHasTheCalleeAndWhatItHeard) {
  Call call(3);
  const auto tap = std::make_shared<FakeTap>();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 1, Role::kCoach));
  call.Talk(40);
  call.plane->Do(Leg(1), call::RecordStop{});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return !tap->closed().empty(); }));
  for (const record::Side side : {record::Side::kCallee, record::Side::kAgent}) {
    Member ear;
    for (const auto& [position, sample] : tap->side(side)) ear.heard.push_back(sample);
    EXPECT_EQ(ear.Hears(call[0]) > 1500, side == record::Side::kCallee);
    EXPECT_EQ(ear.Hears(call[1]) > 1500, side == record::Side::kAgent);
    EXPECT_LT(ear.Hears(call[2]), 300);  // what the coach says is not the callee's
  }
}

TEST(Mix, APausedRecordingKeepsNothingAndTheTalkGoesOn) {
  Call call(3);
  const auto tap = std::make_shared<FakeTap>();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 1, Role::kListener));
  call.plane->Do(Leg(1), call::RecordPause{true});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return tap->paused(); }));
  const int left = tap->writes(record::Side::kCallee), right = tap->writes(record::Side::kAgent);
  call.Talk();
  EXPECT_EQ(call.Map(), ".x. x.. xx.");
  call.plane->Do(Leg(3), call::LeaveCall{});  // and a bridge again
  call.Talk(5);
  EXPECT_EQ(tap->writes(record::Side::kCallee), left);
  EXPECT_EQ(tap->writes(record::Side::kAgent), right);
  call.plane->Do(Leg(1), call::RecordPause{false});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return !tap->paused(); }));
  call.Talk(5);
  EXPECT_GE(tap->writes(record::Side::kCallee), left + 4);
}

TEST(Mix, WhatWasSaidInAPauseIsNotRecordedAfterIt) {
  Call call(3);
  const auto tap = std::make_shared<FakeTap>();
  call.plane->Do(Leg(1), call::RecordStart{tap});
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 1, Role::kListener));
  call.plane->Do(Leg(1), call::RecordPause{});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return tap->paused(); }));
  call.Talk(20);
  // Ten more at once: they wait in the playout buffers when the pause ends.
  const uint64_t before = call.server->Stats().packets_in;
  for (int i = 0; i < 10; ++i) call[1].Say();
  ASSERT_TRUE(call.WaitFor([&](const MediaStats& s) { return s.packets_in >= before + 10; }));
  call.plane->Do(Leg(1), call::RecordPause{.paused = false});
  ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return !tap->paused(); }));
  ASSERT_TRUE(
      call.WaitFor([&](const MediaStats&) { return tap->writes(record::Side::kAgent) >= 15; }));
  for (const auto& [position, sample] : tap->side(record::Side::kAgent)) {
    ASSERT_LT(std::abs(int{sample}), 100) << position;
  }
  call.Talk();
  EXPECT_EQ(call.Map(), ".x. x.. xx.");  // and they hear each other again
}

TEST(Mix, TheEndOfTheServerInAPauseClosesTheRecording) {
  const auto tap = std::make_shared<FakeTap>();
  {
    Call call(3);
    call.plane->Do(Leg(1), call::RecordStart{tap});
    call.plane->Bridge(Leg(1), Leg(2));
    EXPECT_TRUE(call.JoinAs(2, 0, Role::kTalker));
    call.plane->Do(Leg(1), call::RecordPause{});
    ASSERT_TRUE(call.WaitFor([&](const MediaStats&) { return tap->paused(); }));
  }
  EXPECT_EQ(tap->closed().size(), 1u);
}

TEST(Mix, AKeyInAPauseReachesTheOthersPastTheLibrary) {
  Call call(3);
  call.plane->Do(Leg(1), call::RecordStart{std::make_shared<FakeTap>()});
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 0, Role::kTalker));
  call.plane->Do(Leg(1), call::RecordPause{});
  call[0].far.SendTo(call[0].port, MakeRtp(101, call[0].far.seq++, 777, call[0].far.ssrc,
                                           std::string("\7\x0a\0\xa0", 4), true));
  for (const size_t n : {1, 2}) {
    for (int packet = 0; packet < 8;) {
      const std::optional<Heard> heard = call[n].far.Hear();
      ASSERT_TRUE(heard.has_value());
      if (heard->payload_type != 101) continue;
      EXPECT_EQ(heard->payload[0], 7);
      EXPECT_EQ((heard->payload[1] & 0x80) != 0, packet >= 5);
      EXPECT_EQ(heard->marker, packet == 0);
      ++packet;
    }
  }
  EXPECT_EQ(call.server->Stats().sessions, 0u);  // whose blocks would keep it
  EXPECT_THAT(call.events.digits, IsEmpty());
}

TEST(Mix, APromptIsHeardByOneAndAKeyByTheOthers) {
  Call call(3);
  call.plane->Bridge(Leg(1), Leg(2));
  EXPECT_TRUE(call.JoinAs(2, 0, Role::kTalker));
  call.plane->Do(Leg(2), call::Play{.prompt = call::Prompt::kSafeHarbor, .loop = true});
  call.Talk();
  EXPECT_EQ(call.Map(), ".xx ... xx.");
  call.plane->Do(Leg(2), call::PlayStop{});
  call[1].Listen();
  call[2].Listen();
  call[0].far.SendTo(call[0].port, MakeRtp(101, call[0].far.seq++, 777, call[0].far.ssrc,
                                           std::string("\7\x0a\0\xa0", 4), true));
  for (const size_t n : {1, 2}) {
    std::optional<Heard> heard;
    do {
      heard = call[n].far.Hear();
      ASSERT_TRUE(heard.has_value());
    } while (heard->payload_type != 101);
    EXPECT_EQ(heard->payload[0], 7);
    EXPECT_TRUE(heard->marker);
  }
  ASSERT_TRUE(call.loop.RunUntil([&] { return !call.events.digits.empty(); }));
  EXPECT_THAT(call.events.digits, ElementsAre(Pair(Leg(1), '7')));
}

}  // namespace
}  // namespace outpace::media
