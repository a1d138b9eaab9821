// Media over IPv6, several addresses, and what ports and sockets a leg takes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/media/ip_address.h"
#include "engine/media/port_pool.h"
#include "tests/engine/media/media_fixture.h"

namespace outpace::media {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Family = call::MediaOptions::Family;

bool HasIpv6() {
  return PortPool::Bind({.addresses = {*IpAddress::Parse("::1")}, .pairs = 1}).ok();
}

MediaConfig Ipv6Config() {
  MediaConfig config = TestConfig();
  config.address = "::1";
  return config;
}

TEST(IpAddress, TakesNumbersOnly) {
  for (const char* text :
       {"192.0.2.1", "0.0.0.0", "::1", "2001:db8::8:800:200c:417a", "::", "fe80::1"}) {
    const auto ip = IpAddress::Parse(text);
    ASSERT_TRUE(ip.ok()) << text;
    EXPECT_EQ(ip->ToString(), text);
  }
  for (const char* text :
       {"", "localhost", "192.0.2", "192.0.2.1.", "0300.0.2.1", "[::1]", "::1%lo", "fe80::1%eth0",
        "1::2::3", "2001:db8", "::ffff:1.2.3.4.5", "ff15::101/3", "192.0.2.1/24"}) {
    EXPECT_FALSE(IpAddress::Parse(text).ok()) << text;
  }
  EXPECT_FALSE(IpAddress::Parse(absl::string_view("192.0.2.1\0x", 11)).ok());
  EXPECT_EQ(*IpAddress::Parse("192.0.2.1"), IpAddress(0xc0000201));
}

TEST(IpAddress, KnowsWhereNoPhoneIs) {
  for (const char* text :
       {"0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "ff02::1", "ff15::101", "::ffff:192.0.2.1", "::ffff:127.0.0.1", "::192.0.2.1",
        "64:ff9b::127.0.0.1", "64:ff9b::e000:1", "2002:7f00:1::1", "2002:e000:1::1"}) {
    EXPECT_TRUE(IpAddress::Parse(text)->unusable()) << text;
  }
  for (const char* text : {"192.0.2.1", "127.0.0.1", "169.254.1.1", "::1", "2001:db8::1", "fe80::1",
                           "fd00::1", "64:ff9b::192.0.2.1", "2002:c000:201::1"}) {
    EXPECT_FALSE(IpAddress::Parse(text)->unusable()) << text;
  }
  EXPECT_TRUE(IpAddress::Parse("::1")->loopback());
  EXPECT_TRUE(IpAddress::Parse("127.9.9.9")->loopback());
  EXPECT_FALSE(IpAddress::Parse("::2")->loopback());
  EXPECT_TRUE(IpAddress::Parse("169.254.169.254")->link_local());
  EXPECT_TRUE(IpAddress::Parse("febf::1")->link_local());
  EXPECT_FALSE(IpAddress::Parse("fec0::1")->link_local());
}

TEST(IpAddress, SocketAddressesCompareFamilyAddressAndPort) {
  const SocketAddress v4(MediaAddress{0x7f000001, 4000});
  const SocketAddress v6(MediaAddress{*IpAddress::Parse("2001:db8::1"), 4000});
  EXPECT_TRUE(v4.Same(SocketAddress(MediaAddress{0x7f000001, 4000})));
  EXPECT_FALSE(v4.Same(SocketAddress(MediaAddress{0x7f000001, 4001})));
  EXPECT_FALSE(v4.Same(SocketAddress(MediaAddress{0x7f000002, 4000})));
  EXPECT_FALSE(v4.Same(v6));
  EXPECT_FALSE(v6.Same(v4));
  EXPECT_TRUE(v6.Same(SocketAddress(MediaAddress{*IpAddress::Parse("2001:db8::1"), 4000})));
  EXPECT_FALSE(v6.Same(SocketAddress(MediaAddress{*IpAddress::Parse("2001:db8::1"), 4001})));
  EXPECT_FALSE(v6.Same(SocketAddress(MediaAddress{*IpAddress::Parse("2001:db8::2"), 4000})));
  EXPECT_FALSE(v6.Same(SocketAddress(MediaAddress{*IpAddress::Parse("2001:db9::1"), 4000})));
  EXPECT_FALSE(SocketAddress().Same(v4));
}

TEST(Ipv6, BridgesBothWays) {
  if (!HasIpv6()) GTEST_SKIP() << "no IPv6 on this machine";
  Media media(Ipv6Config());
  FarEnd lead("::1"), agent("::1"), stranger("::1");
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  EXPECT_THAT(*offer, HasSubstr("o=- 1 1 IN IP6 ::1\r\ns=-\r\nc=IN IP6 ::1\r\n"));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0 101")).ok());
  const uint16_t lead_port = AudioPort(*offer);
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  stranger.Talk(lead_port, 0, Payload(66));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_foreign == 1; }));
  for (int i = 0; i < 10; ++i) {
    lead.Talk(lead_port, 0, Payload(i));
    EXPECT_EQ(agent.Hear()->payload, Payload(i));
    agent.Talk(agent_port, 0, Payload(100 + i));
    EXPECT_EQ(lead.Hear()->payload, Payload(100 + i));
  }
}

