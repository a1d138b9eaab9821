// The media server over real sockets on loopback.

#include "engine/media/media_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/codec/g711.h"
#include "engine/media/port_pool.h"
#include "engine/media/prompt.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MediaServer, BridgesBothWaysByteForByte) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  std::set<uint32_t> ssrcs;
  for (int i = 0; i < 50; ++i) {
    lead.Talk(lead_port, 0, Payload(i));
    const auto at_agent = agent.Hear();
    ASSERT_TRUE(at_agent.has_value()) << i;
    EXPECT_EQ(at_agent->payload, Payload(i));
    EXPECT_EQ(at_agent->first_octet, 0x80);
    EXPECT_EQ(at_agent->payload_type, 0);
    agent.Talk(agent_port, 0, Payload(1000 + i));
    const auto at_lead = lead.Hear();
    ASSERT_TRUE(at_lead.has_value()) << i;
    EXPECT_EQ(at_lead->payload, Payload(1000 + i));
    ssrcs.insert(at_agent->ssrc);
    ssrcs.insert(at_lead->ssrc);
  }
  EXPECT_EQ(ssrcs.size(), 2u);            // one for each leg
  EXPECT_EQ(ssrcs.count(lead.ssrc), 0u);  // ours, not theirs
  EXPECT_TRUE(media.WaitFor([](const MediaStats& s) { return s.packets_out == 100; }));
  const MediaStats stats = media.server->Stats();
  EXPECT_EQ(stats.bridged_calls, 1u);
  EXPECT_EQ(stats.sockets, 8u);
}

TEST(MediaServer, PrerollIsHeardAtOnceAndInOrder) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  for (int i = 0; i < 5; ++i) lead.Talk(lead_port, 0, Payload(i));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.no_peer == 5; }));
  media.plane->Bridge(Leg(1), Leg(2));
  // Nothing more is sent: what is heard now was kept. The last three of five, gaps of 20 ms.
  std::vector<Heard> heard;
  for (int i = 2; i < 5; ++i) {
    const auto packet = agent.Hear();
    ASSERT_TRUE(packet.has_value()) << i;
    EXPECT_EQ(packet->payload, Payload(i));
    heard.push_back(*packet);
  }
  EXPECT_TRUE(heard[0].marker);
  EXPECT_FALSE(heard[1].marker);
  EXPECT_EQ(heard[1].seq, static_cast<uint16_t>(heard[0].seq + 1));
  EXPECT_EQ(heard[2].timestamp, heard[0].timestamp + 320);
  lead.Talk(lead_port, 0, Payload(5));
  const auto live = agent.Hear();
  ASSERT_TRUE(live.has_value());
  EXPECT_EQ(live->payload, Payload(5));
  EXPECT_EQ(live->timestamp, heard[2].timestamp + 160);
}

TEST(MediaServer, OldPrerollIsNotHeard) {
  MediaConfig config = TestConfig();
  config.preroll_age_max = absl::ZeroDuration();
  Media media(config);
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  lead.Talk(lead_port, 0, Payload(1));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.no_peer == 1; }));
  media.plane->Bridge(Leg(1), Leg(2));
  lead.Talk(lead_port, 0, Payload(2));
  const auto first = agent.Hear();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->payload, Payload(2));
}

TEST(MediaServer, APacketThatOvertakesTheAnswerIsHeard) {
  Media media(TestConfig());
  FarEnd lead, agent, stranger;
  media.Connect(Leg(2), agent);
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  const uint16_t port = AudioPort(*offer);
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.legs == 2; }));
  lead.Talk(port, 0, Payload(1));
  stranger.Talk(port, 0, Payload(66));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.packets_in == 2; }));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0")).ok());
  media.plane->Bridge(Leg(1), Leg(2));
  const auto first = agent.Hear();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->payload, Payload(1));
  EXPECT_EQ(media.server->Stats().dropped_foreign, 1u);
}

