// SIP over TLS to a trunk: which certificates are taken, and that nothing leaves before one is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/sip/sip_tls.h"
#include "tests/engine/sip/shard_under_test.h"
#include "tests/engine/sip/stream_far_end.h"
#include "tests/engine/sip/test_certificates.h"

namespace outpace::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kSdp[] = "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";
constexpr char kName[] = "sip.carrier.example";

class TlsTest : public ::testing::Test {
 protected:
  TlsTest()
      : ours_(authority_.Issue({.common_name = "us", .alternative_names = "IP:127.0.0.1"})),
        right_(authority_.Issue({.alternative_names = absl::StrCat("DNS:", kName)})) {}

  SofiaConfig Config() {
    SofiaConfig config = ShardUnderTest::Config();
    SipTrunk trunk;
    trunk.name = "carrier";
    trunk.addresses = {"127.0.0.1"};
    trunk.transport = Transport::kTls;
    trunk.tls_name = kName;
    config.peers = {};
    config.trunks = {trunk};
    config.tls_certificate_file = ours_.certificate_file;
    config.tls_private_key_file = ours_.key_file;
    config.tls_ca_file = authority_.file();
    config.streams.connect_max = absl::Seconds(10);  // of a slow machine
    return config;
  }
  // Opens the shard and the far end with `context`.
  void Open(SslContext context, const SofiaConfig& config) {
    context_ = std::move(context);
    far_ = std::make_unique<StreamFarEnd>(context_.get());
    shard_ = std::make_unique<ShardUnderTest>(config);
    ASSERT_TRUE(shard_->status.ok()) << shard_->status;
    shard_->Do([this](SofiaSignaling& s) { port_ = s.local_port(Transport::kTls); });
    ASSERT_GT(port_, 0);
  }
  void Open(SslContext context) { Open(std::move(context), Config()); }
  void Invite(uint32_t index = 1) {
    call::InviteRequest request = RequestTo(far_->Uri(), far_->User(), index);
    request.trunk = 0;
    ASSERT_TRUE(shard_->Invite(request).ok());
    trunk_ = far_->Accept();
    ASSERT_NE(trunk_, nullptr);
  }
  // The far end's certificate does: an INVITE comes.
  void ExpectTaken(SslContext context) {
    Open(std::move(context));
    Invite();
    EXPECT_TRUE(trunk_->ReceiveRequest("INVITE").valid);
  }
  // It does not: the call fails here, and no SIP has left.
  void ExpectRefused(SslContext context) {
    Open(std::move(context));
    Invite();
    EXPECT_EQ(trunk_->ReceiveOctets(1), "");
    const Event failure = shard_->events.NextFinal();
    EXPECT_EQ(failure.failure.status, 503);
    EXPECT_TRUE(failure.failure.local);
    EXPECT_EQ(shard_->counters().streams.tls_failed, 1u);
  }

  TestAuthority authority_;
  const TestAuthority::Issued ours_, right_;
  SslContext context_;
  std::unique_ptr<StreamFarEnd> far_;
  std::unique_ptr<StreamConnection> trunk_;
  std::unique_ptr<ShardUnderTest> shard_;
  int port_ = 0;
};

// ---- which certificates ----

TEST_F(TlsTest, TheRightNameIsTakenAndACallStaysOnItsConnection) {
  Open(ServerContext(right_));
  Invite();
  const WireMessage invite = trunk_->ReceiveRequest("INVITE");
  ASSERT_TRUE(invite.valid);
  EXPECT_STREQ(SSL_get_servername(trunk_->tls(), TLSEXT_NAMETYPE_host_name), kName);
  EXPECT_GE(SSL_version(trunk_->tls()), TLS1_2_VERSION);
  EXPECT_THAT(invite.Header("Via"), StartsWith(absl::StrCat("SIP/2.0/TLS 127.0.0.1:", port_)));
  EXPECT_EQ(invite.Header("Contact"),
            absl::StrCat("<sip:outpace@127.0.0.1:", port_, ";transport=tls>"));
  trunk_->Answer(invite, {180, "Ringing", "far", {}, ""});
  trunk_->Answer(invite, {200, "OK", "far", {"Contact: <sip:far@127.0.0.1:5060>"}, kSdp});
  const Event answer = shard_->events.NextFinal();
  ASSERT_EQ(answer.kind, "answer");
  EXPECT_EQ(answer.dialog.next_hop, far_->Uri());
  shard_->Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  EXPECT_TRUE(trunk_->ReceiveRequest("ACK").valid);
  shard_->Do([](SofiaSignaling& s) { s.Bye(Leg1(), 16); });
  const WireMessage bye = trunk_->ReceiveRequest("BYE");
  ASSERT_TRUE(bye.valid);
  EXPECT_THAT(bye.Header("Via"), StartsWith("SIP/2.0/TLS"));
  trunk_->Answer(bye, {});
  EXPECT_EQ(shard_->events.Next().kind, "bye_done");
  EXPECT_TRUE(far_->Quiet(0));
}