TEST(Ipv6, ALeadByIpv6HearsAnAgentByIpv4) {
  if (!HasIpv6()) GTEST_SKIP() << "no IPv6 on this machine";
  MediaConfig config = TestConfig();
  config.more_addresses.push_back({.address = "::1", .advertised = ""});
  Media media(config);
  FarEnd lead("::1"), agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead, "8 101", {.family = Family::kIpv6});
  const uint16_t agent_port = media.Connect(Leg(2), agent, "0", {.family = Family::kIpv4});
  media.plane->Bridge(Leg(1), Leg(2));
  lead.Talk(lead_port, 0, Payload(1));
  EXPECT_EQ(agent.Hear()->payload, Payload(1));
  agent.Talk(agent_port, 8, Payload(2));
  EXPECT_EQ(lead.Hear()->payload, Payload(2));
  // Two ports of each family; any means the first address's.
  EXPECT_THAT(*media.plane->Open(Leg(3), {}), HasSubstr("IN IP4"));
  EXPECT_TRUE(absl::IsResourceExhausted(media.plane->Open(Leg(4), {}).status()));
  EXPECT_THAT(*media.plane->Open(Leg(5), {.family = Family::kIpv6}), HasSubstr("IN IP6"));
  EXPECT_EQ(media.plane->FreePorts(), 0u);
}

TEST(Ipv6, NoAddressOfTheFamilyIsSaid) {
  Media media(TestConfig());
  EXPECT_TRUE(
      absl::IsFailedPrecondition(media.plane->Open(Leg(1), {.family = Family::kIpv6}).status()));
}

TEST(Ipv6, HoldWithoutAddressAndResume) {
  if (!HasIpv6()) GTEST_SKIP() << "no IPv6 on this machine";
  Media media(Ipv6Config());
  FarEnd lead("::1");
  media.Connect(Leg(1), lead);
  for (const char* hold : {"IN IP6 ::\r\n", "IN IP4 0.0.0.0\r\n"}) {
    ASSERT_TRUE(
        media.plane
            ->SetRemote(Leg(1), absl::StrReplaceAll(lead.Sdp("0 101"), {{"IN IP6 ::1\r\n", hold}}))
            .ok())
        << hold;
    EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr("a=inactive"));
  }
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0 101")).ok());
  media.plane->Play(Leg(1), call::Prompt::kSilence);
  EXPECT_TRUE(lead.Hear().has_value());
}

TEST(Ports, SeveralAddressesShareTheNumbers) {
  MediaConfig config = TestConfig();
  config.ports = 6;
  config.shards = 2;
  config.more_addresses = {{.address = "127.0.0.2", .advertised = ""},
                           {.address = "127.0.0.3", .advertised = ""}};
  Media media(config);
  HandLoop other_loop;
  RecordedEvents other_events;
  const auto other = media.server->ForShard(1, other_loop, other_events);
  std::set<std::string> seen;
  for (uint32_t i = 0; i < 3; ++i) {
    for (const auto& sdp : {media.plane->Open(Leg(i), {}),
                            other->Open({.shard = 1, .index = i, .generation = 1}, {})}) {
      ASSERT_TRUE(sdp.ok());
      const size_t at = sdp->find("c=IN IP4 ");
      seen.insert(absl::StrCat(sdp->substr(at + 9, 9), ":", AudioPort(*sdp)));
    }
  }
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_EQ(media.server->Stats().sockets, 12u);
  FarEnd far("127.0.0.2");
  // One of the three legs of our shard is at 127.0.0.2, and hears a far end there.
  for (uint32_t i = 0; i < 3; ++i) {
    ASSERT_TRUE(media.plane->SetRemote(Leg(i), far.Sdp("0")).ok());
    media.plane->Play(Leg(i), call::Prompt::kSilence);
    EXPECT_TRUE(far.Hear().has_value());
    media.plane->Close(Leg(i));
  }
}