// Reliability P20 and P21: what does not come from the SDP's address is never heard, and rubbish
// from the right address ends nothing.
TEST(MediaServer, StrangersAndRubbishAreCountedAndNotHeard) {
  Media media(TestConfig());
  FarEnd lead, agent, stranger;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  stranger.ssrc = lead.ssrc;  // knows the SSRC, and speaks first
  for (int i = 0; i < 200; ++i) stranger.Talk(lead_port, 0, Payload(666));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_foreign == 200; }));
  const std::string good = MakeRtp(0, 1, 1, 1, "abcd");
  const std::string rubbish[] = {"",
                                 "x",
                                 good.substr(0, 12),
                                 "\x00" + good.substr(1),
                                 "\x8f" + good.substr(1),
                                 "\x90" + good.substr(1),
                                 "\xa0" + good.substr(1),
                                 std::string(1501, '\x80')};
  for (const std::string& bytes : rubbish) lead.SendTo(lead_port, bytes);
  ASSERT_TRUE(media.WaitFor([&](const MediaStats& s) {
    return s.dropped_short == std::size(rubbish);
  })) << media.server->Stats().dropped_short;
  lead.SendTo(lead_port, MakeRtp(18, 1, 1, 1, "G.729"));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_payload_type == 1; }));
  lead.Talk(lead_port, 0, Payload(1));
  const auto first = agent.Hear();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->payload, Payload(1));  // the genuine packet is the first the agent hears
  EXPECT_TRUE(stranger.HearsNothingFor(absl::Milliseconds(50)));
}

// Reliability P21: a flood at a live port, from strangers and from the far end itself, costs the
// call nothing.
TEST(MediaServer, AFloodCostsNoGenuinePacket) {
  Media media(TestConfig());
  FarEnd lead, agent, stranger;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  for (int i = 0; i < 40; ++i) {
    for (int k = 0; k < 60; ++k) {
      stranger.Talk(lead_port, 0, Payload(k));
      if (k % 6 == 0) lead.SendTo(lead_port, "\x9f not RTP at all");
    }
    lead.Talk(lead_port, 0, Payload(1000 + i));
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value()) << i;
    EXPECT_EQ(heard->payload, Payload(1000 + i));
  }
  EXPECT_TRUE(media.WaitFor([](const MediaStats& s) {
    return s.dropped_foreign == 2400 && s.dropped_short == 400 && s.packets_out == 40;
  }));
  EXPECT_EQ(media.server->Stats().bridged_calls, 1u);
}

TEST(MediaServer, WildTimestampsAndSsrcsFromTheRightAddressKeepTheCallUp) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  std::optional<Heard> last;
  for (int i = 0; i < 100; ++i) {
    lead.ssrc = i % 7 == 0 ? 0x1000u + static_cast<uint32_t>(i) : lead.ssrc;
    if (i % 5 == 0) lead.timestamp = static_cast<uint32_t>(i) * 0x9e3779b9u;
    if (i % 11 == 0) lead.seq = static_cast<uint16_t>(i * 40503);
    lead.Talk(lead_port, 0, Payload(i));
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value()) << i;
    EXPECT_EQ(heard->payload, Payload(i));
    if (last.has_value()) {
      EXPECT_EQ(heard->ssrc, last->ssrc);
      EXPECT_EQ(heard->seq, static_cast<uint16_t>(last->seq + 1)) << i;
      EXPECT_LT(heard->timestamp - last->timestamp, 200'000u) << i;
    }
    last = heard;
  }
}

