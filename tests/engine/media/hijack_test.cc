// Attacks on calls that are up, over real sockets. The four that take over a default oRTP session
// (an open port sprayed before the first genuine packet, the SSRC known, the callee silent or on
// hold, our own packets led away by symmetric RTP), against every state a leg can be in, and forged
// reports. Of 200 tries of each none is heard and none of our packets goes astray. An attacker who
// can send from the far end's own address and port is another matter: that is what SRTP is for.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "engine/codec/g711.h"
#include "tests/engine/media/media_fixture.h"
#include "tests/engine/media/srtp_phone.h"

namespace outpace::media {
namespace {

constexpr int kTries = 200;
constexpr absl::Duration kAstray = absl::Milliseconds(40);

// Full scale, up and down: in a mix too it is heard if it gets in.
std::string Attack() {
  std::string payload;
  for (int i = 0; i < 160; ++i) payload.push_back(static_cast<char>(i % 16 < 8 ? 0x80 : 0x00));
  return payload;
}
// What genuine far ends say: so quiet that nothing of it could be taken for the attack.
std::string Quiet(int number) {
  std::string payload;
  for (int i = 0; i < 160; ++i) {
    payload.push_back(static_cast<char>(0xf0 + (number * 7 + i * 5) % 15));
  }
  return payload;
}
bool IsAttack(const Heard& heard) {
  int loud = 0;
  for (const char octet : heard.payload) {
    const int sample = codec::MuToLinear(static_cast<uint8_t>(octet));
    if (sample > 4'000 || sample < -4'000) ++loud;
  }
  return loud > 8;
}

enum class Scene { kAnswered, kBridged, kHeld, kHeldBySdp, kMixed, kPrompting, kEarly, kListening };
constexpr Scene kScenes[] = {Scene::kAnswered, Scene::kBridged,   Scene::kHeld,  Scene::kHeldBySdp,
                             Scene::kMixed,    Scene::kPrompting, Scene::kEarly, Scene::kListening};

std::string NameOf(const testing::TestParamInfo<Scene>& info) {
  switch (info.param) {
    case Scene::kAnswered:
      return "Answered";
    case Scene::kBridged:
      return "Bridged";
    case Scene::kHeld:
      return "Held";
    case Scene::kHeldBySdp:
      return "HeldBySdp";
    case Scene::kMixed:
      return "Mixed";
    case Scene::kPrompting:
      return "Prompting";
    case Scene::kEarly:
      return "Early";
    case Scene::kListening:
      return "Listening";
  }
  return "";
}

class Hijack : public testing::TestWithParam<Scene> {
 protected:
  Hijack() : media_(Config()) {}

  static MediaConfig Config() {
    MediaConfig config = TestConfig();
    config.ports = 8;
    config.quarantine = absl::ZeroDuration();
    return config;
  }

