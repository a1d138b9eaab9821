#include "engine/sip/sip_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "engine/base/rng.h"
#include "engine/sip/peer_set.h"

namespace outpace::sip {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSdp[] = "v=0\r\ns=-\r\n";

TEST(SipUri, TakesApartWhatDecidesTheRoute) {
  const SipUri uri = ParseSipUri("SIP:+12025550100;cic=1@192.0.2.10:5070;lr;Transport=UDP").value();
  EXPECT_EQ(uri.scheme, "sip");
  EXPECT_EQ(uri.host, "192.0.2.10");
  EXPECT_EQ(uri.port, 5070);
  EXPECT_TRUE(uri.HasParam("LR"));
  EXPECT_EQ(uri.Param("transport"), "UDP");
  EXPECT_FALSE(uri.HasParam("cic"));  // of the user part
  EXPECT_EQ(ParseSipUri("sip:[2001:db8::1]:5061")->host, "2001:db8::1");
  EXPECT_EQ(ParseSipUri("sip:[2001:db8::1]")->port, 0);
  EXPECT_EQ(ParseSipUri("sip:a@host.example?subject=x")->host, "host.example");
}

TEST(SipUri, RefusesWhatCouldBreakOutOfAHeader) {
  for (const char* bad :
       {"", "sip:", "tel:+12025550100", "12025550100", "sip:a@", "sip:a@h:0", "sip:a@h:65536",
        "sip:a@h:5060x", "sip:a@h:-1", "sip:a@h\r\nX: y", "sip:a@h>", "sip:a@h b", "sip:a@b@c",
        "sip:[2001:db8::1", "sip:[::1]x", "sip:a@h\x01", "sip:a@h\xff", "sip:a@h:99999999999999"}) {
    const absl::StatusOr<SipUri> uri = ParseSipUri(bad);
    EXPECT_EQ(uri.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(uri.status().message()), Not(HasSubstr("2025550100")));
  }
  EXPECT_FALSE(ParseSipUri("sip:" + std::string(2'000, 'a')).ok());
}

TEST(NumericHop, TakesNumbersOnly) {
  EXPECT_EQ(NumericHop("sip:192.0.2.10:5062").value(), "sip:192.0.2.10:5062");
  EXPECT_EQ(NumericHop("sip:192.0.2.10").value(), "sip:192.0.2.10:5060");
  EXPECT_EQ(NumericHop("sip:192.0.2.10;transport=UDP").value(), "sip:192.0.2.10:5060");
  EXPECT_EQ(NumericHop("sip:[2001:db8::1]").value(), "sip:[2001:db8::1]:5060");
  for (const char* bad : {"sip:carrier.example", "sip:localhost:5060", "sip:1.2.3",
                          "sip:192.0.2.10;maddr=evil.example", "sip:192.0.2.10;transport=sctp",
                          "sips:192.0.2.10;transport=udp", "sip:0x7f000001", "sip:127.1"}) {
    EXPECT_EQ(NumericHop(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(NumericHop, KeepsTheTransport) {
  EXPECT_EQ(NumericHop("sip:192.0.2.10;transport=TCP").value(),
            "sip:192.0.2.10:5060;transport=tcp");
  EXPECT_EQ(NumericHop("sip:[2001:DB8::1]:5071;lr;transport=tls").value(),
            "sip:[2001:db8::1]:5071;transport=tls");
  for (const char* secure :
       {"sips:192.0.2.10", "sips:192.0.2.10;transport=tcp", "sip:192.0.2.10;transport=tls"}) {
    EXPECT_EQ(NumericHop(secure).value(), "sip:192.0.2.10:5061;transport=tls") << secure;
  }
}

TEST(PeerSet, ForgetsTheLearnedPeerNotUsedForLongest) {
  PeerSet peers(2);
  ASSERT_TRUE(peers.Configure("192.0.2.1").ok());
  EXPECT_EQ(peers.Configure("carrier.example").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(peers.Learn("192.0.2.1"));
  EXPECT_FALSE(peers.Learn("phone.example"));
  EXPECT_TRUE(peers.Learn("10.0.0.1"));
  EXPECT_TRUE(peers.Learn("10.0.0.2"));
  EXPECT_FALSE(peers.Learn("10.0.0.1"));  // used again
  EXPECT_TRUE(peers.Learn("2001:DB8::1"));
  EXPECT_TRUE(peers.Contains("192.0.2.1"));
  EXPECT_TRUE(peers.Contains("10.0.0.1"));
  EXPECT_FALSE(peers.Contains("10.0.0.2"));
  EXPECT_TRUE(peers.Contains("2001:db8:0::1"));
  EXPECT_FALSE(peers.Contains(""));
  EXPECT_THAT(peers.Ipv4(), ::testing::ElementsAre(0xc0000201u, 0x0a000001u));
}

TEST(Tokens, FollowTheGrammar) {
  EXPECT_TRUE(IsToken("z9hG4bK-a.b~c"));
  EXPECT_FALSE(IsToken(""));
  EXPECT_FALSE(IsToken("a;b"));
  EXPECT_FALSE(IsToken("a\r\nb"));
  EXPECT_TRUE(IsCallId("op-1-ab@host.example"));
  EXPECT_FALSE(IsCallId("@host"));
  EXPECT_FALSE(IsCallId("a b"));
}

TEST(Q850, OnlyCausesOfThatProtocolInRange) {
  EXPECT_EQ(Q850Cause("Q.850", "17"), 17);
  EXPECT_EQ(Q850Cause("q.850", "127"), 127);
  for (const char* cause : {"", "0", "128", "-1", "99999999999999999999", "17x", " 17", "+17"}) {
    EXPECT_EQ(Q850Cause("Q.850", cause), 0) << cause;
  }
  EXPECT_EQ(Q850Cause("SIP", "17"), 0);
}

TEST(RetryAfter, IsClampedToFiveMinutes) {
  EXPECT_EQ(ClampRetryAfter(0), absl::ZeroDuration());
  EXPECT_EQ(ClampRetryAfter(120), absl::Seconds(120));
  EXPECT_EQ(ClampRetryAfter(301), absl::Seconds(300));
  EXPECT_EQ(ClampRetryAfter(~uint64_t{0}), absl::Seconds(300));
}

TEST(SdpOf, FindsTheSdpAlsoInsideMultipart) {
  EXPECT_EQ(SdpOf("application/sdp", kSdp), kSdp);
  EXPECT_EQ(SdpOf("Application/SDP;charset=utf-8", kSdp), kSdp);
  EXPECT_EQ(SdpOf("", kSdp), kSdp);
  EXPECT_EQ(SdpOf("", "hello"), "");
  EXPECT_EQ(SdpOf("application/isup", kSdp), "");
  const std::string body =
      "preamble\r\n--b1\r\nContent-Type: application/isup\r\n\r\nxx\r\n"
      "--b1\r\ncontent-type:application/sdp\r\nX: y\r\n\r\nv=0\r\ns=-\r\n--b1--\r\n";
  EXPECT_EQ(SdpOf("multipart/mixed;boundary=\"b1\"", body), kSdp);
  EXPECT_EQ(SdpOf("multipart/mixed; boundary=b1", body), kSdp);
  EXPECT_EQ(SdpOf("multipart/mixed", body), "");
  EXPECT_EQ(SdpOf("multipart/mixed;boundary=b2", body), "");
  EXPECT_EQ(SdpOf("multipart/mixed;boundary=b1", "--b1\r\nContent-Type: application/sdp\r\n\r\nv="),
            "");  // no end: cut off
}

TEST(SdpOf, SurvivesRandomBodies) {
  Rng rng(7);
  const std::string pieces[] = {
      "--b", "\r\n", "\n", "Content-Type: application/sdp", "v=0", "--", ":", "", "b", "\"", ";"};
  for (int i = 0; i < 20'000; ++i) {
    std::string body;
    for (uint64_t n = rng.Below(12); n > 0; --n) body += pieces[rng.Below(std::size(pieces))];
    const absl::string_view sdp = SdpOf("multipart/mixed;boundary=b", body);
    EXPECT_TRUE(sdp.empty() || absl::StrContains(body, sdp));
  }
}

class RouteInDialogTest : public ::testing::Test {
 protected:
  RouteInDialogTest() {
    dialog_.to_uri = "sip:+12025550100@192.0.2.10";
    dialog_.remote_target = "sip:gw@192.0.2.11:5080";
    dialog_.next_hop = "sip:192.0.2.10:5060";
  }
  DialogRoute Route() {
    return RouteInDialog(dialog_, [](absl::string_view host) {
      return host == "192.0.2.10" || host == "192.0.2.11";
    });
  }
  call::DialogState dialog_;
};

TEST_F(RouteInDialogTest, GoesToAContactThatIsAPeer) {
  EXPECT_EQ(Route().request_uri, "sip:gw@192.0.2.11:5080");
  EXPECT_EQ(Route().hop, "sip:192.0.2.11:5080");
  EXPECT_EQ(Route().route_header, "");
}

TEST_F(RouteInDialogTest, AContactElsewhereGoesThroughTheNextHop) {
  for (const char* target :
       {"sip:gw@198.51.100.66:9", "sip:gw@sbc.example", "sips:gw@192.0.2.11",
        "sip:gw@192.0.2.11;maddr=198.51.100.66", "sip:gw@192.0.2.11;transport=tcp"}) {
    dialog_.remote_target = target;
    EXPECT_EQ(Route().request_uri, target);
    EXPECT_EQ(Route().hop, "sip:192.0.2.10:5060") << target;
  }
}

TEST_F(RouteInDialogTest, KeepsTheTransportOfTheInvite) {
  dialog_.next_hop = "sip:192.0.2.10:5061;transport=tls";
  for (const char* target :
       {"sip:gw@192.0.2.11:5060", "sip:gw@192.0.2.11:5060;transport=tcp", "sip:gw@192.0.2.11"}) {
    dialog_.remote_target = target;
    EXPECT_EQ(Route().hop, dialog_.next_hop) << target;
  }
  dialog_.remote_target = "sip:gw@192.0.2.11:5081;transport=TLS";
  EXPECT_EQ(Route().hop, "sip:192.0.2.11:5081;transport=tls");
  dialog_.remote_target = "sips:gw@192.0.2.11";
  EXPECT_EQ(Route().hop, "sip:192.0.2.11:5061;transport=tls");
}

TEST_F(RouteInDialogTest, LooseRoutesStayARouteHeader) {
  dialog_.route_set = {"sip:192.0.2.11:5099;lr", "sip:p2.example;lr"};
  EXPECT_EQ(Route().request_uri, "sip:gw@192.0.2.11:5080");
  EXPECT_EQ(Route().route_header, "<sip:192.0.2.11:5099;lr>, <sip:p2.example;lr>");
  EXPECT_EQ(Route().hop, "sip:192.0.2.11:5099");
}

TEST_F(RouteInDialogTest, AStrictRouterBecomesTheRequestUri) {
  dialog_.route_set = {"sip:192.0.2.11:5099", "sip:p2.example;lr"};
  EXPECT_EQ(Route().request_uri, "sip:192.0.2.11:5099");
  EXPECT_EQ(Route().route_header, "<sip:p2.example;lr>, <sip:gw@192.0.2.11:5080>");
  EXPECT_EQ(Route().hop, "sip:192.0.2.11:5099");
}

TEST_F(RouteInDialogTest, HeadersInUrisAreCutOff) {
  dialog_.remote_target = "sip:gw?x@192.0.2.11:5080?Max-Forwards=0&X-Evil=1";
  EXPECT_EQ(Route().request_uri, "sip:gw?x@192.0.2.11:5080");
  dialog_.route_set = {"sip:192.0.2.11;lr?X-Evil=1"};
  EXPECT_EQ(Route().route_header, "<sip:192.0.2.11;lr>");
}

TEST_F(RouteInDialogTest, WhatIsNoSipUriIsPassedOver) {
  for (const char* target : {"tel:+12025550100", "*", "sip:", "http://192.0.2.11", "sip:a b@h"}) {
    dialog_.remote_target = target;
    EXPECT_EQ(Route().request_uri, dialog_.to_uri) << target;
  }
  dialog_.route_set = {"sip:192.0.2.11;lr", "foo"};
  EXPECT_EQ(Route().route_header, "");
  EXPECT_EQ(Route().hop, "sip:192.0.2.10:5060");
}

TEST_F(RouteInDialogTest, WithoutContactTheToUriIsTheTarget) {
  dialog_.remote_target.clear();
  EXPECT_EQ(Route().request_uri, "sip:+12025550100@192.0.2.10");
  EXPECT_EQ(Route().hop, "sip:192.0.2.10:5060");
}

}  // namespace
}  // namespace outpace::sip