// oRTP without its jitter buffer drops what comes late; we must not (see ortp_session.cc).
TEST(MediaServer, ReorderedPacketsAreRelayed) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  std::vector<uint16_t> offsets;
  std::optional<uint16_t> base;
  for (const int step : {0, 1, 3, 2, 4, 6, 5}) {
    lead.SendTo(lead_port, MakeRtp(0, static_cast<uint16_t>(100 + step),
                                   static_cast<uint32_t>(5000 + 160 * step), 9, Payload(step)));
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value()) << step;
    EXPECT_EQ(heard->payload, Payload(step));
    if (!base.has_value()) base = heard->seq;
    offsets.push_back(static_cast<uint16_t>(heard->seq - *base));
  }
  EXPECT_THAT(offsets, ElementsAre(0, 1, 3, 2, 4, 6, 5));
}

TEST(MediaServer, AgentHearsOneStreamAcrossCalls) {
  Media media(TestConfig());
  FarEnd first_lead, second_lead, agent;
  first_lead.ssrc = 1;
  second_lead.ssrc = 2;
  second_lead.seq = 50000;
  second_lead.timestamp = 0xfffffff0;
  const uint16_t agent_port = media.Connect(Leg(9), agent);
  const uint16_t first_port = media.Connect(Leg(1), first_lead);
  media.plane->Bridge(Leg(1), Leg(9));
  std::vector<Heard> heard;
  auto hear = [&] {
    const auto packet = agent.Hear();
    ASSERT_TRUE(packet.has_value());
    heard.push_back(*packet);
  };
  for (int i = 0; i < 3; ++i) {
    first_lead.Talk(first_port, 0, Payload(i));
    hear();
  }
  media.plane->Close(Leg(1));
  const uint16_t second_port = media.Connect(Leg(2), second_lead);
  media.plane->Bridge(Leg(9), Leg(2));
  for (int i = 0; i < 3; ++i) {
    second_lead.Talk(second_port, 0, Payload(10 + i));
    hear();
  }
  for (size_t i = 1; i < heard.size(); ++i) {
    EXPECT_EQ(heard[i].ssrc, heard[0].ssrc) << i;
    EXPECT_EQ(heard[i].seq, static_cast<uint16_t>(heard[i - 1].seq + 1)) << i;
    EXPECT_GE(heard[i].timestamp - heard[i - 1].timestamp, 160u) << i;
    EXPECT_LT(heard[i].timestamp - heard[i - 1].timestamp, 8000u * 60) << i;
    EXPECT_EQ(heard[i].marker, i == 3) << i;  // a talk spurt starts with the second call
  }
  EXPECT_TRUE(heard[0].marker);
  agent.Talk(agent_port, 0, Payload(77));
  const auto back = second_lead.Hear();
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->payload, Payload(77));
  EXPECT_TRUE(first_lead.HearsNothingFor(absl::Milliseconds(20)));
}

TEST(MediaServer, TheSamePairBridgedAgainStartsATalkSpurt) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  for (int round = 0; round < 3; ++round) {
    media.plane->Bridge(Leg(1), Leg(2));
    for (int i = 0; i < 2; ++i) {
      lead.Talk(lead_port, 0, Payload(i));
      agent.Talk(agent_port, 0, Payload(i));
      const auto at_agent = agent.Hear();
      const auto at_lead = lead.Hear();
      ASSERT_TRUE(at_agent.has_value() && at_lead.has_value()) << round;
      EXPECT_EQ(at_agent->marker, i == 0) << round;
      EXPECT_EQ(at_lead->marker, i == 0) << round;
    }
    media.plane->Unbridge(Leg(1));
  }
}

TEST(MediaServer, UnbridgedLegsHearNothing) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  lead.Talk(lead_port, 0, Payload(1));
  ASSERT_TRUE(agent.Hear().has_value());
  media.plane->Unbridge(Leg(2));  // from either end
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.bridged_calls == 0; }));
  lead.Talk(lead_port, 0, Payload(2));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.no_peer == 1; }));
  EXPECT_TRUE(agent.HearsNothingFor(absl::Milliseconds(50)));
  media.plane->Unbridge(Leg(1));  // nothing to do
  EXPECT_EQ(media.server->Stats().legs, 2u);
}