TEST(Ports, MuxTakesOneSocketAndSendsReportsOnIt) {
  MediaConfig config = TestConfig();
  config.rtcp = RtcpMode::kMux;
  config.rtcp_interval = absl::Milliseconds(40);
  Media media(config);
  EXPECT_EQ(media.server->Stats().sockets, 4u);
  FarEnd lead, agent;
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  EXPECT_THAT(*offer, HasSubstr(absl::StrCat("a=rtcp:", AudioPort(*offer), "\r\na=rtcp-mux\r\n")));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), absl::StrCat(lead.Sdp("0"), "a=rtcp-mux\r\n")).ok());
  EXPECT_THAT(media.plane->LocalSdp(Leg(1)), HasSubstr("a=rtcp-mux\r\n"));
  const uint16_t agent_port = media.Connect(Leg(2), agent, "0");  // does not agree: no reports
  EXPECT_THAT(media.plane->LocalSdp(Leg(2)), Not(HasSubstr("a=rtcp-mux")));
  media.plane->Bridge(Leg(1), Leg(2));
  bool reported = false;
  const MonoTime start = media.clock.Mono();
  while (!reported && media.clock.Mono() - start < absl::Seconds(20)) {
    agent.Talk(agent_port, 0, Payload(1));
    const auto bytes = lead.HearBytes();
    ASSERT_TRUE(bytes.has_value());
    reported = static_cast<uint8_t>((*bytes)[1]) == 200;
    lead.Talk(AudioPort(*offer), 0, Payload(2));
    EXPECT_EQ(agent.Hear()->payload, Payload(2));  // never a report here
  }
  EXPECT_TRUE(reported);
  // A report of theirs on the RTP port is not audio, and no fault either.
  lead.SendTo(AudioPort(*offer), std::string("\x80\xc8\x00\x06", 4) + std::string(24, 'x'));
  EXPECT_TRUE(media.WaitFor([](const MediaStats& s) { return s.dropped_rtcp == 1; }));
  EXPECT_EQ(media.server->Stats().dropped_payload_type, 0u);
}

TEST(Ports, OffSendsNoReports) {
  MediaConfig config = TestConfig();
  config.rtcp = RtcpMode::kOff;
  config.rtcp_interval = absl::Milliseconds(20);
  Media media(config);
  FarEnd lead, agent;
  const auto offer = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(offer.ok());
  EXPECT_THAT(*offer, Not(HasSubstr("rtcp-mux")));
  ASSERT_TRUE(media.plane->SetRemote(Leg(1), absl::StrCat(lead.Sdp("0"), "a=rtcp-mux\r\n")).ok());
  const uint16_t agent_port = media.Connect(Leg(2), agent);
  media.plane->Bridge(Leg(1), Leg(2));
  const MonoTime start = media.clock.Mono();
  while (media.clock.Mono() - start < absl::Milliseconds(100)) {
    agent.Talk(agent_port, 0, Payload(1));
    ASSERT_TRUE(lead.Hear().has_value());
  }
  EXPECT_EQ(media.server->Stats().sockets, 4u);
}

TEST(Ports, OddPortsAreOursToo) {
  auto free = PortPool::Bind({.addresses = {0x7f000001}, .pairs = 1});
  ASSERT_TRUE(free.ok());
  MediaConfig config = TestConfig();
  config.rtcp = RtcpMode::kOff;
  config.ports = 2;
  config.port_first = free->pairs()[0].rtp_port;
  *free = PortPool();  // another process may be quicker; then there is nothing to see
  MachineClock clock;
  CountingLog log;
  auto server = MediaServer::Start(config, clock, log);
  if (absl::IsUnavailable(server.status())) GTEST_SKIP() << server.status();
  ASSERT_TRUE(server.ok()) << server.status();
  HandLoop loop;
  RecordedEvents events;
  const auto plane = (*server)->ForShard(0, loop, events);
  const auto a = plane->Open(Leg(1), {});
  const auto b = plane->Open(Leg(2), {});
  EXPECT_EQ(AudioPort(*b), AudioPort(*a) + 1);
  EXPECT_TRUE(absl::IsInvalidArgument(plane->SetRemote(Leg(1), *b)));
}

