// Offer and answer as a leg lives through them (RFC 3264, RFC 6337), over real sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string WithLine(const std::string& sdp, absl::string_view line) {
  return absl::StrCat(sdp, line, "\r\n");
}

TEST(OfferAnswer, PromptsComeInPacketsOfTheLengthAskedFor) {
  struct Case {
    const char* line;
    size_t octets;
  };
  for (const Case& c : {Case{"a=ptime:10", 80}, Case{"a=ptime:40", 320}, Case{"a=maxptime:10", 80},
                        Case{"a=ptime:20", 160}}) {
    SCOPED_TRACE(c.line);
    Media media(TestConfig());
    FarEnd lead;
    ASSERT_TRUE(media.plane->Open(Leg(1), {}).ok());
    ASSERT_TRUE(media.plane->SetRemote(Leg(1), WithLine(lead.Sdp("0"), c.line)).ok());
    media.plane->Play(Leg(1), call::Prompt::kSafeHarbor);
    std::optional<Heard> last;
    for (size_t i = 0; i < 4; ++i) {
      const auto heard = lead.Hear();
      ASSERT_TRUE(heard.has_value()) << i;
      EXPECT_EQ(heard->payload.size(), c.octets);
      EXPECT_TRUE(!last.has_value() || heard->timestamp == last->timestamp + c.octets);
      last = heard;
    }
  }
}

// 1.3 s are 43 packets of 30 ms and one of 10 ms.
TEST(OfferAnswer, ThePromptsLastPacketMayBeShorter) {
  Media media(TestConfig());
  FarEnd lead;
  ASSERT_TRUE(media.plane->Open(Leg(1), {}).ok());
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), WithLine(lead.Sdp("0"), "a=ptime:30")).ok());
  media.plane->Play(Leg(1), call::Prompt::kSafeHarbor);
  ASSERT_TRUE(media.loop.RunUntil([&] { return !media.events.prompt_done.empty(); }));
  for (size_t i = 0; i < 44; ++i) {
    const auto heard = lead.Hear(absl::ZeroDuration());
    ASSERT_TRUE(heard.has_value()) << i;
    EXPECT_EQ(heard->payload.size(), i < 43 ? 240u : 80u);
  }
  EXPECT_TRUE(lead.HearsNothingFor(absl::ZeroDuration()));
}

// Relayed audio keeps the sender's packets: RFC 3551 4.2 has every receiver take up to 200 ms, and
// cutting and joining would add delay.
TEST(OfferAnswer, RelayedPacketsKeepTheirLengthAndTime) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), WithLine(lead.Sdp("0"), "a=ptime:30")).ok());
  const uint16_t port = AudioPort(*offer);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  std::optional<Heard> last;
  uint32_t timestamp = 77;
  uint16_t seq = 5;
  for (const size_t octets : {240, 240, 80, 80, 320, 480, 160}) {
    lead.SendTo(port, MakeRtp(0, seq++, timestamp, 9, std::string(octets, 'a')));
    timestamp += static_cast<uint32_t>(octets);
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload.size(), octets);
    if (last.has_value()) {
      EXPECT_EQ(heard->timestamp, last->timestamp + last->payload.size());
      EXPECT_EQ(heard->seq, static_cast<uint16_t>(last->seq + 1));
    }
    last = heard;
  }
}

TEST(OfferAnswer, KeysGoBothWaysBetween101And96) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead, "0 101");
  const auto offer = media.plane->Open(Leg(2), {});
  ASSERT_TRUE(offer.ok());
  ASSERT_TRUE(
      media.plane
          ->SetRemote(Leg(2), absl::StrReplaceAll(agent.Sdp("0 96"), {{"rtpmap:101", "rtpmap:96"}}))
          .ok());
  media.plane->Bridge(Leg(1), Leg(2));
  const std::string key("\x05\x0a\x00\xa0", 4);
  lead.SendTo(lead_port, MakeRtp(101, 1, 160, 7, key, true));
  auto heard = agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload_type, 96);
  EXPECT_EQ(heard->payload, key);
  agent.SendTo(AudioPort(*offer), MakeRtp(96, 1, 160, 8, key, true));
  heard = lead.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload_type, 101);
  EXPECT_EQ(heard->payload, key);
  // Renumbered in a re-INVITE.
  ASSERT_TRUE(media.plane
                  ->SetRemote(Leg(1), absl::StrReplaceAll(lead.Sdp("0 110"),
                                                          {{"rtpmap:101", "rtpmap:110"}}))
                  .ok());
  agent.SendTo(AudioPort(*offer), MakeRtp(96, 2, 320, 8, key, true));
  heard = lead.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload_type, 110);
}