TEST(MediaServer, TranscodesBetweenTheLaws) {
  Media media(TestConfig());
  FarEnd mu, a;
  const uint16_t mu_port = media.Connect(Leg(1), mu, "0 101");
  const uint16_t a_port = media.Connect(Leg(2), a, "8 0 101");
  media.plane->Bridge(Leg(1), Leg(2));
  std::string expected_a = Payload(1), expected_mu = Payload(2);
  for (char& c : expected_a) {
    c = static_cast<char>(codec::LinearToA(codec::MuToLinear(static_cast<uint8_t>(c))));
  }
  for (char& c : expected_mu) {
    c = static_cast<char>(codec::LinearToMu(codec::AToLinear(static_cast<uint8_t>(c))));
  }
  mu.Talk(mu_port, 0, Payload(1));
  auto heard = a.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload_type, 8);
  EXPECT_EQ(heard->payload, expected_a);
  a.Talk(a_port, 8, Payload(2));
  heard = mu.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload_type, 0);
  EXPECT_EQ(heard->payload, expected_mu);
  a.Talk(a_port, 0, Payload(3));  // it may send the other law of its answer at any time
  heard = mu.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Payload(3));
}

TEST(MediaServer, RelaysKeysInEachSidesOwnPayloadType) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead, "0 101");
  ASSERT_TRUE(media.plane->Open(Leg(2), {}).ok());
  const std::string agent_sdp =
      absl::StrCat("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio ", agent.port(),
                   " RTP/AVP 0 97\r\na=rtpmap:97 telephone-event/8000\r\n");
  ASSERT_TRUE(media.plane->SetRemote(Leg(2), agent_sdp).ok());
  media.plane->Bridge(Leg(1), Leg(2));
  lead.Talk(lead_port, 0, Payload(1));
  const auto audio = agent.Hear();
  ASSERT_TRUE(audio.has_value());
  // RFC 4733: one key, three packets with the time of its start, the end packet three times.
  const std::string durations[] = {"\x05\x0a\x00\xa0", "\x05\x0a\x01\x40", "\x05\x8a\x01\xe0",
                                   "\x05\x8a\x01\xe0", "\x05\x8a\x01\xe0"};
  const uint32_t start = lead.timestamp;
  for (size_t i = 0; i < std::size(durations); ++i) {
    const std::string event(std::string("\x05\x0a\x00\xa0", 4));
    std::string payload = i == 0 ? event : durations[i];
    lead.SendTo(lead_port, MakeRtp(101, lead.seq++, start, lead.ssrc, payload, i == 0));
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value()) << i;
    EXPECT_EQ(heard->payload_type, 97);
    EXPECT_EQ(heard->payload, payload);
    EXPECT_EQ(heard->marker, i == 0);
    EXPECT_EQ(heard->timestamp, audio->timestamp + 160);
    EXPECT_EQ(heard->seq, static_cast<uint16_t>(audio->seq + 1 + i));
  }
}

TEST(MediaServer, KeysAreNotSentToWhoDidNotNegotiateThem) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead, "0 101");
  media.Connect(Leg(2), agent, "0");
  media.plane->Bridge(Leg(1), Leg(2));
  lead.SendTo(lead_port, MakeRtp(101, 1, 1, lead.ssrc, "\x05\x0a\x01\x40", true));
  lead.Talk(lead_port, 0, Payload(1));
  const auto heard = agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload_type, 0);
}

