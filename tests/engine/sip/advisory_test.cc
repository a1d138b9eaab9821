// Attacks that other SIP programs fell to, by the names they are known under, against a live agent
// that holds a call. The classes are those of Enable Security's advisories on Asterisk, FreeSWITCH,
// Kamailio, OpenSIPS and PJSIP, the CVEs of Sofia-SIP itself, and toll fraud.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/base/rng.h"
#include "tests/engine/sip/hostile.h"

namespace outpace::sip {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::string_literals;  // for octets with a NUL among them

constexpr char kSdp[] = "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\n";

std::string Times(size_t n, absl::string_view text) {
  std::string result;
  for (size_t i = 0; i < n; ++i) absl::StrAppend(&result, text);
  return result;
}

// A request outside of any dialog with what is usual in it, unless told otherwise.
struct Plain {
  std::string method = "OPTIONS";
  std::string uri = "sip:+12025550188@127.0.0.1";
  std::string via = {};     // all of it
  std::string branch = {};  // empty: a new one
  std::string tag = "attacker";
  std::string to = "<sip:+12025550188@127.0.0.1>";
  std::string call_id = {};  // empty: a new one
  std::string cseq = {};     // empty: "1 <method>"
  std::string extra = {};    // lines with their ends
  std::string body = {};
};

class Advisory : public ::testing::Test {
 protected:
  std::string Text(const Plain& plain) {
    const std::string n = absl::StrCat(++sent_);
    const auto or_else = [](const std::string& text, const std::string& other) {
      return text.empty() ? other : text;
    };
    return absl::StrCat(
        plain.method, " ", plain.uri, " SIP/2.0\r\nVia: ",
        or_else(plain.via, absl::StrCat("SIP/2.0/UDP ", kAttacker, ":", target_.attacker().port(),
                                        ";branch=", or_else(plain.branch, "z9hG4bKadv" + n))),
        "\r\nMax-Forwards: 70\r\nFrom: <sip:attacker@", kAttacker, ">;tag=", plain.tag,
        "\r\nTo: ", plain.to, "\r\nCall-ID: ", or_else(plain.call_id, "advisory-" + n),
        "\r\nCSeq: ", or_else(plain.cseq, "1 " + plain.method), "\r\nContact: <sip:attacker@",
        kAttacker, ":", target_.attacker().port(), ">\r\n", plain.extra,
        "Content-Length: ", plain.body.size(), "\r\n\r\n", plain.body);
  }
  // Sends, and asserts that the agent lives; what came back.
  std::vector<WireMessage> Provoke(absl::string_view octets) {
    target_.Send(octets);
    EXPECT_TRUE(target_.Alive());
    return target_.Heard();
  }
  std::vector<int> Statuses(absl::string_view octets) {
    std::vector<int> statuses;
    for (const WireMessage& heard : Provoke(octets)) statuses.push_back(heard.Status());
    return statuses;
  }
  // Leg 2 rings at the attacker's.
  WireMessage RingTheAttacker() {
    EXPECT_TRUE(target_.shard().Invite(RequestTo(target_.attacker(), 2)).ok());
    return target_.attacker().ReceiveRequest("INVITE");
  }
  WireMessage CallTheAttacker() {
    WireMessage invite = RingTheAttacker();
    target_.attacker().Answer(invite, {200, "OK", "far", {target_.attacker().Contact()}, kSdp});
    EXPECT_EQ(target_.shard().events.NextFinal().kind, "answer");
    target_.shard().Do([](SofiaSignaling& s) { s.Ack(Leg1(2)); });
    EXPECT_TRUE(target_.attacker().ReceiveRequest("ACK").valid);
    return invite;
  }
  // After RingTheAttacker(): a response of `status` with these lines and this body, then the end.
  Event AnswerWith(const WireMessage& invite, int status, const std::vector<std::string>& extra,
                   const std::string& body) {
    target_.attacker().Answer(invite, {status, "Answer", "far", extra, body});
    EXPECT_TRUE(target_.Alive());
    if (status < 200) target_.attacker().Answer(invite, {486, "Busy Here", "far", {}, ""});
    Event end = target_.shard().events.NextFinal();
    target_.shard().Do([](SofiaSignaling& s) { s.Forget(Leg1(2)); });
    EXPECT_TRUE(target_.Alive());
    for (const WireMessage& heard : target_.Heard()) {
      if (heard.IsRequest("BYE")) target_.attacker().Answer(heard, {});
    }
    return end;
  }
  void TearDown() override { target_.ExpectUntouched(strays_); }