  // A callee's leg in the scene's state, with the agent it may talk to. `heard`: the callee has
  // spoken already.
  void Enter(bool spoke) {
    callee_ = Leg(++number_);
    port_ = media_.Connect(callee_, callee_far_);
    if (number_ == 1) {
      media_.Connect(kAgent, agent_far_);
      if (GetParam() == Scene::kMixed) media_.Connect(kThird, third_far_);
    }
    if (spoke) callee_far_.Talk(port_, 0, Quiet(0));
    switch (GetParam()) {
      case Scene::kAnswered:
        break;
      case Scene::kEarly:
        media_.plane->Do(callee_, call::ListenEarly{.country = "de"});
        break;
      case Scene::kPrompting:
        media_.plane->Do(callee_, call::Play{.prompt = call::Prompt::kSafeHarbor, .loop = true});
        break;
      case Scene::kMixed: {
        media_.plane->Bridge(callee_, kAgent);
        const size_t before = media_.events.joined.size();
        media_.plane->Do(kThird, call::JoinCall{.with = callee_});
        EXPECT_TRUE(media_.loop.RunUntil([&] { return media_.events.joined.size() > before; }));
        break;
      }
      default:
        media_.plane->Bridge(callee_, kAgent);
        if (GetParam() == Scene::kHeld) media_.plane->Do(callee_, call::Hold{.held = true});
        if (GetParam() == Scene::kListening) media_.plane->Do(callee_, call::ListenAnswer{});
        if (GetParam() == Scene::kHeldBySdp) {
          EXPECT_TRUE(media_.plane->SetRemote(callee_, callee_far_.Sdp("0 101", "sendonly")).ok());
        }
    }
    Settle();
  }
  // All commands so far have been carried out: a leg of its own comes and goes behind them.
  void Settle() {
    const LegId signal = Leg(1'000'000 + ++signals_);
    const uint64_t before = media_.server->Stats().commands_stale;
    media_.plane->Unbridge(signal);  // not open: counted, urgent
    EXPECT_TRUE(media_.WaitFor([&](const MediaStats& s) { return s.commands_stale > before; }));
  }
  // `packets` of the attacker at the callee's port, and the engine has looked at each.
  void Spray(int packets, bool same_stream) {
    const uint64_t before = media_.server->Stats().dropped_foreign;
    if (same_stream) {
      attacker_.ssrc = callee_far_.ssrc;
      attacker_.seq = callee_far_.seq;
      attacker_.timestamp = callee_far_.timestamp;
    }
    for (int i = 0; i < packets; ++i) attacker_.Talk(port_, 0, Attack(), i == 0);
    EXPECT_TRUE(media_.WaitFor([&](const MediaStats& s) {
      return s.dropped_foreign >= before + static_cast<uint64_t>(packets);
    })) << media_.server->Stats().dropped_foreign - before;
  }
  bool AgentHears() const {
    return GetParam() == Scene::kBridged || GetParam() == Scene::kHeldBySdp ||
           GetParam() == Scene::kListening;
  }
  // Nothing of the attack at agent or third, whatever else is there.
  void ExpectUnheard() {
    int heard = 0;
    for (const FarEnd* far : {&agent_far_, &third_far_}) {
      // A mix sends on and on: a second of it is enough.
      for (int i = 0; i < 50; ++i) {
        const auto packet = far->Hear(kAstray);
        if (!packet.has_value()) break;
        if (IsAttack(*packet)) ++heard;
      }
    }
    EXPECT_EQ(heard, 0);
  }
  void ExpectNothingAstray() { EXPECT_TRUE(attacker_.HearsNothingFor(kAstray)); }
  // The call is as it was: where the agent hears the callee, that is so still.
  void ExpectGenuineHeard() {
    if (!AgentHears()) return;
    while (agent_far_.Hear(absl::ZeroDuration()).has_value()) {
    }
    const std::string said = Quiet(++said_);
    callee_far_.Talk(port_, 0, said);
    const auto packet = agent_far_.Hear();
    ASSERT_TRUE(packet.has_value());
    EXPECT_EQ(packet->payload, said);
  }