TEST_F(TlsTest, Tls12IsEnough) { ExpectTaken(ServerContext(right_, TLS1_2_VERSION)); }
TEST_F(TlsTest, Tls11IsNot) { ExpectRefused(ServerContext(right_, TLS1_1_VERSION)); }

TEST_F(TlsTest, AnotherNameIsRefused) {
  ExpectRefused(ServerContext(authority_.Issue({.alternative_names = "DNS:other.example"})));
}
TEST_F(TlsTest, AWildcardIsRefused) {  // RFC 5922 7.2
  ExpectRefused(ServerContext(authority_.Issue({.alternative_names = "DNS:*.carrier.example"})));
}
TEST_F(TlsTest, OnlyTheAddressIsRefusedWhereANameIsSet) {
  ExpectRefused(ServerContext(authority_.Issue({.alternative_names = "IP:127.0.0.1"})));
}
TEST_F(TlsTest, AnExpiredOneIsRefused) {
  ExpectRefused(ServerContext(authority_.Issue({.alternative_names = absl::StrCat("DNS:", kName),
                                                .starts_seconds = -7'200,
                                                .ends_seconds = -3'600})));
}
TEST_F(TlsTest, OneOfTomorrowIsRefused) {
  ExpectRefused(ServerContext(authority_.Issue({.alternative_names = absl::StrCat("DNS:", kName),
                                                .starts_seconds = 3'600,
                                                .ends_seconds = 7'200})));
}
TEST_F(TlsTest, AnUnknownAuthorityIsRefused) {
  TestAuthority other;
  ExpectRefused(ServerContext(other.Issue({.alternative_names = absl::StrCat("DNS:", kName)})));
}
TEST_F(TlsTest, WithoutAFileTheSystemsAuthoritiesCount) {
  SofiaConfig config = Config();
  config.tls_ca_file.clear();  // the test's authority is none of them
  Open(ServerContext(right_), config);
  Invite();
  EXPECT_EQ(trunk_->ReceiveOctets(1), "");
  EXPECT_EQ(shard_->events.NextFinal().failure.status, 503);
}

TEST_F(TlsTest, WithoutANameTheAddressMustBeThere) {
  SofiaConfig config = Config();
  config.trunks[0].tls_name.clear();
  Open(ServerContext(authority_.Issue({.alternative_names = "IP:127.0.0.1"})), config);
  Invite();
  EXPECT_TRUE(trunk_->ReceiveRequest("INVITE").valid);
  EXPECT_EQ(SSL_get_servername(trunk_->tls(), TLSEXT_NAMETYPE_host_name), nullptr);
}

TEST_F(TlsTest, AnAddressOfTwoTrunksMustCarryBothNames) {
  SofiaConfig config = Config();
  config.trunks.push_back(config.trunks[0]);
  config.trunks[1].tls_name = "sip.second.example";
  Open(ServerContext(right_), config);
  Invite();
  EXPECT_EQ(trunk_->ReceiveOctets(1), "");
  EXPECT_EQ(shard_->events.NextFinal().failure.status, 503);
}

TEST_F(TlsTest, AfterARefusalTheNextCallTriesAgain) {
  ExpectRefused(ServerContext(authority_.Issue({.alternative_names = "DNS:other.example"})));
  OUTPACE_CHECK(
      SSL_CTX_use_certificate_chain_file(context_.get(), right_.certificate_file.c_str()) == 1 &&
      SSL_CTX_use_PrivateKey_file(context_.get(), right_.key_file.c_str(), SSL_FILETYPE_PEM) == 1);
  Invite(2);
  EXPECT_TRUE(trunk_->ReceiveRequest("INVITE").valid);
}

TEST_F(TlsTest, OursIsShownWhenTheTrunkAsks) {
  Open(ServerContext(right_, 0, authority_.file()));
  Invite();
  EXPECT_TRUE(trunk_->ReceiveRequest("INVITE").valid);
}

TEST_F(TlsTest, UnusableFilesAreNamed) {
  SofiaConfig config = Config();
  config.tls_private_key_file = right_.key_file;  // of another certificate
  EXPECT_THAT(std::string(ShardUnderTest(config).status.message()), HasSubstr(right_.key_file));
  config = Config();
  config.tls_ca_file = "/nonexistent/ca.pem";
  EXPECT_EQ(ShardUnderTest(config).status.code(), absl::StatusCode::kInvalidArgument);
}

// ---- connections ----

TEST_F(TlsTest, ARefusedConnectionIsALocal503WithoutAHandshake) {
  Open(ServerContext(right_));
  call::InviteRequest request = RequestTo(far_->Uri(), far_->User());
  far_->StopListening();
  ASSERT_TRUE(shard_->Invite(request).ok());
  const Event failure = shard_->events.NextFinal();
  EXPECT_EQ(failure.failure.status, 503);
  EXPECT_TRUE(failure.failure.local);
  EXPECT_EQ(shard_->counters().streams.tls_failed, 0u);
}

TEST_F(TlsTest, AFarEndThatStallsTheHandshakeIsNotWaitedFor) {
  SofiaConfig config = Config();
  config.streams.connect_max = absl::Milliseconds(300);
  Open(ServerContext(right_), config);
  Invite();  // the connection is accepted, and nothing said
  const Event failure = shard_->events.NextFinal();
  EXPECT_EQ(failure.failure.status, 503);
  EXPECT_TRUE(failure.failure.local);
  EXPECT_TRUE(trunk_->Ended());
  EXPECT_EQ(shard_->counters().streams.timed_out, 1u);
}

TEST_F(TlsTest, ACallerThatStallsTheHandshakeIsNotWaitedFor) {
  SofiaConfig config = Config();
  config.streams.message_max = absl::Milliseconds(300);
  Open(ServerContext(right_), config);
  const auto silent = ConnectTo(port_);
  ASSERT_NE(silent, nullptr);
  EXPECT_TRUE(silent->Ended());
  const auto half = ConnectTo(port_);
  ASSERT_NE(half, nullptr);
  ASSERT_TRUE(half->Send("\x16\x03\x01\x02"));
  EXPECT_TRUE(half->Ended());
  EXPECT_EQ(shard_->counters().streams.timed_out, 2u);
  const auto plain = ConnectTo(port_);  // SIP where TLS is spoken
  ASSERT_NE(plain, nullptr);
  plain->Send("OPTIONS sip:outpace@127.0.0.1 SIP/2.0\r\n\r\n");
  EXPECT_TRUE(plain->Ended());
}

TEST_F(TlsTest, BrokenConnectionsDoNotTakeTheStackAlong) {
  Open(ServerContext(right_));
  for (uint32_t i = 1; i <= 6; ++i) {
    Invite(i);
    const WireMessage invite = trunk_->ReceiveRequest("INVITE");
    ASSERT_TRUE(invite.valid);
    if (i % 3 == 1) {
      trunk_->Answer(invite, {180, "Ringing", "far", {}, ""});
      EXPECT_EQ(shard_->events.Next().status, 180);
    }
    if (i % 3 == 2) SSL_shutdown(trunk_->tls());
    if (i % 2 == 0) {
      trunk_->Close();
    } else {
      trunk_->Reset();
    }
    const Event failure = shard_->events.NextFinal();
    EXPECT_EQ(failure.failure.status, 503);
    EXPECT_TRUE(failure.failure.local);
    shard_->Do([i](SofiaSignaling& s) { s.Forget(Leg1(i)); });
  }
  Invite(7);
  const WireMessage invite = trunk_->ReceiveRequest("INVITE");
  trunk_->Answer(invite, {200, "OK", "far", {far_->Contact()}, kSdp});
  EXPECT_EQ(shard_->events.NextFinal().kind, "answer");
  shard_->Do([](SofiaSignaling& s) { s.Ack(Leg1(7)); });
  ASSERT_TRUE(trunk_->ReceiveRequest("ACK").valid);
  trunk_->Reset();
  shard_->Do([](SofiaSignaling& s) { s.Bye(Leg1(7), 16); });
  trunk_ = far_->Accept();
  ASSERT_NE(trunk_, nullptr);
  const WireMessage bye = trunk_->ReceiveRequest("BYE");
  ASSERT_TRUE(bye.valid);
  trunk_->Answer(bye, {});
  EXPECT_EQ(shard_->events.Next().kind, "bye_done");
}

TEST_F(TlsTest, AFarEndThatReadsLateGetsEverything) {
  Open(ServerContext(right_));
  // More than the kernel holds: what is left waits in the stack, in the middle of a message.
  constexpr uint32_t kCalls = 600;
  const std::string offer = absl::StrCat("v=0\r\n", std::string(30'000, 'x'));
  shard_->Do([&](SofiaSignaling& s) {
    for (uint32_t i = 1; i <= kCalls; ++i) {
      call::InviteRequest request = RequestTo(far_->Uri(), far_->User(), i);
      request.sdp_offer = offer;
      ASSERT_TRUE(s.Invite(request).ok());
    }
  });
  trunk_ = far_->Accept();
  ASSERT_NE(trunk_, nullptr);
  EXPECT_TRUE(far_->Quiet(100));
  for (uint32_t i = 1; i <= kCalls; ++i) {
    const WireMessage invite = trunk_->ReceiveRequest("INVITE");
    ASSERT_EQ(invite.body, offer) << i;
    trunk_->Answer(invite, {486, "Busy Here", "far", {}, ""});
  }
  for (uint32_t i = 1; i <= kCalls; ++i) ASSERT_EQ(shard_->events.NextFinal().status, 486);
  EXPECT_TRUE(far_->Quiet(0));
}

TEST_F(TlsTest, TheFarEndMayConnectToUs) {
  Open(ServerContext(right_));
  Invite();
  const WireMessage invite = trunk_->ReceiveRequest("INVITE");
  trunk_->Answer(invite, {200, "OK", "far", {far_->Contact()}, kSdp});
  EXPECT_EQ(shard_->events.NextFinal().kind, "answer");
  shard_->Do([](SofiaSignaling& s) { s.Ack(Leg1()); });
  const SslContext client = ClientContext();
  const auto theirs = ConnectTo(port_, client.get());
  ASSERT_NE(theirs, nullptr);
  ASSERT_TRUE(theirs->Send(absl::StrCat(
      "BYE sip:outpace@127.0.0.1:", port_, ";transport=tls SIP/2.0\r\nVia: SIP/2.0/TLS ",
      far_->HostPort(), ";branch=z9hG4bKbye\r\nMax-Forwards: 70\r\nFrom: ", invite.Header("To"),
      ";tag=far\r\nTo: ", invite.Header("From"), "\r\nCall-ID: ", invite.Header("Call-ID"),
      "\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n")));
  EXPECT_EQ(theirs->ReceiveResponse("BYE").Status(), 200);
  EXPECT_EQ(shard_->events.Next().kind, "bye");
}

TEST_F(TlsTest, WhoConnectsToUsMustShowACertificateWhereThatIsSet) {
  SofiaConfig config = Config();
  config.tls_clients_show_certificates = true;
  Open(ServerContext(right_), config);
  const std::string ping = "\r\n\r\n";
  const SslContext none = ClientContext();
  auto theirs = ConnectTo(port_, none.get());
  theirs->Send(ping);
  EXPECT_EQ(theirs->ReceiveOctets(2), "");
  const TestAuthority::Issued other = authority_.Issue({.alternative_names = "DNS:other.example"});
  const SslContext wrong = ClientContext(&other);
  theirs = ConnectTo(port_, wrong.get());
  theirs->Send(ping);
  EXPECT_EQ(theirs->ReceiveOctets(2), "");
  const SslContext right = ClientContext(&right_);
  theirs = ConnectTo(port_, right.get());
  theirs->Send(ping);
  EXPECT_EQ(theirs->ReceiveOctets(2), "\r\n");
  EXPECT_EQ(shard_->counters().streams.tls_failed, 2u);
}

TEST_F(TlsTest, WithoutACertificateNobodyConnectsToUs) {
  SofiaConfig config = Config();
  config.tls_certificate_file.clear();
  config.tls_private_key_file.clear();
  Open(ServerContext(right_), config);
  const SslContext client = ClientContext();
  const auto theirs = ConnectTo(port_, client.get());
  if (theirs != nullptr) {
    EXPECT_FALSE(theirs->Handshake());
  }
  Invite();  // but we call
  EXPECT_TRUE(trunk_->ReceiveRequest("INVITE").valid);
}

TEST_F(TlsTest, KeepAlivesAreNoHalfMessage) {
  SofiaConfig config = Config();
  config.streams.message_max = absl::Milliseconds(300);
  Open(ServerContext(right_), config);
  Invite();
  const WireMessage invite = trunk_->ReceiveRequest("INVITE");
  ASSERT_TRUE(trunk_->Send("\r\n\r\n"));
  EXPECT_EQ(trunk_->ReceiveOctets(2), "\r\n");
  ASSERT_TRUE(trunk_->Send("\r\n"));
  EXPECT_TRUE(far_->Quiet(600));
  trunk_->Answer(invite, {486, "Busy Here", "far", {}, ""});
  EXPECT_EQ(shard_->events.NextFinal().status, 486);
}

TEST_F(TlsTest, ConnectSendResetLeavesNothing) {
  Open(ServerContext(right_));
  const SslContext client = ClientContext();
  for (int i = 0; i < 100; ++i) {
    const auto theirs = ConnectTo(port_, client.get());
    if (theirs == nullptr) continue;
    if (i % 3 != 0) theirs->Send("INVITE sip:half");
    theirs->Reset();
  }
  bool none = false;
  const MonoTime end = shard_->clock.Mono() + absl::Seconds(10);
  while (!none && shard_->clock.Mono() < end) {
    shard_->Do([&](SofiaSignaling& s) { none = s.stream_connections() == 0; });
  }
  EXPECT_TRUE(none);
}

// ---- names ----

class CertificateNames : public ::testing::Test {
 protected:
  bool IsFor(const CertificateOf& of, absl::string_view name) {
    const TestAuthority::Issued issued = authority_.Issue(of);
    std::FILE* file = std::fopen(issued.certificate_file.c_str(), "r");
    X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
    std::fclose(file);
    const bool result = CertificateIsFor(certificate, name);
    X509_free(certificate);
    return result;
  }
  TestAuthority authority_;
};

TEST_F(CertificateNames, FollowRfc5922) {
  EXPECT_TRUE(IsFor({.alternative_names = "DNS:a.example,DNS:Sip.Example"}, "sip.EXAMPLE"));
  EXPECT_TRUE(IsFor({.alternative_names = "URI:sip:sip.example"}, "sip.example"));
  EXPECT_FALSE(IsFor({.alternative_names = "URI:sip:alice@sip.example"}, "sip.example"));
  EXPECT_FALSE(IsFor({.alternative_names = "URI:https://sip.example"}, "sip.example"));
  EXPECT_FALSE(IsFor({.alternative_names = "DNS:*.example"}, "sip.example"));
  EXPECT_FALSE(IsFor({.alternative_names = "DNS:sip.example.evil"}, "sip.example"));
  // The common name counts only where there is no subjectAltName.
  EXPECT_TRUE(IsFor({.common_name = "sip.example"}, "sip.example"));
  EXPECT_FALSE(
      IsFor({.common_name = "sip.example", .alternative_names = "DNS:b.example"}, "sip.example"));
  EXPECT_TRUE(IsFor({.alternative_names = "IP:2001:db8::1"}, "2001:db8::1"));
  EXPECT_TRUE(IsFor({.alternative_names = "IP:192.0.2.1"}, "192.0.2.1"));
  EXPECT_FALSE(IsFor({.alternative_names = "IP:192.0.2.1"}, "192.0.2.2"));
  EXPECT_FALSE(
      IsFor({.common_name = "192.0.2.1", .alternative_names = "DNS:192.0.2.1"}, "192.0.2.1"));
  EXPECT_FALSE(IsFor({.common_name = "192.0.2.1"}, "192.0.2.1"));
  EXPECT_FALSE(IsFor({}, ""));
}

}  // namespace
}  // namespace outpace::sip