TEST(MediaServer, PromptPlaysEveryFrameInTimeAndTellsItsEnd) {
  Media media(TestConfig());
  FarEnd lead;
  media.Connect(Leg(1), lead);
  const MonoTime start = media.clock.Mono();
  media.plane->Play(Leg(1), call::Prompt::kSafeHarbor);
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.prompt_done.empty(); }));
  const absl::Duration took = media.clock.Mono() - start;
  EXPECT_GE(took, absl::Milliseconds(65 * 20));  // 65 frames, told after the last has been heard
  EXPECT_THAT(media.events.prompt_done, ElementsAre(Leg(1)));
  EXPECT_EQ(media.server->Stats().prompt_frames, 65u);
  const std::vector<int16_t> tones = BuiltInSafeHarborTones();
  std::optional<Heard> last;
  for (size_t i = 0; i < 65; ++i) {
    const auto heard = lead.Hear(absl::ZeroDuration());
    ASSERT_TRUE(heard.has_value()) << i;
    ASSERT_EQ(heard->payload.size(), 160u);
    EXPECT_EQ(static_cast<uint8_t>(heard->payload[80]), codec::LinearToMu(tones[i * 160 + 80]));
    EXPECT_EQ(heard->marker, i == 0);
    if (last.has_value()) {
      EXPECT_EQ(heard->seq, static_cast<uint16_t>(last->seq + 1));
      EXPECT_EQ(heard->timestamp, last->timestamp + 160);
    }
    last = heard;
  }
  EXPECT_TRUE(lead.HearsNothingFor(absl::ZeroDuration()));
}

TEST(MediaServer, PromptInTheLegsOwnLaw) {
  Media media(TestConfig());
  FarEnd lead;
  media.Connect(Leg(1), lead, "8");
  media.plane->Play(Leg(1), call::Prompt::kSilence);
  const auto heard = lead.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload_type, 8);
  EXPECT_EQ(heard->payload, std::string(160, '\xd5'));
}

TEST(MediaServer, BridgeStopsAPromptWithoutSayingItEnded) {
  Media media(TestConfig());
  FarEnd lead, agent;
  media.Connect(Leg(1), lead);
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Play(Leg(1), call::Prompt::kSilence);
  auto prompt = lead.Hear();
  ASSERT_TRUE(prompt.has_value());
  media.plane->Bridge(Leg(1), Leg(2));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.bridged_calls == 1; }));
  agent.Talk(agent_port, 0, Payload(4));
  std::optional<Heard> heard;
  do {
    heard = lead.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->seq, static_cast<uint16_t>(prompt->seq + 1));
    EXPECT_EQ(heard->ssrc, prompt->ssrc);
    if (heard->payload != Payload(4)) prompt = heard;
  } while (heard->payload != Payload(4));
  EXPECT_TRUE(heard->marker);
  EXPECT_TRUE(lead.HearsNothingFor(absl::Milliseconds(60)));  // no more frames
  EXPECT_THAT(media.events.prompt_done, ElementsAre());
}

TEST(MediaServer, PromptRunsOutForALegOnHold) {
  MediaConfig config = TestConfig();
  Media media(config);
  FarEnd lead;
  media.Connect(Leg(1), lead);
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0", "inactive")).ok());
  media.plane->Play(Leg(1), call::Prompt::kSafeHarbor);
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.prompt_done.empty(); }));
  EXPECT_EQ(media.server->Stats().packets_out, 0u);
}

TEST(MediaServer, HoldStopsAudioAndResumeBringsItBack) {
  Media media(TestConfig());
  FarEnd lead, agent;
  media.Connect(Leg(1), lead);
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0", "sendonly")).ok());
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr("a=recvonly"));
  agent.Talk(agent_port, 0, Payload(1));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.no_peer >= 1; }));
  // Hold in the old style: no address, but the lock on the old one stays.
  ASSERT_TRUE(media.plane
                  ->SetRemote(Leg(1), absl::StrCat("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio ",
                                                   lead.port(), " RTP/AVP 0\r\n"))
                  .ok());
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr("a=inactive"));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0")).ok());
  agent.Talk(agent_port, 0, Payload(2));
  const auto heard = lead.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Payload(2));
}