TEST(OfferAnswer, AFormOfHoldEach) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  struct Case {
    const char* direction;
    const char* answer;
    bool we_send;
  };
  int n = 0;
  for (const Case& c : {Case{"sendonly", "recvonly", false}, Case{"recvonly", "sendonly", true},
                        Case{"inactive", "inactive", false}, Case{"sendrecv", "sendrecv", true}}) {
    SCOPED_TRACE(c.direction);
    ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0 101", c.direction)).ok());
    EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr(absl::StrCat("a=", c.answer, "\r\n")));
    const uint64_t before = media.server->Stats().no_peer;
    agent.Talk(agent_port, 0, Payload(++n));
    if (c.we_send) {
      const auto heard = lead.Hear();
      ASSERT_TRUE(heard.has_value());
      EXPECT_EQ(heard->payload, Payload(n));
    } else {
      EXPECT_TRUE(media.WaitFor([&](const MediaStats& s) { return s.no_peer == before + 1; }));
    }
    // What it sends all the same (music on hold) is heard.
    lead.Talk(lead_port, 0, Payload(++n));
    EXPECT_EQ(agent.Hear()->payload, Payload(n));
  }
  EXPECT_TRUE(lead.HearsNothingFor(absl::ZeroDuration()));
}

// A call without SDP in the INVITE: our offer is in the 200, the answer in the ACK.
TEST(OfferAnswer, LateOffer) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  EXPECT_EQ(media.plane->LocalSdp(Leg(1)), *offer);  // what goes into the 200
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("8 101")).ok());
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  agent.Talk(agent_port, 8, Payload(1));
  EXPECT_EQ(lead.Hear()->payload, Payload(1));
}

// Likewise in a re-INVITE, which is how many a PBX takes a call off hold: the offer is all we can
// do and no longer on hold, and each change counts one more.
TEST(OfferAnswer, LateOfferInAReinviteEndsHold) {
  Media media(TestConfig());
  FarEnd lead;
  media.Connect(Leg(1), lead, "8 101");
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr("o=- 1 2 "));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("8 101", "sendonly")).ok());
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr("o=- 1 3 "));
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr("a=recvonly"));
  const std::string offer = media.plane->Offer(Leg(1));
  EXPECT_THAT(offer, HasSubstr("o=- 1 4 "));
  EXPECT_THAT(offer, HasSubstr(" RTP/AVP 0 8 101\r\n"));
  EXPECT_THAT(offer, HasSubstr("a=sendrecv"));
  EXPECT_EQ(media.plane->LocalSdp(Leg(1)), offer);
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0 101")).ok());
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr(" RTP/AVP 0 101\r\n"));
  EXPECT_EQ(media.plane->Offer(Leg(9)), "");
}

TEST(OfferAnswer, AnAnswerMayReorderRenumberAndDrop) {
  Media media(TestConfig());
  FarEnd lead, agent;
  ASSERT_TRUE(media.plane->Open(Leg(1), {}).ok());
  const std::string sdp =
      absl::StrCat("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n",
                   "m=video 0 RTP/AVP 31\r\nc=IN IP4 192.0.2.2\r\n", "m=audio ", lead.port(),
                   " RTP/AVP 18 97 0\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:97 PCMA/8000\r\n",
                   "m=audio 4000 RTP/AVP 0\r\n");
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), sdp).ok());
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)), Not(HasSubstr("telephone-event")));
  const uint16_t agent_port = media.Connect(Leg(2), agent, "8 101");
  media.plane->Bridge(Leg(1), Leg(2));
  agent.SendTo(agent_port, MakeRtp(101, 1, 0, 5, "\x05\x0a\x01\x40", true));  // goes nowhere
  agent.Talk(agent_port, 8, Payload(1));
  const auto heard = lead.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->payload_type, 97);
  EXPECT_EQ(heard->payload, Payload(1));
}

}  // namespace
}  // namespace outpace::media