  UnderAttack target_;
  UnderAttack::Strays strays_ = UnderAttack::Strays::kNone;

 private:
  int sent_ = 0;
};

// ---- headers ----

// PJSIP and Asterisk AST-2017-002/-003: a long CSeq ran over the end of a transaction key.
TEST_F(Advisory, LongCSeq) {
  for (const size_t n : {250u, 255u, 256u, 257u, 1023u, 1024u, 4096u, 18'000u}) {
    Provoke(Text({.cseq = "1 " + Times(n, "A")}));
    Provoke(Text({.cseq = Times(n, "9") + " OPTIONS"}));
    Provoke(Text({.method = Times(n, "M")}));
    Provoke(Text({.method = "INVITE", .cseq = "1 " + Times(n, "A")}));
  }
}

// Asterisk AST-2017-003: a multipart boundary that is not there, empty, or without end.
TEST_F(Advisory, MultipartBoundary) {
  const std::string part = "--b\r\nContent-Type: application/sdp\r\n\r\n" + std::string(kSdp);
  const std::vector<std::pair<std::string, std::string>> bodies = {
      {"multipart/mixed", part},
      {"multipart/mixed;boundary", part},
      {"multipart/mixed;boundary=", part},
      {"multipart/mixed;boundary=\"\"", "--\r\n\r\n----"},
      {"multipart/mixed;boundary=\"b", part},
      {"multipart/mixed;boundary=" + Times(9000, "b"), "--" + Times(9000, "b") + "\r\n"},
      {"multipart/mixed;boundary=" + Times(9000, "b"), part},
      {"multipart/mixed;boundary=b", ""},
      {"multipart/mixed;boundary=b", "--"},
      {"multipart/mixed;boundary=b", "--b"},
      {"multipart/mixed;boundary=b", "--b--"},
      {"multipart/mixed;boundary=b", "--b\r\n"},
      {"multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\n"},
      {"multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\n\r\n"},
      {"multipart/mixed;boundary=b", part + "--b-"},
      {"multipart/mixed;boundary=b", Times(1000, "--b\r\n\r\n")},
      {"multipart/mixed;boundary=b;boundary=c", part},
      {"multipart/mixed;boundary=\"b\\", part},
      {"multipart/mixed;boundary=b\0c"s, part},
  };
  for (const auto& [type, body] : bodies) {
    SCOPED_TRACE(type.substr(0, 60));
    const std::string header = absl::StrCat("Content-Type: ", type);
    Provoke(Text({.method = "INVITE", .extra = header + "\r\n", .body = body}));
    Provoke(Text({.method = "MESSAGE", .extra = header + "\r\n", .body = body}));
    // Answer() writes a Content-Type of its own for a body, so this one brings both.
    const WireMessage invite = RingTheAttacker();
    target_.attacker().Send(
        absl::StrCat("SIP/2.0 200 OK\r\nVia: ", invite.Header("Via"),
                     "\r\nFrom: ", invite.Header("From"), "\r\nTo: ", invite.Header("To"),
                     ";tag=far\r\nCall-ID: ", invite.Header("Call-ID"), "\r\nCSeq: 1 INVITE\r\n",
                     target_.attacker().Contact(), "\r\n", header,
                     "\r\nContent-Length: ", body.size(), "\r\n\r\n", body),
        target_.shard().port());
    ASSERT_TRUE(target_.Alive());
    const Event end = AnswerWith(invite, 486, {}, "");
    EXPECT_THAT(end.kind, AnyOf("answer", "failure"));
  }
  strays_ = UnderAttack::Strays::kMayEnd;
}

// Asterisk AST-2018-002: each Accept header took its share of the stack.
TEST_F(Advisory, RepeatedAcceptHeaders) {
  for (const absl::string_view name : {"Accept", "Accept-Encoding", "Accept-Language", "Allow",
                                       "Supported", "Record-Route", "Via", "Route", "Require"}) {
    const std::string value = absl::StrContains(name, "oute") ? "<sip:127.4.75.1;lr>"
                              : name == "Via"                 ? "SIP/2.0/UDP 127.4.75.1"
                                                              : "a/b;q=0.1";
    Provoke(Text({.extra = Times(19'000 / (name.size() + value.size() + 4),
                                 absl::StrCat(name, ": ", value, "\r\n"))}));
    Provoke(Text({.extra = absl::StrCat(name, ": ", Times(18'000 / (value.size() + 1), value + ","),
                                        value, "\r\n")}));
  }
}

// FreeSWITCH and Kamailio CVE-2018-8828: lengths one off the end of a buffer.
TEST_F(Advisory, BranchAndTagLengthOffByOne) {
  for (size_t n = 0; n <= 300; ++n) {
    const std::string text = Times(n, "x");
    Provoke(Text({.branch = "z9hG4bK" + text, .tag = text}));
    Provoke(Text({.branch = text, .tag = "t" + text, .to = "<sip:a@127.0.0.1>;tag=" + text}));
    Provoke(
        Text({.method = "INVITE", .to = "<sip:a@127.0.0.1>;tag=" + text, .call_id = text + "c"}));
  }
  for (const size_t n : {1023u, 1024u, 1025u, 4095u, 4096u, 4097u, 16'000u}) {
    Provoke(Text({.branch = "z9hG4bK" + Times(n, "x"), .tag = Times(n, "y"), .extra = ""}));
  }
}

// Kamailio CVE-2020-28361 and Asterisk GHSA-4h4c-qgxg-p3qv: "Name :", a tab, a fold or a control
// octet before the colon, and what one program takes for the header another does not. No header
// from outside has a meaning of ours: none changes an answer, or shows up in what we send.
TEST_F(Advisory, HeaderNameAndBlank) {
  for (const std::string& name :
       {"X-Outpace-Lead"s, "X-Outpace-Trunk"s, "P-Asserted-Identity"s, "P-Preferred-Identity"s,
        "Remote-Party-ID"s, "Identity"s, "Route"s, "X-Bypass-me"s, "Diversion"s}) {
    for (const std::string& blank :
         {""s, " "s, "\t"s, "   \t "s, "\r\n "s, "\r\n\t"s, "\x01"s, "\0"s, "\xa0"s, "\x0b"s}) {
      SCOPED_TRACE(absl::StrCat(name, "/", absl::CHexEscape(blank)));
      const std::string line =
          absl::StrCat(name, blank, ": <sip:+19005550123@", kBystander, ";lr>\r\n");
      EXPECT_THAT(Statuses(Text({.method = "INVITE", .extra = line})), Each(Ge(400)));
      EXPECT_THAT(Statuses(Text({.method = "BYE", .extra = line})), Each(Ge(400)));
      for (const WireMessage& heard : Provoke(Text({.extra = line}))) {
        EXPECT_THAT(heard.Headers(name), IsEmpty());
        EXPECT_THAT(heard.Status(), AnyOf(200, 400));
      }
    }
  }
}

// ---- session descriptions: what the signalling hands on is what came, and it breaks nothing ----

struct Description {
  const char* name;
  std::string sdp;
};
void PrintTo(const Description& d, std::ostream* out) { *out << d.name; }

class SdpAdvisory : public Advisory, public ::testing::WithParamInterface<Description> {};

TEST_P(SdpAdvisory, InAnswersAndReInvites) {
  const std::string& sdp = GetParam().sdp;
  EXPECT_EQ(AnswerWith(RingTheAttacker(), 200, {target_.attacker().Contact()}, sdp).sdp, sdp);
  EXPECT_EQ(AnswerWith(RingTheAttacker(), 183, {}, sdp).kind, "failure");
  EXPECT_EQ(AnswerWith(RingTheAttacker(), 488, {}, sdp).kind, "failure");
  const WireMessage invite = CallTheAttacker();
  target_.attacker().Request(invite, "INVITE", 100, {target_.attacker().Contact()}, sdp);
  ASSERT_TRUE(target_.Alive());
  EXPECT_THAT(target_.shard().events.TakeOffers(), ::testing::ElementsAre(sdp));
  target_.attacker().Request(invite, "UPDATE", 101, {target_.attacker().Contact()}, sdp);
  ASSERT_TRUE(target_.Alive());
  EXPECT_THAT(target_.shard().events.TakeOffers(), ::testing::ElementsAre(sdp));
  target_.shard().Do([](SofiaSignaling& s) { s.Forget(Leg1(2)); });
  strays_ = UnderAttack::Strays::kMayEnd;
}

INSTANTIATE_TEST_SUITE_P(
    Advisory, SdpAdvisory,
    ::testing::Values(
        // PJSIP AST-2018-003: a payload type that is none.
        Description{"PayloadType4294967296",
                    absl::StrCat(kSdp, "m=audio 17000 RTP/AVP 4294967296\r\n")},
        // PJSIP AST-2018-003: a format parameter with a NUL.
        Description{"FmtpWithNul",
                    absl::StrCat(kSdp, "m=audio 17000 RTP/AVP 0\r\na=fmtp:\0x\r\n"s)},
        // OpenSIPS CVE-2023-27601: the last line has no end.
        Description{"NoLineEnd", "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\nm=audio 9 RTP/AVP 0"},
        // Sofia-SIP CVE-2022-31001: an attribute name with nothing behind it.
        Description{"Cve202231001", absl::StrCat(kSdp, "m=audio 9 RTP/AVP 0\r\na=rtpmap")},
        // Sofia-SIP CVE-2022-31003: a line of one octet, and the parser went on behind its end.
        Description{"Cve202231003", absl::StrCat(kSdp, "m=audio 9 RTP/AVP 0\r\na")},
        Description{"OneOctet", "v"}, Description{"Nuls", std::string(64, '\0')},
        Description{"ThousandMediaLines",
                    absl::StrCat(kSdp, Times(600, "m=audio 9 RTP/AVP 0\r\n"))}),
    [](const auto& instance) { return std::string(instance.param.name); });

// ---- Sofia-SIP's own ----

// CVE-2022-31002: a URI that ends within an escape was read past its end.
TEST_F(Advisory, Cve202231002EscapesCutShort) {
  for (const std::string& end : {"%"s, "%2"s, "%%"s, "a%"s, "%0"s, "%g"s, "%00%"s}) {
    for (const std::string& uri :
         {"sip:" + end, "sip:a" + end, "sip:a" + end + "@127.0.0.1", "sip:a@127.0.0.1" + end,
          "sip:a@127.0.0.1;p=" + end, "sip:a@127.0.0.1?h=" + end, "tel:" + end}) {
      SCOPED_TRACE(uri);
      Provoke(Text({.uri = uri}));
      Provoke(Text({.to = "<" + uri + ">"}));
      Provoke(Text({.method = "INVITE", .uri = uri, .extra = "Route: <" + uri + ">\r\n"}));
      AnswerWith(RingTheAttacker(), 200, {"Contact: <" + uri + ">"}, "");
      AnswerWith(RingTheAttacker(), 200,
                 {target_.attacker().Contact(), "Record-Route: <" + uri + ">"}, "");
      AnswerWith(RingTheAttacker(), 302, {"Contact: <" + uri + ">"}, "");
    }
  }
}

// CVE-2022-47516: a datagram after which the transport's receiver failed an assertion.
TEST_F(Advisory, Cve202247516DatagramsThatEndAnywhere) {
  const std::string whole = Text({.extra = "Accept: application/sdp\r\n"});
  for (size_t n = 0; n < whole.size(); ++n) {
    Provoke(absl::string_view(whole).substr(0, n));
    Provoke(absl::StrCat("\r\n\r\n", absl::string_view(whole).substr(0, n)));
    Provoke(absl::string_view(whole).substr(n));
  }
  for (const std::string& octets :
       {""s, "\r\n"s, "\r\n\r\n"s, "\r"s, "\n"s, "\0"s, std::string(20'000, '\n'),
        std::string(20'000, '\0'), std::string(20'000, '\r'), Times(5'000, "\r\n"), whole + whole,
        whole + std::string(1'000, '\0')}) {
    Provoke(octets);
  }
}

// CVE-2023-22741 and CVE-2023-32307: STUN attributes with lengths that lie. We need no STUN: not
// one octet of an answer, and nothing of it reaches the stack.
TEST_F(Advisory, Cve202322741And32307StunOnTheSipPort) {
  const std::string cookie = "\x21\x12\xa4\x42"s + std::string(12, 'T');
  const std::vector<std::string> packets = {
      "\x00\x01\x00\x00"s + cookie,                                        // Binding request
      "\x00\x01\x00\x08"s + cookie + "\x00\x03\x00\x04\x00\x00\x00\x06"s,  // CHANGE-REQUEST
      "\x00\x01\x00\x08"s + cookie + "\x00\x06\xff\xff\x41\x41\x41\x41"s,  // USERNAME of 65,535
      "\x01\x01\x00\x0c"s + cookie + "\x00\x01\x00\x00\x00\x01\x00\x00\x7f\x00\x00\x01"s,
      "\x01\x11\x00\x08"s + cookie + "\x00\x09\xff\xfc\x00\x00\x04\x01"s,  // ERROR-CODE
      "\x01\x11\x00\x08"s + cookie + "\x00\x0a\xff\xfd\x00\x00\x04\x01"s,  // UNKNOWN-ATTRIBUTES
      "\x00\x01\xff\xff"s + cookie,
      "\x00\x01"s + std::string(18'000, '\xff'),
      std::string(20, '\x01'),
      std::string(28, '\x00'),
  };
  ::testing::internal::CaptureStderr();  // the stack used to write a line for each
  for (const std::string& packet : packets) EXPECT_THAT(Provoke(packet), IsEmpty());
  Rng rng(32307);
  for (int i = 0; i < 500; ++i) {
    std::string packet = packets[rng.Below(packets.size())];
    packet[rng.Below(packet.size())] = static_cast<char>(rng.Below(256));
    packet.front() = static_cast<char>(rng.Below(4));
    EXPECT_THAT(Provoke(packet), IsEmpty());
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST_F(Advisory, OtherProtocolsOnTheSipPort) {
  const std::string upgrade =
      "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n"
      "Sec-WebSocket-Version: 13\r\n\r\n";
  EXPECT_THAT(Provoke(upgrade), IsEmpty());
  EXPECT_THAT(
      Provoke("\x80\x00\x00\x01\x00\x00\x00\xa0\x11\x22\x33\x44"s + std::string(160, '\xff')),
      IsEmpty());  // RTP
  EXPECT_THAT(Provoke("\x16\x03\x01\x00\x2e\x01\x00\x00\x2a\x03\x03"s + std::string(34, 'c')),
              IsEmpty());  // TLS ClientHello
  EXPECT_THAT(Provoke("\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00"s + std::string(40, 'd')),
              IsEmpty());  // DTLS
}

// ---- methods, state, memory ----

// FreeSWITCH CVE-2021-37624 (MESSAGE), CVE-2021-41157 (SUBSCRIBE): taken from anyone.
TEST_F(Advisory, UnauthenticatedMethods) {
  for (const std::string method : {"MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "REGISTER",
                                   "INFO", "UPDATE", "PRACK", "BYE", "CANCEL", "INVITE", "FOO"}) {
    SCOPED_TRACE(method);
    const std::string extra =
        "Event: message-summary\r\nRefer-To: <sip:+19005550123@127.4.75.9>\r\nExpires: 60\r\n"
        "RAck: 1 1 INVITE\r\n";
    EXPECT_THAT(Statuses(Text({.method = method, .extra = extra, .body = "hello"})), Each(Ge(400)));
    EXPECT_THAT(Statuses(Text({.method = method, .to = "<sip:a@127.0.0.1>;tag=known"})),
                Each(Ge(400)));
  }
}

// FreeSWITCH CVE-2021-41145: REGISTER until the memory was gone. A peer's request outside of a
// dialog is answered and forgotten.
TEST_F(Advisory, FloodMemory) {
  if (kSanitized) GTEST_SKIP() << "the sanitizer has its own heap and its own leak check";
  size_t before = 0;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < 100; ++i) {
      for (const std::string method : {"REGISTER", "OPTIONS", "SUBSCRIBE"}) {
        target_.Send(Text({.method = method}));
      }
    }
    ASSERT_TRUE(target_.Alive());
    target_.Heard();
    if (round == 10) before = mallinfo2().uordblks;
  }
  EXPECT_LE(mallinfo2().uordblks, before + (1 << 20));
}

// A stranger's request costs nothing and is not answered at all.
TEST(AdvisoryStranger, HearsNothing) {
  UnderAttack target(UnderAttack::From::kStranger);
  for (const char* method : {"OPTIONS", "INVITE", "REGISTER", "MESSAGE", "CANCEL", "BYE", "ACK"}) {
    target.Send(absl::StrCat(method, " sip:100@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP ", kAttacker,
                             ";branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n"
                             "Call-ID: ",
                             method, "\r\nCSeq: 1 ", method, "\r\n\r\n"));
    ASSERT_TRUE(target.Alive());
  }
  EXPECT_THAT(target.Heard(), IsEmpty());
  target.ExpectUntouched();
}

// ---- aiming our packets at others ----

// What we send goes to peers. A Via, Contact, Route or Record-Route that names somebody else must
// not make us send there: neither an answer (a reflector for the attacker) nor a request.
TEST_F(Advisory, AnswersCannotBeAimedAtABystander) {
  FarEnd bystander(kBystander);
  const std::string there = absl::StrCat(kBystander, ":", bystander.port());
  for (const std::string method : {"OPTIONS", "INVITE", "REGISTER", "BYE", "FOO"}) {
    for (const std::string& via : {
             absl::StrCat("SIP/2.0/UDP ", there, ";branch=z9hG4bK"),
             absl::StrCat("SIP/2.0/UDP ", there, ";rport;branch=z9hG4bK"),
             absl::StrCat("SIP/7.0/UDP ", there, ";branch=z9hG4bK"),
             absl::StrCat("SIP/2.0/TCP ", there, ";branch=z9hG4bK"),
             absl::StrCat("SIP/2.0/UDP ", there, ";maddr=", kBystander, ";branch=z9hG4bK"),
             absl::StrCat("SIP/2.0/UDP ", kAttacker, ":", bystander.port(), ";maddr=", kBystander,
                          ";branch=z9hG4bK"),
             absl::StrCat("SIP/2.0/UDP ", kAttacker, ";received=", kBystander,
                          ";rport=", bystander.port(), ";branch=z9hG4bK"),
             absl::StrCat("SIP/2.0/UDP ", kAttacker, ";branch=z9hG4bK1\r\nVia: SIP/2.0/UDP ", there,
                          ";branch=z9hG4bK"),
         }) {
      SCOPED_TRACE(absl::StrCat(method, " ", via));
      const std::string extra =
          absl::StrCat("Route: <sip:", there, ";lr>\r\nRecord-Route: <sip:", there,
                       ";lr>\r\nReply-To: <sip:", there, ">\r\n");
      std::string text = Text({.method = method, .via = via + method, .extra = extra});
      Provoke(text);
      if (absl::StrContains(via, "SIP/7.0")) {
        text.replace(text.find("SIP/2.0"), 7, "SIP/7.0");
        Provoke(text);
      }
      text.replace(text.find("Max-Forwards: 70"), 16, "Content-Length: x");  // malformed
      Provoke(text);
    }
  }
  EXPECT_TRUE(bystander.Quiet(50)) << bystander.Receive().start_line;
}

TEST_F(Advisory, RequestsCannotBeAimedAtABystander) {
  FarEnd bystander(kBystander);
  const std::string there = absl::StrCat("<sip:", kBystander, ":", bystander.port(), ";lr>");
  const std::string maddr =
      absl::StrCat("<sip:", kAttacker, ";lr;maddr=", kBystander, ":", bystander.port(), ">");
  for (const std::string& uri : {there, maddr}) {
    for (const char* header : {"Contact: ", "Record-Route: "}) {
      for (const int status : {180, 200, 302, 305, 380, 401, 486}) {
        AnswerWith(RingTheAttacker(), status,
                   {absl::StrCat(header, uri), "Require: 100rel", "RSeq: 1", "Reply-To: " + there,
                    "Alert-Info: " + there},
                   "");
      }
    }
  }
  EXPECT_TRUE(bystander.Quiet(50)) << bystander.Receive().start_line;
  EXPECT_EQ(target_.shard().events.offers().size(), 0u);
  strays_ = UnderAttack::Strays::kMayEnd;
}

// ---- calls of ours that an attacker would like to end, take or pay for ----

// Without its tags a call cannot be touched, even by who knows its Call-ID: 481, and no event.
TEST_F(Advisory, SpoofedInDialogRequests) {
  const std::string call_id = target_.invite().Header("Call-ID");
  const std::string our_tag = WireMessage::Param(target_.invite().Header("From"), "tag");
  Rng rng(35);
  const auto guess = [&rng] { return absl::StrCat(absl::Hex(rng.Next(), absl::kZeroPad16)); };
  for (int i = 0; i < 400; ++i) {
    for (const std::string method :
         {"BYE", "INVITE", "UPDATE", "INFO", "REFER", "CANCEL", "PRACK"}) {
      // Of the two tags of the call at least one is wrong; now and then the Call-ID is.
      const std::string from_tag = i % 3 == 0 ? "far" : i % 3 == 1 ? guess() : "";
      const std::string to_tag = i % 3 == 0 ? guess() : our_tag;
      const std::string extra = "Refer-To: <sip:+19005550123@127.4.75.9>\r\n";
      const std::vector<int> statuses =
          Statuses(Text({.method = method,
                         .tag = i % 3 == 2 ? guess() : from_tag,
                         .to = absl::StrCat("<sip:a@127.0.0.1>;tag=", to_tag),
                         .call_id = i % 7 == 0 ? guess() : call_id,
                         .extra = extra,
                         .body = kSdp}));
      ASSERT_THAT(statuses, Each(Ge(400))) << method << " " << i;
    }
  }
}

// The right Call-ID and both tags, from an address that is no peer: dropped.
TEST(AdvisoryStranger, CannotEndACallWithItsTags) {
  for (const bool drop : {true, false}) {
    SofiaConfig config = UnderAttack::Config(UnderAttack::From::kStranger);
    config.drop_strangers = drop;
    UnderAttack target(UnderAttack::From::kStranger, config);
    int cseq = 100;
    for (const char* method : {"BYE", "INVITE", "UPDATE", "INFO", "REFER", "CANCEL"}) {
      target.attacker().Request(target.invite(), method, ++cseq, {}, kSdp);
      ASSERT_TRUE(target.Alive());
    }
    for (const WireMessage& heard : target.Heard()) EXPECT_GE(heard.Status(), 400);
    target.ExpectUntouched();
  }
}

// A ringing call: answers, refusals and CANCELs with guessed branches and tags change nothing.
TEST_F(Advisory, SpoofedResponsesToARingingCall) {
  FarEnd victim;  // 127.0.0.1, a peer like the attacker
  ASSERT_TRUE(target_.shard().Invite(RequestTo(victim, 3)).ok());
  const WireMessage invite = victim.ReceiveRequest("INVITE");
  victim.Answer(invite, {180, "Ringing", "v", {}, ""});
  ASSERT_EQ(target_.shard().events.Next().status, 180);
  Rng rng(8);
  for (int i = 0; i < 300; ++i) {
    for (const int status : {180, 183, 486, 603, 404}) {
      std::string via = invite.Header("Via");
      const std::string branch = WireMessage::Param(via, "branch");
      via.replace(via.find(branch), branch.size(), absl::StrCat("z9hG4bK", rng.Next()));
      WireMessage spoofed = invite;
      for (auto& [name, value] : spoofed.headers) {
        if (name == "Via") value = via;
      }
      target_.attacker().Answer(spoofed, {status, "Spoofed", "s", {}, ""});
    }
    ASSERT_TRUE(target_.Alive());
  }
  EXPECT_TRUE(target_.shard().events.Empty());
  target_.Heard();
  victim.Answer(invite, {200, "OK", "v", {victim.Contact()}, kSdp});
  EXPECT_EQ(target_.shard().events.Next().kind, "answer");
  target_.shard().Do([](SofiaSignaling& s) { s.Forget(Leg1(3)); });
  victim.Answer(victim.ReceiveRequest("BYE"), {});
}

// FreeSWITCH CVE-2021-41158, SIPVicious "digest leak": whoever is called challenges the INVITE or
// the BYE with the trunk's realm and cracks the answer at leisure. Nothing is answered to anybody
// but the trunk, whatever the realm, scheme and algorithm, and however often it is asked.
TEST(AdvisoryDigestLeak, NoCredentialsLeaveForACallee) {
  SofiaConfig config = UnderAttack::Config(UnderAttack::From::kPeer);
  SipTrunk trunk;
  trunk.name = "carrier";
  trunk.addresses = {"127.4.75.2"};
  trunk.auth_user = "user";
  trunk.auth_password = "secret";
  trunk.auth_realm = "carrier";
  config.trunks = {trunk};
  UnderAttack target(UnderAttack::From::kPeer, config);
  FarEnd& attacker = target.attacker();
  ShardUnderTest& shard = target.shard();
  const auto expect_no_credentials = [](const WireMessage& message) {
    EXPECT_EQ(message.Header("Authorization"), "") << message.start_line;
    EXPECT_EQ(message.Header("Proxy-Authorization"), "") << message.start_line;
  };
  uint32_t index = 1;
  for (const int status : {401, 407}) {
    for (const char* challenge :
         {"Digest realm=\"carrier\", nonce=\"n\", algorithm=MD5",
          "Digest realm=\"carrier\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256",
          "Digest realm=\"carrier\", nonce=\"n\", stale=true", "Digest realm=\"\", nonce=\"n\"",
          "Digest realm=\"127.4.75.2\", nonce=\"n\"", "Digest realm=\"other\", nonce=\"n\"",
          "Basic realm=\"carrier\""}) {
      for (const uint16_t over : {uint16_t{0}, call::kAgentTrunk}) {
        SCOPED_TRACE(absl::StrCat(status, " ", challenge, " ", over));
        const std::string header =
            absl::StrCat(status == 401 ? "WWW-Authenticate: " : "Proxy-Authenticate: ", challenge);
        call::InviteRequest request = RequestTo(attacker, ++index);
        request.trunk = over;
        ASSERT_TRUE(shard.Invite(request).ok());
        attacker.Answer(attacker.ReceiveRequest("INVITE"), {status, "Prove it", "x", {header}, ""});
        EXPECT_EQ(shard.events.NextFinal().kind, "failure");
        shard.Do([index](SofiaSignaling& s) { s.Forget(Leg1(index)); });

        request = RequestTo(attacker, ++index);
        request.trunk = over;
        ASSERT_TRUE(shard.Invite(request).ok());
        attacker.Answer(attacker.ReceiveRequest("INVITE"),
                        {200, "OK", "far", {attacker.Contact()}, kSdp});
        EXPECT_EQ(shard.events.NextFinal().kind, "answer");
        shard.Do([index](SofiaSignaling& s) { s.Bye(Leg1(index), 16); });
        const WireMessage bye = attacker.ReceiveRequest("BYE");
        expect_no_credentials(bye);
        for (int i = 0; i < 20; ++i)
          attacker.Answer(bye, {status, "Prove it", "far", {header}, ""});
        EXPECT_EQ(shard.events.NextFinal().kind, "bye_done");
        shard.Do([index](SofiaSignaling& s) { s.Forget(Leg1(index)); });
        ASSERT_TRUE(target.Alive());
        for (const WireMessage& heard : target.Heard()) expect_no_credentials(heard);
      }
    }
  }
  EXPECT_EQ(shard.counters().challenges_answered, 0u);
  target.ExpectUntouched(UnderAttack::Strays::kMayEnd);
}

// Toll fraud: no INVITE leaves that nobody ordered.
TEST_F(Advisory, TollFraudByRedirection) {
  const uint64_t invites = target_.shard().counters().invites;
  const std::string premium =
      absl::StrCat("<sip:+19005550123@", kAttacker, ":", target_.attacker().port(), ">");
  int placed = 0;
  for (const int status : {300, 301, 302, 305, 380, 399}) {
    ++placed;
    const Event end = AnswerWith(
        RingTheAttacker(), status,
        {absl::StrCat("Contact: ", premium, ";q=1, ", premium, ";q=0.5"), "Expires: 60"}, "");
    EXPECT_EQ(end.kind, "failure");
    EXPECT_EQ(end.failure.status, status);
    EXPECT_TRUE(target_.attacker().Quiet(0));
  }
  EXPECT_EQ(target_.shard().counters().invites, invites + static_cast<uint64_t>(placed));
}

TEST_F(Advisory, TollFraudByReferAndReplaces) {
  const WireMessage invite = CallTheAttacker();
  FarEnd bystander(kBystander);
  const std::string premium =
      absl::StrCat("<sip:+19005550123@", kBystander, ":", bystander.port(), ">");
  int cseq = 200;
  for (const std::string& extra :
       {absl::StrCat("Refer-To: ", premium), absl::StrCat("r: ", premium),
        absl::StrCat("Refer-To: ", premium, "\r\nReferred-By: <sip:a@b>\r\nRefer-Sub: false"),
        absl::StrCat("Refer-To: <sip:a@", kBystander,
                     "?Replaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db>")}) {
    target_.attacker().Request(invite, "REFER", ++cseq, {extra});
    EXPECT_EQ(target_.attacker().ReceiveResponse("REFER").Status(), 603);
    EXPECT_THAT(Statuses(Text({.method = "REFER", .extra = extra + "\r\n"})), Each(Ge(400)));
  }
  const std::string replaces = absl::StrCat(
      "Replaces: ", target_.invite().Header("Call-ID"),
      ";to-tag=far;from-tag=", WireMessage::Param(target_.invite().Header("From"), "tag"),
      "\r\nRequire: replaces\r\n");
  EXPECT_THAT(Statuses(Text({.method = "INVITE", .extra = replaces, .body = kSdp})), Each(Ge(400)));
  EXPECT_TRUE(bystander.Quiet(20));
  target_.shard().Do([](SofiaSignaling& s) { s.Forget(Leg1(2)); });
  ASSERT_TRUE(target_.Alive());
  target_.Heard();
}

}  // namespace
}  // namespace outpace::sip