TEST(MediaServer, ReinviteMovesTheLockToTheNewAddress) {
  Media media(TestConfig());
  FarEnd old_lead, new_lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), old_lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), new_lead.Sdp("0")).ok());
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.bridged_calls == 1; }));
  new_lead.Talk(lead_port, 0, Payload(2));
  const auto heard = agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Payload(2));
  old_lead.Talk(lead_port, 0, Payload(1));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_foreign == 1; }));
}

TEST(MediaServer, BadSdpLeavesMediaAsItWas) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  const std::string before = media.plane->LocalSdp(Leg(1));
  EXPECT_TRUE(absl::IsInvalidArgument(
      media.plane->SetRemote(Leg(1), "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 0 RTP/AVP 0\r\n")));
  EXPECT_EQ(media.plane->LocalSdp(Leg(1)), before);
  lead.Talk(lead_port, 0, Payload(1));
  ASSERT_TRUE(agent.Hear().has_value());
}

TEST(MediaServer, OurOwnPortsAreNoFarEnd) {
  Media media(TestConfig());
  const auto a = media.plane->Open(Leg(1), {});
  const auto b = media.plane->Open(Leg(2), {});
  ASSERT_TRUE(a.ok() && b.ok());
  // Two legs that send to each other would relay one packet for ever.
  EXPECT_TRUE(absl::IsInvalidArgument(media.plane->SetRemote(Leg(1), *b)));
  EXPECT_TRUE(absl::IsInvalidArgument(media.plane->SetRemote(Leg(2), *b)));
}

TEST(MediaServer, VersionRisesOnlyWhenTheDescriptionChanges) {
  Media media(TestConfig());
  FarEnd lead;
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  EXPECT_EQ(media.plane->LocalSdp(Leg(1)), *offer);
  EXPECT_THAT(*offer, HasSubstr("o=- 1 1 IN IP4 127.0.0.1"));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0 101")).ok());
  const std::string answer = media.plane->LocalSdp(Leg(1));
  EXPECT_THAT(answer, HasSubstr("o=- 1 2 IN IP4 127.0.0.1"));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0 101")).ok());
  EXPECT_EQ(media.plane->LocalSdp(Leg(1)), answer);
  EXPECT_EQ(media.plane->LocalSdp(Leg(5)), "");
  EXPECT_TRUE(absl::IsFailedPrecondition(media.plane->SetRemote(Leg(5), lead.Sdp("0"))));
}

TEST(MediaServer, ClosedPortsRestBeforeTheyAreUsedAgain) {
  MediaConfig config = TestConfig();
  config.ports = 2;
  config.quarantine = absl::Seconds(5);
  Media media(config);
  FarEnd lead;
  const uint16_t first = media.Connect(Leg(1), lead);
  ASSERT_TRUE(media.plane->Open(Leg(2), {}).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(media.plane->Open(Leg(3), {}).status()));
  media.plane->Close(Leg(1));
  EXPECT_TRUE(absl::IsResourceExhausted(media.plane->Open(Leg(3), {}).status()));
  media.loop.Advance(absl::Milliseconds(4999));
  EXPECT_EQ(media.plane->FreePorts(), 0u);
  // A late packet of the old call meets a port without a leg.
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.legs == 1; }));
  lead.Talk(first, 0, Payload(1));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_no_leg == 1; }));
  media.loop.Advance(absl::Milliseconds(1));
  const auto again = media.plane->Open(Leg(3), {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(AudioPort(*again), first);
  media.plane->Close(Leg(3));
  media.plane->Close(Leg(3));  // twice is once
  EXPECT_EQ(media.plane->FreePorts(), 0u);
}

TEST(MediaServer, TellsTheFirstPacketOnce) {
  Media media(TestConfig());
  FarEnd lead;
  const MonoTime before = media.clock.Mono();
  const uint16_t port = media.Connect(Leg(1), lead);
  for (int i = 0; i < 3; ++i) lead.Talk(port, 0, Payload(i));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.no_peer == 3; }));
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.first_media.empty(); }));
  media.plane->Play(Leg(1), call::Prompt::kSilence);  // its end comes after all that went before
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.prompt_done.empty(); }));
  ASSERT_EQ(media.events.first_media.size(), 1u);
  EXPECT_EQ(media.events.first_media[0].first, Leg(1));
  EXPECT_GE(media.events.first_media[0].second, before);
  EXPECT_LE(media.events.first_media[0].second, media.clock.Mono());
}

