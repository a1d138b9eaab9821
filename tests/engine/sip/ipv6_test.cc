// SIP on the IPv6 loopback, over each transport: brackets where they belong, sources checked.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/engine/sip/shard_under_test.h"
#include "tests/engine/sip/stream_far_end.h"
#include "tests/engine/sip/test_certificates.h"

namespace outpace::sip {
namespace {

using ::testing::StartsWith;

constexpr char kSdp[] = "v=0\r\no=far 1 1 IN IP6 ::1\r\ns=-\r\n";

SofiaConfig Config(Transport transport) {
  SofiaConfig config = ShardUnderTest::Config();
  config.bind_address = "::1";
  SipTrunk trunk;
  trunk.name = "carrier";
  trunk.addresses = {"0:0:0:0:0:0:0:1"};  // any way to write it
  trunk.transport = transport;
  config.peers = {};
  config.trunks = {trunk};
  config.streams.connect_max = absl::Seconds(10);  // of a slow machine
  return config;
}

call::InviteRequest RequestOver(const std::string& hop, const std::string& user) {
  call::InviteRequest request = RequestTo(hop, user);
  request.trunk = 0;
  request.from_uri = "sip:+12025550199@[2001:db8::1]";
  return request;
}

int Port(ShardUnderTest& shard, Transport transport) {
  int port = 0;
  shard.Do([&](SofiaSignaling& s) { port = s.local_port(transport); });
  return port;
}

TEST(Ipv6, ACallOverUdp) {
  FarEnd far("::1");
  ShardUnderTest shard(Config(Transport::kUdp));
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  ASSERT_TRUE(shard.Invite(RequestOver(far.Uri(), far.User())).ok());
  const WireMessage invite = far.ReceiveRequest("INVITE");
  ASSERT_TRUE(invite.valid);
  EXPECT_THAT(invite.Header("Via"), StartsWith(absl::StrCat("SIP/2.0/UDP [::1]:", shard.port())));
  EXPECT_EQ(invite.Header("Contact"), absl::StrCat("<sip:outpace@[::1]:", shard.port(), ">"));
  far.Answer(invite, {200, "OK", "far", {far.Contact()}, kSdp});
  const Event answer = shard.events.NextFinal();
  ASSERT_EQ(answer.kind, "answer");
  EXPECT_EQ(answer.dialog.next_hop, far.Uri());
  EXPECT_EQ(answer.dialog.remote_target, absl::StrCat("sip:far@[::1]:", far.port()));
  shard.Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_TRUE(far.ReceiveRequest("ACK").valid);
  far.Request(invite, "INFO", 1);
  EXPECT_EQ(far.ReceiveResponse("INFO").Status(), 200);
  shard.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage bye = far.ReceiveRequest("BYE");
  ASSERT_TRUE(bye.valid);
  far.Answer(bye, {});
  EXPECT_EQ(shard.events.Next().kind, "bye_done");
}

TEST(Ipv6, StrangersAreNotServed) {
  FarEnd far("::1");
  SofiaConfig config = Config(Transport::kTcp);
  config.trunks[0].addresses = {"2001:db8::7"};
  ShardUnderTest shard(config);
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  const auto stranger = ConnectTo(Port(shard, Transport::kTcp), nullptr, "::1");
  if (stranger != nullptr) {
    EXPECT_TRUE(stranger->Ended());
  }
  far.Send(absl::StrCat("OPTIONS sip:outpace@[::1] SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:", far.port(),
                        ";branch=z9hG4bKs\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n",
                        "Call-ID: s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"),
           shard.port());
  EXPECT_TRUE(far.Quiet(200));
  shard.Do([](SofiaSignaling& s) { s.AddPeer("::1"); });
  far.Send(absl::StrCat("OPTIONS sip:outpace@[::1] SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:", far.port(),
                        ";branch=z9hG4bKp\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n",
                        "Call-ID: p\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"),
           shard.port());
  EXPECT_EQ(far.ReceiveResponse("OPTIONS").Status(), 200);
}

// One call over a stream; `far` is IPv6.
void CallOver(ShardUnderTest& shard, StreamFarEnd& far, Transport transport) {
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  const int port = Port(shard, transport);
  ASSERT_TRUE(shard.Invite(RequestOver(far.Uri(), far.User())).ok());
  const auto trunk = far.Accept();
  ASSERT_NE(trunk, nullptr);
  const WireMessage invite = trunk->ReceiveRequest("INVITE");
  ASSERT_TRUE(invite.valid);
  EXPECT_EQ(invite.Header("Contact"), absl::StrCat("<sip:outpace@[::1]:", port,
                                                   ";transport=", TransportName(transport), ">"));
  trunk->Answer(invite, {200, "OK", "far", {far.Contact()}, kSdp});
  const Event answer = shard.events.NextFinal();
  ASSERT_EQ(answer.kind, "answer");
  EXPECT_EQ(answer.dialog.next_hop, far.Uri());
  shard.Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  EXPECT_TRUE(trunk->ReceiveRequest("ACK").valid);
  const WireMessage bye = trunk->ReceiveRequest("BYE");
  ASSERT_TRUE(bye.valid);
  trunk->Answer(bye, {});
  EXPECT_EQ(shard.events.Next().kind, "bye_done");
  EXPECT_TRUE(far.Quiet(0));
}

TEST(Ipv6, ACallOverTcp) {
  StreamFarEnd far(nullptr, "::1");
  ShardUnderTest shard(Config(Transport::kTcp));
  CallOver(shard, far, Transport::kTcp);
}

TEST(Ipv6, ACallOverTls) {
  TestAuthority authority;
  const TestAuthority::Issued ours = authority.Issue({.alternative_names = "IP:::1"});
  const SslContext context = ServerContext(authority.Issue({.alternative_names = "IP:::1"}));
  StreamFarEnd far(context.get(), "::1");
  SofiaConfig config = Config(Transport::kTls);  // no name: the address
  config.tls_certificate_file = ours.certificate_file;
  config.tls_private_key_file = ours.key_file;
  config.tls_ca_file = authority.file();
  ShardUnderTest shard(config);
  CallOver(shard, far, Transport::kTls);
}

TEST(Ipv6, NextHopsOfTheOtherFamilyAreRefused) {
  ShardUnderTest shard(Config(Transport::kUdp));
  ASSERT_TRUE(shard.status.ok()) << shard.status;
  EXPECT_EQ(shard.Invite(RequestOver("sip:127.0.0.1:5060", "sip:x@127.0.0.1")).code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace outpace::sip