  static constexpr LegId kAgent{.shard = 0, .index = 900, .generation = 1};
  static constexpr LegId kThird{.shard = 0, .index = 901, .generation = 1};
  Media media_;
  FarEnd callee_far_, agent_far_, third_far_, attacker_;
  LegId callee_;
  uint16_t port_ = 0;
  uint32_t number_ = 0, signals_ = 0;
  int said_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Legs, Hijack, testing::ValuesIn(kScenes), NameOf);

// First come is not first served: the SDP says who is heard.
TEST_P(Hijack, WhoSpraysBeforeTheFirstGenuinePacketIsNotHeard) {
  Enter(/*spoke=*/false);
  Spray(kTries, /*same_stream=*/false);
  ExpectGenuineHeard();
  ExpectUnheard();
  ExpectNothingAstray();
}

TEST_P(Hijack, WhoKnowsTheStreamIsNotHeard) {
  Enter(/*spoke=*/true);
  for (int i = 0; i < 10; ++i) {
    Spray(kTries / 10, /*same_stream=*/true);
    callee_far_.Talk(port_, 0, Quiet(i));
  }
  ExpectUnheard();
  ExpectGenuineHeard();
  ExpectNothingAstray();
}

// oRTP's own rule gives the session to another SSRC after 50 packets of it.
TEST_P(Hijack, WhoTakesOverInSilenceIsNotHeard) {
  Enter(/*spoke=*/true);
  Spray(kTries / 2, /*same_stream=*/false);
  Spray(kTries / 2, /*same_stream=*/true);
  ExpectUnheard();
  ExpectGenuineHeard();
  ExpectNothingAstray();
}

TEST_P(Hijack, OurPacketsDoNotFollowTheAttacker) {
  Enter(/*spoke=*/true);
  const uint16_t agent_port = AudioPort(media_.plane->LocalSdp(kAgent));
  for (int i = 0; i < 10; ++i) {
    Spray(kTries / 10, /*same_stream=*/i % 2 == 0);
    for (int k = 0; k < kTries / 10; ++k) agent_far_.Talk(agent_port, 0, Quiet(k));
  }
  Settle();
  ExpectNothingAstray();
  ExpectUnheard();
  // All of it is where it belongs.
  if (GetParam() == Scene::kBridged || GetParam() == Scene::kListening) {
    int at_callee = 0;
    while (callee_far_.Hear(absl::Milliseconds(100)).has_value()) ++at_callee;
    EXPECT_EQ(at_callee, kTries);
  }
}

// Reports (RFC 3550 6) and what only looks like them, to both ports, from the attacker and from the
// far end's own address: a BYE ends nothing, a report of heavy loss changes nothing.
TEST_P(Hijack, ForgedReportsEndNothing) {
  Enter(/*spoke=*/true);
  std::string bye("\x81\xcb\x00\x01", 4), loss("\x81\xc9\x00\x07", 4),
      sender("\x80\xc8\x00\x06", 4);
  bye += MakeRtp(0, 0, 0, callee_far_.ssrc, "").substr(8);
  loss += std::string(8, '\x22') + "\xff\xff\xff\xff" + std::string(16, '\xff');
  sender += std::string(24, '\xff');
  const std::string forged[] = {bye,
                                loss,
                                sender,
                                sender + bye,
                                "\x81",
                                "\x81\xcb\x00",
                                std::string("\x81\xcb\xff\xff", 4),
                                bye.substr(0, 7)};
  const uint64_t before = media_.server->Stats().packets_in;
  uint64_t at_rtp = 0;
  for (int i = 0; i < kTries / 8; ++i) {
    for (const std::string& bytes : forged) {
      for (const FarEnd* from : {&attacker_, &callee_far_}) {
        from->SendTo(port_, bytes);
        from->SendTo(static_cast<uint16_t>(port_ + 1), bytes);
        ++at_rtp;
      }
    }
    // In step, so that no socket's buffer overflows.
    ASSERT_TRUE(
        media_.WaitFor([&](const MediaStats& s) { return s.packets_in >= before + at_rtp; }));
  }
  EXPECT_EQ(media_.server->Stats().legs, GetParam() == Scene::kMixed ? 3u : 2u);
  ExpectUnheard();
  ExpectGenuineHeard();
  ExpectNothingAstray();
}

// 200 calls, each sprayed from the moment its port is open, before the answer says who the far end
// is: what came early is heard only if it came from there.
TEST(HijackOpenLeg, SprayBeforeTheAnswerIsNeitherKeptNorHeard) {
  MediaConfig config = TestConfig();
  config.quarantine = absl::ZeroDuration();
  Media media(config);
  FarEnd callee, agent, attacker;
  const LegId agent_leg = Leg(900);
  media.Connect(agent_leg, agent);
  int heard = 0, genuine = 0;
  for (uint32_t i = 1; i <= kTries; ++i) {
    const LegId leg = Leg(i);
    const auto offer = media.plane->Open(leg, {});
    ASSERT_TRUE(offer.ok());
    const uint16_t port = AudioPort(*offer);
    media.plane->Unbridge(Leg(7'777));  // not open: wakes the thread
    ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.legs == 2; }));
    const uint64_t before = media.server->Stats().packets_in;
    attacker.Talk(port, 0, Attack());
    callee.Talk(port, 0, Quiet(static_cast<int>(i)));
    attacker.Talk(port, 0, Attack());
    ASSERT_TRUE(media.WaitFor([&](const MediaStats& s) { return s.packets_in == before + 3; }));
    ASSERT_TRUE(media.plane->SetRemote(leg, callee.Sdp("0")).ok());
    media.plane->Bridge(leg, agent_leg);
    attacker.Talk(port, 0, Attack());
    callee.Talk(port, 0, Quiet(static_cast<int>(i) + 1));
    for (int k = 0; k < 2; ++k) {
      const auto packet = agent.Hear();
      ASSERT_TRUE(packet.has_value()) << i;
      IsAttack(*packet) ? ++heard : ++genuine;
    }
    media.plane->Close(leg);
    media.plane->Unbridge(Leg(7'777));
    ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.legs == 1; }));
  }
  EXPECT_EQ(heard, 0);
  EXPECT_EQ(genuine, 2 * kTries);
  EXPECT_TRUE(agent.HearsNothingFor(kAstray));
  EXPECT_TRUE(attacker.HearsNothingFor(kAstray));
}

