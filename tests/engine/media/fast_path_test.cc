// What relaying without oRTP has to keep: reports that tell the truth, duplicates dropped, headers
// cut, SRTP in place; and what it promises: no allocation.

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/media/port_pool.h"
#include "tests/engine/media/allocation_counter.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

TEST(FastPath, DoesNotAllocate) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  const uint16_t agent_port = media.Connect(Leg(2), agent, "8 101");
  media.plane->Bridge(Leg(1), Leg(2));
  for (int i = 0; i < 60; ++i) {
    if (i == 10) CountMediaAllocations(true);  // the first packets make events
    lead.Talk(lead_port, 0, Payload(i));
    agent.Talk(agent_port, 8, Payload(i));
    ASSERT_TRUE(agent.Hear().has_value());
    ASSERT_TRUE(lead.Hear().has_value());
  }
  EXPECT_EQ(CountMediaAllocations(false), 0);
}

TEST(FastPath, WhatComesTwiceIsHeardOnce) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  for (const int n : {0, 1, 1, 3, 2, 3, 0, 4}) {
    lead.SendTo(lead_port, MakeRtp(0, static_cast<uint16_t>(0xfffe + n),
                                   static_cast<uint32_t>(n) * 160, 9, Payload(n)));
  }
  for (const int n : {0, 1, 3, 2, 4}) {
    const auto heard = agent.Hear();
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->payload, Payload(n));
  }
  EXPECT_TRUE(media.WaitFor(
      [](const MediaStats& s) { return s.dropped_duplicate == 3 && s.packets_out == 5; }));
}

TEST(FastPath, SourcesExtensionAndPaddingFallAway) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  std::string packet = MakeRtp(0, 1, 160, 9, "");
  packet[0] = static_cast<char>(0x80 | 0x20 | 0x10 | 2);  // padding, extension, two sources
  packet += std::string(8, 'c') + std::string("\xbe\xde\x00\x01", 4) + "extn" + Payload(3) +
            std::string("\0\0\3", 3);
  lead.SendTo(lead_port, packet);
  const auto heard = agent.Hear();
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->first_octet, 0x80);
  EXPECT_EQ(heard->payload, Payload(3));
}

uint32_t Word(absl::string_view bytes, size_t at) {
  uint32_t word = 0;
  for (size_t i = 0; i < 4; ++i) word = word << 8 | static_cast<uint8_t>(bytes[at + i]);
  return word;
}

// The figures on the wire are those of what was relayed, though oRTP saw none of it.
TEST(FastPath, ReportsTellWhatWasSentReceivedAndLost) {
  MediaConfig config = TestConfig();
  config.rtcp_interval = absl::Milliseconds(40);
  Media media(config);
  auto pair = PortPool::Bind({.addresses = {0x7f000001}, .pairs = 1});
  ASSERT_TRUE(pair.ok()) << pair.status();
  FarEnd agent;
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  ASSERT_TRUE(media.plane
                  ->SetRemote(Leg(1), absl::StrCat("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio ",
                                                   pair->pairs()[0].rtp_port, " RTP/AVP 0\r\n"))
                  .ok());
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  // From the lead's port: 20 packets, four of them lost.
  for (int n = 0; n < 20; ++n) {
    if (n % 5 == 3) continue;
    const std::string packet =
        MakeRtp(0, static_cast<uint16_t>(n), 160u * static_cast<uint32_t>(n), 0xabcd, Payload(n));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(0x7f000001);
    to.sin_port = htons(AudioPort(*offer));
    ASSERT_EQ(sendto(pair->pairs()[0].rtp_fd, packet.data(), packet.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to),
              172);
    ASSERT_TRUE(agent.Hear().has_value());
  }
  for (int n = 0; n < 7; ++n) agent.Talk(agent_port, 0, Payload(n));
  // The report that is about all of it.
  for (int tries = 0; tries < 1000; ++tries) {
    pollfd p{.fd = pair->pairs()[0].rtcp_fd, .events = POLLIN, .revents = 0};
    ASSERT_EQ(poll(&p, 1, 20'000), 1);
    std::string report(1500, '\0');
    const ssize_t size = recv(p.fd, report.data(), report.size(), 0);
    ASSERT_GE(size, 8);
    report.resize(static_cast<size_t>(size));
    agent.Talk(agent_port, 0, Payload(1));  // or there is no sender report any more
    if (static_cast<uint8_t>(report[1]) != 200 || Word(report, 20) < 7) continue;
    EXPECT_EQ(Word(report, 24), Word(report, 20) * 160);
    if ((report[0] & 0x1f) == 0) continue;  // nothing came since the last one
    EXPECT_EQ(Word(report, 28), 0xabcdu);
    EXPECT_EQ(Word(report, 32) & 0xffffff, 4u);
    EXPECT_EQ(Word(report, 36), 19u);
    return;
  }
  FAIL() << "no report about all packets";
}

}  // namespace
}  // namespace outpace::media