// F26 of the reliability cases: our own SIP port as the place to send audio to.
TEST(Ports, OurSipPortIsNoFarEnd) {
  FarEnd sip, lead;
  MediaConfig config = TestConfig();
  config.refused_ports = {sip.port()};
  Media media(config);
  ASSERT_TRUE(media.plane->Open(Leg(1), {}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(media.plane->SetRemote(Leg(1), sip.Sdp("0"))));
  EXPECT_TRUE(media.plane->SetRemote(Leg(1), lead.Sdp("0")).ok());
}

TEST(Ports, ASocketOnAllAddressesKnowsThemAllAsItsOwn) {
  MediaConfig config = TestConfig();
  config.address = "0.0.0.0";
  config.advertised_address = "127.0.0.9";
  Media media(config);
  const auto a = media.plane->Open(Leg(1), {});
  ASSERT_TRUE(a.ok());
  EXPECT_THAT(*a, HasSubstr("c=IN IP4 127.0.0.9\r\n"));
  ASSERT_TRUE(media.plane->Open(Leg(2), {}).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(
      media.plane->SetRemote(Leg(2), absl::StrReplaceAll(*a, {{"127.0.0.9", "127.0.0.1"}}))));
}

TEST(Ports, ConfigThatCannotWorkIsRefusedWithTheRemedy) {
  MachineClock clock;
  NullLog log;
  auto start = [&](auto change) {
    MediaConfig config = TestConfig();
    change(config);
    return std::string(MediaServer::Start(config, clock, log).status().message());
  };
  EXPECT_THAT(start([](MediaConfig& c) { c.address = "fe80::1"; }), HasSubstr("link-local"));
  EXPECT_THAT(start([](MediaConfig& c) { c.address = "::"; }), HasSubstr("name an address"));
  EXPECT_THAT(start([](MediaConfig& c) { c.address = "ff02::1"; }), HasSubstr("multicast"));
  EXPECT_THAT(start([](MediaConfig& c) { c.advertised_address = "2001:db8::1"; }),
              HasSubstr("same family"));
  EXPECT_THAT(start([](MediaConfig& c) {
                c.more_addresses.push_back({"nowhere", ""});
              }),
              HasSubstr("numeric"));
  EXPECT_THAT(start([](MediaConfig& c) {
                c.port_first = 30'000;
                c.ports = 20'000;
              }),
              HasSubstr("media.rtcp"));
}

TEST(Ports, TheLimitOfDescriptorsIsRaisedOrTheRemedyNamed) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  if (before.rlim_max < 1000) GTEST_SKIP() << "too low a hard limit to try";
  const rlimit low{.rlim_cur = 500, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto raised = EnsureDescriptors(300, /*rtcp_sockets=*/true);
  ASSERT_TRUE(raised.ok()) << raised.status();
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, *raised);
  EXPECT_GE(after.rlim_cur, 1000u);
  const auto again = EnsureDescriptors(300, true);
  EXPECT_TRUE(again.ok());
  const auto huge = EnsureDescriptors(1'000'000'000, true);
  ASSERT_TRUE(absl::IsResourceExhausted(huge.status()));
  EXPECT_THAT(std::string(huge.status().message()), HasSubstr("LimitNOFILE"));
  EXPECT_THAT(std::string(huge.status().message()), HasSubstr("\"mux\""));
  EXPECT_THAT(std::string(EnsureDescriptors(1'000'000'000, false).status().message()),
              Not(HasSubstr("mux")));
  const rlimit restore{.rlim_cur = before.rlim_cur, .rlim_max = after.rlim_max};
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &restore), 0);
}

// Relayed audio needs no oRTP session; a prompt does.
TEST(Ports, SessionsAreMadeForFramesOfOurOwn) {
  Media media(TestConfig());
  FarEnd lead, agent;
  const uint16_t lead_port = media.Connect(Leg(1), lead);
  media.Connect(Leg(2), agent);
  lead.Talk(lead_port, 0, Payload(1));
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.no_peer == 1; }));
  media.plane->Bridge(Leg(1), Leg(2));
  EXPECT_EQ(agent.Hear()->payload, Payload(1));
  EXPECT_EQ(media.server->Stats().sessions, 0u);
  media.plane->Play(Leg(1), call::Prompt::kSilence);
  ASSERT_TRUE(lead.Hear().has_value());
  EXPECT_EQ(media.server->Stats().sessions, 1u);
  media.plane->Close(Leg(1));
  media.loop.Advance(absl::Milliseconds(20));  // closing wakes nobody at once
  ASSERT_TRUE(media.WaitFor([](const MediaStats& s) { return s.legs == 1; }));
  EXPECT_EQ(media.server->Stats().sessions, 0u);
}

}  // namespace
}  // namespace outpace::media