TEST(MediaServer, TellsWhenALegFallsSilent) {
  MediaConfig config = TestConfig();
  config.dead_call_time = absl::Milliseconds(100);
  Media media(config);
  FarEnd silent, held;
  const MonoTime start = media.clock.Mono();
  media.Connect(Leg(1), silent);
  media.Connect(Leg(2), held);
  ASSERT_TRUE(media.plane->SetRemote(Leg(2), held.Sdp("0", "recvonly")).ok());
  ASSERT_TRUE(media.loop.RunUntil([&] { return media.events.media_lost.size() >= 3; }));
  EXPECT_GE(media.clock.Mono() - start, absl::Milliseconds(300));  // again after as long again
  EXPECT_THAT(media.events.media_lost, testing::Each(Leg(1)));     // who need not send is not dead
}

TEST(MediaServer, AFullShardLoopDelaysEventsAndLosesNone) {
  Media media(TestConfig());
  FarEnd lead;
  const uint16_t port = media.Connect(Leg(1), lead);
  media.loop.RefusePosts(3);
  lead.Talk(port, 0, Payload(1));
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.first_media.empty(); }));
  EXPECT_GE(media.server->Stats().events_delayed, 1u);
}

TEST(MediaServer, AFullMailboxDelaysCommandsAndLosesNone) {
  MediaConfig config = TestConfig();
  config.mailbox_capacity = 2;
  Media media(config);
  FarEnd lead, agent;
  for (uint32_t i = 0; i < 300; ++i) {
    const auto offer = media.plane->Open(Leg(1, 1 + i), {});
    if (!offer.ok()) {
      media.loop.Advance(absl::Seconds(6));
      continue;
    }
    media.plane->Play(Leg(1, 1 + i), call::Prompt::kSilence);
    media.plane->Close(Leg(1, 1 + i));
  }
  media.loop.Advance(absl::Seconds(6));
  const uint16_t lead_port = media.Connect(Leg(7), lead);
  media.Connect(Leg(8), agent);
  media.plane->Bridge(Leg(7), Leg(8));
  ASSERT_TRUE(media.WaitFor([&](const MediaStats& s) {
    media.loop.Advance(absl::Milliseconds(1));  // the backlog's timer
    return s.bridged_calls == 1;
  }));
  EXPECT_EQ(media.server->Stats().legs, 2u);
  lead.Talk(lead_port, 0, Payload(3));
  const auto heard = agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Payload(3));
}

TEST(MediaServer, CommandsForClosedLegsDoNothing) {
  Media media(TestConfig());
  FarEnd lead;
  media.Connect(Leg(1), lead);
  media.plane->Close(Leg(1));
  media.plane->Bridge(Leg(1), Leg(2));
  media.plane->Play(Leg(1), call::Prompt::kSilence);
  media.plane->Unbridge(Leg(1));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.commands_stale == 4; }));
  EXPECT_EQ(media.server->Stats().legs, 0u);
}

TEST(MediaServer, LegsOfTwoShardsAreBridged) {
  MediaConfig config = TestConfig();
  config.shards = 2;
  Media media(config);
  HandLoop other_loop;
  RecordedEvents other_events;
  const auto other = media.server->ForShard(1, other_loop, other_events);
  EXPECT_EQ(media.plane->FreePorts(), 2u);
  EXPECT_EQ(other->FreePorts(), 2u);
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  const LegId agent_leg{.shard = 1, .index = 1, .generation = 1};
  ASSERT_TRUE(other->Open(agent_leg, {}).ok());
  ASSERT_TRUE(other->SetRemote(agent_leg, agent.Sdp("0")).ok());
  media.plane->Bridge(Leg(1), agent_leg);
  lead.Talk(lead_port, 0, Payload(1));
  const auto heard = agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload, Payload(1));
}