// Who has moved (a re-INVITE) is heard from there, and from where it was no more.
TEST(HijackOpenLeg, AFarEndThatMovedIsNotHeardFromItsOldPlace) {
  Media media(TestConfig());
  FarEnd before, after, agent;
  after.ssrc = 0x55667788;
  const uint16_t port = media.Connect(Leg(1), before);
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  before.Talk(port, 0, Quiet(1));
  ASSERT_TRUE(agent.Hear().has_value());
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), after.Sdp("0")).ok());
  media.plane->Unbridge(Leg(77));  // behind it: wakes the thread, and is counted
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.commands_stale == 1; }));
  for (int i = 0; i < kTries; ++i) before.Talk(port, 0, Attack());
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_foreign == kTries; }));
  after.Talk(port, 0, Quiet(2));
  const auto heard = agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Quiet(2));
  for (int i = 0; i < kTries; ++i) agent.Talk(agent_port, 0, Quiet(i));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.packets_out == 2 + kTries; }));
  EXPECT_TRUE(before.HearsNothingFor(kAstray));
}

// ---- SRTP: the attacker may even send from the far end's own address and port ----

struct SrtpCall {
  SrtpCall() : media(TestConfig()) {
    media.Connect(Leg(2), agent);
    const auto offer = media.plane->Open(Leg(1), {.srtp = true});
    EXPECT_TRUE(offer.ok());
    port = AudioPort(*offer);
    const SdesLine own{.tag = 1, .key = KeyOf(SrtpSuite::kAesCm128Sha1_80, 100), .mki_size = 0};
    out = std::make_unique<LibSrtp>(own.key, LibSrtp::Way::kOut);
    const std::string sdp = absl::StrReplaceAll(
        callee.Sdp("0 101"),
        {{"RTP/AVP", "RTP/SAVP"},
         {"a=sendrecv", absl::StrCat(absl::StripSuffix(SdesText(own), "\r\n"), "\r\na=sendrecv")}});
    EXPECT_TRUE(media.plane->SetRemote(Leg(1), sdp).ok());
    media.plane->Bridge(Leg(1), Leg(2));
    EXPECT_TRUE(media.WaitFor([](const MediaStats& s) { return s.bridged_calls == 1; }));
  }
  std::string Protected(absl::string_view payload) {
    const std::string plain = MakeRtp(0, callee.seq++, callee.timestamp, callee.ssrc, payload);
    callee.timestamp += 160;
    return *out->Protect(plain);
  }
  // The callee is heard, and nothing before it.
  void ExpectHeardNext(int number) {
    callee.SendTo(port, Protected(Quiet(number)));
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, Quiet(number));
  }
  Media media;
  FarEnd callee, agent, attacker;
  std::unique_ptr<LibSrtp> out;
  uint16_t port = 0;
};

TEST(HijackSrtp, WhoHasNoKeyIsNotHeardFromAnywhere) {
  SrtpCall call;
  call.ExpectHeardNext(1);
  LibSrtp wrong_key(KeyOf(SrtpSuite::kAesCm128Sha1_80, 33), LibSrtp::Way::kOut);
  for (int i = 0; i < kTries; ++i) {
    const auto seq = static_cast<uint16_t>(call.callee.seq + i);
    const std::string plain = MakeRtp(0, seq, call.callee.timestamp, call.callee.ssrc, Attack());
    call.attacker.SendTo(call.port, plain);                          // foreign
    call.callee.SendTo(call.port, plain);                            // in the clear
    call.callee.SendTo(call.port, plain + std::string(10, '\x5a'));  // a tag made up
    call.callee.SendTo(call.port, *wrong_key.Protect(plain));        // another key
    call.callee.SendTo(call.port, plain.substr(0, 12 + i % 20));     // too short
    if (i % 20 != 19) continue;
    ASSERT_TRUE(call.media.WaitFor([&](const MediaStats& s) {
      return s.packets_in >= static_cast<uint64_t>(1 + 5 * (i + 1));
    }));
  }
  ASSERT_TRUE(call.media.WaitFor([](const MediaStats& s) {
    return s.dropped_foreign == kTries && s.dropped_srtp_tag == 4 * kTries;
  })) << call.media.server->Stats().dropped_srtp_tag;
  // Far more than the hundred bad packets after which another engine hung up.
  call.ExpectHeardNext(2);
  EXPECT_EQ(call.media.server->Stats().bridged_calls, 1u);
  EXPECT_TRUE(call.attacker.HearsNothingFor(kAstray));
}

TEST(HijackSrtp, WhatWasHeardOnceIsNotHeardAgain) {
  SrtpCall call;
  const std::string packet = call.Protected(Quiet(5));
  call.callee.SendTo(call.port, packet);
  ASSERT_TRUE(call.agent.Hear().has_value());
  for (int i = 0; i < kTries; ++i) call.callee.SendTo(call.port, packet);
  ASSERT_TRUE(
      call.media.WaitFor([](const MediaStats& s) { return s.dropped_srtp_replay == kTries; }));
  call.ExpectHeardNext(6);
}

}  // namespace
}  // namespace outpace::media