TEST(MediaServer, SendsReportsToTheNextPort) {
  MediaConfig config = TestConfig();
  config.rtcp_interval = absl::Milliseconds(40);
  Media media(config);
  // The far end's RTP and RTCP ports: a pair like ours.
  auto pair = PortPool::Bind({.addresses = {0x7f000001}, .pairs = 1});
  ASSERT_TRUE(pair.ok()) << pair.status();
  FarEnd agent;
  ASSERT_TRUE(media.plane->Open(Leg(1), {}).ok());
  ASSERT_TRUE(media.plane
                  ->SetRemote(Leg(1), absl::StrCat("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio ",
                                                   pair->pairs()[0].rtp_port, " RTP/AVP 0\r\n"))
                  .ok());
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  std::string report(1500, '\0');
  ssize_t size = -1;
  for (int i = 0; i < 1000 && size < 0; ++i) {
    agent.Talk(agent_port, 0, Payload(i));
    pollfd p{.fd = pair->pairs()[0].rtcp_fd, .events = POLLIN, .revents = 0};
    if (poll(&p, 1, 20) == 1) size = recv(p.fd, report.data(), report.size(), 0);
  }
  ASSERT_GE(size, 28) << "no report in 20 s";
  EXPECT_EQ(static_cast<uint8_t>(report[0]) >> 6, 2);
  EXPECT_EQ(static_cast<uint8_t>(report[1]), 200);  // sender report, RFC 3550 6.4.1
}

TEST(MediaServer, RealtimeIsTriedAndItsLackToldOnce) {
  MediaConfig config = TestConfig();
  config.realtime = true;
  Media media(config);
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  lead.Talk(lead_port, 0, Payload(1));
  EXPECT_TRUE(agent.Hear().has_value());
  EXPECT_LE(media.log.Count("media.no_realtime"), 1);
  EXPECT_EQ(media.log.Count("media.built_in_prompt"), 1);
}

TEST(MediaServer, StartRefusesWhatCannotWorkAndSaysWhatToDo) {
  MachineClock clock;
  NullLog log;
  auto start = [&](auto change) {
    MediaConfig config = TestConfig();
    change(config);
    return MediaServer::Start(config, clock, log).status();
  };
  EXPECT_THAT(
      std::string(start([](MediaConfig& c) { c.safe_harbor_wav = "/no/such.wav"; }).message()),
      HasSubstr("/no/such.wav"));
  EXPECT_THAT(std::string(start([](MediaConfig& c) { c.address = "carrier.example"; }).message()),
              HasSubstr("numeric IPv4"));
  EXPECT_THAT(std::string(start([](MediaConfig& c) { c.address = "0.0.0.0"; }).message()),
              HasSubstr("SDP has to name an address"));
  EXPECT_THAT(std::string(start([](MediaConfig& c) { c.address = "192.0.2.77"; }).message()),
              HasSubstr("not an address of this machine"));
  EXPECT_THAT(std::string(start([](MediaConfig& c) { c.port_first = 20001; }).message()),
              HasSubstr("even"));
  EXPECT_THAT(std::string(start([](MediaConfig& c) { c.shards = 5; }).message()),
              HasSubstr("at least one for each shard"));
  const auto taken = PortPool::Bind({.addresses = {0x7f000001}, .pairs = 1});
  ASSERT_TRUE(taken.ok());
  const absl::Status status =
      start([&](MediaConfig& c) { c.port_first = taken->pairs()[0].rtp_port; });
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("port ", taken->pairs()[0].rtp_port)));
}

}  // namespace
}  // namespace outpace::media
